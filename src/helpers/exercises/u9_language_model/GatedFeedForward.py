"""`GatedFeedForward`: its cases, mistakes and hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers.exercise import Case, Exercise, Init, Mistake, Tensor, in_parts
from helpers.exercises.common import normal_tensor, object_cases
from helpers.reference import u9_language_model as reference

from .common import feed_forward_weights


def _cases(rng: np.random.Generator) -> list[Case]:
    weights, square = feed_forward_weights(rng, 5, 8), feed_forward_weights(rng, 6, 6)
    init = Init((5, 8), weights=weights)
    return [
        Case("values", (normal_tensor(rng, 4, 5),), init=init, note="4 tokens, d_model = 5, d_ff = 8"),
        Case(
            "values",
            (normal_tensor(rng, 3, 6),),
            init=Init((6, 6), weights=square),
            note="3 tokens, d_model = d_ff = 6",
        ),
        Case(
            "values",
            (normal_tensor(rng, 4, 5),),
            init=Init((5, 8), weights=weights, training=True),
            note="4 tokens, in training mode",
        ),
        Case("batch axes", (normal_tensor(rng, 5),), init=init, note="one token, one axis"),
        Case("batch axes", (normal_tensor(rng, 2, 1, 5),), init=init, note="2 sentences of one token"),
        Case("batch axes", (normal_tensor(rng, 2, 3, 4, 5),), init=init, note="2 × 3 sentences"),
        Case(
            "large inputs",
            (Tensor((300 * rng.normal(size=(3, 5))).astype("f4")),),
            init=init,
            note="inputs in the hundreds",
        ),
        Case(
            "gradients",
            (normal_tensor(rng, 2, 3, 5, gradient=True),),
            init=init,
            gradients=True,
            note="gradients of x and all weights",
        ),
        *object_cases(init, (normal_tensor(rng, 3, 5),), (normal_tensor(rng, 3, 5),), (normal_tensor(rng, 2, 4, 5),)),
        Case(
            "axes of length one",
            (normal_tensor(rng, 1, 1, 1),),
            init=Init((1, 3), weights=feed_forward_weights(rng, 1, 3)),
            note="one sentence of one token, d_model = 1",
        ),
    ]


@in_parts
def _gated(combine: Callable[..., Any], bias: bool = False) -> type[nn.Module]:
    """A net that makes something else of x and its three layers."""

    class GatedFeedForward(reference.GatedFeedForward):
        def __init__(self, d_model: int, d_ff: int) -> None:
            super().__init__(d_model, d_ff)
            if bias:
                self.gate, self.up = nn.Linear(d_model, d_ff), nn.Linear(d_model, d_ff)
                self.down = nn.Linear(d_ff, d_model)

        def forward(self, x: Any) -> Any:
            return combine(x, self.gate, self.up, self.down)

    return GatedFeedForward


def _with(activation: Callable[[Any], Any]) -> type[nn.Module]:
    return _gated(lambda x, gate, up, down: down(activation(gate(x)) * up(x)))


EXERCISE = Exercise(
    name="GatedFeedForward",
    reference=reference.GatedFeedForward,
    cases=_cases,
    mistakes=(
        Mistake(
            "put the SiLU on `up`, not on `gate`",
            "The gate is what opens and closes, so it is the one that is bent by the SiLU; `up` stays straight.",
            _gated(lambda x, gate, up, down: down(gate(x) * F.silu(up(x)))),
        ),
        Mistake(
            "put the SiLU on both branches",
            "One branch is bent, the gate; the other one carries the numbers through as they are.",
            _gated(lambda x, gate, up, down: down(F.silu(gate(x)) * F.silu(up(x)))),
        ),
        Mistake(
            "put the SiLU on the product",
            "First the SiLU on the gate alone, then the product with `up`.",
            _gated(lambda x, gate, up, down: down(F.silu(gate(x) * up(x)))),
        ),
        Mistake(
            "left the SiLU out",
            "Without it the gate is one more product. `F.silu(z)` is z times sigmoid(z).",
            _gated(lambda x, gate, up, down: down(gate(x) * up(x))),
        ),
        Mistake(
            "put the SiLU after `down`",
            "`down` comes last: nothing is bent after it.",
            _gated(lambda x, gate, up, down: F.silu(down(gate(x) * up(x)))),
        ),
        Mistake(
            "added the branches instead of multiplying them",
            "A gate multiplies: where it is near 0, nothing of `up` gets through.",
            _gated(lambda x, gate, up, down: down(F.silu(gate(x)) + up(x))),
        ),
        Mistake(
            "left `up` out",
            "That is the net of unit 5 with another bend. The gate needs something to let through: `up(x)`.",
            _gated(lambda x, gate, up, down: down(F.silu(gate(x)))),
        ),
        Mistake(
            "left `gate` out",
            "`up(x)` is what is let through. What decides how much of it is `silu(gate(x))`.",
            _gated(lambda x, gate, up, down: down(F.silu(up(x)))),
        ),
        Mistake(
            "used the sigmoid instead of the SiLU",
            "The SiLU is z · sigmoid(z): one factor z more than the sigmoid.",
            _with(torch.sigmoid),
        ),
        Mistake(
            "took the SiLU with the sigmoid of -z, not of z",
            "sigmoid(z) is 1 / (1 + exp(-z)): large for large z. With exp(z) below the line the gate closes where it"
            " should open.",
            _with(lambda z: z * torch.sigmoid(-z)),
        ),
        Mistake("used the ReLU instead of the SiLU", "Here the bend is smooth: `F.silu`.", _with(torch.relu)),
        Mistake(
            "used the GELU instead of the SiLU", "Another smooth bend, and not the one asked: `F.silu`.", _with(F.gelu)
        ),
        Mistake("used the tanh instead of the SiLU", "The SiLU does not stop at 1: z · sigmoid(z).", _with(torch.tanh)),
        Mistake(
            "added x: the residual road",
            "The residual road belongs to the block around this net, not to the net.",
            _gated(lambda x, gate, up, down: x + down(F.silu(gate(x)) * up(x))),
        ),
        Mistake(
            "gave the layers biases",
            "`nn.Linear` has a bias unless it is told otherwise: `bias=False`, three times.",
            _gated(lambda x, gate, up, down: down(F.silu(gate(x)) * up(x)), bias=True),
        ),
        Mistake(
            "took the softmax of the gate",
            "Each feature has a gate of its own; they do not share anything out. `F.silu`.",
            _with(lambda z: torch.softmax(z, dim=-1)),
        ),
    ),
    hints=(
        "Three linear layers without bias: `gate` and `up` widen, `down` narrows. One line in `forward` joins them.",
        "In the formula the SiLU stands around `gate(x)` alone. Then multiply entry by entry, `*`, and `down` last.",
    ),
)
