"""Unit 6: cases, mistakes and hints of the masks, the loss, the decoder layer and greedy decoding."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from helpers.exercise import Built, Case, Exercise, Init, Mistake, Tensor
from helpers.reference import u6_masked_decoder as reference
from helpers.tolerance import close


def _f4(array: np.ndarray, gradient: bool = False) -> Tensor:
    return Tensor(np.asarray(array, dtype="f4"), gradient)


def _normal(rng: np.random.Generator, *shape: int, gradient: bool = False) -> Tensor:
    return _f4(rng.normal(size=shape), gradient)


def _ids(array) -> Tensor:
    return Tensor(np.asarray(array, dtype="i8"))


# --- causal_mask -----------------------------------------------------------------------------------------


def _causal_cases(rng):
    n, few, many = int(rng.integers(4, 8)), int(rng.integers(2, 5)), int(rng.integers(7, 10))
    return [
        Case("values", (n,), note=f"{n} words"),
        Case("values", (1,), note="one word"),
        Case("values", (3, 3), note="3 queries, 3 keys"),
        Case("fewer queries than keys", (few, many), note=f"the last {few} of {many} words ask"),
        Case("fewer queries than keys", (1, n), note=f"the last of {n} words asks"),
        Case("fewer queries than keys", (few,), {"n_keys": few + 1}, note=f"the last {few} of {few + 1} words ask"),
        Case("any length", (2, 1100), note="the last 2 of 1100 words ask"),
        Case("bad arguments", (few + 2, few), raises="ValueError", note=f"{few + 2} queries, {few} keys"),
    ]


def _causal(make):
    """A wrong mask that has only its own mistake: the arguments are looked at as they should be."""

    def wrong(n_queries, n_keys=None):
        right = reference.causal_mask(n_queries, n_keys)
        return make(right, *right.shape)

    return wrong


def _tri(n_queries, n_keys, offset):
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(offset)


CAUSAL_MASK = Exercise(
    name="causal_mask",
    reference=reference.causal_mask,
    cases=_causal_cases,
    mistakes=(
        Mistake(
            "lets each word see itself and what comes after it: upper and lower triangle swapped",
            "Row i is a query, column j a key: word i may see column j when j comes before it. Which triangle is that?",
            _causal(lambda m, q, k: torch.ones(q, k, dtype=torch.bool).triu(k - q)),
        ),
        Mistake(
            "lets each word see itself and what comes after it, with the queries as the first words",
            "Row i is a query, column j a key: word i may see column j when j comes before it. And with fewer queries than keys the last query is the last word.",
            _causal(lambda m, q, k: torch.ones(q, k, dtype=torch.bool).triu(0)),
        ),
        Mistake(
            "inverted, with the queries as the first words",
            "True means “may attend”. And with fewer queries than keys the last query stands at the last key: move the diagonal by n_keys - n_queries.",
            _causal(lambda m, q, k: torch.ones(q, k, dtype=torch.bool).triu(1)),
        ),
        Mistake(
            "inverted: True stands where looking is forbidden",
            "In this course True means “may attend”; `nn.MultiheadAttention` has it the other way round.",
            _causal(lambda m, q, k: ~m),
        ),
        Mistake(
            "hides each word from itself: the diagonal is masked too",
            "A word may look at itself. Otherwise the first word would see nothing at all.",
            _causal(lambda m, q, k: _tri(q, k, k - q - 1)),
        ),
        Mistake(
            "lets each word see one word too many",
            "The word right after it is just the one to be predicted: word i ends its view at word i.",
            _causal(lambda m, q, k: _tri(q, k, k - q + 1)),
        ),
        Mistake(
            "took the queries as the first words, not as the last",
            "With fewer queries than keys the last query stands at the last key, and it sees everything. Move the diagonal by n_keys - n_queries.",
            _causal(lambda m, q, k: _tri(q, k, 0)),
        ),
        Mistake(
            "moved the diagonal to the wrong side",
            "The right step, the wrong sign: the last query must see every key.",
            _causal(lambda m, q, k: _tri(q, k, q - k)),
        ),
        Mistake(
            "ignored n_keys: the mask is always square",
            "There is one row for each query and one column for each key.",
            _causal(lambda m, q, k: _tri(q, q, 0)),
        ),
        Mistake(
            "made the rows keys and the columns queries",
            "Queries are rows, keys are columns, as in the scores Q Kᵀ.",
            _causal(lambda m, q, k: m.T.contiguous()),
        ),
        Mistake(
            "returned 0 and 1 as numbers, not as booleans",
            "`~mask` and `masked_fill` want booleans: `.bool()`, or `dtype=torch.bool` from the start.",
            _causal(lambda m, q, k: m.float()),
        ),
        Mistake(
            "returned 0 and -∞ to be added, not booleans",
            "That is what the mask does to the scores later. The mask itself only says who may look: True or False.",
            _causal(lambda m, q, k: torch.zeros(q, k).masked_fill(~m, -math.inf)),
        ),
        Mistake(
            "has a fixed largest size",
            "A mask made once for 512 words fails at word 513. Make it from the numbers that are given.",
            _causal(lambda m, q, k: _tri(512, 512, 0)[k - q : k, :k]),
        ),
        Mistake(
            "forbids nothing",
            "Every entry is True, so each word sees all of its future.",
            _causal(lambda m, q, k: torch.ones_like(m)),
        ),
        Mistake(
            "takes more queries than keys without complaint",
            "The queries are the last of the keys, so there cannot be more of them: raise a `ValueError`.",
            lambda n_queries, n_keys=None: _tri(n_queries, n_keys or n_queries, (n_keys or n_queries) - n_queries),
        ),
    ),
    hints=(
        "Write the mask for 3 words on paper first: row 0 has one True, row 1 two, row 2 three.",
        "`torch.tril` keeps a triangle and its argument `diagonal` moves it; or compare positions: `j <= i`.",
    ),
)


# --- padding_mask ----------------------------------------------------------------------------------------


def _padding_cases(rng):
    n = int(rng.integers(5, 8))
    lengths = rng.integers(1, n, size=3)
    return [
        Case("values", (_ids([n, *lengths]), n), note=f"{1 + len(lengths)} sentences in a batch of width {n}"),
        Case("values", (_ids([2, 1, 3]), 3), note="3 sentences, 3 keys: a square"),
        Case("values", (_ids([int(lengths[0])]), n), note="one sentence"),
        Case("wider than needed", (_ids([1, 3]), int(n + 2)), note=f"lengths 1 and 3 in a batch of width {n + 2}"),
        Case("empty sentences", (_ids([2, 0]), 4), note="lengths 2 and 0"),
        Case("bad arguments", (_ids([2, n + 1]), n), raises="ValueError", note=f"length {n + 1} of {n} keys"),
        Case("bad arguments", (_ids([2, -1]), n), raises="ValueError", note="length -1"),
    ]


def _padding(make):
    def wrong(lengths, n_keys):
        return make(reference.padding_mask(lengths, n_keys), lengths, n_keys)

    return wrong


def _padding_unchecked(lengths, n_keys):
    return torch.arange(n_keys)[None, None, None, :] < lengths.reshape(-1, 1, 1, 1)


def _half_checked(lengths, n_keys, bad):
    if bad.any():
        raise ValueError("length")
    return _padding_unchecked(lengths, n_keys)


PADDING_MASK = Exercise(
    name="padding_mask",
    reference=reference.padding_mask,
    cases=_padding_cases,
    mistakes=(
        Mistake(
            "inverted: True stands at the padding",
            "True means “may attend”, so the real words are True. (torch's `key_padding_mask` is the other way round.)",
            _padding(lambda m, lengths, n: ~m),
        ),
        Mistake(
            "lets the first padding token through",
            "A sentence of length 3 owns the positions 0, 1 and 2: position 3 is padding already.",
            _padding(lambda m, lengths, n: torch.arange(n) <= lengths[:, None, None, None]),
        ),
        Mistake(
            "hides the last real word as well",
            "A sentence of length 3 owns the positions 0, 1 and 2: all three may be seen.",
            _padding(lambda m, lengths, n: torch.arange(n) < lengths[:, None, None, None] - 1),
        ),
        Mistake(
            "hides the beginning of the sentence instead of its end",
            "The padding stands behind the words: the first `length` positions are the real ones.",
            _padding(lambda m, lengths, n: m.flip(-1)),
        ),
        Mistake(
            "has no axes for heads and queries: (batch, n_keys)",
            "Against (batch, h, n_q, n_k) this would line up the batch with the queries. Put an axis of length 1 for the heads and one for the queries between.",
            _padding(lambda m, lengths, n: m[:, 0, 0].clone()),
        ),
        Mistake(
            "has no axis for the heads: (batch, 1, n_keys)",
            "Against (batch, h, n_q, n_k) this would line up the batch with the heads. One more axis of length 1 is missing.",
            _padding(lambda m, lengths, n: m[:, 0].clone()),
        ),
        Mistake(
            "put the batch where the queries belong: (1, 1, batch, n_keys)",
            "Against (batch, h, n_q, n_k) this would line up the batch with the queries. The batch is the first axis, the two axes of length 1 come after it.",
            _padding(lambda m, lengths, n: m.transpose(0, 2).clone()),
        ),
        Mistake(
            "put the padding on the query axis: (batch, 1, n_keys, 1)",
            "Padding must not be looked at, so it is keys that are hidden: their axis is the last one.",
            _padding(lambda m, lengths, n: m.transpose(-1, -2).clone()),
        ),
        Mistake(
            "spread the mask over the queries: (batch, 1, n_keys, n_keys)",
            "Broadcasting does that by itself, for any number of queries: the query axis has length 1.",
            _padding(lambda m, lengths, n: m.expand(-1, -1, n, -1).clone()),
        ),
        Mistake(
            "as wide as the longest sentence, not n_keys wide",
            "The batch may be padded further than its longest sentence needs: `n_keys` says how wide it is.",
            _padding(lambda m, lengths, n: m[..., : int(lengths.max())].clone()),
        ),
        Mistake(
            "gave every sentence the longest length",
            "Each sentence has a row of its own, from its own length.",
            _padding(
                lambda m, lengths, n: (
                    torch.arange(n) < torch.full_like(lengths, int(lengths.max()))[:, None, None, None]
                )
            ),
        ),
        Mistake(
            "returned 0 and 1 as numbers, not as booleans",
            "`~mask` and `masked_fill` want booleans: a comparison such as `<` makes them.",
            _padding(lambda m, lengths, n: m.float()),
        ),
        Mistake(
            "returned 0 and -∞ to be added, not booleans",
            "That is what the mask does to the scores later. The mask itself only says who may be seen: True or False.",
            _padding(lambda m, lengths, n: torch.zeros(m.shape).masked_fill(~m, -math.inf)),
        ),
        Mistake(
            "takes any lengths without complaint",
            "A length below 0 or above n_keys is a mistake of the caller: raise a `ValueError`.",
            _padding_unchecked,
        ),
        Mistake(
            "takes a length above n_keys without complaint",
            "A sentence cannot be longer than the batch is wide: raise a `ValueError`.",
            lambda lengths, n_keys: _half_checked(lengths, n_keys, lengths < 0),
        ),
        Mistake(
            "takes a negative length without complaint",
            "A length below 0 makes no sense: raise a `ValueError`.",
            lambda lengths, n_keys: _half_checked(lengths, n_keys, lengths > n_keys),
        ),
    ),
    hints=(
        "Compare each position 0, 1, ..., n_keys - 1 with each length: a position below the length is a real word.",
        "`lengths[:, None]` is (batch, 1) and `torch.arange(n_keys)` is (n_keys,): what has the comparison for a shape, and which axes are still missing?",
    ),
)


# --- masked_attention ------------------------------------------------------------------------------------


def _some_mask(rng, *shape):
    """A random mask in which every query sees something and something is hidden from it."""
    mask = rng.random(shape) < 0.5
    seen = rng.integers(shape[-1], size=shape[:-1])
    hidden = (seen + rng.integers(1, shape[-1], size=shape[:-1])) % shape[-1]
    np.put_along_axis(mask, seen[..., None], True, axis=-1)
    np.put_along_axis(mask, hidden[..., None], False, axis=-1)
    return Tensor(mask)


def _far_apart(rng, *drops):
    """Queries to which the allowed keys score lower than the hidden ones, by one drop for each query.

    d_k is 16 and everything a whole number, so that every order of scaling gives exactly the same scores.
    """
    n_keys = 5
    allowed = rng.permutation(np.array([True, True, True, False, False]))
    Q, K = np.zeros((len(drops), 16)), np.zeros((n_keys, 16))
    Q[:, 0], Q[:, 1] = -np.array(drops), 4
    K[:, 0], K[:, 1] = 4 * allowed, rng.permutation(n_keys) - 2
    K[:, 2:] = rng.integers(-3, 4, size=(n_keys, 14))
    return _f4(Q), _f4(K), _normal(rng, n_keys, 3), Tensor(np.tile(allowed, (len(drops), 1)))


def _masked_cases(rng):
    empty = np.tri(4, 5, 1, dtype=bool)
    empty[rng.integers(4)] = False
    lengths = np.array([4, 0, int(rng.integers(1, 4))])
    padding = (np.arange(4) < lengths[:, None])[:, None, None, :]
    return [
        Case(
            "values",
            (*(_normal(rng, *s) for s in ((3, 6), (5, 6), (5, 2))), _some_mask(rng, 3, 5)),
            note="3 queries, 5 keys, d_k = 6, d_v = 2",
        ),
        Case(
            "values",
            (*(_normal(rng, 4, 4) for _ in range(3)), Tensor(np.tri(4, dtype=bool))),
            note="4 words and a causal mask: everything square",
        ),
        Case(
            "batch axes",
            (*(_normal(rng, *s) for s in ((2, 3, 4, 6), (2, 3, 5, 6), (2, 3, 5, 3))), _some_mask(rng, 2, 1, 1, 5)),
            note="2 sentences, 3 heads, a padding mask (2, 1, 1, 5)",
        ),
        Case(
            "batch axes",
            (*(_normal(rng, *s) for s in ((2, 4, 6), (2, 5, 6), (2, 5, 3))), _some_mask(rng, 4, 5)),
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
            (_f4(np.zeros((2, 6))), *(_normal(rng, *s) for s in ((5, 6), (5, 2))), _some_mask(rng, 2, 5)),
            note="queries of zeros: all scores are 0, and the visible words share evenly",
        ),
        Case(
            "empty rows",
            (*(_normal(rng, *s) for s in ((4, 6), (5, 6), (5, 3))), Tensor(empty)),
            note="one of 4 queries may see nothing",
        ),
        Case(
            "empty rows",
            (*(_normal(rng, *s) for s in ((3, 2, 2, 6), (3, 2, 4, 6), (3, 2, 4, 3))), Tensor(padding)),
            note="one of 3 sentences is all padding",
        ),
        Case(
            "gradients",
            (*(_normal(rng, *s, gradient=True) for s in ((3, 6), (5, 6), (5, 2))), _some_mask(rng, 3, 5)),
            gradients=True,
            note="gradients of Q, K and V",
        ),
        Case(
            "gradients",
            (*(_normal(rng, *s, gradient=True) for s in ((4, 6), (5, 6), (5, 3))), Tensor(empty)),
            gradients=True,
            note="one of 4 queries may see nothing: its gradients are zero",
        ),
    ]


def _attention(weigh, scale=lambda Q, K, V: math.sqrt(Q.shape[-1])):
    """Attention with `weigh(scores, mask)` in the place of masking and softmax."""

    def wrong(Q, K, V, mask):
        weights = weigh(Q @ K.transpose(-2, -1) / scale(Q, K, V), mask)
        return weights @ V, weights

    return wrong


def _right_weights(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min), -1).masked_fill(~mask, 0)


def _filled(value, zero_empty=True):
    """The softmax after a fill of `value`; rows that see nothing are zeros, so that only the fill is wrong."""

    def weigh(scores, mask):
        weights = torch.softmax(scores.masked_fill(~mask, value), -1)
        return weights.masked_fill(~mask.any(-1, keepdim=True), 0) if zero_empty else weights

    return weigh


def _renormalised(scores, mask):
    weights = torch.softmax(scores, -1) * mask
    total = weights.sum(-1, keepdim=True)
    return weights / total.masked_fill(~mask.any(-1, keepdim=True), 1)


def _scaled(name, hint, scale):
    return Mistake(name, hint, _attention(_right_weights, scale))


def _weights_first(Q, K, V, mask):
    output, weights = reference.masked_attention(Q, K, V, mask)
    return weights, output


def _no_transpose(Q, K, V, mask):
    weights = _right_weights(Q @ K / math.sqrt(Q.shape[-1]), mask)
    return weights @ V, weights


MASKED_ATTENTION = Exercise(
    name="masked_attention",
    reference=reference.masked_attention,
    cases=_masked_cases,
    forbidden=("torch.nn.functional.scaled_dot_product_attention", "torch.nn.functional.multi_head_attention_forward"),
    mistakes=(
        Mistake(
            "the mask works the wrong way round",
            "True means “may attend”: what has to be filled with something very negative is where the mask is False, `~mask`.",
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
            "When a hidden word scores much higher, nothing is left to divide: 0/0. Hide it before the softmax, in the scores.",
            _attention(_renormalised),
        ),
        Mistake(
            "masked after the softmax and divided by what was left plus a small number",
            "When a hidden word scores much higher, nothing is left to divide. Hide it before the softmax, in the scores.",
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
            "A visible word may score lower than that, and then the hidden one wins. Fill with -∞, or the most negative number there is.",
            _attention(_filled(-20.0)),
        ),
        Mistake(
            "filled with a number like -100 or -1,000: hidden words leak through",
            "A visible word may score lower than that, and then the hidden one wins. Fill with -∞, or the most negative number there is.",
            _attention(_filled(-1e3)),
        ),
        Mistake(
            "filled with -65,504, the lowest number of float16: hidden words leak through",
            "A visible word may score lower than that in float32. Fill with -∞, or with `torch.finfo(scores.dtype).min`.",
            _attention(_filled(-65504.0)),
        ),
        Mistake(
            "filled with -10,000: hidden words leak through",
            "A visible word may score lower than that, and then the hidden one wins. Fill with -∞, or the most negative number there is.",
            _attention(_filled(-1e4)),
        ),
        Mistake(
            "0 times -∞ is NaN",
            "Multiplying the mask with -∞ spoils the visible places: 0 · ∞ is not a number. Choose instead of multiplying: `masked_fill` or `torch.where`.",
            _attention(lambda s, m: torch.softmax(s + (~m) * -math.inf, -1)),
        ),
        Mistake(
            "a row that sees nothing gives NaN",
            "Where all scores are -∞ the softmax divides 0 by 0. A query that may see nothing has zero weights, all of them.",
            _attention(_filled(-math.inf, zero_empty=False)),
        ),
        Mistake(
            "a row that sees nothing attends to everything alike",
            "With one number in all places, the softmax shares evenly. A query that may see nothing has zero weights: set hidden weights to 0 afterwards.",
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
            "`nan_to_num` mends the values, not the way back: adding -∞ lets the NaN pass. Fill with a finite number, and set hidden weights to 0.",
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
            "exp(-100) is 0 in float32 already. Subtract the largest visible score of each row first, or use `torch.softmax`.",
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
        "Scores as in unit 2, then make the hidden scores so low that the softmax gives them nothing, then the softmax.",
        "`scores.masked_fill(~mask, ...)`; then look at a row in which everything is hidden: what does the softmax make of it, and what should it be?",
    ),
)


def _plain_exp(scores, mask):
    e = torch.exp(scores) * mask
    return e / e.sum(-1, keepdim=True).masked_fill(~mask.any(-1, keepdim=True), 1)


# --- shift_right -----------------------------------------------------------------------------------------


def _shift_cases(rng):
    bos = int(rng.integers(1, 4))

    def ids(*shape):
        return _ids(rng.permutation(np.arange(5, 5 + math.prod(shape))).reshape(shape))

    return [
        Case("values", (ids(5), bos), note=f"5 targets, bos is {bos}"),
        Case("values", (ids(1), bos), note="one target"),
        Case("batch axes", (ids(2, 4), bos), note="2 sentences"),
        Case("batch axes", (ids(3, 3), bos), note="3 sentences of 3 tokens: a square"),
        Case("batch axes", (ids(2, 2, 3), bos), note="2 × 2 sentences"),
        Case("whole numbers", (ids(2, 3), bos), note="ids stay whole numbers"),
    ]


def _whole_numbers(case, value, expected):
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu":
        return None
    return "ids are looked up in a table, so they have to be whole numbers; the result holds real numbers"


def _bos(targets, bos_id):
    return torch.full_like(targets[..., :1], bos_id)


def _shift_flat(targets, bos_id):
    flat = targets.reshape(-1)
    return torch.cat([_bos(flat, bos_id), flat[:-1]]).reshape(targets.shape)


def _first_replaced(targets, bos_id):
    result = targets.clone()
    result[..., 0] = bos_id
    return result


def _shift_twice(targets, bos_id):
    return reference.shift_right(reference.shift_right(targets, bos_id), bos_id)


SHIFT_RIGHT = Exercise(
    name="shift_right",
    reference=reference.shift_right,
    cases=_shift_cases,
    compare={"whole numbers": _whole_numbers},
    mistakes=(
        Mistake(
            "no shift: the decoder reads the very token it should predict",
            "At each place the input has to be the target of the place before.",
            lambda t, bos_id: t.clone(),
        ),
        Mistake(
            "replaced the first token by bos instead of moving all by one",
            "The first target must not get lost: it moves to the second place, and the last one falls out.",
            _first_replaced,
        ),
        Mistake(
            "kept the last token: the result is one too long",
            "bos comes in at the front, so the last target has to fall out: the length stays n.",
            lambda t, bos_id: torch.cat([_bos(t, bos_id), t], -1),
        ),
        Mistake(
            "shifted to the left",
            "That shows each place the next target. To the right: bos in front, everything one place later.",
            lambda t, bos_id: torch.cat([t[..., 1:], _bos(t, bos_id)], -1),
        ),
        Mistake(
            "put bos at the end",
            "bos is what the decoder reads before the first target: it belongs in front.",
            lambda t, bos_id: torch.cat([t[..., :-1], _bos(t, bos_id)], -1),
        ),
        Mistake(
            "rolled the last token round to the front",
            "The last target has no place in the input: in front stands bos.",
            lambda t, bos_id: torch.roll(t, 1, -1),
        ),
        Mistake(
            "shifted twice",
            "One place is enough: target i is predicted from what stands up to target i - 1.",
            _shift_twice,
        ),
        Mistake(
            "put 0 in front instead of bos",
            "The id that begins a sentence is given: `bos_id`.",
            lambda t, bos_id: reference.shift_right(t, 0),
        ),
        Mistake(
            "shifted the sentences of the batch, not the tokens",
            "Tokens are on the last axis: slice with `targets[..., :-1]` and join along `dim=-1`.",
            lambda t, bos_id: torch.cat([torch.full_like(t[:1], bos_id), t[:-1]], 0),
        ),
        Mistake(
            "let the sentences of the batch run into each other",
            "Every sentence begins with bos; its first place must not hold the end of its neighbour.",
            _shift_flat,
        ),
        Mistake(
            "returned real numbers",
            "`torch.full` and `torch.zeros` make real numbers unless told otherwise: `dtype=targets.dtype`, or `torch.full_like(targets[..., :1], bos_id)`.",
            lambda t, bos_id: reference.shift_right(t, bos_id).float(),
        ),
    ),
    hints=(
        "Two pieces side by side: a column of bos, and all targets but the last.",
        "`torch.cat([...], dim=-1)`; the slice is `targets[..., :-1]`.",
    ),
)


# --- cross_entropy ---------------------------------------------------------------------------------------


def _loss_cases(rng):
    def case(prop, *shape, ignored=(), ignore_index=None, scale=1.5, note="", **more):
        """Random logits and targets; `ignored` are places of the flattened targets to ignore."""
        mark = -100 if ignore_index is None else ignore_index
        # The kept targets avoid the ignored id.
        targets = rng.choice([i for i in range(shape[-1]) if i != mark], size=shape[:-1])
        targets.reshape(-1)[list(ignored)] = mark
        args = (_f4(rng.normal(size=shape) * scale, more.get("gradients", False)), _ids(targets))
        return Case(prop, args if ignore_index is None else (*args, ignore_index), note=note, **more)

    def low():
        # Far enough for exp to vanish in float32, near enough for the difference of two such numbers to stay exact.
        logits = -115 + rng.integers(-3, 4, size=(4, 5))
        return Case("large logits", (_f4(logits), _ids(rng.integers(5, size=4))), note="all logits near -115")

    return [
        case("values", 4, 5, note="4 tokens, 5 words to choose from"),
        case("values", 3, 3, note="3 tokens, 3 words: a square"),
        case("batch axes", 2, 3, 5, note="2 sentences of 3 tokens"),
        case("batch axes", 3, 3, 3, note="3 sentences of 3 tokens, 3 words"),
        case("batch axes", 2, 3, 4, 5, note="2 × 3 sentences of 4 tokens"),
        case("ignored targets", 6, 5, ignored=(1, 4), note="2 of 6 targets are -100"),
        case(
            "ignored targets",
            2,
            4,
            5,
            ignored=(3, 5, 6, 7),
            ignore_index=0,
            note="the padding is id 0, lengths 3 and 1",
        ),
        case("ignored targets", 3, 2, 6, ignored=(1,), ignore_index=2, note="the padding is id 2"),
        case("all ignored", 3, 4, ignored=(0, 1, 2), note="every target is -100"),
        case("all ignored", 1, 2, 4, ignored=(0, 1), ignore_index=3, note="every target is the padding"),
        case("large logits", 4, 5, scale=1e4, note="logits up to ±20,000"),
        low(),
        case("gradients", 4, 5, gradients=True, note="gradient of the logits"),
        case("gradients", 2, 3, 5, ignored=(2, 4), gradients=True, note="with two ignored targets"),
    ]


def _loss(
    log_p=lambda x: torch.log_softmax(x, -1),
    reduce=None,
    pick=lambda log_p, t: log_p.gather(-1, t.unsqueeze(-1)).squeeze(-1),
):
    """The loss with one part replaced: how log-probabilities are made, picked, or put together."""
    reduce = reduce or (lambda surprise, keep: surprise.sum() / keep.sum().clamp(min=1))

    def wrong(logits, targets, ignore_index=-100):
        keep = targets != ignore_index
        picked = pick(log_p(logits), targets.masked_fill(~keep, 0))
        return reduce((-picked).masked_fill(~keep, 0), keep)

    return wrong


def _sentence_means(surprise, keep):
    per_sentence = surprise.sum(-1) / keep.sum(-1).clamp(min=1)
    counted = keep.any(-1)
    return per_sentence.sum() / counted.sum().clamp(min=1)


def _shifts_again(logits, targets, ignore_index=-100):
    return reference.cross_entropy(logits[..., :-1, :], targets[..., 1:], ignore_index)


def _large(case, value, expected):
    """In words and without the number, so that every small number added inside the logarithm is the same mistake."""
    value = np.asarray(np.nan if value is None or isinstance(value, (list, tuple, dict, str)) else value, dtype=float)
    if value.ndim:
        return f"the loss is one number; yours has shape {value.shape}"
    if close(value, np.asarray(expected), 1e-5):
        return None
    if not np.isfinite(value):
        return f"the loss is {'not a number' if np.isnan(value) else 'infinite' if value > 0 else 'minus infinity'}; the right one is finite"
    if abs(expected) > 1000 and 0 < value < 60:
        return "the guess is as wrong as can be, and the loss hardly notices: something keeps the surprise small"
    return f"the loss is {value:.6g}, and should be {float(expected):.6g}"


def _counts_padding(logits, targets, ignore_index=-100):
    return reference.cross_entropy(logits, targets.clamp(min=0), -100)


CROSS_ENTROPY = Exercise(
    name="cross_entropy",
    reference=reference.cross_entropy,
    cases=_loss_cases,
    compare={"large logits": _large},
    forbidden=(
        "torch.nn.functional.cross_entropy",
        "torch.nn.functional.nll_loss",
        "torch.nn.functional.nll_loss_nd",
        "torch.nn.functional.cross_entropy_loss",
    ),
    mistakes=(
        Mistake(
            "counted the ignored targets as well",
            "Where the target is `ignore_index`, nothing is to be learned: leave the place out of the sum and out of the count.",
            _counts_padding,
        ),
        Mistake(
            "looked up the ignored targets: there is no word -100",
            "An ignored target is no index. Leave those places out first, or let them look up entry 0 and do not count what they find.",
            lambda logits, targets, ignore_index=-100: (
                -torch.log_softmax(logits, -1).gather(-1, targets.unsqueeze(-1)).mean()
            ),
        ),
        Mistake(
            "divided by all places, the ignored ones too",
            "The mean is over the kept targets: divide by how many those are.",
            _loss(reduce=lambda s, keep: s.sum() / keep.numel()),
        ),
        Mistake(
            "ignores -100 whatever `ignore_index` says",
            "The id to be ignored is an argument; -100 is only its default.",
            lambda logits, targets, ignore_index=-100: reference.cross_entropy(logits, targets),
        ),
        Mistake(
            "took the sum, not the mean",
            "Divide by the number of kept targets: a long batch is not worse than a short one.",
            _loss(reduce=lambda s, keep: s.sum()),
        ),
        Mistake(
            "took the mean of each sentence first",
            "Sentences of unequal length then count alike, and a word in a short one counts more. One sum over all kept targets, one division.",
            _loss(reduce=_sentence_means),
        ),
        Mistake(
            "took the softmax twice",
            "`log_softmax` includes the softmax: it wants the logits as they are, not probabilities.",
            _loss(lambda x: torch.log_softmax(torch.softmax(x, -1), -1)),
        ),
        Mistake(
            "took no softmax: the logits are not log-probabilities",
            "Logits are only scores. After `log_softmax` the exponentials of each row sum to 1.",
            _loss(lambda x: x),
        ),
        Mistake(
            "took the logarithm after the softmax: a small probability becomes 0, and its logarithm -∞",
            "Take both in one step, `log_softmax`: log p = x - logsumexp(x), which never leaves the range.",
            _loss(lambda x: torch.log(torch.softmax(x, -1))),
        ),
        Mistake(
            "took the exponential of the logits as they are: it runs over or under",
            "exp(10,000) is infinite. Subtract the largest logit first, or use `torch.logsumexp` or `torch.log_softmax`.",
            _loss(lambda x: x - torch.log(torch.exp(x).sum(-1, keepdim=True))),
        ),
        Mistake(
            "added a small number inside the logarithm: no surprise can be large any more",
            "log(p + 1e-9) is never below -20.7. With `log_softmax` nothing has to be added.",
            _loss(lambda x: torch.log(torch.softmax(x, -1) + 1e-9)),
        ),
        Mistake(
            "forgot the minus sign",
            "log p is negative. Surprise is positive: -log p.",
            _loss(reduce=lambda s, keep: -s.sum() / keep.sum().clamp(min=1)),
        ),
        Mistake(
            "used the logarithm to base 2",
            "Natural logarithms: torch and the papers count surprise in nats.",
            _loss(lambda x: torch.log_softmax(x, -1) / math.log(2)),
        ),
        Mistake(
            "gives NaN when every target is ignored",
            "Nothing divided by nothing. Where no target is kept the loss is 0: never divide by a count below 1.",
            _loss(reduce=lambda s, keep: s.sum() / keep.sum()),
        ),
        Mistake(
            "softmax over the tokens, not over the vocabulary",
            "Each token has probabilities of its own that sum to 1, over the last axis.",
            _loss(lambda x: torch.log_softmax(x, -2)),
        ),
        Mistake(
            "softmax over axis 1, whatever the number of axes",
            "With batch axes the vocabulary is no longer axis 1. It is always the last: `dim=-1`.",
            _loss(lambda x: torch.log_softmax(x, 1)),
        ),
        Mistake(
            "shifted the targets once more",
            "`shift_right` has made the decoder's input already: logit i and target i belong together here.",
            _shifts_again,
        ),
        Mistake(
            "looked at the most probable word, not at the right one",
            "The surprise is about the target: pick the log-probability at its id.",
            _loss(pick=lambda log_p, t: log_p.max(-1).values),
        ),
        Mistake(
            "used the probability, not its logarithm",
            "The surprise at p is -log p.",
            _loss(lambda x: torch.softmax(x, -1)),
        ),
    ),
    hints=(
        "For one token: the softmax of its logits, then minus the logarithm of the probability at the target.",
        "`torch.log_softmax`, then pick one entry of each row, with `gather` or an index; then the mean over the targets that are not `ignore_index`.",
    ),
)


# --- DecoderLayer ----------------------------------------------------------------------------------------


def _weights(rng, d, d_ff):
    """Weights for every parameter, with scores of unit variance and no trivial bias, gamma or beta."""
    weights = {}
    for attention in ("self_attention", "cross_attention"):
        for linear in ("W_q", "W_k", "W_v", "W_o"):
            weights[f"{attention}.{linear}.weight"] = rng.normal(size=(d, d)) * 1.3 / math.sqrt(d)
            weights[f"{attention}.{linear}.bias"] = rng.normal(size=d) * 0.4
    for name, out, into in (("linear_1", d_ff, d), ("linear_2", d, d_ff)):
        weights[f"feed_forward.{name}.weight"] = rng.normal(size=(out, into)) / math.sqrt(into)
        weights[f"feed_forward.{name}.bias"] = rng.normal(size=out) * 0.4
    for i in (1, 2, 3):
        weights[f"norm_{i}.weight"] = 1 + 0.4 * rng.normal(size=d)
        weights[f"norm_{i}.bias"] = 0.4 * rng.normal(size=d)
    return {name: array.astype("f4") for name, array in weights.items()}


def _decoder_cases(rng):
    d, h, d_ff = 8, 2, 12
    weights = _weights(rng, d, d_ff)

    def init(norm_first, training=False):
        return Init((d, h, d_ff, norm_first) if norm_first else (d, h, d_ff), weights=weights, training=training)

    def tokens(n_t, n_s, *batch, gradient=False):
        return _normal(rng, *batch, n_t, d, gradient=gradient), _normal(rng, *batch, n_s, d, gradient=gradient)

    def padding(n, *lengths):
        return Tensor((np.arange(n) < np.array(lengths)[:, None])[:, None, None, :])

    def causal(n):
        return Tensor(np.tri(n, dtype=bool))

    cases = []
    for norm_first in (False, True):
        kind = "pre-norm" if norm_first else "post-norm"
        cases += [
            Case("values", tokens(3, 5, 2), init=init(norm_first), note=f"{kind}, 3 target and 5 source tokens"),
            Case(
                "values",
                tokens(4, 4, 2),
                init=init(norm_first, training=True),
                note=f"{kind}, 4 target and 4 source tokens, in training mode",
            ),
            Case(
                "masks",
                (*tokens(3, 5, 2), causal(3), padding(5, 3, 4)),
                init=init(norm_first),
                note=f"{kind}, causal mask (3, 3), padding mask (2, 1, 1, 5) of the source",
            ),
        ]
    x, memory = tokens(3, 4, 2)
    return [
        *cases,
        Case(
            "masks",
            (*tokens(4, 4, 2), causal(4), padding(4, 2, 3)),
            init=init(False),
            note="4 target and 4 source tokens, both masks",
        ),
        Case(
            "masks",
            tokens(3, 4, 2),
            {"memory_mask": padding(4, 2, 3)},
            init=init(False),
            note="only a mask for the memory",
        ),
        Case(
            "masks",
            tokens(3, 4, 2),
            {"self_mask": causal(3)},
            init=init(False),
            note="only a mask for the decoder's own words",
        ),
        Case("batch axes", tokens(3, 5), init=init(False), note="one sentence, no batch axis"),
        Case("batch axes", tokens(2, 3, 2, 2), init=init(True), note="2 × 2 sentences"),
        Case(
            "small inputs",
            (_f4(x.array * 0.003), memory),
            init=init(True),
            note="pre-norm, x so small that eps = 1e-5 counts",
        ),
        Case(
            "empty rows",
            (*tokens(3, 4, 2, gradient=True), causal(3), padding(4, 0, 3)),
            init=init(False),
            gradients=True,
            note="nothing to see in the first source sentence",
        ),
        Case(
            "gradients",
            (*tokens(3, 5, 2, gradient=True), causal(3)),
            init=init(False),
            gradients=True,
            note="post-norm",
        ),
        Case(
            "gradients", (*tokens(3, 5, 2, gradient=True), causal(3)), init=init(True), gradients=True, note="pre-norm"
        ),
        Case(
            "bad arguments", (x, memory), init=Init((d, 3, d_ff)), raises="ValueError", note="3 heads in a width of 8"
        ),
        Case("bad arguments", (x, memory), init=Init((d, 0, d_ff)), raises="ValueError", note="0 heads"),
    ]


class _Layer(reference.DecoderLayer):
    """The right layer in small pieces, for mistakes to replace one of them."""

    def forward(self, x, memory, self_mask=None, memory_mask=None):
        x = self.add(1, x, lambda y: self.look_at_self(y, memory, self_mask, memory_mask))
        x = self.add(2, x, lambda y: self.look_across(y, memory, self_mask, memory_mask))
        return self.add(3, x, self.feed_forward)

    def norm(self, i):
        return getattr(self, f"norm_{i}")

    def add(self, i, x, sublayer):
        return x + sublayer(self.norm(i)(x)) if self.norm_first else self.norm(i)(x + sublayer(x))

    def look_at_self(self, y, memory, self_mask, memory_mask):
        return self.self_attention(y, y, y, self_mask)[0]

    def look_across(self, y, memory, self_mask, memory_mask):
        return self.cross_attention(y, memory, memory, memory_mask)[0]


def _layer(**pieces):
    return type("DecoderLayer", (_Layer,), pieces)


def _across(query_key_value, mask=lambda self_mask, memory_mask: memory_mask):
    """A layer whose cross attention gets another query, key and value, or another mask."""

    def look_across(self, y, memory, self_mask, memory_mask):
        return self.cross_attention(*query_key_value(y, memory), mask(self_mask, memory_mask))[0]

    return _layer(look_across=look_across)


def _self_with(mask):
    return lambda self, y, memory, self_mask, memory_mask: self.self_attention(y, y, y, mask(self_mask, memory_mask))[0]


def _across_with(mask):
    return lambda self, y, memory, self_mask, memory_mask: self.cross_attention(
        y, memory, memory, mask(self_mask, memory_mask)
    )[0]


def _add_without(*numbers):
    """Layer without the residual around some sublayers."""

    def add(self, i, x, sublayer):
        if i not in numbers:
            return _Layer.add(self, i, x, sublayer)
        return sublayer(self.norm(i)(x)) if self.norm_first else self.norm(i)(sublayer(x))

    return _layer(add=add)


def _residual_from_normalised(self, i, x, sublayer):
    if not self.norm_first:
        return _Layer.add(self, i, x, sublayer)
    x = self.norm(i)(x)
    return x + sublayer(x)


def _doubled(self, i, x, sublayer):
    y = sublayer(self.norm(i)(x)) if self.norm_first else sublayer(x)
    return y + y if self.norm_first else self.norm(i)(y + y)


def _norm_of_sublayer(self, i, x, sublayer):
    return _Layer.add(self, i, x, sublayer) if self.norm_first else x + self.norm(i)(sublayer(x))


def _always(norm_first):
    class DecoderLayer(_Layer):
        def add(self, i, x, sublayer):
            self.norm_first = norm_first
            return _Layer.add(self, i, x, sublayer)

    return DecoderLayer


class _Reversed(_Layer):
    def add(self, i, x, sublayer):
        return self.norm(i)(x + sublayer(x)) if self.norm_first else x + sublayer(self.norm(i)(x))


class _CrossFirst(_Layer):
    def forward(self, x, memory, self_mask=None, memory_mask=None):
        x = self.add(2, x, lambda y: self.look_across(y, memory, self_mask, memory_mask))
        x = self.add(1, x, lambda y: self.look_at_self(y, memory, self_mask, memory_mask))
        return self.add(3, x, self.feed_forward)


class _SideBySide(_Layer):
    def forward(self, x, memory, self_mask=None, memory_mask=None):
        start = x
        x = self.add(1, x, lambda y: self.look_at_self(y, memory, self_mask, memory_mask))
        if self.norm_first:
            x = x + self.look_across(self.norm_2(start), memory, self_mask, memory_mask)
        else:
            x = self.norm_2(x + self.look_across(start, memory, self_mask, memory_mask))
        return self.add(3, x, self.feed_forward)


class _OldResidual(_Layer):
    """The second and third residual take up the layer's input again."""

    def forward(self, x, memory, self_mask=None, memory_mask=None):
        start = x
        for i, sublayer in (
            (1, lambda y: self.look_at_self(y, memory, self_mask, memory_mask)),
            (2, lambda y: self.look_across(y, memory, self_mask, memory_mask)),
            (3, self.feed_forward),
        ):
            x = start + sublayer(self.norm(i)(x)) if self.norm_first else self.norm(i)(start + sublayer(x))
        return x


class _WithWeights(_Layer):
    def forward(self, x, memory, self_mask=None, memory_mask=None):
        kept = []

        def across(y):
            output, weights = self.cross_attention(y, memory, memory, memory_mask)
            kept.append(weights)
            return output

        x = self.add(1, x, lambda y: self.look_at_self(y, memory, self_mask, memory_mask))
        x = self.add(2, x, across)
        return self.add(3, x, self.feed_forward), kept[0]


class _OnlyQueriesNormalised(_Layer):
    def forward(self, x, memory, self_mask=None, memory_mask=None):
        if not self.norm_first:
            return super().forward(x, memory, self_mask, memory_mask)
        x = x + self.self_attention(self.norm_1(x), x, x, self_mask)[0]
        x = self.add(2, x, lambda y: self.look_across(y, memory, self_mask, memory_mask))
        return self.add(3, x, self.feed_forward)


class _OneAttention(_Layer):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cross_attention = self.self_attention


class _OtherEps(_Layer):
    def __init__(self, d_model, n_heads, d_ff, norm_first=False):
        super().__init__(d_model, n_heads, d_ff, norm_first)
        self.norm_1, self.norm_2, self.norm_3 = (nn.LayerNorm(d_model, eps=1e-6) for _ in range(3))


DECODER_LAYER = Exercise(
    name="DecoderLayer",
    reference=reference.DecoderLayer,
    cases=_decoder_cases,
    mistakes=(
        Mistake(
            "keys and values of the cross attention come from the decoder",
            "Looking across means asking the encoder: the decoder asks, the memory answers. Which two of the three are the memory's?",
            _across(lambda y, memory: (y, y, y)),
        ),
        Mistake(
            "the queries of the cross attention come from the encoder",
            "Whoever is updated supplies the query, and that is the decoder's word.",
            _across(lambda y, memory: (memory, y, y)),
        ),
        Mistake(
            "the values of the cross attention come from the decoder",
            "Keys and values belong together, two views of the same words: both come from the memory.",
            _across(lambda y, memory: (y, memory, y)),
        ),
        Mistake(
            "the keys of the cross attention come from the decoder",
            "Keys and values belong together, two views of the same words: both come from the memory.",
            _across(lambda y, memory: (y, y, memory)),
        ),
        Mistake(
            "the decoder's mask is used for the memory as well",
            "The source has a mask of its own, `memory_mask`: it may be read to its end, only its padding is hidden.",
            _layer(look_across=_across_with(lambda self_mask, memory_mask: self_mask)),
        ),
        Mistake(
            "the two masks are swapped",
            "`self_mask` is for the self-attention, `memory_mask` for the cross attention.",
            _layer(look_at_self=_self_with(lambda s, m: m), look_across=_across_with(lambda s, m: s)),
        ),
        Mistake(
            "memory_mask is not used",
            "The padding of the source would be read as words: hand the mask on to the cross attention.",
            _layer(look_across=_across_with(lambda s, m: None)),
        ),
        Mistake(
            "self_mask is not used",
            "Without it the decoder sees its own future: hand the mask on to the self-attention.",
            _layer(look_at_self=_self_with(lambda s, m: None)),
        ),
        Mistake(
            "no residual around the self-attention",
            "Each of the three sublayers is added to its input.",
            _add_without(1),
        ),
        Mistake(
            "no residual around the cross attention",
            "Each of the three sublayers is added to its input.",
            _add_without(2),
        ),
        Mistake(
            "no residual around the feed-forward net",
            "Each of the three sublayers is added to its input.",
            _add_without(3),
        ),
        Mistake(
            "no residual anywhere",
            "Each of the three sublayers is added to its input, as in the encoder.",
            _add_without(1, 2, 3),
        ),
        Mistake(
            "pre-norm: the residual starts from the normalised x",
            "The road past the sublayer stays untouched: x + sublayer(norm(x)), with the old x in front.",
            _layer(add=_residual_from_normalised),
        ),
        Mistake(
            "post-norm: normalised the sublayer's output, not the sum",
            "First add, then norm: norm(x + sublayer(x)).",
            _layer(add=_norm_of_sublayer),
        ),
        Mistake(
            "x + x: the sublayer's output is added to itself",
            "Once `x` is overwritten by the sublayer's output, the old x is gone. Give the output a name of its own.",
            _layer(add=_doubled),
        ),
        Mistake(
            "norm_first is ignored: always post-norm",
            "With `norm_first=True` each norm stands before its sublayer.",
            _always(False),
        ),
        Mistake(
            "always pre-norm",
            "Without `norm_first` each norm comes after the sum, as in the original Transformer.",
            _always(True),
        ),
        Mistake(
            "pre- and post-norm the wrong way round",
            "`norm_first=True`: the norm stands before the sublayer. False, the default: after the sum.",
            _Reversed,
        ),
        Mistake(
            "the later residuals start from the layer's input",
            "Each sublayer adds to what the one before it has left, not to the x that came in.",
            _OldResidual,
        ),
        Mistake(
            "looks across before it looks at itself",
            "The order is: own words, the encoder's words, then the feed-forward net.",
            _CrossFirst,
        ),
        Mistake(
            "both attentions read the layer's input",
            "The cross attention asks with what the self-attention (and its add & norm) has left, not with the x that came in.",
            _SideBySide,
        ),
        Mistake(
            "the self-attention looks at the memory as well",
            "First the decoder's own words, with queries, keys and values from x. The memory comes in at the cross attention only.",
            _layer(look_at_self=lambda self, y, memory, s, m: self.self_attention(y, memory, memory, s)[0]),
        ),
        Mistake(
            "the masks are turned around",
            "`MultiHeadAttention` of unit 4 takes masks in which True means “may attend”, just as they come in: hand them on as they are.",
            _layer(
                look_at_self=_self_with(lambda s, m: None if s is None else ~s),
                look_across=_across_with(lambda s, m: None if m is None else ~m),
            ),
        ),
        Mistake(
            "the self-attention is always causal, whatever self_mask says",
            "The layer does not make masks: without `self_mask` its words see each other, both ways.",
            _layer(
                look_at_self=lambda self, y, memory, s, m: self.self_attention(
                    y, y, y, reference.causal_mask(y.shape[-2]) if s is None else s
                )[0]
            ),
        ),
        Mistake(
            "the cross attention is left out",
            "Without it the decoder never hears of the source: three sublayers, not two.",
            _layer(add=lambda self, i, x, sublayer: x if i == 2 else _Layer.add(self, i, x, sublayer)),
        ),
        Mistake(
            "the feed-forward net is left out",
            "After the two attentions each word is worked on by itself, as in the encoder.",
            _layer(add=lambda self, i, x, sublayer: x if i == 3 else _Layer.add(self, i, x, sublayer)),
        ),
        Mistake(
            "self_attention is used for both attentions",
            "There are two attentions with weights of their own; the second one is `self.cross_attention`.",
            _layer(look_across=lambda self, y, memory, s, m: self.self_attention(y, memory, memory, m)[0]),
        ),
        Mistake(
            "one attention module under two names",
            "`self.cross_attention = self.self_attention` shares the weights. Make two modules.",
            _OneAttention,
        ),
        Mistake(
            "norm_1 is used three times",
            "Each sublayer has a norm of its own.",
            _layer(norm=lambda self, i: self.norm_1),
        ),
        Mistake(
            "norm_2 and norm_3 are swapped",
            "norm_2 belongs to the cross attention, norm_3 to the feed-forward net.",
            _layer(norm=lambda self, i: (self.norm_1, self.norm_3, self.norm_2)[i - 1]),
        ),
        Mistake(
            "pre-norm: the memory is normalised as well",
            "norm_2 is for the decoder's words. The memory comes from the encoder as it is.",
            _layer(
                look_across=lambda self, y, memory, s, m: self.cross_attention(
                    y, *[self.norm_2(memory) if self.norm_first else memory] * 2, m
                )[0]
            ),
        ),
        Mistake(
            "pre-norm: only the queries of the self-attention are normalised",
            "Queries, keys and values of the self-attention are all made from norm_1(x).",
            _OnlyQueriesNormalised,
        ),
        Mistake(
            "a norm with another eps than 1e-5",
            "torch's default and the paper's implementations use eps = 1e-5.",
            _OtherEps,
        ),
        Mistake(
            "added the pair (output, weights)",
            "`MultiHeadAttention` returns two results. The output is the first: `output, _ = self.self_attention(...)`.",
            _layer(look_at_self=lambda self, y, memory, s, m: self.self_attention(y, y, y, s)),
        ),
        Mistake("returned the weights as well", "The layer above wants x alone: return just x.", _WithWeights),
    ),
    hints=(
        "Take your encoder layer and put a second attention between its two halves: own words, the encoder's words, feed-forward.",
        "Cross attention: the query is the decoder's x, key and value are `memory`; the mask is `memory_mask`.",
    ),
)


# --- greedy_decode ---------------------------------------------------------------------------------------

_VOCAB, _BOS, _EOS = 9, 3, 5


def _model(rng, steps, stop_at=None, tie_at=(), eos_in_tie=False):
    """A table that says eos at step `stop_at` and has equal best logits at the steps of `tie_at`; it never says bos.

    At every step the best token is another one than before, for each last id, so that wrong input shows.
    """
    logits = rng.normal(size=(steps, _VOCAB, _VOCAB)) * 1.5
    words = [i for i in range(_VOCAB) if i not in (_BOS, _EOS)]
    for step in range(steps):
        logits[step, np.arange(_VOCAB), _choose(rng, words)] = 6.0
    logits[:, :, [_BOS, _EOS]] = -9.0
    for step in tie_at:
        pair = [_EOS, 7] if eos_in_tie else sorted(rng.choice(words, size=2, replace=False))
        logits[step, :, pair] = 8.0
    if stop_at is not None:
        logits[stop_at, :, _EOS] = 9.0
    return Built("table_language_model", {"logits": logits.astype("f4"), "bos_id": _BOS})


def _choose(rng, words):
    """For each last id a next word, never the same word again."""
    return [rng.choice([word for word in words if word != last]) for last in range(_VOCAB)]


def _greedy_cases(rng):
    def case(prop, note, max_length, **options):
        return Case(prop, (_model(rng, 7, **options), _BOS, _EOS, max_length), note=note)

    return [
        case("values", "eos after 4 words, at most 6", 6, stop_at=4),
        case("values", "eos after 2 words, at most 6", 6, stop_at=2),
        case("eos at once", "the first word is eos", 6, stop_at=0),
        case("longest sentence", "no eos, at most 5 words", 5),
        case("longest sentence", "no eos, at most 1 word", 1),
        case("longest sentence", "eos would come right after the 3 words allowed", 3, stop_at=3),
        case("longest sentence", "eos is the last of 4 words allowed", 4, stop_at=3),
        case("nothing asked", "max_length is 0", 0, stop_at=3),
        case("ties", "two words equally probable at each of the first 3 steps", 5, tie_at=(0, 1, 2), stop_at=4),
        case("ties", "eos and a higher id equally probable after 2 words", 5, tie_at=(2,), eos_in_tie=True),
    ]


def _greedy(
    best=lambda logits: int(torch.argmax(logits)),
    ids=lambda bos, written: [bos, *written],
    stop=True,
    clean=None,
    limit=lambda n: n,
):
    """Greedy decoding with one part replaced."""

    def wrong(next_logits, bos_id, eos_id, max_length):
        written = []
        while len(written) < limit(max_length):
            token = best(next_logits(ids(bos_id, written)))
            if stop and token == eos_id:
                break
            written.append(token)
        return clean(written, bos_id, eos_id) if clean else written

    return wrong


def _eos_left_in(next_logits, bos_id, eos_id, max_length):
    written = []
    while len(written) < max_length:
        written.append(int(torch.argmax(next_logits([bos_id, *written]))))
        if written[-1] == eos_id:
            break
    return written


def _one_at_least(next_logits, bos_id, eos_id, max_length):
    written = []
    while True:
        token = int(torch.argmax(next_logits([bos_id, *written])))
        if token == eos_id:
            return written
        written.append(token)
        if len(written) >= max_length:
            return written


def _last_of_equals(logits):
    return len(logits) - 1 - int(torch.argmax(logits.flip(0)))


GREEDY_DECODE = Exercise(
    name="greedy_decode",
    reference=reference.greedy_decode,
    cases=_greedy_cases,
    mistakes=(
        Mistake(
            "does not stop at end-of-sequence",
            "When the model says `eos_id` the sentence is over: leave the loop.",
            _greedy(stop=False),
        ),
        Mistake(
            "writes on after end-of-sequence and only takes the eos out",
            "What comes after eos is no part of the sentence: leave the loop there.",
            _greedy(stop=False, clean=lambda written, bos, eos: [token for token in written if token != eos]),
        ),
        Mistake(
            "left end-of-sequence in", "eos says that the sentence is over; it is not one of its words.", _eos_left_in
        ),
        Mistake(
            "left bos in",
            "bos is only there for the model to begin with; it was not written. Return the ids after it.",
            _greedy(clean=lambda written, bos, eos: [bos, *written]),
        ),
        Mistake(
            "left both bos and end-of-sequence in",
            "Neither is a word of the sentence: return what stands between them.",
            lambda next_logits, bos_id, eos_id, max_length: [
                bos_id,
                *_eos_left_in(next_logits, bos_id, eos_id, max_length),
            ],
        ),
        Mistake(
            "one word too few: counted bos as a word",
            "`max_length` is how many ids you may write; bos was given.",
            _greedy(limit=lambda n: n - 1),
        ),
        Mistake(
            "one word too many",
            "`max_length` ids at most: look at the length before you ask for the next one.",
            _greedy(limit=lambda n: n + 1 if n else 0),
        ),
        Mistake(
            "writes a word even when max_length is 0",
            "Look at the length before the first word, not only after it.",
            _one_at_least,
        ),
        Mistake(
            "of equally probable words took the highest id",
            "Ties go to the lowest id: with `>` instead of `>=` the first one stays, as with `argmax`.",
            _greedy(best=_last_of_equals),
        ),
        Mistake(
            "took the least probable word",
            "The most probable next word is at the largest logit.",
            _greedy(best=lambda logits: int(torch.argmin(logits))),
        ),
        Mistake(
            "asks with bos alone each time",
            "The model has to see what has been written so far: hand it bos and all ids after it.",
            _greedy(ids=lambda bos, written: [bos]),
        ),
        Mistake(
            "asks with the last id alone",
            "The model has to see the whole sentence so far, from bos on.",
            _greedy(ids=lambda bos, written: [written[-1] if written else bos]),
        ),
        Mistake(
            "asks without bos in front",
            "The model was trained on sentences that begin with bos, so it has to begin there now: `[bos_id, ...]`.",
            _greedy(ids=lambda bos, written: list(written)),
        ),
        Mistake(
            "puts tensors into the list of ids",
            "`argmax` gives a tensor with one number in it; `int(...)` or `.item()` takes the number out.",
            _greedy(best=lambda logits: torch.argmax(logits)),
        ),
    ),
    hints=(
        "Start with `ids = [bos_id]`. Ask for the logits, take the largest, look whether it is eos, append it; and again.",
        "Two ways to stop: eos, or `max_length` ids written. Return what was written, without bos and eos.",
    ),
)


EXERCISES = (CAUSAL_MASK, PADDING_MASK, MASKED_ATTENTION, SHIFT_RIGHT, CROSS_ENTROPY, DECODER_LAYER, GREEDY_DECODE)
