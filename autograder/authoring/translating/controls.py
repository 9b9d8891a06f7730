"""What stands beside the sliders and menus of a notebook: arguments and choices, code in its cells and words for its
reader."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import jupytext

from autograder import course

_WORD = re.compile(r"[A-Za-z][a-z]{2,}( [a-z]+)*")


def words(unit: str) -> Iterator[str]:
    """Return the words beside a unit's controls: those of its calls of `explore`."""
    path = course.ROOT / "solutions" / unit / f"{unit}.py"
    for cell in jupytext.read(path, fmt="py:percent").cells:
        if cell.cell_type == "code" and "explore(" in cell.source:
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "explore":
                    yield from filter(_WORD.fullmatch, _shown(node))


def _shown(call: ast.Call) -> Iterator[str]:
    for control in call.keywords:
        if control.arg is not None and control.arg != "start":
            yield control.arg
            for one in ast.walk(control.value):
                # A text that is typed is the learner's own; a list's entries and a dict's keys are a menu.
                listed = one.elts if isinstance(one, ast.List) else one.keys if isinstance(one, ast.Dict) else []
                yield from (key.value for key in listed if isinstance(key, ast.Constant) and isinstance(key.value, str))
