"""A shopper before shop windows: a query meets keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure, grid
from ..wording import joined, named
from .shapes import KEY, QUERY, arrow, blank, box

if TYPE_CHECKING:
    from matplotlib.figure import Figure


WINDOWS = {"coats": (3, 0, -1), "hot cocoa": (2, 2, 1), "ice cream": (-2, 3, 1), "books": (0, 0, 1)}
# What each shop hands over, as (cloth, sugar, paper).
GOODS = {"coats": (2, 0, 0), "hot cocoa": (0, 2, 0), "ice cream": (0, 1, 0), "books": (0, 0, 3)}
WISHES = {
    "warm and sweet": (1, 1, 0),
    "just warm": (1, 0, 0),
    "cheap": (0, 0, 1),
    "cool and sweet": (-1, 1, 0),
    "not cheap": (0, 0, -1),
}


def _vector(entries: Iterable[int]) -> str:
    """A vector as it is written, with a real minus."""
    return f"({', '.join(str(entry) for entry in entries)})".replace("-", "−")


@figure
def mall(wish: str = "warm and sweet") -> Figure:
    """A shopper with a wish (the query) passes shop windows (the keys); each window's score is their dot product."""
    from matplotlib.patches import Circle, Polygon, Rectangle

    query = np.array(WISHES[wish])
    scores = [int(query @ np.array(key)) for key in WINDOWS.values()]
    drawn, axes = grid(1, 1, width=9.2, height=4.3)
    ax = axes[0, 0]
    blank(ax, 10.4, 4.75)
    best = max(scores)
    for place, ((name, key), score) in enumerate(zip(WINDOWS.items(), scores)):
        x = 3.1 + 2.05 * place
        strong = score == best
        ax.add_patch(
            Rectangle(
                (x - 0.9, 2.1),
                1.8,
                1.75,
                facecolor=KEY + ("40" if strong else "14"),
                edgecolor=KEY,
                linewidth=2.6 if strong else 1.2,
            )
        )
        ax.add_patch(
            Polygon(
                [(x - 1.0, 3.85), (x + 1.0, 3.85), (x + 0.85, 4.3), (x - 0.85, 4.3)], facecolor=KEY, edgecolor="none"
            )
        )
        ax.text(x, 4.07, name, ha="center", va="center", fontsize=11, fontweight="bold")
        ax.text(x, 3.62, "window: key", ha="center", va="center", fontsize=9, color="#555555")
        ax.text(x, 3.26, _vector(key), ha="center", va="center", fontsize=11)
        ax.text(x, 2.72, "goods: value", ha="center", va="center", fontsize=9, color="#2a7f62")
        ax.text(x, 2.36, _vector(GOODS[name]), ha="center", va="center", fontsize=11, color="#2a7f62")
        told = f"score {score}".replace("-", "−")
        ax.text(
            x,
            1.5,
            told,
            ha="center",
            va="center",
            fontsize=12,
            fontweight="bold" if strong else "normal",
            color="black" if score > 0 else "#777777",
        )
        colour, width = (QUERY, 0.8 + 0.6 * score) if score > 0 else ("#aaaaaa", 0.8)
        arrow(ax, (1.75, 0.75), (x - 0.25, 1.24), colour, bend=0.06, width=width)
    ax.add_patch(Circle((1.1, 1.6), 0.24, facecolor=QUERY, edgecolor="none"))
    ax.add_patch(Polygon([(0.7, 0.2), (1.5, 0.2), (1.3, 1.28), (0.9, 1.28)], facecolor=QUERY, edgecolor="none"))
    box(
        ax,
        1.1,
        2.75,
        f"“{wish}”\nquery\n{_vector(query)}",
        QUERY,
        width=1.95,
        height=1.15,
        size=10,
    )
    ax.plot([1.1, 1.1], [1.92, 2.13], color=QUERY, linewidth=1.4)
    words = "queries and keys: (warm, sweet, cheap)     values: (cloth, sugar, paper)"
    ax.text(10.3, 0.3, words, fontsize=9, color="#555555", va="center", ha="right")
    best_fits = [name for name, score in zip(WINDOWS, scores) if score == best]
    ax.set_title(f"The shopper's wish meets every window at once; the best fit: {joined(best_fits)}", fontsize=12)
    keys = "; ".join(f"{name} {key}" for name, key in WINDOWS.items())
    goods = "; ".join(f"{name} {value}" for name, value in GOODS.items())
    alt = (
        f"A shopper with the query {WISHES[wish]}, “{wish}”, before four shop windows. Their keys: {keys}. Their "
        f"goods, the values: {goods}. The scores: "
        f"{named(WINDOWS, scores)}. An arrow leads to each shop, "
        f"the wider the higher its score. Marked as the best fit: {joined(best_fits)}."
    )
    return describe(drawn, alt)
