"""A learner's answer cells: read from the class folder and parsed, whatever is in them."""

from __future__ import annotations

import ast
import json
import logging
import stat
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.sandbox.limits import Limits

from .classroom import Classroom

MOST_CHARACTERS = 20_000
_MARKS = ("### BEGIN SOLUTION", "### END SOLUTION")


class Answers:
    """Reads the code answers of a class, each notebook once.

    Args:
        classroom: the class.
    """

    def __init__(self, classroom: Classroom) -> None:
        folders = classroom.directory(logging.getLogger("attention"))
        self._root = classroom.root
        self._handed_in = (folders.autograded_directory, folders.submitted_directory)
        self._source, self._release = folders.source_directory, folders.release_directory
        self._read: dict[tuple[str, str], dict[str, str]] = {}
        self._names: dict[str, tuple[str, ...]] = {}

    def of(self, unit: str, student: str) -> dict[str, str]:
        """Return a student's answers, exercise → code: from the graded notebook, else from the submitted one, else
        none.
        """
        if (unit, student) not in self._read:
            # A student's id is a folder's name and nothing else.
            folders = self._handed_in if Path(student).name == student else ()
            found = (self._cells(folder, student, unit) for folder in folders)
            self._read[unit, student] = _answers(next(filter(None, found), []))
        return self._read[unit, student]

    def released(self, unit: str) -> dict[str, str]:
        """Return what stands in the answer cells of the released notebook."""
        return _answers(self._cells(self._release, ".", unit))

    def solutions(self, unit: str) -> dict[str, str]:
        """Return the course's own answers."""
        found = _answers(self._cells(self._source, ".", unit))
        return {
            name: "\n".join(line for line in code.splitlines() if line.strip() not in _MARKS)
            for name, code in found.items()
        }

    def course_text(self, unit: str) -> str:
        """Return all text of the unit's source, which holds nothing of any student's."""
        return "\n".join(cell.source for cell in self._cells(self._source, ".", unit))

    def order(self, unit: str) -> dict[str, int]:
        """Return the place of each marked cell in the unit: grade_id → position."""
        cells = self._cells(self._source, ".", unit) or self._cells(self._release, ".", unit)
        return {cell.name: place for place, cell in enumerate(cells) if cell.name}

    def _cells(self, folder: str, student: str, unit: str) -> list[_Cell]:
        names = self._notebooks(unit)
        cells = []
        for name in names:
            found = _read(self._root / folder / student / unit / f"{name}.ipynb")
            cells += [replace(cell, name=in_notebook(cell.name, name, names)) for cell in found]
        return cells

    def _notebooks(self, unit: str) -> tuple[str, ...]:
        """The names of the notebooks that were released."""
        if unit not in self._names:
            folders = (self._root / kind / "." / unit for kind in (self._source, self._release))
            found = (sorted(path.stem for path in folder.glob("*.ipynb")) for folder in folders)
            self._names[unit] = tuple(next(filter(None, found), [unit]))
        return self._names[unit]


def in_notebook(cell: str, notebook: str, notebooks: Sequence[str]) -> str:
    """Return the name of a cell by which it is known among all of an assignment: of several notebooks two may have a
    cell of one name.
    """
    return f"{notebook}/{cell}" if cell and len(notebooks) > 1 else cell


@dataclass(frozen=True)
class _Cell:
    """What matters here of a cell: its grade_id or "", whether it is an answer in code, its text."""

    name: str
    answer: bool
    source: str


def _read(path: Path) -> list[_Cell]:
    """The cells of a file that may be anything; none where it is no notebook.

    Validating it as nbformat does would take a hundred times as long.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or path.stat().st_size > Limits.notebook_bytes.default_value:
            return []
        tree = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    cells = tree.get("cells") if isinstance(tree, dict) else None
    found = []
    for cell in cells if isinstance(cells, list) else ():
        if isinstance(cell, dict):
            metadata = cell.get("metadata")
            marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
            marks = marks if isinstance(marks, dict) else {}
            source, name = cell.get("source"), marks.get("grade_id")
            source = "".join(part for part in source if isinstance(part, str)) if isinstance(source, list) else source
            if isinstance(source, str):
                text = source.encode("utf-8", "replace").decode("utf-8")
                found.append(
                    _Cell(
                        name if isinstance(name, str) else "",
                        cell.get("cell_type") == "code" and marks.get("solution") is True,
                        text,
                    )
                )
    return found


def _answers(cells: list[_Cell]) -> dict[str, str]:
    return {cell.name: cell.source for cell in reversed(cells) if cell.answer and cell.name}


def parse(code: str) -> ast.Module | None:
    """Return the syntax tree of an answer without comments and bare strings (docstrings among them), or None if it is
    no Python.

    IPython's own lines (`%magic`, `!command`) are left out. Code too long or too deep to be an answer is none.
    """
    if len(code) > MOST_CHARACTERS:
        return None
    lines = ["" if line.lstrip().startswith(("%", "!", "?")) else line for line in code.splitlines()]
    try:
        with warnings.catch_warnings():
            # "\d" in a learner's text is remarked on by the parser; it is no concern here.
            warnings.simplefilter("ignore")
            tree = ast.parse("\n".join(lines))
        for node in ast.walk(tree):
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list):
                    kept = [
                        one
                        for one in block
                        if not (
                            isinstance(one, ast.Expr)
                            and isinstance(one.value, ast.Constant)
                            and isinstance(one.value.value, str)
                        )
                    ]
                    setattr(node, name, kept or ([ast.Pass()] if block and not isinstance(node, ast.Module) else []))
        return tree
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
