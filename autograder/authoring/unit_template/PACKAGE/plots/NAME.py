"""Figures of the unit NAME."""

from __future__ import annotations

import numpy as np
from helpers.plots import describe, figure, grid
from matplotlib.figure import Figure


@figure
def smoothed(values: np.ndarray, means: np.ndarray) -> Figure:
    """Draw values, (n,), and their moving average, (m,), each mean in the middle of its window."""
    drawn, axes = grid(width=4.2, height=2.6)
    shift = (len(values) - len(means)) / 2
    axes[0, 0].plot(np.arange(len(values)), values, "o", label="values")
    axes[0, 0].plot(np.arange(len(means)) + shift, means, "-", label="moving average")
    axes[0, 0].legend()
    title = "A moving average is smoother"
    axes[0, 0].set(title=title, xlabel="place", ylabel="value")
    return describe(drawn, f"{title}: {len(values)} values as dots, {len(means)} means as a line.")
