"""`apply_rotary`: its cases, mistakes and hints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake, Relation, in_parts
from helpers.reference import u8_modern_attention as reference

from ..common import Answer, Step, bad_arguments, id_tensor, normal_tensor


def _offset_cases(rng: np.random.Generator) -> list[Case]:
    q, k = normal_tensor(rng, 1, 6), normal_tensor(rng, 1, 6)
    places = {"q at 5": (q, 5), "k at 2": (k, 2), "q at 23": (q, 23), "k at 20": (k, 20)}
    return [
        Case(
            "the offset alone counts",
            (x, id_tensor([p])),
            label=label,
            note="a query 3 tokens behind a key, near the start and further on",
        )
        for label, (x, p) in places.items()
    ]


def _only_the_shape(case: Case, value: Any, expected: Any) -> str | None:
    fits = isinstance(value, np.ndarray) and value.shape == expected.shape
    return None if fits else f"the result should be a tensor of shape {expected.shape}"


def _same_score(values: Mapping[str, Any]) -> str | None:
    near, far = float((values["q at 5"] * values["k at 2"]).sum()), float((values["q at 23"] * values["k at 20"]).sum())
    size = float(np.linalg.norm(values["q at 5"]) * np.linalg.norm(values["k at 2"]))
    if abs(near - far) <= 1e-4 * size:
        return None
    return (
        f"positions 5 and 2 give the score {near:.4f}, positions 23 and 20 give {far:.4f}; both are 3 apart, so the"
        " scores should be equal"
    )


def _rotary_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case(
            "values",
            (normal_tensor(rng, 5, 6), id_tensor([0, 1, 2, 3, 4])),
            note="5 tokens of width 6 at positions 0 to 4",
        ),
        Case("values", (normal_tensor(rng, 4, 4), id_tensor([0, 1, 2, 3])), note="4 tokens of width 4: a square x"),
        Case("values", (normal_tensor(rng, 3, 2), id_tensor([0, 1, 2])), note="one pair only"),
        Case(
            "positions",
            (normal_tensor(rng, 3, 6), id_tensor([7, 8, 9])),
            note="a later part of a text: positions 7, 8, 9",
        ),
        Case("positions", (normal_tensor(rng, 1, 6), id_tensor([11])), note="the one new token after a cache of 11"),
        Case(
            "positions", (normal_tensor(rng, 4, 6), id_tensor([9, 0, 4, 4])), note="positions in any order: 9, 0, 4, 4"
        ),
        Case("base", (normal_tensor(rng, 4, 6), id_tensor([0, 1, 2, 3]), 100.0), note="base = 100"),
        *_offset_cases(rng),
        Case("batch axes", (normal_tensor(rng, 2, 5, 6), id_tensor([2, 3, 4, 5, 6])), note="2 sentences at once"),
        Case(
            "batch axes",
            (normal_tensor(rng, 2, 3, 4, 8), id_tensor([0, 1, 2, 3])),
            note="2 sentences, 3 heads, 4 tokens",
        ),
        Case(
            "batch axes",
            (normal_tensor(rng, 2, 4, 4, 6), id_tensor([1, 2, 3, 4])),
            note="2 sentences, as many heads as tokens",
        ),
        Case(
            "gradients",
            (normal_tensor(rng, 2, 3, 4, gradient=True), id_tensor([1, 2, 3])),
            gradients=True,
            note="gradient of x",
        ),
        bad_arguments(normal_tensor(rng, 4, 5), id_tensor([0, 1, 2, 3]), note="width 5 has no pairs"),
        bad_arguments(normal_tensor(rng, 2, 1), id_tensor([0, 1]), note="width 1 has no pairs"),
        Case(
            "values",
            (normal_tensor(rng, 5, 6), id_tensor([1, 2, 3, 4, 5])),
            note="5 other tokens of width 6 at positions 1 to 5",
        ),
        Case(
            "positions", (normal_tensor(rng, 3, 4), id_tensor([1030, 5000, 2047])), note="positions 1030, 5000 and 2047"
        ),
        Case(
            "axes of length one",
            (normal_tensor(rng, 1, 1, 2), id_tensor([3])),
            note="one sentence of one token, one pair",
        ),
    ]


def _speeds(d: int, base: float) -> torch.Tensor:
    return base ** (-torch.arange(0, d, 2) / d)


@in_parts
def _rotate(
    angles: Step = lambda x, positions, base: positions[:, None] * _speeds(x.shape[-1], base),
    turn: Step = lambda e, o, cos, sin: (e * cos - o * sin, e * sin + o * cos),
    take: Step = lambda x: (x[..., 0::2], x[..., 1::2]),
    put: Step = lambda e, o: torch.stack([e, o], dim=-1).flatten(-2),
    refuse: bool = True,
) -> Answer:
    """A rotary encoding with some of its steps replaced."""

    def wrong(x: Any, positions: Any, base: Any = 10000.0) -> Any:
        if refuse and x.shape[-1] % 2:
            raise ValueError("odd width")
        a = angles(x, positions, base)
        return put(*turn(*take(x), a.cos(), a.sin()))

    return wrong


def _halves(x: Any) -> Any:
    return x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]


def _joined(e: Any, o: Any) -> Any:
    return torch.cat([e, o], dim=-1)


def _one_after_the_other(e: Any, o: Any, cos: Any, sin: Any) -> Any:
    e = e * cos - o * sin
    return e, e * sin + o * cos


def _odd_accepted(x: Any, positions: Any, base: Any = 10000.0) -> Any:
    even = x.shape[-1] - x.shape[-1] % 2
    return torch.cat([_rotate()(x[..., :even], positions, base), x[..., even:]], dim=-1)


def _sinusoids_added(x: Any, positions: Any, base: Any = 10000.0) -> Any:
    if x.shape[-1] % 2:
        raise ValueError("odd width")
    a = positions[:, None] * _speeds(x.shape[-1], base)
    return x + torch.stack([a.sin(), a.cos()], dim=-1).flatten(-2)


def _partnered(lay_out: Step, partner: Step, step: int = 2) -> Answer:
    """The other common form, x cos a + partner(x) sin a, with a rule for which angle a feature gets."""

    def wrong(x: Any, positions: Any, base: Any = 10000.0) -> Any:
        if x.shape[-1] % 2:
            raise ValueError("odd width")
        a = lay_out(positions[:, None] * base ** (-torch.arange(0, x.shape[-1], step) / x.shape[-1]))
        return x * a.cos() + partner(x) * a.sin()

    return wrong


def _reshaped(x: Any, positions: Any, base: Any = 10000.0) -> Any:
    pairs = x.reshape(*x.shape[:-1], x.shape[-1] // 2, 2)
    return reference.apply_rotary(pairs.flatten(-2), positions, base)


def _along_heads(x: Any, positions: Any, base: Any) -> Any:
    a = positions[:, None] * _speeds(x.shape[-1], base)
    return a[:, None] if x.ndim > 2 else a


_HALVES_HINT = (
    "The pairs are neighbours: features 0 and 1, 2 and 3, ... Slices with a step of 2 take them apart: `x[..., 0::2]`."
)

_MIX_HINT = "In a turn, each new entry is made of both old ones."

_PLACE_HINT = (
    "After a cache of 11 tokens, the new one stands at position 11, not at 0. That is why the positions are an"
    " argument."
)

_SIGN_HINT = "Turn (1, 0) by hand: it becomes (cos a, sin a). And (0, 1) becomes (-sin a, cos a)."


EXERCISE = Exercise(
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
            "The pairs went apart as neighbours and have to come back as neighbours: stack on a new last axis, then"
            " flatten it.",
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
        Mistake(
            "gave x back unturned",
            "Every pair turns by position · base^(-2i/d). A token at position 0 alone stays as it is.",
            _rotate(turn=lambda e, o, c, s: (e, o)),
        ),
        Mistake(
            "turned the first pair only",
            "Every pair turns, each at its own speed; the first one is the fastest.",
            _rotate(lambda x, p, base: p[:, None] * (torch.arange(x.shape[-1] // 2) == 0)),
        ),
        Mistake("lost the minus sign", _SIGN_HINT, _rotate(turn=lambda e, o, c, s: (e * c + o * s, e * s + o * c))),
        Mistake(
            "put a minus sign in both rows", _SIGN_HINT, _rotate(turn=lambda e, o, c, s: (e * c - o * s, e * s - o * c))
        ),
        Mistake(
            "put a minus sign before e sin a as well",
            _SIGN_HINT,
            _rotate(turn=lambda e, o, c, s: (e * c - o * s, o * c - e * s)),
        ),
        Mistake(
            "mixed up e and o in the second entry",
            _SIGN_HINT,
            _rotate(turn=lambda e, o, c, s: (e * c - o * s, o * s + e * c)),
        ),
        Mistake("swapped sine and cosine", _SIGN_HINT, _rotate(turn=lambda e, o, c, s: (e * s - o * c, e * c + o * s))),
        Mistake(
            "used the new first entry to compute the second",
            "Both new entries come from the old pair. Keep the old one until both are computed.",
            _rotate(turn=_one_after_the_other),
        ),
        Mistake(
            "multiplied by cosine and sine without mixing the pair",
            _MIX_HINT,
            _rotate(turn=lambda e, o, c, s: (e * c, o * s)),
        ),
        Mistake(
            "multiplied by the cosine alone",
            _MIX_HINT,
            _rotate(turn=lambda e, o, c, s: (e * c, o * c)),
        ),
        Mistake(
            "mixed each entry with itself, not with its partner",
            _MIX_HINT,
            _rotate(turn=lambda e, o, c, s: (e * c - e * s, o * s + o * c)),
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
            "Count once: if i runs over the pairs, the exponent is 2i/d; if it runs over features 0, 2, 4, ..., it is"
            " that over d.",
            _rotate(lambda x, p, base: p[:, None] * base ** (-2 * torch.arange(0, x.shape[-1], 2) / x.shape[-1])),
        ),
        Mistake(
            "counted the pairs from 1",
            "The first pair is pair 0: its exponent is 0, and it turns by one radian a token.",
            _rotate(lambda x, p, base: p[:, None] * base ** (-torch.arange(2, x.shape[-1] + 1, 2) / x.shape[-1])),
        ),
        Mistake(
            "spread the exponents from 0 to 1, both ends included",
            "The exponents are 2i/d: for d = 6 they are 0, 1/3 and 2/3. The last one stays below 1.",
            _rotate(lambda x, p, base: p[:, None] * base ** -torch.linspace(0, 1, x.shape[-1] // 2)),
        ),
        Mistake(
            "the exponent is cut off by `//`",
            "`//` gives whole numbers only: -2 // 6 is -1. The exponent is a fraction.",
            _rotate(
                lambda x, p, base: p[:, None] * base ** torch.floor(-torch.arange(0, x.shape[-1], 2) / x.shape[-1])
            ),
        ),
        Mistake(
            "multiplied base by 2i/d instead of raising it to that power",
            "2i/d is an exponent: the speeds shrink by the same factor from pair to pair, beginning with 1.",
            _rotate(lambda x, p, base: p[:, None] * (1 / (base * torch.arange(0, x.shape[-1], 2) / x.shape[-1]))),
        ),
        Mistake(
            "turned all pairs at one speed",
            "Each pair has a speed of its own, from fast to slow. (Is there a `//` in the exponent? It leaves whole"
            " numbers only.)",
            _rotate(lambda x, p, base: p[:, None] * torch.ones(x.shape[-1] // 2)),
        ),
        Mistake(
            "made later pairs turn faster",
            "The exponent is negative: the first pair turns by one radian a token, and each later one more slowly.",
            _rotate(lambda x, p, base: p[:, None] * base ** (torch.arange(0, x.shape[-1], 2) / x.shape[-1])),
        ),
        Mistake(
            "divided the positions by the speeds",
            "A speed is radians a token: the angle is position times speed.",
            _rotate(lambda x, p, base: p[:, None] / _speeds(x.shape[-1], base)),
        ),
        Mistake(
            "added the speeds to the positions",
            "A speed is radians a token: the angle is position times speed.",
            _rotate(lambda x, p, base: p[:, None] + _speeds(x.shape[-1], base)),
        ),
        Mistake(
            "took the angles for degrees",
            "base^(-2i/d) is in radians a token, and `cos` and `sin` take radians: there is nothing to convert.",
            _rotate(lambda x, p, base: torch.deg2rad(p[:, None] * _speeds(x.shape[-1], base))),
        ),
        Mistake(
            "counted from the first of the positions given",
            _PLACE_HINT,
            _rotate(lambda x, p, base: (p - p[0])[:, None] * _speeds(x.shape[-1], base)),
        ),
        Mistake(
            "counted the positions from 1",
            "A token at position 0 is not turned at all. Use the positions as they are given.",
            _rotate(lambda x, p, base: (p[:, None] + 1) * _speeds(x.shape[-1], base)),
        ),
        Mistake(
            "counted 0, 1, 2, ... instead of using the positions",
            _PLACE_HINT,
            _rotate(lambda x, p, base: torch.arange(x.shape[-2])[:, None] * _speeds(x.shape[-1], base)),
        ),
        Mistake(
            "the argument base changes nothing",
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
            "The speeds are laid out for neighbours (0, 0, 1, 1) and the partners for halves. Both have to follow the"
            " same pairs: here, neighbours.",
            _partnered(
                lambda a: a.repeat_interleave(2, dim=-1), lambda x: torch.cat([-_halves(x)[1], _halves(x)[0]], dim=-1)
            ),
        ),
        Mistake(
            "turned neighbouring pairs at speeds laid out for halves",
            "Both features of a pair turn at one speed: the speeds have to be laid out 0, 0, 1, 1, ... here, not 0, 1,"
            " ..., 0, 1, ...",
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
            "The message of reshape tells the caller nothing about pairs. Look at the width first and raise a"
            " ValueError.",
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
        (
            "Then the two new entries of every pair from its two old ones, and back into their places: `x[..., 0::2]`"
            " and `x[..., 1::2]`."
        ),
    ),
)
