"""Unit 1: cases, mistakes and hints of the dot-product exercises."""

from __future__ import annotations

import numpy as np

from helpers.exercise import DEFAULT_TOLERANCE, Case, Exercise, Mistake
from helpers.reference import u1_dot_products as reference
from helpers.tolerance import close


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def _transposed(X):
    return np.swapaxes(np.asarray(X, dtype=float), -1, -2)


def _reshaped(X):
    X = np.asarray(X, dtype=float)
    return X.reshape(*X.shape[:-2], X.shape[-1], X.shape[-2])


def _two_axes_only(function):
    """The mistake of `n, d = X.shape`, in a function that is right otherwise."""

    def wrong(*arrays):
        n, d = np.shape(arrays[0])
        return function(*arrays)

    return wrong


_TWO_AXES = "unpacked exactly two axes from the shape"
_TWO_AXES_HINT = "`n, d = X.shape` breaks as soon as batch axes come first. Count from the end: `X.shape[-2]`, `X.shape[-1]`, `X[..., i, :]`."
_TWO_NAMED = "named only two axes in transpose"
_TWO_NAMED_HINT = "NumPy's `transpose` wants all axes in their new order (torch's wants two). What swaps the last two of any array is `np.swapaxes(X, -1, -2)`."
_RESHAPE_HINT = "`reshape` keeps the numbers in their order and only cuts the rows anew; a transpose makes columns of rows: `np.swapaxes(X, -1, -2)`."
_DOT_T = "used np.dot with .T, which is right for two axes only"
_DOT_T_HINT = (
    "`.T` reverses every axis and `np.dot` does not keep batch axes in front. Use `@` and `np.swapaxes(X, -1, -2)`."
)


# --- similarity_matrix -----------------------------------------------------------------------------------


def _similarity_cases(rng):
    return [
        Case("values", (_normal(rng, 4, 3),), note="4 tokens of width 3"),
        Case("values", (_normal(rng, 3, 3),), note="3 tokens of width 3: a square X"),
        Case("values", (_normal(rng, 1, 5),), note="one token"),
        Case("integers", (rng.integers(-4, 5, size=(3, 2)),), note="whole numbers in"),
        Case("batch axes", (_normal(rng, 2, 4, 3),), note="2 sentences at once"),
        Case("batch axes", (_normal(rng, 2, 3, 3),), note="2 sentences at once, each of 3 tokens of width 3"),
        Case("batch axes", (_normal(rng, 2, 3, 5, 4),), note="2 × 3 sentences at once"),
    ]


def _cosine(X):
    return reference.cosine_similarity(X)


SIMILARITY_MATRIX = Exercise(
    name="similarity_matrix",
    reference=reference.similarity_matrix,
    cases=_similarity_cases,
    mistakes=(
        Mistake(
            "multiplied features with features: XᵀX",
            "XᵀX is (d, d): it compares columns. Tokens are rows here, so X comes first and its transpose second.",
            lambda X: _transposed(X) @ np.asarray(X, dtype=float),
        ),
        Mistake(
            "forgot the transpose: X @ X",
            "A row of X can only meet another row if the second X is turned on its side; a square X hides that.",
            lambda X: np.asarray(X, dtype=float) @ np.asarray(X, dtype=float),
        ),
        Mistake(
            "reshaped instead of transposed",
            _RESHAPE_HINT,
            lambda X: np.asarray(X, dtype=float) @ _reshaped(X),
        ),
        Mistake(
            "multiplied entry by entry instead of taking dot products",
            "`X * X` keeps the shape of X. A dot product multiplies two rows and then adds up: use `@`.",
            lambda X: np.asarray(X, dtype=float) * np.asarray(X, dtype=float),
        ),
        Mistake(
            "turned all axes around with .T",
            "`.T` reverses every axis, the batch axes too. Only the last two have to change places: `np.swapaxes(X, -1, -2)`.",
            lambda X: np.asarray(X, dtype=float) @ np.asarray(X, dtype=float).T,
        ),
        Mistake(
            "divided by the lengths",
            "That is the cosine, the next exercise. Here long vectors may score high just because they are long.",
            _cosine,
        ),
        Mistake(
            "compared each token with itself only",
            "You have one number per token, the diagonal. Every token meets every token: n × n numbers.",
            lambda X: np.sum(np.asarray(X, dtype=float) ** 2, axis=-1),
        ),
        Mistake(
            "measured distances instead of dot products",
            "A distance is small for similar tokens; the inner product is large for them.",
            lambda X: np.linalg.norm(
                np.asarray(X, dtype=float)[..., :, None, :] - np.asarray(X, dtype=float)[..., None, :, :], axis=-1
            ),
        ),
        Mistake(
            "scaled the result by √d",
            "Right idea, wrong unit: the scale comes in unit 2. Here the plain dot products are asked.",
            lambda X: reference.similarity_matrix(X) / np.sqrt(np.shape(X)[-1]),
        ),
        Mistake(
            "mixed the sentences of the batch",
            "Each sentence is compared with itself only: the batch axes stay in front and `@` works on the last two.",
            lambda X: np.tensordot(np.asarray(X, dtype=float), np.asarray(X, dtype=float), axes=(-1, -1)),
        ),
        Mistake(_TWO_AXES, _TWO_AXES_HINT, _two_axes_only(reference.similarity_matrix)),
        Mistake(_TWO_NAMED, _TWO_NAMED_HINT, lambda X: X @ X.transpose(-1, -2)),
        Mistake(_DOT_T, _DOT_T_HINT, lambda X: np.dot(X, X.T)),
        Mistake(
            "looped over the first axis, which with a batch is not the tokens",
            "The tokens are on the last axis but one. `@` with the last two axes of X swapped needs no loop at all.",
            lambda X: np.array([[x @ y for y in X] for x in X]),
        ),
    ),
    hints=(
        "Entry (i, j) is the dot product of row i with row j: multiply the two rows entry by entry and add up.",
        "All of these at once are one matrix product of X with X on its side.",
    ),
)


# --- cosine_similarity -----------------------------------------------------------------------------------


# Short enough that 1e-8 added to a length shows, and long enough that 1e-12 added to a length, to a product of
# lengths or under the root does not: that is a usual guard against zero and right to the precision asked.
_SHORT = 5e-4


def _unit(X):
    return X / np.linalg.norm(X, axis=-1, keepdims=True)


def _compare_short(case, value, expected):
    """Equal up to one factor below 1 is what anything added to equally long lengths does."""
    if not isinstance(value, np.ndarray) or value.shape != expected.shape:
        return f"the result should have shape {expected.shape}"
    if close(value, expected, DEFAULT_TOLERANCE).all():
        return None
    factor = float(np.mean(np.diagonal(value)))
    if 0.5 < factor < 1 and close(value, factor * expected, 1e-9).all():
        return "short tokens get cosines that are all too small by one factor: even a token with itself does not give 1"
    return "the cosines of short tokens are wrong, and those of longer ones may be right"


def _cosine_cases(rng):
    with_zero = _normal(rng, 4, 3)
    with_zero[2] = 0
    return [
        Case("values", (_normal(rng, 4, 3) * rng.uniform(0.3, 3, size=(4, 1)),), note="4 tokens of different lengths"),
        Case("values", (_normal(rng, 3, 3) * rng.uniform(0.3, 3, size=(3, 1)),), note="3 tokens of width 3"),
        Case("zero rows", (with_zero,), quiet=True, note="one of 4 tokens is all zeros"),
        Case("zero rows", (np.zeros((2, 3)),), quiet=True, note="all tokens are zeros"),
        Case("integers", (rng.integers(1, 6, size=(3, 2)),), note="whole numbers in"),
        Case(
            "short tokens",
            (_SHORT * _unit(_normal(rng, 3, 4)),),
            note=f"tokens {_SHORT} long: they still have a direction",
        ),
        Case("batch axes", (_normal(rng, 2, 4, 3) * rng.uniform(0.3, 3, size=(2, 4, 1)),), note="2 sentences at once"),
        Case("batch axes", (_normal(rng, 2, 3, 4, 5),), note="2 × 3 sentences at once"),
    ]


def _lengths(X, axis=-1):
    return np.linalg.norm(X, axis=axis, keepdims=True)


def _safe(length):
    return np.where(length == 0, 1, length)


def _cosine_by(X, divide):
    X = np.asarray(X, dtype=float)
    return divide(X, X @ np.swapaxes(X, -1, -2))


def _cosine_with(X, product):
    X = np.asarray(X, dtype=float)
    return product(X / _safe(_lengths(X)))


def _cosine_without_keepdims(X):
    X = np.asarray(X, dtype=float)
    unit = X / _safe(np.linalg.norm(X, axis=-1))
    return unit @ np.swapaxes(unit, -1, -2)


def _cosine_plain(X):
    X = np.asarray(X, dtype=float)
    unit = X / _lengths(X)
    return unit @ np.swapaxes(unit, -1, -2)


def _cosine_nan_to_num(X):
    return np.nan_to_num(_cosine_plain(X))


COSINE_SIMILARITY = Exercise(
    name="cosine_similarity",
    reference=reference.cosine_similarity,
    cases=_cosine_cases,
    compare={"short tokens": _compare_short},
    forbidden=("torch.nn.functional.cosine_similarity", "sklearn.metrics.pairwise.cosine_similarity"),
    mistakes=(
        Mistake(
            "divided by zero: a zero row gives NaN",
            "A zero token has length 0. Divide by 1 instead wherever the length is 0, and its row becomes zeros.",
            _cosine_plain,
        ),
        Mistake(
            "hid the NaN afterwards: the division by zero still warns",
            "Choose a safe divisor before you divide, as with `np.where(length == 0, 1, length)`.",
            _cosine_nan_to_num,
        ),
        Mistake(
            "did not divide by the lengths",
            "The cosine does not care how long the vectors are: divide each dot product by both lengths.",
            reference.similarity_matrix,
        ),
        Mistake(
            "divided by one length only",
            "Two vectors meet in a dot product, so two lengths have to go: |x_i| and |x_j|.",
            lambda X: _cosine_by(X, lambda X, S: S / _safe(_lengths(X))),
        ),
        Mistake(
            "divided by one length only, that of the column's token",
            "Two vectors meet in a dot product, so two lengths have to go: |x_i| and |x_j|.",
            lambda X: _cosine_by(X, lambda X, S: S / _safe(np.swapaxes(_lengths(X), -1, -2))),
        ),
        Mistake(
            "divided without keepdims",
            "Without `keepdims=True` the lengths are (n,), and NumPy lines them up with the features. As (n, 1), each row meets its own length.",
            lambda X: _cosine_without_keepdims(X),
        ),
        Mistake(
            "divided by the length of the column's token twice",
            "Without `keepdims=True` the lengths are (n,), and NumPy lines them up with the columns each time. The row's length has to stand as (n, 1).",
            lambda X: _cosine_by(X, lambda X, S: S / _safe(np.linalg.norm(X, axis=-1)) ** 2),
        ),
        Mistake(
            "divided by the squared lengths",
            "The length is the root of x · x. Without the root you divide by each length twice.",
            lambda X: _cosine_by(X, lambda X, S: S / _safe(_lengths(X) ** 2 * np.swapaxes(_lengths(X) ** 2, -1, -2))),
        ),
        Mistake(
            "took the lengths over the tokens, not over the features",
            "The length of a token is over its features, the last axis: `axis=-1`.",
            lambda X: _cosine_by(X / _safe(_lengths(np.asarray(X, dtype=float), axis=-2)), lambda X, S: S),
        ),
        Mistake(
            "divided by one length for the whole array",
            "`np.linalg.norm(X)` is a single number. Each token has a length of its own: `axis=-1, keepdims=True`.",
            lambda X: _cosine_by(X, lambda X, S: S / _safe(np.linalg.norm(X)) ** 2),
        ),
        Mistake(
            "used the sum of absolute values as the length",
            "The cosine needs the Euclidean length: the root of the sum of squares.",
            lambda X: _cosine_by(np.asarray(X, dtype=float) / _safe(np.abs(X).sum(-1, keepdims=True)), lambda X, S: S),
        ),
        Mistake(
            "added a small number to the lengths",
            "An epsilon bends the cosine of short vectors. Replace a length only where it is exactly zero.",
            lambda X: _cosine_by(
                np.asarray(X, dtype=float) / (_lengths(np.asarray(X, dtype=float)) + 1e-8), lambda X, S: S
            ),
        ),
        Mistake(
            "subtracted the mean first: that is the correlation",
            "`np.corrcoef` and friends centre each token before they compare. The cosine takes the tokens as they are.",
            lambda X: reference.cosine_similarity(X - np.mean(X, axis=-1, keepdims=True)),
        ),
        Mistake(
            "returned distances, 1 − cosine",
            "Similar tokens should get 1, not 0: return the cosine itself.",
            lambda X: 1 - reference.cosine_similarity(X),
        ),
        Mistake(_TWO_AXES, _TWO_AXES_HINT, _two_axes_only(reference.cosine_similarity)),
        Mistake(_TWO_NAMED, _TWO_NAMED_HINT, lambda X: reference.cosine_similarity(X) + 0 * (X @ X.transpose(-1, -2))),
        Mistake(
            "turned all axes around with .T",
            "`.T` reverses every axis, the batch axes too. Only the last two have to change places: `np.swapaxes(X, -1, -2)`.",
            lambda X: _cosine_with(X, lambda unit: unit @ unit.T),
        ),
        Mistake(_DOT_T, _DOT_T_HINT, lambda X: _cosine_with(X, lambda unit: np.dot(unit, unit.T))),
        Mistake(
            "forgot the transpose",
            "A row can only meet another row if the second factor is turned on its side; a square X hides that.",
            lambda X: _cosine_with(X, lambda unit: unit @ unit),
        ),
        Mistake(
            "put 1 on the diagonal, for the zero rows too",
            "A zero token has no direction, not even to itself: its whole row is zeros.",
            lambda X: _diagonal_one(reference.cosine_similarity(X)),
        ),
    ),
    hints=(
        "Divide every token by its own length first; then the plain dot products are the cosines.",
        "The length of each token: `np.linalg.norm(X, axis=-1, keepdims=True)`.",
    ),
)


def _diagonal_one(C):
    C = C.copy()
    n = C.shape[-1]
    C[..., np.arange(n), np.arange(n)] = 1
    return C


# --- project ---------------------------------------------------------------------------------------------


def _project_cases(rng):
    def weights(d, *outs):
        return tuple(_normal(rng, d, out) for out in outs)

    return [
        Case("values", (_normal(rng, 4, 3), *weights(3, 2, 2, 5)), note="4 tokens, d_model = 3, d_k = 2, d_v = 5"),
        Case("values", (_normal(rng, 2, 3), *weights(3, 3, 3, 3)), note="square weights"),
        Case("integers", (rng.integers(-3, 4, size=(2, 3)), *weights(3, 2, 2, 2)), note="whole numbers in"),
        Case("batch axes", (_normal(rng, 2, 4, 3), *weights(3, 2, 2, 4)), note="2 sentences at once"),
        Case("batch axes", (_normal(rng, 2, 3, 5, 4), *weights(4, 3, 3, 2)), note="2 × 3 sentences at once"),
        Case(
            "bad arguments",
            (_normal(rng, 4, 3), *weights(5, 2, 2, 2)),
            raises="ValueError",
            note="X has width 3, the weights height 5",
        ),
    ]


def _project_with(product, order=(0, 1, 2)):
    def wrong(X, W_q, W_k, W_v):
        X = np.asarray(X, dtype=float)
        results = [product(X, W) for W in (W_q, W_k, W_v)]
        return tuple(results[i] for i in order)

    return wrong


PROJECT = Exercise(
    name="project",
    reference=reference.project,
    cases=_project_cases,
    mistakes=(
        Mistake(
            "returned queries, keys and values in another order: K, Q, V",
            "The order is Q, K, V. Whoever calls `project` unpacks them in that order.",
            _project_with(lambda X, W: X @ W, (1, 0, 2)),
        ),
        Mistake(
            "returned queries, keys and values in another order: Q, V, K",
            "The order is Q, K, V. Whoever calls `project` unpacks them in that order.",
            _project_with(lambda X, W: X @ W, (0, 2, 1)),
        ),
        Mistake(
            "returned queries, keys and values in another order: V, K, Q",
            "The order is Q, K, V. Whoever calls `project` unpacks them in that order.",
            _project_with(lambda X, W: X @ W, (2, 1, 0)),
        ),
        Mistake(
            "transposed the weights: X @ W.T",
            "Each W is (d_model, d_out) here, so X @ W fits as it is. (`nn.Linear` stores its weight the other way round.)",
            _project_with(lambda X, W: X @ W.T),
        ),
        Mistake(
            "used W_q for all three",
            "Three weights make three different projections: the query's, the key's and the value's.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_q, X @ W_q),
        ),
        Mistake(
            "used W_q for the values as well",
            "The values have a projection of their own, W_v.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_k, X @ W_q),
        ),
        Mistake(
            "used W_k for the values as well",
            "The values have a projection of their own, W_v.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_k, X @ W_k),
        ),
        Mistake(
            "used W_q for the keys as well",
            "The keys have a projection of their own, W_k.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_q, X @ W_v),
        ),
        Mistake(
            "left the values unprojected",
            "The values are projected too, by W_v; X itself is not handed on.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_k, np.array(X, dtype=float) + 0 * (X @ W_q).sum()),
        ),
        Mistake(
            "joined the three results in one array",
            "Q, K and V may differ in width. Return the three arrays: `return Q, K, V`.",
            lambda X, W_q, W_k, W_v: np.concatenate([X @ W_q, X @ W_k, X @ W_v], axis=-1),
        ),
        Mistake(
            "stacked the three results in one array",
            "Q, K and V may differ in width, and then they do not stack. Return the three arrays: `return Q, K, V`.",
            lambda X, W_q, W_k, W_v: np.stack([X @ W_q, X @ W_k, X @ W_v]),
        ),
        Mistake(
            "put the weights on the left: W @ X",
            "Tokens are rows, so X comes first: (n, d_model) times (d_model, d_out). The weights come first when tokens are columns.",
            _project_with(lambda X, W: W @ X),
        ),
        Mistake(
            "returned the scores already",
            "Only the three projections are asked here. Queries meet keys in the next exercises.",
            lambda X, W_q, W_k, W_v: reference.attention_scores(X @ W_q, X @ W_k),
        ),
        Mistake(
            "projected the keys from the queries",
            "All three start from X: chaining the projections gives something else.",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_q @ W_k, X @ W_v),
        ),
    ),
    hints=("Each of the three is one matrix product with X on the left.", "Return them together: `return Q, K, V`."),
)


# --- scores_for_query ------------------------------------------------------------------------------------


def _query_cases(rng):
    return [
        Case("values", (_normal(rng, 3), _normal(rng, 5, 3)), note="5 keys of width 3"),
        Case("values", (_normal(rng, 4), _normal(rng, 4, 4)), note="as many keys as features: a square K"),
        Case("values", (_normal(rng, 2), _normal(rng, 1, 2)), note="one key"),
        Case("integers", (rng.integers(-4, 5, size=3), rng.integers(-4, 5, size=(2, 3))), note="whole numbers in"),
        Case(
            "bad arguments",
            (_normal(rng, 3), _normal(rng, 5, 4)),
            raises="ValueError",
            note="q has width 3, the keys 4",
        ),
    ]


def _soft(x):
    e = np.exp(x - x.max())
    return e / e.sum()


SCORES_FOR_QUERY = Exercise(
    name="scores_for_query",
    reference=reference.scores_for_query,
    cases=_query_cases,
    mistakes=(
        Mistake(
            "multiplied q with the columns of K: q @ K",
            "The keys are the rows of K. `q @ K` meets the columns, which a square K lets through unnoticed.",
            lambda q, K: np.asarray(q, dtype=float) @ K,
        ),
        Mistake(
            "kept the products without adding them up",
            "`K * q` is (n_k, d_k). A dot product adds over the features: one number for each key.",
            lambda q, K: np.asarray(K, dtype=float) * q,
        ),
        Mistake(
            "added over the keys instead of the features",
            "Add along the features, the last axis: what is left is one score for each key.",
            lambda q, K: (np.asarray(K, dtype=float) * q).sum(axis=0),
        ),
        Mistake(
            "measured distances instead of dot products",
            "A distance is small for a key that fits the query; the score has to be large for it.",
            lambda q, K: np.linalg.norm(np.asarray(K, dtype=float) - q, axis=-1),
        ),
        Mistake(
            "returned a row matrix (1, n_k)",
            "One query, one axis: the result is (n_k,). Index or `ravel` the extra axis away.",
            lambda q, K: np.asarray(q, dtype=float)[None, :] @ np.asarray(K).T,
        ),
        Mistake(
            "returned a column matrix (n_k, 1)",
            "One query, one axis: the result is (n_k,). Index or `ravel` the extra axis away.",
            lambda q, K: np.asarray(K, dtype=float) @ np.asarray(q)[:, None],
        ),
        Mistake(
            "added all scores to one number",
            "Each key gives an answer of its own: n_k numbers, not their sum.",
            lambda q, K: (np.asarray(K, dtype=float) @ q).sum(),
        ),
        Mistake(
            "took the softmax already",
            "Turning scores into weights is unit 2. Here the raw dot products are asked.",
            lambda q, K: _soft(np.asarray(K, dtype=float) @ q),
        ),
        Mistake(
            "scaled the scores by √d_k",
            "The scale comes in unit 2. Here the raw dot products are asked.",
            lambda q, K: np.asarray(K, dtype=float) @ q / np.sqrt(len(q)),
        ),
        Mistake(
            "divided by the lengths",
            "That is the cosine. Attention uses the plain dot product: longer keys speak louder.",
            lambda q, K: np.asarray(K, dtype=float) @ q / (np.linalg.norm(K, axis=-1) * np.linalg.norm(q)),
        ),
    ),
    hints=(
        "For each key: multiply it with q entry by entry and add up.",
        "All keys at once are one product of K and q: `@` takes rows from its left side, and the keys are the rows of K.",
    ),
)


# --- attention_scores ------------------------------------------------------------------------------------


def _scores_cases(rng):
    return [
        Case("values", (_normal(rng, 2, 3), _normal(rng, 4, 3)), note="2 queries, 4 keys, d_k = 3"),
        Case("values", (_normal(rng, 5, 3), _normal(rng, 2, 3)), note="5 queries, 2 keys"),
        Case("values", (_normal(rng, 3, 3), _normal(rng, 3, 3)), note="3 queries, 3 keys, d_k = 3: everything square"),
        Case("integers", (rng.integers(-4, 5, size=(2, 3)), rng.integers(-4, 5, size=(4, 3))), note="whole numbers in"),
        Case("batch axes", (_normal(rng, 2, 3, 5), _normal(rng, 2, 4, 5)), note="2 sentences at once"),
        Case("batch axes", (_normal(rng, 2, 3, 2, 5), _normal(rng, 2, 3, 4, 5)), note="2 × 3 sentences at once"),
        Case(
            "bad arguments",
            (_normal(rng, 2, 3), _normal(rng, 4, 5)),
            raises="ValueError",
            note="queries of width 3, keys of width 5",
        ),
    ]


def _both(function):
    return lambda Q, K: function(np.asarray(Q, dtype=float), np.asarray(K, dtype=float))


def _last_two(X):
    return np.swapaxes(X, -1, -2)


ATTENTION_SCORES = Exercise(
    name="attention_scores",
    reference=reference.attention_scores,
    cases=_scores_cases,
    mistakes=(
        Mistake(
            "forgot the transpose: Q @ K",
            "`Q @ K` meets the columns of K, and a square K lets it through unnoticed. The keys are rows: put K on its side.",
            _both(lambda Q, K: Q @ K),
        ),
        Mistake(
            "reshaped instead of transposed",
            _RESHAPE_HINT,
            _both(lambda Q, K: Q @ _reshaped(K)),
        ),
        Mistake(
            "keys ask and queries answer: K @ Qᵀ",
            "Rows belong to the queries, columns to the keys: Q on the left, K on its side on the right.",
            _both(lambda Q, K: K @ _last_two(Q)),
        ),
        Mistake(
            "turned all axes around with .T",
            "`.T` reverses every axis, the batch axes too. Only the last two have to change places: `np.swapaxes(K, -1, -2)`.",
            _both(lambda Q, K: Q @ K.T),
        ),
        Mistake(
            "scaled the scores by √d_k",
            "The scale comes in unit 2. Here the raw dot products are asked.",
            _both(lambda Q, K: Q @ _last_two(K) / np.sqrt(Q.shape[-1])),
        ),
        Mistake(
            "divided the scores by d_k",
            "Nothing is divided here, and in unit 2 it will be √d_k, not d_k.",
            _both(lambda Q, K: Q @ _last_two(K) / Q.shape[-1]),
        ),
        Mistake(
            "took the softmax already",
            "Turning scores into weights is unit 2. Here the raw dot products are asked.",
            _both(lambda Q, K: _soft_rows(Q @ _last_two(K))),
        ),
        Mistake(
            "compared the queries with themselves",
            "The second factor is K: each query meets every key.",
            _both(lambda Q, K: Q @ _last_two(Q)),
        ),
        Mistake(
            "mixed the sentences of the batch",
            "Each sentence keeps to itself: the batch axes stay in front and `@` works on the last two.",
            _both(lambda Q, K: np.tensordot(Q, K, axes=(-1, -1))),
        ),
        Mistake(
            "joined all sentences of the batch into one",
            "Leading axes stay as they are: three axes in, three axes out.",
            _both(lambda Q, K: Q.reshape(-1, Q.shape[-1]) @ K.reshape(-1, K.shape[-1]).T),
        ),
        Mistake(_TWO_AXES, _TWO_AXES_HINT, _two_axes_only(reference.attention_scores)),
        Mistake(_TWO_NAMED, _TWO_NAMED_HINT, lambda Q, K: Q @ K.transpose(-1, -2)),
        Mistake(
            "swapped the axes by number: transpose(0, 2, 1)",
            "That fits an array of three axes and no other. `np.swapaxes(K, -1, -2)` swaps the last two of any array.",
            lambda Q, K: Q @ K.transpose(0, 2, 1),
        ),
        Mistake(_DOT_T, _DOT_T_HINT, lambda Q, K: np.dot(Q, K.T)),
        Mistake(
            "looped over the first axis, which with a batch is not the queries",
            "With a batch, `for q in Q` gives whole sentences. `@` with the last two axes of K swapped needs no loop at all.",
            lambda Q, K: np.array([K @ q for q in Q]),
        ),
        Mistake(
            "divided by the lengths",
            "That is the cosine. Attention uses the plain dot product: longer keys speak louder.",
            _both(lambda Q, K: Q @ _last_two(K) / (_lengths(Q) * _last_two(_lengths(K)))),
        ),
    ),
    hints=(
        "Row i of the result is `scores_for_query(Q[i], K)`.",
        "All rows at once: Q times K on its side; with batch axes, only the last two axes of K change places.",
    ),
)


def _soft_rows(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# --- attention_scores_columns ----------------------------------------------------------------------------


def _columns_cases(rng):
    return [
        Case("values", (_normal(rng, 3, 2), _normal(rng, 3, 4)), note="d = 3, 2 queries, 4 keys, all as columns"),
        Case("values", (_normal(rng, 2, 5), _normal(rng, 2, 3)), note="d = 2, 5 queries, 3 keys"),
        Case("values", (_normal(rng, 3, 3), _normal(rng, 3, 3)), note="everything square"),
        Case("integers", (rng.integers(-4, 5, size=(3, 2)), rng.integers(-4, 5, size=(3, 4))), note="whole numbers in"),
        Case(
            "bad arguments",
            (_normal(rng, 3, 2), _normal(rng, 4, 2)),
            raises="ValueError",
            note="columns of height 3 and 4",
        ),
    ]


ATTENTION_SCORES_COLUMNS = Exercise(
    name="attention_scores_columns",
    reference=reference.attention_scores_columns,
    cases=_columns_cases,
    mistakes=(
        Mistake(
            "used the rule for rows: Q @ Kᵀ",
            "With tokens as columns, `Q @ K.T` adds over the tokens. The axis that must vanish is d, the first one of both.",
            _both(lambda Q, K: Q @ K.T),
        ),
        Mistake(
            "used the rule for rows the other way round: K @ Qᵀ",
            "With tokens as columns, `K @ Q.T` adds over the tokens. The axis that must vanish is d, the first one of both.",
            _both(lambda Q, K: K @ Q.T),
        ),
        Mistake(
            "returned (n_q, n_k): Qᵀ K",
            "As columns, the keys come first: row j is key j and column i is query i, so K is the one to transpose.",
            _both(lambda Q, K: Q.T @ K),
        ),
        Mistake(
            "forgot the transpose: K @ Q",
            "(d, n_k) does not fit (d, n_q) unless K is turned on its side.",
            _both(lambda Q, K: K @ Q),
        ),
        Mistake(
            "forgot the transpose: Q @ K",
            "(d, n_q) does not fit (d, n_k) unless K is turned on its side, and then comes first.",
            _both(lambda Q, K: Q @ K),
        ),
        Mistake(
            "scaled the scores by √d",
            "The scale comes in unit 2. Here the raw dot products are asked.",
            _both(lambda Q, K: K.T @ Q / np.sqrt(Q.shape[0])),
        ),
        Mistake(
            "reshaped instead of transposed",
            _RESHAPE_HINT,
            _both(lambda Q, K: _reshaped(K) @ Q),
        ),
        Mistake(
            "compared the keys with themselves",
            "One factor is K, the other is Q.",
            _both(lambda Q, K: K.T @ K),
        ),
        Mistake(
            "divided by the lengths",
            "That is the cosine. Attention uses the plain dot product: longer keys speak louder.",
            _both(lambda Q, K: K.T @ Q / (_lengths(K, axis=0).T * _lengths(Q, axis=0))),
        ),
        Mistake(
            "took the softmax already",
            "Turning scores into weights is unit 2. Here the raw dot products are asked.",
            _both(lambda Q, K: _soft_rows(_last_two(K.T @ Q)).T),
        ),
    ),
    hints=(
        "Write the shapes under each other: (n_k, d) times (d, n_q).",
        "The keys have to become rows first: which of the two needs the transpose?",
    ),
)


EXERCISES = (
    SIMILARITY_MATRIX,
    COSINE_SIMILARITY,
    PROJECT,
    SCORES_FOR_QUERY,
    ATTENTION_SCORES,
    ATTENTION_SCORES_COLUMNS,
)
