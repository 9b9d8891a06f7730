"""Which of several files is the submission: a notebook is known by the cells in it, whatever it is called.

Of several notebooks of one learner counts, in this order:

1. one of the unit before one that cannot be read,
2. the answered before the blank,
3. the newer attempt before the older,
4. the one with the unit's own name before a copy,
5. the one with more answers, then the one that lies least deep, then the first by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograder.sandbox.limits import Limits
from helpers.folder.cells import TEXT_STUB, left_open, marks_of, text_of, unit_of
from helpers.judging import catalog

_DEFINED = re.compile(r"^(?:def|class)\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Candidate:
    """A notebook that may be the submission.

    Attributes:
        file: its own name.
        data: its bytes.
        order: grows with the time of handing in, where that is known; else 0.
        depth: how many folders it lies in.
    """

    file: str
    data: bytes
    order: int = 0
    depth: int = 0


@dataclass(frozen=True)
class Seen:
    """What the cells of a notebook tell: its unit, or None, and how many of its answers are given."""

    unit: str | None
    answers: int


def see(data: bytes) -> Seen:
    """Return what the bytes of a file tell; of what is no readable notebook, nothing."""
    nothing = Seen(None, 0)
    if len(data) > Limits.notebook_bytes.default_value:
        return nothing
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return nothing
    cells = tree.get("cells") if isinstance(tree, dict) else None
    cells = [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    unit = unit_of(cells)
    return nothing if unit is None else Seen(unit, sum(map(_answered, cells, [unit] * len(cells))))


def _answered(cell: dict[str, Any], unit: str) -> bool:
    text = text_of(cell)
    if cell.get("cell_type") != "code":
        return bool(marks_of(cell).get("solution")) and bool(text.strip()) and TEXT_STUB not in text
    if not (marks_of(cell).get("solution") or set(_DEFINED.findall(text)) & catalog.exercise_names(unit)):
        return False
    return bool(text.strip()) and not left_open(text)


@dataclass(frozen=True)
class Choice:
    """What was chosen, and a sentence that says why, "" where there was nothing to choose.

    Attributes:
        index: the place of the chosen one among the candidates, or None when none is of the unit.
        why: the sentence.
        others: the units of those that belong to another.
    """

    index: int | None
    why: str
    others: tuple[str, ...]


def choose(unit: str, candidates: Sequence[Candidate], any_unit: bool = False) -> Choice:
    """Choose the submission of a unit among the notebooks of one learner.

    One whose cells name the unit is always eligible, one that tells nothing only if its own name has the unit's in it.

    Args:
        unit: the unit.
        candidates: the notebooks.
        any_unit: take a notebook of another unit where there is no better.
    """
    seen = [see(one.data) for one in candidates]
    others = tuple(one.unit for one in seen if one.unit not in (None, unit) and one.unit is not None)
    eligible = [
        place
        for place, (one, told) in enumerate(zip(candidates, seen))
        if told.unit == unit or any_unit or (told.unit is None and unit.casefold() in one.file.casefold())
    ]
    if not eligible:
        return Choice(None, "", others)

    def rank(place: int) -> tuple[Any, ...]:
        one, told = candidates[place], seen[place]
        exact = one.file == f"{unit}.ipynb"
        return told.unit == unit, told.answers > 0, one.order, exact, told.answers, -one.depth

    ordered = sorted(sorted(eligible, key=lambda place: candidates[place].file), key=rank, reverse=True)
    best = candidates[ordered[0]]
    if len(ordered) == 1:
        renamed = best.file != f"{unit}.ipynb"
        return Choice(ordered[0], f"{best.file} is taken as {unit}.ipynb" if renamed else "", others)
    pairs = list(zip(rank(ordered[0]), rank(ordered[1])))
    differs = next((place for place, (one, other) in enumerate(pairs) if one != other), len(pairs))
    names = ", ".join(candidates[place].file for place in ordered)
    return Choice(ordered[0], f"of {len(ordered)} notebooks ({names}) {best.file} counts: {_WHY[differs]}", others)


_WHY = (
    "it alone is a readable notebook of this unit",
    "it is answered, no other is",
    "it is the newest attempt",
    "it has the unit's own name",
    "it has the most answers",
    "it lies least deep in folders",
    "nothing tells them apart, and its name comes first",
)
