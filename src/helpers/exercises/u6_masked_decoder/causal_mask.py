"""`causal_mask`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u6_masked_decoder as reference

from ..common import Answer, Step, bad_arguments


def _causal_cases(rng: np.random.Generator) -> list[Case]:
    n, few, many = int(rng.integers(4, 8)), int(rng.integers(2, 5)), int(rng.integers(7, 10))
    return [
        Case("values", (n,), note=f"{n} words"),
        Case("values", (1,), note="one word"),
        Case("values", (3, 3), note="3 queries, 3 keys"),
        Case("fewer queries than keys", (few, many), note=f"the last {few} of {many} words ask"),
        Case("fewer queries than keys", (1, n), note=f"the last of {n} words asks"),
        Case("fewer queries than keys", (few,), {"n_keys": few + 1}, note=f"the last {few} of {few + 1} words ask"),
        Case("any length", (2, 1100), note="the last 2 of 1100 words ask"),
        bad_arguments(few + 2, few, note=f"{few + 2} queries, {few} keys"),
        bad_arguments(3, 0, note="3 queries, no key at all"),
    ]


def _causal(make: Step) -> Answer:
    """A wrong mask that has only its own mistake: the arguments are looked at as they should be."""

    def wrong(n_queries: Any, n_keys: Any = None) -> Any:
        right = reference.causal_mask(n_queries, n_keys)
        return make(right, *right.shape)

    return wrong


def _tri(n_queries: int, n_keys: int, offset: int) -> torch.Tensor:
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(offset)


EXERCISE = Exercise(
    name="causal_mask",
    reference=reference.causal_mask,
    cases=_causal_cases,
    mistakes=(
        Mistake(
            "lets each word see itself and what comes after it: upper and lower triangle swapped",
            "Row i is a query, column j a key: word i may see column j when j comes before it. Which triangle is that?",
            _causal(lambda m, q, k: torch.ones(q, k, dtype=torch.bool).triu(k - q)),
        ),
        Mistake(
            "lets each word see itself and what comes after it, with the queries as the first words",
            "Row i is a query, column j a key: word i may see column j when j comes before it. And with fewer queries"
            " than keys the last query is the last word.",
            _causal(lambda m, q, k: torch.ones(q, k, dtype=torch.bool).triu(0)),
        ),
        Mistake(
            "inverted, with the queries as the first words",
            "True means “may attend”. And with fewer queries than keys the last query stands at the last key: move the"
            " diagonal by n_keys - n_queries.",
            _causal(lambda m, q, k: torch.ones(q, k, dtype=torch.bool).triu(1)),
        ),
        Mistake(
            "inverted: True stands where looking is forbidden",
            "In this course True means “may attend”; `nn.MultiheadAttention` has it the other way round.",
            _causal(lambda m, q, k: ~m),
        ),
        Mistake(
            "hides each word from itself: the diagonal is masked too",
            "A word may look at itself. Otherwise the first word would see nothing at all.",
            _causal(lambda m, q, k: _tri(q, k, k - q - 1)),
        ),
        Mistake(
            "lets each word see one word too many",
            "The word right after it is just the one to be predicted: word i ends its view at word i.",
            _causal(lambda m, q, k: _tri(q, k, k - q + 1)),
        ),
        Mistake(
            "took the queries as the first words, not as the last",
            "With fewer queries than keys the last query stands at the last key, and it sees everything. Move the"
            " diagonal by n_keys - n_queries.",
            _causal(lambda m, q, k: _tri(q, k, 0)),
        ),
        Mistake(
            "moved the diagonal to the wrong side",
            "The right step, the wrong sign: the last query must see every key.",
            _causal(lambda m, q, k: _tri(q, k, q - k)),
        ),
        Mistake(
            "n_keys changes nothing: the mask is always square",
            "There is one row for each query and one column for each key.",
            _causal(lambda m, q, k: _tri(q, q, 0)),
        ),
        Mistake(
            "made the rows keys and the columns queries",
            "Queries are rows, keys are columns, as in the scores Q Kᵀ.",
            _causal(lambda m, q, k: m.T.contiguous()),
        ),
        Mistake(
            "returned 0 and 1 as numbers, not as booleans",
            "`~mask` and `masked_fill` want booleans: `.bool()`, or `dtype=torch.bool` from the start.",
            _causal(lambda m, q, k: m.float()),
        ),
        Mistake(
            "returned 0 and -∞ to be added, not booleans",
            "That is what the mask does to the scores later. The mask itself only says who may look: True or False.",
            _causal(lambda m, q, k: torch.zeros(q, k).masked_fill(~m, -math.inf)),
        ),
        Mistake(
            "has a fixed largest size",
            "A mask made once for 512 words fails at word 513. Make it from the numbers that are given.",
            _causal(lambda m, q, k: _tri(512, 512, 0)[k - q : k, :k]),
        ),
        Mistake(
            "forbids nothing",
            "Every entry is True, so each word sees all of its future.",
            _causal(lambda m, q, k: torch.ones_like(m)),
        ),
        Mistake(
            "takes more queries than keys without complaint",
            "The queries are the last of the keys, so there cannot be more of them: raise a `ValueError`.",
            lambda n_queries, n_keys=None: _tri(n_queries, n_keys or n_queries, (n_keys or n_queries) - n_queries),
        ),
    ),
    hints=(
        "Write the mask for 3 words on paper first: row 0 has one True, row 1 two, row 2 three.",
        "`torch.tril` keeps a triangle and its argument `diagonal` moves it; or compare positions: `j <= i`.",
    ),
)
