"""Masked softmaxes in torch, right and wrong, that mistakes of several units share: weights from scores and a mask.

Each takes scores (..., n_q, n_k) and a mask that broadcasts to them, True = may attend, or None where everyone sees
everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

Weigh = Callable[[Any, Any], Any]


def filled(scores: Any, mask: Any, fill: float | None = None) -> Any:
    """Return the scores with `fill` at the hidden keys, by default the lowest number there is."""
    if mask is None:
        return scores
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min if fill is None else fill)


def zeroed(weights: Any, mask: Any) -> Any:
    """Return the weights with zeros at the hidden keys."""
    return weights if mask is None else weights.masked_fill(~mask, 0.0)


def masked_softmax(scores: Any, mask: Any) -> Any:
    """The right way: a finite fill before the softmax, zeros for what is hidden after it."""
    return zeroed(filled(scores, mask).softmax(-1), mask)


# --- another mask, another axis --------------------------------------------------------------------------


def with_mask(change: Callable[[Any], Any]) -> Weigh:
    """The right way with another mask than the one that was given."""
    return lambda scores, mask: masked_softmax(scores, mask if mask is None else change(mask))


def turned_around(mask: Any) -> Any:
    """A mask in which True hides."""
    return ~mask


def on_its_side(mask: Any) -> Any:
    """A mask whose rows are keys and whose columns are queries."""
    return mask.transpose(-1, -2)


def mask_ignored(scores: Any, mask: Any) -> Any:
    """Everyone sees everything."""
    return scores.softmax(-1)


def softmax_over(axis: int | None) -> Weigh:
    """A softmax over a wrong axis, or over everything, with the mask right: what is hidden has no part in it."""

    def weigh(scores: Any, mask: Any) -> Any:
        low = filled(scores, mask)
        weights = low.flatten().softmax(0).view_as(low) if axis is None else low.softmax(axis)
        return zeroed(weights, mask)

    return weigh


# --- hidden in another way -------------------------------------------------------------------------------


def masked_after(scores: Any, mask: Any) -> Any:
    """Hidden after the softmax: rows no longer sum to 1."""
    return zeroed(scores.softmax(-1), mask)


def fill_of(fill: float, empty_rows_zero: bool = True) -> Weigh:
    """Hidden scores get `fill`, and their weights stay as they come.

    Rows that see nothing are zeros unless told otherwise, so that the fill is the only thing wrong.
    """

    def weigh(scores: Any, mask: Any) -> Any:
        weights = filled(scores, mask, fill).softmax(-1)
        return zeroed(weights, mask.any(-1, keepdim=True)) if mask is not None and empty_rows_zero else weights

    return weigh


def mask_added(scores: Any, mask: Any) -> Any:
    """True counts as 1 and hides nothing."""
    return (scores if mask is None else scores + mask).softmax(-1)


def mask_times_infinity(scores: Any, mask: Any) -> Any:
    """0 times infinity is NaN at every visible key."""
    return (scores if mask is None else scores + ~mask * -math.inf).softmax(-1)


def nan_hidden(scores: Any, mask: Any) -> Any:
    """The NaN of an empty row is hidden afterwards, and stays in its gradient.

    -inf is added, not filled in: `masked_fill` stops the gradient of what it overwrites, and with it the NaN.
    """
    if mask is None:
        return scores.softmax(-1)
    return torch.nan_to_num((scores + torch.where(mask, 0.0, -math.inf)).softmax(-1), nan=0.0)


def softmax_less(shift: Callable[[Any], Any]) -> Weigh:
    """The softmax written out, with a rule for what is subtracted first; rows that see nothing are zeros."""

    def weigh(scores: Any, mask: Any) -> Any:
        e = zeroed(torch.exp(scores - shift(scores)), mask)
        total = e.sum(-1, keepdim=True)
        return e / (total if mask is None else total.masked_fill(~mask.any(-1, keepdim=True), 1.0))

    return weigh
