"""A `Verdict` as text for terminals and as an HTML card for JupyterLab and feedback pages.

Both say the same. A hidden check shows property, mistake and hint, never the data of its cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from helpers import language
from helpers.exercise import DEFAULT_TOLERANCE
from helpers.judging import catalog
from helpers.tolerance import GRADIENT_TOLERANCE
from helpers.verdict import FAILED, PASSED, UNANSWERED, Finding, Verdict

from . import cards, examples, heatmaps, kinds

_MARK = {PASSED: "✓", FAILED: "✗", UNANSWERED: "○"}
_TONE = {PASSED: cards.GOOD, FAILED: cards.BAD, UNANSWERED: cards.OPEN}


@dataclass(frozen=True)
class Desk:
    """What is said at the desk beside the verdict.

    Attributes:
        stale: a sentence that says that an older version was checked, or "".
        notes: further plain sentences on traps, as from `helpers.desk.guards`.
        further: how to get the next hint, or "".
    """

    stale: str = ""
    notes: Sequence[str] = ()
    further: str = ""


def headline(verdict: Verdict, desk: Desk | None = None) -> str:
    """Return one line: which exercise, which check, what came out."""
    failed = [] if verdict.diagnosis is not None else [p.name for p in verdict.properties if not p.passed]
    return f"{_mark(verdict, desk)} {_title(verdict, desk)}" + (
        f" ({', '.join(failed)})" if failed and verdict.status == FAILED else ""
    )


def _outdated(verdict: Verdict, desk: Desk | None) -> bool:
    """Whether what passed is no longer what the cell says."""
    return verdict.passed and desk is not None and bool(desk.stale)


def _mark(verdict: Verdict, desk: Desk | None) -> str:
    return _MARK[UNANSWERED if _outdated(verdict, desk) else verdict.status]


def _title(verdict: Verdict, desk: Desk | None) -> str:
    checked = f"hidden check of {verdict.exercise}" if verdict.hidden else verdict.exercise
    if _outdated(verdict, desk):
        return f"{checked}: an older version passes"
    failed = verdict.diagnosis.name if verdict.diagnosis is not None else "not right yet"
    told = {PASSED: "every property holds", FAILED: failed, UNANSWERED: "not answered yet"}[verdict.status]
    return f"{checked}: {told}"


def own_hint(verdict: Verdict) -> str:
    """Return the hint that belongs to what went wrong and to nothing else, or ""."""
    if verdict.diagnosis is not None:
        return verdict.diagnosis.hint
    return kinds.own_hint(verdict.finding) if verdict.finding is not None else ""


def first_hint(verdict: Verdict) -> str:
    """Return the hint that a verdict shows by itself, or ""."""
    return own_hint(verdict) or (verdict.hints[0] if verdict.status == FAILED and verdict.hints else "")


def as_text(verdict: Verdict, points: float | None = None, desk: Desk | None = None) -> str:
    """Return the whole verdict as plain text; the arguments are those of `as_html`."""
    worth = _points(verdict, points, desk)
    lines = [headline(verdict, desk) + (f" ({worth})" if worth else "")]
    if desk is not None and desk.stale:
        lines.append(f"  note: {desk.stale}")
    if verdict.status != UNANSWERED and verdict.properties:
        lines.append("  tried: " + ", ".join(f"{p.name} {'✓' if p.passed else '✗'}" for p in verdict.properties))
    finding = verdict.finding
    if finding is not None:
        if not verdict.hidden:
            lines.append(f"  what is wrong: {finding.message}" + (f" [{finding.note}]" if finding.note else ""))
            lines += [f"  {told}" for told in (_shapes(finding), _told(verdict, finding)) if told]
            if desk is not None:
                lines += [f"    {told}" for told in heatmaps.as_text(*_arrays(finding), **_drawing(verdict, finding))]
        elif verdict.diagnosis is None:
            lines.append(f"  what is wrong: the property “{finding.property}” does not hold")
    if first_hint(verdict):
        lines.append(f"  hint: {first_hint(verdict)}")
    if desk is not None:
        lines += [f"  note: {note}" for note in desk.notes]
        lines += [f"  {desk.further}"] if desk.further else []
    return language.told_lines("\n".join(lines))


def as_html(verdict: Verdict, points: float | None = None, desk: Desk | None = None) -> str:
    """Return the whole verdict as one HTML element.

    Args:
        verdict: what the judge found.
        points: those of the exercise, shown when known.
        desk: what the desk adds; None while a notebook is graded.
    """
    parts = []
    if desk is not None and desk.stale:
        parts.append(cards.line(f"<b>{language.word('Note.')}</b> {cards.prose(desk.stale)}"))
    if verdict.status != UNANSWERED and verdict.properties:
        parts.append(
            cards.line(
                f'<span style="opacity:.8">{language.word("tried:")}</span> '
                + "".join(_chip(p.name, p.passed) for p in verdict.properties)
            )
        )
    finding = verdict.finding
    if finding is not None:
        if not verdict.hidden:
            note = f' <span style="opacity:.75">({escape(finding.note)})</span>' if finding.note else ""
            parts.append(cards.line(cards.prose(finding.message) + note))
            if _shapes(finding):
                parts.append(cards.line(escape(_shapes(finding))))
            parts.append(_detail(finding, _told(verdict, finding)))
            parts.append(heatmaps.as_html(*_arrays(finding), **_drawing(verdict, finding)))
        elif verdict.diagnosis is None:
            parts.append(cards.line(f"The property “{escape(finding.property)}” does not hold."))
    if first_hint(verdict):
        parts.append(cards.line(f"<b>{language.word('Hint.')}</b> {cards.prose(first_hint(verdict))}"))
    if desk is not None:
        parts += [cards.line(f"<b>{language.word('Note.')}</b> {cards.prose(note)}") for note in desk.notes]
        parts += [cards.line(cards.prose(desk.further), faint=True)] if desk.further else []
    tone = cards.OPEN if _outdated(verdict, desk) else _TONE[verdict.status]
    return cards.card(tone, _mark(verdict, desk), _title(verdict, desk), _points(verdict, points, desk), parts)


def _points(verdict: Verdict, points: float | None, desk: Desk | None) -> str:
    if points is None:
        return ""
    many = f"{points:g} point{'' if points == 1 else 's'}"
    # A try at the desk costs nothing, so nothing is said to be lost there.
    return many if desk is not None and (not verdict.passed or desk.stale) else f"{points * verdict.share:g} of {many}"


def _chip(name: str, passed: bool) -> str:
    label = f"{name} holds" if passed else f"{name} does not hold"
    return (
        f'<span style="margin-right:.9em;white-space:nowrap" aria-label="{escape(label)}">'
        f"{'✓' if passed else '✗'}&nbsp;{escape(name)}</span> "
    )


def _shapes(finding: Finding) -> str:
    if finding.kind != "shape" or finding.yours is None or finding.expected is None:
        return ""
    return (
        f"yours has {heatmaps.shape_in_words(finding.yours.shape)}; expected"
        f" {heatmaps.shape_in_words(finding.expected.shape)}"
    )


def _arrays(finding: Finding) -> tuple[np.ndarray | None, np.ndarray | None]:
    return finding.yours, finding.expected


def _drawing(verdict: Verdict, finding: Finding) -> heatmaps.Drawing:
    """How the arrays of a finding are drawn: with the tolerance that they were judged by, and without the expected
    numbers where these are the answer."""
    exercise = catalog.find(verdict.exercise)
    if exercise is None:
        return {"tolerance": DEFAULT_TOLERANCE, "secret": False}
    least = GRADIENT_TOLERANCE if finding.kind == "after" else 0.0
    return {"tolerance": max(exercise.tolerance, least), "secret": examples.has_one_answer(exercise)}


def _told(verdict: Verdict, finding: Finding) -> str:
    """The finding's detail, without the expected number where that is the answer."""
    secret = finding.yours is not None and _drawing(verdict, finding)["secret"]
    return finding.detail.partition(", expected ")[0] if secret else finding.detail


def _detail(finding: Finding, told: str) -> str:
    if not told:
        return ""
    if finding.kind != "raised":
        return cards.line(escape(told), faint=True)
    where, _, code = told.partition(": ")
    return cards.line(
        f'{escape(where)}:<pre style="margin:.15em 0 0'
        f' 1em;white-space:pre-wrap;background:transparent">{escape(code)}</pre>'
    )
