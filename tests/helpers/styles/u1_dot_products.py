"""Right answers to unit 1 in other styles than the reference's, and further wrong ones.

RIGHT: exercise → functions that must pass. WRONG: exercise → {name the verdict must give: function};
an empty name means that the answer must fail and no mistake may be named.
"""

import numpy as np
import torch


def _one_width(Q, K):
    """Products entry by entry, and einsum, would stretch a width of 1."""
    if Q.shape[-1] != K.shape[-1]:
        raise ValueError(f"the queries are {Q.shape[-1]} wide, the keys {K.shape[-1]}")
    return True


RIGHT = {
    "similarity_matrix": [
        lambda X: X @ np.swapaxes(X, -1, -2),
        lambda X: np.einsum("...id,...jd->...ij", X, X),
        lambda X: np.matmul(X.astype(np.float32), X.astype(np.float32).swapaxes(-2, -1)),
        lambda X: (X[..., :, None, :] * X[..., None, :, :]).sum(-1),
        lambda X: np.inner(X, X) if X.ndim == 2 else np.stack([RIGHT["similarity_matrix"][0](x) for x in X]),
        lambda X: (torch.from_numpy(X) @ torch.from_numpy(X).transpose(-2, -1)).numpy(),
    ],
    "cosine_similarity": [],
    "project": [
        lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_k, X @ W_v),
        lambda X, W_q, W_k, W_v: [np.dot(X, W) for W in (W_q, W_k, W_v)],
        lambda X, W_q, W_k, W_v: tuple(np.einsum("...nd,dk->...nk", X, W) for W in (W_q, W_k, W_v)),
        lambda X, *Ws: tuple((X.astype("f4") @ W.astype("f4")) for W in Ws),
        lambda X, W_q, W_k, W_v: np.split(
            X @ np.hstack([W_q, W_k, W_v]), np.cumsum([W_q.shape[1], W_k.shape[1]]), axis=-1
        ),
    ],
    "scores_for_query": [
        lambda q, K: K @ q,
        lambda q, K: np.array([np.dot(q, k) for k in K]),
        lambda q, K: _one_width(q, K) and (K * q).sum(axis=1),
        lambda q, K: _one_width(q, K) and np.einsum("d,nd->n", q, K),
        lambda q, K: (q[None, :] @ K.T)[0],
    ],
    "attention_scores": [
        lambda Q, K: Q @ np.swapaxes(K, -1, -2),
        lambda Q, K: np.einsum("...qd,...kd->...qk", Q, K),
        lambda Q, K: np.matmul(Q.astype("f4"), np.moveaxis(K.astype("f4"), -1, -2)),
        lambda Q, K: np.stack([(Q * K[..., j : j + 1, :]).sum(-1) for j in range(K.shape[-2])], axis=-1),
    ],
    "attention_scores_columns": [
        lambda Q, K: K.T @ Q,
        lambda Q, K: np.einsum("dk,dq->kq", K, Q),
        lambda Q, K: (Q.T @ K).T,
        lambda Q, K: RIGHT["attention_scores"][0](Q.T, K.T).T,
        lambda Q, K: np.array([[float(K[:, j] @ Q[:, i]) for i in range(Q.shape[1])] for j in range(K.shape[1])]),
    ],
}


def _cosine_where(X):
    length = np.sqrt((X.astype(float) ** 2).sum(-1, keepdims=True))
    unit = np.divide(X, length, out=np.zeros(X.shape), where=length > 0)
    return unit @ unit.swapaxes(-1, -2)


def _cosine_outer(X):
    X = X.astype(float)
    S = X @ X.swapaxes(-1, -2)
    length = np.linalg.norm(X, axis=-1)
    both = length[..., :, None] * length[..., None, :]
    return np.where(both == 0, 0, S / np.where(both == 0, 1, both))


def _cosine_loops(X):
    X = np.asarray(X, dtype=float)
    if X.ndim > 2:
        return np.stack([_cosine_loops(x) for x in X])
    C = np.zeros((len(X), len(X)))
    for i, a in enumerate(X):
        for j, b in enumerate(X):
            if a.any() and b.any():
                C[i, j] = a @ b / np.sqrt(a @ a) / np.sqrt(b @ b)
    return C


def _cosine_small_number(X):
    """A number too small to show at the precision asked is a usual guard against zero."""
    unit = X / (np.linalg.norm(X, axis=-1, keepdims=True) + 1e-12)
    return unit @ unit.swapaxes(-1, -2)


def _cosine_small_number_in_the_product(X):
    length = np.linalg.norm(X, axis=-1, keepdims=True)
    return X @ X.swapaxes(-1, -2) / (length @ length.swapaxes(-1, -2) + 1e-12)


def _cosine_small_number_under_the_root(X):
    unit = X / np.sqrt((X**2).sum(-1, keepdims=True) + 1e-12)
    return unit @ unit.swapaxes(-1, -2)


def _cosine_clipped(X):
    unit = X / np.maximum(np.linalg.norm(X, axis=-1, keepdims=True), 1e-8)
    return np.clip(unit @ unit.swapaxes(-1, -2), -1, 1)


def _cosine_float32(X):
    X = X.astype(np.float32)
    length = np.linalg.norm(X, axis=-1, keepdims=True)
    length[length == 0] = 1
    return np.einsum("...id,...jd->...ij", X / length, X / length)


def _cosine_errstate(X):
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = X / np.linalg.norm(X, axis=-1, keepdims=True)
    unit = np.nan_to_num(unit)
    return unit @ unit.swapaxes(-1, -2)


RIGHT["cosine_similarity"] += [
    _cosine_where,
    _cosine_outer,
    _cosine_loops,
    _cosine_errstate,
    _cosine_clipped,
    _cosine_float32,
]
RIGHT["cosine_similarity"] += [
    _cosine_small_number,
    _cosine_small_number_in_the_product,
    _cosine_small_number_under_the_root,
]


def _scores_by_loops(Q, K):
    if Q.ndim > 2:
        return np.stack([_scores_by_loops(q, k) for q, k in zip(Q, K)])
    return np.array([[q @ k for k in K] for q in Q])


RIGHT["attention_scores"] += [_scores_by_loops]


def _scores_in_place(Q, K):
    Q *= 1.0000001 if Q.dtype.kind == "f" else 1
    return Q @ np.swapaxes(K, -1, -2)


def _half(function):
    return lambda *arrays: np.asarray(function(*(a.astype(np.float16) for a in arrays)), dtype=float)


def _cosine_in_place(X):
    if X.dtype.kind == "f":
        X /= np.where(X.any(axis=-1, keepdims=True), np.maximum(np.linalg.norm(X, axis=-1, keepdims=True), 1e-300), 1)
    return _cosine_where(X)


def _cosine_large_epsilon(X):
    unit = X / (np.linalg.norm(X, axis=-1, keepdims=True) + 1e-6)
    return unit @ unit.swapaxes(-1, -2)


def _cosine_small_numbers_are_zero(X):
    length = np.linalg.norm(X, axis=-1, keepdims=True)
    unit = np.where(length < 1e-3, 0, X / np.where(length < 1e-3, 1, length))
    return unit @ unit.swapaxes(-1, -2)


def _project_in_place(X, W_q, W_k, W_v):
    Q, K, V = X @ W_q, X @ W_k, X @ W_v
    X[...] = 0
    return Q, K, V


_KEPT = np.zeros(8)


def _scores_in_one_array(q, K):
    for j, key in enumerate(K):
        _KEPT[j] = key @ q
    return _KEPT[: len(K)]


def _without_an_error(q, K):
    return np.array([sum(a * b for a, b in zip(q, key)) for key in K])


WRONG = {
    "similarity_matrix": {
        "returns nothing": lambda X: None,
        "returns a list, not an array": lambda X: (X @ np.swapaxes(X, -1, -2)).tolist(),
        " #computed in float16": _half(lambda X: X @ np.swapaxes(X, -1, -2)),
        " #upper half only": lambda X: np.triu(X @ np.swapaxes(X, -1, -2)),
        "turned all axes around with .T": lambda X: X @ np.transpose(X),
    },
    "cosine_similarity": {
        "changes its input in place": _cosine_in_place,
        "added a small number to the lengths": _cosine_large_epsilon,
        "calls a ready-made function": lambda X: torch.nn.functional.cosine_similarity(
            torch.tensor(X)[..., None, :], torch.tensor(X)[..., None, :, :], dim=-1
        ),
        "took short tokens for zero tokens": _cosine_small_numbers_are_zero,
        "returned the angle, not its cosine": lambda X: np.arccos(np.clip(_cosine_where(X), -1, 1)),
    },
    "project": {
        "changes its input in place": _project_in_place,
        "left the values unprojected": lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_k, X),
        " #two results": lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_k),
    },
    "scores_for_query": {
        "returns a list, not an array": lambda q, K: [float(k @ q) for k in K],
        "reuses one array for every call": _scores_in_one_array,
        " #no error for widths that do not fit": _without_an_error,
        " #only the best key": lambda q, K: np.argmax(K @ q),
    },
    "attention_scores": {
        "changes its input in place": _scores_in_place,
        " #computed in float16": _half(lambda Q, K: Q @ np.swapaxes(K, -1, -2)),
    },
    "attention_scores_columns": {
        "returns nothing": lambda Q, K: print(K.T @ Q),
        " #computed in float16": _half(lambda Q, K: K.T @ Q),
    },
}
