"""Writes nbgrader's feedback pages of several submissions in one go, with one exporter for all of them."""

from __future__ import annotations

import copy
import glob
import logging
from pathlib import Path

from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory

from autograder.authoring.building import Errors
from autograder.classroom.classroom import Classroom


class _Chosen(GenerateFeedback):  # type: ignore[misc]  # nbgrader has no types
    """nbgrader's GenerateFeedback for a list of students."""

    chosen: tuple[str, ...] = ()

    def init_notebooks(self) -> None:
        unit = self.coursedir.assignment_id
        # The base class takes ids as file patterns; a list of folders leaves nothing to match.
        folders = [self._format_source(unit, student) for student in self.chosen]
        self.notebooks: list[str] = []
        self.assignments = {folder: sorted(glob.glob(f"{glob.escape(folder)}/*.ipynb")) for folder in folders}


def write_pages(root: Path, unit: str, students: tuple[str, ...]) -> dict[str, str]:
    """Write the feedback pages of some students.

    Returns:
        By student: "" when the page was written, else what went wrong.
    """
    classroom = Classroom.open(root)
    told = dict.fromkeys(students, "")
    try:
        _convert(classroom, unit, students)
    except Exception:
        # nbgrader does not say whose page failed: write each by itself.
        for student in students:
            try:
                _convert(classroom, unit, (student,))
            except Exception as error:
                told[student] = type(error).__name__
    return told


def _convert(classroom: Classroom, unit: str, students: tuple[str, ...]) -> None:
    log = logging.Logger("attention-feedback")
    log.addHandler(Errors())
    config = copy.deepcopy(classroom.config)
    config.CourseDirectory.assignment_id = unit
    converter = _Chosen(coursedir=CourseDirectory(config=config, log=log), config=config, log=log, force=True)
    converter.chosen = students
    converter.start()
