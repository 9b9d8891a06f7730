"""Unit 5: cases, mistakes and hints of layer norm, the feed-forward network and the encoder."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from helpers.exercise import Case, Exercise, Init, Mistake, Relation, Tensor
from helpers.reference import u5_add_and_norm as reference
from helpers.reference.u4_multi_head import MultiHeadAttention
from helpers.tolerance import close

_TORCH_NORMS = (
    "torch.nn.functional.layer_norm",
    "torch.native_layer_norm",
    "torch.nn.functional.group_norm",
    "torch.nn.functional.instance_norm",
    "torch.nn.functional.batch_norm",
)


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def _tokens(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Tokens whose means and spreads differ, from token to token and from feature to feature."""
    spread = rng.uniform(0.5, 2, size=(*shape[:-1], 1)) * rng.uniform(0.5, 2, size=shape[-1])
    return (
        _normal(rng, *shape) * spread + rng.uniform(-2, 2, size=(*shape[:-1], 1)) + rng.uniform(-1, 1, size=shape[-1])
    )


def _gamma(rng: np.random.Generator, d: int) -> np.ndarray:
    return rng.permutation(np.linspace(0.5, 1.6, d)) * rng.uniform(0.9, 1.1, size=d)


def _beta(rng: np.random.Generator, d: int) -> np.ndarray:
    return rng.permutation(np.linspace(-0.8, 1.0, d)) + rng.uniform(-0.1, 0.1, size=d)


def _norm_parameters(rng: np.random.Generator, d: int) -> tuple[np.ndarray, np.ndarray]:
    return _gamma(rng, d), _beta(rng, d)


# --- layer_norm ------------------------------------------------------------------------------------------


def _layer_norm_cases(rng):
    by_hand = (np.array([[-2.0, 4.0, 6.0, 12.0]]), np.array([1.0, 1.0, 2.0, 2.0]), np.array([0.0, 1.0, 0.0, 1.0]))
    equal = np.repeat(rng.permutation(np.arange(-4.0, 5.0))[:3, None], 5, axis=1)
    return [
        Case("values", by_hand, note="the four numbers worked by hand in the text"),
        Case("values", (_tokens(rng, 4, 6), *_norm_parameters(rng, 6)), note="4 tokens of width 6"),
        Case("values", (_tokens(rng, 5, 5), *_norm_parameters(rng, 5)), note="5 tokens of width 5: a square x"),
        Case("values", (_tokens(rng, 1, 3), *_norm_parameters(rng, 3)), note="one token"),
        Case(
            "integers",
            (rng.permutation(np.arange(-4, 8)).reshape(3, 4), np.array([1, 2, 3, -1]), np.array([0, 1, -2, 3])),
            note="whole numbers in",
        ),
        Case("eps", (_tokens(rng, 3, 4), *_norm_parameters(rng, 4), 0.3), note="eps = 0.3"),
        Case(
            "eps",
            (_normal(rng, 3, 5) * 2e-3, *_norm_parameters(rng, 5)),
            note="tokens with a spread of 0.002, and eps as it stands in the signature",
        ),
        Case(
            "equal features",
            (equal, *_norm_parameters(rng, 5)),
            quiet=True,
            note="every token has five equal features: its variance is 0",
        ),
    ]


def _normed(
    mean=lambda x: x.mean(-1, keepdims=True),
    variance=lambda x: x.var(-1, keepdims=True),
    root=lambda v, eps: np.sqrt(v + eps),
    affine=None,
):
    def wrong(x, gamma, beta, eps=1e-5):
        x, gamma, beta = (np.asarray(a, dtype=float) for a in (x, gamma, beta))
        with np.errstate(all="ignore"):
            unit = (x - mean(x)) / root(variance(x), eps)
            return (affine or (lambda u, g, b: g * u + b))(unit, gamma, beta)

    return wrong


def _unbiased(x):
    return x.var(-1, keepdims=True, ddof=1)


# Mistakes of the norm itself. They come back wherever a norm is written by hand, so each is kept with its hint.
_NORM_MISTAKES = (
    (
        "divided the variance by d - 1, not by d",
        "Layer norm takes the biased variance: the plain mean of the squared deviations (`np.var` does that, `ddof=1` and `torch.var` do not).",
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
        "After the division each token shall have variance 1, so divide by the standard deviation: the root of the variance.",
        {"root": lambda v, eps: v + eps},
    ),
    (
        "averaged over the tokens, not over the features",
        "That is batch norm. Each token keeps to itself here: mean and variance run along its own features, the last axis.",
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
        "`x.mean(axis=-1)` has shape (n,), which meets the features of x, not its tokens; a square x hides that. `keepdims=True` makes it (n, 1).",
        {"mean": lambda x: x.mean(-1), "variance": lambda x: x.var(-1)},
    ),
    ("gamma and beta changed places", "gamma scales, beta shifts.", {"affine": lambda u, g, b: b * u + g}),
    (
        "mean not subtracted",
        "First move the token to mean 0, then divide. (Without the first step it is another norm, which unit 8 has.)",
        {"mean": lambda x: 0.0},
    ),
)

LAYER_NORM = Exercise(
    name="layer_norm",
    reference=reference.layer_norm,
    cases=_layer_norm_cases,
    mistakes=(
        *(Mistake(name, hint, _normed(**options)) for name, hint, options in _NORM_MISTAKES),
        Mistake(
            "gamma left out",
            "After the division each feature is scaled by its own gamma.",
            _normed(affine=lambda u, g, b: u + b),
        ),
        Mistake(
            "beta left out",
            "At the very end each feature is shifted by its own beta.",
            _normed(affine=lambda u, g, b: g * u),
        ),
        Mistake(
            "shifted by beta before scaling by gamma",
            "The order is scale, then shift: beta itself is not multiplied by gamma.",
            _normed(affine=lambda u, g, b: g * (u + b)),
        ),
        Mistake(
            "gamma and beta laid along the tokens",
            "Every token gets the same gamma and beta; they run along the features, so their one axis meets the last axis of x.",
            _normed(affine=lambda u, g, b: g[:, None] * u + b[:, None]),
        ),
        Mistake(
            "scaled to length 1, not to variance 1",
            "Variance is the mean of the squares, not their sum: with d features the two differ by √d.",
            _normed(variance=lambda x: ((x - x.mean(-1, keepdims=True)) ** 2).sum(-1, keepdims=True)),
        ),
        Mistake(
            "divided by the mean absolute deviation",
            "The spread meant here is the standard deviation: square, average, then the root.",
            _normed(variance=lambda x: np.abs(x - x.mean(-1, keepdims=True)).mean(-1, keepdims=True) ** 2),
        ),
    ),
    forbidden=_TORCH_NORMS,
    hints=(
        "Take one token: its mean, its deviations from the mean, the mean of their squares.",
        "With `axis=-1, keepdims=True` mean and variance keep an axis of length 1, so that they can be subtracted from x and divided by, all tokens at once.",
    ),
)


# --- add_and_norm ----------------------------------------------------------------------------------------


def _add_and_norm_cases(rng):
    return [
        Case("values", (_tokens(rng, 4, 6), _tokens(rng, 4, 6), *_norm_parameters(rng, 6)), note="4 tokens of width 6"),
        Case(
            "values",
            (_tokens(rng, 5, 5), _tokens(rng, 5, 5), *_norm_parameters(rng, 5)),
            note="5 tokens of width 5: square arrays",
        ),
        Case(
            "integers",
            (
                rng.permutation(np.arange(-4, 8)).reshape(3, 4),
                rng.integers(-3, 4, size=(3, 4)),
                np.array([1, 2, 3, -1]),
                np.array([0, 1, -2, 3]),
            ),
            note="whole numbers in",
        ),
        Case("eps", (_tokens(rng, 3, 4), _tokens(rng, 3, 4), *_norm_parameters(rng, 4), 0.3), note="eps = 0.3"),
        Case(
            "eps",
            (_normal(rng, 3, 5) * 2e-3, _normal(rng, 3, 5) * 2e-3, *_norm_parameters(rng, 5)),
            note="small tokens, and eps as it stands in the signature",
        ),
        Case(
            "bad arguments",
            (_tokens(rng, 3, 4), _tokens(rng, 3, 6), *_norm_parameters(rng, 4)),
            raises="ValueError",
            note="x of width 4, the sublayer's output of width 6",
        ),
    ]


def _added(combine):
    """A wrong add_and_norm; `combine(x, s, norm)` gets floats and the right norm."""

    def wrong(x, sublayer_output, gamma, beta, eps=1e-5):
        x, s = np.asarray(x, dtype=float), np.asarray(sublayer_output, dtype=float)
        x + s  # shapes that do not fit shall fail as they do for everyone
        return combine(x, s, lambda y: reference.layer_norm(y, gamma, beta, eps))

    return wrong


def _sum_normed(options):
    norm = _normed(**options)
    return lambda x, sublayer_output, gamma, beta, eps=1e-5: norm(
        np.asarray(x, dtype=float) + sublayer_output, gamma, beta, eps
    )


ADD_AND_NORM = Exercise(
    name="add_and_norm",
    reference=reference.add_and_norm,
    cases=_add_and_norm_cases,
    mistakes=(
        Mistake(
            "normalised x and then added the sublayer's output",
            "Post-norm: the norm comes last. First the sum, then the norm of the sum.",
            _added(lambda x, s, norm: norm(x) + s),
        ),
        Mistake(
            "normalised the sublayer's output only, then added x",
            "The norm belongs to the whole sum, x included: add first.",
            _added(lambda x, s, norm: x + norm(s)),
        ),
        Mistake(
            "normalised both parts and then added them",
            "One norm, at the end: of the sum of the two.",
            _added(lambda x, s, norm: norm(x) + norm(s)),
        ),
        Mistake(
            "no residual: the norm of the sublayer's output alone",
            "The sublayer's input x travels past it and is added to what came out.",
            _added(lambda x, s, norm: norm(s)),
        ),
        Mistake(
            "lost the sublayer's output: the norm of x alone",
            "What the sublayer found out has to be added to x.",
            _added(lambda x, s, norm: norm(x)),
        ),
        Mistake(
            "x + x: added x to itself",
            "The second part of the sum is what came out of the sublayer.",
            _added(lambda x, s, norm: norm(x + x)),
        ),
        Mistake(
            "no norm: the sum alone",
            "The sum still has to be normalised: `layer_norm` is yours already.",
            _added(lambda x, s, norm: x + s),
        ),
        Mistake(
            "subtracted the sublayer's output", "A residual connection adds.", _added(lambda x, s, norm: norm(x - s))
        ),
        Mistake(
            "multiplied x with the sublayer's output",
            "A residual connection adds.",
            _added(lambda x, s, norm: norm(x * s)),
        ),
        Mistake(
            "took the mean of the two, not their sum",
            "Only the sum is asked. The norm nearly hides the factor ½; eps gives it away.",
            _added(lambda x, s, norm: norm((x + s) / 2)),
        ),
        Mistake(
            "put the two side by side instead of adding them",
            "Adding keeps the width, which is what lets the layers stack. Concatenating doubles it.",
            _added(lambda x, s, norm: np.concatenate([x, s], axis=-1)),
        ),
        *(Mistake(name, hint, _sum_normed(options)) for name, hint, options in _NORM_MISTAKES),
    ),
    forbidden=_TORCH_NORMS,
    hints=(
        "Two steps: the sum of what went in and what came out, then the norm of that sum.",
        "The norm is the function you have just written, with the same gamma, beta and eps.",
    ),
)


# --- what the module exercises share ---------------------------------------------------------------------


def _f4(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, dtype=np.float32)


def _x(rng: np.random.Generator, *shape: int, gradient: bool = False) -> Tensor:
    return Tensor(_f4(0.6 * _tokens(rng, *shape)), gradient)


def _linear_weights(
    rng: np.random.Generator, name: str, d_in: int, d_out: int, gain: float = 1.0
) -> dict[str, np.ndarray]:
    return {
        f"{name}.weight": _f4(_normal(rng, d_out, d_in) * gain / np.sqrt(d_in)),
        f"{name}.bias": _f4(_normal(rng, d_out) * 0.5),
    }


def _norm_weights(rng: np.random.Generator, name: str, d: int) -> dict[str, np.ndarray]:
    return {f"{name}.weight": _f4(_gamma(rng, d)), f"{name}.bias": _f4(_beta(rng, d))}


def _layer_weights(rng: np.random.Generator, d: int, d_ff: int, prefix: str = "") -> dict[str, np.ndarray]:
    # What the sublayers add shall weigh as much as x itself, or a wrong residual would hardly show; and scores of about
    # unit variance keep the softmax from saturating, where float32 loses its digits.
    weights = {}
    for name, gain in (("W_q", 0.9), ("W_k", 0.9), ("W_v", 1.2), ("W_o", 2.0)):
        weights |= _linear_weights(rng, f"{prefix}self_attention.{name}", d, d, gain)
    weights |= _linear_weights(rng, f"{prefix}feed_forward.linear_1", d, d_ff, 1.2) | _linear_weights(
        rng, f"{prefix}feed_forward.linear_2", d_ff, d, 2.0
    )
    return weights | _norm_weights(rng, f"{prefix}norm_1", d) | _norm_weights(rng, f"{prefix}norm_2", d)


def _causal(n: int) -> Tensor:
    return Tensor(np.tri(n, dtype=bool))


def _padding(lengths: list[int], n: int) -> Tensor:
    return Tensor((np.arange(n) < np.array(lengths)[:, None])[:, None, None, :])  # (batch, 1, 1, n)


def _any_value(case, value, expected):
    return None


def _same_when_training(values):
    """The one demand on the two modes: they agree. Whether the values are right is asked elsewhere."""
    a, b = (values[mode] for mode in ("evaluating", "training"))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape and not close(b, a, 1e-4).all():
        return (
            "in training mode the same input gives another result: is there a dropout in it? This course leaves it out"
        )
    return None


_NO_DROPOUT = Relation("no dropout", _same_when_training)


def _both_modes(args: tuple, weights: dict[str, np.ndarray], x: Tensor) -> list[Case]:
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


# --- LayerNorm -------------------------------------------------------------------------------------------


def _layer_norm_module_cases(rng):
    def init(d, *args, **kwargs):
        return Init((d, *args), kwargs, weights={"weight": _f4(_gamma(rng, d)), "bias": _f4(_beta(rng, d))})

    equal = np.repeat(rng.permutation(np.arange(-4.0, 5.0))[:3, None], 5, axis=1)
    return [
        Case("values", (_x(rng, 4, 6),), init=init(6), note="4 tokens of width 6, weight and bias set from outside"),
        Case("values", (_x(rng, 5, 5),), init=init(5), note="5 tokens of width 5: a square x"),
        Case("batch axes", (_x(rng, 2, 4, 6),), init=init(6), note="2 sentences of 4 tokens"),
        Case("start values", (), init=Init((7,)), method="state_dict", note="a new LayerNorm(7)"),
        Case("eps", (_x(rng, 3, 4),), init=init(4, 0.3), note="LayerNorm(4, 0.3)"),
        Case("eps", (_x(rng, 3, 4),), init=init(4, eps=0.1), note="LayerNorm(4, eps=0.1)"),
        Case(
            "eps",
            (Tensor(_f4(_normal(rng, 3, 5) * 2e-3)),),
            init=init(5),
            note="tokens with a spread of 0.002, and eps as it stands in the signature",
        ),
        Case(
            "equal features",
            (Tensor(_f4(equal)),),
            init=init(5),
            note="every token has five equal features: its variance is 0",
        ),
        Case(
            "gradients",
            (_x(rng, 2, 3, 4, gradient=True),),
            init=init(4),
            gradients=True,
            note="gradients of x, weight and bias",
        ),
    ]


class _NormBase(nn.Module):
    """A right layer norm in steps, each of which a mistake may replace."""

    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.d_model, self.eps = d_model, eps
        self.make()

    def make(self):
        self.weight = nn.Parameter(torch.ones(self.d_model))
        self.bias = nn.Parameter(torch.zeros(self.d_model))

    def mean(self, x):
        return x.mean(-1, keepdim=True)

    def variance(self, x):
        return x.var(-1, keepdim=True, unbiased=False)

    def root(self, variance):
        return torch.sqrt(variance + self.eps)

    def affine(self, unit):
        return self.weight * unit + self.bias

    def forward(self, x):
        return self.affine((x - self.mean(x)) / self.root(self.variance(x)))


def _norm_module(**steps):
    return type("LayerNorm", (_NormBase,), steps)


def _with_parameters(**start):
    def make(self):
        for name, values in start.items():
            setattr(self, name, nn.Parameter(values(self.d_model)))

    return make


def _make_buffers(self):
    self.register_buffer("weight", torch.ones(self.d_model))
    self.register_buffer("bias", torch.zeros(self.d_model))


def _without_gradient(method):
    def step(self, x):
        with torch.no_grad():
            return method(self, x)

    return step


LAYER_NORM_MODULE = Exercise(
    name="LayerNorm",
    reference=reference.LayerNorm,
    cases=_layer_norm_module_cases,
    mistakes=(
        Mistake(
            "divided the variance by d - 1, not by d",
            "`torch.var` and `torch.std` divide by d - 1 unless you say `unbiased=False`; NumPy's do not. Layer norm divides by d.",
            _norm_module(variance=lambda self, x: x.var(-1, keepdim=True)),
        ),
        Mistake(
            "eps added outside the root",
            "Is your epsilon inside the root? It belongs to the variance: first add, then take the root.",
            _norm_module(root=lambda self, v: torch.sqrt(v) + self.eps),
        ),
        Mistake(
            "eps left out",
            "A token of equal features has variance 0: eps under the root keeps the division, and its gradient, finite.",
            _norm_module(root=lambda self, v: torch.sqrt(v)),
        ),
        Mistake(
            "eps fixed, whatever the argument says",
            "The constructor is given eps: keep it with `self.eps = eps` and use that.",
            _norm_module(root=lambda self, v: torch.sqrt(v + 1e-5)),
        ),
        Mistake(
            "divided by the variance, without the root",
            "After the division each token shall have variance 1, so divide by the root of the variance.",
            _norm_module(root=lambda self, v: v + self.eps),
        ),
        Mistake(
            "averaged over the tokens, not over the features",
            "Each token keeps to itself: mean and variance run along its own features, the last axis: `dim=-1`.",
            _norm_module(
                mean=lambda self, x: x.mean(-2, keepdim=True),
                variance=lambda self, x: x.var(-2, keepdim=True, unbiased=False),
            ),
        ),
        Mistake(
            "means without keepdim: they do not lie along the tokens",
            "`x.mean(dim=-1)` has shape (n,), which meets the features of x, not its tokens; a square x hides that. `keepdim=True` makes it (n, 1).",
            _norm_module(mean=lambda self, x: x.mean(-1), variance=lambda self, x: x.var(-1, unbiased=False)),
        ),
        Mistake(
            "averaged over the batch, not over the features",
            "That is batch norm: a token would depend on the other sentences. Mean and variance run along the last axis: `dim=-1`.",
            _norm_module(
                mean=lambda self, x: x.mean(0, keepdim=True),
                variance=lambda self, x: x.var(0, keepdim=True, unbiased=False),
            ),
        ),
        Mistake(
            "averaged over tokens and features together",
            "The tokens of a sentence do not share a mean here: only the last axis is averaged, `dim=-1`.",
            _norm_module(
                mean=lambda self, x: x.mean((-2, -1), keepdim=True),
                variance=lambda self, x: x.var((-2, -1), keepdim=True, unbiased=False),
            ),
        ),
        Mistake(
            "one mean and one variance for the whole array",
            "`x.mean()` mixes all tokens. Each has a mean of its own: `dim=-1, keepdim=True`.",
            _norm_module(mean=lambda self, x: x.mean(), variance=lambda self, x: x.var(unbiased=False)),
        ),
        Mistake(
            "there are no parameters called weight and bias",
            "`self.weight = nn.Parameter(...)` makes a trainable tensor that the module knows; a plain tensor stays unknown to it. The names are weight and bias.",
            _norm_module(make=lambda self: None, affine=lambda self, unit: unit),
        ),
        Mistake(
            "the parameters are called gamma and beta",
            "The module keeps γ as `weight` and β as `bias`, the names that `nn.LayerNorm` has, so that weights can be exchanged.",
            _norm_module(
                make=_with_parameters(gamma=torch.ones, beta=torch.zeros),
                affine=lambda self, unit: self.gamma * unit + self.beta,
            ),
        ),
        Mistake(
            "one gamma and one beta for all features",
            "weight and bias have one number for each feature: shape (d_model,).",
            _norm_module(make=_with_parameters(weight=lambda d: torch.ones(1), bias=lambda d: torch.zeros(1))),
        ),
        Mistake(
            "gamma and beta are single numbers",
            "weight and bias have one number for each feature: shape (d_model,).",
            _norm_module(make=_with_parameters(weight=lambda d: torch.ones(()), bias=lambda d: torch.zeros(()))),
        ),
        Mistake(
            "weight and bias are not used",
            "They are made in __init__, and forward has to scale by the one and shift by the other.",
            _norm_module(affine=lambda self, unit: unit),
        ),
        Mistake(
            "shifted by bias before scaling by weight",
            "The order is scale, then shift: the bias itself is not multiplied.",
            _norm_module(affine=lambda self, unit: self.weight * (unit + self.bias)),
        ),
        Mistake(
            "weight starts as zeros",
            "With γ = 0 a new layer would let nothing through. A new norm changes nothing after the division: ones, and zeros for the bias.",
            _norm_module(make=_with_parameters(weight=torch.zeros, bias=torch.zeros)),
        ),
        Mistake(
            "bias starts as ones",
            "A new norm shifts nothing: the bias starts as zeros.",
            _norm_module(make=_with_parameters(weight=torch.ones, bias=torch.ones)),
        ),
        Mistake(
            "weight and bias are not trainable",
            "A buffer, or a tensor with `requires_grad=False`, gets no gradient and so never learns: use `nn.Parameter`.",
            _norm_module(make=_make_buffers),
        ),
        Mistake(
            "no gradient through mean and variance",
            "Mean and variance depend on x, and the gradient has to know: no `.detach()` and no `torch.no_grad()` around them.",
            _norm_module(mean=_without_gradient(_NormBase.mean), variance=_without_gradient(_NormBase.variance)),
        ),
        Mistake(
            "mean not subtracted",
            "First move the token to mean 0, then divide.",
            _norm_module(mean=lambda self, x: 0.0),
        ),
    ),
    forbidden=_TORCH_NORMS,
    hints=(
        "`__init__` makes weight and bias as `nn.Parameter`s; `forward` is your `layer_norm` in torch, with them as γ and β.",
        "Mind the defaults: `np.var` divides by d, `torch.var` by d - 1 unless `unbiased=False`.",
    ),
)


# --- FeedForward -----------------------------------------------------------------------------------------


def _feed_forward_cases(rng):
    def init(d, d_ff):
        return Init(
            (d, d_ff), weights=_linear_weights(rng, "linear_1", d, d_ff) | _linear_weights(rng, "linear_2", d_ff, d)
        )

    weights = _linear_weights(rng, "linear_1", 3, 8) | _linear_weights(rng, "linear_2", 8, 3)
    return [
        Case(
            "values",
            (_x(rng, 5, 4),),
            init=init(4, 7),
            note="5 tokens, d_model = 4, d_ff = 7, weights set from outside",
        ),
        Case("values", (_x(rng, 3, 4),), init=init(4, 4), note="d_model = d_ff = 4: square weights"),
        Case("values", (_x(rng, 6, 5),), init=init(5, 2), note="d_ff smaller than d_model"),
        Case("batch axes", (_x(rng, 2, 3, 4),), init=init(4, 6), note="2 sentences of 3 tokens"),
        Case(
            "gradients",
            (_x(rng, 2, 3, 4, gradient=True),),
            init=init(4, 9),
            gradients=True,
            note="gradients of x and of all weights",
        ),
        *_both_modes((3, 8), weights, _x(rng, 20, 3)),
    ]


def _feed_forward(forward=None, make=None):
    """A FeedForward with another forward, or with other layers; `make(self, d_model, d_ff)` may change what was made."""

    class FeedForward(reference.FeedForward):
        def __init__(self, d_model, d_ff):
            super().__init__(d_model, d_ff)
            if make is not None:
                make(self, d_model, d_ff)

    if forward is not None:
        FeedForward.forward = forward
    return FeedForward


def _through(activation):
    return lambda self, x: self.linear_2(activation(self.linear_1(x)))


def _set(**layers):
    def make(self, d_model, d_ff):
        for name, layer in layers.items():
            setattr(self, name, layer(d_model, d_ff))

    return make


def _sequential(self, d_model, d_ff):
    del self.linear_1, self.linear_2
    self.net = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))


FEED_FORWARD = Exercise(
    name="FeedForward",
    reference=reference.FeedForward,
    cases=_feed_forward_cases,
    mistakes=(
        Mistake(
            "no ReLU between the two layers",
            "Two linear layers in a row are one linear layer. The ReLU between them makes the second worth having.",
            _feed_forward(_through(lambda h: h)),
        ),
        Mistake(
            "a ReLU after the second layer too",
            "The result is added to x, and has to be able to lower it: nothing cuts off the negative half after linear_2.",
            _feed_forward(lambda self, x: torch.relu(_through(torch.relu)(self, x))),
        ),
        Mistake(
            "the ReLU after the second layer, not between the two",
            "The ReLU belongs between: linear_1, ReLU, linear_2.",
            _feed_forward(lambda self, x: torch.relu(_through(lambda h: h)(self, x))),
        ),
        Mistake(
            "the ReLU before the first layer",
            "linear_1 sees x as it is. The ReLU belongs between the two layers.",
            _feed_forward(lambda self, x: self.linear_2(self.linear_1(torch.relu(x)))),
        ),
        Mistake(
            "GELU instead of ReLU",
            "Many newer models use GELU. This exercise, like the paper, asks for ReLU: max(0, h).",
            _feed_forward(_through(nn.functional.gelu)),
        ),
        Mistake(
            "tanh instead of ReLU",
            "ReLU is max(0, h): zero for negative entries, the entry itself for positive ones.",
            _feed_forward(_through(torch.tanh)),
        ),
        Mistake(
            "sigmoid instead of ReLU",
            "ReLU is max(0, h): zero for negative entries, the entry itself for positive ones.",
            _feed_forward(_through(torch.sigmoid)),
        ),
        Mistake(
            "softmax instead of ReLU",
            "ReLU is max(0, h), for every entry alone; nothing is normalised here.",
            _feed_forward(_through(lambda h: h.softmax(-1))),
        ),
        Mistake(
            "the absolute value instead of ReLU",
            "ReLU sets negative entries to zero; it does not turn them around.",
            _feed_forward(_through(torch.abs)),
        ),
        Mistake(
            "the residual is added here already",
            "x travels past this network in the encoder layer, which does the adding. Here only the two linear layers are asked.",
            _feed_forward(lambda self, x: x + _through(torch.relu)(self, x)),
        ),
        Mistake(
            "the second layer was left out",
            "linear_2 brings the width back from d_ff to d_model.",
            _feed_forward(lambda self, x: torch.relu(self.linear_1(x))),
        ),
        Mistake(
            "linear layers without biases",
            "Both layers have a bias, which `nn.Linear` makes unless told otherwise.",
            _feed_forward(
                make=_set(
                    linear_1=lambda d, f: nn.Linear(d, f, bias=False), linear_2=lambda d, f: nn.Linear(f, d, bias=False)
                )
            ),
        ),
        Mistake(
            "d_model and d_ff changed places in the layers",
            "`nn.Linear(in, out)`: the first layer goes from d_model to d_ff, the second back.",
            _feed_forward(make=_set(linear_1=lambda d, f: nn.Linear(f, d), linear_2=lambda d, f: nn.Linear(d, f))),
        ),
        Mistake(
            "the layers are in a Sequential, under other names",
            "The two layers are attributes called `linear_1` and `linear_2`; their weights are set by these names.",
            _feed_forward(lambda self, x: self.net(x), make=_sequential),
        ),
        Mistake(
            "dropout inside",
            "The paper drops out while training; this course leaves it out, so that the same input gives the same result.",
            _feed_forward(lambda self, x: nn.functional.dropout(_through(torch.relu)(self, x), 0.1, self.training)),
        ),
    ),
    compare={"no dropout": _any_value},
    relations=(_NO_DROPOUT,),
    hints=(
        "Three steps on the way through: linear_1, ReLU, linear_2.",
        "`nn.Linear` works on the last axis and leaves the others alone, so batches need nothing special.",
    ),
)


# --- EncoderLayer ----------------------------------------------------------------------------------------


def _encoder_layer_cases(rng):
    def init(d, heads, d_ff, norm_first=False):
        return Init((d, heads, d_ff, norm_first), weights=_layer_weights(rng, d, d_ff))

    def two(d, heads, d_ff):
        return Init((d, heads, d_ff), weights=_layer_weights(rng, d, d_ff))

    holes = rng.random((2, 2, 4, 4)) < 0.6
    holes[..., np.arange(4), np.arange(4)] = True
    empty = np.tri(4, dtype=bool)
    empty[2] = False
    return [
        Case(
            "post-norm values",
            (_x(rng, 2, 5, 6),),
            init=two(6, 2, 9),
            note="2 sentences of 5 tokens, d_model = 6, 2 heads, d_ff = 9",
        ),
        Case("post-norm values", (_x(rng, 4, 6),), init=init(6, 3, 8), note="one sentence of 4 tokens, 3 heads"),
        Case(
            "pre-norm values", (_x(rng, 2, 5, 6),), init=init(6, 2, 9, True), note="the same sizes with norm_first=True"
        ),
        Case(
            "masks",
            (_x(rng, 2, 5, 6), _padding([3, 5], 5)),
            init=init(6, 2, 7),
            note="post-norm, sentences of 3 and 5 tokens in a batch, padding masked",
        ),
        Case(
            "masks",
            (_x(rng, 2, 4, 6), Tensor(holes)),
            init=init(6, 2, 7),
            note="post-norm, a mask for every sentence and head",
        ),
        Case(
            "masks",
            (_x(rng, 5, 4), _causal(5)),
            init=init(4, 2, 7, True),
            note="pre-norm, every token sees itself and those before it",
        ),
        Case("empty rows", (_x(rng, 4, 6), Tensor(empty)), init=init(6, 2, 7), note="one token may attend to nothing"),
        Case(
            "gradients",
            (_x(rng, 2, 3, 6, gradient=True), _padding([3, 2], 3)),
            init=init(6, 2, 8),
            gradients=True,
            note="post-norm, gradients of x and of all weights",
        ),
        Case(
            "gradients",
            (_x(rng, 2, 3, 6, gradient=True),),
            init=init(6, 3, 8, True),
            gradients=True,
            note="pre-norm, gradients of x and of all weights",
        ),
        *_both_modes((6, 2, 8), _layer_weights(rng, 6, 8), _x(rng, 8, 6)),
        Case(
            "bad arguments",
            (),
            init=Init((6, 4, 8)),
            method="state_dict",
            raises="ValueError",
            note="4 heads, d_model = 6",
        ),
        Case("bad arguments", (), init=Init((6, 0, 8)), method="state_dict", raises="ValueError", note="no heads"),
    ]


def _right_post(self, x, mask):
    x = self.norm_1(x + self.attend(x, mask))
    return self.norm_2(x + self.feed_forward(x))


def _right_pre(self, x, mask):
    x = x + self.attend(self.norm_1(x), mask)
    return x + self.feed_forward(self.norm_2(x))


def _layer(post=_right_post, pre=_right_pre, make=None, attend=None):
    """An EncoderLayer with another way through for one order of the norm, other parts, or another attention."""

    class EncoderLayer(reference.EncoderLayer):
        def __init__(self, d_model, n_heads, d_ff, norm_first=False):
            super().__init__(d_model, n_heads, d_ff, norm_first)
            if make is not None:
                make(self, d_model, n_heads, d_ff)

        def attend(self, x, mask):
            return self.self_attention(x, x, x, mask)[0]

        def forward(self, x, mask=None):
            return (pre if self.norm_first else post)(self, x, mask)

    if attend is not None:
        EncoderLayer.attend = attend
    return EncoderLayer


def _no_residual_post(self, x, mask):
    return self.norm_2(self.feed_forward(self.norm_1(self.attend(x, mask))))


def _no_residual_pre(self, x, mask):
    return self.feed_forward(self.norm_2(self.attend(self.norm_1(x), mask)))


def _doubled_pre(self, x, mask):
    x = self.attend(self.norm_1(x), mask)
    x = x + x
    x = self.feed_forward(self.norm_2(x))
    return x + x


def _itself_post(self, x, mask):
    x = self.norm_1(x + x)
    return self.norm_2(x + x)


def _from_input_post(self, x, mask):
    y = self.norm_1(x + self.attend(x, mask))
    return self.norm_2(x + self.feed_forward(y))


def _from_input_pre(self, x, mask):
    y = x + self.attend(self.norm_1(x), mask)
    return x + self.feed_forward(self.norm_2(y))


def _parallel_post(self, x, mask):
    y = self.norm_1(x + self.attend(x, mask))
    return self.norm_2(y + self.feed_forward(x))


def _parallel_pre(self, x, mask):
    return x + self.attend(self.norm_1(x), mask) + self.feed_forward(self.norm_2(x))


def _no_norm(self, x, mask):
    x = x + self.attend(x, mask)
    return x + self.feed_forward(x)


def _inner_norm(self, x, mask):
    x = x + self.norm_1(self.attend(x, mask))
    return x + self.norm_2(self.feed_forward(x))


def _from_normed_pre(self, x, mask):
    x = self.norm_1(x)
    x = x + self.attend(x, mask)
    x = self.norm_2(x)
    return x + self.feed_forward(x)


def _first_from_normed_pre(self, x, mask):
    x = self.norm_1(x)
    x = x + self.attend(x, mask)
    return x + self.feed_forward(self.norm_2(x))


def _second_from_normed_pre(self, x, mask):
    x = self.norm_2(x + self.attend(self.norm_1(x), mask))
    return x + self.feed_forward(x)


def _query_only_pre(self, x, mask):
    x = x + self.self_attention(self.norm_1(x), x, x, mask)[0]
    return x + self.feed_forward(self.norm_2(x))


def _sandwich_pre(self, x, mask):
    x = self.norm_1(x + self.attend(self.norm_1(x), mask))
    return self.norm_2(x + self.feed_forward(self.norm_2(x)))


def _norm_1_twice_post(self, x, mask):
    x = self.norm_1(x + self.attend(x, mask))
    return self.norm_1(x + self.feed_forward(x))


def _norm_1_twice_pre(self, x, mask):
    x = x + self.attend(self.norm_1(x), mask)
    return x + self.feed_forward(self.norm_1(x))


def _norms_swapped_post(self, x, mask):
    x = self.norm_2(x + self.attend(x, mask))
    return self.norm_1(x + self.feed_forward(x))


def _norms_swapped_pre(self, x, mask):
    x = x + self.attend(self.norm_2(x), mask)
    return x + self.feed_forward(self.norm_1(x))


def _first_only_post(self, x, mask):
    return self.norm_2(self.feed_forward(self.norm_1(x + self.attend(x, mask))))


def _first_only_pre(self, x, mask):
    x = x + self.attend(self.norm_1(x), mask)
    return self.feed_forward(self.norm_2(x))


def _second_only_post(self, x, mask):
    x = self.norm_1(self.attend(x, mask))
    return self.norm_2(x + self.feed_forward(x))


def _second_only_pre(self, x, mask):
    x = self.attend(self.norm_1(x), mask)
    return x + self.feed_forward(self.norm_2(x))


def _one_norm_post(self, x, mask):
    x = x + self.attend(x, mask)
    return self.norm_2(x + self.feed_forward(x))


def _feed_forward_first_post(self, x, mask):
    x = self.norm_2(x + self.feed_forward(x))
    return self.norm_1(x + self.attend(x, mask))


def _detached(way):
    return lambda self, x, mask: way(self, x.detach(), mask)


def _detached_residual_post(self, x, mask):
    x = self.norm_1(x.detach() + self.attend(x, mask))
    return self.norm_2(x.detach() + self.feed_forward(x))


def _detached_residual_pre(self, x, mask):
    x = x.detach() + self.attend(self.norm_1(x), mask)
    return x.detach() + self.feed_forward(self.norm_2(x))


def _with_weights(way):
    def forward(self, x, mask):
        return way(self, x, mask), self.self_attention(x, x, x, mask)[1]

    return forward


def _dropping(way):
    return lambda self, x, mask: nn.functional.dropout(way(self, x, mask), 0.1, self.training)


def _one_head(self, d_model, n_heads, d_ff):
    self.self_attention = MultiHeadAttention(d_model, 1)


def _other_attention(self, d_model, n_heads, d_ff):
    self.self_attention = nn.MultiheadAttention(d_model, n_heads, batch_first=True)


def _no_bias(self, d_model, n_heads, d_ff):
    self.self_attention = MultiHeadAttention(d_model, n_heads, bias=False)


def _wrong_network(forward):
    def make(self, d_model, n_heads, d_ff):
        self.feed_forward = _feed_forward(forward)(d_model, d_ff)

    return make


def _wrong_norm(**steps):
    def make(self, d_model, n_heads, d_ff):
        self.norm_1, self.norm_2 = (_norm_module(**steps)(d_model) for _ in range(2))

    return make


def _inverted(self, x, mask):
    return self.self_attention(x, x, x, None if mask is None else ~mask)[0]


def _mask_needed(self, x, mask):
    return self.self_attention(x, x, x, mask.bool())[0]


_FORBIDDEN_LAYERS = ("torch._transformer_encoder_layer_fwd", "torch.nn.functional.multi_head_attention_forward")

# Each order of the norm has records of its own, so that a mistake is named that is made in one of the two ways only. Who makes
# one in both ways is told of the post-norm first, which has more cases.
ENCODER_LAYER = Exercise(
    name="EncoderLayer",
    reference=reference.EncoderLayer,
    cases=_encoder_layer_cases,
    mistakes=(
        Mistake(
            "post-norm asked, pre-norm computed",
            "`norm_first=False` is the order of the paper: the norm comes after the sum. Are the two branches swapped, or is there only one?",
            _layer(post=_right_pre),
        ),
        Mistake(
            "pre-norm asked, post-norm computed",
            "With `norm_first=True` the norm stands before each sublayer, and nothing stands on the road after the sum.",
            _layer(pre=_right_post),
        ),
        # Twice the output, as `x = attend(x); norm(x + x)` makes it, has the same norm: one record for both.
        Mistake(
            "post-norm: no residual connections",
            "Each sublayer's input is added to its output, then comes the norm. Was x overwritten by the output before the sum?",
            _layer(post=_no_residual_post),
        ),
        Mistake(
            "pre-norm: no residual connections",
            "Each sublayer's output is added to x as it came: `x + ...`.",
            _layer(pre=_no_residual_pre),
        ),
        Mistake(
            "pre-norm: the sublayer's output was added to itself",
            "Once `x` is overwritten by the sublayer's output, `x + x` adds that to itself: give the output a name of its own.",
            _layer(pre=_doubled_pre),
        ),
        Mistake(
            "post-norm: x + x, without the sublayers",
            "The second part of each sum is what came out of the sublayer.",
            _layer(post=_itself_post),
        ),
        Mistake(
            "post-norm: the second residual starts from the layer's input",
            "The second road begins where the first one ended: with the result of the first norm.",
            _layer(post=_from_input_post),
        ),
        Mistake(
            "pre-norm: the second residual starts from the layer's input",
            "The second road begins where the first one ended: with the sum after the attention.",
            _layer(pre=_from_input_pre),
        ),
        Mistake(
            "post-norm: the feed-forward network reads the layer's input",
            "The feed-forward network works on what the attention has renewed, not beside it.",
            _layer(post=_parallel_post),
        ),
        Mistake(
            "pre-norm: the feed-forward network reads the layer's input",
            "The feed-forward network works on what the attention has renewed, not beside it.",
            _layer(pre=_parallel_pre),
        ),
        Mistake(
            "post-norm: the norms are left out",
            "After each sum comes a norm: norm_1, then norm_2.",
            _layer(post=_no_norm),
        ),
        Mistake(
            "pre-norm: the norms are left out",
            "Before each sublayer comes a norm: norm_1, then norm_2.",
            _layer(pre=_no_norm),
        ),
        Mistake(
            "post-norm: only the sublayer's output is normalised",
            "The norm belongs to the whole sum, x included: add first.",
            _layer(post=_inner_norm),
        ),
        Mistake(
            "pre-norm: the norm stands after the sublayer",
            "Pre-norm normalises what goes into the sublayer, not what comes out.",
            _layer(pre=_inner_norm),
        ),
        Mistake(
            "post-norm: norm_1 is left out",
            "There are two sums in a layer, and each has its own norm.",
            _layer(post=_one_norm_post),
        ),
        Mistake(
            "pre-norm: both residuals start from the normalised x",
            "On the residual road travels x as it came: normalise a copy for the sublayer, and add the output to the untouched x.",
            _layer(pre=_from_normed_pre),
        ),
        Mistake(
            "pre-norm: the first residual starts from the normalised x",
            "On the residual road travels x as it came: normalise a copy for the attention, and add the output to the untouched x.",
            _layer(pre=_first_from_normed_pre),
        ),
        Mistake(
            "pre-norm: the second residual starts from the normalised x",
            "On the residual road travels x as it came: normalise a copy for the network, and add the output to the untouched x.",
            _layer(pre=_second_from_normed_pre),
        ),
        Mistake(
            "pre-norm: only the query is normalised",
            "Query, key and value of self-attention come from one place: the normalised x, three times.",
            _layer(pre=_query_only_pre),
        ),
        Mistake(
            "pre-norm: normalised before the sublayer and again after the sum",
            "Pre-norm or post-norm, not both: with `norm_first=True` nothing stands on the road after the sum.",
            _layer(pre=_sandwich_pre),
        ),
        Mistake(
            "post-norm: norm_1 used for both sublayers",
            "Each of the two norms has weights of its own: norm_1 for the attention, norm_2 for the feed-forward network.",
            _layer(post=_norm_1_twice_post),
        ),
        Mistake(
            "pre-norm: norm_1 used for both sublayers",
            "Each of the two norms has weights of its own: norm_1 for the attention, norm_2 for the feed-forward network.",
            _layer(pre=_norm_1_twice_pre),
        ),
        Mistake(
            "post-norm: norm_1 and norm_2 changed places",
            "norm_1 belongs to the attention, norm_2 to the feed-forward network.",
            _layer(post=_norms_swapped_post),
        ),
        Mistake(
            "pre-norm: norm_1 and norm_2 changed places",
            "norm_1 belongs to the attention, norm_2 to the feed-forward network.",
            _layer(pre=_norms_swapped_pre),
        ),
        Mistake(
            "post-norm: no residual around the feed-forward network",
            "Both sublayers have a road that passes them, the second one too.",
            _layer(post=_first_only_post),
        ),
        Mistake(
            "pre-norm: no residual around the feed-forward network",
            "Both sublayers have a road that passes them, the second one too.",
            _layer(pre=_first_only_pre),
        ),
        Mistake(
            "post-norm: no residual around the attention",
            "Both sublayers have a road that passes them, the first one too.",
            _layer(post=_second_only_post),
        ),
        Mistake(
            "pre-norm: no residual around the attention",
            "Both sublayers have a road that passes them, the first one too.",
            _layer(pre=_second_only_pre),
        ),
        Mistake(
            "post-norm: the feed-forward network comes before the attention",
            "First the tokens talk to each other, then each thinks for itself.",
            _layer(post=_feed_forward_first_post),
        ),
        Mistake(
            "the mask is not handed on",
            "The layer does nothing with the mask itself: it passes it to `self_attention`.",
            _layer(attend=lambda self, x, mask: self.self_attention(x, x, x)[0]),
        ),
        Mistake(
            "the mask is inverted",
            "True = may attend, in the layer as in unit 4's attention: hand the mask on as it is. (`nn.MultiheadAttention` has it the other way round.)",
            _layer(attend=_inverted),
        ),
        Mistake(
            "crashes without a mask",
            "`mask=None` is the usual call: everyone sees everything. Hand None on as it is.",
            _layer(attend=_mask_needed),
        ),
        Mistake(
            "the attention's two results are not taken apart",
            "`self_attention` returns the pair (output, weights): only the output goes on the road.",
            _layer(attend=lambda self, x, mask: self.self_attention(x, x, x, mask)),
        ),
        Mistake(
            "returned the attention weights as well",
            "The layer returns x alone, so that its result can go straight into the next layer.",
            _layer(_with_weights(_right_post), _with_weights(_right_pre)),
        ),
        Mistake(
            "one head, whatever n_heads says",
            "Hand n_heads on to the attention: the weights have the same shapes for any number of heads, which hides it.",
            _layer(make=_one_head),
        ),
        Mistake(
            "self_attention is torch's own nn.MultiheadAttention",
            "It keeps its weights under other names and reads masks the other way round. Use unit 4's `MultiHeadAttention`.",
            _layer(make=_other_attention, attend=lambda self, x, mask: self.self_attention(x, x, x)[0]),
        ),
        Mistake(
            "the attention has no biases",
            "All linear layers have biases here; `bias=True` is the default of unit 4's attention.",
            _layer(make=_no_bias),
        ),
        Mistake(
            "no ReLU in the feed-forward network",
            "linear_1, ReLU, linear_2.",
            _layer(make=_wrong_network(_through(lambda h: h))),
        ),
        Mistake(
            "the residual is added twice: in the feed-forward network too",
            "Where is x added to the output, in `FeedForward` or in the layer? Once is enough, and it belongs to the layer.",
            _layer(make=_wrong_network(lambda self, x: x + _through(torch.relu)(self, x))),
        ),
        Mistake(
            "the norms divide the variance by d - 1",
            "Is `LayerNorm` right? Its check tells: `torch.var` divides by d - 1 unless `unbiased=False`.",
            _layer(make=_wrong_norm(variance=lambda self, x: x.var(-1, keepdim=True))),
        ),
        Mistake(
            "the norms average over the tokens",
            "Is `LayerNorm` right? Its check tells: mean and variance run along the features of each token.",
            _layer(
                make=_wrong_norm(
                    mean=lambda self, x: x.mean(-2, keepdim=True),
                    variance=lambda self, x: x.var(-2, keepdim=True, unbiased=False),
                )
            ),
        ),
        Mistake(
            "x is detached: no gradient reaches the layers below",
            "The layers below learn from the gradient of x: no `.detach()` on the way.",
            _layer(_detached(_right_post), _detached(_right_pre)),
        ),
        Mistake(
            "no gradient on the residual road",
            "The road is there for the gradient above all: add x itself, not `x.detach()`.",
            _layer(_detached_residual_post, _detached_residual_pre),
        ),
        Mistake(
            "dropout inside",
            "The paper drops out while training; this course leaves it out, so that the same input gives the same result.",
            _layer(_dropping(_right_post), _dropping(_right_pre)),
        ),
    ),
    forbidden=_FORBIDDEN_LAYERS,
    compare={"no dropout": _any_value},
    relations=(_NO_DROPOUT,),
    hints=(
        "Two sublayers, two sums, two norms. Draw the road of x through the layer first: where does it fork, where do the arms meet, where does the norm stand?",
        "Post-norm: `x = norm(x + sublayer(x))`. Pre-norm: `x = x + sublayer(norm(x))`. Once with the attention, once with the feed-forward network.",
    ),
)


# --- Encoder ---------------------------------------------------------------------------------------------


def _encoder_weights(rng, n_layers, d, d_ff, norm_first):
    weights = {}
    for i in range(n_layers):
        weights |= _layer_weights(rng, d, d_ff, f"layers.{i}.")
    return weights | (_norm_weights(rng, "norm", d) if norm_first else {})


_N_LAYERS = "N layers are N layers"
# Rounding grows from layer to layer in float32; float16 is still thirty times too coarse for this.
_ENCODER_TOLERANCE = 3e-5


def _encoder_cases(rng):
    def init(n_layers, d, heads, d_ff, norm_first=False):
        return Init(
            (n_layers, d, heads, d_ff, norm_first), weights=_encoder_weights(rng, n_layers, d, d_ff, norm_first)
        )

    return [
        Case(
            "post-norm values",
            (_x(rng, 2, 4, 6),),
            init=init(3, 6, 2, 7),
            note="3 layers, 2 sentences of 4 tokens, d_model = 6, 2 heads, d_ff = 7",
        ),
        Case("post-norm values", (_x(rng, 5, 6),), init=init(1, 6, 3, 8), note="a single layer, one sentence"),
        Case(
            "pre-norm values",
            (_x(rng, 2, 4, 6),),
            init=init(2, 6, 2, 7, True),
            note="2 layers with norm_first=True, and the norm at the end",
        ),
        Case(
            "masks",
            (_x(rng, 2, 4, 6), _padding([2, 4], 4)),
            init=init(2, 6, 2, 7),
            note="post-norm, sentences of 2 and 4 tokens in a batch, padding masked",
        ),
        Case(
            "masks",
            (_x(rng, 5, 4), _causal(5)),
            init=init(2, 4, 2, 6, True),
            note="pre-norm, every token sees itself and those before it",
        ),
        Case(
            _N_LAYERS,
            (_x(rng, 3, 4),),
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
            (_x(rng, 2, 3, 6, gradient=True), _padding([3, 2], 3)),
            init=init(2, 6, 2, 5),
            gradients=True,
            note="post-norm, gradients of x and of all weights",
        ),
        Case(
            "gradients",
            (_x(rng, 3, 6, gradient=True),),
            init=init(2, 6, 2, 5, True),
            gradients=True,
            note="pre-norm, gradients of x and of all weights",
        ),
        *_both_modes((2, 6, 2, 7), _encoder_weights(rng, 2, 6, 7, False), _x(rng, 8, 6)),
        Case(
            "bad arguments",
            (),
            init=Init((2, 6, 4, 8)),
            method="state_dict",
            raises="ValueError",
            note="4 heads, d_model = 6",
        ),
        Case("bad arguments", (), init=Init((2, 6, 0, 8)), method="state_dict", raises="ValueError", note="no heads"),
    ]


def _as_layers(case, value, expected):
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
        told = [
            f"{word} {', '.join(names[:6])}"
            for word, names in (("it has no", missing), ("it should not have", extra))
            if names
        ]
        return f"the parameters of your Encoder differ: {'; '.join(told)}"
    odd = [k for k in expected if np.shape(value[k]) != expected[k].shape]
    if odd:
        return f"the parameter {odd[0]} has shape {np.shape(value[odd[0]])}, expected {expected[odd[0]].shape}"
    return None


def _start_apart(values):
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


def _run_layers(self, x, mask):
    for layer in self.layers:
        x = layer(x, mask)
    return x


def _finish(self, x):
    return x if self.norm is None else self.norm(x)


def _encoder(forward=None, make=None):
    """An Encoder with another forward, or other parts; `make(self, n_layers, d_model, n_heads, d_ff, norm_first)` may change what was made."""

    class Encoder(reference.Encoder):
        def __init__(self, n_layers, d_model, n_heads, d_ff, norm_first=False):
            super().__init__(n_layers, d_model, n_heads, d_ff, norm_first)
            if make is not None:
                make(self, n_layers, d_model, n_heads, d_ff, norm_first)

        def forward(self, x, mask=None):
            return forward(self, x, mask) if forward is not None else _finish(self, _run_layers(self, x, mask))

    return Encoder


def _made_of(layers):
    """`make` for an Encoder whose layers are `layers(new layer, N)`."""

    def make(self, n_layers, d_model, n_heads, d_ff, norm_first):
        self.layers = layers(
            lambda **changed: reference.EncoderLayer(
                **({"d_model": d_model, "n_heads": n_heads, "d_ff": d_ff, "norm_first": norm_first} | changed)
            ),
            n_layers,
        )

    return make


def _copied(layer, n):
    first = layer()
    rest = [layer() for _ in range(n - 1)]
    for other in rest:
        other.load_state_dict(first.state_dict())
    return nn.ModuleList([first, *rest])


def _drop_norm(self, *sizes):
    self.norm = None


def _always_norm(self, n_layers, d_model, *sizes):
    self.norm = reference.LayerNorm(d_model)


def _plain_list(self, *sizes):
    layers = list(self.layers)
    del self.layers
    self.layers = layers


def _dropout_between(self, x, mask):
    for layer in self.layers:
        x = nn.functional.dropout(layer(x, mask), 0.1, self.training)
    return _finish(self, x)


def _all_from_input(self, x, mask):
    for layer in self.layers:
        y = layer(x, mask)
    return _finish(self, y)


def _nothing_kept(self, x, mask):
    for layer in self.layers:
        layer(x, mask)
    return _finish(self, x.clone())


def _first_masked(self, x, mask):
    for i, layer in enumerate(self.layers):
        x = layer(x, mask if i == 0 else None)
    return _finish(self, x)


def _norm_between(self, x, mask):
    for layer in self.layers:
        x = _finish(self, layer(x, mask))
    return x


def _norm_ahead(self, x, mask):
    return _run_layers(self, _finish(self, x), mask)


def _backwards(self, x, mask):
    for layer in reversed(self.layers):
        x = layer(x, mask)
    return _finish(self, x)


def _only_last(self, x, mask):
    return _finish(self, self.layers[-1](x, mask))


def _all_outputs(self, x, mask):
    outputs = []
    for layer in self.layers:
        x = layer(x, mask)
        outputs.append(x)
    return torch.stack(outputs)


def _extra_residual(self, x, mask):
    return _finish(self, x + _run_layers(self, x, mask))


def _detached_between(self, x, mask):
    for layer in self.layers:
        x = layer(x.detach(), mask)
    return _finish(self, x)


ENCODER = Exercise(
    name="Encoder",
    reference=reference.Encoder,
    cases=_encoder_cases,
    mistakes=(
        Mistake(
            "one layer object used N times",
            "`[layer] * n` lists one layer n times, and so there is one set of weights. Call `EncoderLayer(...)` once for every layer.",
            _encoder(make=_made_of(lambda layer, n: nn.ModuleList([layer()] * n))),
        ),
        Mistake(
            "all layers start from the same weights",
            "Copies (`copy.deepcopy`) are layers of their own, but start equal. Call `EncoderLayer(...)` once for every layer, and each draws its own.",
            _encoder(make=_made_of(_copied)),
        ),
        Mistake(
            "no final norm with pre-norm",
            "With `norm_first=True` nothing normalises what the last layer hands on: the encoder has a `norm` for that.",
            _encoder(make=_drop_norm),
        ),
        Mistake(
            "the final norm is made, but not used",
            "With `norm_first=True` the result goes through `self.norm` after the last layer.",
            _encoder(forward=_run_layers),
        ),
        Mistake(
            "a final norm with post-norm too",
            "With post-norm every layer ends in a norm already: make `norm` only when `norm_first` is true.",
            _encoder(make=_always_norm),
        ),
        Mistake(
            "the final norm comes before the layers",
            "It stands at the end of the road, after the last layer.",
            _encoder(forward=_norm_ahead),
        ),
        Mistake(
            "the final norm after every layer",
            "It comes once, after the last layer; between the layers the road stays free.",
            _encoder(forward=_norm_between),
        ),
        Mistake(
            "the layers are in a plain Python list",
            "A module does not look into a list: its layers would neither train nor be saved. `nn.ModuleList` makes them known.",
            _encoder(make=_plain_list),
        ),
        Mistake(
            "norm_first is not handed to the layers",
            "Each `EncoderLayer` has to be told whether it is pre-norm.",
            _encoder(make=_made_of(lambda layer, n: nn.ModuleList(layer(norm_first=False) for _ in range(n)))),
        ),
        Mistake(
            "the mask is not handed to the layers",
            "Every layer gets the mask: `layer(x, mask)`.",
            _encoder(forward=lambda self, x, mask: _finish(self, _run_layers(self, x, None))),
        ),
        Mistake(
            "only the first layer gets the mask",
            "Padding that the first layer hides is seen by the second: every layer gets the mask.",
            _encoder(forward=_first_masked),
        ),
        Mistake(
            "the mask is inverted",
            "True = may attend, everywhere in this course: hand the mask on as it is.",
            _encoder(
                forward=lambda self, x, mask: _finish(self, _run_layers(self, x, None if mask is None else ~mask))
            ),
        ),
        Mistake(
            "crashes without a mask",
            "`mask=None` is the usual call: hand None on as it is.",
            _encoder(forward=lambda self, x, mask: _finish(self, _run_layers(self, x, mask.bool()))),
        ),
        Mistake(
            "every layer reads the first input",
            "Each layer reads what the one before has written: `x = layer(x, mask)`.",
            _encoder(forward=_all_from_input),
        ),
        Mistake(
            "returned the input: what the layers return is not kept",
            "A layer does not change x in place. Keep its result: `x = layer(x, mask)`.",
            _encoder(forward=_nothing_kept),
        ),
        Mistake(
            "one layer too few",
            "`range(n)` counts to n already: there are n layers, and each is used.",
            _encoder(make=_made_of(lambda layer, n: nn.ModuleList(layer() for _ in range(n - 1)))),
        ),
        Mistake(
            "one layer too many",
            "`range(n)` makes n layers.",
            _encoder(make=_made_of(lambda layer, n: nn.ModuleList(layer() for _ in range(n + 1)))),
        ),
        Mistake(
            "the layers run from last to first",
            "layers[0] reads the embeddings, and the last one writes the result.",
            _encoder(forward=_backwards),
        ),
        Mistake(
            "returned the outputs of all layers",
            "Only what the last layer writes is returned: one array of the shape of x.",
            _encoder(forward=_all_outputs),
        ),
        Mistake(
            "an extra residual around the whole stack",
            "The roads are inside the layers already; the encoder itself adds nothing.",
            _encoder(forward=_extra_residual),
        ),
        Mistake(
            "one head, whatever n_heads says",
            "Hand n_heads on to each layer: the weights have the same shapes for any number of heads, which hides it.",
            _encoder(make=_made_of(lambda layer, n: nn.ModuleList(layer(n_heads=1) for _ in range(n)))),
        ),
        Mistake(
            "the gradient is cut between the layers",
            "The first layer learns through all the others: no `.detach()` on the way.",
            _encoder(forward=_detached_between),
        ),
        Mistake(
            "dropout between the layers",
            "The paper drops out while training; this course leaves it out, so that the same input gives the same result.",
            _encoder(forward=_dropout_between),
        ),
    ),
    forbidden=_FORBIDDEN_LAYERS,
    tolerance=_ENCODER_TOLERANCE,
    compare={"no dropout": _any_value, _N_LAYERS: _as_layers},
    relations=(_NO_DROPOUT, Relation(_N_LAYERS, _start_apart)),
    hints=(
        "Make N layers in an `nn.ModuleList`, each by a call of its own, and send x through them one after the other.",
        "With `norm_first=True` there is one more part: a layer norm called `norm`, used once at the very end.",
    ),
)


EXERCISES = (LAYER_NORM, ADD_AND_NORM, LAYER_NORM_MODULE, FEED_FORWARD, ENCODER_LAYER, ENCODER)
