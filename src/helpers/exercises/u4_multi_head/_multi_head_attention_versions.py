"""Wrong versions of `MultiHeadAttention`: other weights, other layers, and a class whose steps may be replaced."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from helpers.exercise import in_parts
from helpers.reference import u4_multi_head as reference

from ..attention import Scale, root_of_width, transposed
from ..common import PROJECTIONS, Answer, Step
from ..masking import Weigh, fill_of, masked_after, masked_softmax, zeroed
from .common import split_only


def _split(X: Any, h: int) -> Any:
    return split_only(X, h).transpose(-3, -2)


def _merge(H: Any) -> Any:
    return H.transpose(-3, -2).flatten(-2)


def after_renormalised(scores: Any, mask: Any) -> Any:
    weights = masked_after(scores, mask)
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-12)


def after_renormalised_unsafe(scores: Any, mask: Any) -> Any:
    weights = masked_after(scores, mask)
    return weights / weights.sum(-1, keepdim=True)


def filled_and_zeroed(fill: float) -> Weigh:
    return lambda scores, mask: zeroed(fill_of(fill)(scores, mask), mask)


def multiplied(scores: Any, mask: Any) -> Any:
    return (scores if mask is None else scores * mask).softmax(-1)


def indexed(scores: Any, mask: Any) -> Any:
    if mask is not None:
        scores = scores.clone()
        scores[~mask] = -1e9
    return masked_softmax(scores, mask)


def without_maximum(scores: Any, mask: Any) -> Any:
    e = zeroed(torch.exp(scores), mask)
    return e / e.sum(-1, keepdim=True).clamp(min=1e-38)


def without_maximum_unsafe(scores: Any, mask: Any) -> Any:
    e = zeroed(torch.exp(scores), mask)
    return e / e.sum(-1, keepdim=True)


def without_maximum_nan_hidden(scores: Any, mask: Any) -> Any:
    return torch.nan_to_num(without_maximum_unsafe(scores, mask))


def _scores(Q: Any, K: Any) -> Any:
    return Q @ transposed(K)


class _Layer:
    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        self.weight, self.bias = weight, bias

    def __call__(self, X: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(X, self.weight, self.bias)


class _Lean:
    """Four linear layers without the machinery of `nn.Module`: there are many mistakes, and a learner waits for all of
    them.
    """

    W_q: _Layer
    W_k: _Layer
    W_v: _Layer
    W_o: _Layer

    def __init__(self, d_model: int, n_heads: int, bias: bool = True) -> None:
        reference.count_parameters(d_model, n_heads, bias)
        self.n_heads = n_heads
        self._parameters = {f"{name}.weight": torch.empty(d_model, d_model) for name in PROJECTIONS}
        if bias:
            self._parameters |= {f"{name}.bias": torch.empty(d_model) for name in PROJECTIONS}

    def state_dict(self) -> dict[str, torch.Tensor]:
        return self._parameters

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        self._parameters = {name: value.requires_grad_() for name, value in state.items()}
        for name in PROJECTIONS:
            setattr(self, name, _Layer(self._parameters[f"{name}.weight"], self._parameters.get(f"{name}.bias")))

    def named_parameters(self) -> ItemsView[str, torch.Tensor]:
        return self._parameters.items()

    def train(self, mode: bool) -> None:
        pass


@in_parts
def module(
    order: str = "QKV",
    sources: str = "qkv",
    split: Step = _split,
    merge: Step = _merge,
    scale: Scale = root_of_width,
    score: Step = _scores,
    weigh: Weigh = masked_softmax,
    back: Step = lambda layer, X: layer(X),
    result: Step = lambda output, weights: (output, weights),
) -> type[_Lean]:
    """A class like the reference's in which any one part can be exchanged for a wrong one."""

    class MultiHeadAttention(_Lean):
        def forward(self, query: Any, key: Any, value: Any, mask: Any = None) -> Any:
            given = {"q": query, "k": key, "v": value}
            query, key, value = (given[name] for name in sources)
            projected = {"Q": self.W_q(query), "K": self.W_k(key), "V": self.W_v(value), "X": value}
            Q, K, V = (split(projected[name], self.n_heads) for name in order)
            weights = weigh(score(Q, K) / scale(Q, K, V), mask)
            return result(back(self.W_o, merge(weights @ V)), weights)

        __call__ = forward

    return MultiHeadAttention


def with_layers(make: Callable[[int, int, bool], Mapping[str, nn.Module]]) -> Answer:
    """The reference with other layers; `make(d_model, n_heads, bias)` returns them by name."""

    class MultiHeadAttention(reference.MultiHeadAttention):
        def __init__(self, d_model: int, n_heads: int, bias: bool = True) -> None:
            super().__init__(d_model, n_heads, bias)
            for name in PROJECTIONS:
                delattr(self, name)
            for name, layer in make(d_model, n_heads, bias).items():
                setattr(self, name, layer)

    return MultiHeadAttention


def linears(biases: Callable[[bool], Sequence[bool]]) -> Answer:
    """The reference with or without a bias in each of its four layers."""
    return with_layers(
        lambda d, h, bias: {name: nn.Linear(d, d, bias=has) for name, has in zip(PROJECTIONS, biases(bias))}
    )


class NoCheck(reference.MultiHeadAttention):
    def __init__(self, d_model: int, n_heads: int, bias: bool = True) -> None:
        super().__init__(d_model, n_heads if n_heads > 0 and d_model % n_heads == 0 else 1, bias)
        self.n_heads = n_heads

    def forward(self, query: Any, key: Any, value: Any, mask: Any = None) -> Any:
        if self.n_heads < 1:
            raise ValueError("n_heads must be at least 1")
        width = query.shape[-1] // self.n_heads * self.n_heads
        if width == query.shape[-1]:
            return super().forward(query, key, value, mask)
        return query.new_zeros(query.shape), query.new_zeros(
            (*query.shape[:-2], self.n_heads, query.shape[-2], key.shape[-2])
        )


class OnlyModulo(reference.MultiHeadAttention):
    def __init__(self, d_model: int, n_heads: int, bias: bool = True) -> None:
        if d_model % n_heads:
            raise ValueError("n_heads must divide d_model")
        super().__init__(d_model, abs(n_heads), bias)


class Flattened(reference.MultiHeadAttention):
    def forward(self, query: Any, key: Any, value: Any, mask: Any = None) -> Any:
        if query.ndim < 4:
            return super().forward(query, key, value, mask)
        return super().forward(query.flatten(0, -3), key.flatten(0, -3), value.flatten(0, -3), mask)
