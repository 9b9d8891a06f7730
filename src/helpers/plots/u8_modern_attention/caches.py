"""What is kept of a text: the scores that a cache saves, heads that share, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import COLOURS, describe, figure, grid
from ..phrases import counted
from .shapes import BLUE, GREEN, GREY, ORANGE, PALE, draw_box

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def recomputed(tokens: Sequence[str]) -> Figure:
    """The scores computed for the last of some tokens, without a cache and with one."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    n = len(tokens)
    seen = np.tril(np.ones((n, n)))
    without, cached = seen.copy(), np.zeros((n, n))
    without[-1], cached[-1] = 2, 2
    drawn, axes = grid(1, 2, width=3.9, height=3.9)
    colours = ListedColormap(["#ffffff", PALE, BLUE])
    for ax, cells, title in zip(
        axes[0], (without, cached), ("Without a cache: the grey scores\nare computed again", "With a cache: one row")
    ):
        ax.imshow(cells, cmap=colours, vmin=0, vmax=2)
        ax.set_xticks(range(n), tokens, rotation=45)
        ax.set_yticks(range(n), tokens)
        ax.set_xticks(np.arange(-0.5, n), minor=True)
        ax.set_yticks(np.arange(-0.5, n), minor=True)
        ax.grid(which="minor", color=PALE, linewidth=0.6)
        ax.tick_params(which="minor", length=0)
        ax.set_xlabel("key")
        ax.set_title(title, fontsize=10)
    axes[0, 0].set_ylabel("query")
    drawn.legend(
        handles=[Patch(facecolor=BLUE, label="new"), Patch(facecolor=PALE, label="known since the token before")],
        loc="outside lower center",
        ncols=2,
        fontsize=9,
    )
    return describe(
        drawn,
        f"Scores of '{' '.join(tokens)}' as two lower triangles of {n} by {n}. Without a cache the last row, for the "
        f"newest token, is new, and the {n * (n - 1) // 2} scores above it are computed again. With a cache only the "
        f"{n} scores of the last row are computed.",
    )


@figure
def generation(without: Sequence[float], cached: Sequence[float], window: int = 16) -> Figure:
    """Milliseconds for each new token and seconds in all, without and with the cache."""
    drawn, axes = grid(1, 2, width=4.3, height=3.3)
    for seconds, name, colour, line in (
        (without, "without a cache", ORANGE, "-"),
        (cached, "with a cache", BLUE, "--"),
    ):
        n = len(seconds) // window * window
        middle = np.arange(n).reshape(-1, window).mean(axis=1)
        # The shortest of a few neighbours: other programs on the machine disturb single steps.
        axes[0, 0].plot(
            middle, 1000 * np.min(np.reshape(seconds[:n], (-1, window)), axis=1), line, color=colour, label=name
        )
        axes[0, 1].plot(np.cumsum(seconds), line, color=colour, label=name)
    axes[0, 0].set_title("Time for one more token", fontsize=10)
    axes[0, 0].set_ylabel("milliseconds")
    axes[0, 1].set_title("Time for the text so far", fontsize=10)
    axes[0, 1].set_ylabel("seconds")
    for ax in axes[0]:
        ax.set_xlabel("tokens so far")
        ax.set_ylim(bottom=0)
        ax.legend(fontsize=8)
    first, last = (
        [1000 * float(np.min(one[part])) for one in (without, cached)] for part in (slice(window), slice(-window, None))
    )
    return describe(
        drawn,
        f"Left, time for one more token, up to {len(without)} tokens: without a cache from {first[0]:.2g} to "
        f"{last[0]:.2g} milliseconds, with a cache from {first[1]:.2g} to {last[1]:.2g}. Right, time in all: "
        f"{sum(without):.1f} seconds without, {sum(cached):.2f} with the cache.",
    )


@figure
def sharing(heads: int = 8, shared: Sequence[int] = (8, 2, 1)) -> Figure:
    """Query heads above, heads of keys and values below, and who uses whose."""
    drawn, axes = grid(1, len(shared), width=3.5, height=2.5)
    names = {heads: "multi-head attention", 1: "multi-query attention"}
    for ax, count in zip(axes[0], shared):
        for i in range(heads):
            group = i // (heads // count)
            colour = _of_group(group, count, heads)
            below = (group + 0.5) * heads / count
            ax.plot([i + 0.5, below], [1.0, 0.28], color=colour, linewidth=1.2)
            draw_box(ax, i + 0.5, 1.12, 0.8, 0.26, str(i), colour, 8)
        for group in range(count):
            colour = _of_group(group, count, heads)
            draw_box(ax, (group + 0.5) * heads / count, 0.14, 0.8, 0.26, str(group), colour, 8)
        ax.set_title(
            f"{names.get(count, 'grouped-query attention')}\n{count} head{'s' if count > 1 else ''} of keys and values",
            fontsize=10,
        )
        ax.set_xlim(0, heads)
        ax.set_ylim(-0.05, 1.35)
        ax.set_xticks([])
        ax.set_yticks([0.14, 1.12], ["K, V", "Q"] if ax is axes[0, 0] else ["", ""])
        ax.tick_params(length=0)
        for side in ax.spines.values():
            side.set_visible(False)
    told = "; ".join(
        f"{counted(count, 'head')} of keys and values, {heads // count} query head{'s' * (heads > count)} to each"
        for count in shared
    )
    return describe(
        drawn, f"{counted(len(shared), 'diagram')} of {counted(heads, 'query head')}, from the left: {told}."
    )


def _of_group(group: int, count: int, heads: int) -> str:
    """The colour of a group of heads that share; grey where each has one to itself."""
    return GREY if count == heads else COLOURS[group % 4]


@figure
def cache_sizes(lengths: Sequence[int], gigabytes: Mapping[int, Sequence[float]], weights: float) -> Figure:
    """Size of the cache as the text grows, for several numbers of shared heads, against the weights of the model."""
    drawn, axes = grid(1, 1, width=7.0, height=3.5)
    ax = axes[0, 0]
    for (heads, sizes), colour, line in zip(gigabytes.items(), (ORANGE, BLUE, GREEN), ("-", "--", ":")):
        ax.plot(lengths, sizes, line, color=colour, marker="o", markersize=4, linewidth=2)
        ax.annotate(
            f"  {heads} head{'s' if heads > 1 else ''}: {sizes[-1]:.2g} GiB",
            (lengths[-1], sizes[-1]),
            va="center",
            fontsize=9,
            color=colour,
        )
    ax.axhline(weights, color=GREY, linewidth=1)
    ax.text(
        lengths[-1] * 0.015,
        weights * 1.03,
        f"the weights of the whole model: {weights:.0f} GiB",
        fontsize=8,
        color=GREY,
        va="bottom",
    )
    ax.set_xlim(0, lengths[-1] * 1.3)
    ax.set_ylim(bottom=-0.4)
    ax.set_xlabel("tokens in the cache")
    ax.set_ylabel("GiB for one text")
    ax.set_xticks(lengths[1:], [f"{n:,}" for n in lengths[1:]])
    ax.set_title("Fewer heads of keys and values, a smaller cache", fontsize=10)
    told = ", ".join(f"{sizes[-1]:.2g} GiB with {counted(heads, 'head')}" for heads, sizes in gigabytes.items())
    return describe(
        drawn,
        f"Size of the cache against its tokens, a line for each number of heads of keys and values. At {lengths[-1]:,} "
        f"tokens: {told}. The weights of the whole model, {weights:.0f} GiB, are a horizontal line.",
    )
