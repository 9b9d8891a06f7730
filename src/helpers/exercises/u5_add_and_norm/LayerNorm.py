"""`LayerNorm`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.exercise import Case, Exercise, Init, Mistake
from helpers.reference import u5_add_and_norm as reference

from ..common import Step, normal, object_cases, tensor
from .common import TORCH_NORMS, NormBase, equal_features, norm_module, norm_weights, token_tensor


def _layer_norm_module_cases(rng: np.random.Generator) -> list[Case]:
    def init(d: int, *args: float, **kwargs: float) -> Init:
        return Init((d, *args), kwargs, weights=norm_weights(rng, "", d))

    equal = equal_features(rng)
    return [
        Case(
            "values",
            (token_tensor(rng, 4, 6),),
            init=init(6),
            note="4 tokens of width 6, weight and bias set from outside",
        ),
        Case("values", (token_tensor(rng, 5, 5),), init=init(5), note="5 tokens of width 5: a square x"),
        Case("batch axes", (token_tensor(rng, 2, 4, 6),), init=init(6), note="2 sentences of 4 tokens"),
        Case("start values", (), init=Init((7,)), method="state_dict", note="a new LayerNorm(7)"),
        Case("eps", (token_tensor(rng, 3, 4),), init=init(4, 0.3), note="LayerNorm(4, 0.3)"),
        Case("eps", (token_tensor(rng, 3, 4),), init=init(4, eps=0.1), note="LayerNorm(4, eps=0.1)"),
        Case(
            "eps",
            (tensor(normal(rng, 3, 5) * 2e-3),),
            init=init(5),
            note="tokens with a spread of 0.002, and eps as it stands in the signature",
        ),
        Case(
            "equal features",
            (tensor(equal),),
            init=init(5),
            note="every token has five equal features: its variance is 0",
        ),
        Case(
            "gradients",
            (token_tensor(rng, 2, 3, 4, gradient=True),),
            init=init(4),
            gradients=True,
            note="gradients of x, weight and bias",
        ),
        Case(
            "axes of length one",
            (token_tensor(rng, 1, 1, 1),),
            init=init(1),
            note="one sentence of one token of width 1",
        ),
        *object_cases(init(5), (token_tensor(rng, 3, 5),), (token_tensor(rng, 3, 5),), (token_tensor(rng, 2, 4, 5),)),
    ]


def _with_parameters(**start: Step) -> Step:
    """`make` for a norm with parameters of these names and start values."""

    def make(self: Any) -> None:
        for name, values in start.items():
            setattr(self, name, nn.Parameter(values(self.d_model)))

    return make


def _make_buffers(self: Any) -> None:
    self.register_buffer("weight", torch.ones(self.d_model))
    self.register_buffer("bias", torch.zeros(self.d_model))


def _make_with_eps(self: Any) -> None:
    NormBase.make(self)
    eps = self.eps
    del self.eps
    self.eps = nn.Parameter(torch.tensor(eps))


def _without_gradient(method: Step) -> Step:
    def step(self: Any, x: Any) -> Any:
        with torch.no_grad():
            return method(self, x)

    return step


EXERCISE = Exercise(
    name="LayerNorm",
    reference=reference.LayerNorm,
    cases=_layer_norm_module_cases,
    mistakes=(
        Mistake(
            "divided the variance by d - 1, not by d",
            "`torch.var` and `torch.std` divide by d - 1 unless you say `unbiased=False`; NumPy's do not. Layer norm"
            " divides by d.",
            norm_module(variance=lambda self, x: x.var(-1, keepdim=True)),
        ),
        Mistake(
            "eps added outside the root",
            "Is your epsilon inside the root? It belongs to the variance: first add, then take the root.",
            norm_module(root=lambda self, v: torch.sqrt(v) + self.eps),
        ),
        Mistake(
            "divided the variance by d - 1, and eps added outside the root",
            "Two things: `torch.std` divides by d - 1 unless you say `unbiased=False`, and eps belongs to the variance,"
            " inside the root.",
            norm_module(
                variance=lambda self, x: x.var(-1, keepdim=True), root=lambda self, v: torch.sqrt(v) + self.eps
            ),
        ),
        Mistake(
            "eps left out",
            "A token of equal features has variance 0: eps under the root keeps the division, and its gradient,"
            " finite.",
            norm_module(root=lambda self, v: torch.sqrt(v)),
        ),
        Mistake(
            "eps fixed, whatever the argument says",
            "The constructor is given eps: keep it in an attribute and use that.",
            norm_module(root=lambda self, v: torch.sqrt(v + 1e-5)),
        ),
        Mistake(
            "divided by the variance, without the root",
            "After the division each token shall have variance 1, so divide by the root of the variance.",
            norm_module(root=lambda self, v: v + self.eps),
        ),
        Mistake(
            "averaged over the tokens, not over the features",
            "Each token keeps to itself: mean and variance run along its own features, the last axis: `dim=-1`.",
            norm_module(
                mean=lambda self, x: x.mean(-2, keepdim=True),
                variance=lambda self, x: x.var(-2, keepdim=True, unbiased=False),
            ),
        ),
        Mistake(
            "means without keepdim: they do not lie along the tokens",
            "`x.mean(dim=-1)` has shape (n,), which meets the features of x, not its tokens; a square x hides that."
            " `keepdim=True` makes it (n, 1).",
            norm_module(mean=lambda self, x: x.mean(-1), variance=lambda self, x: x.var(-1, unbiased=False)),
        ),
        Mistake(
            "averaged along axis 1, which with a batch is the tokens",
            "Without a batch axis 1 is the features, with one it is the tokens. Count axes from the end, and it is the"
            " features in both.",
            norm_module(
                mean=lambda self, x: x.mean(1, keepdim=True),
                variance=lambda self, x: x.var(1, keepdim=True, unbiased=False),
            ),
        ),
        Mistake(
            "averaged along the first axis, not over the features",
            "The first axis is the tokens, or the sentences of a batch, and each token keeps to itself. Mean and"
            " variance run along the last axis: `dim=-1`.",
            norm_module(
                mean=lambda self, x: x.mean(0, keepdim=True),
                variance=lambda self, x: x.var(0, keepdim=True, unbiased=False),
            ),
        ),
        Mistake(
            "averaged over tokens and features together",
            "The tokens of a sentence do not share a mean here: only the last axis is averaged, `dim=-1`.",
            norm_module(
                mean=lambda self, x: x.mean((-2, -1), keepdim=True),
                variance=lambda self, x: x.var((-2, -1), keepdim=True, unbiased=False),
            ),
        ),
        Mistake(
            "one mean and one variance for the whole array",
            "`x.mean()` mixes all tokens. Each has a mean of its own: `dim=-1, keepdim=True`.",
            norm_module(mean=lambda self, x: x.mean(), variance=lambda self, x: x.var(unbiased=False)),
        ),
        Mistake(
            "there are no parameters called weight and bias",
            "`self.weight = nn.Parameter(...)` makes a trainable tensor that the module knows; a plain tensor stays"
            " unknown to it. The names are weight and bias.",
            norm_module(make=lambda self: None, affine=lambda self, unit: unit),
        ),
        Mistake(
            "the parameters are called gamma and beta",
            "The module keeps γ as `weight` and β as `bias`, the names that `nn.LayerNorm` has, so that weights can be"
            " exchanged.",
            norm_module(
                make=_with_parameters(gamma=torch.ones, beta=torch.zeros),
                affine=lambda self, unit: self.gamma * unit + self.beta,
            ),
        ),
        Mistake(
            "one gamma and one beta for all features",
            "weight and bias have one number for each feature: shape (d_model,).",
            norm_module(make=_with_parameters(weight=lambda d: torch.ones(1), bias=lambda d: torch.zeros(1))),
        ),
        Mistake(
            "gamma and beta are single numbers",
            "weight and bias have one number for each feature: shape (d_model,).",
            norm_module(make=_with_parameters(weight=lambda d: torch.ones(()), bias=lambda d: torch.zeros(()))),
        ),
        Mistake(
            "weight and bias are not used",
            "They are made in __init__, and forward has to scale by the one and shift by the other.",
            norm_module(affine=lambda self, unit: unit),
        ),
        Mistake(
            "shifted by bias before scaling by weight",
            "The order is scale, then shift: the bias itself is not multiplied.",
            norm_module(affine=lambda self, unit: self.weight * (unit + self.bias)),
        ),
        Mistake(
            "weight starts as zeros",
            "With γ = 0 a new layer would let nothing through. A new norm changes nothing after the division: ones, and"
            " zeros for the bias.",
            norm_module(make=_with_parameters(weight=torch.zeros, bias=torch.zeros)),
        ),
        Mistake(
            "weight starts as zeros and bias as ones: they changed places",
            "A new norm neither scales nor shifts. Which number leaves something as it is that is multiplied by it, and"
            " which when it is added?",
            norm_module(make=_with_parameters(weight=torch.zeros, bias=torch.ones)),
        ),
        Mistake(
            "weight and bias have an axis too many: shape (1, d_model)",
            "One number for each feature is shape (d_model,). It lies along the last axis of x without a further axis.",
            norm_module(
                make=_with_parameters(weight=lambda d: torch.ones(1, d), bias=lambda d: torch.zeros(1, d)),
            ),
        ),
        Mistake(
            "eps is a trainable parameter",
            "Only weight and bias are trained. eps is a plain number: `self.eps = eps`.",
            norm_module(make=_make_with_eps),
        ),
        Mistake(
            "bias starts as ones",
            "A new norm shifts nothing: the bias starts as zeros.",
            norm_module(make=_with_parameters(weight=torch.ones, bias=torch.ones)),
        ),
        Mistake(
            "weight and bias are not trainable",
            "A buffer, or a tensor with `requires_grad=False`, gets no gradient and so never learns: use"
            " `nn.Parameter`.",
            norm_module(make=_make_buffers),
        ),
        Mistake(
            "no gradient through mean and variance",
            "Mean and variance depend on x, and the gradient has to know: no `.detach()` and no `torch.no_grad()`"
            " around them.",
            norm_module(mean=_without_gradient(NormBase.mean), variance=_without_gradient(NormBase.variance)),
        ),
        Mistake(
            "mean not subtracted",
            "First move the token to mean 0, then divide.",
            norm_module(mean=lambda self, x: 0.0),
        ),
    ),
    forbidden=TORCH_NORMS,
    hints=(
        (
            "`__init__` makes weight and bias as `nn.Parameter`s; `forward` is your `layer_norm` in torch, with them as"
            " γ and β."
        ),
        "Mind the defaults: `np.var` divides by d, `torch.var` by d - 1 unless `unbiased=False`.",
    ),
)
