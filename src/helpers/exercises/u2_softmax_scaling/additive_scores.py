"""`additive_scores`: its cases, mistakes and hints."""

from __future__ import annotations

import math

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u2_softmax_scaling as reference
from helpers.reference.u1_dot_products import attention_scores

from ..common import Answer, Step, bad_arguments, normal
from .common import floats


def _additive_cases(rng: np.random.Generator) -> list[Case]:
    def arrays(n_q: int, n_k: int, d_q: int, d_k: int, h: int) -> tuple[np.ndarray, ...]:
        return (
            normal(rng, n_q, d_q),
            normal(rng, n_k, d_k),
            normal(rng, d_q, h),
            normal(rng, d_k, h),
            normal(rng, h),
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
        bad_arguments(normal(rng, 2, 4), K, W_q, W_k, v, note="queries of width 4, W_q for width 3"),
        Case("values", arrays(2, 4, 3, 5, 6), note="other numbers of the first sizes"),
        Case(
            "integers",
            (*arrays(2, 3, 3, 2, 4)[:2], *(rng.integers(-2, 3, size=size) for size in ((3, 4), (2, 4), 4))),
            note="whole numbers in W_q, W_k and v",
        ),
        Case("axes of length one", arrays(1, 1, 1, 1, 1), note="one query, one key, every width 1"),
        Case(
            "bad arguments",
            (Q, K, W_q, normal(rng, 5, 4), v[:4]),
            raises="ValueError",
            note="hidden width 6 for the queries, 4 for the keys and v",
        ),
        Case(
            "bad arguments",
            (Q, K, normal(rng, 3, 4), W_k, v[:4]),
            raises="ValueError",
            note="hidden width 4 for the queries and v, 6 for the keys",
        ),
        Case("bad arguments", (Q, K, W_q, W_k, v[:5]), raises="ValueError", note="hidden width 6, and v of 5 numbers"),
    ]


def _additive(
    join: Step = lambda a, b: a[:, None, :] + b[None, :, :],
    bend: Step = np.tanh,
    end: Step = lambda hidden, v: hidden @ v,
) -> Answer:
    """The additive score with one of its parts exchanged."""

    return floats(lambda Q, K, W_q, W_k, v: end(bend(join(Q @ W_q, K @ W_k)), v))


EXERCISE = Exercise(
    name="additive_scores",
    reference=reference.additive_scores,
    cases=_additive_cases,
    mistakes=(
        Mistake(
            "left the tanh out",
            "Without it the score is a number for the query plus a number for the key, and the softmax ignores the"
            " query's part: all queries would attend alike.",
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
            "took the tanh of the query alone",
            "First the sum q W_q + k W_k, then the tanh of all of it. Which brackets does `np.tanh` need?",
            _additive(join=lambda a, b: np.tanh(a)[:, None, :] + b[None, :, :], bend=lambda x: x),
        ),
        Mistake(
            "used tan instead of tanh",
            "The tangent runs off to infinity; the hyperbolic one stays between -1 and 1: `np.tanh`.",
            _additive(bend=np.tan),
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
            "`@` adds over the last axis on its left and the last but one on its right. The h hidden numbers are the"
            " last axis, so they stand on the left.",
            _additive(end=lambda hidden, v: v @ hidden),
        ),
        Mistake(
            "multiplied query and key instead of adding them",
            "That is another score, with a product where the sum belongs. Here the projected query and key are added.",
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
            "took the mean of v times the hidden numbers instead of their sum",
            "A dot product with v adds the h products up; it does not divide by h.",
            _additive(end=lambda hidden, v: (hidden * v).mean(axis=-1)),
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
            "Every query meets every key: give the query an axis for the keys, `a[:, None, :]`, and the key one for the"
            " queries, `b[None, :, :]`.",
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
            "computed the dot product of two tanhs",
            "This exercise is about the other score: tanh of the sum, weighed by v.",
            lambda Q, K, W_q, W_k, v: attention_scores(np.tanh(Q @ W_q), np.tanh(K @ W_k)),
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
