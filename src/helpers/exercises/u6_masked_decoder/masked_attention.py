"""`masked_attention`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake, Tensor
from helpers.reference import u6_masked_decoder as reference

from .common import f4, normal


def _some_mask(rng: np.random.Generator, *shape: Any) -> Any:
    """A random mask in which every query sees something and something is hidden from it."""
    mask = rng.random(shape) < 0.5
    seen = rng.integers(shape[-1], size=shape[:-1])
    hidden = (seen + rng.integers(1, shape[-1], size=shape[:-1])) % shape[-1]
    np.put_along_axis(mask, seen[..., None], True, axis=-1)
    np.put_along_axis(mask, hidden[..., None], False, axis=-1)
    return Tensor(mask)


def _far_apart(rng: np.random.Generator, *drops: Any) -> Any:
    """Queries to which the allowed keys score lower than the hidden ones, by one drop for each query.

    d_k is 16 and everything a whole number, so that every order of scaling gives exactly the same scores.
    """
    n_keys = 5
    allowed = rng.permutation(np.array([True, True, True, False, False]))
    Q, K = np.zeros((len(drops), 16)), np.zeros((n_keys, 16))
    Q[:, 0], Q[:, 1] = -np.array(drops), 4
    K[:, 0], K[:, 1] = 4 * allowed, rng.permutation(n_keys) - 2
    K[:, 2:] = rng.integers(-3, 4, size=(n_keys, 14))
    return f4(Q), f4(K), normal(rng, n_keys, 3), Tensor(np.tile(allowed, (len(drops), 1)))


def _masked_cases(rng: np.random.Generator) -> list[Case]:
    empty = np.tri(4, 5, 1, dtype=bool)
    empty[rng.integers(4)] = False
    lengths = np.array([4, 0, int(rng.integers(1, 4))])
    padding = (np.arange(4) < lengths[:, None])[:, None, None, :]
    return [
        Case(
            "values",
            (*(normal(rng, *s) for s in ((3, 6), (5, 6), (5, 2))), _some_mask(rng, 3, 5)),
            note="3 queries, 5 keys, d_k = 6, d_v = 2",
        ),
        Case(
            "values",
            (*(normal(rng, 4, 4) for _ in range(3)), Tensor(np.tri(4, dtype=bool))),
            note="4 words and a causal mask: everything square",
        ),
        Case(
            "batch axes",
            (*(normal(rng, *s) for s in ((2, 3, 4, 6), (2, 3, 5, 6), (2, 3, 5, 3))), _some_mask(rng, 2, 1, 1, 5)),
            note="2 sentences, 3 heads, a padding mask (2, 1, 1, 5)",
        ),
        Case(
            "batch axes",
            (*(normal(rng, *s) for s in ((2, 4, 6), (2, 5, 6), (2, 5, 3))), _some_mask(rng, 4, 5)),
            note="2 sentences, one mask (4, 5) for both",
        ),
        Case("hidden words score high", _far_apart(rng, 25, 26), note="allowed scores near -25, hidden ones near 0"),
        Case(
            "hidden words score high",
            _far_apart(rng, 10_001, 100_000),
            note="allowed scores near -10,000 and -100,000, hidden ones near 0",
        ),
        Case("large scores", _far_apart(rng, -200), note="allowed scores near 200"),
        Case(
            "zero scores",
            (f4(np.zeros((2, 6))), *(normal(rng, *s) for s in ((5, 6), (5, 2))), _some_mask(rng, 2, 5)),
            note="queries of zeros: all scores are 0, and the visible words share evenly",
        ),
        Case(
            "empty rows",
            (*(normal(rng, *s) for s in ((4, 6), (5, 6), (5, 3))), Tensor(empty)),
            note="one of 4 queries may see nothing",
        ),
        Case(
            "empty rows",
            (*(normal(rng, *s) for s in ((3, 2, 2, 6), (3, 2, 4, 6), (3, 2, 4, 3))), Tensor(padding)),
            note="one of 3 sentences is all padding",
        ),
        Case(
            "gradients",
            (*(normal(rng, *s, gradient=True) for s in ((3, 6), (5, 6), (5, 2))), _some_mask(rng, 3, 5)),
            gradients=True,
            note="gradients of Q, K and V",
        ),
        Case(
            "gradients",
            (*(normal(rng, *s, gradient=True) for s in ((4, 6), (5, 6), (5, 3))), Tensor(empty)),
            gradients=True,
            note="one of 4 queries may see nothing: its gradients are zero",
        ),
    ]


def _attention(weigh: Any, scale: Any = lambda Q, K, V: math.sqrt(Q.shape[-1])) -> Any:
    """Attention with `weigh(scores, mask)` in the place of masking and softmax."""

    def wrong(Q: Any, K: Any, V: Any, mask: Any) -> Any:
        weights = weigh(Q @ K.transpose(-2, -1) / scale(Q, K, V), mask)
        return weights @ V, weights

    return wrong


def _right_weights(scores: Any, mask: Any) -> Any:
    return torch.softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min), -1).masked_fill(~mask, 0)


def _filled(value: Any, zero_empty: Any = True) -> Any:
    """The softmax after a fill of `value`; rows that see nothing are zeros, so that only the fill is wrong."""

    def weigh(scores: Any, mask: Any) -> Any:
        weights = torch.softmax(scores.masked_fill(~mask, value), -1)
        return weights.masked_fill(~mask.any(-1, keepdim=True), 0) if zero_empty else weights

    return weigh


def _renormalised(scores: Any, mask: Any) -> Any:
    weights = torch.softmax(scores, -1) * mask
    total = weights.sum(-1, keepdim=True)
    return weights / total.masked_fill(~mask.any(-1, keepdim=True), 1)


def _scaled(name: Any, hint: Any, scale: Any) -> Any:
    return Mistake(name, hint, _attention(_right_weights, scale))


def _weights_first(Q: Any, K: Any, V: Any, mask: Any) -> Any:
    output, weights = reference.masked_attention(Q, K, V, mask)
    return weights, output


def _no_transpose(Q: Any, K: Any, V: Any, mask: Any) -> Any:
    weights = _right_weights(Q @ K / math.sqrt(Q.shape[-1]), mask)
    return weights @ V, weights


EXERCISE = Exercise(
    name="masked_attention",
    reference=reference.masked_attention,
    cases=_masked_cases,
    forbidden=("torch.nn.functional.scaled_dot_product_attention", "torch.nn.functional.multi_head_attention_forward"),
    mistakes=(
        Mistake(
            "the mask works the wrong way round",
            "True means “may attend”: what has to be filled with something very negative is where the mask is False,"
            " `~mask`.",
            _attention(lambda s, m: _right_weights(s, ~m)),
        ),
        Mistake(
            "the mask has no effect",
            "`scores.masked_fill(...)` returns a new tensor and leaves `scores` as it was. Is its result used?",
            _attention(lambda s, m: torch.softmax(s, -1)),
        ),
        Mistake(
            "masked after the softmax: the rows no longer sum to 1",
            "The softmax has given weight to the hidden words already. Hide them before, in the scores.",
            _attention(lambda s, m: torch.softmax(s, -1) * m),
        ),
        Mistake(
            "masked after the softmax and divided by what was left",
            "When a hidden word scores much higher, nothing is left to divide: 0/0. Hide it before the softmax, in the"
            " scores.",
            _attention(_renormalised),
        ),
        Mistake(
            "masked after the softmax and divided by what was left plus a small number",
            "When a hidden word scores much higher, nothing is left to divide. Hide it before the softmax, in the"
            " scores.",
            _attention(lambda s, m: (w := torch.softmax(s, -1) * m) / (w.sum(-1, keepdim=True) + 1e-9)),
        ),
        Mistake(
            "multiplied the scores with the mask: a score of 0 is not hidden",
            "exp(0) is 1, so a score of 0 still gets weight. What score has an exponential of 0?",
            _attention(lambda s, m: torch.softmax(s * m, -1).masked_fill(~m.any(-1, keepdim=True), 0)),
        ),
        Mistake(
            "hid every score that is 0",
            "A visible word may score 0 as well. Ask the mask what is hidden, not the scores.",
            _attention(
                lambda s, m: torch.softmax((s * m).masked_fill(s * m == 0, torch.finfo(s.dtype).min), -1).masked_fill(
                    s * m == 0, 0
                )
            ),
        ),
        Mistake(
            "filled with -20: hidden words leak through",
            "A visible word may score lower than that, and then the hidden one wins. Fill with -∞, or the most negative"
            " number there is.",
            _attention(_filled(-20.0)),
        ),
        Mistake(
            "filled with a number like -100 or -1,000: hidden words leak through",
            "A visible word may score lower than that, and then the hidden one wins. Fill with -∞, or the most negative"
            " number there is.",
            _attention(_filled(-1e3)),
        ),
        Mistake(
            "filled with -65,504, the lowest number of float16: hidden words leak through",
            "A visible word may score lower than that in float32. Fill with -∞, or with"
            " `torch.finfo(scores.dtype).min`.",
            _attention(_filled(-65504.0)),
        ),
        Mistake(
            "filled with -10,000: hidden words leak through",
            "A visible word may score lower than that, and then the hidden one wins. Fill with -∞, or the most negative"
            " number there is.",
            _attention(_filled(-1e4)),
        ),
        Mistake(
            "0 times -∞ is NaN",
            "Multiplying the mask with -∞ spoils the visible places: 0 · ∞ is not a number. Choose instead of"
            " multiplying: `masked_fill` or `torch.where`.",
            _attention(lambda s, m: torch.softmax(s + (~m) * -math.inf, -1)),
        ),
        Mistake(
            "a row that sees nothing gives NaN",
            "Where all scores are -∞ the softmax divides 0 by 0. A query that may see nothing has zero weights, all of"
            " them.",
            _attention(_filled(-math.inf, zero_empty=False)),
        ),
        Mistake(
            "a row that sees nothing attends to everything alike",
            "With one number in all places, the softmax shares evenly. A query that may see nothing has zero weights:"
            " set hidden weights to 0 afterwards.",
            _attention(_filled(-1e9, zero_empty=False)),
        ),
        Mistake(
            "a row that sees nothing has a zero output, but its weights are not zero",
            "Set the hidden weights to 0 before they meet V; then the output follows by itself.",
            lambda Q, K, V, mask: (
                reference.masked_attention(Q, K, V, mask)[0],
                _filled(-1e9, zero_empty=False)(Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1]), mask),
            ),
        ),
        Mistake(
            "NaN hidden afterwards: the gradients are still NaN",
            "`nan_to_num` mends the values, not the way back: adding -∞ lets the NaN pass. Fill with a finite number,"
            " and set hidden weights to 0.",
            _attention(
                lambda s, m: torch.nan_to_num(torch.softmax(s + torch.zeros(m.shape).masked_fill(~m, -math.inf), -1))
            ),
        ),
        Mistake(
            "softmax over the queries",
            "Each query shares out its own weight of 1 among the keys: over the last axis.",
            _attention(lambda s, m: torch.softmax(s.masked_fill(~m, torch.finfo(s.dtype).min), -2).masked_fill(~m, 0)),
        ),
        Mistake(
            "no maximum subtracted: the exponential runs over or under",
            "exp(-100) is 0 in float32 already. Subtract the largest visible score of each row first, or use"
            " `torch.softmax`.",
            _attention(lambda s, m: _plain_exp(s, m)),
        ),
        Mistake(
            "forgot the transpose: Q @ K",
            "The keys are rows: put K on its side. Square shapes hide this.",
            _no_transpose,
        ),
        Mistake(
            "returned the weights first",
            "The output comes first, then the weights: `return output, weights`.",
            _weights_first,
        ),
        _scaled("did not scale the scores", "Divide the scores by √d_k, as in unit 2.", lambda Q, K, V: 1),
        _scaled("divided by d_k, not by √d_k", "It is the root of the width.", lambda Q, K, V: Q.shape[-1]),
        _scaled(
            "divided by √d_v",
            "The scores are sums over d_k products: the width of the queries counts.",
            lambda Q, K, V: math.sqrt(V.shape[-1]),
        ),
        _scaled(
            "divided by √n_k",
            "The scores are sums over d_k products: the width counts, not the number of keys.",
            lambda Q, K, V: math.sqrt(K.shape[-2]),
        ),
        _scaled(
            "multiplied by √d_k",
            "Scaling makes the scores smaller: divide.",
            lambda Q, K, V: 1 / math.sqrt(Q.shape[-1]),
        ),
        _scaled("divided by 8, whatever the width", "8 is √64, for one particular width.", lambda Q, K, V: 8),
    ),
    hints=(
        (
            "Scores as in unit 2, then make the hidden scores so low that the softmax gives them nothing, then the"
            " softmax."
        ),
        (
            "`scores.masked_fill(~mask, ...)`; then look at a row in which everything is hidden: what does the softmax"
            " make of it, and what should it be?"
        ),
    ),
)


def _plain_exp(scores: Any, mask: Any) -> Any:
    e = torch.exp(scores) * mask
    return e / e.sum(-1, keepdim=True).masked_fill(~mask.any(-1, keepdim=True), 1)
