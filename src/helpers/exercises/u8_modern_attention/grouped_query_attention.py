"""`grouped_query_attention`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake, Tensor
from helpers.reference import u8_modern_attention as reference

from .common import READY_MADE, eighths, leveled, normal, scale_mistakes, swap


def _mask(rng: np.random.Generator, *shape: Any) -> Any:
    """A mask in which every query may see at least one key and misses at least one."""
    mask = rng.random(shape) < 0.5
    n = shape[-1]
    first = rng.integers(n, size=shape[:-1])[..., None]
    np.put_along_axis(mask, first, True, axis=-1)
    np.put_along_axis(mask, (first + 1 + rng.integers(n - 1)) % n, False, axis=-1)
    return Tensor(mask)


def _triple(
    rng: np.random.Generator,
    lead: Any,
    h: Any,
    h_kv: Any,
    n_q: Any,
    n_k: Any,
    d_k: Any,
    d_v: Any,
    gradient: Any = (False, False, False),
) -> Any:
    shapes = ((*lead, h, n_q, d_k), (*lead, h_kv, n_k, d_k), (*lead, h_kv, n_k, d_v))
    return tuple(normal(rng, *shape, gradient=g) for shape, g in zip(shapes, gradient))


def _grouped_cases(rng: np.random.Generator) -> list[Case]:
    lengths = np.array([[5], [3]]) > np.arange(5)
    empty = np.array([[True, False, True, True], [False] * 4, [False, True, True, False]])
    large = Tensor(100 * eighths(rng, 2, 4, 3, 4)), Tensor(100 * eighths(rng, 2, 2, 5, 4)), normal(rng, 2, 2, 5, 3)
    low = [leveled(rng, 3, np.array([0, 0, level, level, level]), (2,)) for level in (-100, -1e5)]
    low = [(Tensor(np.repeat(Q.array, 2, axis=0)), K, normal(rng, 2, 5, 3)) for Q, K in low]
    low_mask = Tensor(
        np.array(
            [[False, False, True, True, True], [False, False, True, True, False], [False, False, False, True, True]]
        )
    )
    return [
        Case(
            "values",
            _triple(rng, (2,), 4, 2, 3, 5, 6, 3),
            note=(
                "2 sentences, 4 query heads that share 2 heads of keys and values, 3 queries, 5 keys, d_k = 6, d_v = 3"
            ),
        ),
        Case(
            "values",
            _triple(rng, (2,), 4, 2, 4, 4, 4, 4),
            note="4 query heads, 2 shared heads, everything else 4 as well",
        ),
        Case("values", _triple(rng, (2,), 6, 3, 2, 4, 3, 5), note="6 query heads that share 3 heads"),
        Case("values", _triple(rng, (2,), 6, 2, 3, 4, 3, 5), note="6 query heads that share 2 heads"),
        Case(
            "one shared head",
            _triple(rng, (2,), 3, 1, 4, 5, 2, 3),
            note="3 query heads that all share one head of keys and values",
        ),
        Case(
            "a head each",
            _triple(rng, (2,), 3, 3, 4, 5, 2, 3),
            note="as many heads of keys and values as of queries: multi-head attention",
        ),
        Case("batch axes", _triple(rng, (), 4, 2, 3, 5, 6, 2), note="one sentence, no batch axis"),
        Case("batch axes", _triple(rng, (2, 3), 4, 2, 3, 5, 6, 2), note="2 × 3 sentences at once"),
        Case(
            "mask", (*_triple(rng, (2,), 4, 2, 3, 5, 6, 3), _mask(rng, 3, 5)), note="one mask (n_q, n_k) for all heads"
        ),
        Case(
            "mask",
            _triple(rng, (2,), 4, 2, 4, 4, 3, 5),
            {"mask": _mask(rng, 4, 4)},
            note="as many queries as keys, mask by name",
        ),
        Case(
            "mask",
            (*_triple(rng, (2,), 4, 2, 5, 5, 6, 3), Tensor(lengths[:, None, :][:, None])),
            note="padding: a mask (batch, 1, 1, n_k)",
        ),
        Case(
            "mask",
            (*_triple(rng, (2,), 4, 2, 3, 5, 6, 3), _mask(rng, 4, 3, 5)),
            note="another mask (n_q, n_k) for each of the 4 heads",
        ),
        Case(
            "mask",
            (*_triple(rng, (2,), 6, 3, 3, 5, 4, 3), _mask(rng, 2, 6, 3, 5)),
            note="a mask for every sentence and head",
        ),
        Case(
            "nothing to see",
            (*_triple(rng, (2,), 4, 2, 3, 4, 6, 3), Tensor(empty)),
            note="the second query may see nothing",
        ),
        Case("large scores", large, note="scores of several ten thousand"),
        Case("large scores", (*low[0], low_mask), note="all allowed scores near -100, the forbidden ones near 0"),
        Case("large scores", (*low[1], low_mask), note="all allowed scores near -100,000, the forbidden ones near 0"),
        Case(
            "gradients",
            _triple(rng, (2,), 4, 2, 3, 5, 6, 3, (True, True, True)),
            gradients=True,
            note="gradients of Q, K and V",
        ),
        Case(
            "gradients",
            (*_triple(rng, (2,), 4, 2, 3, 5, 6, 3, (False, False, True)), _mask(rng, 3, 5)),
            gradients=True,
            note="gradient of V, with a mask",
        ),
        bad_arguments(*_triple(rng, (2,), 4, 3, 3, 5, 2, 2), note="4 query heads cannot share 3"),
        bad_arguments(*_triple(rng, (2,), 2, 4, 3, 5, 2, 2), note="fewer query heads than heads of keys"),
    ]


def _interleaved(X: Any, h: Any) -> Any:
    return X.repeat_interleave(h // X.shape[-3], dim=-3)


def _tiled(X: Any, h: Any) -> Any:
    return torch.cat([X] * (h // X.shape[-3]), dim=-3)


def _repeated_too_often(X: Any, h: Any) -> Any:
    return X.repeat_interleave(X.shape[-3], dim=-3)


def _zeroed(weights: Any, mask: Any) -> Any:
    return weights if mask is None else weights.masked_fill(~mask, 0.0)


def _filled(scores: Any, mask: Any, fill: Any = -1e30) -> Any:
    return scores if mask is None else scores.masked_fill(~mask, fill)


def _masked_softmax(scores: Any, mask: Any) -> Any:
    return _zeroed(_filled(scores, mask).softmax(-1), mask)


def _grouped(
    weigh: Any = _masked_softmax,
    repeat_k: Any = _interleaved,
    repeat_v: Any = _interleaved,
    scale: Any = lambda Q, K, V: Q.shape[-1] ** 0.5,
    mask_as: Any = lambda mask: mask,
) -> Any:
    """Grouped attention with some of its steps replaced."""

    def wrong(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
        h = Q.shape[-3]
        if h % K.shape[-3]:
            raise ValueError("heads do not divide")
        K, V = repeat_k(K, h), repeat_v(V, h)
        scores = Q @ swap(K) / scale(Q, K, V)
        return weigh(scores, None if mask is None else mask_as(mask)) @ V

    return wrong


def _own_softmax(shift: Any) -> Any:
    """The softmax written out, with a rule for what is subtracted first; empty rows are zeros."""

    def weigh(scores: Any, mask: Any) -> Any:
        e = _zeroed(torch.exp(scores - shift(scores)), mask)
        total = e.sum(-1, keepdim=True)
        empty = (
            torch.zeros_like(total, dtype=torch.bool)
            if mask is None
            else ~mask.any(-1, keepdim=True).expand(total.shape)
        )
        return e / total.masked_fill(empty, 1.0)

    return weigh


def _four_axes_only(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
    b, h, n, d = Q.shape
    return reference.grouped_query_attention(Q, K, V, mask)


def _with_weights(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
    output = reference.grouped_query_attention(Q, K, V, mask)
    return output, _masked_softmax(Q @ swap(_interleaved(K, Q.shape[-3])) / Q.shape[-1] ** 0.5, mask)


def _heads_stretched(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
    h, h_kv = Q.shape[-3], K.shape[-3]
    share = torch.arange(h) * h_kv // h
    return _grouped()(Q, K[..., share, :, :], V[..., share, :, :], mask)


def _groups_averaged(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
    output = reference.grouped_query_attention(Q, K, V, mask)
    return output.unflatten(-3, (K.shape[-3], -1)).mean(dim=-3)


def _queries_averaged(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
    h, h_kv = Q.shape[-3], K.shape[-3]
    if h % h_kv:
        raise ValueError("heads do not divide")
    shared = Q.unflatten(-3, (h_kv, -1)).mean(dim=-3).repeat_interleave(h // h_kv, dim=-3)
    return reference.grouped_query_attention(shared, K, V, mask)


EXERCISE = Exercise(
    name="grouped_query_attention",
    reference=reference.grouped_query_attention,
    cases=_grouped_cases,
    mistakes=(
        Mistake(
            "repeated the heads of K and V in tiled order, 0 1 0 1, where groups were asked, 0 0 1 1",
            "`repeat` and `cat` lay the whole row of heads down again; neighbours that share need each head repeated on"
            " the spot.",
            _grouped(repeat_k=_tiled, repeat_v=_tiled),
        ),
        Mistake(
            "grouped the heads of K but tiled those of V",
            "Query head i reads the keys and the values of the same shared head. Repeat both in the same way.",
            _grouped(repeat_v=_tiled),
        ),
        Mistake(
            "grouped the heads of V but tiled those of K",
            "Query head i reads the keys and the values of the same shared head. Repeat both in the same way.",
            _grouped(repeat_k=_tiled),
        ),
        Mistake(
            "used the first head of K and V for all",
            "That is what one shared head would be. Here query head i uses head i // (h / h_kv).",
            _grouped(repeat_k=lambda X, h: X[..., :1, :, :], repeat_v=lambda X, h: X[..., :1, :, :]),
        ),
        Mistake(
            "averaged the heads of K and V",
            "Each group of query heads has one head of keys and values to itself; nothing is averaged.",
            _grouped(repeat_k=lambda X, h: X.mean(-3, keepdim=True), repeat_v=lambda X, h: X.mean(-3, keepdim=True)),
        ),
        Mistake(
            "averaged the output of each group of heads",
            "The query heads stay h different heads: only K and V are shared.",
            _groups_averaged,
        ),
        Mistake(
            "averaged the queries of each group",
            "The queries of a group stay different: only K and V are shared.",
            _queries_averaged,
        ),
        Mistake(
            "repeated each head h_kv times instead of h / h_kv times",
            "With 6 query heads and 3 shared ones each shared head serves a group of 6 / 3 = 2.",
            _grouped(repeat_k=_repeated_too_often, repeat_v=_repeated_too_often),
        ),
        Mistake(
            "repeated along axis 1, counted from the front",
            "There may be no batch axis, or several. Count from the end: the heads are `dim=-3`.",
            _grouped(
                repeat_k=lambda X, h: X.repeat_interleave(h // X.shape[-3], dim=1),
                repeat_v=lambda X, h: X.repeat_interleave(h // X.shape[-3], dim=1),
            ),
        ),
        Mistake(
            "accepted heads that do not divide",
            "With 4 query heads and 3 shared ones the groups would be unequal: raise a ValueError.",
            _heads_stretched,
        ),
        Mistake(
            "divided by the root of the full width, not of one head's",
            "Each head takes its own dot products, over d_k features: the last axis of Q.",
            _grouped(scale=lambda Q, K, V: (Q.shape[-3] * Q.shape[-1]) ** 0.5),
        ),
        *scale_mistakes(lambda scale: _grouped(scale=scale)),
        Mistake(
            "took the softmax over the queries",
            "Each query shares out its own attention: the sum over the keys, the last axis, is 1.",
            _grouped(lambda scores, mask: _zeroed(_filled(scores, mask).softmax(-2), mask)),
        ),
        Mistake(
            "took the softmax over the heads",
            "Each query shares out its own attention: the sum over the keys, the last axis, is 1.",
            _grouped(lambda scores, mask: _zeroed(_filled(scores, mask).softmax(-3), mask)),
        ),
        Mistake(
            "left the softmax out",
            "Scores become weights only in the softmax over the keys.",
            _grouped(lambda scores, mask: _zeroed(scores, mask)),
        ),
        Mistake(
            "ignored the mask",
            "A masked entry must get weight 0; `masked_fill` returns a new tensor and does not change the old one.",
            _grouped(lambda scores, mask: scores.softmax(-1)),
        ),
        Mistake("read the mask the other way round", "True means: may attend.", _grouped(mask_as=lambda mask: ~mask)),
        Mistake(
            "masked after the softmax without sharing out anew",
            "The forbidden keys have taken their part of the sum already. Mask the scores, before the softmax.",
            _grouped(lambda scores, mask: _zeroed(scores.softmax(-1), mask)),
        ),
        Mistake(
            "set the masked scores to 0",
            "A score of 0 is an average score. The weight becomes 0 when the score is -∞.",
            _grouped(lambda scores, mask: _filled(scores, mask, 0.0).softmax(-1)),
        ),
        Mistake(
            "added the boolean mask to the scores",
            "True counts as 1, so allowed keys only gain e. Forbidden ones need -∞.",
            _grouped(lambda scores, mask: (scores if mask is None else scores + mask).softmax(-1)),
        ),
        Mistake(
            "multiplied the mask by -∞: 0 · ∞ is NaN",
            "Use `masked_fill` or `torch.where`, which choose instead of multiplying.",
            _grouped(lambda scores, mask: (scores if mask is None else scores + ~mask * -math.inf).softmax(-1)),
        ),
        Mistake(
            "filled with -10,000, which is not low enough",
            "Allowed scores may be lower than that. -∞ is lower than all of them.",
            _grouped(lambda scores, mask: _zeroed_where_empty(_filled(scores, mask, -1e4).softmax(-1), mask)),
        ),
        Mistake(
            "filled with -20, which is not low enough",
            "Allowed scores may be lower than that. -∞ is lower than all of them.",
            _grouped(lambda scores, mask: _zeroed_where_empty(_filled(scores, mask, -20.0).softmax(-1), mask)),
        ),
        Mistake(
            "a query that may see nothing gives NaN",
            "A row of -∞ alone has no softmax. Its weights are zeros.",
            _grouped(lambda scores, mask: _filled(scores, mask, -math.inf).softmax(-1)),
        ),
        Mistake(
            "a query that may see nothing looks at everything alike",
            "A row filled with one number has a uniform softmax. Set the masked weights to zero afterwards.",
            _grouped(lambda scores, mask: _filled(scores, mask).softmax(-1)),
        ),
        Mistake(
            "laid the mask over the queries, not the keys",
            "The last axis of the mask belongs to the keys, the one before it to the queries.",
            _grouped(mask_as=lambda mask: mask.transpose(-1, -2)),
        ),
        Mistake(
            "gave the mask a further axis for the heads",
            "The mask broadcasts to (..., h, n_q, n_k) as it is.",
            _grouped(mask_as=lambda mask: mask.unsqueeze(-3)),
        ),
        Mistake(
            "took exp without subtracting the largest score",
            "exp(100) is more than float32 holds. Subtract each row's largest score first, or use torch.softmax.",
            _grouped(_own_softmax(lambda scores: 0.0)),
        ),
        Mistake(
            "subtracted one largest score of the whole tensor",
            "Rows far below it underflow to 0/0. Each row needs its own: `amax(dim=-1, keepdim=True)`.",
            _grouped(_own_softmax(lambda scores: scores.max())),
        ),
        Mistake("returned the weights as well", "The output alone is asked.", _with_weights),
        Mistake(
            "unpacked exactly four axes",
            "There may be no batch axis, or several: count the axes from the end.",
            _four_axes_only,
        ),
    ),
    forbidden=READY_MADE,
    hints=(
        "Bring K and V to h heads first: with 4 query heads and 2 shared ones, heads 0, 0, 1, 1. The rest is unit 6.",
        "`repeat_interleave(times, dim=-3)` repeats each head on the spot. A group has h / h_kv heads.",
    ),
)


def _zeroed_where_empty(weights: Any, mask: Any) -> Any:
    return weights if mask is None else weights * mask.any(-1, keepdim=True)
