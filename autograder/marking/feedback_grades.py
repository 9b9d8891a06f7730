"""What a feedback page shows from the gradebook: points, comments and the late penalty of one notebook."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    GradeCell,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)

# What nbgrader writes under an answer that was left as it was. Points and verdict say so already.
UNANSWERED = "No response."


@dataclass(frozen=True)
class Points:
    """Points of one cell.

    Attributes:
        score: what it has.
        most: what it can have.
        waits: whether nobody has graded it yet and only a person can.
    """

    score: float
    most: float
    waits: bool = False


@dataclass(frozen=True)
class Grades:
    """One student's part of the gradebook, by cell.

    Attributes:
        points: of each graded cell.
        comments: on each answer that has one.
        late_penalty: points taken off, 0 if none.
        late_told: what the class's rules say of the delay, or "".
        by_hand: the cells whose comment a person wrote.
    """

    points: Mapping[str, Points] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    late_penalty: float = 0.0
    late_told: str = ""
    by_hand: frozenset[str] = frozenset()

    @property
    def score(self) -> float:
        return math.fsum(one.score for one in self.points.values()) - self.late_penalty

    @property
    def most(self) -> float:
        return math.fsum(one.most for one in self.points.values())

    @property
    def fingerprint(self) -> str:
        """Changes whenever a page would show something else."""
        told = (self.late_told,) if self.late_told else ()
        shown = (sorted(self.points.items()), sorted(self.comments.items()), self.late_penalty, *told)
        return hashlib.sha256(repr(shown).encode("utf-8", "replace")).hexdigest()


def read_grades(db: Any, assignment: str, notebook: str, students: Iterable[str] | None = None) -> dict[str, Grades]:
    """Return by student what the gradebook has of a notebook, of everyone or of some.

    Args:
        db: the gradebook's session.
        assignment: its name.
        notebook: its name in the assignment.
        students: whose; everyone's if None.
    """
    here = sa.and_(
        Assignment.name == assignment,
        Notebook.name == notebook,
        sa.true() if students is None else SubmittedAssignment.student_id.in_(list(students)),
    )
    joined = (
        sa.join(SubmittedNotebook, SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
    )
    student = SubmittedAssignment.student_id
    late = db.execute(sa.select(student, SubmittedNotebook.late_submission_penalty).select_from(joined).where(here))
    found: dict[str, tuple[dict[str, Points], dict[str, str], float, set[str]]] = {
        name: ({}, {}, penalty or 0.0, set()) for name, penalty in late
    }
    graded, tasks, cells = GradeCell.__table__, TaskCell.__table__, BaseCell.__table__
    grades = sa.select(
        student,
        cells.c.name,
        Grade.auto_score,
        Grade.manual_score,
        Grade.extra_credit,
        Grade.needs_manual_grade,
        sa.func.coalesce(graded.c.max_score, tasks.c.max_score, 0.0),
    ).select_from(
        joined.join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(cells, cells.c.id == Grade.cell_id)
        .outerjoin(graded, graded.c.id == cells.c.id)
        .outerjoin(tasks, tasks.c.id == cells.c.id)
    )
    for name, cell, auto, manual, extra, by_hand, most in db.execute(grades.where(here)):
        given = manual if manual is not None else auto
        score = 0.0 if given is None else float(given) + float(extra or 0.0)
        found[name][0][cell] = Points(score, float(most), waits=bool(by_hand) and given is None)
    comments = sa.select(student, cells.c.name, Comment.comment, Comment.manual_comment).select_from(
        joined.join(Comment, Comment.notebook_id == SubmittedNotebook.id).join(cells, cells.c.id == Comment.cell_id)
    )
    for name, cell, comment, written in db.execute(comments.where(here)):
        if (comment or "").strip() not in ("", UNANSWERED):
            found[name][1][cell] = comment
            if written is not None:
                found[name][3].add(cell)
    return {
        name: Grades(points, told, float(penalty), by_hand=frozenset(by_hand))
        for name, (points, told, penalty, by_hand) in found.items()
    }
