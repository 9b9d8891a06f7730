"""`add_and_norm`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u5_add_and_norm as reference

from ..common import Answer, Step, bad_arguments, normal
from .common import TORCH_NORMS, norm_mistakes, norm_parameters, tokens


def _add_and_norm_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("values", (tokens(rng, 4, 6), tokens(rng, 4, 6), *norm_parameters(rng, 6)), note="4 tokens of width 6"),
        Case(
            "values",
            (tokens(rng, 5, 5), tokens(rng, 5, 5), *norm_parameters(rng, 5)),
            note="5 tokens of width 5: square arrays",
        ),
        Case(
            "integers",
            (
                rng.permutation(np.arange(-4, 8)).reshape(3, 4),
                rng.integers(-3, 4, size=(3, 4)),
                np.array([1, 2, 3, -1]),
                np.array([0, 1, -2, 3]),
            ),
            note="whole numbers in",
        ),
        Case("eps", (tokens(rng, 3, 4), tokens(rng, 3, 4), *norm_parameters(rng, 4), 0.3), note="eps = 0.3"),
        Case(
            "eps",
            (normal(rng, 3, 5) * 2e-3, normal(rng, 3, 5) * 2e-3, *norm_parameters(rng, 5)),
            note="small tokens, and eps as it stands in the signature",
        ),
        bad_arguments(
            tokens(rng, 3, 4),
            tokens(rng, 3, 6),
            *norm_parameters(rng, 4),
            note="x of width 4, the sublayer's output of width 6",
        ),
        Case(
            "values",
            (tokens(rng, 4, 6), tokens(rng, 4, 6), *norm_parameters(rng, 6)),
            note="4 other tokens of width 6",
        ),
        Case(
            "axes of length one",
            (tokens(rng, 1, 1), tokens(rng, 1, 1), *norm_parameters(rng, 1)),
            note="one token of width 1",
        ),
    ]


def _added(combine: Step) -> Answer:
    """A wrong add_and_norm; `combine(x, s, norm)` gets floats and the right norm."""

    def wrong(x: Any, sublayer_output: Any, gamma: Any, beta: Any, eps: Any = 1e-5) -> Any:
        x, s = np.asarray(x, dtype=float), np.asarray(sublayer_output, dtype=float)
        x + s  # shapes that do not fit shall fail as they do for everyone
        return combine(x, s, lambda y: reference.layer_norm(y, gamma, beta, eps))

    return wrong


def _sum_by(norm: Answer) -> Answer:
    """An add_and_norm that is right but for its norm."""
    return lambda x, sublayer_output, gamma, beta, eps=1e-5: norm(
        np.asarray(x, dtype=float) + sublayer_output, gamma, beta, eps
    )


EXERCISE = Exercise(
    name="add_and_norm",
    reference=reference.add_and_norm,
    cases=_add_and_norm_cases,
    mistakes=(
        Mistake(
            "normalised x and then added the sublayer's output",
            "Post-norm: the norm comes last. First the sum, then the norm of the sum.",
            _added(lambda x, s, norm: norm(x) + s),
        ),
        Mistake(
            "normalised the sublayer's output only, then added x",
            "The norm belongs to the whole sum, x included: add first.",
            _added(lambda x, s, norm: x + norm(s)),
        ),
        Mistake(
            "normalised both parts and then added them",
            "One norm, at the end: of the sum of the two.",
            _added(lambda x, s, norm: norm(x) + norm(s)),
        ),
        Mistake(
            "no residual: the norm of the sublayer's output alone",
            "The sublayer's input x travels past it and is added to what came out.",
            _added(lambda x, s, norm: norm(s)),
        ),
        Mistake(
            "lost the sublayer's output: the norm of x alone",
            "What the sublayer found out has to be added to x.",
            _added(lambda x, s, norm: norm(x)),
        ),
        Mistake(
            "x + x: added x to itself",
            "The second part of the sum is what came out of the sublayer.",
            _added(lambda x, s, norm: norm(x + x)),
        ),
        Mistake(
            "no norm: the sum alone",
            "The sum still has to be normalised: `layer_norm` is yours already.",
            _added(lambda x, s, norm: x + s),
        ),
        Mistake(
            "the norm is left out: the sum is scaled and shifted only",
            "gamma and beta are the last step of the norm. Before it come the mean and the root of the variance.",
            _sum_by(lambda y, gamma, beta, eps: gamma * y + beta),
        ),
        Mistake(
            "normalised twice: x before the sum, and the sum",
            "One norm, at the end: x goes into the sum as it is.",
            _added(lambda x, s, norm: norm(norm(x) + s)),
        ),
        Mistake(
            "added the sublayer's output once more after the norm",
            "After the norm nothing is added: the norm of the sum is the result.",
            _added(lambda x, s, norm: norm(x + s) + s),
        ),
        Mistake(
            "added x once more after the norm",
            "After the norm nothing is added: the norm of the sum is the result.",
            _added(lambda x, s, norm: norm(x + s) + x),
        ),
        Mistake(
            "subtracted the sublayer's output", "A residual connection adds.", _added(lambda x, s, norm: norm(x - s))
        ),
        Mistake(
            "multiplied x with the sublayer's output",
            "A residual connection adds.",
            _added(lambda x, s, norm: norm(x * s)),
        ),
        Mistake(
            "took the mean of the two, not their sum",
            "Only the sum is asked. The norm nearly hides the factor ½; eps gives it away.",
            _added(lambda x, s, norm: norm((x + s) / 2)),
        ),
        Mistake(
            "put the two side by side instead of adding them",
            "Adding keeps the width, which is what lets the layers stack. Concatenating doubles it.",
            _added(lambda x, s, norm: np.concatenate([x, s], axis=-1)),
        ),
        *norm_mistakes(_sum_by),
    ),
    forbidden=TORCH_NORMS,
    hints=(
        "Two steps: the sum of what went in and what came out, then the norm of that sum.",
        "The norm is the function you have just written, with the same gamma, beta and eps.",
    ),
)
