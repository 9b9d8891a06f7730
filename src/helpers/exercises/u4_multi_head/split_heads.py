"""`split_heads`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u4_multi_head as reference

from ..attention import transposed
from ..common import Answer, Step, bad_arguments, normal
from .common import places, split_bare, split_interleaved, split_only, split_same


def _split_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case(
            "values", (places(4, 6), 2), note="4 tokens of width 6, 2 heads; the number 23 stands in token 2, column 3"
        ),
        Case("values", (normal(rng, 5, 12), 3), note="5 tokens of width 12, 3 heads"),
        Case("values", (normal(rng, 3, 9), 3), note="3 tokens, 3 heads of width 3: everything square"),
        Case("one head", (normal(rng, 3, 4), 1), note="3 tokens of width 4, one head"),
        Case("narrow heads", (normal(rng, 3, 4), 4), note="3 tokens of width 4, 4 heads of width 1"),
        Case("integers", (rng.integers(-9, 10, size=(2, 6)), 3), note="whole numbers in"),
        Case("batch axes", (normal(rng, 2, 5, 6), 3), note="2 sentences at once"),
        Case("batch axes", (normal(rng, 2, 3, 4, 10), 5), note="2 × 3 sentences at once"),
        bad_arguments(normal(rng, 3, 6), 4, note="width 6 in 4 heads"),
        bad_arguments(normal(rng, 3, 6), 0, note="no head at all"),
        Case("values", (normal(rng, 5, 12), 3), note="5 other tokens of width 12, 3 heads"),
        Case("axes of length one", (normal(rng, 1, 1, 1), 1), note="one sentence of one token of width 1, one head"),
    ]


def _checked(wrong: Step) -> Answer:
    """`wrong(X, n_heads)` behind the reference's check of the arguments, so that it shows one mistake only."""

    def function(X: Any, n_heads: Any) -> Any:
        reference.split_heads(X, n_heads)
        return np.array(wrong(np.asarray(X, dtype=float), n_heads))

    return function


def _split_backwards(X: Any, h: Any) -> Any:
    return reference.split_heads(X, h)[..., ::-1, :, :]


def _split_tokens(X: Any, h: Any) -> Any:
    return np.stack(np.split(X, h, axis=-2), axis=-3)


def _split_dropping(X: Any, n_heads: Any) -> Any:
    X = np.asarray(X, dtype=float)
    if n_heads < 1:
        raise ValueError("n_heads must be at least 1")
    width = X.shape[-1] // n_heads
    return reference.split_heads(X[..., : n_heads * width], n_heads)


def _split_remainder_first(X: Any, n_heads: Any) -> Any:
    if X.shape[-1] % n_heads:
        raise ValueError("n_heads must divide the width")
    return reference.split_heads(X, n_heads)


def _split_unchecked(X: Any, n_heads: Any) -> Any:
    X = np.asarray(X, dtype=float)
    return np.array(np.swapaxes(X.reshape(*X.shape[:-1], n_heads, X.shape[-1] // n_heads), -2, -3))


EXERCISE = Exercise(
    name="split_heads",
    reference=reference.split_heads,
    cases=_split_cases,
    mistakes=(
        Mistake(
            "reshaped straight to (h, n, d/h)",
            "A bare reshape reads on row after row, so a head gets other tokens' numbers: cut the width first, then"
            " exchange the two axes.",
            _checked(split_bare),
        ),
        Mistake(
            "cut the width, but left the heads behind the tokens",
            "You have (..., n, h, d/h). One more step: the axis of the heads and that of the tokens change places.",
            _checked(split_only),
        ),
        Mistake(
            "dealt the columns out like cards",
            "Your head 0 has columns 0, h, 2h, ... A head takes neighbours: in the reshape, h comes before d/h.",
            _checked(split_interleaved),
        ),
        Mistake(
            "gave the same slice to every head",
            "All your heads hold the first columns. Head i starts at column i · d/h.",
            _checked(split_same),
        ),
        Mistake(
            "numbered the heads from the right",
            "Head 0 is the leftmost slice, columns 0 to d/h.",
            _checked(_split_backwards),
        ),
        Mistake(
            "divided the tokens among the heads",
            "Every head sees every token, and only a slice of its width: cut the last axis.",
            _checked(_split_tokens),
        ),
        Mistake(
            "took n_heads for the width of a head",
            "n_heads is how many there are; each is d / n_heads wide.",
            _checked(lambda X, h: reference.split_heads(X, X.shape[-1] // h)),
        ),
        Mistake(
            "put the heads before the batch axes",
            "The batch axes stay in front. The heads belong right before the tokens: (..., h, n, d/h).",
            _checked(lambda X, h: np.stack(np.split(X, h, axis=-1))),
        ),
        Mistake(
            "lost the batch axes",
            "Leading axes stay as they are: (2, 3, n, d) becomes (2, 3, h, n, d/h).",
            _checked(lambda X, h: np.swapaxes(X.reshape(-1, h, X.shape[-1] // h), 0, 1)),
        ),
        Mistake(
            "turned each head on its side",
            "Rows are tokens inside a head too: the last axis is d/h, the one before it n.",
            _checked(lambda X, h: transposed(reference.split_heads(X, h))),
        ),
        Mistake(
            "exchanged the heads with the columns, not with the tokens",
            "The cut array, (..., n, h, d/h), has from the end the axes -1 columns, -2 heads, -3 tokens. Which two have"
            " to change places?",
            _checked(lambda X, h: split_only(X, h).swapaxes(-1, -2)),
        ),
        Mistake(
            "exchanged the tokens with the columns, not with the heads",
            "The cut array, (..., n, h, d/h), has from the end the axes -1 columns, -2 heads, -3 tokens. Which two have"
            " to change places?",
            _checked(lambda X, h: split_only(X, h).swapaxes(-1, -3)),
        ),
        Mistake(
            "turned all axes around with .T",
            "`.T` reverses every axis. Only the heads and the tokens have to change places: `np.swapaxes(H, -2, -3)`.",
            _checked(lambda X, h: split_only(X, h).T),
        ),
        Mistake(
            "left columns over without a word",
            "Where n_heads does not divide the width, a slice would be lost: raise a ValueError.",
            _split_dropping,
        ),
        Mistake(
            "divided by n_heads before looking at it",
            "n_heads = 0 ends in a ZeroDivisionError. Ask first whether n_heads is at least 1, and raise a ValueError"
            " if not.",
            _split_unchecked,
        ),
        Mistake(
            "did not check that n_heads is at least 1",
            "d % n_heads fails for 0 with an error of its own: ask `n_heads < 1` before it.",
            _split_remainder_first,
        ),
    ),
    hints=(
        "Two steps: cut the last axis in two, (..., n, h, d/h); then let the heads and the tokens change places.",
        (
            "`np.swapaxes(H, -2, -3)` exchanges the two axes whatever stands before them; `.copy()` makes the result"
            " your own."
        ),
    ),
)
