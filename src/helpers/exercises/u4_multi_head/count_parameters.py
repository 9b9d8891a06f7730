"""`count_parameters`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u4_multi_head as reference

_WHOLE = "a whole number"


def _count_cases(rng: np.random.Generator) -> list[Case]:
    def draw(bias: bool) -> Case:
        n_heads, width = int(rng.integers(2, 7)), int(rng.integers(3, 12))
        while width == n_heads:
            width = int(rng.integers(3, 12))
        return Case(
            "values",
            (n_heads * width, n_heads, bias),
            note=f"d_model = {n_heads * width}, {n_heads} heads, {'with' if bias else 'without'} biases",
        )

    return [
        Case("values", (6, 2, False), note="d_model = 6, 2 heads, without biases"),
        Case("values", (6, 2, True), note="d_model = 6, 2 heads, with biases"),
        draw(True),
        draw(False),
        Case("one head", (12, 1, True), note="d_model = 12, one head, with biases"),
        Case("the paper's layer", (512, 8, True), note="d_model = 512, 8 heads, with biases"),
        Case("the paper's layer", (512, 8, False), note="d_model = 512, 8 heads, without biases"),
        Case("values", (12, 3, True), note="d_model = 12, 3 heads, with biases"),
        Case(_WHOLE, (12, 3, True), note="d_model = 12, 3 heads, with biases: an int, not a float"),
    ]


def _is_whole(case: Case, value: Any, expected: Any) -> str | None:
    if isinstance(value, (int, np.ndarray)) and not isinstance(value, bool) and np.asarray(value).dtype.kind in "iu":
        return None  # Whether it is the right one, the other cases show.
    return f"a number of parameters is an int, and this is a {type(value).__name__}: `//` divides and stays whole"


EXERCISE = Exercise(
    name="count_parameters",
    reference=reference.count_parameters,
    cases=_count_cases,
    compare={_WHOLE: _is_whole},
    mistakes=(
        Mistake(
            "forgot W_o",
            "Four linear layers: W_q, W_k, W_v, and W_o after the merge.",
            lambda d, h, bias: 3 * d * d + (3 * d if bias else 0),
        ),
        Mistake(
            "counted a full-width layer for every head",
            "A head is d_model / h wide: its projections are d_model × d_model/h, and h of them make one d_model ×"
            " d_model.",
            lambda d, h, bias: h * (4 * d * d + (4 * d if bias else 0)),
        ),
        Mistake(
            "counted full-width W_q, W_k, W_v for every head, and one W_o",
            "A head is d_model / h wide: its projections are d_model × d_model/h, and h of them make one d_model ×"
            " d_model.",
            lambda d, h, bias: (3 * h + 1) * (d * d + (d if bias else 0)),
        ),
        Mistake(
            "counted one head only",
            "That is one head's share. The whole layer has h of them.",
            lambda d, h, bias: 4 * d * (d // h) + (4 * (d // h) if bias else 0),
        ),
        Mistake(
            "counted W_q, W_k and W_v of one head only",
            "Every head has its own slices of W_q, W_k and W_v: h times as many.",
            lambda d, h, bias: 3 * d * (d // h) + d * d + (3 * (d // h) + d if bias else 0),
        ),
        Mistake(
            "gave a head matrices from d_k to d_k",
            "A head reads the whole token: its slice of W_q goes from d_model to d_k.",
            lambda d, h, bias: 4 * h * (d // h) ** 2 + (4 * d if bias else 0),
        ),
        Mistake(
            "gave a head projections from d_k to d_k, and W_o its full size",
            "A head reads the whole token: its slice of W_q goes from d_model to d_k.",
            lambda d, h, bias: 3 * h * (d // h) ** 2 + d * d + (4 * d if bias else 0),
        ),
        Mistake(
            "counted one row of every matrix",
            "A matrix has rows and columns: one from d_model to d_model has d_model · d_model numbers.",
            lambda d, h, bias: 4 * d + (4 * d if bias else 0),
        ),
        Mistake(
            "counted the biases even without biases",
            "With bias=False the layers have matrices only.",
            lambda d, h, bias: 4 * d * d + 4 * d,
        ),
        Mistake(
            "forgot the biases",
            "With bias=True each of the four layers has d_model more.",
            lambda d, h, bias: 4 * d * d,
        ),
        Mistake(
            "counted the bias of one layer only",
            "bias holds for all four layers.",
            lambda d, h, bias: 4 * d * d + (d if bias else 0),
        ),
        Mistake(
            "left the bias of W_o out",
            "bias holds for all four layers, W_o included.",
            lambda d, h, bias: 4 * d * d + (3 * d if bias else 0),
        ),
        Mistake(
            "counted one number as the bias of a layer",
            "A bias has one number for each output: d_model.",
            lambda d, h, bias: 4 * d * d + (4 if bias else 0),
        ),
        Mistake(
            "counted the biases of one head only",
            "A head has d_k biases in each layer, and there are h heads.",
            lambda d, h, bias: 4 * d * d + (4 * (d // h) if bias else 0),
        ),
        Mistake(
            "gave every head a full-width bias",
            "A head has d_model / h outputs, and as many biases: all heads together have d_model.",
            lambda d, h, bias: 4 * d * d + (4 * h * d if bias else 0),
        ),
        Mistake(
            "exchanged the two cases of bias",
            "The biases are there when bias is True.",
            lambda d, h, bias: 4 * d * d + (0 if bias else 4 * d),
        ),
        Mistake(
            "made W_o as narrow as a head",
            "W_o takes all heads side by side, d_model columns in and d_model out.",
            lambda d, h, bias: 3 * d * d + d * (d // h) + (4 * d if bias else 0),
        ),
    ),
    hints=(
        "Count one projection first: h heads, each from d_model to d_model / h.",
        "Four such layers; each bias has as many numbers as its layer has outputs.",
    ),
)
