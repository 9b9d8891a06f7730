"""`attention_scores_columns`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u1_dot_products as reference

from ..attention import softmax, transposed
from ..common import bad_arguments, normal
from .common import DIVIDED_HINT, RESHAPE_HINT, SOFTMAX_HINT, both, last_feature_mistake, lengths, reshaped


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
    ]


def _rows_as_tokens(Q: Any, K: Any) -> Any:
    S = np.zeros((len(K), len(Q)))
    for i in range(len(Q)):
        for j in range(len(K)):
            S[j, i] = Q[i] @ K[j]
    return S


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
            "used the rule for rows, and turned its result: (Q @ Kᵀ)ᵀ",
            "With tokens as columns, `Q @ K.T` adds over the tokens. The axis that must vanish is d, the first one of"
            " both.",
            both(lambda Q, K: (Q @ K.T).T),
        ),
        Mistake(
            "took the rows for tokens: Q[i] meets K[j]",
            "The tokens are columns here: `Q[:, i]` is query i, and `Q[i]` is feature i of all queries.",
            both(_rows_as_tokens),
        ),
        Mistake(
            "put Q first and turned both: Qᵀ @ Kᵀ",
            "(n_q, d) meets (n_k, d), and the two d do not face each other. Which of the two must stay as it is, and"
            " which comes first?",
            both(lambda Q, K: Q.T @ K.T),
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
            "divided the scores by d",
            DIVIDED_HINT,
            both(lambda Q, K: K.T @ Q / Q.shape[0]),
        ),
        last_feature_mistake(lambda Q, K: K.T @ Q, axis=0),
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
            "compared the queries with themselves",
            "One factor is K, the other is Q.",
            both(lambda Q, K: Q.T @ Q),
        ),
        Mistake(
            "divided by the lengths",
            "That is the cosine. Attention uses the plain dot product: longer keys speak louder.",
            both(lambda Q, K: K.T @ Q / (lengths(K, axis=0).T * lengths(Q, axis=0))),
        ),
        Mistake(
            "took the softmax already",
            SOFTMAX_HINT,
            both(lambda Q, K: softmax(transposed(K.T @ Q)).T),
        ),
    ),
    hints=(
        "Write the shapes under each other: (n_k, d) times (d, n_q).",
        "The keys have to become rows first: which of the two needs the transpose?",
    ),
)
