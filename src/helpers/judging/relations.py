"""How the numbers of a wrong result relate to the right ones: facts about numbers, and no guess at the code."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from helpers.running.runner import Answer
from helpers.tolerance import GRADIENT_TOLERANCE, close
from helpers.verdict import Diagnosis, Finding

from . import parts, places
from .papers import Paper
from .places import ANY as _ANY
from .places import TIGHT as _TIGHT
from .places import equal as _equal

# A number that is nearly right is off by less than this share of the largest.
_NEARLY = 5e-3
# A failure of these kinds has numbers that differ, in a form that can be compared.
_NUMBERS = ("values", "shape", "results", "type", "keys", "dtype")
_FACTOR_HINT = "Which number of this problem is that factor: a width, a length, the root of one?"
Relation = Callable[[np.ndarray, np.ndarray], str | None]


def diagnose(
    work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None], loose: bool = False
) -> Diagnosis | None:
    """Return the relation that holds in every failing case, or None; with `loose` one that says less."""
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    which: set[str] = set()
    failing: list[int] = []
    for index, (answer, expected, finding) in enumerate(zip(answers, work.expected, found)):
        if finding is None or work.cases[index].raises is not None or work.cases[index].from_file:
            continue
        if answer["status"] != "returned":
            return None
        if finding.kind == "after":
            different = _different(answer["after"], expected["after"], GRADIENT_TOLERANCE)
        else:
            names = parts.names(work.exercise.reference, expected["value"])
            different = _different(answer["value"], expected["value"], work.exercise.tolerance, names)
        if different is not None:
            pairs.append(different[:2])
            which.add(different[2])
            failing.append(index)
        elif finding.kind in _NUMBERS:
            return None
    if len(which) != 1:
        return None
    place = which.pop()
    if any(got.dtype.kind == "b" or want.dtype.kind == "b" for got, want in pairs):
        if not all(got.dtype.kind == want.dtype.kind for got, want in pairs):
            return None
    choices = all(got.dtype.kind == want.dtype.kind == "b" for got, want in pairs)
    relations = _OF_CHOICES if choices else _RELATIONS
    for relation, hint in (() if choices else _LOOSE) if loose else relations:
        said = _in_all(relation, pairs)
        if said is not None:
            return Diagnosis(f"{place}{said}", hint)
    by_size = None if choices or loose else _factor_by_size(work, failing, pairs)
    return None if by_size is None else Diagnosis(f"{place}{by_size}", _FACTOR_HINT)


def _in_all(relation: Relation, pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> str | None:
    """What a relation says, if it says it in every case; how many rows or columns are meant may differ."""
    told = {relation(got, want) for got, want in pairs} - {_ANY}
    if None in told or not told:
        return None
    said = sorted(filter(None, told), key=len)
    if len(said) > 1:
        said = sorted({re.sub(r"\b\d+ (?=rows|columns|entries|matrices)", "", one) for one in said}, key=len)
    plain = {re.sub(r"s are\b| is\b|\bthere are\b|\ba (?=row|column)", "", one) for one in said}
    return said[-1] if len(plain) == 1 else None


def _different(
    got: object, want: object, tolerance: float, names: parts.Names = (), place: str = ""
) -> tuple[np.ndarray, np.ndarray, str] | None:
    """The first arrays that differ, of one result or of several, and which result it is."""
    if isinstance(want, tuple) and isinstance(got, (tuple, list)) and len(got) == len(want):
        for number, (g, w) in enumerate(zip(got, want)):
            name = names[number] if names else ""
            called = name if name and isinstance(name, str) else f"result {number + 1} of {len(want)}"
            inner = name if isinstance(name, tuple) else ()
            different = _different(g, w, tolerance, inner, f"{called}: ")
            if different is not None:
                return different
        return None
    if isinstance(want, dict) and isinstance(got, dict):
        for key, w in want.items():
            different = _different(got.get(key), w, tolerance, (), f"{key}: ")
            if different is not None:
                return different
        return None
    if isinstance(want, list) and isinstance(got, list) and all(type(one) is int for one in (*got, *want)):
        got, want = np.array(got, dtype=int), np.array(want, dtype=int)
    if not isinstance(want, (np.ndarray, float, int)) or not isinstance(got, (np.ndarray, float, int)):
        return None
    a, b = np.asarray(got), np.asarray(want)
    if a.dtype.kind not in "fiub" or b.dtype.kind not in "fiub":
        return None
    if a.shape == b.shape and bool(close(a, b, tolerance).all()):
        return None
    return a, b, place


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
        for every, single, of in _OF_SIZE:
            if all(abs(f / of(n) - 1) < _TIGHT for f, n in zip(factors, sizes) if f is not None and n):
                words = single if all(want.ndim == 0 for _, want in pairs) else every
                fitting.append(words.format(f"`{name}.shape[{axis}]`" if axis else f"`{name}`"))
    return fitting[0] if len(fitting) == 1 else None


# What is said of an array, and of a single number.
_OF_SIZE: tuple[tuple[str, str, Callable[[int], float]], ...] = (
    ("every entry is too large by the factor {}", "the number is too large by the factor {}", float),
    ("every entry is too small by the factor {}", "the number is too small by the factor {}", lambda n: 1 / n),
    ("every entry is too large by the root of {}", "the number is too large by the root of {}", lambda n: n**0.5),
    ("every entry is too small by the root of {}", "the number is too small by the root of {}", lambda n: n**-0.5),
)


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
    # Entries that are right or 0 anyway show no rounding: others may just never have been filled.
    if got.dtype.kind == "f" and not ((got != 0) & ~close(got, want, _TIGHT)).any():
        return None
    for digits in range(7):
        if _equal(got, np.round(want, digits), 1e-6) and not (got == 0).all():
            return f"rounded to {digits} decimals" if digits else "rounded to whole numbers"
    if _equal(got, np.trunc(want), 1e-6) and (got.dtype.kind in "iu" or not (got == 0).all()):
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


def _nearly(got: np.ndarray, want: np.ndarray) -> str | None:
    """Every number off by a little, and most of them: what a small number added, or few digits, do."""
    if got.shape != want.shape or want.dtype.kind != "f" or not np.isfinite(got).all() or not np.isfinite(want).all():
        return None
    if want.size < 2:
        return _ANY
    off = np.abs(got - want)
    scale = np.abs(want).max(initial=0)
    # A number near the largest has to be off too: else only small ones are wrong, and that is something else.
    if not scale or off.max() > _NEARLY * scale or (off > 0).mean() < 0.7:
        return None
    return "every number is nearly right, and off by less than half a per cent"


def _by_row(got: np.ndarray, want: np.ndarray) -> str | None:
    """Each row right up to a factor of its own, or up to a number of its own that is added."""
    if got.shape != want.shape or want.ndim < 2 or not np.isfinite(got).all() or not np.isfinite(want).all():
        return None
    if want.shape[-2] < 2 or want.shape[-1] < 3:
        return None
    for axis, part in ((-1, "row"), (-2, "column")):
        mine, right = np.moveaxis(got, axis, -1), np.moveaxis(want, axis, -1)
        if right.shape[-1] < 3:
            continue
        squares = (right**2).sum(-1, keepdims=True)
        factors = (mine * right).sum(-1, keepdims=True) / np.where(squares == 0, 1, squares)
        if _equal(mine, factors * right) and np.ptp(factors) > 1e-3 * np.abs(factors).max() and (factors != 0).all():
            return f"each {part} is right up to a factor of its own"
        shifts = (mine - right).mean(-1, keepdims=True)
        if _equal(mine - shifts, right) and np.ptp(shifts) > 1e-3 * np.abs(shifts).max():
            return f"each {part} is right up to a number of its own that is added"
    return None


def _moved(got: np.ndarray, want: np.ndarray) -> str | None:
    """One axis of the right result in another place, with the others in their order."""
    if got.ndim != want.ndim or want.ndim < 3 or want.size < 2:
        return None
    for source in range(want.ndim):
        if want.shape[source] > 1 and _equal(got, np.moveaxis(want, source, 0)):
            return f"axis {source - want.ndim} of the right result stands first"
    for source in range(want.ndim):
        if want.shape[source] > 1 and _equal(got, np.moveaxis(want, source, -1)):
            return f"axis {source - want.ndim} of the right result stands last"
    return None


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


def _permuted(got: np.ndarray, want: np.ndarray) -> str | None:
    if got.shape != want.shape or not want.ndim:
        return None
    if want.shape[-1] > 2 and want.dtype.kind != "b" and _equal(got, np.sort(want, axis=-1)[..., ::-1]):
        return "the entries are right, sorted from the largest on"
    for axis, part in ((-1, "columns"), (-2, "rows"), (-3, "matrices (heads)")):
        if want.ndim < -axis or not 1 < want.shape[axis] <= 64 or not np.isfinite(got).all():
            continue
        mine = np.moveaxis(got, axis, 0).reshape(want.shape[axis], -1)
        right = np.moveaxis(want, axis, 0).reshape(want.shape[axis], -1)
        order: list[int] = []
        for row in mine:
            free = (j for j in range(len(right)) if j not in order and bool(close(row, right[j], _TIGHT).all()))
            order.append(next(free, -1))
        if sorted(order) == list(range(len(right))) and order != sorted(order):
            turned = order == sorted(order, reverse=True) and len(order) > 2
            part = "entries" if want.ndim == 1 else part
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


def _running(got: np.ndarray, want: np.ndarray) -> str | None:
    """The running total of the right numbers, along an axis or over everything."""
    if got.shape != want.shape or want.size < 2 or not want.ndim:
        return None
    totals = [np.cumsum(want, axis=axis) for axis in range(-min(want.ndim, 2), 0) if want.shape[axis] > 1]
    if any(_equal(got, total) for total in (*totals, np.cumsum(want).reshape(want.shape))):
        return "to each number all those before it are added"
    return None


# One number for all of a row or column, and how that is said.
_FOR_ALL: tuple[tuple[str, int, Callable[..., np.ndarray]], ...] = (
    ("every entry of a row is the sum of the right row", -1, np.sum),
    ("every entry of a row is the mean of the right row", -1, np.mean),
    ("every entry of a row is the largest of the right row", -1, np.max),
    ("every entry of a column is the sum of the right column", -2, np.sum),
    ("every entry of a column is the mean of the right column", -2, np.mean),
    ("every entry of a column is the largest of the right column", -2, np.max),
)


def _spread(got: np.ndarray, want: np.ndarray) -> str | None:
    """One number for a whole row or column: the sum, the mean or the largest of the right ones."""
    if got.shape != want.shape or want.ndim < 2:
        return None
    if min(want.shape[-2:]) < 2:
        return _ANY
    for name, axis, reduce in _FOR_ALL:
        if _equal(got, np.broadcast_to(reduce(want, axis=axis, keepdims=True), want.shape)):
            return name
    return None


def _softmax(x: np.ndarray, axis: int) -> np.ndarray:
    shares = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(shares / shares.sum(axis=axis, keepdims=True))


# What may have been done to every number, or to every row, and how that is said.
_DONE: tuple[tuple[str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("the squares of the right numbers", np.square),
    ("the square roots of the right numbers", np.sqrt),
    ("1 divided by the right numbers", np.reciprocal),
    ("the exponentials of the right numbers", np.exp),
    ("the logarithms of the right numbers", np.log),
    ("the tanh of the right numbers", np.tanh),
    ("the sigmoid of the right numbers", lambda x: 1 / (1 + np.exp(-x))),
    ("the softmax of the right result, along its last axis", lambda x: _softmax(x, -1)),
    ("the softmax of the right result, along its last axis but one", lambda x: _softmax(x, -2)),
    ("the right result with the mean of each row taken off", lambda x: x - x.mean(axis=-1, keepdims=True)),
    ("the right result with the mean of each column taken off", lambda x: x - x.mean(axis=-2, keepdims=True)),
    ("each row of the right result, divided by its sum", lambda x: x / x.sum(axis=-1, keepdims=True)),
    ("each row of the right result, divided by its length", lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)),
)


def _done_to(got: np.ndarray, want: np.ndarray) -> str | None:
    """A function of the right numbers."""
    if got.shape != want.shape or want.dtype.kind != "f" or not np.isfinite(want).all():
        return None
    if want.size < 2:
        return _ANY
    for name, function in _DONE:
        if ("row" in name or "along" in name or "column" in name) and want.ndim < 2:
            continue
        with np.errstate(all="ignore"):
            done = function(want.astype(float))
        if np.isfinite(done).all() and _equal(got, done):
            return name
    return None


def _more_or_less(got: np.ndarray, want: np.ndarray) -> str | None:
    """A count that is always too large or always too small."""
    if got.ndim or want.ndim or want.dtype.kind not in "iu" or got.dtype.kind not in "iu":
        return None
    return "more than there should be" if got > want else "less than there should be"


def _inverted(got: np.ndarray, want: np.ndarray) -> str | None:
    return "True and False are exchanged everywhere" if got.shape == want.shape and (got != want).all() else None


def _one_choice(got: np.ndarray, want: np.ndarray) -> str | None:
    if got.size > 1 and (got == got.flat[0]).all() and not (want == want.flat[0]).all():
        return f"every entry is {bool(got.flat[0])}"
    return None


def _constant(got: np.ndarray, want: np.ndarray) -> str | None:
    if got.dtype.kind in "iu" and want.dtype.kind == "f" and not np.trunc(want).any():
        # An array of whole numbers was filled, and kept nothing of it.
        return None
    if got.size > 1 and not got.any() and want.any():
        return "every entry is 0"
    return None


_ENDS_HINT = "Where does the loop, the slice or the range begin, and where does it end?"
_PLACE_HINT = "What is different about that place: the first or last round of a loop, the end of a slice?"
_RELATIONS: tuple[tuple[Relation, str], ...] = (
    (_nan, "0/0 and -inf - (-inf) are NaN: which line meets a row with nothing in it?"),
    (_constant, "Where does the result get its values: is it never filled, or does a later line make it 0?"),
    (_digits, "Look for `round`, `astype(int)`, `//` and for arrays made with a type of whole numbers."),
    (_rounded, "Look for `half`, `float16`, `bfloat16` and `autocast`: compute in the precision that comes in."),
    (_sign, "Where does the sign get lost or turned: `abs`, `maximum`, a ReLU, a difference the other way round?"),
    (_factor, _FACTOR_HINT),
    (_shifted, "Which term is added too often, or left out?"),
    (_running, "A running total has to begin at 0 again: in which loop does yours begin?"),
    (_spread, "Which axis is summed over, or kept by `keepdims`, that should stay as it is?"),
    (_done_to, "Which line does that, and does the formula ask for it at that place?"),
    (_transposed, "Write the shape behind each line, and see where rows and columns change places."),
    (_moved, "Which axis does a loop, a `stack` or a `transpose` put there? Count axes from the end."),
    (_reshaped, "Compare the shape with the one that the exercise names: an axis is missing, or stands elsewhere."),
    (_permuted, "The numbers are all there: in which order are they put together?"),
    (places.missing, _ENDS_HINT),
    (places.surplus, _ENDS_HINT),
    (places.one_part, _PLACE_HINT),
    (places.empty_places, "Which line is to write there? Look at its indices, and at the loop around it."),
    (places.triangles, "A loop, a mask or a slice goes to the diagonal: from which side, and up to it or beyond?"),
    (places.every_other, "Slices such as `0::2` and `1::2` choose every other place: what does each of them get?"),
    (places.from_place_on, "Is a length written into the code, or does a loop, a table or a window end there?"),
)
_LOOSE: tuple[tuple[Relation, str], ...] = (
    (
        _by_row,
        "What is each row divided by, or what is added to it? One of these numbers is another than it should be.",
    ),
    (_more_or_less, "Count on paper, for the smallest case: what is counted twice, or not at all?"),
    (_nearly, "A small number that is added (an eps), a rounded constant, or half precision does that."),
)
_OF_CHOICES: tuple[tuple[Relation, str], ...] = (
    (_inverted, "What does True mean here? Read the first sentence of the exercise again."),
    (_one_choice, "Is what is compared ever different? Try the comparison with two pairs of numbers."),
    *(
        (relation, hint)
        for relation, hint in _RELATIONS
        if relation
        in (
            _transposed,
            _moved,
            _reshaped,
            _permuted,
            places.missing,
            places.surplus,
            places.one_part,
            places.triangles,
            places.every_other,
        )
    ),
)
