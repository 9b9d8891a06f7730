"""How good the trained models must be, and what is asked of any model's output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

DIGITS_ASKED, TRANSLATIONS_ASKED = 0.96, 0.98
# By turning and moving, trained models lose half a percent and at most 1.7 (measured on three architectures, each
# trained until it just reached 96 % and longer); a table loses all.
NEW_DIGITS_ASKED = 0.93

# Two ways to the same number in float32, as with and without padding, differ by about 1e-6.
SAME, OTHER = 1e-4, 3e-5


def _scale(value: np.ndarray) -> float:
    return float(np.abs(value).max(initial=0)) or 1.0


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two outputs are equal up to rounding."""
    return bool(np.abs(a - b).max(initial=0) <= SAME * _scale(b))


def differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two outputs differ by more than rounding."""
    return bool(np.abs(a - b).max(initial=0) > OTHER * _scale(b))


def numbers_of_shape(value: Any, shape: tuple[int, ...]) -> str | None:
    """What keeps a value from being finite real numbers of this shape, or None."""
    if isinstance(value, tuple):
        return (
            f"the model returns {len(value)} results; expected one array of shape {shape}, without the attention"
            " weights"
        )
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        kind = (
            f"an array of {value.dtype}"
            if isinstance(value, np.ndarray)
            else "nothing"
            if value is None
            else f"a {type(value).__name__}"
        )
        return f"the result is {kind}; expected real numbers of shape {shape}"
    if value.shape != shape:
        return f"the result has shape {value.shape}; expected {shape}"
    if not np.isfinite(value).all():
        return "the result has NaN or infinity in it"
    return None


def not_probabilities(value: np.ndarray) -> str | None:
    """What is wrong with logits that are probabilities."""
    if value.min() >= 0 and np.abs(value.sum(axis=-1) - 1).max() < SAME:
        return "the result holds probabilities; the logits are asked, as cross entropy does the softmax itself"
    return None


def same_after_others(values: Mapping[str, Any]) -> str | None:
    """A relation: a model that has read something else before gives the same as a new one."""
    if alike(values["first"], values["later"]):
        return None
    return "the same input gives another result after the model has read something else: it keeps what it must not"
