"""`permutation_gap`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake, in_parts
from helpers.reference import u3_positional_encoding as reference

from ..attention import softmax
from ..common import Answer, Step, normal


def _weights(tokens: Any, scale: Step = np.sqrt, axis: int = -1) -> Any:
    return softmax(tokens @ tokens.T / scale(tokens.shape[-1]), axis)


def _attend(tokens: Any, **how: Any) -> Any:
    return _weights(tokens, **how) @ tokens


def _mixing_order(rng: np.random.Generator, n: int) -> np.ndarray:
    """A permutation that is not its own inverse, so that undoing it in the wrong direction shows."""
    while True:
        order = rng.permutation(n)
        if (order[order] != np.arange(n)).any():
            return order


def _shuffled(
    rng: np.random.Generator, n: int, d: int, integers: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, P, order such that the difference of largest size is negative: a forgotten absolute value shows."""
    X = rng.integers(-2, 3, size=(n, d)) if integers else normal(rng, n, d)
    P, order = normal(rng, n, d), _mixing_order(rng, n)
    difference = _attend(X[order] + P) - _attend(X + P)[order]
    # Attention with Q = K = V is odd: it changes its sign with that of the tokens.
    sign = -1 if difference.max() > -difference.min() else 1
    return sign * X, sign * P, order


def _gap_cases(rng: np.random.Generator) -> list[Case]:
    four, five, square, integers = (
        _shuffled(rng, 4, 3),
        _shuffled(rng, 5, 4),
        _shuffled(rng, 3, 3),
        _shuffled(rng, 4, 2, integers=True),
    )
    return [
        Case("without positions", four, note="4 tokens of width 3"),
        Case("without positions", five, note="5 tokens of width 4"),
        Case("without positions", square, note="3 tokens of width 3"),
        Case("with positions", four, note="4 tokens of width 3"),
        Case("with positions", five, note="5 tokens of width 4"),
        Case("with positions", square, note="3 tokens of width 3"),
        Case("with positions", integers, note="4 tokens of width 2, whole numbers in X"),
        Case(
            "with positions",
            (np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]]), np.array([1, 0])),
            note="the two tokens of width 1 in the text",
        ),
        Case(
            "nothing moved",
            (normal(rng, 4, 3), normal(rng, 4, 3), np.arange(4)),
            note="every token stays where it is",
        ),
    ]


def _two_numbers(value: Any) -> tuple[float, ...] | str:
    """The two numbers of an answer, or a sentence that says why there are not two."""
    if value is None:
        return "the result is None: is there a return at the end of the function?"
    items = (
        list(value) if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim) else [value]
    )
    if len(items) != 2:
        return f"this exercise returns two numbers, and yours returned {len(items)}"
    for number, item in zip(("first", "second"), items):
        if np.asarray(item).dtype.kind == "b":
            return f"the {number} result is True or False; the size of the largest difference is asked"
        if np.asarray(item).dtype.kind not in "iuf":
            return f"the {number} result is not a number"
        if np.size(item) != 1:
            return (
                f"the {number} result is an array of shape {np.shape(item)}; of all the differences only the largest is"
                " asked"
            )
    return tuple(float(np.asarray(item).reshape(())) for item in items)


def _size(case: Case) -> float:
    """A size of one entry of the outputs, which are averages of the tokens, by which rounding is measured."""
    X, P = case.args[:2]
    return 1 + float(np.abs(X).max()) + float(np.abs(P).max())


def _digits(got: float, want: float) -> tuple[str, str]:
    """Both numbers with as many digits as tell them apart."""
    few = f"{got:.4g}", f"{want:.4g}"
    return few if few[0] != few[1] else (f"{got:.9g}", f"{want:.9g}")


def _judge_without(case: Case, value: Any, expected: Any) -> str | None:
    numbers = _two_numbers(value)
    if isinstance(numbers, str):
        return numbers
    # The expected number is rounding noise, so only its smallness counts.
    if not abs(numbers[0]) <= 1e-5 * _size(case):
        return f"without positions the largest difference should be zero up to rounding, and yours is {numbers[0]:.4g}"
    return None


def _judge_with(case: Case, value: Any, expected: Any) -> str | None:
    numbers = _two_numbers(value)
    if isinstance(numbers, str):
        return numbers
    if not abs(numbers[1] - expected[1]) <= 1e-5 * _size(case):
        got, want = _digits(numbers[1], expected[1])
        if abs(numbers[1]) <= 1e-5 * _size(case):
            return (
                f"with positions the largest difference should be {want}, and yours is zero up to rounding: nothing was"
                " noticed. Is P added to both sentences, and each time in its own order?"
            )
        return f"with positions the largest difference should be {want}, and yours is {got}"
    return None


def _judge_both(case: Case, value: Any, expected: Any) -> str | None:
    return _judge_without(case, value, expected) or _judge_with(case, value, expected)


def _largest(difference: Any) -> Any:
    return np.abs(difference).max()


@in_parts
def _gap(without: Step, with_positions: Step, measure: Step = _largest, attend: Step = _attend) -> Answer:
    def wrong(X: Any, P: Any, order: Any) -> Any:
        X = np.asarray(X, dtype=float)
        return tuple(float(measure(a - b)) for a, b in (without(attend, X, order), with_positions(attend, X, P, order)))

    return wrong


def _right_without(attend: Step, X: Any, order: Any) -> Any:
    return attend(X[order]), attend(X)[order]


def _right_with(attend: Step, X: Any, P: Any, order: Any) -> Any:
    return attend(X[order] + P), attend(X + P)[order]


def _with_measure(measure: Step) -> Answer:
    return _gap(_right_without, _right_with, measure=measure)


def _with_attention(attend: Step) -> Answer:
    return _gap(_right_without, _right_with, attend=attend)


def _places_for_weights_only(attend: Step, X: Any, P: Any, order: Any) -> Any:
    return _weights(X[order] + P) @ X[order], (_weights(X + P) @ X)[order]


def _of_the_largest(X: Any, P: Any, order: Any) -> Any:
    both = _right_without(_attend, X, order), _right_with(_attend, X, P, order)
    return tuple(float(abs(a.max() - b.max())) for a, b in both)


EXERCISE = Exercise(
    name="permutation_gap",
    reference=reference.permutation_gap,
    cases=_gap_cases,
    compare={"without positions": _judge_without, "with positions": _judge_with, "nothing moved": _judge_both},
    mistakes=(
        Mistake(
            "compared different tokens: the unshuffled output was not put into the same order",
            "Row 0 of the shuffled output belongs to token `order[0]`. Before you subtract, the other output needs the"
            " same order.",
            _gap(
                lambda attend, X, order: (attend(X[order]), attend(X)),
                lambda attend, X, P, order: (attend(X[order] + P), attend(X + P)),
            ),
        ),
        Mistake(
            "compared different tokens with positions: A(X + P) was not put into the same order",
            "Row 0 of A(X[order] + P) belongs to token `order[0]`, as without positions. Before you subtract, the other"
            " output needs the same order.",
            _gap(_right_without, lambda attend, X, P, order: (attend(X[order] + P), attend(X + P))),
        ),
        Mistake(
            "shuffled the positions together with the tokens",
            "A position belongs to the place, not to the word: shuffle X alone, then add P as it is.",
            _gap(_right_without, lambda attend, X, P, order: (attend((X + P)[order]), attend(X + P)[order])),
        ),
        Mistake(
            "undid the shuffle in the wrong direction",
            "`Y[order]` shuffles once more; what undoes `order` is `np.argsort(order)`. Simpler: leave the shuffled"
            " side, and shuffle the other output too.",
            _gap(
                lambda attend, X, order: (attend(X[order])[order], attend(X)),
                lambda attend, X, P, order: (attend(X[order] + P)[order], attend(X + P)),
            ),
        ),
        Mistake(
            "added the positions on one side only",
            "Both sentences are read with positions: the shuffled one and the one in its own order.",
            _gap(_right_without, lambda attend, X, P, order: (attend(X[order] + P), attend(X)[order])),
        ),
        Mistake(
            "added the positions to the output",
            "Attention has to see the positions: they are added to the tokens before, not to the result after.",
            _gap(_right_without, lambda attend, X, P, order: (attend(X[order]) + P, (attend(X) + P)[order])),
        ),
        Mistake(
            "added the positions to queries and keys, not to the values",
            "Q = K = V, with positions too: the values are X + P as well.",
            _gap(_right_without, _places_for_weights_only),
        ),
        Mistake(
            "compared the largest entries, not entry with entry",
            "Subtract first, each entry from the one in its place. Then take the absolute value, then the maximum.",
            _of_the_largest,
        ),
        Mistake(
            "took the mean difference, not the largest",
            "One token that notices is enough: ask for the largest difference.",
            _with_measure(lambda D: np.abs(D).mean()),
        ),
        Mistake(
            "took the absolute value too late, or not at all",
            "A difference of -3 is larger than one of 2: take `np.abs` before the maximum.",
            _with_measure(np.max),
        ),
        Mistake(
            "added the differences up",
            "The largest single entry is asked, not the sum of all.",
            _with_measure(lambda D: np.abs(D).sum()),
        ),
        Mistake(
            "took the length of the difference",
            "`np.linalg.norm` adds squares. The largest single entry is asked: `np.abs(...).max()`.",
            _with_measure(np.linalg.norm),
        ),
        Mistake(
            "did not scale the scores",
            "Scaled attention divides the scores by √d before the softmax.",
            _with_attention(lambda X: _attend(X, scale=lambda d: 1)),
        ),
        Mistake(
            "divided the scores by d, not by √d",
            "The scale of unit 2 is √d.",
            _with_attention(lambda X: _attend(X, scale=lambda d: d)),
        ),
        Mistake(
            "took the softmax over the queries",
            "Every row of the weights sums to 1: the softmax runs over the keys, the last axis.",
            _with_attention(lambda X: _attend(X, axis=0)),
        ),
        Mistake(
            "left out the softmax",
            "The weights are the softmax of the scaled scores, not the scores themselves.",
            _with_attention(lambda X: X @ X.T / np.sqrt(X.shape[-1]) @ X),
        ),
        Mistake(
            "took output and weights together for the output",
            "The attention function returns the pair (output, weights): take the first of the two before you go on.",
            _with_attention(lambda X: (_attend(X), _weights(X))),
        ),
        Mistake(
            "left out the maximum",
            "You have the difference of every entry. The largest of them all is one number: `.max()`.",
            lambda X, P, order: (
                np.abs(np.subtract(*_right_without(_attend, X, order))),
                np.abs(np.subtract(*_right_with(_attend, X, P, order))),
            ),
        ),
        Mistake(
            "compared the weights, not the outputs",
            "The attention function returns (output, weights): take the first.",
            _with_attention(_weights),
        ),
        Mistake(
            "returned the two numbers in the other order",
            "The first number is the one without positions.",
            lambda X, P, order: _with_measure(_largest)(X, P, order)[::-1],
        ),
    ),
    hints=(
        "Write a small `attend(tokens)` that returns the output with Q = K = V = tokens; the rest is two subtractions.",
        (
            "Compare row with row of the same word: `attend(X[order])` with `attend(X)[order]`. Then the same with `+"
            " P` after the shuffle."
        ),
    ),
)
