"""Unit 9, a language model of your own: reference implementations in torch, from the pieces of units 6 and 8.

Ids are integers, (..., n). A mask is boolean and True means "may attend". A cache is what a call hands to the next one,
so that the tokens before need not be read again. Sources: Vaswani et al. (2017), "Attention Is All You Need", for the
block; Touvron et al. (2023), "LLaMA: Open and Efficient Foundation Language Models", section 2.2, for the pieces that
took the place of others in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .u6_masked_decoder import causal_mask
from .u8_modern_attention import apply_rotary, grouped_query_attention, rms_norm

Pair = tuple[Tensor, Tensor]


class GatedFeedForward(nn.Module):
    """Two layers with a gate: `down(silu(gate(x)) * up(x))`, where silu(z) = z / (1 + exp(-z)).

    Args:
        d_model: width of a token.
        d_ff: width in between.

    Attributes:
        gate, up: `nn.Linear(d_model, d_ff)`. down: `nn.Linear(d_ff, d_model)`. None has a bias.

    Source: Shazeer (2020), "GLU Variants Improve Transformer"; called SwiGLU there.
    """

    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.gate = nn.Linear(d_model, d_ff, bias=False)
        self.up = nn.Linear(d_model, d_ff, bias=False)
        self.down = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of x, (..., d_model); every token by itself."""
        opened: Tensor = F.silu(self.gate(x)) * self.up(x)  # (..., d_ff)
        result: Tensor = self.down(opened)  # (..., d_model)
        return result


def sliding_window_mask(n_queries: int, n_keys: int, window: int) -> Tensor:
    """Let every token see itself and the `window - 1` tokens before it.

    `M[i, j] = (p - window < j <= p)` with the position p = i + n_keys - n_queries of query i.

    Args:
        n_queries: number of queries; they are the last tokens of the n_keys.
        n_keys: number of keys.
        window: how many tokens a token sees, itself included.

    Returns:
        M, boolean (n_queries, n_keys), True = may attend.

    Raises:
        ValueError: window is below 1, or there are more queries than keys.

    Source: Beltagy et al. (2020), "Longformer: The Long-Document Transformer"; Jiang et al. (2023), "Mistral 7B".
    """
    if window < 1:
        raise ValueError(f"a token sees at least itself; the window is {window}")
    near = torch.ones(n_queries, n_keys, dtype=torch.bool).triu(n_keys - n_queries - window + 1)
    return causal_mask(n_queries, n_keys) & near


class RMSNorm(nn.Module):
    """RMS norm of unit 8 with a trainable weight, (d_model,), that begins with ones; eps 1e-6."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of x, (..., d_model)."""
        return rms_norm(x, self.weight, eps=1e-6)


class GroupedAttention(nn.Module):
    """Multi-head attention with rotary positions, shared heads of keys and values, and a cache.

    Args:
        d_model: width of a token. n_heads: heads of queries, each d_k = d_model / n_heads wide.
        n_kv_heads: heads of keys and of values.

    Attributes:
        W_q, W_o: `nn.Linear(d_model, d_model)`. W_k, W_v: `nn.Linear(d_model, n_kv_heads · d_k)`. None has a bias.

    Raises:
        ValueError: n_heads is below 1 or does not divide d_model, or n_kv_heads is below 1 or does not divide n_heads.
    """

    def __init__(self, d_model: int, n_heads: int, n_kv_heads: int) -> None:
        super().__init__()
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(f"a width of {d_model} cannot be cut into {n_heads} heads")
        if n_kv_heads < 1 or n_heads % n_kv_heads:
            raise ValueError(f"{n_heads} query heads cannot share {n_kv_heads} heads of keys and values")
        self.d_k = d_model // n_heads
        self.W_q = nn.Linear(d_model, d_model, bias=False)
        self.W_k = nn.Linear(d_model, n_kv_heads * self.d_k, bias=False)
        self.W_v = nn.Linear(d_model, n_kv_heads * self.d_k, bias=False)
        self.W_o = nn.Linear(d_model, d_model, bias=False)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.d_k)).transpose(-3, -2)  # (..., heads, n, d_k)

    def forward(
        self, x: Tensor, positions: Tensor, mask: Tensor | None = None, cache: Pair | None = None
    ) -> tuple[Tensor, Pair]:
        """Return what `DecoderBlock.forward` says, without its norms and residual roads."""
        q = apply_rotary(self._heads(self.W_q(x)), positions)  # (..., h, n, d_k)
        K = apply_rotary(self._heads(self.W_k(x)), positions)  # (..., h_kv, n, d_k)
        V = self._heads(self.W_v(x))  # (..., h_kv, n, d_k)
        if cache is not None:
            K = torch.cat([cache[0], K], dim=-2)  # (..., h_kv, t + n, d_k)
            V = torch.cat([cache[1], V], dim=-2)
        output = grouped_query_attention(q, K, V, mask)  # (..., h, n, d_k)
        return self.W_o(output.transpose(-3, -2).flatten(-2)), (K, V)  # (..., n, d_model)


class DecoderBlock(nn.Module):
    """One layer of a decoder alone: `x + attention(norm_1(x))`, then `x + feed_forward(norm_2(x))`.

    Args:
        d_model, n_heads, n_kv_heads: as in `GroupedAttention`.
        d_ff: as in `GatedFeedForward`.

    Attributes:
        norm_1, norm_2: `RMSNorm`. attention: `GroupedAttention`. feed_forward: `GatedFeedForward`.

    Raises:
        ValueError: as `GroupedAttention`.
    """

    def __init__(self, d_model: int, n_heads: int, n_kv_heads: int, d_ff: int) -> None:
        super().__init__()
        self.norm_1 = RMSNorm(d_model)
        self.attention = GroupedAttention(d_model, n_heads, n_kv_heads)
        self.norm_2 = RMSNorm(d_model)
        self.feed_forward = GatedFeedForward(d_model, d_ff)

    def forward(
        self, x: Tensor, positions: Tensor, mask: Tensor | None = None, cache: Pair | None = None
    ) -> tuple[Tensor, Pair]:
        """Pass n tokens through the layer.

        Args:
            x: the new tokens, (..., n, d_model).
            positions: where each of them stands in the text, integers (n,).
            mask: boolean, True = may attend, broadcasts to (..., n_heads, n, t + n); None lets everyone see everything.
            cache: the pair (K, V) of the t tokens before, each (..., n_kv_heads, t, d_k); None where there are none.

        Returns:
            x, (..., n, d_model), and the new cache: K (..., n_kv_heads, t + n, d_k), V (..., n_kv_heads, t + n, d_k).
            Both are of all t + n tokens, before they are repeated for the heads that share them, and the keys are
            turned already. The pair that was given stays as it was.
        """
        seen, cache = self.attention(self.norm_1(x), positions, mask, cache)
        x = x + seen
        return x + self.feed_forward(self.norm_2(x)), cache


class LanguageModel(nn.Module):
    """A decoder alone, which predicts the next token at every place of a text.

    Args:
        vocab: number of tokens.
        n_layers: number of blocks.
        d_model, n_heads, n_kv_heads, d_ff: as in `DecoderBlock`.

    Attributes:
        embedding: `nn.Embedding(vocab, d_model)`. layers: `nn.ModuleList` of `DecoderBlock`s. norm: `RMSNorm`.
        head: `nn.Linear(d_model, vocab)` without bias, to the logits.

    Raises:
        ValueError: as `GroupedAttention`.
    """

    def __init__(self, vocab: int, d_model: int, n_layers: int, n_heads: int, n_kv_heads: int, d_ff: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab, d_model)
        self.layers = nn.ModuleList(DecoderBlock(d_model, n_heads, n_kv_heads, d_ff) for _ in range(n_layers))
        self.norm = RMSNorm(d_model)
        self.head = nn.Linear(d_model, vocab, bias=False)

    def forward(self, ids: Tensor, cache: Sequence[Pair] | None = None) -> tuple[Tensor, list[Pair]]:
        """Read n tokens that come after those in the cache.

        Args:
            ids: integers (..., n).
            cache: what the call before returned; None at the beginning of a text.

        Returns:
            logits, (..., n, vocab): those at place i are for the token after `ids[..., i]`, and depend on nothing that
            comes later. The cache of all tokens so far, one pair for each layer.
        """
        before = 0 if cache is None else cache[0][0].shape[-2]
        n = ids.shape[-1]
        positions = torch.arange(before, before + n, device=ids.device)
        mask = causal_mask(n, before + n).to(ids.device)  # (n, before + n)
        x = self.embedding(ids)  # (..., n, d_model)
        kept = []
        for i, layer in enumerate(self.layers):
            x, pair = layer(x, positions, mask, None if cache is None else cache[i])
            kept.append(pair)
        return self.head(self.norm(x)), kept  # (..., n, vocab)


def next_probabilities(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """Turn logits into the probabilities that the next token is drawn from.

    Three steps in this order: `softmax(logits / temperature)`; only the `top_k` most probable stay; of these, only the
    smallest set of most probable ones whose share reaches `top_p`. What stays is made to add up to 1.

    Args:
        logits: (..., vocab).
        temperature: below 1 sharpens, above 1 flattens; 0 puts all on the first of the largest.
        top_k: how many may stay; None, or more than there are, leaves all.
        top_p: the share to be reached, above 0 and at most 1; None leaves all. At least one token always stays.

    Returns:
        probabilities, (..., vocab).

    Raises:
        ValueError: temperature is negative, top_k below 1, or top_p not above 0 and at most 1.

    Source: Fan et al. (2018), "Hierarchical Neural Story Generation", for top-k; Holtzman et al. (2020), "The Curious
    Case of Neural Text Degeneration", for top-p.
    """
    if not temperature >= 0:
        raise ValueError(f"the temperature is at least 0, and was {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"at least one token has to stay; top_k is {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is a share, above 0 and at most 1, and was {top_p}")
    logits = logits if logits.is_floating_point() else logits.float()
    if temperature == 0:
        # torch.argmax promises no particular one of several largest; the first 1 of a comparison is found by its place.
        largest = logits == logits.amax(dim=-1, keepdim=True)
        return (largest & (largest.cumsum(dim=-1) == 1)).to(logits.dtype)
    probabilities = torch.softmax(logits / temperature, dim=-1)
    ordered, places = probabilities.sort(dim=-1, descending=True, stable=True)  # (..., vocab)
    if top_k is not None:
        ordered = ordered.clone()
        ordered[..., top_k:] = 0
        ordered = ordered / ordered.sum(dim=-1, keepdim=True)
    if top_p is not None:
        # A token stays if those before it have not reached top_p yet, so the first always does.
        reached = ordered.cumsum(dim=-1) - ordered
        ordered = torch.where(reached < top_p, ordered, torch.zeros_like(ordered))
    ordered = ordered / ordered.sum(dim=-1, keepdim=True)
    return torch.zeros_like(ordered).scatter(-1, places, ordered)


@torch.no_grad()
def generate(model: Any, ids: Sequence[int], n_new: int, choose: Callable[[Tensor], int]) -> list[int]:
    """Continue a text: read the prompt in one pass, then one token a pass, with the cache.

    Args:
        model: a `LanguageModel`; put into evaluation mode.
        ids: ids of the prompt, at least one.
        n_new: how many ids to write.
        choose: receives the probabilities of the next token, (vocab,), and returns its id.

    Returns:
        the n_new new ids, without those of the prompt.
    """
    model.eval()
    where = next((p.device for p in model.parameters()), None)
    new: list[int] = []
    cache = None
    while len(new) < n_new:
        unread = new[-1:] or list(ids)
        logits, cache = model(torch.tensor([unread], device=where), cache)  # (1, n, vocab)
        new.append(int(choose(next_probabilities(logits[0, -1]))))
    return new
