"""Wrong versions of `MultiHeadAttention`."""

from __future__ import annotations

from typing import Any

import torch

from helpers.reference import u4_multi_head as reference

from .common import BY_ROOT, LAYERS


def _t_split(X: Any, h: Any) -> Any:
    return X.unflatten(-1, (h, -1)).transpose(-3, -2)


def _t_merge(H: Any) -> Any:
    return H.transpose(-3, -2).flatten(-2)


def t_split_bare(X: Any, h: Any) -> Any:
    return X.reshape(*X.shape[:-2], h, X.shape[-2], X.shape[-1] // h)


def t_merge_bare(H: Any) -> Any:
    return H.reshape(*H.shape[:-3], H.shape[-2], H.shape[-3] * H.shape[-1])


def t_split_interleaved(X: Any, h: Any) -> Any:
    return X.unflatten(-1, (-1, h)).movedim(-1, -3)


def t_merge_interleaved(H: Any) -> Any:
    return H.movedim(-3, -1).flatten(-2)


def t_split_same(X: Any, h: Any) -> Any:
    return torch.stack([X[..., : X.shape[-1] // h]] * h, dim=-3)


def t_masked(scores: Any, mask: Any) -> Any:
    """The right way: a finite fill before the softmax, zeros for what is hidden after it."""
    if mask is None:
        return torch.softmax(scores, dim=-1)
    return torch.softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min), dim=-1).masked_fill(~mask, 0.0)


def t_filled(fill: Any, zeroed: Any = True) -> Any:
    def soft(scores: Any, mask: Any) -> Any:
        if mask is None:
            return torch.softmax(scores, dim=-1)
        weights = torch.softmax(scores.masked_fill(~mask, fill), dim=-1)
        # The empty row is done right, so that the fill is the only thing wrong.
        return weights * mask.any(-1, keepdim=True) if zeroed else weights

    return soft


def t_soft_over(axis: Any) -> Any:
    """Softmax over a wrong axis, with the mask right; what is hidden has no part in it."""

    def soft(scores: Any, mask: Any) -> Any:
        hidden = torch.zeros_like(scores, dtype=torch.bool) if mask is None else (~mask).expand_as(scores)
        filled = scores.masked_fill(hidden, torch.finfo(scores.dtype).min)
        weights = (
            torch.softmax(filled.flatten(), 0).view_as(filled) if axis is None else torch.softmax(filled, dim=axis)
        )
        return weights.masked_fill(hidden, 0.0)

    return soft


def t_after(scores: Any, mask: Any) -> Any:
    weights = torch.softmax(scores, dim=-1)
    return weights if mask is None else weights * mask


def t_after_renormalised(scores: Any, mask: Any) -> Any:
    weights = t_after(scores, mask)
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-12)


def t_multiplied(scores: Any, mask: Any) -> Any:
    if mask is None:
        return torch.softmax(scores, dim=-1)
    return torch.softmax(scores + (~mask).to(scores.dtype) * -torch.inf, dim=-1)


def t_hidden_nan(scores: Any, mask: Any) -> Any:
    if mask is None:
        return torch.softmax(scores, dim=-1)
    # Added, not filled in: masked_fill stops the gradient of what it overwrites, and with it the NaN.
    return torch.nan_to_num(torch.softmax(scores + torch.where(mask, 0.0, -torch.inf), dim=-1), nan=0.0)


def t_indexed(scores: Any, mask: Any) -> Any:
    if mask is not None:
        scores = scores.clone()
        scores[~mask] = -1e9
    return t_masked(scores, mask)


def t_on_mask(change: Any) -> Any:
    return lambda scores, mask: t_masked(scores, mask if mask is None else change(mask))


def t_plain(scores: Any, mask: Any) -> Any:
    hidden = torch.zeros_like(scores, dtype=torch.bool) if mask is None else (~mask).expand_as(scores)
    e = torch.exp(scores).masked_fill(hidden, 0.0)
    return e / e.sum(-1, keepdim=True).clamp(min=1e-38)


def _t_scores(Q: Any, K: Any) -> Any:
    return Q @ K.transpose(-1, -2)


class _Lean:
    """Four linear layers without the machinery of `nn.Module`: there are many mistakes, and a learner waits for all of
    them.
    """

    def __init__(self, d_model: Any, n_heads: Any, bias: Any = True) -> None:
        reference.count_parameters(d_model, n_heads, bias)
        self.n_heads = n_heads
        self._parameters = {f"{name}.weight": torch.empty(d_model, d_model) for name in LAYERS}
        if bias:
            self._parameters |= {f"{name}.bias": torch.empty(d_model) for name in LAYERS}

    def state_dict(self) -> Any:
        return self._parameters

    def load_state_dict(self, state: Any) -> Any:
        self._parameters = {name: value.requires_grad_() for name, value in state.items()}
        for name in LAYERS:
            setattr(self, name, _Layer(self._parameters[f"{name}.weight"], self._parameters.get(f"{name}.bias")))

    def named_parameters(self) -> Any:
        return self._parameters.items()

    def train(self, mode: Any) -> Any:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)


class _Layer:
    def __init__(self, weight: Any, bias: Any) -> None:
        self.weight, self.bias = weight, bias

    def __call__(self, X: Any) -> Any:
        return torch.nn.functional.linear(X, self.weight, self.bias)


def module(
    order: Any = "QKV",
    sources: Any = "qkv",
    split: Any = _t_split,
    merge: Any = _t_merge,
    scale: Any = BY_ROOT,
    score: Any = _t_scores,
    soft: Any = t_masked,
    back: Any = lambda layer, X: layer(X),
    result: Any = lambda output, weights: (output, weights),
) -> Any:
    """A class like the reference's in which any one part can be exchanged for a wrong one."""

    class MultiHeadAttention(_Lean):
        def forward(self, query: Any, key: Any, value: Any, mask: Any = None) -> Any:
            given = {"q": query, "k": key, "v": value}
            query, key, value = (given[name] for name in sources)
            projected = {"Q": self.W_q(query), "K": self.W_k(key), "V": self.W_v(value), "X": value}
            Q, K, V = (split(projected[name], self.n_heads) for name in order)
            d_model = query.shape[-1]
            weights = soft(score(Q, K) / scale(d_model // self.n_heads, d_model, key.shape[-2], self.n_heads), mask)
            return result(back(self.W_o, merge(weights @ V)), weights)

    return MultiHeadAttention


def with_layers(make: Any) -> Any:
    """The reference with other layers; `make(d_model, n_heads, bias)` returns them by name."""

    class MultiHeadAttention(reference.MultiHeadAttention):
        def __init__(self, d_model: Any, n_heads: Any, bias: Any = True) -> None:
            super().__init__(d_model, n_heads, bias)
            for name in LAYERS:
                delattr(self, name)
            for name, layer in make(d_model, n_heads, bias).items():
                setattr(self, name, layer)

    return MultiHeadAttention


def linears(biases: Any) -> Any:
    return with_layers(
        lambda d, h, bias: {name: torch.nn.Linear(d, d, bias=has) for name, has in zip(LAYERS, biases(bias))}
    )


class NoCheck(reference.MultiHeadAttention):
    def __init__(self, d_model: Any, n_heads: Any, bias: Any = True) -> None:
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
    def __init__(self, d_model: Any, n_heads: Any, bias: Any = True) -> None:
        if d_model % n_heads:
            raise ValueError("n_heads must divide d_model")
        super().__init__(d_model, abs(n_heads), bias)


class Flattened(reference.MultiHeadAttention):
    def forward(self, query: Any, key: Any, value: Any, mask: Any = None) -> Any:
        if query.ndim < 4:
            return super().forward(query, key, value, mask)
        return super().forward(query.flatten(0, -3), key.flatten(0, -3), value.flatten(0, -3), mask)
