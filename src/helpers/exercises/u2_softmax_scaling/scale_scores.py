"""`scale_scores`: its cases, mistakes and hints."""

from __future__ import annotations

import math

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u2_softmax_scaling as reference

from ..common import Answer, Step, normal


def _scale_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("values", (normal(rng, 3, 5) * 4, 16), note="3 queries, 5 keys, d_k = 16"),
        Case("values", (normal(rng, 4, 2) * 3, 7), note="4 queries, 2 keys, d_k = 7"),
        Case("values", (normal(rng, 2, 3) * 20, 512), note="2 queries, 3 keys, d_k = 512"),
        Case("integers", (rng.integers(-9, 10, size=(2, 4)), 10), note="whole numbers in"),
        Case("values", (normal(rng, 3, 5) * 4, 16), note="3 other queries, 5 keys, d_k = 16"),
        Case("axes of length one", (normal(rng, 1, 1, 1), 5), note="one query, one key: a single score, three axes"),
    ]


def _scaled_by(factor: Step) -> Answer:
    return lambda scores, d_k: np.array(scores, dtype=float) * factor(np.shape(scores), d_k)


EXERCISE = Exercise(
    name="scale_scores",
    reference=reference.scale_scores,
    cases=_scale_cases,
    mistakes=(
        Mistake(
            "did not scale",
            "The scores come back as they were. Their spread is √d_k times too large.",
            _scaled_by(lambda shape, d_k: 1),
        ),
        Mistake(
            "divided by d_k, not by √d_k",
            "d_k is the variance of the scores. What is the size of a typical score then?",
            _scaled_by(lambda shape, d_k: 1 / d_k),
        ),
        Mistake(
            "multiplied by √d_k",
            "The scores are too large as they are: they have to shrink.",
            _scaled_by(lambda shape, d_k: math.sqrt(d_k)),
        ),
        Mistake(
            "divided by a constant 8",
            "8 is the root of 64, the width that the paper happens to use. Here d_k is an argument.",
            _scaled_by(lambda shape, d_k: 1 / 8),
        ),
        Mistake(
            "divided by √n_k, the root of the number of keys",
            "A dot product adds d_k products, however many keys there are. The width counts.",
            _scaled_by(lambda shape, d_k: 1 / math.sqrt(shape[-1])),
        ),
        Mistake(
            "divided by √n_q, the root of the number of queries",
            "A dot product adds d_k products, however many queries there are. The width counts.",
            _scaled_by(lambda shape, d_k: 1 / math.sqrt(shape[-2])),
        ),
        Mistake(
            "wrote d_k ** 1/2, which is d_k divided by 2",
            "`**` binds more tightly than `/`. Write `d_k ** 0.5`, or `np.sqrt(d_k)`.",
            _scaled_by(lambda shape, d_k: 2 / d_k),
        ),
        Mistake(
            "wrote scores / d_k ** 1/2, which divides by d_k and then by 2",
            "`**` binds more tightly than `/`. Write `d_k ** 0.5`, or `np.sqrt(d_k)`.",
            _scaled_by(lambda shape, d_k: 1 / d_k / 2),
        ),
        Mistake(
            "took the root of the whole quotient: √(scores / d_k)",
            "Only d_k stands under the root. The scores stay as they are, and negative ones have no root.",
            lambda scores, d_k: np.sqrt(np.array(scores, dtype=float) / d_k),
        ),
        Mistake(
            "rounded √d_k to a whole number",
            "√7 is 2.6458. `int`, `//` and `math.isqrt` cut it off.",
            _scaled_by(lambda shape, d_k: 1 / math.isqrt(d_k)),
        ),
        Mistake(
            "cut the scaled scores off to whole numbers",
            "`//` throws the digits after the point away: use `/`.",
            lambda scores, d_k: np.array(scores, dtype=float) // math.sqrt(d_k),
        ),
        Mistake(
            "divided by the spread that these scores happen to have",
            "That makes a score depend on all the others. The expected spread follows from d_k alone.",
            lambda scores, d_k: np.array(scores, dtype=float) / np.std(scores),
        ),
        Mistake(
            "took the softmax already",
            "Here the scores are scaled and nothing else; the softmax comes after.",
            lambda scores, d_k: reference.softmax(np.array(scores, dtype=float) / math.sqrt(d_k)),
        ),
    ),
    hints=(
        "The variance of q·k is d_k. Dividing numbers by c divides their variance by c².",
        "Which c makes d_k / c² equal to 1? It is the same number for every score, and d_k alone decides it.",
    ),
)
