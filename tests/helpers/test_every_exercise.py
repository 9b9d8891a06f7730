"""The tests of the tests: every check accepts every right style and rejects and names every mistake.

Run for all exercises of all units, on the visible cases and on several hidden ones.
"""

import ast
import contextlib
import importlib
from pathlib import Path

import pytest

from helpers.judging import agreement, catalog, judge, sheets
from helpers.running import runner, wire

SEEDS = (judge.VISIBLE_SEED, 1, 2, 3)
EXERCISES = [(unit, exercise) for unit in catalog.units() for exercise in catalog.unit_exercises(unit).values()]
NAMES = [exercise.name for _, exercise in EXERCISES]
every_exercise = pytest.mark.parametrize(("unit", "exercise"), EXERCISES, ids=NAMES)


def seeds(exercise):
    """The papers that right answers are tried on. Trained weights are asked the same of on every one, and take long."""
    trained = any(case.from_file for case in judge.paper(exercise).cases)
    return SEEDS[:2] if trained else SEEDS


def styles(unit, kind, exercise):
    assert (Path(__file__).parent / "styles" / f"{unit}.py").is_file(), f"missing: tests/helpers/styles/{unit}.py"
    of_kind = getattr(importlib.import_module(f"tests.helpers.styles.{unit}"), kind)
    assert exercise.name in of_kind, f"{exercise.name} is missing in {kind} of tests/helpers/styles/{unit}.py"
    return of_kind[exercise.name]


def surroundings(exercise, answer):
    """What a unit's styles put beside the notebook, as trained weights; nothing for most."""
    (unit,) = {unit for unit, one in EXERCISES if one.name == exercise.name}
    prepare = getattr(importlib.import_module(f"tests.helpers.styles.{unit}"), "surroundings", None)
    return prepare(exercise.name, answer) if prepare else contextlib.nullcontext()


def verdict_of(exercise, answer, seed):
    """Judge as the grader does: cases and answers cross the border as bytes."""
    paper = judge.paper(exercise, seed)
    cases = wire.decode(wire.encode(list(sheets.handed_out(paper))))
    with surroundings(exercise, answer):
        answers = runner.run(answer, cases, exercise.forbidden)
    answers = sheets.taken(paper, wire.decode(wire.encode(answers)))
    # What variants of the reference say comes after all that is asked here, and has tests of its own.
    return judge.judge(paper, answers, hidden=seed != judge.VISIBLE_SEED, more=judge.More(trials=0))


def verdict_on_mistake(exercise, mistake, seed):
    """Judge a mistake: on the visible paper as the grader does, and on a hidden one by the answers that the judge has
    of it already. To run each mistake a second time on all papers is half the time of its test.
    """
    if seed == judge.VISIBLE_SEED:
        return verdict_of(exercise, mistake.wrong, seed)
    paper = judge.paper(exercise, seed)
    answers = list(paper.mistaken(mistake)[0])
    # What only trained weights can answer, the judge leaves open.
    of_file = [place for place, case in enumerate(paper.cases) if case.from_file]
    with surroundings(exercise, mistake.wrong):
        run = runner.run(mistake.wrong, [paper.cases[place] for place in of_file])
    for place, answer in zip(of_file, run):
        answers[place] = answer
    return judge.judge(paper, wire.decode(wire.encode(answers)), hidden=True)


def test_names_are_unique_in_the_course():
    doubled = [f"{exercise.name} ({unit})" for unit, exercise in EXERCISES if NAMES.count(exercise.name) > 1]
    assert not doubled, f"two exercises have one name: {', '.join(doubled)}"


@every_exercise
def test_the_reference_is_tested_by_itself(unit, exercise):
    """Everything else is compared with the reference, so nothing else would notice when it is wrong."""
    path = Path(__file__).parent / "reference" / f"test_{unit}.py"
    assert path.is_file(), f"missing: tests/helpers/reference/test_{unit}.py"
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    used = {
        getattr(node, "attr", None) or getattr(node, "id", None)
        for node in nodes
        if isinstance(node, (ast.Attribute, ast.Name))
    }
    assert exercise.name in used, f"tests/helpers/reference/test_{unit}.py has no test of {exercise.name}"


@every_exercise
def test_accepts_the_reference(unit, exercise):
    for seed in seeds(exercise):
        verdict = verdict_of(exercise, exercise.reference, seed)
        assert verdict.passed, f"the reference of {exercise.name} fails its own check, seed {seed}: {verdict.finding}"


@every_exercise
def test_accepts_every_right_style(unit, exercise):
    right = styles(unit, "RIGHT", exercise)
    minimum = 4 if exercise.name != "hello_attention" else 1
    assert len(right) >= minimum, (
        f"{exercise.name} has {len(right)} right styles in RIGHT of tests/helpers/styles/{unit}.py, and needs {minimum}"
    )
    for number, answer in enumerate(right):
        for seed in seeds(exercise):
            verdict = verdict_of(exercise, answer, seed)
            assert verdict.passed, (
                f"right style {number} of {exercise.name} is refused, seed {seed}:"
                f" {verdict.diagnosis or verdict.finding}"
            )


@every_exercise
def test_says_not_answered_for_the_stub(unit, exercise):
    def stub(*args, **kwargs):
        raise NotImplementedError

    assert verdict_of(exercise, stub, judge.VISIBLE_SEED).status == "not answered"


def unnamed(exercise, mistake, seed, named):
    """Why a mistake is not called by its name: others answer every case as it does, or what it is called instead."""
    paper = judge.paper(exercise, seed)
    mine, found = paper.mistaken(mistake)

    def equal(other):
        rows = zip(mine, found, *paper.mistaken(other))
        return all(row[1] is row[3] is None or agreement.agree(exercise, *row) for row in rows)

    same = [repr(other.name) for other in exercise.mistakes if other is not mistake and equal(other)]
    if same:
        return f"answers every case as {' and '.join(same)} does"
    return f"is called {named!r}" if named else "is not recognised"


@every_exercise
def test_names_every_mistake(unit, exercise):
    names = [mistake.name for mistake in exercise.mistakes]
    assert len(names) == len(set(names)), f"two mistakes of {exercise.name} have one name"
    for mistake in exercise.mistakes:
        assert mistake.hint.strip(), f"the mistake {mistake.name!r} of {exercise.name} has no hint"
        for seed in SEEDS:
            verdict = verdict_on_mistake(exercise, mistake, seed)
            assert not verdict.passed, f"the mistake {mistake.name!r} of {exercise.name} passes every case, seed {seed}"
            named = verdict.diagnosis.name if verdict.diagnosis else ""
            assert named == mistake.name, (
                f"the mistake {mistake.name!r} of {exercise.name} {unnamed(exercise, mistake, seed, named)}, seed"
                f" {seed}: {verdict.finding}"
            )


@every_exercise
def test_rejects_further_wrong_answers(unit, exercise):
    wrong = styles(unit, "WRONG", exercise)
    minimum = 8 if exercise.name != "hello_attention" else 3
    count = len(wrong) + len(exercise.mistakes)
    assert count >= minimum, (
        f"{exercise.name} has {count} wrong answers (its mistakes, and WRONG in tests/helpers/styles/{unit}.py), and"
        f" needs {minimum}"
    )
    for name, answer in wrong.items():
        for seed in SEEDS:
            verdict = verdict_of(exercise, answer, seed)
            assert verdict.status == "failed", (
                f"the wrong answer {name!r} to {exercise.name} passes every case, seed {seed}"
            )
            named = verdict.diagnosis.name if verdict.diagnosis else ""
            wanted = name.split(" #")[0]
            if not wanted:
                # What else is true of the numbers may be said; a mistake of the exercise's list would be false.
                assert named not in {mistake.name for mistake in exercise.mistakes}, (
                    f"the wrong answer {name!r} to {exercise.name} is called {named!r}, seed {seed}"
                )
                continue
            assert named == wanted, (
                f"the wrong answer {name!r} to {exercise.name} is called {named!r}, seed {seed}: {verdict.finding}"
            )


@every_exercise
def test_cases_are_the_same_for_the_same_seed_and_others_for_another(unit, exercise):
    def drawn(seed):
        return wire.encode(list(judge.Paper(exercise, seed).cases))

    assert drawn(5) == drawn(5), (
        f"the cases of {exercise.name} do not come from `rng` alone: one seed, two draws, different cases"
    )
    if exercise.name not in ("hello_attention", "encoding_by_hand"):
        assert drawn(5) != drawn(6), (
            f"the cases of {exercise.name} do not use `rng`: the hidden cases would be the visible ones"
        )
