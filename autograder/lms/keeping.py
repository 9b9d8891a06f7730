"""Keeps what `collect` replaces, and brings it back.

Each collecting has a folder `.attention/kept/<number>-<unit>/` with the submissions as they were, the download before,
and `record.json`, which says whose submissions changed. It is whole before the first submission is touched, so a
collecting that was killed can be undone as well.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from autograder.classroom.classroom import Classroom
from autograder.classroom.layout import KEPT, only_grader
from autograder.course import CourseError

_RECORD = "record.json"
_UNDONE = ".undone"


def submission(coursedir: CourseDirectory, student: str, unit: str) -> Path:
    """Return the folder of a student's submission."""
    return Path(coursedir.format_path(coursedir.submitted_directory, student, unit))


@contextlib.contextmanager
def kept(root: Path, coursedir: CourseDirectory, unit: str, students: Sequence[str], download: Path) -> Iterator[None]:
    """Keep these students' submissions and the unit's download; what happens inside can then be undone."""
    base = root / KEPT
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = 1 + max((int(path.name[:4]) for path in base.iterdir() if path.name[:4].isdigit()), default=0)
    place = base / f"{number:04d}-{unit}"
    draft = base / f"draft-{place.name}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for student in students:
        if (old := submission(coursedir, student, unit)).is_dir():
            shutil.copytree(old, draft / "submitted" / student, symlinks=True)
    record = {"unit": unit, "students": list(students), "download": os.path.relpath(download, root)}
    (draft / _RECORD).write_text(json.dumps(record), encoding="utf-8")
    os.rename(draft, place)
    if download.exists():
        os.rename(download, place / "downloaded")
    yield


@dataclass(frozen=True)
class Undone:
    """What was brought back: the unit, whose submissions are those of before, and who has none again."""

    unit: str
    restored: tuple[str, ...]
    removed: tuple[str, ...]


def undo(classroom: Classroom) -> Undone:
    """Take the last collecting back; what it had brought is kept beside what it had replaced.

    Raises:
        CourseError: there is none to take back, or somebody is grading.
    """
    base = classroom.root / KEPT
    with only_grader(classroom.root):
        done = [path for path in base.glob("[0-9]*") if not path.name.endswith(_UNDONE)] if base.is_dir() else []
        if not done:
            raise CourseError(f"nothing was collected in {classroom.root} that could be undone")
        place = max(done)
        record = json.loads((place / _RECORD).read_text(encoding="utf-8"))
        unit: str = record["unit"]
        coursedir = classroom.directory(logging.getLogger("attention"), unit)
        restored: list[str] = []
        removed: list[str] = []
        for student in record["students"]:
            here, old = submission(coursedir, student, unit), place / "submitted" / student
            brought = place / "brought" / student
            if here.is_dir() and not brought.exists():
                brought.parent.mkdir(exist_ok=True)
                os.rename(here, brought)
            if old.is_dir():
                here.parent.mkdir(parents=True, exist_ok=True)
                os.rename(old, here)
            (restored if here.is_dir() else removed).append(student)
            with contextlib.suppress(OSError):
                here.parent.rmdir()
        download = classroom.root / record["download"]
        if download.exists() and not (place / "download brought").exists():
            os.rename(download, place / "download brought")
        if (place / "downloaded").exists():
            os.rename(place / "downloaded", download)
        os.rename(place, place.with_name(place.name + _UNDONE))
    return Undone(unit, tuple(restored), tuple(removed))
