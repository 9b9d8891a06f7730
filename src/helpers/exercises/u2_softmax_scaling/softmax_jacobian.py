"""`softmax_jacobian`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u2_softmax_scaling as reference

from ..common import Answer
from .common import floats, random_weights


def _jacobian_cases(rng: np.random.Generator) -> list[Case]:
    certain = np.zeros(4)
    certain[rng.integers(4)] = 1
    with_zero = random_weights(rng, 4)
    with_zero[1] = 0
    return [
        Case("values", (random_weights(rng, 4),), note="4 weights"),
        Case("values", (random_weights(rng, 2),), note="2 weights"),
        Case("values", (np.full(3, 1 / 3),), note="3 equal weights"),
        Case("zero weights", (certain,), note="one weight is 1, the others 0"),
        Case("zero weights", (with_zero / with_zero.sum(),), note="one of 4 weights is 0"),
        Case("batch axes", (random_weights(rng, 2, 4),), note="2 rows of 4 weights"),
        Case("batch axes", (random_weights(rng, 3, 3),), note="3 rows of 3 weights: square"),
        Case("batch axes", (random_weights(rng, 2, 3, 4),), note="2 × 3 rows of 4 weights"),
        Case("axes of length one", (np.ones((1, 1)),), note="one row of one weight"),
        Case("axes of length one", (random_weights(rng, 1, 3),), note="one row of 3 weights"),
    ]


def _outer(p: Any) -> Any:
    return p[..., :, None] * p[..., None, :]


def _diagonal(p: Any) -> Any:
    return p[..., :, None] * np.eye(p.shape[-1])


def _measured(step: float) -> Answer:
    """Slopes from a step of each score; one that is forward is off by about half of the step."""

    def wrong(p: Any) -> Any:
        with np.errstate(divide="ignore"):
            x = np.log(p)
        moved = x[..., None, :] + step * np.eye(p.shape[-1])  # a row for each score that moves
        return np.swapaxes((reference.softmax(moved) - p[..., None, :]) / step, -1, -2)

    return floats(wrong)


_STEP_HINT = (
    "A step of finite size gives the slope of a chord: it shows that a formula is right, and does not replace it. The"
    " exact one is in the text."
)


EXERCISE = Exercise(
    name="softmax_jacobian",
    reference=reference.softmax_jacobian,
    cases=_jacobian_cases,
    mistakes=(
        Mistake(
            "returned only the diagonal, p (1 - p)",
            "Every score moves every weight, since they share a sum: n × n numbers, those off the diagonal are not"
            " zero.",
            floats(lambda p: p * (1 - p)),
        ),
        Mistake(
            "left the numbers off the diagonal at 0",
            "Raising one score takes weight from all the others: off the diagonal stands -p_i p_j.",
            floats(lambda p: _diagonal(p * (1 - p))),
        ),
        Mistake(
            "gave the numbers off the diagonal the wrong sign",
            "If one score rises, the other weights must fall: off the diagonal the numbers are negative, and each row"
            " sums to 0.",
            floats(lambda p: _diagonal(p) + _outer(p) - 2 * _diagonal(p * p)),
        ),
        Mistake(
            "added p pᵀ instead of subtracting it",
            "It is the diagonal of p *minus* all products p_i p_j: check that every row sums to 0.",
            floats(lambda p: _diagonal(p) + _outer(p)),
        ),
        Mistake(
            "got the sign of everything turned around",
            "Raising a score raises its own weight: the diagonal is positive.",
            floats(lambda p: _outer(p) - _diagonal(p)),
        ),
        Mistake(
            "forgot the diagonal: -p pᵀ",
            "A score moves its own weight through the numerator as well. That adds p_i on the diagonal.",
            floats(lambda p: -_outer(p)),
        ),
        Mistake(
            "forgot the products: diag(p) alone",
            "Every score stands in the sum that all weights share, so p_i p_j goes off in every place: each row sums to"
            " 0.",
            floats(_diagonal),
        ),
        Mistake(
            "left p_i whole on the diagonal",
            "For i = j the quotient rule has a second term as well: a score moves the sum below its own weight, too.",
            floats(lambda p: _diagonal(p) - _outer(p) + _diagonal(p * p)),
        ),
        Mistake(
            "took p_i twice: p_i (δ_ij - p_i)",
            "Outside of the brackets stands the weight that moves, inside the one whose score is moved.",
            floats(lambda p: p[..., :, None] * (np.eye(p.shape[-1]) - p[..., :, None])),
        ),
        Mistake(
            "subtracted the one number p · p everywhere",
            "Each place (i, j) has a product of its own, p_i p_j: nothing is added up.",
            floats(lambda p: _diagonal(p) - (p * p).sum(axis=-1)[..., None, None]),
        ),
        Mistake(
            "measured the slopes with a step of 0.001, which is only nearly right",
            _STEP_HINT,
            _measured(0.001),
        ),
        Mistake(
            "measured the slopes with a step of 0.01, which is only nearly right",
            _STEP_HINT,
            _measured(0.01),
        ),
        Mistake(
            "used the identity instead of diag(p)",
            "On the diagonal p_i (1 - p_i) has to come out, not 1 - p_i².",
            floats(lambda p: np.eye(p.shape[-1]) - _outer(p)),
        ),
        Mistake(
            "forgot the δ: p_i (1 - p_j) everywhere",
            "The 1 is there only for i = j: raising a score lifts its own weight and lowers the others.",
            floats(lambda p: p[..., :, None] * (1 - p[..., None, :])),
        ),
        Mistake(
            "forgot the factor p_i: δ_ij - p_j",
            "That is the derivative of log p_i. Those of p_i itself are p_i times as large.",
            floats(lambda p: np.eye(p.shape[-1]) - p[..., None, :]),
        ),
        Mistake(
            "took the softmax of p",
            "p is the softmax already: the formula needs p alone, not the scores.",
            floats(lambda p: reference.softmax_jacobian(reference.softmax(p))),
        ),
        Mistake(
            "used np.diag and np.outer, which know one row only",
            "In a batch each row has a matrix of its own. Make columns and rows with a new axis, `p[..., :, None]` and"
            " `p[..., None, :]`, or go row by row.",
            floats(lambda p: np.diag(p) - np.outer(p, p)),
        ),
        Mistake(
            "mixed the rows of the batch",
            "`np.outer` and `np.diag` know nothing of batch axes. Use `p[..., :, None]` and `p[..., None, :]`, or go"
            " row by row.",
            floats(lambda p: np.diag(p.ravel()) - np.outer(p, p)),
        ),
        Mistake(
            "wrote p @ p.T, which is one number for a single row",
            "A row without a second axis has no column: `p.T` is p again, and `@` adds everything up. Make the column"
            " first: `p[:, None]`.",
            floats(lambda p: np.diag(p) - p @ p.T),
        ),
        Mistake(
            "added the rows of the batch up",
            "`p.T @ p` adds over the rows. Each row has a matrix of its own: `p[..., :, None] * p[..., None, :]`.",
            floats(lambda p: _diagonal(p) - (p.reshape(-1, p.shape[-1]).T @ p.reshape(-1, p.shape[-1]))),
        ),
    ),
    hints=(
        "For one row: p_i on the diagonal, and from every entry take p_i p_j away.",
        "With batch axes: `p[..., :, None] * p[..., None, :]` makes all products of each row.",
    ),
)
