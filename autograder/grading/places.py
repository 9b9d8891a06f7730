"""Where a submission lies in the class folder, before and after grading."""

from __future__ import annotations

import fnmatch
import logging
import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from nbgrader.coursedir import CourseDirectory

from autograder.classroom.classroom import Classroom
from autograder.marking.files import regular_files


class Places:
    """The folders of a unit, or of a plain assignment, in a class.

    Args:
        classroom: the class.
        unit: its name.
        notebooks: the names of its notebooks; a unit has one of its own name.
    """

    def __init__(self, classroom: Classroom, unit: str, notebooks: Sequence[str] = ()) -> None:
        log = logging.Logger("attention-grade")
        log.addHandler(logging.NullHandler())
        self.unit, self.notebooks = unit, tuple(sorted(notebooks)) or (unit,)
        self.directory: CourseDirectory = classroom.directory(log, unit)

    def source(self) -> Path:
        """Return the folder that the unit was released from."""
        return Path(self.directory.format_path(self.directory.source_directory, ".", self.unit))

    def submitted(self, student: str) -> Path:
        """Return the folder that a student handed in."""
        return self._folder(self.directory.submitted_directory, student)

    def graded(self, student: str) -> Path:
        """Return the folder of a student's graded notebooks."""
        return self._folder(self.directory.autograded_directory, student)

    def is_graded(self, student: str) -> bool:
        """Whether the graded notebooks are there with their beginnings and ends: a full disk leaves an empty file."""
        folder = self.graded(student)
        return all(_is_whole(folder / f"{name}.ipynb", b"{", b"}") for name in self.notebooks)

    def pages(self, student: str) -> Path:
        """Return the folder of a student's feedback pages."""
        return self._folder(self.directory.feedback_directory, student)

    def has_page(self, student: str) -> bool:
        """Whether the feedback pages are there with their beginnings and ends."""
        folder = self.pages(student)
        return all(_is_whole(folder / f"{name}.html", b"<!DOCTYPE", b"</html>") for name in self.notebooks)

    def _folder(self, directory: str, student: str) -> Path:
        return Path(self.directory.format_path(directory, student, self.unit))

    def beside(self, folder: Path) -> dict[str, int]:
        """Return the regular files of a folder that are no notebooks, sorted by their path in it, with their sizes."""
        return {name: status.st_size for name, status in regular_files(folder) if not self._ignored(name)}

    def _ignored(self, name: str) -> bool:
        """Whether nbgrader leaves a file out by the name of it or of a folder that it lies in."""
        patterns = [*self.directory.ignore, "*.ipynb"]
        return any(fnmatch.fnmatchcase(part, pattern) for part in PurePosixPath(name).parts for pattern in patterns)


def _is_whole(path: Path, begin: bytes, end: bytes) -> bool:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with open(path, "rb") as file:
            if not file.read(len(begin)) == begin:
                return False
            file.seek(-min(64, file.seek(0, os.SEEK_END)), os.SEEK_END)
            return file.read().rstrip().endswith(end)
    except OSError:
        return False
