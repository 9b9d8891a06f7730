"""What a class hands out: units of the course, and plain nbgrader assignments beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from nbgrader.api import Assignment, Notebook
from sqlalchemy.exc import SQLAlchemyError

from autograder import course
from autograder.course import CourseError

from .classroom import Classroom, told_by_database


def released(classroom: Classroom) -> tuple[str, ...]:
    """Return the names of all that the class has released, units and plain assignments, sorted.

    Raises:
        CourseError: the gradebook cannot be read.
    """
    try:
        with classroom.gradebook() as gradebook:
            query = gradebook.db.query(Assignment.name).join(Notebook, Notebook.assignment_id == Assignment.id)
            return tuple(sorted({name for (name,) in query}))
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error


def chosen(classroom: Classroom, names: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the units and assignments that are asked for, or all: the course's units, then the class's own.

    `u1` is enough for `u1_dot_products`; an assignment has its whole name.

    Raises:
        CourseError: there is no such unit, and no such assignment in the class.
    """
    own = [name for name in released(classroom) if name not in (*course.units(), *course.plugged())]
    if not names:
        own += course.plugged()
    return course.chosen(list(names) if names else None, own)


def by_due(classroom: Classroom, names: Sequence[str]) -> list[str]:
    """Return these names in the order of their due dates; those without one come last, and else all stay as they are.

    Raises:
        CourseError: the gradebook cannot be read.
    """
    try:
        with classroom.gradebook() as gradebook:
            due = dict(gradebook.db.query(Assignment.name, Assignment.duedate).all())
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error
    return sorted(names, key=lambda name: due.get(name) or datetime.max)


def how_to_release(classroom: Classroom, name: str) -> str:
    """Return a sentence on how something that is not released in the class gets there."""
    if name in (*course.units(), *course.plugged()):
        short = name.split("_")[0] if name in course.units() else name
        return f"{name} is not released in this class: run `autograder init {classroom.root} {short}`"
    return f"{name} is not released in this class: run `nbgrader generate_assignment {name}` in {classroom.root}"
