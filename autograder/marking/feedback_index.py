"""What stands at the head of a feedback page: its exercises with their points."""

from __future__ import annotations

from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbgrader import utils

from . import own_templates

# What nbgrader writes under an answer that was left as it was. Points and verdict say so already.
UNANSWERED = "No response."


class IndexExercises(Preprocessor):
    """Lists the exercises for the page's head, takes nbgrader's own comment out, and puts our template first.

    It comes after nbgrader's `GetGrades`, which brings points and comments.
    """

    enabled = True

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        comments = set()
        for cell in nb.cells:
            marks = cell.metadata.get("nbgrader", {})
            if (marks.get("comment") or "").strip() in ("", UNANSWERED):
                marks.pop("comment", None)
            else:
                comments.add(marks["grade_id"])
        resources["exercises"] = [_line(cell.metadata.nbgrader, comments) for cell in nb.cells if _gives_points(cell)]
        if self.parent is not None:
            own_templates.prefer(self.parent.environment, "feedback")
        return nb, resources


def _gives_points(cell: NotebookNode) -> bool:
    return bool(utils.is_grade(cell) or utils.is_task(cell))


def _line(marks: NotebookNode, comments: set[str]) -> dict[str, Any]:
    anchor = marks.grade_id
    name = anchor.removeprefix("test_")
    return {
        "name": name.replace("_", " ") if marks.get("solution") or marks.get("task") else name,
        "anchor": f"comment-{anchor}" if marks.get("task") else anchor,
        "score": marks.score,
        "points": marks.points,
        "comment": next((one for one in (anchor, name) if one in comments), ""),
    }
