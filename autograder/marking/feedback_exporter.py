"""Lets nbgrader's `generate_feedback`, and formgrader's button for it, make the page that `autograder grade` makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from traitlets import default

from . import feedback_page, late_rules
from .feedback_grades import read_grades
from .timed import TimedPage


class FeedbackExporter(TimedPage):
    """nbconvert's place for what makes a page of a notebook: `c.GenerateFeedback.exporter_class`."""

    output_mimetype = "text/html"

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".html"

    def from_notebook_node(  # type: ignore[override]  # nbconvert's own exporters of text return text, too
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the page with the gradebook's points, and the resources.

        Raises:
            nbgrader.api.MissingEntry: the gradebook has no such submission.
        """
        nb_copy, found = super().from_notebook_node(nb, resources, **kw)
        names = found["nbgrader"]
        student, assignment, notebook = names["student"], names["assignment"], names["notebook"]
        coursedir = getattr(self.parent, "coursedir", None)
        if coursedir is not None:
            _leave_pages_alone(coursedir, assignment, student)
        with Gradebook(names["db_url"]) as gradebook:
            grades = read_grades(gradebook.db, assignment, notebook, [student]).get(student)
            if grades is not None:
                grades = replace(grades, late_told=self._late_told(gradebook, assignment, student))
        if grades is None:
            raise MissingEntry(f"No submission of {assignment} by {student}")
        return feedback_page.draft(nb_copy, assignment, notebook).page(grades), found

    def _late_told(self, gradebook: Gradebook, assignment: str, student: str) -> str:
        """What the class's rules say of the delay."""
        rules = late_rules.rules(late_rules.penalties(self.config, gradebook, assignment))
        seconds = gradebook.find_submission(assignment, student).total_seconds_late
        return rules.told(student, seconds) if rules is not None and seconds > 0 else ""


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
