"""`masked_attention`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake, Tensor, in_parts
from helpers.reference import u6_masked_decoder as reference

from ..attention import Scale, root_of_width, scale_mistakes, transposed
from ..common import (
    READY_MADE_ATTENTION,
    Answer,
    attention_tensors,
    causal,
    normal_tensor,
    padding,
    random_mask,
    tensor,
)
from ..masking import (
    Weigh,
    fill_of,
    filled,
    mask_ignored,
    mask_times_infinity,
    masked_after,
    masked_softmax,
    nan_hidden,
    softmax_less,
    softmax_over,
    turned_around,
    with_mask,
    zeroed,
)


def _far_apart(rng: np.random.Generator, *drops: float, step: int = 1) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Queries to which the allowed keys score lower than the hidden ones, by one drop for each query.

    The allowed ones are `step` apart or more. d_k is 16 and everything a whole number, so that every order of scaling
    gives exactly the same scores.
    """
    n_keys = 5
    allowed = rng.permutation(np.array([True, True, True, False, False]))
    Q, K = np.zeros((len(drops), 16)), np.zeros((n_keys, 16))
    Q[:, 0], Q[:, 1] = -np.array(drops), 4
    K[:, 0], K[:, 1] = 4 * allowed, step * (rng.permutation(n_keys) - 2)
    K[:, 2:] = rng.integers(-3, 4, size=(n_keys, 14))
    return tensor(Q), tensor(K), normal_tensor(rng, n_keys, 3), Tensor(np.tile(allowed, (len(drops), 1)))


def _masked_cases(rng: np.random.Generator) -> list[Case]:
    empty = np.tri(4, 5, 1, dtype=bool)
    empty[rng.integers(4)] = False
    lengths = np.array([4, 0, int(rng.integers(1, 4))])
    return [
        Case(
            "values",
            (*attention_tensors(rng, 3, 5, 6, 2), random_mask(rng, 3, 5)),
            note="3 queries, 5 keys, d_k = 6, d_v = 2",
        ),
        Case(
            "values",
            (*attention_tensors(rng, 4, 4, 4, 4), causal(4)),
            note="4 words and a causal mask: everything square",
        ),
        Case(
            "batch axes",
            (*attention_tensors(rng, 4, 5, 6, 3, (2, 3)), random_mask(rng, 2, 1, 1, 5)),
            note="2 sentences, 3 heads, a padding mask (2, 1, 1, 5)",
        ),
        Case(
            "batch axes",
            (*attention_tensors(rng, 4, 5, 6, 3, (2,)), random_mask(rng, 4, 5)),
            note="2 sentences, one mask (4, 5) for both",
        ),
        Case("hidden words score high", _far_apart(rng, 25, 26), note="allowed scores near -25, hidden ones near 0"),
        Case(
            "hidden words score high",
            # So far apart that one of them takes all: nothing else can be asked of numbers with seven digits.
            _far_apart(rng, 3_000, 10_101, 100_000, step=40),
            note="allowed scores near -3,000, -10,000 and -100,000, hidden ones near 0",
        ),
        Case("large scores", _far_apart(rng, -200), note="allowed scores near 200"),
        Case(
            "zero scores",
            (tensor(np.zeros((2, 6))), normal_tensor(rng, 5, 6), normal_tensor(rng, 5, 2), random_mask(rng, 2, 5)),
            note="queries of zeros: all scores are 0, and the visible words share evenly",
        ),
        Case(
            "empty rows",
            (*attention_tensors(rng, 4, 5, 6, 3), Tensor(empty)),
            note="one of 4 queries may see nothing",
        ),
        Case(
            "empty rows",
            (*attention_tensors(rng, 2, 4, 6, 3, (3, 2)), padding(lengths, 4)),
            note="one of 3 sentences is all padding",
        ),
        Case(
            "gradients",
            (*attention_tensors(rng, 3, 5, 6, 2, gradient=True), random_mask(rng, 3, 5)),
            gradients=True,
            note="gradients of Q, K and V",
        ),
        Case(
            "gradients",
            (*attention_tensors(rng, 4, 5, 6, 3, gradient=True), Tensor(empty)),
            gradients=True,
            note="one of 4 queries may see nothing: its gradients are zero",
        ),
        Case(
            "masks",
            (*attention_tensors(rng, 4, 5, 6, 3, (2, 3)), random_mask(rng, 2, 3, 4, 5)),
            note="2 sentences, 3 heads, a mask for each: (2, 3, 4, 5)",
        ),
        Case(
            "masks",
            (*attention_tensors(rng, 4, 5, 6, 3, (2, 3)), random_mask(rng, 3, 4, 5)),
            note="a mask for each of 3 heads, the same for 2 sentences: (3, 4, 5)",
        ),
        Case(
            "masks",
            (*attention_tensors(rng, 4, 5, 6, 3, (2, 3)), random_mask(rng, 2, 1, 4, 5)),
            note="a mask for each of 2 sentences, the same for 3 heads: (2, 1, 4, 5)",
        ),
        Case(
            "empty rows",
            (*attention_tensors(rng, 3, 5, 6, 3), Tensor(np.array([[True], [False], [True]]))),
            note="a mask (3, 1): two queries see every key, one sees none",
        ),
        Case(
            "axes of length one",
            (*attention_tensors(rng, 1, 1, 1, 1, (1,)), Tensor(np.ones((1, 1), dtype=bool))),
            note="one sentence of one word, d_k = d_v = 1",
        ),
    ]


@in_parts
def _attention(weigh: Weigh = masked_softmax, scale: Scale = root_of_width) -> Answer:
    """Attention with `weigh(scores, mask)` in the place of masking and softmax, or another scale."""

    def wrong(Q: Any, K: Any, V: Any, mask: Any) -> Any:
        weights = weigh(Q @ transposed(K) / scale(Q, K, V), mask)
        return weights @ V, weights

    return wrong


def _renormalised(scores: Any, mask: Any) -> Any:
    weights = masked_after(scores, mask)
    total = weights.sum(-1, keepdim=True)
    return weights / total.masked_fill(~mask.any(-1, keepdim=True), 1)


def _renormalised_safely(scores: Any, mask: Any) -> Any:
    weights = masked_after(scores, mask)
    return weights / (weights.sum(-1, keepdim=True) + 1e-9)


def _renormalised_with_a_floor(scores: Any, mask: Any) -> Any:
    weights = masked_after(scores, mask)
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-9)


def _zeroed_after(fill: float) -> Weigh:
    """A fill that is too high, and the weights of what is hidden set to 0 afterwards."""
    return lambda scores, mask: zeroed(filled(scores, mask, fill).softmax(-1), mask)


def _multiplied(scores: Any, mask: Any) -> Any:
    return (scores * mask).softmax(-1).masked_fill(~mask.any(-1, keepdim=True), 0)


def _multiplied_only(scores: Any, mask: Any) -> Any:
    return (scores * mask).softmax(-1)


def _multiplied_twice(scores: Any, mask: Any) -> Any:
    return zeroed((scores * mask).softmax(-1), mask)


def _zero_scores_hidden(scores: Any, mask: Any) -> Any:
    return masked_softmax(scores, mask & (scores != 0))


def _weights_first(Q: Any, K: Any, V: Any, mask: Any) -> Any:
    output, weights = reference.masked_attention(Q, K, V, mask)
    return weights, output


def _no_transpose(Q: Any, K: Any, V: Any, mask: Any) -> Any:
    weights = masked_softmax(Q @ K / math.sqrt(Q.shape[-1]), mask)
    return weights @ V, weights


_TOO_HIGH = (
    "A visible word may score lower than that. Then the softmax gives the weight to the hidden one, and setting it to 0"
    " afterwards leaves nothing. Fill with -∞, or the most negative number there is."
)

EXERCISE = Exercise(
    name="masked_attention",
    reference=reference.masked_attention,
    cases=_masked_cases,
    forbidden=READY_MADE_ATTENTION,
    mistakes=(
        Mistake(
            "the mask works the wrong way round",
            "True means “may attend”: what has to be filled with something very negative is where the mask is False,"
            " `~mask`.",
            _attention(with_mask(turned_around)),
        ),
        Mistake(
            "the mask has no effect",
            "`scores.masked_fill(...)` returns a new tensor and leaves `scores` as it was. Is its result used?",
            _attention(mask_ignored),
        ),
        Mistake(
            "masked after the softmax: the rows no longer sum to 1",
            "The softmax has given weight to the hidden words already. Hide them before, in the scores.",
            _attention(masked_after),
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
            _attention(_renormalised_safely),
        ),
        Mistake(
            "masked after the softmax and divided by what was left, or by a small number where that is less",
            "When a hidden word scores much higher, what is left is lost in the small number. Hide it before the"
            " softmax, in the scores.",
            _attention(_renormalised_with_a_floor),
        ),
        Mistake(
            "multiplied the scores with the mask: a score of 0 is not hidden",
            "exp(0) is 1, so a score of 0 still gets weight. What score has an exponential of 0?",
            _attention(_multiplied),
        ),
        Mistake(
            "multiplied the scores with the mask, and nothing else: a score of 0 is not hidden",
            "exp(0) is 1, so a score of 0 still gets weight. What score has an exponential of 0?",
            _attention(_multiplied_only),
        ),
        Mistake(
            "multiplied the scores with the mask, and the weights as well",
            "exp(0) is 1, so a score of 0 takes its share in the softmax, and setting that weight to 0 afterwards does"
            " not give it back. What score has an exponential of 0?",
            _attention(_multiplied_twice),
        ),
        Mistake(
            "hid every score that is 0",
            "A visible word may score 0 as well. Ask the mask what is hidden, not the scores.",
            _attention(_zero_scores_hidden),
        ),
        Mistake(
            "filled with -20: hidden words leak through",
            "A visible word may score lower than that, and then the hidden one wins. Fill with -∞, or the most negative"
            " number there is.",
            _attention(fill_of(-20.0)),
        ),
        Mistake(
            "filled with a number like -100 or -1,000: hidden words leak through",
            "A visible word may score lower than that, and then the hidden one wins. Fill with -∞, or the most negative"
            " number there is.",
            _attention(fill_of(-1e3)),
        ),
        Mistake(
            "filled with -65,504, the lowest number of float16: hidden words leak through",
            "A visible word may score lower than that in float32. Fill with -∞, or with"
            " `torch.finfo(scores.dtype).min`.",
            _attention(fill_of(-65504.0)),
        ),
        Mistake(
            "filled with -10,000: hidden words leak through",
            "A visible word may score lower than that, and then the hidden one wins. Fill with -∞, or the most negative"
            " number there is.",
            _attention(fill_of(-1e4)),
        ),
        Mistake(
            "filled with -20, and set the hidden weights to 0 afterwards",
            _TOO_HIGH,
            _attention(_zeroed_after(-20.0)),
        ),
        Mistake(
            "filled with a number like -100 or -1,000, and set the hidden weights to 0 afterwards",
            _TOO_HIGH,
            _attention(_zeroed_after(-1e3)),
        ),
        Mistake(
            "filled with -10,000, and set the hidden weights to 0 afterwards",
            _TOO_HIGH,
            _attention(_zeroed_after(-1e4)),
        ),
        Mistake(
            "filled with -65,504, the lowest number of float16, and set the hidden weights to 0 afterwards",
            _TOO_HIGH,
            _attention(_zeroed_after(-65504.0)),
        ),
        Mistake(
            "0 times -∞ is NaN",
            "Multiplying the mask with -∞ spoils the visible places: 0 · ∞ is not a number. Choose instead of"
            " multiplying: `masked_fill` or `torch.where`.",
            _attention(mask_times_infinity),
        ),
        Mistake(
            "a row that sees nothing gives NaN",
            "Where all scores are -∞ the softmax divides 0 by 0. A query that may see nothing has zero weights, all of"
            " them.",
            _attention(fill_of(-math.inf, empty_rows_zero=False)),
        ),
        Mistake(
            "a row that sees nothing attends to everything alike",
            "With one number in all places, the softmax shares evenly. A query that may see nothing has zero weights:"
            " set hidden weights to 0 afterwards.",
            _attention(fill_of(-1e9, empty_rows_zero=False)),
        ),
        Mistake(
            "a row that sees nothing has a zero output, but its weights are not zero",
            "Set the hidden weights to 0 before they meet V; then the output follows by itself.",
            lambda Q, K, V, mask: (
                reference.masked_attention(Q, K, V, mask)[0],
                _attention(fill_of(-1e9, empty_rows_zero=False))(Q, K, V, mask)[1],
            ),
        ),
        Mistake(
            "NaN hidden afterwards: the gradients are still NaN",
            "`nan_to_num` mends the values, not the way back: adding -∞ lets the NaN pass. Fill with a finite number,"
            " and set hidden weights to 0.",
            _attention(nan_hidden),
        ),
        Mistake(
            "softmax over the queries",
            "Each query shares out its own weight of 1 among the keys: over the last axis.",
            _attention(softmax_over(-2)),
        ),
        Mistake(
            "no maximum subtracted: the exponential runs over or under",
            "exp(-100) is 0 in float32 already. Subtract the largest visible score of each row first, or use"
            " `torch.softmax`.",
            _attention(softmax_less(lambda scores: 0.0)),
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
        *scale_mistakes(
            lambda scale: _attention(scale=scale),
            {
                "1": ("did not scale the scores", "Divide the scores by √d_k, as in unit 2."),
                "d_k": ("divided by d_k, not by √d_k", "It is the root of the width."),
                "√d_v": (
                    "divided by √d_v",
                    "The scores are sums over d_k products: the width of the queries counts.",
                ),
                "√n_k": (
                    "divided by √n_k",
                    "The scores are sums over d_k products: the width counts, not the number of keys.",
                ),
                "1/√d_k": ("multiplied by √d_k", "Scaling makes the scores smaller: divide."),
                "8": ("divided by 8, whatever the width", "8 is √64, for one particular width."),
            },
        ),
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
