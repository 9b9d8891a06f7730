"""`add_positions`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u3_positional_encoding as reference

from ..common import Answer, Step, bad_arguments, normal


def _add_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("values", (normal(rng, 3, 6), normal(rng, 3, 6)), note="3 tokens of width 6, 3 positions"),
        Case("values", (normal(rng, 5, 5), normal(rng, 5, 5)), note="everything square"),
        Case(
            "more positions than tokens",
            (normal(rng, 2, 4), normal(rng, 7, 4)),
            note="2 tokens of width 4, 7 positions",
        ),
        Case(
            "more positions than tokens",
            (normal(rng, 4, 3), normal(rng, 6, 3)),
            note="4 tokens of width 3, 6 positions",
        ),
        Case("more positions than tokens", (normal(rng, 1, 8), normal(rng, 3, 8)), note="a single token"),
        Case("integers", (rng.integers(-4, 5, size=(3, 2)), normal(rng, 4, 2)), note="whole numbers in X"),
        bad_arguments(normal(rng, 4, 6), normal(rng, 3, 6), note="4 tokens, 3 positions"),
        bad_arguments(normal(rng, 4, 6), normal(rng, 1, 6), note="4 tokens, 1 position"),
        bad_arguments(normal(rng, 3, 4), normal(rng, 5, 6), note="tokens of width 4, positions of width 6"),
        bad_arguments(normal(rng, 3, 4), normal(rng, 5, 1), note="tokens of width 4, positions of width 1"),
        Case("values", (normal(rng, 3, 6), normal(rng, 3, 6)), note="3 other tokens of width 6"),
        Case("integers", (normal(rng, 3, 2), rng.integers(-4, 5, size=(4, 2))), note="whole numbers in P alone"),
        Case("axes of length one", (normal(rng, 1, 1), normal(rng, 2, 1)), note="one token of width 1"),
        Case("long tables", (normal(rng, 1100, 2), normal(rng, 1200, 2)), note="1100 tokens, 1200 positions"),
    ]


def _fits(X: Any, P: Any) -> None:
    if X.shape[-1] != P.shape[-1] or len(X) > len(P):
        raise ValueError("X and P do not fit")


def _add(rule: Step) -> Answer:
    def wrong(X: Any, P: Any) -> Any:
        _fits(X, P)
        X = np.asarray(X, dtype=float)
        return rule(X, P, *X.shape)

    return wrong


def _add_cut(X: Any, P: Any) -> Any:
    if X.shape[-1] != P.shape[-1]:
        raise ValueError("X and P differ in width")
    n = min(len(X), len(P))
    return np.sqrt(X.shape[-1]) * X[:n] + P[:n]


def _add_unless(refuse: Step) -> Answer:
    def wrong(X: Any, P: Any) -> Any:
        if refuse(X, P):
            raise ValueError("X and P do not fit")
        return np.sqrt(X.shape[-1]) * X + P[: len(X)]

    return wrong


EXERCISE = Exercise(
    name="add_positions",
    reference=reference.add_positions,
    cases=_add_cases,
    mistakes=(
        Mistake(
            "left out the factor √d_model",
            "First bring the tokens to the size of the positions: times √d_model.",
            _add(lambda X, P, n, d: X + P[:n]),
        ),
        Mistake(
            "divided by √d_model",
            "The tokens are small and have to grow: multiply by √d_model.",
            _add(lambda X, P, n, d: X / np.sqrt(d) + P[:n]),
        ),
        Mistake(
            "multiplied by d_model, without the root",
            "The factor is the root of d_model.",
            _add(lambda X, P, n, d: d * X + P[:n]),
        ),
        Mistake(
            "took √n, the length of the sentence, for √d_model",
            "d_model is the width, the last axis: `X.shape[-1]`.",
            _add(lambda X, P, n, d: np.sqrt(n) * X + P[:n]),
        ),
        Mistake(
            "took √n_max, the length of P, for √d_model",
            "d_model is the width, the last axis: `X.shape[-1]`.",
            _add(lambda X, P, n, d: np.sqrt(len(P)) * X + P[:n]),
        ),
        Mistake(
            "scaled the positions too",
            "Only the tokens are multiplied; sines and cosines have the right size already.",
            _add(lambda X, P, n, d: np.sqrt(d) * (X + P[:n])),
        ),
        Mistake(
            "scaled the positions instead of the tokens",
            "It is X that is multiplied by √d_model.",
            _add(lambda X, P, n, d: X + np.sqrt(d) * P[:n]),
        ),
        Mistake(
            "concatenated, not added",
            "The width stays: the position vector is as wide as the token and is added to it.",
            _add(lambda X, P, n, d: np.concatenate([np.sqrt(d) * X, P[:n]], axis=-1)),
        ),
        Mistake(
            "multiplied tokens and positions",
            "They are added, entry by entry.",
            _add(lambda X, P, n, d: np.sqrt(d) * X * P[:n]),
        ),
        Mistake(
            "took the last positions, not the first",
            "The first token stands at position 0: `P[:n]`.",
            _add(lambda X, P, n, d: np.sqrt(d) * X + P[len(P) - n :]),
        ),
        Mistake(
            "gave every token position 0", "Row i of X gets row i of P.", _add(lambda X, P, n, d: np.sqrt(d) * X + P[0])
        ),
        Mistake(
            "gave every token the position of the last one",
            "Row i of X gets row i of P: `P[:n]` are n rows, `P[n-1]` is one.",
            _add(lambda X, P, n, d: np.sqrt(d) * X + P[n - 1]),
        ),
        Mistake(
            "counted the positions from 1",
            "The first token stands at position 0: `P[:n]`, not `P[1:n+1]`.",
            _add(lambda X, P, n, d: np.sqrt(d) * X + P[1 : n + 1]),
        ),
        Mistake(
            "added all of P",
            "P is for the longest sentence there may be. A sentence of n tokens takes its first n rows.",
            _add(lambda X, P, n, d: np.sqrt(d) * X + P),
        ),
        Mistake(
            "returned the positions alone",
            "Both are wanted: the scaled tokens plus the positions.",
            _add(lambda X, P, n, d: P[:n].copy()),
        ),
        Mistake(
            "let a P that does not fit pass",
            "One row or one column of P spreads over all of X without an error (broadcasting). Compare the shapes"
            " first, and raise a `ValueError`.",
            lambda X, P: np.sqrt(X.shape[-1]) * X + P[: len(X)],
        ),
        Mistake(
            "let a P with a single row pass",
            "One row spreads over all of X without an error (broadcasting). Compare the lengths too, and raise a"
            " `ValueError`.",
            _add_unless(lambda X, P: X.shape[-1] != P.shape[-1]),
        ),
        Mistake(
            "let a P with a single column pass",
            "One column spreads over all of X without an error (broadcasting). Compare the widths too, and raise a"
            " `ValueError`.",
            _add_unless(lambda X, P: len(X) > len(P)),
        ),
        Mistake(
            "cut the sentence instead of raising an error",
            "Words must not get lost silently: a sentence longer than P is a `ValueError`.",
            _add_cut,
        ),
    ),
    hints=(
        "Three steps: compare the shapes, multiply X by √d_model, add the first n rows of P.",
        "n and d_model are the two numbers of `X.shape`.",
    ),
)
