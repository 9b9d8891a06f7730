"""`frequencies`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake, in_parts
from helpers.reference import u3_positional_encoding as reference

from ..common import Answer, Step, bad_arguments
from .common import even_width, pairs


def _frequencies_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("values", (8,), note="d_model = 8"),
        Case("values", (6,), note="d_model = 6"),
        Case("values", (width := even_width(rng, 10, 100),), note=f"d_model = {width}"),
        Case("one pair", (2,), note="d_model = 2: a single clock"),
        Case("wide tokens", (512,), note="d_model = 512"),
        bad_arguments(7, note="d_model = 7: half a pair is left over"),
        bad_arguments(1, note="d_model = 1"),
        Case("wide tokens", (2048,), note="d_model = 2048"),
    ]


@in_parts
def _exponent(exponent: Step, base: float = 10000.0, factor: float = 1.0) -> Answer:
    """Frequencies with another exponent, which gets the numbers of the pairs and d_model."""
    return lambda d_model: factor * base ** exponent(pairs(d_model), d_model)


def _odd_let_through(d_model: Any) -> Any:
    return 10000.0 ** (-2 * np.arange(d_model // 2) / d_model)


EXERCISE = Exercise(
    name="frequencies",
    reference=reference.frequencies,
    cases=_frequencies_cases,
    mistakes=(
        Mistake(
            "took i/d as the exponent, not 2i/d",
            "With i/d the clocks stop half-way, at 1/100. The exponent runs from 0 to nearly -1.",
            _exponent(lambda i, d: -i / d),
        ),
        Mistake(
            "doubled twice: the exponent is 4i/d",
            "i counts the pairs 0, 1, 2, ...; `np.arange(0, d, 2)` is 2i already, and d_model is the whole width.",
            _exponent(lambda i, d: -4 * i / d),
        ),
        Mistake(
            "multiplied instead of dividing: 10000^(+2i/d)",
            "Every clock is slower than the one before: the exponent is negative.",
            _exponent(lambda i, d: 2 * i / d),
        ),
        Mistake(
            "gave each column a frequency of its own",
            "Two neighbouring columns share a clock, so there are d_model // 2 frequencies.",
            lambda d_model: 10000.0 ** (-2 * np.arange(2 * len(pairs(d_model))) / d_model),
        ),
        Mistake(
            "gave each column a frequency of its own: exponent column/d",
            "Two neighbouring columns share a clock, so there are d_model // 2 frequencies.",
            lambda d_model: 10000.0 ** (-np.arange(2 * len(pairs(d_model))) / d_model),
        ),
        Mistake(
            "wrote every frequency twice",
            "Sine and cosine will use the same frequency, but here each stands once: d_model // 2 numbers.",
            lambda d_model: np.repeat(10000.0 ** (-2 * pairs(d_model) / d_model), 2),
        ),
        Mistake(
            "counted the pairs from 1",
            "The first pair is i = 0, and its frequency is exactly 1.",
            _exponent(lambda i, d: -2 * (i + 1) / d),
        ),
        Mistake(
            "ran all the way to 1/10000",
            "The last pair is i = d/2 - 1, so the last exponent is a little above -1, not -1.",
            _exponent(lambda i, d: -i / max(len(i) - 1, 1)),
        ),
        Mistake("used 1000 for 10000", "Four zeros: 10000.", _exponent(lambda i, d: -2 * i / d, base=1000.0)),
        Mistake(
            "put the frequencies in the opposite order",
            "The fastest clock, frequency 1, comes first.",
            lambda d_model: (10000.0 ** (-2 * pairs(d_model) / d_model))[::-1].copy(),
        ),
        Mistake(
            "raised a whole number to negative whole powers",
            "The exponents -2i/d are fractions, so d_model belongs inside their brackets. Does it stand there, behind"
            " `/` and not `//`?",
            lambda d_model: 10000 ** (-2 * pairs(d_model) // d_model),
        ),
        Mistake(
            "divided the power by d_model, where the exponent is to be divided",
            "10000^(-2i/d) is one power, and the division belongs to its exponent: where does the bracket close?",
            lambda d_model: 10000 ** (-2 * pairs(d_model)) / d_model,
        ),
        Mistake(
            "rounded the exponents down to whole numbers",
            "`-2 // 8` is -1, not -0.25. The exponents -2i/d are fractions: divide with `/`.",
            _exponent(lambda i, d: -2 * i // d),
        ),
        Mistake(
            "only -2 is the exponent: `**` comes before `*` and `/`",
            "Put brackets around the whole exponent -2i/d.",
            lambda d_model: 10000.0**-2 * pairs(d_model) / d_model,
        ),
        Mistake(
            "only the first frequency is right: all others are 0, or nearly 0",
            "If they are exactly 0: is the `return` inside of the loop? If they are 1e-8, 1e-16, ...: what divides the"
            " exponent?",
            lambda d_model: (pairs(d_model) == 0) * 1.0,
        ),
        Mistake(
            "made every frequency a tenth of the one before",
            "So it is for d_model = 8 alone. How much slower the next clock is depends on d_model.",
            lambda d_model: 10.0 ** -pairs(d_model),
        ),
        Mistake(
            "one frequency everywhere",
            "Every pair has a frequency of its own. If you wrote `//`, the whole-number division made every"
            " exponent 0.",
            lambda d_model: np.ones(len(pairs(d_model))),
        ),
        Mistake(
            "returned the wavelengths, 2π divided by the frequency",
            "The frequency is how far the hand turns in one step; the wavelength is how many steps a full turn takes.",
            _exponent(lambda i, d: 2 * i / d, factor=2 * np.pi),
        ),
        Mistake(
            "divided by 2π",
            "The frequency is in radians a step, not in turns.",
            _exponent(lambda i, d: -2 * i / d, factor=1 / (2 * np.pi)),
        ),
        Mistake(
            "multiplied by 2π",
            "The frequency is in radians a step as the formula gives it; the first one is 1.",
            _exponent(lambda i, d: -2 * i / d, factor=2 * np.pi),
        ),
        Mistake(
            "mixed exp with log10",
            "exp undoes the natural logarithm, `np.log`; log10 goes with powers of 10.",
            lambda d_model: np.exp(-2 * pairs(d_model) / d_model * np.log10(10000.0)),
        ),
        Mistake(
            "let an odd d_model through",
            "An odd width leaves a sine without its cosine: say so with a `ValueError`.",
            _odd_let_through,
        ),
    ),
    hints=(
        "The numbers of the pairs: `i = np.arange(d_model // 2)`. One formula turns them all into frequencies at once.",
        "For d_model = 4 the result is [1, 0.01], for d_model = 8 it is [1, 0.1, 0.01, 0.001].",
    ),
)
