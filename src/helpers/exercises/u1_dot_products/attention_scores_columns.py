"""`attention_scores_columns`: its cases, mistakes and hints."""

from __future__ import annotations

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u1_dot_products as reference

from ..attention import softmax, transposed
from ..common import bad_arguments, normal
from .common import RESHAPE_HINT, both, lengths, reshaped


def _columns_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("values", (normal(rng, 3, 2), normal(rng, 3, 4)), note="d = 3, 2 queries, 4 keys, all as columns"),
        Case("values", (normal(rng, 2, 5), normal(rng, 2, 3)), note="d = 2, 5 queries, 3 keys"),
        Case("values", (normal(rng, 3, 3), normal(rng, 3, 3)), note="everything square"),
        Case("integers", (rng.integers(-4, 5, size=(3, 2)), rng.integers(-4, 5, size=(3, 4))), note="whole numbers in"),
        bad_arguments(normal(rng, 3, 2), normal(rng, 4, 2), note="columns of height 3 and 4"),
        Case("integers", (rng.integers(-4, 5, size=(3, 2)), normal(rng, 3, 4)), note="whole numbers in Q alone"),
        Case("integers", (normal(rng, 3, 2), rng.integers(-4, 5, size=(3, 4))), note="whole numbers in K alone"),
        Case("axes of length one", (normal(rng, 1, 1), normal(rng, 1, 1)), note="one query, one key, height 1"),
        Case(
            "bad arguments",
            (normal(rng, 1, 2), normal(rng, 4, 3)),
            raises="ValueError",
            note="columns of height 1 and 4",
        ),
    ]


EXERCISE = Exercise(
    name="attention_scores_columns",
    reference=reference.attention_scores_columns,
    cases=_columns_cases,
    mistakes=(
        Mistake(
            "used the rule for rows: Q @ Kᵀ",
            "With tokens as columns, `Q @ K.T` adds over the tokens. The axis that must vanish is d, the first one of"
            " both.",
            both(lambda Q, K: Q @ K.T),
        ),
        Mistake(
            "used the rule for rows the other way round: K @ Qᵀ",
            "With tokens as columns, `K @ Q.T` adds over the tokens. The axis that must vanish is d, the first one of"
            " both.",
            both(lambda Q, K: K @ Q.T),
        ),
        Mistake(
            "returned (n_q, n_k): Qᵀ K",
            "As columns, the keys come first: row j is key j and column i is query i, so K is the one to transpose.",
            both(lambda Q, K: Q.T @ K),
        ),
        Mistake(
            "forgot the transpose: K @ Q",
            "(d, n_k) does not fit (d, n_q) unless K is turned on its side.",
            both(lambda Q, K: K @ Q),
        ),
        Mistake(
            "forgot the transpose: Q @ K",
            "(d, n_q) does not fit (d, n_k) unless K is turned on its side, and then comes first.",
            both(lambda Q, K: Q @ K),
        ),
        Mistake(
            "scaled the scores by √d",
            "The scale comes in unit 2. Here the raw dot products are asked.",
            both(lambda Q, K: K.T @ Q / np.sqrt(Q.shape[0])),
        ),
        Mistake(
            "reshaped instead of transposed",
            RESHAPE_HINT,
            both(lambda Q, K: reshaped(K) @ Q),
        ),
        Mistake(
            "compared the keys with themselves",
            "One factor is K, the other is Q.",
            both(lambda Q, K: K.T @ K),
        ),
        Mistake(
            "divided by the lengths",
            "That is the cosine. Attention uses the plain dot product: longer keys speak louder.",
            both(lambda Q, K: K.T @ Q / (lengths(K, axis=0).T * lengths(Q, axis=0))),
        ),
        Mistake(
            "took the softmax already",
            "Turning scores into weights is unit 2. Here the raw dot products are asked.",
            both(lambda Q, K: softmax(transposed(K.T @ Q)).T),
        ),
    ),
    hints=(
        "Write the shapes under each other: (n_k, d) times (d, n_q).",
        "The keys have to become rows first: which of the two needs the transpose?",
    ),
)
