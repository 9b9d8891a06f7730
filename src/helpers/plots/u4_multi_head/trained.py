"""Heads that were trained: how much one and several get right, and where they look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import COLOURS, describe, figure, grid, heatmap
from ..phrases import counted
from ..wording import named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RUN = 20  # steps that a point of a curve is the mean of


@figure
def trained_heads(
    right: Mapping[int, Sequence[float]],
    weights: Mapping[int, np.ndarray],
    tokens: Sequence[str],
    sought: tuple[int, int],
) -> Figure:
    """Share of sentences with both answers right while training, and each model's heads on one sentence.

    Args:
        right: for each number of heads the share at each step.
        weights: for each number of heads the weights of one question, (h, n).
        tokens: names of the n tokens of that sentence.
        sought: places of the two tokens that the question asks for.
    """
    from matplotlib.patches import Rectangle

    drawn, axes = grid(1, 2, width=4.7, height=3.7)
    left, right_side = axes[0]
    ends = {}
    for (heads, curve), colour, style in zip(right.items(), COLOURS, ("-", "--", ":")):
        runs = np.asarray(curve)[: len(curve) // _RUN * _RUN].reshape(-1, _RUN).mean(axis=1)
        ends[counted(heads, "head")] = runs[-1]
        # A point stands in the middle of the steps that it is the mean of.
        steps = _RUN * np.arange(len(runs)) + _RUN / 2
        left.plot(steps, runs, color=colour, linestyle=style, linewidth=2.4, label=f"{counted(heads, 'head')}")
    left.set(ylim=(0, 1.05), xlabel="training step", ylabel="share with both answers right")
    left.legend(frameon=False, fontsize=9, loc="center right")
    left.spines[["top", "right"]].set_visible(False)
    left.set_title(f"Learning (means of {_RUN} steps)", fontsize=10)
    rows = [f"{counted(h, 'head')}: head {i}" for h, maps in weights.items() for i in range(len(maps))]
    table = np.concatenate([np.asarray(maps, dtype=float) for maps in weights.values()])
    title = "Where each trained head looks\n(framed: the two tokens that are asked for)"
    heatmap(
        table.round(2), rows, tokens, title, right_side, limits=(0, 1), column_label="tokens: key A, key B", slant=False
    )
    for place in sought:
        frame = Rectangle((place - 0.5, -0.5), 1, len(table), fill=False, edgecolor=COLOURS[5], linewidth=2.4)
        right_side.add_patch(frame)
    drawn.suptitle("Two questions at once: one head has to share, two heads need not", fontsize=11)
    looks = "; ".join(
        f"{row}: {named([tokens[place] for place in sought], np.round(line[list(sought)], 2))}"
        for row, line in zip(rows, table)
    )
    alt = (
        "Left, the share of sentences with both answers right while training; at the end: "
        f"{named(ends, [*ends.values()])}. Right, where each trained head looks in one sentence; its weights on the "
        f"two tokens that are asked for: {looks}."
    )
    return describe(drawn, alt)
