"""Queries and keys with scores at a chosen level, and what is said of a wrong scale."""

from __future__ import annotations

import numpy as np

from helpers.exercise import Tensor

SCALES = {
    "1": ("did not scale the scores", "Without 1/√d_k the softmax saturates; unit 2 drew it."),
    "d_k": (
        "divided by d_k, not by √d_k",
        "A dot product of d_k terms grows like √d_k, so its root is what has to go.",
    ),
    "1/√d_k": ("multiplied by √d_k instead of dividing", "The scores are too large by √d_k already."),
    "√d_v": (
        "divided by √d_v",
        "The scores come from queries and keys: their width counts, not that of the values.",
    ),
    "√n_k": (
        "divided by the root of the number of keys",
        "The number of terms in one dot product is d_k, however many keys there are.",
    ),
    "8": (
        "divided by a fixed 8",
        "8 is √64, right for heads of width 64 only. Take the width from the last axis of the queries.",
    ),
}


def eighths(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return multiples of 1/8 between -2 and 2."""
    return (rng.integers(-16, 17, size=shape) / 8).astype("f4")


def leveled(
    rng: np.random.Generator, n_queries: int, levels: np.ndarray, lead: tuple[int, ...] = ()
) -> tuple[Tensor, Tensor]:
    """Return queries and keys of width 4 whose scaled scores lie a little above or below the level of the key."""
    Q, K = eighths(rng, *lead, n_queries, 4), eighths(rng, *lead, len(levels), 4)
    Q[..., 0], K[..., 0] = 2, levels
    return Tensor(Q), Tensor(K)
