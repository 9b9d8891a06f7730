"""The gradebook as files for others: Canvas's and Moodle's grade import, plain CSV and JSON.

Each is an nbgrader `ExportPlugin`: `nbgrader export --exporter=autograder.lms.exporting.CanvasExport --to grades.csv`.

What all have in common:

- Points are those that count: late penalties are taken off, never below 0.
- A student without a submission of a unit that others handed in has 0 points, nbgrader's own rule; `missing = "empty"`
  leaves the cell empty, and an import then changes nothing. A unit that nobody handed in is left out.
- Written answers that wait for a person count 0 where they have no points by hand: such rows are marked in the plain
  files, and told for all.
- Text that a spreadsheet would take for a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, Notebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.plugins import ExportPlugin
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from traitlets import Dict, Enum
from traitlets.config import Config

from autograder.classroom.classroom import Classroom, told_by_database
from autograder.course import CourseError

from . import term_totals
from .exercise_points import exercise_points
from .scores import Row, Score
from .spreadsheets import as_text
from .term_totals import Rules, Total

IDENTIFIERS = {"email": "Email address", "idnumber": "ID number", "username": "Username"}


class GradesExport(ExportPlugin):  # type: ignore[misc]  # nbgrader has no types
    """What the exports have in common: reading the gradebook, telling what is unfinished, writing the file whole."""

    missing = Enum(
        ["zero", "empty"], "zero", help="What a student without a submission gets: 0 points, or an empty cell."
    ).tag(config=True)
    columns = Dict(
        help="Unit → title of its column, as {'u1_dot_products': 'Unit 1 (12345)'}; a unit's own name without."
    ).tag(config=True)
    decimal = Enum(
        [".", ","], ".", help="What stands between units and tenths. With a comma, columns are separated by semicolons."
    ).tag(config=True)

    default_name = "grades.csv"

    def export(self, gradebook: Gradebook) -> None:
        units, rows = self.read(gradebook)
        self.totals = self._totals(gradebook)
        self.told = (
            self.remarks(rows)
            if units
            else ["no unit in the gradebook has a submission: there are no points to export"]
        )
        path = Path(self.to or self.default_name)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(self.text(units, rows), encoding="utf-8", newline="")
        os.replace(draft, path)
        for line in self.told:
            self.log.warning(line)
        self.students, self.units = len(rows), len(units)
        self.log.info("%d students and %d units in %s", self.students, self.units, path)

    def read(self, gradebook: Gradebook) -> tuple[dict[str, float], list[Row]]:
        """Return units with their points possible, and a row for each student, by name."""
        units, scores = {}, {}
        for assignment in gradebook.assignments:
            found = gradebook.submission_dicts(assignment.name)
            if not found or (self.assignment and assignment.name not in map(str, self.assignment)):
                continue
            units[assignment.name] = float(assignment.max_score)
            exercises = exercise_points(gradebook, assignment)
            penalties = dict(
                gradebook.db.execute(
                    select(SubmittedAssignment.student_id, func.sum(SubmittedNotebook.late_submission_penalty))
                    .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
                    .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
                    .where(Notebook.assignment_id == assignment.id)
                    .group_by(SubmittedAssignment.student_id)
                ).all()
            )
            for one in found:
                raw, penalty = float(one["score"]), float(penalties.get(one["student"]) or 0)
                when = one["timestamp"].isoformat(" ") if one["timestamp"] else ""
                scores[assignment.name, one["student"]] = Score(
                    assignment.name,
                    max(0.0, raw - penalty),
                    raw,
                    penalty,
                    units[assignment.name],
                    True,
                    when,
                    bool(one["needs_manual_grade"]),
                    exercises.get(one["student"], {}),
                )
        nothing = 0.0 if self.missing == "zero" else None
        rows = [
            Row(
                student.id,
                student.first_name or "",
                student.last_name or "",
                student.email or "",
                student.lms_user_id or "",
                tuple(
                    scores.get((unit, student.id)) or Score(unit, nothing, 0.0, 0.0, most, False, "", False)
                    for unit, most in units.items()
                ),
            )
            for student in gradebook.students
            if not self.student or student.id in map(str, self.student)
        ]
        return units, sorted(rows, key=lambda row: (row.last_name.casefold(), row.first_name.casefold(), row.id))

    def _totals(self, gradebook: Gradebook) -> dict[str, Total]:
        """The total of each student, of all assignments whichever are exported; {} in a class without weights."""
        return term_total(gradebook, self.config)

    def remarks(self, rows: list[Row]) -> list[str]:
        """Return what whoever imports the file has to know."""
        waiting: dict[str, int] = {}
        for row in rows:
            for score in row.scores:
                if score.waiting:
                    waiting[score.unit] = waiting.get(score.unit, 0) + 1
        told = "with written answers that wait for a person; without points by hand they count 0"
        return [f"{unit}: {_count(count, 'submission')} {told}" for unit, count in waiting.items()]

    def text(self, units: dict[str, float], rows: list[Row]) -> str:
        """Return the text of the file."""
        raise NotImplementedError

    def title(self, unit: str) -> str:
        return str(self.columns.get(unit, unit))

    def number(self, points: float | None) -> str:
        """At most two digits after the point, as both systems keep them; no separator of thousands."""
        if points is None:
            return ""
        return f"{points:.2f}".rstrip("0").rstrip(".").replace(".", self.decimal)

    def table(self, rows: Iterable[Iterable[str]]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=";" if self.decimal == "," else ",", lineterminator="\r\n").writerows(rows)
        return text.getvalue()


def term_total(gradebook: Gradebook, config: Config) -> dict[str, Total]:
    """Return each student's total over the term; {} in a class without weights.

    Raises:
        CourseError: the class's rules make no sense.
    """
    rules = Rules.of(config)
    if not rules.weights:
        return {}
    _, rows = GradesExport(missing="zero").read(gradebook)
    due, later, now = term_totals.due_dates(gradebook), term_totals.extended(gradebook), term_totals.now()
    return {row.id: rules.total(row, due | later.get(row.id, {}), now) for row in rows}


def _count(count: int, thing: str) -> str:
    return f"{count} {thing}" + ("" if count == 1 else "s")


class CanvasExport(GradesExport):
    """Canvas's gradebook import.

    Five columns of identity in Canvas's order, then a column for each unit; the second row has the points possible.
    Canvas finds a student by its own number (ID, our `lms_user_id`), else by SIS Login ID (our id of the student), else
    by the name. It finds an assignment by the number in the title's brackets, else by the title: set
    `c.CanvasExport.columns`.
    """

    default_name = "canvas.csv"
    HEADER = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")

    def remarks(self, rows: list[Row]) -> list[str]:
        without = sum(1 for row in rows if not row.lms_user_id)
        told = (
            [f"{_count(without, 'student')} without lms_user_id: Canvas looks for them by login and name"]
            if without
            else []
        )
        return super().remarks(rows) + told

    def text(self, units: dict[str, float], rows: list[Row]) -> str:
        head = [*self.HEADER, *map(self.title, units)]
        possible = ["    Points Possible", "", "", "", "", *map(self.number, units.values())]
        people = [
            [
                *map(as_text, (row.name, row.lms_user_id, "", row.id, "")),
                *(self.number(score.points) for score in row.scores),
            ]
            for row in rows
        ]
        return self.table([head, possible, *people])


class MoodleExport(GradesExport):
    """Moodle's grade import from CSV.

    One column says who is meant, in the words of Moodle's own export; Moodle asks which, and to which of its grade
    items each further column belongs. A row without that identifier would be refused or worse, so it is left out and
    told.
    """

    default_name = "moodle.csv"
    identifier = Enum(
        list(IDENTIFIERS), "email", help="email, idnumber (our lms_user_id, else the id) or username (the id)."
    ).tag(config=True)

    def _identity(self, row: Row) -> str:
        if self.identifier == "email":
            return row.email or (row.id if "@" in row.id else "")
        return (row.lms_user_id if self.identifier == "idnumber" else "") or row.id

    def remarks(self, rows: list[Row]) -> list[str]:
        without = [row.id for row in rows if not self._identity(row)]
        told = [f"left out, for want of an e-mail address in the gradebook: {', '.join(without)}"] if without else []
        return super().remarks(rows) + told

    def text(self, units: dict[str, float], rows: list[Row]) -> str:
        head = ["First name", "Last name", IDENTIFIERS[self.identifier], *map(self.title, units)]
        people = []
        for row in rows:
            if self._identity(row):
                # An empty cell and "-" both mean no grade to Moodle; the dash cannot be mistaken for a slip.
                points = [self.number(score.points) or "-" for score in row.scores]
                people.append([*map(as_text, (row.first_name, row.last_name, self._identity(row))), *points])
        return self.table([head, *people])


class PlainExport(GradesExport):
    """A line for each student and unit, with everything that the gradebook knows."""

    HEADER = (
        "student_id last_name first_name email lms_user_id unit points max_points raw_points late_penalty submitted "
        "timestamp to_grade_by_hand"
    ).split()

    def text(self, units: dict[str, float], rows: list[Row]) -> str:
        lines = []
        for row in rows:
            person = [*map(as_text, (row.id, row.last_name, row.first_name, row.email, row.lms_user_id))]
            for one in row.scores:
                numbers = map(self.number, (one.points, one.most, one.raw, one.penalty))
                lines.append(
                    [
                        *person,
                        self.title(one.unit),
                        *numbers,
                        "yes" if one.submitted else "no",
                        one.timestamp,
                        "yes" if one.waiting else "no",
                    ]
                )
        return self.table([self.HEADER, *lines])


class ExercisesExport(GradesExport):
    """A line for each student and exercise that was handed in, its points before any late penalty."""

    default_name = "exercises.csv"
    HEADER = "student_id last_name first_name unit exercise points max_points to_grade_by_hand".split()

    def text(self, units: dict[str, float], rows: list[Row]) -> str:
        lines = [
            [
                *map(as_text, (row.id, row.last_name, row.first_name)),
                self.title(one.unit),
                as_text(name),
                self.number(exercise.points),
                self.number(exercise.most),
                "yes" if exercise.waiting else "no",
            ]
            for row in rows
            for one in row.scores
            for name, exercise in one.exercises.items()
        ]
        return self.table([self.HEADER, *lines])


class TotalsExport(GradesExport):
    """A line for each student: the total over the term, each group's, and what was left out as the lowest."""

    default_name = "totals.csv"

    def export(self, gradebook: Gradebook) -> None:
        if not Rules.of(self.config).weights:
            raise CourseError(
                "there is no total without weights: set c.TermTotal.weights in the class's nbgrader_config.py, as "
                "{'u*': 60, 'hw*': 40}"
            )
        super().export(gradebook)

    def remarks(self, rows: list[Row]) -> list[str]:
        return super().remarks(rows) + Rules.of(self.config).remarks(
            [one.unit for one in rows[0].scores] if rows else []
        )

    def text(self, units: dict[str, float], rows: list[Row]) -> str:
        groups = list(Rules.of(self.config).weights)
        head = ["student_id", "last_name", "first_name", "email", "lms_user_id", "total_percent"]
        lines = []
        for row in rows:
            told = term_totals.plain(self.totals[row.id])
            lines.append(
                [
                    *map(as_text, (row.id, row.last_name, row.first_name, row.email, row.lms_user_id)),
                    self.number(told["percent"]),
                    *(self.number(told["groups"][group]) for group in groups),
                    as_text(" ".join(map(self.title, told["dropped"]))),
                ]
            )
        return self.table([[*head, *(as_text(f"{group} percent") for group in groups), "dropped"], *lines])


class JsonExport(GradesExport):
    """The same as `PlainExport`, for programs: a list of students, each with its units and, where the class has weights
    for one, the total over the term."""

    default_name = "grades.json"

    def text(self, units: dict[str, float], rows: list[Row]) -> str:
        students: list[dict[str, Any]] = []
        for row in rows:
            person: dict[str, Any] = {
                "id": row.id,
                "last_name": row.last_name,
                "first_name": row.first_name,
                "email": row.email,
                "lms_user_id": row.lms_user_id,
            }
            person["units"] = {
                self.title(one.unit): {
                    "points": one.points, "max_points": one.most, "raw_points": one.raw, "late_penalty": one.penalty,
                    "submitted": one.submitted, "timestamp": one.timestamp, "to_grade_by_hand": one.waiting,
                    "exercises": {name: exercise.points for name, exercise in one.exercises.items()},
                }
                for one in row.scores
            }  # fmt: skip
            if row.id in self.totals:
                person["total"] = term_totals.plain(self.totals[row.id])
            students.append(person)
        return json.dumps(students, ensure_ascii=False, indent=1) + "\n"


@dataclass(frozen=True)
class Exported:
    """What `export` wrote: the file, how many students and units it has, and what to know before importing it."""

    path: Path
    students: int
    units: int
    told: tuple[str, ...]


def export(
    classroom: Classroom,
    to: str,
    file: Path | None = None,
    units: Sequence[str] = (),
    decimal: str | None = None,
    missing: str | None = None,
) -> Exported:
    """Write a class's points for another system.

    Args:
        classroom: the class.
        to: "canvas", "moodle", "csv", "json", "exercises" or "totals".
        file: where to write; None takes the format's usual name in the class folder.
        units: names of units; all that have a submission if empty.
        decimal: "." or ","; None leaves it to the class's configuration.
        missing: "zero" or "empty"; None leaves it to the class's configuration.

    Raises:
        CourseError: there is no such format, or no gradebook to read.
    """
    if to not in EXPORTS:
        raise CourseError(f"there is no export to {to!r}; there are {', '.join(EXPORTS)}")
    if missing not in (None, "zero", "empty"):
        raise CourseError(f"--missing is zero or empty, not {missing!r}")
    options = {name: value for name, value in (("decimal", decimal), ("missing", missing)) if value is not None}
    plugin = EXPORTS[to](config=classroom.config, **options)
    plugin.assignment = list(units)
    path = file or classroom.root / plugin.default_name
    plugin.to = str(path)
    # What the plugin would log is told by the caller.
    plugin.log = logging.Logger("attention-export")
    plugin.log.addHandler(logging.NullHandler())
    try:
        with classroom.gradebook() as gradebook:
            plugin.export(gradebook)
            ungraded = _ungraded(classroom, gradebook, units)
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error
    return Exported(path, plugin.students, plugin.units, (*plugin.told, *ungraded))


def _ungraded(classroom: Classroom, gradebook: Gradebook, units: Sequence[str]) -> list[str]:
    """A line for each unit with submissions that the gradebook knows nothing of: their points would be those of who
    handed in nothing.
    """
    lines = []
    for assignment in gradebook.assignments:
        if not units or assignment.name in units:
            waiting = sorted(
                set(classroom.submitted(assignment.name)) - {one.student_id for one in assignment.submissions}
            )
            if waiting:
                lines.append(
                    f"{assignment.name}: {_count(len(waiting), 'submission')} not graded yet ({', '.join(waiting)}): "
                    "run `autograder grade` first"
                )
    return lines


EXPORTS: dict[str, type[GradesExport]] = {
    "canvas": CanvasExport,
    "moodle": MoodleExport,
    "csv": PlainExport,
    "json": JsonExport,
    "exercises": ExercisesExport,
    "totals": TotalsExport,
}
