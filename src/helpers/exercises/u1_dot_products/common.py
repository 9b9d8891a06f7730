"""Wrong ways to transpose that are told in several exercises, and small helpers of the wrong versions."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Mistake

from ..common import Answer, Step

RESHAPE_HINT = (
    "`reshape` keeps the numbers in their order and only cuts the rows anew; a transpose makes columns of rows:"
    " `np.swapaxes(X, -1, -2)`."
)


def reshaped(X: Any) -> Any:
    """Rows and columns exchanged by a reshape."""
    X = np.asarray(X, dtype=float)
    return X.reshape(*X.shape[:-2], X.shape[-1], X.shape[-2])


SOFTMAX_HINT = "Turning scores into weights is unit 2. Here the raw dot products are asked."
DIVIDED_HINT = "Nothing is divided here, and in unit 2 it will be √d_k, not d_k."
DISTANCE_HINT = "A distance is small for a key that fits the query; the score has to be large for it."


def last_feature_mistake(right: Answer, axis: int = -1) -> Mistake:
    """The mistake of `=` for `+=` in the innermost loop; `axis` is that of the features."""
    return Mistake(
        "kept the product of the last feature only",
        "A dot product adds up over all features. In a loop `+=` adds to what is there; `=` puts the new number in its"
        " place.",
        lambda *arrays: right(*(np.take(np.asarray(array, dtype=float), [-1], axis=axis) for array in arrays)),
    )


def sums_mistake(right: Answer) -> Mistake:
    """The mistake of adding up the features of either side first; every key, query or token becomes one number."""
    return Mistake(
        "added up before multiplying",
        "Multiply entry by entry first; the sum comes after.",
        lambda *arrays: right(*(np.asarray(array, dtype=float).sum(-1, keepdims=True) for array in arrays)),
    )


def plus_mistake(wrong: Answer) -> Mistake:
    """The mistake of + for the product of two entries."""
    return Mistake(
        "added the entries instead of multiplying them",
        "A dot product multiplies the two vectors entry by entry, and then adds up.",
        wrong,
    )


def two_axes_mistake(right: Answer) -> Mistake:
    """The mistake of `n, d = X.shape` in a function that is right otherwise."""

    def wrong(*arrays: Any) -> Any:
        n, d = np.shape(arrays[0])
        return right(*arrays)

    return Mistake(
        "unpacked exactly two axes from the shape",
        "`n, d = X.shape` breaks as soon as batch axes come first. Count from the end: `X.shape[-2]`, `X.shape[-1]`,"
        " `X[..., i, :]`.",
        wrong,
    )


def two_named_mistake(wrong: Answer) -> Mistake:
    """The mistake of torch's `transpose(-1, -2)` in NumPy."""
    return Mistake(
        "named only two axes in transpose",
        "NumPy's `transpose` wants all axes in their new order (torch's wants two). What swaps the last two of any"
        " array is `np.swapaxes(X, -1, -2)`.",
        wrong,
    )


def dot_mistake(wrong: Answer) -> Mistake:
    """The mistake of `np.dot(X, Y.T)`."""
    return Mistake(
        "used np.dot with .T, which is right for two axes only",
        "`.T` reverses every axis and `np.dot` does not keep batch axes in front. Use `@` and `np.swapaxes(X, -1,"
        " -2)`.",
        wrong,
    )


def lengths(X: Any, axis: int = -1) -> Any:
    """The lengths of the vectors along an axis, which stays with length 1."""
    return np.linalg.norm(X, axis=axis, keepdims=True)


def both(function: Step) -> Answer:
    """A wrong answer that turns its two arguments into arrays of numbers first."""
    return lambda Q, K: function(np.asarray(Q, dtype=float), np.asarray(K, dtype=float))
