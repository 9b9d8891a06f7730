"""Points of a class as exports write them: a row for each student, a score for each unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .exercise_points import ExercisePoints


@dataclass(frozen=True)
class Score:
    """A student's points for a unit.

    Attributes:
        unit: the unit.
        points: what counts, after the late penalty; None for no submission and `missing = "empty"`.
        raw: before the penalty.
        penalty: what was taken off.
        most: points possible.
        submitted: whether there is a submission.
        timestamp: when it was handed in, or "".
        waiting: whether written answers wait for a person.
        exercises: points of each exercise, by name.
    """

    unit: str
    points: float | None
    raw: float
    penalty: float
    most: float
    submitted: bool
    timestamp: str
    waiting: bool
    exercises: Mapping[str, ExercisePoints] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A student and the scores in the order of the units."""

    id: str
    first_name: str
    last_name: str
    email: str
    lms_user_id: str
    scores: tuple[Score, ...]

    @property
    def name(self) -> str:
        """ "Lovelace, Ada", as both systems sort."""
        return ", ".join(filter(None, [self.last_name, self.first_name])) or self.id
