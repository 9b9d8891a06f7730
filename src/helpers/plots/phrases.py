"""What an attention map says in words: who looks at whom, and how much."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


def first_of(items: Iterable[object], most: int = 8, joint: str = ", ") -> str:
    """Return the first items with something between them, and how many are left out: "a, b and 3 more"."""
    names = [str(item) for item in items]
    left = len(names) - most
    return joint.join(names[:most]) + (f" and {left} more" if left > 0 else "")


def counted(count: int, thing: str) -> str:
    """Return a number of things: "1 head", "2 heads"."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def looks(
    weights: np.ndarray[Any, Any], rows: Sequence[str], columns: Sequence[str], most: int = 8, second: float = np.inf
) -> str:
    """Return for each row where it looks most: "we at eat 0.70, eat at we 0.60".

    Args:
        weights: (r, c).
        rows, columns: their names.
        most: this many rows are told.
        second: the next largest weight of a row is told too where it is at least this.
    """
    told = []
    for row, given in enumerate(weights):
        order = np.argsort(-given, kind="stable")
        one = f"{rows[row]} at {columns[order[0]]} {given[order[0]]:.2f}"
        if len(order) > 1 and given[order[1]] >= second:
            one += f" and {columns[order[1]]} {given[order[1]]:.2f}"
        told.append(one)
    return first_of(told, most)


def strongest(weights: np.ndarray[Any, Any], rows: Sequence[str], columns: Sequence[str], most: int = 3) -> str:
    """Return the largest weights of a map (r, c), the largest first: "eat at we 0.60, we at eat 0.55"."""
    places = np.argsort(-weights, axis=None, kind="stable")[:most]
    cells = zip(*np.unravel_index(places, weights.shape))
    return ", ".join(f"{rows[i]} at {columns[j]} {weights[i, j]:.2f}" for i, j in cells)
