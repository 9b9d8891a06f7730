"""`shift_matrix`: its cases, mistakes and hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u3_positional_encoding as reference

from ..common import Answer, Step, bad_arguments
from .common import even_width, pairs, right_rates


def _shift_cases(rng: np.random.Generator) -> list[Case]:
    offset, width = int(rng.integers(3, 30)), even_width(rng, 8, 24)
    return [
        Case("values", (1, 4), note="one step on, d_model = 4"),
        Case("values", (3, 6), note="3 steps on, d_model = 6"),
        Case("values", (offset, width), note=f"{offset} steps on, d_model = {width}"),
        Case("one pair", (2, 2), note="d_model = 2: a single clock"),
        Case("negative offset", (-2, 6), note="2 steps back"),
        Case("negative offset", (-offset, 4), note=f"{offset} steps back"),
        Case("no step", (0, 4), note="offset 0: everything stays where it is"),
        bad_arguments(1, 7, note="d_model = 7"),
        bad_arguments(1, 3, note="d_model = 3"),
        Case("wide tokens", (7, 40), note="7 steps on, d_model = 40"),
        Case("long way", (1500, 6), note="1500 steps on, d_model = 6"),
    ]


def _turned(c: float, s: float) -> np.ndarray:
    return np.array([[c, s], [-s, c]])


def _blocks(
    block: Step = _turned,
    rates: Step = right_rates,
    offset: Step = lambda offset: offset,
    place: Callable[[int, int], list[int]] = lambda i, d: [2 * i, 2 * i + 1],
) -> Answer:
    """A shift matrix with another block, other rates, another offset, or its blocks in other places."""

    def wrong(k: Any, d_model: Any) -> Any:
        M = np.zeros((d_model, d_model))
        for i, rate in enumerate(rates(d_model)):
            M[np.ix_(place(i, d_model), place(i, d_model))] = block(np.cos(offset(k) * rate), np.sin(offset(k) * rate))
        return M

    return wrong


def _shift_rows(k: Any, d_model: Any) -> Any:
    pairs(d_model)
    return np.eye(d_model, k=k)


def _overlapping_blocks(k: Any, d_model: Any) -> Any:
    M = np.zeros((d_model, d_model))
    for i, rate in enumerate(right_rates(d_model)):
        M[i : i + 2, i : i + 2] = _turned(np.cos(k * rate), np.sin(k * rate))
    return M


def _one_block(k: Any, d_model: Any) -> Any:
    pairs(d_model)
    return _turned(np.cos(k), np.sin(k))


EXERCISE = Exercise(
    name="shift_matrix",
    reference=reference.shift_matrix,
    cases=_shift_cases,
    mistakes=(
        Mistake(
            "turned the other way",
            "The block acts on (sine, cosine), with the sine first. Try it on position 0: from (0, 1) it must lead to"
            " (sin a, cos a).",
            _blocks(lambda c, s: np.array([[c, -s], [s, c]])),
        ),
        Mistake(
            "lost the minus sign",
            "Of the two addition theorems, that of the cosine has a minus in it.",
            _blocks(lambda c, s: np.array([[c, s], [s, c]])),
        ),
        Mistake(
            "sine and cosine changed places in the block",
            "For offset 0 nothing moves: the block must be the identity, so the cosines (1) are on the diagonal.",
            _blocks(lambda c, s: np.array([[s, c], [-c, s]])),
        ),
        Mistake(
            "multiplied a column (cosine, sine) instead of (sine, cosine)",
            "The block meets the pair as it stands in the table, the sine on top: the first entry of each row goes with"
            " sin x, the second with cos x.",
            _blocks(lambda c, s: np.array([[s, c], [c, -s]])),
        ),
        Mistake(
            "wrote the row of the cosine first",
            "The sine stands on top, before the step and after it: the first row of the block makes sin(x + a).",
            _blocks(lambda c, s: np.array([[-s, c], [c, s]])),
        ),
        Mistake(
            "kept the diagonal only",
            "sin(x + a) needs both sin x and cos x: each block has four entries.",
            _blocks(lambda c, s: np.array([[c, 0], [0, c]])),
        ),
        Mistake(
            "arranged it for all sines first, then all cosines",
            "Sine and cosine of one clock are neighbours: the block of pair i is in rows and columns 2i and 2i+1.",
            _blocks(place=lambda i, d: [i, i + d // 2]),
        ),
        Mistake(
            "let the blocks overlap: block i in the rows and columns i and i+1",
            "Each clock has two rows and columns of its own: the block of pair i begins at row and column 2i.",
            _overlapping_blocks,
        ),
        Mistake(
            "turned the first clock only",
            "Each pair turns by an angle of its own: the slow ones turn too, if only a little.",
            _blocks(rates=lambda d: right_rates(d) * (pairs(d) == 0)),
        ),
        Mistake(
            "one angle everywhere",
            "Each pair turns by an angle of its own: offset times its frequency.",
            _blocks(rates=lambda d: np.ones(len(pairs(d)))),
        ),
        Mistake("left the offset out", "The angle is offset · ω_i.", _blocks(offset=lambda k: 1)),
        Mistake(
            "took the offset without its sign",
            "Going back is turning back: a negative offset gives a negative angle.",
            _blocks(offset=abs),
        ),
        Mistake(
            "goes no step back: a negative offset gives the identity",
            "A loop over `range(offset)` has no round there. It needs no loop: the angle offset · ω_i may be negative.",
            _blocks(offset=lambda k: max(k, 0)),
        ),
        Mistake(
            "turned one step too far",
            "The angle is offset · ω_i: for offset 0 nothing turns.",
            _blocks(offset=lambda k: k + 1),
        ),
        Mistake(
            "multiplied the matrix of one step by the offset",
            "It is the angle that grows with the offset: sines and cosines stay between -1 and 1.",
            lambda k, d_model: k * _blocks()(1, d_model),
        ),
        Mistake(
            "added the blocks to the identity",
            "The block stands in place of the ones: begin with zeros, or set the entries with `=`, not `+=`.",
            lambda k, d_model: np.eye(d_model) + _blocks()(k, d_model),
        ),
        Mistake(
            "cut off to whole numbers",
            "A matrix made of whole numbers (`dtype=int`) keeps nothing behind the point: begin with"
            " `np.zeros((d_model, d_model))`.",
            lambda k, d_model: np.trunc(_blocks()(k, d_model)),
        ),
        Mistake(
            "took i/d as the exponent, not 2i/d",
            "The angles are offset times `frequencies(d_model)`.",
            _blocks(rates=lambda d: 10000.0 ** (-pairs(d) / d)),
        ),
        Mistake(
            "doubled twice: the exponent is 4i/d",
            "The angles are offset times `frequencies(d_model)`.",
            _blocks(rates=lambda d: 10000.0 ** (-4 * pairs(d) / d)),
        ),
        Mistake(
            "multiplied instead of dividing: offset · 10000^(2i/d)",
            "The angles are offset times `frequencies(d_model)`.",
            _blocks(rates=lambda d: 10000.0 ** (2 * pairs(d) / d)),
        ),
        Mistake(
            "counted the pairs from 1",
            "The first pair is i = 0: it turns by the offset itself.",
            _blocks(rates=lambda d: 10000.0 ** (-2 * (pairs(d) + 1) / d)),
        ),
        Mistake(
            "took degrees for radians",
            "`np.sin` and `np.cos` take radians: offset · ω_i as it is.",
            _blocks(rates=lambda d: np.deg2rad(right_rates(d))),
        ),
        Mistake(
            "moved the entries of the vector, not the position",
            "Nothing slides along the vector. Each pair turns in its own place.",
            _shift_rows,
        ),
        Mistake(
            "returned the blocks, not one matrix",
            "Put the 2 × 2 blocks along the diagonal of a matrix of zeros, (d_model, d_model).",
            lambda k, d_model: np.stack([_turned(np.cos(k * rate), np.sin(k * rate)) for rate in right_rates(d_model)]),
        ),
        Mistake(
            "returned one block for all clocks",
            "The block of one clock is right. Each clock gets its own, with its own angle, along the diagonal of a"
            " matrix (d_model, d_model).",
            _one_block,
        ),
        Mistake(
            "let an odd d_model through",
            "An odd width leaves a sine without its cosine: say so with a `ValueError`.",
            lambda k, d_model: _blocks(rates=lambda d: 10000.0 ** (-2 * np.arange(d // 2) / d))(k, d_model),
        ),
    ),
    hints=(
        (
            "Start with one pair: which 2 × 2 matrix takes (sin x, cos x) to (sin(x + a), cos(x + a))? Read its rows"
            " off the addition theorems."
        ),
        "The whole matrix is zero but for these blocks along its diagonal, one for each pair, with a = offset · ω_i.",
    ),
)
