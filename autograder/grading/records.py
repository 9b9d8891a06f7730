"""The coordinator's writing into nbgrader's gradebook: many results in one transaction, and which are written already.

Beside nbgrader's tables stands one of our own, in the same database: for each submission the fingerprint of what
was graded. It changes in the same transaction as the points, so after a kill it says exactly what is done.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from nbgrader.api import (
    Assignment,
    Grade,
    Gradebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from traitlets.config import Config

from autograder.classroom.tables import GRADED
from autograder.marking import late_rules
from autograder.marking.feedback_grades import Grades, read_grades

from .entries import Entries, Entry, change, seconds_late


@dataclass(frozen=True)
class Mark:
    """What the gradebook says of one submission; the score is after the late penalty."""

    score: float
    max_score: float
    by_hand: int
    late_seconds: float
    late_told: str = ""


@dataclass(frozen=True)
class Known:
    """What was written down of one submission, and whether it is still so."""

    fingerprint: str
    mark: Mark
    late_changed: bool


class Records:
    """One unit's part of an open gradebook.

    Args:
        gradebook: the gradebook.
        unit: the unit.
        config: the class's configuration.
        writing: entered around each transaction that writes.
    """

    def __init__(
        self,
        gradebook: Gradebook,
        unit: str,
        config: Config,
        writing: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        self.db = gradebook.db
        self.unit = unit
        self._writing = writing
        with writing():
            GRADED.create(gradebook.engine, checkfirst=True)
        self.assignment: Assignment = gradebook.find_assignment(unit)
        self._entries = Entries(self.db, self.assignment)
        self.create_students = config.Autograde.get("create_student", True)
        self._penalties = late_rules.penalties(config, gradebook, unit)
        self._rules = late_rules.rules(self._penalties)

    def known(self) -> dict[str, Known]:
        """Return by student what is graded already."""
        rows = self.db.execute(sa.select(GRADED).where(GRADED.c.unit == self.unit)).all()
        if not rows:
            return {}
        marks = self.marks()
        found = {}
        for row in rows:
            mark = marks.get(row.student)
            if mark is not None:
                changed = abs(mark.late_seconds - row.late_seconds) > 0.5 or (
                    mark.late_seconds > 0 and self._penalty_changed(row.student)
                )
                found[row.student] = Known(row.fingerprint, mark, changed)
        return found

    def _penalty_changed(self, student: str) -> bool:
        """Whether the class's rule now gives another late penalty, as after a person gave points."""
        submission = self._submission(student)
        before = [notebook.late_submission_penalty for notebook in submission.notebooks]
        self._penalise(submission)
        now = [notebook.late_submission_penalty for notebook in submission.notebooks]
        self.db.rollback()
        return now != before

    def marks(self, students: Iterable[str] | None = None) -> dict[str, Mark]:
        """Return by student what the gradebook says, of everyone or of some."""
        chosen = sa.and_(
            SubmittedAssignment.assignment_id == self.assignment.id,
            sa.true() if students is None else SubmittedAssignment.student_id.in_(list(students)),
        )
        due, most = self.assignment.duedate, self.max_score
        times = sa.select(
            SubmittedAssignment.student_id, SubmittedAssignment.timestamp, SubmittedAssignment.extension
        ).where(chosen)
        late = {student: seconds_late(time, due, extension) for student, time, extension in self.db.execute(times)}
        points = sa.func.coalesce(sa.func.sum(Grade.score), 0.0)
        waiting = sa.func.sum(sa.case((Grade.needs_manual_grade, 1), else_=0))
        sums = (
            sa.select(SubmittedAssignment.student_id, points, waiting)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .where(chosen)
            .group_by(SubmittedAssignment.student_id)
        )
        less = (
            sa.select(SubmittedAssignment.student_id, sa.func.sum(SubmittedNotebook.late_submission_penalty))
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .where(chosen, SubmittedNotebook.late_submission_penalty.is_not(None))
            .group_by(SubmittedAssignment.student_id)
        )
        penalty = {student: float(sum_) for student, sum_ in self.db.execute(less)}
        return {
            student: Mark(
                float(total) - penalty.get(student, 0.0),
                most,
                int(count or 0),
                late.get(student, 0.0),
                self._late_told(student, late.get(student, 0.0)),
            )
            for student, total, count in self.db.execute(sums).all()
        }

    def _late_told(self, student: str, seconds: float) -> str:
        """What the class's rule says of a delay, in words; "" where it says nothing, or is a plugin of the class's."""
        return self._rules.told(student, seconds) if seconds > 0 and self._rules is not None else ""

    @property
    def max_score(self) -> float:
        return float(self.assignment.max_score)

    def write(self, entries: Iterable[Entry]) -> None:
        """Write all entries in one transaction: afterwards all of them are there, or none is.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database refuses; nothing is written.
        """
        try:
            self._write(list(entries))
            self._commit()
        except BaseException:
            self.db.rollback()
            raise

    def _write(self, entries: Sequence[Entry]) -> None:
        present = set(self._entries.add_students([entry.student for entry in entries], self.create_students))
        entries = [entry for entry in entries if entry.student in present]
        late = self._entries.write(entries)
        if self._penalties is not None:
            self._entries.clear_penalties([student for student, seconds in late.items() if seconds <= 0])
            # What was just written went past the objects that the session may hold.
            self.db.expire_all()
            for student, seconds in late.items():
                if seconds > 0:
                    self._penalise(self._submission(student))
            self.db.flush()
        self._mark_all(
            {
                entry.student: {
                    "fingerprint": entry.fingerprint, "late_seconds": late[entry.student], "feedback": None,
                }
                for entry in entries
            }
        )  # fmt: skip

    def _submission(self, student: str) -> SubmittedAssignment:
        """The student's submission, which is there."""
        return self.db.query(SubmittedAssignment).filter_by(assignment_id=self.assignment.id, student_id=student).one()

    def _penalise(self, submission: SubmittedAssignment) -> None:
        """Set the late penalty by the class's rule, as nbgrader's AssignLatePenalties does."""
        if self._penalties is None:
            return
        for notebook in submission.notebooks:
            notebook.late_submission_penalty = None
        late = submission.total_seconds_late
        if late <= 0:
            return
        self.db.flush()
        for notebook in submission.notebooks:
            self.db.refresh(notebook)
            penalty = self._penalties.plugin_inst.late_submission_penalty(submission.student.id, notebook.score, late)
            if penalty is not None:
                notebook.late_submission_penalty = self._penalties._check_late_penalty(notebook, penalty)

    def _commit(self) -> None:
        with self._writing():
            self.db.commit()

    def _mark_all(self, marks: Mapping[str, Mapping[str, Any]]) -> None:
        """Note some values of each student in our own table; all students have the same ones."""
        student, here = GRADED.c.student, GRADED.c.unit == self.unit
        there = set(self.db.scalars(sa.select(student).where(here, student.in_(list(marks)))))
        change(self.db, student, {name: values for name, values in marks.items() if name in there}, here)
        new = [{"student": name, "unit": self.unit, **values} for name, values in marks.items() if name not in there]
        if new:
            self.db.execute(sa.insert(GRADED), new)

    def penalise_again(self, students: Iterable[str]) -> None:
        """Set late penalties anew where a due date or an extension has changed since grading."""
        for name in students:
            submission = self._submission(name)
            self._penalise(submission)
            self._mark_all({name: {"late_seconds": submission.total_seconds_late, "feedback": None}})
        self._commit()

    def feedback_written(self, states: Mapping[str, str]) -> None:
        """Note of each student which state of the gradebook the feedback page shows."""
        self._mark_all({student: {"feedback": state} for student, state in states.items()})
        self._commit()

    def shown(self) -> dict[str, str]:
        """Return by student which state of the gradebook the feedback pages show; "" if there is none yet."""
        rows = self.db.execute(sa.select(GRADED.c.student, GRADED.c.feedback).where(GRADED.c.unit == self.unit))
        return {student: feedback or "" for student, feedback in rows}

    def grades(self, students: Iterable[str] | None = None) -> dict[str, dict[str, Grades]]:
        """Return by student and notebook what feedback pages show from the gradebook, of everyone or of some."""
        chosen = None if students is None else list(students)
        found: dict[str, dict[str, Grades]] = {}
        for notebook in sorted(one.name for one in self.assignment.notebooks):
            for student, grades in read_grades(self.db, self.unit, notebook, chosen).items():
                found.setdefault(student, {})[notebook] = grades
        for student, mark in self.marks(found).items() if self._rules is not None else ():
            if mark.late_told:
                found[student] = {name: replace(one, late_told=mark.late_told) for name, one in found[student].items()}
        return found
