"""`encoding_by_hand`: its cases, mistakes and hints."""

from __future__ import annotations

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u3_positional_encoding as reference

from ..common import Answer


def _clocks(*columns: tuple[str, float]) -> Answer:
    """An answer worked by hand: for each column the name of its function and its angle."""
    return lambda: np.array([{"sin": np.sin, "cos": np.cos}[name](angle) for name, angle in columns])


def _two_clocks(fast: float, slow: float) -> Answer:
    return _clocks(("sin", fast), ("cos", fast), ("sin", slow), ("cos", slow))


EXERCISE = Exercise(
    name="encoding_by_hand",
    reference=reference.encoding_by_hand,
    cases=lambda rng: [Case("values", note="position 2, d_model = 4")],
    tolerance=1e-4,
    mistakes=(
        Mistake(
            "took degrees for radians",
            "Is your calculator set to DEG? The angle 2 means 2 radians, about 115 degrees.",
            _two_clocks(np.deg2rad(2), np.deg2rad(0.02)),
        ),
        Mistake(
            "took degrees for radians at the second clock",
            "The angle 0.02 is in radians too: its sine is nearly the angle itself.",
            _two_clocks(2, np.deg2rad(0.02)),
        ),
        Mistake(
            "swapped sine and cosine",
            "Even columns (0 and 2) hold the sine, odd ones the cosine.",
            _clocks(("cos", 2), ("sin", 2), ("cos", 0.02), ("sin", 0.02)),
        ),
        Mistake(
            "put both sines first, then both cosines",
            "The columns alternate: sine and cosine of the first clock, then sine and cosine of the second.",
            _clocks(("sin", 2), ("sin", 0.02), ("cos", 2), ("cos", 0.02)),
        ),
        Mistake(
            "took i/d as the exponent, not 2i/d",
            "The second clock is i = 1, and the exponent is 2i/d = 2/4, not 1/4: 10000^(1/2) is 100.",
            _two_clocks(2, 0.2),
        ),
        Mistake(
            "gave each column a clock of its own, with the column as i",
            "The columns 0 and 1 share the clock i = 0, and 2 and 3 share the clock i = 1: one angle, its sine and its"
            " cosine.",
            _clocks(("sin", 2), ("cos", 0.02), ("sin", 2e-4), ("cos", 2e-6)),
        ),
        Mistake(
            "gave each column a clock of its own: exponent column/d",
            "The columns 2 and 3 share one angle, and so do 0 and 1. Work out two angles, and take sine and cosine of"
            " each.",
            _clocks(("sin", 2), ("cos", 0.2), ("sin", 0.02), ("cos", 0.002)),
        ),
        Mistake(
            "the exponent of the second pair is 4/4 instead of 2/4",
            "i counts the pairs, 0 and 1: with i = 1 and d = 4 the exponent 2i/d is 2/4, and no whole number.",
            _two_clocks(2, 2e-4),
        ),
        Mistake(
            "worked out position 1",
            "Positions count from 0, but the position asked is p = 2: multiply the frequencies by 2.",
            _two_clocks(1, 0.01),
        ),
        Mistake(
            "doubled the row of position 1",
            "The angle doubles, and not its sine: no sine or cosine is larger than 1.",
            lambda: 2 * _two_clocks(1, 0.01)(),
        ),
        Mistake(
            "worked out position 3",
            "The position asked is p = 2 as it stands: multiply the frequencies by 2, not by 3.",
            _two_clocks(3, 0.03),
        ),
        Mistake(
            "multiplied by 10000^(2i/d) instead of dividing",
            "The second clock is slower than the first: its angle is 2 divided by 100.",
            _two_clocks(2, 200),
        ),
        Mistake(
            "used one frequency for both clocks",
            "The second clock turns more slowly: its angle is 2 / 10000^(2/4).",
            _two_clocks(2, 2),
        ),
        Mistake(
            "counted the clocks from 1",
            "The first clock is i = 0: 10000^0 is 1, so its angle is 2.",
            _two_clocks(0.02, 2e-4),
        ),
        Mistake("used 1000 for 10000", "Four zeros: the root of 10000 is 100.", _two_clocks(2, 2 / np.sqrt(1000))),
        Mistake(
            "took the sine in every column",
            "The even columns hold the sine, the odd ones the cosine of the same angle.",
            _clocks(*[("sin", a) for a in (2, 2, 0.02, 0.02)]),
        ),
        Mistake(
            "took the cosine in every column",
            "The even columns hold the sine, the odd ones the cosine of the same angle.",
            _clocks(*[("cos", a) for a in (2, 2, 0.02, 0.02)]),
        ),
        Mistake(
            "wrote the angles down, without sine and cosine",
            "The two angles are there; each becomes two entries, its sine and its cosine.",
            lambda: np.array([2, 2, 0.02, 0.02]),
        ),
        Mistake(
            "lost the sign of cos 2",
            "2 radians are more than a quarter turn (1.57): the cosine is negative there.",
            lambda: np.array([0.9093, 0.4161, 0.0200, 0.9998]),
        ),
        Mistake(
            "rounded cos 0.02 to 1",
            "It is a little less than 1: look at the fourth decimal.",
            lambda: np.array([0.9093, -0.4161, 0.0200, 1.0]),
        ),
        Mistake(
            "kept two decimals only",
            "Right so far. Write four decimals: the answer counts to 1e-4.",
            lambda: np.array([0.91, -0.42, 0.02, 1.0]),
        ),
        Mistake(
            "kept three decimals only",
            "Right so far. Write four decimals: the answer counts to 1e-4.",
            lambda: np.array([0.909, -0.416, 0.020, 1.0]),
        ),
    ),
    hints=(
        "There are two clocks. Write down their two angles first: 2 / 10000^(0/4) and 2 / 10000^(2/4).",
        "The angles are 2 and 0.02, in radians. Each gives its sine and then its cosine.",
    ),
)
