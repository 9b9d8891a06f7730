"""What an executed cell failed with, in one line: the error and the learner's own line."""

from __future__ import annotations

import re

from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

# IPython's arrow at the line that failed, and how Python places a syntax error.
_ARROW = re.compile(r"^-+> (\d+) (.*)$", re.MULTILINE)
_PLACE = re.compile(r"\s*\([^()]*, line (\d+)\)\s*$")
MOST = 300


def error_of(cell: NotebookNode) -> str:
    """Return the error that the cell ended with and its line, as "SyntaxError: invalid syntax, in line 2", or ""."""
    for output in cell.get("outputs", ()):
        if output.output_type != "error":
            continue
        value, place = strip_ansi(output.evalue), ""
        traceback = strip_ansi("\n".join(output.traceback))
        if found := _PLACE.search(value):
            value, place = value[: found.start()], f", in line {found[1]}"
        elif found := _ARROW.search(traceback):
            place = f", in line {found[1]}: {found[2].strip()[:100]}"
        return f"{output.ename}: {value}"[:MOST] + place
    return ""


def failed_cell(name: str, value: str) -> NotebookNode:
    """Return an error as output of a cell that did not come to its end."""
    return NotebookNode(output_type="error", ename=name, evalue=value, traceback=[f"{name}: {value}"])
