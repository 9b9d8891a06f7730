"""The tests of the tests: every check accepts every right style and rejects and names every mistake.

Run for all exercises of all units, on the visible cases and on several hidden ones.
"""

import contextlib
import importlib

import pytest

from helpers import catalog, judge, runner, wire

SEEDS = (judge.VISIBLE_SEED, 1, 2, 3)
EXERCISES = [(unit, exercise) for unit in catalog.units() for exercise in catalog.unit_exercises(unit).values()]
NAMES = [exercise.name for _, exercise in EXERCISES]
every_exercise = pytest.mark.parametrize(("unit", "exercise"), EXERCISES, ids=NAMES)


def styles(unit, kind, exercise):
    return getattr(importlib.import_module(f"tests.helpers.styles.{unit}"), kind)[exercise.name]


def surroundings(exercise, answer):
    """What a unit's styles put beside the notebook, as trained weights; nothing for most."""
    (unit,) = {unit for unit, one in EXERCISES if one.name == exercise.name}
    prepare = getattr(importlib.import_module(f"tests.helpers.styles.{unit}"), "surroundings", None)
    return prepare(exercise.name, answer) if prepare else contextlib.nullcontext()


def verdict_of(exercise, answer, seed):
    """Judge as the grader does: cases and answers cross the border as bytes."""
    paper = judge.paper(exercise, seed)
    cases = wire.decode(wire.encode(list(paper.cases)))
    with surroundings(exercise, answer):
        answers = runner.run(answer, cases, exercise.forbidden)
    return judge.judge(paper, wire.decode(wire.encode(answers)), hidden=seed != judge.VISIBLE_SEED)


def test_names_are_unique_in_the_course():
    assert len(NAMES) == len(set(NAMES))


@every_exercise
def test_accepts_the_reference(unit, exercise):
    for seed in SEEDS:
        verdict = verdict_of(exercise, exercise.reference, seed)
        assert verdict.passed, verdict


@every_exercise
def test_accepts_every_right_style(unit, exercise):
    right = styles(unit, "RIGHT", exercise)
    assert len(right) >= (4 if exercise.name != "hello_attention" else 1)
    for number, answer in enumerate(right):
        for seed in SEEDS:
            verdict = verdict_of(exercise, answer, seed)
            assert verdict.passed, f"right style {number}, seed {seed}: {verdict}"


@every_exercise
def test_says_not_answered_for_the_stub(unit, exercise):
    def stub(*args, **kwargs):
        raise NotImplementedError

    assert verdict_of(exercise, stub, judge.VISIBLE_SEED).status == "not answered"


@every_exercise
def test_names_every_mistake(unit, exercise):
    names = [mistake.name for mistake in exercise.mistakes]
    assert len(names) == len(set(names))
    for mistake in exercise.mistakes:
        for seed in SEEDS:
            verdict = verdict_of(exercise, mistake.wrong, seed)
            assert not verdict.passed, f"{mistake.name!r} passes with seed {seed}"
            named = verdict.diagnosis.name if verdict.diagnosis else ""
            assert named == mistake.name, f"seed {seed}: {verdict.finding}"
            assert mistake.hint


@every_exercise
def test_rejects_further_wrong_answers(unit, exercise):
    wrong = styles(unit, "WRONG", exercise)
    minimum = 8 if exercise.name != "hello_attention" else 3
    assert len(wrong) + len(exercise.mistakes) >= minimum
    for name, answer in wrong.items():
        for seed in SEEDS:
            verdict = verdict_of(exercise, answer, seed)
            assert verdict.status == "failed", f"{name!r} passes with seed {seed}"
            named = verdict.diagnosis.name if verdict.diagnosis else ""
            assert named == name.split(" #")[0], f"{name!r}, seed {seed}: {verdict.finding}"


@every_exercise
def test_cases_are_the_same_for_the_same_seed_and_others_for_another(unit, exercise):
    def drawn(seed):
        return wire.encode(list(judge.Paper(exercise, seed).cases))

    assert drawn(5) == drawn(5)
    if exercise.name not in ("hello_attention", "encoding_by_hand"):
        assert drawn(5) != drawn(6)
