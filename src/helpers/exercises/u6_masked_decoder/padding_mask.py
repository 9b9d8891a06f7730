"""`padding_mask`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u6_masked_decoder as reference

from ..common import Answer, Step, bad_arguments, id_tensor


def _padding_cases(rng: np.random.Generator) -> list[Case]:
    n = int(rng.integers(5, 8))
    lengths = rng.integers(1, n, size=3)
    return [
        Case("values", (id_tensor([n, *lengths]), n), note=f"{1 + len(lengths)} sentences in a batch of width {n}"),
        Case("values", (id_tensor([2, 1, 3]), 3), note="3 sentences, 3 keys: a square"),
        Case("values", (id_tensor([int(lengths[0])]), n), note="one sentence"),
        Case("wider than needed", (id_tensor([1, 3]), int(n + 2)), note=f"lengths 1 and 3 in a batch of width {n + 2}"),
        Case("empty sentences", (id_tensor([2, 0]), 4), note="lengths 2 and 0"),
        bad_arguments(id_tensor([2, n + 1]), n, note=f"length {n + 1} of {n} keys"),
        bad_arguments(id_tensor([2, -1]), n, note="length -1"),
        Case("values", (id_tensor([3, 2, 1]), 3), note="3 other sentences, 3 keys"),
        Case("axes of length one", (id_tensor([1]), 1), note="one sentence of one word"),
        Case("any length", (id_tensor([1050, 3]), 1100), note="lengths 1050 and 3 in a batch of width 1100"),
    ]


def _padding(make: Step) -> Answer:
    """A wrong mask that has only its own mistake: the lengths are looked at as they should be."""

    def wrong(lengths: Any, n_keys: Any) -> Any:
        return make(reference.padding_mask(lengths, n_keys), lengths, n_keys)

    return wrong


def _padding_unchecked(lengths: Any, n_keys: Any) -> Any:
    return torch.arange(n_keys)[None, None, None, :] < lengths.reshape(-1, 1, 1, 1)


def _half_checked(lengths: Any, n_keys: Any, bad: Any) -> Any:
    if bad.any():
        raise ValueError("length")
    return _padding_unchecked(lengths, n_keys)


EXERCISE = Exercise(
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
            "Against (batch, h, n_q, n_k) this would line up the batch with the queries. Put an axis of length 1 for"
            " the heads and one for the queries between.",
            _padding(lambda m, lengths, n: m[:, 0, 0].clone()),
        ),
        Mistake(
            "has no axis for the heads: (batch, 1, n_keys)",
            "Against (batch, h, n_q, n_k) this would line up the batch with the heads. One more axis of length 1 is"
            " missing.",
            _padding(lambda m, lengths, n: m[:, 0].clone()),
        ),
        Mistake(
            "put the batch where the queries belong: (1, 1, batch, n_keys)",
            "Against (batch, h, n_q, n_k) this would line up the batch with the queries. The batch is the first axis,"
            " the two axes of length 1 come after it.",
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
            "hides the padding among the queries too: (batch, 1, n_keys, n_keys)",
            "What padding asks, nobody reads. It is keys that are hidden, from every query: the query axis has length"
            " 1.",
            _padding(lambda m, lengths, n: m & m.transpose(-1, -2)),
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
        (
            "`lengths[:, None]` is (batch, 1) and `torch.arange(n_keys)` is (n_keys,): what has the comparison for a"
            " shape, and which axes are still missing?"
        ),
    ),
)
