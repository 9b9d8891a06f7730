"""What tells some cases of a paper from others: the value of one option of the call, or of the making of its object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import traits
from .papers import Paper


def telling(work: Paper, some: Sequence[int], others: Sequence[int]) -> str:
    """Return in words what all of some cases have and none of the others has, or "" where nothing tells them apart."""
    mine, theirs = [_options(work, i) for i in some], [_options(work, i) for i in others]
    for name in mine[0]:
        values = {repr(one.get(name)) for one in mine}
        if len(values) == 1 and not values & {repr(one.get(name)) for one in theirs}:
            return f"with {name} = {mine[0][name]!r}"
    return ""


def _options(work: Paper, index: int) -> Mapping[str, Any]:
    """The True and False that a call, or the making of its object, was given."""
    values = traits.values_of_case(work.cases[index], work.exercise.reference)
    return {name: value for name, value in values.items() if isinstance(value, bool)}
