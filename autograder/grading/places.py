"""Where a submission lies in the class folder, before and after grading."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from nbgrader import utils
from nbgrader.coursedir import CourseDirectory

from autograder.classroom.classroom import Classroom


class Places:
    """One unit's folders of a class."""

    def __init__(self, classroom: Classroom, unit: str) -> None:
        log = logging.Logger("attention-grade")
        log.addHandler(logging.NullHandler())
        self.unit = unit
        self.directory: CourseDirectory = classroom.directory(log, unit)

    def source(self) -> Path:
        """Return the folder that the unit was released from."""
        return Path(self.directory.format_path(self.directory.source_directory, ".", self.unit))

    def submitted(self, student: str) -> Path:
        """Return the folder that a student handed in."""
        return self._folder(self.directory.submitted_directory, student)

    def graded(self, student: str) -> Path:
        """Return the path of a student's graded notebook."""
        return self._folder(self.directory.autograded_directory, student) / f"{self.unit}.ipynb"

    def page(self, student: str) -> Path:
        """Return the path of a student's feedback page."""
        return self._folder(self.directory.feedback_directory, student) / f"{self.unit}.html"

    def is_graded(self, student: str) -> bool:
        """Whether the graded notebook is there with its beginning and its end: a full disk leaves an empty file."""
        return _is_whole(self.graded(student), b"{", b"}")

    def has_page(self, student: str) -> bool:
        """Whether the feedback page is there with its beginning and its end."""
        return _is_whole(self.page(student), b"<!DOCTYPE", b"</html>")

    def _folder(self, directory: str, student: str) -> Path:
        return Path(self.directory.format_path(directory, student, self.unit))

    def beside(self, folder: Path) -> dict[str, Path]:
        """Return the regular files of a folder that are no notebooks, by their path in it, sorted."""
        found = map(Path, utils.find_all_files(str(folder), [*self.directory.ignore, "*.ipynb"]))
        return {str(path.relative_to(folder)): path for path in sorted(found) if stat.S_ISREG(path.lstat().st_mode)}


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
