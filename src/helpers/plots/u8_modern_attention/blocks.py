"""Keys in blocks: the online softmax by hand, and the memory that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core import COLOURS, describe, figure, grid
from .shapes import BLUE, GREEN, GREY, ORANGE, VERMILION, draw_arrow, draw_box

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def blocks_by_hand() -> Figure:
    """Four keys in two blocks, and what one query carries after each."""
    drawn, axes = grid(1, 1, width=9.4, height=3.2)
    ax = axes[0, 0]
    ax.set_xlim(-1.75, 10.2)
    ax.set_ylim(-0.3, 3.6)
    ax.axis("off")
    scores, values = ("ln 1", "ln 2", "ln 4", "ln 1"), ("8", "4", "2", "16")
    for j in range(4):
        x = (0.5, 1.5, 5.85, 6.85)[j]
        colour = BLUE if j < 2 else ORANGE
        draw_box(ax, x, 2.5, 0.9, 0.5, scores[j], colour)
        draw_box(ax, x, 1.8, 0.9, 0.5, values[j], colour)
    for y, name in ((2.5, "score s"), (1.8, "value v")):
        ax.text(-0.3, y, name, ha="right", va="center", fontsize=9)
    ax.text(1.0, 3.05, "block 0", ha="center", fontsize=9, color=BLUE)
    ax.text(6.35, 3.05, "block 1", ha="center", fontsize=9, color="#9a6700")
    ax.text(-0.3, 0.65, "carried", ha="right", va="center", fontsize=9)
    carried = (
        (1.0, "m = ln 2\nl = ½ + 1 = 1½\no = ½·8 + 1·4 = 8", BLUE, 2.3),
        (6.35, "m = ln 4\nl = ½·1½ + (1 + ¼) = 2\no = ½·8 + (1·2 + ¼·16) = 10", ORANGE, 4.1),
    )
    for x, text, colour, width in carried:
        draw_box(ax, x, 0.65, width, 1.15, text, colour, 9.5)
    draw_arrow(ax, (1.0, 1.52), (1.0, 1.26), BLUE)
    draw_arrow(ax, (6.35, 1.52), (6.35, 1.26), ORANGE)
    draw_arrow(ax, (2.2, 0.65), (4.25, 0.65), VERMILION)
    ax.text(3.2, 0.85, "times ½", ha="center", fontsize=8.5, color=VERMILION)
    ax.text(9.3, 0.65, "o / l = 5", ha="center", va="center", fontsize=12, color=COLOURS[7])
    draw_arrow(ax, (8.42, 0.65), (8.75, 0.65))
    ax.set_title("One query, four keys, two blocks: what was carried shrinks when the maximum rises", fontsize=10)
    return describe(
        drawn,
        "Scores ln 1, ln 2 with values 8, 4 form block 0, ln 4, ln 1 with values 2, 16 block 1. After "
        "block 0: m = ln 2, l = 1.5, o = 8. Block 1 raises m to ln 4; what was carried is multiplied by "
        "one half, and the new block added: l = 0.75 + 1.25 = 2, o = 4 + 6 = 10. The result is o / l = 5.",
    )


@figure
def memory(
    lengths: Sequence[int],
    full: Sequence[float | None],
    blocked: Sequence[float | None],
    budget: float,
    training: Sequence[float | None] = (),
) -> Figure:
    """Measured peak memory of full and blocked attention in MiB; None where the budget was not enough.

    Args:
        lengths: numbers of queries and keys.
        full, blocked: without gradients, one number for each length; an empty `blocked` is not measured yet.
        budget: MiB that may be held.
        training: blocked, while torch keeps what it needs for the gradients; empty leaves it out.
    """
    drawn, axes = grid(1, 1, width=7.4, height=3.9)
    ax = axes[0, 0]
    for sizes, name, colour, line in (
        (full, "full: all n × n scores", ORANGE, "-"),
        (blocked, "blocked: your online softmax", BLUE, "--"),
        (training, "blocked, and torch keeps all for the gradients", GREEN, ":"),
    ):
        known = [(n, size) for n, size in zip(lengths, sizes) if size is not None]
        if known:
            ax.plot(*zip(*known), line, color=colour, marker="o", linewidth=2, label=name)
        stopped = [n for n, size in zip(lengths, sizes) if size is None]
        if stopped and known and sizes is full:
            ax.plot(stopped[0], budget, "x", color=VERMILION, markersize=13, markeredgewidth=3, clip_on=False, zorder=5)
            both = any(n == stopped[0] and size is None for n, size in zip(lengths, training))
            place = {"xytext": (-14, 12), "textcoords": "offset points", "ha": "right"}
            ax.annotate(
                f"n = {stopped[0]:,}: full, and blocked with gradients, no longer fit"
                if both
                else f"n = {stopped[0]:,}: full attention no longer fits",
                (stopped[0], budget),
                **place,
                fontsize=9,
                color=VERMILION,
            )
    ax.axhline(budget, color=GREY, linewidth=1)
    ax.text(lengths[0], budget * 0.88, f"budget: {budget:,.0f} MiB", fontsize=8, color=GREY, va="top")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.set_xticks(lengths, [f"{n:,}" for n in lengths])
    ticks = [4**k for k in range(0, 6)]
    ax.set_yticks(ticks, [f"{t:,}" for t in ticks])
    ax.set_ylim(0.9, budget * 3)
    ax.set_xlabel("n, number of queries and keys")
    ax.set_ylabel("peak of new memory, MiB")
    ax.set_title(
        "Doubling n: four times the memory for full attention, twice for blocked without gradients"
        if blocked
        else "Doubling n: four times the memory for full attention",
        fontsize=10,
    )
    ax.legend(fontsize=9, loc="lower right")
    told = "; ".join(
        f"n = {n:,}, full {'does not fit' if a is None else f'{a:.0f} MiB'}, "
        f"blocked {'does not fit' if b is None else f'{b:.0f} MiB'}"
        for n, a, b in zip(lengths, full, blocked)
    )
    if not blocked:
        told = "; ".join(
            f"n = {n:,}, full {'does not fit' if a is None else f'{a:.0f} MiB'}" for n, a in zip(lengths, full)
        )
    kept = ", ".join(
        f"{n:,}: {'does not fit' if size is None else f'{size:.0f}'}" for n, size in zip(lengths, training)
    )
    return describe(
        drawn,
        f"Peak of new memory against n, with a budget of {budget:,.0f} MiB: {told}."
        + (f" Blocked with gradients, MiB by n: {kept}." if kept else ""),
    )
