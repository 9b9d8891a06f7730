"""`similarity_matrix`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u1_dot_products as reference

from ..attention import softmax, transposed
from ..common import normal
from .common import (
    RESHAPE_HINT,
    SOFTMAX_HINT,
    dot_mistake,
    last_feature_mistake,
    reshaped,
    two_axes_mistake,
    two_named_mistake,
)


def _similarity_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("values", (normal(rng, 4, 3),), note="4 tokens of width 3"),
        Case("values", (normal(rng, 3, 3),), note="3 tokens of width 3: a square X"),
        Case("values", (normal(rng, 1, 5),), note="one token"),
        Case("integers", (rng.integers(-4, 5, size=(3, 2)),), note="whole numbers in"),
        Case("batch axes", (normal(rng, 2, 4, 3),), note="2 sentences at once"),
        Case("batch axes", (normal(rng, 2, 3, 3),), note="2 sentences at once, each of 3 tokens of width 3"),
        Case("batch axes", (normal(rng, 2, 3, 5, 4),), note="2 × 3 sentences at once"),
        Case("values", (normal(rng, 4, 3),), note="4 other tokens of width 3"),
    ]


def _without(X: Any, *places: int) -> Any:
    """The scores with the rows and columns of some tokens left at 0."""
    S = reference.similarity_matrix(X)
    S[..., places, :] = 0
    S[..., places] = 0
    return S


EXERCISE = Exercise(
    name="similarity_matrix",
    reference=reference.similarity_matrix,
    cases=_similarity_cases,
    mistakes=(
        Mistake(
            "multiplied features with features: XᵀX",
            "XᵀX is (d, d): it compares columns. Tokens are rows here, so X comes first and its transpose second.",
            lambda X: transposed(np.asarray(X, dtype=float)) @ np.asarray(X, dtype=float),
        ),
        Mistake(
            "multiplied features with features: X.T @ X",
            "With X on its side in front, columns meet columns. Tokens are rows here, so X comes first; and `.T` would"
            " reverse the batch axes too.",
            lambda X: np.asarray(X, dtype=float).T @ np.asarray(X, dtype=float),
        ),
        Mistake(
            "forgot the transpose: X @ X",
            "A row of X can only meet another row if the second X is turned on its side; a square X hides that.",
            lambda X: np.asarray(X, dtype=float) @ np.asarray(X, dtype=float),
        ),
        Mistake(
            "took the mean off each token first",
            "The product of the tokens as they are is asked: nothing is taken off before.",
            lambda X: reference.similarity_matrix(X - np.mean(X, axis=-1, keepdims=True)),
        ),
        Mistake(
            "reshaped instead of transposed",
            RESHAPE_HINT,
            lambda X: np.asarray(X, dtype=float) @ reshaped(X),
        ),
        Mistake(
            "multiplied entry by entry instead of taking dot products",
            "`X * X` keeps the shape of X. A dot product multiplies two rows and then adds up: use `@`.",
            lambda X: np.asarray(X, dtype=float) * np.asarray(X, dtype=float),
        ),
        Mistake(
            "turned all axes around with .T",
            "`.T` reverses every axis, the batch axes too. Only the last two have to change places: `np.swapaxes(X, -1,"
            " -2)`.",
            lambda X: np.asarray(X, dtype=float) @ np.asarray(X, dtype=float).T,
        ),
        Mistake(
            "divided by the lengths",
            "That is the cosine, the next exercise. Here long vectors may score high just because they are long.",
            reference.cosine_similarity,
        ),
        Mistake(
            "compared each token with itself only",
            "You have one number per token, the diagonal. Every token meets every token: n × n numbers.",
            lambda X: np.sum(np.asarray(X, dtype=float) ** 2, axis=-1),
        ),
        Mistake(
            "measured distances instead of dot products",
            "A distance is small for similar tokens; the inner product is large for them.",
            lambda X: np.linalg.norm(
                np.asarray(X, dtype=float)[..., :, None, :] - np.asarray(X, dtype=float)[..., None, :, :], axis=-1
            ),
        ),
        Mistake(
            "measured squared distances instead of dot products",
            "A distance is small for similar tokens; the inner product is large for them.",
            lambda X: (
                (np.asarray(X, dtype=float)[..., :, None, :] - np.asarray(X, dtype=float)[..., None, :, :]) ** 2
            ).sum(-1),
        ),
        Mistake(
            "left out each token's product with itself: the diagonal is 0",
            "Every token meets every token, itself included: i and j may be equal.",
            lambda X: reference.similarity_matrix(X) * (1 - np.eye(np.shape(X)[-2])),
        ),
        Mistake(
            "left out the last token: its row and its column are 0",
            "`range(n)` ends with n − 1, and that is the last token already.",
            lambda X: _without(X, -1),
        ),
        Mistake(
            "left out the first token: its row and its column are 0",
            "Python counts from 0: the first token has the number 0.",
            lambda X: _without(X, 0),
        ),
        last_feature_mistake(reference.similarity_matrix),
        Mistake(
            "took the softmax already",
            SOFTMAX_HINT,
            lambda X: softmax(reference.similarity_matrix(X)),
        ),
        Mistake(
            "scaled the result by √d",
            "Right idea, wrong unit: the scale comes in unit 2. Here the plain dot products are asked.",
            lambda X: reference.similarity_matrix(X) / np.sqrt(np.shape(X)[-1]),
        ),
        Mistake(
            "mixed the sentences of the batch",
            "Each sentence is compared with itself only: the batch axes stay in front and `@` works on the last two.",
            lambda X: np.tensordot(np.asarray(X, dtype=float), np.asarray(X, dtype=float), axes=(-1, -1)),
        ),
        two_axes_mistake(reference.similarity_matrix),
        two_named_mistake(lambda X: X @ X.transpose(-1, -2)),
        dot_mistake(lambda X: np.dot(X, X.T)),
        Mistake(
            "looped over the first axis, which with a batch is not the tokens",
            "The tokens are on the last axis but one. `@` with the last two axes of X swapped needs no loop at all.",
            lambda X: np.array([[x @ y for y in X] for x in X]),
        ),
    ),
    hints=(
        "Entry (i, j) is the dot product of row i with row j: multiply the two rows entry by entry and add up.",
        "All of these at once are one matrix product of X with X on its side.",
    ),
)
