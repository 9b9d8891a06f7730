"""Plain records between the steps of grading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.marking.outcomes import Outcome
from autograder.marking.submission import Done, Task

# Called with what happens as it happens: a kind, and named values (see `autograder.grading.progress`).
Tell = Callable[..., None]


def silent(kind: str, **about: Any) -> None:
    """Tell nobody."""


class Stopped(Exception):
    """Grading was interrupted; the message says what is done and how to go on."""


@dataclass(frozen=True)
class Result:
    """One line of the table: a submission, its points, and how it ended."""

    student: str
    unit: str
    score: float
    max_score: float
    to_grade_by_hand: int
    late_seconds: float
    outcome: Outcome
    fresh: bool = True
    late_told: str = ""


@dataclass
class Try:
    """A submission that is being graded."""

    task: Task
    attempts: int = 0


@dataclass
class Ready:
    """A result that waits to be written, with what was handed in."""

    done: Done
    task: Task
