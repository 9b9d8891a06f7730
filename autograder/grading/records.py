"""The coordinator's writing into nbgrader's gradebook: many results in one transaction, and which are written already.

Beside nbgrader's tables stands one of our own, in the same database: for each submission the fingerprint of what
was graded. It changes in the same transaction as the points, so after a kill it says exactly what is done.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.orm import selectinload
from traitlets.config import Config

from autograder.classroom.layout import GRADED
from autograder.classroom.times import UnreadableTime, read_time
from autograder.marking.feedback_grades import Grades, read_grades
from autograder.marking.scoring import Score

# A date, a time and the name of a zone; to look for a time in megabytes takes minutes.
MAX_TIMESTAMP = 100


@dataclass(frozen=True)
class Entry:
    """What is written down for one submission."""

    student: str
    fingerprint: str
    scores: list[Score]
    comments: Mapping[str, str | None]
    timestamp: datetime.datetime | None
    zero: bool = False


@dataclass(frozen=True)
class Mark:
    """What the gradebook says of one submission; the score is after the late penalty."""

    score: float
    max_score: float
    by_hand: int
    late_seconds: float


@dataclass(frozen=True)
class Known:
    """What was written down of one submission, and whether it is still so."""

    fingerprint: str
    mark: Mark
    late_changed: bool


class Records:
    """One unit's part of an open gradebook."""

    def __init__(self, gradebook: Gradebook, unit: str, config: Config) -> None:
        self.db = gradebook.db
        self.unit = unit
        GRADED.create(gradebook.engine, checkfirst=True)
        self.assignment: Assignment = gradebook.find_assignment(unit)
        self.create_students = config.Autograde.get("create_student", True)
        penalties = AssignLatePenalties(config=config)
        penalties.init_plugin()
        self._penalties = penalties if penalties.enabled else None

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
        submission = self._submission(self.db.get(Student, student))
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
        late = {
            one.student_id: one.total_seconds_late
            for one in self.db.query(SubmittedAssignment)
            .options(selectinload(SubmittedAssignment.assignment))
            .filter(chosen)
        }
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
                float(total) - penalty.get(student, 0.0), self.max_score, int(count or 0), late.get(student, 0.0)
            )
            for student, total, count in self.db.execute(sums)
        }

    @property
    def max_score(self) -> float:
        return float(self.assignment.max_score)

    def write(self, entries: Iterable[Entry]) -> None:
        """Write all entries in one transaction: afterwards all of them are there, or none is.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database refuses; nothing is written.
        """
        try:
            for entry in entries:
                self._write(entry)
            self.db.commit()
        except BaseException:
            self.db.rollback()
            raise

    def _write(self, entry: Entry) -> None:
        student = self.db.get(Student, entry.student)
        if student is None:
            if not self.create_students:
                return
            student = Student(id=entry.student)
            self.db.add(student)
        submission = self._submission(student)
        if entry.timestamp is not None:
            submission.timestamp = entry.timestamp
        scores = {score.name: score for score in entry.scores}
        for notebook in submission.notebooks:
            for grade in notebook.grades:
                score = scores.get(grade.cell.name)
                if entry.zero:
                    grade.auto_score, grade.needs_manual_grade = 0, False
                elif score is not None:
                    grade.auto_score, grade.needs_manual_grade = score.points, score.by_hand(grade.manual_score)
            for comment in notebook.comments:
                if comment.cell.name in entry.comments:
                    comment.auto_comment = entry.comments[comment.cell.name]
        self._penalise(submission)
        self._mark(
            entry.student, fingerprint=entry.fingerprint, late_seconds=submission.total_seconds_late, feedback=None
        )

    def _submission(self, student: Student) -> SubmittedAssignment:
        """The student's submission with its grades and comments, made if it is not there."""
        self.db.flush()
        kept = (
            self.db.query(SubmittedAssignment)
            .filter_by(assignment_id=self.assignment.id, student_id=student.id)
            .options(
                selectinload(SubmittedAssignment.notebooks)
                .selectinload(SubmittedNotebook.grades)
                .joinedload(Grade.cell)
            )
            .options(
                selectinload(SubmittedAssignment.notebooks)
                .selectinload(SubmittedNotebook.comments)
                .joinedload(Comment.cell)
            )
            .one_or_none()
        )
        if kept is not None:
            return kept
        with self.db.no_autoflush:
            submission = SubmittedAssignment(assignment=self.assignment, student=student)
            for notebook in self.assignment.notebooks:
                mine = SubmittedNotebook(notebook=notebook, assignment=submission)
                self.db.add(mine)
                self.db.add_all(
                    Grade(cell=cell, notebook=mine) for cell in (*notebook.grade_cells, *notebook.task_cells)
                )
                self.db.add_all(
                    Comment(cell=cell, notebook=mine) for cell in (*notebook.solution_cells, *notebook.task_cells)
                )
            self.db.add(submission)
        self.db.flush()
        return submission

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

    def _mark(self, student: str, **values: Any) -> None:
        here = sa.and_(GRADED.c.student == student, GRADED.c.unit == self.unit)
        if self.db.execute(sa.update(GRADED).where(here).values(**values)).rowcount == 0:
            self.db.execute(sa.insert(GRADED).values(student=student, unit=self.unit, **values))

    def penalise_again(self, students: Iterable[str]) -> None:
        """Set late penalties anew where a due date or an extension has changed since grading."""
        for name in students:
            submission = self._submission(self.db.get(Student, name))
            self._penalise(submission)
            self._mark(name, late_seconds=submission.total_seconds_late, feedback=None)
        self.db.commit()

    def feedback_written(self, states: Mapping[str, str]) -> None:
        """Note of each student which state of the gradebook the feedback page shows."""
        if states:
            here = sa.and_(GRADED.c.student == sa.bindparam("whose"), GRADED.c.unit == self.unit)
            note = sa.update(GRADED).where(here).values(feedback=sa.bindparam("state"))
            rows = [{"whose": student, "state": state} for student, state in states.items()]
            self.db.connection().execute(note, rows)
        self.db.commit()

    def shown(self) -> dict[str, str]:
        """Return by student which state of the gradebook the feedback page shows; "" if there is none yet."""
        rows = self.db.execute(sa.select(GRADED.c.student, GRADED.c.feedback).where(GRADED.c.unit == self.unit))
        return {student: feedback or "" for student, feedback in rows}

    def grades(self, students: Iterable[str] | None = None) -> dict[str, Grades]:
        """Return by student what feedback pages show from the gradebook, of everyone or of some."""
        return read_grades(self.db, self.unit, self.unit, students)


def parsed(timestamp: str) -> datetime.datetime | None:
    """Return a `timestamp.txt`'s time, or None when there is none in it.

    Raises:
        UnreadableTime: it is no time, or names a zone that is not understood.
    """
    text = timestamp.strip()
    if len(text) > MAX_TIMESTAMP:
        raise UnreadableTime("holds no time")
    try:
        return read_time(text) if text else None
    except (OverflowError, TypeError, AttributeError) as error:
        # What dateutil raises on a number of twenty digits, among others.
        raise UnreadableTime("holds no time") from error
