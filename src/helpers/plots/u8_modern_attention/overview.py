"""The block of 2017 beside the block of today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core import describe, figure, grid
from .shapes import BLUE, GREEN, GREY, ORANGE, PINK, SKY, draw_arrow, draw_box

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def then_and_now() -> Figure:
    """The attention half of a block in 2017 and today; a replaced piece and its replacement share a colour."""
    drawn, axes = grid(1, 2, width=4.4, height=5.2)
    then = [
        ("tokens", GREY),
        ("+ sines and cosines", ORANGE),
        ("Q, K, V: as many heads each", GREEN),
        ("read the whole text again\nfor every new token", PINK),
        ("softmax over the whole row:\nn × n scores at one time", SKY),
        ("concatenate heads, W_o", GREY),
        ("+ what came in", GREY),
        ("layer norm", BLUE),
    ]
    now = [
        ("tokens", GREY),
        ("RMS norm", BLUE),
        ("Q: many heads;  K, V: few", GREEN),
        ("turn the pairs of Q and K", ORANGE),
        ("new k, v join the cache", PINK),
        ("online softmax: scores\nof one block at one time", SKY),
        ("concatenate heads, W_o", GREY),
        ("+ what came in", GREY),
    ]
    for ax, title, rows in zip(axes[0], ("2017", "Today"), (then, now)):
        ax.set_xlim(0, 4.4)
        ax.set_ylim(-0.1, 8.1)
        ax.axis("off")
        ax.set_title(title, fontsize=12)
        for row, (text, colour) in enumerate(rows):
            y = 0.5 + row
            draw_box(ax, 2.0, y, 3.1, 0.66, text, colour)
            if row:
                draw_arrow(ax, (2.0, y - 0.66), (2.0, y - 0.34))
        start, end = (1.5, 6.5) if title == "2017" else (0.5, 7.5)
        ax.plot([3.55, 3.95, 3.95], [start, start, end], color=GREY, linewidth=1.3)
        draw_arrow(ax, (3.95, end), (3.57, end))
    return describe(
        drawn,
        "Two stacks of boxes, read from the bottom. 2017: tokens; sines and cosines added; Q, K, V with as many heads "
        "each; the whole text read again for every new token; softmax over the whole row; concatenate, W_o; add what "
        "came in; layer norm. Today: tokens; RMS norm; many heads of Q and few of K and V; pairs of Q and K turned; "
        "new k and v join the cache; online softmax in blocks; concatenate, W_o; add what came in. Pieces that replace "
        "each other have one colour.",
    )
