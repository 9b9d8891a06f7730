"""Totals over a term: assignments in groups, groups with weights, the lowest of each left out.

    c.TermTotal.weights = {"u*": 60, "hw*": 40}
    c.TermTotal.drop_lowest = {"hw*": 1}

A group is a pattern of assignments' names; the first that fits an assignment has it. Within a group every assignment
counts alike, by its share of the points possible, extra points included; then the lowest are left out, but never all.
Groups without anything that counts yet are left out, and the others' weights share the whole. Who handed in nothing has
0 once the assignment is due, with an extension once that is over; one that is not due yet does not count for those who
have not handed it in.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from nbgrader.api import Gradebook
from traitlets import Dict, Integer, Unicode
from traitlets.config import Config, Configurable

from autograder.classroom.extending import given
from autograder.course import CourseError

from .scores import Row, Score

SETTING = "c.TermTotal"


class TermTotal(Configurable):
    """The class's rules for a total over the term; without weights there is none."""

    weights = Dict(
        key_trait=Unicode(),
        help="Pattern of assignments' names → weight of the group, as {'u*': 60, 'hw*': 40}; in any unit.",
    ).tag(config=True)
    drop_lowest = Dict(
        key_trait=Unicode(),
        value_trait=Integer(min=0),
        help="Pattern, one of those of weights → how many of the lowest are left out for each student.",
    ).tag(config=True)


@dataclass(frozen=True)
class Group:
    """A student's part of one group.

    Attributes:
        share: the mean share of the assignments that count, or None if none does yet.
        counted: their names.
        dropped: the names of those left out as the lowest.
    """

    share: float | None
    counted: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class Total:
    """A student's total.

    Attributes:
        share: 0 to 1, or more with extra points; None if nothing counts yet.
        groups: by pattern.
    """

    share: float | None
    groups: Mapping[str, Group]

    @property
    def dropped(self) -> tuple[str, ...]:
        return tuple(name for group in self.groups.values() for name in group.dropped)


@dataclass(frozen=True)
class Rules:
    """What a class says of totals, checked.

    Attributes:
        weights: group → weight.
        drop: group → how many of the lowest are left out.
    """

    weights: Mapping[str, float]
    drop: Mapping[str, int]

    @classmethod
    def of(cls, config: Config) -> Rules:
        """Return the rules of a class.

        Raises:
            CourseError: a weight is no number above 0, or a group to drop from is none of those with a weight.
        """
        own = TermTotal(config=config)
        weights: dict[str, float] = {}
        for group, weight in own.weights.items():
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
                raise CourseError(
                    f"{SETTING}.weights: the weight of {group!r} is {weight!r}; it wants a number above 0"
                )
            weights[group] = float(weight)
        for group in own.drop_lowest:
            if group not in weights:
                known = ", ".join(map(repr, weights)) or "none"
                raise CourseError(f"{SETTING}.drop_lowest: {group!r} has no weight; groups with weights: {known}")
        return cls(weights, dict(own.drop_lowest))

    def group(self, assignment: str) -> str | None:
        """Return the first group that an assignment belongs to, or None."""
        return next((pattern for pattern in self.weights if fnmatchcase(assignment, pattern)), None)

    def remarks(self, assignments: Sequence[str]) -> list[str]:
        """Return a line for each group that is empty, and each assignment of no group."""
        found = {name: self.group(name) for name in assignments}
        empty = [group for group in self.weights if group not in found.values()]
        alone = [name for name, group in found.items() if group is None]
        return [
            *(f"{SETTING}.weights: {group!r} {self._why_empty(group, found)}" for group in empty),
            *(f"{name} fits no group of {SETTING}.weights and counts for no total" for name in alone),
        ]

    def _why_empty(self, group: str, found: Mapping[str, str | None]) -> str:
        taken = {name: first for name, first in found.items() if fnmatchcase(name, group)}
        if not taken:
            return "fits no assignment that was handed in"
        first = ", ".join(dict.fromkeys(repr(one) for one in taken.values()))
        return (
            f"counts for nothing: {', '.join(taken)} fits {first} too, which stands before it; put the narrower first"
        )

    def total(self, row: Row, due: Mapping[str, datetime.datetime | None], now: datetime.datetime) -> Total:
        """Return a student's total.

        Args:
            row: the scores.
            due: assignment → when it is due for this student, in UTC without a zone as nbgrader has it.
            now: the time, likewise.
        """
        groups = {}
        for pattern in self.weights:
            own = [
                (score.unit, _share(score))
                for score in row.scores
                if score.most > 0 and self.group(score.unit) == pattern and _counts(score, due.get(score.unit), now)
            ]
            # Of equally low ones the first handed out goes.
            lowest = sorted(own, key=lambda one: one[1])[: min(self.drop.get(pattern, 0), max(len(own) - 1, 0))]
            kept = [one for one in own if one not in lowest]
            mean = sum(share for _, share in kept) / len(kept) if kept else None
            groups[pattern] = Group(mean, tuple(name for name, _ in kept), tuple(name for name, _ in lowest))
        counting = [(self.weights[pattern], one.share) for pattern, one in groups.items() if one.share is not None]
        whole = sum(weight for weight, _ in counting)
        return Total(sum(weight * share for weight, share in counting) / whole if whole else None, groups)


def _share(score: Score) -> float:
    return (score.points or 0.0) / score.most


def _counts(score: Score, due: datetime.datetime | None, now: datetime.datetime) -> bool:
    return score.submitted or due is None or due < now


def due_dates(gradebook: Gradebook) -> dict[str, datetime.datetime | None]:
    """Return when each assignment is due, as the gradebook has it."""
    return {assignment.name: assignment.duedate for assignment in gradebook.assignments}


def extended(gradebook: Gradebook) -> dict[str, dict[str, datetime.datetime | None]]:
    """Return student → assignment → when it is due for those who have an extension."""
    students = [student.id for student in gradebook.students]
    found: dict[str, dict[str, datetime.datetime | None]] = {}
    for assignment in gradebook.assignments:
        lengths = given(gradebook.db.connection(), assignment.id, students) if assignment.duedate else {}
        for student, length in lengths.items():
            found.setdefault(student, {})[assignment.name] = assignment.duedate + length
    return found


def now() -> datetime.datetime:
    """Return the time as nbgrader keeps times: UTC without a zone."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def plain(total: Total) -> dict[str, Any]:
    """Return a total as plain data, in percent."""
    return {
        "percent": _percent(total.share),
        "groups": {pattern: _percent(group.share) for pattern, group in total.groups.items()},
        "dropped": list(total.dropped),
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)
