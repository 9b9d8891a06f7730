"""Writes the sample class into a class folder: submissions as real learners hand them in, and what each must get.

Each student is a file in `sample_class/`: `# %% name` begins the answer to an exercise, `solution` takes the
course's own, an exercise that is not named stays unanswered. `class.toml` has the points, lateness and the
files that are no notebooks.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.classroom import layout
from autograder.classroom.classroom import CONFIG
from autograder.course import CourseError

from . import building

FOLDER = Path(__file__).with_name("sample_class")
UNIT = "u1_dot_products"
DUE = "2026-10-01 12:00:00 UTC"
# Says of a class folder that it is the sample class's.
_MARK = Path(layout.FOLDER, "sample class")
_MARKS = re.compile(r"^[ #]*### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
_ANSWER = re.compile(r"^# %% (\w+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Student:
    """A student of the sample class.

    Attributes:
        name: the student's id.
        points: what grading must give.
        state: how grading must end.
        raw: the bytes of the submitted file, for one that is no notebook.
        timestamp: when it was handed in, or "".
        why: what this submission is an example of.
    """

    name: str
    points: float
    state: str
    raw: bytes | None
    timestamp: str
    why: str


def students() -> list[Student]:
    """Return the sample class in the order of `class.toml`."""
    listed = tomllib.loads((FOLDER / "class.toml").read_text(encoding="utf-8"))["student"]
    return [
        Student(
            one["name"],
            one["points"],
            one.get("state", "graded"),
            one["raw"].encode() if "raw" in one else None,
            one.get("timestamp", ""),
            one["why"],
        )
        for one in listed
    ]


@functools.cache
def _texts(unit: str) -> tuple[str, dict[str, str]]:
    source = building.source_notebook(unit)
    answers = {
        cell.id: _MARKS.sub("", cell.source)
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    return building.released_text(unit), answers


def released(unit: str = UNIT) -> NotebookNode:
    """Return a unit's released notebook, unanswered."""
    notebook: NotebookNode = nbformat.reads(_texts(unit)[0], as_version=4)
    return notebook


def answered(unit: str = UNIT, answers: Mapping[str, str] | None = None) -> NotebookNode:
    """Return a unit's notebook with answers filled in.

    Args:
        unit: the unit.
        answers: exercise → text of its answer cell; "solution" takes the course's own. None: all solutions.
    """
    notebook, solutions = released(unit), _texts(unit)[1]
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in solutions and (answers is None or name in answers):
            text = "solution" if answers is None else answers[name]
            cell.source = solutions[name] if text.strip() == "solution" else text.strip()
    return notebook


def read_answers(path: Path) -> dict[str, str]:
    """Return the answers of a student's file by exercise."""
    parts = _ANSWER.split(path.read_text(encoding="utf-8"))
    return dict(zip(parts[1::2], parts[2::2]))


def need_free(root: Path) -> None:
    """Refuse a folder with a class or submissions of somebody else in it; the sample class may be written again.

    Raises:
        CourseError: the folder is somebody's.
    """
    if (root / _MARK).is_file():
        return
    if (root / CONFIG).exists() or (root / "gradebook.db").exists() or any((root / "submitted").glob("*")):
        raise CourseError(
            f"{root.absolute()} holds a class already, and the sample class would overwrite students in it: "
            "name a folder of its own, as `autograder sample ~/sample_class`"
        )


def write(root: Path) -> list[Student]:
    """Write the sample class's submissions into a class folder and return the students."""
    everyone = students()
    (root / _MARK).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    (root / _MARK).touch()
    for student in everyone:
        folder = root / "submitted" / student.name / UNIT
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{UNIT}.ipynb"
        if student.raw is not None:
            path.write_bytes(student.raw)
        else:
            nbformat.write(answered(UNIT, read_answers(FOLDER / f"{student.name}.py")), path)
        if student.timestamp:
            (folder / "timestamp.txt").write_text(student.timestamp + "\n", encoding="utf-8")
    return everyone
