"""`scores_for_query`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u1_dot_products as reference

from ..attention import softmax
from ..common import Answer, bad_arguments, normal
from .common import DISTANCE_HINT, DIVIDED_HINT, SOFTMAX_HINT, last_feature_mistake, plus_mistake, sums_mistake


def _query_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("values", (normal(rng, 3), normal(rng, 5, 3)), note="5 keys of width 3"),
        Case("values", (normal(rng, 4), normal(rng, 4, 4)), note="as many keys as features: a square K"),
        Case("values", (normal(rng, 2), normal(rng, 1, 2)), note="one key"),
        Case("integers", (rng.integers(-4, 5, size=3), rng.integers(-4, 5, size=(2, 3))), note="whole numbers in"),
        bad_arguments(normal(rng, 3), normal(rng, 5, 4), note="q has width 3, the keys 4"),
        Case("values", (normal(rng, 3), normal(rng, 5, 3)), note="another query and 5 other keys of width 3"),
        Case("integers", (rng.integers(-4, 5, size=3), normal(rng, 4, 3)), note="whole numbers in q alone"),
        Case("integers", (normal(rng, 3), rng.integers(-4, 5, size=(4, 3))), note="whole numbers in K alone"),
        Case(
            "bad arguments",
            (normal(rng, 1), normal(rng, 5, 4)),
            raises="ValueError",
            note="q has width 1, the keys 4",
        ),
        Case(
            "bad arguments",
            (normal(rng, 4), normal(rng, 5, 1)),
            raises="ValueError",
            note="q has width 4, the keys 1",
        ),
    ]


def _without(place: int) -> Answer:
    def wrong(q: Any, K: Any) -> Any:
        scores = reference.scores_for_query(q, K)
        scores[place] = 0
        return scores

    return wrong


def _by_the_width(q: Any, K: Any) -> Any:
    scores = np.zeros(len(q))
    for j in range(len(q)):
        scores[j] = q @ K[j]
    return scores


def _difference(q: Any, K: Any) -> Any:
    reference.scores_for_query(q, K)
    return (np.asarray(q, dtype=float) - np.asarray(K, dtype=float)).sum(axis=-1)


EXERCISE = Exercise(
    name="scores_for_query",
    reference=reference.scores_for_query,
    cases=_query_cases,
    mistakes=(
        Mistake(
            "subtracted the key from the query instead of multiplying",
            "A dot product multiplies entry by entry, and then adds up: `(q * K).sum(axis=-1)`.",
            _difference,
        ),
        Mistake(
            "multiplied q with the columns of K: q @ K",
            "The keys are the rows of K. `q @ K` meets the columns, which a square K lets through unnoticed.",
            lambda q, K: np.asarray(q, dtype=float) @ K,
        ),
        Mistake(
            "kept the products without adding them up",
            "`K * q` is (n_k, d_k). A dot product adds over the features: one number for each key.",
            lambda q, K: np.asarray(K, dtype=float) * q,
        ),
        Mistake(
            "added over the keys instead of the features",
            "Add along the features, the last axis: what is left is one score for each key.",
            lambda q, K: (np.asarray(K, dtype=float) * q).sum(axis=0),
        ),
        Mistake(
            "measured distances instead of dot products",
            DISTANCE_HINT,
            lambda q, K: np.linalg.norm(np.asarray(K, dtype=float) - q, axis=-1),
        ),
        Mistake(
            "returned a row matrix (1, n_k)",
            "One query, one axis: the result is (n_k,). Index or `ravel` the extra axis away.",
            lambda q, K: np.asarray(q, dtype=float)[None, :] @ np.asarray(K).T,
        ),
        Mistake(
            "returned a column matrix (n_k, 1)",
            "One query, one axis: the result is (n_k,). Index or `ravel` the extra axis away.",
            lambda q, K: np.asarray(K, dtype=float) @ np.asarray(q)[:, None],
        ),
        Mistake(
            "added all scores to one number",
            "Each key gives an answer of its own: n_k numbers, not their sum.",
            lambda q, K: (np.asarray(K, dtype=float) @ q).sum(),
        ),
        Mistake(
            "took the softmax already",
            SOFTMAX_HINT,
            lambda q, K: softmax(np.asarray(K, dtype=float) @ q),
        ),
        Mistake(
            "scaled the scores by √d_k",
            "The scale comes in unit 2. Here the raw dot products are asked.",
            lambda q, K: np.asarray(K, dtype=float) @ q / np.sqrt(len(q)),
        ),
        Mistake(
            "divided the scores by d_k",
            DIVIDED_HINT,
            lambda q, K: np.asarray(K, dtype=float) @ q / len(q),
        ),
        Mistake(
            "divided by the length of the query",
            "No length is divided away here: a long query has large scores, and may.",
            lambda q, K: np.asarray(K, dtype=float) @ (q / np.linalg.norm(q)),
        ),
        Mistake(
            "subtracted the largest score",
            "Nothing is subtracted here; unit 2 will do that, on the way to the weights.",
            lambda q, K: reference.scores_for_query(q, K) - reference.scores_for_query(q, K).max(),
        ),
        last_feature_mistake(lambda q, K: K @ q),
        sums_mistake(lambda q, K: K @ q),
        plus_mistake(lambda q, K: (np.asarray(K, dtype=float) + q).sum(-1)),
        Mistake(
            "took the largest product, not their sum",
            "A dot product adds up over the features: one number for each key, from all its products.",
            lambda q, K: (np.asarray(K, dtype=float) * q).max(-1),
        ),
        Mistake(
            "left out the last key: its score is 0",
            "`range(n)` ends with n − 1, and that is the last key already.",
            _without(-1),
        ),
        Mistake(
            "left out the first key: its score is 0",
            "Python counts from 0: the first key has the number 0.",
            _without(0),
        ),
        Mistake(
            "counted the keys by the width of the query",
            "`len(q)` is d_k. There are as many keys as K has rows: `len(K)`.",
            _by_the_width,
        ),
        Mistake(
            "returned the scores from the last key to the first",
            "Score j belongs to key j: the order of the keys stays.",
            lambda q, K: reference.scores_for_query(q, K)[::-1].copy(),
        ),
        Mistake(
            "divided by the lengths",
            "That is the cosine. Attention uses the plain dot product: longer keys speak louder.",
            lambda q, K: np.asarray(K, dtype=float) @ q / (np.linalg.norm(K, axis=-1) * np.linalg.norm(q)),
        ),
    ),
    hints=(
        "For each key: multiply it with q entry by entry and add up.",
        (
            "All keys at once are one product of K and q: `@` takes rows from its left side, and the keys are the rows"
            " of K."
        ),
    ),
)
