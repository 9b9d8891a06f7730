"""Unit 1, from similarity to the attention scores: reference implementations in NumPy.

Tokens are rows: a sequence of n tokens is an array (n, d), and any number of batch axes may come first.
Source: Vaswani et al. (2017), "Attention Is All You Need", section 3.2, without the scale of unit 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def _as_float(*arrays: ArrayLike) -> tuple[np.ndarray, ...]:
    """The arguments as floating-point arrays; floats keep their precision, integers become float64."""
    return tuple(a if a.dtype.kind == "f" else a.astype(float) for a in map(np.asarray, arrays))


def _need_matrices(**arrays: np.ndarray) -> None:
    for name, array in arrays.items():
        if array.ndim < 2:
            raise ValueError(f"{name} has shape {array.shape}; expected at least two axes, (tokens, features)")


def similarity_matrix(X: ArrayLike) -> np.ndarray:
    """Inner product of every token with every token: `S = X Xᵀ`.

    Args:
        X: tokens, (..., n, d).

    Returns:
        S, (..., n, n), with `S[i, j] = X[i] · X[j]`.

    Raises:
        ValueError: X has fewer than two axes.
    """
    (X,) = _as_float(X)
    _need_matrices(X=X)
    return X @ np.swapaxes(X, -1, -2)  # (..., n, n)


def cosine_similarity(X: ArrayLike) -> np.ndarray:
    """Cosine of the angle between every two tokens: `C[i, j] = X[i] · X[j] / (|X[i]| |X[j]|)`.

    Args:
        X: tokens, (..., n, d).

    Returns:
        C, (..., n, n), between -1 and 1, without unit. A zero token has no direction; its row and
        column are zeros.

    Raises:
        ValueError: X has fewer than two axes.
    """
    (X,) = _as_float(X)
    _need_matrices(X=X)
    # Dividing by the largest entry first keeps the squares of very large or very small tokens in range.
    largest = np.abs(X).max(axis=-1, keepdims=True, initial=0)  # (..., n, 1)
    X = X / np.where(largest == 0, 1, largest)
    length = np.linalg.norm(X, axis=-1, keepdims=True)  # (..., n, 1)
    unit = X / np.where(length == 0, 1, length)  # (..., n, d)
    return unit @ np.swapaxes(unit, -1, -2)  # (..., n, n)


def project(X: ArrayLike, W_q: ArrayLike, W_k: ArrayLike, W_v: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Queries, keys and values of the tokens: `Q = X W_q`, `K = X W_k`, `V = X W_v`.

    Args:
        X: tokens, (..., n, d_model).
        W_q, W_k, W_v: projections, each (d_model, d_out); each may have a d_out of its own.

    Returns:
        Q, K, V, each (..., n, d_out).

    Raises:
        ValueError: the width of X is not the height of a projection.
    """
    X, W_q, W_k, W_v = _as_float(X, W_q, W_k, W_v)
    for name, W in (("W_q", W_q), ("W_k", W_k), ("W_v", W_v)):
        if W.ndim != 2 or X.shape[-1] != W.shape[0]:
            raise ValueError(
                f"X has shape {X.shape} and {name} {W.shape}; the last axis of X must equal the first of {name}"
            )
    return X @ W_q, X @ W_k, X @ W_v


def scores_for_query(q: ArrayLike, K: ArrayLike) -> np.ndarray:
    """Scores of one query against every key: `α_j = q · k_j`.

    Args:
        q: one query, (d_k,).
        K: keys, (n_k, d_k).

    Returns:
        α, (n_k,).

    Raises:
        ValueError: q and the keys differ in width, or q is not a single vector.
    """
    q, K = _as_float(q, K)
    if q.ndim != 1 or K.ndim != 2 or q.shape[0] != K.shape[1]:
        raise ValueError(f"q has shape {q.shape} and K {K.shape}; expected (d_k,) and (n_k, d_k) with one d_k")
    return K @ q  # (n_k,)


def attention_scores(Q: ArrayLike, K: ArrayLike) -> np.ndarray:
    """Scores of every query against every key, not yet scaled: `S = Q Kᵀ`.

    Args:
        Q: queries, (..., n_q, d_k).
        K: keys, (..., n_k, d_k).

    Returns:
        S, (..., n_q, n_k), with `S[i, j] = Q[i] · K[j]`.

    Raises:
        ValueError: queries and keys differ in width.
    """
    Q, K = _as_float(Q, K)
    _need_matrices(Q=Q, K=K)
    if Q.shape[-1] != K.shape[-1]:
        raise ValueError(f"Q has shape {Q.shape} and K {K.shape}; queries and keys must have one width d_k")
    return Q @ np.swapaxes(K, -1, -2)  # (..., n_q, n_k)


def attention_scores_columns(Q: ArrayLike, K: ArrayLike) -> np.ndarray:
    """The same scores with tokens as columns, as many texts write them: `S = Kᵀ Q`.

    Args:
        Q: queries as columns, (d, n_q).
        K: keys as columns, (d, n_k).

    Returns:
        S, (n_k, n_q), with `S[j, i] = k_j · q_i`: the transpose of `attention_scores(Q.T, K.T)`.

    Raises:
        ValueError: the columns differ in height.
    """
    Q, K = _as_float(Q, K)
    if Q.ndim != 2 or K.ndim != 2 or Q.shape[0] != K.shape[0]:
        raise ValueError(f"Q has shape {Q.shape} and K {K.shape}; expected (d, n_q) and (d, n_k) with one d")
    return K.T @ Q  # (n_k, n_q)
