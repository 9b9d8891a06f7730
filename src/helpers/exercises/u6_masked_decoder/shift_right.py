"""`shift_right`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake, Tensor
from helpers.reference import u6_masked_decoder as reference

from ..common import id_tensor


def _shift_cases(rng: np.random.Generator) -> list[Case]:
    bos = int(rng.integers(1, 4))

    def ids(*shape: int) -> Tensor:
        return id_tensor(rng.permutation(np.arange(5, 5 + math.prod(shape))).reshape(shape))

    return [
        Case("values", (ids(5), bos), note=f"5 targets, bos is {bos}"),
        Case("values", (ids(1), bos), note="one target"),
        Case("batch axes", (ids(2, 4), bos), note="2 sentences"),
        Case("batch axes", (ids(3, 3), bos), note="3 sentences of 3 tokens: a square"),
        Case("batch axes", (ids(2, 2, 3), bos), note="2 × 2 sentences"),
        Case("whole numbers", (ids(2, 3), bos), note="ids stay whole numbers"),
        Case("batch axes", (ids(2, 4), bos + 1), note=f"2 other sentences, bos is {bos + 1}"),
        Case("batch axes", (ids(2, 4), bos + 1), note="2 more sentences of the same lengths"),
        Case("axes of length one", (ids(1, 1), bos), note="one sentence of one target"),
        Case("any length", (ids(1, 1100), bos), note="a sentence of 1100 targets"),
    ]


def _whole_numbers(case: Case, value: Any, expected: Any) -> str | None:
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu":
        return None
    return "ids are looked up in a table, so they have to be whole numbers; the result holds real numbers"


def _bos(targets: Any, bos_id: Any) -> Any:
    return torch.full_like(targets[..., :1], bos_id)


def _shift_flat(targets: Any, bos_id: Any) -> Any:
    flat = targets.reshape(-1)
    return torch.cat([_bos(flat, bos_id), flat[:-1]]).reshape(targets.shape)


def _first_replaced(targets: Any, bos_id: Any) -> Any:
    result = targets.clone()
    result[..., 0] = bos_id
    return result


def _bos_everywhere(targets: Any, bos_id: Any) -> Any:
    return torch.full_like(targets, bos_id)


def _first_everywhere(targets: Any, bos_id: Any) -> Any:
    return torch.cat([_bos(targets, bos_id), targets[..., :1].expand_as(targets)], -1)[..., :-1]


def _shift_twice(targets: Any, bos_id: Any) -> Any:
    return reference.shift_right(reference.shift_right(targets, bos_id), bos_id)


EXERCISE = Exercise(
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
            "bos stands at every place",
            "Only the first place gets bos. If you move the tokens one by one within one tensor: a place that is"
            " overwritten can no longer be read, so read from `targets`.",
            _bos_everywhere,
        ),
        Mistake(
            "after bos the first target stands at every place",
            "If you move the tokens one by one within one tensor: a place that is overwritten can no longer be read."
            " Read from `targets`.",
            _first_everywhere,
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
            "`torch.full` and `torch.zeros` make real numbers unless told otherwise: `dtype=targets.dtype`, or"
            " `torch.full_like(targets[..., :1], bos_id)`.",
            lambda t, bos_id: reference.shift_right(t, bos_id).float(),
        ),
    ),
    hints=(
        "Two pieces side by side: a column of bos, and all targets but the last.",
        "`torch.cat([...], dim=-1)`; the slice is `targets[..., :-1]`.",
    ),
)
