"""A `Verdict` as text for terminals and as an HTML card for JupyterLab and feedback pages.

The card has no script and no outside resource, follows light and dark themes, and says in words whatever
it shows in colour. A hidden check shows property, mistake and hint, never the data of its cases.
"""

from __future__ import annotations

from html import escape

import numpy as np

from .verdict import FAILED, PASSED, UNANSWERED, Verdict

MAX_CELLS = 12
_MARK = {PASSED: "✓", FAILED: "✗", UNANSWERED: "○"}


def headline(verdict: Verdict) -> str:
    """Return one line: which exercise, which check, what came out."""
    which = "hidden check of " if verdict.hidden else ""
    told = {PASSED: "every property holds", FAILED: _failed_in_words(verdict), UNANSWERED: "not answered yet"}[verdict.status]
    return f"{_MARK[verdict.status]} {which}{verdict.exercise}: {told}"


def _failed_in_words(verdict: Verdict) -> str:
    if verdict.diagnosis is not None:
        return verdict.diagnosis.name
    failed = [p.name for p in verdict.properties if not p.passed]
    return "not right yet" + (f" ({', '.join(failed)})" if failed else "")


def as_text(verdict: Verdict) -> str:
    """Return the whole verdict as plain text."""
    lines = [headline(verdict)]
    if verdict.status != UNANSWERED and verdict.properties:
        lines.append("  tried: " + ", ".join(f"{p.name} {'✓' if p.passed else '✗'}" for p in verdict.properties))
    finding = verdict.finding
    if finding is not None:
        if not verdict.hidden:
            lines.append(f"  what is wrong: {finding.message}" + (f" [{finding.note}]" if finding.note else ""))
            if finding.detail:
                lines.append(f"  {finding.detail}")
        elif verdict.diagnosis is None:
            lines.append(f"  what is wrong: the property “{finding.property}” does not hold")
    if verdict.diagnosis is not None:
        lines.append(f"  hint: {verdict.diagnosis.hint}")
    elif verdict.status == FAILED and verdict.hints:
        lines.append(f"  hint: {verdict.hints[0]}")
    return "\n".join(lines)


def as_html(verdict: Verdict, points: float | None = None) -> str:
    """Return the whole verdict as one HTML element. `points` are those of the cell, shown when known."""
    tone = {PASSED: "#2a7f62", FAILED: "#b3541e", UNANSWERED: "#6b7280"}[verdict.status]
    parts = [f'<div style="font-weight:600;color:{tone}">{escape(headline(verdict))}{_points(verdict, points)}</div>']
    if verdict.status != UNANSWERED and verdict.properties:
        parts.append(f'<div style="opacity:.85;margin:.25em 0">{"".join(_chip(p.name, p.passed) for p in verdict.properties)}</div>')
    finding = verdict.finding
    if finding is not None:
        if not verdict.hidden:
            note = f' <span style="opacity:.75">({escape(finding.note)})</span>' if finding.note else ""
            parts.append(f"<div>{escape(finding.message)}{note}</div>")
            if finding.detail:
                parts.append(f'<div style="opacity:.85">{escape(finding.detail)}</div>')
            parts.append(_pictures(finding.yours, finding.expected))
        elif verdict.diagnosis is None:
            parts.append(f"<div>The property “{escape(finding.property)}” does not hold.</div>")
    hint = verdict.diagnosis.hint if verdict.diagnosis else (verdict.hints[0] if verdict.status == FAILED and verdict.hints else "")
    if hint:
        parts.append(f'<div style="margin-top:.35em"><b>Hint.</b> {escape(hint)}</div>')
    return f'<div role="status" style="border-left:4px solid {tone};padding:.35em .8em;margin:.2em 0;line-height:1.45">{"".join(parts)}</div>'


def _points(verdict: Verdict, points: float | None) -> str:
    if points is None:
        return ""
    return f' <span style="font-weight:400">({points * verdict.share:g} of {points:g} points)</span>'


def _chip(name: str, passed: bool) -> str:
    mark, word = ("✓", "holds") if passed else ("✗", "does not hold")
    return f'<span style="margin-right:.9em" aria-label="{escape(name)} {word}">{mark}&nbsp;{escape(name)}</span>'


def _pictures(yours: np.ndarray | None, expected: np.ndarray | None) -> str:
    """Yours, expected and difference as three small tables of coloured numbers."""
    if yours is None or expected is None or expected.ndim == 0:
        return ""
    if yours.shape != expected.shape:
        panels = [("yours", _matrix(yours)), ("expected", _matrix(expected))]
    else:
        index = _first_difference(yours, expected)
        a, b = _matrix(yours, index), _matrix(expected, index)
        panels = [("yours", a), ("expected", b), ("difference", a.astype(float) - b.astype(float))]
    drawn = "".join(_table(title, matrix) for title, matrix in panels if matrix.size)
    return f'<div style="display:flex;flex-wrap:wrap;gap:1.2em;margin:.4em 0">{drawn}</div>'


def _first_difference(yours: np.ndarray, expected: np.ndarray) -> tuple[int, ...]:
    """Index of the first matrix of a stack in which the two differ."""
    with np.errstate(all="ignore"):
        wrong = ~np.isclose(yours.astype(float), expected.astype(float), rtol=1e-5, atol=1e-8)
    places = np.argwhere(wrong)
    return tuple(int(i) for i in places[0][:-2]) if len(places) and expected.ndim > 2 else (0,) * max(expected.ndim - 2, 0)


def _matrix(array: np.ndarray, index: tuple[int, ...] | None = None) -> np.ndarray:
    if array.ndim > 2:
        array = array[index if index is not None else (0,) * (array.ndim - 2)]
    return np.atleast_2d(array)[:MAX_CELLS, :MAX_CELLS]


def _table(title: str, matrix: np.ndarray) -> str:
    values = matrix.astype(float)
    finite = np.abs(values[np.isfinite(values)])
    scale = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    rows = "".join("<tr>" + "".join(_cell(value, scale) for value in row) + "</tr>" for row in values)
    words = f"{title}: {matrix.shape[0]} rows, {matrix.shape[1]} columns"
    caption = f'<caption style="caption-side:top;text-align:left;opacity:.8">{title}</caption>'
    return f'<table aria-label="{words}" style="border-collapse:collapse;font-size:11px;margin:0">{caption}{rows}</table>'


def _cell(value: float, scale: float) -> str:
    """One number on a blue (negative) to orange (positive) ground, a pair that colour-blind readers tell apart."""
    if not np.isfinite(value):
        ground, text = "rgba(128,128,128,.45)", "NaN" if np.isnan(value) else ("∞" if value > 0 else "−∞")
    else:
        strength = min(abs(value) / scale, 1.0) * 0.6
        ground = f"rgba(230,120,20,{strength:.2f})" if value >= 0 else f"rgba(40,110,220,{strength:.2f})"
        text = f"{value:.3g}"
    return f'<td style="background:{ground};padding:2px 5px;text-align:right;border:1px solid rgba(128,128,128,.25)">{text}</td>'
