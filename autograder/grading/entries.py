"""Writes a batch of results into nbgrader's tables with a handful of statements, whatever the number of students.

Through nbgrader's objects each cell of each student is a statement of its own, which made the coordinator the limit of
a large cluster. What is written is what nbgrader's own objects would write.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from nbgrader.api import Assignment, Comment, Grade, Student, SubmittedAssignment, SubmittedNotebook
from sqlalchemy.orm import Session, scoped_session

from autograder.classroom import extending
from autograder.marking.scoring import Score


@dataclass(frozen=True)
class Part:
    """What is written down for one notebook of a submission: points and automatic comments of its cells; or 0 for all
    of them.
    """

    scores: list[Score]
    comments: Mapping[str, str | None]
    zero: bool = False

    @functools.cached_property
    def by_name(self) -> dict[str, Score]:
        """The scores by the names of their cells."""
        return {score.name: score for score in self.scores}


# Of a notebook of which grading says nothing.
_SILENT = Part([], {})


@dataclass(frozen=True)
class Entry:
    """What is written down for one submission, by its notebooks' names."""

    student: str
    fingerprint: str
    notebooks: Mapping[str, Part]
    timestamp: datetime.datetime | None


class Entries:
    """The tables of one assignment in an open gradebook.

    Args:
        db: the gradebook's session; committing is its owner's.
        assignment: nbgrader's.
    """

    def __init__(self, db: scoped_session[Session], assignment: Assignment) -> None:
        self.db = db
        self.id: str = assignment.id
        self._names = {one.id: one.name for one in assignment.notebooks}
        # By notebook: the cells that have points and those that have comments, id → name.
        self._graded = {one.id: _names(*one.grade_cells, *one.task_cells) for one in assignment.notebooks}
        self._commented = {one.id: _names(*one.solution_cells, *one.task_cells) for one in assignment.notebooks}

    def add_students(self, names: Sequence[str], create: bool) -> list[str]:
        """Return who of them is in the gradebook; whoever is not is put there if that may be done."""
        known = set(self.db.scalars(sa.select(Student.id).where(Student.id.in_(names))))
        missing = [{"id": name} for name in names if name not in known]
        if missing and create:
            self.db.execute(sa.insert(Student), missing)
        return list(names) if create else [name for name in names if name in known]

    def write(self, entries: Sequence[Entry]) -> dict[str, float]:
        """Write points, comments and times of students who are in the gradebook; return how late each is, in seconds.

        Late penalties of who is late are left to the caller; of who is not, there is none.
        """
        of = SubmittedAssignment
        rows = self.db.execute(
            sa.select(of.student_id, of.id, of.timestamp, of.extension).where(
                of.assignment_id == self.id, of.student_id.in_([entry.student for entry in entries])
            )
        )
        kept = {student: (id, timestamp, extension) for student, id, timestamp, extension in rows}
        fresh = [entry for entry in entries if entry.student not in kept]
        old = {kept[entry.student][0]: entry for entry in entries if entry.student in kept}
        timed = {id: {"timestamp": entry.timestamp} for id, entry in old.items() if entry.timestamp is not None}
        change(self.db, of.__table__.c.id, timed)
        if old:
            self._update(old)
        extensions = extending.given(self.db.connection(), self.id, [entry.student for entry in fresh])
        if fresh:
            self._insert(fresh, extensions)
        due = self.db.scalar(sa.select(Assignment.duedate).where(Assignment.id == self.id))
        late = {}
        for entry in entries:
            _, timestamp, extension = kept.get(entry.student, (None, None, extensions.get(entry.student)))
            late[entry.student] = seconds_late(entry.timestamp or timestamp, due, extension)
        return late

    def clear_penalties(self, students: Sequence[str]) -> None:
        """Take the late penalties of some students back."""
        theirs = sa.select(SubmittedAssignment.id).where(
            SubmittedAssignment.assignment_id == self.id, SubmittedAssignment.student_id.in_(students)
        )
        self.db.execute(
            sa.update(SubmittedNotebook)
            .where(SubmittedNotebook.assignment_id.in_(theirs), SubmittedNotebook.late_submission_penalty.is_not(None))
            .values(late_submission_penalty=None)
            .execution_options(synchronize_session=False)
        )

    def _insert(self, entries: Sequence[Entry], extensions: Mapping[str, datetime.timedelta]) -> None:
        """Make the submissions of students who have none yet."""
        submissions: list[dict[str, Any]] = []
        notebooks: list[dict[str, Any]] = []
        grades: list[dict[str, Any]] = []
        comments: list[dict[str, Any]] = []
        for entry in entries:
            own = uuid4().hex
            submissions.append(
                {
                    "id": own,
                    "assignment_id": self.id,
                    "student_id": entry.student,
                    "timestamp": entry.timestamp,
                    "extension": extensions.get(entry.student),
                }
            )
            for notebook in self._graded:
                here = uuid4().hex
                part = entry.notebooks.get(self._names[notebook], _SILENT)
                notebooks.append({"id": here, "assignment_id": own, "notebook_id": notebook})
                for cell, name in self._graded[notebook].items():
                    points = _points(part, part.by_name.get(name), None) or (None, True)
                    grades.append(
                        {"cell_id": cell, "notebook_id": here, "auto_score": points[0], "needs_manual_grade": points[1]}
                    )
                comments += [
                    {"cell_id": cell, "notebook_id": here, "auto_comment": part.comments.get(name)}
                    for cell, name in self._commented[notebook].items()
                ]
        for table, rows in (
            (SubmittedAssignment, submissions),
            (SubmittedNotebook, notebooks),
            (Grade, grades),
            (Comment, comments),
        ):
            if rows:
                self.db.execute(sa.insert(table), rows)

    def _update(self, entries: Mapping[str, Entry]) -> None:
        """Write into submissions that are there, by their id."""
        # By cell: its notebook's name and its own.
        names = {
            id: (self._names[notebook], name)
            for kind in (self._graded, self._commented)
            for notebook, cells in kind.items()
            for id, name in cells.items()
        }
        mine = SubmittedNotebook.assignment_id.in_(list(entries))
        changed = {}
        for own, id, cell, manual in self.db.execute(
            sa.select(SubmittedNotebook.assignment_id, Grade.id, Grade.cell_id, Grade.manual_score)
            .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
            .where(mine)
        ):
            notebook, name = names.get(cell, ("", ""))
            part = entries[own].notebooks.get(notebook, _SILENT)
            points = _points(part, part.by_name.get(name), manual)
            if points is not None:
                changed[id] = {"auto_score": points[0], "needs_manual_grade": points[1]}
        change(self.db, Grade.__table__.c.id, changed)
        told = {}
        for own, id, cell in self.db.execute(
            sa.select(SubmittedNotebook.assignment_id, Comment.id, Comment.cell_id)
            .join(SubmittedNotebook, SubmittedNotebook.id == Comment.notebook_id)
            .where(mine)
        ):
            notebook, name = names.get(cell, ("", ""))
            part = entries[own].notebooks.get(notebook, _SILENT)
            if name in part.comments:
                told[id] = {"auto_comment": part.comments[name]}
        change(self.db, Comment.__table__.c.id, told)


def change(
    db: scoped_session[Session],
    key: sa.Column[str],
    rows: Mapping[str, Mapping[str, Any]],
    *also: sa.ColumnElement[bool],
) -> None:
    """Set columns of rows that are in a table, in one statement.

    Args:
        db: the gradebook's session.
        key: the column that tells rows apart.
        rows: by key, the values of the columns to set; of all rows the same columns.
        also: what else has to hold of the rows.
    """
    if not rows:
        return
    names = next(iter(rows.values())).keys()
    statement = sa.update(key.table).where(key == sa.bindparam("own"), *also)
    db.connection().execute(
        statement.values({name: sa.bindparam(f"new_{name}") for name in names}),
        [{"own": own, **{f"new_{name}": value for name, value in row.items()}} for own, row in rows.items()],
    )


def seconds_late(
    timestamp: datetime.datetime | None, due: datetime.datetime | None, extension: datetime.timedelta | None
) -> float:
    """Return how late a submission is, as nbgrader counts it."""
    if timestamp is None or due is None:
        return 0
    return max(0, (timestamp - due - (extension or datetime.timedelta())).total_seconds())


def _names(*cells: Any) -> dict[str, str]:
    return {cell.id: cell.name for cell in cells}


def _points(part: Part, score: Score | None, manual: float | None) -> tuple[float | None, bool] | None:
    """The automatic points of a cell and whether it waits for a person; None where grading says nothing of it."""
    if part.zero:
        return 0, False
    return None if score is None else (score.points, score.by_hand(manual))
