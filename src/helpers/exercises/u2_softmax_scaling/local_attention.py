"""`local_attention`: its cases, mistakes and hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u2_softmax_scaling as reference

from ..attention import Scale, root_of_width, scale_mistakes, share, softmax, softmax_without_maximum
from ..common import READY_MADE_ATTENTION, Answer, Step, normal, queries_keys_values
from .common import SCALES, floats, guarded, more_scale_mistakes, whole_numbers


def _steps(n_q: int, n_k: int) -> Any:
    """How far each query stands behind each key: i - j."""
    return np.arange(n_q)[:, None] - np.arange(n_k)[None, :]


def _near(n_q: int, n_k: int, window: int) -> Any:
    return np.abs(_steps(n_q, n_k)) <= window


def _local_cases(rng: np.random.Generator) -> list[Case]:
    # One key that all would choose, neighbours around -50 and around -100000, queries behind the last key; exact in
    # float32.
    Q, K = whole_numbers(rng, 10, 4), whole_numbers(rng, 7, 4)
    Q[:, 0] = 1
    K[:, 0] = [20_000, -100, -102, -104, -200_000, -200_002, -200_004]
    steep = (Q, K, normal(rng, 7, 2))
    whole = tuple(rng.integers(-2, 3, size=shape) for shape in ((4, 3), (4, 3), (4, 2)))
    return [
        Case("values", (*queries_keys_values(rng, 6, 6, 3, 5), 1), note="6 tokens, window 1: a neighbour to each side"),
        Case("values", (*queries_keys_values(rng, 7, 7, 2, 3), 2), note="7 tokens, window 2"),
        Case("values", (*queries_keys_values(rng, 5, 5, 5, 5), 3), note="5 tokens of width 5, window 3"),
        Case("window 0", (*queries_keys_values(rng, 4, 4, 3, 2), 0), note="each token sees itself alone"),
        Case("wide window", (*queries_keys_values(rng, 3, 4, 6, 2), 10), note="the window is wider than the sentence"),
        Case("fewer queries than keys", (*queries_keys_values(rng, 2, 6, 3, 4), 1), note="2 queries, 6 keys, window 1"),
        Case(
            "rows that see nothing",
            (*queries_keys_values(rng, 6, 3, 2, 4), 1),
            note="6 queries, 3 keys, window 1: the last two queries see no key",
        ),
        Case(
            "large scores",
            (*steep, 1),
            note="10 queries, 7 keys, window 1: many near scores around -100000, a far one of 10000",
        ),
        Case("integers", (*whole, 1), note="whole numbers in"),
        Case("values", (*queries_keys_values(rng, 6, 6, 3, 5), 1), note="6 other tokens, window 1"),
        Case("integers", (*queries_keys_values(rng, 4, 4, 3, 2)[:2], whole[2], 1), note="whole numbers in V alone"),
        Case("integers", (*whole[:2], normal(rng, 4, 2), 1), note="whole numbers in Q and K"),
        Case(
            "axes of length one", (*queries_keys_values(rng, 1, 1, 1, 1), 0), note="one token, d_k = d_v = 1, window 0"
        ),
        Case("axes of length one", (*queries_keys_values(rng, 1, 6, 3, 2), 2), note="one query, 6 keys, window 2"),
        Case("long sentences", (*queries_keys_values(rng, 70, 70, 4, 3), 5), note="70 tokens, window 5"),
    ]


def _local(
    scale: Scale = root_of_width,
    near: Callable[[int, int, int], Any] = _near,
    weigh: Step = lambda scores, near: reference.softmax(_ruled_out(scores, near)),
) -> Answer:
    """Local attention with one of its parts exchanged."""

    def wrong(Q: Any, K: Any, V: Any, window: Any) -> Any:
        weights = weigh(Q @ K.T / scale(Q, K, V), near(len(Q), len(K), int(window)))
        return weights @ V, weights

    return floats(wrong)


def _sliced(n_q: int, n_k: int, window: int) -> Any:
    """A window made of slices whose start may be negative."""
    near = np.zeros((n_q, n_k), dtype=bool)
    for i in range(n_q):
        near[i, i - window : i + window + 1] = True
    return near


def _ruled_out(scores: Any, near: Any) -> Any:
    return np.where(near, scores, -np.inf)


def _filled(value: float, empty_rows_zero: bool) -> Step:
    def weigh(scores: Any, near: Any) -> Any:
        weights = reference.softmax(np.where(near, scores, value))
        return weights * near.any(axis=-1, keepdims=True) if empty_rows_zero else weights

    return weigh


def _cut_afterwards(scores: Any, near: Any) -> Any:
    return reference.softmax(scores) * near


def _renormalised(scores: Any, near: Any) -> Any:
    left = _cut_afterwards(scores, near)
    total = left.sum(axis=-1, keepdims=True)
    return left / np.where(near.any(axis=-1, keepdims=True), total, 1)


def _renormalised_safely(scores: Any, near: Any) -> Any:
    return guarded(_cut_afterwards(scores, near), -1)


def _renormalised_blindly(scores: Any, near: Any) -> Any:
    return share(_cut_afterwards(scores, near))


def _mixed_before(Q: Any, K: Any, V: Any, window: Any) -> Any:
    return reference.scaled_dot_product_attention(Q, K, V)[0], reference.local_attention(Q, K, V, window)[1]


_RENORMALISE_HINT = (
    "A far key with a huge score leaves 0 for all the near ones, and 0/0 in the end. Rule the far scores out before the"
    " softmax."
)

_LEAK_HINT = "Scores may be lower than that, and then the far keys win. -inf is lower than every score."


EXERCISE = Exercise(
    name="local_attention",
    reference=reference.local_attention,
    cases=_local_cases,
    mistakes=(
        Mistake(
            "set the far weights to 0 after the softmax, so that rows no longer sum to 1",
            "The far keys have already taken their share. Rule them out before the softmax, with scores of -inf.",
            _local(weigh=_cut_afterwards),
        ),
        Mistake(
            "cut the far weights after the softmax and divided by what is left: 0/0 when a far score is huge",
            _RENORMALISE_HINT,
            _local(weigh=_renormalised),
        ),
        Mistake(
            "cut the far weights after the softmax; a huge far score leaves nothing for the near ones",
            _RENORMALISE_HINT,
            _local(weigh=_renormalised_safely),
        ),
        Mistake(
            "cut the far weights after the softmax and divided by 0 where nothing is left",
            _RENORMALISE_HINT,
            _local(weigh=_renormalised_blindly),
        ),
        Mistake(
            "left out the edge of the window: < instead of <=",
            "A distance of exactly `window` is still seen; with window 0 each token sees itself.",
            _local(near=lambda n_q, n_k, window: _near(n_q, n_k, window - 1)),
        ),
        Mistake(
            "left out the last neighbour: the slice ends too early",
            "A Python slice stops before its end: `K[start : i + window]` has no key i + window.",
            _local(near=lambda n_q, n_k, window: (_steps(n_q, n_k) <= window) & (_steps(n_q, n_k) > -window)),
        ),
        Mistake(
            "a slice that starts below 0",
            "Python counts a negative start from the end, so the first queries see nothing, or keys far behind. Where"
            " has `i - window` to stop?",
            _local(near=_sliced),
        ),
        Mistake(
            "built the window for as many keys as queries",
            "The distances are a table of n_q rows and n_k columns: rows count the queries, columns the keys.",
            _local(near=lambda n_q, n_k, window: _near(n_q, n_q, window)),
        ),
        Mistake(
            "mixed the output with the weights from before the window",
            "The weights are right. Mix the values with these same weights: `weights @ V`.",
            _mixed_before,
        ),
        Mistake(
            "returned the weights first",
            "The order is output, weights: `return output, weights`.",
            lambda Q, K, V, window: reference.local_attention(Q, K, V, window)[::-1],
        ),
        Mistake(
            "looks back only",
            "The neighbourhood reaches to both sides: the distance is |i - j|, without its sign.",
            _local(near=lambda n_q, n_k, window: (_steps(n_q, n_k) >= 0) & (_steps(n_q, n_k) <= window)),
        ),
        Mistake(
            "looks ahead only",
            "The neighbourhood reaches to both sides: the distance is |i - j|, without its sign.",
            _local(near=lambda n_q, n_k, window: (_steps(n_q, n_k) <= 0) & (_steps(n_q, n_k) >= -window)),
        ),
        Mistake(
            "forgot the absolute value: everything ahead is seen",
            "i - j is negative for keys that come later, and so always below the window. The distance is |i - j|.",
            _local(near=lambda n_q, n_k, window: _steps(n_q, n_k) <= window),
        ),
        Mistake(
            "forgot the absolute value: everything behind is seen",
            "j - i is negative for keys that came earlier, and so always below the window. The distance is |i - j|.",
            _local(near=lambda n_q, n_k, window: _steps(n_q, n_k) >= -window),
        ),
        Mistake(
            "ruled out the near keys and kept the far ones",
            "It is the other way round: where |i - j| > window the weight is 0.",
            _local(near=lambda n_q, n_k, window: ~_near(n_q, n_k, window)),
        ),
        Mistake(
            "took the window as the full width",
            "`window` counts to each side: window 2 shows up to 5 keys, two on either side and the own place.",
            _local(near=lambda n_q, n_k, window: _near(n_q, n_k, window // 2)),
        ),
        Mistake(
            "lined the queries up with the last keys",
            "Both places count from 0: query 0 stands at key 0, even if there are more keys than queries.",
            _local(near=lambda n_q, n_k, window: np.abs(_steps(n_q, n_k) + n_k - n_q) <= window),
        ),
        Mistake(
            "let every query see the same keys, the first ones",
            "The window moves along with the query: compare j with i, not with 0.",
            _local(near=lambda n_q, n_k, window: np.broadcast_to(np.arange(n_k) <= window, (n_q, n_k))),
        ),
        Mistake(
            "did not use the window at all",
            "Is the result of `np.where(...)` assigned to something? Far keys still have weight.",
            _local(near=lambda n_q, n_k, window: np.ones((n_q, n_k), dtype=bool)),
        ),
        Mistake(
            "gave the far keys a score of 0",
            "A score of 0 is not a weight of 0: exp(0) = 1. The score that gives weight 0 is -inf.",
            _local(weigh=lambda scores, near: reference.softmax(scores * near)),
        ),
        Mistake(
            "multiplied the mask by -inf: 0 · -inf is NaN",
            "The near scores are lost that way. Choose with `np.where(near, scores, -np.inf)` instead of multiplying.",
            _local(weigh=lambda scores, near: reference.softmax(scores + (1 - near) * -np.inf)),
        ),
        Mistake(
            "a query that sees nothing gives NaN",
            "Its scores are all -inf. The softmax at the start of this unit turns such a row into zeros; use it here.",
            _local(weigh=lambda scores, near: softmax(_ruled_out(scores, near))),
        ),
        Mistake(
            "a query that sees nothing gets equal weights",
            "A finite fill makes all its scores equal. Nobody is there, so its row should be zeros.",
            _local(weigh=_filled(-1e9, False)),
        ),
        Mistake(
            "filled with a number like -10000: far keys leak in when the near scores are lower",
            _LEAK_HINT,
            _local(weigh=_filled(-1e4, True)),
        ),
        Mistake(
            "filled with a number like -10000: far keys leak in, and a query that sees nothing gets equal weights",
            _LEAK_HINT,
            _local(weigh=_filled(-1e4, False)),
        ),
        Mistake(
            "filled with a number like -20: far keys leak in when the near scores are lower",
            _LEAK_HINT,
            _local(weigh=_filled(-20, True)),
        ),
        Mistake(
            "filled with a number like -20: far keys leak in, and a query that sees nothing gets equal weights",
            _LEAK_HINT,
            _local(weigh=_filled(-20, False)),
        ),
        Mistake(
            "took the softmax over the queries",
            "Each query shares out a whole 1 over the keys that it sees: the softmax runs along the last axis.",
            _local(weigh=lambda scores, near: reference.softmax(_ruled_out(scores, near), axis=0)),
        ),
        Mistake(
            "subtracted no maximum: large scores give 0/0",
            "The softmax you wrote at the start of this unit takes off the maximum of each row; call it.",
            _local(weigh=lambda scores, near: softmax_without_maximum(_ruled_out(scores, near))),
        ),
        *scale_mistakes(lambda scale: _local(scale=scale), SCALES),
        *more_scale_mistakes(lambda scale: _local(scale=scale)),
    ),
    forbidden=READY_MADE_ATTENTION,
    hints=(
        "Scaled scores first; then -inf wherever |i - j| > window; then softmax and weighted sum as before.",
        "All distances at once: `np.arange(n_q)[:, None] - np.arange(n_k)[None, :]`.",
    ),
)
