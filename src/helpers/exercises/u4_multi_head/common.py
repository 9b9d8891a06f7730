"""Heads split and merged in wrong ways, for NumPy arrays and torch tensors alike; what is said of two wrong scales."""

from __future__ import annotations

from typing import Any

import numpy as np

WIDTH_MISUSED = {
    "d_k": ("divided by d_k, not by √d_k", "The spread of the dot products grows with the root of the width."),
    "1/√d_k": ("multiplied by √d_k", "Dot products are too large in wide heads: divide."),
}


def places(n: int, d: int) -> np.ndarray:
    """Return tokens in which token t, column c holds 10 t + c, so that every number tells where it came from."""
    return 10.0 * np.arange(n)[:, None] + np.arange(d)


def split_bare(X: Any, h: int) -> Any:
    """A bare reshape, which mixes the tokens."""
    return X.reshape(*X.shape[:-2], h, X.shape[-2], X.shape[-1] // h)


def split_only(X: Any, h: int) -> Any:
    """The width is cut, and the heads stay behind the tokens."""
    return X.reshape(*X.shape[:-1], h, X.shape[-1] // h)


def split_interleaved(X: Any, h: int) -> Any:
    """The columns are dealt out like cards."""
    return X.reshape(*X.shape[:-1], X.shape[-1] // h, h).swapaxes(-1, -2).swapaxes(-2, -3)


def split_same(X: Any, h: int) -> Any:
    """Every head gets the first columns."""
    return X[..., None, :, : X.shape[-1] // h][..., [0] * h, :, :]


def merge_bare(H: Any) -> Any:
    """A bare reshape of heads that still stand before the tokens."""
    return H.reshape(*H.shape[:-3], H.shape[-2], H.shape[-3] * H.shape[-1])


def merge_interleaved(H: Any) -> Any:
    """The columns of the heads are mixed like cards."""
    X = H.swapaxes(-3, -2).swapaxes(-2, -1)
    return X.reshape(*X.shape[:-2], -1)
