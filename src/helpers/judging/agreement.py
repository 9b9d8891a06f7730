"""Whether two wrong answers to one case are wrong in the same way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from helpers.exercise import Exercise
from helpers.running.runner import Answer
from helpers.tolerance import GRADIENT_TOLERANCE, close, gradient_close, largest_gradient
from helpers.verdict import Finding

_VALUES = ("values", "shape", "results", "type", "keys", "dtype", "nothing", "no error")
# Torch's errors, and some of NumPy's, name both shapes: such a text is as good as the operation itself.
_TWO_SHAPES = re.compile(r"\d+x\d+ and \d+x\d+|[(\[][\d, ]+[)\]].*[(\[][\d, ]+[)\]]|\(\d+\).*\(\d+\)")


def agree(
    exercise: Exercise, mine: Answer, my_finding: Finding | None, other: Answer, other_finding: Finding | None
) -> bool:
    """Whether two wrong answers are wrong in the same way."""
    if my_finding is None or other_finding is None or my_finding.kind != other_finding.kind:
        return False
    if my_finding.kind == "raised":
        return alike_errors(mine["error"], other["error"])
    if my_finding.kind == "wrong error":
        return all(mine["error"][part] == other["error"][part] for part in ("type", "message"))
    if my_finding.kind in ("gradients", "no gradient"):
        return _alike_gradients(mine["gradients"], other["gradients"])
    if my_finding.kind == "after":
        return alike(mine["after"], other["after"], GRADIENT_TOLERANCE)
    if my_finding.kind == "compared" and isinstance(mine["value"], float) and isinstance(other["value"], float):
        # A statistic of random numbers says how large the number is, not how it was made; the number itself does.
        return alike(mine["value"], other["value"], exercise.tolerance)
    if my_finding.kind in ("compared", "relation", "warning"):
        return my_finding.message == other_finding.message
    if my_finding.kind in ("tuple", "list"):
        return _alike_sequences(mine["value"], other["value"], exercise.tolerance)
    if my_finding.kind in _VALUES:
        return mine["opaque"] == other["opaque"] and alike(mine["value"], other["value"], exercise.tolerance)
    return True


def alike_errors(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two errors come from the same operation on the same shapes.

    The text alone is not enough: NumPy says the same of `Q @ K` and of `Q @ W` when both miss by the same lengths.
    """
    if "out of bounds" in a["message"] and _place(a["message"]) == _place(b["message"]):
        # Indexing, `gather` and `take` say the same of the same index in errors of different types.
        return True
    if a["type"] != b["type"]:
        return False
    if a["operation"] and a["operation"] == b["operation"] and "?" not in a["operation"] and a["operation"] != "raise":
        return True
    if a["message"] != b["message"]:
        return False
    if _TWO_SHAPES.search(a["message"]) or not a["operation"] or not b["operation"]:
        return True
    if "core dimension" in a["message"]:
        # NumPy names two lengths of four here, so what cannot be seen of the operands may be anything.
        return bool(a["operation"] == b["operation"])
    mine, other = _parts(a["operation"]), _parts(b["operation"])
    # A wrapper of the library's own (`x.sum(axis=2)` is `np.sum(x, axis=2)`) hides what it was called with.
    return len(mine) != len(other) or all("?" in pair or pair[0] == pair[1] for pair in zip(mine[1:], other[1:]))


def _place(message: str) -> str:
    """What a text about an index says, without the number of the axis, which depends on what came before."""
    return re.sub(r"(dimension|axis) \d+", "axis", message)


def _parts(operation: str) -> list[str]:
    return re.findall(r"\([^)]*\)|\S+", operation)


def _alike_sequences(a: Any, b: Any, tolerance: float) -> bool:
    """Whether two sequences in place of one array are alike: as long, in shapes, and in what stands first."""
    if not (isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) and a and len(a) == len(b)):
        return False
    return alike(a[0], b[0], tolerance) and [_outline(x) for x in a] == [_outline(y) for y in b]


def _outline(value: Any) -> object:
    """The shape of a value; of several in one, each one's."""
    return tuple(map(_outline, value)) if isinstance(value, (list, tuple)) else np.shape(value)


def alike(a: object, b: object, tolerance: float) -> bool:
    """Whether two plain values are the same, numbers to a relative tolerance."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[k], b[k], tolerance) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(alike(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(a, (np.ndarray, float, int)) and isinstance(b, (np.ndarray, float, int)):
        x, y = np.asarray(a), np.asarray(b)
        if x.shape == y.shape and x.any() != y.any():
            # Beside nothing but zeros there is no scale for what is small.
            return False
        return (
            x.shape == y.shape and (x.dtype.kind == "b") == (y.dtype.kind == "b") and bool(close(x, y, tolerance).all())
        )
    return type(a) is type(b) and a == b


def _alike_gradients(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    if a.keys() != b.keys() or any((a[k] is None) != (b[k] is None) for k in a):
        return False
    largest = largest_gradient(b)
    return all(
        a[k] is None or (a[k].shape == b[k].shape and bool(gradient_close(a[k], b[k], largest).all())) for k in a
    )
