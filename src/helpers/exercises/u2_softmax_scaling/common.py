"""What the exercises of this unit share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def last_two(X: Any) -> Any:
    return np.swapaxes(X, -1, -2)


def floats(function: Any) -> Any:
    """A wrong answer that first turns all its arguments into float arrays, as NumPy code does by itself."""
    return lambda *arrays: function(*(np.array(a, dtype=float) for a in arrays))


def whole_numbers(rng: np.random.Generator, *shape: Any) -> Any:
    """Small whole numbers: added to 1e4 they are exact in float32 as well."""
    return rng.integers(-3, 4, size=shape).astype(float)


def share(e: Any, axis: Any) -> Any:
    return e / e.sum(axis=axis, keepdims=True)


def guarded(e: Any, axis: Any) -> Any:
    total = e.sum(axis=axis, keepdims=True)
    return e / np.where(total == 0, 1, total)


def random_weights(rng: np.random.Generator, *shape: Any) -> Any:
    return rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])


WRONG_SCALES = (
    (
        "did not scale",
        (
            "Without a scale the scores of wide vectors are so far apart that one key takes everything. What was the"
            " spread of q·k?"
        ),
        lambda Q, K, V: 1,
    ),
    (
        "divided by d_k, not by √d_k",
        "That flattens the weights: the spread of the scores is √d_k; divide by that, and only once.",
        lambda Q, K, V: 1 / Q.shape[-1],
    ),
    (
        "divided by √d_v, the root of the width of the values",
        "The scores are made of queries and keys; the width of the values has no part in them.",
        lambda Q, K, V: 1 / math.sqrt(V.shape[-1]),
    ),
    (
        "multiplied by √d_k",
        "Large scores are the trouble, and this makes them larger still.",
        lambda Q, K, V: math.sqrt(Q.shape[-1]),
    ),
    (
        "divided by a constant 8",
        "8 is √64, the width that the paper happens to use. Read d_k from the shape of Q.",
        lambda Q, K, V: 1 / 8,
    ),
    (
        "divided by √n_k, the root of the number of keys",
        "A dot product adds d_k products, however many keys there are: the width counts, the last axis.",
        lambda Q, K, V: 1 / math.sqrt(K.shape[-2]),
    ),
    (
        "divided by √n_q, the root of the number of queries",
        "`len(Q)` and `Q.shape[0]` count the queries. The width is the last axis: `Q.shape[-1]`.",
        lambda Q, K, V: 1 / math.sqrt(Q.shape[-2]),
    ),
    (
        "wrote d_k ** 1/2, which is d_k divided by 2",
        "`**` binds more tightly than `/`. Write `d_k ** 0.5`, or `np.sqrt(d_k)`.",
        lambda Q, K, V: 2 / Q.shape[-1],
    ),
)
