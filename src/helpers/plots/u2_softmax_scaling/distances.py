"""What lies far away in a sentence: reached in one step, or cut off by a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core import SEQUENTIAL, describe, figure, grid, heatmap
from ..wording import named, numbers
from .shares import BLUE, ORANGE, PINK

if TYPE_CHECKING:
    from matplotlib.figure import Figure


LONG_SENTENCE = ("the", "burger", "that", "we", "bought", "at", "the", "old", "station", "was", "good")
# Scores by hand: what each word of LONG_SENTENCE looks for, {query: {key: score}}; every other pair has 0.
_WANTED: dict[int, dict[int, float]] = {
    0: {1: 2}, 1: {0: 1, 2: 1.5, 10: 2}, 2: {1: 2.5}, 3: {4: 2}, 4: {1: 2.5, 3: 2}, 5: {4: 1.5, 8: 2}, 6: {8: 2},
    7: {8: 2}, 8: {7: 1.5, 5: 1.5, 4: 1.5}, 9: {1: 3.2, 10: 1.5}, 10: {9: 2, 1: 2.5},
}  # fmt: skip


def _long_scores() -> np.ndarray:
    scores = np.zeros((len(LONG_SENTENCE), len(LONG_SENTENCE)))
    for query, wanted in _WANTED.items():
        for key, score in wanted.items():
            scores[query, key] = score
    return scores


@figure
def reach() -> Figure:
    """From one word to all others in one step; and how many steps other ways of reading need."""
    from matplotlib.patches import FancyArrowPatch

    asking = 9
    scores = _long_scores()[asking]
    weights = np.exp(scores) / np.exp(scores).sum()
    drawn, axes = grid(2, 1, width=8.6, height=2.8, height_ratios=[1.15, 1])
    ax, below = axes[:, 0]
    n = len(LONG_SENTENCE)
    for place, weight in enumerate(weights):
        if place != asking:
            bend = 0.5 if place < asking else -0.5
            look = {"arrowstyle": "-", "color": BLUE, "linewidth": 0.8 + 12 * weight, "alpha": 0.75}
            ax.add_patch(FancyArrowPatch((place, 0.12), (asking, 0.12), connectionstyle=f"arc3,rad={-bend}", **look))
        ax.text(place, -0.42, f"{weight:.2g}", ha="center", va="center", fontsize=9, color=BLUE)
    for place, word in enumerate(LONG_SENTENCE):
        ax.text(
            place,
            -0.08,
            word,
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold" if place == asking else "normal",
        )
    ax.set_xlim(-0.7, n - 0.3)
    ax.set_ylim(-0.6, 2.5)
    ax.axis("off")
    ax.set_title(
        f"Scores set by hand, as a trained model might have them: “was” gives {weights[1]:.2f} of its attention to\n"
        "“burger”, eight words back, as directly as to its neighbour",
        fontsize=10,
    )
    distance = np.arange(1, 41)
    below.plot(distance, distance, color=ORANGE, label="word by word (recurrent network)")
    below.plot(
        distance,
        np.ceil(distance / 2),
        color=PINK,
        linestyle="--",
        label="two neighbours to each side in a layer (convolution)",
    )
    below.plot(distance, np.ones_like(distance), color=BLUE, linewidth=2.5, label="attention")
    below.set_xlabel("distance between the two words")
    below.set_ylabel("steps on the way")
    below.set_ylim(0, 42)
    below.set_xlim(0, 41)
    below.legend(frameon=False, fontsize=9)
    below.spines[["top", "right"]].set_visible(False)
    below.set_title("With attention, every word is one step away, however far", fontsize=10)
    others = [place for place in range(n) if place != asking]
    steps = {
        "word by word": distance,
        "with a convolution": np.ceil(distance / 2),
        "with attention": np.ones_like(distance),
    }
    told = ", ".join(f"{way} {numbers(count[-1])}" for way, count in steps.items())
    alt = (
        f"Above, the sentence “{' '.join(LONG_SENTENCE)}”. Arcs run from “was” to all other words, the wider the "
        f"heavier. Weights in order: {named([LONG_SENTENCE[i] for i in others], weights[others])}. Below, steps "
        f"between two words against their distance; at distance {distance[-1]}: {told}."
    )
    return describe(drawn, alt)


@figure
def windows() -> Figure:
    """Which keys each query sees: windows of several widths, and more queries than keys."""
    drawn, axes = grid(1, 4, width=2.35, height=2.8)
    last = "3 keys,\nthe last two queries see none"
    cases = (
        (6, 6, 0, "\nitself alone"),
        (6, 6, 1, "\none neighbour to each side"),
        (6, 6, 3, "\nthree to each side"),
        (6, 3, 1, last),
    )
    for ax, (n_q, n_k, window, told) in zip(axes[0], cases):
        seen = np.array([[abs(i - j) <= window for j in range(n_k)] for i in range(n_q)])
        ax.imshow(seen, cmap=SEQUENTIAL, vmin=-0.4, vmax=1.2, aspect="auto")
        for (i, j), near in np.ndenumerate(seen):
            ax.text(
                j,
                i,
                abs(i - j),
                ha="center",
                va="center",
                fontsize=9,
                color="black" if near else "#dddddd",
                fontweight="bold" if near else "normal",
            )
        ax.set_xticks(range(n_k))
        ax.set_yticks(range(n_q))
        ax.set_xlabel("key j")
        ax.set_title(f"window = {window}: {told}", fontsize=10)
    axes[0, 0].set_ylabel("query i")
    drawn.suptitle("The distance |i − j| of every pair; bright where it is within the window", fontsize=11)
    tables = []
    for n_q, n_k, window, _ in cases:
        counts = [sum(abs(i - j) <= window for j in range(n_k)) for i in range(n_q)]
        tables.append(f"{n_q} queries, {n_k} keys, window {window}: in order, the queries see {numbers(counts)} keys")
    alt = "Four tables of the distance |i − j|, a row for each query i, those within the window bright."
    return describe(drawn, f"{alt} {'; '.join(tables)}.")


@figure
def near_and_far() -> Figure:
    """The long sentence with a window and without: a neighbourhood cannot reach what lies far."""
    from matplotlib.patches import Rectangle

    scores = _long_scores()
    n = len(LONG_SENTENCE)
    distance = np.abs(np.arange(n)[:, None] - np.arange(n)[None, :])
    drawn, axes = grid(1, 2, width=4.6, height=4.2)
    far = []
    for ax, window in zip(axes[0], (1, n)):
        raised = np.exp(scores) * (distance <= window)
        weights = raised / raised.sum(axis=-1, keepdims=True)
        far.append(weights[9, 1])
        told = f"“was” gives “burger” {weights[9, 1]:.2f}"
        title = (
            f"window = 1: only neighbours have weight;\n{told}"
            if window == 1
            else f"no window: the far context has weight too;\n{told}"
        )
        heatmap(
            weights,
            rows=LONG_SENTENCE,
            columns=LONG_SENTENCE,
            title=title,
            ax=ax,
            limits=(0, 1),
            numbers=False,
            row_label="queries",
            column_label="keys",
        )
        ax.add_patch(Rectangle((0.5, 8.5), 1, 1, fill=False, edgecolor="#D55E00", linewidth=2.4, zorder=5))
    drawn.colorbar(axes[0, 1].images[0], ax=axes[0, 1], shrink=0.8, label="weight")
    drawn.suptitle("The same scores, set by hand, with and without a window", fontsize=11)
    alt = (
        f"The sentence “{' '.join(LONG_SENTENCE)}”, twice as a table of weights from scores set by hand. Left, window "
        f"1: weights stand on the diagonal and next to it only, and “was” gives burger {far[0]:.2f}. "
        f"Right, without a window: “was” gives "
        f"burger {far[1]:.2f}."
    )
    return describe(drawn, alt)
