"""Finds the variant that answers every case as the learner does, within a budget of processor time.

What a variant answers is kept with the paper, so the next wrong answer to the same cases begins where this one ended.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from helpers.running.runner import Answer
from helpers.verdict import Diagnosis, Finding

from ..agreement import agree
from ..papers import Paper
from .making import Variant, Workshop

MAX_PAIRS = 4_000
# There are many of these, and two at once are rarely somebody's idea.
_RARE = ("name", "number", "comparison", "size", "branch", "part")
# What these say is not about what was computed, or no reference could say it.
_BESIDE = ("changed", "shares", "overwritten", "memory", "warning", "numpy", "shortcut", "unanswered", "no error")


def diagnose(
    work: Paper,
    answers: Sequence[Answer],
    found: Sequence[Finding | None],
    places: int,
    budget: float,
    tries: int | None = None,
) -> Diagnosis | None:
    """Return what the variants that give the learner's answers on every case say, or None.

    Of several that agree everywhere, the one in the reference's own text speaks, and
    only if all that remain say the same of the same place.

    Args:
        work: the cases.
        answers: the learner's.
        found: what is wrong with each.
        places: at how many places the variants are rewritten, one or two.
        budget: seconds of processor time; nothing is said when it does not reach.
        tries: how many variants to try instead, known ones included; nothing is said when there are more.
    """
    first = next(i for i, finding in enumerate(found) if finding is not None)
    shown = found[first]
    assert shown is not None
    if shown.kind in _BESIDE or work.cases[first].from_file or _says_little(answers[first]):
        return None
    table = _table(work)
    end = time.thread_time() + budget
    # A case of numbers tells more variants apart than one that raises.
    rows = [i for i, case in enumerate(work.cases) if case.raises is None and not case.from_file]
    rows.sort(key=lambda i: (found[i] is None, found[i] is not None and found[i].kind == "raised", i))  # type: ignore[union-attr]
    matches = []
    for number, variant in enumerate(table.single() if places == 1 else table.pairs()):
        if time.thread_time() > end if tries is None else number >= tries:
            # Those that were not tried might say something else.
            return None
        if all(table.agrees(variant, i, answers[i], found[i]) for i in rows):
            matches.append(variant)
    return _told(matches) if matches else None


def _says_little(answer: Answer) -> bool:
    """Whether all numbers of a result are one: many a wrong formula gives nothing but zeros."""
    values = answer["value"] if isinstance(answer["value"], tuple) else (answer["value"],)
    arrays = [value for value in values if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size > 2]
    return bool(arrays) and all(bool((array == array.flat[0]).all()) for array in arrays)


def _told(matches: Sequence[Variant]) -> Diagnosis | None:
    """What the variants say, if they say one thing."""
    depth = min(variant.depth for variant in matches)
    nearest = [variant for variant in matches if variant.depth == depth]
    if len({variant.key for variant in nearest}) > 1 and len({variant.names for variant in nearest}) > 1:
        return None
    variant = nearest[0]
    hints = dict.fromkeys(rewrite.hint for _, rewrite in variant.changes)
    words = " (the names are the reference's)" if variant.quotes else ""
    return Diagnosis(", and ".join(variant.names) + words, " ".join(hints))


class _Table:
    """The variants of one paper, and what they answer."""

    def __init__(self, work: Paper) -> None:
        self._work = work
        self._workshop = Workshop(work.exercise.reference)
        self._targets: dict[int, Callable[..., Any] | None] = {}
        self._answers: dict[tuple[int, int], tuple[Answer, Finding | None] | None] = {}

    @functools.cached_property
    def _singles(self) -> list[Variant]:
        return self._workshop.single()

    @functools.cached_property
    def _pairs(self) -> list[Variant]:
        """Two rewrites at different places, of the kinds that learners combine."""
        able = [
            v
            for v in self._singles
            if v.depth <= 1 and not v.silent and not v.key[0].partition(" ")[2].startswith(_RARE)
        ]
        pairs = itertools.combinations(able, 2)
        made = (Variant(a.changes + b.changes) for a, b in pairs if a.changes[0][1].node is not b.changes[0][1].node)
        return list(itertools.islice(made, MAX_PAIRS))

    def single(self) -> Iterator[Variant]:
        return iter(self._singles)

    def pairs(self) -> Iterator[Variant]:
        return iter(self._pairs)

    def agrees(self, variant: Variant, index: int, mine: Answer, finding: Finding | None) -> bool:
        """Whether a variant is right where the learner is, and wrong in the learner's way where not."""
        row = self._answer(variant, index)
        if row is None:
            return False
        if finding is None or finding.kind in _BESIDE:
            return row[1] is None
        return agree(self._work.exercise, mine, finding, *row)

    def _answer(self, variant: Variant, index: int) -> tuple[Answer, Finding | None] | None:
        place = id(variant), index
        if place not in self._answers:
            target = self._target(variant)
            self._answers[place] = None if target is None else self._work.answer_at(target, index)
        return self._answers[place]

    def _target(self, variant: Variant) -> Callable[..., Any] | None:
        """The variant's function or class; None when it cannot be made."""
        if id(variant) not in self._targets:
            try:
                self._targets[id(variant)] = self._workshop.build(variant)
            except Exception:
                self._targets[id(variant)] = None
        return self._targets[id(variant)]


@functools.lru_cache(maxsize=128)
def _table(work: Paper) -> _Table:
    return _Table(work)
