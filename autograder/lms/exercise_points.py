"""Points of each exercise and student, from the gradebook in one query for each assignment."""

from __future__ import annotations

from dataclasses import dataclass

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import func, select

from autograder.classroom.answers import in_notebook
from helpers.folder.cells import TEST


@dataclass(frozen=True)
class ExercisePoints:
    """Points of one exercise.

    Attributes:
        points: what it has, before any late penalty.
        most: what it can have.
        waiting: whether a person is to look at it.
    """

    points: float
    most: float
    waiting: bool


def exercise_points(gradebook: Gradebook, assignment: Assignment) -> dict[str, dict[str, ExercisePoints]]:
    """Return by student and exercise what the gradebook has of an assignment; exercises are sorted by name.

    An exercise is called as its check is, without `test_`; of several notebooks, with the notebook's name before it.
    """
    notebooks = [notebook.name for notebook in assignment.notebooks]
    base, code, task = BaseCell.__table__, GradeCell.__table__, TaskCell.__table__
    rows = gradebook.db.execute(
        select(
            SubmittedAssignment.student_id,
            Notebook.name,
            base.c.name,
            func.coalesce(Grade.score, 0.0),
            func.coalesce(code.c.max_score, task.c.max_score, 0.0),
            Grade.needs_manual_grade,
        )
        .select_from(SubmittedAssignment)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(base, base.c.id == Grade.cell_id)
        .outerjoin(code, code.c.id == base.c.id)
        .outerjoin(task, task.c.id == base.c.id)
        .where(SubmittedAssignment.assignment_id == assignment.id)
        .order_by(Notebook.name, base.c.name)
    )
    found: dict[str, dict[str, ExercisePoints]] = {}
    for student, notebook, cell, points, most, waiting in rows:
        name = in_notebook(cell.removeprefix(TEST), notebook, notebooks)
        found.setdefault(student, {})[name] = ExercisePoints(float(points), float(most), bool(waiting))
    return found
