"""`sliding_window_mask`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake, in_parts
from helpers.reference import u9_language_model as reference


def _cases(rng: np.random.Generator) -> list[Case]:
    n, few, many = int(rng.integers(6, 9)), int(rng.integers(2, 4)), int(rng.integers(8, 11))
    return [
        Case("values", (n, n, 3), note=f"{n} tokens, a window of 3"),
        Case("values", (5, 5, 2), note="5 tokens, a window of 2"),
        Case("a window of one", (4, 4, 1), note="4 tokens that see nothing but themselves"),
        Case("axes of length one", (1, 1, 3), note="one token, which sees itself"),
        Case("a wide window", (4, 4, 9), note="4 tokens, a window of 9"),
        Case("a wide window", (4, 4, 4), note="4 tokens, a window of 4"),
        Case("fewer queries than keys", (few, many, 4), note=f"the last {few} of {many} tokens ask, a window of 4"),
        Case("fewer queries than keys", (1, n, 3), note=f"the last of {n} tokens asks, a window of 3"),
        Case(
            "fewer queries than keys",
            (few,),
            {"n_keys": many, "window": many + 2},
            note=f"the last {few} of {many} tokens ask, a window of {many + 2}",
        ),
        Case("any length", (2, 1100, 700), note="the last 2 of 1,100 tokens ask, a window of 700"),
        Case("bad arguments", (4, 4, 0), raises="ValueError", note="a window of 0"),
        Case("bad arguments", (4, 4, -2), raises="ValueError", note="a window of -2"),
        Case("bad arguments", (few + 3, few, 2), raises="ValueError", note=f"{few + 3} queries, {few} keys"),
    ]


def _places(n_queries: int, n_keys: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions of the queries (n_queries, 1) and of the keys (n_keys,)."""
    return torch.arange(n_keys - n_queries, n_keys)[:, None], torch.arange(n_keys)


@in_parts
def _windowed(rule: Callable[..., Any], window_asked: bool = True, keys_asked: bool = True) -> Callable[..., Any]:
    """A mask by another rule `rule(i, j, window)` for positions i of queries and j of keys."""

    def wrong(n_queries: int, n_keys: int, window: int) -> Any:
        if (window_asked and window < 1) or (keys_asked and n_queries > n_keys):
            raise ValueError("a mask needs a window, and keys for its queries")
        return rule(*_places(n_queries, n_keys), window)

    return wrong


def _right(i: Any, j: Any, window: Any) -> Any:
    return (j <= i) & (j > i - window)


def _first_ones(i: Any, j: Any, window: Any) -> Any:
    return _right(i - i.min(), j, window)


EXERCISE = Exercise(
    name="sliding_window_mask",
    reference=reference.sliding_window_mask,
    cases=_cases,
    mistakes=(
        Mistake(
            "sees one token too many: itself and `window` tokens before it",
            "The token itself counts: a window of 3 is the token and the 2 before it.",
            _windowed(lambda i, j, window: (j <= i) & (j >= i - window)),
        ),
        Mistake(
            "sees one token too few",
            "A window of 1 is the token itself. Write the row of token 4 for a window of 2: tokens 3 and 4.",
            _windowed(lambda i, j, window: (j <= i) & ((j > i - window + 1) | (j == i))),
        ),
        Mistake(
            "sees nothing in a window of one",
            "A window of 1 is the token itself; your rows are one token short of that.",
            _windowed(lambda i, j, window: (j <= i) & (j > i - window + 1)),
        ),
        Mistake(
            "is not causal: the window reaches as far ahead as back",
            "|i - j| < window is a window on both sides. A token may not see what comes after it.",
            _windowed(lambda i, j, window: (i - j).abs() < window),
        ),
        Mistake(
            "is not causal: everything ahead may be seen",
            "The far end of the window is right. The near end is missing: j <= i.",
            _windowed(lambda i, j, window: j > i - window),
        ),
        Mistake(
            "looks ahead instead of back",
            "Row i is a query, column j a key: the window holds the keys before i, so j <= i.",
            _windowed(lambda i, j, window: (j >= i) & (j < i + window)),
        ),
        Mistake(
            "hides the token from itself",
            "A token sees itself, and `window - 1` tokens before it.",
            _windowed(lambda i, j, window: (j < i) & (j > i - window)),
        ),
        Mistake(
            "sees the `window` tokens before it, and not itself",
            "Move the window by one: it ends with the token itself.",
            _windowed(lambda i, j, window: (j < i) & (j >= i - window)),
        ),
        Mistake(
            "forgot the window: a causal mask alone",
            "Causal is one half. The other one: no further back than window - 1 tokens.",
            _windowed(lambda i, j, window: j <= i),
        ),
        Mistake(
            "cut the text into blocks instead of sliding a window",
            "The window moves with the token: each one sees as many before it as the next one does.",
            _windowed(lambda i, j, window: (j <= i) & (j // window == i // window)),
        ),
        Mistake(
            "lets everyone see the first tokens, and not the last ones",
            "The window is counted back from the token that asks, not from the beginning of the text.",
            _windowed(lambda i, j, window: (j <= i) & (j < window)),
        ),
        Mistake(
            "inverted: True stands where looking is forbidden",
            "In this course True means “may attend”.",
            _windowed(lambda i, j, window: ~_right(i, j, window)),
        ),
        Mistake(
            "took the queries as the first tokens, not as the last",
            "With fewer queries than keys the last query is the last token: query i stands at i + n_keys - n_queries.",
            _windowed(_first_ones),
        ),
        Mistake(
            "counts the far end of the window from the number of the row, not from the token",
            "With fewer queries than keys, row 0 is no first token: query i stands at i + n_keys - n_queries, for both"
            " ends of the window.",
            _windowed(lambda i, j, window: (j <= i) & (j > i - i.min() - window)),
        ),
        Mistake(
            "made the rows keys and the columns queries",
            "Queries are rows, keys are columns, as in the scores Q Kᵀ.",
            _windowed(lambda i, j, window: _right(i, j, window).T.contiguous()),
        ),
        Mistake(
            "returned 0 and 1 as numbers, not as booleans",
            "`~mask` and `masked_fill` want booleans: compare, and do not multiply.",
            _windowed(lambda i, j, window: _right(i, j, window).float()),
        ),
        Mistake(
            "returned 0 and -∞ to be added, not booleans",
            "The mask only says who may look: True or False. What it does to the scores comes later.",
            _windowed(lambda i, j, window: torch.zeros(len(i), len(j)).masked_fill(~_right(i, j, window), -math.inf)),
        ),
        Mistake(
            "has a fixed largest size",
            "A mask made once for 512 tokens fails at token 513. Make it from the numbers that are given.",
            _windowed(lambda i, j, window: _right(torch.arange(512)[:, None], torch.arange(512), window)[i, j]),
        ),
        Mistake(
            "accepted a window below 1",
            "A token that sees nothing makes no sense: raise a ValueError before anything else.",
            _windowed(_right, window_asked=False),
        ),
        Mistake(
            "accepted more queries than keys",
            "The queries are the last of the keys, so there cannot be more of them: raise a ValueError.",
            _windowed(_right, keys_asked=False),
        ),
        Mistake(
            "checked none of its arguments",
            "A window below 1, and more queries than keys: raise a ValueError for both, before anything else.",
            _windowed(_right, window_asked=False, keys_asked=False),
        ),
    ),
    hints=(
        "Write the mask of 5 tokens with a window of 2 on paper: row 0 has one True, all other rows two.",
        "Two conditions, joined by &: not ahead, `j <= i`, and not too far back. `causal_mask` of unit 6 is the first.",
    ),
)
