"""Flow charts of an encoder layer: what the unit builds, and the two orders of the norm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core import describe, figure, grid
from .shapes import BLUE, draw_box, draw_line, draw_plus, set_canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure
def encoder_map() -> Figure:
    """What the unit builds: from `layer_norm` to the encoder, and the one shape that everything keeps."""
    drawn, axes = grid(1, 1, width=8.6, height=3.3)
    ax = axes[0, 0]
    set_canvas(ax, 17.2, 6.2, "What you will build: every arrow carries one shape, so layers can be piled up")
    from matplotlib.patches import FancyBboxPatch

    for shift in (0.36, 0.18, 0.0):
        ax.add_patch(
            FancyBboxPatch(
                (2.6 + shift, 0.9 + shift),
                11.4,
                4.1,
                boxstyle="round,pad=0.02,rounding_size=0.2",
                facecolor="white",
                edgecolor="#666666",
                linewidth=1,
                zorder=0.1,
            )
        )
    ax.text(2.85, 4.68, "EncoderLayer", fontsize=10, va="center", weight="bold")
    ax.text(14.5, 5.62, "× N = Encoder", fontsize=10, ha="left", va="center", weight="bold")
    centres = (4.2, 7.0, 10.0, 12.8)
    names = (
        ("self-attention\n(unit 4)", "attention"),
        ("add & norm", "norm"),
        ("FeedForward", "feed forward"),
        ("add & norm", "norm"),
    )
    for x, (text, kind) in zip(centres, names):
        draw_box(ax, x, 2.6, text, kind, width=2.1, height=1.0)
    ax.text(0.75, 2.6, "tokens", fontsize=10, ha="center", va="center")
    ax.text(16.4, 2.6, "tokens\nthat know\neach other", fontsize=10, ha="center", va="center")
    stops = (1.5, *(c for x in centres for c in (x - 1.05, x + 1.05)), 15.5)
    for a, b in zip(stops[::2], stops[1::2]):
        draw_line(ax, [(a, 2.6), (b, 2.6)])
    for fork, meet in ((2.95, 7.0), (8.5, 12.8)):
        draw_line(ax, [(fork, 2.6), (fork, 3.9), (meet, 3.9), (meet, 3.12)], BLUE, 2.2)
    ax.text(5.0, 4.15, "residual road: x itself", fontsize=9, color=BLUE, ha="center")
    for x in (2.05, 5.6, 8.5, 11.4, 14.85):
        ax.plot([x, x], [2.45, 1.75], color="#999999", linewidth=0.8)
        ax.text(x, 1.55, "(n, d)", fontsize=8, ha="center", va="center", color="#444444")
    return describe(
        drawn,
        "Flow chart of an encoder layer from left to right: tokens, self-attention, add and norm, feed forward, add "
        "and norm, tokens that know each other. Every arrow has the shape (n, d). Two blue residual roads lead around "
        "self-attention and around feed forward. The layer is stacked N times.",
    )


def _sublayers(ax: Axes, centre: float, norm_first: bool) -> None:
    """One encoder layer from bottom to top; the road that x itself takes is blue, the way through a sublayer grey."""
    road = centre - 1.75
    bottom = 0.55
    for index, (text, kind) in enumerate((("self-attention", "attention"), ("feed forward", "feed forward"))):
        y = bottom + index * 4.3
        fork, meet = y + 0.45, y + (3.5 if norm_first else 2.7)
        draw_line(ax, [(centre, fork), (centre, meet - 0.2)])
        draw_line(ax, [(centre, y), (centre, fork), (road, fork), (road, meet), (centre - 0.2, meet)], BLUE, 2.6)
        draw_line(ax, [(centre, meet + 0.2), (centre, y + 4.3)], BLUE, 2.6, arrow=index == 1)
        sub = y + (2.65 if norm_first else 1.75)
        draw_box(ax, centre, sub, text, kind)
        draw_box(ax, centre, y + (1.25 if norm_first else 3.55), f"norm_{index + 1}", "norm")
        if index == 0:
            foot = sub - 0.65
            for dx, name in ((-0.7, "Q"), (0.0, "K"), (0.7, "V")):
                draw_line(
                    ax,
                    [(centre, foot), (centre + dx, foot), (centre + dx, sub - 0.3)]
                    if dx
                    else [(centre, foot), (centre, sub - 0.3)],
                )
                ax.text(centre + dx + 0.1, sub - 0.48, name, fontsize=9, va="center")
        draw_plus(ax, centre, meet)


@figure
def norm_orders() -> Figure:
    """Post-norm beside pre-norm, one encoder layer each, read from bottom to top."""
    drawn, axes = grid(1, 2, width=3.7, height=6.0)
    titles = (
        "post-norm (the paper):\nthe road runs through every norm",
        "pre-norm (most models today):\nthe road is free from bottom to top",
    )
    formulas = (
        "x = norm_1(x + attention(x))\nx = norm_2(x + feed_forward(x))",
        "x = x + attention(norm_1(x))\nx = x + feed_forward(norm_2(x))",
    )
    for ax, title, formula, norm_first in zip(axes[0], titles, formulas, (False, True)):
        set_canvas(ax, 6.4, 11.0, title)
        ax.set_aspect("equal")
        _sublayers(ax, 3.4, norm_first)
        ax.text(3.4, 0.3, "x, from the layer below", ha="center", va="center", fontsize=9)
        ax.text(3.4, 9.4, "x, to the layer above", ha="center", va="center", fontsize=9)
        ax.text(3.2, 10.4, formula, ha="center", va="center", fontsize=9, family="monospace")
    return describe(
        drawn,
        "Two encoder layers drawn from bottom to top, both with self-attention, whose Q, K and V come from the layer "
        "below, and then feed forward, each with a blue residual road around it. On the left, post-norm: norm_1 and "
        "norm_2 stand on the road, after each sum. On the right, pre-norm: they stand in front of each sublayer, "
        "beside the road, which is free.",
    )
