"""What feedback leaves out of a graded notebook: whatever could tell of hidden cases."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader import utils

from helpers.judging import catalog

HIDDEN_FAILED = "a hidden test failed"
# A line of code in IPython's traceback: `----> 3 assert square(3) == 9`, or `      4 ` before and after it.
_SHOWN = re.compile(r"(?P<arrow>-+>)?\s*\d+\s?(?P<code>.*)")


def hide(nb: NotebookNode, assignment: str) -> None:
    """Take out of a graded notebook what could tell of hidden cases: the hidden part of test cells, also where a
    traceback shows it, and a unit's own outputs.

    Of a unit's code cells only the judge's verdicts keep their output: the learner has the others at home. And where a
    check were hidden that the judge did not put off (see `judge_desk`), a later cell could print what it saw.
    """
    hidden = hidden_lines(nb)
    ours = assignment in catalog.units()
    for cell in nb.cells:
        if cell.cell_type != "code":
            continue
        if ours and not utils.is_grade(cell):
            cell.outputs = []
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                _hide_in_traceback(output, hidden)
        if "BEGIN HIDDEN TESTS" in cell.source:
            cell.source = "\n".join(line for line, inside in _lines(cell.source) if not inside)


def hidden_lines(nb: NotebookNode) -> set[str]:
    """Return the lines of all hidden tests of a notebook and the marks around them, without their indentation."""
    return {
        line.strip()
        for cell in nb.cells
        if cell.cell_type == "code" and "BEGIN HIDDEN TESTS" in cell.source
        for line, inside in _lines(cell.source)
        if inside and line.strip()
    }


def _lines(source: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it belongs to a hidden test or is a mark around one; one that does not end goes on to the
    end of the cell.
    """
    inside = False
    for line in source.split("\n"):
        inside = inside or "BEGIN HIDDEN TESTS" in line
        yield line, inside
        inside = inside and "END HIDDEN TESTS" not in line


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
