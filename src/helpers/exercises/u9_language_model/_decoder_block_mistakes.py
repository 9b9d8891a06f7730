"""The known mistakes of `DecoderBlock`, each with a version that makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.exercise import Mistake
from helpers.reference import u9_language_model as reference
from helpers.reference.u6_masked_decoder import causal_mask
from helpers.reference.u8_modern_attention import apply_rotary, grouped_query_attention, rms_norm


class Attention(reference.GroupedAttention):
    """The right attention in small pieces, for mistakes to replace one of them."""

    def forward(self, x: Any, positions: Any, mask: Any = None, cache: Any = None) -> Any:
        q, k, v = self.project(x)
        q, k, v = self.turn(q, k, v, positions)
        K, V = self.join(k, v, cache)
        seen_K, seen_V, mask = self.seen(K, V, mask, len(positions))
        output = self.attend(q, seen_K, seen_V, mask)
        return self.merge(output), self.keep(K, V, k, v, cache)

    def project(self, x: Any) -> Any:
        return self._heads(self.W_q(x)), self._heads(self.W_k(x)), self._heads(self.W_v(x))

    def turn(self, q: Any, k: Any, v: Any, positions: Any) -> Any:
        return apply_rotary(q, positions), apply_rotary(k, positions), v

    def join(self, k: Any, v: Any, cache: Any) -> Any:
        return (k, v) if cache is None else (torch.cat([cache[0], k], -2), torch.cat([cache[1], v], -2))

    def seen(self, K: Any, V: Any, mask: Any, n: int) -> Any:
        return K, V, mask

    def attend(self, q: Any, K: Any, V: Any, mask: Any) -> Any:
        return grouped_query_attention(q, K, V, mask)

    def merge(self, output: Any) -> Any:
        return self.W_o(output.transpose(-3, -2).flatten(-2))

    def keep(self, K: Any, V: Any, k: Any, v: Any, cache: Any) -> Any:
        return K, V


class Block(reference.DecoderBlock):
    """The right block in small pieces."""

    attention_class: type[Attention] = Attention

    def __init__(self, d_model: int, n_heads: int, n_kv_heads: int, d_ff: int) -> None:
        super().__init__(d_model, n_heads, n_kv_heads, d_ff)
        self.attention = self.attention_class(d_model, n_heads, n_kv_heads)

    def forward(self, x: Any, positions: Any, mask: Any = None, cache: Any = None) -> Any:
        kept = []

        def attend(y: Any) -> Any:
            output, pair = self.attention(y, positions, mask, cache)
            kept.append(pair)
            return output

        return self.roads(x, attend, self.feed_forward), kept[0]

    def roads(self, x: Any, attend: Any, feed: Any) -> Any:
        x = x + attend(self.norm_1(x))
        return x + feed(self.norm_2(x))


def attention(**pieces: Any) -> type[Block]:
    """A block whose attention has other pieces."""
    return type("DecoderBlock", (Block,), {"attention_class": type("Attention", (Attention,), pieces)})


def block(roads: Callable[..., Any]) -> type[Block]:
    """A block with other roads around its two halves."""
    return type("DecoderBlock", (Block,), {"roads": roads})


def normed(norm: Callable[[Any, Any], Any]) -> type[Block]:
    """A block with another norm of `(x, weight)`."""

    def roads(self: Any, x: Any, attend: Any, feed: Any) -> Any:
        x = x + attend(norm(x, self.norm_1.weight))
        return x + feed(norm(x, self.norm_2.weight))

    return block(roads)


def _turned(positions: Callable[..., Any]) -> type[Block]:
    """A block that takes other positions from `(positions)`."""

    def turn(self: Any, q: Any, k: Any, v: Any, given: Any) -> Any:
        where = positions(given)
        return apply_rotary(q, where), apply_rotary(k, where), v

    return attention(turn=turn)


class AfterTheCache(Attention):
    """Keeps the keys unturned and turns all of them in every call, at the places 0, 1, 2, ..."""

    def forward(self, x: Any, positions: Any, mask: Any = None, cache: Any = None) -> Any:
        q, k, v = self.project(x)
        K, V = self.join(k, v, cache)
        turned = apply_rotary(K, torch.arange(K.shape[-2]))
        return self.merge(grouped_query_attention(apply_rotary(q, positions), turned, V, mask)), (K, V)


class BeforeTheHeads(Attention):
    """Turns the whole width before it is cut into heads."""

    def forward(self, x: Any, positions: Any, mask: Any = None, cache: Any = None) -> Any:
        q, k = apply_rotary(self.W_q(x), positions), apply_rotary(self.W_k(x), positions)
        K, V = self.join(self._heads(k), self._heads(self.W_v(x)), cache)
        return self.merge(grouped_query_attention(self._heads(q), K, V, mask)), (K, V)


class AfterGrouping(Attention):
    """Repeats the heads, and keeps what was repeated."""

    def forward(self, x: Any, positions: Any, mask: Any = None, cache: Any = None) -> Any:
        q, k, v = self.turn(*self.project(x), positions)
        times = q.shape[-3] // k.shape[-3]
        k, v = k.repeat_interleave(times, -3), v.repeat_interleave(times, -3)
        if cache is not None and cache[0].shape[-3] != k.shape[-3]:
            cache = tuple(part.repeat_interleave(times, -3) for part in cache)
        K, V = self.join(k, v, cache)
        return self.merge(grouped_query_attention(q, K, V, mask)), (K, V)


def _cut_straight(self: Any, x: Any) -> Any:
    def cut(y: Any) -> Any:
        return y.reshape(*y.shape[:-2], -1, y.shape[-2], self.d_k)

    return cut(self.W_q(x)), cut(self.W_k(x)), cut(self.W_v(x))


def _repeat(self: Any, q: Any, K: Any, V: Any, mask: Any) -> Any:
    """Query head i with head i % h_kv: heads far apart share."""
    times = q.shape[-3] // K.shape[-3]
    return grouped_query_attention(q, torch.cat([K] * times, -3), torch.cat([V] * times, -3), mask)


def _scaled(by: Callable[[Any, Any], float]) -> type[Block]:
    return attention(attend=lambda self, q, K, V, mask: grouped_query_attention(q * by(q, self), K, V, mask))


def _fitting(mask: Any, n: int, n_keys: int) -> Any:
    """The part of a mask over the last n keys."""
    return None if mask is None else mask[..., n_keys - n :] if mask.shape[-1] == n_keys else mask


def _in_place(self: Any, K: Any, V: Any, k: Any, v: Any, cache: Any) -> Any:
    if cache is not None:
        cache[0].data, cache[1].data = K.detach().clone(), V.detach().clone()
    return K, V


class WithBiases(Block):
    def __init__(self, d_model: int, n_heads: int, n_kv_heads: int, d_ff: int) -> None:
        super().__init__(d_model, n_heads, n_kv_heads, d_ff)
        shared = d_model // n_heads * n_kv_heads
        for name, out in (("W_q", d_model), ("W_k", shared), ("W_v", shared), ("W_o", d_model)):
            setattr(self.attention, name, nn.Linear(d_model, out))


class Unchecked(Block):
    """Cuts into heads whatever it is given."""

    def __init__(self, d_model: int, n_heads: int, n_kv_heads: int, d_ff: int) -> None:
        n_heads = next(h for h in range(max(n_heads, 1), 0, -1) if d_model % h == 0)
        n_kv_heads = next(h for h in range(max(n_kv_heads, 1), 0, -1) if n_heads % h == 0)
        super().__init__(d_model, n_heads, n_kv_heads, d_ff)


class ForgetsTheCache(Block):
    def forward(self, x: Any, positions: Any, mask: Any = None, cache: Any = None) -> Any:
        return super().forward(x, positions, mask, cache)[0]


class Remembers(Block):
    """Keeps its keys and values on itself, and leaves the argument alone."""

    def forward(self, x: Any, positions: Any, mask: Any = None, cache: Any = None) -> Any:
        out, self.kept = super().forward(x, positions, mask, getattr(self, "kept", None) or cache)
        return out, self.kept


def _layer_norm(x: Any, weight: Any) -> Any:
    return F.layer_norm(x, x.shape[-1:], weight, eps=1e-6)


def _post(self: Any, x: Any, attend: Any, feed: Any) -> Any:
    x = self.norm_1(x + attend(x))
    return self.norm_2(x + feed(x))


def _norm_of_result(self: Any, x: Any, attend: Any, feed: Any) -> Any:
    x = x + self.norm_1(attend(x))
    return x + self.norm_2(feed(x))


def _residual_of_normed(self: Any, x: Any, attend: Any, feed: Any) -> Any:
    y = self.norm_1(x)
    x = y + attend(y)
    y = self.norm_2(x)
    return y + feed(y)


def _first_road_again(self: Any, x: Any, attend: Any, feed: Any) -> Any:
    return x + feed(self.norm_2(x + attend(self.norm_1(x))))


MISTAKES = (
    Mistake(
        "turned the values too",
        "Where a token stands decides who looks at it, not what it says: only queries and keys are turned.",
        attention(turn=lambda self, q, k, v, p: (apply_rotary(q, p), apply_rotary(k, p), apply_rotary(v, p))),
    ),
    Mistake(
        "put the keys into the cache before they were turned",
        "A key is turned once, by the position of its own token, and kept so. Turn first, then join the cache.",
        type("DecoderBlock", (Block,), {"attention_class": AfterTheCache}),
    ),
    Mistake(
        "counted the positions from 0 instead of using the argument",
        "After a cache of 5 tokens the next one stands at position 5. The argument `positions` says where.",
        _turned(lambda positions: torch.arange(len(positions))),
    ),
    Mistake(
        "counted the positions from 1",
        "Use the positions as they are given.",
        attention(turn=lambda self, q, k, v, p: (apply_rotary(q, p + 1), apply_rotary(k, p + 1), v)),
    ),
    Mistake(
        "turned nothing",
        "Without positions the block cannot tell *dog bites man* from *man bites dog*: apply_rotary on q and on k.",
        attention(turn=lambda self, q, k, v, p: (q, k, v)),
    ),
    Mistake(
        "turned the queries and not the keys",
        "Only the difference of two turns is a distance: both have to be turned.",
        attention(turn=lambda self, q, k, v, p: (apply_rotary(q, p), k, v)),
    ),
    Mistake(
        "turned the keys and not the queries",
        "Only the difference of two turns is a distance: both have to be turned.",
        attention(turn=lambda self, q, k, v, p: (q, apply_rotary(k, p), v)),
    ),
    Mistake(
        "turned before cutting into heads",
        "Each head has its own fast and slow pairs: cut into heads of width d_k first, then turn.",
        type("DecoderBlock", (Block,), {"attention_class": BeforeTheHeads}),
    ),
    Mistake(
        "kept keys and values after repeating them for the query heads",
        "Then nothing is saved by sharing. The cache holds n_kv_heads heads; they are repeated on the way to the scores.",
        type("DecoderBlock", (Block,), {"attention_class": AfterGrouping}),
    ),
    Mistake(
        "changed the caller's cache in place",
        "Someone may go on from one cache twice. Make new tensors: `torch.cat` does.",
        attention(keep=_in_place),
    ),
    Mistake(
        "kept only the new keys and values",
        "The cache grows: what was in it comes first, then the new ones.",
        attention(keep=lambda self, K, V, k, v, cache: (k, v)),
    ),
    Mistake(
        "handed back the old cache",
        "The next call needs the new keys and values as well.",
        attention(keep=lambda self, K, V, k, v, cache: (K, V) if cache is None else tuple(x.clone() for x in cache)),
    ),
    Mistake(
        "swapped keys and values in the cache",
        "The pair is (K, V).",
        attention(keep=lambda self, K, V, k, v, cache: (V, K)),
    ),
    Mistake(
        "put the new keys and values in front of the cache",
        "Oldest first: `torch.cat([old, new], dim=-2)`.",
        attention(
            join=lambda self, k, v, cache: (
                (k, v) if cache is None else (torch.cat([k, cache[0]], -2), torch.cat([v, cache[1]], -2))
            )
        ),
    ),
    Mistake(
        "attended to the new tokens only",
        "The new queries meet all keys, those from the cache too.",
        attention(seen=lambda self, K, V, mask, n: (K[..., -n:, :], V[..., -n:, :], _fitting(mask, n, K.shape[-2]))),
    ),
    Mistake(
        "keeps the cache on itself, and not with the caller",
        "Two texts may be read in turns. What is remembered comes in as `cache` and goes out as a result.",
        Remembers,
    ),
    Mistake(
        "returned x alone, without the cache",
        "Two results: x, and the pair (K, V) for the next call.",
        ForgetsTheCache,
    ),
    Mistake(
        "put the norms after the sum: post-norm",
        "Here the norm stands at the entrance of each half: x + attention(norm_1(x)).",
        block(_post),
    ),
    Mistake(
        "normed what comes out of each half, not what goes in",
        "The norm stands in front: x + attention(norm_1(x)), and not x + norm_1(attention(x)).",
        block(_norm_of_result),
    ),
    Mistake(
        "left the norms out",
        "x + attention(norm_1(x)), then x + feed_forward(norm_2(x)).",
        block(lambda self, x, attend, feed: (x := x + attend(x)) + feed(x)),
    ),
    Mistake(
        "used norm_1 twice",
        "Each half has a norm of its own: the second one is norm_2.",
        block(lambda self, x, attend, feed: (x := x + attend(self.norm_1(x))) + feed(self.norm_1(x))),
    ),
    Mistake(
        "took the residual road from the normed x",
        "What goes round each half is x itself, as it came in.",
        block(_residual_of_normed),
    ),
    Mistake(
        "left out the residual road around attention",
        "x + attention(norm_1(x)): what came in goes on beside what attention adds.",
        block(lambda self, x, attend, feed: (x := attend(self.norm_1(x))) + feed(self.norm_2(x))),
    ),
    Mistake(
        "left out the residual road around the feed-forward net",
        "The second half has a residual road as well: x + feed_forward(norm_2(x)).",
        block(lambda self, x, attend, feed: feed(self.norm_2(x + attend(self.norm_1(x))))),
    ),
    Mistake(
        "took the block's input for the second residual road",
        "The second half starts from what the first one made: x = x + ..., twice.",
        block(_first_road_again),
    ),
    Mistake(
        "ran attention and the feed-forward net side by side",
        "One after the other: the feed-forward net reads what attention has added already.",
        block(lambda self, x, attend, feed: x + attend(self.norm_1(x)) + feed(self.norm_2(x))),
    ),
    Mistake(
        "put the feed-forward net first",
        "First the tokens look at one another, then each works on what it saw.",
        block(lambda self, x, attend, feed: (x := x + feed(self.norm_2(x))) + attend(self.norm_1(x))),
    ),
    Mistake(
        "left the feed-forward net out",
        "The second half is missing: x + feed_forward(norm_2(x)).",
        block(lambda self, x, attend, feed: x + attend(self.norm_1(x))),
    ),
    Mistake(
        "used layer norm instead of RMS norm",
        "No mean is subtracted: unit 8's `rms_norm`.",
        normed(_layer_norm),
    ),
    Mistake(
        "used another eps in the norms than 1e-6",
        "1e-5 was layer norm's, and torch's own RMSNorm has another default still: eps=1e-6.",
        normed(lambda x, weight: rms_norm(x, weight, 1e-5)),
    ),
    Mistake(
        "left the weights of the norms out",
        "Each norm has one trained factor for each feature, `weight`.",
        normed(lambda x, weight: rms_norm(x, torch.ones_like(weight))),
    ),
    Mistake(
        "ignored the mask",
        "Hand `mask` on to the attention.",
        attention(seen=lambda self, K, V, mask, n: (K, V, None)),
    ),
    Mistake(
        "turned the mask round",
        "True means “may attend”.",
        attention(seen=lambda self, K, V, mask, n: (K, V, None if mask is None else ~mask)),
    ),
    Mistake(
        "always masks causally, whatever the mask says",
        "The block is told by its caller who may look where: use `mask`, and nothing where it is None.",
        attention(seen=lambda self, K, V, mask, n: (K, V, causal_mask(n, K.shape[-2]))),
    ),
    Mistake(
        "masks causally where no mask is given",
        "`mask=None` lets everyone see everything. What is causal is said by the model around the block.",
        attention(seen=lambda self, K, V, mask, n: (K, V, causal_mask(n, K.shape[-2]) if mask is None else mask)),
    ),
    Mistake(
        "cut into heads without moving the token axis",
        "`reshape(b, h, n, d_k)` tears tokens apart: cut the last axis into (h, d_k), then swap n and h.",
        attention(project=_cut_straight),
    ),
    Mistake(
        "let heads far apart share, not neighbours",
        "Query head i uses head i // (h / h_kv): `repeat_interleave`, not `repeat`.",
        attention(attend=_repeat),
    ),
    Mistake(
        "merged the heads without moving the token axis",
        "Swap n and h back first, then flatten (h, d_k) into d_model.",
        attention(merge=lambda self, output: self.W_o(output.reshape(*output.shape[:-3], output.shape[-2], -1))),
    ),
    Mistake(
        "left W_o out",
        "After the heads are merged, one linear layer mixes them: W_o.",
        attention(merge=lambda self, output: output.transpose(-3, -2).flatten(-2) + 0 * self.W_o.weight.sum()),
    ),
    Mistake(
        "did not scale the scores",
        "Without 1/√d_k the softmax saturates.",
        _scaled(lambda q, self: q.shape[-1] ** 0.5),
    ),
    Mistake(
        "scaled by the whole width, not by that of a head",
        "A dot product has d_k = d_model / n_heads terms.",
        _scaled(lambda q, self: (q.shape[-1] / self.W_q.weight.shape[-1]) ** 0.5),
    ),
    Mistake(
        "scaled twice",
        "`grouped_query_attention` divides by √d_k already.",
        _scaled(lambda q, self: q.shape[-1] ** -0.5),
    ),
    Mistake(
        "gave the attention's layers biases",
        "`nn.Linear` has a bias unless it is told otherwise: `bias=False`.",
        WithBiases,
    ),
    Mistake(
        "takes heads that do not divide",
        "n_heads must divide d_model and n_kv_heads must divide n_heads, and both are at least 1: else a ValueError.",
        Unchecked,
    ),
)
