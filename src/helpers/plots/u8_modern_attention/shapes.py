"""Colours, boxes and arrows of unit 8's figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK, SKY, VERMILION = COLOURS[:6]
GREY = "#6b7280"
PALE = "#d1d5db"


def draw_box(
    ax: Axes, x: float, y: float, width: float, height: float, text: str, colour: str, size: float = 9
) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - width / 2, y - height / 2)
    ax.add_patch(
        FancyBboxPatch(
            corner,
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.1",
            facecolor=colour + "26",
            edgecolor=colour,
            linewidth=1.5,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=size)


def draw_arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = GREY, bend: float = 0.0
) -> None:
    style = {
        "arrowstyle": "-|>",
        "color": colour,
        "linewidth": 1.3,
        "shrinkA": 0,
        "shrinkB": 0,
        "connectionstyle": f"arc3,rad={bend}",
    }
    ax.annotate("", xy=end, xytext=start, arrowprops=style)
