"""Scores other than the dot product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core import SEQUENTIAL, describe, figure, grid
from ..wording import numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def other_scores() -> Figure:
    """Four scores of the queries of a plane against one key, as maps."""
    side = np.linspace(-3, 3, 61)
    x, y = np.meshgrid(side, side)
    q = np.stack([x, y], axis=-1)  # (61, 61, 2)
    k = np.array([1.6, 0.8])
    W_q, W_k, v = np.array([[1.2, -0.6], [0.5, 1.1]]), np.array([[0.9, 0.3], [-0.4, -0.8]]), np.array([1.0, 0.8])
    length = np.sqrt((q * q).sum(-1)) * np.sqrt(k @ k)
    maps = (
        ("dot product, scaled:\nlouder along the key", q @ k / np.sqrt(2)),
        ("cosine: the direction\nalone counts", q @ k / np.where(length == 0, 1, length)),
        ("minus squared distance:\nbest at the key itself", -((q - k) ** 2).sum(-1)),
        ("additive: a small network,\nwith a limit on both sides", np.tanh(q @ W_q + k @ W_k) @ v),
    )
    drawn, axes = grid(1, 4, width=2.35, height=3.1)
    for ax, (title, score) in zip(axes[0], maps):
        ax.contourf(x, y, score, levels=14, cmap=SEQUENTIAL)
        lines = ax.contour(x, y, score, levels=6, colors="white", linewidths=0.6)
        ax.clabel(lines, fontsize=7, fmt="%.3g")
        ax.annotate(
            "",
            xy=tuple(k),
            xytext=(0, 0),
            arrowprops={"arrowstyle": "-|>", "color": "#D55E00", "linewidth": 2.2, "shrinkA": 0, "shrinkB": 0},
        )
        ax.text(k[0] + 0.2, k[1] + 0.25, "k", color="#D55E00", fontsize=12, fontweight="bold")
        ax.set_title(title, fontsize=10)
        ax.set_aspect("equal")
        ax.set_xticks([-2, 0, 2])
        ax.set_yticks([-2, 0, 2])
        ax.set_xlabel("q, first entry", fontsize=9)
    axes[0, 0].set_ylabel("q, second entry", fontsize=9)
    drawn.suptitle("Score of every query of the plane against one key k: bright is high", fontsize=11)
    places = [tuple(np.rint(10 * (spot + 3)).astype(int)) for spot in (k, k / 2, -k, np.array([-0.8, 1.6]))]
    told = "; ".join(
        f"{' '.join(title.split())}: {numbers([score[row, column] for column, row in places])}" for title, score in maps
    )
    alt = (
        "Four maps of the scores of all queries of a plane against one key k = (1.6, 0.8). The scores of four "
        f"queries: k, half of k, minus k, and (-0.8, 1.6), across k. {told}. Lines of equal score: parallel stripes "
        "for the dot product, rays for the cosine, rings around k for the distance, two plateaus for the additive "
        "score."
    )
    return describe(drawn, alt)
