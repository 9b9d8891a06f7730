"""`Encoder`: its cases and hints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Init, Relation
from helpers.language import typed
from helpers.reference import u5_add_and_norm as reference
from helpers.tolerance import close

from ..common import Weights, causal, object_cases, padding, random_mask
from ._encoder_mistakes import MISTAKES
from .common import (
    FORBIDDEN_LAYERS,
    NO_DROPOUT,
    any_value,
    both_modes,
    layer_weights,
    norm_weights,
    refused_heads,
    token_tensor,
)


def _encoder_weights(rng: np.random.Generator, n_layers: int, d: int, d_ff: int, norm_first: bool) -> Weights:
    weights: Weights = {}
    for i in range(n_layers):
        weights |= layer_weights(rng, d, d_ff, f"layers.{i}.")
    return weights | (norm_weights(rng, "norm.", d) if norm_first else {})


_N_LAYERS = "N layers are N layers"

# Rounding grows from layer to layer in float32; float16 is still thirty times too coarse for this.
_ENCODER_TOLERANCE = 3e-5


def _encoder_cases(rng: np.random.Generator) -> list[Case]:
    def init(n_layers: int, d: int, heads: int, d_ff: int, norm_first: bool = False) -> Init:
        return Init(
            (n_layers, d, heads, d_ff, norm_first), weights=_encoder_weights(rng, n_layers, d, d_ff, norm_first)
        )

    return [
        Case(
            "post-norm values",
            (token_tensor(rng, 2, 4, 6),),
            init=init(3, 6, 2, 7),
            note="3 layers, 2 sentences of 4 tokens, d_model = 6, 2 heads, d_ff = 7",
        ),
        Case(
            "post-norm values", (token_tensor(rng, 5, 6),), init=init(1, 6, 3, 8), note="a single layer, one sentence"
        ),
        Case(
            "pre-norm values",
            (token_tensor(rng, 2, 4, 6),),
            init=init(2, 6, 2, 7, True),
            note="2 layers with norm_first=True, and the norm at the end",
        ),
        Case(
            "masks",
            (token_tensor(rng, 2, 4, 6), padding([2, 4], 4)),
            init=init(2, 6, 2, 7),
            note="post-norm, sentences of 2 and 4 tokens in a batch, padding masked",
        ),
        Case(
            "masks",
            (token_tensor(rng, 5, 4), causal(5)),
            init=init(2, 4, 2, 6, True),
            note="pre-norm, every token sees itself and those before it",
        ),
        Case(
            _N_LAYERS,
            (token_tensor(rng, 3, 4),),
            init=init(3, 4, 2, 5),
            label="used",
            note="3 layers, each with weights of its own",
        ),
        Case(
            _N_LAYERS,
            (),
            init=Init((3, 4, 2, 6)),
            method="state_dict",
            label="post-norm",
            note="the start values of a new Encoder(3, 4, 2, 6)",
        ),
        Case(
            _N_LAYERS,
            (),
            init=Init((2, 4, 2, 6, True)),
            method="state_dict",
            label="pre-norm",
            note="the start values of a new Encoder(2, 4, 2, 6, norm_first=True)",
        ),
        Case(
            "gradients",
            (token_tensor(rng, 2, 3, 6, gradient=True), padding([3, 2], 3)),
            init=init(2, 6, 2, 5),
            gradients=True,
            note="post-norm, gradients of x and of all weights",
        ),
        Case(
            "gradients",
            (token_tensor(rng, 3, 6, gradient=True),),
            init=init(2, 6, 2, 5, True),
            gradients=True,
            note="pre-norm, gradients of x and of all weights",
        ),
        *both_modes((2, 6, 2, 7), _encoder_weights(rng, 2, 6, 7, False), token_tensor(rng, 8, 6)),
        refused_heads(4, "4 heads, d_model = 6", 2),
        refused_heads(0, "no heads", 2),
        Case(
            "masks",
            (token_tensor(rng, 3, 4, 6), random_mask(rng, 3, 2, 4, 4)),
            init=init(2, 6, 2, 7),
            note="post-norm, a mask for every sentence and head",
        ),
        Case(
            "axes of length one",
            (token_tensor(rng, 1, 1, 1),),
            init=init(2, 1, 1, 1),
            note="one sentence of one token, every width 1",
        ),
        Case(
            "masks",
            (token_tensor(rng, 3, 4, 6), random_mask(rng, 2, 4, 4)),
            init=init(1, 6, 2, 7, True),
            note="pre-norm, a mask for each of 2 heads, the same for 3 sentences",
        ),
        *object_cases(
            init(1, 6, 2, 7),
            (token_tensor(rng, 2, 4, 6), padding([2, 4], 4)),
            (token_tensor(rng, 2, 4, 6), padding([4, 1], 4)),
            (token_tensor(rng, 2, 5, 6), causal(5)),
        ),
        # With three layers "the last" and "all but the first" are not the same.
        Case(
            "masks",
            (token_tensor(rng, 2, 4, 6), padding([4, 3], 4)),
            init=init(3, 6, 2, 7),
            note="post-norm, 3 layers, sentences of 4 and 3 tokens in a batch, padding masked",
        ),
    ]


def _as_layers(case: Case, value: Any, expected: Any) -> str | None:
    """By value where weights were set; by names and shapes where a new encoder shows its start values."""
    if case.method is None:
        if (
            isinstance(value, np.ndarray)
            and value.shape == expected.shape
            and close(value, expected, _ENCODER_TOLERANCE).all()
        ):
            return None
        return "with other weights in every layer, the result is not that of layer after layer"
    if not isinstance(value, dict):
        return "state_dict() does not give the parameters by name"
    missing, extra = [k for k in expected if k not in value], [k for k in value if k not in expected]
    if missing or extra:
        told = [f"it has no {typed(', '.join(missing[:6]))}"] if missing else []
        told += [f"it should not have {typed(', '.join(extra[:6]))}"] if extra else []
        return f"the parameters of the Encoder differ: {'; '.join(told)}"
    odd = [k for k in expected if np.shape(value[k]) != expected[k].shape]
    if odd:
        return f"the parameter {odd[0]} has shape {np.shape(value[odd[0]])}, expected {expected[odd[0]].shape}"
    return None


def _start_apart(values: Mapping[str, Any]) -> str | None:
    """No matrix of one layer may start as that of another."""
    for state in (values["post-norm"], values["pre-norm"]):
        n_layers = len({name.split(".")[1] for name in state if name.startswith("layers.")})
        for name in (name for name in state if name.startswith("layers.0.") and np.ndim(state[name]) == 2):
            same = [
                i
                for i in range(1, n_layers)
                if np.array_equal(state[name], state[name.replace("layers.0.", f"layers.{i}.", 1)])
            ]
            if same:
                return f"layer {same[0]} starts from the same weights as layer 0"
    return None


EXERCISE = Exercise(
    name="Encoder",
    reference=reference.Encoder,
    cases=_encoder_cases,
    mistakes=MISTAKES,
    forbidden=FORBIDDEN_LAYERS,
    tolerance=_ENCODER_TOLERANCE,
    compare={"no dropout": any_value, _N_LAYERS: _as_layers},
    relations=(NO_DROPOUT, Relation(_N_LAYERS, _start_apart)),
    hints=(
        "Make N layers in an `nn.ModuleList`, each by a call of its own, and send x through them one after the other.",
        "With `norm_first=True` there is one more part: a layer norm called `norm`, used once at the very end.",
    ),
)
