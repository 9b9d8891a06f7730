"""The pairs of columns of a positional encoding and their rates."""

from __future__ import annotations

import numpy as np


def even_width(rng: np.random.Generator, low: int, high: int) -> int:
    """Return an even number from `low` up to but not including `high`."""
    return 2 * int(rng.integers(low // 2, high // 2))


def pairs(d_model: int) -> np.ndarray:
    """Return the numbers of the pairs, (d_model / 2,); raise the ValueError that is asked for an odd width."""
    if d_model % 2:
        raise ValueError("d_model must be even")
    return np.arange(d_model // 2)


def right_rates(d_model: int) -> np.ndarray:
    """Return how far each pair turns in one step, (d_model / 2,)."""
    return 10000.0 ** (-2 * pairs(d_model) / d_model)
