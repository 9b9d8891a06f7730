"""What nbgrader runs instead of its own saving: points and comments from the judge's verdicts, into the gradebook."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades

from . import scoring
from .outcomes import Outcome, write_part


def course_root(preprocessor: NbGraderPreprocessor) -> Path:
    """Return the class folder that a preprocessor works in: its exporter's converter knows it."""
    coursedir = getattr(getattr(preprocessor.parent, "parent", None), "coursedir", None)
    return Path(coursedir.root if coursedir is not None else os.getcwd())


class SaveVerdicts(SaveAutoGrades):  # type: ignore[misc]  # nbgrader has no types
    """Writes the points of judged cells from the verdicts and leaves every other cell to nbgrader's own rule."""

    # To wait for a gradebook that another program writes is no submission's doing.
    untimed = True

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        self._outcome: Outcome | None = resources["nbgrader"].get("outcome")
        nb, resources = super().preprocess(nb, resources)
        if self._outcome is not None:
            with Gradebook(self.db_url) as gradebook:
                names = [notebook.name for notebook in gradebook.find_assignment(self.assignment_id).notebooks]
            write_part(course_root(self), self.notebook_id, self._outcome, names)
        return nb, resources

    def _find(self, what: str, cell: NotebookNode) -> Any:
        return getattr(self.gradebook, what)(
            cell.metadata["nbgrader"]["grade_id"], self.notebook_id, self.assignment_id, self.student_id
        )

    def _add_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        grade, found = self._find("find_grade", cell), scoring.score(cell, self._outcome)
        grade.auto_score, grade.needs_manual_grade = found.points, found.by_hand(grade.manual_score)
        self.gradebook.db.commit()

    def _add_comment(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        self._find("find_comment", cell).auto_comment = scoring.comment(cell, self._outcome)
        self.gradebook.db.commit()
