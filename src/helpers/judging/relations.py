"""How the numbers of a wrong result relate to the right ones: facts about numbers, and no guess at the code."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from helpers.running.runner import Answer
from helpers.tolerance import close
from helpers.verdict import Diagnosis, Finding

from .papers import Paper

_TIGHT = 1e-5
# What says nothing for or against a relation, as a single row of "the last row".
_ANY = "any"
_FACTOR_HINT = "Which number of this problem is that factor: a width, a length, the root of one?"
Relation = Callable[[np.ndarray, np.ndarray], str | None]


def diagnose(work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None]) -> Diagnosis | None:
    """Return the relation that holds in every failing case, or None."""
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    places: set[str] = set()
    failing: list[int] = []
    for index, (answer, expected, finding) in enumerate(zip(answers, work.expected, found)):
        if finding is None or work.cases[index].raises is not None:
            continue
        if finding.kind not in ("values", "shape") or answer["status"] != "returned":
            return None
        different = _different(answer["value"], expected["value"], work.exercise.tolerance)
        if different is None:
            return None
        pairs.append(different[:2])
        places.add(different[2])
        failing.append(index)
    if len(places) != 1:
        return None
    place = places.pop()
    for relation, hint in _RELATIONS:
        told = {relation(got, want) for got, want in pairs} - {_ANY}
        if len(told) == 1 and (said := told.pop()) is not None:
            return Diagnosis(f"{place}{said}", hint)
    by_size = _factor_by_size(work, failing, pairs)
    return None if by_size is None else Diagnosis(f"{place}{by_size}", _FACTOR_HINT)


def _different(got: object, want: object, tolerance: float) -> tuple[np.ndarray, np.ndarray, str] | None:
    """The first arrays that differ, of one result or of several, and which result it is."""
    if isinstance(want, tuple) and isinstance(got, (tuple, list)) and len(got) == len(want):
        for number, (g, w) in enumerate(zip(got, want), start=1):
            different = _different(g, w, tolerance)
            if different is not None:
                return different[0], different[1], f"result {number} of {len(want)}: "
        return None
    if not isinstance(want, (np.ndarray, float, int)) or not isinstance(got, (np.ndarray, float, int)):
        return None
    a, b = np.asarray(got), np.asarray(want)
    if a.dtype.kind not in "fiu" or b.dtype.kind not in "fiu":
        return None
    if a.shape == b.shape and bool(close(a, b, tolerance).all()):
        return None
    return a, b, ""


def _factor_by_size(work: Paper, failing: Sequence[int], pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> str | None:
    """A factor that is another in each case, and always the same length of the same argument, or its root."""
    factors = [_ratio(got, want) for got, want in pairs]
    if len(failing) < 2 or any(factor is None for factor in factors):
        return None
    fitting = []
    for name, axis in sorted(work.sizes[failing[0]]):
        sizes = [work.sizes[i].get((name, axis)) for i in failing]
        if None in sizes or len(set(sizes)) < 2:
            continue
        for words, of in _OF_SIZE:
            if all(abs(f / of(n) - 1) < _TIGHT for f, n in zip(factors, sizes) if f is not None and n):
                fitting.append(words.format(f"`{name}.shape[{axis}]`"))
    return fitting[0] if len(fitting) == 1 else None


_OF_SIZE: tuple[tuple[str, Callable[[int], float]], ...] = (
    ("every entry is too large by the factor {}", lambda n: float(n)),
    ("every entry is too small by the factor {}", lambda n: 1 / n),
    ("every entry is too large by the root of {}", lambda n: float(n**0.5)),
    ("every entry is too small by the root of {}", lambda n: float(n**-0.5)),
)


def _equal(a: np.ndarray, b: np.ndarray, tolerance: float = _TIGHT) -> bool:
    return a.shape == b.shape and bool(close(a, b, tolerance).all())


def _rounded(got: np.ndarray, want: np.ndarray) -> str | None:
    """Whether the error is everywhere that of numbers with 11 or 8 binary digits, and no larger."""
    if got.shape != want.shape or want.dtype.kind != "f":
        return None
    if got.size < 2:
        return _ANY
    if not (np.isfinite(got) & np.isfinite(want)).all():
        return None
    if _equal(got, np.round(want)) or _equal(got, np.trunc(want)):
        return None
    with np.errstate(over="ignore"):
        halves, as_half = want.astype(np.float16).astype(float), got.astype(np.float16).astype(got.dtype)
    if np.isfinite(halves).all() and _equal(got.astype(float), halves, 1e-6):
        return "the numbers are those of float16"
    bits = np.ascontiguousarray(got, dtype=np.float32).view(np.uint32)
    if not (bits & 0xFFFF).any() and _equal(got, want, 2e-2):
        return "the numbers are those of bfloat16"
    if (as_half == got).all() and _equal(got, want, 2e-2):
        return "the numbers are those of float16"
    return None


def _digits(got: np.ndarray, want: np.ndarray) -> str | None:
    if got.shape != want.shape or want.dtype.kind != "f":
        return None
    if got.size < 2:
        return _ANY
    for digits in range(7):
        if _equal(got, np.round(want, digits), 1e-6) and not (got == 0).all():
            return f"rounded to {digits} decimals" if digits else "rounded to whole numbers"
    if _equal(got, np.trunc(want), 1e-6) and not (got == 0).all():
        return "cut off to whole numbers"
    return None


def _sign(got: np.ndarray, want: np.ndarray) -> str | None:
    if got.shape != want.shape or not (want < 0).any():
        return None
    if _equal(got, -want):
        return "every sign is turned around"
    if _equal(got, np.abs(want)):
        return "the right numbers without their sign"
    if _equal(got, np.maximum(want, 0)):
        return "every negative number has become 0"
    return None


def _ratio(got: np.ndarray, want: np.ndarray) -> float | None:
    """The one factor between two arrays, or None."""
    if got.shape != want.shape or not want.size or not np.isfinite(got).all() or not np.isfinite(want).all():
        return None
    top = np.unravel_index(int(np.argmax(np.abs(want))), want.shape)
    if want[top] == 0:
        return None
    factor = float(got[top] / want[top])
    return factor if factor not in (0.0, 1.0) and _equal(got, factor * want) else None


def _factor(got: np.ndarray, want: np.ndarray) -> str | None:
    factor = _ratio(got, want) if want.size > 1 else None
    return None if factor is None else f"every entry is {factor:.4g} times what it should be"


def _shifted(got: np.ndarray, want: np.ndarray) -> str | None:
    if got.shape != want.shape or want.size < 3 or not np.isfinite(got).all() or not np.isfinite(want).all():
        return None
    shift = float(got.flat[0] - want.flat[0])
    return f"every entry is off by {shift:.4g}" if shift and _equal(got - shift, want) else None


def _transposed(got: np.ndarray, want: np.ndarray) -> str | None:
    if want.ndim < 2 or got.ndim != want.ndim or want.size < 2:
        return None
    if _equal(np.swapaxes(got, -1, -2), want):
        return "the transpose of the right result"
    for a in range(want.ndim):
        for b in range(a + 1, want.ndim):
            if _equal(np.swapaxes(got, a, b), want):
                return f"the axes {a - want.ndim} and {b - want.ndim} are exchanged"
    return None


def _reshaped(got: np.ndarray, want: np.ndarray) -> str | None:
    if got.size == want.size and got.shape != want.shape and _equal(got.ravel(), want.ravel()):
        return "the numbers are right, in another shape"
    return None


def _one_part(got: np.ndarray, want: np.ndarray) -> str | None:
    """One row, column or block that is missing, or is all that is wrong."""
    if got.shape != want.shape or want.ndim < 1:
        return None
    right = close(got, want, _TIGHT)
    if want.ndim > 1 and want.shape[-2] == 1:
        return _ANY
    for axis in range(max(-3, -want.ndim), 0):
        size = want.shape[axis]
        others = tuple(a for a in range(want.ndim) if a != want.ndim + axis)
        wrong = ~right.all(axis=others) if others else ~right
        if size < 2 or int(wrong.sum()) != 1:
            continue
        place = int(np.flatnonzero(wrong)[0])
        name = {0: "first", size - 1: "last"}.get(place)
        if name is not None:
            part = {-1: "column", -2: "row", -3: "matrix"}[axis] if want.ndim > 1 else "entry"
            return f"only the {name} {part} is wrong"
    return None


def _missing(got: np.ndarray, want: np.ndarray) -> str | None:
    """The result without its first or last row or column."""
    if got.ndim != want.ndim:
        return None
    for axis in range(-1, -min(want.ndim, 2) - 1, -1):
        if got.shape[axis] != want.shape[axis] - 1:
            continue
        part = {-1: "column", -2: "row"}[axis] if want.ndim > 1 else "entry"
        moved = np.moveaxis(want, axis, 0)
        for name, rest in (("last", moved[:-1]), ("first", moved[1:])):
            if _equal(np.moveaxis(got, axis, 0), rest):
                return f"the {name} {part} is missing"
    return None


def _permuted(got: np.ndarray, want: np.ndarray) -> str | None:
    if got.shape != want.shape:
        return None
    for axis, part in ((-1, "columns"), (-2, "rows"), (-3, "matrices (heads)")):
        if want.ndim < -axis or not 1 < want.shape[axis] <= 64 or not np.isfinite(got).all():
            continue
        mine = np.moveaxis(got, axis, 0).reshape(want.shape[axis], -1)
        right = np.moveaxis(want, axis, 0).reshape(want.shape[axis], -1)
        order = [next((j for j in range(len(right)) if bool(close(row, right[j], _TIGHT).all())), -1) for row in mine]
        if sorted(order) == list(range(len(right))) and order != sorted(order):
            turned = order == sorted(order, reverse=True) and len(order) > 2
            return f"the {part} are right, in {'reverse' if turned else 'another'} order"
    return None


def _nan(got: np.ndarray, want: np.ndarray) -> str | None:
    """NaN where the right result is zero, and right everywhere else."""
    if got.shape != want.shape or got.dtype.kind != "f":
        return None
    bad = np.isnan(got)
    if bad.any() and not want[bad].any() and bool(close(np.where(bad, 0, got), want, _TIGHT).all()):
        return "NaN where the result should be 0, and right everywhere else"
    return None


def _constant(got: np.ndarray, want: np.ndarray) -> str | None:
    if got.size > 1 and not got.any() and want.any():
        return "every entry is 0"
    return None


_RELATIONS: tuple[tuple[Relation, str], ...] = (
    (_nan, "0/0 and -inf - (-inf) are NaN: which line meets a row with nothing in it?"),
    (_constant, "Is the result ever filled? Look where it gets its values."),
    (_digits, "Look for `round`, `astype(int)`, `//` and for arrays made with a type of whole numbers."),
    (_rounded, "Look for `half`, `float16`, `bfloat16` and `autocast`: compute in the precision that comes in."),
    (_sign, "Where does the sign get lost or turned: `abs`, `maximum`, a ReLU, a difference the other way round?"),
    (_factor, _FACTOR_HINT),
    (_shifted, "Which term is added too often, or left out?"),
    (_transposed, "Write the shape behind each line, and see where rows and columns change places."),
    (_reshaped, "Compare the shape with the one that the exercise names: an axis is missing, or stands elsewhere."),
    (_permuted, "The numbers are all there: in which order are they put together?"),
    (_missing, "Where does the loop, the slice or the range end?"),
    (_one_part, "What is different about that place: the first or last round of a loop, the end of a slice?"),
)
