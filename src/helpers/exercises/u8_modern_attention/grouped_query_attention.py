"""`grouped_query_attention`: its cases, mistakes and hints."""

from __future__ import annotations

import math

import numpy as np

from helpers.exercise import Case, Exercise, Mistake, Tensor
from helpers.reference import u8_modern_attention as reference

from ..attention import scale_mistakes
from ..common import READY_MADE_ATTENTION, bad_arguments, normal_tensor, padding, random_mask
from ..masking import (
    fill_of,
    mask_added,
    mask_ignored,
    mask_times_infinity,
    masked_after,
    nan_hidden,
    on_its_side,
    softmax_less,
    softmax_over,
    turned_around,
    with_mask,
    zeroed,
)
from ._grouped_query_attention_versions import (
    by_shared_heads,
    by_shared_heads_clamped,
    first_queries,
    four_axes_only,
    grouped,
    groups_averaged,
    heads_stretched,
    keys_for_values,
    mask_on_groups,
    queries_averaged,
    queries_summed,
    repeated_too_often,
    tiled,
    with_weights,
)
from .common import SCALES, eighths, leveled


def _triple(
    rng: np.random.Generator,
    lead: tuple[int, ...],
    h: int,
    h_kv: int,
    n_q: int,
    n_k: int,
    d_k: int,
    d_v: int,
    gradient: tuple[bool, bool, bool] = (False, False, False),
) -> tuple[Tensor, Tensor, Tensor]:
    """Q of h heads, K and V of h_kv heads; `gradient` says of which of the three gradients are asked."""
    shapes = ((*lead, h, n_q, d_k), (*lead, h_kv, n_k, d_k), (*lead, h_kv, n_k, d_v))
    Q, K, V = (normal_tensor(rng, *shape, gradient=g) for shape, g in zip(shapes, gradient))
    return Q, K, V


def _clear(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Queries (2, 4, 3, 4) and keys (2, 2, 5, 4) whose scores lie so far apart that one key takes all of each query.

    With near ones nothing could be asked: single precision has seven digits, and these scores have five of them.
    """
    while True:
        Q, K = 100 * eighths(rng, 2, 4, 3, 4), 100 * eighths(rng, 2, 2, 5, 4)
        ranked = np.sort(Q @ np.repeat(K, 2, axis=1).swapaxes(-1, -2) / 2, axis=-1)
        if (ranked[..., -1] - ranked[..., -2]).min() > 100:
            return Tensor(Q), Tensor(K)


def _grouped_cases(rng: np.random.Generator) -> list[Case]:
    empty = np.array([[True, False, True, True], [False] * 4, [False, True, True, False]])
    large = *_clear(rng), normal_tensor(rng, 2, 2, 5, 3)
    at_levels = [
        leveled(rng, 3, np.array([0, 0, level, level - gap, level + gap]), (2,))
        for level, gap in ((-100, 0), (-1e5, 200))
    ]
    low = [(Tensor(np.repeat(Q.array, 2, axis=0)), K, normal_tensor(rng, 2, 5, 3)) for Q, K in at_levels]
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
            "mask",
            (*_triple(rng, (2,), 4, 2, 3, 5, 6, 3), random_mask(rng, 3, 5, one_step=True)),
            note="one mask (n_q, n_k) for all heads",
        ),
        Case(
            "mask",
            _triple(rng, (2,), 4, 2, 4, 4, 3, 5),
            {"mask": random_mask(rng, 4, 4, one_step=True)},
            note="as many queries as keys, mask by name",
        ),
        Case(
            "mask",
            (*_triple(rng, (2,), 4, 2, 5, 5, 6, 3), padding([5, 3], 5)),
            note="padding: a mask (batch, 1, 1, n_k)",
        ),
        Case(
            "mask",
            (*_triple(rng, (2,), 4, 2, 3, 5, 6, 3), random_mask(rng, 4, 3, 5, one_step=True)),
            note="another mask (n_q, n_k) for each of the 4 heads",
        ),
        Case(
            "mask",
            (*_triple(rng, (2,), 6, 3, 3, 5, 4, 3), random_mask(rng, 2, 6, 3, 5, one_step=True)),
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
            (*_triple(rng, (2,), 4, 2, 3, 5, 6, 3, (False, False, True)), random_mask(rng, 3, 5, one_step=True)),
            gradients=True,
            note="gradient of V, with a mask",
        ),
        Case(
            "gradients",
            (*_triple(rng, (2,), 4, 2, 3, 4, 6, 3, (True, True, True)), Tensor(empty)),
            gradients=True,
            note="one of 3 queries may see nothing: its gradients are zero",
        ),
        bad_arguments(*_triple(rng, (2,), 4, 3, 3, 5, 2, 2), note="4 query heads cannot share 3"),
        bad_arguments(*_triple(rng, (2,), 2, 4, 3, 5, 2, 2), note="fewer query heads than heads of keys"),
        Case("values", _triple(rng, (2,), 4, 2, 3, 5, 6, 3), note="other numbers of the first sizes"),
        Case(
            "mask",
            (*_triple(rng, (3,), 4, 2, 3, 5, 6, 3), random_mask(rng, 3, 1, 3, 5)),
            note="a mask for each of 3 sentences, the same for their heads",
        ),
        Case(
            "nothing to see",
            (*_triple(rng, (2,), 4, 2, 3, 5, 6, 3), Tensor(np.array([[True], [False], [True]]))),
            note="a mask (3, 1): two queries see every key, one sees none",
        ),
        Case(
            "axes of length one",
            _triple(rng, (1,), 1, 1, 1, 1, 1, 1),
            note="one sentence of one token, one head, d_k = d_v = 1",
        ),
    ]


EXERCISE = Exercise(
    name="grouped_query_attention",
    reference=reference.grouped_query_attention,
    cases=_grouped_cases,
    mistakes=(
        Mistake(
            "repeated the heads of K and V in tiled order, 0 1 0 1, where groups were asked, 0 0 1 1",
            "`repeat`, `cat`, a new axis before the heads or `i % h_kv` lay the whole row of heads down again;"
            " neighbours that share need each head repeated on the spot.",
            grouped(repeat_k=tiled, repeat_v=tiled),
        ),
        Mistake(
            "grouped the heads of K but tiled those of V",
            "Query head i reads the keys and the values of the same shared head. Repeat both in the same way.",
            grouped(repeat_v=tiled),
        ),
        Mistake(
            "grouped the heads of V but tiled those of K",
            "Query head i reads the keys and the values of the same shared head. Repeat both in the same way.",
            grouped(repeat_k=tiled),
        ),
        Mistake(
            "used the first head of K and V for all",
            "That is what one shared head would be. Here query head i uses head i // (h / h_kv).",
            grouped(repeat_k=lambda X, h: X[..., :1, :, :], repeat_v=lambda X, h: X[..., :1, :, :]),
        ),
        Mistake(
            "averaged the heads of K and V",
            "Each group of query heads has one head of keys and values to itself; nothing is averaged.",
            grouped(repeat_k=lambda X, h: X.mean(-3, keepdim=True), repeat_v=lambda X, h: X.mean(-3, keepdim=True)),
        ),
        Mistake(
            "averaged the output of each group of heads",
            "The query heads stay h different heads: only K and V are shared.",
            groups_averaged,
        ),
        Mistake(
            "averaged the queries of each group",
            "The queries of a group stay different: only K and V are shared.",
            queries_averaged,
        ),
        Mistake(
            "repeated each head h_kv times instead of h / h_kv times",
            "With 6 query heads and 3 shared ones each shared head serves a group of 6 / 3 = 2.",
            grouped(repeat_k=repeated_too_often, repeat_v=repeated_too_often),
        ),
        Mistake(
            "divided the number of the query head by h_kv, not by the size of a group",
            "h / h_kv query heads share: with 6 query heads and 2 shared ones that is i // 3.",
            grouped(repeat_k=by_shared_heads, repeat_v=by_shared_heads),
        ),
        Mistake(
            "divided the number of the query head by h_kv and cut off what came out too large",
            "h / h_kv query heads share: with 6 query heads and 2 shared ones that is i // 3.",
            grouped(repeat_k=by_shared_heads_clamped, repeat_v=by_shared_heads_clamped),
        ),
        Mistake(
            "used the first query head of each group for all of it",
            "The query heads stay h different heads: only K and V are shared.",
            first_queries,
        ),
        Mistake(
            "added up the queries of each group",
            "The queries of a group stay different: only K and V are shared.",
            queries_summed,
        ),
        Mistake(
            "`K` and `V` have changed places",
            "Queries meet keys, and the weights mix values.",
            keys_for_values,
        ),
        Mistake(
            "repeated along axis 1, counted from the front",
            "There may be no batch axis, or several. Count from the end: the heads are `dim=-3`.",
            grouped(
                repeat_k=lambda X, h: X.repeat_interleave(h // X.shape[-3], dim=1),
                repeat_v=lambda X, h: X.repeat_interleave(h // X.shape[-3], dim=1),
            ),
        ),
        Mistake(
            "accepted heads that do not divide",
            "With 4 query heads and 3 shared ones the groups would be unequal: raise a ValueError.",
            heads_stretched,
        ),
        *scale_mistakes(
            lambda scale: grouped(scale=scale),
            {
                "√d_model": (
                    "divided by the root of the full width, not of one head's",
                    "Each head takes its own dot products, over d_k features: the last axis of Q.",
                ),
                **SCALES,
            },
        ),
        Mistake(
            "took the softmax over the queries",
            "Each query shares out its own attention: the sum over the keys, the last axis, is 1.",
            grouped(softmax_over(-2)),
        ),
        Mistake(
            "took the softmax over the heads",
            "Each query shares out its own attention: the sum over the keys, the last axis, is 1.",
            grouped(softmax_over(-3)),
        ),
        Mistake(
            "left the softmax out",
            "Scores become weights only in the softmax over the keys.",
            grouped(zeroed),
        ),
        Mistake(
            "the mask changes nothing",
            "A masked entry must get weight 0; `masked_fill` returns a new tensor and does not change the old one.",
            grouped(mask_ignored),
        ),
        Mistake("read the mask the other way round", "True means: may attend.", grouped(with_mask(turned_around))),
        Mistake(
            "masked after the softmax without sharing out anew",
            "The forbidden keys have taken their part of the sum already. Mask the scores, before the softmax.",
            grouped(masked_after),
        ),
        Mistake(
            "set the masked scores to 0",
            "A score of 0 is an average score. The weight becomes 0 when the score is -∞.",
            grouped(fill_of(0.0, empty_rows_zero=False)),
        ),
        Mistake(
            "added the boolean mask to the scores",
            "True counts as 1, so allowed keys only gain e. Forbidden ones need -∞.",
            grouped(mask_added),
        ),
        Mistake(
            "multiplied the mask by -∞: 0 · ∞ is NaN",
            "Use `masked_fill` or `torch.where`, which choose instead of multiplying.",
            grouped(mask_times_infinity),
        ),
        Mistake(
            "filled with -10,000, which is not low enough",
            "Allowed scores may be lower than that. -∞ is lower than all of them.",
            grouped(fill_of(-1e4)),
        ),
        Mistake(
            "filled with -20, which is not low enough",
            "Allowed scores may be lower than that. -∞ is lower than all of them.",
            grouped(fill_of(-20.0)),
        ),
        Mistake(
            "a query that may see nothing gives NaN",
            "A row of -∞ alone has no softmax. Its weights are zeros.",
            grouped(fill_of(-math.inf, empty_rows_zero=False)),
        ),
        Mistake(
            "a query that may see nothing looks at everything alike",
            "A row filled with one number has a uniform softmax. Set the masked weights to zero afterwards.",
            grouped(fill_of(-1e30, empty_rows_zero=False)),
        ),
        Mistake(
            "the gradients are NaN where a query may see nothing",
            "What is NaN or ∞ on the way there is NaN on the way back, even if it is hidden afterwards. Give every row"
            " finite scores before the softmax, and set the hidden weights to 0 after it.",
            grouped(nan_hidden),
        ),
        Mistake(
            "laid the mask against the groups, not against the heads",
            "The mask is meant for (..., h, n_q, n_k). Bring the scores to that shape before you mask.",
            mask_on_groups,
        ),
        Mistake(
            "laid the mask over the queries, not the keys",
            "The last axis of the mask belongs to the keys, the one before it to the queries.",
            grouped(with_mask(on_its_side)),
        ),
        Mistake(
            "gave the mask a further axis for the heads",
            "The mask broadcasts to (..., h, n_q, n_k) as it is.",
            grouped(with_mask(lambda mask: mask.unsqueeze(-3))),
        ),
        Mistake(
            "took exp without subtracting the largest score",
            "exp(100) is more than float32 holds. Subtract each row's largest score first, or use torch.softmax.",
            grouped(softmax_less(lambda scores: 0.0)),
        ),
        Mistake(
            "subtracted one largest score of the whole tensor",
            "Rows far below it underflow to 0/0. Each row needs its own: `amax(dim=-1, keepdim=True)`.",
            grouped(softmax_less(lambda scores: scores.max())),
        ),
        Mistake("returned the weights as well", "The output alone is asked.", with_weights),
        Mistake(
            "unpacked exactly four axes",
            "There may be no batch axis, or several: count the axes from the end.",
            four_axes_only,
        ),
    ),
    forbidden=READY_MADE_ATTENTION,
    hints=(
        "Bring K and V to h heads first: with 6 query heads and 2 shared ones, heads 0, 0, 0, 1, 1, 1. The rest is unit"
        " 6.",
        "`repeat_interleave(times, dim=-3)` repeats each head on the spot. A group has h / h_kv heads.",
    ),
)
