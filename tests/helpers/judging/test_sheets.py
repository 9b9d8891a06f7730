"""What reaches the learner's process tells nothing of what a case is for; what comes back is measured before it is
read."""

import dataclasses

import numpy as np
import pytest

from helpers.exercise import Case, Init
from helpers.judging import catalog, checkup, judge, sheets
from helpers.running import runner, wire

EXERCISES = [exercise for unit in catalog.units() for exercise in catalog.unit_exercises(unit).values()]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=[exercise.name for exercise in EXERCISES])
REFUSING = [exercise for exercise in EXERCISES if any(case.raises for case in judge.paper(exercise).cases)]


def received(paper):
    return wire.decode(wire.encode(list(sheets.handed_out(paper))))


@every_exercise
def test_no_case_says_what_it_is_for(exercise):
    plain = {field.name: field.default for field in dataclasses.fields(Case) if field.name != "property"}
    for case in received(judge.paper(exercise, 7)):
        assert case.property == ""
        unsaid = ("raises", "quiet", "truth", "label", "note", "traits")
        assert all(getattr(case, name) == plain[name] for name in unsaid)


@every_exercise
def test_every_seed_has_an_order_of_its_own_that_is_undone(exercise):
    for seed in (0, 7):
        paper = judge.paper(exercise, seed)
        out = sheets.handed_out(paper)
        back = sheets.taken(paper, [runner.blank() | {"value": number} for number in range(len(out))])
        assert [out[answer["value"]] is case for answer, case in zip(back, paper.cases, strict=True)].count(False) == 0
    if len(out) > 6:
        orders = {tuple(judge.paper(exercise, seed).order(len(out))) for seed in range(4)}
        assert len(orders) == 4


def outside(case):
    """All that a call is told besides the arguments."""
    init = case.init or Init()
    return (
        case.method, case.gradients, case.memory is None, case.times, bool(case.chunks), case.init is None,
        init.weights is None, init.weights_file, init.prefix, bool(init.renamed), init.training, init.seed is None,
        len(init.earlier),
    )  # fmt: skip


@pytest.mark.parametrize("exercise", REFUSING, ids=[exercise.name for exercise in REFUSING])
def test_a_call_that_has_to_raise_looks_like_another_that_must_not(exercise):
    for seed in (0, 7):
        cases = sheets.handed_out(judge.paper(exercise, seed))
        sensible = {outside(case) for case in cases if case.raises is None}
        assert {outside(case) for case in cases if case.raises is not None} <= sensible


@pytest.mark.parametrize("exercise", REFUSING, ids=[exercise.name for exercise in REFUSING])
@pytest.mark.parametrize("tell", ["property", "outside"])
def test_raising_where_a_case_gives_itself_away_gains_nothing(exercise, tell):
    """An answer that reads the runner's own case, and is right but for its refusals."""
    import sys

    refused = {outside(case) for case in judge.paper(exercise, 7).cases if case.raises is not None}

    def is_told():
        frame = sys._getframe()
        while frame is not None:
            case = frame.f_locals.get("case")
            if isinstance(case, Case):
                return case.property == "bad arguments" if tell == "property" else outside(case) in refused
            frame = frame.f_back
        return False

    class Guess:
        def __call__(self, *args, **kwargs):
            if is_told():
                raise ValueError("no")
            return lenient(exercise, args, kwargs)

    for seed in (0, 7):
        verdict, _ = checkup.check(exercise, Guess(), seed)
        assert not verdict.passed


def lenient(exercise, args, kwargs):
    try:
        return exercise.reference(*args, **kwargs)
    except ValueError:
        return None


def test_complex_numbers_are_no_real_ones():
    for name in ("similarity_matrix", "softmax", "scaled_dot_product_attention", "masked_attention", "DigitClassifier"):
        exercise = catalog.find(name)

        def answer(*args, exercise=exercise, **kwargs):
            return made_complex(exercise.reference(*args, **kwargs))

        verdict, _ = checkup.check(exercise, answer)
        assert not verdict.passed and "complex" in verdict.finding.message, (name, verdict.finding)


def made_complex(value):
    if isinstance(value, tuple):
        return tuple(map(made_complex, value))
    if hasattr(value, "forward"):
        forward = value.forward
        value.forward = lambda *args, **kwargs: made_complex(forward(*args, **kwargs))
        return value
    return value + 0j


@every_exercise
def test_what_is_right_is_far_below_what_is_read(exercise):
    paper = judge.paper(exercise, 7)
    assert len(wire.encode(paper.expected)) <= sheets.most_bytes(paper) / 8 <= 8 * 2**20


def test_too_much_sent_back_is_one_clear_reason():
    exercise = catalog.find("similarity_matrix")
    verdict, answers = checkup.check(exercise, lambda X: np.zeros((1100, 1000)))
    assert answers == [] and verdict.status == "failed"
    assert "your answer sent back" in verdict.finding.message and "0.1 MB were expected" in verdict.finding.message
