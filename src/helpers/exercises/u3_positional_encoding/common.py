"""What the exercises of this unit share."""

from __future__ import annotations

from typing import Any

import numpy as np


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def even_width(rng: np.random.Generator, low: Any, high: Any) -> Any:
    return 2 * int(rng.integers(low // 2, high // 2))


def pairs(d_model: Any) -> Any:
    if d_model % 2:
        raise ValueError("d_model must be even")
    return np.arange(d_model // 2)


def right_rates(d_model: Any) -> Any:
    return 10000.0 ** (-2 * pairs(d_model) / d_model)
