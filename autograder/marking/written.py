"""Shows the model answer and the marking guide of a written question to whoever grades it in formgrader, and to nobody
else.

Both stand in the class's source notebook, between the marks of the solution, and never leave it: this step works on the
page that formgrader makes for the grader's browser, not on any file. It acts only on a page that carries formgrader's
own marks, so feedback and every other HTML export pass through unchanged.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory

_GUIDE = re.compile(r"^[ #]*### BEGIN SOLUTION\n(.*?)^[ #]*### END SOLUTION", re.DOTALL | re.MULTILINE)
HEADING = "For the grader, not shown to the student"


class ShowMarkingGuide(Preprocessor):
    """Puts the guide under each written answer of a page that formgrader makes."""

    enabled = True

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        if not for_formgrader(resources):
            return nb, resources
        found = guides(self._source(resources["assignment_id"], resources["notebook_id"]))
        cells = []
        for cell in nb.cells:
            cells.append(cell)
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if cell.cell_type == "markdown" and name in found:
                text = "\n".join(f"> {line}".rstrip() for line in [f"**{HEADING}**", "", *found[name].splitlines()])
                cells.append(nbformat.v4.new_markdown_cell(text, id=f"guide-{name}"[:64]))
        return nbformat.v4.new_notebook(cells=cells, metadata=nb.metadata), resources

    def _source(self, assignment: str, notebook: str) -> Path:
        course = CourseDirectory(config=self.config)
        return Path(course.format_path(course.source_directory, ".", assignment)) / f"{notebook}.ipynb"


def for_formgrader(resources: dict[str, Any]) -> bool:
    """Whether a page is made by formgrader for a grader; feedback is made with nbgrader's own resources and without
    these.
    """
    return "nbgrader" not in resources and {"assignment_id", "notebook_id", "submission_id", "notebook_path"} <= set(
        resources
    )


def guides(source: Path) -> dict[str, str]:
    """Return the written questions of a source notebook, each with its model answer and marking guide; none when it is
    not there.
    """
    try:
        notebook = nbformat.read(source, as_version=4)
    except (OSError, ValueError):
        return {}
    found = {}
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        parts = _GUIDE.findall(cell.source) if cell.cell_type == "markdown" and marks.get("solution") else []
        if parts:
            found[marks["grade_id"]] = "\n\n".join(part.strip() for part in parts)
    return found
