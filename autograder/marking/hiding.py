"""What feedback leaves out of a graded notebook: whatever could tell of hidden cases."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor

from helpers.judging import catalog

HIDDEN_FAILED = "a hidden test failed"
# A line of code in IPython's traceback: `----> 3 assert square(3) == 9`, or `      4 ` before and after it.
_SHOWN = re.compile(r"(?P<arrow>-+>)?\s*\d+\s?(?P<code>.*)")


class HideHiddenTests(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    """Takes out of feedback what could tell of hidden cases: the hidden part of test cells, and a unit's own outputs.

    Of a unit's code cells only the judge's verdicts keep their output: the learner has the others at home. And where a
    check were hidden that the judge did not put off (see `judge_desk`), a later cell could print what it saw.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        names = resources["nbgrader"]
        self._hidden = hidden_lines(nb)
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
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                _hide_in_traceback(output, self._hidden)
        if "BEGIN HIDDEN TESTS" in cell.source:
            with contextlib.suppress(RuntimeError):
                ClearHiddenTests(parent=self)._remove_hidden_test_region(cell)
        if resources["nbgrader"]["assignment"] in catalog.units() and not utils.is_grade(cell):
            cell.outputs = []
        return cell, resources


def hidden_lines(nb: NotebookNode) -> set[str]:
    """Return the lines of all hidden tests of a notebook and the marks around them, without their indentation."""
    found = set()
    for cell in nb.cells:
        inside = False
        for line in cell.source.splitlines() if cell.cell_type == "code" else ():
            inside = inside or "BEGIN HIDDEN TESTS" in line
            if inside and line.strip():
                found.add(line.strip())
            inside = inside and "END HIDDEN TESTS" not in line
    return found


def _hide_in_traceback(output: NotebookNode, hidden: set[str]) -> None:
    """Take the lines of hidden tests out of a traceback; of one that leads through them, leave that one failed.

    The message would tell of the hidden case as well: `assert square(3) == 9, "square(3) is 9"`.
    """
    lines = [line for part in output.traceback for line in part.splitlines()]
    shown = [_SHOWN.fullmatch(strip_ansi(line)) for line in lines]
    if any(match and match["arrow"] and match["code"].strip() in hidden for match in shown):
        output.evalue = HIDDEN_FAILED
        output.traceback = [f"{output.ename}: {HIDDEN_FAILED}"]
        return
    output.traceback = [
        line
        for line, match in zip(lines, shown)
        if (match["code"] if match else strip_ansi(line)).strip() not in hidden
    ]


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
