"""Toys that look for their friends: a query, a key and a value for each, and where that leads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure, grid, heatmap
from .shares import BLUE, GREEN, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# Name, which pair of friends, place in the room. Friends are unlike: each looks for the other and not for its own kind.
_TOYS = (
    ("knight", 0, (0.5, 4.1)), ("horse", 0, (4.9, 4.2)), ("racket", 1, (5.9, 2.3)),
    ("ball", 1, (0.3, 2.0)), ("teapot", 2, (5.5, 0.3)), ("cup", 2, (0.9, 0.3)),
)  # fmt: skip
_LOOK = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "D"))


def _room(ax: Axes, places: np.ndarray, title: str) -> None:
    for (_, pair, _), place in zip(_TOYS, places):
        colour, marker = _LOOK[pair]
        ax.plot(*place, marker=marker, markersize=15, color=colour, markeredgecolor="black", zorder=3)
    ax.set_xlim(-0.4, 6.4)
    ax.set_ylim(-0.3, 5.1)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_aspect("equal")
    ax.set_title(title, fontsize=10)


def _name_toys(ax: Axes, places: np.ndarray, offsets: Sequence[tuple[float, float]]) -> None:
    for (name, _, _), (x, y), (dx, dy) in zip(_TOYS, places, offsets):
        ax.text(x + dx, y + dy, name, ha="center", va="center", fontsize=10, zorder=4)


@figure
def toys() -> Figure:
    """Toys in a room look for their friends: weights as lines, then every toy half of the way to what it looked at."""
    places = np.array([place for _, _, place in _TOYS])
    pairs = np.array([pair for _, pair, _ in _TOYS])
    # A note fits the friend's badge with a score of 2.5, every other badge, its own too, with 0.
    scores = 2.5 * ((pairs[:, None] == pairs[None, :]) & ~np.eye(len(_TOYS), dtype=bool))
    weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)  # (6, 6)
    mixture = weights @ places  # (6, 2)
    after = (places + mixture) / 2
    names = [name for name, _, _ in _TOYS]
    drawn, axes = grid(1, 3, width=3.15, height=3.3)
    left, middle, right = axes[0]
    _room(left, places, "Every toy reads all badges; the\nfriend's fits its note (wide lines)")
    for i, start in enumerate(places):
        for j, end in enumerate(places):
            if i < j:
                width = 0.4 + 9 * weights[i, j] ** 1.5
                left.plot(*np.array([start, end]).T, color="#555555", linewidth=width, alpha=0.55, zorder=1)
    _name_toys(left, places, [(0.15, 0.5), (0, 0.5), (-0.1, 0.5), (0.1, 0.5), (0.1, 0.5), (0, 0.5)])
    heatmap(
        weights,
        names,
        names,
        "How much each toy (row)\nlooks at each toy (column)",
        middle,
        row_label="whose note (query)",
        column_label="whose badge (key)",
        limits=(0, 1),
    )
    _room(right, after, "Each goes half of the way to the\nmixture of places it looked at")
    for start, end in zip(places, after):
        line = {"arrowstyle": "-", "color": "#aaaaaa", "linestyle": ":"}
        right.annotate("", xy=tuple(end), xytext=tuple(start), arrowprops=line, zorder=0)
        right.plot(*start, marker=".", color="#aaaaaa", zorder=0)
    _name_toys(right, after, [(-0.95, 0), (0.85, 0), (0.9, 0), (-0.65, 0), (1.15, 0), (-0.85, 0)])

    def apart(spots: np.ndarray) -> str:
        told = [(i, i + 1) for i in range(0, len(names), 2)]
        return ", ".join(f"{names[i]} and {names[j]} {np.hypot(*(spots[i] - spots[j])):.1f}" for i, j in told)

    alt = (
        f"Left, six toys in a room, wide lines between friends. How far friends are apart: {apart(places)}. Middle, "
        f"the weights of each: {weights[0, 1]:.2f} on the friend, {weights[0, 0]:.2f} on itself and on each other "
        f"toy. Right, each toy half of the way to the mixture of the places; friends are now apart: {apart(after)}."
    )
    return describe(drawn, alt)
