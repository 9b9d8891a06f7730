"""One answer cell put back as it was handed out, with the answer kept in a fold below it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from . import merging, place
from .cells import name_of
from .errors import FolderError


def reset(notebook: Path, name: str, handed_out: Path, today: Callable[[], date] = date.today) -> str:
    """Put an answer cell back as it was handed out, and return what the learner reads.

    Args:
        notebook: the learner's notebook.
        name: of the exercise or question.
        handed_out: the course's notebook of the same unit.
        today: tells the date.

    Raises:
        FolderError: there is no such answer cell, or a file cannot be read or written.
    """
    mine, course = (merging.read(path) for path in (notebook, handed_out))
    stubs = {name_of(cell): cell for cell in course.cells if merging.is_answer(cell)}
    if name not in stubs:
        raise FolderError(f"{notebook.stem} has no answer {name!r}; it has {', '.join(stubs)}")
    mine = merging.found_again(mine, [course])
    cell = next((one for one in mine.cells if name_of(one) == name), None)
    if cell is None:
        raise FolderError(f"the cell of {name} is not in {notebook}: `attention update` puts it back")
    stub = stubs[name]
    if cell.source == stub.source:
        return f"{name} is as it was handed out; nothing was changed."
    if not (merging.is_stub(stub) and stub.source.strip()):
        raise FolderError(f"the course's own notebook has an answer to {name}, so it cannot be put back from there")
    place_below = next(number for number, one in enumerate(mine.cells) if one is cell) + 1
    mine.cells.insert(place_below, _fold(cell, today()))
    cell.source, cell.cell_type = stub.source, stub.cell_type
    if stub.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    cell.metadata = copy.deepcopy(stub.metadata)
    cell.pop("attachments", None)
    merging.distinct_ids(mine.cells)
    place.write(notebook, (nbformat.writes(mine) + "\n").encode())
    return (
        f"{name} is as it was handed out. Your answer is in the fold below it.\n"
        "If the notebook is open in JupyterLab: choose File, Reload Notebook from Disk."
    )


def _fold(cell: NotebookNode, day: date) -> NotebookNode:
    """A folded cell of text with an answer in it."""
    fence = "````" if "```" in cell.source else "```"
    text = f"{fence}python\n{cell.source}\n{fence}" if cell.cell_type == "code" else cell.source
    fold: NotebookNode = nbformat.v4.new_markdown_cell(
        f"<details><summary>Your answer of {day.isoformat()}</summary>\n\n{text}\n\n</details>",
        id=f"before-{name_of(cell)}"[:64],
    )
    if cell.get("attachments"):
        fold["attachments"] = copy.deepcopy(cell["attachments"])
    return fold
