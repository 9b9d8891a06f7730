"""Puts the released cells of a submission back in order: each exactly once, locked ones as they were released."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry, Notebook, SourceCell
from nbgrader.preprocessors import NbGraderPreprocessor

from helpers import contents
from helpers.folder.recovery import fingerprint, plain, read_prose, recover, visible

from .intake import NOTES, new_cell
from .languages import keep_language, language_of, without_language


class RepairCells(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    """Repairs duplicated, missing, moved and altered released cells; cells that the learner added stay.

    0. A cell whose mark is gone is known by the function or class that it defines, the check that it calls, or, a
       written answer, by standing where it should (`recovery`).
    1. Of several cells with one grade_id the first counts; the others lose their mark and stay as plain cells.
    2. Type, lock, points and checksum of a released cell are those of the release, and a locked one's source too.
    3. Released cells stand in the released order, in the places that they take in the submission.
    4. A missing one is put back after the released cell before it.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            try:
                released = list(gradebook.find_notebook(names["notebook"], names["assignment"]).source_cells)
            except MissingEntry:
                return nb, resources
            roles = Roles.of(gradebook.find_notebook(names["notebook"], names["assignment"]))
            notes = repair(nb, released, roles, read_prose(self._source(names)))
        for note in notes:
            self.log.warning(note)
        if notes:
            told = nb.metadata.setdefault(NOTES, nbformat.from_dict({}))
            told["repaired"] = [*told.get("repaired", ()), *notes]
        return nb, resources

    def _source(self, names: dict[str, str]) -> Path | None:
        course = getattr(getattr(self.parent, "parent", None), "coursedir", None)
        if course is None:
            return None
        folder = course.format_path(course.source_directory, ".", names["assignment"])
        return Path(folder) / f"{names['notebook']}.ipynb"


@dataclass(frozen=True)
class Roles:
    """What nbgrader uses each released cell for: points of graded cells and of tasks, names of answers."""

    grades: dict[str, float]
    tasks: dict[str, float]
    answers: frozenset[str]

    @classmethod
    def of(cls, notebook: Notebook) -> Roles:
        return cls(
            {cell.name: float(cell.max_score) for cell in notebook.grade_cells},
            {cell.name: float(cell.max_score) for cell in notebook.task_cells},
            frozenset(cell.name for cell in notebook.solution_cells),
        )


def repair(nb: NotebookNode, released: Sequence[Any], roles: Roles, prose: frozenset[str] = frozenset()) -> list[str]:
    """Repair a notebook in place and return a sentence for each thing that was wrong.

    Args:
        nb: the notebook.
        released: the released cells in their order.
        roles: what each is used for.
        prose: the course's own text cells, by which a learner's are told from them (`recovery.read_prose`).
    """
    language, blanks = language_of(nb), contents.blanks()
    notes = recover(nb, released, roles.answers, prose)
    order = [cell.name for cell in released]
    by_name = {cell.name: cell for cell in released}
    found: dict[str, NotebookNode] = {}
    for cell in nb.cells:
        marks = cell.metadata.get("nbgrader")
        if marks is None:
            continue
        name = marks.get("grade_id")
        if name not in by_name or name in found:
            if name in found:
                notes.append(f"the cell {name} was there twice; the first one counts")
            cell.metadata.pop("nbgrader")
        else:
            found[name] = cell
    for name, cell in found.items():
        _restore(cell, by_name[name], roles, notes)
        if name in roles.answers and cell.cell_type == "markdown" and fingerprint(cell.source) in blanks:
            # Unanswered, in another language than the class's.
            cell.source = by_name[name].source or ""
    places = [i for i, cell in enumerate(nb.cells) if "nbgrader" in cell.metadata]
    sorted_names = [name for name in order if name in found]
    if [nb.cells[i].metadata.nbgrader["grade_id"] for i in places] != sorted_names:
        notes.append("released cells had been moved; they are back in their order")
        for place, name in zip(places, sorted_names):
            nb.cells[place] = found[name]
    place = 0
    for name in order:
        if name in found:
            place = next(i for i, cell in enumerate(nb.cells) if cell is found[name]) + 1
            continue
        notes.append(f"the cell {name} was missing; it was put back as released")
        cell = new_cell(by_name[name].cell_type, by_name[name].source or "", id=_free_id(name, nb))
        cell.metadata["nbgrader"] = nbformat.from_dict({"grade_id": name})
        _restore(cell, by_name[name], roles, [])
        nb.cells.insert(place, cell)
        place += 1
    keep_language(nb, language)
    return notes


def _free_id(name: str, nb: NotebookNode) -> str:
    """A cell id made from a grade_id: the same submission, the same graded notebook."""
    taken = {cell.get("id") for cell in nb.cells}
    stem = re.sub(r"[^A-Za-z0-9_-]", "-", name)[:56] or "cell"
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(one for one in names if one not in taken)


def _restore(cell: NotebookNode, source: SourceCell, roles: Roles, notes: list[str]) -> None:
    """Give a cell the released marks, and a locked one the released text."""
    if cell.cell_type != source.cell_type:
        notes.append(f"the cell {source.name} had another type; it is {source.cell_type} again")
        cell.cell_type = source.cell_type
        if source.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.pop("outputs", None)
            cell.pop("execution_count", None)
    if source.locked and cell.source != (source.source or ""):
        # The hidden tests come back this way in every submission, so this is told only for visible changes.
        told = (plain(without_language(one)) for one in (visible(source.source or ""), cell.source))
        if next(told) != next(told):
            notes.append(f"the locked cell {source.name} had been changed; it is as released")
        cell.source = source.source or ""
    marks = cell.metadata.nbgrader
    name = source.name
    marks.update(
        grade=name in roles.grades,
        solution=name in roles.answers,
        task=name in roles.tasks,
        cell_type=source.cell_type,
        schema_version=3,
    )
    marks.update(locked=bool(source.locked), checksum=source.checksum)
    marks.pop("points", None)
    if name in roles.grades or name in roles.tasks:
        marks["points"] = roles.grades.get(name, roles.tasks.get(name))
