"""`layer_norm`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u5_add_and_norm as reference

from ..common import normal
from .common import TORCH_NORMS, equal_features, norm_mistakes, norm_parameters, normed, tokens


def _layer_norm_cases(rng: np.random.Generator) -> list[Case]:
    by_hand = (np.array([[-2.0, 4.0, 6.0, 12.0]]), np.array([1.0, 1.0, 2.0, 2.0]), np.array([0.0, 1.0, 0.0, 1.0]))
    equal = equal_features(rng)
    return [
        Case("values", by_hand, note="the four numbers worked by hand in the text"),
        Case("values", (tokens(rng, 4, 6), *norm_parameters(rng, 6)), note="4 tokens of width 6"),
        Case("values", (tokens(rng, 5, 5), *norm_parameters(rng, 5)), note="5 tokens of width 5: a square x"),
        Case("values", (tokens(rng, 1, 3), *norm_parameters(rng, 3)), note="one token"),
        Case(
            "integers",
            (rng.permutation(np.arange(-4, 8)).reshape(3, 4), np.array([1, 2, 3, -1]), np.array([0, 1, -2, 3])),
            note="whole numbers in",
        ),
        Case("eps", (tokens(rng, 3, 4), *norm_parameters(rng, 4), 0.3), note="eps = 0.3"),
        Case(
            "eps",
            (normal(rng, 3, 5) * 2e-3, *norm_parameters(rng, 5)),
            note="tokens with a spread of 0.002, and eps as it stands in the signature",
        ),
        Case(
            "equal features",
            (equal, *norm_parameters(rng, 5)),
            quiet=True,
            note="every token has five equal features: its variance is 0",
        ),
        Case("axes of length one", (tokens(rng, 1, 1), *norm_parameters(rng, 1)), note="one token of width 1"),
    ]


def _only_the_mean_divided(x: Any, gamma: Any, beta: Any, eps: Any = 1e-5) -> Any:
    x = np.asarray(x, dtype=float)
    return gamma * x - x.mean(-1, keepdims=True) / np.sqrt(x.var(-1, keepdims=True) + eps) + beta


def _by_token(unit: Any, gamma: Any, beta: Any) -> Any:
    """In a loop over the first axis, with the loop's number for the feature's."""
    return np.stack([gamma[i] * row + beta[i] for i, row in enumerate(unit)])


def _eps_added_last(x: Any, gamma: Any, beta: Any, eps: Any = 1e-5) -> Any:
    x = np.asarray(x, dtype=float)
    with np.errstate(all="ignore"):
        return gamma * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True)) + eps + beta


EXERCISE = Exercise(
    name="layer_norm",
    reference=reference.layer_norm,
    cases=_layer_norm_cases,
    mistakes=(
        *norm_mistakes(lambda norm: norm),
        Mistake(
            "gamma left out",
            "After the division each feature is scaled by its own gamma.",
            normed(affine=lambda u, g, b: u + b),
        ),
        Mistake(
            "beta left out",
            "At the very end each feature is shifted by its own beta.",
            normed(affine=lambda u, g, b: g * u),
        ),
        Mistake(
            "shifted by beta before scaling by gamma",
            "The order is scale, then shift: beta itself is not multiplied by gamma.",
            normed(affine=lambda u, g, b: g * (u + b)),
        ),
        Mistake(
            "gamma and beta laid along the tokens",
            "Every token gets the same gamma and beta; they run along the features, so their one axis meets the last"
            " axis of x.",
            normed(affine=lambda u, g, b: g[:, None] * u + b[:, None]),
        ),
        Mistake(
            "took gamma and beta by the number of the token, not of the feature",
            "`gamma[i]` inside a loop over the tokens is one number for a whole token. Every token gets all of gamma:"
            " one number for each of its features.",
            normed(affine=_by_token),
        ),
        Mistake(
            "divided the variance by d - 1, and eps added outside the root",
            "Two things: the variance is the plain mean of the squared deviations (no `ddof=1`), and eps belongs to it,"
            " inside the root.",
            normed(variance=lambda x: x.var(-1, keepdims=True, ddof=1), root=lambda v, eps: np.sqrt(v) + eps),
        ),
        Mistake(
            "averaged over the tokens, and eps left out",
            "Two things: each token keeps to itself, so mean and variance run along the last axis; and eps stands under"
            " the root, or a variance of 0 is divided by.",
            normed(
                mean=lambda x: x.mean(0, keepdims=True),
                variance=lambda x: x.var(0, keepdims=True),
                root=lambda v, eps: np.sqrt(v),
            ),
        ),
        Mistake(
            "the variance is the mean of the plain squares",
            "The deviations from the mean are squared, not the features themselves: subtract the mean first.",
            normed(variance=lambda x: (x * x).mean(-1, keepdims=True)),
        ),
        Mistake(
            "only the mean is divided by the root",
            "Division binds more tightly than subtraction: without brackets `x - mean / root` divides the mean alone.",
            _only_the_mean_divided,
        ),
        Mistake(
            "eps is not added; only a spread of about 0 is replaced",
            "eps is added to the variance of each token, under the root. A variance of 0 then needs no further care.",
            normed(root=lambda v, eps: np.maximum(np.sqrt(v), eps)),
        ),
        Mistake(
            "eps added to the result",
            "Where does the bracket of the root close? eps belongs to the variance, inside it.",
            _eps_added_last,
        ),
        Mistake(
            "scaled to length 1, not to variance 1",
            "Variance is the mean of the squares, not their sum: with d features the two differ by √d.",
            normed(variance=lambda x: ((x - x.mean(-1, keepdims=True)) ** 2).sum(-1, keepdims=True)),
        ),
        Mistake(
            "divided by the mean absolute deviation",
            "The spread meant here is the standard deviation: square, average, then the root.",
            normed(variance=lambda x: np.abs(x - x.mean(-1, keepdims=True)).mean(-1, keepdims=True) ** 2),
        ),
    ),
    forbidden=TORCH_NORMS,
    hints=(
        "Take one token: its mean, its deviations from the mean, the mean of their squares.",
        (
            "With `axis=-1, keepdims=True` mean and variance keep an axis of length 1, so that they can be subtracted"
            " from x and divided by, all tokens at once."
        ),
    ),
)
