"""What the drawings of unit 4 are made of: cells, boxes, arrows, light colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# Light enough for black numbers on them; told apart with any kind of colour blindness.
LIGHT = ("#9ecae9", "#fdd49e", "#a1d9b4", "#e5b5d3", "#d9d9d9", "#c7d7a0", "#c9b8e8", "#f2b8a0")


def canvas(width: float, height: float, size: float = 0.5, title: str = "") -> tuple[Figure, Axes]:
    """Axes without frame whose unit is one cell of `size` inches, y downwards."""
    drawn, axes = grid(width=width * size, height=height * size)
    ax = axes[0, 0]
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_aspect("equal")
    ax.axis("off")
    if title:
        ax.set_title(title, fontsize=11)
    return drawn, ax


def cells(
    ax: Axes,
    x: float,
    y: float,
    values: np.ndarray,
    colour: Callable[[int, int], str],
    rows: Sequence[str] = (),
    title: str = "",
    gap_after: int = 0,
) -> None:
    """A matrix as boxes with their numbers; `gap_after` leaves a gap after every so many columns."""
    from matplotlib.patches import Rectangle

    for (i, j), value in np.ndenumerate(values):
        left = x + j + (0.4 * (j // gap_after) if gap_after else 0)
        ax.add_patch(Rectangle((left, y + i), 1, 1, facecolor=colour(i, j), edgecolor="white", linewidth=1.5))
        ax.text(left + 0.5, y + i + 0.5, f"{value:02.0f}", ha="center", va="center", fontsize=10, family="monospace")
    for i, name in enumerate(rows):
        ax.text(x - 0.2, y + i + 0.5, name, ha="right", va="center", fontsize=9)
    if title:
        ax.text(x, y - 0.25, title, ha="left", va="bottom", fontsize=9.5)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], text: str = "", above: float = 0.3) -> None:
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={"arrowstyle": "-|>", "color": "#333333", "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0},
    )
    if text:
        ax.text((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 - above, text, ha="center", va="bottom", fontsize=9)


def box(
    ax: Axes, x: float, y: float, width: float, height: float, text: str, colour: str, sheets: int = 1, size: float = 10
) -> None:
    """A box of a flow chart, its centre at (x, y); several sheets behind each other stand for several heads."""
    from matplotlib.patches import FancyBboxPatch

    for sheet in reversed(range(sheets)):
        left, top = x - width / 2 + 0.22 * sheet, y - height / 2 - 0.22 * sheet
        ax.add_patch(
            FancyBboxPatch(
                (left, top),
                width,
                height,
                boxstyle="round,pad=0.04,rounding_size=0.15",
                facecolor=colour,
                edgecolor="#444444",
                linewidth=1.2,
            )
        )
    ax.text(x, y, text, ha="center", va="center", fontsize=size)
