"""When two arrays count as equal: relative to their entries and to the largest of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

GRADIENT_TOLERANCE = 1e-4


def close(a: np.ndarray, b: np.ndarray, tolerance: float) -> np.ndarray:
    """Entry by entry, whether `a` equals `b` to `tolerance`, relative to the entry and to the largest of `b`."""
    same: np.ndarray = np.asarray(a == b)
    if same.all():
        # So it is most of the time, and looking closely takes ten times as long.
        return same
    finite = np.abs(b[np.isfinite(b)]) if b.size else b
    scale = float(finite.max()) if finite.size else 0.0
    with np.errstate(all="ignore"):
        same = np.isclose(a, b, rtol=tolerance, atol=tolerance * (scale or 1.0), equal_nan=True)
    return same


def gradient_close(got: np.ndarray, want: np.ndarray, largest: float) -> np.ndarray:
    """Entry by entry, whether a gradient is right to `GRADIENT_TOLERANCE`.

    A gradient that is zero in theory, as that of the bias of the keys, is rounding noise in practice and has no scale
    of its own; so no scale is taken below a tenth of `largest`, the largest entry of all gradients of the same call.
    """
    finite = np.abs(want[np.isfinite(want)])
    scale = max(float(finite.max(initial=0)), largest / 10) or 1.0
    with np.errstate(all="ignore"):
        same: np.ndarray = np.isclose(
            got, want, rtol=GRADIENT_TOLERANCE, atol=GRADIENT_TOLERANCE * scale, equal_nan=True
        )
    return same


def largest_gradient(gradients: Mapping[str, np.ndarray | None]) -> float:
    """The largest finite entry, by absolute value, of all gradients of one call."""
    return max(
        (float(np.abs(g[np.isfinite(g)]).max(initial=0)) for g in gradients.values() if g is not None), default=0.0
    )
