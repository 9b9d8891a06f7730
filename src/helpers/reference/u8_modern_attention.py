"""Unit 8, what changed since 2017: reference implementations in torch.

Tokens are rows; any number of batch axes may come first. A mask is boolean and True means "may attend".
Each function stands beside the piece it replaces: RMS norm beside the layer norm of unit 5, rotary positions beside
the sinusoids of unit 3, grouped queries beside the heads of unit 4, the cache beside the causal mask of unit 6, and
the online softmax beside the softmax of unit 2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .u6_masked_decoder import masked_attention


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """Bring every token to root mean square 1: `y = weight · x / √(mean(x²) + eps)`.

    Args:
        x: tokens, (..., d).
        weight: one factor for each feature, (d,).
        eps: keeps a token of zeros from being divided by zero; in the squared unit of x.

    Returns:
        y, (..., d).

    Raises:
        ValueError: the weight does not have one factor for each feature.

    Source: Zhang and Sennrich (2019), "Root Mean Square Layer Normalization". Unlike layer norm it subtracts no mean
    and adds no bias.
    """
    if weight.shape != x.shape[-1:]:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and weight {tuple(weight.shape)}; expected weight ({x.shape[-1]},)"
        )
    mean_square = (x * x).mean(dim=-1, keepdim=True)  # (..., 1)
    return weight * x * torch.rsqrt(mean_square + eps)


def apply_rotary(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """Turn each pair of neighbouring features by an angle that grows with the position.

    The pair (e, o) = (x[2i], x[2i+1]) of the token at position p turns by a = p · base^(-2i/d) and becomes
    (e cos a - o sin a, e sin a + o cos a).

    Args:
        x: queries or keys, (..., n, d) with d even.
        positions: position of each of the n tokens, (n,).
        base: sets the slowest turn, near one radian in `base` tokens.

    Returns:
        the turned x, (..., n, d). The dot product of a turned query with a turned key depends on the two positions only
        through their difference.

    Raises:
        ValueError: d is odd, or there is not one position for each token.

    Source: Su et al. (2021), "RoFormer: Enhanced Transformer with Rotary Position Embedding", section 3.4. Many models
    pair feature i with feature i + d/2 instead, which is the same with the features in another order.
    """
    d = x.shape[-1]
    if d % 2:
        raise ValueError(f"x has shape {tuple(x.shape)}; pairs need an even last axis, and {d} is odd")
    if positions.shape != x.shape[-2:-1]:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and positions {tuple(positions.shape)}; expected one position for each of"
            f" {x.shape[-2]} tokens"
        )
    speeds = base ** (-torch.arange(0, d, 2, dtype=torch.float64, device=x.device) / d)  # (d/2,)
    # Angles in double precision: at position 100,000 a float32 angle is already wrong in its third digit.
    angles = positions.double()[:, None] * speeds  # (n, d/2)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    e, o = x[..., 0::2], x[..., 1::2]  # (..., n, d/2) each
    turned = torch.stack([e * cos - o * sin, e * sin + o * cos], dim=-1)  # (..., n, d/2, 2)
    return turned.flatten(-2)  # (..., n, d)


def grouped_query_attention(Q: Tensor, K: Tensor, V: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attention in which several query heads share one head of keys and values.

    Query head i uses head `i // (h / h_kv)` of K and V: neighbours share. With h_kv = h it is multi-head attention,
    with h_kv = 1 multi-query attention.

    Args:
        Q: queries, (..., h, n_q, d_k).
        K: keys, (..., h_kv, n_k, d_k).
        V: values, (..., h_kv, n_k, d_v).
        mask: boolean, True = may attend, broadcasts to (..., h, n_q, n_k); None lets everyone see everything.

    Returns:
        output, (..., h, n_q, d_v). A query that may see nothing gives zeros.

    Raises:
        ValueError: h_kv does not divide h, or K and V differ in heads.

    Source: Ainslie et al. (2023), "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head
    Checkpoints".
    """
    h, h_kv = Q.shape[-3], K.shape[-3]
    if V.shape[-3] != h_kv or h_kv == 0 or h % h_kv:
        raise ValueError(
            f"{h} query heads cannot share {h_kv} heads of keys and {V.shape[-3]} of values: the first number must be a"
            " multiple of the others"
        )
    K = K.repeat_interleave(h // h_kv, dim=-3)  # (..., h, n_k, d_k)
    V = V.repeat_interleave(h // h_kv, dim=-3)  # (..., h, n_k, d_v)
    mask = torch.ones(1, 1, dtype=torch.bool, device=Q.device) if mask is None else mask
    return masked_attention(Q, K, V, mask)[0]  # (..., h, n_q, d_v)


def cached_attention_step(
    q: Tensor, k: Tensor, v: Tensor, cache: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Attention of the newest token over itself and all before it, whose keys and values were kept.

    Args:
        q: query of the new token, (..., 1, d_k).
        k: its key, (..., 1, d_k).
        v: its value, (..., 1, d_v).
        cache: the pair K (..., t, d_k), V (..., t, d_v) of the t tokens before, oldest first; None before the first
            token.

    Returns:
        output, (..., 1, d_v), and the new cache: K (..., t+1, d_k), V (..., t+1, d_v). The old one is left as it was.

    One token at a time, this gives row by row what causal attention over the whole sequence gives.
    Source: Shazeer (2019), "Fast Transformer Decoding: One Write-Head is All You Need", section 2.4.
    """
    K = torch.cat([k] if cache is None else [cache[0], k], dim=-2)  # (..., t+1, d_k)
    V = torch.cat([v] if cache is None else [cache[1], v], dim=-2)  # (..., t+1, d_v)
    # The newest token may see every key there is, so there is nothing to mask.
    weights = torch.softmax(q @ K.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)  # (..., 1, t+1)
    return weights @ V, (K, V)


def online_softmax_attention(Q: Tensor, K: Tensor, V: Tensor, block_size: int) -> Tensor:
    """Scaled dot-product attention that reads keys and values block by block and never holds all scores.

    For each query it carries the largest score so far m, the sum so far l = Σ exp(s - m), and the weighted sum of
    values so far o = Σ exp(s - m) v. When a block raises m to m', everything carried is multiplied by exp(m - m').

    Args:
        Q: queries, (..., n_q, d_k).
        K: keys, (..., n_k, d_k).
        V: values, (..., n_k, d_v).
        block_size: keys read at one time, at least 1; the last block may be smaller.

    Returns:
        output, (..., n_q, d_v), equal to softmax(Q Kᵀ / √d_k) V. At one time it holds about n_q × block_size scores.

    Raises:
        ValueError: block_size is below 1.

    Source: Milakov and Gimelshein (2018), "Online normalizer calculation for softmax"; Dao et al. (2022),
    "FlashAttention", algorithm 1, which also cuts the queries into blocks and does all of it inside one GPU kernel.
    While gradients are recorded, torch keeps every block for the way back; FlashAttention computes them a second time
    instead.
    """
    if block_size < 1:
        raise ValueError(f"block_size is {block_size}; a block has at least one key")
    Q = Q / math.sqrt(Q.shape[-1])
    largest = Q.new_full((*Q.shape[:-1], 1), -math.inf)  # (..., n_q, 1)
    total = Q.new_zeros((*Q.shape[:-1], 1))  # (..., n_q, 1)
    output = V.new_zeros((*Q.shape[:-1], V.shape[-1]))  # (..., n_q, d_v)
    for start in range(0, K.shape[-2], block_size):
        scores = Q @ K[..., start : start + block_size, :].transpose(-2, -1)  # (..., n_q, b)
        new_largest = torch.maximum(largest, scores.amax(dim=-1, keepdim=True))
        weights = torch.exp(scores - new_largest)  # (..., n_q, b)
        fade = torch.exp(largest - new_largest)  # exp(-inf) = 0 in the first block, where there is nothing to carry
        total = fade * total + weights.sum(dim=-1, keepdim=True)
        output = fade * output + weights @ V[..., start : start + block_size, :]
        largest = new_largest
    return output / total.masked_fill(total == 0, 1.0)  # without any key: zeros
