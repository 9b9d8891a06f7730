"""`EncoderLayer`: its cases and hints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from helpers.exercise import Case, Exercise, Init, Tensor
from helpers.reference import u5_add_and_norm as reference

from ..common import causal, object_cases, padding, random_mask
from ._encoder_layer_mistakes import MISTAKES
from .common import (
    FORBIDDEN_LAYERS,
    NO_DROPOUT,
    any_value,
    both_modes,
    layer_weights,
    refused_heads,
    token_tensor,
)


def _steep(init: Init) -> Init:
    """The same weights with a linear_1 that gives large numbers."""
    name = "feed_forward.linear_1.weight"
    weights = dict(init.weights or {})
    return replace(init, weights=weights | {name: 10 * weights[name]})


def _encoder_layer_cases(rng: np.random.Generator) -> list[Case]:
    def init(d: int, heads: int, d_ff: int, *norm_first: bool) -> Init:
        return Init((d, heads, d_ff, *norm_first), weights=layer_weights(rng, d, d_ff))

    holes = rng.random((2, 2, 4, 4)) < 0.6
    holes[..., np.arange(4), np.arange(4)] = True
    empty = np.tri(4, dtype=bool)
    empty[2] = False
    return [
        Case(
            "post-norm values",
            (token_tensor(rng, 2, 5, 6),),
            init=init(6, 2, 9),
            note="2 sentences of 5 tokens, d_model = 6, 2 heads, d_ff = 9",
        ),
        Case(
            "post-norm values",
            (token_tensor(rng, 4, 6),),
            init=init(6, 3, 8, False),
            note="one sentence of 4 tokens, 3 heads",
        ),
        Case(
            "pre-norm values",
            (token_tensor(rng, 2, 5, 6),),
            init=init(6, 2, 9, True),
            note="the same sizes with norm_first=True",
        ),
        Case(
            "masks",
            (token_tensor(rng, 2, 5, 6), padding([3, 5], 5)),
            init=init(6, 2, 7, False),
            note="post-norm, sentences of 3 and 5 tokens in a batch, padding masked",
        ),
        Case(
            "masks",
            (token_tensor(rng, 2, 4, 6), Tensor(holes)),
            init=init(6, 2, 7, False),
            note="post-norm, a mask for every sentence and head",
        ),
        Case(
            "masks",
            (token_tensor(rng, 5, 4), causal(5)),
            init=init(4, 2, 7, True),
            note="pre-norm, every token sees itself and those before it",
        ),
        Case(
            "empty rows",
            (token_tensor(rng, 4, 6, gradient=True), Tensor(empty)),
            init=init(6, 2, 7, False),
            gradients=True,
            note="one token may attend to nothing",
        ),
        Case(
            "gradients",
            (token_tensor(rng, 2, 3, 6, gradient=True), padding([3, 2], 3)),
            init=init(6, 2, 8, False),
            gradients=True,
            note="post-norm, gradients of x and of all weights",
        ),
        Case(
            "gradients",
            (token_tensor(rng, 2, 3, 6, gradient=True),),
            init=init(6, 3, 8, True),
            gradients=True,
            note="pre-norm, gradients of x and of all weights",
        ),
        *both_modes((6, 2, 8), layer_weights(rng, 6, 8), token_tensor(rng, 8, 6)),
        refused_heads(4, "4 heads, d_model = 6"),
        refused_heads(0, "no heads"),
        Case(
            "axes of length one",
            (token_tensor(rng, 1, 1, 1),),
            init=init(1, 1, 1),
            note="one sentence of one token, every width 1",
        ),
        Case(
            "large values",
            (token_tensor(rng, 2, 4, 6),),
            init=_steep(init(6, 2, 8)),
            note="what comes out of linear_1 is far above 6",
        ),
        Case(
            "masks",
            (token_tensor(rng, 3, 4, 6), random_mask(rng, 2, 4, 4)),
            init=init(6, 2, 7, True),
            note="pre-norm, a mask for each of 2 heads, the same for 3 sentences",
        ),
        *object_cases(
            init(6, 2, 8),
            (token_tensor(rng, 2, 4, 6), padding([2, 4], 4)),
            (token_tensor(rng, 2, 4, 6), padding([4, 1], 4)),
            (token_tensor(rng, 2, 5, 6), causal(5)),
        ),
    ]


# Each order of the norm has records of its own, so that a mistake is named that is made in one of the two ways only.
# Who makes one in both ways is told of the post-norm first, which has more cases.
EXERCISE = Exercise(
    name="EncoderLayer",
    reference=reference.EncoderLayer,
    cases=_encoder_layer_cases,
    mistakes=MISTAKES,
    forbidden=FORBIDDEN_LAYERS,
    compare={"no dropout": any_value},
    relations=(NO_DROPOUT,),
    hints=(
        (
            "Two sublayers, two sums, two norms. Draw the road of x through the layer first: where does it fork, where"
            " do the arms meet, where does the norm stand?"
        ),
        (
            "Post-norm: `x = norm(x + sublayer(x))`. Pre-norm: `x = x + sublayer(norm(x))`. Once with the attention,"
            " once with the feed-forward network."
        ),
    ),
)
