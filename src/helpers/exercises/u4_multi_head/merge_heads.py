"""`merge_heads`: its cases, mistakes and hints."""

from __future__ import annotations

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u4_multi_head as reference

from ..attention import transposed
from ..common import Answer, Step, normal
from .common import merge_bare, merge_interleaved, places


def _merge_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case(
            "values",
            (reference.split_heads(places(4, 6), 2),),
            note="2 heads, 4 tokens, width 3 each; the number 23 belongs in token 2, column 3",
        ),
        Case("values", (normal(rng, 3, 5, 4),), note="3 heads, 5 tokens, width 4 each"),
        Case("values", (normal(rng, 3, 3, 3),), note="3 heads, 3 tokens, width 3 each: everything square"),
        Case("one head", (normal(rng, 1, 3, 4),), note="one head"),
        Case("integers", (rng.integers(-9, 10, size=(3, 2, 2)),), note="whole numbers in"),
        Case("batch axes", (normal(rng, 2, 3, 5, 2),), note="2 sentences at once"),
        Case("batch axes", (normal(rng, 2, 3, 5, 4, 2),), note="2 × 3 sentences at once"),
        Case("values", (normal(rng, 3, 5, 4),), note="3 other heads, 5 tokens, width 4 each"),
        Case("axes of length one", (normal(rng, 1, 1, 1, 1),), note="one sentence of one token, one head of width 1"),
    ]


def _float(wrong: Step) -> Answer:
    """`wrong(H)` with numbers for H and a result of its own memory."""
    return lambda H: np.array(wrong(np.asarray(H, dtype=float)))


EXERCISE = Exercise(
    name="merge_heads",
    reference=reference.merge_heads,
    cases=_merge_cases,
    mistakes=(
        Mistake(
            "reshaped without exchanging the axes first",
            "In memory, all of head 0 comes before head 1. Bring the tokens in front of the heads again, then reshape.",
            _float(merge_bare),
        ),
        Mistake(
            "averaged the heads",
            "An average makes one story of several, and the details are gone. Put the heads side by side: h · d/h"
            " columns.",
            _float(lambda H: H.mean(axis=-3)),
        ),
        Mistake(
            "added the heads up",
            "A sum keeps only d/h columns. Put the heads side by side: h · d/h columns.",
            _float(lambda H: H.sum(axis=-3)),
        ),
        Mistake(
            "put the heads below each other",
            "You have h · n rows. The tokens stay n rows; the heads stand side by side, along the last axis.",
            _float(lambda H: H.reshape(*H.shape[:-3], H.shape[-3] * H.shape[-2], H.shape[-1])),
        ),
        Mistake(
            "mixed the columns of the heads like cards",
            "Head 0 comes first with all its columns, then head 1: exchange the heads with the tokens, and leave the"
            " last axis where it is.",
            _float(merge_interleaved),
        ),
        Mistake(
            "put the last head first",
            "Head 0 is the leftmost slice.",
            _float(lambda H: reference.merge_heads(H[..., ::-1, :, :])),
        ),
        Mistake(
            "kept the first head only",
            "Every head has something to say: h · d/h columns.",
            _float(lambda H: H[..., 0, :, :]),
        ),
        Mistake(
            "turned all axes around with .T",
            "`.T` reverses every axis. Only the heads and the tokens have to change places: `np.swapaxes(H, -2, -3)`.",
            _float(lambda H: H.T.reshape(*H.shape[:-3], H.shape[-2], -1)),
        ),
        Mistake(
            "exchanged the tokens with the columns, not with the heads",
            "The axes from the end are -1 columns, -2 tokens, -3 heads. Which two have to change places?",
            _float(lambda H: transposed(H).reshape(*H.shape[:-3], H.shape[-2], -1)),
        ),
        Mistake(
            "exchanged heads and tokens, and stopped there",
            "You have (..., n, h, d/h). Now the last two axes become one.",
            _float(lambda H: np.swapaxes(H, -2, -3)),
        ),
        Mistake(
            "lost the batch axes",
            "Leading axes stay as they are: (2, 3, h, n, d/h) becomes (2, 3, n, d).",
            _float(lambda H: reference.merge_heads(H).reshape(-1, H.shape[-3] * H.shape[-1])),
        ),
        Mistake(
            "turned the result on its side",
            "Tokens are rows: (..., n, d).",
            _float(lambda H: transposed(reference.merge_heads(H))),
        ),
    ),
    hints=(
        "Walk `split_heads` backwards: exchange heads and tokens first, then make one axis of the last two.",
        "Try it: `merge_heads(split_heads(X, 2))` has to be X again, number by number.",
    ),
)
