"""Tries an exercise's check on an answer, for the tests of that check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from helpers.exercise import Exercise
from helpers.running import runner, wire
from helpers.verdict import Verdict

from . import judge


def verdict_of(exercise: Exercise, answer: Callable[..., Any], seed: int = judge.VISIBLE_SEED) -> Verdict:
    """Judge an answer as the grader does: cases and answers cross a border as bytes.

    Args:
        exercise: what is asked.
        answer: a function or class as a learner may write it.
        seed: what the cases are drawn from; `judge.VISIBLE_SEED` draws those that a learner sees, others hidden ones.

    Returns:
        The verdict: `passed`, and where it is not, `finding` and `diagnosis`.
    """
    paper = judge.paper(exercise, seed)
    cases = wire.decode(wire.encode(list(paper.cases)))
    answers = runner.run(answer, cases, exercise.forbidden)
    return judge.judge(paper, wire.decode(wire.encode(answers)), hidden=seed != judge.VISIBLE_SEED)
