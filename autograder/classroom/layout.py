"""What of our own lies in a class folder beside nbgrader's: `.attention/` with outcomes and the grader's lock, and
tables in the gradebook.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from autograder.course import CourseError

FOLDER = ".attention"
# What collecting has replaced.
KEPT = Path(FOLDER, "kept")

TABLES = sa.MetaData()
# What was graded of each submission; it changes in one transaction with the points.
GRADED = sa.Table(
    "attention_graded",
    TABLES,
    sa.Column("student", sa.String(128), primary_key=True),
    sa.Column("unit", sa.String(128), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("late_seconds", sa.Float, nullable=False),
    sa.Column("feedback", sa.String(64)),
)
# Extensions, which may be given before there is a submission to keep them with.
EXTENSIONS = sa.Table(
    "attention_extensions",
    TABLES,
    sa.Column("student", sa.String(128), primary_key=True),
    sa.Column("assignment", sa.String(32), primary_key=True),
    sa.Column("length", sa.Interval, nullable=False),
)


def outcome_path(root: Path, unit: str, student: str) -> Path:
    """Return where an outcome is kept. The name is a digest: a student's id may hold what a file name may not."""
    return root / FOLDER / "outcomes" / unit / f"{hashlib.sha256(student.encode()).hexdigest()[:24]}.json"


@contextlib.contextmanager
def only_grader(root: Path) -> Iterator[None]:
    """Hold the class's lock; refuse by name when another grader has it.

    Raises:
        CourseError: somebody else is grading this class.
    """
    path = root / FOLDER / "grading.lock"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another program"
            raise CourseError(f"{root} is being graded by {holder}: wait for it to end") from None
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        yield
