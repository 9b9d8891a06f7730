"""Versions of `DecoderBlock` with one thing wrong, for its known mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.reference import u9_language_model as reference
from helpers.reference.u8_modern_attention import apply_rotary, grouped_query_attention


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


def turned(positions: Callable[..., Any]) -> type[Block]:
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


class TurnedTwice(Attention):
    """Turns all keys in every call, at the places 0, 1, 2, ..., and keeps them so."""

    def forward(self, x: Any, positions: Any, mask: Any = None, cache: Any = None) -> Any:
        q, k, v = self.project(x)
        K, V = self.join(k, v, cache)
        K = apply_rotary(K, torch.arange(K.shape[-2]))
        return self.merge(grouped_query_attention(apply_rotary(q, positions), K, V, mask)), (K, V)


class JoinedTooEarly(Attention):
    """Turns old and new keys by the positions of the new ones, which are too few."""

    def forward(self, x: Any, positions: Any, mask: Any = None, cache: Any = None) -> Any:
        q, k, v = self.project(x)
        K, V = self.join(k, v, cache)
        q, K = apply_rotary(q, positions), apply_rotary(K, positions)
        return self.merge(grouped_query_attention(q, K, V, mask)), (K, V)


class BeforeTheHeads(Attention):
    """Turns the whole width before it is cut into heads."""

    def forward(self, x: Any, positions: Any, mask: Any = None, cache: Any = None) -> Any:
        q, k = apply_rotary(self.W_q(x), positions), apply_rotary(self.W_k(x), positions)
        K, V = self.join(self._heads(k), self._heads(self.W_v(x)), cache)
        return self.merge(grouped_query_attention(self._heads(q), K, V, mask)), (K, V)


class AfterGrouping(Attention):
    """Repeats the heads, and keeps what was repeated."""

    def forward(self, x: Any, positions: Any, mask: Any = None, cache: Any = None) -> Any:
        q, k, v = self.project(x)
        q, k, v = self.turn(q, k, v, positions)
        times = q.shape[-3] // k.shape[-3]
        k, v = k.repeat_interleave(times, -3), v.repeat_interleave(times, -3)
        if cache is not None and cache[0].shape[-3] != k.shape[-3]:
            cache = tuple(part.repeat_interleave(times, -3) for part in cache)
        K, V = self.join(k, v, cache)
        return self.merge(grouped_query_attention(q, K, V, mask)), (K, V)


def cut_straight(self: Any, x: Any) -> Any:
    def cut(y: Any) -> Any:
        return y.reshape(*y.shape[:-2], -1, y.shape[-2], self.d_k)

    return cut(self.W_q(x)), cut(self.W_k(x)), cut(self.W_v(x))


def repeat(self: Any, q: Any, K: Any, V: Any, mask: Any) -> Any:
    """Query head i with head i % h_kv: heads far apart share."""
    times = q.shape[-3] // K.shape[-3]
    return grouped_query_attention(q, torch.cat([K] * times, -3), torch.cat([V] * times, -3), mask)


def scaled(by: Callable[[Any, Any], float]) -> type[Block]:
    return attention(attend=lambda self, q, K, V, mask: grouped_query_attention(q * by(q, self), K, V, mask))


def fitting(mask: Any, n: int, n_keys: int) -> Any:
    """The part of a mask over the last n keys."""
    return None if mask is None else mask[..., n_keys - n :] if mask.shape[-1] == n_keys else mask


def in_place(self: Any, K: Any, V: Any, k: Any, v: Any, cache: Any) -> Any:
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


def layer_norm(x: Any, weight: Any) -> Any:
    return F.layer_norm(x, x.shape[-1:], weight, eps=1e-6)


def post(self: Any, x: Any, attend: Any, feed: Any) -> Any:
    x = self.norm_1(x + attend(x))
    return self.norm_2(x + feed(x))


def norm_of_result(self: Any, x: Any, attend: Any, feed: Any) -> Any:
    x = x + self.norm_1(attend(x))
    return x + self.norm_2(feed(x))


def residual_of_normed(self: Any, x: Any, attend: Any, feed: Any) -> Any:
    y = self.norm_1(x)
    x = y + attend(y)
    y = self.norm_2(x)
    return y + feed(y)


def first_road_again(self: Any, x: Any, attend: Any, feed: Any) -> Any:
    return x + feed(self.norm_2(x + attend(self.norm_1(x))))
