"""What the exercises of this unit share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def feed_forward_weights(rng: np.random.Generator, d: int, d_ff: int, prefix: str = "") -> dict[str, np.ndarray]:
    """Weights that give numbers of about unit variance."""
    shapes = {"gate": (d_ff, d), "up": (d_ff, d), "down": (d, d_ff)}
    return {
        f"{prefix}{name}.weight": (1.5 * rng.normal(size=shape) / math.sqrt(shape[1])).astype("f4")
        for name, shape in shapes.items()
    }


def block_weights(
    rng: np.random.Generator, d: int, n_heads: int, n_kv_heads: int, d_ff: int, prefix: str = ""
) -> dict[str, np.ndarray]:
    """Weights of a block with scores of unit variance, and norms that are no plain ones."""
    shared = d // n_heads * n_kv_heads
    shapes = {"W_q": (d, d), "W_k": (shared, d), "W_v": (shared, d), "W_o": (d, d)}
    weights = {
        f"{prefix}attention.{name}.weight": 1.3 * rng.normal(size=shape) / math.sqrt(d)
        for name, shape in shapes.items()
    }
    for name in ("norm_1", "norm_2"):
        weights[f"{prefix}{name}.weight"] = 1 + 0.4 * rng.normal(size=d)
    weights = {name: array.astype("f4") for name, array in weights.items()}
    return weights | feed_forward_weights(rng, d, d_ff, f"{prefix}feed_forward.")


def nearly(case: Any, value: Any, expected: Any) -> str | None:
    """What is wrong with a result far out, where angles in float32 are right to about one in a thousand only."""
    pairs = zip(_arrays(value), _arrays(expected), strict=False)
    if len(_arrays(value)) != len(_arrays(expected)) or any(a.shape != b.shape for a, b in pairs):
        return "the result has another shape than expected"
    for got, want in zip(_arrays(value), _arrays(expected)):
        gap = np.abs(got - want)
        if not gap.max(initial=0) <= 3e-3 * np.abs(want).max(initial=1):
            row = int(np.unravel_index(np.nanargmax(gap), gap.shape)[-2])
            return f"the result has the right shape, but other numbers, most of all for the token at place {row}"
    return None


def _arrays(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    return [array for part in value for array in _arrays(part)] if isinstance(value, (list, tuple)) else []
