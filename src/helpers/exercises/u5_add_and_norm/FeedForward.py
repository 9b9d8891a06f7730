"""`FeedForward`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.exercise import Case, Exercise, Init, Mistake, Tensor
from helpers.reference import u5_add_and_norm as reference

from ..common import Step, feed_forward_weights, object_cases
from .common import NO_DROPOUT, any_value, both_modes, feed_forward, right_through, through, token_tensor


def _feed_forward_cases(rng: np.random.Generator) -> list[Case]:
    def init(d: int, d_ff: int) -> Init:
        return Init((d, d_ff), weights=feed_forward_weights(rng, d, d_ff))

    weights = feed_forward_weights(rng, 3, 8)
    return [
        Case(
            "values",
            (token_tensor(rng, 5, 4),),
            init=init(4, 7),
            note="5 tokens, d_model = 4, d_ff = 7, weights set from outside",
        ),
        Case("values", (token_tensor(rng, 3, 4),), init=init(4, 4), note="d_model = d_ff = 4: square weights"),
        Case("values", (token_tensor(rng, 6, 5),), init=init(5, 2), note="d_ff smaller than d_model"),
        Case("batch axes", (token_tensor(rng, 2, 3, 4),), init=init(4, 6), note="2 sentences of 3 tokens"),
        Case(
            "gradients",
            (token_tensor(rng, 2, 3, 4, gradient=True),),
            init=init(4, 9),
            gradients=True,
            note="gradients of x and of all weights",
        ),
        *both_modes((3, 8), weights, token_tensor(rng, 20, 3)),
        Case(
            "large values",
            (Tensor(20 * token_tensor(rng, 5, 4).array),),
            init=init(4, 7),
            note="tokens so large that what comes out of linear_1 is far above 6",
        ),
        Case(
            "axes of length one",
            (token_tensor(rng, 1, 1, 1),),
            init=init(1, 1),
            note="one sentence of one token, d_model = d_ff = 1",
        ),
        *object_cases(
            init(4, 7), (token_tensor(rng, 3, 4),), (token_tensor(rng, 3, 4),), (token_tensor(rng, 2, 5, 4),)
        ),
    ]


def _set(**layers: Step) -> Step:
    """`make` for a FeedForward whose layers are `layer(d_model, d_ff)`."""

    def make(self: Any, d_model: int, d_ff: int) -> None:
        for name, layer in layers.items():
            setattr(self, name, layer(d_model, d_ff))

    return make


def _sequential(self: Any, d_model: int, d_ff: int) -> None:
    del self.linear_1, self.linear_2
    self.net = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))


EXERCISE = Exercise(
    name="FeedForward",
    reference=reference.FeedForward,
    cases=_feed_forward_cases,
    mistakes=(
        Mistake(
            "no ReLU between the two layers",
            "Two linear layers in a row are one linear layer. The ReLU between them makes the second worth having.",
            feed_forward(through(lambda h: h)),
        ),
        Mistake(
            "a ReLU after the second layer too",
            "The result is added to x, and has to be able to lower it: nothing cuts off the negative half after"
            " linear_2.",
            feed_forward(lambda self, x: torch.relu(right_through(self, x))),
        ),
        Mistake(
            "the ReLU after the second layer, not between the two",
            "The ReLU belongs between: linear_1, ReLU, linear_2.",
            feed_forward(lambda self, x: torch.relu(through(lambda h: h)(self, x))),
        ),
        Mistake(
            "the ReLU before the first layer",
            "linear_1 sees x as it is. The ReLU belongs between the two layers.",
            feed_forward(lambda self, x: self.linear_2(self.linear_1(torch.relu(x)))),
        ),
        Mistake(
            "GELU instead of ReLU",
            "Many newer models use GELU. This exercise, like the paper, asks for ReLU: max(0, h).",
            feed_forward(through(nn.functional.gelu)),
        ),
        Mistake(
            "tanh instead of ReLU",
            "ReLU is max(0, h): zero for negative entries, the entry itself for positive ones.",
            feed_forward(through(torch.tanh)),
        ),
        Mistake(
            "sigmoid instead of ReLU",
            "ReLU is max(0, h): zero for negative entries, the entry itself for positive ones.",
            feed_forward(through(torch.sigmoid)),
        ),
        Mistake(
            "softmax instead of ReLU",
            "ReLU is max(0, h), for every entry alone; nothing is normalised here.",
            feed_forward(through(lambda h: h.softmax(-1))),
        ),
        Mistake(
            "the absolute value instead of ReLU",
            "ReLU sets negative entries to zero; it does not turn them around.",
            feed_forward(through(torch.abs)),
        ),
        Mistake(
            "the residual is added here already",
            "x travels past this network in the encoder layer, which does the adding. Here only the two linear layers"
            " are asked.",
            feed_forward(lambda self, x: x + right_through(self, x)),
        ),
        Mistake(
            "the second layer was left out",
            "linear_2 brings the width back from d_ff to d_model.",
            feed_forward(lambda self, x: torch.relu(self.linear_1(x))),
        ),
        Mistake(
            "linear layers without biases",
            "Both layers have a bias, which `nn.Linear` makes unless told otherwise.",
            feed_forward(
                make=_set(
                    linear_1=lambda d, f: nn.Linear(d, f, bias=False), linear_2=lambda d, f: nn.Linear(f, d, bias=False)
                )
            ),
        ),
        Mistake(
            "d_model and d_ff changed places in the layers",
            "`nn.Linear(in, out)`: the first layer goes from d_model to d_ff, the second back.",
            feed_forward(make=_set(linear_1=lambda d, f: nn.Linear(f, d), linear_2=lambda d, f: nn.Linear(d, f))),
        ),
        Mistake(
            "the inner width is 4 · d_model, whatever d_ff says",
            "Four times as wide is usual, but here d_ff says how wide.",
            feed_forward(
                make=_set(linear_1=lambda d, f: nn.Linear(d, 4 * d), linear_2=lambda d, f: nn.Linear(4 * d, d))
            ),
        ),
        Mistake(
            "the layers are in a Sequential, under other names",
            "The two layers are attributes called `linear_1` and `linear_2`; their weights are set by these names.",
            feed_forward(lambda self, x: self.net(x), make=_sequential),
        ),
        Mistake(
            "dropout inside",
            "The paper drops out while training; this course leaves it out, so that the same input gives the same"
            " result.",
            feed_forward(lambda self, x: nn.functional.dropout(right_through(self, x), 0.1, self.training)),
        ),
    ),
    compare={"no dropout": any_value},
    relations=(NO_DROPOUT,),
    hints=(
        "Three steps on the way through: linear_1, ReLU, linear_2.",
        "`nn.Linear` works on the last axis and leaves the others alone, so batches need nothing special.",
    ),
)
