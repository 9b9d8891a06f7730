"""Positions as turns: pairs of features, and scores by offset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import COLOURS, describe, figure, grid, heatmap
from ..phrases import counted, first_of
from ..wording import joined, number
from .shapes import BLUE, ORANGE, PALE, SKY, draw_arrow

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def turning(position: int = 3, width: int = 8) -> Figure:
    """Where the hand of every pair points at a position, and the way it came from position 0."""
    pairs = width // 2
    drawn, axes = grid(1, pairs, width=2.3, height=2.6)
    for i, ax in enumerate(axes[0]):
        speed = 10000 ** (-2 * i / width)
        turn = np.linspace(0, position * speed, 400 + 10 * position)
        ax.plot(np.cos(np.linspace(0, 2 * np.pi, 200)), np.sin(np.linspace(0, 2 * np.pi, 200)), color=PALE)
        # Each turn further out than the one before, and the last one inside of the circle.
        spiral = 0.30 + min(0.012, 0.6 / max(position, 1)) * turn
        ax.plot(spiral * np.cos(turn), spiral * np.sin(turn), color=ORANGE, linewidth=1.6)
        draw_arrow(ax, (0, 0), (1, 0), PALE)
        draw_arrow(ax, (0, 0), (float(np.cos(turn[-1])), float(np.sin(turn[-1]))), BLUE)
        ax.set_title(f"features {2 * i} and {2 * i + 1}\n{speed:g} radian{'s' * (speed < 1)} a token", fontsize=9)
        ax.set_xlim(-1.15, 1.15)
        ax.set_ylim(-1.15, 1.15)
        ax.set_aspect("equal")
        ax.axis("off")
    drawn.suptitle(f"Position {position}: early pairs have turned far, late pairs hardly", fontsize=10)
    turns = "; ".join(
        f"features {2 * i} and {2 * i + 1} by {position * 10000 ** (-2 * i / width):.3g}" for i in range(min(pairs, 8))
    )
    return describe(
        drawn,
        f"{counted(pairs, 'circle')}, one for each pair of a vector of width {width}, with a hand that starts to the "
        f"right. At position {position} the hands have turned, in radians: {turns}.",
    )


@figure
def neighbours_or_halves(width: int = 8) -> Figure:
    """Which two features turn together: neighbours, as here, or one from each half, as in many published models."""
    from matplotlib.patches import Rectangle

    drawn, axes = grid(1, 1, width=7.6, height=2.3)
    ax = axes[0, 0]
    partners = ([i // 2 for i in range(width)], [i % (width // 2) for i in range(width)])
    for row, (pair_of, name) in enumerate(zip(partners, ("here: neighbours", "elsewhere: halves"))):
        y = 1 - row * 1.0
        for feature, pair in enumerate(pair_of):
            ax.add_patch(
                Rectangle(
                    (feature, y), 0.94, 0.6, facecolor=COLOURS[pair] + "55", edgecolor=COLOURS[pair], linewidth=1.4
                )
            )
            ax.text(feature + 0.47, y + 0.3, f"pair {pair}", ha="center", va="center", fontsize=8)
        ax.text(-0.15, y + 0.3, name, ha="right", va="center", fontsize=9)
    for feature in range(width):
        ax.text(feature + 0.47, 1.72, str(feature), ha="center", fontsize=9)
    ax.text(-0.15, 1.72, "feature", ha="right", fontsize=9)
    ax.set_xlim(-2.1, width)
    ax.set_ylim(-0.1, 2.0)
    ax.axis("off")
    ax.set_title("Same pairs, same turns, another order of the features", fontsize=10)
    told = [
        first_of((f"{joined([i for i in range(width) if of[i] == pair])}" for pair in range(width // 2)), joint="; ")
        for of in partners
    ]
    return describe(
        drawn,
        f"{width} features in two rows, coloured by their pair. Above, neighbours turn together: {told[0]}. "
        f"Below, one from each half: {told[1]}.",
    )


@figure
def offset_maps(added: np.ndarray, turned: np.ndarray) -> Figure:
    """Scores of one query against one key at all pairs of positions: positions added, and positions as turns."""
    drawn, axes = grid(1, 2, width=4.2, height=3.7)
    for ax, scores, title in zip(
        axes[0],
        (added, turned),
        ("Sines and cosines added:\nevery place scores differently", "Rotary: along a diagonal\nall scores are equal"),
    ):
        heatmap(
            scores,
            title=title,
            ax=ax,
            row_label="position of the query",
            column_label="position of the key",
            numbers=False,
            signed=False,
            limits=(scores.min(), scores.max()),
        )
        drawn.colorbar(ax.images[0], ax=ax, label="score", shrink=0.85)
    left, right = (_within_diagonals(scores) for scores in (added, turned))
    return describe(
        drawn,
        f"Two heatmaps of scores, {added.shape[0]} positions of the query by {added.shape[1]} of the key. Along one "
        f"diagonal, where the offset is the same, the scores differ by up to {left:.2g} on the left, with positions "
        f"added, and by up to {right:.1g} on the right, with positions as turns.",
    )


def _within_diagonals(scores: np.ndarray[Any, Any]) -> float:
    """The largest difference between two scores of the same offset."""
    n = min(scores.shape)
    return float(max(np.ptp(np.diagonal(scores, k)) for k in range(1 - n, n)))


@figure
def scores_by_offset(offsets: Sequence[int], curves: Mapping[int, Sequence[float]]) -> Figure:
    """Score against the offset between query and key, one curve for each position of the key; they coincide."""
    drawn, axes = grid(1, 1, width=6.8, height=3.1)
    ax = axes[0, 0]
    styles = (("-", 7, SKY), ("-", 3.5, ORANGE), ("--", 1.5, COLOURS[7]))
    for (start, scores), (line, width, colour) in zip(curves.items(), styles):
        ax.plot(offsets, scores, line, linewidth=width, color=colour, label=f"key at position {start:,}")
    ax.set_xlabel("offset: position of the query minus position of the key")
    ax.set_ylabel("score")
    ax.set_title("Three places in the text, one curve: the offset alone counts", fontsize=10)
    ax.legend(fontsize=8)
    all_scores = np.array(list(curves.values()), dtype=float)
    return describe(
        drawn,
        f"Scores against the offset from {min(offsets)} to {max(offsets)} for keys at positions "
        f"{joined([f'{start:,}' for start in curves])}: they run from {number(all_scores.min())} to "
        f"{number(all_scores.max())}, and the curves differ by at most {np.ptp(all_scores, axis=0).max():.1g}.",
    )
