"""Unit 8: cases, mistakes and hints of the exercises on what changed since 2017.

Where scores are large the entries are multiples of 1/8 and d_k is 4, so that every order of summing and scaling gives
exactly the same scores in float32 and no right answer is lost to rounding.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake, Relation, Tensor
from helpers.reference import u8_modern_attention as reference

_READY_MADE = ("torch.nn.functional.scaled_dot_product_attention", "torch.nn.functional.multi_head_attention_forward")


def _normal(rng: np.random.Generator, *shape: int, gradient: bool = False) -> Tensor:
    return Tensor(rng.normal(size=shape).astype("f4"), gradient)


def _eighths(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.integers(-16, 17, size=shape) / 8).astype("f4")


def _leveled(
    rng: np.random.Generator, n_queries: int, levels: np.ndarray, lead: tuple[int, ...] = ()
) -> tuple[Tensor, Tensor]:
    """Queries and keys of width 4 whose scaled scores lie a little above or below the level of the key."""
    Q, K = _eighths(rng, *lead, n_queries, 4), _eighths(rng, *lead, len(levels), 4)
    Q[..., 0], K[..., 0] = 2, levels
    return Tensor(Q), Tensor(K)


def _swap(x: torch.Tensor) -> torch.Tensor:
    return x.transpose(-2, -1)


# Wrong scales that learners use, each as a function of Q, K, V after the heads are split.
_SCALES = {
    "did not scale the scores": ("Without 1/√d_k the softmax saturates; unit 2 drew it.", lambda Q, K, V: 1.0),
    "divided by d_k, not by √d_k": (
        "A dot product of d_k terms grows like √d_k, so its root is what has to go.",
        lambda Q, K, V: Q.shape[-1],
    ),
    "multiplied by √d_k instead of dividing": (
        "The scores are too large by √d_k already.",
        lambda Q, K, V: Q.shape[-1] ** -0.5,
    ),
    "divided by √d_v": (
        "The scores come from queries and keys: their width counts, not that of the values.",
        lambda Q, K, V: V.shape[-1] ** 0.5,
    ),
    "divided by the root of the number of keys": (
        "The number of terms in one dot product is d_k, however many keys there are.",
        lambda Q, K, V: K.shape[-2] ** 0.5,
    ),
    "divided by a fixed 8": (
        "8 is √64, right for heads of width 64 only. Take the width from the last axis of the queries.",
        lambda Q, K, V: 8.0,
    ),
}


def _scale_mistakes(wrong_with_scale):
    return tuple(Mistake(name, hint, wrong_with_scale(scale)) for name, (hint, scale) in _SCALES.items())


# --- rms_norm --------------------------------------------------------------------------------------------


def _rms_cases(rng):
    off_centre = Tensor((rng.normal(size=(3, 5)) + 2).astype("f4"))
    with_zero = rng.normal(size=(3, 4)).astype("f4")
    with_zero[1] = 0
    return [
        Case("values", (_normal(rng, 3, 5), _normal(rng, 5)), note="3 tokens of width 5"),
        Case("values", (off_centre, _normal(rng, 5)), note="3 tokens whose mean is far from 0"),
        Case("values", (_normal(rng, 4, 4), _normal(rng, 4)), note="4 tokens of width 4: a square x"),
        Case("values", (_normal(rng, 6), _normal(rng, 6)), note="a single token, one axis"),
        Case("eps", (_normal(rng, 3, 5), _normal(rng, 5), 0.5), note="eps = 0.5"),
        Case("eps", (_normal(rng, 3, 5), _normal(rng, 5)), {"eps": 0.02}, note="eps = 0.02, by name"),
        Case(
            "eps",
            (Tensor((1e-3 * rng.normal(size=(3, 5))).astype("f4")), _normal(rng, 5)),
            note="tokens a thousandth long, eps left at its default of 1e-6",
        ),
        Case("eps", (Tensor(with_zero), _normal(rng, 4)), note="one of 3 tokens is all zeros"),
        Case("batch axes", (_normal(rng, 2, 3, 5), _normal(rng, 5)), note="2 sentences at once"),
        Case("batch axes", (_normal(rng, 2, 3, 4, 6), _normal(rng, 6)), note="2 × 3 sentences at once"),
        Case(
            "gradients",
            (_normal(rng, 2, 3, 5, gradient=True), _normal(rng, 5, gradient=True)),
            gradients=True,
            note="gradients of x and weight",
        ),
    ]


def _mean_square(x, dim=-1):
    return x.square().mean(dim=dim, keepdim=True)


def _rms(divide):
    """A wrong RMS norm from a rule for the token; the weight and the default eps are as asked."""
    return lambda x, weight, eps=1e-6: weight * divide(x, eps)


def _centred(x):
    return x - x.mean(dim=-1, keepdim=True)


RMS_NORM = Exercise(
    name="rms_norm",
    reference=reference.rms_norm,
    cases=_rms_cases,
    mistakes=(
        Mistake(
            "subtracted the mean: that is layer norm",
            "RMS norm leaves the mean where it is and divides by the size alone; that is all that was taken out.",
            _rms(lambda x, eps: _centred(x) / (_mean_square(_centred(x)) + eps).sqrt()),
        ),
        Mistake(
            "divided by the standard deviation",
            "The standard deviation measures from the mean; the root mean square measures from zero.",
            _rms(lambda x, eps: x / (_mean_square(_centred(x)) + eps).sqrt()),
        ),
        Mistake(
            "subtracted the mean, then divided by the root mean square",
            "No mean is subtracted anywhere, above the line or below it.",
            _rms(lambda x, eps: _centred(x) / (_mean_square(x) + eps).sqrt()),
        ),
        Mistake(
            "added eps outside the root",
            "Where is the bracket? eps joins the mean of the squares before the root is taken.",
            _rms(lambda x, eps: x / (_mean_square(x).sqrt() + eps)),
        ),
        Mistake(
            "forgot the root",
            "The mean of squares has the squared unit of x. Its root has the unit of x.",
            _rms(lambda x, eps: x / (_mean_square(x) + eps)),
        ),
        Mistake(
            "summed the squares instead of averaging them",
            "The M in RMS: divide the sum by the width, so that wide tokens are not made smaller.",
            _rms(lambda x, eps: x / (x.square().sum(-1, keepdim=True) + eps).sqrt()),
        ),
        Mistake(
            "divided the sum of squares by d - 1",
            "A plain mean: divide by d. Nothing was estimated from the data, so there is nothing to correct.",
            _rms(lambda x, eps: x / (x.square().sum(-1, keepdim=True) / (x.shape[-1] - 1) + eps).sqrt()),
        ),
        Mistake(
            "divided by torch.std",
            "`std` measures from the mean and divides by d - 1; the root mean square does neither, and eps stands inside its root.",
            _rms(lambda x, eps: x / (x.std(-1, keepdim=True) + eps)),
        ),
        Mistake(
            "divided the length by d, not by √d",
            "The length is √(sum of squares). The mean is taken before the root, so d comes out of it as √d.",
            _rms(lambda x, eps: x / (x.norm(dim=-1, keepdim=True) / x.shape[-1] + eps)),
        ),
        Mistake(
            "averaged over the tokens, not over the features",
            "Each token is normalised by itself: the mean runs over the last axis.",
            _rms(lambda x, eps: x / (_mean_square(x, -2 if x.ndim > 1 else -1) + eps).sqrt()),
        ),
        Mistake(
            "lost the axis that the mean was taken over",
            "Without that axis torch lines the means up with the features, not with the tokens. `keepdim=True` keeps it, with length 1.",
            _rms(lambda x, eps: x / (x.square().mean(dim=-1) + eps).sqrt()),
        ),
        Mistake(
            "one mean for the whole tensor",
            "`.mean()` without an axis is a single number. Each token needs its own: `dim=-1, keepdim=True`.",
            _rms(lambda x, eps: x / (x.square().mean() + eps).sqrt()),
        ),
        Mistake(
            "averaged absolute values instead of squares",
            "Root, mean, square: read the name from the back to the front.",
            _rms(lambda x, eps: x / (x.abs().mean(-1, keepdim=True) + eps)),
        ),
        Mistake(
            "multiplied by the root mean square",
            "The token has to come out with root mean square 1: divide.",
            _rms(lambda x, eps: x * (_mean_square(x) + eps).sqrt()),
        ),
        Mistake(
            "left the weight out",
            "Each feature gets its own factor at the end: `weight`.",
            lambda x, weight, eps=1e-6: x / (_mean_square(x) + eps).sqrt(),
        ),
        Mistake(
            "multiplied by 1 + weight",
            "Some models store the weight minus 1. Here it is stored as it is.",
            lambda x, weight, eps=1e-6: (1 + weight) * x / (_mean_square(x) + eps).sqrt(),
        ),
        Mistake(
            "multiplied by the weight before taking the mean square",
            "The size is that of x; the weight comes after it.",
            lambda x, weight, eps=1e-6: weight * x / (_mean_square(weight * x) + eps).sqrt(),
        ),
        Mistake(
            "left eps out",
            "A token of zeros would be divided by zero.",
            _rms(lambda x, eps: x / _mean_square(x).sqrt()),
        ),
        Mistake(
            "ignored the argument eps",
            "You have a fixed number where `eps` should stand.",
            lambda x, weight, eps=1e-6: weight * x / (_mean_square(x) + 1e-6).sqrt(),
        ),
        Mistake(
            "used 1e-5 as the default of eps",
            "1e-5 was layer norm's. Look at the signature again.",
            lambda x, weight, eps=1e-5: weight * x / (_mean_square(x) + eps).sqrt(),
        ),
        Mistake(
            "used eps as the smallest divisor instead of adding it",
            "eps is added to the mean square of every token, not only of small ones.",
            _rms(lambda x, eps: x / _mean_square(x).clamp(min=eps).sqrt()),
        ),
    ),
    forbidden=("torch.nn.functional.rms_norm",),
    hints=(
        "Three steps, in the name from back to front: square, mean, root. Then divide x by the result.",
        "Keep the axis when you average (`keepdim=True`), so that (..., 1) divides (..., d).",
    ),
)


# --- apply_rotary ----------------------------------------------------------------------------------------


def _positions(*numbers: int) -> Tensor:
    return Tensor(np.array(numbers, dtype="i8"))


def _offset_cases(rng):
    q, k = _normal(rng, 1, 6), _normal(rng, 1, 6)
    places = {"q at 5": (q, 5), "k at 2": (k, 2), "q at 23": (q, 23), "k at 20": (k, 20)}
    return [
        Case(
            "the offset alone counts",
            (x, _positions(p)),
            label=label,
            note="a query 3 tokens behind a key, near the start and further on",
        )
        for label, (x, p) in places.items()
    ]


def _only_the_shape(case, value, expected):
    fits = isinstance(value, np.ndarray) and value.shape == expected.shape
    return None if fits else f"the result should be a tensor of shape {expected.shape}"


def _same_score(values):
    near, far = float((values["q at 5"] * values["k at 2"]).sum()), float((values["q at 23"] * values["k at 20"]).sum())
    size = float(np.linalg.norm(values["q at 5"]) * np.linalg.norm(values["k at 2"]))
    if abs(near - far) <= 1e-4 * size:
        return None
    return f"positions 5 and 2 give the score {near:.4f}, positions 23 and 20 give {far:.4f}; both are 3 apart, so the scores should be equal"


def _rotary_cases(rng):
    return [
        Case("values", (_normal(rng, 5, 6), _positions(0, 1, 2, 3, 4)), note="5 tokens of width 6 at positions 0 to 4"),
        Case("values", (_normal(rng, 4, 4), _positions(0, 1, 2, 3)), note="4 tokens of width 4: a square x"),
        Case("values", (_normal(rng, 3, 2), _positions(0, 1, 2)), note="one pair only"),
        Case("positions", (_normal(rng, 3, 6), _positions(7, 8, 9)), note="a later part of a text: positions 7, 8, 9"),
        Case("positions", (_normal(rng, 1, 6), _positions(11)), note="the one new token after a cache of 11"),
        Case("positions", (_normal(rng, 4, 6), _positions(9, 0, 4, 4)), note="positions in any order: 9, 0, 4, 4"),
        Case("base", (_normal(rng, 4, 6), _positions(0, 1, 2, 3), 100.0), note="base = 100"),
        *_offset_cases(rng),
        Case("batch axes", (_normal(rng, 2, 5, 6), _positions(2, 3, 4, 5, 6)), note="2 sentences at once"),
        Case("batch axes", (_normal(rng, 2, 3, 4, 8), _positions(0, 1, 2, 3)), note="2 sentences, 3 heads, 4 tokens"),
        Case(
            "batch axes",
            (_normal(rng, 2, 4, 4, 6), _positions(1, 2, 3, 4)),
            note="2 sentences, as many heads as tokens",
        ),
        Case(
            "gradients",
            (_normal(rng, 2, 3, 4, gradient=True), _positions(1, 2, 3)),
            gradients=True,
            note="gradient of x",
        ),
        Case(
            "bad arguments",
            (_normal(rng, 4, 5), _positions(0, 1, 2, 3)),
            raises="ValueError",
            note="width 5 has no pairs",
        ),
        Case("bad arguments", (_normal(rng, 2, 1), _positions(0, 1)), raises="ValueError", note="width 1 has no pairs"),
    ]


def _speeds(d, base):
    return base ** (-torch.arange(0, d, 2) / d)


def _rotate(
    angles=lambda x, positions, base: positions[:, None] * _speeds(x.shape[-1], base),
    turn=lambda e, o, cos, sin: (e * cos - o * sin, e * sin + o * cos),
    take=lambda x: (x[..., 0::2], x[..., 1::2]),
    put=lambda e, o: torch.stack([e, o], dim=-1).flatten(-2),
    refuse=True,
):
    """A rotary encoding with some of its steps replaced."""

    def wrong(x, positions, base=10000.0):
        if refuse and x.shape[-1] % 2:
            raise ValueError("odd width")
        a = angles(x, positions, base)
        return put(*turn(*take(x), a.cos(), a.sin()))

    return wrong


def _halves(x):
    return x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]


def _joined(e, o):
    return torch.cat([e, o], dim=-1)


def _one_after_the_other(e, o, cos, sin):
    e = e * cos - o * sin
    return e, e * sin + o * cos


def _odd_accepted(x, positions, base=10000.0):
    even = x.shape[-1] - x.shape[-1] % 2
    return torch.cat([_rotate()(x[..., :even], positions, base), x[..., even:]], dim=-1)


def _sinusoids_added(x, positions, base=10000.0):
    if x.shape[-1] % 2:
        raise ValueError("odd width")
    a = positions[:, None] * _speeds(x.shape[-1], base)
    return x + torch.stack([a.sin(), a.cos()], dim=-1).flatten(-2)


def _partnered(lay_out, partner, step=2):
    """The other common form, x cos a + partner(x) sin a, with a rule for which angle a feature gets."""

    def wrong(x, positions, base=10000.0):
        if x.shape[-1] % 2:
            raise ValueError("odd width")
        a = lay_out(positions[:, None] * base ** (-torch.arange(0, x.shape[-1], step) / x.shape[-1]))
        return x * a.cos() + partner(x) * a.sin()

    return wrong


def _reshaped(x, positions, base=10000.0):
    pairs = x.reshape(*x.shape[:-1], x.shape[-1] // 2, 2)
    return reference.apply_rotary(pairs.flatten(-2), positions, base)


def _along_heads(x, positions, base):
    a = positions[:, None] * _speeds(x.shape[-1], base)
    return a[:, None] if x.ndim > 2 else a


_HALVES_HINT = (
    "The pairs are neighbours: features 0 and 1, 2 and 3, ... Slices with a step of 2 take them apart: `x[..., 0::2]`."
)
_SIGN_HINT = "Turn (1, 0) by hand: it becomes (cos a, sin a). And (0, 1) becomes (-sin a, cos a)."

APPLY_ROTARY = Exercise(
    name="apply_rotary",
    reference=reference.apply_rotary,
    cases=_rotary_cases,
    mistakes=(
        Mistake(
            "rotated the two halves where neighbouring pairs were asked",
            _HALVES_HINT,
            _rotate(take=_halves, put=_joined),
        ),
        Mistake(
            "put the turned pairs back as two halves",
            "The pairs went apart as neighbours and have to come back as neighbours: stack on a new last axis, then flatten it.",
            _rotate(put=_joined),
        ),
        Mistake(
            "took halves and put them back as neighbours",
            "Taking apart and putting back have to be each other's inverse.",
            _rotate(take=_halves),
        ),
        Mistake(
            "turned the other way round", _SIGN_HINT, _rotate(turn=lambda e, o, c, s: (e * c + o * s, o * c - e * s))
        ),
        Mistake("lost the minus sign", _SIGN_HINT, _rotate(turn=lambda e, o, c, s: (e * c + o * s, e * s + o * c))),
        Mistake(
            "put a minus sign in both rows", _SIGN_HINT, _rotate(turn=lambda e, o, c, s: (e * c - o * s, e * s - o * c))
        ),
        Mistake("swapped sine and cosine", _SIGN_HINT, _rotate(turn=lambda e, o, c, s: (e * s - o * c, e * c + o * s))),
        Mistake(
            "used the new first entry to compute the second",
            "Both new entries come from the old pair. Keep the old one until both are computed.",
            _rotate(turn=_one_after_the_other),
        ),
        Mistake(
            "multiplied by cosine and sine without mixing the pair",
            "In a turn, each new entry is made of both old ones.",
            _rotate(turn=lambda e, o, c, s: (e * c, o * s)),
        ),
        Mistake(
            "added sines and cosines instead of turning",
            "That is unit 3's way. Here nothing is added to x: its pairs are turned, and their lengths stay.",
            _sinusoids_added,
        ),
        Mistake(
            "used the exponent i/d instead of 2i/d",
            "Pair i starts at feature 2i. The last pair should be almost as slow as 1/base.",
            _rotate(lambda x, p, base: p[:, None] * base ** (-torch.arange(x.shape[-1] // 2) / x.shape[-1])),
        ),
        Mistake(
            "used the exponent 4i/d instead of 2i/d",
            "Count once: if i runs over the pairs, the exponent is 2i/d; if it runs over features 0, 2, 4, ..., it is that over d.",
            _rotate(lambda x, p, base: p[:, None] * base ** (-2 * torch.arange(0, x.shape[-1], 2) / x.shape[-1])),
        ),
        Mistake(
            "turned all pairs at one speed",
            "Each pair has a speed of its own, from fast to slow.",
            _rotate(lambda x, p, base: p[:, None] * torch.ones(x.shape[-1] // 2)),
        ),
        Mistake(
            "made later pairs turn faster",
            "The exponent is negative: the first pair turns by one radian a token, and each later one more slowly.",
            _rotate(lambda x, p, base: p[:, None] * base ** (torch.arange(0, x.shape[-1], 2) / x.shape[-1])),
        ),
        Mistake(
            "counted the positions from 1",
            "A token at position 0 is not turned at all. Use the positions as they are given.",
            _rotate(lambda x, p, base: (p[:, None] + 1) * _speeds(x.shape[-1], base)),
        ),
        Mistake(
            "counted 0, 1, 2, ... instead of using the positions",
            "After a cache of 11 tokens, the new one stands at position 11, not at 0. That is why the positions are an argument.",
            _rotate(lambda x, p, base: torch.arange(x.shape[-2])[:, None] * _speeds(x.shape[-1], base)),
        ),
        Mistake(
            "ignored the argument base",
            "You have a fixed number where `base` should stand.",
            _rotate(lambda x, p, base: p[:, None] * _speeds(x.shape[-1], 10000.0)),
        ),
        Mistake(
            "let the positions run over the heads or sentences",
            "The tokens are the last axis but one: angles of shape (n, d/2) already line up with (..., n, d/2).",
            _rotate(_along_heads),
        ),
        Mistake(
            "turned the pairs of the two halves at the speeds of neighbours",
            "The speeds are laid out for neighbours (0, 0, 1, 1) and the partners for halves. Both have to follow the same pairs: here, neighbours.",
            _partnered(
                lambda a: a.repeat_interleave(2, dim=-1), lambda x: torch.cat([-_halves(x)[1], _halves(x)[0]], dim=-1)
            ),
        ),
        Mistake(
            "turned neighbouring pairs at speeds laid out for halves",
            "Both features of a pair turn at one speed: the speeds have to be laid out 0, 0, 1, 1, ... here, not 0, 1, ..., 0, 1, ...",
            _partnered(
                lambda a: torch.cat([a, a], dim=-1),
                lambda x: torch.stack([-x[..., 1::2], x[..., 0::2]], dim=-1).flatten(-2),
            ),
        ),
        Mistake(
            "gave each feature a speed of its own",
            "The two features of a pair turn together: there are d/2 speeds, not d.",
            _partnered(lambda a: a, lambda x: torch.stack([-x[..., 1::2], x[..., 0::2]], dim=-1).flatten(-2), step=1),
        ),
        Mistake(
            "left the pairs on an axis of their own",
            "The result has the shape of x: flatten the last two axes, (d/2, 2), into one.",
            _rotate(put=lambda e, o: torch.stack([e, o], dim=-1)),
        ),
        Mistake(
            "left an odd width to an error of torch's",
            "Torch's message tells the caller nothing about pairs. Look at the width first and raise a ValueError.",
            _rotate(refuse=False),
        ),
        Mistake(
            "left an odd width to an error of reshape's",
            "The message of reshape tells the caller nothing about pairs. Look at the width first and raise a ValueError.",
            _reshaped,
        ),
        Mistake(
            "accepted an odd width",
            "An odd width leaves one feature without a partner: raise a ValueError before anything else.",
            _odd_accepted,
        ),
    ),
    compare={"the offset alone counts": _only_the_shape},
    relations=(Relation("the offset alone counts", _same_score),),
    hints=(
        "First the angles, (n, d/2): position times speed, where pair i has the speed base^(-2i/d).",
        "Then the two new entries of every pair from its two old ones, and back into their places: `x[..., 0::2]` and `x[..., 1::2]`.",
    ),
)


# --- grouped_query_attention -----------------------------------------------------------------------------


def _mask(rng, *shape):
    """A mask in which every query may see at least one key and misses at least one."""
    mask = rng.random(shape) < 0.5
    n = shape[-1]
    first = rng.integers(n, size=shape[:-1])[..., None]
    np.put_along_axis(mask, first, True, axis=-1)
    np.put_along_axis(mask, (first + 1 + rng.integers(n - 1)) % n, False, axis=-1)
    return Tensor(mask)


def _triple(rng, lead, h, h_kv, n_q, n_k, d_k, d_v, gradient=(False, False, False)):
    shapes = ((*lead, h, n_q, d_k), (*lead, h_kv, n_k, d_k), (*lead, h_kv, n_k, d_v))
    return tuple(_normal(rng, *shape, gradient=g) for shape, g in zip(shapes, gradient))


def _grouped_cases(rng):
    lengths = np.array([[5], [3]]) > np.arange(5)
    empty = np.array([[True, False, True, True], [False] * 4, [False, True, True, False]])
    large = Tensor(100 * _eighths(rng, 2, 4, 3, 4)), Tensor(100 * _eighths(rng, 2, 2, 5, 4)), _normal(rng, 2, 2, 5, 3)
    low = [_leveled(rng, 3, np.array([0, 0, level, level, level]), (2,)) for level in (-100, -1e5)]
    low = [(Tensor(np.repeat(Q.array, 2, axis=0)), K, _normal(rng, 2, 5, 3)) for Q, K in low]
    low_mask = Tensor(
        np.array(
            [[False, False, True, True, True], [False, False, True, True, False], [False, False, False, True, True]]
        )
    )
    return [
        Case(
            "values",
            _triple(rng, (2,), 4, 2, 3, 5, 6, 3),
            note="2 sentences, 4 query heads that share 2 heads of keys and values, 3 queries, 5 keys, d_k = 6, d_v = 3",
        ),
        Case(
            "values",
            _triple(rng, (2,), 4, 2, 4, 4, 4, 4),
            note="4 query heads, 2 shared heads, everything else 4 as well",
        ),
        Case("values", _triple(rng, (2,), 6, 3, 2, 4, 3, 5), note="6 query heads that share 3 heads"),
        Case("values", _triple(rng, (2,), 6, 2, 3, 4, 3, 5), note="6 query heads that share 2 heads"),
        Case(
            "one shared head",
            _triple(rng, (2,), 3, 1, 4, 5, 2, 3),
            note="3 query heads that all share one head of keys and values",
        ),
        Case(
            "a head each",
            _triple(rng, (2,), 3, 3, 4, 5, 2, 3),
            note="as many heads of keys and values as of queries: multi-head attention",
        ),
        Case("batch axes", _triple(rng, (), 4, 2, 3, 5, 6, 2), note="one sentence, no batch axis"),
        Case("batch axes", _triple(rng, (2, 3), 4, 2, 3, 5, 6, 2), note="2 × 3 sentences at once"),
        Case(
            "mask", (*_triple(rng, (2,), 4, 2, 3, 5, 6, 3), _mask(rng, 3, 5)), note="one mask (n_q, n_k) for all heads"
        ),
        Case(
            "mask",
            _triple(rng, (2,), 4, 2, 4, 4, 3, 5),
            {"mask": _mask(rng, 4, 4)},
            note="as many queries as keys, mask by name",
        ),
        Case(
            "mask",
            (*_triple(rng, (2,), 4, 2, 5, 5, 6, 3), Tensor(lengths[:, None, :][:, None])),
            note="padding: a mask (batch, 1, 1, n_k)",
        ),
        Case(
            "mask",
            (*_triple(rng, (2,), 4, 2, 3, 5, 6, 3), _mask(rng, 4, 3, 5)),
            note="another mask (n_q, n_k) for each of the 4 heads",
        ),
        Case(
            "mask",
            (*_triple(rng, (2,), 6, 3, 3, 5, 4, 3), _mask(rng, 2, 6, 3, 5)),
            note="a mask for every sentence and head",
        ),
        Case(
            "nothing to see",
            (*_triple(rng, (2,), 4, 2, 3, 4, 6, 3), Tensor(empty)),
            note="the second query may see nothing",
        ),
        Case("large scores", large, note="scores of several ten thousand"),
        Case("large scores", (*low[0], low_mask), note="all allowed scores near -100, the forbidden ones near 0"),
        Case("large scores", (*low[1], low_mask), note="all allowed scores near -100,000, the forbidden ones near 0"),
        Case(
            "gradients",
            _triple(rng, (2,), 4, 2, 3, 5, 6, 3, (True, True, True)),
            gradients=True,
            note="gradients of Q, K and V",
        ),
        Case(
            "gradients",
            (*_triple(rng, (2,), 4, 2, 3, 5, 6, 3, (False, False, True)), _mask(rng, 3, 5)),
            gradients=True,
            note="gradient of V, with a mask",
        ),
        Case(
            "bad arguments",
            _triple(rng, (2,), 4, 3, 3, 5, 2, 2),
            raises="ValueError",
            note="4 query heads cannot share 3",
        ),
        Case(
            "bad arguments",
            _triple(rng, (2,), 2, 4, 3, 5, 2, 2),
            raises="ValueError",
            note="fewer query heads than heads of keys",
        ),
    ]


def _interleaved(X, h):
    return X.repeat_interleave(h // X.shape[-3], dim=-3)


def _tiled(X, h):
    return torch.cat([X] * (h // X.shape[-3]), dim=-3)


def _repeated_too_often(X, h):
    return X.repeat_interleave(X.shape[-3], dim=-3)


def _zeroed(weights, mask):
    return weights if mask is None else weights.masked_fill(~mask, 0.0)


def _filled(scores, mask, fill=-1e30):
    return scores if mask is None else scores.masked_fill(~mask, fill)


def _masked_softmax(scores, mask):
    return _zeroed(_filled(scores, mask).softmax(-1), mask)


def _grouped(
    weigh=_masked_softmax,
    repeat_k=_interleaved,
    repeat_v=_interleaved,
    scale=lambda Q, K, V: Q.shape[-1] ** 0.5,
    mask_as=lambda mask: mask,
):
    """Grouped attention with some of its steps replaced."""

    def wrong(Q, K, V, mask=None):
        h = Q.shape[-3]
        if h % K.shape[-3]:
            raise ValueError("heads do not divide")
        K, V = repeat_k(K, h), repeat_v(V, h)
        scores = Q @ _swap(K) / scale(Q, K, V)
        return weigh(scores, None if mask is None else mask_as(mask)) @ V

    return wrong


def _renormalised(e):
    total = e.sum(-1, keepdim=True)
    return e / total


def _own_softmax(shift):
    """The softmax written out, with a rule for what is subtracted first; empty rows are zeros."""

    def weigh(scores, mask):
        e = _zeroed(torch.exp(scores - shift(scores)), mask)
        total = e.sum(-1, keepdim=True)
        empty = (
            torch.zeros_like(total, dtype=torch.bool)
            if mask is None
            else ~mask.any(-1, keepdim=True).expand(total.shape)
        )
        return e / total.masked_fill(empty, 1.0)

    return weigh


def _four_axes_only(Q, K, V, mask=None):
    b, h, n, d = Q.shape
    return reference.grouped_query_attention(Q, K, V, mask)


def _with_weights(Q, K, V, mask=None):
    output = reference.grouped_query_attention(Q, K, V, mask)
    return output, _masked_softmax(Q @ _swap(_interleaved(K, Q.shape[-3])) / Q.shape[-1] ** 0.5, mask)


def _heads_stretched(Q, K, V, mask=None):
    h, h_kv = Q.shape[-3], K.shape[-3]
    share = torch.arange(h) * h_kv // h
    return _grouped()(Q, K[..., share, :, :], V[..., share, :, :], mask)


def _groups_averaged(Q, K, V, mask=None):
    output = reference.grouped_query_attention(Q, K, V, mask)
    return output.unflatten(-3, (K.shape[-3], -1)).mean(dim=-3)


def _queries_averaged(Q, K, V, mask=None):
    h, h_kv = Q.shape[-3], K.shape[-3]
    if h % h_kv:
        raise ValueError("heads do not divide")
    shared = Q.unflatten(-3, (h_kv, -1)).mean(dim=-3).repeat_interleave(h // h_kv, dim=-3)
    return reference.grouped_query_attention(shared, K, V, mask)


GROUPED_QUERY_ATTENTION = Exercise(
    name="grouped_query_attention",
    reference=reference.grouped_query_attention,
    cases=_grouped_cases,
    mistakes=(
        Mistake(
            "repeated the heads of K and V in tiled order, 0 1 0 1, where groups were asked, 0 0 1 1",
            "`repeat` and `cat` lay the whole row of heads down again; neighbours that share need each head repeated on the spot.",
            _grouped(repeat_k=_tiled, repeat_v=_tiled),
        ),
        Mistake(
            "grouped the heads of K but tiled those of V",
            "Query head i reads the keys and the values of the same shared head. Repeat both in the same way.",
            _grouped(repeat_v=_tiled),
        ),
        Mistake(
            "grouped the heads of V but tiled those of K",
            "Query head i reads the keys and the values of the same shared head. Repeat both in the same way.",
            _grouped(repeat_k=_tiled),
        ),
        Mistake(
            "used the first head of K and V for all",
            "That is what one shared head would be. Here query head i uses head i // (h / h_kv).",
            _grouped(repeat_k=lambda X, h: X[..., :1, :, :], repeat_v=lambda X, h: X[..., :1, :, :]),
        ),
        Mistake(
            "averaged the heads of K and V",
            "Each group of query heads has one head of keys and values to itself; nothing is averaged.",
            _grouped(repeat_k=lambda X, h: X.mean(-3, keepdim=True), repeat_v=lambda X, h: X.mean(-3, keepdim=True)),
        ),
        Mistake(
            "averaged the output of each group of heads",
            "The query heads stay h different heads: only K and V are shared.",
            _groups_averaged,
        ),
        Mistake(
            "averaged the queries of each group",
            "The queries of a group stay different: only K and V are shared.",
            _queries_averaged,
        ),
        Mistake(
            "repeated each head h_kv times instead of h / h_kv times",
            "With 6 query heads and 3 shared ones each shared head serves a group of 6 / 3 = 2.",
            _grouped(repeat_k=_repeated_too_often, repeat_v=_repeated_too_often),
        ),
        Mistake(
            "repeated along axis 1, counted from the front",
            "There may be no batch axis, or several. Count from the end: the heads are `dim=-3`.",
            _grouped(
                repeat_k=lambda X, h: X.repeat_interleave(h // X.shape[-3], dim=1),
                repeat_v=lambda X, h: X.repeat_interleave(h // X.shape[-3], dim=1),
            ),
        ),
        Mistake(
            "accepted heads that do not divide",
            "With 4 query heads and 3 shared ones the groups would be unequal: raise a ValueError.",
            _heads_stretched,
        ),
        Mistake(
            "divided by the root of the full width, not of one head's",
            "Each head takes its own dot products, over d_k features: the last axis of Q.",
            _grouped(scale=lambda Q, K, V: (Q.shape[-3] * Q.shape[-1]) ** 0.5),
        ),
        *_scale_mistakes(lambda scale: _grouped(scale=scale)),
        Mistake(
            "took the softmax over the queries",
            "Each query shares out its own attention: the sum over the keys, the last axis, is 1.",
            _grouped(lambda scores, mask: _zeroed(_filled(scores, mask).softmax(-2), mask)),
        ),
        Mistake(
            "took the softmax over the heads",
            "Each query shares out its own attention: the sum over the keys, the last axis, is 1.",
            _grouped(lambda scores, mask: _zeroed(_filled(scores, mask).softmax(-3), mask)),
        ),
        Mistake(
            "left the softmax out",
            "Scores become weights only in the softmax over the keys.",
            _grouped(lambda scores, mask: _zeroed(scores, mask)),
        ),
        Mistake(
            "ignored the mask",
            "A masked entry must get weight 0; `masked_fill` returns a new tensor and does not change the old one.",
            _grouped(lambda scores, mask: scores.softmax(-1)),
        ),
        Mistake("read the mask the other way round", "True means: may attend.", _grouped(mask_as=lambda mask: ~mask)),
        Mistake(
            "masked after the softmax without sharing out anew",
            "The forbidden keys have taken their part of the sum already. Mask the scores, before the softmax.",
            _grouped(lambda scores, mask: _zeroed(scores.softmax(-1), mask)),
        ),
        Mistake(
            "set the masked scores to 0",
            "A score of 0 is an average score. The weight becomes 0 when the score is -∞.",
            _grouped(lambda scores, mask: _filled(scores, mask, 0.0).softmax(-1)),
        ),
        Mistake(
            "added the boolean mask to the scores",
            "True counts as 1, so allowed keys only gain e. Forbidden ones need -∞.",
            _grouped(lambda scores, mask: (scores if mask is None else scores + mask).softmax(-1)),
        ),
        Mistake(
            "multiplied the mask by -∞: 0 · ∞ is NaN",
            "Use `masked_fill` or `torch.where`, which choose instead of multiplying.",
            _grouped(lambda scores, mask: (scores if mask is None else scores + ~mask * -math.inf).softmax(-1)),
        ),
        Mistake(
            "filled with -10,000, which is not low enough",
            "Allowed scores may be lower than that. -∞ is lower than all of them.",
            _grouped(lambda scores, mask: _zeroed_where_empty(_filled(scores, mask, -1e4).softmax(-1), mask)),
        ),
        Mistake(
            "filled with -20, which is not low enough",
            "Allowed scores may be lower than that. -∞ is lower than all of them.",
            _grouped(lambda scores, mask: _zeroed_where_empty(_filled(scores, mask, -20.0).softmax(-1), mask)),
        ),
        Mistake(
            "a query that may see nothing gives NaN",
            "A row of -∞ alone has no softmax. Its weights are zeros.",
            _grouped(lambda scores, mask: _filled(scores, mask, -math.inf).softmax(-1)),
        ),
        Mistake(
            "a query that may see nothing looks at everything alike",
            "A row filled with one number has a uniform softmax. Set the masked weights to zero afterwards.",
            _grouped(lambda scores, mask: _filled(scores, mask).softmax(-1)),
        ),
        Mistake(
            "laid the mask over the queries, not the keys",
            "The last axis of the mask belongs to the keys, the one before it to the queries.",
            _grouped(mask_as=lambda mask: mask.transpose(-1, -2)),
        ),
        Mistake(
            "gave the mask a further axis for the heads",
            "The mask broadcasts to (..., h, n_q, n_k) as it is.",
            _grouped(mask_as=lambda mask: mask.unsqueeze(-3)),
        ),
        Mistake(
            "took exp without subtracting the largest score",
            "exp(100) is more than float32 holds. Subtract each row's largest score first, or use torch.softmax.",
            _grouped(_own_softmax(lambda scores: 0.0)),
        ),
        Mistake(
            "subtracted one largest score of the whole tensor",
            "Rows far below it underflow to 0/0. Each row needs its own: `amax(dim=-1, keepdim=True)`.",
            _grouped(_own_softmax(lambda scores: scores.max())),
        ),
        Mistake("returned the weights as well", "The output alone is asked.", _with_weights),
        Mistake(
            "unpacked exactly four axes",
            "There may be no batch axis, or several: count the axes from the end.",
            _four_axes_only,
        ),
    ),
    forbidden=_READY_MADE,
    hints=(
        "Bring K and V to h heads first: with 4 query heads and 2 shared ones, heads 0, 0, 1, 1. The rest is unit 6.",
        "`repeat_interleave(times, dim=-3)` repeats each head on the spot. A group has h / h_kv heads.",
    ),
)


def _zeroed_where_empty(weights, mask):
    return weights if mask is None else weights * mask.any(-1, keepdim=True)


# --- cached_attention_step -------------------------------------------------------------------------------


def _step(rng, lead, t, d_k, d_v, gradient=False):
    """Arguments of one step after t tokens; t = 0 means that there is no cache yet."""
    new = tuple(_normal(rng, *lead, 1, d, gradient=gradient) for d in (d_k, d_k, d_v))
    cache = tuple(_normal(rng, *lead, t, d, gradient=gradient) for d in (d_k, d_v)) if t else None
    return *new, cache


def _sentence_cases(rng):
    Q, K, V = (rng.normal(size=(2, 2, 4, d)).astype("f4") for d in (6, 6, 3))
    for t in range(4):
        new = tuple(Tensor(x[..., t : t + 1, :]) for x in (Q, K, V))
        cache = (Tensor(K[..., :t, :]), Tensor(V[..., :t, :])) if t else None
        yield Case(
            "one token at a time", (*new, cache), note=f"a sentence of 4 tokens, 2 sentences of 2 heads: token {t}"
        )


def _cache_cases(rng):
    q, K = _leveled(rng, 1, np.array([-1e4, 1e4, 1e4, 0, 1e4]), (2,))
    large = q, Tensor(K.array[:, -1:]), _normal(rng, 2, 1, 3), (Tensor(K.array[:, :-1]), _normal(rng, 2, 4, 3))
    return [
        Case("first token", _step(rng, (2,), 0, 6, 3), note="cache = None"),
        Case(
            "values", _step(rng, (2, 3), 4, 6, 5), note="2 sentences, 3 heads, 4 tokens in the cache, d_k = 6, d_v = 5"
        ),
        Case("values", _step(rng, (), 3, 4, 4), note="one sentence, 3 tokens in the cache, d_k = d_v = 4"),
        Case("values", _step(rng, (2, 3), 1, 6, 6), note="2 sentences, 3 heads, one token in the cache"),
        *_sentence_cases(rng),
        Case("batch axes", _step(rng, (2, 3, 2), 5, 3, 2), note="three batch axes"),
        Case("batch axes", _step(rng, (), 0, 3, 2), note="one sentence, no batch axis, cache = None"),
        Case("large scores", large, note="scores of ±10,000"),
        Case(
            "gradients",
            _step(rng, (2,), 3, 6, 3, gradient=True),
            gradients=True,
            note="gradients of q, k, v and the cache",
        ),
    ]


def _softmax(scores):
    return scores.softmax(-1)


def _join(old, new, dim=-2):
    return torch.cat([new] if old is None else [old, new], dim=dim)


def _cached(
    join=_join,
    seen=lambda K: K,
    weigh=_softmax,
    scale=lambda Q, K, V: Q.shape[-1] ** 0.5,
    keep=lambda K, V, q, k, v, cache: (K, V),
):
    """A cached step with some of its parts replaced."""

    def wrong(q, k, v, cache):
        old_K, old_V = (None, None) if cache is None else cache
        K, V = join(old_K, k), join(old_V, v)
        seen_K, seen_V = seen(K), seen(V)
        output = weigh(q @ _swap(seen_K) / scale(q, seen_K, seen_V)) @ seen_V
        return output, keep(K, V, q, k, v, cache)

    return wrong


def _without_last(K):
    return K[..., :-1, :] if K.shape[-2] > 1 else K


def _kept_unless_first(K, V, q, k, v, cache):
    return (K, V) if cache is None else tuple(x.clone() for x in cache)


def _values_forgotten(q, k, cache):
    K, V = torch.cat([cache[0], k], dim=-2), cache[1]
    return (q @ _swap(K) / q.shape[-1] ** 0.5).softmax(-1) @ V, (K, V)


def _in_place(q, k, v, cache):
    output, new = reference.cached_attention_step(q, k, v, cache)
    if cache is not None:
        cache[0].data, cache[1].data = new[0].detach(), new[1].detach()
    return output, new


def _assigned(q, k, v, cache):
    if cache is None:
        return reference.cached_attention_step(q, k, v, cache)
    cache[0] = torch.cat([cache[0], k], dim=-2)
    return None


def _unpacked(q, k, v, cache):
    K, V = cache
    return reference.cached_attention_step(q, k, v, (K, V))


def _subscripted(q, k, v, cache):
    return reference.cached_attention_step(q, k, v, (cache[0], cache[1]))


def _handed_back(q, k, v, cache):
    output, new = reference.cached_attention_step(q, k, v, cache)
    return output, (k, v) if cache is None else new


CACHED_ATTENTION_STEP = Exercise(
    name="cached_attention_step",
    reference=reference.cached_attention_step,
    cases=_cache_cases,
    mistakes=(
        Mistake(
            "put the new key and value in front: the cache is in the wrong time order",
            "The output does not show it, but positions and masks will: oldest first, so the new one comes last.",
            _cached(lambda old, new: _join(new, old) if old is not None else new.clone()),
        ),
        Mistake(
            "left the new token out of what it may see",
            "A token attends to itself too: join its key and value first, then attend.",
            _cached(seen=_without_last),
        ),
        Mistake(
            "left the oldest token out of what may be seen",
            "The newest token may see every key of the cache.",
            _cached(seen=lambda K: K[..., 1:, :] if K.shape[-2] > 1 else K),
        ),
        Mistake(
            "used the new key and value only",
            "One key has the weight 1, whatever its score: the output is v itself. The cache holds the others.",
            _cached(seen=lambda K: K[..., -1:, :]),
        ),
        Mistake(
            "saw the first key only: a causal mask laid from the top left",
            "One query at the end of many keys is the last row of the causal mask, not its first.",
            _cached(seen=lambda K: K[..., :1, :]),
        ),
        Mistake(
            "returned the old cache",
            "The next step needs the new key and value as well.",
            _cached(keep=_kept_unless_first),
        ),
        Mistake(
            "kept only the newest key and value",
            "The cache grows by one token each step.",
            _cached(keep=lambda K, V, q, k, v, cache: (k.clone(), v.clone())),
        ),
        Mistake(
            "joined the keys but not the values",
            "Each weight needs its value: both K and V grow by one row.",
            lambda q, k, v, cache: _cached()(q, k, v, cache) if cache is None else _values_forgotten(q, k, cache),
        ),
        Mistake(
            "swapped keys and values in the cache",
            "The pair is (K, V).",
            _cached(keep=lambda K, V, q, k, v, cache: (V, K)),
        ),
        Mistake(
            "kept the queries instead of the keys",
            "A query asks once and is done. Its key and value are what later tokens come back to.",
            _cached(keep=lambda K, V, q, k, v, cache: (_join(None if cache is None else cache[0], q), V)),
        ),
        Mistake(
            "kept the output instead of the value",
            "Later tokens mix the values themselves, not what an earlier token made of them.",
            _cached(
                keep=lambda K, V, q, k, v, cache: (
                    K,
                    _join(None if cache is None else cache[1], _cached()(q, k, v, cache)[0]),
                )
            ),
        ),
        Mistake(
            "returned output, K and V as three results",
            "Two results: the output, and the cache as one pair.",
            lambda q, k, v, cache: (_cached()(q, k, v, cache)[0], *_cached()(q, k, v, cache)[1]),
        ),
        Mistake(
            "lost the axis of the one query",
            "The output is (..., 1, d_v): one row for the one query.",
            lambda q, k, v, cache: (_cached()(q, k, v, cache)[0].squeeze(-2), _cached()(q, k, v, cache)[1]),
        ),
        Mistake(
            "joined along the features",
            "More tokens, not wider ones: the tokens are the last axis but one.",
            _cached(lambda old, new: _join(old, new, dim=-1)),
        ),
        Mistake(
            "joined along axis 1, counted from the front",
            "With heads, axis 1 is theirs. Count from the end: the tokens are `dim=-2`.",
            _cached(lambda old, new: _join(old, new, dim=1)),
        ),
        Mistake(
            "joined along axis 0",
            "Axis 0 is the batch's. Count from the end: the tokens are `dim=-2`.",
            _cached(lambda old, new: _join(old, new, dim=0)),
        ),
        *_scale_mistakes(lambda scale: _cached(scale=scale)),
        Mistake(
            "took the softmax over the queries",
            "There is one query, so every weight becomes 1. The weights over the keys, the last axis, add up to 1.",
            _cached(weigh=lambda scores: scores.softmax(-2)),
        ),
        Mistake(
            "left the softmax out",
            "Scores become weights only in the softmax over the keys.",
            _cached(weigh=lambda scores: scores),
        ),
        Mistake(
            "took exp without subtracting the largest score",
            "exp(100) is more than float32 holds. Subtract each row's largest score first, or use torch.softmax.",
            _cached(weigh=lambda scores: _renormalised(scores.exp())),
        ),
        Mistake(
            "changed the caller's cache in place",
            "The caller may want to go on from the old cache a second time, as beam search does. Make new tensors with `torch.cat`.",
            _in_place,
        ),
        Mistake(
            "wrote into the caller's pair",
            "A tuple cannot be written to, and the caller's pair should stay as it was. Make a new pair.",
            _assigned,
        ),
        Mistake(
            "handed k and v themselves back as the first cache",
            "The cache has to be memory of its own, or a change of k later changes the past: `torch.cat([k], dim=-2)` or `k.clone()`.",
            _handed_back,
        ),
        Mistake(
            "unpacked the cache before asking whether there is one",
            "Before the first token the cache is None.",
            _unpacked,
        ),
        Mistake(
            "read cache[0] before asking whether there is a cache",
            "Before the first token the cache is None.",
            _subscripted,
        ),
    ),
    forbidden=_READY_MADE,
    hints=(
        "Join first, attend second: K is the cached keys with the new one behind them, V likewise.",
        "Then one query attends to all of them, as in unit 2. No mask: nothing later than the newest token exists.",
    ),
)


# --- online_softmax_attention ----------------------------------------------------------------------------


def _online_cases(rng):
    def plain(lead, n_q, n_k, d_k, d_v):
        return _normal(rng, *lead, n_q, d_k), _normal(rng, *lead, n_k, d_k), _normal(rng, *lead, n_k, d_v)

    def levels(*numbers, n_q=3):
        return *_leveled(rng, n_q, np.array(numbers, dtype=float)), _normal(rng, len(numbers), 3)

    many, few = 288, 48
    rows_apart = levels(0, 0, 0, 0)
    rows_apart[0].array[0, 1:], rows_apart[0].array[1, 1:] = (2, 0, 0), (-2, 0, 0)
    rows_apart[1].array[:, 1] = 60
    q, k, v = plain((2,), 4, 7, 6, 3)
    return [
        Case("values", (*plain((), 4, 6, 5, 3), 2), note="4 queries, 6 keys in 3 blocks of 2, d_k = 5, d_v = 3"),
        Case("values", (*plain((), 4, 4, 4, 4), 2), note="everything square, 2 blocks of 2"),
        Case("values", (*plain((), 5, 8, 6, 3), 1), note="8 blocks of one key"),
        Case("last block smaller", (*plain((), 4, 7, 5, 3), 3), note="7 keys in blocks of 3, 3 and 1"),
        Case(
            "last block smaller", (*plain((), 4, 3, 5, 2), 8), note="3 keys, block_size = 8: one block that is not full"
        ),
        Case(
            "running maximum",
            (*levels(-200, -200, 0, 0, 100), 2),
            note="every block has higher scores than the one before",
        ),
        Case(
            "running maximum",
            (*levels(100, 100, -100, -100, -100), 2),
            note="every block has lower scores than the one before",
        ),
        Case(
            "running maximum", (*rows_apart, 2), note="the scores of one query are near +60, those of another near -60"
        ),
        Case("running maximum", (*levels(0, 1, 3, 2, 5, 0), 2), note="the maximum rises block by block, by a little"),
        Case("large scores", (*levels(-1e4, 0, 1e4, 1e4, 0, -1e4), 2), note="scores from -10,000 to 10,000"),
        Case("large scores", (*levels(-1e4, -1e4, -1e4, -10_100), 3), note="all scores near -10,000"),
        Case("batch axes", (*plain((2,), 4, 7, 6, 3), 3), note="2 sentences at once"),
        Case("batch axes", (*plain((2, 3), 4, 6, 5, 2), 2), note="2 sentences, 3 heads"),
        Case("gradients", (q, k, Tensor(v.array, gradient=True), 3), gradients=True, note="gradient of V"),
        Case(
            "memory",
            (*plain((), many, many, 4, 4), 16),
            memory=many * many // 2,
            note="288 queries, 288 keys, blocks of 16: under half of 288 × 288 numbers at one time",
        ),
        Case(
            "memory",
            (*plain((), few, few, 1, 1), 3),
            memory=few * few // 2,
            note="48 queries, 48 keys, blocks of 3: under half of 48 × 48 numbers at one time",
        ),
        Case("bad arguments", (*plain((), 4, 6, 5, 3), 0), raises="ValueError", note="block_size = 0"),
        Case("bad arguments", (*plain((), 4, 6, 5, 3), -2), raises="ValueError", note="block_size = -2"),
    ]


def _starts(n, size):
    return range(0, n, size)


def _online(
    grow=torch.maximum,
    fade_total=True,
    fade_output=True,
    fade=lambda old, new: torch.exp(old - new),
    against=lambda new, scores: new,
    starts=_starts,
    values=lambda V, start, stop: V[..., start:stop, :],
    scale=lambda Q, K, V: Q.shape[-1] ** 0.5,
    finish=lambda output, total: output / total,
    highest=lambda scores: scores.amax(dim=-1, keepdim=True),
):
    """Blocked attention with some of its steps replaced."""

    def wrong(Q, K, V, block_size):
        if block_size < 1:
            raise ValueError("block_size")
        Q = Q / scale(Q, K, V)
        state = None
        for start in starts(K.shape[-2], block_size):
            stop = min(start + block_size, K.shape[-2])
            scores = Q @ _swap(K[..., start:stop, :])
            new = highest(scores) if state is None else grow(state[0], highest(scores))
            weights = torch.exp(scores - against(new, scores))
            total, output = weights.sum(-1, keepdim=True), weights @ values(V, start, stop)
            if state is not None:
                factor = fade(state[0], new)
                total = total + (factor * state[1] if fade_total else state[1])
                output = output + (factor * state[2] if fade_output else state[2])
            state = new, total, output
        return V.new_zeros((*Q.shape[:-1], V.shape[-1])) if state is None else finish(state[2], state[1])

    return wrong


def _softmax_by_block(combine, dim=-1):
    def wrong(Q, K, V, block_size):
        if block_size < 1:
            raise ValueError("block_size")
        output = count = 0
        for start in _starts(K.shape[-2], block_size):
            scores = Q @ _swap(K[..., start : start + block_size, :]) / Q.shape[-1] ** 0.5
            output, count = output + scores.softmax(dim) @ V[..., start : start + block_size, :], count + 1
        return combine(output, count)

    return wrong


def _normalised_every_time(Q, K, V, block_size):
    if block_size < 1:
        raise ValueError("block_size")
    largest = total = output = None
    for start in _starts(K.shape[-2], block_size):
        scores = Q @ _swap(K[..., start : start + block_size, :]) / Q.shape[-1] ** 0.5
        new = (
            scores.amax(-1, keepdim=True) if largest is None else torch.maximum(largest, scores.amax(-1, keepdim=True))
        )
        weights = torch.exp(scores - new)
        fade = 0 if largest is None else torch.exp(largest - new)
        total = weights.sum(-1, keepdim=True) + (0 if largest is None else fade * total)
        output = (weights @ V[..., start : start + block_size, :] + (0 if largest is None else fade * output)) / total
        largest = new
    return output


def _grown_from_minus_infinity(Q, K, V, block_size):
    if block_size < 1:
        raise ValueError("block_size")
    largest = Q.new_full((*Q.shape[:-1], 1), -math.inf)
    total, output = 0.0, 0.0
    for start in _starts(K.shape[-2], block_size):
        scores = Q @ _swap(K[..., start : start + block_size, :]) / Q.shape[-1] ** 0.5
        new = torch.maximum(largest, scores.amax(-1, keepdim=True))
        weights, growth = torch.exp(scores - new), torch.exp(new - largest)
        total = growth * total + weights.sum(-1, keepdim=True)
        output, largest = growth * output + weights @ V[..., start : start + block_size, :], new
    return output / total


def _rescaled_along_features(Q, K, V, block_size):
    if block_size < 1:
        raise ValueError("block_size")
    largest, total = torch.full(Q.shape[:-1], -math.inf), torch.zeros(Q.shape[:-1])
    output = torch.zeros(*Q.shape[:-1], V.shape[-1])
    for start in _starts(K.shape[-2], block_size):
        scores = Q @ _swap(K[..., start : start + block_size, :]) / Q.shape[-1] ** 0.5
        new = torch.maximum(largest, scores.amax(-1))
        weights, fade = torch.exp(scores - new[..., None]), torch.exp(largest - new)
        total, largest = fade * total + weights.sum(-1), new
        output = output * fade + weights @ V[..., start : start + block_size, :]
    return output / total[..., None]


def _all_at_once(Q, K, V, block_size):
    if block_size < 1:
        raise ValueError("block_size")
    return (Q @ _swap(K) / Q.shape[-1] ** 0.5).softmax(-1) @ V


def _number_of_blocks(Q, K, V, block_size):
    if block_size < 1:
        raise ValueError("block_size")
    return reference.online_softmax_attention(Q, K, V, -(-K.shape[-2] // block_size))


ONLINE_SOFTMAX_ATTENTION = Exercise(
    name="online_softmax_attention",
    reference=reference.online_softmax_attention,
    cases=_online_cases,
    mistakes=(
        Mistake(
            "rescaled only the new block",
            "The new block is measured from the new maximum. What you carry from earlier blocks is still measured from the old one.",
            _online(fade_total=False, fade_output=False),
        ),
        Mistake(
            "rescaled the running output but not the running sum",
            "Both were measured from the old maximum, so both need the same factor.",
            _online(fade_total=False),
        ),
        Mistake(
            "rescaled the running sum but not the running output",
            "Both were measured from the old maximum, so both need the same factor.",
            _online(fade_output=False),
        ),
        Mistake(
            "rescaled the wrong way round: by exp(new - old)",
            "The new maximum is the larger one, so what is carried must shrink: a factor of at most 1.",
            _online(fade=lambda old, new: torch.exp(new - old)),
        ),
        Mistake(
            "rescaled the wrong way round, beginning from -∞",
            "With an old maximum of -∞ that factor is infinite, and ∞ times 0 is NaN. What is carried must shrink: a factor of at most 1.",
            _grown_from_minus_infinity,
        ),
        Mistake(
            "measured each block from its own maximum and added the blocks up",
            "Numbers measured from different maxima cannot be added: bring them to a common one first.",
            _online(against=lambda new, scores: scores.amax(-1, keepdim=True), fade_total=False, fade_output=False),
        ),
        Mistake(
            "kept the maximum of the first block",
            "A later block may have larger scores; measured from the old maximum they overflow. Update the maximum in every block.",
            _online(grow=lambda old, block: old),
        ),
        Mistake(
            "took the maximum of the newest block, not the largest so far",
            "When the newest block is the lower one, everything carried is scaled up, and overflows. Take the larger of the old maximum and the block's.",
            _online(grow=lambda old, block: block),
        ),
        Mistake(
            "took exp without subtracting a maximum",
            "exp(100) is more than float32 holds, and exp(-10,000) is 0 for all keys alike.",
            _online(highest=lambda scores: torch.zeros_like(scores[..., :1])),
        ),
        Mistake(
            "started the maximum at 0",
            "Scores may all be far below 0. Before the first block the largest score so far is -∞.",
            _online(highest=lambda scores: scores.amax(dim=-1, keepdim=True).clamp(min=0.0)),
        ),
        Mistake(
            "rescaled the output along its features, not its queries",
            "There is one factor for each query: give it a last axis of length 1, (..., n_q, 1), before it meets (..., n_q, d_v).",
            _rescaled_along_features,
        ),
        Mistake(
            "took one maximum for all queries",
            "A query far below it loses all its scores to 0. Each query carries a maximum of its own.",
            _online(highest=lambda scores: scores.amax(dim=(-2, -1), keepdim=True)),
        ),
        Mistake(
            "averaged the softmaxes of the blocks",
            "A block with high scores must weigh more than one with low scores. That is what the running sum is for.",
            _softmax_by_block(lambda output, count: output / count),
        ),
        Mistake(
            "added up the softmaxes of the blocks",
            "Each block's weights add up to 1 by themselves, so all together are too many. Divide once, at the end.",
            _softmax_by_block(lambda output, count: output),
        ),
        Mistake(
            "took the softmax over the queries",
            "Each query shares out its own attention over the keys: the last axis of the scores.",
            _softmax_by_block(lambda output, count: output, dim=-2),
        ),
        Mistake(
            "used the first block only",
            "The loop has to run over all keys, and to return after it, not inside it.",
            _online(starts=lambda n, size: range(1)),
        ),
        Mistake(
            "used the last block only",
            "Each round replaces the result of the round before. Add to what is carried.",
            _online(starts=lambda n, size: [(n - 1) // size * size]),
        ),
        Mistake(
            "dropped the last block when it is not full",
            "7 keys in blocks of 3 are 3, 3 and 1. `range(0, n_k, block_size)` starts all of them.",
            _online(starts=lambda n, size: range(0, n - n % size, size)),
        ),
        Mistake(
            "used the first block's values for every block",
            "The values are cut in the same places as the keys.",
            _online(values=lambda V, start, stop: V[..., : stop - start, :]),
        ),
        Mistake(
            "did not divide by the running sum",
            "At the end the carried output is still a sum of exponentials times values.",
            _online(finish=lambda output, total: output),
        ),
        Mistake(
            "divided by the running sum in every block",
            "What is divided once cannot be added to as if it were not. Divide once, after the last block.",
            _normalised_every_time,
        ),
        *_scale_mistakes(lambda scale: _online(scale=scale)),
        Mistake(
            "made the whole n × n matrix of scores",
            "The result is right, and the point is missed: compute the scores of one block of keys, use them, and let them go before the next.",
            _all_at_once,
        ),
        Mistake(
            "took block_size as the number of blocks",
            "block_size is how many keys one block has; `chunk` asks for the number of blocks, `split` for their size.",
            _number_of_blocks,
        ),
        Mistake(
            "accepted a negative block_size",
            "`range` refuses a step of 0 for you, and quietly does nothing for a negative one. Ask for block_size < 1 before anything else.",
            lambda Q, K, V, block_size: reference.online_softmax_attention(Q, K, V, abs(block_size)),
        ),
        Mistake(
            "accepted a block_size below 1",
            "A block without keys makes no sense: raise a ValueError before anything else.",
            lambda Q, K, V, block_size: reference.online_softmax_attention(Q, K, V, max(block_size, 1)),
        ),
    ),
    forbidden=_READY_MADE,
    hints=(
        "For each query carry three things: the largest score so far, the sum of exponentials measured from it, and the output not yet divided.",
        "When a block raises the maximum from m to m', one factor brings both carried sums to the new measure. Which one? Try it on exp(s - m).",
    ),
)


EXERCISES = (RMS_NORM, APPLY_ROTARY, GROUPED_QUERY_ATTENTION, CACHED_ATTENTION_STEP, ONLINE_SOFTMAX_ATTENTION)
