"""`score_variance`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake, Relation
from helpers.reference import u2_softmax_scaling as reference

from ..common import Answer, Step

_PAIRS, _WIDTH, _REPEATS = 20, 36, 40

# Enough pairs that their own scatter is small beside that of one vector's length.
_MANY, _NARROW, _OFTEN = 200, 6, 24
# Products of single numbers, whose scatter tells normal numbers from those of one size.
_SINGLE = 50
# Two sums of so many products lie now near together and now far apart; numbers made of the single products do not.
_WIDE = 1000


def _variance_cases(rng: np.random.Generator) -> list[Case]:
    def seed() -> int:
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
        *(
            Case(
                "two pairs",
                (_WIDE, 2, one + 200 + i),
                label=str(i),
                note=f"{_REPEATS} seeds, d_k = {_WIDE}, 2 pairs each",
            )
            for i in range(_REPEATS)
        ),
        *(
            Case(
                "normal entries",
                (1, _SINGLE, one + 110 + i),
                label=str(i),
                note=f"{_REPEATS} seeds, d_k = 1, {_SINGLE} pairs each",
            )
            for i in range(_REPEATS)
        ),
    ]


def _level(value: float, d_k: int, n_pairs: int) -> str:
    """What a number of about this size is likely to be, in words."""
    known = {
        "d_k": d_k,
        "2 d_k": 2 * d_k,
        "√d_k": math.sqrt(d_k),
        "1": 1,
        "0.05 d_k": 7 / 144 * d_k,
        "1/d_k": 1 / d_k,
        "n_pairs": n_pairs,
        "d_k²": d_k**2,
    }
    if value > 0:
        name = min(known, key=lambda k: abs(math.log(known[k] / value)))
        if abs(math.log(known[name] / value)) < 0.2:
            return name
    return "0" if abs(value) < 0.04 * d_k else f"{value:.2g}"


def _not_a_number(value: Any) -> str | None:
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


def _is_number(case: Case, value: Any, expected: Any) -> str | None:
    return _not_a_number(value)


def _near_width(case: Case, value: Any, expected: Any) -> str | None:
    d_k, n_pairs, _ = case.args
    # Six standard deviations of a measured variance: a right answer practically never fails.
    allowed = 6 * math.sqrt((2 + 6 / d_k) / n_pairs)
    if _not_a_number(value):
        return _not_a_number(value)
    if abs(value - d_k) <= allowed * d_k:
        return None
    return (
        f"for d_k = {d_k} and {n_pairs} pairs your number is around {_level(float(value), d_k, n_pairs)}, too far from"
        " the variance of q·k"
    )


def _same_seed_same_number(values: Mapping[str, Any]) -> str | None:
    if not np.isclose(values["first"], values["again"], rtol=1e-9, atol=0):
        return "two calls with the same seed give two different numbers"
    if values["first"] == values["other"] == 8:
        return "two seeds give exactly d_k: nothing is measured"
    if np.isclose(values["first"], values["other"], rtol=1e-9, atol=0):
        return "another seed gives the same number again"
    return None


def _pairs_count(values: Mapping[str, Any]) -> str | None:
    if values["50"] == values["51"] == 8:
        return "50 pairs and 51 pairs give exactly d_k: nothing is measured"
    if np.isclose(values["50"], values["51"], rtol=1e-9, atol=0):
        return "50 pairs and 51 pairs give the same number: n_pairs makes no difference"
    return None


def _scatter(values: Mapping[str, Any]) -> str | None:
    """Averages over the seeds lie near d_k, and they scatter as 20 pairs do: neither constant nor from 20 × 20
    scores."""
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


def _separate(values: Mapping[str, Any]) -> str | None:
    """The scatter is not far above that of pairs which share nothing; one vector for all pairs brings that of its
    length.
    """
    numbers = np.array([float(v) for v in values.values()]) / _NARROW
    usual = math.sqrt((2 + 6 / _NARROW) / _MANY)
    if abs(numbers.mean() - 1) < 0.5 and numbers.std() > 2 * usual:
        return (
            "from seed to seed your number changes far more than that of n_pairs separate pairs: the pairs share a"
            " vector"
        )
    return None


def _two_pairs(values: Mapping[str, Any]) -> str | None:
    if any(float(value) == 0 for value in values.values()):
        return "two pairs give the variance 0, as if there were only one: are all n_pairs drawn?"
    numbers = np.array([float(v) for v in values.values()])
    # Two sums vary by 1.4 times the mean, 2 × 2 scores by 0.8 of it, and sums of variances by 0.07.
    varies = numbers.std() / max(abs(numbers.mean()), 1e-12)
    if varies < 0.2:
        return "two pairs give much the same number for every seed, and it should vary widely: is it made of two sums?"
    if varies < 0.4:
        return "from seed to seed your number changes less than that of two pairs: it comes from more scores"
    return None


def _normal_entries(values: Mapping[str, Any]) -> str | None:
    """Products of normal numbers are now small and now large; those of +1 and -1 are all of one size."""
    numbers = np.array([float(v) for v in values.values()])
    usual = math.sqrt((2 + 6) / _SINGLE)
    if numbers.std() < 0.4 * usual * numbers.mean():
        return "for d_k = 1 your number hardly changes from seed to seed: these are not normal q and k"
    return None


def _pairs(d_k: int, n_pairs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_pairs, d_k)), rng.normal(size=(n_pairs, d_k))


def _measured(by: Step) -> Answer:
    """One number from all queries and keys, (n_pairs, d_k) each."""
    return lambda d_k, n_pairs, seed: float(by(*_pairs(d_k, n_pairs, seed)))


def _dots(q: Any, k: Any) -> Any:
    return (q * k).sum(axis=-1)


def _same_twice(d_k: int, n_pairs: int, seed: int) -> float:
    q, _ = _pairs(d_k, n_pairs, seed)
    return float(np.var(_dots(q, q)))


def _fresh(d_k: int, n_pairs: int, seed: int) -> float:
    return reference.score_variance(d_k, n_pairs, int(np.random.SeedSequence().generate_state(1)[0]))


def _always_the_same_pair(d_k: int, n_pairs: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    q, k = rng.normal(size=d_k), rng.normal(size=d_k)
    return float(np.var(np.full(n_pairs, q @ k)))


def _uniform(d_k: int, n_pairs: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    return float(np.var(_dots(rng.random((n_pairs, d_k)), rng.random((n_pairs, d_k)))))


def _one_query(d_k: int, n_pairs: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    return float(np.var(_dots(rng.normal(size=d_k), rng.normal(size=(n_pairs, d_k)))))


def _unit(X: Any) -> Any:
    return X / np.linalg.norm(X, axis=-1, keepdims=True)


_WITHIN_HINT = (
    "How the products of one pair lie around each other is not asked. Each pair gives one number, the sum of its"
    " products; the variance is that of these n_pairs numbers."
)


EXERCISE = Exercise(
    name="score_variance",
    reference=reference.score_variance,
    cases=_variance_cases,
    compare={
        "values": _near_width,
        "seed": _is_number,
        "number of pairs": _is_number,
        "scatter": _is_number,
        "separate pairs": _is_number,
        "two pairs": _is_number,
        "normal entries": _is_number,
    },
    relations=(
        Relation("seed", _same_seed_same_number),
        Relation("number of pairs", _pairs_count),
        Relation("scatter", _scatter),
        Relation("separate pairs", _separate),
        Relation("two pairs", _two_pairs),
        Relation("normal entries", _normal_entries),
    ),
    mistakes=(
        Mistake(
            "multiplied vectors with themselves: q and k are the same",
            "q·q is the square of a length. Make one generator and draw from it twice; two with one seed give the"
            " same numbers twice.",
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
            "d_k is what theory expects. Draw the pairs and see whether it is true: a measurement is never exactly"
            " right.",
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
            "q·k is one number for each pair: add the products of a pair up first, along d_k, and take the variance of"
            " the n_pairs sums.",
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
            "added variances up instead of measuring the variance of the sums",
            "That the variances add up is what you want to see, so it may not go in. First the dot product of each"
            " pair, then one `np.var` of these n_pairs numbers.",
            _measured(lambda q, k: np.var(q * k, axis=0).sum()),
        ),
        Mistake(
            "took the variance within each pair, and the mean over the pairs",
            _WITHIN_HINT,
            _measured(lambda q, k: np.var(q * k, axis=-1).mean()),
        ),
        Mistake(
            "took the variance within each pair, and added these up",
            _WITHIN_HINT,
            _measured(lambda q, k: np.var(q * k, axis=-1).sum()),
        ),
        Mistake(
            "took the mean of the d_k products instead of their sum",
            "A dot product adds the products of a pair up; it does not divide by their number.",
            _measured(lambda q, k: np.var((q * k).mean(axis=-1))),
        ),
        Mistake(
            "drew (d_k, n_pairs), and added along the pairs",
            "With a pair in each column, the d_k entries of one pair stand below each other: add along the first axis.",
            lambda d_k, n_pairs, seed: _measured(lambda q, k: np.var(_dots(q, k)))(n_pairs, d_k, seed),
        ),
        Mistake(
            "began the generator anew for every pair: all pairs are the same",
            "One seed, one beginning. Make the generator once, in front of the loop, and draw all pairs from it.",
            _always_the_same_pair,
        ),
        Mistake(
            "took every query against every key",
            "`q @ k.T` has n_pairs² scores that share their vectors. A pair is one q with one k: n_pairs numbers.",
            # A hundred of each show the same, and 1000 × 1000 scores would make the check slow.
            _measured(lambda q, k: np.var(q[:100] @ k[:100].T)),
        ),
    ),
    hints=(
        "Draw two arrays of shape (n_pairs, d_k) from one generator with that seed. Each pair gives one number.",
        "n_pairs dot products: multiply entry by entry, add along the last axis; then `np.var`, and `float(...)`.",
    ),
)
