"""Takes out of a graded notebook what would run in the browser of whoever reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode
from nbgrader import utils

_MARKUP = re.compile(r"<\s*[a-zA-Z/!?]")
_TAGS = (
    "a abbr b blockquote br caption code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre s "
    "small span strong sub summary sup "
    "table tbody td tfoot th thead tr u ul"
).split()
_ATTRIBUTES = {
    "*": ["title", "aria-label", "align"],
    "a": ["href", "title"],
    "img": ["src", "alt", "width", "height"],
    "td": ["colspan"],
    "th": ["colspan"],
}


class SanitizeLearner(SanitizeHTML):
    """Cleans the learner's text and outputs; the judge's verdicts, which are the grader's own, stay as they are.

    It comes last in grading, so that what formgrader shows and what feedback is made from are clean alike.
    """

    tags = _TAGS
    attributes = _ATTRIBUTES
    enabled = True

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        if cell.cell_type == "code":
            outcome = resources.get("nbgrader", {}).get("outcome")
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "").removeprefix("test_")
            if outcome is not None and utils.is_grade(cell) and name in outcome.final:
                return cell, resources
        elif not _MARKUP.search(cell.source):
            # Text without markup is left alone: escaping would spoil the < of a formula.
            return cell, resources
        # nbconvert's has no types.
        clean: Callable[..., tuple[NotebookNode, dict[str, Any]]] = super().preprocess_cell
        return clean(cell, resources, index)
