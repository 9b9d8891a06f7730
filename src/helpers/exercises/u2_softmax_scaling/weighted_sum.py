"""`weighted_sum`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u2_softmax_scaling as reference

from ..attention import share, transposed
from ..common import bad_arguments, normal
from .common import floats, random_weights


def _weighted_sum_cases(rng: np.random.Generator) -> list[Case]:
    empty_row = random_weights(rng, 3, 4)
    empty_row[1] = 0
    return [
        Case("values", (random_weights(rng, 2, 4), normal(rng, 4, 3)), note="2 queries, 4 values of width 3"),
        Case("values", (random_weights(rng, 3, 3), normal(rng, 3, 3)), note="everything square"),
        Case("values", (random_weights(rng, 3, 3), normal(rng, 3, 3)), note="everything square, once more"),
        Case("zero rows", (empty_row, normal(rng, 4, 2)), note="the second of 3 queries has no weight at all"),
        Case("integers", (rng.integers(1, 4, size=(2, 3)), rng.integers(-4, 5, size=(3, 2))), note="whole numbers in"),
        Case("batch axes", (random_weights(rng, 2, 3, 4), normal(rng, 2, 4, 5)), note="2 sentences at once"),
        Case("batch axes", (random_weights(rng, 2, 3, 2, 4), normal(rng, 2, 3, 4, 3)), note="2 × 3 sentences at once"),
        bad_arguments(random_weights(rng, 2, 4), normal(rng, 3, 5), note="4 weights for 3 values"),
        Case(
            "integers", (rng.integers(0, 2, size=(2, 3)), normal(rng, 3, 2)), note="whole numbers in the weights alone"
        ),
        Case(
            "integers", (random_weights(rng, 2, 3), rng.integers(-4, 5, size=(3, 2))), note="whole numbers in V alone"
        ),
        Case(
            "axes of length one",
            (random_weights(rng, 1, 1, 1), normal(rng, 1, 1, 1)),
            note="one query, one value, width 1",
        ),
    ]


def _strongest(weights: Any, V: Any) -> Any:
    return np.take_along_axis(V, np.argmax(weights, axis=-1)[..., None], axis=-2)


EXERCISE = Exercise(
    name="weighted_sum",
    reference=reference.weighted_sum,
    cases=_weighted_sum_cases,
    mistakes=(
        Mistake(
            "transposed the weights",
            "Row i of the weights belongs to query i, and each query mixes the values with its own row.",
            floats(lambda weights, V: transposed(weights) @ V),
        ),
        Mistake(
            "transposed the values",
            "The values are rows already: (n_q, n_k) meets (n_k, d_v) as they stand.",
            floats(lambda weights, V: weights @ transposed(V)),
        ),
        Mistake(
            "put the values first: V @ weights",
            "The axis that vanishes is n_k: the last one of the weights, the first one of V. So the weights come"
            " first.",
            floats(lambda weights, V: V @ weights),
        ),
        Mistake(
            "multiplied entry by entry",
            "`*` adds nothing up. A mixture multiplies each value by its weight and adds the values: `@` does both.",
            floats(lambda weights, V: weights * V),
        ),
        Mistake(
            "stopped after as many values as there are queries",
            "Two loops, two lengths: i runs over the n_q rows of the weights, j over the n_k rows of V.",
            floats(lambda w, V: w[..., : w.shape[-2]] @ V[..., : w.shape[-2], :]),
        ),
        Mistake(
            "divided by the number of values",
            "The weights of a row already sum to 1; dividing by n_k once more makes the mixture too small.",
            floats(lambda weights, V: weights @ V / V.shape[-2]),
        ),
        Mistake(
            "took the mean of the values, whatever the weights",
            "Every query would get the same vector. Its row of weights says how much of each value it takes.",
            floats(lambda weights, V: np.repeat(V.mean(axis=-2, keepdims=True), weights.shape[-2], axis=-2)),
        ),
        Mistake(
            "took only the value with the largest weight",
            "Attention is a soft choice: the others come in too, each by its weight.",
            floats(_strongest),
        ),
        Mistake(
            "took only the value with the largest weight, from the first axis of V",
            "Attention is a soft choice: the others come in too, each by its weight.",
            floats(lambda weights, V: V[np.argmax(weights, axis=-1)]),
        ),
        Mistake(
            "took the softmax of the weights",
            "They are weights already. A second softmax flattens them.",
            floats(lambda weights, V: reference.softmax(weights) @ V),
        ),
        Mistake(
            "divided the weights by their sum again",
            "The softmax has seen to the sum. A row without any weight would become 0/0 here; it should give zeros.",
            floats(lambda weights, V: share(weights) @ V),
        ),
        Mistake(
            "mixed the sentences of the batch",
            "Each sentence keeps to its own values: the batch axes stay in front and `@` works on the last two.",
            floats(lambda weights, V: np.tensordot(weights, V, axes=(-1, -2))),
        ),
    ),
    hints=(
        "For one query: multiply each value by its weight, then add the values up.",
        "All queries at once are one matrix product.",
    ),
)
