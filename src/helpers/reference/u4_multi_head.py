"""Unit 4, several smaller attentions side by side: in NumPy first, then as a torch module.

Tokens are rows; any number of batch axes may come first. With h heads, each works in a width of d_k = d_model / h,
and the axis of the heads stands right before that of the tokens: `(..., h, n, d_k)`.
Source: Vaswani et al. (2017), "Attention Is All You Need", section 3.2.2. Unlike there, the projections of all heads
are stored side by side in one matrix: head i owns the columns `i·d_k` to `(i + 1)·d_k`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from .u2_softmax_scaling import scaled_dot_product_attention


def _need_divisible(width: int, n_heads: int) -> None:
    if n_heads < 1 or width % n_heads:
        raise ValueError(
            f"a width of {width} cannot be cut into {n_heads} heads of equal width; n_heads must be at least 1 and"
            " divide the width"
        )


def _as_float(X: ArrayLike) -> np.ndarray:
    X = np.asarray(X)
    return X if X.dtype.kind == "f" else X.astype(float)


def split_heads(X: ArrayLike, n_heads: int) -> np.ndarray:
    """Cut the width into heads and move the heads before the tokens:
    `H[..., i, t, :] = X[..., t, i·d/h : (i + 1)·d/h]`.

    Args:
        X: tokens, (..., n, d).
        n_heads: h, a divisor of d.

    Returns:
        H, (..., h, n, d / h), a new array.

    Raises:
        ValueError: X has fewer than two axes, or h is below 1 or does not divide d.
    """
    X = _as_float(X)
    if X.ndim < 2:
        raise ValueError(f"X has shape {X.shape}; expected at least two axes, (tokens, features)")
    _need_divisible(X.shape[-1], n_heads)
    H = X.reshape(*X.shape[:-1], n_heads, X.shape[-1] // n_heads)  # (..., n, h, d/h)
    return np.swapaxes(H, -2, -3).copy()  # (..., h, n, d/h)


def merge_heads(H: ArrayLike) -> np.ndarray:
    """Put the heads' columns side by side again: the inverse of `split_heads`.

    Args:
        H: heads, (..., h, n, d_k).

    Returns:
        X, (..., n, h·d_k), a new array.

    Raises:
        ValueError: H has fewer than three axes.
    """
    H = _as_float(H)
    if H.ndim < 3:
        raise ValueError(f"H has shape {H.shape}; expected at least three axes, (heads, tokens, features)")
    X = np.swapaxes(H, -2, -3)  # (..., n, h, d_k)
    return X.reshape(*X.shape[:-2], H.shape[-3] * H.shape[-1]).copy()  # (..., n, h·d_k)


def multi_head_attention(
    X: ArrayLike, W_q: ArrayLike, W_k: ArrayLike, W_v: ArrayLike, W_o: ArrayLike, n_heads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Self-attention in h heads: `concat(head_0, ..., head_{h-1}) W_o`,
    `head_i = softmax(Q_i K_iᵀ / √d_k) V_i`, `d_k = d_model / h`.

    Args:
        X: tokens, (..., n, d_model).
        W_q, W_k, W_v: projections of all heads side by side, each (d_model, d_model).
        W_o: the projection back, (d_model, d_model).
        n_heads: h, a divisor of d_model.

    Returns:
        output, (..., n, d_model), and the weights of each head, (..., h, n, n).

    Raises:
        ValueError: shapes that do not fit, or h is below 1 or does not divide the width.
    """
    X, W_q, W_k, W_v, W_o = (_as_float(a) for a in (X, W_q, W_k, W_v, W_o))
    for name, W in (("W_q", W_q), ("W_k", W_k), ("W_v", W_v)):
        if W.ndim != 2 or X.shape[-1] != W.shape[0]:
            raise ValueError(
                f"X has shape {X.shape} and {name} {W.shape}; the last axis of X must equal the first of {name}"
            )
    Q, K, V = (split_heads(X @ W, n_heads) for W in (W_q, W_k, W_v))  # (..., h, n, d_k)
    heads, weights = scaled_dot_product_attention(Q, K, V)  # (..., h, n, d_k), (..., h, n, n)
    return merge_heads(heads) @ W_o, weights  # (..., n, d_model)


def count_parameters(d_model: int, n_heads: int, bias: bool) -> int:
    """Trainable numbers of a multi-head layer: those of four linear layers as wide as the tokens, whatever the number
    of heads.

    Args:
        d_model: width of the tokens.
        n_heads: h, a divisor of d_model.
        bias: whether the four linear layers have biases.

    Raises:
        ValueError: h is below 1 or does not divide d_model.
    """
    _need_divisible(d_model, n_heads)
    d_k = d_model // n_heads
    one_projection = n_heads * d_model * d_k  # d_model², one narrow matrix for each head
    return 4 * one_projection + (4 * d_model if bias else 0)


class MultiHeadAttention(nn.Module):
    """Multi-head attention with trainable projections: `concat(head_0, ..., head_{h-1}) W_o`,
    `head_i = softmax(Q_i K_iᵀ / √d_k) V_i` with `Q = W_q(query)`, `K = W_k(key)`, `V = W_v(value)`.

    Args:
        d_model: width of the tokens, in and out.
        n_heads: h, a divisor of d_model; d_k = d_model / h.
        bias: whether the four linear layers have biases.

    Attributes:
        W_q, W_k, W_v, W_o: `nn.Linear(d_model, d_model)`.

    Raises:
        ValueError: h is below 1 or does not divide d_model.

    `torch.nn.MultiheadAttention` computes the same with the first three layers stacked in one matrix, and with masks
    that mean the opposite: there True forbids, here True allows.
    """

    def __init__(self, d_model: int, n_heads: int, bias: bool = True) -> None:
        super().__init__()
        _need_divisible(d_model, n_heads)
        self.n_heads = n_heads
        self.W_q = nn.Linear(d_model, d_model, bias=bias)
        self.W_k = nn.Linear(d_model, d_model, bias=bias)
        self.W_v = nn.Linear(d_model, d_model, bias=bias)
        self.W_o = nn.Linear(d_model, d_model, bias=bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Let every query token attend to every key token it may see.

        Args:
            query: (..., n_q, d_model).
            key, value: (..., n_k, d_model).
            mask: boolean, True = may attend, broadcasts to (..., h, n_q, n_k); None lets everyone see everything.

        Returns:
            output, (..., n_q, d_model), and weights, (..., h, n_q, n_k). A query that may see nothing has zero weights,
            so its output is the bias of W_o, and its gradients are finite.

        Raises:
            ValueError: the mask is not boolean.
        """
        Q, K, V = (
            self._split(self.W_q(query)),
            self._split(self.W_k(key)),
            self._split(self.W_v(value)),
        )  # (..., h, n, d_k)
        scores = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])  # (..., h, n_q, n_k)
        if mask is None:
            weights = torch.softmax(scores, dim=-1)
        else:
            if mask.dtype != torch.bool:
                raise ValueError(
                    f"the mask has dtype {mask.dtype} and shape {tuple(mask.shape)}; expected torch.bool, True = may"
                    " attend"
                )
            # A finite fill keeps the softmax of an empty row, and its gradient, free of NaN; the second fill makes that
            # row zero.
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
            weights = torch.softmax(scores, dim=-1).masked_fill(~mask, 0.0)
        return self.W_o(self._merge(weights @ V)), weights  # (..., n_q, d_model), (..., h, n_q, n_k)

    def _split(self, X: Tensor) -> Tensor:
        return X.reshape(*X.shape[:-1], self.n_heads, -1).transpose(-3, -2)  # (..., n, h·d_k) to (..., h, n, d_k)

    def _merge(self, H: Tensor) -> Tensor:
        return H.transpose(-3, -2).flatten(-2)  # (..., h, n, d_k) to (..., n, h·d_k)


def convert_torch_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename and cut a `torch.nn.MultiheadAttention` state dict for `MultiHeadAttention`.

    torch stacks the three projections in one matrix `in_proj_weight` (3·d_model, d_model), from top to bottom those of
    query, key and value, and `in_proj_bias` (3·d_model,) likewise. Both sides are `nn.Linear` weights, so nothing is
    transposed.

    Args:
        state: `in_proj_weight` and `out_proj.weight`, with biases also `in_proj_bias` and `out_proj.bias`.

    Returns:
        `W_q.weight`, `W_k.weight`, `W_v.weight`, `W_o.weight`, and the four `.bias` if there are biases; they may be
        views.

    Raises:
        ValueError: another set of keys, as of a layer with `kdim`, `vdim` or `add_bias_kv`.
    """
    weights, biases = {"in_proj_weight", "out_proj.weight"}, {"in_proj_bias", "out_proj.bias"}
    if set(state) not in (weights, weights | biases):
        raise ValueError(
            f"the state has {', '.join(sorted(state)) or 'nothing'}; expected {', '.join(sorted(weights))}, and perhaps"
            f" {', '.join(sorted(biases))}"
        )
    converted: dict[str, Tensor] = {}
    for kind in ("weight", "bias"):
        if f"out_proj.{kind}" in state:
            parts = state[f"in_proj_{kind}"].chunk(3, dim=0)  # 3 × (d_model, d_model) or 3 × (d_model,)
            converted |= {f"{name}.{kind}": part for name, part in zip(("W_q", "W_k", "W_v"), parts)}
            converted[f"W_o.{kind}"] = state[f"out_proj.{kind}"]
    return converted
