"""The known mistakes of `LanguageModel`, each with a version that makes it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.exercise import Mistake
from helpers.reference import u9_language_model as reference
from helpers.reference.u6_masked_decoder import causal_mask


class Model(reference.LanguageModel):
    """The right model in small pieces, for mistakes to replace one of them."""

    def forward(self, ids: Any, cache: Any = None) -> Any:
        cache = self.given(cache)
        t, n = 0 if cache is None else cache[0][0].shape[-2], ids.shape[-1]
        x = self.embed(ids)
        kept = [] if cache is None else self.begin(cache)
        for i, layer in enumerate(self.blocks()):
            pair = None if cache is None else self.pair_of(cache, i)
            x, pair = layer(x, self.positions(t, n), self.mask(t, n), pair)
            self.keep(kept, i, pair)
        return self.finish(x), self.give(kept, cache)

    def given(self, cache: Any) -> Any:
        return cache

    def embed(self, ids: Any) -> Any:
        return self.embedding(ids)

    def begin(self, cache: Any) -> Any:
        return []

    def blocks(self) -> Any:
        return self.layers

    def pair_of(self, cache: Any, i: int) -> Any:
        return cache[i]

    def positions(self, t: int, n: int) -> Any:
        return torch.arange(t, t + n)

    def mask(self, t: int, n: int) -> Any:
        return causal_mask(n, t + n)

    def keep(self, kept: Any, i: int, pair: Any) -> None:
        kept.append(pair)

    def finish(self, x: Any) -> Any:
        return self.head(self.norm(x))

    def give(self, kept: Any, cache: Any) -> Any:
        return kept


def model(**pieces: Any) -> type[Model]:
    """A model with other pieces."""
    return type("LanguageModel", (Model,), pieces)


def finished(finish: Callable[[Any, Any], Any]) -> type[Model]:
    return model(finish=finish)


class OneLayer(Model):
    """One block, as often as layers are asked."""

    def __init__(self, vocab: int, d_model: int, n_layers: int, n_heads: int, n_kv_heads: int, d_ff: int) -> None:
        super().__init__(vocab, d_model, n_layers, n_heads, n_kv_heads, d_ff)
        self.layers = nn.ModuleList([self.layers[0]] * n_layers)


class Copies(Model):
    """Blocks that are copies of the first one."""

    def __init__(self, vocab: int, d_model: int, n_layers: int, n_heads: int, n_kv_heads: int, d_ff: int) -> None:
        super().__init__(vocab, d_model, n_layers, n_heads, n_kv_heads, d_ff)
        for layer in self.layers[1:]:
            layer.load_state_dict(self.layers[0].state_dict())


class PlainList(Model):
    """Blocks that torch does not find."""

    def __init__(self, vocab: int, d_model: int, n_layers: int, n_heads: int, n_kv_heads: int, d_ff: int) -> None:
        super().__init__(vocab, d_model, n_layers, n_heads, n_kv_heads, d_ff)
        blocks = list(self.layers)
        del self.layers
        setattr(self, "layers", blocks)  # noqa: B010


class Tied(Model):
    def __init__(self, vocab: int, d_model: int, n_layers: int, n_heads: int, n_kv_heads: int, d_ff: int) -> None:
        super().__init__(vocab, d_model, n_layers, n_heads, n_kv_heads, d_ff)
        self.head.weight = self.embedding.weight


class WithBias(Model):
    def __init__(self, vocab: int, d_model: int, n_layers: int, n_heads: int, n_kv_heads: int, d_ff: int) -> None:
        super().__init__(vocab, d_model, n_layers, n_heads, n_kv_heads, d_ff)
        self.head = nn.Linear(d_model, vocab)


class LogitsAlone(Model):
    def forward(self, ids: Any, cache: Any = None) -> Any:
        return super().forward(ids, cache)[0]


class OnItself(Model):
    """Remembers the cache on itself and does not look at the argument."""

    def forward(self, ids: Any, cache: Any = None) -> Any:
        logits, self.cache = super().forward(ids, getattr(self, "cache", None))
        return logits, self.cache


class LastCacheOnly(Model):
    """One pair for all layers: that of the last one."""

    def forward(self, ids: Any, cache: Any = None) -> Any:
        logits, kept = super().forward(ids, None if cache is None else [cache] * len(self.layers))
        return logits, kept[-1]


def _into(self: Any, kept: Any, i: int, pair: Any) -> None:
    if i < len(kept):
        kept[i] = pair
    else:
        kept.append(pair)


def _top_left(self: Any, t: int, n: int) -> Any:
    return torch.ones(n, t + n, dtype=torch.bool).tril()


MISTAKES = (
    Mistake(
        "positions begin at 0 in every piece",
        "After 4 tokens in the cache the next one stands at position 4: arange(t, t + n).",
        model(positions=lambda self, t, n: torch.arange(n)),
    ),
    Mistake(
        "counts positions in steps of two",
        "Neighbours are one position apart: arange(t, t + n).",
        model(positions=lambda self, t, n: torch.arange(t, t + n) * 2),
    ),
    Mistake(
        "gave every new token the same position",
        "Each token has a position of its own, one after the other: arange(t, t + n).",
        model(positions=lambda self, t, n: torch.full((n,), t)),
    ),
    Mistake(
        "has no mask: every token sees what comes after it",
        "A model that may read the next character learns nothing but to copy it: causal_mask(n, t + n).",
        model(mask=lambda self, t, n: None),
    ),
    Mistake(
        "has no mask once there is a cache",
        "A piece may hold several new tokens, and they may not look ahead either: causal_mask(n, t + n).",
        model(mask=lambda self, t, n: None if t else causal_mask(n)),
    ),
    Mistake(
        "made the mask for the new tokens alone",
        "The n new queries meet t + n keys, those of the cache too: causal_mask(n, t + n).",
        model(mask=lambda self, t, n: causal_mask(n)),
    ),
    Mistake(
        "does not count the tokens in the cache",
        "Positions and mask both go on where the cache ends. Count first: t is the length of the cached keys, their"
        " last axis but one.",
        model(positions=lambda self, t, n: torch.arange(n), mask=lambda self, t, n: causal_mask(n)),
    ),
    Mistake(
        "took the new tokens as the first ones of the mask",
        "The new queries are the last of the t + n tokens: causal_mask(n, t + n) has them so.",
        model(mask=_top_left),
    ),
    Mistake(
        "the new tokens see nothing of the cache",
        "Each layer gets its pair and hands back a longer one, and the mask lets the new tokens see all t tokens of it:"
        " causal_mask(n, t + n).",
        model(given=lambda self, cache: None),
    ),
    Mistake(
        "gave all layers the cache of the first",
        "Each layer has keys and values of its own: cache[i] for layer i.",
        model(pair_of=lambda self, cache, i: cache[0]),
    ),
    Mistake(
        "kept the pair of the last layer only",
        "Each layer needs its own pair in the next call: keep a list of them.",
        LastCacheOnly,
    ),
    Mistake(
        "handed back the cache that it was given",
        "The next call needs the new keys and values as well.",
        model(give=lambda self, kept, cache: kept if cache is None else cache),
    ),
    Mistake(
        "changed the caller's list of pairs",
        "Someone may go on from one cache twice: begin a new list, and leave the old one as it is.",
        model(begin=lambda self, cache: cache, keep=_into),
    ),
    Mistake(
        "keeps the cache on itself, and not with the caller",
        "Two texts may be read in turns. What is remembered comes in as `cache` and goes out as a result.",
        OnItself,
    ),
    Mistake(
        "returned the logits alone, without the cache",
        "Two results: the logits, and what the next call needs.",
        LogitsAlone,
    ),
    Mistake(
        "forgot the final norm",
        "In a pre-norm stack nothing has normed what comes out of the last block: head(norm(x)).",
        finished(lambda self, x: self.head(x)),
    ),
    Mistake(
        "put the norm after the head",
        "Norm first, then the head: head(norm(x)).",
        finished(lambda self, x: self.head(x) * torch.rsqrt(self.head(x).square().mean(-1, keepdim=True) + 1e-6)),
    ),
    Mistake(
        "returned probabilities, not logits",
        "Cross entropy and `next_probabilities` do the softmax themselves: return what the head says.",
        finished(lambda self, x: torch.softmax(self.head(self.norm(x)), dim=-1)),
    ),
    Mistake(
        "returned logarithms of probabilities, not logits",
        "Return what the head says, without a softmax of any kind.",
        finished(lambda self, x: torch.log_softmax(self.head(self.norm(x)), dim=-1)),
    ),
    Mistake(
        "returned the logits of the last token only",
        "In training every place predicts: logits for all n tokens.",
        finished(lambda self, x: self.head(self.norm(x))[:, -1:]),
    ),
    Mistake(
        "returned the logits of the last token, without its axis",
        "In training every place predicts: logits (b, n, vocab) for all n tokens.",
        finished(lambda self, x: self.head(self.norm(x))[:, -1]),
    ),
    Mistake(
        "multiplied the embedding by √d_model",
        "That belonged to sines that are added (unit 3). Nothing is added here: the rows go in as they are.",
        model(embed=lambda self, ids: math.sqrt(self.embedding.embedding_dim) * self.embedding(ids)),
    ),
    Mistake(
        "used one layer again and again",
        "Make a new DecoderBlock for each layer, in a loop: a list times n holds one object n times.",
        OneLayer,
    ),
    Mistake(
        "gave all layers the same start values",
        "Copies learn the same things. Make a new DecoderBlock for each layer.",
        Copies,
    ),
    Mistake(
        "kept the layers in a plain list, where torch does not find them",
        "`nn.ModuleList` tells torch about the layers in it; a plain list does not.",
        PlainList,
    ),
    Mistake(
        "used the embedding's weights in the head",
        "Some models do. Here the head has weights of its own.",
        Tied,
    ),
    Mistake("gave the head a bias", "No layer of this model has one: `bias=False`.", WithBias),
    Mistake(
        "left out the last layer",
        "All n_layers of them: a loop over `self.layers`.",
        model(blocks=lambda self: self.layers[:-1]),
    ),
    Mistake(
        "ran the layers backwards",
        "From the first to the last.",
        model(blocks=lambda self: list(self.layers)[::-1]),
    ),
)
