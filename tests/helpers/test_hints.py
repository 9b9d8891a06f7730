"""Hints in steps: enough of them, the recognised mistake's first, never the solution."""

import ast
import inspect
import textwrap

import pytest

from helpers.desk import hints
from helpers.judging import catalog
from helpers.verdict import Diagnosis, Verdict

EXERCISES = [exercise for unit in catalog.units() for exercise in catalog.unit_exercises(unit).values()]
SOFTMAX = catalog.find("softmax")


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_every_exercise_has_steps_and_none_is_a_line_of_the_reference(exercise):
    assert len(set(exercise.hints)) == len(exercise.hints), f"two hints of {exercise.name} are the same"
    assert len(exercise.hints) >= 2, f"{exercise.name} has {len(exercise.hints)} hints in its record, and needs 2"
    pointer = hints.formula_and_shapes(exercise)
    assert bool(pointer) == bool(inspect.signature(exercise.reference).parameters)
    tree = ast.parse(textwrap.dedent(inspect.getsource(exercise.reference)))
    lines = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Return)) and node.value is not None
    ]
    assert lines
    told = [one for one in lines if one in pointer]
    assert not told, (
        f"the description of {exercise.name}'s reference, which is shown as the last hint, gives the answer away:"
        f" {told}"
    )


def verdict(mistake="", status="failed"):
    return Verdict("softmax", status, diagnosis=Diagnosis("name", mistake) if mistake else None, hints=SOFTMAX.hints)


def test_steps_come_one_by_one_after_what_the_card_has_shown():
    trails = hints.Trails()
    trails.checked(verdict("of the mistake"), "of the mistake")
    assert trails.last == "softmax" and trails.left(SOFTMAX) == 3
    assert trails.next(SOFTMAX) == (["of the mistake", SOFTMAX.hints[0]], 4)
    trails.next(SOFTMAX)
    shown, total = trails.next(SOFTMAX)
    assert len(shown) == total == 4 and "softmax(x)_i" in shown[-1] and trails.left(SOFTMAX) == 0
    assert trails.next(SOFTMAX) == (shown, total), "asking further repeats the last answer"
    assert "That was the last step" in hints.told("softmax", shown, total)[0]


def test_another_mistake_brings_its_own_hint_and_drops_the_old_one():
    trails = hints.Trails()
    trails.checked(verdict("of the first"), "of the first")
    trails.next(SOFTMAX)
    trails.checked(verdict("of the second"), "of the second")
    shown, _ = trails.next(SOFTMAX)
    assert shown == ["of the second", *SOFTMAX.hints[:2]]


def test_nothing_is_pending_after_the_answer_is_right():
    trails = hints.Trails()
    trails.checked(verdict(), SOFTMAX.hints[0])
    trails.checked(verdict(status="passed"), "")
    assert trails.last == ""


def test_steps_are_shown_as_a_list_in_text_and_html():
    text, html = hints.told("softmax", ["use `a < b`", "then this"], 4)
    assert "hint 2 of 4" in text and "1. use `a < b`" in text and "2. then this" in text and "last step" not in text
    assert "hint 2 of 4" in html and "a &lt; b" in html and html.count("<li") == 2
