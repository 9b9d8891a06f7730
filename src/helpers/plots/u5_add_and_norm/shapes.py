"""Colours, boxes and roads of unit 5's figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK = COLOURS[:4]
POSITIVE, NEGATIVE = "#8073ac", "#e08214"  # of bars, as in the two-sided colours of arrays

_SOFT = {"attention": "#cfe3f3", "feed forward": "#d5eee3", "norm": "#fbe3bd", "plain": "#eeeeee"}


def set_canvas(ax: Axes, width: float, height: float, title: str) -> None:
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.set_axis_off()
    ax.set_title(title, fontsize=10)


def draw_box(ax: Axes, x: float, y: float, text: str, kind: str, width: float = 2.2, height: float = 0.6) -> None:
    """A rounded box with its centre at (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0.02,rounding_size=0.12",
            facecolor=_SOFT[kind],
            edgecolor="#444444",
            linewidth=1,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=9)


def draw_line(
    ax: Axes, points: Sequence[tuple[float, float]], colour: str = "#444444", width: float = 1.3, arrow: bool = True
) -> None:
    """A road through the points, with an arrow head at its end."""
    xs, ys = zip(*points)
    ax.plot(xs, ys, color=colour, linewidth=width, solid_capstyle="round", zorder=0.5)
    if arrow:
        style = {"arrowstyle": "-|>", "color": colour, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", xy=points[-1], xytext=points[-2], arrowprops=style, zorder=0.6)


def draw_plus(ax: Axes, x: float, y: float) -> None:
    from matplotlib.patches import Circle

    ax.add_patch(Circle((x, y), 0.2, facecolor="white", edgecolor=BLUE, linewidth=1.6, zorder=3))
    ax.text(x, y - 0.01, "+", ha="center", va="center", fontsize=12, color=BLUE, zorder=4)
