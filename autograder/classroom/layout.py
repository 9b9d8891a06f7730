"""What of our own lies in a class folder beside nbgrader's: `.attention/` with outcomes and the grader's lock."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from autograder.course import CourseError

FOLDER = ".attention"
# What collecting has replaced.
KEPT = Path(FOLDER, "kept")


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
