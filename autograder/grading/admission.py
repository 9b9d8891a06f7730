"""Who and what is graded: units that are released, students who are on the roster; whatever else lies there is told."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from autograder import course
from autograder.classroom import assignments
from autograder.classroom.classroom import Classroom, told_by_database
from autograder.classroom.naming import chosen_students
from autograder.classroom.rosters import check_id
from autograder.course import CourseError
from autograder.marking.files import shown as shown_name


@dataclass(frozen=True)
class Admitted:
    """What a run grades.

    Attributes:
        units: the units.
        students: only these; None means everybody who handed in.
        told: a line for each folder that is not graded.
        waiting: how many submissions there are.
    """

    units: tuple[str, ...]
    students: list[str] | None
    told: tuple[str, ...]
    waiting: int


def admit(
    classroom: Classroom,
    asked: Sequence[str] | None = None,
    enroll: bool = False,
    students: Sequence[str] | None = None,
) -> Admitted:
    """Return what is to be graded.

    Args:
        classroom: the class.
        asked: units that the instructor named; all if None or empty.
        enroll: put students who are not on the roster, and have handed in one of these units, on it.
        students: students that the instructor named; all if None or empty.

    Raises:
        CourseError: no named unit is released in this class, a named student has not handed in, or somebody's folder
            has no name for a student.
    """
    names = assignments.chosen(classroom, asked)
    released = set(assignments.released(classroom))
    try:
        with classroom.gradebook() as gradebook:
            enrolled = {student.id for student in gradebook.students}
            units = tuple(name for name in names if name in released)
            handed_in = {unit: classroom.submitted(unit) for unit in names}
            misnamed = {unit: classroom.misnamed(unit) for unit in units}
            unreleased = [unit for unit in names if unit not in released and (asked or handed_in[unit])]
            lines = [assignments.how_to_release(classroom, unit) for unit in unreleased]
            if asked and not units:
                raise CourseError("; ".join(lines))
            present = {one for unit in units for one in handed_in[unit]}
            wanted = chosen_students(students, present, f"submission of {', '.join(asked or ['any unit'])}")
            strangers = sorted((present if wanted is None else present.intersection(wanted)) - enrolled)
            if enroll:
                for stranger in strangers:
                    if problem := check_id(stranger):
                        raise CourseError(
                            f"submitted/{stranger[:60]}: {problem}; rename the folder, nobody was enrolled"
                        )
                for stranger in strangers:
                    gradebook.update_or_create_student(stranger)
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error
    lines += misspelt(classroom, released | set(course.units()))
    if wanted is None and (not strangers or enroll):
        return Admitted(units, None, tuple(lines), sum(len(handed_in[unit]) + len(misnamed[unit]) for unit in units))
    graded = present if wanted is None else set(wanted)
    graded = graded if enroll else graded & enrolled
    waiting = sum(one in graded for unit in units for one in handed_in[unit])
    if not strangers or enroll:
        return Admitted(units, sorted(graded), tuple(lines), waiting)
    shown = ", ".join(one if len(one) <= 60 else f"{one[:57]}…" for one in strangers)
    lines.append(
        f"not on the roster, and not graded: {shown}. `autograder roster FILE` takes a roster in; "
        "`autograder grade --enroll` puts these students on it and grades them"
    )
    if wanted is None:
        for name, reason in sorted({one for unit in units for one in misnamed[unit].items()}):
            lines.append(f"the folder {shown_name(name)} cannot be a student's, and is not graded: {reason}; rename it")
    return Admitted(units, sorted(graded), tuple(lines), waiting)


def misspelt(classroom: Classroom, units: set[str]) -> list[str]:
    """Return a line for each folder of a student that is named like no unit."""
    kind = classroom.directory(logging.getLogger("attention")).submitted_directory
    lines = []
    for path in sorted((classroom.root / kind).glob("*/*")):
        if path.is_dir() and path.name not in units and not any(part.startswith(".") for part in _inside(path, kind)):
            meant = difflib.get_close_matches(path.name.casefold(), sorted(units), n=1)
            guess = f": did you mean {meant[0]}?" if meant else ""
            lines.append(f"{'/'.join(_inside(path, kind))} is no unit of this class and is not graded{guess}")
    return lines


def _inside(path: Path, kind: str) -> tuple[str, ...]:
    return (kind, *path.parts[-2:])
