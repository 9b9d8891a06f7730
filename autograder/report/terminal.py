"""A graded class as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from .graded_class import duration

if TYPE_CHECKING:
    from autograder.grading import Result

_COLUMNS = ("student", "unit", "points", "of", "by hand", "state", "reason")


def table(results: list[Result]) -> Table:
    """Return the results as a table for the terminal."""
    drawn = Table(title=f"{len(results)} submissions")
    for name in _COLUMNS:
        drawn.add_column(name, justify="right" if name in ("points", "of", "by hand") else "left", overflow="fold")
    for result in results:
        drawn.add_row(*(Text(_printable(cell)) for cell in _row(result)))
    return drawn


def _row(result: Result) -> list[str]:
    reason = result.outcome.reason
    if result.late_seconds > 0:
        reason = "; ".join(filter(None, [reason, f"late by {duration(result.late_seconds)}"]))
    by_hand = str(result.to_grade_by_hand or "")
    return [
        result.student,
        result.unit,
        f"{result.score:g}",
        f"{result.max_score:g}",
        by_hand,
        result.outcome.state,
        reason,
    ]


def _printable(text: str) -> str:
    """A text without what a terminal would obey: a student's id may be any name of a folder."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
