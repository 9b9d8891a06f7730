"""Unit 3, positions as sines and cosines: reference implementations in NumPy.

The encoding of position p has d_model / 2 pairs (sine, cosine) of the angles `p ω_i`, one pair for each frequency
`ω_i = 10000^(-2i / d_model)`, as neighbouring columns. Source: Vaswani et al. (2017), "Attention Is All You Need",
sections 3.4 (the factor √d_model) and 3.5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .u2_softmax_scaling import scaled_dot_product_attention

BASE = 10000.0


def permutation_gap(X: ArrayLike, P: ArrayLike, order: ArrayLike) -> tuple[float, float]:
    """How much self-attention notices when its tokens change places, without and with positions.

    With `A(X)` the output of scaled self-attention, Q = K = V = X, the two numbers are
    `max |A(X[order]) - A(X)[order]|` and `max |A(X[order] + P) - A(X + P)[order]|`.

    Args:
        X: tokens, (n, d).
        P: one vector for each place, (n, d).
        order: a permutation of 0 ... n-1, (n,); `X[order]` is the shuffled sentence.

    Returns:
        without, with_positions: the largest absolute differences. The first is zero up to rounding for any X.

    Raises:
        ValueError: X and P differ in shape, or order is not as long as X.
    """
    X, P, order = np.asarray(X, dtype=float), np.asarray(P, dtype=float), np.asarray(order)
    if X.ndim != 2 or P.shape != X.shape or order.shape != X.shape[:1]:
        raise ValueError(
            f"X has shape {X.shape}, P {P.shape} and order {order.shape}; expected (n, d), (n, d) and (n,)"
        )

    def attend(tokens: np.ndarray) -> np.ndarray:
        return scaled_dot_product_attention(tokens, tokens, tokens)[0]  # (n, d)

    without = np.abs(attend(X[order]) - attend(X)[order]).max(initial=0)
    with_positions = np.abs(attend(X[order] + P) - attend(X + P)[order]).max(initial=0)
    return float(without), float(with_positions)


def encoding_by_hand() -> np.ndarray:
    """The encoding of position 2 for `d_model = 4`: `[sin 2, cos 2, sin 0.02, cos 0.02]`, angles in radians.

    Returns:
        PE[2], (4,).
    """
    slow = 2 / BASE ** (2 / 4)  # the second clock turns 100 times more slowly than the first
    return np.array([np.sin(2), np.cos(2), np.sin(slow), np.cos(slow)])


def frequencies(d_model: int) -> np.ndarray:
    """How far the hand of each clock turns from one position to the next: `ω_i = 10000^(-2i / d_model)`.

    Args:
        d_model: width of the tokens, even.

    Returns:
        ω, (d_model // 2,), in radians a position: 1 for the first pair, near 1/10000 for the last.

    Raises:
        ValueError: d_model is odd or below 2.
    """
    if d_model < 2 or d_model % 2:
        raise ValueError(f"d_model is {d_model}; sines and cosines come in pairs, so it must be even and at least 2")
    pair = np.arange(d_model // 2)  # (d/2,)
    return BASE ** (-2 * pair / d_model)


def sinusoidal_encoding(n_positions: int, d_model: int) -> np.ndarray:
    """Position vectors: `PE[p, 2i] = sin(p ω_i)` and `PE[p, 2i+1] = cos(p ω_i)`.

    Args:
        n_positions: how many positions, counted from 0.
        d_model: width of the tokens, even.

    Returns:
        PE, (n_positions, d_model), between -1 and 1; row p belongs to position p.

    Raises:
        ValueError: d_model is odd or below 2, or n_positions is negative.
    """
    if n_positions < 0:
        raise ValueError(f"n_positions is {n_positions}; it must not be negative")
    angles = np.outer(np.arange(n_positions), frequencies(d_model))  # (n, d/2)
    pairs = np.stack([np.sin(angles), np.cos(angles)], axis=-1)  # (n, d/2, 2)
    return pairs.reshape(n_positions, d_model)  # (n, d)


def add_positions(X: ArrayLike, P: ArrayLike) -> np.ndarray:
    """Tokens that know their place: `√d_model · X + P[:n]`.

    The paper multiplies in the embedding layer; here the factor stands where its purpose is seen.

    Args:
        X: tokens, (..., n, d_model).
        P: position vectors, (n_max, d_model) with n_max at least n.

    Returns:
        (..., n, d_model).

    Raises:
        ValueError: X is longer than P or of another width.
    """
    X, P = np.asarray(X), np.asarray(P)
    if X.ndim < 2 or P.ndim != 2 or X.shape[-1] != P.shape[-1] or X.shape[-2] > P.shape[0]:
        raise ValueError(f"X has shape {X.shape} and P {P.shape}; P must be as wide as X and at least as long")
    n, d_model = X.shape[-2:]
    return np.sqrt(d_model) * X + P[:n]


def shift_matrix(offset: int, d_model: int) -> np.ndarray:
    """The matrix that moves every position on: `PE[p + offset] = M @ PE[p]` for every p.

    Each pair turns by its own angle `a = offset · ω_i`, by the addition theorems
    `sin(x + a) = sin x cos a + cos x sin a` and `cos(x + a) = cos x cos a - sin x sin a`: its block is
    `[[cos a, sin a], [-sin a, cos a]]`.

    Args:
        offset: how many positions onwards; negative goes back.
        d_model: width of the tokens, even.

    Returns:
        M, (d_model, d_model): a 2 × 2 block for each pair along the diagonal, zeros elsewhere.

    Raises:
        ValueError: d_model is odd or below 2.
    """
    angles = offset * frequencies(d_model)  # (d/2,)
    even, odd = np.arange(0, d_model, 2), np.arange(1, d_model, 2)
    M = np.zeros((d_model, d_model))
    M[even, even] = M[odd, odd] = np.cos(angles)
    M[even, odd] = np.sin(angles)
    M[odd, even] = -np.sin(angles)
    return M
