"""Solutions to source notebooks to released notebooks, the same bytes every time.

Steps: read `solutions/<unit>/<unit>.py` (jupytext percent), stamp cell ids and the kernel, write
`source/<unit>/<unit>.ipynb`, then let nbgrader's generate_assignment take the solutions, hidden tests and
marking guides out and write `notebooks/<unit>/<unit>.ipynb`. The pictures in `solutions/<unit>/images/` go along;
nothing else that lies beside a source is ever handed out.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from autograder import course
from autograder.classroom.configuration import release_config
from autograder.course import CourseError
from helpers.folder.cells import TEXT_STUB
from helpers.folder.recovery import fingerprint
from helpers.language import ENGLISH

from .translating import catalogs
from .translating.notebooks import translated

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def source_notebook(unit: str, language: str = ENGLISH) -> NotebookNode:
    """Return a unit's source notebook: everything, with solutions and hidden tests.

    Args:
        unit: its name.
        language: what its learner reads, as "zh". A unit from another package is in the language that it is in.

    Raises:
        CourseError: the source cannot be read, two cells have one grade_id, or there is no such language.
    """
    path = course.home(unit).solutions / unit / f"{unit}.py"
    try:
        notebook: NotebookNode = jupytext.read(path, fmt="py:percent")
    except (OSError, ValueError, SyntaxError) as error:
        raise CourseError(f"{path}: cannot be read as a jupytext percent file: {error}") from error
    seen: set[str] = set()
    for position, cell in enumerate(notebook.cells):
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell["id"] = grade_id or f"cell-{position:03d}"
        if cell["id"] in seen:
            raise CourseError(f"{path}: two cells have the grade_id {grade_id!r}")
        seen.add(cell["id"])
        # Layout of the text source, of no meaning in a notebook.
        cell.metadata.pop("lines_to_next_cell", None)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    if unit in course.units():
        notebook = translated(notebook, unit, language)
    nbformat.validate(notebook)
    return notebook


def write_source(unit: str, folder: Path, language: str = ENGLISH) -> Path:
    """Write a unit's source notebook to `folder/<unit>/<unit>.ipynb` and return its path."""
    path = folder / unit / f"{unit}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = nbformat.writes(source_notebook(unit, language)) + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    copy_images(unit, path.parent)
    return path


def copy_images(unit: str, folder: Path) -> None:
    """Make `folder/images` what `solutions/<unit>/images` is; without pictures there is no such folder."""
    images = course.home(unit).solutions / unit / "images"
    if (folder / "images").is_dir():
        shutil.rmtree(folder / "images")
    if images.is_dir():
        shutil.copytree(images, folder / "images")


def build(
    units: Iterable[str],
    destination: Path | None = None,
    done: Callable[[str], None] = lambda unit: None,
    language: str = ENGLISH,
) -> list[Path]:
    """Write the released notebooks of the units and return their paths.

    Args:
        units: names of units.
        destination: folder for `<unit>/<unit>.ipynb`; `notebooks/` of the repository, or of the package that brings the
            unit, if None, and then the table of contents is written too.
        done: called with the name of each unit when it is written.
        language: what they are in; all but English lie in a folder of that name.
    """
    units = list(units)
    if destination is None:
        for home in dict.fromkeys(map(course.home, units)):
            text = contents_text(home)
            if not home.contents.is_file() or home.contents.read_text(encoding="utf-8") != text:
                home.contents.write_text(text, encoding="utf-8")
    written = []
    for unit in units:
        path = notebook_path(unit, language, destination)
        text = released_text(unit, language)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
        copy_images(unit, path.parent)
        written.append(path)
        done(unit)
    return written


def notebook_path(unit: str, language: str = ENGLISH, destination: Path | None = None) -> Path:
    """Return where a unit's released notebook lies."""
    folder = destination or course.home(unit).notebooks
    return (folder if language == ENGLISH else folder / language) / unit / f"{unit}.ipynb"


def contents_text(home: course.Home | None = None) -> str:
    """Return the text of the file with each unit's title, and its exercises and questions with their points.

    Args:
        home: of whose units; this course's own if None.

    Raises:
        CourseError: a source cannot be read.
    """
    contents = {}
    for unit in (*course.units(), *course.plugged()):
        if course.home(unit) != (home or course.home("")):
            continue
        cells = source_notebook(unit).cells
        blanks = _blanks(unit)
        title = next(
            (
                line[2:].strip()
                for cell in cells
                if cell.cell_type == "markdown"
                for line in cell.source.splitlines()
                if line.startswith("# ")
            ),
            unit,
        )
        graded = [(cell, cell.metadata["nbgrader"]) for cell in cells if cell.metadata.get("nbgrader", {}).get("grade")]
        tasks = [
            {
                "name": marks["grade_id"].removeprefix("test_"),
                "points": marks["points"],
                "written": cell.cell_type == "markdown",
                **({"question": _question(cell.source)} if cell.cell_type == "markdown" else {}),
                **({"blanks": blanks[cell.id]} if cell.id in blanks else {}),
            }
            for cell, marks in graded
        ]
        # A card has no typesetting, and needs none for the little that titles hold.
        contents[unit] = {"title": title.replace("^\\top", "ᵀ").replace("$", ""), "tasks": tasks}
    return json.dumps(contents, indent=1, ensure_ascii=False) + "\n"


_SOLUTION = re.compile(r"^### BEGIN SOLUTION.*?^### END SOLUTION", re.MULTILINE | re.DOTALL)


def _blanks(unit: str) -> dict[str, list[str]]:
    """What marks the unanswered cell of each question in each language, by the question's name."""
    found: dict[str, list[str]] = {}
    for language in (ENGLISH, *(catalogs.languages() if unit in course.units() else ())):
        for cell in source_notebook(unit, language).cells:
            if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("grade"):
                found.setdefault(cell.id, []).append(fingerprint(_SOLUTION.sub(TEXT_STUB, cell.source)))
    return found


# What a question's cell has beside the question: its heading, its minutes, and all that is for the marker.
_ASIDE = re.compile(
    r"### BEGIN SOLUTION.*?### END SOLUTION|^#[^\n]*$|^\*(?:Core|Extra), about \d+ minutes\.\*$",
    re.MULTILINE | re.DOTALL,
)
# TeX as a card shows it, which has no typesetting.
_TEX = (
    (r"\\sqrt\{([^}]*)\}", r"√\1"),
    (r"_\{([^}]*)\}", r"_\1"),
    (r"\$([^$]*)\$", r"\1"),
    (r"\*\*([^*]*)\*\*", r"\1"),
)


def _question(source: str) -> str:
    """Return what a written question asks, as plain text with its line breaks."""
    text = _ASIDE.sub("", source)
    for pattern, plain in _TEX:
        text = re.sub(pattern, plain, text)
    return text.strip()


def released_text(unit: str, language: str = ENGLISH) -> str:
    """Return the text of a unit's released notebook file.

    Raises:
        CourseError: nbgrader refuses the source; the message carries its reason.
    """
    # nbgrader pulls in its whole exchange and database layer, which only this needs.
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory

    config = release_config()
    config.SaveCells.enabled = False
    with tempfile.TemporaryDirectory(prefix="attention-build-") as folder:
        write_source(unit, Path(folder) / "source", language)
        config.CourseDirectory.root = folder
        config.CourseDirectory.assignment_id = unit
        errors = Errors()
        log = logging.Logger("attention-build")
        log.addHandler(errors)
        course_directory = CourseDirectory(config=config, log=log)
        converter = GenerateAssignment(coursedir=course_directory, config=config, log=log, no_database=True)
        try:
            converter.start()
        except NbGraderException as error:
            told = errors.messages[0].splitlines()[-1] if errors.messages else str(error)
            raise CourseError(f"{unit}: nbgrader does not take this source: {told}") from error
        text = (Path(folder) / "release" / unit / f"{unit}.ipynb").read_text(encoding="utf-8")
    written: str = nbformat.writes(nbformat.reads(text, as_version=4))
    return written + "\n"


class Errors(logging.Handler):
    """Keeps the error messages that nbgrader logs, for our own one-line report."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage().strip())


def clean(folder: Path) -> None:
    """Remove generated notebooks of units that are no longer there."""
    known = set(course.units())
    languages = catalogs.languages()
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir() and path.name.startswith("u") and path.name not in known:
            shutil.rmtree(path)
        elif path.name in languages:
            clean(path)
