"""Somebody else's fault: a piece of the learner's own that the answer builds on is broken."""

from __future__ import annotations

from helpers.running.runner import Answer
from helpers.verdict import Diagnosis

from .questions import More


def diagnose(answer: Answer, more: More) -> Diagnosis | None:
    """Return that a piece is broken, where that is certain.

    It is when the answer passes with the reference in the piece's place; and when the code stopped inside a piece that
    is known not to be right.
    """
    if more.broken:
        return _blame(more.broken)
    within = answer["error"]["within"] if answer["status"] != "returned" else []
    inside = [name.partition(".")[0] for name in within[1:]]
    stopped = next((name for name in reversed(inside) if name in more.failed and name in _used(more)), None)
    return None if stopped is None else _blame((stopped,))


def suspect(more: More) -> Diagnosis | None:
    """Return, when nothing else has a name, that the answer calls a piece which is known not to be right."""
    called = tuple(name for name in _used(more) if name in more.failed)
    return _blame(called) if called else None


def _used(more: More) -> list[str]:
    return list(more.facts.get("uses", ()))


def _blame(names: tuple[str, ...]) -> Diagnosis:
    told = " and ".join(f"`{name}`" for name in names)
    verb = "does" if len(names) == 1 else "do"
    return Diagnosis(
        f"your code calls {told}, whose check {verb} not pass yet",
        f"Mend {told} first, run that cell, and check this one again: what is wrong may all come from there.",
    )
