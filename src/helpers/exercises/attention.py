"""Steps of attention, right and wrong, that mistakes of several units share; for NumPy, and without loading torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from helpers.exercise import Mistake

from .common import Answer

Scale = Callable[[Any, Any, Any], float]  # what scores are divided by, from Q, K and V (..., h, n, d)


def transposed(X: Any) -> Any:
    """Return an array or a tensor with its last two axes exchanged."""
    return X.swapaxes(-1, -2)


# --- scales ----------------------------------------------------------------------------------------------


def root_of_width(Q: Any, K: Any, V: Any) -> float:
    """The right scale, √d_k."""
    return math.sqrt(Q.shape[-1])


WRONG_SCALES: Mapping[str, Scale] = {
    "1": lambda Q, K, V: 1.0,
    "d_k": lambda Q, K, V: Q.shape[-1],
    "1/√d_k": lambda Q, K, V: 1 / math.sqrt(Q.shape[-1]),
    "d_k/2": lambda Q, K, V: Q.shape[-1] / 2,
    "√d_v": lambda Q, K, V: math.sqrt(V.shape[-1]),
    "√n_k": lambda Q, K, V: math.sqrt(K.shape[-2]),
    "√n_q": lambda Q, K, V: math.sqrt(Q.shape[-2]),
    "√h": lambda Q, K, V: math.sqrt(Q.shape[-3]),
    "√d_model": lambda Q, K, V: math.sqrt(Q.shape[-3] * Q.shape[-1]),
    "8": lambda Q, K, V: 8.0,
}


def scale_mistakes(with_scale: Callable[[Scale], Answer], told: Mapping[str, tuple[str, str]]) -> tuple[Mistake, ...]:
    """Return a mistake for each wrong scale of `told`, in its order.

    Args:
        with_scale: makes an answer that divides by that scale and is right otherwise.
        told: name and hint by the keys of `WRONG_SCALES`.
    """
    return tuple(Mistake(name, hint, with_scale(WRONG_SCALES[scale])) for scale, (name, hint) in told.items())


# --- softmax ---------------------------------------------------------------------------------------------


def share(e: Any, axis: int | None = -1) -> Any:
    """Return numbers divided by their sum along an axis, or by the sum of all with `axis=None`."""
    return e / e.sum(axis=axis, keepdims=True)


def softmax(x: Any, axis: int | None = -1) -> Any:
    """The right softmax but for a row of nothing but -inf, which gives NaN; `axis=None` is over everything."""
    return share(np.exp(x - x.max(axis=axis, keepdims=True)), axis)


def softmax_without_maximum(x: Any, axis: int = -1) -> Any:
    """A softmax that overflows: no maximum is subtracted."""
    return share(np.exp(x), axis)


def softmax_with_one_maximum(x: Any, axis: int = -1) -> Any:
    """A softmax that leaves 0/0 in rows far below the largest score of all, which is subtracted everywhere."""
    return share(np.exp(x - x.max()), axis)
