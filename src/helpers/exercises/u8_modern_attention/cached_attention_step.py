"""`cached_attention_step`: its cases, mistakes and hints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake, Tensor, in_parts
from helpers.reference import u8_modern_attention as reference

from ..attention import Scale, root_of_width, scale_mistakes, share, transposed
from ..common import READY_MADE_ATTENTION, Answer, Step, f4, normal, normal_tensor
from .common import SCALES, leveled


def _step(
    rng: np.random.Generator, lead: tuple[int, ...], t: int, d_k: int, d_v: int, gradient: bool = False
) -> tuple[Any, ...]:
    """Arguments of one step after t tokens; t = 0 means that there is no cache yet."""
    new = tuple(normal_tensor(rng, *lead, 1, d, gradient=gradient) for d in (d_k, d_k, d_v))
    cache = tuple(normal_tensor(rng, *lead, t, d, gradient=gradient) for d in (d_k, d_v)) if t else None
    return *new, cache


def _sentence_cases(rng: np.random.Generator) -> Iterator[Case]:
    Q, K, V = (f4(normal(rng, 2, 2, 4, d)) for d in (6, 6, 3))
    for t in range(4):
        new = tuple(Tensor(x[..., t : t + 1, :]) for x in (Q, K, V))
        cache = (Tensor(K[..., :t, :]), Tensor(V[..., :t, :])) if t else None
        yield Case(
            "one token at a time", (*new, cache), note=f"a sentence of 4 tokens, 2 sentences of 2 heads: token {t}"
        )


def _cache_cases(rng: np.random.Generator) -> list[Case]:
    q, K = leveled(rng, 1, np.array([-1e4, 1e4, 9_800, 0, 10_200]), (2,))
    large = (
        q,
        Tensor(K.array[:, -1:]),
        normal_tensor(rng, 2, 1, 3),
        (Tensor(K.array[:, :-1]), normal_tensor(rng, 2, 4, 3)),
    )
    return [
        Case("first token", _step(rng, (2,), 0, 6, 3), note="cache = None"),
        Case(
            "values", _step(rng, (2, 3), 4, 6, 5), note="2 sentences, 3 heads, 4 tokens in the cache, d_k = 6, d_v = 5"
        ),
        Case("values", _step(rng, (), 3, 4, 4), note="one sentence, 3 tokens in the cache, d_k = d_v = 4"),
        Case("values", _step(rng, (2, 3), 1, 6, 6), note="2 sentences, 3 heads, one token in the cache"),
        *_sentence_cases(rng),
        Case("batch axes", _step(rng, (2, 3, 2), 5, 3, 2), note="three batch axes"),
        Case("batch axes", _step(rng, (), 0, 3, 2), note="one sentence, no batch axis, cache = None"),
        Case("large scores", large, note="scores of ±10,000"),
        Case(
            "gradients",
            _step(rng, (2,), 3, 6, 3, gradient=True),
            gradients=True,
            note="gradients of q, k, v and the cache",
        ),
        Case("values", _step(rng, (2, 3), 4, 6, 5), note="other numbers of the first sizes"),
        Case("long cache", _step(rng, (), 40, 6, 3), note="40 tokens in the cache"),
        Case("long cache", _step(rng, (), 1100, 4, 2), note="1100 tokens in the cache"),
        Case(
            "axes of length one", _step(rng, (1,), 1, 1, 1), note="one sentence, one token in the cache, d_k = d_v = 1"
        ),
        Case("axes of length one", _step(rng, (1,), 0, 1, 1), note="one sentence, cache = None, d_k = d_v = 1"),
    ]


def _join(old: Any, new: Any, dim: int = -2) -> Any:
    return torch.cat([new] if old is None else [old, new], dim=dim)


@in_parts
def _cached(
    join: Step = _join,
    seen: Step = lambda K: K,
    weigh: Step = lambda scores: scores.softmax(-1),
    scale: Scale = root_of_width,
    keep: Step = lambda K, V, q, k, v, cache: (K, V),
) -> Answer:
    """A cached step with some of its parts replaced."""

    def wrong(q: Any, k: Any, v: Any, cache: Any) -> Any:
        old_K, old_V = (None, None) if cache is None else cache
        K, V = join(old_K, k), join(old_V, v)
        seen_K, seen_V = seen(K), seen(V)
        output = weigh(q @ transposed(seen_K) / scale(q, seen_K, seen_V)) @ seen_V
        return output, keep(K, V, q, k, v, cache)

    return wrong


def _without_last(K: Any) -> Any:
    return K[..., :-1, :] if K.shape[-2] > 1 else K


def _kept_unless_first(K: Any, V: Any, q: Any, k: Any, v: Any, cache: Any) -> Any:
    return (K, V) if cache is None else tuple(x.clone() for x in cache)


def _values_forgotten(q: Any, k: Any, cache: Any) -> Any:
    K, V = torch.cat([cache[0], k], dim=-2), cache[1]
    return (q @ transposed(K) / q.shape[-1] ** 0.5).softmax(-1) @ V, (K, V)


def _in_place(q: Any, k: Any, v: Any, cache: Any) -> Any:
    output, new = reference.cached_attention_step(q, k, v, cache)
    if cache is not None:
        cache[0].data, cache[1].data = new[0].detach(), new[1].detach()
    return output, new


def _assigned(q: Any, k: Any, v: Any, cache: Any) -> Any:
    if cache is None:
        return reference.cached_attention_step(q, k, v, cache)
    cache[0] = torch.cat([cache[0], k], dim=-2)
    return None


def _unpacked(q: Any, k: Any, v: Any, cache: Any) -> Any:
    K, V = cache
    return reference.cached_attention_step(q, k, v, (K, V))


def _subscripted(q: Any, k: Any, v: Any, cache: Any) -> Any:
    return reference.cached_attention_step(q, k, v, (cache[0], cache[1]))


def _handed_back(q: Any, k: Any, v: Any, cache: Any) -> Any:
    output, new = reference.cached_attention_step(q, k, v, cache)
    return output, (k, v) if cache is None else new


EXERCISE = Exercise(
    name="cached_attention_step",
    reference=reference.cached_attention_step,
    cases=_cache_cases,
    mistakes=(
        Mistake(
            "put the new key and value in front: the cache is in the wrong time order",
            "The output does not show it, but positions and masks will: oldest first, so the new one comes last.",
            _cached(lambda old, new: _join(new, old) if old is not None else new.clone()),
        ),
        Mistake(
            "left the new token out of what it may see",
            "A token attends to itself too: join its key and value first, then attend.",
            _cached(seen=_without_last),
        ),
        Mistake(
            "left the oldest token out of what may be seen",
            "The newest token may see every key of the cache.",
            _cached(seen=lambda K: K[..., 1:, :] if K.shape[-2] > 1 else K),
        ),
        Mistake(
            "used the new key and value only",
            "One key has the weight 1, whatever its score: the output is v itself. The cache holds the others.",
            _cached(seen=lambda K: K[..., -1:, :]),
        ),
        Mistake(
            "saw the first key only: a causal mask laid from the top left",
            "One query at the end of many keys is the last row of the causal mask, not its first.",
            _cached(seen=lambda K: K[..., :1, :]),
        ),
        Mistake(
            "let the oldest token go for the new one",
            "The cache grows: every key that ever came is seen by all later tokens.",
            _cached(lambda old, new: _join(None if old is None else old[..., 1:, :], new)),
        ),
        Mistake(
            "wrote the new token over the one before",
            "The new key and value come behind the cached ones, and none of those goes.",
            _cached(lambda old, new: _join(None if old is None else old[..., :-1, :], new)),
        ),
        Mistake(
            "returned the old cache",
            "The next step needs the new key and value as well.",
            _cached(keep=_kept_unless_first),
        ),
        Mistake(
            "kept only the newest key and value",
            "The cache grows by one token each step.",
            _cached(keep=lambda K, V, q, k, v, cache: (k.clone(), v.clone())),
        ),
        Mistake(
            "joined the keys but not the values",
            "Each weight needs its value: both K and V grow by one row.",
            lambda q, k, v, cache: _cached()(q, k, v, cache) if cache is None else _values_forgotten(q, k, cache),
        ),
        Mistake(
            "scaled the keys before they went into the cache: the next step scales them once more",
            "The cache holds the keys as they came. Scale the scores, or the query, and leave K alone.",
            _cached(keep=lambda K, V, q, k, v, cache: (K / K.shape[-1] ** 0.5, V)),
        ),
        Mistake(
            "swapped keys and values in the cache",
            "The pair is (K, V).",
            _cached(keep=lambda K, V, q, k, v, cache: (V, K)),
        ),
        Mistake(
            "kept the queries instead of the keys",
            "A query asks once and is done. Its key and value are what later tokens come back to.",
            _cached(keep=lambda K, V, q, k, v, cache: (_join(None if cache is None else cache[0], q), V)),
        ),
        Mistake(
            "kept the output instead of the value",
            "Later tokens mix the values themselves, not what an earlier token made of them.",
            _cached(
                keep=lambda K, V, q, k, v, cache: (
                    K,
                    _join(None if cache is None else cache[1], _cached()(q, k, v, cache)[0]),
                )
            ),
        ),
        Mistake(
            "returned output, K and V as three results",
            "Two results: the output, and the cache as one pair.",
            lambda q, k, v, cache: (_cached()(q, k, v, cache)[0], *_cached()(q, k, v, cache)[1]),
        ),
        Mistake(
            "kept the query in the cache as well",
            "A query asks once and is done. The pair is (K, V).",
            _cached(keep=lambda K, V, q, k, v, cache: (K, V, q)),
        ),
        Mistake(
            "lost the axis of the one query",
            "The output is (..., 1, d_v): one row for the one query.",
            lambda q, k, v, cache: (_cached()(q, k, v, cache)[0].squeeze(-2), _cached()(q, k, v, cache)[1]),
        ),
        Mistake(
            "joined along the features",
            "More tokens, not wider ones: the tokens are the last axis but one.",
            _cached(lambda old, new: _join(old, new, dim=-1)),
        ),
        Mistake(
            "joined along axis 1, counted from the front",
            "With heads, axis 1 is theirs. Count from the end: the tokens are `dim=-2`.",
            _cached(lambda old, new: _join(old, new, dim=1)),
        ),
        Mistake(
            "joined along axis 0",
            "Axis 0 is the batch's. Count from the end: the tokens are `dim=-2`.",
            _cached(lambda old, new: _join(old, new, dim=0)),
        ),
        *scale_mistakes(lambda scale: _cached(scale=scale), SCALES),
        Mistake(
            "took the softmax over the queries",
            "There is one query, so every weight becomes 1. The weights over the keys, the last axis, add up to 1.",
            _cached(weigh=lambda scores: scores.softmax(-2)),
        ),
        Mistake(
            "left the softmax out",
            "Scores become weights only in the softmax over the keys.",
            _cached(weigh=lambda scores: scores),
        ),
        Mistake(
            "took exp without subtracting the largest score",
            "exp(100) is more than float32 holds. Subtract each row's largest score first, or use torch.softmax.",
            _cached(weigh=lambda scores: share(scores.exp())),
        ),
        Mistake(
            "changed the caller's cache in place",
            "The caller may want to go on from the old cache a second time, as beam search does. Make new tensors with"
            " `torch.cat`.",
            _in_place,
        ),
        Mistake(
            "wrote into the caller's pair",
            "A tuple cannot be written to, and the caller's pair should stay as it was. Make a new pair.",
            _assigned,
        ),
        Mistake(
            "handed k or v itself back, not a copy",
            "Neither the output nor the cache may share memory with `k` and `v`, or a change of those later changes the"
            " past. `k.clone()` is memory of its own.",
            _handed_back,
        ),
        Mistake(
            "unpacked the cache before asking whether there is one",
            "Before the first token the cache is None.",
            _unpacked,
        ),
        Mistake(
            "read cache[0] before asking whether there is a cache",
            "Before the first token the cache is None.",
            _subscripted,
        ),
    ),
    forbidden=READY_MADE_ATTENTION,
    hints=(
        "Join first, attend second: K is the cached keys with the new one behind them, V likewise.",
        "Then one query attends to all of them, as in unit 2. No mask: nothing later than the newest token exists.",
    ),
)
