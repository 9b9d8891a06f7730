"""What the exercises of this unit share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def places(n: int, d: int) -> np.ndarray:
    """Token t, column c holds 10 t + c, so that every number tells where it came from."""
    return 10.0 * np.arange(n)[:, None] + np.arange(d)


def split_bare(X: Any, h: Any) -> Any:
    return X.reshape(*X.shape[:-2], h, X.shape[-2], X.shape[-1] // h)


def split_only(X: Any, h: Any) -> Any:
    return X.reshape(*X.shape[:-1], h, X.shape[-1] // h)


def split_interleaved(X: Any, h: Any) -> Any:
    return np.moveaxis(X.reshape(*X.shape[:-1], X.shape[-1] // h, h), -1, -3)


def split_same(X: Any, h: Any) -> Any:
    return np.stack([X[..., : X.shape[-1] // h]] * h, axis=-3)


def merge_bare(H: Any) -> Any:
    return H.reshape(*H.shape[:-3], H.shape[-2], H.shape[-3] * H.shape[-1])


def merge_interleaved(H: Any) -> Any:
    X = np.moveaxis(H, -3, -1)
    return X.reshape(*X.shape[:-2], -1)


def by_width(function: Any) -> Any:
    """A scale that depends on the head's width alone."""
    return lambda d_k, d_model, n, h: function(d_k)


BY_ROOT = by_width(math.sqrt)


LAYERS = ("W_q", "W_k", "W_v", "W_o")
