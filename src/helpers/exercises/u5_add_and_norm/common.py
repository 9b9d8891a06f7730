"""What the exercises of this unit share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.exercise import Case, Init, Relation, Tensor
from helpers.reference import u5_add_and_norm as reference
from helpers.tolerance import close

TORCH_NORMS = (
    "torch.nn.functional.layer_norm",
    "torch.native_layer_norm",
    "torch.nn.functional.group_norm",
    "torch.nn.functional.instance_norm",
    "torch.nn.functional.batch_norm",
)


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def tokens(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Tokens whose means and spreads differ, from token to token and from feature to feature."""
    spread = rng.uniform(0.5, 2, size=(*shape[:-1], 1)) * rng.uniform(0.5, 2, size=shape[-1])
    return normal(rng, *shape) * spread + rng.uniform(-2, 2, size=(*shape[:-1], 1)) + rng.uniform(-1, 1, size=shape[-1])


def random_gamma(rng: np.random.Generator, d: int) -> np.ndarray:
    return rng.permutation(np.linspace(0.5, 1.6, d)) * rng.uniform(0.9, 1.1, size=d)


def random_beta(rng: np.random.Generator, d: int) -> np.ndarray:
    return rng.permutation(np.linspace(-0.8, 1.0, d)) + rng.uniform(-0.1, 0.1, size=d)


def norm_parameters(rng: np.random.Generator, d: int) -> tuple[np.ndarray, np.ndarray]:
    return random_gamma(rng, d), random_beta(rng, d)


def normed(
    mean: Any = lambda x: x.mean(-1, keepdims=True),
    variance: Any = lambda x: x.var(-1, keepdims=True),
    root: Any = lambda v, eps: np.sqrt(v + eps),
    affine: Any = None,
) -> Any:
    def wrong(x: Any, gamma: Any, beta: Any, eps: Any = 1e-5) -> Any:
        x, gamma, beta = (np.asarray(a, dtype=float) for a in (x, gamma, beta))
        with np.errstate(all="ignore"):
            unit = (x - mean(x)) / root(variance(x), eps)
            return (affine or (lambda u, g, b: g * u + b))(unit, gamma, beta)

    return wrong


def _unbiased(x: Any) -> Any:
    return x.var(-1, keepdims=True, ddof=1)


# Mistakes of the norm itself. They come back wherever a norm is written by hand, so each is kept with its hint.
NORM_MISTAKES = (
    (
        "divided the variance by d - 1, not by d",
        (
            "Layer norm takes the biased variance: the plain mean of the squared deviations (`np.var` does that,"
            " `ddof=1` and `torch.var` do not)."
        ),
        {"variance": _unbiased},
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


def f4(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, dtype=np.float32)


def token_tensor(rng: np.random.Generator, *shape: int, gradient: bool = False) -> Tensor:
    return Tensor(f4(0.6 * tokens(rng, *shape)), gradient)


def linear_weights(
    rng: np.random.Generator, name: str, d_in: int, d_out: int, gain: float = 1.0
) -> dict[str, np.ndarray]:
    return {
        f"{name}.weight": f4(normal(rng, d_out, d_in) * gain / np.sqrt(d_in)),
        f"{name}.bias": f4(normal(rng, d_out) * 0.5),
    }


def norm_weights(rng: np.random.Generator, name: str, d: int) -> dict[str, np.ndarray]:
    return {f"{name}.weight": f4(random_gamma(rng, d)), f"{name}.bias": f4(random_beta(rng, d))}


def layer_weights(rng: np.random.Generator, d: int, d_ff: int, prefix: str = "") -> dict[str, np.ndarray]:
    # What the sublayers add shall weigh as much as x itself, or a wrong residual would hardly show; and scores of about
    # unit variance keep the softmax from saturating, where float32 loses its digits.
    weights = {}
    for name, gain in (("W_q", 0.9), ("W_k", 0.9), ("W_v", 1.2), ("W_o", 2.0)):
        weights |= linear_weights(rng, f"{prefix}self_attention.{name}", d, d, gain)
    weights |= linear_weights(rng, f"{prefix}feed_forward.linear_1", d, d_ff, 1.2) | linear_weights(
        rng, f"{prefix}feed_forward.linear_2", d_ff, d, 2.0
    )
    return weights | norm_weights(rng, f"{prefix}norm_1", d) | norm_weights(rng, f"{prefix}norm_2", d)


def causal(n: int) -> Tensor:
    return Tensor(np.tri(n, dtype=bool))


def padding(lengths: list[int], n: int) -> Tensor:
    return Tensor((np.arange(n) < np.array(lengths)[:, None])[:, None, None, :])  # (batch, 1, 1, n)


def any_value(case: Any, value: Any, expected: Any) -> Any:
    return None


def _same_when_training(values: Any) -> Any:
    """The one demand on the two modes: they agree. Whether the values are right is asked elsewhere."""
    a, b = (values[mode] for mode in ("evaluating", "training"))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape and not close(b, a, 1e-4).all():
        return (
            "in training mode the same input gives another result: is there a dropout in it? This course leaves it out"
        )
    return None


NO_DROPOUT = Relation("no dropout", _same_when_training)


def both_modes(args: tuple, weights: dict[str, np.ndarray], x: Tensor) -> list[Case]:
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


class NormBase(nn.Module):
    """A right layer norm in steps, each of which a mistake may replace."""

    def __init__(self, d_model: Any, eps: Any = 1e-5) -> None:
        super().__init__()
        self.d_model, self.eps = d_model, eps
        self.make()

    def make(self) -> Any:
        self.weight = nn.Parameter(torch.ones(self.d_model))
        self.bias = nn.Parameter(torch.zeros(self.d_model))

    def mean(self, x: Any) -> Any:
        return x.mean(-1, keepdim=True)

    def variance(self, x: Any) -> Any:
        return x.var(-1, keepdim=True, unbiased=False)

    def root(self, variance: Any) -> Any:
        return torch.sqrt(variance + self.eps)

    def affine(self, unit: Any) -> Any:
        return self.weight * unit + self.bias

    def forward(self, x: Any) -> Any:
        return self.affine((x - self.mean(x)) / self.root(self.variance(x)))


def norm_module(**steps: Any) -> Any:
    return type("LayerNorm", (NormBase,), steps)


def feed_forward(forward: Any = None, make: Any = None) -> Any:
    """A FeedForward with another forward, or with other layers; `make(self, d_model, d_ff)` may change what was
    made."""

    class FeedForward(reference.FeedForward):
        def __init__(self, d_model: Any, d_ff: Any) -> None:
            super().__init__(d_model, d_ff)
            if make is not None:
                make(self, d_model, d_ff)

    if forward is not None:
        FeedForward.forward = forward
    return FeedForward


def through(activation: Any) -> Any:
    return lambda self, x: self.linear_2(activation(self.linear_1(x)))


FORBIDDEN_LAYERS = ("torch._transformer_encoder_layer_fwd", "torch.nn.functional.multi_head_attention_forward")
