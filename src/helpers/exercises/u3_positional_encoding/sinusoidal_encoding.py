"""`sinusoidal_encoding`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake, in_parts
from helpers.reference import u3_positional_encoding as reference

from ..common import Answer, Step, bad_arguments
from .common import even_width, pairs, right_rates


def _encoding_cases(rng: np.random.Generator) -> list[Case]:
    n, width = int(rng.integers(3, 30)), even_width(rng, 10, 40)
    return [
        Case("values", (5, 8), note="5 positions, d_model = 8"),
        Case("values", (10, 4), note="10 positions, d_model = 4"),
        Case("values", (6, 6), note="6 positions, d_model = 6: a square table"),
        Case("values", (n, width), note=f"{n} positions, d_model = {width}"),
        Case("one position", (1, 6), note="position 0 alone"),
        Case("one pair", (4, 2), note="d_model = 2: a single clock"),
        Case("many positions", (60, 16), note="60 positions, d_model = 16"),
        bad_arguments(4, 7, note="d_model = 7"),
        bad_arguments(4, 3, note="d_model = 3"),
        Case("many positions", (1100, 4), note="1100 positions, d_model = 4"),
        Case("wide tokens", (3, 600), note="3 positions, d_model = 600"),
    ]


def _interleaved(even: np.ndarray, odd: np.ndarray) -> np.ndarray:
    return np.stack([even, odd], axis=-1).reshape(len(even), -1)


@in_parts
def _encoding(
    rates: Step = right_rates,
    first: int = 0,
    positions: Step | None = None,
    even: Step = np.sin,
    odd: Step = np.cos,
) -> Answer:
    """An encoding with some of its parts replaced."""

    def wrong(n_positions: Any, d_model: Any) -> Any:
        p = np.arange(first, first + n_positions) if positions is None else positions(n_positions)
        angles = np.outer(p, rates(d_model))
        return _interleaved(even(angles), odd(angles))

    return wrong


def _side_by_side(first: Step, second: Step) -> Answer:
    def wrong(n_positions: Any, d_model: Any) -> Any:
        angles = np.outer(np.arange(n_positions), right_rates(d_model))
        return np.concatenate([first(angles), second(angles)], axis=-1)

    return wrong


def _columns_alone(exponent: Step) -> Answer:
    """Every column has an angle of its own; even columns take its sine, odd ones its cosine."""

    def wrong(n_positions: Any, d_model: Any) -> Any:
        pairs(d_model)
        column = np.arange(d_model)
        angles = np.outer(np.arange(n_positions), 10000.0 ** exponent(column, d_model))
        return np.where(column % 2 == 0, np.sin(angles), np.cos(angles))

    return wrong


def _odd_encoding(n_positions: Any, d_model: Any) -> Any:
    column = np.arange(d_model)
    angles = np.outer(np.arange(n_positions), 10000.0 ** (-2 * (column // 2) / d_model))
    return np.where(column % 2 == 0, np.sin(angles), np.cos(angles))


def _concatenated_pairs(n_positions: Any, d_model: Any) -> Any:
    angles = np.outer(np.arange(n_positions), right_rates(d_model))
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1)


_right_encoding = _encoding()


def _encoding_number_by_number(n_positions: Any, d_model: Any) -> Any:
    angles = np.arange(n_positions) * right_rates(d_model)
    return np.tile(np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(-1), (n_positions, 1))


def _only(*filled: Any) -> Answer:
    """The right numbers in a part of the table, and 0 elsewhere."""

    def wrong(n_positions: Any, d_model: Any) -> Any:
        PE = np.zeros((n_positions, d_model))
        PE[filled] = _right_encoding(n_positions, d_model)[filled]
        return PE

    return wrong


def _overwritten_pairs(n_positions: Any, d_model: Any) -> Any:
    PE = np.zeros((n_positions, d_model))
    for i, rate in enumerate(right_rates(d_model)):
        angles = np.arange(n_positions) * rate
        PE[:, i], PE[:, i + 1] = np.sin(angles), np.cos(angles)
    return PE


def _reshaped_halves(n_positions: Any, d_model: Any) -> Any:
    angles = np.outer(np.arange(n_positions), right_rates(d_model))
    return np.stack([np.sin(angles), np.cos(angles)]).reshape(n_positions, d_model)


EXERCISE = Exercise(
    name="sinusoidal_encoding",
    reference=reference.sinusoidal_encoding,
    cases=_encoding_cases,
    mistakes=(
        Mistake(
            "swapped sine and cosine",
            "Even columns 0, 2, 4, ... hold the sine: position 0 reads 0, 1, 0, 1, ...",
            _encoding(even=np.cos, odd=np.sin),
        ),
        Mistake(
            "put all sines first, then all cosines",
            "The columns alternate: `PE[:, 0::2]` are the sines and `PE[:, 1::2]` the cosines.",
            _side_by_side(np.sin, np.cos),
        ),
        Mistake(
            "put all cosines first, then all sines",
            "The columns alternate, and the sine comes first: `PE[:, 0::2]` are the sines and `PE[:, 1::2]` the"
            " cosines.",
            _side_by_side(np.cos, np.sin),
        ),
        Mistake(
            "counted the positions from 1",
            "The first position is 0; all its angles are 0, so its row is 0, 1, 0, 1, ...",
            _encoding(first=1),
        ),
        Mistake(
            "took i/d as the exponent, not 2i/d",
            "The exponent is that of `frequencies`: -2i/d, where i is the number of the pair.",
            _encoding(lambda d: 10000.0 ** (-pairs(d) / d)),
        ),
        Mistake(
            "doubled twice: the exponent is 4i/d",
            "i counts the pairs 0, 1, 2, ...; `np.arange(0, d, 2)` is 2i already.",
            _encoding(lambda d: 10000.0 ** (-4 * pairs(d) / d)),
        ),
        Mistake(
            "multiplied instead of dividing: p · 10000^(2i/d)",
            "Later clocks are slower: divide the position by 10000^(2i/d).",
            _encoding(lambda d: 10000.0 ** (2 * pairs(d) / d)),
        ),
        Mistake(
            "one frequency everywhere",
            "Each pair of columns has a frequency of its own: an outer product of positions and frequencies.",
            _encoding(lambda d: np.ones(len(pairs(d)))),
        ),
        Mistake(
            "gave the cosine a frequency of its own: exponent column/d",
            "Sine and cosine of a pair show one clock hand: both have the same angle, with the same i = column // 2.",
            _columns_alone(lambda j, d: -j / d),
        ),
        Mistake(
            "used the column as i",
            "i counts the pairs: it is `column // 2`, so that the columns 2i and 2i+1 share one angle.",
            _columns_alone(lambda j, d: -2 * j / d),
        ),
        Mistake(
            "counted the pairs from 1",
            "The first pair is i = 0: its angle is the position itself.",
            _encoding(lambda d: 10000.0 ** (-2 * (pairs(d) + 1) / d)),
        ),
        Mistake(
            "ran all the way to 1/10000",
            "The last pair is i = d/2 - 1, so its frequency is a little above 1/10000. `frequencies` has it.",
            _encoding(lambda d: 10000.0 ** (-pairs(d) / max(d // 2 - 1, 1))),
        ),
        Mistake(
            "multiplied positions and frequencies number by number",
            "Every position meets every frequency. As a column, `np.arange(n)[:, None]`, the positions spread over"
            " them.",
            _encoding_number_by_number,
        ),
        Mistake(
            "divided the positions by their number",
            "The angle is p ω: the position itself, whatever the length of the sentence.",
            _encoding(positions=lambda n: np.arange(n) / n),
        ),
        Mistake(
            "spread the positions from 0 to 1",
            "Positions count 0, 1, 2, ...: place 3 has the same vector in a short sentence and in a long one.",
            _encoding(positions=lambda n: np.linspace(0, 1, n)),
        ),
        Mistake(
            "took degrees for radians",
            "`np.sin` and `np.cos` take radians: p ω as it is.",
            _encoding(lambda d: np.deg2rad(right_rates(d))),
        ),
        Mistake(
            "took full turns for radians: 2π in the angle",
            "The angle is p ω, in radians, without 2π.",
            _encoding(lambda d: 2 * np.pi * right_rates(d)),
        ),
        Mistake(
            "stretched the positions: the last one is n_positions, not n_positions - 1",
            "`np.linspace(0, n, n)` ends at n, so its steps are no whole numbers. `np.arange(n)` counts 0, 1, 2, ...",
            _encoding(positions=lambda n: np.linspace(0, n, n)),
        ),
        Mistake(
            "left the position out: every row is that of position 1",
            "The angle is p ω: the frequency times the number of the row.",
            _encoding(positions=lambda n: np.ones(n)),
        ),
        Mistake(
            "all rows but the first are 0",
            "Is the `return` inside of the loop, where it ends the function in the first round? Or is the table made of"
            " whole numbers (`dtype=int`), which keep nothing behind the point?",
            _only(slice(0, 1)),
        ),
        Mistake(
            "filled the first pair of the first row only",
            "Is the `return` inside of the loops? There it ends the function in the first round.",
            _only(slice(0, 1), slice(0, 2)),
        ),
        Mistake(
            "left the first row at 0",
            "At position 0 all angles are 0, and the cosine of 0 is 1. Where does the loop begin?",
            _only(slice(1, None)),
        ),
        Mistake(
            "left the columns of the cosine at 0",
            "The sines are right. The columns 1, 3, 5, ... get the cosines of the same angles.",
            _only(slice(None), slice(0, None, 2)),
        ),
        Mistake(
            "wrote clock i into the columns i and i + 1",
            "So each clock writes over the one before. Clock i has the columns 2i and 2i + 1.",
            _overwritten_pairs,
        ),
        Mistake(
            "lost the sign of the cosine",
            "A root is never negative, and a cosine may be: take `np.cos` of the angle itself.",
            _encoding(odd=lambda a: np.abs(np.cos(a))),
        ),
        Mistake("took the sine in every column", "The odd columns hold the cosine.", _encoding(odd=np.sin)),
        Mistake("took the cosine in every column", "The even columns hold the sine.", _encoding(even=np.cos)),
        Mistake(
            "returned the angles, without sine and cosine",
            "Each angle becomes two entries, its sine and its cosine.",
            _encoding(even=lambda a: a, odd=lambda a: a),
        ),
        Mistake(
            "returned positions as columns",
            "Tokens are rows, so positions are rows: (n_positions, d_model).",
            lambda n_positions, d_model: _right_encoding(n_positions, d_model).T.copy(),
        ),
        Mistake(
            "kept the pairs on an axis of their own",
            "The pairs lie one after the other in a row: (n_positions, d_model).",
            _concatenated_pairs,
        ),
        Mistake(
            "reshaped a table with all sines before all cosines",
            "Print the shape before the `reshape`. Sine and cosine of one angle have to be neighbours already: the pair"
            " is the last axis, (n_positions, d_model // 2, 2).",
            _reshaped_halves,
        ),
        Mistake(
            "let an odd d_model through",
            "An odd width leaves a sine without its cosine: say so with a `ValueError`.",
            _odd_encoding,
        ),
    ),
    hints=(
        "First the angles: row p, column i is p times ω_i, a table (n_positions, d_model // 2).",
        (
            "Make an empty table (n_positions, d_model) and fill `PE[:, 0::2]` with the sines and `PE[:, 1::2]` with"
            " the cosines of the angles."
        ),
    ),
)
