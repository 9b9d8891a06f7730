"""Colours, boxes and arrows of unit 6's figures, and the softmax that they draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK = COLOURS[:4]
QUERY, KEY, VALUE = BLUE, "#B87A00", GREEN
GREY, HIDDEN = "#555555", "#E4E4E4"


def set_canvas(ax: Axes, width: float, height: float) -> None:
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.axis("off")


def draw_box(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    colour: str,
    width: float = 1.0,
    height: float = 0.5,
    size: float = 9,
    bold: bool = False,
) -> None:
    """A rounded box with its centre at (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    shape = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=colour + "26",
        edgecolor=colour,
        linewidth=1.3,
    )
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", fontsize=size, fontweight="bold" if bold else "normal")


def draw_arrow(
    ax: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str = GREY,
    width: float = 1.3,
    bend: float = 0.0,
) -> None:
    style = {
        "arrowstyle": "-|>",
        "color": colour,
        "linewidth": width,
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 9 + 2 * width,
    }
    ax.annotate("", xy=end, xytext=start, arrowprops={**style, "connectionstyle": f"arc3,rad={bend}"})


def draw_road(ax: Axes, points: Sequence[tuple[float, float]], colour: str = GREY, width: float = 1.3) -> None:
    """A line with corners that ends in an arrow."""
    if len(points) > 2:
        ax.plot(*zip(*points[:-1]), color=colour, linewidth=width, solid_capstyle="butt")
    draw_arrow(ax, points[-2], points[-1], colour, width)


def softmax(x: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    e: np.ndarray = np.exp(x - x.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e
