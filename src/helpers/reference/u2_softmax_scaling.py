"""Unit 2, from scores to weights to the output, and why `√d_k`: reference implementations in NumPy.

Tokens are rows: queries are (..., n_q, d_k), keys (..., n_k, d_k), values (..., n_k, d_v). Source: Vaswani et al.
(2017), "Attention Is All You Need", section 3.2.1; for the additive score Bahdanau et al. (2015), "Neural Machine
Translation by Jointly Learning to Align and Translate", appendix A.1.2.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .u1_dot_products import attention_scores


def _as_float(*arrays: ArrayLike) -> tuple[np.ndarray, ...]:
    """The arguments as floating-point arrays; floats keep their precision, integers become float64."""
    return tuple(a if a.dtype.kind == "f" else a.astype(float) for a in map(np.asarray, arrays))


def softmax(x: ArrayLike, axis: int = -1) -> np.ndarray:
    """Positive numbers that sum to 1 along an axis: `softmax(x)_i = exp(x_i) / Σ_j exp(x_j)`.

    The largest entry is taken off first, which changes nothing in the quotient and keeps `exp` in range.

    Args:
        x: scores, any shape with at least one axis; `-inf` stands for "not there".
        axis: the axis along which the result sums to 1.

    Returns:
        weights, shape of x. A `-inf` entry has weight 0. Where all entries are `-inf` the formula is 0/0;
        here, unlike in most libraries, the weights are then zeros, so that they can be used further.

    Raises:
        ValueError: x has no such axis.
    """
    (x,) = _as_float(x)
    largest = x.max(axis=axis, keepdims=True, initial=-np.inf)
    # -inf minus -inf would be NaN, so rows of nothing but -inf are shifted by 0.
    raised = np.exp(x - np.where(np.isneginf(largest), 0, largest))
    total = raised.sum(axis=axis, keepdims=True)
    return raised / np.where(total == 0, 1, total)


def weighted_sum(weights: ArrayLike, V: ArrayLike) -> np.ndarray:
    """Each query's mixture of the values: `y_i = Σ_j weights[i, j] · v_j`.

    Args:
        weights: (..., n_q, n_k).
        V: values, (..., n_k, d_v).

    Returns:
        outputs, (..., n_q, d_v).

    Raises:
        ValueError: there is not one weight for each value.
    """
    weights, V = _as_float(weights, V)
    if weights.ndim < 2 or V.ndim < 2 or weights.shape[-1] != V.shape[-2]:
        raise ValueError(
            f"weights have shape {weights.shape} and V {V.shape}; expected (..., n_q, n_k) and (..., n_k, d_v) with"
            " one n_k"
        )
    return weights @ V  # (..., n_q, d_v)


def score_variance(d_k: int, n_pairs: int, seed: int) -> float:
    """Measured variance of `q · k` over random pairs whose entries are independent with mean 0 and variance 1.

    Expected is d_k: a sum of d_k independent products, each of variance 1. The measured number is off by
    a share of about `√((2 + 6 / d_k) / n_pairs)`.

    Args:
        d_k: width of q and k.
        n_pairs: number of pairs.
        seed: of the random generator; the same seed gives the same number.

    Returns:
        the variance over the n_pairs dot products.

    Raises:
        ValueError: d_k or n_pairs is below 1.
    """
    if d_k < 1 or n_pairs < 1:
        raise ValueError(f"d_k is {d_k} and n_pairs {n_pairs}; both must be at least 1")
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(n_pairs, d_k))
    k = rng.normal(size=(n_pairs, d_k))
    return float(np.var((q * k).sum(axis=-1)))  # (n_pairs,) to a number


def scale_scores(scores: ArrayLike, d_k: int) -> np.ndarray:
    """Scores brought back to the variance that they have at width 1: `scores / √d_k`.

    Args:
        scores: dot products of vectors of width d_k, any shape.
        d_k: width of one query, which is that of one key.

    Returns:
        scaled scores, shape of scores.

    Raises:
        ValueError: d_k is below 1.
    """
    (scores,) = _as_float(scores)
    if d_k < 1:
        raise ValueError(f"d_k is {d_k}; the width of a query is at least 1")
    return scores / math.sqrt(d_k)


def softmax_jacobian(p: ArrayLike) -> np.ndarray:
    """How each weight answers to each score: `J[i, j] = ∂p_i / ∂x_j = p_i (δ_ij - p_j)` for `p = softmax(x)`.

    Args:
        p: weights, (..., n), each row a softmax.

    Returns:
        J, (..., n, n): `diag(p) - p pᵀ`, symmetric, its rows sum to 0.

    Raises:
        ValueError: p is a single number.
    """
    (p,) = _as_float(p)
    if p.ndim < 1:
        raise ValueError("p is a single number; expected weights of shape (..., n)")
    column = p[..., :, None]  # (..., n, 1)
    return column * (np.eye(p.shape[-1], dtype=p.dtype) - p[..., None, :])  # (..., n, n)


def scaled_dot_product_attention(Q: ArrayLike, K: ArrayLike, V: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Attention: `weights = softmax(Q Kᵀ / √d_k)`, `output = weights V`.

    Args:
        Q: queries, (..., n_q, d_k).
        K: keys, (..., n_k, d_k).
        V: values, (..., n_k, d_v).

    Returns:
        output, (..., n_q, d_v), and weights, (..., n_q, n_k), whose rows sum to 1.

    Raises:
        ValueError: queries and keys differ in width, or keys and values in number.
    """
    Q, K, V = _as_float(Q, K, V)
    weights = softmax(scale_scores(attention_scores(Q, K), Q.shape[-1]))  # (..., n_q, n_k)
    return weighted_sum(weights, V), weights


def local_attention(Q: ArrayLike, K: ArrayLike, V: ArrayLike, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Attention to a neighbourhood: key j has weight 0 for query i where `|i - j| > window`.

    The scores out of the window become `-inf` before the softmax, so that the others share the whole weight.

    Args:
        Q: queries, (..., n_q, d_k).
        K: keys, (..., n_k, d_k).
        V: values, (..., n_k, d_v).
        window: the largest distance still seen; 0 sees the own place alone. Both places count from 0.

    Returns:
        output, (..., n_q, d_v), and weights, (..., n_q, n_k). The rows sum to 1; a query whose whole window
        lies behind the last key has zeros in both.

    Raises:
        ValueError: shapes do not fit, or window is negative.
    """
    Q, K, V = _as_float(Q, K, V)
    if window < 0:
        raise ValueError(f"window is {window}; the own place is at distance 0, so at least 0 is needed")
    scores = scale_scores(attention_scores(Q, K), Q.shape[-1])  # (..., n_q, n_k)
    i = np.arange(Q.shape[-2])[:, None]  # (n_q, 1)
    j = np.arange(K.shape[-2])[None, :]  # (1, n_k)
    weights = softmax(np.where(np.abs(i - j) <= window, scores, -np.inf))
    return weighted_sum(weights, V), weights


def additive_scores(Q: ArrayLike, K: ArrayLike, W_q: ArrayLike, W_k: ArrayLike, v: ArrayLike) -> np.ndarray:
    """Another score than the dot product, a small network: `s_ij = v · tanh(q_i W_q + k_j W_k)`.

    Bahdanau et al. write it with columns, `vᵀ tanh(W s + U h)`, and without a scale; queries and keys may
    differ in width, and each pair needs h values of tanh where the dot product needs one sum.

    Args:
        Q: queries, (n_q, d_q).
        K: keys, (n_k, d_k).
        W_q: (d_q, h).
        W_k: (d_k, h).
        v: (h,).

    Returns:
        scores, (n_q, n_k).

    Raises:
        ValueError: a width does not fit its projection, or v the hidden width.
    """
    Q, K, W_q, W_k, v = _as_float(Q, K, W_q, W_k, v)
    for name, X, W in (("Q", Q, W_q), ("K", K, W_k)):
        if X.ndim < 2 or W.ndim != 2 or X.shape[-1] != W.shape[0]:
            raise ValueError(
                f"{name} has shape {X.shape} and W_{name.lower()} {W.shape}; the last axis of {name} must equal the"
                f" first of W_{name.lower()}"
            )
    if W_q.shape[1] != W_k.shape[1] or v.shape != (W_q.shape[1],):
        raise ValueError(
            f"W_q has shape {W_q.shape}, W_k {W_k.shape} and v {v.shape}; all three must have one hidden width h"
        )
    hidden = np.tanh((Q @ W_q)[..., :, None, :] + (K @ W_k)[..., None, :, :])  # (n_q, n_k, h)
    return hidden @ v  # (n_q, n_k)
