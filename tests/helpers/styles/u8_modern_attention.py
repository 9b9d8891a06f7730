"""Right answers to unit 8 in other styles than the reference's, and further wrong ones.

RIGHT: exercise → functions that must pass. WRONG: exercise → {name the verdict must give: function};
an empty name means that the answer must fail and no mistake may be named.
"""

import math

import torch
import torch.nn.functional as F

from helpers.reference import u8_modern_attention as reference

# --- rms_norm --------------------------------------------------------------------------------------------


def _rms_plain(x, weight, eps=1e-6):
    return x / torch.sqrt(torch.mean(x**2, dim=-1, keepdim=True) + eps) * weight


def _rms_as_models_write_it(x, weight, eps=1e-6):
    h = x.to(torch.float32)
    variance = h.pow(2).mean(-1, keepdim=True)
    h = h * torch.rsqrt(variance + eps)
    return weight * h.to(x.dtype)


def _rms_double(x, weight, eps=1e-6):
    x = x.double()
    return weight * x * ((x * x).sum(-1, keepdim=True) / x.shape[-1] + eps) ** -0.5


def _rms_einsum(x, weight, eps=1e-6):
    size = torch.einsum("...d,...d->...", x, x) / x.size(-1)
    return torch.einsum("...d,...,d->...d", x, 1 / (size + eps).sqrt(), weight)


def _rms_norm_of_vector(x, weight, eps=1e-6):
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    d = x.shape[-1]
    return weight * (x / torch.sqrt(length * length / d + eps))


# --- apply_rotary ----------------------------------------------------------------------------------------


def _even(x):
    if x.shape[-1] % 2 != 0:
        raise ValueError("d must be even")
    return x.shape[-1]


def _rotary_complex(x, positions, base=10000.0):
    d = _even(x)
    freqs = 1.0 / (base ** (torch.arange(0, d, 2).float() / d))
    angles = torch.outer(positions.float(), freqs)
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], d // 2, 2))
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


def _rotary_interleaved_slices(x, positions, base=10000.0):
    d = _even(x)
    i = torch.arange(d // 2)
    angles = positions.unsqueeze(-1) / base ** (2 * i / d)
    out = torch.empty_like(x)
    out[..., 0::2] = x[..., 0::2] * torch.cos(angles) - x[..., 1::2] * torch.sin(angles)
    out[..., 1::2] = x[..., 0::2] * torch.sin(angles) + x[..., 1::2] * torch.cos(angles)
    return out


def _rotary_rotate_every_two(x, positions, base=10000.0):
    d = _even(x)
    theta = torch.exp(-math.log(base) * torch.arange(0, d, 2) / d).repeat_interleave(2)
    angles = positions[:, None] * theta
    partner = torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).reshape(x.shape)
    return x * angles.cos() + partner * angles.sin()


def _rotary_matrices(x, positions, base=10000.0):
    d = _even(x)
    rows = []
    for n, p in enumerate(positions.tolist()):
        blocks = []
        for i in range(d // 2):
            a = p * base ** (-2 * i / d)
            blocks.append(torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]))
        rows.append(x[..., n, :] @ torch.block_diag(*blocks).T)
    return torch.stack(rows, dim=-2)


def _rotary_double(x, positions, base=10000.0):
    return reference.apply_rotary(x.double(), positions, base)


# --- grouped_query_attention -----------------------------------------------------------------------------


def _grouped_axes(Q, K, V, mask=None):
    *lead, h, n_q, d = Q.shape
    h_kv, n_k = K.shape[-3], K.shape[-2]
    if h_kv > h or h % h_kv != 0:
        raise ValueError(f"{h} {h_kv}")
    grouped = Q.reshape(*lead, h_kv, h // h_kv, n_q, d)
    scores = grouped @ K.unsqueeze(-3).transpose(-1, -2) / d**0.5
    if mask is not None:
        full = mask.expand(*lead, h, n_q, n_k).reshape(scores.shape)
        scores = scores.masked_fill(~full, float("-inf"))
    weights = torch.nan_to_num(torch.softmax(scores, dim=-1))
    return (weights @ V.unsqueeze(-3)).reshape(*lead, h, n_q, V.shape[-1])


def _grouped_loop(Q, K, V, mask=None):
    h, h_kv = Q.size(-3), K.size(-3)
    if h % h_kv:
        raise ValueError
    if mask is not None:
        mask = torch.broadcast_to(mask, Q.shape[:-1] + K.shape[-2:-1])
    outputs = []
    for i in range(h):
        j = i // (h // h_kv)
        scores = Q[..., i, :, :] @ K[..., j, :, :].mT / math.sqrt(Q.size(-1))
        if mask is not None:
            scores = torch.where(mask[..., i, :, :], scores, -1e9)
        weights = F.softmax(scores, dim=-1)
        if mask is not None:
            weights = weights * mask[..., i, :, :]
        outputs.append(weights @ V[..., j, :, :])
    return torch.stack(outputs, dim=-3)


def _grouped_expand(Q, K, V, mask=None):
    h, h_kv, d = Q.shape[-3], K.shape[-3], Q.shape[-1]
    if h % h_kv != 0:
        raise ValueError("heads")

    def repeated(x):
        return x.unsqueeze(-3).expand(*x.shape[:-2], h // h_kv, *x.shape[-2:]).flatten(-4, -3)

    scores = torch.einsum("...qd,...kd->...qk", Q * d**-0.5, repeated(K))
    if mask is not None:
        scores = scores + torch.zeros(mask.shape).masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1)
    if mask is not None:
        weights = weights.masked_fill(~mask.any(-1, keepdim=True), 0.0)
    return torch.einsum("...qk,...kd->...qd", weights, repeated(V))


def _grouped_index(Q, K, V, mask=None):
    h, h_kv = Q.shape[-3], K.shape[-3]
    if h_kv == 0 or h % h_kv:
        raise ValueError("heads")
    share = torch.arange(h) // (h // h_kv)
    scores = Q @ K[..., share, :, :].transpose(-2, -1) / Q.shape[-1] ** 0.5
    mask = torch.ones(scores.shape, dtype=torch.bool) if mask is None else mask.broadcast_to(scores.shape)
    largest = scores.masked_fill(~mask, -math.inf).amax(-1, keepdim=True)
    largest = largest.masked_fill(largest.isneginf(), 0.0)  # exp(score - -1e30) would be ∞, and NaN in the gradients
    e = torch.where(mask, torch.exp(scores - largest), 0)
    return e / e.sum(-1, keepdim=True).clamp(min=1e-30) @ V[..., share, :, :]


def _grouped_double(Q, K, V, mask=None):
    h, h_kv = Q.shape[-3], K.shape[-3]
    if h % h_kv:
        raise ValueError("heads")
    Q, K, V = Q.double(), K.double().repeat_interleave(h // h_kv, -3), V.double().repeat_interleave(h // h_kv, -3)
    scores = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])
    if mask is not None:
        scores[~mask.expand_as(scores)] = -math.inf
    weights = scores.softmax(-1)
    if mask is not None:
        weights = torch.where(torch.isnan(weights), 0, weights)
    return weights @ V


# --- cached_attention_step -------------------------------------------------------------------------------


def _cache_plain(q, k, v, cache):
    if cache is None:
        K, V = k.clone(), v.clone()
    else:
        K, V = torch.cat([cache[0], k], dim=-2), torch.cat([cache[1], v], dim=-2)
    scores = q @ K.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return torch.softmax(scores, dim=-1) @ V, (K, V)


def _cache_by_sums(q, k, v, cache):
    if cache is not None:
        old_K, old_V = cache
        k, v = torch.cat((old_K, k), -2), torch.cat((old_V, v), -2)
    else:
        k, v = k + 0, v + 0
    scores = (q * k).sum(-1) * q.shape[-1] ** -0.5
    weights = scores.softmax(-1)
    return [(weights.unsqueeze(-1) * v).sum(-2, keepdim=True), [k, v]]


def _cache_einsum(q, k, v, cache):
    K, V = (torch.empty_like(k[..., :0, :]), torch.empty_like(v[..., :0, :])) if cache is None else cache
    K, V = torch.concat([K, k], dim=-2), torch.concat([V, v], dim=-2)
    s = torch.einsum("...qd,...kd->...qk", q, K) / q.size(-1) ** 0.5
    e = torch.exp(s - s.max(dim=-1, keepdim=True).values)
    return torch.einsum("...qk,...kd->...qd", e / e.sum(-1, keepdim=True), V), (K, V)


def _cache_new_buffer(q, k, v, cache):
    t = 0 if cache is None else cache[0].shape[-2]
    K, V = k.new_zeros(*k.shape[:-2], t + 1, k.shape[-1]), v.new_zeros(*v.shape[:-2], t + 1, v.shape[-1])
    if cache is not None:
        K[..., :t, :], V[..., :t, :] = cache
    K[..., t:, :], V[..., t:, :] = k, v
    weights = F.softmax(torch.matmul(q, K.mT) / math.sqrt(K.shape[-1]), dim=-1)
    return torch.matmul(weights, V), (K, V)


def _cache_with_mask(q, k, v, cache):
    _, (K, V) = _cache_plain(q, k, v, cache)
    n = K.shape[-2]
    mask = torch.ones(n, n, dtype=torch.bool).tril()[-1:]
    scores = (q / q.shape[-1] ** 0.5 @ K.transpose(-1, -2)).masked_fill(~mask, -math.inf)
    return scores.softmax(-1) @ V, (K, V)


def _cache_padded(q, k, v, cache):
    K, V = (None, None) if cache is None else cache
    K = F.pad(k, (0, 0, 0 if K is None else K.shape[-2], 0)) if K is None else torch.cat([K, k], -2).contiguous()
    V = v.clone() if V is None else torch.cat([V, v], -2)
    return torch.log_softmax(q.double() @ K.double().mT / q.shape[-1] ** 0.5, -1).exp() @ V.double(), (K + 0, V)


# --- online_softmax_attention ----------------------------------------------------------------------------


def _refuse(block_size):
    if block_size < 1:
        raise ValueError("block_size must be positive")


def _online_in_place(Q, K, V, block_size):
    _refuse(block_size)
    n_k, d = K.shape[-2:]
    m = torch.full(Q.shape[:-1], float("-inf"))
    total = torch.zeros(Q.shape[:-1])
    out = torch.zeros(*Q.shape[:-1], V.shape[-1])
    for j in range(0, n_k, block_size):
        s = torch.matmul(Q, K[..., j : j + block_size, :].transpose(-1, -2)) / math.sqrt(d)
        new = torch.maximum(m, s.max(dim=-1).values)
        p = torch.exp(s - new[..., None])
        alpha = torch.exp(m - new)
        total *= alpha
        total += p.sum(dim=-1)
        out *= alpha[..., None]
        out += p @ V[..., j : j + block_size, :]
        m = new
    out /= total[..., None]
    return out


def _online_logsumexp(Q, K, V, block_size):
    _refuse(block_size)
    out = lse = None
    for k, v in zip(K.split(block_size, dim=-2), V.split(block_size, dim=-2)):
        s = Q @ k.mT * Q.shape[-1] ** -0.5
        block_lse, block_out = torch.logsumexp(s, -1, keepdim=True), torch.softmax(s, -1) @ v
        if out is None:
            out, lse = block_out, block_lse
        else:
            both = torch.logaddexp(lse, block_lse)
            out, lse = out * torch.exp(lse - both) + block_out * torch.exp(block_lse - both), both
    return out


def _online_two_passes(Q, K, V, block_size):
    _refuse(block_size)
    blocks = range(0, K.shape[-2], block_size)
    Q = Q / math.sqrt(Q.shape[-1])
    m = torch.tensor(-math.inf)
    for j in blocks:
        m = torch.maximum(m, (Q @ K[..., j : j + block_size, :].mT).amax(-1, keepdim=True))
    total, out = 0, 0
    for j in blocks:
        p = torch.exp(Q @ K[..., j : j + block_size, :].mT - m)
        total, out = total + p.sum(-1, keepdim=True), out + p @ V[..., j : j + block_size, :]
    return out / total


def _online_blocks_of_queries_too(Q, K, V, block_size):
    _refuse(block_size)
    rows = []
    for i in range(0, Q.shape[-2], block_size):
        q = Q[..., i : i + block_size, :]
        m, total, out = torch.tensor(-1e30), torch.tensor(0.0), torch.tensor(0.0)
        for j in range(0, K.shape[-2], block_size):
            s = torch.einsum("...qd,...kd->...qk", q, K[..., j : j + block_size, :]) / Q.shape[-1] ** 0.5
            new = torch.maximum(m, s.detach().amax(-1, keepdim=True))
            p = (s - new).exp()
            total = total * (m - new).exp() + p.sum(-1, keepdim=True)
            out = out * (m - new).exp() + torch.einsum("...qk,...kd->...qd", p, V[..., j : j + block_size, :])
            m = new
        rows.append(out / total)
    return torch.cat(rows, dim=-2)


def _online_normalised_as_it_goes(Q, K, V, block_size):
    _refuse(block_size)
    m = torch.full((*Q.shape[:-1], 1), torch.finfo(Q.dtype).min)
    total, out = torch.zeros_like(m), torch.zeros(*Q.shape[:-1], V.shape[-1])
    start = 0
    while start < K.shape[-2]:
        stop = min(start + block_size, K.shape[-2])
        s = (Q @ K[..., start:stop, :].transpose(-2, -1)) / Q.shape[-1] ** 0.5
        new = torch.max(m, s.max(dim=-1, keepdim=True)[0])
        p = torch.exp(s - new)
        carried = total * torch.exp(m - new)
        total = carried + p.sum(-1, keepdim=True)
        out = (out * carried + p @ V[..., start:stop, :]) / total
        m, start = new, stop
    return out


def _online_double(Q, K, V, block_size):
    return reference.online_softmax_attention(Q.double(), K.double(), V.double(), block_size)


def _online_padded(Q, K, V, block_size):
    _refuse(block_size)
    n = K.shape[-2]
    extra = -n % block_size
    K, V = F.pad(K, (0, 0, 0, extra)), F.pad(V, (0, 0, 0, extra))
    m, total, out = Q.new_full((*Q.shape[:-1], 1), -math.inf), 0.0, 0.0
    for b in range((n + extra) // block_size):
        place = torch.arange(b * block_size, (b + 1) * block_size)
        s = (Q @ K[..., place, :].mT / Q.shape[-1] ** 0.5).masked_fill(place >= n, -math.inf)
        new = torch.maximum(m, s.amax(-1, keepdim=True))
        p, fade = torch.exp(s - new), torch.exp(m - new)
        m, total, out = new, fade * total + p.sum(-1, keepdim=True), fade * out + p @ V[..., place, :]
    return out / total


RIGHT = {
    "rms_norm": [_rms_plain, _rms_as_models_write_it, _rms_double, _rms_einsum, _rms_norm_of_vector],
    "apply_rotary": [
        _rotary_complex,
        _rotary_interleaved_slices,
        _rotary_rotate_every_two,
        _rotary_matrices,
        _rotary_double,
    ],
    "grouped_query_attention": [_grouped_axes, _grouped_loop, _grouped_expand, _grouped_index, _grouped_double],
    "cached_attention_step": [
        _cache_plain,
        _cache_by_sums,
        _cache_einsum,
        _cache_new_buffer,
        _cache_with_mask,
        _cache_padded,
    ],
    "online_softmax_attention": [
        _online_in_place,
        _online_logsumexp,
        _online_two_passes,
        _online_blocks_of_queries_too,
        _online_normalised_as_it_goes,
        _online_double,
        _online_padded,
    ],
}


# --- wrong answers ---------------------------------------------------------------------------------------


def _half(function):
    def wrong(*args, **kwargs):
        return function(
            *(a.half().float() if isinstance(a, torch.Tensor) and a.is_floating_point() else a for a in args), **kwargs
        )

    return wrong


def _to_numpy(function):
    def wrong(*args, **kwargs):
        return function(*args, **kwargs).detach().numpy().copy()

    return wrong


def _detached(function):
    def wrong(*args, **kwargs):
        return function(*args, **kwargs).detach()

    return wrong


def _one_pair_for_all(x, positions, base=10000.0):
    if x.shape[-1] % 2:
        raise ValueError
    return reference.apply_rotary(x, positions.flip(0), base)


def _rotary_view(x, positions, base=10000.0):
    y = reference.apply_rotary(x, positions, base)
    with torch.no_grad():
        x.copy_(y)
    return x


def _grouped_with_weights(Q, K, V, mask=None):
    output = reference.grouped_query_attention(Q, K, V, mask)
    return output, torch.softmax(Q @ K.repeat_interleave(Q.shape[-3] // K.shape[-3], -3).mT / Q.shape[-1] ** 0.5, -1)


def _grouped_result_of_fill_thrown_away(Q, K, V, mask=None):
    h, h_kv = Q.shape[-3], K.shape[-3]
    if h % h_kv:
        raise ValueError
    scores = Q @ K.repeat_interleave(h // h_kv, -3).mT / Q.shape[-1] ** 0.5
    if mask is not None:
        scores.masked_fill(~mask, -math.inf)
    return scores.softmax(-1) @ V.repeat_interleave(h // h_kv, -3)


def _grouped_mask_needed(Q, K, V, mask=None):
    return reference.grouped_query_attention(Q, K, V, mask.bool())


_KEPT = []


def _cache_global(q, k, v, cache):
    if cache is None:
        _KEPT.clear()
    _KEPT.append((k, v))
    K, V = (torch.cat([pair[i] for pair in _KEPT], dim=-2) for i in (0, 1))
    return torch.softmax(q @ K.mT / q.shape[-1] ** 0.5, -1) @ V, (K, V)


def _cache_detached(q, k, v, cache):
    return reference.cached_attention_step(q, k, v, None if cache is None else (cache[0].detach(), cache[1].detach()))


def _cache_output_only(q, k, v, cache):
    return reference.cached_attention_step(q, k, v, cache)[0]


def _online_all_blocks_kept(Q, K, V, block_size):
    if block_size < 1:
        raise ValueError
    scores = torch.cat([Q @ k.mT / Q.shape[-1] ** 0.5 for k in K.split(block_size, dim=-2)], dim=-1)
    return scores.softmax(-1) @ V


def _online_nothing_when_bad(Q, K, V, block_size):
    return None if block_size < 1 else reference.online_softmax_attention(Q, K, V, block_size)


WRONG = {
    "rms_norm": {
        "changes its input in place": lambda x, weight, eps=1e-6: x.data.mul_(
            weight / (x.square().mean(-1, keepdim=True) + eps).sqrt()
        ).clone(),
        "": _half(reference.rms_norm),
        "returns a NumPy array, not a tensor": _to_numpy(reference.rms_norm),
        "cuts the gradient": _detached(reference.rms_norm),
        "calls a ready-made function": lambda x, weight, eps=1e-6: F.rms_norm(x, x.shape[-1:], weight, eps),
        "returns nothing": lambda x, weight, eps=1e-6: None,
    },
    "apply_rotary": {
        "changes its input in place": lambda x, positions, base=10000.0: _rotary_view(x, positions, base).clone(),
        "cuts the gradient": _detached(reference.apply_rotary),
        "": _one_pair_for_all,
    },
    "grouped_query_attention": {
        "returned the weights as well": _grouped_with_weights,
        "the mask changes nothing": _grouped_result_of_fill_thrown_away,
        "": _grouped_mask_needed,
        " #2": _half(reference.grouped_query_attention),
        "cuts the gradient": _detached(reference.grouped_query_attention),
        "calls a ready-made function": lambda Q, K, V, mask=None: F.scaled_dot_product_attention(
            Q, K, V, attn_mask=mask, enable_gqa=True
        ),
    },
    "cached_attention_step": {
        "": _cache_global,
        "cuts the gradient": _cache_detached,
        " #2": _cache_output_only,
    },
    "online_softmax_attention": {
        "made the whole n × n matrix of scores": _online_all_blocks_kept,
        "accepts arguments that make no sense": _online_nothing_when_bad,
        "cuts the gradient": _detached(reference.online_softmax_attention),
        "calls a ready-made function": lambda Q, K, V, block_size: F.scaled_dot_product_attention(Q, K, V),
        "": _half(reference.online_softmax_attention),
    },
}
