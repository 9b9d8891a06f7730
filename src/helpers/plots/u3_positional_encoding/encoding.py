"""The table of the encoding: its waves, the products of its rows, the matrix of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure, grid, heatmap
from ..wording import number, numbers
from .clocks import BLUE, GREEN, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def encoding_map(n: int = 100, width: int = 64) -> Figure:
    """The encoding as a heat map, rows positions and columns entries, and three of its columns as curves."""
    column = np.arange(width)
    angles = np.outer(np.arange(n), 1e4 ** (-(column - column % 2) / width))
    table = np.where(column % 2, np.cos(angles), np.sin(angles))
    drawn, axes = grid(1, 2, width=4.6, height=4.2, width_ratios=(1.25, 1))
    whole, curves = axes[0]
    heatmap(table, title="Left columns flicker, right columns hardly change", ax=whole, signed=True, numbers=False)
    whole.set_ylabel("position")
    whole.set_xlabel("column of the encoding")
    drawn.colorbar(whole.images[0], ax=whole, shrink=0.8)
    for j, colour in ((0, BLUE), (12, ORANGE), (24, GREEN)):
        curves.plot(table[:, j], np.arange(n), color=colour, label=f"column {j}")
        whole.axvline(j, color=colour, linewidth=1.2)
    curves.set_ylim(n - 0.5, -0.5)
    curves.set_title("Three columns, read downwards: three sines", fontsize=10)
    curves.set_xlabel("value")
    curves.set_ylabel("position")
    curves.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncol=3)
    shown = [0, 12, 24]
    periods = numbers([2 * np.pi * 1e4 ** (j / width) for j in shown])
    middle = table[:, width // 2 :]
    alt = (
        f"Heat map of the encoding of {n} positions, {width} columns; beside it the columns {numbers(shown)} as sine "
        f"curves, whose periods are {periods} positions. The left columns flicker; in the right half the entries of a "
        f"sine column reach {number(middle[:, ::2].max())} at most, those of a cosine column fall to "
        f"{number(middle[:, 1::2].min())} at least."
    )
    return describe(drawn, alt)


@figure
def products(n: int = 60, width: int = 64) -> Figure:
    """PE · PEᵀ, with its stripes along the diagonal, and the same products against the distance."""
    pairs = width // 2
    angles = np.outer(np.arange(n), 1e4 ** (-np.arange(pairs) / pairs))
    table = np.concatenate(
        [np.sin(angles), np.cos(angles)], axis=1
    )  # the order of the columns does not matter to a product
    both = table @ table.T
    drawn, axes = grid(1, 2, width=4.6, height=3.7)
    whole, curve = axes[0]
    heatmap(
        both,
        title="PE · PEᵀ: every diagonal has one colour",
        ax=whole,
        signed=False,
        limits=(float(both.min()), float(both.max())),
        numbers=False,
    )
    whole.set_ylabel("position")
    whole.set_xlabel("position")
    drawn.colorbar(whole.images[0], ax=whole, shrink=0.9)
    for position, colour, style, weight in ((10, BLUE, "-", 5), (30, ORANGE, "-", 2.5), (50, "#000000", ":", 1.5)):
        curve.plot(
            np.arange(n) - position,
            both[position],
            color=colour,
            linestyle=style,
            linewidth=weight,
            label=f"row of position {position}",
        )
    curve.set_title("Three rows, each seen from its own place:\none and the same curve", fontsize=10)
    curve.set_xlabel("distance: other position − own position")
    curve.set_ylabel("product")
    curve.legend(fontsize=8)
    spread = max(float(np.ptp(np.diag(both, k))) for k in range(n))
    steps = [k for k in (0, 1, 2, 5, 10, 20, 22, 25) if k < n]
    alt = (
        f"Left, the matrix PE times PE transposed for {n} positions, brightest on the diagonal. Along a diagonal its "
        f"numbers differ by no more than {number(round(spread, 6))}. Right, the rows of positions 10, 30 and 50 "
        f"against the distance, one and the same curve. At the distances {numbers(steps)} it is "
        f"{numbers(both[0, steps], 3)}."
    )
    return describe(drawn, alt)


@figure
def turned_blocks(matrix: np.ndarray, offset: int) -> Figure:
    """A shift matrix with its 2 × 2 blocks framed."""
    from matplotlib.patches import Rectangle

    matrix = np.asarray(matrix, dtype=float)
    width = len(matrix)
    drawn, axes = grid(1, 1, width=0.62 * width + 1.2, height=0.46 * width + 1.0)
    ax = axes[0, 0]
    names = [f"{name} {i}" for i in range(width // 2) for name in ("sin", "cos")]
    heatmap(
        matrix,
        rows=names,
        columns=names,
        title=f"Your shift_matrix({offset}, {width}): one turn for each clock",
        ax=ax,
        signed=True,
        limits=(-1, 1),
        numbers=True,
    )
    for i in range(0, width, 2):
        ax.add_patch(Rectangle((i - 0.5, i - 0.5), 2, 2, fill=False, edgecolor=BLUE, linewidth=2))
    ax.set_xlabel("position p")
    ax.set_ylabel(f"position p + {offset}")
    blocks = "; ".join(f"clock {i // 2} {numbers(matrix[i : i + 2, i : i + 2])}" for i in range(0, width, 2))
    outside = np.where(np.kron(np.eye(width // 2), np.ones((2, 2))) > 0, 0, matrix)
    alt = (
        f"The {width} by {width} shift matrix for {offset} steps, with its 2 by 2 blocks along the diagonal framed, "
        f"each read row by row: {blocks}. The largest number outside of the blocks, without its sign: "
        f"{number(np.abs(outside).max())}."
    )
    return describe(drawn, alt)
