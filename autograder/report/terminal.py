"""A graded class in the terminal: a line for each submission, the reasons below, totals last; 80 columns are enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autograder.classroom.naming import printable, shortened

from .graded_class import duration

if TYPE_CHECKING:
    from autograder.grading import Result

LONGEST_STUDENT, LONGEST_UNIT, LONGEST_REASON = 24, 10, 400
MOST_STUDENTS = 20
_NUMBERS = ("points", "of", "by hand")


def table(results: Sequence[Result]) -> Group:
    """Return the results for the terminal.

    Of one unit, the title names it; of several, a column does. An id too long for its column is shortened in its
    middle, unless another id would then look the same.
    """
    units = list(dict.fromkeys(result.unit for result in results))
    ids = shortened((result.student for result in results), LONGEST_STUDENT)
    short = short_units(units)
    what = f"{len(results)} {'submission' if len(results) == 1 else 'submissions'}"
    title = f"{printable(units[0])}: {what}" if len(units) == 1 else what
    columns = ("student", *(("unit",) if len(units) > 1 else ()), *_NUMBERS, "state")
    drawn = lines(title, columns)
    for result in results:
        drawn.add_row(
            ids[result.student],
            *((short[result.unit],) if len(units) > 1 else ()),
            f"{result.score:g}",
            f"{result.max_score:g}",
            str(result.to_grade_by_hand or ""),
            result.outcome.state,
        )
    parts: list[RenderableType] = [drawn, *_reasons(results, ids, short if len(units) > 1 else {})]
    parts += [Text(_total(unit, results, f"{short[unit]}: " if len(units) > 1 else "")) for unit in units]
    return Group(*parts)


def lines(title: str, columns: Sequence[str]) -> Table:
    """Return an empty table that wastes no column on lines; what is counted stands to the right."""
    drawn = Table(title=Text(title, style="table.title"), title_justify="left", box=SIMPLE_HEAD, show_edge=False)
    for name in columns:
        drawn.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold")
    return drawn


def short_units(units: Sequence[str]) -> dict[str, str]:
    """Units as they are typed, `u1`, where that names one only."""
    first = Counter(unit.split("_")[0] for unit in units)
    return shortened(units, LONGEST_UNIT) | {
        unit: unit.split("_")[0] for unit in units if unit[:1] == "u" and first[unit.split("_")[0]] == 1
    }


def _reasons(results: Sequence[Result], ids: dict[str, str], units: dict[str, str]) -> list[RenderableType]:
    """Each reason once, that which concerns most first, with the students under it."""
    found: dict[str, list[str]] = {}
    for result in results:
        who = " ".join(filter(None, [ids[result.student], units.get(result.unit, "")]))
        told = f": {result.late_told}" if result.late_told else ""
        late = [f"late by {duration(result.late_seconds)}{told}"] if result.late_seconds > 0 else []
        for reason in dict.fromkeys([*result.outcome.reasons, *late]):
            found.setdefault(reason, []).append(who)
    parts: list[RenderableType] = []
    for reason, students in sorted(found.items(), key=lambda one: -len(one[1])):
        more = f" and {len(students) - MOST_STUDENTS} more" if len(students) > MOST_STUDENTS else ""
        text = printable(reason) if len(reason) <= LONGEST_REASON else f"{printable(reason[:LONGEST_REASON])}…"
        parts += [Text(f"{text}:"), Padding(Text(", ".join(students[:MOST_STUDENTS]) + more), (0, 0, 0, 4))]
    return [Text(), *parts, Text()] if parts else [Text()]


def _total(unit: str, results: Sequence[Result], named: str) -> str:
    """Graded, by hand, not gradable, and the mean of what could be graded."""
    own = [result for result in results if result.unit == unit]
    scores = [result.score for result in own if not result.outcome.ungradable]
    by_hand = sum(bool(result.to_grade_by_hand) for result in own)
    told = [
        f"graded {len(scores)}",
        f"to grade by hand {by_hand}",
        f"not gradable {len(own) - len(scores)}",
    ]
    if scores:
        told.append(f"mean {sum(scores) / len(scores):.1f} of {max(result.max_score for result in own):g}")
    return named + ", ".join(told)
