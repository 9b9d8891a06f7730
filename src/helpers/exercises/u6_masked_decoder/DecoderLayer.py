"""`DecoderLayer`: its cases and hints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from helpers.exercise import Case, Exercise, Init, Tensor
from helpers.reference import u6_masked_decoder as reference

from ..common import (
    Weights,
    bad_arguments,
    causal,
    f4,
    feed_forward_weights,
    normal,
    normal_tensor,
    object_cases,
    padding,
    projection_weights,
    random_mask,
    tensor,
)
from ._decoder_layer_mistakes import MISTAKES

_LINEAR = "feed_forward.linear_1.weight"


def _weights(rng: np.random.Generator, d: int, d_ff: int) -> Weights:
    """Weights for every parameter, with scores of unit variance and no trivial bias, gamma or beta."""
    weights: Weights = {}
    for attention in ("self_attention", "cross_attention"):
        weights |= projection_weights(rng, attention, d, (1.3,) * 4, bias=0.4)
    weights |= feed_forward_weights(rng, d, d_ff, "feed_forward.", bias=0.4)
    for i in (1, 2, 3):
        weights[f"norm_{i}.weight"] = f4(1 + 0.4 * normal(rng, d))
        weights[f"norm_{i}.bias"] = f4(0.4 * normal(rng, d))
    return weights


def _decoder_cases(rng: np.random.Generator) -> list[Case]:
    d, h, d_ff = 8, 2, 12
    weights = _weights(rng, d, d_ff)

    def init(norm_first: bool, training: bool = False) -> Init:
        return Init((d, h, d_ff, norm_first) if norm_first else (d, h, d_ff), weights=weights, training=training)

    def tokens(n_t: int, n_s: int, *batch: int, gradient: bool = False) -> tuple[Tensor, Tensor]:
        x, memory = (normal_tensor(rng, *batch, n, d, gradient=gradient) for n in (n_t, n_s))
        return x, memory

    cases: list[Case] = []
    for norm_first in (False, True):
        kind = "pre-norm" if norm_first else "post-norm"
        cases += [
            Case("values", tokens(3, 5, 2), init=init(norm_first), note=f"{kind}, 3 target and 5 source tokens"),
            Case(
                "values",
                tokens(4, 4, 2),
                init=init(norm_first, training=True),
                note=f"{kind}, 4 target and 4 source tokens, in training mode",
            ),
            Case(
                "masks",
                (*tokens(3, 5, 2), causal(3), padding([3, 4], 5)),
                init=init(norm_first),
                note=f"{kind}, causal mask (3, 3), padding mask (2, 1, 1, 5) of the source",
            ),
        ]
    x, memory = tokens(3, 4, 2)
    return [
        *cases,
        Case(
            "masks",
            (*tokens(4, 4, 2), causal(4), padding([2, 3], 4)),
            init=init(False),
            note="4 target and 4 source tokens, both masks",
        ),
        Case(
            "masks",
            tokens(3, 4, 2),
            {"memory_mask": padding([2, 3], 4)},
            init=init(False),
            note="only a mask for the memory",
        ),
        Case(
            "masks",
            tokens(3, 4, 2),
            {"self_mask": causal(3)},
            init=init(False),
            note="only a mask for the decoder's own words",
        ),
        Case("batch axes", tokens(3, 5), init=init(False), note="one sentence, no batch axis"),
        Case("batch axes", tokens(2, 3, 2, 2), init=init(True), note="2 × 2 sentences"),
        Case(
            "small inputs",
            (tensor(x.array * 0.003), memory),
            init=init(True),
            note="pre-norm, x so small that eps = 1e-5 counts",
        ),
        Case(
            "empty rows",
            (*tokens(3, 4, 2, gradient=True), causal(3), padding([0, 3], 4)),
            init=init(False),
            gradients=True,
            note="nothing to see in the first source sentence",
        ),
        Case(
            "gradients",
            (*tokens(3, 5, 2, gradient=True), causal(3)),
            init=init(False),
            gradients=True,
            note="post-norm",
        ),
        Case(
            "gradients", (*tokens(3, 5, 2, gradient=True), causal(3)), init=init(True), gradients=True, note="pre-norm"
        ),
        bad_arguments(x, memory, init=Init((d, 3, d_ff)), note="3 heads in a width of 8"),
        bad_arguments(x, memory, init=Init((d, 0, d_ff)), note="0 heads"),
        Case(
            "masks",
            (*tokens(3, 4, 3), random_mask(rng, 3, 2, 3, 3), random_mask(rng, 3, 2, 3, 4)),
            init=init(False),
            note="a self_mask and a memory_mask for every sentence, head and query",
        ),
        Case(
            "empty rows",
            (*tokens(3, 4, 2, gradient=True), padding([3, 0], 3), padding([4, 2], 4)),
            init=init(True),
            gradients=True,
            note="pre-norm, the second target sentence has no word",
        ),
        Case(
            "axes of length one",
            tuple(normal_tensor(rng, 1, 1, 1) for _ in range(2)),
            init=Init((1, 1, 1), weights=_weights(rng, 1, 1)),
            note="one sentence of one token on either side, every width 1",
        ),
        Case(
            "large values",
            tokens(3, 4, 2),
            init=replace(init(False), weights=weights | {_LINEAR: 10 * weights[_LINEAR]}),
            note="what comes out of linear_1 is far above 6",
        ),
        Case(
            "masks",
            (*tokens(3, 4, 3), random_mask(rng, 2, 3, 3), random_mask(rng, 2, 3, 4)),
            init=init(True),
            note="pre-norm, both masks for each of 2 heads, the same for 3 sentences",
        ),
        *object_cases(
            init(False),
            (*tokens(3, 4, 2), causal(3), padding([2, 4], 4)),
            (*tokens(3, 4, 2), random_mask(rng, 3, 3), padding([3, 1], 4)),
            (*tokens(4, 5, 2), causal(4), padding([5, 3], 5)),
        ),
    ]


EXERCISE = Exercise(
    name="DecoderLayer",
    reference=reference.DecoderLayer,
    cases=_decoder_cases,
    mistakes=MISTAKES,
    hints=(
        (
            "Take your encoder layer and put a second attention between its two halves: own words, the encoder's words,"
            " feed-forward."
        ),
        "Cross attention: the query is the decoder's x, key and value are `memory`; the mask is `memory_mask`.",
    ),
)
