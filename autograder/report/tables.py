"""The report's tables: each defined once, for the page and as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.lms.spreadsheets import as_text
from autograder.lms.term_totals import Total

from .graded_class import GradedClass, Unit, duration
from .lookalikes import Pair
from .statistics import NOT_ANSWERED, NOT_REACHED, TIME_OUT, Exercise, MistakeLine, Need, Spread


@dataclass(frozen=True)
class Table:
    """Rows under titled columns.

    Attributes:
        columns: title and kind of each: "text", "label" (text that is not broken), "number", "share" (0.25 is shown as
            25 %), "exact_share" (as export has it: a grade may hang on a tenth) or "signed".
    """

    columns: tuple[tuple[str, str], ...]
    rows: Sequence[tuple[object, ...]]

    def shown(self) -> list[list[tuple[str, str]]]:
        """Return the rows as (kind, text) for people; what is not defined is a dash."""
        return [[(kind, _shown(kind, cell)) for (_, kind), cell in zip(self.columns, row)] for row in self.rows]

    def csv(self) -> str:
        """Return the table as CSV: numbers as numbers, and no text that a spreadsheet takes for a formula."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(title for title, _ in self.columns)
        writer.writerows([_plain(cell) for cell in row] for row in self.rows)
        return text.getvalue()


def _shown(kind: str, cell: Any) -> str:
    if cell is None:
        return "—"
    if kind == "share":
        return f"{100 * cell:.0f} %"
    if kind == "exact_share":
        return f"{round(100 * cell, 2):g} %"
    if kind == "signed":
        # A true minus is as wide as the plus, and no value is shown as -0.00.
        return f"{cell:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _plain(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula, whatever a student is called."""
    if isinstance(cell, float):
        return round(cell, 6)
    return as_text(cell) if isinstance(cell, str) else cell


def _columns(*titles: str, **kinds: str) -> tuple[tuple[str, str], ...]:
    """Columns of text, but for names of the course and those named with their kind; `_` stands for a space in these."""
    known = dict.fromkeys(("unit", "exercise", "question"), "label") | {
        title.replace("_", " "): kind for title, kind in kinds.items()
    }
    return tuple((title, known.get(title, "text")) for title in titles)


def overview(units: Sequence[Unit], spreads: Sequence[Spread]) -> Table:
    """One line a unit."""
    titles = ("unit", "handed in", "points", "mean", "median", "late", "not gradable", "by hand", "nothing handed in")
    rows = []
    for unit, found in zip(units, spreads):
        late = sum(one.late_seconds > 0 for one in unit.submissions)
        waiting = sum(len(one.waiting) for one in unit.gradable)
        bad = len(unit.submissions) - len(unit.gradable)
        rows.append(
            (
                unit.name,
                len(unit.submissions) + len(unit.ungraded),
                unit.maximum,
                found.mean,
                found.median,
                late,
                bad,
                waiting,
                len(unit.nothing),
            )
        )
    return Table(tuple((title, "label" if title == "unit" else "number") for title in titles), rows)


def totals(graded: GradedClass, found: Mapping[str, Total]) -> Table:
    """Each student's total over the term, with the groups that it is made of and what was left out as the lowest."""
    groups = list(next(iter(found.values())).groups) if found else []
    rows = []
    for person in graded.students:
        if (total := found.get(person.id)) is not None:
            name = " ".join(filter(None, [person.first, person.last]))
            shares = [total.groups[group].share for group in groups]
            rows.append((person.id, name, total.share, *shares, ", ".join(total.dropped)))
    kinds = [(title, "exact_share") for title in ("total", *groups)]
    return Table((("student", "text"), ("name", "text"), *kinds, ("left out", "text")), rows)


def grades(graded: GradedClass) -> Table:
    """Every submission."""
    titles = _columns(
        "student",
        "name",
        "unit",
        "points",
        "of",
        "by hand",
        "state",
        "reason",
        "seconds",
        points="number",
        of="number",
        by_hand="number",
        seconds="number",
    )
    rows = []
    for unit in graded.units:
        for one in unit.submissions:
            name = " ".join(filter(None, [one.student.first, one.student.last]))
            seconds = one.outcome.seconds if one.outcome else None
            rows.append(
                (
                    one.student.id,
                    name,
                    unit.name,
                    one.score,
                    unit.maximum,
                    len(one.waiting),
                    one.state,
                    one.reason,
                    seconds,
                )
            )
    return Table(titles, rows)


def exercises(unit: Unit, lines: Sequence[Exercise]) -> Table:
    """The exercises of one unit."""
    titles = (
        "exercise",
        "points",
        "students",
        "full points",
        "mean",
        "discrimination",
        "not answered",
        "time outs",
        "waiting",
    )
    kinds = ("label", "number", "number", "share", "share", "signed", "number", "number", "number")
    rows = []
    for line in lines:
        answered = (
            (line.ends[NOT_ANSWERED], line.ends[TIME_OUT] + line.ends[NOT_REACHED])
            if line.cell.judged
            else (None, None)
        )
        rows.append(
            (
                line.cell.exercise,
                line.cell.points,
                line.students,
                line.full,
                line.mean,
                line.discrimination,
                *answered,
                line.waiting,
            )
        )
    return Table(tuple(zip(titles, kinds)), rows)


def all_exercises(units: Sequence[Unit], lines: Sequence[Sequence[Exercise]]) -> Table:
    """The exercises of all units."""
    tables = [exercises(unit, own) for unit, own in zip(units, lines)]
    columns = exercises(Unit("", [], [], [], []), []).columns
    return Table(
        (("unit", "label"), *columns), [(unit.name, *row) for unit, table in zip(units, tables) for row in table.rows]
    )


def mistakes(lines: Sequence[MistakeLine]) -> Table:
    """Mistakes without examples, in the order of what to teach again."""
    columns = _columns(
        "lost points", "students", "unit", "exercise", "mistake", "hint", lost_points="number", students="number"
    )
    return Table(
        columns, [(line.lost, len(line.students), line.unit, line.exercise, line.name, line.hint) for line in lines]
    )


def help_needed(needs: Sequence[Need]) -> Table:
    """Students who need help, and why."""
    return Table(
        _columns("student", "share of points", "why", share_of_points="share"),
        [(need.student.label, need.share, "; ".join(need.reasons)) for need in needs],
    )


def by_hand(units: Sequence[Unit]) -> Table:
    """Written answers that wait for a person, by question."""
    rows = []
    for unit in units:
        for cell in unit.cells:
            waiting = sum(cell.key in one.waiting for one in unit.gradable)
            if waiting:
                rows.append((unit.name, cell.exercise, waiting, len(unit.gradable) - waiting))
    return Table(_columns("unit", "question", "waiting", "graded", waiting="number", graded="number"), rows)


def not_gradable(units: Sequence[Unit]) -> Table:
    """Submissions that could not be graded, and why."""
    return Table(
        _columns("student", "unit", "why"),
        [
            (one.student.label, unit.name, one.outcome.ungradable)
            for unit in units
            for one in unit.submissions
            if one.outcome is not None and not one.gradable
        ],
    )


def notes(units: Sequence[Unit]) -> Table:
    """Remarks on submissions that have points: repairs, stops, no sandbox, late ones, lost outcomes."""
    rows = []
    for unit in units:
        for one in unit.gradable:
            told = [one.lost]
            if one.outcome is not None:
                told = [
                    one.outcome.stopped,
                    *one.outcome.notes,
                    "graded without the sandbox" if one.outcome.unsafe else "",
                ]
            if one.late_seconds > 0:
                penalty = f", {one.penalty:g} points less" if one.penalty else ""
                told.append(f"late by {duration(one.late_seconds)}{penalty}")
            rows += [(one.student.label, unit.name, text) for text in told if text]
    return Table(_columns("student", "unit", "note"), rows)


def missing(units: Sequence[Unit]) -> Table:
    """Who handed in nothing, or something that is not graded yet."""
    rows = [(person.label, unit.name, "handed in, not graded yet") for unit in units for person in unit.ungraded]
    rows += [(person.label, unit.name, "nothing handed in") for unit in units for person in unit.nothing]
    return Table(_columns("student", "unit", "what"), rows)


def lookalikes(pairs: Sequence[Pair]) -> Table:
    """Pairs of look-alike submissions, the strongest first."""
    columns = _columns("weight", "student", "and", "unit", "exercises that agree", weight="number")
    rows = [
        (
            round(pair.weight),
            pair.first,
            pair.second,
            pair.unit,
            ", ".join(f"{one.exercise} ({100 * one.agreement:.0f} %)" for one in pair.shared),
        )
        for pair in pairs
    ]
    return Table(columns, rows)
