"""The report as one page that needs nothing else, and as CSV files."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import markupsafe

from autograder.classroom.answers import Answers
from autograder.classroom.classroom import Classroom
from autograder.lms.exporting import term_total
from autograder.lms.term_totals import Rules
from autograder.report import figures, statistics, tables
from helpers.language import speaking, spoken, told

from . import lookalikes
from .examples import Anonymous
from .graded_class import GradedClass, Unit, gather, restricted

if TYPE_CHECKING:
    from autograder.grading import Result

MOST_EXAMPLES, MOST_TAUGHT, MOST_ROWS, MOST_PAIRS = 12, 8, 60, 10
_BACKTICKS = re.compile(r"`([^`]+)`")
# Columns with sentences of the course, of which names of students are none.
SAYINGS = ("state", "reason", "why", "note", "what", "mistake", "hint")
CSV = ("grades", "totals", "exercises", "mistakes", "help", "by_hand", "not_gradable", "notes", "missing", "lookalikes")


@dataclass(frozen=True)
class UnitPart:
    """What the page shows of one unit."""

    unit: Unit
    spread: statistics.Spread
    histogram: figures.Drawn | None
    ends: figures.Drawn | None
    exercises: tables.Table
    mistakes: list[tuple[statistics.MistakeLine, str]]
    waiting: int


def write(
    classroom: Classroom,
    results: Iterable[Result] = (),
    folder: Path | None = None,
    look_alikes: bool = False,
    students: list[str] | None = None,
) -> Path:
    """Write the report on the whole class and return the page's path.

    Args:
        classroom: the class; everything is read from its folder and its gradebook.
        results: of the grading that has just ended; their outcomes count instead of the kept ones.
        folder: where `report.html` and the CSV files go; None takes `report` in the class folder, and for some students
            `chosen` in that, so that the report on the class stays.
        look_alikes: also look for look-alike answers.
        students: only on these.

    Raises:
        CourseError: the gradebook cannot be read, or nobody is known by the id of one of the students.
    """
    answers = Answers(classroom)
    graded = gather(classroom, answers, [result.outcome for result in results])
    if students:
        graded = restricted(graded, students)
    pairs = [pair for unit in graded.units for pair in _pairs(unit, answers)] if look_alikes else None
    if folder is None:
        folder = classroom.root / "report" / "chosen" if students else classroom.root / "report"
    folder.mkdir(parents=True, exist_ok=True)
    exercises = [statistics.exercises(unit) for unit in graded.units]
    mistakes = statistics.mistakes(graded.units)
    found = {
        "grades": tables.grades(graded),
        "exercises": tables.all_exercises(graded.units, exercises),
        "mistakes": tables.mistakes(mistakes),
        "help": tables.help_needed(statistics.needing_help(graded)),
        "by_hand": tables.by_hand(graded.units),
        "not_gradable": tables.not_gradable(graded.units),
        "notes": tables.notes(graded.units),
        "missing": tables.missing(graded.units),
    }
    if Rules.of(classroom.config).weights:
        with classroom.gradebook() as gradebook:
            found["totals"] = tables.totals(graded, term_total(gradebook, classroom.config))
    if pairs is not None:
        found["lookalikes"] = tables.lookalikes(pairs)
    for name in CSV:
        path = folder / f"{name}.csv"
        if name in found:
            # The mark at the beginning tells spreadsheets that the letters are UTF-8.
            path.write_text(found[name].csv(), encoding="utf-8-sig", newline="")
        else:
            path.unlink(missing_ok=True)
    page = folder / "report.html"
    with speaking(classroom.language, "report"):
        page.write_text(_page(graded, exercises, mistakes, found, pairs, answers), encoding="utf-8")
    return page


def _page(
    graded: GradedClass,
    exercises: list[list[statistics.Exercise]],
    mistakes: list[statistics.MistakeLine],
    found: dict[str, tables.Table],
    pairs: list[lookalikes.Pair] | None,
    answers: Answers,
) -> str:
    anonymous = Anonymous(graded.students, answers)
    parts = [
        _part(unit, lines, [one for one in mistakes if one.unit == unit.name], anonymous)
        for unit, lines in zip(graded.units, exercises)
    ]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # English texts of the template come as "... %(n)s ..." with what fills them.
    environment.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension made it
    environment.globals |= {"_": _said, "gettext": _said, "ngettext": _counted}
    environment.filters["told"] = told
    environment.filters["code"] = lambda text: markupsafe.Markup(
        _BACKTICKS.sub(r"<code>\1</code>", str(markupsafe.escape(text)))
    )
    return environment.get_template("page.html").render(
        graded=graded,
        language=spoken(),
        sayings=SAYINGS,
        made=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        overview=tables.overview(graded.units, [part.spread for part in parts]),
        parts=parts,
        taught=mistakes[:MOST_TAUGHT],
        tables=found,
        pairs=None if pairs is None else [(pair, _side_by_side(pair, answers)) for pair in pairs[:MOST_PAIRS]],
        pairs_found=len(pairs or ()),
        most=MOST_ROWS,
        most_examples=MOST_EXAMPLES,
        rules={
            "help": f"{100 * statistics.HELP_BELOW:.0f} %",
            "fewest": statistics.FEWEST,
            "agree": f"{100 * lookalikes.AGREE:.0f} %",
        },
    )


def _said(text: str, **values: object) -> markupsafe.Markup:
    """A text of the template in the language of the class."""
    return markupsafe.Markup(told(text % {name: markupsafe.escape(value) for name, value in values.items()}))


def _counted(one: str, several: str, num: int, **values: object) -> markupsafe.Markup:
    """A text about one thing or about several; how many forms another language has, its catalog knows."""
    return _said(one if num == 1 else several, **values)


def _part(
    unit: Unit, lines: list[statistics.Exercise], mistakes: list[statistics.MistakeLine], anonymous: Anonymous
) -> UnitPart:
    scores = [one.score for one in unit.gradable]
    spread = statistics.spread(scores)
    judged = any(line.cell.judged for line in lines)
    return UnitPart(
        unit,
        spread,
        figures.histogram(scores, unit.maximum, spread) if scores else None,
        figures.ends(lines, len(scores)) if scores and judged else None,
        tables.exercises(unit, lines),
        [(line, anonymous.example(line) if place < MOST_EXAMPLES else "") for place, line in enumerate(mistakes)],
        sum(bool(one.waiting) for one in unit.gradable),
    )


def _pairs(unit: Unit, answers: Answers) -> list[lookalikes.Pair]:
    released, solutions = answers.released(unit.name), answers.solutions(unit.name)
    known = {
        name: [text for text in (released.get(name), solutions.get(name)) if text] for name in {*released, *solutions}
    }
    return lookalikes.find(
        unit.name, {one.student.id: answers.of(unit.name, one.student.id) for one in unit.gradable}, known
    )


def _side_by_side(pair: lookalikes.Pair, answers: Answers) -> tuple[str, str, str]:
    """The exercise that weighs most, and both answers to it as they are in the notebooks."""
    exercise = max(pair.shared, key=lambda one: one.weight).exercise
    first, second = (_code(answers.of(pair.unit, student)[exercise]) for student in (pair.first, pair.second))
    return exercise, first, second


def _code(text: str) -> str:
    """An answer as it was written, cut to a page's measure; signs that turn the reading order are made visible."""
    lines = text.expandtabs(4).splitlines()
    kept = [*lines[:30], "… (cut)"] if len(lines) > 30 else lines
    return "\n".join(
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line[:200]) for line in kept
    )
