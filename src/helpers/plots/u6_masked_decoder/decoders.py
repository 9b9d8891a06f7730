"""The decoder's attentions, its layers, and a look across at the source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import COLOURS, describe, figure, grid, heatmap
from ..phrases import counted, looks
from .shapes import BLUE, GREEN, GREY, KEY, QUERY, VALUE, draw_arrow, draw_box, draw_road, set_canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def three_attentions() -> Figure:
    """The encoder beside the decoder, with the sources of Q, K and V of all three attentions as arrows."""
    drawn, axes = grid(1, 1, width=9.2, height=5.6)
    ax = axes[0, 0]
    set_canvas(ax, 10, 8.3)

    def attention(x: float, y: float, name: str, colour: str) -> None:
        draw_box(ax, x, y, name, colour, 2.9, 0.8, 10, bold=True)

    def three_from_below(x: float, y: float) -> None:
        """One stream that splits into Q, K and V."""
        for dx, letter, colour in ((-0.95, "Q", QUERY), (0, "K", KEY), (0.95, "V", VALUE)):
            draw_road(
                ax,
                [(x, y - 1.0), (x + dx, y - 1.0), (x + dx, y - 0.42)] if dx else [(x, y - 1.0), (x, y - 0.42)],
                colour,
                2,
            )
            ax.text(x + dx + 0.1, y - 0.72, letter, color=colour, fontsize=11, fontweight="bold", va="center")

    left, right = 2.1, 7.3
    # The encoder.
    draw_box(ax, left, 0.7, "we   eat   a   burger", GREY, 2.9, 0.55)
    ax.text(left, 0.22, "source sentence", ha="center", va="center", fontsize=8, color=GREY)
    ax.plot([left, left], [0.98, 1.6], color=GREY, linewidth=1.3)
    three_from_below(left, 2.6)
    attention(left, 2.6, "self-attention", BLUE)
    draw_arrow(ax, (left, 3.02), (left, 3.68))
    draw_box(ax, left, 4.0, "feed forward", GREY, 2.9, 0.6)
    draw_road(ax, [(left, 4.32), (left, 5.0)])
    draw_box(ax, left, 5.3, "memory: a vector for each source word", KEY, 3.3, 0.6)
    ax.text(left, 8.0, "Encoder", ha="center", fontsize=12, fontweight="bold")
    # The decoder.
    draw_box(ax, right, 0.7, "<s>   nous   mangeons", GREY, 2.9, 0.55)
    ax.text(right, 0.22, "what has been written so far", ha="center", va="center", fontsize=8, color=GREY)
    ax.plot([right, right], [0.98, 1.6], color=GREY, linewidth=1.3)
    three_from_below(right, 2.6)
    attention(right, 2.6, "masked self-attention", BLUE)
    draw_arrow(ax, (right + 0.95, 3.02), (right + 0.95, 4.98), QUERY, 2)
    ax.text(right + 1.07, 4.0, "Q  from below", color=QUERY, fontsize=11, fontweight="bold", va="center")
    attention(right, 5.4, "cross attention", COLOURS[5])
    for y, dx, letter, colour in ((5.42, -0.95, "K", KEY), (5.18, 0.0, "V", VALUE)):
        turn = 4.35 if letter == "K" else 4.0
        draw_road(
            ax,
            [
                (left + 1.66, y),
                (4.75 if letter == "K" else 4.5, y),
                (4.75 if letter == "K" else 4.5, turn),
                (right + dx, turn),
                (right + dx, 4.98),
            ],
            colour,
            2,
        )
        ax.text(right + dx + 0.1, 4.72, letter, color=colour, fontsize=11, fontweight="bold", va="center")
    ax.text(4.4, 5.75, "K and V from the encoder", color=KEY, fontsize=9.5, fontweight="bold", ha="center", va="center")
    draw_arrow(ax, (right, 5.82), (right, 6.28))
    draw_box(ax, right, 6.58, "feed forward", GREY, 2.9, 0.55)
    draw_arrow(ax, (right, 6.87), (right, 7.18))
    draw_box(ax, right, 7.45, "final linear layer, softmax: un?", GREY, 2.9, 0.5)
    ax.text(right, 8.0, "Decoder", ha="center", fontsize=12, fontweight="bold")
    ax.set_title(
        "Self-attention asks and answers itself; in cross attention the encoder answers what is asked from below",
        fontsize=10.5,
    )
    return describe(
        drawn,
        "Encoder and decoder side by side. In the encoder's self-attention and in the decoder's masked self-attention, "
        "arrows Q, K and V come from the same words below. The decoder's cross attention gets Q from its own layer "
        "below, while K and V come across from the encoder's memory.",
    )


@figure
def decoder_layers() -> Figure:
    """One decoder layer as a road with three side roads, post-norm beside pre-norm."""
    drawn, axes = grid(1, 2, width=4.3, height=5.4)
    sublayers = (
        ("self_attention", "self_mask", BLUE),
        ("cross_attention", "memory_mask", COLOURS[5]),
        ("feed_forward", "", GREEN),
    )
    for ax, norm_first in zip(axes[0], (False, True)):
        set_canvas(ax, 7.3, 9.8)
        ax.set_title(
            "norm_first=True: pre-norm, x + sublayer(norm(x))"
            if norm_first
            else "norm_first=False: post-norm, norm(x + sublayer(x))",
            fontsize=9.5,
        )
        x, side = 1.6, 4.2
        ax.text(x, 0.12, "x from the layer below", ha="center", va="bottom", fontsize=9)
        y = 0.6
        for i, (name, mask, colour) in enumerate(sublayers, 1):
            end = y + 2.9
            draw_arrow(ax, (x, y), (x, end - (0.78 if not norm_first else 0.28)), "black", 1.8)
            enter, sum_y = y + 0.35, end - (1.0 if not norm_first else 0.5)
            body = (enter + sum_y) / 2
            draw_road(ax, [(x, enter), (side, enter), (side, body - (0.62 if norm_first else 0.3))])
            if norm_first:
                draw_box(ax, side, body - 0.36, f"norm_{i}", GREY, 2.4, 0.46)
                draw_arrow(ax, (side, body - 0.13), (side, body + 0.08))
                draw_box(ax, side, body + 0.32, name, colour, 2.4, 0.5)
                draw_road(ax, [(side, body + 0.57), (side, sum_y), (x + 0.24, sum_y)])
                right = body + 0.32
            else:
                draw_box(ax, side, body, name, colour, 2.4, 0.56)
                draw_road(ax, [(side, body + 0.28), (side, sum_y), (x + 0.24, sum_y)])
                right = body
            if mask:
                draw_arrow(
                    ax,
                    (7.15, right),
                    (side + 1.22, right),
                    KEY if name == "cross_attention" else GREY,
                    2 if name == "cross_attention" else 1.3,
                )
                if name == "cross_attention":
                    ax.text(7.2, right + 0.1, "memory", color=KEY, fontsize=8.5, ha="right", va="bottom")
                ax.text(7.2, right - 0.12, mask, color=GREY, fontsize=7.5, ha="right", va="top")
            ax.plot(x, sum_y, "o", color="white", markeredgecolor="black", markersize=15, zorder=4)
            ax.text(x, sum_y, "+", ha="center", va="center", fontsize=12, zorder=5)
            if not norm_first:
                draw_box(ax, x, end - 0.5, f"norm_{i}", GREY, 1.6, 0.42)
            y = end - (0.29 if not norm_first else 0.28)
            if i < 3:
                y = end - 0.29
        draw_arrow(ax, (x, y), (x, 9.35), "black", 1.8)
        ax.text(x, 9.4, "x to the layer above", ha="center", va="bottom", fontsize=9)
    return describe(
        drawn,
        "A decoder layer as a road from x below to x above with three side roads: self_attention with self_mask, "
        "cross_attention with memory and memory_mask, and feed_forward. Each side road is added back to the road. In "
        "post-norm, norm_1 to norm_3 stand on the road after each sum; in pre-norm they stand on the side roads before "
        "each sublayer.",
    )


@figure
def across(weights: np.ndarray, target: Sequence[str], source: Sequence[str], title: str) -> Figure:
    """Cross attention: a row for each target word, a column for each source word."""
    drawn, axes = grid(1, 1, width=5.6, height=3.0)
    ax = axes[0, 0]
    heatmap(
        weights,
        rows=target,
        columns=source,
        title=title,
        ax=ax,
        limits=(0, 1),
        signed=False,
        numbers=False,
        row_label="target words ask (Q)",
        column_label="source words answer (K, V)",
    )
    for (i, j), value in np.ndenumerate(weights):
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=9, color="black" if value > 0.5 else "white")
    return describe(
        drawn,
        f"{title}. Cross attention weights, {counted(len(target), 'target word')} by "
        f"{counted(len(source), 'source word')}. Where each looks: {looks(weights, target, source, second=0.1)}.",
    )
