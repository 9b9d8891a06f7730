"""Catalogs: where the texts of each part of the course are, and their translations as gettext files.

`translations/<language>/notebooks/<unit>.po` has a notebook's texts, `exercises/<unit>.po` those of its exercises and
figures, `desk.po` those of checks, hints and practice, `pages.po` those of the guide and of feedback pages.
"""

from __future__ import annotations

import datetime
import functools
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jupytext
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from autograder import course
from autograder.course import CourseError
from helpers.practice.telling import of_nobody

from . import code, controls, prose, strings
from .strings import Text

ROOT = course.ROOT / "translations"
_GUESSED = {"python-format", "python-brace-format"}
_DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
# Rooms of `helpers` whose texts a learner meets. Words for terminals (`attention`, `autograder`) are English.
DESK = (
    "desk",
    "judging",
    "practice",
    "running",
    "training",
    "data.py",
    "text.py",
    "tolerance.py",
    "ablation.py",
    "memory.py",
)
# What results of several parts are called after the “Returns” of a reference, where that is more than a word.
RESULTS = {
    "u4_multi_head": ("weights of each head",),
    "u8_modern_attention": ("K of the new cache", "V of the new cache"),
    "u9_language_model": ("K of the new cache", "V of the new cache"),
}
# Pages for learners: markdown and templates.
PAGES = ("docs/learners.md",)
# A file of this name keeps a language from learners.
DRAFT = "DRAFT"
# Modules of the grader with words that a learner reads: feedback pages, the site.
PAGE_MODULES = (
    "marking/feedback_page.py",
    "marking/feedback_grades.py",
    "marking/late_rules.py",
    "marking/scoring.py",
    "site/words.py",
)


# What an instructor reads in the language of the class: the report's page, and the tables and figures in it.
REPORT = ("page.html", "graded_class.py", "statistics.py", "tables.py", "figures.py")
# Words of its modules that nobody reads: how a column or a figure is set.
_UNREAD = frozenset(
    (
        "text label number share signed GradeCell TaskCell xx report left edge facecolor edgecolor round,pad=0.15 "
        "data:image/svg+xml;base64,{decode}"
    ).split()
)
_FILLED = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class Part:
    """A part of the course that has a catalog of its own.

    Attributes:
        name: of its file, below the language's folder, without ".po".
        told: for a reader of the status.
    """

    name: str
    told: str


def parts() -> list[Part]:
    """Return the course's parts: notebooks, exercises and figures by unit, the desk, the pages."""
    units = course.units()
    return [
        *(Part(f"notebooks/{unit}", f"{unit}: notebook") for unit in units),
        *(Part(f"exercises/{unit}", f"{unit}: exercises and figures") for unit in units),
        Part("exercises/common", "exercises and figures, shared"),
        Part("desk", "checks, hints, practice, training"),
        Part("pages", "learners' guide"),
        Part("report", "report for instructors"),
    ]


def english(part: str) -> list[Text]:
    """Return the texts of a part in their order, each once.

    Raises:
        CourseError: a source cannot be read.
    """
    kind, _, unit = part.partition("/")
    found: Iterator[Text]
    if kind == "notebooks":
        found = _notebook(unit)
    elif kind == "exercises":
        found = _exercises(unit)
    elif kind == "desk":
        found = _desk()
    elif kind == "pages":
        found = _pages()
    elif kind == "report":
        found = _report()
    else:
        raise CourseError(f"there is no part {part!r}; the parts are {', '.join(one.name for one in parts())}")
    once: dict[str, Text] = {}
    for text in found:
        once.setdefault(text.text, text)
    return list(once.values())


def _notebook(unit: str) -> Iterator[Text]:
    path = course.ROOT / "solutions" / unit / f"{unit}.py"
    for number, cell in enumerate(jupytext.read(path, fmt="py:percent").cells):
        marks = cell.metadata.get("nbgrader", {})
        where = (marks.get("grade_id") or f"cell-{number:03d}", 0)
        if cell.cell_type == "markdown":
            yield from (Text(text, False, where) for text in prose.texts(cell.source))
        elif cell.cell_type == "code":
            places = sorted(code.places(cell.source, strings=not marks), key=lambda place: place.start)
            yield from (Text(place.text, place.template, where) for place in places)


def _exercises(unit: str) -> Iterator[Text]:
    helpers = course.ROOT / "src" / "helpers"
    for room in ("exercises", "plots"):
        if unit == "common":
            yield from _modules(sorted((helpers / room).glob("[!u]*.py")))
        else:
            alone = helpers / room / f"{unit}.py"
            yield from _modules(([alone] if alone.is_file() else []) + sorted((helpers / room / unit).rglob("*.py")))
    if unit != "common":
        yield from (Text(one, False, ("controls", 0)) for one in controls.words(unit))
    yield from (Text(one, False, ("results", 0)) for one in RESULTS.get(unit, ()))
    contents = json.loads((helpers / "contents.json").read_text(encoding="utf-8")).get(unit, {})
    for text in [contents.get("title"), *(task.get("question") for task in contents.get("tasks", []))]:
        if text:
            yield from (Text(one, False, ("contents.json", 0)) for one in text.split("\n\n"))


def _desk() -> Iterator[Text]:
    texts = list(_modules([path for name in DESK for path in _python(name)]))
    yield from texts
    # What the judge says to the writer of an answer, practice says of a version that nobody wrote.
    for text in texts:
        if (plain := of_nobody(text.text)) != text.text and text.where[0].startswith(("judging", "running")):
            yield Text(plain, text.template, text.where)


def _modules(paths: list[Path]) -> Iterator[Text]:
    helpers = course.ROOT / "src" / "helpers"
    for path in paths:
        name = path.relative_to(helpers).as_posix()
        yield from strings.texts(path, name, words=name.startswith("plots"))


def _python(name: str) -> list[Path]:
    path = course.ROOT / "src" / "helpers" / name
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def _pages() -> Iterator[Text]:
    for name in PAGES:
        for text in prose.texts((course.ROOT / name).read_text(encoding="utf-8")):
            yield Text(text, False, (name, 0))
    for name in PAGE_MODULES:
        yield from strings.texts(course.ROOT / "autograder" / name, name, words=True)


def _report() -> Iterator[Text]:
    for name in REPORT:
        path = course.ROOT / "autograder" / "report" / name
        if path.suffix == ".py":
            yield from (one for one in strings.texts(path, name, words=True) if one.text not in _UNREAD)
            continue
        with path.open("rb") as file:
            options = {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true"}
            for line, _, told, _ in babel_extract(file, ("_", "gettext", "ngettext"), (), options):
                for text in (told,) if isinstance(told, str) else told or ():
                    if text:
                        plain = _FILLED.sub(r"{\1}", text).replace("%%", "%")
                        yield Text(plain, plain != text, (name, line))


def languages(drafts: bool = False) -> list[str]:
    """Return the languages that the course is written in beside English, by the names of their folders.

    Args:
        drafts: also those that are being written: a file DRAFT in the folder keeps them from learners.
    """
    folders = sorted(path for path in ROOT.iterdir() if path.is_dir()) if ROOT.is_dir() else []
    return [path.name for path in folders if drafts or not (path / DRAFT).is_file()]


def begin(language: str) -> None:
    """Make the folder of a language that has none, as a draft."""
    folder = ROOT / language
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / DRAFT).write_text(
            "Nothing is built of a language while this file is here: remove it when nothing of it is open.\n",
            encoding="utf-8",
        )


def path_of(language: str, part: str) -> Path:
    """Return where a catalog lies."""
    return ROOT / language / f"{part}.po"


def template(part: str) -> Catalog:
    """Return a part's texts as a catalog without translations."""
    catalog = Catalog(fuzzy=False, charset="utf-8")
    for text in english(part):
        catalog.add(text.text, locations=[text.where])
    return catalog


def read(language: str, part: str) -> Catalog:
    """Return a language's catalog of a part; an empty one where there is none yet.

    Raises:
        CourseError: the file is no gettext catalog.
    """
    path = path_of(language, part)
    if not path.is_file():
        return Catalog(locale=language, charset="utf-8", fuzzy=False)
    try:
        with path.open("rb") as file:
            return read_po(file, locale=language, abort_invalid=True)
    except (ValueError, OSError) as error:
        raise CourseError(f"{path} cannot be read as a gettext catalog: {error}") from error


def update(language: str, part: str) -> Catalog:
    """Bring a language's catalog to today's English: what changed is marked fuzzy, what is gone is left out.

    Returns:
        the catalog, which is written to its file.
    """
    catalog = read(language, part)
    catalog.update(template(part), no_fuzzy_matching=False, update_header_comment=False)
    catalog.obsolete.clear()
    write(language, part, catalog)
    return catalog


def write(language: str, part: str, catalog: Catalog) -> None:
    """Write a catalog, the same bytes for the same texts."""
    path = path_of(language, part)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalog.header_comment = f"# The course Attention in {catalog.locale.english_name if catalog.locale else language}."
    catalog.project, catalog.version = "attention-course", "0"
    # The day of a run would make another file of the same texts.
    catalog.creation_date = catalog.revision_date = _DAY
    catalog.last_translator, catalog.language_team = "", language
    catalog.msgid_bugs_address = ""
    gaps = {text.text for text in english(part) if text.template}
    for message in catalog:
        # Babel guesses from the look of a text, and formulas have braces too.
        message.flags.difference_update(_GUESSED)
        if message.id in gaps:
            message.flags.add("python-brace-format")
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=0, omit_header=False, sort_by_file=False, include_lineno=False)
    path.write_bytes(buffer.getvalue())


@functools.cache
def translations(language: str, part: str) -> dict[str, str]:
    """Return a part's translations by their English; what is empty or fuzzy is left out."""
    return {
        str(message.id): str(message.string)
        for message in read(language, part)
        if message.id and message.string and not message.fuzzy
    }
