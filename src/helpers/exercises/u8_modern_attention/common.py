"""What the exercises of this unit share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from helpers.exercise import Mistake, Tensor

READY_MADE = ("torch.nn.functional.scaled_dot_product_attention", "torch.nn.functional.multi_head_attention_forward")


def normal(rng: np.random.Generator, *shape: int, gradient: bool = False) -> Tensor:
    return Tensor(rng.normal(size=shape).astype("f4"), gradient)


def eighths(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.integers(-16, 17, size=shape) / 8).astype("f4")


def leveled(
    rng: np.random.Generator, n_queries: int, levels: np.ndarray, lead: tuple[int, ...] = ()
) -> tuple[Tensor, Tensor]:
    """Queries and keys of width 4 whose scaled scores lie a little above or below the level of the key."""
    Q, K = eighths(rng, *lead, n_queries, 4), eighths(rng, *lead, len(levels), 4)
    Q[..., 0], K[..., 0] = 2, levels
    return Tensor(Q), Tensor(K)


def swap(x: torch.Tensor) -> torch.Tensor:
    return x.transpose(-2, -1)


# Wrong scales that learners use, each as a function of Q, K, V after the heads are split.
_SCALES = {
    "did not scale the scores": ("Without 1/√d_k the softmax saturates; unit 2 drew it.", lambda Q, K, V: 1.0),
    "divided by d_k, not by √d_k": (
        "A dot product of d_k terms grows like √d_k, so its root is what has to go.",
        lambda Q, K, V: Q.shape[-1],
    ),
    "multiplied by √d_k instead of dividing": (
        "The scores are too large by √d_k already.",
        lambda Q, K, V: Q.shape[-1] ** -0.5,
    ),
    "divided by √d_v": (
        "The scores come from queries and keys: their width counts, not that of the values.",
        lambda Q, K, V: V.shape[-1] ** 0.5,
    ),
    "divided by the root of the number of keys": (
        "The number of terms in one dot product is d_k, however many keys there are.",
        lambda Q, K, V: K.shape[-2] ** 0.5,
    ),
    "divided by a fixed 8": (
        "8 is √64, right for heads of width 64 only. Take the width from the last axis of the queries.",
        lambda Q, K, V: 8.0,
    ),
}


def scale_mistakes(wrong_with_scale: Any) -> Any:
    return tuple(Mistake(name, hint, wrong_with_scale(scale)) for name, (hint, scale) in _SCALES.items())
