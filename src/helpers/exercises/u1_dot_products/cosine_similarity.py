"""`cosine_similarity`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import DEFAULT_TOLERANCE, Case, Exercise, Mistake
from helpers.reference import u1_dot_products as reference
from helpers.tolerance import close

from ..attention import transposed
from ..common import Step, normal
from .common import dot_mistake, lengths, two_axes_mistake, two_named_mistake

# Short enough that 1e-8 added to a length shows, and long enough that 1e-12 added to a length, to a product of
# lengths or under the root does not: that is a usual guard against zero and right to the precision asked.
_SHORT = 5e-4


def _unit(X: Any) -> Any:
    return X / np.linalg.norm(X, axis=-1, keepdims=True)


def _compare_short(case: Case, value: Any, expected: Any) -> str | None:
    """Equal up to one factor below 1 is what anything added to equally long lengths does."""
    if not isinstance(value, np.ndarray) or value.shape != expected.shape:
        return f"the result should have shape {expected.shape}"
    if close(value, expected, DEFAULT_TOLERANCE).all():
        return None
    factor = float(np.mean(np.diagonal(value)))
    if 0.5 < factor < 1 and close(value, factor * expected, 1e-9).all():
        return "short tokens get cosines that are all too small by one factor: even a token with itself does not give 1"
    return "the cosines of short tokens are wrong, and those of longer ones may be right"


def _cosine_cases(rng: np.random.Generator) -> list[Case]:
    with_zero = normal(rng, 4, 3)
    with_zero[2] = 0
    return [
        Case("values", (normal(rng, 4, 3) * rng.uniform(0.3, 3, size=(4, 1)),), note="4 tokens of different lengths"),
        Case("values", (normal(rng, 3, 3) * rng.uniform(0.3, 3, size=(3, 1)),), note="3 tokens of width 3"),
        Case("zero rows", (with_zero,), quiet=True, note="one of 4 tokens is all zeros"),
        Case("zero rows", (np.zeros((2, 3)),), quiet=True, note="all tokens are zeros"),
        Case("integers", (rng.integers(1, 6, size=(3, 2)),), note="whole numbers in"),
        Case(
            "short tokens",
            (_SHORT * _unit(normal(rng, 3, 4)),),
            note=f"tokens {_SHORT} long: they still have a direction",
        ),
        Case("batch axes", (normal(rng, 2, 4, 3) * rng.uniform(0.3, 3, size=(2, 4, 1)),), note="2 sentences at once"),
        Case("batch axes", (normal(rng, 2, 3, 4, 5),), note="2 × 3 sentences at once"),
        Case("axes of length one", (normal(rng, 1, 1, 1),), note="one sentence of one token of width 1"),
    ]


def _safe(length: Any) -> Any:
    return np.where(length == 0, 1, length)


def _cosine_by(X: Any, divide: Step) -> Any:
    X = np.asarray(X, dtype=float)
    return divide(X, X @ transposed(X))


def _cosine_with(X: Any, product: Step) -> Any:
    X = np.asarray(X, dtype=float)
    return product(X / _safe(lengths(X)))


def _cosine_with_divisor(X: Any, divisor: Step) -> Any:
    X = np.asarray(X, dtype=float)
    unit = X / divisor(X)
    return unit @ transposed(unit)


def _cosine_of_ones(X: Any) -> Any:
    X = np.asarray(X, dtype=float)
    unit = np.where(lengths(X) == 0, 1, X) / _safe(lengths(X))
    return unit @ transposed(unit)


def _cosine_without_keepdims(X: Any) -> Any:
    X = np.asarray(X, dtype=float)
    unit = X / _safe(np.linalg.norm(X, axis=-1))
    return unit @ transposed(unit)


def _cosine_plain(X: Any) -> Any:
    X = np.asarray(X, dtype=float)
    unit = X / lengths(X)
    return unit @ transposed(unit)


def _cosine_without_short_tokens(X: Any) -> Any:
    X = np.asarray(X, dtype=float)
    return reference.cosine_similarity(np.where(lengths(X) < 1e-3, 0, X))


def _cosine_nan_to_num(X: Any) -> Any:
    return np.nan_to_num(_cosine_plain(X))


EXERCISE = Exercise(
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
            lambda X: _cosine_by(X, lambda X, S: S / _safe(lengths(X))),
        ),
        Mistake(
            "divided by one length only, that of the column's token",
            "Two vectors meet in a dot product, so two lengths have to go: |x_i| and |x_j|.",
            lambda X: _cosine_by(X, lambda X, S: S / _safe(transposed(lengths(X)))),
        ),
        Mistake(
            "divided without keepdims",
            "Without `keepdims=True` the lengths are (n,), and NumPy lines them up with the features. As (n, 1), each"
            " row meets its own length.",
            lambda X: _cosine_without_keepdims(X),
        ),
        Mistake(
            "divided by the length of the column's token twice",
            "Without `keepdims=True` the lengths are (n,), and NumPy lines them up with the columns each time. The"
            " row's length has to stand as (n, 1).",
            lambda X: _cosine_by(X, lambda X, S: S / _safe(np.linalg.norm(X, axis=-1)) ** 2),
        ),
        Mistake(
            "divided by the length of the row's token twice",
            "Two vectors meet in a dot product, so two lengths have to go: |x_i| and |x_j|.",
            lambda X: _cosine_by(X, lambda X, S: S / _safe(lengths(X) ** 2)),
        ),
        Mistake(
            "multiplied by the lengths instead of dividing",
            "A long token has to become shorter: divide it by its length.",
            lambda X: _cosine_by(X, lambda X, S: S * lengths(X) * transposed(lengths(X))),
        ),
        Mistake(
            "divided by the root of the length",
            "`np.linalg.norm` takes the root itself: what it returns is the length.",
            lambda X: _cosine_by(X, lambda X, S: S / _safe(np.sqrt(lengths(X) * transposed(lengths(X))))),
        ),
        Mistake(
            "divided by the largest entry, not by the length",
            "The cosine needs the Euclidean length: the root of the sum of squares.",
            lambda X: _cosine_with_divisor(X, lambda X: _safe(np.abs(X).max(-1, keepdims=True))),
        ),
        Mistake(
            "divided by the squared lengths",
            "The length is the root of x · x. Without the root you divide by each length twice.",
            lambda X: _cosine_by(X, lambda X, S: S / _safe(lengths(X) ** 2 * transposed(lengths(X) ** 2))),
        ),
        Mistake(
            "took the lengths over the tokens, not over the features",
            "The length of a token is over its features, the last axis: `axis=-1`.",
            lambda X: _cosine_by(X / _safe(lengths(np.asarray(X, dtype=float), axis=-2)), lambda X, S: S),
        ),
        Mistake(
            "took the lengths over the first axis, not over the features",
            "The length of a token is over its features, the last axis: `axis=-1`. The first axis is the tokens, or,"
            " with a batch, the sentences.",
            lambda X: _cosine_with_divisor(X, lambda X: _safe(lengths(X, axis=0))),
        ),
        Mistake(
            "took the lengths over the first axis, and divided by zero",
            "The length of a token is over its features, the last axis: `axis=-1`. And where it is 0, another divisor"
            " is needed.",
            lambda X: _cosine_with_divisor(X, lambda X: lengths(X, axis=0)),
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
                np.asarray(X, dtype=float) / (lengths(np.asarray(X, dtype=float)) + 1e-8), lambda X, S: S
            ),
        ),
        Mistake(
            "added 1 to every length",
            "Only a length that is exactly 0 needs another divisor; the others stay as they are.",
            lambda X: _cosine_with_divisor(X, lambda X: lengths(X) + 1),
        ),
        Mistake(
            "left tokens shorter than 1 as they are",
            "Only a length that is exactly 0 needs another divisor. A token shorter than 1 has to grow to length 1.",
            lambda X: _cosine_with_divisor(X, lambda X: np.maximum(lengths(X), 1)),
        ),
        Mistake(
            "put ones in the place of a zero token",
            "Only the divisor is exchanged: 0 divided by 1 is 0, and the row stays zeros.",
            _cosine_of_ones,
        ),
        Mistake(
            "took short tokens for zero tokens",
            "A short token still has a direction. Only a length that is exactly 0 needs another divisor.",
            _cosine_without_short_tokens,
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
        Mistake(
            "returned the angle, not its cosine",
            "The dot product of two tokens of length 1 is the cosine already: no `arccos`.",
            lambda X: np.arccos(np.clip(reference.cosine_similarity(X), -1, 1)),
        ),
        two_axes_mistake(reference.cosine_similarity),
        two_named_mistake(lambda X: reference.cosine_similarity(X) + 0 * (X @ X.transpose(-1, -2))),
        Mistake(
            "turned all axes around with .T",
            "`.T` reverses every axis, the batch axes too. Only the last two have to change places: `np.swapaxes(X, -1,"
            " -2)`.",
            lambda X: _cosine_with(X, lambda unit: unit @ unit.T),
        ),
        dot_mistake(lambda X: _cosine_with(X, lambda unit: np.dot(unit, unit.T))),
        Mistake(
            "forgot the transpose",
            "A row can only meet another row if the second factor is turned on its side; a square X hides that.",
            lambda X: _cosine_with(X, lambda unit: unit @ unit),
        ),
        Mistake(
            "multiplied features with features",
            "The turned factor came first, so columns meet columns. Tokens are rows here: the turned one comes second.",
            lambda X: _cosine_with(X, lambda unit: transposed(unit) @ unit),
        ),
        Mistake(
            "multiplied features with features, and turned all axes around with .T",
            "The turned factor came first, so columns meet columns. Tokens are rows here: the turned one comes second,"
            " and `np.swapaxes` leaves the batch axes alone.",
            lambda X: _cosine_with(X, lambda unit: unit.T @ unit),
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


def _diagonal_one(C: Any) -> Any:
    C = C.copy()
    n = C.shape[-1]
    C[..., np.arange(n), np.arange(n)] = 1
    return C
