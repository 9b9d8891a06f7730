"""Unit 2: cases, mistakes and hints of the softmax, scaling and attention exercises."""

from __future__ import annotations

import math

import numpy as np

from helpers.exercise import Case, Exercise, Mistake, Relation
from helpers.reference import u2_softmax_scaling as reference
from helpers.reference.u1_dot_products import attention_scores


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def _last_two(X):
    return np.swapaxes(X, -1, -2)


def _floats(function):
    """A wrong answer that first turns all its arguments into float arrays, as NumPy code does by itself."""
    return lambda *arrays: function(*(np.array(a, dtype=float) for a in arrays))


# --- softmax ---------------------------------------------------------------------------------------------


def _whole(rng, *shape):
    """Small whole numbers: added to 1e4 they are exact in float32 as well."""
    return rng.integers(-3, 4, size=shape).astype(float)


def _softmax_cases(rng):
    hidden = _normal(rng, 3, 5)
    hidden[0, rng.integers(5)] = hidden[2, 1:4] = -np.inf
    nothing = np.array([[1e4], [-1e4], [0]]) + _whole(rng, 3, 4)
    nothing[2] = -np.inf
    return [
        Case("values", (_normal(rng, 4),), note="4 scores"),
        Case("values", (_normal(rng, 2, 5),), note="2 rows of 5 scores"),
        Case("values", (_normal(rng, 3, 3),), note="3 rows of 3 scores: square"),
        Case("other axes", (_normal(rng, 3, 4),), {"axis": 0}, note="3 rows of 4 scores, axis=0"),
        Case("other axes", (_normal(rng, 3, 3),), {"axis": 0}, note="square, axis=0"),
        Case("other axes", (_normal(rng, 2, 3, 4),), note="shape (2, 3, 4), the last axis"),
        Case("other axes", (_normal(rng, 2, 3, 4),), {"axis": 1}, note="shape (2, 3, 4), axis=1"),
        Case("other axes", (_normal(rng, 2, 3, 4), -3), note="shape (2, 3, 4), axis=-3"),
        Case(
            "large scores",
            (np.array([[1e4], [-1e4], [0]]) + _whole(rng, 3, 4),),
            note="rows around 10000, -10000 and 0",
        ),
        Case("large scores", (np.array([1e4, -1e4, 0, 1e4 - 1]),), note="one row with 10000 and -10000 in it"),
        Case(
            "large scores",
            (np.array([[1e4, -1e4]]) + _whole(rng, 4, 2),),
            {"axis": 0},
            note="columns around 10000 and -10000, axis=0",
        ),
        Case("hidden entries", (hidden,), note="some entries are -inf"),
        Case("nothing to choose", (nothing,), note="rows around 10000 and -10000, and one that is -inf throughout"),
        Case("nothing to choose", (np.full((2, 3), -np.inf),), note="-inf everywhere"),
        Case("integers", (rng.integers(-2, 3, size=(2, 4)),), note="whole numbers in"),
    ]


def _softmax(by):
    def wrong(x, axis=-1):
        return by(np.array(x, dtype=float), axis)

    return wrong


def _raised(x, axis):
    largest = x.max(axis=axis, keepdims=True)
    return np.exp(x - np.where(np.isfinite(largest), largest, 0))


def _share(e, axis):
    return e / e.sum(axis=axis, keepdims=True)


def _guarded(e, axis):
    total = e.sum(axis=axis, keepdims=True)
    return e / np.where(total == 0, 1, total)


def _forgot_keepdims(x, axis):
    e = _raised(x, axis)
    total = e.sum(axis=axis)
    return e / np.where(total == 0, 1, total)


def _maximum_of_last_axis(x, axis):
    largest = x.max(axis=-1, keepdims=True)
    return _guarded(np.exp(x - np.where(np.isfinite(largest), largest, 0)), axis)


def _log_softmax(x, axis):
    e = _raised(x, axis)
    largest = x.max(axis=axis, keepdims=True)
    return x - np.where(np.isfinite(largest), largest, 0) - np.log(e.sum(axis=axis, keepdims=True))


def _into_integers(x, axis=-1):
    x = np.asarray(x)
    return reference.softmax(x, axis).astype(x.dtype)


SOFTMAX = Exercise(
    name="softmax",
    reference=reference.softmax,
    cases=_softmax_cases,
    mistakes=(
        Mistake(
            "subtracted no maximum: exp overflows",
            "`np.exp(10000.)` is inf. Softmax does not change when every score is made smaller by the same number: which number makes the largest one harmless?",
            _softmax(lambda x, axis: _share(np.exp(x), axis)),
        ),
        Mistake(
            "subtracted no maximum and turned the NaN into 0",
            "Large scores overflow, and `nan_to_num` hides it: the largest score of all gets weight 0. Make the largest score harmless first.",
            _softmax(lambda x, axis: np.nan_to_num(_share(np.exp(x), axis))),
        ),
        Mistake(
            "subtracted one maximum for the whole array",
            "A row whose scores lie far below the largest of all then has only exp(-20000) = 0 in it. Each row needs the maximum of its own.",
            _softmax(lambda x, axis: _share(np.exp(x - x.max()), axis)),
        ),
        Mistake(
            "subtracted one maximum for the whole array, and so far rows are all zeros",
            "A row whose scores lie far below the largest of all then has only exp(-20000) = 0 in it. Each row needs the maximum of its own.",
            _softmax(lambda x, axis: _guarded(np.exp(x - (x.max() if np.isfinite(x.max()) else 0)), axis)),
        ),
        Mistake(
            "took the maximum over the last axis, whatever the axis",
            "The sum follows `axis`; the maximum has to follow it as well, or you subtract different numbers from scores that compete.",
            _softmax(_maximum_of_last_axis),
        ),
        Mistake(
            "ignored the axis argument: always the last axis",
            "`axis` says along which direction the weights sum to 1. Hand it on to the maximum and to the sum.",
            _softmax(lambda x, axis: reference.softmax(x, -1)),
        ),
        Mistake(
            "took the first axis instead of the given one",
            "With axis=-1 each row sums to 1. Yours sum to 1 along the first axis: over the queries, or over the batch.",
            _softmax(lambda x, axis: reference.softmax(x, 0)),
        ),
        Mistake(
            "took the axis before the last one: over the queries",
            "With axis=-1 each row sums to 1, so that a query shares out its attention. Yours sums to 1 down the columns.",
            _softmax(lambda x, axis: reference.softmax(x, -2 if x.ndim > 1 and axis == -1 else axis)),
        ),
        Mistake(
            "shared out over the whole array",
            "Every row is a distribution of its own: sum along one axis only, and keep that axis so that the division fits.",
            _softmax(lambda x, axis: reference.softmax(x.ravel()).reshape(x.shape)),
        ),
        Mistake(
            "forgot keepdims: each row is divided by another row's sum",
            "`e.sum(axis)` has one axis less, and NumPy lines it up with the wrong one. `keepdims=True` leaves a 1 in its place.",
            _softmax(_forgot_keepdims),
        ),
        Mistake(
            "a row of nothing but -inf gives NaN",
            "There the maximum is -inf, and -inf minus -inf is NaN. Subtract 0 in such a row, and divide by 1 where the sum is 0.",
            _softmax(lambda x, axis: _share(np.exp(x - x.max(axis=axis, keepdims=True)), axis)),
        ),
        Mistake(
            "a row of nothing but -inf gives equal weights",
            "Nobody is there to attend to, so the answer is zeros: equal weights would mix in exactly the values that were ruled out.",
            _softmax(lambda x, axis: reference.softmax(np.where(np.isneginf(x), -1e9, x), axis)),
        ),
        Mistake(
            "treated -inf as the score 0",
            "A score of 0 is still exp(0) = 1. An entry of -inf has weight exactly 0, and exp(-inf) gives that by itself.",
            _softmax(lambda x, axis: reference.softmax(np.where(np.isneginf(x), 0, x), axis)),
        ),
        Mistake(
            "clipped large scores",
            "Clipping makes 10000 and 9999 equal. Subtract the maximum instead: it keeps every difference.",
            _softmax(lambda x, axis: _share(np.exp(np.clip(x, -50, 50)), axis)),
        ),
        Mistake(
            "divided the scores by their sum, without exp",
            "Scores may be negative and weights may not: exp makes them positive first.",
            _softmax(lambda x, axis: x / x.sum(axis=axis, keepdims=True)),
        ),
        Mistake(
            "returned exp without dividing",
            "The weights have to sum to 1: divide by the sum of the exponentials.",
            _softmax(_raised),
        ),
        Mistake(
            "divided by the largest instead of the sum",
            "Then the largest weight is 1, not the sum. Divide by the sum of the exponentials.",
            _softmax(lambda x, axis: _raised(x, axis) / _raised(x, axis).max(axis=axis, keepdims=True)),
        ),
        Mistake(
            "returned the logarithm of the softmax",
            "The weights are asked, which sum to 1. The logarithm comes with the loss, in unit 6.",
            _softmax(_log_softmax),
        ),
        Mistake(
            "wrote the weights into an array of whole numbers",
            "`np.zeros_like(x)` has the type of x, and an integer array rounds every weight below 1 to 0. Start from `x.astype(float)`.",
            _into_integers,
        ),
    ),
    forbidden=(
        "scipy.special.softmax",
        "scipy.special.log_softmax",
        "torch.softmax",
        "torch.log_softmax",
        "torch.softmin",
    ),
    hints=(
        "Three steps along the axis: take off the maximum, exp, divide by the sum.",
        "`keepdims=True` in the maximum and the sum makes the shapes fit for every axis.",
    ),
)


# --- weighted_sum ----------------------------------------------------------------------------------------


def _weights(rng, *shape):
    return rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])


def _weighted_sum_cases(rng):
    empty_row = _weights(rng, 3, 4)
    empty_row[1] = 0
    return [
        Case("values", (_weights(rng, 2, 4), _normal(rng, 4, 3)), note="2 queries, 4 values of width 3"),
        Case("values", (_weights(rng, 3, 3), _normal(rng, 3, 3)), note="everything square"),
        Case("values", (_weights(rng, 3, 3), _normal(rng, 3, 3)), note="everything square, once more"),
        Case("zero rows", (empty_row, _normal(rng, 4, 2)), note="the second of 3 queries has no weight at all"),
        Case("integers", (rng.integers(1, 4, size=(2, 3)), rng.integers(-4, 5, size=(3, 2))), note="whole numbers in"),
        Case("batch axes", (_weights(rng, 2, 3, 4), _normal(rng, 2, 4, 5)), note="2 sentences at once"),
        Case("batch axes", (_weights(rng, 2, 3, 2, 4), _normal(rng, 2, 3, 4, 3)), note="2 × 3 sentences at once"),
        Case(
            "bad arguments",
            (_weights(rng, 2, 4), _normal(rng, 3, 5)),
            raises="ValueError",
            note="4 weights for 3 values",
        ),
    ]


def _strongest(weights, V):
    return np.take_along_axis(V, np.argmax(weights, axis=-1)[..., None], axis=-2)


WEIGHTED_SUM = Exercise(
    name="weighted_sum",
    reference=reference.weighted_sum,
    cases=_weighted_sum_cases,
    mistakes=(
        Mistake(
            "transposed the weights",
            "Row i of the weights belongs to query i, and each query mixes the values with its own row.",
            _floats(lambda weights, V: _last_two(weights) @ V),
        ),
        Mistake(
            "transposed the values",
            "The values are rows already: (n_q, n_k) meets (n_k, d_v) as they stand.",
            _floats(lambda weights, V: weights @ _last_two(V)),
        ),
        Mistake(
            "put the values first: V @ weights",
            "The axis that vanishes is n_k: the last one of the weights, the first one of V. So the weights come first.",
            _floats(lambda weights, V: V @ weights),
        ),
        Mistake(
            "multiplied entry by entry",
            "`*` adds nothing up. A mixture multiplies each value by its weight and adds the values: `@` does both.",
            _floats(lambda weights, V: weights * V),
        ),
        Mistake(
            "divided by the number of values",
            "The weights of a row already sum to 1; dividing by n_k once more makes the mixture too small.",
            _floats(lambda weights, V: weights @ V / V.shape[-2]),
        ),
        Mistake(
            "took the mean of the values, whatever the weights",
            "Every query would get the same vector. Its row of weights says how much of each value it takes.",
            _floats(lambda weights, V: np.repeat(V.mean(axis=-2, keepdims=True), weights.shape[-2], axis=-2)),
        ),
        Mistake(
            "took only the value with the largest weight",
            "Attention is a soft choice: the others come in too, each by its weight.",
            _floats(_strongest),
        ),
        Mistake(
            "took the softmax of the weights",
            "They are weights already. A second softmax flattens them.",
            _floats(lambda weights, V: reference.softmax(weights) @ V),
        ),
        Mistake(
            "divided the weights by their sum again",
            "The softmax has seen to the sum. A row without any weight would become 0/0 here; it should give zeros.",
            _floats(lambda weights, V: weights / weights.sum(axis=-1, keepdims=True) @ V),
        ),
        Mistake(
            "mixed the sentences of the batch",
            "Each sentence keeps to its own values: the batch axes stay in front and `@` works on the last two.",
            _floats(lambda weights, V: np.tensordot(weights, V, axes=(-1, -2))),
        ),
    ),
    hints=(
        "For one query: multiply each value by its weight, then add the values up.",
        "All queries at once are one matrix product.",
    ),
)


# --- score_variance --------------------------------------------------------------------------------------

_PAIRS, _WIDTH, _REPEATS = 20, 36, 40
# Enough pairs that their own scatter is small beside that of one vector's length.
_MANY, _NARROW, _OFTEN = 200, 6, 24


def _variance_cases(rng):
    def seed():
        return int(rng.integers(1, 100_000))

    one, other = seed(), seed() + 100_000
    return [
        *(Case("values", (d_k, 1000, seed()), note=f"d_k = {d_k}, 1000 pairs") for d_k in (25, 49)),
        Case("seed", (8, 50, one), label="first", note="two calls with one seed, one with another"),
        Case("seed", (8, 50, other), label="other"),
        Case("seed", (8, 50, one), label="again"),
        Case("number of pairs", (8, 50, one), label="50", note="the same seed with 50 and with 51 pairs"),
        Case("number of pairs", (8, 51, one), label="51"),
        *(
            Case(
                "scatter",
                (_WIDTH, _PAIRS, one + 1 + i),
                label=str(i),
                note=f"{_REPEATS} seeds, d_k = {_WIDTH}, {_PAIRS} pairs each",
            )
            for i in range(_REPEATS)
        ),
        *(
            Case(
                "separate pairs",
                (_NARROW, _MANY, one + 50 + i),
                label=str(i),
                note=f"{_OFTEN} seeds, d_k = {_NARROW}, {_MANY} pairs each",
            )
            for i in range(_OFTEN)
        ),
    ]


def _level(value, d_k, n_pairs):
    """What a number of about this size is likely to be, in words."""
    known = {
        "d_k": d_k, "2 d_k": 2 * d_k, "√d_k": math.sqrt(d_k), "1": 1, "0.05 d_k": 7 / 144 * d_k, "1/d_k": 1 / d_k, "n_pairs": n_pairs, "d_k²": d_k**2,
    }  # fmt: skip
    if value > 0:
        name = min(known, key=lambda k: abs(math.log(known[k] / value)))
        if abs(math.log(known[name] / value)) < 0.2:
            return name
    return "0" if abs(value) < 0.04 * d_k else f"{value:.2g}"


def _not_a_number(value):
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.ndarray))
        or np.ndim(value)
        or np.asarray(value).dtype.kind not in "iuf"
    ):
        shape = (
            f"an array of shape {value.shape}"
            if isinstance(value, np.ndarray) and value.ndim
            else f"a {type(value).__name__}"
        )
        return (
            "the result is None: is there a return at the end?"
            if value is None
            else f"the result is {shape}; one number is asked, the variance over all pairs"
        )
    return None if np.isfinite(value) else "the result is not a finite number"


def _is_number(case, value, expected):
    return _not_a_number(value)


def _near_width(case, value, expected):
    d_k, n_pairs, _ = case.args
    # Six standard deviations of a measured variance: a right answer practically never fails.
    allowed = 6 * math.sqrt((2 + 6 / d_k) / n_pairs)
    if _not_a_number(value):
        return _not_a_number(value)
    if abs(value - d_k) <= allowed * d_k:
        return None
    return f"for d_k = {d_k} and {n_pairs} pairs your number is around {_level(float(value), d_k, n_pairs)}, too far from the variance of q·k"


def _same_seed_same_number(values):
    if not np.isclose(values["first"], values["again"], rtol=1e-9, atol=0):
        return "two calls with the same seed give two different numbers"
    if values["first"] == values["other"] == 8:
        return "two seeds give exactly d_k: nothing is measured"
    if np.isclose(values["first"], values["other"], rtol=1e-9, atol=0):
        return "another seed gives the same number again"
    return None


def _pairs_count(values):
    if values["50"] == values["51"] == 8:
        return "50 pairs and 51 pairs give exactly d_k: nothing is measured"
    if np.isclose(values["50"], values["51"], rtol=1e-9, atol=0):
        return "50 pairs and 51 pairs give the same number: n_pairs makes no difference"
    return None


def _scatter(values):
    """Averages over the seeds lie near d_k, and they scatter as 20 pairs do: neither constant nor from 20 × 20 scores."""
    numbers = np.array([float(v) for v in values.values()])
    usual = math.sqrt((2 + 6 / _WIDTH) / _PAIRS)
    ratio = numbers.std() / max(abs(numbers.mean()), 1e-12) / usual
    little = ratio < 0.5
    if abs(numbers.mean() / _WIDTH - 1) > 0.35:
        level = _level(numbers.mean(), _WIDTH, _PAIRS)
        return f"averaged over {_REPEATS} seeds your number is around {level}, not d_k" + (
            ", with far less scatter than so few pairs have" if little else ""
        )
    if ratio < 0.2:
        return "from seed to seed your number hardly changes, as if it came from far more pairs"
    if little:
        return "from seed to seed your number changes less than that of n_pairs pairs: it comes from more scores"
    return None


def _separate(values):
    """The scatter is not far above that of pairs which share nothing; one vector for all pairs brings that of its length."""
    numbers = np.array([float(v) for v in values.values()]) / _NARROW
    usual = math.sqrt((2 + 6 / _NARROW) / _MANY)
    if abs(numbers.mean() - 1) < 0.5 and numbers.std() > 2 * usual:
        return "from seed to seed your number changes far more than that of n_pairs separate pairs: the pairs share a vector"
    return None


def _pairs(d_k, n_pairs, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_pairs, d_k)), rng.normal(size=(n_pairs, d_k))


def _measured(by):
    return lambda d_k, n_pairs, seed: float(by(*_pairs(d_k, n_pairs, seed)))


def _dots(q, k):
    return (q * k).sum(axis=-1)


def _same_twice(d_k, n_pairs, seed):
    q, _ = _pairs(d_k, n_pairs, seed)
    return float(np.var(_dots(q, q)))


def _fresh(d_k, n_pairs, seed):
    return reference.score_variance(d_k, n_pairs, int(np.random.SeedSequence().entropy % 2**32))


def _uniform(d_k, n_pairs, seed):
    rng = np.random.default_rng(seed)
    return float(np.var(_dots(rng.random((n_pairs, d_k)), rng.random((n_pairs, d_k)))))


def _one_query(d_k, n_pairs, seed):
    rng = np.random.default_rng(seed)
    return float(np.var(_dots(rng.normal(size=d_k), rng.normal(size=(n_pairs, d_k)))))


def _unit(X):
    return X / np.linalg.norm(X, axis=-1, keepdims=True)


SCORE_VARIANCE = Exercise(
    name="score_variance",
    reference=reference.score_variance,
    cases=_variance_cases,
    compare={
        "values": _near_width,
        "seed": _is_number,
        "number of pairs": _is_number,
        "scatter": _is_number,
        "separate pairs": _is_number,
    },
    relations=(
        Relation("seed", _same_seed_same_number),
        Relation("number of pairs", _pairs_count),
        Relation("scatter", _scatter),
        Relation("separate pairs", _separate),
    ),
    mistakes=(
        Mistake(
            "drew q and k from the same seed, so that they are the same vectors",
            "Two generators with one seed give the same numbers twice, and q·q is a length. Make one generator and draw from it twice.",
            _same_twice,
        ),
        Mistake(
            "left the seed out: every call gives another number",
            "`np.random.default_rng()` begins somewhere new each time. Give it the seed, inside the function.",
            _fresh,
        ),
        Mistake(
            "used a fixed seed instead of the argument",
            "Whoever calls the function chooses the seed: `np.random.default_rng(seed)`.",
            lambda d_k, n_pairs, seed: reference.score_variance(d_k, n_pairs, 0),
        ),
        Mistake(
            "used a fixed number of pairs",
            "`n_pairs` says how many pairs are drawn; more pairs make the measurement sharper.",
            lambda d_k, n_pairs, seed: reference.score_variance(d_k, 500, seed),
        ),
        Mistake(
            "returned d_k without measuring anything",
            "d_k is what theory expects. Draw the pairs and see whether it is true: a measurement is never exactly right.",
            lambda d_k, n_pairs, seed: float(d_k),
        ),
        Mistake(
            "returned the standard deviation",
            "The standard deviation is the root of the variance. Here the variance is asked: `np.var`.",
            _measured(lambda q, k: _dots(q, k).std()),
        ),
        Mistake(
            "returned the mean",
            "The mean of q·k is 0 at every width. How far the numbers lie around it is the variance: `np.var`.",
            _measured(lambda q, k: _dots(q, k).mean()),
        ),
        Mistake(
            "took the variance of single products, not of their sums",
            "q·k is one number for each pair: add the products of a pair up first, along d_k, and take the variance of the n_pairs sums.",
            _measured(lambda q, k: np.var(q * k)),
        ),
        Mistake(
            "added up over the pairs instead of the width",
            "The dot product adds along the d_k entries of one pair: the last axis of a (n_pairs, d_k) array.",
            _measured(lambda q, k: np.var((q * k).sum(axis=0))),
        ),
        Mistake(
            "measured scores that are scaled already",
            "That is where the unit is going. First measure the plain q·k, to see why it needs a scale.",
            _measured(lambda q, k: np.var(_dots(q, k) / np.sqrt(q.shape[-1]))),
        ),
        Mistake(
            "drew uniform numbers between 0 and 1",
            "`rng.random` is uniform. Mean 0 and variance 1 come from `rng.normal`.",
            _uniform,
        ),
        Mistake(
            "made every vector one unit long",
            "Unit-normal means that each entry has mean 0 and variance 1, not that the vector has length 1.",
            _measured(lambda q, k: np.var(_dots(_unit(q), _unit(k)))),
        ),
        Mistake(
            "drew one query for all pairs",
            "A pair is one query with one key, both drawn afresh: two arrays of shape (n_pairs, d_k).",
            _one_query,
        ),
        Mistake(
            "took every query against every key",
            "`q @ k.T` has n_pairs² scores that share their vectors. A pair is one q with one k: n_pairs numbers.",
            # A hundred of each show the same, and 1000 × 1000 scores would make the check slow.
            _measured(lambda q, k: np.var(q[:100] @ k[:100].T)),
        ),
    ),
    hints=(
        "Draw two arrays of shape (n_pairs, d_k) from one generator with that seed.",
        "n_pairs dot products: multiply entry by entry, add along the last axis; then `np.var`, and `float(...)`.",
    ),
)


# --- scale_scores ----------------------------------------------------------------------------------------


def _scale_cases(rng):
    return [
        Case("values", (_normal(rng, 3, 5) * 4, 16), note="3 queries, 5 keys, d_k = 16"),
        Case("values", (_normal(rng, 4, 2) * 3, 7), note="4 queries, 2 keys, d_k = 7"),
        Case("values", (_normal(rng, 2, 3) * 20, 512), note="2 queries, 3 keys, d_k = 512"),
        Case("integers", (rng.integers(-9, 10, size=(2, 4)), 10), note="whole numbers in"),
    ]


def _scaled_by(factor):
    return lambda scores, d_k: np.array(scores, dtype=float) * factor(np.shape(scores), d_k)


SCALE_SCORES = Exercise(
    name="scale_scores",
    reference=reference.scale_scores,
    cases=_scale_cases,
    mistakes=(
        Mistake(
            "did not scale",
            "The scores come back as they were. Their spread is √d_k times too large.",
            _scaled_by(lambda shape, d_k: 1),
        ),
        Mistake(
            "divided by d_k, not by √d_k",
            "d_k is the variance of the scores. What is the size of a typical score then?",
            _scaled_by(lambda shape, d_k: 1 / d_k),
        ),
        Mistake(
            "multiplied by √d_k",
            "The scores are too large as they are: they have to shrink.",
            _scaled_by(lambda shape, d_k: math.sqrt(d_k)),
        ),
        Mistake(
            "divided by a constant 8",
            "8 is the root of 64, the width that the paper happens to use. Here d_k is an argument.",
            _scaled_by(lambda shape, d_k: 1 / 8),
        ),
        Mistake(
            "divided by √n_k, the root of the number of keys",
            "A dot product adds d_k products, however many keys there are. The width counts.",
            _scaled_by(lambda shape, d_k: 1 / math.sqrt(shape[-1])),
        ),
        Mistake(
            "divided by √n_q, the root of the number of queries",
            "A dot product adds d_k products, however many queries there are. The width counts.",
            _scaled_by(lambda shape, d_k: 1 / math.sqrt(shape[-2])),
        ),
        Mistake(
            "wrote d_k ** 1/2, which is d_k divided by 2",
            "`**` binds more tightly than `/`. Write `d_k ** 0.5`, or `np.sqrt(d_k)`.",
            _scaled_by(lambda shape, d_k: 2 / d_k),
        ),
        Mistake(
            "wrote scores / d_k ** 1/2, which divides by d_k and then by 2",
            "`**` binds more tightly than `/`. Write `d_k ** 0.5`, or `np.sqrt(d_k)`.",
            _scaled_by(lambda shape, d_k: 1 / d_k / 2),
        ),
        Mistake(
            "rounded √d_k to a whole number",
            "√7 is 2.6458. `int`, `//` and `math.isqrt` cut it off.",
            _scaled_by(lambda shape, d_k: 1 / math.isqrt(d_k)),
        ),
        Mistake(
            "cut the scaled scores off to whole numbers",
            "`//` throws the digits after the point away: use `/`.",
            lambda scores, d_k: np.array(scores, dtype=float) // math.sqrt(d_k),
        ),
        Mistake(
            "divided by the spread that these scores happen to have",
            "That makes a score depend on all the others. The expected spread follows from d_k alone.",
            lambda scores, d_k: np.array(scores, dtype=float) / np.std(scores),
        ),
        Mistake(
            "took the softmax already",
            "Here the scores are scaled and nothing else; the softmax comes after.",
            lambda scores, d_k: reference.softmax(np.array(scores, dtype=float) / math.sqrt(d_k)),
        ),
    ),
    hints=(
        "The variance of q·k is d_k. Dividing numbers by c divides their variance by c².",
        "Which c makes d_k / c² equal to 1? It is the same number for every score, and d_k alone decides it.",
    ),
)


# --- softmax_jacobian ------------------------------------------------------------------------------------


def _jacobian_cases(rng):
    certain = np.zeros(4)
    certain[rng.integers(4)] = 1
    with_zero = _weights(rng, 4)
    with_zero[1] = 0
    return [
        Case("values", (_weights(rng, 4),), note="4 weights"),
        Case("values", (_weights(rng, 2),), note="2 weights"),
        Case("values", (np.full(3, 1 / 3),), note="3 equal weights"),
        Case("zero weights", (certain,), note="one weight is 1, the others 0"),
        Case("zero weights", (with_zero / with_zero.sum(),), note="one of 4 weights is 0"),
        Case("batch axes", (_weights(rng, 2, 4),), note="2 rows of 4 weights"),
        Case("batch axes", (_weights(rng, 3, 3),), note="3 rows of 3 weights: square"),
        Case("batch axes", (_weights(rng, 2, 3, 4),), note="2 × 3 rows of 4 weights"),
    ]


def _outer(p):
    return p[..., :, None] * p[..., None, :]


def _diagonal(p):
    return p[..., :, None] * np.eye(p.shape[-1])


SOFTMAX_JACOBIAN = Exercise(
    name="softmax_jacobian",
    reference=reference.softmax_jacobian,
    cases=_jacobian_cases,
    mistakes=(
        Mistake(
            "returned only the diagonal, p (1 - p)",
            "Every score moves every weight, since they share a sum: n × n numbers, those off the diagonal are not zero.",
            _floats(lambda p: p * (1 - p)),
        ),
        Mistake(
            "left the numbers off the diagonal at 0",
            "Raising one score takes weight from all the others: off the diagonal stands -p_i p_j.",
            _floats(lambda p: _diagonal(p * (1 - p))),
        ),
        Mistake(
            "gave the numbers off the diagonal the wrong sign",
            "If one score rises, the other weights must fall: off the diagonal the numbers are negative, and each row sums to 0.",
            _floats(lambda p: _diagonal(p) + _outer(p) - 2 * _diagonal(p * p)),
        ),
        Mistake(
            "added p pᵀ instead of subtracting it",
            "It is the diagonal of p *minus* all products p_i p_j: check that every row sums to 0.",
            _floats(lambda p: _diagonal(p) + _outer(p)),
        ),
        Mistake(
            "got the sign of everything turned around",
            "Raising a score raises its own weight: the diagonal is positive.",
            _floats(lambda p: _outer(p) - _diagonal(p)),
        ),
        Mistake(
            "forgot the diagonal: -p pᵀ",
            "A score moves its own weight through the numerator as well. That adds p_i on the diagonal.",
            _floats(lambda p: -_outer(p)),
        ),
        Mistake(
            "used the identity instead of diag(p)",
            "On the diagonal p_i (1 - p_i) has to come out, not 1 - p_i².",
            _floats(lambda p: np.eye(p.shape[-1]) - _outer(p)),
        ),
        Mistake(
            "forgot the δ: p_i (1 - p_j) everywhere",
            "The 1 is there only for i = j: raising a score lifts its own weight and lowers the others.",
            _floats(lambda p: p[..., :, None] * (1 - p[..., None, :])),
        ),
        Mistake(
            "forgot the factor p_i: δ_ij - p_j",
            "That is the derivative of log p_i. Those of p_i itself are p_i times as large.",
            _floats(lambda p: np.eye(p.shape[-1]) - p[..., None, :]),
        ),
        Mistake(
            "took the softmax of p",
            "p is the softmax already: the formula needs p alone, not the scores.",
            _floats(lambda p: reference.softmax_jacobian(reference.softmax(p))),
        ),
        Mistake(
            "mixed the rows of the batch",
            "`np.outer` and `np.diag` know nothing of batch axes. Use `p[..., :, None]` and `p[..., None, :]`, or go row by row.",
            _floats(lambda p: np.diag(p.ravel()) - np.outer(p, p)),
        ),
        Mistake(
            "wrote p @ p.T, which is one number for a single row",
            "A row without a second axis has no column: `p.T` is p again, and `@` adds everything up. Make the column first: `p[:, None]`.",
            _floats(lambda p: np.diag(p) - p @ p.T),
        ),
        Mistake(
            "added the rows of the batch up",
            "`p.T @ p` adds over the rows. Each row has a matrix of its own: `p[..., :, None] * p[..., None, :]`.",
            _floats(lambda p: _diagonal(p) - (p.reshape(-1, p.shape[-1]).T @ p.reshape(-1, p.shape[-1]))),
        ),
    ),
    hints=(
        "For one row: p_i on the diagonal, and from every entry take p_i p_j away.",
        "With batch axes: `p[..., :, None] * p[..., None, :]` makes all products of each row.",
    ),
)


# --- scaled_dot_product_attention ------------------------------------------------------------------------


def _steep(rng, n_q, n_k, d_v):
    """Queries, keys, values with scaled scores around 10000 in some rows and around -10000 in others, exact in float32."""
    Q, K = _whole(rng, n_q, 4), _whole(rng, n_k, 4)
    Q[:, 0] = np.where(np.arange(n_q) % 2 == 0, 200, -200)
    K[:, 0] = 100
    return Q, K, _normal(rng, n_k, d_v)


def _attention_cases(rng):
    return [
        Case(
            "values",
            (_normal(rng, 2, 3), _normal(rng, 4, 3), _normal(rng, 4, 5)),
            note="2 queries, 4 keys, d_k = 3, d_v = 5",
        ),
        Case(
            "values",
            (_normal(rng, 5, 6), _normal(rng, 2, 6), _normal(rng, 2, 3)),
            note="5 queries, 2 keys, d_k = 6, d_v = 3",
        ),
        Case(
            "values",
            (_normal(rng, 3, 3), _normal(rng, 3, 3), _normal(rng, 3, 3)),
            note="3 queries, 3 keys, d_k = d_v = 3: everything square",
        ),
        Case("values", (_normal(rng, 2, 16), _normal(rng, 5, 16), _normal(rng, 5, 1)), note="d_k = 16, d_v = 1"),
        Case("large scores", _steep(rng, 3, 4, 2), note="scores around 10000 and around -10000"),
        Case(
            "integers",
            (rng.integers(-2, 3, size=(2, 3)), rng.integers(-2, 3, size=(4, 3)), rng.integers(-5, 6, size=(4, 2))),
            note="whole numbers in",
        ),
        Case(
            "bad arguments",
            (_normal(rng, 2, 3), _normal(rng, 4, 5), _normal(rng, 4, 2)),
            raises="ValueError",
            note="queries of width 3, keys of width 5",
        ),
        Case(
            "bad arguments",
            (_normal(rng, 2, 3), _normal(rng, 4, 3), _normal(rng, 5, 2)),
            raises="ValueError",
            note="4 keys, 5 values",
        ),
    ]


def _attend(
    scale=lambda Q, K, V: 1 / math.sqrt(Q.shape[-1]),
    weigh=reference.softmax,
    order=lambda output, weights, scores: (output, weights),
    mix=lambda weights, Q, K, V: weights @ V,
):
    """Attention with one of its parts exchanged."""

    def wrong(Q, K, V):
        Q, K, V = (np.array(a, dtype=float) for a in (Q, K, V))
        scores = Q @ _last_two(K) * scale(Q, K, V)
        weights = weigh(scores)
        return order(mix(weights, Q, K, V), weights, scores)

    return wrong


_WRONG_SCALES = (
    (
        "did not scale",
        "Without a scale the scores of wide vectors are so far apart that one key takes everything. What was the spread of q·k?",
        lambda Q, K, V: 1,
    ),
    (
        "divided by d_k, not by √d_k",
        "That flattens the weights: the spread of the scores is √d_k; divide by that, and only once.",
        lambda Q, K, V: 1 / Q.shape[-1],
    ),
    (
        "divided by √d_v, the root of the width of the values",
        "The scores are made of queries and keys; the width of the values has no part in them.",
        lambda Q, K, V: 1 / math.sqrt(V.shape[-1]),
    ),
    (
        "multiplied by √d_k",
        "Large scores are the trouble, and this makes them larger still.",
        lambda Q, K, V: math.sqrt(Q.shape[-1]),
    ),
    (
        "divided by a constant 8",
        "8 is √64, the width that the paper happens to use. Read d_k from the shape of Q.",
        lambda Q, K, V: 1 / 8,
    ),
    (
        "divided by √n_k, the root of the number of keys",
        "A dot product adds d_k products, however many keys there are: the width counts, the last axis.",
        lambda Q, K, V: 1 / math.sqrt(K.shape[-2]),
    ),
    (
        "divided by √n_q, the root of the number of queries",
        "`len(Q)` and `Q.shape[0]` count the queries. The width is the last axis: `Q.shape[-1]`.",
        lambda Q, K, V: 1 / math.sqrt(Q.shape[-2]),
    ),
    (
        "wrote d_k ** 1/2, which is d_k divided by 2",
        "`**` binds more tightly than `/`. Write `d_k ** 0.5`, or `np.sqrt(d_k)`.",
        lambda Q, K, V: 2 / Q.shape[-1],
    ),
)


def _swapped_keys_and_values(Q, K, V):
    return _attend()(Q, V, K)


def _no_transpose(Q, K, V):
    Q, K, V = (np.array(a, dtype=float) for a in (Q, K, V))
    weights = reference.softmax(Q @ K / math.sqrt(Q.shape[-1]))
    return weights @ V, weights


def _keys_ask(Q, K, V):
    return _attend()(K, Q, V)


def _scaled_weights(Q, K, V):
    Q, K, V = (np.array(a, dtype=float) for a in (Q, K, V))
    weights = reference.softmax(Q @ K.T) / math.sqrt(Q.shape[-1])
    return weights @ V, weights


def _mixed_scores(Q, K, V):
    Q, K, V = (np.array(a, dtype=float) for a in (Q, K, V))
    scores = Q @ K.T / math.sqrt(Q.shape[-1])
    return scores @ V, reference.softmax(scores)


SCALED_DOT_PRODUCT_ATTENTION = Exercise(
    name="scaled_dot_product_attention",
    reference=reference.scaled_dot_product_attention,
    cases=_attention_cases,
    mistakes=(
        *(Mistake(name, hint, _attend(scale=scale)) for name, hint, scale in _WRONG_SCALES),
        Mistake(
            "took the softmax over the queries",
            "Each query shares out a whole 1 over the keys: every row of the weights sums to 1, so the softmax runs along the last axis.",
            _attend(weigh=lambda s: reference.softmax(s, axis=-2)),
        ),
        Mistake(
            "took the softmax over everything",
            "Each row of the weights sums to 1 by itself: one softmax for each query.",
            _attend(weigh=lambda s: reference.softmax(s.ravel()).reshape(s.shape)),
        ),
        Mistake(
            "subtracted no maximum: large scores overflow",
            "The softmax you wrote at the start of this unit can do this; call it, or take off the maximum of each row first.",
            _attend(weigh=lambda s: _share(np.exp(s), -1)),
        ),
        Mistake(
            "subtracted one maximum for all queries",
            "A query whose scores all lie far below the largest one is left with 0/0. Each row has a maximum of its own.",
            _attend(weigh=lambda s: _share(np.exp(s - s.max()), -1)),
        ),
        Mistake(
            "took the softmax twice",
            "The first softmax has made weights; a second one flattens them.",
            _attend(weigh=lambda s: reference.softmax(reference.softmax(s))),
        ),
        Mistake(
            "scaled the weights instead of the scores",
            "After the softmax it is too late: the weights no longer sum to 1. Scale first, then the softmax.",
            _scaled_weights,
        ),
        Mistake(
            "mixed the values with the scores, without a softmax",
            "Scores may be negative and sum to anything. Make weights of them before they meet V.",
            _attend(weigh=lambda s: s),
        ),
        Mistake(
            "mixed the values with the scores, though the weights are right",
            "The output needs the weights that you return: `weights @ V`.",
            _mixed_scores,
        ),
        Mistake(
            "returned the scores instead of the weights",
            "The output is right. The second result is what came out of the softmax, not what went in.",
            _attend(order=lambda output, weights, scores: (output, scores)),
        ),
        Mistake(
            "returned the weights first",
            "The order is output, weights: `return output, weights`.",
            _attend(order=lambda output, weights, scores: (weights, output)),
        ),
        Mistake(
            "returned the output alone",
            "Two results are asked: `return output, weights`. The weights are what we look at in the pictures.",
            _attend(order=lambda output, weights, scores: output),
        ),
        Mistake(
            "mixed the keys instead of the values",
            "Keys say where to look, values say what is fetched from there.",
            _attend(mix=lambda weights, Q, K, V: weights @ K),
        ),
        Mistake(
            "swapped keys and values",
            "The arguments come as Q, K, V: queries meet keys, and the weights mix the values.",
            _swapped_keys_and_values,
        ),
        Mistake(
            "forgot the transpose: Q @ K",
            "Queries meet keys row by row, so the keys must be put on their side; a square K hides it.",
            _no_transpose,
        ),
        Mistake(
            "let the keys ask: K @ Qᵀ",
            "Rows of the scores belong to the queries: Q on the left, K on its side on the right.",
            _keys_ask,
        ),
    ),
    forbidden=("torch.nn.functional.scaled_dot_product_attention", "torch.nn.functional.multi_head_attention_forward"),
    hints=(
        "Four lines, each of which you have written before: scores, scale, softmax, weighted sum.",
        "The width d_k is the last axis of Q: `Q.shape[-1]`.",
    ),
)


# --- local_attention -------------------------------------------------------------------------------------


def _near(n_q, n_k, window):
    return np.abs(np.arange(n_q)[:, None] - np.arange(n_k)[None, :]) <= window


def _local_cases(rng):
    def arrays(n_q, n_k, d_k, d_v):
        return _normal(rng, n_q, d_k), _normal(rng, n_k, d_k), _normal(rng, n_k, d_v)

    # One key that all would choose, neighbours around -50 and around -100000, queries behind the last key; exact in float32.
    Q, K = _whole(rng, 10, 4), _whole(rng, 7, 4)
    Q[:, 0] = 1
    K[:, 0] = [20_000, -100, -102, -104, -200_000, -200_002, -200_004]
    steep = (Q, K, _normal(rng, 7, 2))
    whole = tuple(rng.integers(-2, 3, size=shape) for shape in ((4, 3), (4, 3), (4, 2)))
    return [
        Case("values", (*arrays(6, 6, 3, 5), 1), note="6 tokens, window 1: a neighbour to each side"),
        Case("values", (*arrays(7, 7, 2, 3), 2), note="7 tokens, window 2"),
        Case("values", (*arrays(5, 5, 5, 5), 3), note="5 tokens of width 5, window 3"),
        Case("window 0", (*arrays(4, 4, 3, 2), 0), note="each token sees itself alone"),
        Case("wide window", (*arrays(3, 4, 6, 2), 10), note="the window is wider than the sentence"),
        Case("fewer queries than keys", (*arrays(2, 6, 3, 4), 1), note="2 queries, 6 keys, window 1"),
        Case(
            "rows that see nothing",
            (*arrays(6, 3, 2, 4), 1),
            note="6 queries, 3 keys, window 1: the last two queries see no key",
        ),
        Case(
            "large scores",
            (*steep, 1),
            note="10 queries, 7 keys, window 1: many near scores around -100000, a far one of 10000",
        ),
        Case("integers", (*whole, 1), note="whole numbers in"),
    ]


def _local(
    scale=lambda Q, K, V: 1 / math.sqrt(Q.shape[-1]),
    near=lambda n_q, n_k, window: _near(n_q, n_k, window),
    weigh=lambda scores, near: reference.softmax(np.where(near, scores, -np.inf)),
):
    """Local attention with one of its parts exchanged."""

    def wrong(Q, K, V, window):
        Q, K, V = (np.array(a, dtype=float) for a in (Q, K, V))
        weights = weigh(Q @ K.T * scale(Q, K, V), near(len(Q), len(K), window))
        return weights @ V, weights

    return wrong


def _filled(value, empty_rows_zero):
    def weigh(scores, near):
        weights = reference.softmax(np.where(near, scores, value))
        return weights * near.any(axis=-1, keepdims=True) if empty_rows_zero else weights

    return weigh


def _cut_afterwards(scores, near):
    return reference.softmax(scores) * near


def _renormalised(scores, near):
    left = reference.softmax(scores) * near
    total = left.sum(axis=-1, keepdims=True)
    return left / np.where(near.any(axis=-1, keepdims=True), total, 1)


def _renormalised_safely(scores, near):
    return _guarded(reference.softmax(scores) * near, -1)


def _renormalised_blindly(scores, near):
    return _share(reference.softmax(scores) * near, -1)


def _steps(n_q, n_k):
    return np.arange(n_q)[:, None] - np.arange(n_k)[None, :]


def _mixed_before(Q, K, V, window):
    return reference.scaled_dot_product_attention(Q, K, V)[0], reference.local_attention(Q, K, V, window)[1]


_RENORMALISE_HINT = "A far key with a huge score leaves 0 for all the near ones, and 0/0 in the end. Rule the far scores out before the softmax."
_LEAK_HINT = "Scores may be lower than that, and then the far keys win. -inf is lower than every score."

LOCAL_ATTENTION = Exercise(
    name="local_attention",
    reference=reference.local_attention,
    cases=_local_cases,
    mistakes=(
        Mistake(
            "set the far weights to 0 after the softmax, so that rows no longer sum to 1",
            "The far keys have already taken their share. Rule them out before the softmax, with scores of -inf.",
            _local(weigh=_cut_afterwards),
        ),
        Mistake(
            "cut the far weights after the softmax and divided by what is left: 0/0 when a far score is huge",
            _RENORMALISE_HINT,
            _local(weigh=_renormalised),
        ),
        Mistake(
            "cut the far weights after the softmax; a huge far score leaves nothing for the near ones",
            _RENORMALISE_HINT,
            _local(weigh=_renormalised_safely),
        ),
        Mistake(
            "cut the far weights after the softmax and divided by 0 where nothing is left",
            _RENORMALISE_HINT,
            _local(weigh=_renormalised_blindly),
        ),
        Mistake(
            "left out the edge of the window: < instead of <=",
            "A distance of exactly `window` is still seen; with window 0 each token sees itself.",
            _local(near=lambda n_q, n_k, window: _near(n_q, n_k, window - 1)),
        ),
        Mistake(
            "left out the last neighbour: the slice ends too early",
            "A Python slice stops before its end: `K[start : i + window]` has no key i + window.",
            _local(near=lambda n_q, n_k, window: (_steps(n_q, n_k) <= window) & (_steps(n_q, n_k) > -window)),
        ),
        Mistake(
            "a slice that starts below 0: the first queries see nothing",
            "Python counts a negative start from the end. Begin at `max(0, i - window)`.",
            _local(near=lambda n_q, n_k, window: _near(n_q, n_k, window) & (np.arange(n_q)[:, None] >= window)),
        ),
        Mistake(
            "built the window for as many keys as queries",
            "The distances are a table of n_q rows and n_k columns: rows count the queries, columns the keys.",
            _local(near=lambda n_q, n_k, window: _near(n_q, n_q, window)),
        ),
        Mistake(
            "mixed the output with the weights from before the window",
            "The weights are right. Mix the values with these same weights: `weights @ V`.",
            _mixed_before,
        ),
        Mistake(
            "returned the weights first",
            "The order is output, weights: `return output, weights`.",
            lambda Q, K, V, window: reference.local_attention(Q, K, V, window)[::-1],
        ),
        Mistake(
            "looks back only",
            "The neighbourhood reaches to both sides: the distance is |i - j|, without its sign.",
            _local(near=lambda n_q, n_k, window: (_steps(n_q, n_k) >= 0) & (_steps(n_q, n_k) <= window)),
        ),
        Mistake(
            "looks ahead only",
            "The neighbourhood reaches to both sides: the distance is |i - j|, without its sign.",
            _local(near=lambda n_q, n_k, window: (_steps(n_q, n_k) <= 0) & (_steps(n_q, n_k) >= -window)),
        ),
        Mistake(
            "forgot the absolute value: everything ahead is seen",
            "i - j is negative for keys that come later, and so always below the window. The distance is |i - j|.",
            _local(near=lambda n_q, n_k, window: _steps(n_q, n_k) <= window),
        ),
        Mistake(
            "forgot the absolute value: everything behind is seen",
            "j - i is negative for keys that came earlier, and so always below the window. The distance is |i - j|.",
            _local(near=lambda n_q, n_k, window: _steps(n_q, n_k) >= -window),
        ),
        Mistake(
            "ruled out the near keys and kept the far ones",
            "It is the other way round: where |i - j| > window the weight is 0.",
            _local(near=lambda n_q, n_k, window: ~_near(n_q, n_k, window)),
        ),
        Mistake(
            "took the window as the full width",
            "`window` counts to each side: window 2 shows up to 5 keys, two on either side and the own place.",
            _local(near=lambda n_q, n_k, window: _near(n_q, n_k, window // 2)),
        ),
        Mistake(
            "lined the queries up with the last keys",
            "Both places count from 0: query 0 stands at key 0, even if there are more keys than queries.",
            _local(near=lambda n_q, n_k, window: np.abs(_steps(n_q, n_k) + n_k - n_q) <= window),
        ),
        Mistake(
            "let every query see the same keys, the first ones",
            "The window moves along with the query: compare j with i, not with 0.",
            _local(near=lambda n_q, n_k, window: np.broadcast_to(np.arange(n_k) <= window, (n_q, n_k))),
        ),
        Mistake(
            "did not use the window at all",
            "Is the result of `np.where(...)` assigned to something? Far keys still have weight.",
            _local(near=lambda n_q, n_k, window: np.ones((n_q, n_k), dtype=bool)),
        ),
        Mistake(
            "gave the far keys a score of 0",
            "A score of 0 is not a weight of 0: exp(0) = 1. The score that gives weight 0 is -inf.",
            _local(weigh=lambda scores, near: reference.softmax(scores * near)),
        ),
        Mistake(
            "multiplied the mask by -inf: 0 · -inf is NaN",
            "The near scores are lost that way. Choose with `np.where(near, scores, -np.inf)` instead of multiplying.",
            _local(weigh=lambda scores, near: reference.softmax(scores + (1 - near) * -np.inf)),
        ),
        Mistake(
            "a query that sees nothing gives NaN",
            "Its scores are all -inf. The softmax at the start of this unit turns such a row into zeros; use it here.",
            _local(weigh=lambda scores, near: _nan_rows(scores, near)),
        ),
        Mistake(
            "a query that sees nothing gets equal weights",
            "A finite fill makes all its scores equal. Nobody is there, so its row should be zeros.",
            _local(weigh=_filled(-1e9, False)),
        ),
        Mistake(
            "filled with a number like -10000: far keys leak in when the near scores are lower",
            _LEAK_HINT,
            _local(weigh=_filled(-1e4, True)),
        ),
        Mistake(
            "filled with a number like -10000: far keys leak in, and a query that sees nothing gets equal weights",
            _LEAK_HINT,
            _local(weigh=_filled(-1e4, False)),
        ),
        Mistake(
            "filled with a number like -20: far keys leak in when the near scores are lower",
            _LEAK_HINT,
            _local(weigh=_filled(-20, True)),
        ),
        Mistake(
            "filled with a number like -20: far keys leak in, and a query that sees nothing gets equal weights",
            _LEAK_HINT,
            _local(weigh=_filled(-20, False)),
        ),
        Mistake(
            "took the softmax over the queries",
            "Each query shares out a whole 1 over the keys that it sees: the softmax runs along the last axis.",
            _local(weigh=lambda scores, near: reference.softmax(np.where(near, scores, -np.inf), axis=0)),
        ),
        Mistake(
            "subtracted no maximum: large scores give 0/0",
            "The softmax you wrote at the start of this unit takes off the maximum of each row; call it.",
            _local(weigh=lambda scores, near: _share(np.exp(np.where(near, scores, -np.inf)), -1)),
        ),
        *(Mistake(name, hint, _local(scale=scale)) for name, hint, scale in _WRONG_SCALES),
    ),
    forbidden=("torch.nn.functional.scaled_dot_product_attention", "torch.nn.functional.multi_head_attention_forward"),
    hints=(
        "Scaled scores first; then -inf wherever |i - j| > window; then softmax and weighted sum as before.",
        "All distances at once: `np.arange(n_q)[:, None] - np.arange(n_k)[None, :]`.",
    ),
)


def _nan_rows(scores, near):
    scores = np.where(near, scores, -np.inf)
    return _share(np.exp(scores - scores.max(axis=-1, keepdims=True)), -1)


# --- additive_scores -------------------------------------------------------------------------------------


def _additive_cases(rng):
    def arrays(n_q, n_k, d_q, d_k, h):
        return (
            _normal(rng, n_q, d_q),
            _normal(rng, n_k, d_k),
            _normal(rng, d_q, h),
            _normal(rng, d_k, h),
            _normal(rng, h),
        )

    Q, K, W_q, W_k, v = arrays(2, 4, 3, 5, 6)
    return [
        Case("values", (Q, K, W_q, W_k, v), note="2 queries of width 3, 4 keys of width 5, h = 6"),
        Case("values", arrays(5, 2, 4, 3, 1), note="5 queries of width 4, 2 keys of width 3, h = 1"),
        Case("values", arrays(3, 3, 3, 3, 3), note="everything square"),
        Case(
            "integers",
            (rng.integers(-2, 3, size=(2, 3)), rng.integers(-2, 3, size=(3, 2)), *arrays(1, 1, 3, 2, 4)[2:]),
            note="whole numbers in Q and K",
        ),
        Case(
            "bad arguments",
            (_normal(rng, 2, 4), K, W_q, W_k, v),
            raises="ValueError",
            note="queries of width 4, W_q for width 3",
        ),
    ]


def _additive(
    join=lambda a, b: a[:, None, :] + b[None, :, :],
    bend=np.tanh,
    end=lambda hidden, v: hidden @ v,
):
    """The additive score with one of its parts exchanged."""

    def wrong(Q, K, W_q, W_k, v):
        Q, K, W_q, W_k, v = (np.array(a, dtype=float) for a in (Q, K, W_q, W_k, v))
        return end(bend(join(Q @ W_q, K @ W_k)), v)

    return wrong


ADDITIVE_SCORES = Exercise(
    name="additive_scores",
    reference=reference.additive_scores,
    cases=_additive_cases,
    mistakes=(
        Mistake(
            "left the tanh out",
            "Without it the score is a number for the query plus a number for the key, and the softmax ignores the query's part: all queries would attend alike.",
            _additive(bend=lambda x: x),
        ),
        Mistake(
            "took the tanh of the finished score",
            "The tanh bends the h hidden numbers; v weighs them afterwards.",
            _additive(bend=lambda x: x, end=lambda hidden, v: np.tanh(hidden @ v)),
        ),
        Mistake(
            "took the tanh of query and key before adding them",
            "First the sum q W_q + k W_k, then its tanh: only so do query and key act on each other.",
            _additive(join=lambda a, b: np.tanh(a)[:, None, :] + np.tanh(b)[None, :, :], bend=lambda x: x),
        ),
        Mistake(
            "used ReLU instead of tanh",
            "The formula has a tanh, which also bends negative numbers: `np.tanh`.",
            _additive(bend=lambda x: np.maximum(x, 0)),
        ),
        Mistake(
            "used the sigmoid instead of tanh",
            "The sigmoid runs from 0 to 1, the tanh from -1 to 1: `np.tanh`.",
            _additive(bend=lambda x: 1 / (1 + np.exp(-x))),
        ),
        Mistake(
            "put v in front: v @ hidden",
            "`@` adds over the last axis on its left and the last but one on its right. The h hidden numbers are the last axis, so they stand on the left.",
            _additive(end=lambda hidden, v: v @ hidden),
        ),
        Mistake(
            "multiplied query and key instead of adding them",
            "That would be a dot product again. Here the projected query and key are added.",
            _additive(join=lambda a, b: a[:, None, :] * b[None, :, :]),
        ),
        Mistake(
            "subtracted the key from the query",
            "The formula adds them.",
            _additive(join=lambda a, b: a[:, None, :] - b[None, :, :]),
        ),
        Mistake(
            "left v out and added the hidden numbers up",
            "v weighs the h hidden numbers: a dot product with v, not a plain sum.",
            _additive(end=lambda hidden, v: hidden.sum(axis=-1)),
        ),
        Mistake(
            "left v out and took the mean of the hidden numbers",
            "v weighs the h hidden numbers: a dot product with v, not a plain mean.",
            _additive(end=lambda hidden, v: hidden.mean(axis=-1)),
        ),
        Mistake(
            "returned the hidden numbers without adding them up",
            "`v * hidden` still has h numbers for each pair. A score is one: add along the last axis, or use `@ v`.",
            _additive(end=lambda hidden, v: hidden * v),
        ),
        Mistake(
            "returned (n_k, n_q): keys in the rows",
            "Rows belong to the queries. Which of the two gets the new axis in front of its features?",
            _additive(join=lambda a, b: a[None, :, :] + b[:, None, :]),
        ),
        Mistake(
            "paired query i with key i only",
            "Every query meets every key: give the query an axis for the keys, `a[:, None, :]`, and the key one for the queries, `b[None, :, :]`.",
            _additive(join=lambda a, b: a + b),
        ),
        Mistake(
            "used W_q for the keys as well",
            "Queries and keys have a projection each; they may even differ in width.",
            lambda Q, K, W_q, W_k, v: _additive()(Q, K, W_q, W_q, v),
        ),
        Mistake(
            "swapped W_q and W_k",
            "W_q projects the queries, W_k the keys.",
            lambda Q, K, W_q, W_k, v: _additive()(Q, K, W_k, W_q, v),
        ),
        Mistake(
            "weighed by v before the tanh",
            "First the tanh of the h hidden numbers, then their dot product with v.",
            _additive(bend=lambda x: x, end=lambda hidden, v: np.tanh(hidden * v).sum(axis=-1)),
        ),
        Mistake(
            "transposed the projections: W @ q",
            "Tokens are rows and W is (d, h), so `Q @ W_q` fits as it is.",
            lambda Q, K, W_q, W_k, v: _additive()(Q, K, np.transpose(W_q), np.transpose(W_k), v),
        ),
        Mistake(
            "scaled the score by √h",
            "This formula has no scale: the tanh keeps the hidden numbers between -1 and 1 by itself.",
            _additive(end=lambda hidden, v: hidden @ v / math.sqrt(len(v))),
        ),
        Mistake(
            "took the softmax already",
            "Scores are asked. They become weights afterwards, by the same softmax as always.",
            _additive(end=lambda hidden, v: reference.softmax(hidden @ v)),
        ),
        Mistake(
            "computed the scaled dot product of the projections",
            "This exercise is about the other score: tanh of the sum, weighed by v.",
            lambda Q, K, W_q, W_k, v: attention_scores(Q @ W_q, K @ W_k) / math.sqrt(len(v)),
        ),
        Mistake(
            "computed the dot product of the projections",
            "This exercise is about the other score: tanh of the sum, weighed by v.",
            lambda Q, K, W_q, W_k, v: attention_scores(Q @ W_q, K @ W_k),
        ),
    ),
    hints=(
        "For one pair: add the two projected vectors, take the tanh, then the dot product with v.",
        "All pairs at once: (n_q, 1, h) plus (1, n_k, h) gives (n_q, n_k, h); `@ v` takes the h away.",
    ),
)


EXERCISES = (
    SOFTMAX,
    WEIGHTED_SUM,
    SCORE_VARIANCE,
    SCALE_SCORES,
    SOFTMAX_JACOBIAN,
    SCALED_DOT_PRODUCT_ATTENTION,
    LOCAL_ATTENTION,
    ADDITIVE_SCORES,
)
