"""Finds the variant that answers every case as the learner does, among a set number of variants.

The number counts variants and no seconds, so an answer is told the same on every machine. What a variant gives is kept
with the paper, so the next wrong answer to the same cases begins where this one ended.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from helpers.running.runner import Answer
from helpers.verdict import Diagnosis, Finding

from ..agreement import agree, alike
from ..papers import Paper
from .making import Variant, Workshop
from .screen import Raised, Screen

# How many pairs are tried; with torch each takes two or three times as long as with NumPy.
PAIRS = 1_200
PAIRS_WITH_TORCH = 800
# And how many of which one rewrite does not show in the case that is looked at first.
HIDDEN_PAIRS = 300
# There are many of these, and two at once are rarely somebody's idea.
_RARE = ("name", "number", "comparison", "size", "branch", "part")
# What learners do most: pairs of these are tried first.
_COMMON = (
    "right term", "left term", "outside", "root out", "divisor out", "sign", "axis", "biased", "without", "mask",
    "order", "turn", "other operand", "right factor", "left factor", "fill", "invert", "one side", "norm of a part",
    "normalised residual", "pre", "post", "both norms", "step out", "count", "diagonal", "function", "exponent",
)  # fmt: skip
# What these say is not about what was computed, or no reference could say it.
_BESIDE = ("changed", "shares", "overwritten", "memory", "warning", "numpy", "shortcut", "unanswered", "no error")
# What is told by numbers or by an operation on shapes; a sentence about numbers is one and the same for many mistakes.
_TELLING = ("values", "shape", "raised", "results", "dtype", "type", "keys", "gradients", "after")
# A name that the reference keeps to itself.
_PRIVATE = re.compile(r"(?<![\w`])_[a-z]\w*|[.`]_[a-z]\w*\(")
# Fewer wrong numbers than this in all cases together are the same by chance.
_ENOUGH = 3


def diagnose(
    work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None], places: int, trials: int
) -> Diagnosis | None:
    """Return what the variants that give the learner's answers on every case say, or None.

    Of several that agree everywhere, the one in the reference's own text speaks, and
    only if all that remain say the same of the same place.

    Args:
        work: the cases.
        answers: the learner's.
        found: what is wrong with each.
        places: at how many places the variants are rewritten, one or two.
        trials: how many variants are tried at most; with 0 nothing is said.
    """
    first = next(i for i, finding in enumerate(found) if finding is not None)
    shown = found[first]
    assert shown is not None
    if not trials or shown.kind in _BESIDE or work.cases[first].from_file or _says_little(answers[first]):
        return None
    # A case of numbers tells more variants apart than one that raises.
    rows = [i for i, case in enumerate(work.cases) if case.raises is None and not case.from_file]
    rows.sort(key=lambda i: (found[i] is None, found[i] is not None and found[i].kind == "raised", i))  # type: ignore[union-attr]
    if not rows or not _tells(answers, found, rows) or _is_free(work, rows[0]):
        return None
    table = _table(work)
    tried = table.single() if places == 1 else table.pairs(rows[0], answers[rows[0]])
    # A look at the last case of numbers that fails too, before a variant is run on all.
    failing = [i for i in rows if found[i] is not None and answers[i]["status"] == "returned"]
    looks = dict.fromkeys([rows[0], *failing[-2:]])
    matches = [
        variant
        for variant in itertools.islice(tried, trials)
        if all(table.resembles(variant, i, answers[i]) for i in looks)
        and all(table.agrees(variant, i, answers[i], found[i]) for i in rows)
    ]
    return _told(matches) if matches else None


def _is_free(work: Paper, index: int) -> bool:
    """Whether the numbers are the learner's own, as those of a model with start values of its own: no variant's are
    these."""
    init = work.cases[index].init
    return init is not None and init.weights is None and work.cases[index].property in work.exercise.compare


def _says_little(answer: Answer) -> bool:
    """Whether all numbers of a result are one: many a wrong formula gives nothing but zeros."""
    values = answer["value"] if isinstance(answer["value"], tuple) else (answer["value"],)
    arrays = [value for value in values if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size > 2]
    return bool(arrays) and all(bool((array == array.flat[0]).all()) for array in arrays)


def _tells(answers: Sequence[Answer], found: Sequence[Finding | None], rows: Sequence[int]) -> bool:
    """Whether the wrong answers say enough to tell one mistake from another."""
    weight = 0
    for i in rows:
        finding = found[i]
        if finding is None or finding.kind in _BESIDE:
            continue
        if isinstance(answers[i]["value"], float) and finding.kind == "compared":
            weight += _ENOUGH
        elif finding.kind in _TELLING:
            weight += _numbers(answers[i]["value"]) if finding.kind != "raised" else _shapes(answers[i])
    return weight >= _ENOUGH


def _shapes(answer: Answer) -> int:
    """How much an error says: the shapes that an operation failed on."""
    return len(re.findall(r"\([\d, ]+\)|\d+x\d+", f"{answer['error']['operation']} {answer['error']['message']}"))


def _numbers(value: Any) -> int:
    """How many different numbers a result has."""
    if isinstance(value, dict):
        return sum(map(_numbers, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(_numbers, value))
    return len(np.unique(value)) if isinstance(value, np.ndarray) else 1


def _told(matches: Sequence[Variant]) -> Diagnosis | None:
    """What the variants say, if they say one thing; of pairs that have one rewrite in common, that one."""
    depth = min(variant.depth for variant in matches)
    nearest = [variant for variant in matches if variant.depth == depth]
    changes = nearest[0].changes
    if len({variant.key for variant in nearest}) > 1 and len({variant.names for variant in nearest}) > 1:
        if len({_line(variant) for variant in nearest}) > 1:
            keys = [set(variant.key) for variant in nearest]
            changes = tuple(one for one, key in zip(changes, nearest[0].key) if all(key in other for other in keys))
        if not changes:
            return None
    variant = Variant(changes)
    if any(_PRIVATE.search(name) for name in variant.names):
        # Of a helper that only the reference has nobody else has heard.
        return None
    hints = dict.fromkeys(rewrite.hint for _, rewrite in variant.changes)
    words = " (the names are those of our version)" if variant.quotes else ""
    return Diagnosis(", and ".join(dict.fromkeys(variant.names)) + words, " ".join(hints))


def _line(variant: Variant) -> object:
    """Where a variant is rewritten and what it gives to think: two that are alike in both say the same."""
    return tuple((piece.name, getattr(one.node, "lineno", 0), one.hint) for piece, one in variant.changes)


class _Table:
    """The variants of one paper, and what they answer."""

    def __init__(self, work: Paper) -> None:
        self._work = work
        self._workshop = Workshop(work.exercise.reference)
        self._last: tuple[tuple[int, ...], Callable[..., Any] | None] = ((), None)
        self._targets: dict[tuple[int, ...], Callable[..., Any] | None] = {}
        self._answers: dict[tuple[tuple[int, ...], int], tuple[Answer, Finding | None] | None] = {}
        self._screens: dict[int, Screen] = {}
        self._screened: dict[tuple[tuple[int, ...], int], Any] = {}
        self._pairs: dict[tuple[int, object], list[Variant]] = {}

    @functools.cached_property
    def _singles(self) -> list[Variant]:
        return self._workshop.single()

    def single(self) -> Iterator[Variant]:
        return iter(self._singles)

    def pairs(self, index: int, mine: Answer) -> Iterator[Variant]:
        """Two rewrites at different places, of the kinds that learners combine.

        Either one alone gives the learner's answer in a case, and the other shows in others only; or each alone changes
        something in the case, and gives a result of the right shape or of the learner's.
        """
        if mine["status"] != "returned" or not _is_real(mine["value"]):
            # Of whole numbers, and of True and False, some pair or other gives any.
            return
        tolerance = self._work.exercise.tolerance
        want = self._work.expected[index]["value"]
        whole = [v for v in self._singles if not v.careless]
        near = [v for v in whole if self.resembles(v, index, mine)]
        hidden = [v for v in whole if alike(self._screen(v, index), want, tolerance)] if near else []
        made = (
            Variant(one.changes + other.changes, one.silent + other.silent)
            for one, other in itertools.product(near, hidden)
            if not _nodes(one) & _nodes(other)
        )
        yield from itertools.islice(made, HIDDEN_PAIRS)
        yield from self._strong_pairs(index, mine)

    def _strong_pairs(self, index: int, mine: Answer) -> list[Variant]:
        """Pairs of which each rewrite shows in the case, kept for the next learner."""
        shapes = {_outline(mine["value"]), _outline(self._work.expected[index]["value"])}
        key = index, frozenset(shapes)
        if key not in self._pairs:
            able = [v for v in self._singles if self._combines(v, index, shapes)]
            able.sort(key=lambda v: v.depth)
            common, usual, rare = ([v for v in able if _rank(v) == rank] for rank in range(3))
            pairs = itertools.chain(
                itertools.combinations(common, 2), itertools.product(common, usual), itertools.product(common, rare)
            )
            made = (Variant(a.changes + b.changes, a.silent + b.silent) for a, b in pairs if not _nodes(a) & _nodes(b))
            most = PAIRS_WITH_TORCH if "Tensor" in self._work.expected[index]["type"] else PAIRS
            self._pairs[key] = list(itertools.islice(made, most))
        return self._pairs[key]

    def _combines(self, variant: Variant, index: int, shapes: set[object]) -> bool:
        if variant.careless or variant.depth > 1:
            return False
        value = self._screen(variant, index)
        expected = self._work.expected[index]["value"]
        return _outline(value) in shapes and not alike(value, expected, self._work.exercise.tolerance)

    def resembles(self, variant: Variant, index: int, mine: Answer) -> bool:
        """Whether a variant may agree in a case, at a quick look."""
        value = self._screen(variant, index)
        if isinstance(value, Raised) or mine["status"] != "returned":
            return isinstance(value, Raised) and mine["status"] == "raised"
        if mine["opaque"]:
            return True
        return _outline(value) == _outline(mine["value"]) and alike(mine["value"], value, self._work.exercise.tolerance)

    def agrees(self, variant: Variant, index: int, mine: Answer, finding: Finding | None) -> bool:
        """Whether a variant is right where the learner is, and wrong in the learner's way where not."""
        row = self._answer(variant, index)
        if row is None:
            return False
        if finding is None or finding.kind in _BESIDE:
            return row[1] is None
        return agree(self._work.exercise, mine, finding, *row)

    def _screen(self, variant: Variant, index: int) -> Any:
        place = variant.place, index
        if place not in self._screened:
            target = self._target(variant)
            if index not in self._screens:
                self._screens[index] = Screen(self._work.exercise.reference, self._work.cases[index])
            borrows = not variant.makes
            value = Raised() if target is None else self._screens[index].answer(target, borrows)
            self._screened[place] = value
        return self._screened[place]

    def _answer(self, variant: Variant, index: int) -> tuple[Answer, Finding | None] | None:
        place = variant.place, index
        if place not in self._answers:
            target = self._target(variant)
            self._answers[place] = None if target is None else self._work.answer_at(target, index)
        return self._answers[place]

    def _target(self, variant: Variant) -> Callable[..., Any] | None:
        """The variant's function or class; None when it cannot be made. Those of pairs are too many to keep."""
        if variant.place in self._targets:
            return self._targets[variant.place]
        if self._last[0] == variant.place:
            return self._last[1]
        target: Callable[..., Any] | None
        try:
            target = self._workshop.build(variant)
        except Exception:
            target = None
        self._last = variant.place, target
        if len(variant.changes) == 1:
            self._targets[variant.place] = target
        return target


def _is_real(value: Any) -> bool:
    """Whether there are real numbers in a result."""
    if isinstance(value, (list, tuple)):
        return any(map(_is_real, value))
    return isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


def _rank(variant: Variant) -> int:
    """0 for what learners do often, 2 for what they hardly do together with something else."""
    kind = variant.key[0].partition(" ")[2]
    return 0 if kind.startswith(_COMMON) else 2 if kind.startswith(_RARE) else 1


def _nodes(variant: Variant) -> set[int]:
    return {id(rewrite.node) for _, rewrite in (*variant.changes, *variant.silent)}


def _outline(value: Any) -> object:
    """The shapes in a result."""
    if isinstance(value, dict):
        return tuple((name, _outline(part)) for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(_outline, value))
    return value.shape if isinstance(value, np.ndarray) else () if isinstance(value, (int, float)) else type(value)


@functools.lru_cache(maxsize=128)
def _table(work: Paper) -> _Table:
    return _Table(work)
