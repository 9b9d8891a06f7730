"""Cells of a notebook's file: their text, nbgrader's marks, and which unit and answers they are."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any

from helpers.judging import catalog

MB = 2**20
# A larger notebook is not read, here or by the grader.
MOST_NOTEBOOK = 20 * MB
# What stands in a released notebook where an answer in words goes.
TEXT_STUB = "*Your answer goes here.*"
_LEFT = re.compile(r"^\s*raise\s+NotImplementedError\b", re.MULTILINE)
_CHECK = re.compile(r"^\s*check\(\s*(\w+)", re.MULTILINE)
TEST = "test_"
# Where a notebook's metadata has what a class set for its learners.
KEY = "attention"


def text_of(cell: dict[str, Any]) -> str:
    """Return the text of a cell as a file has it, in one piece or in lines."""
    source = cell.get("source", "")
    if isinstance(source, list):
        return "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def marks_of(cell: dict[str, Any]) -> dict[str, Any]:
    """Return nbgrader's marks of a cell, none if it has none."""
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return marks if isinstance(marks, dict) else {}


def name_of(cell: dict[str, Any]) -> str:
    """Return a cell's grade_id, or ""."""
    name = marks_of(cell).get("grade_id")
    return name if isinstance(name, str) else ""


def left_open(text: str) -> bool:
    """Whether code still raises NotImplementedError."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Magics and half-written code: look at the lines.
        return _LEFT.search(text) is not None
    raised = (node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise))
    return any(
        isinstance(what := exc.func if isinstance(exc, ast.Call) else exc, ast.Name)
        and what.id == "NotImplementedError"
        for exc in raised
    )


def unit_of(cells: Sequence[dict[str, Any]], stem: str = "") -> str | None:
    """Return the unit whose exercises the cells name, by their marks or by the checks that they call.

    Args:
        cells: the cells of a notebook.
        stem: the notebook's name, which counts only where the cells agree.
    """
    named = {name_of(cell).removeprefix(TEST) for cell in cells} - {""}
    for cell in cells:
        if cell.get("cell_type") == "code":
            named.update(_CHECK.findall(text_of(cell)))
    found = {unit: len(named & catalog.exercise_names(unit)) for unit in catalog.units()}
    best = max(found, key=lambda unit: (found[unit], unit == stem), default=None)
    if stem in found and found[stem]:
        best = stem
    return best if best is not None and found[best] else None
