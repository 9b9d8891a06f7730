"""Unit 3: cases, mistakes and hints of the exercises on positions."""

from __future__ import annotations

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u3_positional_encoding as reference


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape)


# --- permutation_gap -------------------------------------------------------------------------------------


def _weights(tokens, scale=np.sqrt, axis=-1):
    scores = tokens @ tokens.T / scale(tokens.shape[-1])
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _attend(tokens, **how):
    return _weights(tokens, **how) @ tokens


def _mixing_order(rng, n):
    """A permutation that is not its own inverse, so that undoing it in the wrong direction shows."""
    while True:
        order = rng.permutation(n)
        if (order[order] != np.arange(n)).any():
            return order


def _shuffled(rng, n, d, integers=False):
    """X, P, order such that the difference of largest size is negative: a forgotten absolute value shows."""
    X = rng.integers(-2, 3, size=(n, d)) if integers else _normal(rng, n, d)
    P, order = _normal(rng, n, d), _mixing_order(rng, n)
    difference = _attend(X[order] + P) - _attend(X + P)[order]
    # Attention with Q = K = V is odd: it changes its sign with that of the tokens.
    sign = -1 if difference.max() > -difference.min() else 1
    return sign * X, sign * P, order


def _gap_cases(rng):
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
        Case("with positions", integers, note="4 tokens of width 2, whole numbers"),
        Case(
            "order unchanged",
            (_normal(rng, 4, 3), _normal(rng, 4, 3), np.arange(4)),
            note="every token stays where it is",
        ),
    ]


def _two_numbers(value):
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
            return f"the {number} result is an array of shape {np.shape(item)}; of all the differences only the largest is asked"
    return tuple(float(np.asarray(item).reshape(())) for item in items)


def _size(case):
    """A size of one entry of the outputs, which are averages of the tokens, by which rounding is measured."""
    X, P = case.args[:2]
    return 1 + float(np.abs(X).max()) + float(np.abs(P).max())


def _digits(got, want):
    """Both numbers with as many digits as tell them apart."""
    few = f"{got:.4g}", f"{want:.4g}"
    return few if few[0] != few[1] else (f"{got:.9g}", f"{want:.9g}")


def _judge_without(case, value, expected):
    numbers = _two_numbers(value)
    if isinstance(numbers, str):
        return numbers
    # The expected number is rounding noise, so only its smallness counts.
    if not abs(numbers[0]) <= 1e-5 * _size(case):
        return f"without positions the largest difference should be zero up to rounding, and yours is {numbers[0]:.4g}"
    return None


def _judge_with(case, value, expected):
    numbers = _two_numbers(value)
    if isinstance(numbers, str):
        return numbers
    if not abs(numbers[1] - expected[1]) <= 1e-5 * _size(case):
        got, want = _digits(numbers[1], expected[1])
        if abs(numbers[1]) <= 1e-5 * _size(case):
            got = "zero up to rounding: nothing was noticed"
        return f"with positions the largest difference should be {want}, and yours is {got}"
    return None


def _judge_both(case, value, expected):
    return _judge_without(case, value, expected) or _judge_with(case, value, expected)


def _largest(difference):
    return np.abs(difference).max()


def _gap(without, with_positions, measure=_largest, attend=_attend):
    def wrong(X, P, order):
        X = np.asarray(X, dtype=float)
        return tuple(float(measure(a - b)) for a, b in (without(attend, X, order), with_positions(attend, X, P, order)))

    return wrong


def _right_without(attend, X, order):
    return attend(X[order]), attend(X)[order]


def _right_with(attend, X, P, order):
    return attend(X[order] + P), attend(X + P)[order]


def _with_measure(measure):
    return _gap(_right_without, _right_with, measure=measure)


def _with_attention(attend):
    return _gap(_right_without, _right_with, attend=attend)


PERMUTATION_GAP = Exercise(
    name="permutation_gap",
    reference=reference.permutation_gap,
    cases=_gap_cases,
    compare={"without positions": _judge_without, "with positions": _judge_with, "order unchanged": _judge_both},
    mistakes=(
        Mistake(
            "compared different tokens: the unshuffled output was not put into the same order",
            "Row 0 of the shuffled output belongs to token `order[0]`. Before you subtract, the other output needs the same order.",
            _gap(
                lambda attend, X, order: (attend(X[order]), attend(X)),
                lambda attend, X, P, order: (attend(X[order] + P), attend(X + P)),
            ),
        ),
        Mistake(
            "shuffled the positions together with the tokens",
            "A position belongs to the place, not to the word: shuffle X alone, then add P as it is.",
            _gap(_right_without, lambda attend, X, P, order: (attend((X + P)[order]), attend(X + P)[order])),
        ),
        Mistake(
            "undid the shuffle in the wrong direction",
            "`Y[order]` shuffles once more; what undoes `order` is `np.argsort(order)`. Simpler: leave the shuffled side, and shuffle the other output too.",
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
            "took the mean difference, not the largest",
            "One token that notices is enough: ask for the largest difference.",
            _with_measure(lambda D: np.abs(D).mean()),
        ),
        Mistake(
            "left out the absolute value",
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
        "Compare row with row of the same word: `attend(X[order])` with `attend(X)[order]`. Then the same with `+ P` after the shuffle.",
    ),
)


# --- encoding_by_hand ------------------------------------------------------------------------------------


def _clocks(*columns):
    """An answer worked by hand: for each column the name of its function and its angle."""
    return lambda: np.array([{"sin": np.sin, "cos": np.cos}[name](angle) for name, angle in columns])


def _two_clocks(fast, slow):
    return _clocks(("sin", fast), ("cos", fast), ("sin", slow), ("cos", slow))


ENCODING_BY_HAND = Exercise(
    name="encoding_by_hand",
    reference=reference.encoding_by_hand,
    cases=lambda rng: [Case("values", note="position 2, d_model = 4")],
    tolerance=1e-4,
    mistakes=(
        Mistake(
            "took degrees for radians",
            "Is your calculator set to DEG? The angle 2 means 2 radians, about 115 degrees.",
            _two_clocks(np.deg2rad(2), np.deg2rad(0.02)),
        ),
        Mistake(
            "swapped sine and cosine",
            "Even columns (0 and 2) hold the sine, odd ones the cosine.",
            _clocks(("cos", 2), ("sin", 2), ("cos", 0.02), ("sin", 0.02)),
        ),
        Mistake(
            "put both sines first, then both cosines",
            "The columns alternate: sine and cosine of the first clock, then sine and cosine of the second.",
            _clocks(("sin", 2), ("sin", 0.02), ("cos", 2), ("cos", 0.02)),
        ),
        Mistake(
            "took i/d as the exponent, not 2i/d",
            "The second clock is i = 1, and the exponent is 2i/d = 2/4, not 1/4: 10000^(1/2) is 100.",
            _two_clocks(2, 0.2),
        ),
        Mistake(
            "gave each column a clock of its own, with the column as i",
            "The columns 0 and 1 share the clock i = 0, and 2 and 3 share the clock i = 1: one angle, its sine and its cosine.",
            _clocks(("sin", 2), ("cos", 0.02), ("sin", 2e-4), ("cos", 2e-6)),
        ),
        Mistake(
            "gave each column a clock of its own: exponent column/d",
            "The columns 2 and 3 share one angle, and so do 0 and 1. Work out two angles, and take sine and cosine of each.",
            _clocks(("sin", 2), ("cos", 0.2), ("sin", 0.02), ("cos", 0.002)),
        ),
        Mistake(
            "took the column for i: exponent 4/4 instead of 2/4",
            "i counts the pairs, 0 and 1; the 2 is already in the exponent 2i/d.",
            _two_clocks(2, 2e-4),
        ),
        Mistake(
            "worked out position 1",
            "Positions count from 0, but the position asked is p = 2: multiply the frequencies by 2.",
            _two_clocks(1, 0.01),
        ),
        Mistake(
            "worked out position 3",
            "The position asked is p = 2 as it stands: multiply the frequencies by 2, not by 3.",
            _two_clocks(3, 0.03),
        ),
        Mistake(
            "multiplied by 10000^(2i/d) instead of dividing",
            "The second clock is slower than the first: its angle is 2 divided by 100.",
            _two_clocks(2, 200),
        ),
        Mistake(
            "used one frequency for both clocks",
            "The second clock turns more slowly: its angle is 2 / 10000^(2/4).",
            _two_clocks(2, 2),
        ),
        Mistake(
            "counted the clocks from 1",
            "The first clock is i = 0: 10000^0 is 1, so its angle is 2.",
            _two_clocks(0.02, 2e-4),
        ),
        Mistake("used 1000 for 10000", "Four zeros: the root of 10000 is 100.", _two_clocks(2, 2 / np.sqrt(1000))),
        Mistake(
            "took the sine in every column",
            "The even columns hold the sine, the odd ones the cosine of the same angle.",
            _clocks(*[("sin", a) for a in (2, 2, 0.02, 0.02)]),
        ),
        Mistake(
            "took the cosine in every column",
            "The even columns hold the sine, the odd ones the cosine of the same angle.",
            _clocks(*[("cos", a) for a in (2, 2, 0.02, 0.02)]),
        ),
        Mistake(
            "wrote the angles down, without sine and cosine",
            "The two angles are there; each becomes two entries, its sine and its cosine.",
            lambda: np.array([2, 2, 0.02, 0.02]),
        ),
        Mistake(
            "lost the sign of cos 2",
            "2 radians are more than a quarter turn (1.57): the cosine is negative there.",
            lambda: np.array([0.9093, 0.4161, 0.0200, 0.9998]),
        ),
        Mistake(
            "rounded cos 0.02 to 1",
            "It is a little less than 1: look at the fourth decimal.",
            lambda: np.array([0.9093, -0.4161, 0.0200, 1.0]),
        ),
        Mistake(
            "kept two decimals only",
            "Right so far. Write four decimals: the answer counts to 1e-4.",
            lambda: np.array([0.91, -0.42, 0.02, 1.0]),
        ),
        Mistake(
            "kept three decimals only",
            "Right so far. Write four decimals: the answer counts to 1e-4.",
            lambda: np.array([0.909, -0.416, 0.020, 1.0]),
        ),
    ),
    hints=(
        "There are two clocks. Write down their two angles first: 2 / 10000^(0/4) and 2 / 10000^(2/4).",
        "The angles are 2 and 0.02, in radians. Each gives its sine and then its cosine.",
    ),
)


# --- frequencies -----------------------------------------------------------------------------------------


def _even(rng, low, high):
    return 2 * int(rng.integers(low // 2, high // 2))


def _frequencies_cases(rng):
    return [
        Case("values", (8,), note="d_model = 8"),
        Case("values", (6,), note="d_model = 6"),
        Case("values", (width := _even(rng, 10, 100),), note=f"d_model = {width}"),
        Case("one pair", (2,), note="d_model = 2: a single clock"),
        Case("wide tokens", (512,), note="d_model = 512"),
        Case("bad arguments", (7,), raises="ValueError", note="d_model = 7: half a pair is left over"),
        Case("bad arguments", (1,), raises="ValueError", note="d_model = 1"),
    ]


def _pairs(d_model):
    if d_model % 2:
        raise ValueError("d_model must be even")
    return np.arange(d_model // 2)


def _exponent(exponent, base=10000.0, factor=1.0):
    """Frequencies with another exponent, which gets the numbers of the pairs and d_model."""
    return lambda d_model: factor * base ** exponent(_pairs(d_model), d_model)


def _odd_let_through(d_model):
    return 10000.0 ** (-2 * np.arange(d_model // 2) / d_model)


FREQUENCIES = Exercise(
    name="frequencies",
    reference=reference.frequencies,
    cases=_frequencies_cases,
    mistakes=(
        Mistake(
            "took i/d as the exponent, not 2i/d",
            "With i/d the clocks stop half-way, at 1/100. The exponent runs from 0 to nearly -1.",
            _exponent(lambda i, d: -i / d),
        ),
        Mistake(
            "doubled twice: the exponent is 4i/d",
            "i counts the pairs 0, 1, 2, ...; `np.arange(0, d, 2)` is 2i already, and d_model is the whole width.",
            _exponent(lambda i, d: -4 * i / d),
        ),
        Mistake(
            "multiplied instead of dividing: 10000^(+2i/d)",
            "Every clock is slower than the one before: the exponent is negative.",
            _exponent(lambda i, d: 2 * i / d),
        ),
        Mistake(
            "gave each column a frequency of its own",
            "Two neighbouring columns share a clock, so there are d_model // 2 frequencies.",
            lambda d_model: 10000.0 ** (-2 * np.arange(2 * len(_pairs(d_model))) / d_model),
        ),
        Mistake(
            "gave each column a frequency of its own: exponent column/d",
            "Two neighbouring columns share a clock, so there are d_model // 2 frequencies.",
            lambda d_model: 10000.0 ** (-np.arange(2 * len(_pairs(d_model))) / d_model),
        ),
        Mistake(
            "wrote every frequency twice",
            "Sine and cosine will use the same frequency, but here each stands once: d_model // 2 numbers.",
            lambda d_model: np.repeat(10000.0 ** (-2 * _pairs(d_model) / d_model), 2),
        ),
        Mistake(
            "counted the pairs from 1",
            "The first pair is i = 0, and its frequency is exactly 1.",
            _exponent(lambda i, d: -2 * (i + 1) / d),
        ),
        Mistake(
            "ran all the way to 1/10000",
            "The last pair is i = d/2 - 1, so the last exponent is a little above -1, not -1.",
            _exponent(lambda i, d: -i / max(len(i) - 1, 1)),
        ),
        Mistake("used 1000 for 10000", "Four zeros: 10000.", _exponent(lambda i, d: -2 * i / d, base=1000.0)),
        Mistake(
            "put the frequencies in the opposite order",
            "The fastest clock, frequency 1, comes first.",
            lambda d_model: (10000.0 ** (-2 * _pairs(d_model) / d_model))[::-1].copy(),
        ),
        Mistake(
            "divided the exponents with //, which rounds them to whole numbers",
            "The exponents -2i/d are fractions: divide with `/`.",
            lambda d_model: 10000 ** (-2 * _pairs(d_model) // d_model),
        ),
        Mistake(
            "one frequency everywhere",
            "Every pair has a frequency of its own. If you wrote `//`, the whole-number division made every exponent 0.",
            lambda d_model: np.ones(len(_pairs(d_model))),
        ),
        Mistake(
            "returned the wavelengths, 2π divided by the frequency",
            "The frequency is how far the hand turns in one step; the wavelength is how many steps a full turn takes.",
            _exponent(lambda i, d: 2 * i / d, factor=2 * np.pi),
        ),
        Mistake(
            "divided by 2π",
            "The frequency is in radians a step, not in turns.",
            _exponent(lambda i, d: -2 * i / d, factor=1 / (2 * np.pi)),
        ),
        Mistake(
            "multiplied by 2π",
            "The frequency is in radians a step as the formula gives it; the first one is 1.",
            _exponent(lambda i, d: -2 * i / d, factor=2 * np.pi),
        ),
        Mistake(
            "mixed exp with log10",
            "exp undoes the natural logarithm, `np.log`; log10 goes with powers of 10.",
            lambda d_model: np.exp(-2 * _pairs(d_model) / d_model * np.log10(10000.0)),
        ),
        Mistake(
            "let an odd d_model through",
            "An odd width leaves a sine without its cosine: say so with a `ValueError`.",
            _odd_let_through,
        ),
    ),
    hints=(
        "The numbers of the pairs: `i = np.arange(d_model // 2)`. One formula turns them all into frequencies at once.",
        "For d_model = 4 the result is [1, 0.01], for d_model = 8 it is [1, 0.1, 0.01, 0.001].",
    ),
)


# --- sinusoidal_encoding ---------------------------------------------------------------------------------


def _encoding_cases(rng):
    n, width = int(rng.integers(3, 30)), _even(rng, 10, 40)
    return [
        Case("values", (5, 8), note="5 positions, d_model = 8"),
        Case("values", (10, 4), note="10 positions, d_model = 4"),
        Case("values", (6, 6), note="6 positions, d_model = 6: a square table"),
        Case("values", (n, width), note=f"{n} positions, d_model = {width}"),
        Case("one position", (1, 6), note="position 0 alone"),
        Case("one pair", (4, 2), note="d_model = 2: a single clock"),
        Case("many positions", (60, 16), note="60 positions, d_model = 16"),
        Case("bad arguments", (4, 7), raises="ValueError", note="d_model = 7"),
        Case("bad arguments", (4, 3), raises="ValueError", note="d_model = 3"),
    ]


def _rates(d_model):
    return 10000.0 ** (-2 * _pairs(d_model) / d_model)


def _interleaved(even, odd):
    return np.stack([even, odd], axis=-1).reshape(len(even), -1)


def _encoding(rates=_rates, first=0, positions=None, even=np.sin, odd=np.cos):
    def wrong(n_positions, d_model):
        p = np.arange(first, first + n_positions) if positions is None else positions(n_positions)
        angles = np.outer(p, rates(d_model))
        return _interleaved(even(angles), odd(angles))

    return wrong


def _side_by_side(first, second):
    def wrong(n_positions, d_model):
        angles = np.outer(np.arange(n_positions), _rates(d_model))
        return np.concatenate([first(angles), second(angles)], axis=-1)

    return wrong


def _columns_alone(exponent):
    """Every column has an angle of its own; even columns take its sine, odd ones its cosine."""

    def wrong(n_positions, d_model):
        _pairs(d_model)
        column = np.arange(d_model)
        angles = np.outer(np.arange(n_positions), 10000.0 ** exponent(column, d_model))
        return np.where(column % 2 == 0, np.sin(angles), np.cos(angles))

    return wrong


def _odd_encoding(n_positions, d_model):
    column = np.arange(d_model)
    angles = np.outer(np.arange(n_positions), 10000.0 ** (-2 * (column // 2) / d_model))
    return np.where(column % 2 == 0, np.sin(angles), np.cos(angles))


def _concatenated_pairs(n_positions, d_model):
    angles = np.outer(np.arange(n_positions), _rates(d_model))
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1)


_right_encoding = _encoding()


def _encoding_number_by_number(n_positions, d_model):
    angles = np.arange(n_positions) * _rates(d_model)
    return np.tile(np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(-1), (n_positions, 1))


SINUSOIDAL_ENCODING = Exercise(
    name="sinusoidal_encoding",
    reference=reference.sinusoidal_encoding,
    cases=_encoding_cases,
    mistakes=(
        Mistake(
            "swapped sine and cosine",
            "Even columns 0, 2, 4, ... hold the sine: position 0 reads 0, 1, 0, 1, ...",
            _encoding(even=np.cos, odd=np.sin),
        ),
        Mistake(
            "put all sines first, then all cosines",
            "The columns alternate: `PE[:, 0::2]` are the sines and `PE[:, 1::2]` the cosines.",
            _side_by_side(np.sin, np.cos),
        ),
        Mistake(
            "put all cosines first, then all sines",
            "The columns alternate, and the sine comes first: `PE[:, 0::2]` are the sines and `PE[:, 1::2]` the cosines.",
            _side_by_side(np.cos, np.sin),
        ),
        Mistake(
            "counted the positions from 1",
            "The first position is 0; all its angles are 0, so its row is 0, 1, 0, 1, ...",
            _encoding(first=1),
        ),
        Mistake(
            "took i/d as the exponent, not 2i/d",
            "The exponent is that of `frequencies`: -2i/d, where i is the number of the pair.",
            _encoding(lambda d: 10000.0 ** (-_pairs(d) / d)),
        ),
        Mistake(
            "doubled twice: the exponent is 4i/d",
            "i counts the pairs 0, 1, 2, ...; `np.arange(0, d, 2)` is 2i already.",
            _encoding(lambda d: 10000.0 ** (-4 * _pairs(d) / d)),
        ),
        Mistake(
            "multiplied instead of dividing: p · 10000^(2i/d)",
            "Later clocks are slower: divide the position by 10000^(2i/d).",
            _encoding(lambda d: 10000.0 ** (2 * _pairs(d) / d)),
        ),
        Mistake(
            "one frequency everywhere",
            "Each pair of columns has a frequency of its own: an outer product of positions and frequencies.",
            _encoding(lambda d: np.ones(len(_pairs(d)))),
        ),
        Mistake(
            "gave the cosine a frequency of its own: exponent column/d",
            "Sine and cosine of a pair show one clock hand: both have the same angle, with the same i = column // 2.",
            _columns_alone(lambda j, d: -j / d),
        ),
        Mistake(
            "used the column as i",
            "i counts the pairs: it is `column // 2`, so that the columns 2i and 2i+1 share one angle.",
            _columns_alone(lambda j, d: -2 * j / d),
        ),
        Mistake(
            "counted the pairs from 1",
            "The first pair is i = 0: its angle is the position itself.",
            _encoding(lambda d: 10000.0 ** (-2 * (_pairs(d) + 1) / d)),
        ),
        Mistake(
            "ran all the way to 1/10000",
            "The last pair is i = d/2 - 1, so its frequency is a little above 1/10000. `frequencies` has it.",
            _encoding(lambda d: 10000.0 ** (-_pairs(d) / max(d // 2 - 1, 1))),
        ),
        Mistake(
            "multiplied positions and frequencies number by number",
            "Every position meets every frequency. As a column, `np.arange(n)[:, None]`, the positions spread over them.",
            _encoding_number_by_number,
        ),
        Mistake(
            "divided the positions by their number",
            "The angle is p ω: the position itself, whatever the length of the sentence.",
            _encoding(positions=lambda n: np.arange(n) / n),
        ),
        Mistake(
            "took degrees for radians",
            "`np.sin` and `np.cos` take radians: p ω as it is.",
            _encoding(lambda d: np.deg2rad(_rates(d))),
        ),
        Mistake(
            "took full turns for radians: 2π in the angle",
            "The angle is p ω, in radians, without 2π.",
            _encoding(lambda d: 2 * np.pi * _rates(d)),
        ),
        Mistake("took the sine in every column", "The odd columns hold the cosine.", _encoding(odd=np.sin)),
        Mistake("took the cosine in every column", "The even columns hold the sine.", _encoding(even=np.cos)),
        Mistake(
            "returned the angles, without sine and cosine",
            "Each angle becomes two entries, its sine and its cosine.",
            _encoding(even=lambda a: a, odd=lambda a: a),
        ),
        Mistake(
            "returned positions as columns",
            "Tokens are rows, so positions are rows: (n_positions, d_model).",
            lambda n_positions, d_model: _right_encoding(n_positions, d_model).T.copy(),
        ),
        Mistake(
            "kept the pairs on an axis of their own",
            "The pairs lie one after the other in a row: (n_positions, d_model).",
            _concatenated_pairs,
        ),
        Mistake(
            "let an odd d_model through",
            "An odd width leaves a sine without its cosine: say so with a `ValueError`.",
            _odd_encoding,
        ),
    ),
    hints=(
        "First the angles: row p, column i is p times ω_i, a table (n_positions, d_model // 2).",
        "Make an empty table (n_positions, d_model) and fill `PE[:, 0::2]` with the sines and `PE[:, 1::2]` with the cosines of the angles.",
    ),
)


# --- add_positions ---------------------------------------------------------------------------------------


def _add_cases(rng):
    return [
        Case("values", (_normal(rng, 3, 6), _normal(rng, 3, 6)), note="3 tokens of width 6, 3 positions"),
        Case("values", (_normal(rng, 5, 5), _normal(rng, 5, 5)), note="everything square"),
        Case(
            "more positions than tokens",
            (_normal(rng, 2, 4), _normal(rng, 7, 4)),
            note="2 tokens of width 4, 7 positions",
        ),
        Case(
            "more positions than tokens",
            (_normal(rng, 4, 3), _normal(rng, 6, 3)),
            note="4 tokens of width 3, 6 positions",
        ),
        Case("more positions than tokens", (_normal(rng, 1, 8), _normal(rng, 3, 8)), note="a single token"),
        Case("integers", (rng.integers(-4, 5, size=(3, 2)), _normal(rng, 4, 2)), note="whole numbers in X"),
        Case(
            "bad arguments", (_normal(rng, 4, 6), _normal(rng, 3, 6)), raises="ValueError", note="4 tokens, 3 positions"
        ),
        Case(
            "bad arguments", (_normal(rng, 4, 6), _normal(rng, 1, 6)), raises="ValueError", note="4 tokens, 1 position"
        ),
        Case(
            "bad arguments",
            (_normal(rng, 3, 4), _normal(rng, 5, 6)),
            raises="ValueError",
            note="tokens of width 4, positions of width 6",
        ),
        Case(
            "bad arguments",
            (_normal(rng, 3, 4), _normal(rng, 5, 1)),
            raises="ValueError",
            note="tokens of width 4, positions of width 1",
        ),
    ]


def _fits(X, P):
    if X.shape[-1] != P.shape[-1] or len(X) > len(P):
        raise ValueError("X and P do not fit")


def _add(rule):
    def wrong(X, P):
        _fits(X, P)
        X = np.asarray(X, dtype=float)
        return rule(X, P, *X.shape)

    return wrong


def _add_cut(X, P):
    if X.shape[-1] != P.shape[-1]:
        raise ValueError("X and P differ in width")
    n = min(len(X), len(P))
    return np.sqrt(X.shape[-1]) * X[:n] + P[:n]


ADD_POSITIONS = Exercise(
    name="add_positions",
    reference=reference.add_positions,
    cases=_add_cases,
    mistakes=(
        Mistake(
            "left out the factor √d_model",
            "First bring the tokens to the size of the positions: times √d_model.",
            _add(lambda X, P, n, d: X + P[:n]),
        ),
        Mistake(
            "divided by √d_model",
            "The tokens are small and have to grow: multiply by √d_model.",
            _add(lambda X, P, n, d: X / np.sqrt(d) + P[:n]),
        ),
        Mistake(
            "multiplied by d_model, without the root",
            "The factor is the root of d_model.",
            _add(lambda X, P, n, d: d * X + P[:n]),
        ),
        Mistake(
            "took √n, the length of the sentence, for √d_model",
            "d_model is the width, the last axis: `X.shape[-1]`.",
            _add(lambda X, P, n, d: np.sqrt(n) * X + P[:n]),
        ),
        Mistake(
            "scaled the positions too",
            "Only the tokens are multiplied; sines and cosines have the right size already.",
            _add(lambda X, P, n, d: np.sqrt(d) * (X + P[:n])),
        ),
        Mistake(
            "scaled the positions instead of the tokens",
            "It is X that is multiplied by √d_model.",
            _add(lambda X, P, n, d: X + np.sqrt(d) * P[:n]),
        ),
        Mistake(
            "concatenated, not added",
            "The width stays: the position vector is as wide as the token and is added to it.",
            _add(lambda X, P, n, d: np.concatenate([np.sqrt(d) * X, P[:n]], axis=-1)),
        ),
        Mistake(
            "multiplied tokens and positions",
            "They are added, entry by entry.",
            _add(lambda X, P, n, d: np.sqrt(d) * X * P[:n]),
        ),
        Mistake(
            "took the last positions, not the first",
            "The first token stands at position 0: `P[:n]`.",
            _add(lambda X, P, n, d: np.sqrt(d) * X + P[len(P) - n :]),
        ),
        Mistake(
            "gave every token position 0", "Row i of X gets row i of P.", _add(lambda X, P, n, d: np.sqrt(d) * X + P[0])
        ),
        Mistake(
            "counted the positions from 1",
            "The first token stands at position 0: `P[:n]`, not `P[1:n+1]`.",
            _add(lambda X, P, n, d: np.sqrt(d) * X + P[1 : n + 1]),
        ),
        Mistake(
            "added all of P",
            "P is for the longest sentence there may be. A sentence of n tokens takes its first n rows.",
            _add(lambda X, P, n, d: np.sqrt(d) * X + P),
        ),
        Mistake(
            "returned the positions alone",
            "Both are wanted: the scaled tokens plus the positions.",
            _add(lambda X, P, n, d: P[:n].copy()),
        ),
        Mistake(
            "let a P that does not fit pass",
            "One row or one column of P spreads over all of X without an error (broadcasting). Compare the shapes first, and raise a `ValueError`.",
            lambda X, P: np.sqrt(X.shape[-1]) * X + P[: len(X)],
        ),
        Mistake(
            "cut the sentence instead of raising an error",
            "Words must not get lost silently: a sentence longer than P is a `ValueError`.",
            _add_cut,
        ),
    ),
    hints=(
        "Three steps: compare the shapes, multiply X by √d_model, add the first n rows of P.",
        "n and d_model are the two numbers of `X.shape`.",
    ),
)


# --- shift_matrix ----------------------------------------------------------------------------------------


def _shift_cases(rng):
    offset, width = int(rng.integers(3, 30)), _even(rng, 8, 24)
    return [
        Case("values", (1, 4), note="one step on, d_model = 4"),
        Case("values", (3, 6), note="3 steps on, d_model = 6"),
        Case("values", (offset, width), note=f"{offset} steps on, d_model = {width}"),
        Case("one pair", (2, 2), note="d_model = 2: a single clock"),
        Case("negative offset", (-2, 6), note="2 steps back"),
        Case("negative offset", (-offset, 4), note=f"{offset} steps back"),
        Case("no step", (0, 4), note="offset 0: everything stays where it is"),
        Case("bad arguments", (1, 7), raises="ValueError", note="d_model = 7"),
        Case("bad arguments", (1, 3), raises="ValueError", note="d_model = 3"),
    ]


def _turned(c, s):
    return np.array([[c, s], [-s, c]])


def _blocks(block=_turned, rates=_rates, offset=lambda offset: offset, place=lambda i, d: [2 * i, 2 * i + 1]):
    def wrong(k, d_model):
        M = np.zeros((d_model, d_model))
        for i, rate in enumerate(rates(d_model)):
            M[np.ix_(place(i, d_model), place(i, d_model))] = block(np.cos(offset(k) * rate), np.sin(offset(k) * rate))
        return M

    return wrong


def _shift_rows(k, d_model):
    _pairs(d_model)
    return np.eye(d_model, k=k)


def _overlapping_blocks(k, d_model):
    M = np.zeros((d_model, d_model))
    for i, rate in enumerate(_rates(d_model)):
        M[i : i + 2, i : i + 2] = _turned(np.cos(k * rate), np.sin(k * rate))
    return M


SHIFT_MATRIX = Exercise(
    name="shift_matrix",
    reference=reference.shift_matrix,
    cases=_shift_cases,
    mistakes=(
        Mistake(
            "turned the other way",
            "The block acts on (sine, cosine), with the sine first. Try it on position 0: from (0, 1) it must lead to (sin a, cos a).",
            _blocks(lambda c, s: np.array([[c, -s], [s, c]])),
        ),
        Mistake(
            "lost the minus sign",
            "Of the two addition theorems, that of the cosine has a minus in it.",
            _blocks(lambda c, s: np.array([[c, s], [s, c]])),
        ),
        Mistake(
            "sine and cosine changed places in the block",
            "For offset 0 nothing moves: the block must be the identity, so the cosines (1) are on the diagonal.",
            _blocks(lambda c, s: np.array([[s, c], [-c, s]])),
        ),
        Mistake(
            "multiplied a column (cosine, sine) instead of (sine, cosine)",
            "The block meets the pair as it stands in the table, the sine on top: the first entry of each row goes with sin x, the second with cos x.",
            _blocks(lambda c, s: np.array([[s, c], [c, -s]])),
        ),
        Mistake(
            "kept the diagonal only",
            "sin(x + a) needs both sin x and cos x: each block has four entries.",
            _blocks(lambda c, s: np.array([[c, 0], [0, c]])),
        ),
        Mistake(
            "arranged it for all sines first, then all cosines",
            "Sine and cosine of one clock are neighbours: the block of pair i is in rows and columns 2i and 2i+1.",
            _blocks(place=lambda i, d: [i, i + d // 2]),
        ),
        Mistake(
            "let the blocks overlap: block i in the rows and columns i and i+1",
            "Each clock has two rows and columns of its own: the block of pair i begins at row and column 2i.",
            _overlapping_blocks,
        ),
        Mistake(
            "turned the first clock only",
            "Each pair turns by an angle of its own: the slow ones turn too, if only a little.",
            _blocks(rates=lambda d: _rates(d) * (_pairs(d) == 0)),
        ),
        Mistake(
            "one angle everywhere",
            "Each pair turns by an angle of its own: offset times its frequency.",
            _blocks(rates=lambda d: np.ones(len(_pairs(d)))),
        ),
        Mistake("left the offset out", "The angle is offset · ω_i.", _blocks(offset=lambda k: 1)),
        Mistake(
            "took the offset without its sign",
            "Going back is turning back: a negative offset gives a negative angle.",
            _blocks(offset=abs),
        ),
        Mistake(
            "took i/d as the exponent, not 2i/d",
            "The angles are offset times `frequencies(d_model)`.",
            _blocks(rates=lambda d: 10000.0 ** (-_pairs(d) / d)),
        ),
        Mistake(
            "doubled twice: the exponent is 4i/d",
            "The angles are offset times `frequencies(d_model)`.",
            _blocks(rates=lambda d: 10000.0 ** (-4 * _pairs(d) / d)),
        ),
        Mistake(
            "multiplied instead of dividing: offset · 10000^(2i/d)",
            "The angles are offset times `frequencies(d_model)`.",
            _blocks(rates=lambda d: 10000.0 ** (2 * _pairs(d) / d)),
        ),
        Mistake(
            "counted the pairs from 1",
            "The first pair is i = 0: it turns by the offset itself.",
            _blocks(rates=lambda d: 10000.0 ** (-2 * (_pairs(d) + 1) / d)),
        ),
        Mistake(
            "took degrees for radians",
            "`np.sin` and `np.cos` take radians: offset · ω_i as it is.",
            _blocks(rates=lambda d: np.deg2rad(_rates(d))),
        ),
        Mistake(
            "moved the entries of the vector, not the position",
            "Nothing slides along the vector. Each pair turns in its own place.",
            _shift_rows,
        ),
        Mistake(
            "returned the blocks, not one matrix",
            "Put the 2 × 2 blocks along the diagonal of a matrix of zeros, (d_model, d_model).",
            lambda k, d_model: np.stack([_turned(np.cos(k * rate), np.sin(k * rate)) for rate in _rates(d_model)]),
        ),
        Mistake(
            "let an odd d_model through",
            "An odd width leaves a sine without its cosine: say so with a `ValueError`.",
            lambda k, d_model: _blocks(rates=lambda d: 10000.0 ** (-2 * np.arange(d // 2) / d))(k, d_model),
        ),
    ),
    hints=(
        "Start with one pair: which 2 × 2 matrix takes (sin x, cos x) to (sin(x + a), cos(x + a))? Read its rows off the addition theorems.",
        "The whole matrix is zero but for these blocks along its diagonal, one for each pair, with a = offset · ω_i.",
    ),
)


EXERCISES = (PERMUTATION_GAP, ENCODING_BY_HAND, FREQUENCIES, SINUSOIDAL_ENCODING, ADD_POSITIONS, SHIFT_MATRIX)
