"""More time for one student, given before or after the work is handed in.

nbgrader keeps an extension with the submission, so before there is one it has no place for it. It stands in a table of
our own beside nbgrader's, and goes into the submission when that is made, whoever makes it: `autograder grade`,
`nbgrader autograde` or formgrader's button. Late penalties follow with the next `autograder grade`.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from nbgrader.api import MissingEntry, SubmittedAssignment
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapper

from autograder.course import CourseError

from .assignments import how_to_release
from .classroom import Classroom, told_by_database
from .tables import EXTENSIONS
from .times import UnreadableTime, read_time


@dataclass(frozen=True)
class Extended:
    """What a student now has: the time until when, whether that differs from the others', and whether the work is in
    the gradebook.
    """

    student: str
    unit: str
    due: datetime.datetime
    extended: bool
    handed_in: bool


def extend(
    classroom: Classroom, unit: str, student: str, until: str | None = None, hours: float | None = None
) -> Extended:
    """Give a student another due date for one unit, in place of any extension before.

    Args:
        classroom: the class.
        unit: the unit.
        student: the student's id.
        until: the new due date, as "2026-10-08 12:00 UTC".
        hours: or how many hours after the class's due date; 0 takes an extension back.

    Raises:
        CourseError: no such student, no due date, or no sensible time.
    """
    if (until is None) == (hours is None):
        raise CourseError("say how long: --until DATE or --hours NUMBER, one of the two")
    try:
        with classroom.gradebook() as gradebook:
            try:
                assignment = gradebook.find_assignment(unit)
            except MissingEntry:
                raise CourseError(how_to_release(classroom, unit)) from None
            try:
                gradebook.find_student(student)
            except MissingEntry:
                raise CourseError(
                    f"{student} is no student of this class; `nbgrader db student list` shows who is"
                ) from None
            due = assignment.duedate
            if due is None:
                raise CourseError(
                    f"{unit} has no due date to extend: "
                    f'`nbgrader db assignment add {unit} --duedate "2026-10-01 12:00 UTC"` sets one'
                )
            length = _length(due, until, hours)
            EXTENSIONS.create(gradebook.engine, checkfirst=True)
            here = sa.and_(EXTENSIONS.c.student == student, EXTENSIONS.c.assignment == assignment.id)
            gradebook.db.execute(sa.delete(EXTENSIONS).where(here))
            if length:
                gradebook.db.execute(
                    sa.insert(EXTENSIONS).values(student=student, assignment=assignment.id, length=length)
                )
            submission = (
                gradebook.db.query(SubmittedAssignment)
                .filter_by(assignment_id=assignment.id, student_id=student)
                .one_or_none()
            )
            if submission is not None:
                submission.extension = length or None
            gradebook.db.commit()
            return Extended(student, unit, due + length, bool(length), submission is not None)
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error


def _length(due: datetime.datetime, until: str | None, hours: float | None) -> datetime.timedelta:
    try:
        length = datetime.timedelta(hours=hours or 0.0) if until is None else read_time(until) - due
    except UnreadableTime as error:
        raise CourseError(
            f"{until} is no time ({error}); one looks like 2026-10-08 12:00 UTC or 2026-10-08 14:00 Europe/Berlin"
        ) from None
    except (ValueError, OverflowError):
        raise CourseError(f"{hours} is no time; a number of hours is") from None
    if length < datetime.timedelta(0):
        raise CourseError(f"that is before the class's own due date, {due:%Y-%m-%d %H:%M} UTC")
    return length


def listen() -> None:
    """From now on put an extension that was given before into a submission when it is made, in this process."""
    if not sa.event.contains(SubmittedAssignment, "before_insert", _carry_over):
        sa.event.listen(SubmittedAssignment, "before_insert", _carry_over)


def _carry_over(mapper: Mapper[Any], connection: sa.Connection, submission: SubmittedAssignment) -> None:
    if submission.extension is None:
        found = given(connection, submission.assignment_id, [submission.student_id])
        submission.extension = found.get(submission.student_id)


def given(connection: sa.Connection, assignment: str, students: Sequence[str]) -> dict[str, datetime.timedelta]:
    """Return the extensions that students were given before their work came, given the assignment's id."""
    if not students or not sa.inspect(connection).has_table(EXTENSIONS.name):
        return {}
    here = sa.and_(EXTENSIONS.c.assignment == assignment, EXTENSIONS.c.student.in_(students))
    rows = connection.execute(sa.select(EXTENSIONS.c.student, EXTENSIONS.c.length).where(here))
    return {row.student: row.length for row in rows}
