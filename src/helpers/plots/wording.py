"""The words of an alt text: numbers with their names, a matrix row by row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

# With more entries than this, a matrix is told by the largest of each row.
MOST_ENTRIES = 12


def number(value: Any, digits: int = 2) -> str:
    """Return a number as an alt text says it: `digits` significant digits, whole numbers in full, dust as 0."""
    value = float(value)
    if abs(value) < 1e-12:
        return "0"
    if abs(value) < 1e6 and (value.is_integer() or abs(value) >= 10**digits):
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def numbers(values: ArrayLike, digits: int = 2) -> str:
    """Return numbers with commas between them: "0.5, 0.1, 3"."""
    return ", ".join(number(value, digits) for value in np.ravel(np.asarray(values, dtype=float)))


def named(names: Iterable[object], values: ArrayLike, digits: int = 2) -> str:
    """Return each name with its number: "we 3, eat 0"."""
    return ", ".join(f"{name} {number(value, digits)}" for name, value in zip(names, np.ravel(np.asarray(values))))


def distinct(words: Sequence[str]) -> list[str]:
    """Return words in which those that come twice have their place, counted from 0: "the (0)", "cat", "the (2)"."""
    return [f"{word} ({place})" if words.count(word) > 1 else word for place, word in enumerate(words)]


def joined(words: Sequence[object]) -> str:
    """Return words as a list in a sentence, "we, eat and a"; nothing for no words."""
    *most, last = map(str, words or [""])
    return f"{', '.join(most)} and {last}" if most else last


def matrix_told(
    matrix: ArrayLike,
    rows: Sequence[object] | None = None,
    columns: Sequence[object] | None = None,
    digits: int = 2,
    most: int = MOST_ENTRIES,
) -> str:
    """Return what a matrix has in it: all its numbers when they are few, else where the largest of each row is.

    Args:
        matrix: (r, c).
        rows, columns: names of the rows and columns; None names them by their index.
        digits: significant digits of a number.
        most: up to this many entries every number is told.
    """
    matrix = np.asarray(matrix, dtype=float)
    rows = [f"row {i}" for i in range(matrix.shape[0])] if rows is None else rows
    columns = [f"column {j}" for j in range(matrix.shape[1])] if columns is None else columns
    if not matrix.size:
        return f"It has no numbers: its shape is {matrix.shape}."
    if matrix.size <= most:
        return "; ".join(f"{name}: {named(columns, row, digits)}" for name, row in zip(rows, matrix)) + "."
    largest = "; ".join(f"{name}: {_largest(row, columns, digits)}" for name, row in zip(rows, matrix))
    return f"{matrix.shape[0]} rows by {matrix.shape[1]} columns. The largest of each row: {largest}."


def _largest(row: np.ndarray, columns: Sequence[object], digits: int) -> str:
    """Where the largest number of a row stands; more than one place where several are as large."""
    if not np.isfinite(row).any():
        return "none"
    top = np.nanmax(np.where(np.isfinite(row), row, np.nan))
    places = [str(name) for name, value in zip(columns, row) if np.isclose(value, top, rtol=1e-9)]
    return f"all {number(top, digits)}" if len(places) == row.size > 1 else f"{joined(places)} {number(top, digits)}"
