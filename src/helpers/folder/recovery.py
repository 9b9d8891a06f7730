"""Finds released cells that have lost nbgrader's mark, and written answers that were typed into a new cell.

Other editors drop the metadata of cells, and so does copy and paste. What is lost is found again by what cannot be: a
check by the name that it calls, an answer by the function or class that it defines, a written answer by its place
between the cells that are known. Nothing here gives points: the text is the learner's own, and the checks come back as
released.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

_CHECK = re.compile(r"^\s*check\(\s*([\w.]+)", re.MULTILINE)
_DEFINED = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)", re.MULTILINE)


def plain(source: str) -> str:
    """Return a text without what editors change of themselves: ends of lines, spaces before them, blank last lines."""
    return "\n".join(line.rstrip() for line in source.splitlines()).strip("\n")


def fingerprint(source: str) -> str:
    """Return what tells one cell's text from another, whatever an editor has changed of itself."""
    return hashlib.sha256(plain(source).encode()).hexdigest()[:16]


def visible(source: str) -> str:
    """Return a cell's source as it was handed out: without hidden tests and mark scheme."""
    lines, hidden = [], False
    for line in source.split("\n"):
        if "BEGIN HIDDEN TESTS" in line or "BEGIN MARK SCHEME" in line:
            hidden = True
        elif "END HIDDEN TESTS" in line or "END MARK SCHEME" in line:
            hidden = False
        elif not hidden:
            lines.append(line)
    return "\n".join(lines)


def read_prose(source: Path | None) -> frozenset[str]:
    """Return the text cells of a unit that are no answers, from its source notebook; none when it is not there."""
    try:
        notebook = nbformat.read(source, as_version=4) if source is not None else None
    except (OSError, ValueError):
        return frozenset()
    cells = notebook.cells if notebook is not None else ()
    return frozenset(
        plain(cell.source) for cell in cells if "nbgrader" not in cell.metadata and cell.cell_type != "code"
    )


def recover(nb: NotebookNode, released: Sequence[Any], answers: AbstractSet[str], prose: AbstractSet[str]) -> list[str]:
    """Mark what is found again in a notebook, in place, and return a sentence for each.

    Args:
        nb: the notebook.
        released: the released cells in their order: name, cell_type, source.
        answers: names of those that are answers.
        prose: the course's own text cells; where there are none, no written answer is looked for.
    """
    found = {name for cell in nb.cells if (name := _name(cell))}
    lost = [one for one in released if one.name not in found]
    notes = []
    for one in lost:
        if one.cell_type == "code" and (cell := _code(nb, one, one.name in answers)) is not None:
            _mark(cell, one.name)
            notes.append(one.name)
    told = (
        [f"the marks of {', '.join(notes)} were gone; found again by what the cells define and check"] if notes else []
    )
    for one in released:
        if one.cell_type == "markdown" and one.name in answers and prose:
            told += _written(nb, one, released, prose)
    return told


def _name(cell: NotebookNode) -> str:
    marks = cell.metadata.get("nbgrader")
    name = marks.get("grade_id") if marks else None
    return name if isinstance(name, str) else ""


def _mark(cell: NotebookNode, name: str) -> None:
    cell.metadata["nbgrader"] = nbformat.from_dict({"grade_id": name, "schema_version": 3})


def _code(nb: NotebookNode, one: Any, is_answer: bool) -> NotebookNode | None:
    """The unmarked code cell that a released one was: the same text, the same check, or the same definitions."""
    free = [cell for cell in nb.cells if cell.cell_type == "code" and "nbgrader" not in cell.metadata]
    text = plain(visible(one.source or ""))
    if not is_answer:
        same = [cell for cell in free if plain(cell.source) == text]
        calls = set(_CHECK.findall(text))
        return next(iter(same or [cell for cell in free if calls and calls <= set(_CHECK.findall(cell.source))]), None)
    defines = set(_DEFINED.findall(text))
    own = [cell for cell in free if defines and defines <= set(_DEFINED.findall(cell.source))]
    # Of several, the one that Jupyter would use: the last; but an answer before an untouched stub.
    return next(iter([cell for cell in reversed(own) if plain(cell.source) != text] or own), None)


def _written(nb: NotebookNode, one: Any, released: Sequence[Any], prose: AbstractSet[str]) -> list[str]:
    """Find a written answer that is lost, or that was typed into new cells below the untouched one."""
    stub = plain(visible(one.source or ""))
    marked = next((cell for cell in nb.cells if _name(cell) == one.name), None)
    if marked is None:
        before, after = _neighbours(nb, one, released)
        gap = nb.cells[before:after]
        untouched = next((cell for cell in gap if plain(cell.source) == stub and "nbgrader" not in cell.metadata), None)
        if untouched is not None:
            _mark(untouched, one.name)
            marked = untouched
    else:
        gap = []
    if marked is not None:
        if plain(marked.source) != stub:
            return []
        start = next(place for place, cell in enumerate(nb.cells) if cell is marked) + 1
        gap = []
        for cell in nb.cells[start:]:
            # Up to the course's next cell, or code.
            if cell.cell_type == "code" or "nbgrader" in cell.metadata or plain(cell.source) in prose:
                break
            gap.append(cell)
    own = [
        cell
        for cell in gap
        if cell.cell_type != "code"
        and "nbgrader" not in cell.metadata
        and plain(cell.source).strip()
        and plain(cell.source) not in prose
    ]
    if not own:
        return []
    text = "\n\n".join(cell.source for cell in own)
    kept = marked if marked is not None else own[0]
    pictures = {name: data for cell in own for name, data in cell.get("attachments", {}).items()}
    kept.source, kept.cell_type = text, "markdown"
    if pictures:
        kept["attachments"] = nbformat.from_dict(pictures)
    _mark(kept, one.name)
    gone = [cell for cell in own if cell is not kept]
    nb.cells = [cell for cell in nb.cells if not any(cell is one for one in gone)]
    where = "a new cell below the untouched one" if marked is not None else "a cell without its mark"
    return [f"the answer to {one.name} stood in {where}; a person looks at it"]


def _neighbours(nb: NotebookNode, one: Any, released: Sequence[Any]) -> tuple[int, int]:
    """The places between which a lost cell stood: after the known released cell before it, up to the next known."""
    order = {cell.name: place for place, cell in enumerate(released)}
    places = [(order[name], place) for place, cell in enumerate(nb.cells) if (name := _name(cell)) in order]
    before = max((place + 1 for rank, place in places if rank < order[one.name]), default=0)
    after = min((place for rank, place in places if rank > order[one.name] and place >= before), default=len(nb.cells))
    return before, after
