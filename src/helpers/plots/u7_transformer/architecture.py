"""The flow chart of the whole encoder-decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core import describe, figure, grid
from .shapes import BLUE, DARK, GREEN, GREY, ORANGE, PINK, draw_arrow, draw_box, draw_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def _sublayer(ax: Axes, x: float, y: float, text: str, colour: str, side: int) -> float:
    """A sublayer with its residual road and "add & norm" above it; returns the height of its top."""
    draw_box(ax, x, y, text, colour, 2.5, 0.72)
    draw_box(ax, x, y + 0.82, "add & norm", "#B8A000", 2.5, 0.42, 8.5)
    draw_arrow(ax, (x, y + 0.36), (x, y + 0.61))
    road = x + side * 1.65
    draw_line(ax, [(x, y - 0.72), (road, y - 0.72), (road, y + 0.82), (x + side * 1.25, y + 0.82)], GREY)
    return y + 1.03


@figure
def flow_chart() -> Figure:
    """The whole encoder-decoder, from the ids to the probabilities."""
    drawn, axes = grid(1, 1, width=8.6, height=9.0)
    ax = axes[0, 0]
    ax.set(xlim=(-4.3, 7.3), ylim=(-2.0, 10.15))
    ax.axis("off")
    left, right = 0.0, 4.4
    for x, source, note in (
        (left, "src: ids of the words", "forty two thousand ..."),
        (right, "tgt_in: ids so far", "bos 4 2 ..."),
    ):
        ax.text(x, -1.75, f"{source}\n{note}", ha="center", va="center", fontsize=9)
        draw_box(ax, x, -0.9, "embedding · √d_model", PINK, 2.5, 0.5)
        draw_box(ax, x, -0.05, "+ positions", BLUE, 1.5, 0.45)
        draw_arrow(ax, (x, -1.45), (x, -1.15))
        draw_arrow(ax, (x, -0.65), (x, -0.28))
    ax.text(left - 0.85, -0.05, "unit 3", ha="right", va="center", fontsize=8, color=GREY)

    def three_ways(x: float, y: float, middle: str = "KQV") -> None:
        """The road up splits into keys, queries and values."""
        for shift, name in zip((-0.7, 0.0, 0.7), middle):
            draw_line(ax, [(x, y - 0.62), (x + shift, y - 0.62), (x + shift, y - 0.36)])
            ax.text(x + shift + 0.08, y - 0.5, name, fontsize=8, color=DARK, va="center")

    # Encoder
    y = 1.55
    draw_line(ax, [(left, 0.18), (left, y - 0.6)], arrow=False)
    three_ways(left, y)
    top = _sublayer(ax, left, y, "multi-head\nself-attention", ORANGE, -1)
    draw_line(ax, [(left, top), (left, top + 0.81 - 0.36)])
    top = _sublayer(ax, left, top + 0.81, "feed-forward", GREEN, -1)
    _frame(ax, left, 0.62, top + 0.22, "n_layers ×\nencoder layer\n(unit 5)", -1)
    memory = top + 0.62
    draw_line(ax, [(left, top), (left, memory)], arrow=False)
    ax.text(left, memory + 0.12, "memory (b, n, d_model)", ha="center", va="bottom", fontsize=9)
    ax.text(left - 1.95, y - 0.2, "mask: no padding", ha="right", va="center", fontsize=8.5, color="#D55E00")
    draw_arrow(ax, (left - 1.9, y - 0.2), (left - 1.27, y - 0.2), "#D55E00")

    # Decoder
    draw_line(ax, [(right, 0.18), (right, y - 0.6)], arrow=False)
    three_ways(right, y)
    top = _sublayer(ax, right, y, "masked multi-head\nself-attention", ORANGE, 1)
    ax.text(right + 1.95, y - 0.2, "mask: not\nlooking ahead", ha="left", va="center", fontsize=8.5, color="#D55E00")
    draw_arrow(ax, (right + 1.9, y - 0.2), (right + 1.27, y - 0.2), "#D55E00")
    cross = top + 1.35
    draw_line(ax, [(right, top), (right, cross - 0.36)])
    ax.text(right + 0.1, cross - 0.5, "Q", fontsize=8, va="center")
    turn = 2.3
    draw_line(ax, [(left, memory), (turn, memory), (turn, cross + 0.15), (right - 1.25, cross + 0.15)])
    draw_line(ax, [(turn, cross + 0.15), (turn, cross - 0.15), (right - 1.25, cross - 0.15)])
    for name, height in (("K", 0.15), ("V", -0.15)):
        ax.text(right - 1.55, cross + height + 0.03, name, fontsize=8, va="bottom", ha="center")
    top = _sublayer(ax, right, cross, "multi-head\ncross attention", ORANGE, 1)
    ax.text(right + 1.95, cross - 0.2, "mask: no\npadding", ha="left", va="center", fontsize=8.5, color="#D55E00")
    draw_arrow(ax, (right + 1.9, cross - 0.2), (right + 1.27, cross - 0.2), "#D55E00")
    draw_line(ax, [(right, top), (right, top + 0.81 - 0.36)])
    top = _sublayer(ax, right, top + 0.81, "feed-forward", GREEN, 1)
    _frame(ax, right, 0.62, top + 0.22, "n_layers ×\ndecoder layer\n(unit 6)", 1)
    end = top + 0.8
    draw_arrow(ax, (right, top), (right, end - 0.25))
    draw_box(ax, right, end, "linear to tgt_vocab", PINK, 2.5, 0.5)
    draw_arrow(ax, (right, end + 0.25), (right, end + 0.68))
    ax.text(right, end + 0.75, "logits (b, m, tgt_vocab)", ha="center", va="bottom", fontsize=9)
    draw_arrow(ax, (right, end + 1.05), (right, end + 1.45))
    draw_box(ax, right, end + 1.7, "softmax", GREY, 2.5, 0.5)
    ax.text(right, end + 2.05, "probabilities of the next digit", ha="center", va="bottom", fontsize=9)
    ax.text(right + 1.4, end + 1.7, "inside cross entropy", ha="left", va="center", fontsize=8, color=GREY)
    ax.text(left, memory + 1.0, "encode", ha="center", fontsize=15, color=DARK, alpha=0.6)
    ax.text(left, memory + 0.6, "once a sentence", ha="center", fontsize=9, color=DARK, alpha=0.8)
    ax.text(right + 2.0, end + 0.55, "decode", ha="left", fontsize=15, color=DARK, alpha=0.6)
    ax.text(right + 2.0, end + 0.15, "once a digit", ha="left", fontsize=9, color=DARK, alpha=0.8)
    ax.set_title("The whole machine: the encoder reads, the decoder writes, cross attention is the bridge", fontsize=11)
    return describe(
        drawn,
        "Flow chart of the encoder-decoder. Left, the encoder: ids, embedding, positions, then n_layers times "
        "self-attention with a padding mask and a feed-forward net, each with a residual road and add and norm; its "
        "output is the memory. Right, the decoder: ids so far, embedding, positions, then n_layers times masked "
        "self-attention, cross attention with queries from below and keys and values from the memory, and a "
        "feed-forward net; then a linear layer to the logits and softmax.",
    )


def _frame(ax: Axes, x: float, bottom: float, top: float, text: str, side: int) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - 1.85, bottom)
    ax.add_patch(
        FancyBboxPatch(
            corner,
            3.7,
            top - bottom,
            boxstyle="round,pad=0,rounding_size=0.15",
            facecolor="#F4F4F4",
            edgecolor=GREY,
            linewidth=1.2,
            zorder=0,
        )
    )
    ax.text(x + side * 2.0, top - 0.1, text, ha="right" if side < 0 else "left", va="top", fontsize=9)
