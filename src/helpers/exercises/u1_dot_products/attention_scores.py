"""`attention_scores`: its cases, mistakes and hints."""

from __future__ import annotations

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u1_dot_products as reference

from ..attention import softmax, transposed
from ..common import bad_arguments, normal
from .common import (
    DISTANCE_HINT,
    DIVIDED_HINT,
    RESHAPE_HINT,
    SOFTMAX_HINT,
    both,
    dot_mistake,
    last_feature_mistake,
    lengths,
    plus_mistake,
    reshaped,
    sums_mistake,
    two_axes_mistake,
    two_named_mistake,
)


def _scores_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("values", (normal(rng, 2, 3), normal(rng, 4, 3)), note="2 queries, 4 keys, d_k = 3"),
        Case("values", (normal(rng, 5, 3), normal(rng, 2, 3)), note="5 queries, 2 keys"),
        Case("values", (normal(rng, 3, 3), normal(rng, 3, 3)), note="3 queries, 3 keys, d_k = 3: everything square"),
        Case("integers", (rng.integers(-4, 5, size=(2, 3)), rng.integers(-4, 5, size=(4, 3))), note="whole numbers in"),
        Case("batch axes", (normal(rng, 2, 3, 5), normal(rng, 2, 4, 5)), note="2 sentences at once"),
        Case("batch axes", (normal(rng, 2, 3, 2, 5), normal(rng, 2, 3, 4, 5)), note="2 × 3 sentences at once"),
        bad_arguments(normal(rng, 2, 3), normal(rng, 4, 5), note="queries of width 3, keys of width 5"),
        Case("integers", (rng.integers(-4, 5, size=(2, 3)), normal(rng, 4, 3)), note="whole numbers in Q alone"),
        Case("integers", (normal(rng, 2, 3), rng.integers(-4, 5, size=(4, 3))), note="whole numbers in K alone"),
        Case(
            "axes of length one",
            (normal(rng, 1, 1, 1), normal(rng, 1, 1, 1)),
            note="one sentence: one query, one key, width 1",
        ),
    ]


EXERCISE = Exercise(
    name="attention_scores",
    reference=reference.attention_scores,
    cases=_scores_cases,
    mistakes=(
        Mistake(
            "forgot the transpose: Q @ K",
            "`Q @ K` meets the columns of K, and a square K lets it through unnoticed. The keys are rows: put K on its"
            " side.",
            both(lambda Q, K: Q @ K),
        ),
        Mistake(
            "reshaped instead of transposed",
            RESHAPE_HINT,
            both(lambda Q, K: Q @ reshaped(K)),
        ),
        Mistake(
            "keys ask and queries answer: K @ Qᵀ",
            "Rows belong to the queries, columns to the keys: Q on the left, K on its side on the right.",
            both(lambda Q, K: K @ transposed(Q)),
        ),
        Mistake(
            "keys ask and queries answer, and all axes of Q are turned around with .T",
            "Rows belong to the queries, columns to the keys: Q on the left, K on its side on the right. And `.T`"
            " reverses the batch axes too.",
            both(lambda Q, K: K @ Q.T),
        ),
        Mistake(
            "keys ask and queries answer, by np.dot with .T",
            "Rows belong to the queries, columns to the keys: Q on the left, K on its side on the right. And `np.dot`"
            " does not keep batch axes in front: use `@`.",
            both(lambda Q, K: np.dot(K, Q.T)),
        ),
        Mistake(
            "keys ask and queries answer, in a loop over the first axis of K",
            "Rows belong to the queries, columns to the keys. And with a batch, `for k in K` gives whole sentences: `@`"
            " with the last two axes of K swapped needs no loop at all.",
            both(lambda Q, K: np.array([Q @ k for k in K])),
        ),
        Mistake(
            "used the rule for tokens as columns: Kᵀ Q",
            "With tokens as rows, Kᵀ Q adds over the tokens. The axis that must vanish is that of the features, the"
            " last one of both.",
            both(lambda Q, K: np.swapaxes(K, -1, -2) @ Q),
        ),
        Mistake(
            "used the rule for tokens as columns: K.T @ Q",
            "With tokens as rows, `K.T @ Q` adds over the tokens. The axis that must vanish is that of the features,"
            " the last one of both.",
            both(lambda Q, K: K.T @ Q),
        ),
        Mistake(
            "turned all axes around with .T",
            "`.T` reverses every axis, the batch axes too. Only the last two have to change places: `np.swapaxes(K, -1,"
            " -2)`.",
            both(lambda Q, K: Q @ K.T),
        ),
        Mistake(
            "scaled the scores by √d_k",
            "The scale comes in unit 2. Here the raw dot products are asked.",
            both(lambda Q, K: Q @ transposed(K) / np.sqrt(Q.shape[-1])),
        ),
        Mistake(
            "divided the scores by d_k",
            DIVIDED_HINT,
            both(lambda Q, K: Q @ transposed(K) / Q.shape[-1]),
        ),
        Mistake(
            "took the softmax already",
            SOFTMAX_HINT,
            both(lambda Q, K: softmax(Q @ transposed(K))),
        ),
        Mistake(
            "divided each row by its sum",
            SOFTMAX_HINT,
            both(lambda Q, K: Q @ transposed(K) / (Q @ transposed(K)).sum(-1, keepdims=True)),
        ),
        Mistake(
            "set the scores of later keys to 0",
            "Every query meets every key. What hides later keys comes in unit 6.",
            both(lambda Q, K: np.tril(Q @ transposed(K))),
        ),
        Mistake(
            "hid the later keys with -inf",
            "Every query meets every key. What hides later keys comes in unit 6.",
            both(lambda Q, K: np.where(np.tri(Q.shape[-2], K.shape[-2], dtype=bool), Q @ transposed(K), -np.inf)),
        ),
        Mistake(
            "set the scores on the diagonal to 0",
            "A token may ask itself like any other; and query i and key i need not even be of the same token.",
            both(lambda Q, K: (Q @ transposed(K)) * (1 - np.eye(Q.shape[-2], K.shape[-2]))),
        ),
        Mistake(
            "measured distances instead of dot products",
            DISTANCE_HINT,
            both(lambda Q, K: np.linalg.norm(Q[..., :, None, :] - K[..., None, :, :], axis=-1)),
        ),
        Mistake(
            "measured squared distances instead of dot products",
            DISTANCE_HINT,
            both(lambda Q, K: ((Q[..., :, None, :] - K[..., None, :, :]) ** 2).sum(-1)),
        ),
        last_feature_mistake(lambda Q, K: Q @ transposed(K)),
        sums_mistake(lambda Q, K: Q @ transposed(K)),
        plus_mistake(both(lambda Q, K: (Q[..., :, None, :] + K[..., None, :, :]).sum(-1))),
        Mistake(
            "compared the queries with themselves",
            "The second factor is K: each query meets every key.",
            both(lambda Q, K: Q @ transposed(Q)),
        ),
        Mistake(
            "mixed the sentences of the batch",
            "Each sentence keeps to itself: the batch axes stay in front and `@` works on the last two.",
            both(lambda Q, K: np.tensordot(Q, K, axes=(-1, -1))),
        ),
        Mistake(
            "joined all sentences of the batch into one",
            "Leading axes stay as they are: three axes in, three axes out.",
            both(lambda Q, K: Q.reshape(-1, Q.shape[-1]) @ K.reshape(-1, K.shape[-1]).T),
        ),
        two_axes_mistake(reference.attention_scores),
        two_named_mistake(lambda Q, K: Q @ K.transpose(-1, -2)),
        Mistake(
            "swapped the axes by number: transpose(0, 2, 1)",
            "That fits an array of three axes and no other. `np.swapaxes(K, -1, -2)` swaps the last two of any array.",
            lambda Q, K: Q @ K.transpose(0, 2, 1),
        ),
        dot_mistake(lambda Q, K: np.dot(Q, K.T)),
        Mistake(
            "looped over the first axis, which with a batch is not the queries",
            "With a batch, `for q in Q` gives whole sentences. `@` with the last two axes of K swapped needs no loop at"
            " all.",
            lambda Q, K: np.array([K @ q for q in Q]),
        ),
        Mistake(
            "divided by the lengths",
            "That is the cosine. Attention uses the plain dot product: longer keys speak louder.",
            both(lambda Q, K: Q @ transposed(K) / (lengths(Q) * transposed(lengths(K)))),
        ),
    ),
    hints=(
        "Row i of the result is `scores_for_query(Q[i], K)`.",
        "All rows at once: Q times K on its side; with batch axes, only the last two axes of K change places.",
    ),
)
