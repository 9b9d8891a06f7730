"""Unit 5, residual roads and layer norm; the encoder. First in NumPy, then as torch modules.

Tokens are rows; any number of batch axes may come first.
Sources: Vaswani et al. (2017), "Attention Is All You Need", sections 3.1 and 3.3; Ba, Kiros and Hinton (2016), "Layer
Normalization". Unlike the paper, there is no dropout, and `norm_first` also offers the pre-norm order of Xiong et al.
(2020), "On Layer Normalization in the Transformer Architecture".
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from .u4_multi_head import MultiHeadAttention


def _as_float(array: ArrayLike) -> np.ndarray:
    array = np.asarray(array)
    return array if array.dtype.kind == "f" else array.astype(float)


def layer_norm(x: ArrayLike, gamma: ArrayLike, beta: ArrayLike, eps: float = 1e-5) -> np.ndarray:
    """Give every token mean 0 and variance 1 over its own features, then a scale and a shift:
    `γ · (x - μ) / √(σ² + ε) + β`.

    `μ` and `σ²` are the mean and the biased variance (divided by d, not by d - 1) of one token's d features.

    Args:
        x: tokens, (..., d).
        gamma, beta: scale and shift of each feature, (d,).
        eps: ε, keeps the root away from zero for a token whose features are all equal.

    Returns:
        a new array of the shape of x.

    Raises:
        ValueError: gamma or beta is not one number for each feature of x.
    """
    x, gamma, beta = _as_float(x), _as_float(gamma), _as_float(beta)
    for name, array in (("gamma", gamma), ("beta", beta)):
        if array.shape != x.shape[-1:]:
            raise ValueError(
                f"x has shape {x.shape} and {name} {array.shape}; {name} needs one number for each feature, shape"
                f" {x.shape[-1:]}"
            )
    mean = x.mean(axis=-1, keepdims=True)  # (..., 1)
    variance = x.var(axis=-1, keepdims=True)  # (..., 1)
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


def add_and_norm(
    x: ArrayLike, sublayer_output: ArrayLike, gamma: ArrayLike, beta: ArrayLike, eps: float = 1e-5
) -> np.ndarray:
    """The residual connection of the original Transformer, post-norm: `LayerNorm(x + sublayer(x))`.

    Args:
        x: what went into the sublayer, (..., d).
        sublayer_output: what came out of it, of the same shape.
        gamma, beta: scale and shift of each feature, (d,).
        eps: as in `layer_norm`.

    Returns:
        a new array of the shape of x.

    Raises:
        ValueError: x and the sublayer's output differ in shape, so they cannot be added token by token.
    """
    x, sublayer_output = _as_float(x), _as_float(sublayer_output)
    if x.shape != sublayer_output.shape:
        raise ValueError(
            f"x has shape {x.shape} and the sublayer's output {sublayer_output.shape}; a residual connection adds two"
            " arrays of one shape"
        )
    return layer_norm(x + sublayer_output, gamma, beta, eps)


class LayerNorm(nn.Module):
    """Layer norm with a trainable scale and shift: `weight · (x - μ) / √(σ² + ε) + bias`.

    Args:
        d_model: width of the tokens.
        eps: ε under the root.

    Attributes:
        weight: γ, (d_model,), starts as ones.
        bias: β, (d_model,), starts as zeros.

    Computes what `torch.nn.LayerNorm(d_model, eps)` computes, under the same names.
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise every token of x, (..., d_model), over its own features."""
        mean = x.mean(dim=-1, keepdim=True)  # (..., 1)
        # torch divides by d - 1 unless told otherwise.
        variance = x.var(dim=-1, keepdim=True, unbiased=False)  # (..., 1)
        return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between them, on every token alone: `W₂ max(0, W₁ x + b₁) + b₂`.

    Args:
        d_model: width of the tokens, in and out.
        d_ff: width in between, usually 4·d_model.

    Attributes:
        linear_1: `nn.Linear(d_model, d_ff)`.
        linear_2: `nn.Linear(d_ff, d_model)`.
    """

    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(d_model, d_ff)
        self.linear_2 = nn.Linear(d_ff, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Transform every token of x, (..., d_model), without looking at the others."""
        hidden = torch.relu(self.linear_1(x))  # (..., d_ff)
        return self.linear_2(hidden)  # (..., d_model)


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each on a residual road.

    Post-norm, as in the paper: `x = norm_1(x + attention(x))`, then `x = norm_2(x + feed_forward(x))`.
    Pre-norm, `norm_first=True`: `x = x + attention(norm_1(x))`, then `x = x + feed_forward(norm_2(x))`.

    Args:
        d_model: width of the tokens, in and out.
        n_heads: heads of the attention, a divisor of d_model.
        d_ff: inner width of the feed-forward network.
        norm_first: pre-norm instead of post-norm.

    Attributes:
        self_attention: `MultiHeadAttention` of unit 4.
        feed_forward: `FeedForward`.
        norm_1, norm_2: `LayerNorm`, of the attention and of the feed-forward network.

    Raises:
        ValueError: n_heads is below 1 or does not divide d_model.

    Computes what `torch.nn.TransformerEncoderLayer` computes with `dropout=0`; masks mean the opposite there.
    """

    def __init__(self, d_model: int, n_heads: int, d_ff: int, norm_first: bool = False) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm_1 = LayerNorm(d_model)
        self.norm_2 = LayerNorm(d_model)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Renew every token from all tokens it may see, then on its own.

        Args:
            x: tokens, (..., n, d_model).
            mask: boolean, True = may attend, broadcasts to (..., h, n, n); None lets everyone see everything.

        Returns:
            tokens of the same shape.
        """
        if self.norm_first:
            x = x + self._attend(self.norm_1(x), mask)
            return x + self.feed_forward(self.norm_2(x))
        x = self.norm_1(x + self._attend(x, mask))
        return self.norm_2(x + self.feed_forward(x))

    def _attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        output, _ = self.self_attention(x, x, x, mask)
        return output


class Encoder(nn.Module):
    """N encoder layers, one after the other, each with weights of its own.

    Args:
        n_layers: N.
        d_model, n_heads, d_ff, norm_first: as in `EncoderLayer`.

    Attributes:
        layers: `nn.ModuleList` of N `EncoderLayer`s.
        norm: a last `LayerNorm`, only with `norm_first`: there nothing else normalises what the last layer hands on.

    Raises:
        ValueError: n_heads is below 1 or does not divide d_model.

    Unlike `torch.nn.TransformerEncoder`, which copies one layer with its weights, every layer starts from weights of
    its own.
    """

    def __init__(self, n_layers: int, d_model: int, n_heads: int, d_ff: int, norm_first: bool = False) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(d_model, n_heads, d_ff, norm_first) for _ in range(n_layers))
        self.norm = LayerNorm(d_model) if norm_first else None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Send tokens x, (..., n, d_model), through all layers; every layer sees the same mask."""
        for layer in self.layers:
            x = layer(x, mask)
        return x if self.norm is None else self.norm(x)
