"""Unit 4: cases, mistakes and hints of the multi-head exercises."""

from __future__ import annotations

import math

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Init, Mistake, Tensor
from helpers.reference import u4_multi_head as reference


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def _places(n: int, d: int) -> np.ndarray:
    """Token t, column c holds 10 t + c, so that every number tells where it came from."""
    return 10.0 * np.arange(n)[:, None] + np.arange(d)


# --- split_heads -----------------------------------------------------------------------------------------


def _split_cases(rng):
    return [
        Case(
            "values", (_places(4, 6), 2), note="4 tokens of width 6, 2 heads; the number 23 stands in token 2, column 3"
        ),
        Case("values", (_normal(rng, 5, 12), 3), note="5 tokens of width 12, 3 heads"),
        Case("values", (_normal(rng, 3, 9), 3), note="3 tokens, 3 heads of width 3: everything square"),
        Case("one head", (_normal(rng, 3, 4), 1), note="3 tokens of width 4, one head"),
        Case("narrow heads", (_normal(rng, 3, 4), 4), note="3 tokens of width 4, 4 heads of width 1"),
        Case("integers", (rng.integers(-9, 10, size=(2, 6)), 3), note="whole numbers in"),
        Case("batch axes", (_normal(rng, 2, 5, 6), 3), note="2 sentences at once"),
        Case("batch axes", (_normal(rng, 2, 3, 4, 10), 5), note="2 × 3 sentences at once"),
        Case("bad arguments", (_normal(rng, 3, 6), 4), raises="ValueError", note="width 6 in 4 heads"),
        Case("bad arguments", (_normal(rng, 3, 6), 0), raises="ValueError", note="no head at all"),
    ]


def _checked(wrong):
    """`wrong(X, n_heads)` behind the reference's check of the arguments, so that it shows one mistake only."""

    def function(X, n_heads):
        reference.split_heads(X, n_heads)
        return np.array(wrong(np.asarray(X, dtype=float), n_heads))

    return function


def _split_bare(X, h):
    return X.reshape(*X.shape[:-2], h, X.shape[-2], X.shape[-1] // h)


def _split_only(X, h):
    return X.reshape(*X.shape[:-1], h, X.shape[-1] // h)


def _split_interleaved(X, h):
    return np.moveaxis(X.reshape(*X.shape[:-1], X.shape[-1] // h, h), -1, -3)


def _split_same(X, h):
    return np.stack([X[..., : X.shape[-1] // h]] * h, axis=-3)


def _split_backwards(X, h):
    return reference.split_heads(X, h)[..., ::-1, :, :]


def _split_tokens(X, h):
    return np.stack(np.split(X, h, axis=-2), axis=-3)


def _split_dropping(X, n_heads):
    X = np.asarray(X, dtype=float)
    if n_heads < 1:
        raise ValueError("n_heads must be at least 1")
    width = X.shape[-1] // n_heads
    return reference.split_heads(X[..., : n_heads * width], n_heads)


def _split_unchecked(X, n_heads):
    X = np.asarray(X, dtype=float)
    return np.array(np.swapaxes(X.reshape(*X.shape[:-1], n_heads, X.shape[-1] // n_heads), -2, -3))


SPLIT_HEADS = Exercise(
    name="split_heads",
    reference=reference.split_heads,
    cases=_split_cases,
    mistakes=(
        Mistake(
            "reshaped straight to (h, n, d/h)",
            "A bare reshape reads on row after row, so a head gets other tokens' numbers: cut the width first, then exchange the two axes.",
            _checked(_split_bare),
        ),
        Mistake(
            "cut the width, but left the heads behind the tokens",
            "You have (..., n, h, d/h). One more step: the axis of the heads and that of the tokens change places.",
            _checked(_split_only),
        ),
        Mistake(
            "dealt the columns out like cards",
            "Your head 0 has columns 0, h, 2h, ... A head takes neighbours: in the reshape, h comes before d/h.",
            _checked(_split_interleaved),
        ),
        Mistake(
            "gave the same slice to every head",
            "All your heads hold the first columns. Head i starts at column i · d/h.",
            _checked(_split_same),
        ),
        Mistake(
            "numbered the heads from the right",
            "Head 0 is the leftmost slice, columns 0 to d/h.",
            _checked(_split_backwards),
        ),
        Mistake(
            "divided the tokens among the heads",
            "Every head sees every token, and only a slice of its width: cut the last axis.",
            _checked(_split_tokens),
        ),
        Mistake(
            "took n_heads for the width of a head",
            "n_heads is how many there are; each is d / n_heads wide.",
            _checked(lambda X, h: reference.split_heads(X, X.shape[-1] // h)),
        ),
        Mistake(
            "put the heads before the batch axes",
            "The batch axes stay in front. The heads belong right before the tokens: (..., h, n, d/h).",
            _checked(lambda X, h: np.stack(np.split(X, h, axis=-1))),
        ),
        Mistake(
            "lost the batch axes",
            "Leading axes stay as they are: (2, 3, n, d) becomes (2, 3, h, n, d/h).",
            _checked(lambda X, h: np.swapaxes(X.reshape(-1, h, X.shape[-1] // h), 0, 1)),
        ),
        Mistake(
            "turned each head on its side",
            "Rows are tokens inside a head too: the last axis is d/h, the one before it n.",
            _checked(lambda X, h: np.swapaxes(reference.split_heads(X, h), -1, -2)),
        ),
        Mistake(
            "turned all axes around with .T",
            "`.T` reverses every axis. Only the heads and the tokens have to change places: `np.swapaxes(H, -2, -3)`.",
            _checked(lambda X, h: _split_only(X, h).T),
        ),
        Mistake(
            "left columns over without a word",
            "Where n_heads does not divide the width, a slice would be lost: raise a ValueError.",
            _split_dropping,
        ),
        Mistake(
            "divided by n_heads before looking at it",
            "n_heads = 0 ends in a ZeroDivisionError. Ask first whether n_heads is at least 1, and raise a ValueError if not.",
            _split_unchecked,
        ),
    ),
    hints=(
        "Two steps: cut the last axis in two, (..., n, h, d/h); then let the heads and the tokens change places.",
        "`np.swapaxes(H, -2, -3)` exchanges the two axes whatever stands before them; `.copy()` makes the result your own.",
    ),
)


# --- merge_heads -----------------------------------------------------------------------------------------


def _merge_cases(rng):
    return [
        Case(
            "values",
            (reference.split_heads(_places(4, 6), 2),),
            note="2 heads, 4 tokens, width 3 each; the number 23 belongs in token 2, column 3",
        ),
        Case("values", (_normal(rng, 3, 5, 4),), note="3 heads, 5 tokens, width 4 each"),
        Case("values", (_normal(rng, 3, 3, 3),), note="3 heads, 3 tokens, width 3 each: everything square"),
        Case("one head", (_normal(rng, 1, 3, 4),), note="one head"),
        Case("integers", (rng.integers(-9, 10, size=(3, 2, 2)),), note="whole numbers in"),
        Case("batch axes", (_normal(rng, 2, 3, 5, 2),), note="2 sentences at once"),
        Case("batch axes", (_normal(rng, 2, 3, 5, 4, 2),), note="2 × 3 sentences at once"),
    ]


def _float(wrong):
    return lambda H: np.array(wrong(np.asarray(H, dtype=float)))


def _merge_bare(H):
    return H.reshape(*H.shape[:-3], H.shape[-2], H.shape[-3] * H.shape[-1])


def _merge_interleaved(H):
    X = np.moveaxis(H, -3, -1)
    return X.reshape(*X.shape[:-2], -1)


MERGE_HEADS = Exercise(
    name="merge_heads",
    reference=reference.merge_heads,
    cases=_merge_cases,
    mistakes=(
        Mistake(
            "reshaped without exchanging the axes first",
            "In memory, all of head 0 comes before head 1. Bring the tokens in front of the heads again, then reshape.",
            _float(_merge_bare),
        ),
        Mistake(
            "averaged the heads",
            "An average makes one story of several, and the details are gone. Put the heads side by side: h · d/h columns.",
            _float(lambda H: H.mean(axis=-3)),
        ),
        Mistake(
            "added the heads up",
            "A sum keeps only d/h columns. Put the heads side by side: h · d/h columns.",
            _float(lambda H: H.sum(axis=-3)),
        ),
        Mistake(
            "put the heads below each other",
            "You have h · n rows. The tokens stay n rows; the heads stand side by side, along the last axis.",
            _float(lambda H: H.reshape(*H.shape[:-3], H.shape[-3] * H.shape[-2], H.shape[-1])),
        ),
        Mistake(
            "mixed the columns of the heads like cards",
            "Head 0 comes first with all its columns, then head 1: exchange the heads with the tokens, and leave the last axis where it is.",
            _float(_merge_interleaved),
        ),
        Mistake(
            "put the last head first",
            "Head 0 is the leftmost slice.",
            _float(lambda H: reference.merge_heads(H[..., ::-1, :, :])),
        ),
        Mistake(
            "kept the first head only",
            "Every head has something to say: h · d/h columns.",
            _float(lambda H: H[..., 0, :, :]),
        ),
        Mistake(
            "turned all axes around with .T",
            "`.T` reverses every axis. Only the heads and the tokens have to change places: `np.swapaxes(H, -2, -3)`.",
            _float(lambda H: H.T.reshape(*H.shape[:-3], H.shape[-2], -1)),
        ),
        Mistake(
            "exchanged the tokens with the columns, not with the heads",
            "The axes from the end are -1 columns, -2 tokens, -3 heads. Which two have to change places?",
            _float(lambda H: np.swapaxes(H, -1, -2).reshape(*H.shape[:-3], H.shape[-2], -1)),
        ),
        Mistake(
            "exchanged heads and tokens, and stopped there",
            "You have (..., n, h, d/h). Now the last two axes become one.",
            _float(lambda H: np.swapaxes(H, -2, -3)),
        ),
        Mistake(
            "lost the batch axes",
            "Leading axes stay as they are: (2, 3, h, n, d/h) becomes (2, 3, n, d).",
            _float(lambda H: reference.merge_heads(H).reshape(-1, H.shape[-3] * H.shape[-1])),
        ),
        Mistake(
            "turned the result on its side",
            "Tokens are rows: (..., n, d).",
            _float(lambda H: np.swapaxes(reference.merge_heads(H), -1, -2)),
        ),
    ),
    hints=(
        "Walk `split_heads` backwards: exchange heads and tokens first, then make one axis of the last two.",
        "Try it: `merge_heads(split_heads(X, 2))` has to be X again, number by number.",
    ),
)


# --- multi_head_attention --------------------------------------------------------------------------------


def _projections(rng, d):
    """Three projections that give scores of unit variance, and one back."""
    return tuple(_normal(rng, d, d) / math.sqrt(d) for _ in range(4))


def _large_scores(rng, n, d, n_heads):
    """Tokens whose scores reach ±1e4, every row with a clear winner, so that single precision finds the same one."""
    while True:
        X, Ws = 35 * _normal(rng, n, d), _projections(rng, d)
        Ws = tuple(W * 2 for W in Ws[:2]) + Ws[2:]
        Q, K = (reference.split_heads(X @ W, n_heads) for W in Ws[:2])
        scores = Q @ np.swapaxes(K, -1, -2) / math.sqrt(d // n_heads)
        ranked = np.sort(scores, axis=-1)
        clear = (ranked[..., -1] - ranked[..., -2]).min() > 60
        # Some row lies so far below the highest score of all that subtracting that one empties the row.
        if clear and (ranked[..., -1].max() - ranked[..., -1].min()) > 2000 and np.abs(scores).max() > 5000:
            return (X, *Ws, n_heads)


def _attention_cases(rng):
    return [
        Case("values", (_normal(rng, 5, 6), *_projections(rng, 6), 2), note="5 tokens of width 6, 2 heads"),
        Case("values", (_normal(rng, 4, 12), *_projections(rng, 12), 4), note="4 tokens of width 12, 4 heads"),
        Case(
            "values",
            (_normal(rng, 3, 9), *_projections(rng, 9), 3),
            note="3 tokens, 3 heads of width 3: everything square",
        ),
        Case(
            "one head",
            (_normal(rng, 4, 5), *_projections(rng, 5), 1),
            note="one head: the attention of unit 2 with projections",
        ),
        Case("integers", (rng.integers(-2, 3, size=(3, 4)), *_projections(rng, 4), 2), note="whole numbers in"),
        Case("batch axes", (_normal(rng, 2, 5, 6), *_projections(rng, 6), 3), note="2 sentences at once"),
        Case("batch axes", (_normal(rng, 2, 3, 4, 8), *_projections(rng, 8), 2), note="2 × 3 sentences at once"),
        Case("large scores", _large_scores(rng, 5, 8, 2), note="scores of several thousand"),
        Case(
            "bad arguments",
            (_normal(rng, 4, 6), *_projections(rng, 6), 4),
            raises="ValueError",
            note="width 6 in 4 heads",
        ),
        Case(
            "bad arguments", (_normal(rng, 4, 6), *_projections(rng, 6), 0), raises="ValueError", note="no head at all"
        ),
    ]


def _soft(scores, axis=-1):
    axes = tuple(range(scores.ndim)) if axis is None else axis
    e = np.exp(scores - scores.max(axis=axes, keepdims=True))
    return e / e.sum(axis=axes, keepdims=True)


def _soft_plain(scores):
    e = np.exp(scores)
    return e / e.sum(axis=-1, keepdims=True)


def _soft_one_maximum(scores):
    e = np.exp(scores - scores.max())
    return e / e.sum(axis=-1, keepdims=True)


def _by_width(function):
    """A scale that depends on the head's width alone."""
    return lambda d_k, d_model, n, h: function(d_k)


_BY_ROOT = _by_width(math.sqrt)


def _scores(Q, K):
    return Q @ np.swapaxes(K, -1, -2)


def _attend(
    order="QKV",
    split=reference.split_heads,
    merge=reference.merge_heads,
    scale=_BY_ROOT,
    score=_scores,
    soft=_soft,
    back=np.matmul,
):
    """Multi-head attention in which any one part can be exchanged for a wrong one."""

    def wrong(X, W_q, W_k, W_v, W_o, n_heads):
        X = np.asarray(X, dtype=float)
        reference.split_heads(X, n_heads)
        projected = {"Q": X @ W_q, "K": X @ W_k, "V": X @ W_v, "X": X}
        Q, K, V = (split(projected[name], n_heads) for name in order)
        weights = soft(score(Q, K) / scale(X.shape[-1] // n_heads, X.shape[-1], X.shape[-2], n_heads))
        return np.array(back(merge(weights @ V), W_o)), np.array(weights)

    return wrong


def _after(change, **parts):
    """A wrong way to hand on what multi-head attention computed."""
    return lambda *args: change(*_attend(**parts)(*args))


def _cut_first(X, W_q, W_k, W_v, W_o, n_heads):
    # A slice of X against its own block of W is a W that has nothing but these blocks.
    own = (
        np.kron(np.eye(n_heads), np.ones((len(W_q) // n_heads,) * 2)) if n_heads > 0 and len(W_q) % n_heads == 0 else 1
    )
    return _attend()(X, W_q * own, W_k * own, W_v * own, W_o, n_heads)


def _between_heads(X, W_q, W_k, W_v, W_o, n_heads):
    def merge(H):
        return H.reshape(*H.shape[:-2], -1)

    return _attend(split=_split_only, merge=merge)(X, W_q, W_k, W_v, W_o, n_heads)


def _one_sentence(X, W_q, W_k, W_v, W_o, n_heads):
    X = np.asarray(X, dtype=float)
    output, weights = _attend()(X.reshape(-1, X.shape[-1]), W_q, W_k, W_v, W_o, n_heads)
    return output.reshape(X.shape), weights


def _dropping_columns(X, W_q, W_k, W_v, W_o, n_heads):
    if n_heads < 1:
        raise ValueError("n_heads must be at least 1")
    used = X.shape[-1] // n_heads * n_heads
    if used == X.shape[-1]:
        return _attend()(X, W_q, W_k, W_v, W_o, n_heads)
    return _attend()(np.asarray(X)[..., :used], *(W[:used, :used] for W in (W_q, W_k, W_v, W_o)), n_heads)


def _mean_of_heads(H):
    return H.mean(axis=-3)


MULTI_HEAD_ATTENTION = Exercise(
    name="multi_head_attention",
    reference=reference.multi_head_attention,
    cases=_attention_cases,
    forbidden=("torch.nn.functional.scaled_dot_product_attention", "torch.nn.functional.multi_head_attention_forward"),
    mistakes=(
        Mistake(
            "reshaped straight to (h, n, d/h) when splitting",
            "A bare reshape mixes the tokens. Use your `split_heads`: cut the width, then exchange the axes.",
            _attend(split=_split_bare),
        ),
        Mistake(
            "merged the heads without exchanging the axes first",
            "Use your `merge_heads`: bring the tokens in front of the heads again, then make one axis of the last two.",
            _attend(merge=_merge_bare),
        ),
        Mistake(
            "dealt the columns out to the heads like cards",
            "A head takes neighbouring columns: in the reshape, h comes before d/h.",
            _attend(split=_split_interleaved, merge=_merge_interleaved),
        ),
        Mistake(
            "gave the same slice to every head", "Head i takes the columns from i · d/h on.", _attend(split=_split_same)
        ),
        Mistake(
            "multiplied something as wide as one head by a whole matrix",
            "W_q, W_k, W_v and W_o have d rows: project X before you split it, and put all heads next to each other before W_o.",
            _attend(merge=_mean_of_heads),
        ),
        Mistake(
            "one head of full width: never split",
            "n_heads changes nothing in your result yet: Q, K and V are split before the scores, and what the heads give is merged before W_o.",
            _attend(split=lambda X, n_heads: X, merge=lambda H: H, scale=lambda d_k, d_model, n, h: math.sqrt(d_model)),
        ),
        Mistake(
            "left W_o out",
            "Side by side the heads have not met yet. W_o mixes them, last of all.",
            _attend(back=lambda X, W: X),
        ),
        Mistake(
            "scaled by the full width √d_model",
            "A head's dot product adds d/h products, not d: scale by the root of the head's own width.",
            _attend(scale=lambda d_k, d_model, n, h: math.sqrt(d_model)),
        ),
        Mistake(
            "left the scale out",
            "The scores of unit 2 were divided by √d_k; here d_k is the width of one head.",
            _attend(scale=_by_width(lambda d_k: 1)),
        ),
        Mistake(
            "divided by d_k, not by √d_k",
            "The spread of the dot products grows with the root of the width.",
            _attend(scale=_by_width(lambda d_k: d_k)),
        ),
        Mistake(
            "multiplied by √d_k",
            "Dot products are too large in wide heads: divide.",
            _attend(scale=_by_width(lambda d_k: 1 / math.sqrt(d_k))),
        ),
        Mistake(
            "divided by 8, whatever the width",
            "8 is √64, right for the paper's heads. Yours have the width d/h.",
            _attend(scale=_by_width(lambda d_k: 8)),
        ),
        Mistake(
            "scaled by √n, the number of tokens",
            "The scale is about how many products a score adds up: the width of a head.",
            _attend(scale=lambda d_k, d_model, n, h: math.sqrt(n)),
        ),
        Mistake(
            "scaled by √h, the number of heads",
            "The scale is about how many products a score adds up: the width of a head, d/h.",
            _attend(scale=lambda d_k, d_model, n, h: math.sqrt(h)),
        ),
        Mistake(
            "took the softmax over the queries",
            "Each query shares out its attention over the keys: the last axis.",
            _attend(soft=lambda s: _soft(s, -2)),
        ),
        Mistake(
            "took the softmax over the heads",
            "Each head has weights of its own that sum to 1 over the keys: the last axis.",
            _attend(soft=lambda s: _soft(s, -3)),
        ),
        Mistake(
            "took the softmax over the first axis",
            "With batch and heads in front, the keys are the last axis: axis=-1.",
            _attend(soft=lambda s: _soft(s, 0)),
        ),
        Mistake(
            "took the softmax over everything",
            "Each row sums to 1 by itself: axis=-1, keepdims=True.",
            _attend(soft=lambda s: _soft(s, None)),
        ),
        Mistake(
            "did not subtract the maximum: large scores overflow",
            "exp(1000) is infinite. Subtract each row's largest score first, as in unit 2.",
            _attend(soft=_soft_plain),
        ),
        Mistake(
            "subtracted one maximum from all rows",
            "A row far below it becomes 0 / 0. Each row needs its own maximum: axis=-1, keepdims=True.",
            _attend(soft=_soft_one_maximum),
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


# --- count_parameters ------------------------------------------------------------------------------------


def _count_cases(rng):
    def draw(bias):
        n_heads, width = int(rng.integers(2, 7)), int(rng.integers(3, 12))
        while width == n_heads:
            width = int(rng.integers(3, 12))
        return Case(
            "values",
            (n_heads * width, n_heads, bias),
            note=f"d_model = {n_heads * width}, {n_heads} heads, {'with' if bias else 'without'} biases",
        )

    return [
        Case("values", (6, 2, False), note="d_model = 6, 2 heads, without biases"),
        Case("values", (6, 2, True), note="d_model = 6, 2 heads, with biases"),
        draw(True),
        draw(False),
        Case("one head", (12, 1, True), note="d_model = 12, one head, with biases"),
        Case("the paper's layer", (512, 8, True), note="d_model = 512, 8 heads, with biases"),
        Case("the paper's layer", (512, 8, False), note="d_model = 512, 8 heads, without biases"),
    ]


COUNT_PARAMETERS = Exercise(
    name="count_parameters",
    reference=reference.count_parameters,
    cases=_count_cases,
    mistakes=(
        Mistake(
            "forgot W_o",
            "Four linear layers: W_q, W_k, W_v, and W_o after the merge.",
            lambda d, h, bias: 3 * d * d + (3 * d if bias else 0),
        ),
        Mistake(
            "counted a full-width layer for every head",
            "A head is d_model / h wide: its projections are d_model × d_model/h, and h of them make one d_model × d_model.",
            lambda d, h, bias: h * (4 * d * d + (4 * d if bias else 0)),
        ),
        Mistake(
            "counted full-width W_q, W_k, W_v for every head, and one W_o",
            "A head is d_model / h wide: its projections are d_model × d_model/h, and h of them make one d_model × d_model.",
            lambda d, h, bias: (3 * h + 1) * (d * d + (d if bias else 0)),
        ),
        Mistake(
            "counted one head only",
            "That is one head's share. The whole layer has h of them.",
            lambda d, h, bias: 4 * d * (d // h) + (4 * (d // h) if bias else 0),
        ),
        Mistake(
            "counted W_q, W_k and W_v of one head only",
            "Every head has its own slices of W_q, W_k and W_v: h times as many.",
            lambda d, h, bias: 3 * d * (d // h) + d * d + (3 * (d // h) + d if bias else 0),
        ),
        Mistake(
            "counted the biases even without biases",
            "With bias=False the layers have matrices only.",
            lambda d, h, bias: 4 * d * d + 4 * d,
        ),
        Mistake(
            "forgot the biases",
            "With bias=True each of the four layers has d_model more.",
            lambda d, h, bias: 4 * d * d,
        ),
        Mistake(
            "gave only W_o a bias", "bias holds for all four layers.", lambda d, h, bias: 4 * d * d + (d if bias else 0)
        ),
        Mistake(
            "left the bias of W_o out",
            "bias holds for all four layers, W_o included.",
            lambda d, h, bias: 4 * d * d + (3 * d if bias else 0),
        ),
        Mistake(
            "counted one number as the bias of a layer",
            "A bias has one number for each output: d_model.",
            lambda d, h, bias: 4 * d * d + (4 if bias else 0),
        ),
        Mistake(
            "gave every head a full-width bias",
            "A head has d_model / h outputs, and as many biases: all heads together have d_model.",
            lambda d, h, bias: 4 * d * d + (4 * h * d if bias else 0),
        ),
        Mistake(
            "exchanged the two cases of bias",
            "The biases are there when bias is True.",
            lambda d, h, bias: 4 * d * d + (0 if bias else 4 * d),
        ),
        Mistake(
            "made W_o as narrow as a head",
            "W_o takes all heads side by side, d_model columns in and d_model out.",
            lambda d, h, bias: 3 * d * d + d * (d // h) + (4 * d if bias else 0),
        ),
    ),
    hints=(
        "Count one projection first: h heads, each from d_model to d_model / h.",
        "Four such layers; each bias has as many numbers as its layer has outputs.",
    ),
)


# --- MultiHeadAttention ----------------------------------------------------------------------------------

_LAYERS = ("W_q", "W_k", "W_v", "W_o")


def _weights(rng, d, bias=True, **fixed):
    """A full set of weights with scores of unit variance and biases that matter; `fixed` replaces some."""
    made = {f"{name}.weight": _normal(rng, d, d) / math.sqrt(d) for name in _LAYERS}
    if bias:
        made |= {f"{name}.bias": 0.5 * _normal(rng, d) for name in _LAYERS}
    return {name: np.asarray(fixed.get(name.replace(".", "_"), value), dtype="f4") for name, value in made.items()}


def _tensor(rng, *shape, gradient=False):
    return Tensor(_normal(rng, *shape).astype("f4"), gradient=gradient)


def _some(rng, *shape):
    """A random mask in which every row sees something and not everything."""
    while True:
        mask = rng.random(shape) < 0.6
        if mask.any(-1).all() and not mask.all(-1).any():
            return mask


def _leaky(rng, d_k=3, n_k=6, n_heads=2, gap=0.05):
    """Queries, keys and a mask in which all that may be seen scores low: about -19, -3000 and -100000.

    W_q and W_k are the identity in this case, so the tokens are the queries and keys of all heads side by side.
    """
    targets = (-19.0, -3000.0, -1e5)
    query, keys = np.zeros((n_heads, len(targets), d_k)), _normal(rng, n_heads, n_k, d_k)
    mask = np.zeros((n_heads, len(targets), n_k), dtype=bool)
    for head in range(n_heads):
        for row, target in enumerate(targets):
            while True:
                direction = _normal(rng, d_k)
                raw = keys[head] @ direction / math.sqrt(d_k)
                lowest, second, third = np.argsort(raw)[:3]
                # Two keys may be seen; they are told apart in single precision too, and are really below the rest.
                if (
                    raw[second] < -0.1
                    and raw[second] - raw[lowest] > -gap * raw[second]
                    and raw[third] - raw[second] > 0.1
                ):
                    break
            query[head, row] = direction * target / raw[second]
            mask[head, row, [lowest, second]] = True
    return (
        Tensor(reference.merge_heads(query).astype("f4")),
        Tensor(reference.merge_heads(keys).astype("f4")),
        Tensor(mask),
    )


def _module_cases(rng):
    def init(d, n_heads, bias=True, **fixed):
        return Init((d, n_heads), {} if bias else {"bias": False}, weights=_weights(rng, d, bias, **fixed))

    def triple(n_q, n_k, d, *batch, gradient=False):
        return tuple(_tensor(rng, *batch, n, d, gradient=gradient) for n in (n_q, n_k, n_k))

    empty = np.ones((2, 1, 3, 4), dtype=bool)
    empty[0, 0, 1] = empty[1, 0, 0, 2] = False
    lengths = np.arange(4) < np.array([0, 3])[:, None, None, None]
    square = _some(rng, 4, 4)
    while (square == square.T).all() or not (square.any(0).all() and square.any(1).all()):
        square = _some(rng, 4, 4)
    low_query, low_key, low_mask = _leaky(rng)
    identity = {"W_q_weight": np.eye(6), "W_k_weight": np.eye(6), "W_q_bias": np.zeros(6), "W_k_bias": np.zeros(6)}
    return [
        Case(
            "values",
            triple(5, 5, 6, 2, gradient=True),
            init=init(6, 2),
            gradients=True,
            note="2 sentences of 5 tokens, width 6, 2 heads",
        ),
        Case(
            "values",
            triple(3, 3, 9, 3),
            init=init(9, 3),
            note="3 sentences of 3 tokens, 3 heads of width 3: everything square",
        ),
        Case(
            "unequal lengths",
            triple(3, 5, 8, 2),
            init=init(8, 2),
            note="3 queries, 5 keys, 2 sentences, width 8, 2 heads",
        ),
        Case("batch axes", triple(4, 3, 6), init=init(6, 3), note="one sentence without a batch axis"),
        Case("batch axes", triple(3, 4, 4, 2, 3), init=init(4, 2), note="2 × 3 sentences at once"),
        Case(
            "without bias",
            triple(3, 4, 6, 2),
            init=init(6, 2, bias=False),
            note="bias=False: four matrices and nothing else",
        ),
        Case(
            "masks",
            (*triple(4, 4, 6, 2), Tensor(square)),
            init=init(6, 3),
            note="a mask (4, 4) for 2 sentences and 3 heads",
        ),
        Case(
            "masks",
            triple(3, 5, 8, 2),
            {"mask": Tensor(np.arange(5) < np.array([3, 4])[:, None, None, None])},
            init=init(8, 2),
            note="a padding mask (2, 1, 1, 5): 3 and 4 of 5 keys are words",
        ),
        Case(
            "masks",
            (*triple(2, 4, 6, 3), Tensor(_some(rng, 3, 2, 2, 4))),
            init=init(6, 2),
            note="a mask of its own for every head: (3, 2, 2, 4)",
        ),
        Case(
            "large scores",
            (low_query, low_key, _tensor(rng, 6, 6), low_mask),
            init=init(6, 2, **identity),
            note="all keys that may be seen score very low",
        ),
        Case(
            "empty rows",
            (*triple(3, 4, 6, 2, gradient=True), Tensor(empty)),
            init=init(6, 2, bias=False),
            gradients=True,
            note="query 1 of the first sentence may see nothing",
        ),
        Case(
            "empty rows",
            (*triple(2, 4, 4, 2), Tensor(lengths)),
            init=init(4, 2, bias=False),
            note="the first sentence has no word at all",
        ),
        Case("bad arguments", triple(2, 2, 6), init=Init((6, 4)), raises="ValueError", note="width 6 in 4 heads"),
        Case("bad arguments", triple(2, 2, 6), init=Init((6, 0)), raises="ValueError", note="no head at all"),
        Case("bad arguments", triple(2, 2, 6), init=Init((6, -2)), raises="ValueError", note="-2 heads"),
    ]


def _t_split(X, h):
    return X.unflatten(-1, (h, -1)).transpose(-3, -2)


def _t_merge(H):
    return H.transpose(-3, -2).flatten(-2)


def _t_split_bare(X, h):
    return X.reshape(*X.shape[:-2], h, X.shape[-2], X.shape[-1] // h)


def _t_merge_bare(H):
    return H.reshape(*H.shape[:-3], H.shape[-2], H.shape[-3] * H.shape[-1])


def _t_split_interleaved(X, h):
    return X.unflatten(-1, (-1, h)).movedim(-1, -3)


def _t_merge_interleaved(H):
    return H.movedim(-3, -1).flatten(-2)


def _t_split_same(X, h):
    return torch.stack([X[..., : X.shape[-1] // h]] * h, dim=-3)


def _t_masked(scores, mask):
    """The right way: a finite fill before the softmax, zeros for what is hidden after it."""
    if mask is None:
        return torch.softmax(scores, dim=-1)
    return torch.softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min), dim=-1).masked_fill(~mask, 0.0)


def _t_filled(fill, zeroed=True):
    def soft(scores, mask):
        if mask is None:
            return torch.softmax(scores, dim=-1)
        weights = torch.softmax(scores.masked_fill(~mask, fill), dim=-1)
        # The empty row is done right, so that the fill is the only thing wrong.
        return weights * mask.any(-1, keepdim=True) if zeroed else weights

    return soft


def _t_soft_over(axis):
    """Softmax over a wrong axis, with the mask right; what is hidden has no part in it."""

    def soft(scores, mask):
        hidden = torch.zeros_like(scores, dtype=torch.bool) if mask is None else (~mask).expand_as(scores)
        filled = scores.masked_fill(hidden, torch.finfo(scores.dtype).min)
        weights = (
            torch.softmax(filled.flatten(), 0).view_as(filled) if axis is None else torch.softmax(filled, dim=axis)
        )
        return weights.masked_fill(hidden, 0.0)

    return soft


def _t_after(scores, mask):
    weights = torch.softmax(scores, dim=-1)
    return weights if mask is None else weights * mask


def _t_after_renormalised(scores, mask):
    weights = _t_after(scores, mask)
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-12)


def _t_multiplied(scores, mask):
    if mask is None:
        return torch.softmax(scores, dim=-1)
    return torch.softmax(scores + (~mask).to(scores.dtype) * -torch.inf, dim=-1)


def _t_hidden_nan(scores, mask):
    if mask is None:
        return torch.softmax(scores, dim=-1)
    # Added, not filled in: masked_fill stops the gradient of what it overwrites, and with it the NaN.
    return torch.nan_to_num(torch.softmax(scores + torch.where(mask, 0.0, -torch.inf), dim=-1), nan=0.0)


def _t_indexed(scores, mask):
    if mask is not None:
        scores = scores.clone()
        scores[~mask] = -1e9
    return _t_masked(scores, mask)


def _t_on_mask(change):
    return lambda scores, mask: _t_masked(scores, mask if mask is None else change(mask))


def _t_plain(scores, mask):
    hidden = torch.zeros_like(scores, dtype=torch.bool) if mask is None else (~mask).expand_as(scores)
    e = torch.exp(scores).masked_fill(hidden, 0.0)
    return e / e.sum(-1, keepdim=True).clamp(min=1e-38)


def _t_scores(Q, K):
    return Q @ K.transpose(-1, -2)


class _Lean:
    """Four linear layers without the machinery of `nn.Module`: there are many mistakes, and a learner waits for all of them."""

    def __init__(self, d_model, n_heads, bias=True):
        reference.count_parameters(d_model, n_heads, bias)
        self.n_heads = n_heads
        self._parameters = {f"{name}.weight": torch.empty(d_model, d_model) for name in _LAYERS}
        if bias:
            self._parameters |= {f"{name}.bias": torch.empty(d_model) for name in _LAYERS}

    def state_dict(self):
        return self._parameters

    def load_state_dict(self, state):
        self._parameters = {name: value.requires_grad_() for name, value in state.items()}
        for name in _LAYERS:
            setattr(self, name, _Layer(self._parameters[f"{name}.weight"], self._parameters.get(f"{name}.bias")))

    def named_parameters(self):
        return self._parameters.items()

    def train(self, mode):
        pass

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)


class _Layer:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def __call__(self, X):
        return torch.nn.functional.linear(X, self.weight, self.bias)


def _module(
    order="QKV",
    sources="qkv",
    split=_t_split,
    merge=_t_merge,
    scale=_BY_ROOT,
    score=_t_scores,
    soft=_t_masked,
    back=lambda layer, X: layer(X),
    result=lambda output, weights: (output, weights),
):
    """A class like the reference's in which any one part can be exchanged for a wrong one."""

    class MultiHeadAttention(_Lean):
        def forward(self, query, key, value, mask=None):
            given = {"q": query, "k": key, "v": value}
            query, key, value = (given[name] for name in sources)
            projected = {"Q": self.W_q(query), "K": self.W_k(key), "V": self.W_v(value), "X": value}
            Q, K, V = (split(projected[name], self.n_heads) for name in order)
            d_model = query.shape[-1]
            weights = soft(score(Q, K) / scale(d_model // self.n_heads, d_model, key.shape[-2], self.n_heads), mask)
            return result(back(self.W_o, merge(weights @ V)), weights)

    return MultiHeadAttention


def _with_layers(make):
    """The reference with other layers; `make(d_model, n_heads, bias)` returns them by name."""

    class MultiHeadAttention(reference.MultiHeadAttention):
        def __init__(self, d_model, n_heads, bias=True):
            super().__init__(d_model, n_heads, bias)
            for name in _LAYERS:
                delattr(self, name)
            for name, layer in make(d_model, n_heads, bias).items():
                setattr(self, name, layer)

    return MultiHeadAttention


def _linears(biases):
    return _with_layers(
        lambda d, h, bias: {name: torch.nn.Linear(d, d, bias=has) for name, has in zip(_LAYERS, biases(bias))}
    )


class _NoCheck(reference.MultiHeadAttention):
    def __init__(self, d_model, n_heads, bias=True):
        super().__init__(d_model, n_heads if n_heads > 0 and d_model % n_heads == 0 else 1, bias)
        self.n_heads = n_heads

    def forward(self, query, key, value, mask=None):
        if self.n_heads < 1:
            raise ValueError("n_heads must be at least 1")
        width = query.shape[-1] // self.n_heads * self.n_heads
        if width == query.shape[-1]:
            return super().forward(query, key, value, mask)
        return query.new_zeros(query.shape), query.new_zeros(
            (*query.shape[:-2], self.n_heads, query.shape[-2], key.shape[-2])
        )


class _OnlyModulo(reference.MultiHeadAttention):
    def __init__(self, d_model, n_heads, bias=True):
        if d_model % n_heads:
            raise ValueError("n_heads must divide d_model")
        super().__init__(d_model, abs(n_heads), bias)


class _Flattened(reference.MultiHeadAttention):
    def forward(self, query, key, value, mask=None):
        if query.ndim < 4:
            return super().forward(query, key, value, mask)
        return super().forward(query.flatten(0, -3), key.flatten(0, -3), value.flatten(0, -3), mask)


MULTI_HEAD_MODULE = Exercise(
    name="MultiHeadAttention",
    reference=reference.MultiHeadAttention,
    cases=_module_cases,
    forbidden=(
        "torch.nn.functional.scaled_dot_product_attention",
        "torch.nn.functional.multi_head_attention_forward",
        "torch._native_multi_head_attention",
    ),
    mistakes=(
        # heads
        Mistake(
            "reshaped straight to (b, h, n, d_k)",
            "A bare reshape mixes the tokens: `.view(b, n, h, d_k).transpose(1, 2)` cuts the width and then exchanges the axes.",
            _module(split=_t_split_bare),
        ),
        Mistake(
            "merged the heads without the transpose",
            "Bring the tokens in front of the heads again, then flatten the last two axes.",
            _module(merge=_t_merge_bare),
        ),
        Mistake(
            "dealt the columns out to the heads like cards",
            "A head takes neighbouring columns: h comes before d_k when the last axis is cut.",
            _module(split=_t_split_interleaved, merge=_t_merge_interleaved),
        ),
        Mistake(
            "gave the same slice to every head",
            "Head i takes the columns from i · d_k on.",
            _module(split=_t_split_same),
        ),
        Mistake(
            "handed W_o the width of one head",
            "W_o wants all heads next to each other, d_model columns: merge first. Averaged or added heads are too narrow as well.",
            _module(merge=lambda H: H.mean(dim=-3)),
        ),
        Mistake(
            "left W_o out",
            "Side by side the heads have not met yet: the last step is self.W_o(...).",
            _module(back=lambda layer, X: X),
        ),
        Mistake(
            "left the bias of W_o out",
            "Call the layer, `self.W_o(x)`: that is the matrix and the bias.",
            _module(back=lambda layer, X: X @ layer.weight.T),
        ),
        Mistake(
            "used W_o's matrix without the transpose",
            "A Linear computes x Wᵀ + b. Call the layer, `self.W_o(x)`, and it is done.",
            _module(back=lambda layer, X: X @ layer.weight + (0 if layer.bias is None else layer.bias)),
        ),
        # scale
        Mistake(
            "scaled by the full width √d_model",
            "A head's dot product adds d_k = d_model / h products: scale by the root of that.",
            _module(scale=lambda d_k, d_model, n, h: math.sqrt(d_model)),
        ),
        Mistake(
            "left the scale out",
            "Divide the scores by √d_k, with the width of one head.",
            _module(scale=_by_width(lambda d_k: 1)),
        ),
        Mistake(
            "divided by d_k, not by √d_k",
            "The spread of the dot products grows with the root of the width.",
            _module(scale=_by_width(lambda d_k: d_k)),
        ),
        Mistake(
            "multiplied by √d_k",
            "Dot products are too large in wide heads: divide.",
            _module(scale=_by_width(lambda d_k: 1 / math.sqrt(d_k))),
        ),
        Mistake(
            "divided by 8, whatever the width",
            "8 is √64, right for the paper's heads. Yours have the width d_model / h.",
            _module(scale=_by_width(lambda d_k: 8)),
        ),
        Mistake(
            "scaled by √n_k, the number of keys",
            "A score adds d_k products; the number of keys has no part in it.",
            _module(scale=lambda d_k, d_model, n, h: math.sqrt(n)),
        ),
        Mistake(
            "scaled by √h, the number of heads",
            "A score adds d_k = d_model / h products: scale by the root of that.",
            _module(scale=lambda d_k, d_model, n, h: math.sqrt(h)),
        ),
        # softmax
        Mistake(
            "took the softmax over the queries",
            "Each query shares out its attention over the keys: dim=-1.",
            _module(soft=_t_soft_over(-2)),
        ),
        Mistake(
            "took the softmax over the heads",
            "Each head's weights sum to 1 over the keys: dim=-1.",
            _module(soft=_t_soft_over(-3)),
        ),
        Mistake(
            "took the softmax over the first axis",
            "With batch and heads in front, the keys are the last axis: dim=-1.",
            _module(soft=_t_soft_over(0)),
        ),
        Mistake(
            "took the softmax over everything",
            "Each row sums to 1 by itself: dim=-1.",
            _module(soft=_t_soft_over(None)),
        ),
        Mistake(
            "took exp without subtracting the maximum",
            "Large scores overflow or vanish. Subtract each row's largest score first, or let torch.softmax do it.",
            _module(soft=_t_plain),
        ),
        # who is who
        Mistake(
            "took keys and values from the query",
            "That is self-attention only. Keys come from `key`, values from `value`.",
            _module(sources="qqq"),
        ),
        Mistake(
            "took the values from the key argument",
            "Three arguments, three sources: W_v works on `value`.",
            _module(sources="qkk"),
        ),
        Mistake(
            "used W_v's result as keys and W_k's as values",
            "K is for matching, V for what is handed on.",
            _module(order="QVK"),
        ),
        Mistake(
            "handed on the keys instead of the values", "The weights mix the values: W_v(value).", _module(order="QKK")
        ),
        Mistake("left the values unprojected", "What is mixed is W_v(value), not value itself.", _module(order="QKX")),
        Mistake(
            "let keys ask and queries answer",
            "Rows belong to the queries: Q on the left, K on its side on the right.",
            _module(order="KQV", sources="qkv"),
        ),
        Mistake(
            "multiplied Q and K without the transpose",
            "Put K on its side: `K.transpose(-2, -1)`. Square heads hide that.",
            _module(score=torch.matmul),
        ),
        Mistake(
            "let the heads of one token attend to each other",
            "The axis of the heads has to stand before that of the tokens, else `@` compares heads instead of tokens.",
            _module(split=lambda X, h: X.unflatten(-1, (h, -1)), merge=lambda H: H.flatten(-2)),
        ),
        # masks
        Mistake(
            "ignored the mask, or threw the filled scores away",
            "`scores.masked_fill(...)` returns new scores: give them a name. Only `masked_fill_` works in place.",
            _module(soft=lambda s, m: torch.softmax(s, -1)),
        ),
        Mistake(
            "turned the mask around: True hides",
            "Here True means: may attend. nn.MultiheadAttention has it the other way round.",
            _module(soft=_t_on_mask(torch.logical_not)),
        ),
        Mistake(
            "masked after the softmax: rows no longer sum to 1",
            "The hidden keys have already taken their share. Hide the scores before the softmax.",
            _module(soft=_t_after),
        ),
        Mistake(
            "masked after the softmax and divided by the rest",
            "When a hidden key scores far higher, nothing is left of the others to divide. Hide the scores before the softmax.",
            _module(soft=_t_after_renormalised),
        ),
        Mistake(
            "filled hidden scores with 0",
            "e⁰ is 1, so a hidden key still counts. It needs a score whose exponential is 0.",
            _module(soft=_t_filled(0.0)),
        ),
        Mistake(
            "filled hidden scores with 0, and set their weights to 0 afterwards",
            "In the softmax e⁰ = 1 has already taken its share, so the rest no longer sums to 1. It needs a score whose exponential is 0.",
            _module(
                soft=lambda s, m: (
                    torch.softmax(s, -1)
                    if m is None
                    else torch.softmax(s.masked_fill(~m, 0.0), -1).masked_fill(~m, 0.0)
                )
            ),
        ),
        Mistake(
            "added the mask to the scores",
            "In a sum True counts as 1 and hides nothing. Choose with `masked_fill` or `torch.where`.",
            _module(soft=lambda s, m: torch.softmax(s if m is None else s + m, -1)),
        ),
        Mistake(
            "asked `if mask:`",
            "A tensor of many booleans is neither true nor false: ask `if mask is not None`.",
            _module(soft=lambda s, m: _t_masked(s, m if m else None)),
        ),
        Mistake(
            "indexed the scores with the mask, which may be smaller",
            "`scores[~mask]` does not broadcast; `scores.masked_fill(~mask, ...)` does.",
            _module(soft=_t_indexed),
        ),
        Mistake(
            "filled hidden scores with -20: it leaks",
            "A real score may be lower than -20. Take -inf or the lowest number there is.",
            _module(soft=_t_filled(-20.0)),
        ),
        Mistake(
            "filled hidden scores with -10000: it leaks",
            "A real score may be lower than that. Take -inf or the lowest number there is.",
            _module(soft=_t_filled(-1e4)),
        ),
        Mistake(
            "multiplied the mask by -inf: 0 · ∞ is NaN",
            "0 times infinity is not a number. Choose with `masked_fill` or `torch.where` instead of multiplying.",
            _module(soft=_t_multiplied),
        ),
        Mistake(
            "an empty row gives NaN",
            "With every score at -inf the softmax divides 0 by 0. Fill with the lowest finite number, and set the row to zero after the softmax.",
            _module(soft=_t_filled(-torch.inf, zeroed=False)),
        ),
        Mistake(
            "an empty row attends to everything alike",
            "With one fill everywhere the softmax shares out evenly. Set what is hidden to zero once more after the softmax.",
            _module(soft=_t_filled(-1e9, zeroed=False)),
        ),
        Mistake(
            "hid the NaN of an empty row afterwards: its gradient is still NaN",
            "Backwards the softmax of -inf is met again. Never let it see a row of only -inf: fill with a finite number, then set to zero.",
            _module(soft=_t_hidden_nan),
        ),
        Mistake(
            "turned the mask on its side",
            "Rows of the mask are queries, columns are keys: use it as it comes.",
            _module(soft=_t_on_mask(lambda m: m.transpose(-1, -2))),
        ),
        Mistake(
            "gave the mask another axis for the heads",
            "The caller's mask already broadcasts to (..., h, n_q, n_k): no unsqueeze.",
            _module(soft=_t_on_mask(lambda m: m.unsqueeze(1))),
        ),
        Mistake(
            "used the mask of the first sentence for all",
            "Let the mask broadcast as it is, without an index.",
            _module(soft=_t_on_mask(lambda m: m[:1] if m.ndim > 3 else m)),
        ),
        Mistake(
            "used the mask of the first head for all",
            "A mask may have a page for every head: let it broadcast as it is.",
            _module(soft=_t_on_mask(lambda m: m[..., :1, :, :])),
        ),
        Mistake(
            "mask=None is not expected: ~None",
            "Without a mask everyone sees everything: ask `if mask is not None` first.",
            _module(soft=lambda s, m: _t_masked(s, ~~m)),
        ),
        Mistake(
            "mask=None is not expected: mask == 0",
            "Without a mask everyone sees everything: ask `if mask is not None` first.",
            _module(soft=lambda s, m: _t_masked(s, m) if m is not None else s.masked_fill(m == 0, -torch.inf)),
        ),
        # results
        Mistake(
            "averaged the weights over the heads",
            "Each head's map is worth looking at: return all of them.",
            _module(result=lambda o, w: (o, w.mean(-3))),
        ),
        Mistake("returned the weights first", "The order is output, weights.", _module(result=lambda o, w: (w, o))),
        Mistake(
            "returned the output alone",
            "Two results are asked: `return output, weights`.",
            _module(result=lambda o, w: o),
        ),
        Mistake(
            "lost the batch axes",
            "Any number of axes may come before the tokens: use negative axes, -1, -2, -3.",
            _Flattened,
        ),
        # parameters
        Mistake(
            "ignored the argument bias", "Hand it on to every Linear: bias=bias.", _linears(lambda bias: (True,) * 4)
        ),
        Mistake(
            "made all layers without biases",
            "With bias=True, the default, every Linear has one: bias=bias.",
            _linears(lambda bias: (False,) * 4),
        ),
        Mistake(
            "gave W_o a bias whatever was asked",
            "bias holds for all four layers, W_o included.",
            _linears(lambda bias: (bias, bias, bias, True)),
        ),
        Mistake(
            "never gave W_o a bias",
            "bias holds for all four layers, W_o included.",
            _linears(lambda bias: (bias, bias, bias, False)),
        ),
        Mistake(
            "made projections of one head's width",
            "Each layer serves all heads at once, side by side: from d_model to d_model.",
            _with_layers(
                lambda d, h, bias: {
                    n: torch.nn.Linear(d, d // h, bias=bias) if n != "W_o" else torch.nn.Linear(d, d, bias=bias)
                    for n in _LAYERS
                }
            ),
        ),
        Mistake(
            "accepted a number of heads that does not divide the width",
            "Ask in __init__ whether d_model % n_heads is 0, and raise a ValueError if not.",
            _NoCheck,
        ),
        Mistake(
            "did not check that n_heads is at least 1",
            "d_model % n_heads fails for 0 and lets -2 through: ask `n_heads < 1` before it.",
            _OnlyModulo,
        ),
    ),
    hints=(
        "The lines of `multi_head_attention` again, with `self.W_q(query)` for `X @ W_q` and `transpose` for `swapaxes`.",
        "Try it without a mask first, then with one, then with a row that may see nothing.",
    ),
)


# --- convert_torch_weights -------------------------------------------------------------------------------


def _torch_state(rng, d, bias=True):
    state = {"in_proj_weight": _normal(rng, 3 * d, d), "out_proj.weight": _normal(rng, d, d)}
    if bias:
        state |= {"in_proj_bias": _normal(rng, 3 * d), "out_proj.bias": _normal(rng, d)}
    return {name: Tensor(value.astype("f4")) for name, value in state.items()}


def _convert_cases(rng):
    return [
        Case("values", (_torch_state(rng, 6),), note="d_model = 6, with biases"),
        Case("values", (_torch_state(rng, 4),), note="d_model = 4, with biases"),
        Case(
            "without bias",
            (_torch_state(rng, 6, bias=False),),
            note="d_model = 6, bias=False: two matrices and nothing else",
        ),
    ]


def _converted(
    order=(0, 1, 2),
    cut=lambda w: w.chunk(3),
    turn=lambda w: w,
    turn_out=lambda w: w,
    biases=lambda state: "out_proj.bias" in state,
    name="{}.{}",
):
    """A conversion in which any one part can be exchanged for a wrong one."""

    def wrong(state):
        result = {}
        for kind in ("weight", "bias") if biases(state) else ("weight",):
            stacked = state[f"in_proj_{kind}"]
            parts = (
                cut(stacked)
                if kind == "weight" or cut(stacked[:, None])[0].shape[0] * 3 != len(stacked)
                else [p[:, 0] for p in cut(stacked[:, None])]
            )
            for layer, place in zip(_LAYERS, order):
                result[name.format(layer, kind)] = (turn(parts[place]) if kind == "weight" else parts[place]).clone()
            out = state[f"out_proj.{kind}"]
            result[name.format("W_o", kind)] = (turn_out(out) if kind == "weight" else out).clone()
        return result

    return wrong


def _whole(state):
    return {k: v.clone() for k, v in state.items()}


def _renamed_only(state):
    return {key.replace("in_proj_", "W_q.").replace("out_proj", "W_o"): value.clone() for key, value in state.items()}


def _cut_columns(state):
    right = reference.convert_torch_weights(state)
    parts = state["in_proj_weight"].chunk(3, dim=1)
    return {k: v.clone() for k, v in right.items()} | {f"{n}.weight": p.clone() for n, p in zip(_LAYERS, parts)}


def _columns_side_by_side(state):
    right = reference.convert_torch_weights(state)
    d = state["in_proj_weight"].shape[1]
    parts = state["in_proj_weight"].reshape(d, 3 * d).chunk(3, dim=1)
    return {k: v.clone() for k, v in right.items()} | {f"{n}.weight": p.clone() for n, p in zip(_LAYERS, parts)}


def _not_cut(state):
    result = {f"{n}.weight": state["in_proj_weight"].clone() for n in _LAYERS[:3]} | {
        "W_o.weight": state["out_proj.weight"].clone()
    }
    if "in_proj_bias" in state:
        result |= {f"{n}.bias": state["in_proj_bias"].clone() for n in _LAYERS[:3]} | {
            "W_o.bias": state["out_proj.bias"].clone()
        }
    return result


def _bias_of(order, state):
    right = {k: v.clone() for k, v in reference.convert_torch_weights(state).items()}
    if "in_proj_bias" in state:
        parts = state["in_proj_bias"].chunk(3)
        right |= {f"{n}.bias": parts[i].clone() for n, i in zip(_LAYERS, order)}
    return right


def _zero_biases(state):
    right = {k: v.clone() for k, v in reference.convert_torch_weights(state).items()}
    return right | {f"{n}.bias": right.get(f"{n}.bias", torch.zeros(right["W_o.weight"].shape[0])) for n in _LAYERS}


_TURN = "Both sides are Linear weights, (out, in), and both compute x Wᵀ: nothing is transposed."

CONVERT_TORCH_WEIGHTS = Exercise(
    name="convert_torch_weights",
    reference=reference.convert_torch_weights,
    cases=_convert_cases,
    may_share_memory=True,
    mistakes=(
        Mistake(
            "took the parts as k, q, v",
            "From top to bottom the rows of in_proj_weight belong to query, key, value.",
            _converted((1, 0, 2)),
        ),
        Mistake(
            "took the parts as q, v, k",
            "From top to bottom the rows of in_proj_weight belong to query, key, value.",
            _converted((0, 2, 1)),
        ),
        Mistake(
            "took the parts as v, k, q",
            "From top to bottom the rows of in_proj_weight belong to query, key, value.",
            _converted((2, 1, 0)),
        ),
        Mistake(
            "took the parts as k, v, q",
            "From top to bottom the rows of in_proj_weight belong to query, key, value.",
            _converted((2, 0, 1)),
        ),
        Mistake(
            "took the parts as v, q, k",
            "From top to bottom the rows of in_proj_weight belong to query, key, value.",
            _converted((1, 2, 0)),
        ),
        Mistake(
            "used the first part for all three", "Three parts: rows 0 to d, d to 2d, 2d to 3d.", _converted((0, 0, 0))
        ),
        Mistake("transposed the three input weights", _TURN, _converted(turn=lambda w: w.T)),
        Mistake("transposed the output weight", _TURN, _converted(turn_out=lambda w: w.T)),
        Mistake("transposed all four weights", _TURN, _converted(turn=lambda w: w.T, turn_out=lambda w: w.T)),
        Mistake(
            "did not cut the stacked weights",
            "in_proj_weight has 3·d rows: the first d are W_q's, the next W_k's, the last W_v's.",
            _not_cut,
        ),
        Mistake(
            "renamed the stacked weights to W_q",
            "in_proj_weight is three matrices in one: cut its rows in three, and the bias too.",
            _renamed_only,
        ),
        Mistake(
            "cut the columns, not the rows", "The three matrices lie below each other: cut along axis 0.", _cut_columns
        ),
        Mistake(
            "reshaped the stack to (d, 3d) and cut the columns",
            "A reshape mixes the rows of the three. Cut the stack as it is, along axis 0.",
            _columns_side_by_side,
        ),
        Mistake(
            "dealt the rows out like cards",
            "Neighbouring rows belong together: the first d are W_q's.",
            _converted(cut=lambda w: [w[i::3] for i in range(3)]),
        ),
        Mistake(
            "forgot the biases",
            "in_proj_bias is cut in three like the weight, and out_proj.bias is W_o's.",
            _converted(biases=lambda state: False),
        ),
        Mistake(
            "expected biases always",
            "A layer made with bias=False has none: look whether the key is there.",
            _converted(biases=lambda state: True),
        ),
        Mistake(
            "made zeros where there are no biases",
            "Without biases exactly four keys are asked, for a module made with bias=False.",
            _zero_biases,
        ),
        Mistake(
            "cut the bias in another order than the weight",
            "in_proj_bias is stacked like in_proj_weight: query, key, value.",
            lambda state: _bias_of((1, 0, 2), state),
        ),
        Mistake(
            "gave all three the first part of the bias",
            "in_proj_bias is stacked like in_proj_weight: cut it in three.",
            lambda state: _bias_of((0, 0, 0), state),
        ),
        Mistake(
            "kept the old keys beside the new ones",
            "`load_state_dict` refuses keys it does not know: begin with an empty dict.",
            lambda state: _whole(state) | _whole(reference.convert_torch_weights(state)),
        ),
        Mistake(
            "kept the name out_proj",
            "The last layer is called W_o in your class.",
            lambda state: {
                k.replace("W_o", "out_proj"): v.clone() for k, v in reference.convert_torch_weights(state).items()
            },
        ),
        Mistake(
            "left .weight and .bias out of the names",
            "A Linear called W_q has the keys W_q.weight and W_q.bias.",
            lambda state: {
                k.replace(".weight", ""): v.clone()
                for k, v in reference.convert_torch_weights(state).items()
                if ".weight" in k
            },
        ),
        Mistake("returned the state as it was", "The keys have to become those of your class.", _whole),
    ),
    hints=(
        "Print the shapes: `{k: v.shape for k, v in state.items()}`. Which axis of in_proj_weight is three times as long?",
        "`state['in_proj_weight'].chunk(3)` gives the rows of query, key and value in this order; the bias likewise, if it is there.",
    ),
)


EXERCISES = (SPLIT_HEADS, MERGE_HEADS, MULTI_HEAD_ATTENTION, COUNT_PARAMETERS, MULTI_HEAD_MODULE, CONVERT_TORCH_WEIGHTS)
