"""Reads a graded class: nbgrader's gradebook in a handful of queries, and the kept outcomes."""

from __future__ import annotations

import contextlib
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    GradeCell,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import create_engine, func, inspect, make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from autograder.classroom.answers import Answers, in_notebook
from autograder.classroom.classroom import Classroom, told_by_database
from autograder.classroom.layout import outcome_path
from autograder.classroom.naming import chosen_students
from autograder.course import CourseError
from autograder.marking.outcomes import Outcome, read_outcome
from helpers.folder.cells import TEST
from helpers.judging import catalog

LOST = (
    "graded without a kept outcome (by nbgrader alone, or before outcomes were kept): "
    "points count, mistakes are not known"
)
DAMAGED = "the file of its outcome is damaged: points count, mistakes are not known; grade it again"


@dataclass(frozen=True)
class Person:
    """A student as the gradebook knows one."""

    id: str
    first: str = ""
    last: str = ""
    email: str = ""

    @property
    def label(self) -> str:
        name = " ".join(filter(None, [self.first, self.last]))
        return f"{name} ({self.id})" if name else self.id


@dataclass(frozen=True)
class Cell:
    """A cell that gives points.

    Attributes:
        key: its id in the gradebook.
        name: its name in the notebook.
        points: the most it gives.
        judged: whether checks give its points; a person does otherwise.
    """

    key: str
    name: str
    points: float
    judged: bool

    @property
    def exercise(self) -> str:
        return self.name.removeprefix(TEST) if self.judged else self.name


@dataclass
class Submission:
    """What one student handed in of one unit, and what became of it.

    Attributes:
        points: cell's key → points so far.
        waiting: keys of the cells that wait for a person.
        penalty: points taken off for being late.
        late_seconds: how late it came.
        outcome: how grading ended, or None where that is not known; `lost` says why.
    """

    student: Person
    unit: str
    points: dict[str, float] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    penalty: float = 0.0
    late_seconds: float = 0.0
    outcome: Outcome | None = None
    lost: str = ""

    @property
    def score(self) -> float:
        return max(0.0, sum(self.points.values()) - self.penalty)

    @property
    def gradable(self) -> bool:
        return self.outcome is None or not self.outcome.ungradable

    @property
    def state(self) -> str:
        return self.outcome.state if self.outcome else "graded with a note"

    @property
    def reason(self) -> str:
        late = [f"late by {duration(self.late_seconds)}"] if self.late_seconds > 0 else []
        return "; ".join(filter(None, [self.outcome.reason if self.outcome else self.lost, *late]))


@dataclass
class Unit:
    """One unit of the class: its cells in the order of the notebook, and what was handed in.

    Attributes:
        ungraded: who handed in something that is not in the gradebook yet.
        nothing: who handed in nothing.
    """

    name: str
    cells: list[Cell]
    submissions: list[Submission]
    ungraded: list[Person]
    nothing: list[Person]

    @property
    def maximum(self) -> float:
        return sum(cell.points for cell in self.cells)

    @property
    def gradable(self) -> list[Submission]:
        return [one for one in self.submissions if one.gradable]

    @property
    def plain(self) -> bool:
        """Whether it is a plain nbgrader assignment, whose asserts no judge looks after."""
        return self.name not in catalog.units()


@dataclass
class GradedClass:
    """All that the report tells of."""

    name: str
    students: list[Person]
    units: list[Unit]


def duration(seconds: float) -> str:
    """Return a time span as one reads it."""
    if seconds >= 86400:
        return f"{seconds / 86400:.1f} days"
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{seconds / 60:.0f} minutes"


def in_order(names: Iterable[str]) -> list[str]:
    """Return names as people count: u2 before u10."""
    return sorted(
        names,
        key=lambda name: [
            (not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.findall(r"\d+|\D+", name)
        ],
    )


def gather(classroom: Classroom, answers: Answers, fresh: Iterable[Outcome] = ()) -> GradedClass:
    """Return what is known of a class.

    Args:
        classroom: the class.
        answers: gives the order of a unit's cells.
        fresh: outcomes that count instead of the kept ones.

    Raises:
        CourseError: the gradebook cannot be read.
    """
    newer = {(one.unit, one.student): one for one in fresh}
    try:
        with _reading(classroom.db_url) as session:
            people = _people(session) if session else {}
            cells = _cells(session) if session else {}
            submissions = _submissions(session, people) if session else {}
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error
    units = []
    handed_in = {name: classroom.submitted(name) for name in cells}
    for name in {student for students in handed_in.values() for student in students} - set(people):
        people[name] = Person(name)
    for name in in_order(cells):
        found = submissions.get(name, {})
        for student, submission in found.items():
            submission.outcome = newer.get((name, student)) or read_outcome(classroom.root, name, student)
            if submission.outcome is None:
                submission.lost = DAMAGED if outcome_path(classroom.root, name, student).exists() else LOST
        places = answers.order(name)
        units.append(
            Unit(
                name,
                sorted(cells[name], key=lambda cell: (places.get(cell.name, len(places)), cell.name)),
                [found[student] for student in in_order(found)],
                [people[student] for student in handed_in[name] if student not in found],
                [people[student] for student in in_order(set(people) - set(found) - set(handed_in[name]))],
            )
        )
    return GradedClass(
        classroom.directory(logging.getLogger("attention")).course_id,
        [people[name] for name in in_order(people)],
        units,
    )


def restricted(graded: GradedClass, students: Iterable[str]) -> GradedClass:
    """Return what is known of some students of a class.

    Raises:
        CourseError: the class knows nobody by one of the ids.
    """
    chosen = set(chosen_students(students, [one.id for one in graded.students], "work in this class") or ())
    units = [
        Unit(
            unit.name,
            unit.cells,
            [one for one in unit.submissions if one.student.id in chosen],
            [one for one in unit.ungraded if one.id in chosen],
            [one for one in unit.nothing if one.id in chosen],
        )
        for unit in graded.units
    ]
    return GradedClass(graded.name, [one for one in graded.students if one.id in chosen], units)


@contextlib.contextmanager
def _reading(url: str) -> Iterator[Session | None]:
    """A session that only reads, or None where there is no gradebook yet: nbgrader's own would make one."""
    place = make_url(url)
    if place.get_backend_name() == "sqlite" and place.database and not Path(place.database).exists():
        yield None
        return
    engine = create_engine(place)
    try:
        with Session(engine) as session:
            yield session if inspect(engine).has_table(Assignment.__tablename__) else None
    finally:
        engine.dispose()


def _people(session: Session) -> dict[str, Person]:
    rows = session.execute(select(Student.id, Student.first_name, Student.last_name, Student.email))
    return {row[0]: Person(row[0], row[1] or "", row[2] or "", row[3] or "") for row in rows}


def _cells(session: Session) -> dict[str, list[Cell]]:
    """Every unit's cells that give points; a unit without any has an empty list."""
    base, code, task = BaseCell.__table__, GradeCell.__table__, TaskCell.__table__
    query = (
        select(
            Assignment.name,
            Notebook.name,
            base.c.id,
            base.c.name,
            func.coalesce(code.c.max_score, task.c.max_score),
            code.c.cell_type,
        )
        .select_from(Assignment)
        .join(Notebook, Notebook.assignment_id == Assignment.id)
        .join(base, base.c.notebook_id == Notebook.id)
        .outerjoin(code, code.c.id == base.c.id)
        .outerjoin(task, task.c.id == base.c.id)
        .where(base.c.type.in_(("GradeCell", "TaskCell")))
    )
    notebooks: dict[str, list[str]] = {name: [] for (name,) in session.execute(select(Assignment.name))}
    for unit, notebook in session.execute(
        select(Assignment.name, Notebook.name).join(Notebook, Notebook.assignment_id == Assignment.id)
    ):
        notebooks[unit].append(notebook)
    found: dict[str, list[Cell]] = {name: [] for name in notebooks}
    for unit, notebook, key, name, points, kind in session.execute(query):
        known = in_notebook(name, notebook, notebooks[unit])
        found[unit].append(Cell(key, known, float(points or 0), kind == "code"))
    return found


def _submissions(session: Session, people: dict[str, Person]) -> dict[str, dict[str, Submission]]:
    """Unit → student → submission, from one query on submissions and one on grades."""
    found: dict[str, dict[str, Submission]] = defaultdict(dict)
    by_key: dict[str, Submission] = {}
    query = (
        select(
            SubmittedAssignment.id,
            Assignment.name,
            Assignment.duedate,
            SubmittedAssignment.student_id,
            SubmittedAssignment.timestamp,
            SubmittedAssignment.extension,
            select(func.sum(SubmittedNotebook.late_submission_penalty))
            .where(SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .scalar_subquery(),
        )
        .select_from(SubmittedAssignment)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
    )
    for key, unit, due, student, timestamp, extension, penalty in session.execute(query):
        late = 0.0
        if due is not None and timestamp is not None:
            late = max(0.0, (timestamp - (due + extension if extension is not None else due)).total_seconds())
        by_key[key] = found[unit][student] = Submission(
            people[student], unit, penalty=float(penalty or 0), late_seconds=late
        )
    grades = select(
        SubmittedNotebook.assignment_id,
        Grade.cell_id,
        Grade.auto_score,
        Grade.manual_score,
        Grade.extra_credit,
        Grade.needs_manual_grade,
    ).join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
    for key, cell, automatic, manual, extra, waits in session.execute(grades):
        score = manual if manual is not None else automatic
        by_key[key].points[cell] = 0.0 if score is None else score + (extra or 0.0)
        if waits:
            by_key[key].waiting.add(cell)
    return found
