"""The data: handwritten digits as tokens, and what a decoder reads and has to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure, grid, heatmap
from ..phrases import counted
from ..wording import numbers
from .shapes import BLUE, DARK, GREEN, GREY, ORANGE, draw_arrow, draw_box, draw_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def ten_classes(images: np.ndarray, labels: np.ndarray) -> Figure:
    """One handwritten digit of each class."""
    drawn, axes = grid(1, 10, width=0.95, height=1.35)
    for label, ax in enumerate(axes[0]):
        draw_picture(ax, images[np.flatnonzero(labels == label)[1]])
        ax.set_title(f"class {label}", fontsize=9)
    drawn.suptitle("Ten classes: the model's ten logits stand for these", fontsize=11)
    height, width = images.shape[1:]
    return describe(
        drawn,
        f"Ten small grey images of {height} by {width} pixels in a row, one handwritten digit of each class from 0 to "
        f"9, taken from {len(images):,}.",
    )


@figure
def rows_as_tokens(image: np.ndarray, label: int) -> Figure:
    """An image, and its eight rows as the eight tokens that the encoder reads."""
    drawn, axes = grid(1, 2, width=3.6, height=3.5, gridspec_kw={"width_ratios": [1, 1.25]})
    draw_picture(axes[0, 0], image)
    axes[0, 0].set_title(f"To us: a {label}", fontsize=10)
    ax = heatmap(
        image,
        rows=[f"token {row}" for row in range(8)],
        columns=[str(i) for i in range(8)],
        title="To the encoder: X, eight tokens of width 8",
        ax=axes[0, 1],
    )
    ax.set(xlabel="pixel of the row", ylabel="row of the image")
    for row in range(1, 8):
        ax.axhline(row - 0.5, color="white", linewidth=3)
    return describe(
        drawn,
        f"Left, a handwritten {label}. Right, the same 8 by 8 numbers with gaps between the rows: token 0 is the top "
        f"row, token 7 the bottom row. The ink of the rows, from the top: {numbers(image.sum(axis=1), 3)}.",
    )


@figure
def teacher_forcing(tgt: Sequence[str], tgt_in: Sequence[str]) -> Figure:
    """What the decoder has to say and what it reads, place by place.

    Args:
        tgt: names of the targets, with eos and padding.
        tgt_in: names of what is read.
    """
    drawn, axes = grid(1, 1, width=7.4, height=2.7)
    ax = axes[0, 0]
    ax.set(xlim=(-1.75, len(tgt) - 0.4), ylim=(-0.75, 2.75))
    ax.axis("off")
    for place, (reads, says) in enumerate(zip(tgt_in, tgt)):
        counts = says != "pad"
        draw_box(ax, place, 0.1, reads, ORANGE if reads != "pad" else GREY, 0.72, 0.5)
        draw_box(ax, place, 1.7, says, GREEN if counts else GREY, 0.72, 0.5)
        draw_arrow(ax, (place, 0.4), (place, 1.4), DARK if counts else GREY)
        if place:
            ax.annotate(
                "",
                xy=(place - 0.12, 0.38),
                xytext=(place - 0.88, 1.42),
                arrowprops={"arrowstyle": "-|>", "color": BLUE, "linewidth": 1, "linestyle": ":"},
            )
        ax.text(place, 2.2, "counts" if counts else "ignored", ha="center", fontsize=8, color=DARK if counts else GREY)
    ax.text(-0.62, 0.1, "reads", ha="right", va="center", fontsize=10)
    ax.text(-0.62, 1.7, "has to say", ha="right", va="center", fontsize=10)
    ax.text((len(tgt) - 1) / 2, -0.6, "dotted: the same tokens, one place later", ha="center", fontsize=9, color=BLUE)
    ax.set_title(
        "Teacher forcing: each place reads the right token before it, whatever the model would have said", fontsize=10
    )
    padding = sum(says == "pad" for says in tgt)
    ignored = (
        f"{counted(padding, 'place')} of padding at the end {'is' if padding == 1 else 'are'} ignored by the loss."
    )
    return describe(
        drawn,
        f"{counted(len(tgt), 'place')}. Below, what the decoder reads: {' '.join(tgt_in)}. Above, what it has to say: "
        f"{' '.join(tgt)}. {ignored if padding else 'Every place counts in the loss.'}",
    )
