"""Tokens, norms and layers: their weights, their cases, and right ones in steps that a mistake may replace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.exercise import Case, Init, Mistake, Relation, Tensor, in_parts
from helpers.reference import u5_add_and_norm as reference
from helpers.tolerance import close

from ..common import (
    Answer,
    Step,
    Weights,
    bad_arguments,
    f4,
    feed_forward_weights,
    normal,
    projection_weights,
    tensor,
)

TORCH_NORMS = (
    "torch.nn.functional.layer_norm",
    "torch.native_layer_norm",
    "torch.nn.functional.group_norm",
    "torch.nn.functional.instance_norm",
    "torch.nn.functional.batch_norm",
)


def tokens(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return tokens whose means and spreads differ, from token to token and from feature to feature."""
    spread = rng.uniform(0.5, 2, size=(*shape[:-1], 1)) * rng.uniform(0.5, 2, size=shape[-1])
    return normal(rng, *shape) * spread + rng.uniform(-2, 2, size=(*shape[:-1], 1)) + rng.uniform(-1, 1, size=shape[-1])


def norm_parameters(rng: np.random.Generator, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a gamma (d,) and a beta (d,) whose entries all differ."""
    gamma = rng.permutation(np.linspace(0.5, 1.6, d)) * rng.uniform(0.9, 1.1, size=d)
    beta = rng.permutation(np.linspace(-0.8, 1.0, d)) + rng.uniform(-0.1, 0.1, size=d)
    return gamma, beta


def equal_features(rng: np.random.Generator) -> np.ndarray:
    """Return 3 tokens, each of five equal features, so that its variance is 0."""
    return np.repeat(rng.permutation(np.arange(-4.0, 5.0))[:3, None], 5, axis=1)


@in_parts
def normed(
    mean: Step = lambda x: x.mean(-1, keepdims=True),
    variance: Step = lambda x: x.var(-1, keepdims=True),
    root: Step = lambda v, eps: np.sqrt(v + eps),
    affine: Step = lambda u, g, b: g * u + b,
) -> Answer:
    """A `layer_norm` in steps, each of which a mistake may replace."""

    def wrong(x: Any, gamma: Any, beta: Any, eps: Any = 1e-5) -> Any:
        x, gamma, beta = (np.asarray(a, dtype=float) for a in (x, gamma, beta))
        with np.errstate(all="ignore"):
            unit = (x - mean(x)) / root(variance(x), eps)
            return affine(unit, gamma, beta)

    return wrong


# Mistakes of the norm itself: name, hint and the step of `normed` that is wrong. They come back wherever a norm is
# written by hand.
_NORM_MISTAKES: tuple[tuple[str, str, dict[str, Step]], ...] = (
    (
        "divided the variance by d - 1, not by d",
        (
            "Layer norm takes the biased variance: the plain mean of the squared deviations (`np.var` does that,"
            " `ddof=1` and `torch.var` do not)."
        ),
        {"variance": lambda x: x.var(-1, keepdims=True, ddof=1)},
    ),
    (
        "eps added outside the root",
        "Is your epsilon inside the root? It belongs to the variance: first add, then take the root.",
        {"root": lambda v, eps: np.sqrt(v) + eps},
    ),
    (
        "eps left out",
        "A token of equal features has variance 0: eps under the root keeps the division finite.",
        {"root": lambda v, eps: np.sqrt(v)},
    ),
    (
        "eps fixed, whatever the argument says",
        "The function is given eps: use the argument, not a number of your own.",
        {"root": lambda v, eps: np.sqrt(v + 1e-5)},
    ),
    (
        "divided by the variance, without the root",
        (
            "After the division each token shall have variance 1, so divide by the standard deviation: the root of the"
            " variance."
        ),
        {"root": lambda v, eps: v + eps},
    ),
    (
        "averaged over the tokens, not over the features",
        (
            "That is batch norm. Each token keeps to itself here: mean and variance run along its own features, the"
            " last axis."
        ),
        {"mean": lambda x: x.mean(-2, keepdims=True), "variance": lambda x: x.var(-2, keepdims=True)},
    ),
    (
        "one mean and one variance for the whole array",
        "`x.mean()` mixes all tokens. Each has a mean of its own: `axis=-1, keepdims=True`.",
        {"mean": lambda x: x.mean(), "variance": lambda x: x.var()},
    ),
    (
        "gamma and beta left out",
        "After the division the norm still scales by gamma and shifts by beta.",
        {"affine": lambda u, g, b: u},
    ),
    (
        "one gamma and one beta for all features",
        "gamma and beta have one number for each feature: multiply and add entry by entry along the last axis.",
        {"affine": lambda u, g, b: g.flat[0] * u + b.flat[0]},
    ),
    (
        "means without keepdims: they do not lie along the tokens",
        (
            "`x.mean(axis=-1)` has shape (n,), which meets the features of x, not its tokens; a square x hides that."
            " `keepdims=True` makes it (n, 1)."
        ),
        {"mean": lambda x: x.mean(-1), "variance": lambda x: x.var(-1)},
    ),
    ("gamma and beta changed places", "gamma scales, beta shifts.", {"affine": lambda u, g, b: b * u + g}),
    (
        "mean not subtracted",
        "First move the token to mean 0, then divide. (Without the first step it is another norm, which unit 8 has.)",
        {"mean": lambda x: 0.0},
    ),
)


def norm_mistakes(with_norm: Callable[[Answer], Answer]) -> tuple[Mistake, ...]:
    """Return the mistakes of the norm itself; `with_norm(norm)` makes an answer that uses this wrong norm."""
    return tuple(Mistake(name, hint, with_norm(normed(**steps))) for name, hint, steps in _NORM_MISTAKES)


# --- modules ---------------------------------------------------------------------------------------------

FORBIDDEN_LAYERS = ("torch._transformer_encoder_layer_fwd", "torch.nn.functional.multi_head_attention_forward")


def token_tensor(rng: np.random.Generator, *shape: int, gradient: bool = False) -> Tensor:
    """Return `tokens` small enough for scores of about unit variance."""
    return tensor(0.6 * tokens(rng, *shape), gradient)


def norm_weights(rng: np.random.Generator, prefix: str, d: int) -> Weights:
    """Return the weights of a layer norm whose names begin with `prefix`."""
    gamma, beta = norm_parameters(rng, d)
    return {f"{prefix}weight": f4(gamma), f"{prefix}bias": f4(beta)}


def layer_weights(rng: np.random.Generator, d: int, d_ff: int, prefix: str = "") -> Weights:
    """Return the weights of an encoder layer.

    What the sublayers add weighs as much as x itself, or a wrong residual would hardly show; and scores of about unit
    variance keep the softmax from saturating, where float32 loses its digits.
    """
    return (
        projection_weights(rng, f"{prefix}self_attention", d, (0.9, 0.9, 1.2, 2.0))
        | feed_forward_weights(rng, d, d_ff, f"{prefix}feed_forward.", (1.2, 2.0))
        | norm_weights(rng, f"{prefix}norm_1.", d)
        | norm_weights(rng, f"{prefix}norm_2.", d)
    )


def both_modes(args: tuple[Any, ...], weights: Weights, x: Tensor) -> list[Case]:
    """Return the same call of a module in evaluation and in training mode, for `NO_DROPOUT` to compare."""
    return [
        Case(
            "no dropout",
            (x,),
            init=Init(args, weights=weights, training=training),
            label=label,
            note=f"{label}, with the same weights and input",
        )
        for label, training in (("evaluating", False), ("training", True))
    ]


def any_value(case: Case, value: Any, expected: Any) -> str | None:
    """Whether the values of `both_modes` are right is asked elsewhere."""
    return None


def _same_when_training(values: Mapping[str, Any]) -> str | None:
    a, b = (values[mode] for mode in ("evaluating", "training"))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape and not close(b, a, 1e-4).all():
        return (
            "in training mode the same input gives another result: is there a dropout in it? This course leaves it out"
        )
    return None


NO_DROPOUT = Relation("no dropout", _same_when_training)


def refused_heads(n_heads: int, note: str, *before: int) -> Case:
    """Return the making of an encoder (layer) of width 6 and d_ff = 8 with a number of heads that cannot be."""
    return bad_arguments(init=Init((*before, 6, n_heads, 8)), method="state_dict", note=note)


class NormBase(nn.Module):
    """A right layer norm in steps, each of which a mistake may replace."""

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.d_model, self.eps = d_model, eps
        self.make()

    def make(self) -> None:
        self.weight = nn.Parameter(torch.ones(self.d_model))
        self.bias = nn.Parameter(torch.zeros(self.d_model))

    def mean(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(-1, keepdim=True)

    def variance(self, x: torch.Tensor) -> torch.Tensor:
        return x.var(-1, keepdim=True, unbiased=False)

    def root(self, variance: torch.Tensor) -> torch.Tensor:
        return torch.sqrt(variance + self.eps)

    def affine(self, unit: torch.Tensor) -> torch.Tensor:
        return self.weight * unit + self.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.affine((x - self.mean(x)) / self.root(self.variance(x)))


def norm_module(**steps: Step) -> type[nn.Module]:
    """A LayerNorm with other steps."""
    return type("LayerNorm", (NormBase,), steps)


def through(activation: Step) -> Step:
    """A feed-forward network's way through, with another activation."""
    return lambda self, x: self.linear_2(activation(self.linear_1(x)))


right_through = through(torch.relu)


@in_parts
def feed_forward(forward: Step = right_through, make: Step | None = None) -> type[nn.Module]:
    """A FeedForward with another forward, or with other layers; `make(self, d_model, d_ff)` may change what was
    made."""

    class FeedForward(reference.FeedForward):
        def __init__(self, d_model: int, d_ff: int) -> None:
            super().__init__(d_model, d_ff)
            if make is not None:
                make(self, d_model, d_ff)

        def forward(self, x: Any) -> Any:
            return forward(self, x)

    return FeedForward
