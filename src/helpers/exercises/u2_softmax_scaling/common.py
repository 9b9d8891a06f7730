"""Random weights and whole numbers, the divisions of a softmax, and what is said of a wrong scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.exercise import Mistake

from ..attention import Scale
from ..common import Answer, Step

# What `scale_mistakes` says to who scales the scores in another way.
SCALES = {
    "1": (
        "did not scale",
        "Without a scale the scores of wide vectors are so far apart that one key takes everything. What was the"
        " spread of q·k?",
    ),
    "d_k": (
        "divided by d_k, not by √d_k",
        "That flattens the weights: the spread of the scores is √d_k; divide by that, and only once.",
    ),
    "√d_v": (
        "divided by √d_v, the root of the width of the values",
        "The scores are made of queries and keys; the width of the values has no part in them.",
    ),
    "1/√d_k": ("multiplied by √d_k", "Large scores are the trouble, and this makes them larger still."),
    "8": (
        "divided by a constant 8",
        "8 is √64, the width that the paper happens to use. Read d_k from the shape of Q.",
    ),
    "√n_k": (
        "divided by √n_k, the root of the number of keys",
        "A dot product adds d_k products, however many keys there are: the width counts, the last axis.",
    ),
    "√n_q": (
        "divided by √n_q, the root of the number of queries",
        "`len(Q)` and `Q.shape[0]` count the queries. The width is the last axis: `Q.shape[-1]`.",
    ),
    "d_k/2": (
        "wrote d_k ** 1/2, which is d_k divided by 2",
        "`**` binds more tightly than `/`. Write `d_k ** 0.5`, or `np.sqrt(d_k)`.",
    ),
}


# Further wrong scales of this unit: name, hint and what the scores are divided by.
MORE_SCALES: tuple[tuple[str, str, Scale], ...] = (
    (
        "wrote / d_k ** 1/2, which divides by d_k and then by 2",
        "`**` binds more tightly than `/`. Write `d_k ** 0.5`, or `np.sqrt(d_k)`.",
        lambda Q, K, V: 2 * Q.shape[-1],
    ),
    (
        "divided by a constant √2",
        "2 is the width in the example of the text. Read d_k from the shape of Q.",
        lambda Q, K, V: math.sqrt(2),
    ),
)


def more_scale_mistakes(with_scale: Callable[[Scale], Answer]) -> tuple[Mistake, ...]:
    """Return a mistake for each of `MORE_SCALES`; `with_scale` makes an answer that divides by a scale."""
    return tuple(Mistake(name, hint, with_scale(scale)) for name, hint, scale in MORE_SCALES)


def floats(function: Step) -> Answer:
    """A wrong answer that first turns all its arguments into float arrays, as NumPy code does by itself."""
    return lambda *arrays: function(*(np.array(a, dtype=float) for a in arrays))


def whole_numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return small whole numbers: added to 1e4 they are exact in float32 as well."""
    return rng.integers(-3, 4, size=shape).astype(float)


def random_weights(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return rows of attention weights: none below 0, each row sums to 1."""
    return rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])


def guarded(e: Any, axis: int) -> Any:
    """Numbers divided by their sum along an axis, where that is not 0."""
    total = e.sum(axis=axis, keepdims=True)
    return e / np.where(total == 0, 1, total)
