"""A unit's page: what its learner is handed, with the figures that the solution drew, and no solution."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder import course
from autograder.authoring.building import notebook_path
from autograder.course import CourseError
from helpers.judging import catalog
from helpers.language import ENGLISH

from . import colab, executing, mistakes, pictures, words
from .place import Site

# From a unit's page to the folder above all languages.
UP = "../../"
_CHECK = "test_"
_PROGRESS = re.compile(r"^progress\(", re.MULTILINE)
_IMAGE = re.compile(r"!\[([^\]]*)\]\(images/([^)]+)\)")
_TITLE = re.compile(r"\A(# [^\n]+\n)")
_CODE = {"metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}}


def page(unit: str, language: str, site: Site) -> NotebookNode:
    """Return a unit's page as a notebook that Sphinx reads.

    Args:
        unit: its name.
        language: what the page is in.
        site: where pictures go, and how notebooks are opened.

    Raises:
        CourseError: the solution fails, a released notebook is missing, or a picture has no text.
    """
    path = notebook_path(unit, language)
    if not path.is_file():
        raise CourseError(f"{path} is not there: run `autograder build`")
    released = nbformat.read(path, as_version=4)
    outputs = {cell.id: cell.get("outputs", []) for cell in executing.executed(unit, language, site.kept).cells}
    exercises = catalog.unit_exercises(unit) if unit in catalog.units() else {}
    cells = []
    for cell in released.cells:
        cell.metadata = {}
        if cell.cell_type == "markdown":
            cell.source = _IMAGE.sub(lambda one: _image(unit, one, site), cell.source)
            cells.append(cell)
            continue
        checks = cell.id.startswith(_CHECK)
        # A check of the solution would show that it is right, and say nothing.
        shown = [] if checks or _PROGRESS.search(cell.source) else outputs.get(cell.id, [])
        where = f"{unit} ({language}), cell {cell.id}"
        cell.outputs = [one for output in shown for one in _output(output, site, where)]
        cells.append(cell)
        exercise = exercises.get(cell.id.removeprefix(_CHECK)) if checks else None
        if exercise is not None and exercise.mistakes:
            cells.append(new_markdown_cell(mistakes.fold(exercise)))
    cells[0].source = _TITLE.sub(lambda title: f"{title[1]}\n{_try_it(unit, language, site)}\n", cells[0].source)
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number:03d}"
    made: NotebookNode = new_notebook(cells=cells, **_CODE)
    return made


def first_pictures(notebook: NotebookNode) -> list[tuple[str, str]]:
    """Return for each output with a picture its file's name and what it shows."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            one = pictures.SHOWN.search(output.get("data", {}).get("text/html", ""))
            if one:
                found.append((one["name"], html.unescape(one["alt"])))
    return found


def _output(output: NotebookNode, site: Site, where: str) -> Iterator[NotebookNode]:
    """What a page shows of an output: text, or HTML whose pictures are files."""
    if output.output_type == "stream":
        yield nbformat.from_dict({"output_type": "stream", "name": "stdout", "text": output.text})
        return
    data = output.data
    if "text/html" in data:
        # A widget needs a kernel; what it shows beside it as HTML does not.
        kept = {"text/html": pictures.taken_out(data["text/html"], site.pictures, UP, where)}
    elif "text/plain" in data:
        kept = {"text/plain": data["text/plain"]}
    else:
        raise CourseError(f"{where}: an output that a page cannot show, {', '.join(data)}")
    yield nbformat.from_dict({"output_type": "display_data", "data": kept, "metadata": {}})


def _image(unit: str, found: re.Match[str], site: Site) -> str:
    """A picture that lies beside a unit's source, in the place of its markdown."""
    alt, name = found.groups()
    file = course.home(unit).solutions / unit / "images" / name
    return pictures.tag(alt, pictures.write(file.read_bytes(), site.pictures), UP)


def _try_it(unit: str, language: str, site: Site) -> str:
    """The line that says how the notebook is opened, and where else."""
    speaks = "" if language == ENGLISH else f" --language {language}"
    parts = [
        words.try_it(f"attention open {unit.split('_')[0]}{speaks}"),
        f"[{words.installing()}](../guides/learners.md).",
    ]
    if site.repository:
        binder, on_colab = words.online()
        released = notebook_path(unit, language, Path("notebooks")).as_posix()
        parts.append(f"[{binder}]({site.repository.binder(released)}).")
        if site.repository.host == "github.com":
            parts.append(f"[{on_colab}]({site.repository.colab(colab.place(unit, language))}).")
    return "> " + " ".join(parts)
