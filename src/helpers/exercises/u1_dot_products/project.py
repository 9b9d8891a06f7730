"""`project`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake, in_parts
from helpers.reference import u1_dot_products as reference

from ..common import Answer, Step, bad_arguments, normal


def _project_cases(rng: np.random.Generator) -> list[Case]:
    def weights(d: int, *outs: int) -> tuple[np.ndarray, ...]:
        return tuple(normal(rng, d, out) for out in outs)

    def whole(d: int, out: int) -> tuple[np.ndarray, ...]:
        return tuple(rng.integers(-3, 4, size=(d, out)) for _ in range(3))

    return [
        Case("values", (normal(rng, 4, 3), *weights(3, 2, 2, 5)), note="4 tokens, d_model = 3, d_k = 2, d_v = 5"),
        Case("values", (normal(rng, 2, 3), *weights(3, 3, 3, 3)), note="square weights"),
        Case("integers", (rng.integers(-3, 4, size=(2, 3)), *weights(3, 2, 2, 2)), note="whole numbers in"),
        Case("batch axes", (normal(rng, 2, 4, 3), *weights(3, 2, 2, 4)), note="2 sentences at once"),
        Case("batch axes", (normal(rng, 2, 3, 5, 4), *weights(4, 3, 3, 2)), note="2 × 3 sentences at once"),
        bad_arguments(normal(rng, 4, 3), *weights(5, 2, 2, 2), note="X has width 3, the weights height 5"),
        Case("values", (normal(rng, 4, 3), *weights(3, 2, 2, 5)), note="other tokens and weights of the first sizes"),
        Case("integers", (normal(rng, 2, 3), *whole(3, 2)), note="whole numbers in the weights alone"),
        Case(
            "axes of length one",
            (normal(rng, 1, 1, 1), *weights(1, 1, 1, 1)),
            note="one sentence of one token, every width 1",
        ),
    ]


@in_parts
def _project_with(product: Step, order: tuple[int, int, int] = (0, 1, 2)) -> Answer:
    """Three projections by another product, or in another order."""

    def wrong(X: Any, W_q: Any, W_k: Any, W_v: Any) -> Any:
        X = np.asarray(X, dtype=float)
        results = [product(X, W) for W in (W_q, W_k, W_v)]
        return tuple(results[i] for i in order)

    return wrong


EXERCISE = Exercise(
    name="project",
    reference=reference.project,
    cases=_project_cases,
    mistakes=(
        Mistake(
            "returned queries, keys and values in another order: K, Q, V",
            "The order is Q, K, V. Whoever calls `project` unpacks them in that order.",
            _project_with(lambda X, W: X @ W, (1, 0, 2)),
        ),
        Mistake(
            "returned queries, keys and values in another order: Q, V, K",
            "The order is Q, K, V. Whoever calls `project` unpacks them in that order.",
            _project_with(lambda X, W: X @ W, (0, 2, 1)),
        ),
        Mistake(
            "returned queries, keys and values in another order: V, K, Q",
            "The order is Q, K, V. Whoever calls `project` unpacks them in that order.",
            _project_with(lambda X, W: X @ W, (2, 1, 0)),
        ),
        Mistake(
            "returned queries, keys and values in another order: K, V, Q",
            "The order is Q, K, V. Whoever calls `project` unpacks them in that order.",
            _project_with(lambda X, W: X @ W, (1, 2, 0)),
        ),
        Mistake(
            "returned queries, keys and values in another order: V, Q, K",
            "The order is Q, K, V. Whoever calls `project` unpacks them in that order.",
            _project_with(lambda X, W: X @ W, (2, 0, 1)),
        ),
        Mistake(
            "transposed the weights: X @ W.T",
            "Each W is (d_model, d_out) here, so X @ W fits as it is. (`nn.Linear` stores its weight the other way"
            " round.)",
            _project_with(lambda X, W: X @ W.T),
        ),
        Mistake(
            "used W_q for all three",
            "Three weights make three different projections: the query's, the key's and the value's.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_q, X @ W_q),
        ),
        Mistake(
            "used W_q for the values as well",
            "The values have a projection of their own, W_v.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_k, X @ W_q),
        ),
        Mistake(
            "used W_k for the values as well",
            "The values have a projection of their own, W_v.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_k, X @ W_k),
        ),
        Mistake(
            "used W_q for the keys as well",
            "The keys have a projection of their own, W_k.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_q, X @ W_v),
        ),
        Mistake(
            "used W_v for the keys as well",
            "The keys have a projection of their own, W_k.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_v, X @ W_v),
        ),
        Mistake(
            "used W_k for the queries as well",
            "The queries have a projection of their own, W_q.",
            lambda X, W_q, W_k, W_v: (X @ W_k, X @ W_k, X @ W_v),
        ),
        Mistake(
            "used W_v for the queries as well",
            "The queries have a projection of their own, W_q.",
            lambda X, W_q, W_k, W_v: (X @ W_v, X @ W_k, X @ W_v),
        ),
        Mistake(
            "divided the queries by √d_k already",
            "The scale comes in unit 2. Here the plain projections are asked.",
            lambda X, W_q, W_k, W_v: (X @ W_q / np.sqrt(W_q.shape[-1]), X @ W_k, X @ W_v),
        ),
        Mistake(
            "turned the three results around with .T",
            "Tokens stay rows: X @ W is (..., n, d_out) already.",
            _project_with(lambda X, W: (X @ W).T),
        ),
        Mistake(
            "cut one product into three equal parts",
            "Q, K and V may differ in width. Three products need no cutting; or cut where each W ends.",
            lambda X, W_q, W_k, W_v: tuple(np.split(X @ np.concatenate([W_q, W_k, W_v], axis=-1), 3, axis=-1)),
        ),
        Mistake(
            "left the values unprojected",
            "The values are projected too, by W_v; X itself is not handed on.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_k, np.array(X, dtype=float) + 0 * (X @ W_q).sum()),
        ),
        Mistake(
            "joined the three results in one array",
            "Q, K and V may differ in width. Return the three arrays: `return Q, K, V`.",
            lambda X, W_q, W_k, W_v: np.concatenate([X @ W_q, X @ W_k, X @ W_v], axis=-1),
        ),
        Mistake(
            "stacked the three results in one array",
            "Q, K and V may differ in width, and then they do not stack. Return the three arrays: `return Q, K, V`.",
            lambda X, W_q, W_k, W_v: np.stack([X @ W_q, X @ W_k, X @ W_v]),
        ),
        Mistake(
            "put the weights on the left: W @ X",
            "Tokens are rows, so X comes first: (n, d_model) times (d_model, d_out). The weights come first when tokens"
            " are columns.",
            _project_with(lambda X, W: W @ X),
        ),
        Mistake(
            "returned the scores already",
            "Only the three projections are asked here. Queries meet keys in the next exercises.",
            lambda X, W_q, W_k, W_v: reference.attention_scores(X @ W_q, X @ W_k),
        ),
        Mistake(
            "projected the keys from the queries",
            "All three start from X: chaining the projections gives something else.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_q @ W_k, X @ W_v),
        ),
    ),
    hints=("Each of the three is one matrix product with X on the left.", "Return them together: `return Q, K, V`."),
)
