"""Right answers to unit 3 in other styles than the reference's, and further wrong ones.

RIGHT: exercise → functions that must pass. WRONG: exercise → {name the verdict must give: function};
an empty name means that the answer must fail and no mistake may be named.
"""

import math

import numpy as np


def _softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _attend(X):
    return _softmax(X @ X.T / np.sqrt(X.shape[-1])) @ X


# --- permutation_gap -------------------------------------------------------------------------------------


def _gap_plain(X, P, order):
    without = np.abs(_attend(X[order]) - _attend(X)[order]).max()
    with_positions = np.abs(_attend(X[order] + P) - _attend(X + P)[order]).max()
    return without, with_positions


def _gap_unshuffled(X, P, order):
    back = np.argsort(order)
    return (
        float(np.max(np.abs(_attend(X[order])[back] - _attend(X)))),
        float(np.max(np.abs(_attend(X[order] + P)[back] - _attend(X + P)))),
    )


def _gap_permutation_matrix(X, P, order):
    M = np.eye(len(X))[order]

    def gap(a, b):
        return np.linalg.norm((a - b).ravel(), ord=np.inf)

    return gap(_attend(M @ X), M @ _attend(X)), gap(_attend(M @ X + P), M @ _attend(X + P))


def _gap_loops_of_floats(X, P, order):
    def attend(T):
        rows = []
        for q in T:
            e = [math.exp(float(q @ k) / math.sqrt(len(q))) for k in T]
            rows.append(sum(w / sum(e) * v for w, v in zip(e, T)))
        return rows

    def gap(shuffled, plain):
        return max(abs(float(a) - float(b)) for i, row in enumerate(shuffled) for a, b in zip(row, plain[order[i]]))

    return [gap(attend(X[order]), attend(X)), gap(attend(X[order] + P), attend(X + P))]


def _gap_float32(X, P, order):
    X, P = X.astype(np.float32), P.astype(np.float32)
    return _gap_plain(X, P, order)


def _gap_torch(X, P, order):
    import torch

    X, P, order = torch.tensor(X, dtype=torch.float32), torch.tensor(P, dtype=torch.float32), torch.tensor(order)

    def attend(T):
        return torch.nn.functional.scaled_dot_product_attention(T[None], T[None], T[None])[0]

    return (attend(X[order]) - attend(X)[order]).abs().max().item(), (
        attend(X[order] + P) - attend(X + P)[order]
    ).abs().max()


def _gap_in_place(X, P, order):
    result = _gap_plain(X, P, order)
    X[:] = X[order]
    return result


def _gap_half(X, P, order):
    return _gap_plain(X.astype(np.float16), P.astype(np.float16), order)


# --- encodings -------------------------------------------------------------------------------------------


def _need_even(d_model):
    if d_model % 2 != 0:
        raise ValueError(f"d_model must be even, got {d_model}")


def _frequencies_loop(d_model):
    _need_even(d_model)
    out = np.zeros(d_model // 2)
    for i in range(d_model // 2):
        out[i] = 1 / math.pow(10000, 2 * i / d_model)
    return out


def _frequencies_exp_log(d_model):
    _need_even(d_model)
    return np.exp(np.arange(0, d_model, 2) * -(np.log(10000.0) / d_model))


def _frequencies_float32(d_model):
    _need_even(d_model)
    return np.exp(np.arange(0, d_model, 2, dtype=np.float32) * np.float32(-math.log(10000.0) / d_model))


def _frequencies_torch(d_model):
    import torch

    _need_even(d_model)
    return (10000.0 ** -(torch.arange(0, d_model, 2).float() / d_model)).numpy()


def _frequencies_linspace(d_model):
    _need_even(d_model)
    return np.power(10.0, np.linspace(0, -4, d_model // 2, endpoint=False))


def _frequencies_asserting(d_model):
    assert d_model % 2 == 0
    return 10000.0 ** (-2 * np.arange(d_model // 2) / d_model)


def _encoding_loops(n_positions, d_model):
    _need_even(d_model)
    PE = np.empty((n_positions, d_model))
    for p in range(n_positions):
        for i in range(d_model // 2):
            PE[p, 2 * i] = math.sin(p / 10000 ** (2 * i / d_model))
            PE[p, 2 * i + 1] = math.cos(p / 10000 ** (2 * i / d_model))
    return PE


def _encoding_slices(n_positions, d_model):
    angles = np.arange(n_positions)[:, None] * _frequencies_loop(d_model)
    PE = np.zeros((n_positions, d_model))
    PE[:, 0::2] = np.sin(angles)
    PE[:, 1::2] = np.cos(angles)
    return PE


def _encoding_float32(n_positions, d_model):
    angles = np.arange(n_positions, dtype=np.float32)[:, None] * _frequencies_float32(d_model)[None]
    PE = np.zeros((n_positions, d_model), dtype=np.float32)
    PE[:, 0::2], PE[:, 1::2] = np.sin(angles), np.cos(angles)
    return PE


def _encoding_phase(n_positions, d_model):
    """A cosine is a sine a quarter turn earlier."""
    _need_even(d_model)
    column = np.arange(d_model)
    return np.sin(
        np.outer(np.arange(n_positions), 10000.0 ** (-2 * (column // 2) / d_model)) + (column % 2) * np.pi / 2
    )


def _encoding_complex(n_positions, d_model):
    z = np.exp(1j * np.outer(np.arange(n_positions), _frequencies_loop(d_model)))
    return np.stack([z.imag, z.real], axis=-1).reshape(n_positions, d_model)


def _encoding_torch(n_positions, d_model):
    import torch

    _need_even(d_model)
    position = torch.arange(n_positions).unsqueeze(1)
    rate = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
    pe = torch.zeros(n_positions, d_model)
    pe[:, 0::2] = torch.sin(position * rate)
    pe[:, 1::2] = torch.cos(position * rate)
    return pe.numpy()


def _encoding_natural_error(n_positions, d_model):
    """Leaves an odd width to NumPy's own error from reshape."""
    angles = np.arange(n_positions).reshape(-1, 1) / 10000 ** (np.arange(0, d_model, 2) / d_model)
    return np.stack((np.sin(angles), np.cos(angles)), axis=2).reshape(n_positions, d_model)


_table = np.zeros((100, 600))


def _encoding_one_table(n_positions, d_model):
    _table[:n_positions, :d_model] = _encoding_slices(n_positions, d_model)
    return _table[:n_positions, :d_model]


# --- add_positions ---------------------------------------------------------------------------------------


def _need_fit(X, P):
    if X.shape[0] > P.shape[0] or X.shape[1] != P.shape[1]:
        raise ValueError("P does not fit X")


def _add_plain(X, P):
    n, d = X.shape
    if n > len(P) or d != P.shape[1]:
        raise ValueError(f"X {X.shape}, P {P.shape}")
    return X * np.sqrt(d) + P[:n]


def _add_loops(X, P):
    _need_fit(X, P)
    return np.array([[math.sqrt(X.shape[1]) * x + p for x, p in zip(token, place)] for token, place in zip(X, P)])


def _add_float32(X, P):
    _need_fit(X, P)
    return np.float32(X.shape[-1] ** 0.5) * X.astype("f4") + P[: X.shape[0]].astype("f4")


def _add_into_a_copy(X, P):
    _need_fit(X, P)
    out = P[: len(X)].astype(float)
    out += X * X.shape[-1] ** 0.5
    return out


def _add_transposed(X, P):
    """Adds column by column, on the side."""
    _need_fit(X, P)
    return np.array([np.sqrt(len(X.T)) * x + p[: len(x)] for x, p in zip(X.T, P.T)]).T


def _add_in_place(X, P):
    _need_fit(X, P)
    if X.dtype.kind != "f":
        return np.sqrt(X.shape[-1]) * X + P[: len(X)]
    X *= np.sqrt(X.shape[-1])
    X += P[: len(X)]
    return X.copy()


def _add_half(X, P):
    return _add_plain(X.astype(np.float16), P.astype(np.float16)).astype(float)


def _add_to_integers(X, P):
    """Keeps the type of X: whole numbers stay whole."""
    return _add_plain(X, P).astype(X.dtype)


def _add_asserting(X, P):
    assert len(X) <= len(P) and X.shape[1] == P.shape[1]
    return _add_plain(X, P)


# --- shift_matrix ----------------------------------------------------------------------------------------


def _shift_loop(offset, d_model):
    M = np.zeros((d_model, d_model))
    for i, w in enumerate(_frequencies_loop(d_model)):
        c, s = np.cos(offset * w), np.sin(offset * w)
        M[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[c, s], [-s, c]]
    return M


def _shift_scipy(offset, d_model):
    from scipy.linalg import block_diag

    a = offset * _frequencies_exp_log(d_model)
    return block_diag(*[np.array([[np.cos(x), np.sin(x)], [-np.sin(x), np.cos(x)]]) for x in a])


def _shift_expm(offset, d_model):
    """A turn is the exponential of its generator."""
    from scipy.linalg import expm

    generator = np.kron(np.diag(_frequencies_loop(d_model)), [[0, 1], [-1, 0]])
    return expm(offset * generator)


def _shift_diagonals(offset, d_model):
    a = np.repeat(offset * _frequencies_loop(d_model), 2)
    s = np.sin(a[:-1])
    s[1::2] = 0
    return np.diag(np.cos(a)) + np.diag(s, k=1) - np.diag(s, k=-1)


def _shift_transposed_rows(offset, d_model):
    """Thinks in rows, `PE[p] @ R`, and turns the result on its side."""
    return (
        _shift_loop(-offset, d_model).T.copy().T.copy() if offset == 0 else np.linalg.inv(_shift_loop(-offset, d_model))
    )


def _shift_fitted(offset, d_model):
    """Least squares from enough positions: the matrix is the only one that does it."""
    p = np.linspace(0, 20000, 4000)[:, None]
    w = _frequencies_loop(d_model)
    here, there = (_interleave(np.sin(q * w), np.cos(q * w)) for q in (p, p + offset))
    return np.linalg.lstsq(here, there, rcond=None)[0].T


def _interleave(even, odd):
    return np.stack([even, odd], axis=-1).reshape(len(even), -1)


def _shift_float32(offset, d_model):
    return _shift_diagonals(offset, d_model).astype(np.float32)


RIGHT = {
    "permutation_gap": [
        _gap_plain,
        _gap_unshuffled,
        _gap_permutation_matrix,
        _gap_loops_of_floats,
        _gap_float32,
        _gap_torch,
        lambda X, P, order: np.array(_gap_plain(X, P, order)),
    ],
    "encoding_by_hand": [
        lambda: np.array([0.9093, -0.4161, 0.0200, 0.9998]),
        lambda: np.array([np.sin(2), np.cos(2), np.sin(0.02), np.cos(0.02)]),
        lambda: np.array([0.90930, -0.41615, 0.02000, 0.99980], dtype=np.float32),
        lambda: np.array([[f(2 / 10000 ** (2 * i / 4)) for f in (np.sin, np.cos)] for i in range(2)]).ravel(),
        lambda: np.array([0.9092974268, -0.4161468365, 0.0199986667, 0.9998000067]),
    ],
    "frequencies": [
        _frequencies_loop,
        _frequencies_exp_log,
        _frequencies_float32,
        _frequencies_torch,
        _frequencies_linspace,
    ],
    "sinusoidal_encoding": [
        _encoding_loops,
        _encoding_slices,
        _encoding_float32,
        _encoding_phase,
        _encoding_complex,
        _encoding_torch,
        _encoding_natural_error,
    ],
    "add_positions": [_add_plain, _add_loops, _add_float32, _add_into_a_copy, _add_transposed],
    "shift_matrix": [
        _shift_loop,
        _shift_scipy,
        _shift_expm,
        _shift_diagonals,
        _shift_transposed_rows,
        _shift_fitted,
        _shift_float32,
    ],
}

WRONG = {
    "permutation_gap": {
        "changes its input in place": _gap_in_place,
        "": _gap_half,
        " #2": lambda X, P, order: None,
        "left out the maximum": lambda X, P, order: (
            np.abs(_attend(X[order]) - _attend(X)[order]),
            np.abs(_attend(X[order] + P) - _attend(X + P)[order]),
        ),
        " #4": lambda X, P, order: _gap_plain(X, P, order)[1],
        " #5": lambda X, P, order: (0.0, 1.0),
        " #6": lambda X, P, order: (np.nan, np.nan),
        " #7": lambda X, P, order: ("0", "1"),
        " #8": lambda X, P, order: tuple(gap < 1e-9 for gap in _gap_plain(X, P, order)),
        "shuffled the positions together with the tokens": lambda X, P, order: _gap_plain(X, np.zeros(P.shape), order),
        "took the softmax over the queries": lambda X, P, order: _gap_axis_0(X, P, order, np.float32),
    },
    "encoding_by_hand": {
        "returns a list, not an array": lambda: [0.9093, -0.4161, 0.0200, 0.9998],
        "returns nothing": lambda: None,
        "": lambda: np.array([[0.0, 1.0, 0.0, 1.0], [0.8415, 0.5403, 0.0100, 1.0], [0.9093, -0.4161, 0.0200, 0.9998]]),
        " #2": lambda: np.array([0.9093, -0.4161, 0.0200, 0.99]),
        "rounded cos 0.02 to 1": lambda: np.array([np.sin(2), np.cos(2), np.sin(0.02), 1.0]),
        "took degrees for radians": lambda: np.array([0.0349, 0.9994, 0.0003, 1.0]),
    },
    "frequencies": {
        "returns a list, not an array": lambda d_model: list(_frequencies_loop(d_model)),
        "": lambda d_model: _frequencies_loop(d_model).astype(np.float16),
        " #2": lambda d_model: _frequencies_loop(d_model)[None],
        "raises another error than the one asked": _frequencies_asserting,
        "accepts arguments that make no sense": lambda d_model: 10000.0 ** (-np.arange(0, d_model, 2) / d_model),
    },
    "sinusoidal_encoding": {
        "reuses one array for every call": _encoding_one_table,
        "": lambda n_positions, d_model: _encoding_slices(n_positions, d_model).astype(np.float16),
        " #2": lambda n_positions, d_model: _encoding_slices(n_positions + 1, d_model)[1:] * -1,
        "returns a list, not an array": lambda n_positions, d_model: [
            list(row) for row in _encoding_slices(n_positions, d_model)
        ],
        "put all sines first, then all cosines": lambda n_positions, d_model: np.hstack(
            [_encoding_float32(n_positions, d_model)[:, k::2] for k in (0, 1)]
        ),
    },
    "add_positions": {
        "changes its input in place": _add_in_place,
        "": _add_half,
        " #2": _add_to_integers,
        "raises another error than the one asked": _add_asserting,
        "returns nothing": lambda X, P: _need_fit(X, P),
    },
    "shift_matrix": {
        "turned the other way": lambda offset, d_model: _shift_loop(offset, d_model).T.copy(),
        "": lambda offset, d_model: _shift_loop(offset, d_model).astype(np.float16),
        " #2": lambda offset, d_model: 2 * _shift_loop(offset, d_model),
        "returns a list, not an array": lambda offset, d_model: _shift_loop(offset, d_model).tolist(),
    },
}


def _gap_axis_0(X, P, order, kind):
    def attend(T):
        T = T.astype(kind)
        return _softmax(T @ T.T / np.sqrt(T.shape[-1]), axis=0) @ T

    return np.abs(attend(X[order]) - attend(X)[order]).max(), np.abs(attend(X[order] + P) - attend(X + P)[order]).max()
