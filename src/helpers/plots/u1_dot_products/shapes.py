"""What the drawings of unit 1 are made of: boxes, arrows, frames, and a colour for each role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


BLUE, ORANGE, GREEN, PINK = COLOURS[:4]
QUERY, KEY, VALUE, TOKEN = BLUE, ORANGE, GREEN, "#555555"


def blank(ax: Axes, width: float, height: float) -> None:
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.axis("off")


def box(
    ax: Axes, x: float, y: float, text: str, colour: str, width: float = 0.8, height: float = 0.5, size: float = 10
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
            facecolor=colour + "26",
            edgecolor=colour,
            linewidth=1.4,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=size)


def arrow(
    ax: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str = "#555555",
    bend: float = 0.0,
    width: float = 1.2,
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


def frame(ax: Axes, row: float, column: float, height: float, width: float, colour: str = "#D55E00") -> None:
    """A thick frame around cells of a heatmap."""
    from matplotlib.patches import Rectangle

    ax.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5),
            width,
            height,
            fill=False,
            edgecolor=colour,
            linewidth=2.6,
            clip_on=False,
            zorder=5,
        )
    )
