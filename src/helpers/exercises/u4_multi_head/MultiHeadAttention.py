"""`MultiHeadAttention`: its cases and hints."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from helpers.exercise import Case, Exercise, Init, Tensor
from helpers.reference import u4_multi_head as reference

from ..common import (
    PROJECTIONS,
    READY_MADE_ATTENTION,
    Weights,
    attention_tensors,
    bad_arguments,
    f4,
    normal,
    normal_tensor,
    object_cases,
    padding,
    random_mask,
    tensor,
)
from ._multi_head_attention_mistakes import MISTAKES


def _weights(rng: np.random.Generator, d: int, bias: bool = True, fixed: Weights | None = None) -> Weights:
    """A full set of weights with scores of unit variance and biases that matter; `fixed` replaces some."""
    made = {f"{name}.weight": normal(rng, d, d) / math.sqrt(d) for name in PROJECTIONS}
    if bias:
        made |= {f"{name}.bias": 0.5 * normal(rng, d) for name in PROJECTIONS}
    return {name: f4(value) for name, value in (made | (fixed or {})).items()}


def _identity(d: int) -> Weights:
    """W_q and W_k that hand on the tokens as they are."""
    return {
        name: value for n in ("W_q", "W_k") for name, value in ((f"{n}.weight", np.eye(d)), (f"{n}.bias", np.zeros(d)))
    }


def _some(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """A random mask in which every row sees something and not everything."""
    while True:
        mask = rng.random(shape) < 0.6
        if mask.any(-1).all() and not mask.all(-1).any():
            return mask


def _leaky(
    rng: np.random.Generator, d_k: int = 3, n_k: int = 6, n_heads: int = 2, gap: float = 0.05
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and a mask in which all that may be seen scores low: about -19, -3000 and -100000.

    W_q and W_k are the identity in this case, so the tokens are the queries and keys of all heads side by side.
    """
    targets = (-19.0, -3000.0, -1e5)
    query, keys = np.zeros((n_heads, len(targets), d_k)), normal(rng, n_heads, n_k, d_k)
    mask = np.zeros((n_heads, len(targets), n_k), dtype=bool)
    for head in range(n_heads):
        for row, target in enumerate(targets):
            while True:
                direction = normal(rng, d_k)
                raw = keys[head] @ direction / math.sqrt(d_k)
                lowest, second, third = np.argsort(raw)[:3]
                # Two keys may be seen; they are told apart in single precision too, and are really below the rest.
                if (
                    raw[second] < -0.1
                    and raw[second] - raw[lowest] > -gap * raw[second]
                    and raw[third] - raw[second] > 0.1
                ):
                    break
            query[head, row] = direction * target / raw[second]
            mask[head, row, [lowest, second]] = True
    return (
        tensor(reference.merge_heads(query)),
        tensor(reference.merge_heads(keys)),
        Tensor(mask),
    )


def _far_apart(n_heads: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and a mask whose scores lie around 200 and around 0: first all may be seen, then the low ones only.

    They are whole numbers, so that single precision holds them exactly; heads have the width 4, and W_q and W_k are the
    identity. An `exp` without the maximum overflows; a softmax that is masked afterwards has nothing left; a fill of
    -100 is low enough.
    """
    query, keys = np.zeros((n_heads, 2, 4)), np.zeros((n_heads, 5, 4))
    mask = np.ones((n_heads, 2, 5), dtype=bool)
    for head, high in enumerate(([0, 3], [1, 2])):
        keys[head, high, 0] = 20
        keys[head, :, 1] = np.roll([0, 2, 1, 3, 1], head)
        query[head, :, :2] = 20, 1
        mask[head, 1, high] = False
    return tensor(reference.merge_heads(query)), tensor(reference.merge_heads(keys)), Tensor(mask)


def _module_cases(rng: np.random.Generator) -> list[Case]:
    def init(d: int, n_heads: int, bias: bool = True, fixed: Weights | None = None) -> Init:
        return Init((d, n_heads), {} if bias else {"bias": False}, weights=_weights(rng, d, bias, fixed))

    def triple(n_q: int, n_k: int, d: int, *batch: int, gradient: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        return attention_tensors(rng, n_q, n_k, d, d, batch, gradient)

    empty = np.ones((2, 1, 3, 4), dtype=bool)
    empty[0, 0, 1] = empty[1, 0, 0, 2] = False
    square = _some(rng, 4, 4)
    while (square == square.T).all() or not (square.any(0).all() and square.any(1).all()):
        square = _some(rng, 4, 4)
    low_query, low_key, low_mask = _leaky(rng)
    far_query, far_key, far_mask = _far_apart()
    return [
        Case(
            "values",
            triple(5, 5, 6, 2, gradient=True),
            init=init(6, 2),
            gradients=True,
            note="2 sentences of 5 tokens, width 6, 2 heads",
        ),
        Case(
            "values",
            triple(3, 3, 9, 3),
            init=init(9, 3),
            note="3 sentences of 3 tokens, 3 heads of width 3: everything square",
        ),
        Case(
            "unequal lengths",
            triple(3, 5, 8, 2),
            init=init(8, 2),
            note="3 queries, 5 keys, 2 sentences, width 8, 2 heads",
        ),
        Case("batch axes", triple(4, 3, 6), init=init(6, 3), note="one sentence without a batch axis"),
        Case("batch axes", triple(3, 4, 4, 2, 3), init=init(4, 2), note="2 × 3 sentences at once"),
        Case(
            "without bias",
            triple(3, 4, 6, 2),
            init=init(6, 2, bias=False),
            note="bias=False: four matrices and nothing else",
        ),
        Case(
            "masks",
            (*triple(4, 4, 6, 2), Tensor(square)),
            init=init(6, 3),
            note="a mask (4, 4) for 2 sentences and 3 heads",
        ),
        Case(
            "masks",
            triple(3, 5, 8, 2),
            {"mask": padding([3, 4], 5)},
            init=init(8, 2),
            note="a padding mask (2, 1, 1, 5): 3 and 4 of 5 keys are words",
        ),
        Case(
            "masks",
            (*triple(2, 4, 6, 3), Tensor(_some(rng, 3, 2, 2, 4))),
            init=init(6, 2),
            note="a mask of its own for every head: (3, 2, 2, 4)",
        ),
        Case(
            "large scores",
            (low_query, low_key, normal_tensor(rng, 6, 6), low_mask),
            init=init(6, 2, fixed=_identity(6)),
            note="all keys that may be seen score very low",
        ),
        Case(
            "large scores",
            (far_query, far_key, normal_tensor(rng, 5, 8), far_mask),
            init=init(8, 2, fixed=_identity(8)),
            note="scores around 200 and around 0; one query sees all keys, the other those around 0 only",
        ),
        Case(
            "empty rows",
            (*triple(3, 4, 6, 2, gradient=True), Tensor(empty)),
            init=init(6, 2, bias=False),
            gradients=True,
            note="query 1 of the first sentence may see nothing",
        ),
        Case(
            "empty rows",
            (*triple(2, 4, 4, 2), padding([0, 3], 4)),
            init=init(4, 2, bias=False),
            note="the first sentence has no word at all",
        ),
        bad_arguments(*triple(2, 2, 6), init=Init((6, 4)), note="width 6 in 4 heads"),
        bad_arguments(*triple(2, 2, 6), init=Init((6, 0)), note="no head at all"),
        bad_arguments(*triple(2, 2, 6), init=Init((6, -2)), note="-2 heads"),
        Case(
            "masks",
            (*triple(3, 4, 6, 3), random_mask(rng, 2, 3, 4)),
            init=init(6, 2),
            note="a mask for each of 2 heads, the same for 3 sentences: (2, 3, 4)",
        ),
        Case(
            "masks",
            (*triple(3, 4, 6, 2), random_mask(rng, 2, 1, 3, 4)),
            init=init(6, 2),
            note="a mask for each of 2 sentences, the same for their heads: (2, 1, 3, 4)",
        ),
        Case(
            "empty rows",
            (*triple(3, 4, 6, 2), Tensor(np.array([[True], [False], [True]]))),
            init=init(6, 2),
            note="a mask (3, 1): two queries see every key, one sees none",
        ),
        Case("axes of length one", triple(1, 1, 1, 1), init=init(1, 1), note="one sentence of one token of width 1"),
        Case(
            "training mode",
            triple(5, 5, 6, 2),
            init=replace(init(6, 2), training=True),
            note="in training mode: there is no dropout in it",
        ),
        *object_cases(
            init(6, 2),
            (*triple(3, 4, 6, 2), random_mask(rng, 3, 4)),
            (*triple(3, 4, 6, 2), random_mask(rng, 3, 4)),
            (*triple(5, 6, 6, 2), random_mask(rng, 2, 1, 1, 6)),
        ),
    ]


EXERCISE = Exercise(
    name="MultiHeadAttention",
    reference=reference.MultiHeadAttention,
    cases=_module_cases,
    forbidden=(*READY_MADE_ATTENTION, "torch._native_multi_head_attention"),
    mistakes=MISTAKES,
    hints=(
        "Try it without a mask first, then with one, then with a row that may see nothing.",
        (
            "The lines of `multi_head_attention` again, with `self.W_q(query)` for `X @ W_q` and `transpose` for"
            " `swapaxes`."
        ),
    ),
)
