"""What heads are for: two questions, a story told by three, filters, one head of a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import COLOURS, SEQUENTIAL, describe, figure, grid, heatmap
from ..wording import distinct, joined, named
from .example import DOG, FAVOURITES, example_weights, small_map, softmax
from .shapes import LIGHT, arrow, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DRANK = ("the", "cat", "drank", "milk", "because", "it", "was", "thirsty")
_KINDS = {"cat": 0, "milk": 1, "thirsty": 2, "drank": 3}  # animal, food, state, deed
# What each word looks for: in head 0 who it is about, in head 1 what is told of it.
_WHO = {"the": 0, "cat": 0, "drank": 0, "milk": 1, "because": 3, "it": 0, "was": 0, "thirsty": 0}
_WHAT = {"the": 1, "cat": 3, "drank": 1, "milk": 3, "because": 2, "it": 2, "was": 2, "thirsty": 1}


def _drank() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (n, n) of two heads of width 4 and of one head of width 8, from the same queries and keys."""
    keys, who, what = (np.zeros((len(DRANK), 4)) for _ in range(3))
    for i, word in enumerate(DRANK):
        if word in _KINDS:
            keys[i, _KINDS[word]] = 3.2
        who[i, _WHO[word]] = what[i, _WHAT[word]] = 3.2
    both, twice = np.hstack([who, what]), np.hstack([keys, keys])
    return softmax(who @ keys.T / 2), softmax(what @ keys.T / 2), softmax(both @ twice.T / np.sqrt(8))


@figure
def two_heads() -> Figure:
    """One sentence seen by two heads and by one head of their joint width."""
    drawn, axes = grid(1, 3, width=3.2, height=3.4)
    titles = (
        "head 0: who is it about?\n“it” looks at “cat”",
        "head 1: what is told of it?\n“it” looks at “thirsty”",
        "one head of double width:\n“it” has to share itself out",
    )
    for ax, weights, title in zip(axes[0], _drank(), titles):
        heatmap(
            weights, DRANK, DRANK, title, ax, row_label="queries", column_label="keys", numbers=False, limits=(0, 1)
        )
        row = DRANK.index("it")
        ax.add_patch(_frame(row, len(DRANK)))
    drawn.colorbar(axes[0, 2].images[0], ax=axes[0, 2], shrink=0.8, label="weight")
    row = DRANK.index("it")
    told = "; ".join(
        f"{name}: {named(DRANK, np.round(weights[row], 2))}"
        for name, weights in zip(("head 0", "head 1", "one head of double width"), _drank())
    )
    alt = f"Three attention maps, made by hand, of “{' '.join(DRANK)}”, the row of “it” framed. Its weights in {told}."
    return describe(drawn, alt)


def _frame(row: int, columns: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((-0.5, row - 0.5), columns, 1, fill=False, edgecolor=COLOURS[5], linewidth=2.5)


@figure
def story() -> Figure:
    """Children with favourite toys: each looks at its own, and together they tell one story."""
    from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

    drawn, ax = canvas(22, 13.5, 0.42, "Each child watches what it likes best. The stories side by side make one")
    toys = ("bear", "ball", "train", "doll", "drum")
    favourites = {
        "Ann": (0.7, 0.05, 0.05, 0.15, 0.05),
        "Ben": (0.05, 0.1, 0.75, 0.05, 0.05),
        "Cem": (0.05, 0.4, 0.05, 0.05, 0.45),
    }
    for j, toy in enumerate(toys):
        x = 3 + 4 * j
        ax.add_patch(
            FancyBboxPatch((x - 1.3, 0.5), 2.6, 1.2, boxstyle="round,pad=0.1", facecolor="#eeeeee", edgecolor="#888888")
        )
        ax.text(x, 1.1, toy, ha="center", va="center", fontsize=11)
    ax.text(0.0, 1.1, "tokens", va="center", fontsize=9, color="#555555")
    for i, (name, weights) in enumerate(favourites.items()):
        x = 5 + 6 * i
        for j, weight in enumerate(weights):
            ax.plot(
                [x, 3 + 4 * j], [5.7, 1.85], color=COLOURS[i], linewidth=9 * weight, alpha=0.75, solid_capstyle="round"
            )
        ax.add_patch(Circle((x, 6.3), 0.75, facecolor=LIGHT[i], edgecolor=COLOURS[i], linewidth=2))
        ax.text(x, 6.3, name, ha="center", va="center", fontsize=10)
        ax.text(x + 0.9, 6.35, f"head {i}", va="center", fontsize=9, color="#555555")
        arrow(ax, (x, 7.1), (8.5 + 2.5 * i, 8.85))
        ax.add_patch(Rectangle((7.25 + 2.5 * i, 8.95), 2.5, 1.1, facecolor=LIGHT[i], edgecolor="white"))
        ax.text(8.5 + 2.5 * i, 9.5, f"{name}’s part", ha="center", va="center", fontsize=9)
    ax.text(6.9, 9.5, "side by side", ha="right", va="center", fontsize=9, color="#555555")
    arrow(ax, (11, 10.15), (11, 11.55))
    ax.text(11.35, 10.85, "W_o: one teller who has heard all of them", va="center", fontsize=9, color="#555555")
    ax.add_patch(Rectangle((7.25, 11.65), 7.5, 1.1, facecolor="#dddddd", edgecolor="#888888"))
    ax.text(11, 12.2, "one story", ha="center", va="center", fontsize=11)
    told = "; ".join(f"{name}: {named(toys, weights)}" for name, weights in favourites.items())
    alt = (
        f"The toys {joined(toys)} in a row. Lines run from them to three children, one head each, the thicker the more "
        f"a child watches a toy. {told}. Their three parts lie side by side below, and an arrow called W_o leads to "
        "one story."
    )
    return describe(drawn, alt)


@figure
def bridge() -> Figure:
    """200 dimensions as two teams of 100, a bridge built from both ends; 512 as eight of 64."""
    from matplotlib.patches import Rectangle

    drawn, ax = canvas(24, 12.5, 0.4, "Two teams of 100 build one bridge of 200")
    x = np.linspace(0, 1, 60)
    for team, (left, towards) in enumerate(((2, 1), (22, -1))):
        ax.add_patch(Rectangle((0 if team == 0 else 22, 3.2), 2, 3, facecolor="#bdbdbd"))
        ax.plot(left + towards * 10 * x, 3.2 - 1.7 * (1 - (1 - x) ** 2), color=COLOURS[team], linewidth=4)
        for post in np.linspace(0.1, 0.9, 5):
            ax.plot(
                [left + towards * 10 * post] * 2,
                [3.2, 3.2 - 1.7 * (1 - (1 - post) ** 2)],
                color=COLOURS[team],
                linewidth=1.2,
            )
        ax.text(
            left + towards * 4.4,
            3.5,
            f"team {team}: columns {100 * team} to {100 * team + 99},\nits own scores, its own softmax",
            ha="center",
            va="top",
            fontsize=9.5,
        )
    ax.plot([2, 22], [3.2, 3.2], color="#333333", linewidth=3)
    ax.plot([12], [1.5], "o", color="#333333", markersize=9)
    ax.text(12, 1.0, "they meet: concatenated (n, 200)", ha="center", va="bottom", fontsize=9.5)
    ax.text(12, 3.5, "the road over both:\nW_o (200, 200)", ha="center", va="top", fontsize=9.5)
    ax.text(12, 7.5, "The same with 512 dimensions: eight teams of 64", ha="center", va="bottom", fontsize=11)
    for i in range(8):
        ax.add_patch(Rectangle((2 + 2.5 * i, 7.8), 2.5, 1.2, facecolor=LIGHT[i], edgecolor="white"))
        ax.text(3.25 + 2.5 * i, 8.4, f"{64 * i}–{64 * i + 63}", ha="center", va="center", fontsize=9)
    arrow(ax, (12, 9.1), (12, 10.3))
    ax.text(12.3, 9.7, "W_o (512, 512)", va="center", fontsize=9.5)
    ax.add_patch(Rectangle((2, 10.4), 20, 1.2, facecolor="#dddddd"))
    ax.text(
        12, 11, "512 columns again, every one of them made from all eight heads", ha="center", va="center", fontsize=9.5
    )
    alt = (
        "A bridge whose left half is built by team 0 from columns 0 to 99 and whose right half by team 1 from columns "
        "100 to 199, each with scores and a softmax of its own. They meet in the middle, concatenated, (n, 200); the "
        "road over both is W_o, (200, 200). Below, 512 columns in eight coloured pieces of 64, and W_o, (512, 512), "
        "that makes each of 512 columns of all of them."
    )
    return describe(drawn, alt)


@figure
def one_head(weights: np.ndarray, tokens: Sequence[str], head: int, title: str = "") -> Figure:
    """One head of a layer: its map, and the same as lines from each word to those it looks at.

    Args:
        weights: (h, n, n).
        tokens: n words.
        head: which one.
        title: what to see; by default the head's number.
    """
    n = len(tokens)
    drawn, axes = grid(1, 2, width=4.4, height=4.2)
    left, right = axes[0]
    heatmap(
        weights[head],
        tokens,
        tokens,
        title or f"head {head} (they are numbered 0 to {len(weights) - 1})",
        left,
        row_label="queries",
        column_label="keys",
        numbers=False,
        limits=(0, 1),
    )
    drawn.colorbar(left.images[0], ax=left, shrink=0.8, label="weight")
    for i in range(n):
        for j in range(n):
            if weights[head][i, j] > 0.02:
                right.plot(
                    [0, 1],
                    [i, j],
                    color=COLOURS[head % 7],
                    linewidth=5 * weights[head][i, j],
                    alpha=0.8,
                    solid_capstyle="round",
                )
        right.text(-0.06, i, tokens[i], ha="right", va="center", fontsize=10)
        right.text(1.06, i, tokens[i], ha="left", va="center", fontsize=10)
    right.set_xlim(-0.45, 1.45)
    right.set_ylim(n - 0.4, -0.9)
    right.axis("off")
    right.set_title("who looks (left) at whom (right); thick is much", fontsize=10)
    # The reader is to guess what the head looks for: here is where each word looks, and not what that has in common.
    once = distinct(tokens)
    most = "; ".join(
        f"{token} at {once[place]} {row[place]:.2f}"
        for token, row in zip(once, weights[head])
        for place in [int(np.argmax(row))]
    )
    alt = (
        f"Head {head} (they are numbered 0 to {len(weights) - 1}) as a map, and as lines from each word to those it "
        f"looks at. In order, each word looks most: {most}."
    )
    return describe(drawn, alt)


@figure
def filters() -> Figure:
    """Filters of a convolution on an image, and heads on a sentence: one input, several maps."""
    image = np.zeros((9, 9))
    image[1, 1:8] = image[2, 1:8] = 1
    for step in range(6):
        image[2 + step, 6 - step // 2 - 1 : 6 - step // 2 + 1] = 1
    kernels = {
        "horizontal lines": [[1, 1, 1], [0, 0, 0], [-1, -1, -1]],
        "vertical lines": [[1, 0, -1]] * 3,
        "everything blurred": np.full((3, 3), 1 / 3),
    }
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, 1), (3, 3))
    weights = example_weights()
    drawn, axes = grid(2, 4, width=2.4, height=2.6)
    axes[0, 0].imshow(image, cmap=SEQUENTIAL)
    axes[0, 0].set_title("one image", fontsize=10)
    for ax, (name, kernel) in zip(axes[0, 1:], kernels.items()):
        ax.imshow(np.abs((windows * np.array(kernel)).sum(axis=(-1, -2))), cmap=SEQUENTIAL)
        ax.set_title(f"a filter for\n{name}", fontsize=10)
    axes[1, 0].set_title("one sentence", fontsize=10)
    for row, token in enumerate(DOG):
        axes[1, 0].text(
            0.5,
            1 - (row + 0.5) / len(DOG),
            token,
            ha="center",
            va="center",
            fontsize=10,
            transform=axes[1, 0].transAxes,
        )
    for ax, head in zip(axes[1, 1:], (0, 5, 7)):
        small_map(ax, weights[head], f"a head for\n{FAVOURITES[head]}")
    drawn.colorbar(axes[1, 3].images[0], ax=axes[1, 3], shrink=0.8, label="weight")
    for ax in (*axes[0], axes[1, 0]):
        ax.set_xticks([])
        ax.set_yticks([])
    drawn.suptitle("Filters look for different things in one image; heads do so in one sentence", fontsize=11)
    sought = joined([*kernels])
    heads = "; ".join(f"one for {FAVOURITES[head]}" for head in (0, 5, 7))
    alt = (
        f"Above, an image of the digit 7 and what three filters make of it, for {sought}. Below, the "
        f"sentence “{' '.join(DOG)}” and the maps of three heads: {heads}."
    )
    return describe(drawn, alt)
