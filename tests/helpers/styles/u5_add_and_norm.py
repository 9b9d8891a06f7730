"""Right answers to unit 5 in other styles than the reference's, and further wrong ones.

RIGHT: exercise → functions or classes that must pass. WRONG: exercise → {name the verdict must give: function};
an empty name means that the answer must fail and no mistake may be named.
"""

import copy
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers.reference.u4_multi_head import MultiHeadAttention

# --- layer_norm, add_and_norm ----------------------------------------------------------------------------


def _norm_std(x, gamma, beta, eps=1e-5):
    mu = np.mean(x, axis=-1, keepdims=True)
    return gamma * (x - mu) / np.sqrt(np.std(x, axis=-1, keepdims=True) ** 2 + eps) + beta


def _norm_by_rows(x, gamma, beta, eps=1e-5):
    rows = []
    for row in x:
        m = sum(row) / len(row)
        v = sum((value - m) ** 2 for value in row) / len(row)
        rows.append([g * (value - m) / math.sqrt(v + eps) + b for value, g, b in zip(row, gamma, beta)])
    return np.array(rows)


def _norm_transposed(x, gamma, beta, eps=1e-5):
    return (gamma * ((x.T - x.mean(1)) / (x.var(1) + eps) ** 0.5).T) + beta


def _norm_moments(x, gamma, beta, eps=1e-5):
    d = x.shape[-1]
    mean = np.einsum("nd->n", x) / d
    square = np.einsum("nd,nd->n", x, x) / d
    return np.einsum("d,nd->nd", gamma, (x - mean[:, None]) / np.sqrt(square - mean**2 + eps)[:, None]) + beta


def _norm_single(x, gamma, beta, eps=1e-5):
    x, gamma, beta = (np.asarray(a, dtype=np.float32) for a in (x, gamma, beta))
    centred = x - x.mean(axis=1)[:, np.newaxis]
    return centred / np.sqrt((centred**2).mean(axis=1)[:, np.newaxis] + np.float32(eps)) * gamma + beta


def _norm_filled(x, gamma, beta, eps=1e-5):
    result = np.empty(x.shape)
    for i in range(x.shape[0]):
        result[i] = (x[i] - x[i].mean()) / np.sqrt(x[i].var() + eps) * gamma + beta
    return result


def _norm_in_torch(x, gamma, beta, eps=1e-5):
    x, gamma, beta = (torch.tensor(a, dtype=torch.float64) for a in (x, gamma, beta))
    variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)
    return (gamma * (x - mean) * torch.rsqrt(variance + eps) + beta).numpy()


def _norm_in_place(x, gamma, beta, eps=1e-5):
    result = _norm_std(x, gamma, beta, eps)
    x[...] = x - x.mean(axis=-1, keepdims=True)
    return result


def _norm_half(x, gamma, beta, eps=1e-5):
    return _norm_std(np.asarray(x).astype(np.float16), gamma, beta, eps).astype(np.float16).astype(float)


def _norm_integers(x, gamma, beta, eps=1e-5):
    result = np.zeros_like(x)
    for i, row in enumerate(x):
        result[i] = gamma * (row - row.mean()) / np.sqrt(row.var() + eps) + beta
    return result


def _norm_nan_safe(x, gamma, beta, eps=1e-5):
    std = x.std(axis=-1, keepdims=True)
    return gamma * (x - x.mean(axis=-1, keepdims=True)) / np.where(std == 0, 1, std) + beta


_KEPT = np.zeros((0, 0))


def _norm_reused(x, gamma, beta, eps=1e-5):
    global _KEPT
    result = _norm_std(x, gamma, beta, eps)
    if _KEPT.shape != (64, 64):
        _KEPT = np.zeros((64, 64))
    view = _KEPT[: result.shape[0], : result.shape[1]]
    view[...] = result
    return view


def _norm_of_sum(norm):
    return lambda x, sublayer_output, gamma, beta, eps=1e-5: norm(x + sublayer_output, gamma, beta, eps)


def _sum_in_place(x, sublayer_output, gamma, beta, eps=1e-5):
    x += sublayer_output
    return _norm_std(x, gamma, beta, eps)


def _sum_of_longest(x, sublayer_output, gamma, beta, eps=1e-5):
    width = min(x.shape[-1], sublayer_output.shape[-1])
    return _norm_std(x[..., :width] + sublayer_output[..., :width], gamma[:width], beta[:width], eps)


# --- LayerNorm -------------------------------------------------------------------------------------------


def _module(name, make, forward, base=nn.Module):
    """A class called `name`; the verdict on parameters tells the class's name."""

    class Made(base):
        def __init__(self, *args, **kwargs):
            super().__init__()
            make(self, *args, **kwargs)

    Made.__name__, Made.forward = name, forward
    return Made


def _norm_parameters(self, d_model, eps=1e-5):
    self.eps = eps
    self.weight = nn.Parameter(torch.ones(d_model))
    self.bias = nn.Parameter(torch.zeros(d_model))


def _norm_named(self, d_model, eps=1e-5):
    self.register_parameter("bias", nn.Parameter(torch.full((d_model,), 0.0)))
    self.register_parameter("weight", nn.Parameter(torch.full((d_model,), 1.0)))
    self.d_model, self.epsilon = d_model, eps


def _norm_std_forward(self, x):
    mean, std = x.mean(-1, keepdim=True), x.std(-1, keepdim=True, correction=0)
    # The root of a sum, as the square of the standard deviation has no gradient of its own at zero spread.
    return self.weight * (x - mean) / (std**2 + self.eps).sqrt() + self.bias


def _norm_moments_forward(self, x):
    centred = x - x.sum(dim=-1, keepdim=True) / self.d_model
    power = torch.einsum("...d,...d->...", centred, centred).unsqueeze(-1) / self.d_model
    return torch.addcmul(self.bias, centred * torch.rsqrt(power + self.epsilon), self.weight)


def _norm_double_forward(self, x):
    variance, mean = torch.var_mean(x.double(), dim=-1, keepdim=True, unbiased=False)
    return ((x - mean) / torch.sqrt(variance + self.eps) * self.weight + self.bias).float()


def _norm_by_hand_forward(self, x):
    flat = x.reshape(-1, x.shape[-1])
    rows = [(row - row.mean()) * (((row - row.mean()) ** 2).mean() + self.eps) ** -0.5 for row in flat]
    return (torch.stack(rows) * self.weight + self.bias).view_as(x)


def _norm_forward(self, x):
    mean = x.mean(dim=-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(dim=-1, keepdim=True)
    return self.weight * ((x - mean) / torch.sqrt(variance + self.eps)) + self.bias


def _norm_half_forward(self, x):
    return _norm_forward(self, x.to(torch.bfloat16).float())


def _norm_detached_forward(self, x):
    return _norm_forward(self, x.detach())


def _norm_numpy_forward(self, x):
    return torch.from_numpy(
        _norm_std(x.detach().numpy(), self.weight.detach().numpy(), self.bias.detach().numpy(), self.eps)
    )


def _norm_in_place_forward(self, x):
    result = _norm_forward(self, x)
    x.data.sub_(x.data.mean(-1, keepdim=True))
    return result


def _norm_torch_forward(self, x):
    return F.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.eps)


def _norm_random(self, d_model, eps=1e-5):
    _norm_parameters(self, d_model, eps)
    nn.init.normal_(self.weight)


LayerNorm = _module("LayerNorm", _norm_parameters, _norm_forward)


# --- FeedForward -----------------------------------------------------------------------------------------


def _two_linears(self, d_model, d_ff):
    self.linear_1, self.linear_2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)


def _with_relu(self, d_model, d_ff):
    _two_linears(self, d_model, d_ff)
    self.activation = nn.ReLU()


def _xavier(self, d_model, d_ff):
    _two_linears(self, d_model, d_ff)
    for layer in (self.linear_1, self.linear_2):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)


def _by_matrices(self, x):
    hidden = x @ self.linear_1.weight.T + self.linear_1.bias
    return torch.where(hidden > 0, hidden, torch.zeros_like(hidden)) @ self.linear_2.weight.T + self.linear_2.bias


def _by_tokens(self, x):
    flat = x.reshape(-1, x.shape[-1])
    return torch.stack([self.linear_2(F.relu(self.linear_1(token))) for token in flat]).reshape(x.shape)


FeedForward = _module("FeedForward", _two_linears, lambda self, x: self.linear_2(F.relu(self.linear_1(x))))


# --- EncoderLayer ----------------------------------------------------------------------------------------


def _parts(attention=MultiHeadAttention, network=FeedForward, norm=nn.LayerNorm):
    def make(self, d_model, n_heads, d_ff, norm_first=False):
        self.norm_first = norm_first
        self.self_attention = attention(d_model, n_heads)
        self.feed_forward = network(d_model, d_ff)
        self.norm_1 = norm(d_model)
        self.norm_2 = norm(d_model)

    return make


def _plain_layer(self, x, mask=None):
    if self.norm_first:
        normed = self.norm_1(x)
        x = x + self.self_attention(normed, normed, normed, mask)[0]
        x = x + self.feed_forward(self.norm_2(x))
    else:
        attended, _ = self.self_attention(x, x, x, mask=mask)
        x = self.norm_1(x + attended)
        x = self.norm_2(x + self.feed_forward(x))
    return x


def _looped_layer(self, x, mask=None):
    steps = (
        (lambda y: self.self_attention(query=y, key=y, value=y, mask=mask)[0], self.norm_1),
        (self.feed_forward, self.norm_2),
    )
    for sublayer, norm in steps:
        x = x + sublayer(norm(x)) if self.norm_first else norm(x + sublayer(x))
    return x


def _conditional_layer(self, x, mask=None):
    before = (lambda norm, y: norm(y)) if self.norm_first else (lambda norm, y: y)
    after = (lambda norm, y: y) if self.norm_first else (lambda norm, y: norm(y))
    y = before(self.norm_1, x)
    x = after(self.norm_1, torch.add(x, self.self_attention(y, y, y, mask)[0]))
    return after(self.norm_2, torch.add(x, self.feed_forward(before(self.norm_2, x))))


class _Sublayer(nn.Module):
    """A helper that many write: it keeps no parameters of its own."""

    def forward(self, x, norm, run, norm_first):
        return x + run(norm(x)) if norm_first else norm(x + run(x))


def _parts_with_helper(self, *sizes):
    _parts(norm=LayerNorm)(self, *sizes)
    self.road = _Sublayer()


def _helper_layer(self, x, mask=None):
    x = self.road(x, self.norm_1, lambda y: self.self_attention(y, y, y, mask)[0], self.norm_first)
    return self.road(x, self.norm_2, self.feed_forward, self.norm_first)


class _OwnAttention(nn.Module):
    """Attention as a learner may have kept it: einsum, queries scaled, -1e9 as fill."""

    def __init__(self, d_model, n_heads):
        super().__init__()
        if n_heads < 1 or d_model % n_heads != 0:
            raise ValueError("d_model must be divisible by n_heads")
        self.h = n_heads
        for name in ("W_q", "W_k", "W_v", "W_o"):
            setattr(self, name, nn.Linear(d_model, d_model))

    def forward(self, query, key, value, mask=None):
        def heads(x):
            return x.reshape(*x.shape[:-1], self.h, -1)

        q, k, v = heads(self.W_q(query)), heads(self.W_k(key)), heads(self.W_v(value))
        scores = torch.einsum("...qhd,...khd->...hqk", q / math.sqrt(q.shape[-1]), k)
        if mask is not None:
            scores = torch.where(mask, scores, torch.tensor(-1e9))
        weights = scores.softmax(-1)
        if mask is not None:
            weights = weights * mask
        return self.W_o(torch.einsum("...hqk,...khd->...qhd", weights, v).flatten(-2)), weights


EncoderLayer = _module("EncoderLayer", _parts(), _plain_layer)


def _in_place_layer(self, x, mask=None):
    result = _plain_layer(self, x, mask)
    x.data.add_(1.0)
    return result


def _head_axis_layer(self, x, mask=None):
    return _plain_layer(self, x, mask if mask is None else mask.unsqueeze(1))


def _half_layer(self, x, mask=None):
    return _plain_layer(self, x.half().float(), mask)


def _swapped_layer(self, x, mask=None):
    self.norm_first = not self.norm_first
    try:
        return _plain_layer(self, x, mask)
    finally:
        self.norm_first = not self.norm_first


def _no_second_norm(self, x, mask=None):
    if self.norm_first:
        return _plain_layer(self, x, mask)
    x = self.norm_1(x + self.self_attention(x, x, x, mask)[0])
    return x + self.feed_forward(x)


def _any_heads(self, d_model, n_heads, d_ff, norm_first=False):
    _parts(attention=lambda d, h: MultiHeadAttention(d, h if h > 0 and d % h == 0 else 1))(
        self, d_model, n_heads, d_ff, norm_first
    )


def _scaled_road(self, x, mask=None):
    if self.norm_first:
        x = x + 0.5 * self.self_attention(*[self.norm_1(x)] * 3, mask)[0]
        return x + 0.5 * self.feed_forward(self.norm_2(x))
    x = self.norm_1(x + 0.5 * self.self_attention(x, x, x, mask)[0])
    return self.norm_2(x + 0.5 * self.feed_forward(x))


# --- Encoder ---------------------------------------------------------------------------------------------


def _stack(layer=EncoderLayer, norm=nn.LayerNorm, otherwise=None):
    def make(self, n_layers, d_model, n_heads, d_ff, norm_first=False):
        self.layers = nn.ModuleList([layer(d_model, n_heads, d_ff, norm_first) for _ in range(n_layers)])
        self.norm = norm(d_model) if norm_first else otherwise

    return make


def _appended(self, n_layers, d_model, n_heads, d_ff, norm_first=False):
    self.norm_first = norm_first
    self.layers = nn.ModuleList()
    for _ in range(n_layers):
        self.layers.append(EncoderLayer(d_model, n_heads, d_ff, norm_first=norm_first))
    if norm_first:
        self.norm = LayerNorm(d_model)


def _sequential(self, n_layers, d_model, n_heads, d_ff, norm_first=False):
    self.layers = nn.Sequential(*(EncoderLayer(d_model, n_heads, d_ff, norm_first) for _ in range(n_layers)))
    self.norm = nn.LayerNorm(d_model) if norm_first else nn.Identity()


def _redrawn(self, n_layers, d_model, n_heads, d_ff, norm_first=False):
    layer = EncoderLayer(d_model, n_heads, d_ff, norm_first)
    self.layers = nn.ModuleList(copy.deepcopy(layer) for _ in range(n_layers))
    self.norm = nn.LayerNorm(d_model) if norm_first else None
    for parameter in self.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)


def _forward_stack(self, x, mask=None):
    for layer in self.layers:
        x = layer(x, mask)
    return self.norm(x) if self.norm is not None else x


def _forward_flag(self, x, mask=None):
    for layer in self.layers:
        x = layer(x, mask=mask)
    if self.norm_first:
        x = self.norm(x)
    return x


def _forward_indexed(self, x, mask=None):
    states = [x]
    for i in range(len(self.layers)):
        states.append(self.layers[i](states[-1], mask))
    return self.norm(states[-1])


def _forward_recursive(self, x, mask=None, depth=0):
    if depth < len(self.layers):
        return _forward_recursive(self, self.layers[depth](x, mask), mask, depth + 1)
    return x if self.norm is None else self.norm(x)


def _forward_pair(self, x, mask=None):
    return _forward_stack(self, x, mask), None


def _forward_in_place(self, x, mask=None):
    result = _forward_stack(self, x, mask)
    x.data.mul_(0.5)
    return result


def _deep_copies(self, n_layers, d_model, n_heads, d_ff, norm_first=False):
    layer = EncoderLayer(d_model, n_heads, d_ff, norm_first)
    self.layers = nn.ModuleList(copy.deepcopy(layer) for _ in range(n_layers))
    self.norm = nn.LayerNorm(d_model) if norm_first else None


def _partly_copied(self, n_layers, d_model, n_heads, d_ff, norm_first=False):
    _stack()(self, n_layers, d_model, n_heads, d_ff, norm_first)
    for layer in self.layers[1:]:
        layer.feed_forward.load_state_dict(self.layers[0].feed_forward.state_dict())


def _other_norm_name(self, n_layers, d_model, n_heads, d_ff, norm_first=False):
    _stack()(self, n_layers, d_model, n_heads, d_ff, norm_first)
    self.final_norm, self.norm = self.norm, None


def _other_norm_forward(self, x, mask=None):
    for layer in self.layers:
        x = layer(x, mask)
    return x if self.final_norm is None else self.final_norm(x)


def _forward_half(self, x, mask=None):
    return _forward_stack(self, x.half().float(), mask)


RIGHT = {
    "layer_norm": [
        _norm_std,
        _norm_by_rows,
        _norm_transposed,
        _norm_moments,
        _norm_single,
        _norm_filled,
        _norm_in_torch,
    ],
    "add_and_norm": [
        *map(_norm_of_sum, (_norm_std, _norm_by_rows, _norm_transposed, _norm_moments, _norm_single, _norm_filled))
    ],
    "LayerNorm": [
        _module("LayerNorm", _norm_parameters, _norm_std_forward),
        _module("LayerNorm", _norm_named, _norm_moments_forward),
        _module("LayerNorm", _norm_parameters, _norm_double_forward),
        _module("LayerNorm", _norm_parameters, _norm_by_hand_forward),
        LayerNorm,
    ],
    "FeedForward": [
        FeedForward,
        _module("FeedForward", _with_relu, lambda self, x: self.linear_2(self.activation(self.linear_1(x)))),
        _module("FeedForward", _two_linears, _by_matrices),
        _module("FeedForward", _xavier, lambda self, x: self.linear_2(self.linear_1(x).clamp(min=0))),
        _module("FeedForward", _two_linears, _by_tokens),
        _module("FeedForward", _two_linears, lambda self, x: self.linear_2(torch.relu_(self.linear_1(x)))),
    ],
    "EncoderLayer": [
        EncoderLayer,
        _module("EncoderLayer", _parts(norm=LayerNorm), _looped_layer),
        _module("EncoderLayer", _parts(), _conditional_layer),
        _module("EncoderLayer", _parts_with_helper, _helper_layer),
        _module("EncoderLayer", _parts(attention=_OwnAttention), _plain_layer),
    ],
    "Encoder": [
        _module("Encoder", _stack(), _forward_stack),
        _module("Encoder", _appended, _forward_flag),
        _module("Encoder", _sequential, _forward_indexed),
        _module("Encoder", _redrawn, _forward_recursive),
        _module(
            "Encoder",
            _stack(_module("EncoderLayer", _parts(attention=_OwnAttention, norm=LayerNorm), _looped_layer)),
            _forward_stack,
        ),
    ],
}


def _empty(*args, **kwargs):
    return None


WRONG = {
    "layer_norm": {
        "changes its input in place": _norm_in_place,
        "returns nothing": _empty,
        "returns a list, not an array": lambda *a, **k: _norm_std(*a, **k).tolist(),
        "reuses one array for every call": _norm_reused,
        "": _norm_half,
        " #2": _norm_integers,
        "eps is not added; only a spread of about 0 is replaced": _norm_nan_safe,
        "one gamma and one beta for all features #2": lambda x, gamma, beta, eps=1e-5: _norm_std(
            x, gamma[:1], beta[:1], eps
        ),
        "averaged over the tokens, not over the features #2": lambda x, gamma, beta, eps=1e-5: (
            gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta
        ),
    },
    "add_and_norm": {
        "changes its input in place": _sum_in_place,
        "returns nothing": _empty,
        "returns a list, not an array": lambda *a, **k: _norm_of_sum(_norm_std)(*a, **k).tolist(),
        "": _norm_of_sum(_norm_half),
        " #2": _sum_of_longest,
    },
    "LayerNorm": {
        "cuts the gradient": _module("LayerNorm", _norm_parameters, _norm_detached_forward),
        "cuts the gradient #2": _module("LayerNorm", _norm_parameters, _norm_numpy_forward),
        "changes its input in place": _module("LayerNorm", _norm_parameters, _norm_in_place_forward),
        "returns nothing": _module("LayerNorm", _norm_parameters, _empty),
        "calls a ready-made function": _module("LayerNorm", _norm_parameters, _norm_torch_forward),
        "": _module("LayerNorm", _norm_parameters, _norm_half_forward),
        " #2": _module("LayerNorm", _norm_random, _norm_forward),
        "calls a ready-made function #2": nn.LayerNorm,
    },
    "FeedForward": {
        "": _module("FeedForward", _two_linears, lambda self, x: FeedForward.forward(self, x.half().float())),
        "cuts the gradient": _module(
            "FeedForward", _two_linears, lambda self, x: self.linear_2(F.relu(self.linear_1(x)).detach())
        ),
        "returns nothing": _module("FeedForward", _two_linears, _empty),
        " #2": _module("FeedForward", _two_linears, lambda self, x: self.linear_2(F.leaky_relu(self.linear_1(x), 0.1))),
    },
    "EncoderLayer": {
        "changes its input in place": _module("EncoderLayer", _parts(), _in_place_layer),
        "returns nothing": _module("EncoderLayer", _parts(), _empty),
        "": _module("EncoderLayer", _parts(), _half_layer),
        " #2": _module("EncoderLayer", _parts(), _head_axis_layer),
        " #3": _module("EncoderLayer", _any_heads, _plain_layer),
        " #4": _module("EncoderLayer", _parts(), _no_second_norm),
        " #5": _module("EncoderLayer", _parts(), _scaled_road),
        "post-norm asked, pre-norm computed; and pre-norm asked, post-norm computed": _module(
            "EncoderLayer", _parts(), _swapped_layer
        ),
    },
    "Encoder": {
        "all layers start from the same weights": _module("Encoder", _deep_copies, _forward_stack),
        "all layers start from the same weights #2": _module("Encoder", _partly_copied, _forward_stack),
        "changes its input in place": _module("Encoder", _stack(), _forward_in_place),
        "returns nothing": _module("Encoder", _stack(), _empty),
        "": _module("Encoder", _other_norm_name, _other_norm_forward),
        " #2": _module("Encoder", _stack(), _forward_half),
        "returns a tuple, not an array": _module("Encoder", _stack(), _forward_pair),
    },
}
