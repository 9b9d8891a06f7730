"""Where a wrong result is wrong: rows, columns, blocks, triangles that are missing, empty, or all that is wrong."""

from __future__ import annotations

import numpy as np

from helpers.tolerance import close

TIGHT = 1e-5
# What says nothing for or against a relation, as a single row of "the last row".
ANY = "any"
# The share of a row's entries that has to be wrong for the row to be called so.
MOSTLY = 0.6
_PARTS = {-1: "column", -2: "row", -3: "matrix", -4: "block"}


def equal(a: np.ndarray, b: np.ndarray, tolerance: float = TIGHT) -> bool:
    return a.shape == b.shape and bool(close(a, b, tolerance).all())


def _axes(array: np.ndarray, most: int) -> range:
    """The last so many axes of an array, as far as there are, from the last on."""
    return range(-1, -min(array.ndim, most) - 1, -1)


def _part(axis: int, ndim: int) -> str:
    return "entry" if ndim == 1 else _PARTS[axis]


def _many(part: str) -> str:
    return {"entry": "entries", "matrix": "matrices"}.get(part, part + "s")


def one_part(got: np.ndarray, want: np.ndarray) -> str | None:
    """The first or last row, column or block, that is all that is wrong."""
    if got.shape != want.shape or want.ndim < 1:
        return None
    right = close(got, want, TIGHT)
    if want.ndim > 1 and want.shape[-2] == 1:
        return ANY
    for axis in range(max(-3, -want.ndim), 0):
        size = want.shape[axis]
        wrong = _wrong_along(right, axis)
        if size < 2 or int(wrong.sum()) != 1:
            continue
        if want.ndim > 1 and (~right).sum() < MOSTLY * right.size / size:
            # An entry is no row.
            continue
        name = {0: "first", size - 1: "last"}.get(int(np.flatnonzero(wrong)[0]))
        if name is not None:
            return f"only the {name} {_part(axis, want.ndim)} is wrong"
    return None


def _wrong_along(right: np.ndarray, axis: int) -> np.ndarray:
    """For each place along an axis, whether anything there is wrong."""
    others = tuple(a for a in range(right.ndim) if a != right.ndim + axis)
    return np.asarray(~right.all(axis=others) if others else ~right)


def missing(got: np.ndarray, want: np.ndarray) -> str | None:
    """The right result without some of its first or last rows or columns."""
    if got.ndim != want.ndim or got.ndim < 1:
        return None
    for axis in _axes(want, 3):
        mine, right = np.moveaxis(got, axis, 0), np.moveaxis(want, axis, 0)
        less = len(right) - len(mine)
        if mine.shape[1:] != right.shape[1:] or less < 1:
            continue
        if not len(mine) or (len(mine) == less == 1):
            return ANY
        part = _part(axis, want.ndim)
        for name, other, rest in (("last", "first", right[:-less]), ("first", "last", right[less:])):
            if equal(mine, rest):
                if len(mine) == 1 and less > 1:
                    return f"there is nothing but the {other} {part}"
                return f"the {name} {part} is missing" if less == 1 else f"the {name} {_many(part)} are missing"
    return None


def surplus(got: np.ndarray, want: np.ndarray) -> str | None:
    """The right result with rows or columns too many before or behind it."""
    if got.ndim != want.ndim or got.ndim < 1:
        return None
    for axis in _axes(want, 3):
        mine, right = np.moveaxis(got, axis, 0), np.moveaxis(want, axis, 0)
        more = len(mine) - len(right)
        # Beside a single row the others come from no loop that runs too far: something was spread along its axis.
        if mine.shape[1:] != right.shape[1:] or more < 1 or len(right) < 2:
            continue
        part = _part(axis, want.ndim)
        for name, rest in (("behind the last", mine[:-more]), ("before the first", mine[more:])):
            if equal(rest, right):
                return (
                    f"there is a {part} too many, {name}" if more == 1 else f"there are {_many(part)} too many, {name}"
                )
    return None


def from_place_on(got: np.ndarray, want: np.ndarray) -> str | None:
    """Right up to a place along an axis, and wrong from there to the end, or the other way round."""
    if got.shape != want.shape or want.ndim < 1:
        return None
    right = close(got, want, TIGHT)
    for axis in _axes(want, 3):
        wrong = _wrong_along(right, axis)
        steps = np.flatnonzero(wrong[1:] != wrong[:-1])
        if len(steps) != 1:
            continue
        part, place = _part(axis, want.ndim), int(steps[0]) + 1
        if min(place, len(wrong) - place) < 4:
            # A few rows may have another reason, as those of queries that see nothing.
            continue
        if wrong[-1]:
            return f"the first {place} {_many(part)} are right, those behind them are not"
        return f"the first {place} {_many(part)} are wrong, those behind them are right"
    return None


def every_other(got: np.ndarray, want: np.ndarray) -> str | None:
    """Right at the even or at the odd places along an axis only."""
    if got.shape != want.shape or want.ndim < 1:
        return None
    right = close(got, want, TIGHT)
    for axis in _axes(want, 2):
        wrong = _wrong_along(right, axis)
        if len(wrong) < 4 or wrong[::2].any() == wrong[1::2].any():
            continue
        bad = wrong[1::2] if wrong[1::2].any() else wrong[::2]
        if bad.sum() < 2:
            continue
        right_ones, wrong_ones = ("first, third, …", "second, fourth, …")
        if not wrong[1::2].any():
            right_ones, wrong_ones = wrong_ones, right_ones
        part = _part(axis, want.ndim)
        return f"the {right_ones} {part} is right, the {wrong_ones} is not"
    return None


def empty_places(got: np.ndarray, want: np.ndarray) -> str | None:
    """Zeros at whole rows, columns or a triangle where the right result has none, whatever stands elsewhere."""
    if got.shape != want.shape or want.ndim < 1 or got.dtype.kind == "b" or not got.any():
        return None
    zeros = np.abs(got) < TIGHT * np.abs(want).max()
    lost = zeros & (np.abs(want) > 1e-3 * np.abs(want).max())
    if not lost.any():
        return None
    if want.ndim >= 2 and want.shape[-1] > 2 and want.shape[-2] > 2:
        n, m = want.shape[-2:]
        for name, triangle in (("below", np.tri(n, m, -1, dtype=bool)), ("above", ~np.tri(n, m, 0, dtype=bool))):
            empty = zeros[..., triangle].all() and lost[..., triangle].any()
            if empty and not lost[..., ~triangle].any():
                return f"everything {name} the diagonal is 0"
        diagonal = np.eye(n, m, dtype=bool)
        if zeros[..., ~diagonal].all() and lost[..., ~diagonal].any() and not lost[..., diagonal].any():
            return "everything off the diagonal is 0"
    for axis in _axes(want, 2):
        others = tuple(a for a in range(want.ndim) if a != want.ndim + axis)
        whole = zeros.all(axis=others, keepdims=True) & lost.any(axis=others, keepdims=True)
        if not whole.any() or (lost & ~whole).any():
            continue
        if whole.size < 3:
            return ANY
        part, where = _part(axis, want.ndim), np.flatnonzero(whole)
        if len(where) == 1:
            place = {0: "first", whole.size - 1: "last"}.get(int(where[0]))
            if place is not None:
                return f"the {place} {part} is 0"
        elif (np.diff(where) == 1).all() and where[-1] == whole.size - 1:
            return f"the last {_many(part)} are 0"
        elif (np.diff(where) == 2).all() and len(where) == whole.size // 2:
            return f"every other {part} is 0"
    return None


def triangles(got: np.ndarray, want: np.ndarray) -> str | None:
    """Right on one side of the diagonal, or on it alone."""
    if got.shape != want.shape or want.ndim < 2 or min(want.shape[-2:]) < 3:
        return None
    wrong = ~close(got, want, TIGHT)
    n, m = want.shape[-2:]
    below, above = np.tri(n, m, -1, dtype=bool), ~np.tri(n, m, 0, dtype=bool)
    diagonal = ~below & ~above
    lies = [bool(wrong[..., part].any()) for part in (below, diagonal, above)]
    # That some entries are right is told by most of that side being wrong, and nothing on the other.
    share = [float(wrong[..., part].mean()) for part in (below, diagonal, above)]
    if lies == [False, True, False] and share[1] > 0.5:
        return "only the diagonal is wrong"
    if lies == [True, False, True] and min(share[0], share[2]) > 0.9:
        return "only the diagonal is right"
    if lies == [True, False, False] and share[0] > 0.9:
        return "only what lies below the diagonal is wrong"
    if lies == [False, False, True] and share[2] > 0.9:
        return "only what lies above the diagonal is wrong"
    return None
