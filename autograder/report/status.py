"""Where a class stands: who handed in what, and what has become of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from autograder.classroom import assignments
from autograder.classroom.answers import Answers
from autograder.classroom.classroom import Classroom
from autograder.classroom.naming import in_middle, printable
from autograder.course import CourseError
from autograder.grading.places import Places
from autograder.grading.reading import Reader, notebook_names, read_kit
from autograder.grading.records import Records
from autograder.grading.results import silent

from .graded_class import Unit, gather
from .terminal import LONGEST_STUDENT, MOST_STUDENTS, lines, short_units

_COUNTS = {
    "handed in": "handed_in",
    "graded": "graded",
    "to grade": "waiting",
    "by hand": "by_hand",
    "not gradable": "ungradable",
    "nothing": "nothing",
}


@dataclass(frozen=True)
class Standing:
    """Students of one unit, by their ids.

    Attributes:
        handed_in: who handed in something.
        graded: whose submission is graded as it is.
        waiting: whose submission `autograder grade` would grade: new, changed, or graded before something else changed.
        by_hand: who has a written answer that waits for a person.
        ungradable: whose submission could not be graded.
        nothing: who handed in nothing.
    """

    unit: str
    handed_in: list[str]
    graded: list[str]
    waiting: list[str]
    by_hand: list[str]
    ungradable: list[str]
    nothing: list[str]


def standings(classroom: Classroom, units: Sequence[str] = ()) -> list[Standing]:
    """Return where units stand; without any named, all that somebody handed in.

    Raises:
        CourseError: the gradebook cannot be read, or a unit is not released in the class.
    """
    known = {unit.name: unit for unit in gather(classroom, Answers(classroom)).units}
    for name in units:
        if name not in known:
            raise CourseError(assignments.how_to_release(classroom, name))
    return [
        _standing(classroom, unit)
        for unit in known.values()
        if (unit.name in units if units else unit.submissions or unit.ungraded)
    ]


def shown(found: Sequence[Standing]) -> Group:
    """Return the standings for the terminal: counts, then who is meant where something is to be done."""
    if not found:
        return Group(Text("nobody has handed in anything"))
    drawn = lines("", ("unit", *_COUNTS))
    for column in drawn.columns[1:]:
        column.justify = "right"
    short = short_units([one.unit for one in found])
    parts: list[RenderableType] = [drawn, Text()]
    for one in found:
        drawn.add_row(short[one.unit], *(str(len(getattr(one, name))) for name in _COUNTS.values()))
        for what, ids in (
            ("to grade, with `autograder grade`", one.waiting),
            ("written answers to grade by hand, in formgrader", one.by_hand),
            ("not gradable, the report says why", one.ungradable),
            ("handed in nothing", one.nothing),
        ):
            if ids:
                parts += [Text(f"{short[one.unit]}, {what}:"), Padding(Text(_named(ids)), (0, 0, 0, 4))]
    return Group(*parts)


def _standing(classroom: Classroom, unit: Unit) -> Standing:
    done = [one.student.id for one in unit.submissions]
    waiting = [one.id for one in unit.ungraded]
    if unit.name in assignments.released(classroom):
        waiting = _changed(classroom, unit.name)
    settled = [one for one in unit.submissions if one.student.id not in waiting]
    return Standing(
        unit.name,
        [*done, *(one.id for one in unit.ungraded)],
        [one.student.id for one in settled if one.gradable],
        waiting,
        [one.student.id for one in unit.submissions if one.waiting],
        [one.student.id for one in settled if not one.gradable],
        [one.id for one in unit.nothing],
    )


def _changed(classroom: Classroom, unit: str) -> list[str]:
    """Who has a submission that the next `autograder grade` would grade."""
    with classroom.gradebook() as gradebook:
        places = Places(classroom, unit, notebook_names(gradebook, unit))
        kit = read_kit(classroom, places, gradebook, unsafe=False)
        known = Records(gradebook, unit, classroom.config).known()
        return [task.student for task in Reader(classroom, places, kit, known, silent).tasks(classroom.submitted(unit))]


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - MOST_STUDENTS} more" if len(ids) > MOST_STUDENTS else ""
    return ", ".join(in_middle(printable(one), LONGEST_STUDENT) for one in ids[:MOST_STUDENTS]) + more
