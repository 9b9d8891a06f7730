"""What feedback leaves out of a graded notebook: whatever could tell of hidden cases."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor

from helpers.judging import catalog


class HideHiddenTests(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    """Takes out of feedback what could tell of hidden cases: the hidden part of test cells, and a unit's own outputs.

    Of a unit's code cells only the judge's verdicts keep their output: the learner has the others at home. And where a
    check were hidden that the judge did not put off (see `judge_desk`), a later cell could print what it saw.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        names = resources["nbgrader"]
        coursedir = getattr(getattr(self.parent, "parent", None), "coursedir", None)
        if coursedir is not None:
            _leave_pages_alone(coursedir, names["assignment"], names["student"])
        hidden: tuple[NotebookNode, dict[str, Any]] = super().preprocess(nb, resources)
        return hidden

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        if cell.cell_type != "code":
            return cell, resources
        if "BEGIN HIDDEN TESTS" in cell.source:
            with contextlib.suppress(RuntimeError):
                ClearHiddenTests(parent=self)._remove_hidden_test_region(cell)
        if resources["nbgrader"]["assignment"] in catalog.units() and not utils.is_grade(cell):
            cell.outputs = []
        return cell, resources


def _leave_pages_alone(coursedir: CourseDirectory, unit: str, student: str) -> None:
    """Take out of a feedback folder the pages that are no notebook's.

    nbgrader copies into it what lies beside the graded notebook, which the notebook may have written after it had seen
    hidden cases; and every page in it goes to the learner.
    """
    folder = Path(coursedir.format_path(coursedir.feedback_directory, student, unit))
    graded = Path(coursedir.format_path(coursedir.autograded_directory, student, unit))
    for path in [*folder.rglob("*.html"), *folder.rglob("*.htm")]:
        if path.parent != folder or not (graded / f"{path.stem}.ipynb").is_file():
            path.unlink(missing_ok=True)
