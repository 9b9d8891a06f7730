"""`scaled_dot_product_attention`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u2_softmax_scaling as reference

from ..attention import (
    Scale,
    root_of_width,
    scale_mistakes,
    softmax_with_one_maximum,
    softmax_without_maximum,
    transposed,
)
from ..common import READY_MADE_ATTENTION, Answer, Step, bad_arguments, normal, queries_keys_values
from .common import SCALES, floats, more_scale_mistakes, whole_numbers


def _steep(rng: np.random.Generator, n_q: int, n_k: int, d_v: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Queries, keys, values with scaled scores around 10000 in some rows and around -10000 in others, exact in
    float32."""
    Q, K = whole_numbers(rng, n_q, 4), whole_numbers(rng, n_k, 4)
    Q[:, 0] = np.where(np.arange(n_q) % 2 == 0, 200, -200)
    K[:, 0] = 100
    return Q, K, normal(rng, n_k, d_v)


def _attention_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case(
            "values",
            queries_keys_values(rng, 2, 4, 3, 5),
            note="2 queries, 4 keys, d_k = 3, d_v = 5",
        ),
        Case(
            "values",
            queries_keys_values(rng, 5, 2, 6, 3),
            note="5 queries, 2 keys, d_k = 6, d_v = 3",
        ),
        Case(
            "values",
            queries_keys_values(rng, 3, 3, 3, 3),
            note="3 queries, 3 keys, d_k = d_v = 3: everything square",
        ),
        Case("values", queries_keys_values(rng, 2, 5, 16, 1), note="d_k = 16, d_v = 1"),
        Case("large scores", _steep(rng, 3, 4, 2), note="scores around 10000 and around -10000"),
        Case(
            "integers",
            (rng.integers(-2, 3, size=(2, 3)), rng.integers(-2, 3, size=(4, 3)), rng.integers(-5, 6, size=(4, 2))),
            note="whole numbers in",
        ),
        bad_arguments(
            normal(rng, 2, 3), normal(rng, 4, 5), normal(rng, 4, 2), note="queries of width 3, keys of width 5"
        ),
        bad_arguments(normal(rng, 2, 3), normal(rng, 4, 3), normal(rng, 5, 2), note="4 keys, 5 values"),
        Case(
            "values",
            (normal(rng, 2, 3), normal(rng, 4, 3), normal(rng, 4, 5)),
            note="other numbers of the first sizes",
        ),
        Case(
            "integers",
            (normal(rng, 2, 3), normal(rng, 4, 3), rng.integers(-5, 6, size=(4, 2))),
            note="whole numbers in V alone",
        ),
        Case(
            "integers",
            (rng.integers(-2, 3, size=(2, 3)), rng.integers(-2, 3, size=(4, 3)), normal(rng, 4, 2)),
            note="whole numbers in Q and K",
        ),
        Case(
            "axes of length one", tuple(normal(rng, 1, 1) for _ in range(3)), note="one query, one key, d_k = d_v = 1"
        ),
    ]


def _attend(
    scale: Scale = root_of_width,
    weigh: Step = reference.softmax,
    order: Step = lambda output, weights, scores: (output, weights),
    mix: Step = lambda weights, Q, K, V: weights @ V,
) -> Answer:
    """Attention with one of its parts exchanged."""

    def wrong(Q: Any, K: Any, V: Any) -> Any:
        scores = Q @ transposed(K) / scale(Q, K, V)
        weights = weigh(scores)
        return order(mix(weights, Q, K, V), weights, scores)

    return floats(wrong)


def _no_transpose(Q: Any, K: Any, V: Any) -> Any:
    weights = reference.softmax(Q @ K / math.sqrt(Q.shape[-1]))
    return weights @ V, weights


def _scaled_weights(Q: Any, K: Any, V: Any) -> Any:
    weights = reference.softmax(Q @ K.T) / math.sqrt(Q.shape[-1])
    return weights @ V, weights


def _scaled_output(Q: Any, K: Any, V: Any) -> Any:
    weights = reference.softmax(Q @ K.T)
    return weights @ V / math.sqrt(Q.shape[-1]), weights


def _shared_over_queries(scores: Any) -> Any:
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-2)


def _mixed_scores(Q: Any, K: Any, V: Any) -> Any:
    scores = Q @ K.T / math.sqrt(Q.shape[-1])
    return scores @ V, reference.softmax(scores)


EXERCISE = Exercise(
    name="scaled_dot_product_attention",
    reference=reference.scaled_dot_product_attention,
    cases=_attention_cases,
    mistakes=(
        *scale_mistakes(lambda scale: _attend(scale=scale), SCALES),
        *more_scale_mistakes(lambda scale: _attend(scale=scale)),
        Mistake(
            "took the softmax over the queries",
            "Each query shares out a whole 1 over the keys: every row of the weights sums to 1, so the softmax runs"
            " along the last axis.",
            _attend(weigh=lambda s: reference.softmax(s, axis=-2)),
        ),
        Mistake(
            "divided by the sums over the queries, not over the keys",
            "Each query shares out a whole 1 over the keys: every row of the weights sums to 1. Call the softmax from"
            " the start of this unit, or add along the last axis and keep it.",
            _attend(weigh=_shared_over_queries),
        ),
        Mistake(
            "took the softmax over everything",
            "Each row of the weights sums to 1 by itself: one softmax for each query.",
            _attend(weigh=lambda s: reference.softmax(s.ravel()).reshape(s.shape)),
        ),
        Mistake(
            "subtracted no maximum: large scores overflow",
            "The softmax you wrote at the start of this unit can do this; call it, or take off the maximum of each row"
            " first.",
            _attend(weigh=softmax_without_maximum),
        ),
        Mistake(
            "subtracted one maximum for all queries",
            "A query whose scores all lie far below the largest one is left with 0/0. Each row has a maximum of its"
            " own.",
            _attend(weigh=softmax_with_one_maximum),
        ),
        Mistake(
            "took the softmax twice",
            "The first softmax has made weights; a second one flattens them.",
            _attend(weigh=lambda s: reference.softmax(reference.softmax(s))),
        ),
        Mistake(
            "scaled the weights instead of the scores",
            "After the softmax it is too late: the weights no longer sum to 1. Scale first, then the softmax.",
            floats(_scaled_weights),
        ),
        Mistake(
            "scaled the output instead of the scores",
            "The root stands inside the softmax: it divides the scores, before they become weights.",
            floats(_scaled_output),
        ),
        Mistake(
            "mixed the values with the scores, without a softmax",
            "Scores may be negative and sum to anything. Make weights of them before they meet V.",
            _attend(weigh=lambda s: s),
        ),
        Mistake(
            "mixed the values with the scores, though the weights are right",
            "The output needs the weights that you return: `weights @ V`.",
            floats(_mixed_scores),
        ),
        Mistake(
            "returned the scores instead of the weights",
            "The output is right. The second result is what came out of the softmax, not what went in.",
            _attend(order=lambda output, weights, scores: (output, scores)),
        ),
        Mistake(
            "returned the weights first",
            "The order is output, weights: `return output, weights`.",
            _attend(order=lambda output, weights, scores: (weights, output)),
        ),
        Mistake(
            "returned the output alone",
            "Two results are asked: `return output, weights`. The weights are what we look at in the pictures.",
            _attend(order=lambda output, weights, scores: output),
        ),
        Mistake(
            "mixed the keys instead of the values",
            "Keys say where to look, values say what is fetched from there.",
            _attend(mix=lambda weights, Q, K, V: weights @ K),
        ),
        Mistake(
            "swapped keys and values",
            "The arguments come as Q, K, V: queries meet keys, and the weights mix the values.",
            lambda Q, K, V: _attend()(Q, V, K),
        ),
        Mistake(
            "forgot the transpose: Q @ K",
            "Queries meet keys row by row, so the keys must be put on their side; a square K hides it.",
            floats(_no_transpose),
        ),
        Mistake(
            "let the keys ask: K @ Qᵀ",
            "Rows of the scores belong to the queries: Q on the left, K on its side on the right.",
            lambda Q, K, V: _attend()(K, Q, V),
        ),
    ),
    forbidden=READY_MADE_ATTENTION,
    hints=(
        "Four lines, each of which you have written before: scores, scale, softmax, weighted sum.",
        "The width d_k is the last axis of Q: `Q.shape[-1]`.",
    ),
)
