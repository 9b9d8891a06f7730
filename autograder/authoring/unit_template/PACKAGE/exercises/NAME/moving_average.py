"""`moving_average`: its cases, mistakes and hints."""

from __future__ import annotations

import numpy as np
from helpers.exercise import Case, Exercise, Mistake

from PACKAGE.reference import NAME as reference


def _cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("values", (rng.normal(size=7), 3), note="7 values, 3 at a time"),
        Case("values", (rng.normal(size=6), 2), note="6 values, 2 at a time"),
        Case("width of one", (rng.normal(size=4), 1), note="4 values, 1 at a time"),
        Case("all values", (rng.normal(size=5), 5), note="5 values, 5 at a time"),
        Case("bad arguments", (rng.normal(size=3), 4), raises="ValueError", note="3 values, 4 at a time"),
    ]


def _windows(values: np.ndarray, width: int) -> np.ndarray:
    if not 1 <= width <= len(values):
        raise ValueError
    return np.lib.stride_tricks.sliding_window_view(values, width)  # (n - width + 1, width)


EXERCISE = Exercise(
    name="moving_average",
    reference=reference.moving_average,
    cases=_cases,
    mistakes=(
        Mistake(
            "took the sum, not the mean",
            "A mean of three equal values is that value: what does yours give?",
            lambda values, width: _windows(values, width).sum(axis=1),
        ),
        Mistake(
            "left out the last window",
            "How many windows of 3 values are there in 4 values? Count them on paper.",
            lambda values, width: _windows(values, width)[:-1].mean(axis=1),
        ),
        Mistake(
            "divided by the number of all values",
            "Each mean is of one window only: how many values are in it?",
            lambda values, width: _windows(values, width).sum(axis=1) / len(values),
        ),
    ),
    hints=(
        "Each result is the mean of one window; a window begins at each value that has enough others after it.",
        "Of n values there are n − width + 1 windows.",
    ),
)
