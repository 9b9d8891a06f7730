"""Unit 6, not looking ahead, looking across, predicting: reference implementations in torch.

Tokens are rows; any number of batch axes may come first. A mask is boolean and True means "may attend", as in
`torch.nn.functional.scaled_dot_product_attention`; `torch.nn.MultiheadAttention` and the key padding masks of
`torch.nn.TransformerDecoderLayer` mean the opposite. Source: Vaswani et al. (2017), "Attention Is All You Need",
sections 3.1 and 3.2.3. Unlike there, nothing is dropped out, and the norm may also stand before each sublayer
(`norm_first`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from .u4_multi_head import MultiHeadAttention
from .u5_add_and_norm import FeedForward


def causal_mask(n_queries: int, n_keys: int | None = None) -> Tensor:
    """Let every token see itself and what stands before it: `M[i, j] = (j <= i + n_keys - n_queries)`.

    Args:
        n_queries: number of queries, at least 1; they are the last tokens of the n_keys.
        n_keys: number of keys; as many as queries if None.

    Returns:
        M, boolean (n_queries, n_keys), True = may attend.

    Raises:
        ValueError: there are more queries than keys, so the first ones would stand before the sentence.
    """
    n_keys = n_queries if n_keys is None else n_keys
    if n_queries > n_keys:
        raise ValueError(f"{n_queries} queries cannot be the last tokens of {n_keys} keys")
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)


def padding_mask(lengths: Tensor, n_keys: int) -> Tensor:
    """Let everyone see the words and no one the padding behind them: `M[b, 0, 0, j] = (j < lengths[b])`.

    Args:
        lengths: number of real tokens of each sentence, integers (batch,).
        n_keys: width of the padded batch.

    Returns:
        M, boolean (batch, 1, 1, n_keys), True = may attend; the two axes of length 1 stand for every head and every
        query.

    Raises:
        ValueError: `lengths` is not one-dimensional, or a length is outside 0..n_keys.
    """
    if lengths.ndim != 1:
        raise ValueError(f"lengths has shape {tuple(lengths.shape)}; expected (batch,)")
    if ((lengths < 0) | (lengths > n_keys)).any():
        raise ValueError(f"the lengths {lengths.tolist()} are not all between 0 and the {n_keys} keys")
    return torch.arange(n_keys) < lengths[:, None, None, None]  # (batch, 1, 1, n_keys)


def masked_attention(Q: Tensor, K: Tensor, V: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Attention that may look only where the mask says so: `softmax(Q Kᵀ / √d_k, hidden scores at -∞) V`.

    Args:
        Q: queries, (..., n_q, d_k).
        K: keys, (..., n_k, d_k).
        V: values, (..., n_k, d_v).
        mask: boolean, True = may attend, broadcasts to (..., n_q, n_k).

    Returns:
        output, (..., n_q, d_v), and weights, (..., n_q, n_k). A query that may see nothing has zero weights, hence a
        zero output, and its gradients are finite (zero).
    """
    scores = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])  # (..., n_q, n_k)
    # A finite fill keeps the softmax of an empty row, and its gradient, free of NaN; the second fill makes that row
    # zero.
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = torch.softmax(scores, dim=-1).masked_fill(~mask, 0.0)
    return weights @ V, weights  # (..., n_q, d_v), (..., n_q, n_k)


def shift_right(targets: Tensor, bos_id: int) -> Tensor:
    """What the decoder reads while it learns to write the targets: `[bos, t_1, ..., t_(n-1)]`.

    Args:
        targets: token ids, integers (..., n).
        bos_id: the id that begins every sentence.

    Returns:
        ids, integers (..., n), a new tensor: position i holds target i - 1, so the target of a position is never its
        input.
    """
    begin = torch.full_like(targets[..., :1], bos_id)  # (..., 1)
    return torch.cat([begin, targets[..., :-1]], dim=-1)  # (..., n)


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    """Mean surprise at the right tokens: `-(1/N) Σ log softmax(logits)[target]` over the N targets that are kept.

    Args:
        logits: scores of every token of the vocabulary, (..., vocab).
        targets: the right ids, integers (...).
        ignore_index: the target that stands for "do not count this place", as at padding.

    Returns:
        the loss in nats, a scalar; 0 when no target is kept.
    """
    keep = targets != ignore_index
    log_p = torch.log_softmax(logits, dim=-1)  # (..., vocab)
    # Ignored targets may be no valid index, so they look up entry 0, and what they find is not counted.
    surprise = -log_p.gather(-1, targets.masked_fill(~keep, 0).unsqueeze(-1)).squeeze(-1)  # (...)
    return surprise.masked_fill(~keep, 0.0).sum() / keep.sum().clamp(min=1)


class DecoderLayer(nn.Module):
    """Masked self-attention, then cross attention to the encoder, then the feed-forward net, each with add and norm.

    Post-norm: `x = norm_i(x + sublayer(x))`. Pre-norm (`norm_first`): `x = x + sublayer(norm_i(x))`.

    Args:
        d_model: width of the tokens, in and out, of the decoder and of the memory.
        n_heads: heads of both attentions, a divisor of d_model.
        d_ff: width inside the feed-forward net.
        norm_first: normalise before each sublayer instead of after the sum.

    Attributes:
        self_attention, cross_attention: `MultiHeadAttention`.
        feed_forward: `FeedForward`.
        norm_1, norm_2, norm_3: layer norms of the three sublayers, in that order.

    Raises:
        ValueError: n_heads is below 1 or does not divide d_model.

    Computes what `torch.nn.TransformerDecoderLayer(..., dropout=0)` does; the masks mean the opposite there.
    """

    def __init__(self, d_model: int, n_heads: int, d_ff: int, norm_first: bool = False) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm_1 = nn.LayerNorm(d_model)
        self.norm_2 = nn.LayerNorm(d_model)
        self.norm_3 = nn.LayerNorm(d_model)

    def forward(
        self, x: Tensor, memory: Tensor, self_mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        """One layer of the decoder.

        Args:
            x: target tokens from the layer below, (..., n_t, d_model).
            memory: output of the encoder, (..., n_s, d_model).
            self_mask: boolean, broadcasts to (..., h, n_t, n_t), usually causal and padding together.
            memory_mask: boolean, broadcasts to (..., h, n_t, n_s), usually the padding of the source.

        Returns:
            x, (..., n_t, d_model).
        """
        x = self._add(x, self.norm_1, lambda y: self.self_attention(y, y, y, self_mask)[0])
        x = self._add(x, self.norm_2, lambda y: self.cross_attention(y, memory, memory, memory_mask)[0])
        return self._add(x, self.norm_3, self.feed_forward)

    def _add(self, x: Tensor, norm: nn.Module, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        return x + sublayer(norm(x)) if self.norm_first else norm(x + sublayer(x))  # (..., n_t, d_model)


def greedy_decode(next_logits: Callable[[list[int]], Tensor], bos_id: int, eos_id: int, max_length: int) -> list[int]:
    """Write a sentence by taking the most probable next token again and again:
    `y_t = argmax next_logits([bos, y_1, ..., y_(t-1)])`.

    Args:
        next_logits: the model; called with a list of ids that begins with bos, it returns the logits (vocab,) of the
            next one.
        bos_id: the id that begins every sentence.
        eos_id: the id that ends it.
        max_length: the most ids to write; 0 writes nothing.

    Returns:
        the ids written, without bos and eos. Of equally probable ids the lowest is taken.
    """
    written: list[int] = []
    while len(written) < max_length:
        # torch.argmax returns the first, hence the lowest, of equal maxima.
        token = int(torch.argmax(next_logits([bos_id, *written])))
        if token == eos_id:
            break
        written.append(token)
    return written
