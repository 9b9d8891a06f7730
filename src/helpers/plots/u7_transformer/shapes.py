"""Colours, boxes, arrows and pictures of unit 7's figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import core
from ..core import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK = COLOURS[:4]
GREY, DARK = "#999999", "#333333"


def draw_box(
    ax: Axes, x: float, y: float, text: str, colour: str, width: float = 2.0, height: float = 0.55, size: float = 9
) -> None:
    """A rounded box with its centre at (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    corner = (x - width / 2, y - height / 2)
    ax.add_patch(
        FancyBboxPatch(
            corner,
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=colour + "33",
            edgecolor=colour,
            linewidth=1.4,
            zorder=3,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=size, zorder=4)


def draw_arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = DARK) -> None:
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": colour,
            "linewidth": 1.2,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 10,
        },
        zorder=2,
    )


def draw_line(ax: Axes, points: Sequence[tuple[float, float]], colour: str = DARK, arrow: bool = True) -> None:
    """A line with corners, with an arrow at its end."""
    corners = points[:-1] if arrow else points
    if len(corners) > 1:
        ax.plot(*zip(*corners), color=colour, linewidth=1.2, zorder=2, solid_capstyle="round")
    if arrow:
        draw_arrow(ax, points[-2], points[-1], colour)


def outline(x: float, y: float, width: float, height: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, fill=False, edgecolor=colour, linewidth=2.2, clip_on=False, zorder=5)


def draw_picture(ax: Axes, image: np.ndarray) -> None:
    """Ink on paper, without axes."""
    ax.imshow(image, cmap="Greys", vmin=0, vmax=16)
    ax.set(xticks=[], yticks=[])


def use_fonts(ax: Axes) -> None:
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        label.set_fontfamily(core.fonts())
