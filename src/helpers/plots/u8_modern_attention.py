"""Figures of unit 8: the block then and now, norms, turning pairs, caches, shared heads, blocks of keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .core import COLOURS, figure, grid, heatmap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREEN, _PINK, _SKY, _VERMILION = COLOURS[:6]
_GREY = "#6b7280"
_PALE = "#d1d5db"


def _box(ax: Axes, x: float, y: float, width: float, height: float, text: str, colour: str, size: float = 9) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - width / 2, y - height / 2)
    ax.add_patch(
        FancyBboxPatch(
            corner,
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.1",
            facecolor=colour + "26",
            edgecolor=colour,
            linewidth=1.5,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=size)


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = _GREY, bend: float = 0.0
) -> None:
    style = {
        "arrowstyle": "-|>",
        "color": colour,
        "linewidth": 1.3,
        "shrinkA": 0,
        "shrinkB": 0,
        "connectionstyle": f"arc3,rad={bend}",
    }
    ax.annotate("", xy=end, xytext=start, arrowprops=style)


@figure
def then_and_now() -> Figure:
    """The attention half of a block in 2017 and today; a replaced piece and its replacement share a colour."""
    drawn, axes = grid(1, 2, width=4.4, height=5.2)
    then = [
        ("tokens", _GREY),
        ("+ sines and cosines", _ORANGE),
        ("Q, K, V: as many heads each", _GREEN),
        ("read the whole text again\nfor every new token", _PINK),
        ("softmax over the whole row:\nn × n scores at one time", _SKY),
        ("concatenate heads, W_o", _GREY),
        ("+ what came in", _GREY),
        ("layer norm", _BLUE),
    ]
    now = [
        ("tokens", _GREY),
        ("RMS norm", _BLUE),
        ("Q: many heads;  K, V: few", _GREEN),
        ("turn the pairs of Q and K", _ORANGE),
        ("new k, v join the cache", _PINK),
        ("online softmax: scores\nof one block at one time", _SKY),
        ("concatenate heads, W_o", _GREY),
        ("+ what came in", _GREY),
    ]
    for ax, title, rows in zip(axes[0], ("2017", "Today"), (then, now)):
        ax.set_xlim(0, 4.4)
        ax.set_ylim(-0.1, 8.1)
        ax.axis("off")
        ax.set_title(title, fontsize=12)
        for row, (text, colour) in enumerate(rows):
            y = 0.5 + row
            _box(ax, 2.0, y, 3.1, 0.66, text, colour)
            if row:
                _arrow(ax, (2.0, y - 0.66), (2.0, y - 0.34))
        start, end = (1.5, 6.5) if title == "2017" else (0.5, 7.5)
        ax.plot([3.55, 3.95, 3.95], [start, start, end], color=_GREY, linewidth=1.3)
        _arrow(ax, (3.95, end), (3.57, end))
    return drawn


@figure
def norm_clouds() -> Figure:
    """Tokens of width 2, far from the origin, before and after layer norm and RMS norm."""
    rng = np.random.default_rng(4)
    tokens = rng.normal(size=(60, 2)) * [1.1, 0.9] + [1.6, 0.6]
    centred = tokens - tokens.mean(axis=1, keepdims=True)
    layer = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True))
    root = tokens / np.sqrt((tokens**2).mean(axis=1, keepdims=True))
    drawn, axes = grid(1, 3, width=3.4, height=3.5)
    hue = np.arctan2(tokens[:, 1], tokens[:, 0])
    titles = ("60 tokens of width 2", "Layer norm: only two places left", "RMS norm: length goes, direction stays")
    for ax, points, title in zip(axes[0], (tokens, layer, root), titles):
        ax.axhline(0, color=_PALE, linewidth=0.8)
        ax.axvline(0, color=_PALE, linewidth=0.8)
        ax.scatter(points[:, 0], points[:, 1], c=hue, cmap="cividis", s=22, zorder=3, clip_on=False)
        ax.set_xlim(-2.2, 4.4) if points is tokens else ax.set_xlim(-1.9, 1.9)
        ax.set_ylim(-2.6, 4.0) if points is tokens else ax.set_ylim(-1.9, 1.9)
        ax.set_aspect("equal")
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("feature 0")
    axes[0, 0].set_ylabel("feature 1")
    return drawn


@figure
def norm_times(milliseconds: Mapping[str, float]) -> Figure:
    """One bar for each norm."""
    drawn, axes = grid(1, 1, width=6.2, height=1.9)
    ax = axes[0, 0]
    for row, value in enumerate(milliseconds.values()):
        ax.barh(row, value, color=(_GREY, _BLUE)[row % 2], height=0.6)
        ax.text(value, row, f" {value:.1f} ms", va="center", fontsize=9)
    ax.set_yticks(range(len(milliseconds)), list(milliseconds))
    ax.invert_yaxis()
    ax.set_xlim(0, max(milliseconds.values()) * 1.2)
    ax.set_xlabel("milliseconds for 2,048 tokens of width 1,024")
    quickest = min(milliseconds, key=milliseconds.__getitem__)
    ax.set_title(f"On this machine, just now, {quickest} is quicker", fontsize=10)
    return drawn


@figure
def turning(position: int = 3, width: int = 8) -> Figure:
    """Where the hand of every pair points at a position, and the way it came from position 0."""
    pairs = width // 2
    drawn, axes = grid(1, pairs, width=2.3, height=2.6)
    for i, ax in enumerate(axes[0]):
        speed = 10000 ** (-2 * i / width)
        turn = np.linspace(0, position * speed, 400)
        ax.plot(np.cos(np.linspace(0, 2 * np.pi, 200)), np.sin(np.linspace(0, 2 * np.pi, 200)), color=_PALE)
        spiral = 0.30 + 0.012 * turn
        ax.plot(spiral * np.cos(turn), spiral * np.sin(turn), color=_ORANGE, linewidth=1.6)
        _arrow(ax, (0, 0), (1, 0), _PALE)
        _arrow(ax, (0, 0), (float(np.cos(turn[-1])), float(np.sin(turn[-1]))), _BLUE)
        ax.set_title(f"features {2 * i} and {2 * i + 1}\n{speed:g} radian{'s' * (speed < 1)} a token", fontsize=9)
        ax.set_xlim(-1.15, 1.15)
        ax.set_ylim(-1.15, 1.15)
        ax.set_aspect("equal")
        ax.axis("off")
    drawn.suptitle(f"Position {position}: early pairs have turned far, late pairs hardly", fontsize=10)
    return drawn


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
    return drawn


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
    return drawn


@figure
def scores_by_offset(offsets: Sequence[int], curves: Mapping[int, Sequence[float]]) -> Figure:
    """Score against the offset between query and key, one curve for each position of the key: they lie on each other."""
    drawn, axes = grid(1, 1, width=6.8, height=3.1)
    ax = axes[0, 0]
    styles = (("-", 7, _SKY), ("-", 3.5, _ORANGE), ("--", 1.5, COLOURS[7]))
    for (start, scores), (line, width, colour) in zip(curves.items(), styles):
        ax.plot(offsets, scores, line, linewidth=width, color=colour, label=f"key at position {start:,}")
    ax.set_xlabel("offset: position of the query minus position of the key")
    ax.set_ylabel("score")
    ax.set_title("Three places in the text, one curve: the offset alone counts", fontsize=10)
    ax.legend(fontsize=8)
    return drawn


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
    colours = ListedColormap(["#ffffff", _PALE, _BLUE])
    for ax, cells, title in zip(
        axes[0], (without, cached), ("Without a cache: the grey scores\nare computed again", "With a cache: one row")
    ):
        ax.imshow(cells, cmap=colours, vmin=0, vmax=2)
        ax.set_xticks(range(n), tokens, rotation=45)
        ax.set_yticks(range(n), tokens)
        ax.set_xticks(np.arange(-0.5, n), minor=True)
        ax.set_yticks(np.arange(-0.5, n), minor=True)
        ax.grid(which="minor", color=_PALE, linewidth=0.6)
        ax.tick_params(which="minor", length=0)
        ax.set_xlabel("key")
        ax.set_title(title, fontsize=10)
    axes[0, 0].set_ylabel("query")
    drawn.legend(
        handles=[Patch(facecolor=_BLUE, label="new"), Patch(facecolor=_PALE, label="known since the token before")],
        loc="outside lower center",
        ncols=2,
        fontsize=9,
    )
    return drawn


@figure
def generation(without: Sequence[float], cached: Sequence[float], window: int = 16) -> Figure:
    """Milliseconds for each new token and seconds in all, without and with the cache."""
    drawn, axes = grid(1, 2, width=4.3, height=3.3)
    for seconds, name, colour, line in (
        (without, "without a cache", _ORANGE, "-"),
        (cached, "with a cache", _BLUE, "--"),
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
    return drawn


@figure
def sharing(heads: int = 8, shared: Sequence[int] = (8, 2, 1)) -> Figure:
    """Query heads above, heads of keys and values below, and who uses whose."""
    drawn, axes = grid(1, len(shared), width=3.5, height=2.5)
    names = {heads: "multi-head attention", 1: "multi-query attention"}
    for ax, count in zip(axes[0], shared):
        for i in range(heads):
            group = i // (heads // count)
            colour = COLOURS[group % 4] if count > 1 else COLOURS[0]
            below = (group + 0.5) * heads / count
            ax.plot([i + 0.5, below], [1.0, 0.28], color=colour, linewidth=1.2)
            _box(ax, i + 0.5, 1.12, 0.8, 0.26, str(i), colour, 8)
        for group in range(count):
            colour = COLOURS[group % 4] if count > 1 else COLOURS[0]
            _box(ax, (group + 0.5) * heads / count, 0.14, 0.8, 0.26, str(group), colour, 8)
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
    return drawn


@figure
def cache_sizes(lengths: Sequence[int], gigabytes: Mapping[int, Sequence[float]], weights: float) -> Figure:
    """Size of the cache as the text grows, for several numbers of shared heads, against the weights of the model."""
    drawn, axes = grid(1, 1, width=7.0, height=3.5)
    ax = axes[0, 0]
    for (heads, sizes), colour, line in zip(gigabytes.items(), (_ORANGE, _BLUE, _GREEN), ("-", "--", ":")):
        ax.plot(lengths, sizes, line, color=colour, marker="o", markersize=4, linewidth=2)
        ax.annotate(
            f"  {heads} head{'s' if heads > 1 else ''}: {sizes[-1]:.2g} GiB",
            (lengths[-1], sizes[-1]),
            va="center",
            fontsize=9,
            color=colour,
        )
    ax.axhline(weights, color=_GREY, linewidth=1)
    ax.text(
        lengths[-1] * 0.015,
        weights * 1.03,
        f"the weights of the whole model: {weights:.0f} GiB",
        fontsize=8,
        color=_GREY,
        va="bottom",
    )
    ax.set_xlim(0, lengths[-1] * 1.3)
    ax.set_ylim(bottom=-0.4)
    ax.set_xlabel("tokens in the cache")
    ax.set_ylabel("GiB for one text")
    ax.set_xticks(lengths[1:], [f"{n:,}" for n in lengths[1:]])
    ax.set_title("Fewer heads of keys and values, a smaller cache", fontsize=10)
    return drawn


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
        colour = _BLUE if j < 2 else _ORANGE
        _box(ax, x, 2.5, 0.9, 0.5, scores[j], colour)
        _box(ax, x, 1.8, 0.9, 0.5, values[j], colour)
    for y, name in ((2.5, "score s"), (1.8, "value v")):
        ax.text(-0.3, y, name, ha="right", va="center", fontsize=9)
    ax.text(1.0, 3.05, "first block", ha="center", fontsize=9, color=_BLUE)
    ax.text(6.35, 3.05, "second block", ha="center", fontsize=9, color="#9a6700")
    ax.text(-0.3, 0.65, "carried", ha="right", va="center", fontsize=9)
    carried = (
        (1.0, "m = ln 2\nl = ½ + 1 = 1½\no = ½·8 + 1·4 = 8", _BLUE, 2.3),
        (6.35, "m = ln 4\nl = ½·1½ + (1 + ¼) = 2\no = ½·8 + (1·2 + ¼·16) = 10", _ORANGE, 4.1),
    )
    for x, text, colour, width in carried:
        _box(ax, x, 0.65, width, 1.15, text, colour, 9.5)
    _arrow(ax, (1.0, 1.52), (1.0, 1.26), _BLUE)
    _arrow(ax, (6.35, 1.52), (6.35, 1.26), _ORANGE)
    _arrow(ax, (2.2, 0.65), (4.25, 0.65), _VERMILION)
    ax.text(3.2, 0.85, "times ½", ha="center", fontsize=8.5, color=_VERMILION)
    ax.text(9.3, 0.65, "o / l = 5", ha="center", va="center", fontsize=12, color=COLOURS[7])
    _arrow(ax, (8.42, 0.65), (8.75, 0.65))
    ax.set_title("One query, four keys, two blocks: what was carried shrinks when the maximum rises", fontsize=10)
    return drawn


@figure
def memory(
    lengths: Sequence[int], full: Sequence[float | None], blocked: Sequence[float | None], budget: float
) -> Figure:
    """Measured peak memory of full and blocked attention in MiB; None where the budget was not enough."""
    drawn, axes = grid(1, 1, width=7.4, height=3.9)
    ax = axes[0, 0]
    for sizes, name, colour, line in (
        (full, "full: all n × n scores", _ORANGE, "-"),
        (blocked, "blocked: your online softmax", _BLUE, "--"),
    ):
        known = [(n, size) for n, size in zip(lengths, sizes) if size is not None]
        if known:
            ax.plot(*zip(*known), line, color=colour, marker="o", linewidth=2, label=name)
        stopped = [n for n, size in zip(lengths, sizes) if size is None]
        if stopped and known:
            ax.plot(
                stopped[0], budget, "x", color=_VERMILION, markersize=13, markeredgewidth=3, clip_on=False, zorder=5
            )
            place = {"xytext": (-14, 12), "textcoords": "offset points", "ha": "right"}
            ax.annotate(
                f"n = {stopped[0]:,}: full attention no longer fits",
                (stopped[0], budget),
                **place,
                fontsize=9,
                color=_VERMILION,
            )
    ax.axhline(budget, color=_GREY, linewidth=1)
    ax.text(lengths[0], budget * 0.88, f"budget: {budget:,.0f} MiB", fontsize=8, color=_GREY, va="top")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.set_xticks(lengths, [f"{n:,}" for n in lengths])
    ticks = [4**k for k in range(0, 6)]
    ax.set_yticks(ticks, [f"{t:,}" for t in ticks])
    ax.set_ylim(0.9, budget * 3)
    ax.set_xlabel("n, number of queries and keys")
    ax.set_ylabel("peak of new memory, MiB")
    ax.set_title("Doubling n: four times the memory for full attention, twice for blocked", fontsize=10)
    ax.legend(fontsize=9, loc="lower right")
    return drawn
