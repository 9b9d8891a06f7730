"""`softmax`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u2_softmax_scaling as reference

from ..attention import share, softmax, softmax_with_one_maximum, softmax_without_maximum
from ..common import Answer, Step, normal
from .common import guarded, whole_numbers


def _softmax_cases(rng: np.random.Generator) -> list[Case]:
    hidden = normal(rng, 3, 5)
    hidden[0, rng.integers(5)] = hidden[2, 1:4] = -np.inf
    nothing = np.array([[1e4], [-1e4], [0]]) + whole_numbers(rng, 3, 4)
    nothing[2] = -np.inf
    return [
        Case("values", (normal(rng, 4),), note="4 scores"),
        Case("values", (normal(rng, 2, 5),), note="2 rows of 5 scores"),
        Case("values", (normal(rng, 3, 3),), note="3 rows of 3 scores: square"),
        Case("other axes", (normal(rng, 3, 4),), {"axis": 0}, note="3 rows of 4 scores, axis=0"),
        Case("other axes", (normal(rng, 3, 3),), {"axis": 0}, note="square, axis=0"),
        Case("other axes", (normal(rng, 2, 3, 4),), note="shape (2, 3, 4), the last axis"),
        Case("other axes", (normal(rng, 2, 3, 4),), {"axis": 1}, note="shape (2, 3, 4), axis=1"),
        Case("other axes", (normal(rng, 2, 3, 4), -3), note="shape (2, 3, 4), axis=-3"),
        Case(
            "large scores",
            (np.array([[1e4], [-1e4], [0]]) + whole_numbers(rng, 3, 4),),
            note="rows around 10000, -10000 and 0",
        ),
        Case("large scores", (np.array([1e4, -1e4, 0, 1e4 - 1]),), note="one row with 10000 and -10000 in it"),
        Case(
            "large scores",
            (np.array([[1e4, -1e4]]) + whole_numbers(rng, 4, 2),),
            {"axis": 0},
            note="columns around 10000 and -10000, axis=0",
        ),
        Case("hidden entries", (hidden,), note="some entries are -inf"),
        Case("nothing to choose", (nothing,), note="rows around 10000 and -10000, and one that is -inf throughout"),
        Case("nothing to choose", (np.full((2, 3), -np.inf),), note="-inf everywhere"),
        Case("integers", (rng.integers(-2, 3, size=(2, 4)),), note="whole numbers in"),
        Case("axes of length one", (normal(rng, 1, 1, 1),), note="one score, three axes"),
        Case("axes of length one", (normal(rng, 1, 4),), {"axis": 0}, note="4 scores, each alone along axis 0"),
        Case("long rows", (normal(rng, 2, 1500),), note="2 rows of 1500 scores"),
    ]


def _softmax(by: Step) -> Answer:
    def wrong(x: Any, axis: int = -1) -> Any:
        return by(np.array(x, dtype=float), axis)

    return wrong


def _raised(x: Any, axis: int) -> Any:
    largest = x.max(axis=axis, keepdims=True)
    return np.exp(x - np.where(np.isfinite(largest), largest, 0))


def _maximum_after_exp(x: Any, axis: int) -> Any:
    e = np.exp(x)
    return share(e - e.max(axis=axis, keepdims=True), axis)


def _forgot_keepdims(x: Any, axis: int) -> Any:
    e = _raised(x, axis)
    total = e.sum(axis=axis)
    return e / np.where(total == 0, 1, total)


def _maximum_of_last_axis(x: Any, axis: int) -> Any:
    largest = x.max(axis=-1, keepdims=True)
    return guarded(np.exp(x - np.where(np.isfinite(largest), largest, 0)), axis)


def _log_softmax(x: Any, axis: int) -> Any:
    e = _raised(x, axis)
    largest = x.max(axis=axis, keepdims=True)
    return x - np.where(np.isfinite(largest), largest, 0) - np.log(e.sum(axis=axis, keepdims=True))


def _into_integers(x: Any, axis: int = -1) -> Any:
    x = np.asarray(x)
    return reference.softmax(x, axis).astype(x.dtype)


def _over_one_sum(e: Any) -> Any:
    return e / (e.sum() or 1)


_WHOLE_HINT = (
    "Every row is a distribution of its own: sum along one axis only, and keep that axis so that the division fits."
)


EXERCISE = Exercise(
    name="softmax",
    reference=reference.softmax,
    cases=_softmax_cases,
    mistakes=(
        Mistake(
            "subtracted no maximum: exp overflows",
            "`np.exp(10000.)` is inf. Softmax does not change when every score is made smaller by the same number:"
            " which number makes the largest one harmless?",
            _softmax(softmax_without_maximum),
        ),
        Mistake(
            "subtracted no maximum and turned the NaN into 0",
            "Large scores overflow, and `nan_to_num` hides it: the largest score of all gets weight 0. Make the largest"
            " score harmless first.",
            _softmax(lambda x, axis: np.nan_to_num(softmax_without_maximum(x, axis))),
        ),
        Mistake(
            "subtracted one maximum for the whole array",
            "A row whose scores lie far below the largest of all then has only exp(-20000) = 0 in it. Each row needs"
            " the maximum of its own.",
            _softmax(softmax_with_one_maximum),
        ),
        Mistake(
            "subtracted one maximum for the whole array, and so far rows are all zeros",
            "A row whose scores lie far below the largest of all then has only exp(-20000) = 0 in it. Each row needs"
            " the maximum of its own.",
            _softmax(lambda x, axis: guarded(np.exp(x - (x.max() if np.isfinite(x.max()) else 0)), axis)),
        ),
        Mistake(
            "subtracted the minimum instead of the maximum",
            "Then the other scores lie above 0, and the exponential of a large one overflows. After the subtraction no"
            " score may be above 0.",
            _softmax(lambda x, axis: share(np.exp(x - x.min(axis=axis, keepdims=True)), axis)),
        ),
        Mistake(
            "subtracted the mean instead of the maximum",
            "Then some scores still lie above 0, and the exponential of a large one overflows. After the subtraction no"
            " score may be above 0.",
            _softmax(lambda x, axis: share(np.exp(x - x.mean(axis=axis, keepdims=True)), axis)),
        ),
        Mistake(
            "divided the scores by their maximum instead of subtracting it",
            "Only differences count, and dividing changes them. Subtracting the same number from all scores does not.",
            _softmax(lambda x, axis: share(np.exp(x / x.max(axis=axis, keepdims=True)), axis)),
        ),
        Mistake(
            "subtracted the maximum after exp",
            "By then exp has overflowed, and the largest score is left with 0. Make the scores smaller, not their"
            " exponentials.",
            _softmax(_maximum_after_exp),
        ),
        Mistake(
            "took a power of 2 instead of exp",
            "The exponential is that of e = 2.718...: `np.exp`.",
            _softmax(
                lambda x, axis: guarded(
                    np.exp2(x - np.where(np.isfinite(m := x.max(axis=axis, keepdims=True)), m, 0)), axis
                )
            ),
        ),
        Mistake(
            "gave a row zeros as soon as one of its entries is -inf",
            "One -inf takes one key out; the others still share out 1. Only a row of nothing but -inf is empty.",
            _softmax(lambda x, axis: reference.softmax(x, axis) * ~np.isneginf(x).any(axis=axis, keepdims=True)),
        ),
        Mistake(
            "took the maximum over the last axis, whatever the axis",
            "The sum follows `axis`; the maximum has to follow it as well, or you subtract different numbers from"
            " scores that compete.",
            _softmax(_maximum_of_last_axis),
        ),
        Mistake(
            "the axis argument changes nothing: always the last axis",
            "`axis` says along which direction the weights sum to 1. Hand it on to the maximum and to the sum.",
            _softmax(lambda x, axis: reference.softmax(x, -1)),
        ),
        Mistake(
            "took the first axis instead of the given one",
            "With axis=-1 each row sums to 1. Yours sum to 1 along the first axis: over the queries, or over the"
            " batch.",
            _softmax(lambda x, axis: reference.softmax(x, 0)),
        ),
        Mistake(
            "took the axis before the last one: over the queries",
            "With axis=-1 each row sums to 1, so that a query shares out its attention. Yours sums to 1 down the"
            " columns.",
            _softmax(lambda x, axis: reference.softmax(x, -2 if x.ndim > 1 and axis == -1 else axis)),
        ),
        Mistake(
            "shared out over the whole array",
            _WHOLE_HINT,
            _softmax(lambda x, axis: reference.softmax(x.ravel()).reshape(x.shape)),
        ),
        Mistake(
            "shared out over the whole array, and NaN where all of it is -inf",
            _WHOLE_HINT,
            _softmax(lambda x, axis: softmax(x, None)),
        ),
        Mistake(
            "took each row's maximum, but one sum for the whole array",
            _WHOLE_HINT,
            _softmax(lambda x, axis: _over_one_sum(_raised(x, axis))),
        ),
        Mistake(
            "took each row's maximum, but one sum for the whole array, and 0/0 where all of it is -inf",
            _WHOLE_HINT,
            _softmax(lambda x, axis: share(_raised(x, axis), None)),
        ),
        Mistake(
            "took each row's maximum, but one sum for the whole array, and a row of -inf spoils all others",
            _WHOLE_HINT,
            _softmax(lambda x, axis: share(np.exp(x - x.max(axis=axis, keepdims=True)), None)),
        ),
        Mistake(
            "shared out over the whole array, and subtracted no maximum",
            "Every row is a distribution of its own: sum along one axis only, and keep that axis so that the division"
            " fits. Then make the largest score of each row harmless, for `np.exp(10000.)` is inf.",
            _softmax(lambda x, axis: np.exp(x) / np.exp(x).sum()),
        ),
        Mistake(
            "forgot keepdims: each row is divided by another row's sum",
            "`e.sum(axis)` has one axis less, and NumPy lines it up with the wrong one. `keepdims=True` leaves a 1 in"
            " its place.",
            _softmax(_forgot_keepdims),
        ),
        Mistake(
            "a row of nothing but -inf gives NaN",
            "There the maximum is -inf, and -inf minus -inf is NaN; after that the sum is 0. What can you subtract in"
            " such a row, and what divide by, so that zeros come out?",
            _softmax(softmax),
        ),
        Mistake(
            "a row of nothing but -inf gives equal weights",
            "Nobody is there to attend to, so the answer is zeros: equal weights would mix in exactly the values that"
            " were ruled out.",
            _softmax(lambda x, axis: reference.softmax(np.where(np.isneginf(x), -1e9, x), axis)),
        ),
        Mistake(
            "treated -inf as the score 0",
            "A score of 0 is still exp(0) = 1. An entry of -inf has weight exactly 0, and exp(-inf) gives that by"
            " itself.",
            _softmax(lambda x, axis: reference.softmax(np.where(np.isneginf(x), 0, x), axis)),
        ),
        Mistake(
            "clipped large scores",
            "Clipping makes 10000 and 9999 equal. Subtract the maximum instead: it keeps every difference.",
            _softmax(lambda x, axis: share(np.exp(np.clip(x, -50, 50)), axis)),
        ),
        Mistake(
            "divided the scores by their sum, without exp",
            "Scores may be negative and weights may not: exp makes them positive first.",
            _softmax(lambda x, axis: x / x.sum(axis=axis, keepdims=True)),
        ),
        Mistake(
            "returned exp without dividing",
            "The weights have to sum to 1: divide by the sum of the exponentials.",
            _softmax(_raised),
        ),
        Mistake(
            "divided by the largest instead of the sum",
            "Then the largest weight is 1, not the sum. Divide by the sum of the exponentials.",
            _softmax(lambda x, axis: _raised(x, axis) / _raised(x, axis).max(axis=axis, keepdims=True)),
        ),
        Mistake(
            "returned the logarithm of the softmax",
            "The weights are asked, which sum to 1. The logarithm comes with the loss, in unit 6.",
            _softmax(_log_softmax),
        ),
        Mistake(
            "wrote the weights into an array of whole numbers",
            "`np.zeros_like(x)` has the type of x, and an integer array rounds every weight below 1 to 0. Start from"
            " `x.astype(float)`.",
            _into_integers,
        ),
    ),
    forbidden=(
        "scipy.special.softmax",
        "scipy.special.log_softmax",
        "torch.softmax",
        "torch.log_softmax",
        "torch.softmin",
        "torch._sparse_softmax",
        "torch._masked_softmax",
        "sklearn.utils.extmath.softmax",
    ),
    hints=(
        "Three steps along the axis: take off the maximum, exp, divide by the sum.",
        "`keepdims=True` in the maximum and the sum makes the shapes fit for every axis.",
    ),
)
