"""`multi_head_attention`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake, in_parts
from helpers.reference import u4_multi_head as reference

from ..attention import (
    Scale,
    root_of_width,
    scale_mistakes,
    softmax,
    softmax_with_one_maximum,
    softmax_without_maximum,
    transposed,
)
from ..common import READY_MADE_ATTENTION, Answer, Step, bad_arguments, normal
from .common import WIDTH_MISUSED, merge_bare, merge_interleaved, split_bare, split_interleaved, split_only, split_same


def _projections(rng: np.random.Generator, d: int) -> tuple[np.ndarray, ...]:
    """Three projections that give scores of unit variance, and one back."""
    return tuple(normal(rng, d, d) / math.sqrt(d) for _ in range(4))


def _arguments(rng: np.random.Generator, *shape: int, n_heads: int) -> tuple[Any, ...]:
    """Random tokens of that shape, projections that fit, and the number of heads."""
    return normal(rng, *shape), *_projections(rng, shape[-1]), n_heads


def _large_scores(rng: np.random.Generator, n: int, d: int, n_heads: int) -> tuple[Any, ...]:
    """Tokens whose scores reach ±1e4, every row with a clear winner, so that single precision finds the same one."""
    while True:
        X, Ws = 35 * normal(rng, n, d), _projections(rng, d)
        Ws = tuple(W * 2 for W in Ws[:2]) + Ws[2:]
        Q, K = (reference.split_heads(X @ W, n_heads) for W in Ws[:2])
        scores = Q @ transposed(K) / math.sqrt(d // n_heads)
        ranked = np.sort(scores, axis=-1)
        clear = (ranked[..., -1] - ranked[..., -2]).min() > 60
        # Some row lies so far below the highest score of all that subtracting that one empties the row.
        if clear and (ranked[..., -1].max() - ranked[..., -1].min()) > 2000 and np.abs(scores).max() > 5000:
            return X, *Ws, n_heads


def _attention_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("values", _arguments(rng, 5, 6, n_heads=2), note="5 tokens of width 6, 2 heads"),
        Case("values", _arguments(rng, 4, 12, n_heads=4), note="4 tokens of width 12, 4 heads"),
        Case(
            "values",
            _arguments(rng, 3, 9, n_heads=3),
            note="3 tokens, 3 heads of width 3: everything square",
        ),
        Case(
            "one head",
            _arguments(rng, 4, 5, n_heads=1),
            note="one head: the attention of unit 2 with projections",
        ),
        Case("integers", (rng.integers(-2, 3, size=(3, 4)), *_projections(rng, 4), 2), note="whole numbers in"),
        Case("batch axes", _arguments(rng, 2, 5, 6, n_heads=3), note="2 sentences at once"),
        Case("batch axes", _arguments(rng, 2, 3, 4, 8, n_heads=2), note="2 × 3 sentences at once"),
        Case("large scores", _large_scores(rng, 5, 8, 2), note="scores of several thousand"),
        bad_arguments(*_arguments(rng, 4, 6, n_heads=4), note="width 6 in 4 heads"),
        bad_arguments(*_arguments(rng, 4, 6, n_heads=0), note="no head at all"),
        Case("values", _arguments(rng, 5, 6, n_heads=2), note="5 other tokens of width 6, 2 heads"),
        Case(
            "integers",
            (normal(rng, 3, 4), *(rng.integers(-1, 2, size=(4, 4)) for _ in range(4)), 2),
            note="whole numbers in the projections alone",
        ),
        Case("axes of length one", _arguments(rng, 1, 1, 1, n_heads=1), note="one sentence of one token of width 1"),
    ]


def _scores(Q: Any, K: Any) -> Any:
    return Q @ transposed(K)


@in_parts
def _attend(
    order: str = "QKV",
    split: Step = reference.split_heads,
    merge: Step = reference.merge_heads,
    scale: Scale = root_of_width,
    score: Step = _scores,
    soft: Step = softmax,
    back: Step = np.matmul,
) -> Answer:
    """Multi-head attention in which any one part can be exchanged for a wrong one."""

    def wrong(X: Any, W_q: Any, W_k: Any, W_v: Any, W_o: Any, n_heads: Any) -> Any:
        X = np.asarray(X, dtype=float)
        reference.split_heads(X, n_heads)
        projected = {"Q": X @ W_q, "K": X @ W_k, "V": X @ W_v, "X": X}
        Q, K, V = (split(projected[name], n_heads) for name in order)
        weights = soft(score(Q, K) / scale(Q, K, V))
        return np.array(back(merge(weights @ V), W_o)), np.array(weights)

    return wrong


def _after(change: Step) -> Answer:
    """A wrong way to hand on what multi-head attention computed."""
    return lambda *args: change(*_attend()(*args))


def _cut_first(X: Any, W_q: Any, W_k: Any, W_v: Any, W_o: Any, n_heads: Any) -> Any:
    # A slice of X against its own block of W is a W that has nothing but these blocks.
    own = (
        np.kron(np.eye(n_heads), np.ones((len(W_q) // n_heads,) * 2)) if n_heads > 0 and len(W_q) % n_heads == 0 else 1
    )
    return _attend()(X, W_q * own, W_k * own, W_v * own, W_o, n_heads)


def _rows_of_projections(X: Any, W_q: Any, W_k: Any, W_v: Any, W_o: Any, n_heads: Any) -> Any:
    X = np.asarray(X, dtype=float)
    outputs, maps = [], []
    for i, part in enumerate(_slices(X, n_heads)):
        Q, K, V = (X[..., part] @ W[part] for W in (W_q, W_k, W_v))
        maps.append(softmax(_scores(Q, K) / math.sqrt(Q.shape[-1])))
        outputs.append((maps[i] @ V)[..., part])
    return np.concatenate(outputs, axis=-1) @ W_o, np.stack(maps, axis=-3)


def _blocks_of_w_o(X: Any, W: Any, n_heads: Any) -> Any:
    """The columns of each head against a block of their own: the heads do not meet."""
    return np.concatenate([X[..., part] @ W[part, part] for part in _slices(X, n_heads)], axis=-1)


def _slices(X: Any, n_heads: Any) -> list[slice]:
    """The columns of each head."""
    reference.split_heads(X, n_heads)
    width = X.shape[-1] // n_heads
    return [slice(i * width, (i + 1) * width) for i in range(n_heads)]


def _one_head_repeated(X: Any, W_q: Any, W_k: Any, W_v: Any, W_o: Any, n_heads: Any) -> Any:
    reference.split_heads(X, n_heads)
    output, weights = reference.multi_head_attention(X, W_q, W_k, W_v, W_o, 1)
    return output, np.repeat(weights, n_heads, axis=-3)


def _between_heads(X: Any, W_q: Any, W_k: Any, W_v: Any, W_o: Any, n_heads: Any) -> Any:
    def merge(H: Any) -> Any:
        return H.reshape(*H.shape[:-2], -1)

    return _attend(split=split_only, merge=merge)(X, W_q, W_k, W_v, W_o, n_heads)


def _one_sentence(X: Any, W_q: Any, W_k: Any, W_v: Any, W_o: Any, n_heads: Any) -> Any:
    X = np.asarray(X, dtype=float)
    output, weights = _attend()(X.reshape(-1, X.shape[-1]), W_q, W_k, W_v, W_o, n_heads)
    return output.reshape(X.shape), weights


def _dropping_columns(X: Any, W_q: Any, W_k: Any, W_v: Any, W_o: Any, n_heads: Any) -> Any:
    if n_heads < 1:
        raise ValueError("n_heads must be at least 1")
    used = X.shape[-1] // n_heads * n_heads
    if used == X.shape[-1]:
        return _attend()(X, W_q, W_k, W_v, W_o, n_heads)
    return _attend()(np.asarray(X)[..., :used], *(W[:used, :used] for W in (W_q, W_k, W_v, W_o)), n_heads)


def _mean_of_heads(H: Any) -> Any:
    return H.mean(axis=-3)


EXERCISE = Exercise(
    name="multi_head_attention",
    reference=reference.multi_head_attention,
    cases=_attention_cases,
    forbidden=READY_MADE_ATTENTION,
    mistakes=(
        Mistake(
            "reshaped straight to (h, n, d/h) when splitting",
            "A bare reshape mixes the tokens. Use your `split_heads`: cut the width, then exchange the axes.",
            _attend(split=split_bare),
        ),
        Mistake(
            "merged the heads without exchanging the axes first",
            "Use your `merge_heads`: bring the tokens in front of the heads again, then make one axis of the last two.",
            _attend(merge=merge_bare),
        ),
        Mistake(
            "dealt the columns out to the heads like cards",
            "A head takes neighbouring columns: in the reshape, h comes before d/h.",
            _attend(split=split_interleaved, merge=merge_interleaved),
        ),
        Mistake(
            "gave the same slice to every head", "Head i takes the columns from i · d/h on.", _attend(split=split_same)
        ),
        Mistake(
            "multiplied something as wide as one head by a whole matrix",
            "W_q, W_k, W_v and W_o have d rows: project X before you split it, and put all heads next to each other"
            " before W_o.",
            _attend(merge=_mean_of_heads),
        ),
        Mistake(
            "one head of full width: never split",
            "n_heads changes nothing in your result yet: Q, K and V are split before the scores, and what the heads"
            " give is merged before W_o.",
            _attend(split=lambda X, n_heads: X, merge=lambda H: H),
        ),
        Mistake(
            "one head of full width, its weights repeated",
            "Every head has a softmax of its own, over scores of its own slices: split Q, K and V before the scores.",
            _one_head_repeated,
        ),
        Mistake(
            "took the rows of W_q, W_k and W_v for head i, and a slice of X",
            "A head reads the whole token: all columns of X meet all rows of W_q. What head i owns is columns of W_q.",
            _rows_of_projections,
        ),
        Mistake(
            "gave every head a block of W_o: the heads never meet",
            "Each column of the output is made from all heads: what they found, side by side, meets the whole of W_o.",
            lambda X, W_q, W_k, W_v, W_o, n_heads: _attend(back=lambda A, W: _blocks_of_w_o(A, W, n_heads))(
                X, W_q, W_k, W_v, W_o, n_heads
            ),
        ),
        Mistake(
            "left W_o out",
            "Side by side the heads have not met yet. W_o mixes them, last of all.",
            _attend(back=lambda X, W: X),
        ),
        *scale_mistakes(
            lambda scale: _attend(scale=scale),
            {
                "√d_model": (
                    "scaled by the full width √d_model",
                    "A head's dot product adds d/h products, not d: scale by the root of the head's own width.",
                ),
                "1": (
                    "left the scale out",
                    "The scores of unit 2 were divided by √d_k; here d_k is the width of one head.",
                ),
                **WIDTH_MISUSED,
                "d_k": (
                    WIDTH_MISUSED["d_k"][0],
                    "The spread of the dot products grows with the root of the width. If you call"
                    " `scaled_dot_product_attention`: it divides by that root itself.",
                ),
                "8": (
                    "divided by 8, whatever the width",
                    "8 is √64, right for the paper's heads. Yours have the width d/h.",
                ),
                "√n_k": (
                    "scaled by √n, the number of tokens",
                    "The scale is about how many products a score adds up: the width of a head.",
                ),
                "√h": (
                    "scaled by √h, the number of heads",
                    "The scale is about how many products a score adds up: the width of a head, d/h.",
                ),
            },
        ),
        Mistake(
            "took the softmax over the queries",
            "Each query shares out its attention over the keys: the last axis.",
            _attend(soft=lambda s: softmax(s, -2)),
        ),
        Mistake(
            "took the softmax over the heads",
            "Each head has weights of its own that sum to 1 over the keys: the last axis.",
            _attend(soft=lambda s: softmax(s, -3)),
        ),
        Mistake(
            "took the softmax over the first axis",
            "With batch and heads in front, the keys are the last axis: axis=-1.",
            _attend(soft=lambda s: softmax(s, 0)),
        ),
        Mistake(
            "took the softmax over everything",
            "Each row sums to 1 by itself: axis=-1, keepdims=True.",
            _attend(soft=lambda s: softmax(s, None)),
        ),
        Mistake(
            "did not subtract the maximum: large scores overflow",
            "exp(1000) is infinite. Subtract each row's largest score first, as in unit 2.",
            _attend(soft=softmax_without_maximum),
        ),
        Mistake(
            "subtracted one maximum from all rows",
            "A row far below it becomes 0 / 0. Each row needs its own maximum: axis=-1, keepdims=True.",
            _attend(soft=softmax_with_one_maximum),
        ),
        Mistake(
            "let keys ask and queries answer",
            "Rows belong to the queries: Q on the left, K on its side on the right.",
            _attend(order="KQV"),
        ),
        Mistake("exchanged keys and values", "K is for matching, V for what is handed on.", _attend(order="QVK")),
        Mistake("used the queries as keys", "The keys have a projection of their own, W_k.", _attend(order="QQV")),
        Mistake(
            "handed on the keys instead of the values", "The weights mix the values: X @ W_v.", _attend(order="QKK")
        ),
        Mistake(
            "left the values unprojected", "The values are X @ W_v; X itself is not handed on.", _attend(order="QKX")
        ),
        Mistake(
            "multiplied with the transposed weights, W_o too",
            "Here it is `X @ W`. The transpose is what `nn.Linear` does with its own weights.",
            lambda X, W_q, W_k, W_v, W_o, n_heads: _attend()(X, W_q.T, W_k.T, W_v.T, W_o.T, n_heads),
        ),
        Mistake(
            "multiplied with the transposed W_q, W_k and W_v",
            "Here it is `X @ W`, and head i owns a slice of the columns of W, not of its rows.",
            lambda X, W_q, W_k, W_v, W_o, n_heads: _attend()(X, W_q.T, W_k.T, W_v.T, W_o, n_heads),
        ),
        Mistake(
            "cut X before projecting",
            "Each head's queries come from the whole width of X: project first, then split.",
            _cut_first,
        ),
        Mistake(
            "multiplied Q and K without the transpose",
            "Put K on its side: `np.swapaxes(K, -1, -2)`. Square heads hide that.",
            _attend(score=np.matmul),
        ),
        Mistake(
            "let the heads of one token attend to each other",
            "The axis of the heads has to stand before that of the tokens, else `@` compares heads instead of tokens.",
            _between_heads,
        ),
        Mistake(
            "mixed the sentences of the batch",
            "Each sentence keeps to itself: leading axes stay in front, `@` works on the last two.",
            _one_sentence,
        ),
        Mistake(
            "averaged the weights over the heads",
            "Each head's map is worth looking at: return all of them, (..., h, n, n).",
            _after(lambda output, weights: (output, weights.mean(axis=-3))),
        ),
        Mistake(
            "left the heads behind the queries in the weights",
            "The weights are (..., h, n, n): a page for each head.",
            _after(lambda output, weights: (output, np.array(np.swapaxes(weights, -2, -3)))),
        ),
        Mistake(
            "returned the weights first",
            "The order is output, weights.",
            _after(lambda output, weights: (weights, output)),
        ),
        Mistake(
            "returned the output alone",
            "Two results are asked: `return output, weights`.",
            _after(lambda output, weights: output),
        ),
        Mistake(
            "returned the scores instead of the weights",
            "The second result is what the softmax made of the scores.",
            lambda *args: (_attend()(*args)[0], _attend(soft=lambda s: s)(*args)[1]),
        ),
        Mistake(
            "accepted a number of heads that does not divide the width",
            "Columns would be lost: raise a ValueError, as in `split_heads`.",
            _dropping_columns,
        ),
    ),
    hints=(
        "Five lines: project, split, attend in every head at once, merge, W_o.",
        "`Q @ np.swapaxes(K, -1, -2)` with a heads axis in front is already all heads at once.",
    ),
)
