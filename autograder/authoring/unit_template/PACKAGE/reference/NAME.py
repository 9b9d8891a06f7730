"""The reference of the unit NAME."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def moving_average(values: ArrayLike, width: int) -> np.ndarray:
    """Mean of every `width` values that follow each other: `m_i = (x_i + … + x_{i+width−1}) / width`.

    Args:
        values: (n,).
        width: how many values each mean is of, from 1 to n.

    Returns:
        The means, (n - width + 1,).

    Raises:
        ValueError: width is below 1 or above n.
    """
    values = np.asarray(values, dtype=float)
    if not 1 <= width <= len(values):
        raise ValueError(f"width is {width}; expected 1 to {len(values)}, the number of values")
    sums = np.cumsum(np.concatenate(([0.0], values)))
    return (sums[width:] - sums[:-width]) / width
