"""A graded class as a table in the terminal, a CSV file and a page."""

from __future__ import annotations

import csv
import io
from collections import Counter
from html import escape
from pathlib import Path

from rich.table import Table
from rich.text import Text

from .classroom import Classroom
from .grade import Result

_COLUMNS = ("student", "unit", "points", "of", "by hand", "state", "reason")


def table(results: list[Result]) -> Table:
    """Return the results as a table for the terminal."""
    drawn = Table(title=f"{len(results)} submissions")
    for name in _COLUMNS:
        drawn.add_column(name, justify="right" if name in ("points", "of", "by hand") else "left", overflow="fold")
    for result in results:
        drawn.add_row(*(Text(cell) for cell in _row(result)))
    return drawn


def _row(result: Result) -> list[str]:
    reason = result.outcome.reason
    if result.late_seconds > 0:
        reason = "; ".join(filter(None, [reason, f"late by {_duration(result.late_seconds)}"]))
    by_hand = str(result.to_grade_by_hand or "")
    return [result.student, result.unit, f"{result.score:g}", f"{result.max_score:g}", by_hand, result.outcome.state, reason]


def _duration(seconds: float) -> str:
    return f"{seconds / 86400:.1f} days" if seconds >= 86400 else f"{seconds / 3600:.1f} hours"


def write(classroom: Classroom, results: list[Result]) -> Path:
    """Write `report/grades.csv` and `report/report.html` into the class folder and return the page's path."""
    folder = classroom.root / "report"
    folder.mkdir(exist_ok=True)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows([_plain(cell) for cell in _row(result)] for result in results)
    (folder / "grades.csv").write_text(text.getvalue(), encoding="utf-8", newline="")
    page = folder / "report.html"
    page.write_text(_page(results), encoding="utf-8")
    return page


def _plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, whatever a student is called."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t") and not cell.lstrip("+-").replace(".", "").isdigit() else cell


def _page(results: list[Result]) -> str:
    mistakes: Counter[tuple[str, str, str]] = Counter()
    for result in results:
        for name, verdict in result.outcome.final.items():
            if verdict.diagnosis is not None:
                mistakes[name, verdict.diagnosis.name, verdict.diagnosis.hint] += 1
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _row(result))}</tr>" for result in results)
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
    wrong = "".join(
        f"<tr><td>{count}</td><td>{escape(exercise)}</td><td>{escape(name)}</td><td>{escape(hint)}</td></tr>" for (exercise, name, hint), count in mistakes.most_common()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Grades</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 72em; padding: 0 1em }}
table {{ border-collapse: collapse; margin: 1em 0 }} td, th {{ border-bottom: 1px solid #ccc; padding: .3em .8em; text-align: left; vertical-align: top }}
</style></head><body>
<h1>Grades</h1><table><tr>{head}</tr>{rows}</table>
<h2>Mistakes by name</h2><table><tr><th>how many</th><th>exercise</th><th>mistake</th><th>hint</th></tr>{wrong}</table>
</body></html>
"""
