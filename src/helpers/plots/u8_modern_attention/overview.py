"""The block of 2017 beside the block of today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core import describe, figure, grid
from .shapes import BLUE, GREEN, GREY, ORANGE, PALE, PINK, SKY, draw_arrow, draw_box

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
        ("read the whole text again\nfor every new token (unit 6)", PINK),
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
        "each; the whole text read again for every new token, as in unit 6; softmax over the whole row; concatenate, "
        "W_o; add what came in; layer norm. Today: tokens; RMS norm; many heads of Q and few of K and V; pairs of Q "
        "and K turned; new k and v join the cache; online softmax in blocks; concatenate, W_o; add what came in. "
        "Pieces that replace each other have one colour.",
    )


@figure
def three_families() -> Figure:
    """Who may look at whom in an encoder, an encoder-decoder and a decoder alone, on one pair of sentences."""
    read, written = ["we", "eat", "</s>"], ["nous", "mangeons"]
    words = [*read, *written]
    n, m = len(words), len(read)
    drawn, axes = grid(1, 3, width=3.5, height=3.7)
    panels = (
        ("Encoder alone\n(BERT; your digit reader)", m, False),
        ("Encoder and decoder\n(2017; your translator)", n, False),
        ("Decoder alone\n(GPT, Llama, Qwen; unit 9)", n, True),
    )
    for ax, (title, size, one_text) in zip(axes[0], panels):
        for i in range(size):
            for j in range(size):
                if one_text or (i >= m and j >= m):
                    colour = GREEN if j <= i else PALE
                elif i < m:
                    colour = BLUE if j < m else PALE
                else:
                    colour = ORANGE
                ax.fill_between([j - 0.46, j + 0.46], i - 0.46, i + 0.46, color=colour, linewidth=0)
        ax.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5))
        ax.set_aspect("equal")
        # Above, so that the names of the smaller grid stand beside it too.
        ax.xaxis.set_ticks_position("top")
        ax.xaxis.set_label_position("top")
        ax.set_xticks(range(size), words[:size], rotation=45, ha="left", rotation_mode="anchor", fontsize=9)
        ax.set_yticks(range(size), words[:size], fontsize=9)
        ax.tick_params(length=0)
        for side in ax.spines.values():
            side.set_visible(False)
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("may look at (key)")
    axes[0, 0].set_ylabel("who looks (query)")
    from matplotlib.patches import Patch

    kinds = (
        (BLUE, "self-attention, both ways"), (ORANGE, "cross attention"), (GREEN, "causal self-attention"),
        (PALE, "never"),
    )  # fmt: skip
    drawn.legend(
        handles=[Patch(color=colour, label=label) for colour, label in kinds],
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=9,
    )
    drawn.suptitle("Three families: the third has one kind of attention and one text", fontsize=11)
    return describe(
        drawn,
        "Three grids of who may look at whom. Encoder alone: the words that are read all see each other. Encoder and "
        "decoder: they too, the written words see all of them by cross attention, and of themselves only what came "
        "before. Decoder alone: read and written words are one text, in which each word sees itself and what came "
        "before.",
    )
