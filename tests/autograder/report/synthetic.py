"""A class of any size with known mistakes, made in a moment: gradebook rows and outcomes, no notebook is executed."""

import json
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    GradeCell,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from sqlalchemy import insert, select

from autograder.authoring import sample
from autograder.marking.outcomes import Outcome, write_outcome
from helpers.judging import catalog
from helpers.verdict import FAILED, PASSED, UNANSWERED, Diagnosis, Finding, Property, Verdict


@dataclass
class Work:
    """What one student made of one unit: exercise → name of a mistake, "" for right, None for not answered; and its
    code.
    """

    student: str
    ends: dict[str, str | None] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    first: str | None = None
    last: str | None = None
    timestamp: object = None


def draw(unit, students, seed):
    """Draw works: half of the class has an exercise right, a tenth did not answer, the others have one of its mistakes,
    the first ones more often.
    """
    rng = np.random.default_rng(seed)
    works = []
    for student in students:
        ends = {}
        for name, exercise in catalog.unit_exercises(unit).items():
            choices = ["", *(mistake.name for mistake in exercise.mistakes), None]
            wrong = 0.5 ** np.arange(len(choices) - 2)
            weights = [0.5, *(0.4 * wrong / wrong.sum()), 0.1]
            ends[name] = choices[rng.choice(len(choices), p=weights)]
        works.append(Work(student, ends))
    return works


def counted(works):
    """Return how many made each mistake: (exercise, mistake) → students."""
    return Counter((exercise, end) for work in works for exercise, end in work.ends.items() if end)


def verdict(unit, name, end):
    if end is None:
        return Verdict(name, UNANSWERED)
    if end == "":
        return Verdict(name, PASSED, True, (Property("values", True),))
    hint = next(mistake.hint for mistake in catalog.unit_exercises(unit)[name].mistakes if mistake.name == end)
    return Verdict(
        name,
        FAILED,
        False,
        (Property("values", False),),
        Finding("values", "values", "every entry is wrong"),
        Diagnosis(end, hint),
    )


def fill(room, unit, works):
    """Put works into a class folder whose unit is released, as if they had been graded."""
    with room.gradebook() as gradebook:
        session = gradebook.db()
        notebook, assignment = session.execute(
            select(Notebook.id, Assignment.id)
            .join(Assignment, Assignment.id == Notebook.assignment_id)
            .where(Assignment.name == unit)
        ).one()
        code = GradeCell.__table__
        base = BaseCell.__table__
        cells = session.execute(
            select(base.c.id, base.c.name, code.c.max_score, code.c.cell_type)
            .join(code, code.c.id == base.c.id)
            .where(base.c.notebook_id == notebook)
        ).all()
        known = set(session.scalars(select(Student.id)))
        people = [
            {"id": work.student, "first_name": work.first, "last_name": work.last}
            for work in works
            if work.student not in known
        ]
        rows = {SubmittedAssignment: [], SubmittedNotebook: [], Grade: []}
        for work in works:
            submission, copy = new_uuid(), new_uuid()
            rows[SubmittedAssignment].append(
                {"id": submission, "assignment_id": assignment, "student_id": work.student, "timestamp": work.timestamp}
            )
            rows[SubmittedNotebook].append(
                {"id": copy, "assignment_id": submission, "notebook_id": notebook, "late_submission_penalty": None}
            )
            for key, name, most, kind in cells:
                right = kind == "code" and work.ends.get(name.removeprefix("test_"), None) == ""
                score = (most if right else 0.0) if kind == "code" else None
                rows[Grade].append(
                    {
                        "id": new_uuid(),
                        "notebook_id": copy,
                        "cell_id": key,
                        "auto_score": score,
                        "needs_manual_grade": kind != "code",
                    }
                )
        if people:
            session.execute(insert(Student.__table__), people)
        for table, values in rows.items():
            session.execute(insert(table.__table__), values)
        session.commit()
    for work in works:
        outcome = Outcome(work.student, unit, final={name: verdict(unit, name, end) for name, end in work.ends.items()})
        write_outcome(room.root, outcome)
        if work.codes:
            write_notebook(room.root / "autograded" / work.student / unit / f"{unit}.ipynb", work.codes)


def write_notebook(path, codes):
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [
        {
            "cell_type": "code",
            "id": name,
            "metadata": {"nbgrader": {"grade_id": name, "solution": True}},
            "source": code,
            "outputs": [],
            "execution_count": None,
        }
        for name, code in codes.items()
    ]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")


def write_whole(root, unit, work):
    """Write a submission's notebook as large as a real one."""
    notebook = sample.answered(unit, work.codes)
    path = root / "autograded" / work.student / unit / f"{unit}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
