"""Right answers to unit 4 in other styles than the reference's, and further wrong ones.

RIGHT: exercise → functions or classes that must pass. WRONG: exercise → {name the verdict must give: function};
an empty name means that the answer must fail and no mistake may be named.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers.reference import u2_softmax_scaling as u2
from helpers.reference import u4_multi_head as reference

# --- split_heads, merge_heads ----------------------------------------------------------------------------


def _split_stack(X, n_heads):
    if n_heads < 1 or X.shape[-1] % n_heads != 0:
        raise ValueError("n_heads must divide the width")
    return np.stack(np.split(X, n_heads, axis=-1), axis=-3)


def _split_loop(X, n_heads):
    *lead, n, d = X.shape
    if n_heads <= 0 or d % n_heads:
        raise ValueError(f"{d} columns in {n_heads} heads")
    width = d // n_heads
    H = np.zeros((*lead, n_heads, n, width))
    for i in range(n_heads):
        H[..., i, :, :] = X[..., i * width : (i + 1) * width]
    return H


def _split_minus_one(X, n_heads):
    # NumPy's own ValueErrors fit: 0 heads and heads that do not divide both fail in the reshape.
    return np.moveaxis(np.reshape(X, (*X.shape[:-1], n_heads, -1)), -2, -3).copy()


def _split_torch(X, n_heads):
    if n_heads < 1 or X.shape[-1] % n_heads:
        raise ValueError
    return torch.from_numpy(np.array(X)).unflatten(-1, (n_heads, -1)).transpose(-2, -3).contiguous().clone().numpy()


def _split_float32(X, n_heads):
    if n_heads < 1 or X.shape[-1] % n_heads:
        raise ValueError
    H = X.astype(np.float32).reshape(X.shape[:-1] + (n_heads, X.shape[-1] // n_heads))
    return np.array(H.swapaxes(-3, -2))


def _merge_concatenate(H):
    return np.concatenate([H[..., i, :, :] for i in range(H.shape[-3])], axis=-1)


def _merge_loop(H):
    *lead, h, n, width = H.shape
    X = np.empty((*lead, n, h * width))
    for i in range(h):
        X[..., i * width : (i + 1) * width] = H[..., i, :, :]
    return X


def _merge_reshape(H):
    X = np.moveaxis(H, -3, -2)
    return X.reshape(X.shape[:-2] + (-1,)).copy()


def _merge_einsum(H):
    return np.array(np.einsum("...hnk->...nhk", H)).reshape(*H.shape[:-3], H.shape[-2], -1) * 1.0


def _merge_float32(H):
    return np.concatenate(list(np.moveaxis(H.astype("f4"), -3, 0)), axis=-1)


# --- multi_head_attention --------------------------------------------------------------------------------


def _mha_slices(X, W_q, W_k, W_v, W_o, n_heads):
    d = X.shape[-1]
    if n_heads < 1 or d % n_heads:
        raise ValueError("bad n_heads")
    w = d // n_heads
    outputs, maps = [], []
    for i in range(n_heads):
        part = slice(i * w, (i + 1) * w)
        out, weights = u2.scaled_dot_product_attention(X @ W_q[:, part], X @ W_k[:, part], X @ W_v[:, part])
        outputs.append(out)
        maps.append(weights)
    return np.concatenate(outputs, axis=-1) @ W_o, np.stack(maps, axis=-3)


def _mha_parts(X, W_q, W_k, W_v, W_o, n_heads):
    Q, K, V = (_split_minus_one(X @ W, n_heads) for W in (W_q, W_k, W_v))
    heads, weights = u2.scaled_dot_product_attention(Q, K, V)
    return [_merge_concatenate(heads) @ W_o, weights]


def _mha_einsum(X, W_q, W_k, W_v, W_o, n_heads):
    if n_heads < 1 or X.shape[-1] % n_heads != 0:
        raise ValueError
    cut = lambda W: W.reshape(W.shape[0], n_heads, -1)
    Q, K, V = (np.einsum("...nd,dhk->...nhk", X, cut(W)) for W in (W_q, W_k, W_v))
    scores = np.einsum("...qhk,...nhk->...hqn", Q / np.sqrt(Q.shape[-1]), K)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("...hqn,...nhk,hko->...qo", weights, V, W_o.reshape(n_heads, -1, W_o.shape[1])), weights


def _mha_float32(X, W_q, W_k, W_v, W_o, n_heads):
    return _mha_parts(*(np.asarray(a, dtype=np.float32) for a in (X, W_q, W_k, W_v, W_o)), n_heads)


def _mha_each_head_its_rows_of_w_o(X, W_q, W_k, W_v, W_o, n_heads):
    if n_heads < 1:
        raise ValueError
    Q, K, V = (reference.split_heads(X @ W, n_heads) for W in (W_q, W_k, W_v))
    heads, weights = u2.scaled_dot_product_attention(Q, K, V)
    rows = np.split(W_o, n_heads)
    return sum(heads[..., i, :, :] @ rows[i] for i in range(n_heads)), weights


def _mha_torch_softmax(X, W_q, W_k, W_v, W_o, n_heads):
    X = torch.tensor(X, dtype=torch.float64)
    if n_heads < 1 or X.shape[-1] % n_heads:
        raise ValueError
    Q, K, V = (
        (X @ torch.tensor(W, dtype=X.dtype)).unflatten(-1, (n_heads, -1)).transpose(-2, -3) for W in (W_q, W_k, W_v)
    )
    weights = torch.softmax(Q @ K.mT / Q.shape[-1] ** 0.5, -1)
    return ((weights @ V).transpose(-2, -3).flatten(-2) @ torch.tensor(W_o, dtype=X.dtype)).numpy(), weights.numpy()


# --- count_parameters ------------------------------------------------------------------------------------


def _count_by_head(d_model, n_heads, bias):
    d_k = d_model // n_heads
    total = 0
    for _ in range(n_heads):
        total += 3 * (d_model * d_k + (d_k if bias else 0))
    return total + d_model * d_model + bias * d_model


def _count_by_building(d_model, n_heads, bias):
    layers = nn.ModuleList(nn.Linear(d_model, d_model, bias=bias) for _ in range(4))
    return sum(p.numel() for p in layers.parameters())


# --- MultiHeadAttention ----------------------------------------------------------------------------------


def _check(d_model, n_heads):
    if n_heads < 1 or d_model % n_heads != 0:
        raise ValueError(f"{n_heads} heads do not divide {d_model}")


class _Base(nn.Module):
    def __init__(self, d_model, n_heads, bias=True):
        super().__init__()
        _check(d_model, n_heads)
        self.d_model, self.h, self.d_k = d_model, n_heads, d_model // n_heads
        for name in ("W_o", "W_v", "W_k", "W_q"):
            setattr(self, name, nn.Linear(d_model, d_model, bias=bias))


class _ViewTranspose(_Base):
    """As many tutorials write it: view, transpose, -1e9, and what is hidden set to zero."""

    def heads(self, x):
        return x.view(*x.shape[:-1], self.h, self.d_k).transpose(-2, -3)

    def forward(self, query, key, value, mask=None):
        q, k, v = self.heads(self.W_q(query)), self.heads(self.W_k(key)), self.heads(self.W_v(value))
        scores = torch.matmul(q, k.transpose(-2, -1)) / math.sqrt(self.d_k)
        if mask is not None:
            scores = scores.masked_fill(mask == 0, -1e9)
        weights = F.softmax(scores, dim=-1)
        if mask is not None:
            weights = weights.masked_fill(mask == 0, 0)
        x = torch.matmul(weights, v).transpose(-2, -3).contiguous()
        return self.W_o(x.view(*x.shape[:-2], self.d_model)), weights


class _Loop(_Base):
    """One head after the other; the empty row is put right by a factor."""

    def forward(self, query, key, value, mask=None):
        Q, K, V = self.W_q(query), self.W_k(key), self.W_v(value)
        seen = None
        if mask is not None:
            seen = mask.expand(*Q.shape[:-2], self.h, Q.shape[-2], K.shape[-2])
        outputs, maps = [], []
        for i in range(self.h):
            part = slice(i * self.d_k, (i + 1) * self.d_k)
            s = (Q[..., part] * self.d_k**-0.5) @ K[..., part].transpose(-1, -2)
            if seen is None:
                w = torch.softmax(s, -1)
            else:
                m = seen[..., i, :, :]
                w = torch.softmax(torch.where(m, s, torch.full_like(s, torch.finfo(s.dtype).min)), -1) * m.any(
                    -1, keepdim=True
                )
            outputs.append(w @ V[..., part])
            maps.append(w)
        return self.W_o(torch.cat(outputs, -1)), torch.stack(maps, -3)


class _Einsum(_Base):
    """einsum, an additive mask of -1e9, and a softmax by hand."""

    def forward(self, query, key, value, mask=None):
        q, k, v = (
            layer(x).unflatten(-1, (self.h, self.d_k))
            for layer, x in ((self.W_q, query), (self.W_k, key), (self.W_v, value))
        )
        s = torch.einsum("...qhd,...khd->...hqk", q, k) / self.d_k**0.5
        if mask is None:
            mask = torch.ones((), dtype=torch.bool)
        s = s + (~mask) * -1e9
        e = torch.exp(s - s.amax(-1, keepdim=True)) * mask
        w = e / e.sum(-1, keepdim=True).clamp(min=1e-9)
        return [self.W_o(torch.einsum("...hqk,...khd->...qhd", w, v).flatten(-2)), w]


class _NanToNum(_Base):
    """-inf by masked_fill and nan_to_num: masked_fill stops the gradient of the rows that became NaN."""

    def forward(self, query, key, value, mask=None):
        q, k, v = (
            layer(x).unflatten(-1, (self.h, -1)).transpose(-2, -3)
            for layer, x in ((self.W_q, query), (self.W_k, key), (self.W_v, value))
        )
        scores = q @ k.mT / math.sqrt(q.size(-1))
        if mask is not None:
            scores = scores.masked_fill(mask.logical_not(), float("-inf"))
        weights = torch.nan_to_num(torch.softmax(scores, dim=-1))
        return self.W_o((weights @ v).transpose(-2, -3).flatten(-2)), weights


class _InPlaceOnOwn(_Base):
    """masked_fill_ on scores of its own; an empty row is let see everything, then set to zero."""

    def forward(self, query, key, value, mask=None):
        q, k, v = (
            layer(x).unflatten(-1, (self.h, -1)).movedim(-2, -3)
            for layer, x in ((self.W_q, query), (self.W_k, key), (self.W_v, value))
        )
        scores = q.matmul(k.transpose(-1, -2)).div(math.sqrt(self.d_k))
        if mask is None:
            weights = scores.softmax(-1)
        else:
            some = mask.any(dim=-1, keepdim=True)
            scores.masked_fill_(~mask & some, -math.inf)
            weights = scores.softmax(-1) * some
        return self.W_o(weights.matmul(v).movedim(-3, -2).flatten(-2)), weights


class _AdditiveInfinity(_Base):
    """An additive mask of 0 and -inf, safe because a row that sees nothing gets none of it."""

    def forward(self, query, key, value, mask=None):
        q, k, v = (
            layer(x).unflatten(-1, (self.h, -1)).transpose(-2, -3)
            for layer, x in ((self.W_q, query), (self.W_k, key), (self.W_v, value))
        )
        scores = q @ k.mT / math.sqrt(self.d_k)
        if mask is not None:
            empty = ~mask.any(-1, keepdim=True)
            scores = scores + torch.zeros_like(mask, dtype=scores.dtype).masked_fill(~(mask | empty), -math.inf)
            weights = torch.where(empty, torch.zeros_like(scores), scores.softmax(-1))
        else:
            weights = scores.softmax(-1)
        return self.W_o((weights @ v).transpose(-2, -3).flatten(-2)), weights


# --- convert_torch_weights -------------------------------------------------------------------------------


def _convert_chunks(state):
    new = {}
    for part in ("weight", "bias"):
        if "in_proj_" + part in state:
            q, k, v = torch.chunk(state["in_proj_" + part], 3, dim=0)
            new.update({"W_q." + part: q, "W_k." + part: k, "W_v." + part: v, "W_o." + part: state["out_proj." + part]})
    return new


def _convert_slices(state):
    W, d = state["in_proj_weight"], state["out_proj.weight"].shape[0]
    result = {
        "W_q.weight": W[:d],
        "W_k.weight": W[d : 2 * d],
        "W_v.weight": W[2 * d :],
        "W_o.weight": state["out_proj.weight"],
    }
    b = state.get("in_proj_bias")
    if b is not None:
        result["W_q.bias"], result["W_k.bias"], result["W_v.bias"], result["W_o.bias"] = (
            b[:d],
            b[d : 2 * d],
            b[2 * d :],
            state["out_proj.bias"],
        )
    return result


def _convert_clones(state):
    return {key: value.clone() for key, value in _convert_chunks(dict(state)).items()}


def _convert_popping_a_copy(state):
    state = dict(state)
    new = {f"W_o.{key.split('.')[1]}": state.pop(key) for key in list(state) if key.startswith("out_proj")}
    for key, stacked in state.items():
        for name, part in zip("qkv", stacked.unflatten(0, (3, -1))):
            new[f"W_{name}.{key.removeprefix('in_proj_')}"] = part
    return new


def _convert_numpy(state):
    return {key: torch.from_numpy(value.numpy().copy()) for key, value in _convert_slices(state).items()}


RIGHT = {
    "split_heads": [_split_stack, _split_loop, _split_minus_one, _split_torch, _split_float32],
    "merge_heads": [_merge_concatenate, _merge_loop, _merge_reshape, _merge_einsum, _merge_float32],
    "multi_head_attention": [
        _mha_slices,
        _mha_parts,
        _mha_einsum,
        _mha_float32,
        _mha_each_head_its_rows_of_w_o,
        _mha_torch_softmax,
    ],
    "count_parameters": [
        lambda d_model, n_heads, bias: 4 * d_model**2 + 4 * d_model * bias,
        lambda d_model, n_heads, bias: 4 * d_model * (d_model + int(bias)),
        _count_by_head,
        _count_by_building,
        lambda d_model, n_heads, bias: (
            sum(np.prod(shape) for shape in [(d_model, d_model), (d_model,)][: 1 + bias]) * 4
        ),
    ],
    "MultiHeadAttention": [_ViewTranspose, _Loop, _Einsum, _NanToNum, _InPlaceOnOwn, _AdditiveInfinity],
    "convert_torch_weights": [
        _convert_chunks,
        _convert_slices,
        _convert_clones,
        _convert_popping_a_copy,
        _convert_numpy,
    ],
}


# --- wrong -----------------------------------------------------------------------------------------------


def _split_view(X, n_heads):
    if n_heads < 1:
        raise ValueError
    return np.swapaxes(X.reshape(*X.shape[:-1], n_heads, -1), -2, -3)


def _split_dimensions_swapped(X, n_heads):
    return reference.split_heads(X, n_heads).swapaxes(0, -1).copy()


_STORE = np.zeros(10_000)


def _merge_one_store(H):
    X = reference.merge_heads(H)
    result = _STORE[: X.size].reshape(X.shape)
    result[...] = X
    return result


def _mha_in_place(X, W_q, W_k, W_v, W_o, n_heads):
    result = reference.multi_head_attention(X, W_q, W_k, W_v, W_o, n_heads)
    W_o *= 1.000001
    return result


def _mha_half(X, W_q, W_k, W_v, W_o, n_heads):
    output, weights = reference.multi_head_attention(
        *(np.asarray(a, dtype=np.float16) for a in (X, W_q, W_k, W_v, W_o)), n_heads
    )
    return output.astype(float), weights.astype(float)


def _mha_no_check(X, W_q, W_k, W_v, W_o, n_heads):
    return _mha_parts(X, W_q, W_k, W_v, W_o, 1 if n_heads == 0 else n_heads)


def _mha_last_head_only(X, W_q, W_k, W_v, W_o, n_heads):
    output, weights = reference.multi_head_attention(X, W_q, W_k, W_v, W_o, n_heads)
    return output, weights[..., -1, :, :]


def _mha_w_o_first(X, W_q, W_k, W_v, W_o, n_heads):
    output, weights = reference.multi_head_attention(X, W_q, W_k, W_v, np.eye(len(W_o)), n_heads)
    return np.tanh(output @ W_o), weights


def _mha_split_first(X, W_q, W_k, W_v, W_o, n_heads):
    H = reference.split_heads(X, n_heads)
    output, weights = u2.scaled_dot_product_attention(H @ W_q, H @ W_k, H @ W_v)
    return reference.merge_heads(output) @ W_o, weights


def _split_one_sentence(X, n_heads):
    n, d = X.shape
    return np.array(X, dtype=float).reshape(n, n_heads, d // n_heads).transpose(1, 0, 2).copy()


class _Ready(_Base):
    def forward(self, query, key, value, mask=None):
        q, k, v = (
            layer(x).unflatten(-1, (self.h, -1)).transpose(-2, -3)
            for layer, x in ((self.W_q, query), (self.W_k, key), (self.W_v, value))
        )
        return self.W_o(F.scaled_dot_product_attention(q, k, v, mask).transpose(-2, -3).flatten(-2)), None


class _Torch(_Base):
    def forward(self, query, key, value, mask=None):
        ready = nn.MultiheadAttention(self.d_model, self.h, batch_first=True)
        return ready(query, key, value, average_attn_weights=False)


class _Detached(reference.MultiHeadAttention):
    def forward(self, query, key, value, mask=None):
        output, weights = super().forward(query, key, value, mask)
        return output.detach(), weights.detach()


class _ScalarDetached(reference.MultiHeadAttention):
    def forward(self, query, key, value, mask=None):
        return super().forward(query, key.detach(), value, mask)


class _ChangesTheMask(reference.MultiHeadAttention):
    def forward(self, query, key, value, mask=None):
        result = super().forward(query, key, value, mask)
        if mask is not None:
            mask.logical_not_()
        return result


class _Half(reference.MultiHeadAttention):
    def forward(self, query, key, value, mask=None):
        output, weights = super().forward(query.half().float(), key.half().float(), value.half().float(), mask)
        return output, weights


class _ExtraBuffer(_ViewTranspose):
    def __init__(self, d_model, n_heads, bias=True):
        super().__init__(d_model, n_heads, bias)
        self.register_buffer("scale", torch.tensor(2.0))


class _HardCoded(reference.MultiHeadAttention):
    def forward(self, query, key, value, mask=None):
        if mask is not None:
            mask = mask[..., :4, :4]
        return super().forward(query, key, value, mask)


class _Tokens2d(reference.MultiHeadAttention):
    def forward(self, query, key, value, mask=None):
        b, n, d = query.shape
        return super().forward(query, key, value, mask)


def _convert_popping(state):
    new = _convert_clones(state)
    for key in list(state):
        state.pop(key)
    return new


WRONG = {
    "split_heads": {
        "returns a view of its input": _split_view,
        "": _split_dimensions_swapped,
        "does not work for every number of batch axes": _split_one_sentence,
        "returns nothing": lambda X, n_heads: None,
        "returns a list, not an array": lambda X, n_heads: reference.split_heads(X, n_heads).tolist(),
    },
    "merge_heads": {
        "reuses one array for every call": _merge_one_store,
        "returns a view of its input": lambda H: np.swapaxes(H, -2, -3).reshape(*H.shape[:-3], H.shape[-2], -1),
        "returns a list, not an array": lambda H: reference.merge_heads(H).tolist(),
    },
    "multi_head_attention": {
        "changes its input in place": _mha_in_place,
        "": _mha_half,
        " #2": _mha_no_check,
        " #3": _mha_last_head_only,
        " #4": _mha_w_o_first,
        # Some of the new shapes fit by chance, so that no one mistake explains every case.
        " #5": _mha_split_first,
        "returns nothing": lambda *args: None,
    },
    "count_parameters": {
        "": lambda d_model, n_heads, bias: d_model * n_heads,
        "returns nothing": lambda d_model, n_heads, bias: None,
    },
    "MultiHeadAttention": {
        "calls a ready-made function": _Ready,
        "calls a ready-made function #2": _Torch,
        "cuts the gradient": _Detached,
        "cuts the gradient #2": _ScalarDetached,
        "changes its input in place": _ChangesTheMask,
        "": _Half,
        " #3": _ExtraBuffer,
        " #4": _HardCoded,
        "does not work for every number of batch axes": _Tokens2d,
    },
    "convert_torch_weights": {
        "changed the state that it was given": _convert_popping,
        "": lambda state: {key: value * 1.0001 for key, value in reference.convert_torch_weights(state).items()},
        "returns nothing": lambda state: None,
    },
}
