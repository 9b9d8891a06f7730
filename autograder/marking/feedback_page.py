"""The feedback page of one graded notebook: its exercises with their points, then the notebook with verdicts and
comments.

A page is made in two steps. `draft` needs the graded notebook alone, so whoever has just graded it does it: cells are
rendered, and what is the same in all notebooks of a unit only once. `Draft.page` puts in what the gradebook says. The
same notebook and the same points make the same page, byte for byte, whoever makes it.

No script is in a page, and its policy lets none run. Nothing in it comes from another host but pictures that a text
names by such an address.
"""

from __future__ import annotations

import functools
import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from pygments.formatters import HtmlFormatter

from helpers.folder.cells import TEST
from helpers.language import ENGLISH, speaking, told, told_html

from . import formulas
from .cell_html import code, output
from .feedback_grades import Grades, Points
from .hiding import hide
from .languages import language_of
from .markdown import render
from .shortening import shorten

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src 'self' data: https:",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
_STYLES = Path(__file__).parent / "templates" / "feedback" / "page.css"
_UP = ' <a class="up" href="#top">(to the top)</a>'


@dataclass(frozen=True)
class Exercise:
    """A cell that gives points.

    Attributes:
        cell: its grade_id.
        name: what the page calls it.
        answer: the grade_id of the cell with the comment on it.
    """

    cell: str
    name: str
    answer: str


@dataclass(frozen=True)
class Place:
    """Where something from the gradebook goes: the points of a cell, or the comment on it."""

    cell: str
    comment: bool = False


@dataclass(frozen=True)
class Draft:
    """A page but for what the gradebook says.

    Attributes:
        title: the notebook's name.
        exercises: what its index lists.
        parts: the cells as HTML, and the places between.
        comments: comments that are likely to be in the gradebook, by text, as HTML.
        language: what the page's own words are in.
        assignment: whose notebook it is.
    """

    title: str
    exercises: tuple[Exercise, ...]
    parts: tuple[str | Place, ...]
    comments: Mapping[str, str] = field(default_factory=dict)
    language: str = ENGLISH
    assignment: str = ""

    def page(self, grades: Grades) -> str:
        """Return the whole page with these points and comments."""
        with speaking(self.language, self.assignment):
            return self._page(grades)

    def _page(self, grades: Grades) -> str:
        title = html.escape(self.title)
        rule = f": {grades.late_told}" if grades.late_told else ""
        taken = f"-{number(grades.late_penalty)}" if grades.late_penalty > 0 else "0"
        rows = "".join(_row(one, grades) for one in self.exercises)
        late = (
            told_html(f'<tr class="late-penalty"><td>Handed in late{html.escape(rule)}</td>')
            + f'<td class="points">{taken}</td><td></td><td></td></tr>\n'
            if grades.late_penalty > 0 or rule
            else ""
        )
        return "".join(
            (
                _head(title, self.language),
                told_html(f"<h1>{title}: {number(grades.score)} of {number(grades.most)} points</h1>\n"),
                '<table id="index">\n',
                told_html('<tr><th>Exercise</th><th class="points">Points</th><th class="points">of</th>'),
                f'<th></th></tr>\n{rows}{late}</table>\n</header>\n<main id="notebook">\n',
                *(part if isinstance(part, str) else self._filled(part, grades) for part in self.parts),
                "</main>\n</body>\n</html>\n",
            )
        )

    def _filled(self, place: Place, grades: Grades) -> str:
        if not place.comment:
            points = grades.points.get(place.cell)
            return _points(points) if points is not None else ""
        text = grades.comments.get(place.cell)
        if text is None:
            return ""
        # The grader's own words are the course's; a person's stay as they are.
        shown = render(text) if place.cell in grades.by_hand else self.comments.get(text) or render(told(text))
        return f'<div class="comment">{told_html("<b>Comment:</b>")} {shown}</div>\n'


def draft(nb: NotebookNode, assignment: str, notebook: str, comments: Iterable[str] = ()) -> Draft:
    """Return the page of a graded notebook but for what the gradebook says.

    Args:
        nb: the graded notebook; it is cut and what is hidden goes from it.
        assignment: the assignment that it belongs to.
        notebook: its name.
        comments: comments that are likely to be in the gradebook.
    """
    hide(nb, assignment)
    shorten(nb)
    written = nb.metadata.get("language_info", {})
    lexer = written.get("pygments_lexer") or written.get("name") or "ipython3"
    exercises, parts = [], list[str | Place]()
    language = language_of(nb)
    with speaking(language, assignment):
        for cell in nb.cells:
            if utils.is_grade(cell) or utils.is_task(cell):
                exercises.append(_exercise(cell.metadata.nbgrader))
            parts += _cell(cell, lexer)
    with speaking(language, assignment):
        likely = {text: render(told(text)) for text in comments}
    return Draft(notebook, tuple(exercises), tuple(_joined(parts)), likely, language, assignment)


def draft_of(text: str, assignment: str, notebook: str) -> Draft:
    """Return the page of a graded notebook's text but for what the gradebook says."""
    return draft(nbformat.reads(text, as_version=4), assignment, notebook)


def number(value: float) -> str:
    """Return points as people write them, with at most two decimals."""
    return f"{round(float(value), 2):g}"


def _exercise(marks: NotebookNode) -> Exercise:
    cell = marks.grade_id
    answer = cell.removeprefix(TEST)
    written = marks.get("solution") or marks.get("task")
    return Exercise(cell, answer.replace("_", " ") if written else answer, cell if written else answer)


def _row(one: Exercise, grades: Grades) -> str:
    points = grades.points.get(one.cell, Points(0.0, 0.0))
    anchor, answer = html.escape(one.cell), html.escape(f"comment-{one.answer}")
    comment = told_html(f'<a href="#{answer}">with a comment</a>') if one.answer in grades.comments else ""
    score = told("not graded yet") if points.waits else number(points.score)
    return (
        f'<tr><td><a href="#{anchor}">{html.escape(one.name)}</a></td><td class="points">{score}</td>'
        f'<td class="points">{number(points.most)}</td><td>{comment}</td></tr>\n'
    )


def _points(points: Points) -> str:
    if points.waits:
        return f"not graded yet, {number(points.most)} points"
    return f"{number(points.score)} of {number(points.most)} points"


def _cell(cell: NotebookNode, lexer: str) -> Iterator[str | Place]:
    """A cell as HTML with its places."""
    marks = cell.metadata.get("nbgrader", {})
    solution, task, grade = (bool(marks.get(kind)) for kind in ("solution", "task", "grade"))
    yield '<div class="cell">\n'
    if not (solution or task or grade):
        yield from _content(cell, lexer)
    else:
        name = html.escape(marks["grade_id"])
        points, comment = grade or task, solution or task
        yield f'<section class="graded" id="{name}">\n' if points else '<section class="graded">\n'
        yield f'<div class="what" id="comment-{name}">' if comment else '<div class="what">'
        if comment:
            yield told_html("<b>Your task</b>" if task else "<b>Your answer</b>")
        else:
            yield f"<b>{told('Check of')} <code>{html.escape(marks['grade_id'].removeprefix(TEST))}</code></b>"
        yield "<span>"
        if points:
            yield Place(marks["grade_id"])
        yield f'{told_html(_UP)}</span></div>\n<div class="work">\n'
        yield from _content(cell, lexer)
        yield "</div>\n"
        if comment:
            yield Place(marks["grade_id"], comment=True)
        yield "</section>\n"
    yield "</div>\n"


def _content(cell: NotebookNode, lexer: str) -> Iterator[str]:
    if cell.cell_type == "markdown":
        yield f'<div class="prose">{render(cell.source, cell.get("attachments"))}</div>\n'
    elif cell.cell_type == "code":
        if cell.source.strip():
            yield code(cell.source, lexer)
        for one in cell.get("outputs", ()):
            yield output(one)
    else:
        yield f"<pre>{html.escape(cell.source)}</pre>\n"


def _joined(parts: list[str | Place]) -> Iterator[str | Place]:
    """The parts, texts that follow each other put together."""
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        yield "".join(texts)
        texts.clear()
        yield part
    yield "".join(texts)


@functools.lru_cache(maxsize=16)
def _head(title: str, language: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{_styles()}</style>\n</head>\n"
        '<body>\n<header id="top">\n'
    )


@functools.cache
def _styles() -> str:
    return (
        f"{_colours('default')}\n@media screen and (prefers-color-scheme: dark) {{\n{_colours('github-dark')}\n}}\n"
        f"{_STYLES.read_text(encoding='utf-8')}{formulas.CSS}"
    )


def _colours(style: str) -> str:
    """The colours of code; pygments' own has rules for the whole page beside them."""
    rules = HtmlFormatter(style=style).get_style_defs(".highlight").splitlines()
    return "\n".join(rule for rule in rules if rule.startswith(".highlight"))
