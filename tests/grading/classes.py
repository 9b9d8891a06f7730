"""Small classes to grade again and again, and what a graded class is compared by."""

import json
import shutil
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from autograder.authoring import releasing, sample
from autograder.classroom import classroom
from autograder.marking.outcomes import outcome_path

UNIT = "u0_start_here"
ANSWERS = (
    {"hello_attention": "solution"},
    {"hello_attention": 'def hello_attention():\n    return "Attend"'},
    {},
    {"hello_attention": "def hello_attention():\n    raise KeyError('lost')"},
)


def make(root: Path, count: int, unit: str = UNIT, answers=ANSWERS) -> classroom.Classroom:
    """Make a class of `count` students who hand in the answers in turn; every seventh hands in no notebook."""
    releasing.init(root, [unit], duedate=sample.DUE)
    texts = [nbformat.writes(sample.answered(unit, one)) for one in answers]
    for number in range(count):
        submit(root, f"s{number:03d}", "no notebook" if number % 7 == 6 else texts[number % len(texts)], unit)
    return classroom.Classroom.open(root)


def submit(root: Path, student: str, text: str, unit: str = UNIT, timestamp: str = "") -> None:
    folder = root / "submitted" / student / unit
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{unit}.ipynb").write_text(text, encoding="utf-8")
    (folder / "data.txt").write_text(f"of {student}", encoding="utf-8")
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp, encoding="utf-8")


def copied(room: classroom.Classroom, root: Path) -> classroom.Classroom:
    """Return a copy of a class in another folder."""
    shutil.copytree(room.root, root)
    return classroom.Classroom.open(root)


def gradebook(url: str, unit: str = UNIT) -> dict:
    """Everything about a unit's submissions that nbgrader keeps, by student."""
    with Gradebook(url) as book:
        return {
            one.student.id: {
                "late": one.total_seconds_late,
                "penalty": [notebook.late_submission_penalty for notebook in one.notebooks],
                "grades": sorted(
                    (g.name, g.auto_score, g.manual_score, g.needs_manual_grade)
                    for n in one.notebooks
                    for g in n.grades
                ),
                "comments": sorted(
                    (c.name, c.auto_comment or "", c.manual_comment or "") for n in one.notebooks for c in n.comments
                ),
            }
            for one in book.find_assignment(unit).submissions
        }


def state(room: classroom.Classroom, unit: str = UNIT) -> dict:
    """All that grading leaves: the gradebook, graded notebooks and feedback with what lies beside them, outcomes."""
    files = {
        str(path.relative_to(room.root)): path.read_bytes()
        for folder in ("autograded", "feedback")
        for path in sorted((room.root / folder).rglob("*"))
        if path.is_file()
    }
    outcomes = {}
    for student in room.submitted(unit):
        path = outcome_path(room.root, unit, student)
        outcomes[student] = json.loads(path.read_text(encoding="utf-8")) | {"seconds": 0} if path.is_file() else None
    return {"gradebook": gradebook(room.db_url, unit), "files": files, "outcomes": outcomes}
