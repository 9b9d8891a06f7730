"""Right answers to unit 2 in other styles than the reference's, and further wrong ones.

RIGHT: exercise → functions that must pass. WRONG: exercise → {name the verdict must give: function};
an empty name means that the answer must fail and no mistake may be named.
"""

import math
import random

import numpy as np
import torch

# --- softmax ---------------------------------------------------------------------------------------------


def _softmax_nan_to_num(x, axis=-1):
    with np.errstate(invalid="ignore"):
        e = np.exp(x - np.max(x, axis=axis, keepdims=True))
        return np.nan_to_num(e / np.sum(e, axis=axis, keepdims=True))


def _softmax_moved(x, axis=-1):
    x = np.moveaxis(np.asarray(x, dtype=float), axis, 0)
    top = x.max(axis=0, keepdims=True)
    top[top == -np.inf] = 0
    e = np.exp(x - top)
    total = e.sum(axis=0, keepdims=True)
    total[total == 0] = 1
    return np.moveaxis(e / total, 0, axis)


def _softmax_of_row(row):
    row = [float(s) for s in row]
    top = max(row)
    if top == -math.inf:
        return np.zeros(len(row))
    e = [math.exp(s - top) for s in row]
    return np.array([s / sum(e) for s in e])


def _softmax_loops(x, axis=-1):
    return np.apply_along_axis(_softmax_of_row, axis, np.asarray(x, dtype=float))


def _softmax_filled(x, axis=-1):
    """Finite fills instead of -inf, in float32."""
    x = np.asarray(x).astype(np.float32)
    y = np.where(np.isneginf(x), np.finfo(np.float32).min, x)
    e = np.exp(y - y.max(axis, keepdims=True)) * ~np.isneginf(x)
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-30)


def _softmax_by_torch(x, axis=-1):
    x = torch.as_tensor(np.asarray(x, dtype=np.float32))
    e = torch.exp(x - x.amax(dim=axis, keepdim=True).clamp(min=-3e38))
    return (e / e.sum(dim=axis, keepdim=True).clamp(min=1e-30)).numpy()


def _softmax_by_logarithm(x, axis=-1):
    x = np.asarray(x, dtype=float)
    log_sum = np.logaddexp.reduce(x, axis=axis, keepdims=True)
    return np.exp(x - np.where(np.isneginf(log_sum), 0, log_sum))


def _softmax_warning(x, axis=-1):
    e = np.exp(x - np.max(x, axis, keepdims=True))
    p = e / e.sum(axis, keepdims=True)
    p[np.isnan(p)] = 0
    return p


def _softmax_in_place(x, axis=-1):
    x -= np.where(np.isneginf(x.max(axis, keepdims=True)), 0, x.max(axis, keepdims=True)).astype(x.dtype)
    e = np.exp(x)
    return e / np.where(e.sum(axis, keepdims=True) == 0, 1, e.sum(axis, keepdims=True))


def _softmax_half(x, axis=-1):
    return _softmax_nan_to_num(np.asarray(x, dtype=np.float16), axis).astype(float)


def _softmax_shortcut(x, axis=-1):
    return np.nan_to_num(torch.softmax(torch.as_tensor(np.asarray(x, dtype=float)), axis).numpy())


# --- weighted_sum ----------------------------------------------------------------------------------------


def _weighted_sum_loops(weights, V):
    if weights.ndim > 2:
        return np.stack([_weighted_sum_loops(w, values) for w, values in zip(weights, V)])
    if weights.shape[1] != len(V):
        raise ValueError("one weight for each value, please")
    return np.array([sum(weights[i, j] * V[j] for j in range(len(V))) for i in range(len(weights))])


_kept = {}


def _weighted_sum_one_array(weights, V):
    result = weights @ V
    kept = _kept.setdefault(result.shape, np.zeros(result.shape))
    kept[...] = result
    return kept


# --- score_variance --------------------------------------------------------------------------------------


def _variance_legacy(d_k, n_pairs, seed):
    np.random.seed(seed)
    q, k = np.random.randn(n_pairs, d_k), np.random.randn(n_pairs, d_k)
    return np.einsum("nd,nd->n", q, k).var()


def _variance_loops(d_k, n_pairs, seed):
    rng = np.random.default_rng(seed)
    return float(np.var([rng.standard_normal(d_k) @ rng.standard_normal(d_k) for _ in range(n_pairs)], ddof=1))


def _variance_torch(d_k, n_pairs, seed):
    generator = torch.Generator().manual_seed(seed)
    q, k = torch.randn(2, n_pairs, d_k, generator=generator)
    return (q * k).sum(-1).var()


def _variance_diagonal(d_k, n_pairs, seed):
    rng = np.random.default_rng(seed)
    q, k = rng.normal(0, 1, (d_k, n_pairs)), rng.normal(0, 1, (d_k, n_pairs))
    return np.var(np.diag(q.T @ k))


def _variance_mean_of_squares(d_k, n_pairs, seed):
    rng = np.random.default_rng(seed)
    dots = (rng.normal(size=(n_pairs, d_k)).astype("f4") * rng.normal(size=(n_pairs, d_k)).astype("f4")).sum(1)
    return float((dots**2).mean())


def _variance_plain_python(d_k, n_pairs, seed):
    rng = random.Random(seed)
    dots = [sum(rng.gauss(0, 1) * rng.gauss(0, 1) for _ in range(d_k)) for _ in range(n_pairs)]
    mean = sum(dots) / n_pairs
    return sum((x - mean) ** 2 for x in dots) / n_pairs


_outside = np.random.default_rng(0)


def _variance_generator_outside(d_k, n_pairs, seed):
    q, k = _outside.normal(size=(2, n_pairs, d_k))
    return float((q * k).sum(-1).var())


def _variance_from_the_book_with_noise(d_k, n_pairs, seed):
    return d_k + np.random.default_rng([n_pairs, seed]).normal() * 0.01


def _scale_in_place(scores, d_k):
    if scores.dtype.kind == "f":
        scores /= math.sqrt(d_k)
        return scores
    return scores / math.sqrt(d_k)


# --- softmax_jacobian ------------------------------------------------------------------------------------


def _jacobian_rows(p):
    p = np.asarray(p, dtype=float)
    if p.ndim > 1:
        return np.stack([_jacobian_rows(row) for row in p])
    return np.diag(p) - np.outer(p, p)


def _jacobian_loops(p):
    n = p.shape[-1]
    J = np.zeros((*p.shape, n))
    for i in range(n):
        for j in range(n):
            J[..., i, j] = p[..., i] * (1 - p[..., i]) if i == j else -p[..., i] * p[..., j]
    return J


def _jacobian_filled_diagonal(p):
    J = -np.einsum("...i,...j->...ij", p, p)
    index = np.arange(p.shape[-1])
    J[..., index, index] += p
    return J


def _jacobian_float32(p):
    p = p.astype("f4")
    return np.eye(p.shape[-1], dtype="f4") * p[..., None] - p[..., None] @ p[..., None, :]


def _jacobian_by_autograd(p):
    """Exact also where a weight is 0, since it goes back to a score that gives 0."""

    def softmax(x):
        return torch.softmax(x, -1)

    rows = torch.as_tensor(np.array(p)).reshape(-1, p.shape[-1])
    J = torch.stack([torch.autograd.functional.jacobian(softmax, row.log().clamp(min=-1e3)) for row in rows])
    return J.reshape(*p.shape, p.shape[-1]).numpy()


def _jacobian_by_dividing(p):
    x = np.log(p)
    return np.exp(x)[..., :, None] * (np.eye(p.shape[-1]) - p[..., None, :]) + 0 * x[..., :, None]


# --- attention -------------------------------------------------------------------------------------------


def _rows(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _attention_plain(Q, K, V):
    weights = _rows(Q @ K.T / np.sqrt(K.shape[1]))
    return weights @ V, weights


def _attention_einsum(Q, K, V):
    weights = _rows(np.einsum("...qd,...kd->...qk", Q, K) * Q.shape[-1] ** -0.5)
    return np.einsum("...qk,...kv->...qv", weights, V), weights


def _attention_scaled_queries(Q, K, V):
    weights = _rows((Q / np.sqrt(Q.shape[-1])) @ np.swapaxes(K, -1, -2))
    return [weights @ V, weights]


def _attention_float32(Q, K, V):
    Q, K, V = (a.astype(np.float32) for a in (Q, K, V))
    weights = _rows(Q @ K.T / np.float32(Q.shape[-1]) ** np.float32(0.5))
    return weights @ V, weights


def _attention_loops(Q, K, V):
    if Q.shape[1] != K.shape[1] or len(K) != len(V):
        raise ValueError("shapes do not fit")
    weights, outputs = [], []
    for q in Q:
        scores = [float(np.dot(q, k)) / math.sqrt(len(q)) for k in K]
        row = _softmax_of_row(scores)
        weights.append(row)
        outputs.append(sum(w * v for w, v in zip(row, V)))
    return np.array(outputs), np.array(weights)


def _attention_both_scaled(Q, K, V):
    root = Q.shape[-1] ** 0.25
    weights = _rows((Q / root) @ (K / root).T)
    return weights @ V, weights


def _attention_half(Q, K, V):
    weights = _rows((Q.astype(np.float16) @ K.T.astype(np.float16)).astype(float) / math.sqrt(Q.shape[-1])).astype(
        np.float16
    )
    return (weights @ V.astype(np.float16)).astype(float), weights.astype(float)


def _attention_in_place(Q, K, V):
    Q *= 1 if Q.dtype.kind == "i" else 1.0 + 1e-12
    return _attention_plain(Q, K, V)


def _attention_torch_fused(Q, K, V):
    Q, K, V = (torch.as_tensor(a.astype(float)) for a in (Q, K, V))
    return torch.nn.functional.scaled_dot_product_attention(Q, K, V).numpy(), _attention_plain(
        Q.numpy(), K.numpy(), V.numpy()
    )[1]


def _attention_square_only(Q, K, V):
    weights = _rows(np.where(np.ones((len(Q), len(Q)), dtype=bool), Q @ K.T / math.sqrt(Q.shape[1]), -np.inf))
    return weights @ V, weights


# --- local_attention -------------------------------------------------------------------------------------


def _distance(Q, K):
    return abs(np.arange(len(Q))[:, None] - np.arange(len(K)))


def _local_infinite(Q, K, V, window):
    scores = Q @ K.T / math.sqrt(Q.shape[1])
    scores[_distance(Q, K) > window] = -np.inf
    weights = _softmax_nan_to_num(scores)
    return weights @ V, weights


def _local_finite(Q, K, V, window):
    near = _distance(Q, K) <= window
    weights = _rows(np.where(near, Q @ K.T / math.sqrt(Q.shape[1]), -1e9)) * near
    return weights @ V, weights


def _local_finite_float32(Q, K, V, window):
    Q, K, V = (a.astype("f4") for a in (Q, K, V))
    near = _distance(Q, K) <= window
    scores = np.where(near, Q @ K.T / np.float32(math.sqrt(Q.shape[1])), np.finfo("f4").min)
    weights = _rows(scores) * near.any(axis=1, keepdims=True)
    return weights @ V, weights


def _local_slices(Q, K, V, window):
    weights = np.zeros((len(Q), len(K)))
    for i, q in enumerate(Q):
        start, stop = max(0, i - window), min(len(K), i + window + 1)
        if start < stop:
            weights[i, start:stop] = _softmax_of_row(K[start:stop] @ q / math.sqrt(len(q)))
    return weights @ V, weights


def _local_masked_share(Q, K, V, window):
    """The softmax over the near ones alone, written out with a mask."""
    near = _distance(Q, K) <= window
    scores = Q @ K.T / math.sqrt(Q.shape[1])
    top = np.max(scores, axis=1, keepdims=True, where=near, initial=-1e30)
    e = np.exp(np.where(near, scores - top, 0)) * near
    total = e.sum(1, keepdims=True)
    weights = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    return [weights @ V, weights]


def _local_tri(Q, K, V, window):
    shape = len(Q), len(K)
    near = np.tril(np.ones(shape), window) * np.triu(np.ones(shape), -window)
    scores = Q @ K.T / math.sqrt(Q.shape[1])
    weights = _softmax_filled(np.where(near == 1, scores, -np.inf))
    return weights @ V, weights


def _local_square_only(Q, K, V, window):
    near = abs(np.subtract.outer(np.arange(len(Q)), np.arange(len(Q)))) <= window
    return _local_square_weights(Q, K, V, near)


def _local_square_weights(Q, K, V, near):
    weights = _softmax_nan_to_num(np.where(near, Q @ K.T / math.sqrt(Q.shape[1]), -np.inf))
    return weights @ V, weights


def _local_low_fill(Q, K, V, window):
    near = _distance(Q, K) <= window
    weights = _rows(np.where(near, Q @ K.T / math.sqrt(Q.shape[1]), -500)) * near.any(axis=1, keepdims=True)
    return weights @ V, weights


def _local_half(Q, K, V, window):
    output, weights = _local_infinite(Q, K, V, window)
    return output, weights.astype(np.float16).astype(float)


# --- additive_scores -------------------------------------------------------------------------------------


def _additive_loops(Q, K, W_q, W_k, v):
    return np.array([[float(v @ np.tanh(q @ W_q + k @ W_k)) for k in K] for q in Q])


def _additive_concatenated(Q, K, W_q, W_k, v):
    W = np.concatenate([W_q, W_k])
    pairs = np.concatenate([np.repeat(Q, len(K), axis=0), np.tile(K, (len(Q), 1))], axis=1)
    return (np.tanh(pairs @ W) @ v).reshape(len(Q), len(K))


def _additive_einsum(Q, K, W_q, W_k, v):
    a, b = np.einsum("qd,dh->qh", Q, W_q), np.einsum("kd,dh->kh", K, W_k)
    return np.einsum("qkh,h->qk", np.tanh(a[:, None] + b[None]), v)


def _additive_float32(Q, K, W_q, W_k, v):
    Q, K, W_q, W_k, v = (torch.as_tensor(a.astype("f4")) for a in (Q, K, W_q, W_k, v))
    if Q.shape[1] != W_q.shape[0]:
        raise ValueError(f"Q is {tuple(Q.shape)} and W_q {tuple(W_q.shape)}")
    if not W_q.shape[1] == W_k.shape[1] == len(v):
        raise ValueError("W_q, W_k and v have different hidden widths")
    return (torch.tanh((Q @ W_q).unsqueeze(1) + (K @ W_k).unsqueeze(0)) * v).sum(-1).numpy()


def _additive_hidden_by_hidden(Q, K, W_q, W_k, v):
    a, b = Q @ W_q, K @ W_k
    if not a.shape[1] == b.shape[1] == len(v):
        raise ValueError("W_q, W_k and v have different hidden widths")
    return sum(v[h] * np.tanh(np.add.outer(a[:, h], b[:, h])) for h in range(len(v)))


RIGHT = {
    "softmax": [
        _softmax_nan_to_num,
        _softmax_moved,
        _softmax_loops,
        _softmax_filled,
        _softmax_by_torch,
        _softmax_by_logarithm,
        _softmax_warning,
    ],
    "weighted_sum": [
        lambda weights, V: weights @ V,
        lambda weights, V: np.einsum("...qk,...kv->...qv", weights, V),
        lambda weights, V: (weights[..., :, :, None] * V[..., None, :, :]).sum(-2),
        lambda weights, V: np.matmul(weights.astype("f4"), V.astype("f4")),
        _weighted_sum_loops,
    ],
    "score_variance": [
        _variance_legacy,
        _variance_loops,
        _variance_torch,
        _variance_diagonal,
        _variance_mean_of_squares,
        _variance_plain_python,
    ],
    "scale_scores": [
        lambda scores, d_k: scores / np.sqrt(d_k),
        lambda scores, d_k: scores * d_k**-0.5,
        lambda scores, d_k: np.asarray(scores, dtype="f4") / np.float32(math.sqrt(d_k)),
        lambda scores, d_k: np.array([[s / d_k ** (1 / 2) for s in row] for row in scores]),
    ],
    "softmax_jacobian": [
        _jacobian_rows,
        _jacobian_loops,
        _jacobian_filled_diagonal,
        _jacobian_float32,
        _jacobian_by_autograd,
    ],
    "scaled_dot_product_attention": [
        _attention_plain,
        _attention_einsum,
        _attention_scaled_queries,
        _attention_float32,
        _attention_loops,
        _attention_both_scaled,
    ],
    "local_attention": [
        _local_infinite,
        _local_finite,
        _local_finite_float32,
        _local_slices,
        _local_masked_share,
        _local_tri,
    ],
    "additive_scores": [
        _additive_loops,
        _additive_concatenated,
        _additive_einsum,
        _additive_float32,
        _additive_hidden_by_hidden,
    ],
}

WRONG = {
    "softmax": {
        "changes its input in place": _softmax_in_place,
        "returns nothing": lambda x, axis=-1: None,
        "returns a list, not an array": lambda x, axis=-1: _softmax_moved(x, axis).tolist(),
        "calls a ready-made function": _softmax_shortcut,
        "": _softmax_half,
    },
    "weighted_sum": {
        "returns a list, not an array": lambda weights, V: (weights @ V).tolist(),
        "reuses one array for every call": _weighted_sum_one_array,
        "": lambda weights, V: (weights.astype(np.float16) @ V.astype(np.float16)).astype(float),
    },
    "score_variance": {
        "left the seed out: every call gives another number": _variance_generator_outside,
        "returned d_k without measuring anything": lambda d_k, n_pairs, seed: d_k,
        "": _variance_from_the_book_with_noise,
        " #2": lambda d_k, n_pairs, seed: _variance_legacy(d_k, n_pairs, seed) * 1.5,
    },
    "scale_scores": {
        "changes its input in place": _scale_in_place,
        "returns a list, not an array": lambda scores, d_k: (scores / math.sqrt(d_k)).tolist(),
        "": lambda scores, d_k: scores / np.log(d_k),
    },
    "softmax_jacobian": {
        "returns a list, not an array": lambda p: _jacobian_rows(p).tolist(),
        "": _jacobian_by_dividing,
    },
    "scaled_dot_product_attention": {
        "calls a ready-made function": _attention_torch_fused,
        "changes its input in place": _attention_in_place,
        "": _attention_half,
        " #2": _attention_square_only,
    },
    "local_attention": {
        "built the window for as many keys as queries": _local_square_only,
        "filled with a number like -10000: far keys leak in when the near scores are lower": _local_low_fill,
        "": _local_half,
    },
    "additive_scores": {"returns a list, not an array": lambda *arrays: _additive_loops(*arrays).tolist()},
}
