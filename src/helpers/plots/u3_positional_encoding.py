"""Figures of unit 3: sentences whose order is lost, positions that fail, clocks, and the encoding itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .core import COLOURS, figure, grid, heatmap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREEN = COLOURS[:3]
_VERMILION = COLOURS[5]
_GREY = "#6b7280"


@figure
def sentences(
    matrices: Sequence[np.ndarray], words: Sequence[Sequence[str]], titles: Sequence[str], follow: str
) -> Figure:
    """Sentences side by side, one row of colours for each word, with a frame around every row of the word `follow`."""
    from matplotlib.patches import Rectangle

    drawn, axes = grid(1, len(matrices), width=3.6, height=2.7)
    top = max(float(np.abs(matrix).max()) for matrix in matrices)
    for ax, matrix, names, title in zip(axes[0], matrices, words, titles):
        heatmap(
            matrix,
            rows=names,
            title=title,
            ax=ax,
            signed=True,
            limits=(-top, top),
            numbers=False,
            column_label="entry of the vector",
        )
        for row, name in enumerate(names):
            if name == follow:
                ax.add_patch(
                    Rectangle(
                        (-0.5, row - 0.5),
                        matrix.shape[1],
                        1,
                        fill=False,
                        edgecolor="black",
                        linewidth=2.5,
                        clip_on=False,
                    )
                )
    drawn.colorbar(axes[0, -1].images[0], ax=axes, shrink=0.8)
    return drawn


def _weights(tokens: np.ndarray) -> np.ndarray:
    scores = tokens @ tokens.T / np.sqrt(tokens.shape[1])
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@figure
def counting(n: int = 30, width: int = 16) -> Figure:
    """Positions 0, 1, 2, ... added to the tokens: they outgrow the words, and the last token takes all the attention."""
    tokens = np.random.default_rng(0).normal(size=(n, width))
    drawn, axes = grid(1, 3, width=3.7, height=3.2)
    places = np.arange(n)
    size, before, after = axes[0]
    size.plot(places, np.abs(tokens).mean(axis=1), color=_BLUE, label="an entry of the word, on average")
    size.plot(places, places, color=_ORANGE, label="the position added to it")
    size.set_title("The position drowns the word", fontsize=10)
    size.set_xlabel("position in the sentence")
    size.set_ylabel("size")
    size.legend(fontsize=8, loc="upper left")
    for ax, x, title in (
        (before, tokens, "Attention without positions"),
        (after, tokens + places[:, None], "With 0, 1, 2, ... added:\nall look at the last token"),
    ):
        heatmap(
            _weights(x),
            title=title,
            ax=ax,
            limits=(0, 1),
            row_label="position of the query",
            column_label="position of the key",
            numbers=False,
        )
    drawn.colorbar(after.images[0], ax=after, label="attention weight", shrink=0.8)
    return drawn


@figure
def fractions() -> Figure:
    """Position/n of the same four words in sentences of 4, 8 and 16 words: the same step has three sizes."""
    words = "the dog bites him".split()
    drawn, axes = grid(1, 1, width=8.6, height=3.0)
    ax = axes[0, 0]
    for row, n in enumerate((4, 8, 16)):
        places = np.arange(n) / n
        ax.plot([0, 1], [row, row], color="#d1d5db", linewidth=1, zorder=1)
        ax.scatter(places[4:], np.full(max(n - 4, 0), row), s=22, facecolor="white", edgecolor=_GREY, zorder=2)
        ax.scatter(places[:4], np.full(4, row), s=45, color=_BLUE, zorder=3)
        slant = 0 if n < 16 else 35
        for place, word in zip(places, words):
            ax.annotate(
                word,
                (place, row),
                xytext=(0, 7),
                textcoords="offset points",
                ha="center" if not slant else "left",
                rotation=slant,
                fontsize=9,
            )
        ax.annotate(
            "",
            (places[2], row - 0.2),
            (places[1], row - 0.2),
            arrowprops={"arrowstyle": "<->", "color": _VERMILION, "shrinkA": 0, "shrinkB": 0},
        )
        ax.text(
            (places[1] + places[2]) / 2,
            row - 0.27,
            f"one step = {1 / n:.4g}",
            color=_VERMILION,
            ha="center",
            va="top",
            fontsize=9,
        )
    ax.set_yticks(range(3), [f"{n} words" for n in (4, 8, 16)])
    ax.set_ylim(-0.65, 2.6)
    ax.set_xlim(-0.06, 1.03)
    ax.set_xlabel("position / n")
    ax.set_title(
        "The same four words in longer and longer sentences: “the next word” has no fixed meaning", fontsize=10
    )
    return drawn


@figure
def digits_and_waves(n: int = 16) -> Figure:
    """Binary digits of the position beside waves that slow down in the same way."""
    drawn, axes = grid(1, 2, width=3.4, height=4.2)
    places = np.arange(n)
    binary, wave = axes[0]
    digits = places[:, None] // 2 ** np.arange(4) % 2
    heatmap(
        digits,
        columns=("1s", "2s", "4s", "8s"),
        rows=places,
        title="Binary digits: no two rows alike,\nevery entry 0 or 1",
        ax=binary,
        numbers=True,
    )
    binary.set_ylabel("position")
    binary.set_xlabel("digit")
    turns = np.cos(places[:, None] / 2.0 ** np.arange(4))
    heatmap(
        turns,
        columns=("1", "1/2", "1/4", "1/8"),
        rows=places,
        title="Waves, each half as fast\nas the one before: no jumps",
        ax=wave,
        signed=True,
        numbers=False,
    )
    wave.tick_params(axis="x", rotation=0)
    wave.set_xlabel("speed, radians per position")
    drawn.colorbar(wave.images[0], ax=wave, shrink=0.8)
    return drawn


def _dial(ax: Axes) -> None:
    from matplotlib.patches import Circle

    ax.add_patch(Circle((0, 0), 1, fill=False, edgecolor=_GREY, linewidth=1))
    ax.plot([-1, 1], [0, 0], color="#d1d5db", linewidth=0.8, zorder=0)
    ax.plot([0, 0], [-1, 1], color="#d1d5db", linewidth=0.8, zorder=0)
    ax.set_xlim(-1.25, 1.25)
    ax.set_ylim(-1.25, 1.25)
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)


def _hand(ax: Axes, angle: float, colour: str, **style: float) -> None:
    """A hand that starts at the top and turns clockwise: its tip is (sin, cos) of the angle."""
    ax.annotate(
        "",
        (np.sin(angle), np.cos(angle)),
        (0, 0),
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2, "shrinkA": 0, "shrinkB": 0, **style},
    )


@figure
def reading_a_hand(angle: float = 1.0) -> Figure:
    """One dial with a hand: how far right is the sine, how far up is the cosine."""
    from matplotlib.patches import Arc

    drawn, axes = grid(1, 1, width=4.4, height=3.6)
    ax = axes[0, 0]
    _dial(ax)
    x, y = np.sin(angle), np.cos(angle)
    ax.plot([0, x], [y, y], color=_ORANGE, linewidth=2.5)
    ax.plot([x, x], [0, y], color=_GREEN, linewidth=2.5)
    _hand(ax, angle, _BLUE)
    ax.add_patch(Arc((0, 0), 0.6, 0.6, theta1=90 - np.degrees(angle), theta2=90, color=_GREY))
    ax.text(0.12, 0.36, "angle 1", fontsize=9, color=_GREY)
    ax.text(x / 2 - 0.06, y + 0.06, f"sin 1 = {x:.4f}", ha="center", fontsize=9)
    ax.text(1.05, y / 2, f"cos 1 = {y:.4f}", va="center", fontsize=9)
    ax.set_xlim(-1.2, 2.0)
    ax.set_title("How far right: sine. How far up: cosine", fontsize=10)
    return drawn


@figure
def clock_strip(positions: Sequence[int] = (0, 1, 2, 3, 50, 100, 157)) -> Figure:
    """The two clocks of a 4-vector at several positions: one whirls, one creeps."""
    drawn, axes = grid(2, len(positions), width=1.35, height=1.65)
    for row, (rate, colour, name) in enumerate(
        ((1.0, _BLUE, "fast clock\n$\\omega_0 = 1$"), (0.01, _ORANGE, "slow clock\n$\\omega_1 = 0.01$"))
    ):
        for ax, position in zip(axes[row], positions):
            _dial(ax)
            _hand(ax, position * rate, colour)
            ax.set_xlabel(f"angle {position * rate:g}", fontsize=8)
            if row == 0:
                ax.set_title(f"position {position}", fontsize=9)
        axes[row, 0].set_ylabel(name, fontsize=9)
    drawn.suptitle(
        "Two hands tell the position: the fast one sees each step, the slow one how far we have come", fontsize=10
    )
    return drawn


@figure
def speeds(widths: Sequence[int] = (8, 32, 128)) -> Figure:
    """Frequencies of several widths on a logarithmic scale: straight lines from 1 towards 1/10000."""
    drawn, axes = grid(1, len(widths), width=3.0, height=3.0, sharey=True)
    for ax, width, colour in zip(axes[0], widths, COLOURS):
        pair = np.arange(width // 2)
        ax.semilogy(pair, 1e4 ** (-pair / len(pair)), "o", color=colour, markersize=5 if width < 100 else 3)
        ax.axhline(1e-4, color=_GREY, linestyle="--", linewidth=1)
        ax.set_title(f"d_model = {width}: {width // 2} clocks", fontsize=10)
        ax.set_xlabel("pair i")
        ax.set_ylim(5e-5, 2)
    axes[0, 0].set_ylabel("frequency $\\omega_i$, radians per position")
    axes[0, 0].text(0, 1.15e-4, "1/10000: never reached", fontsize=8, color=_GREY)
    drawn.suptitle(
        "Each clock is slower than the one before by the same factor, from 1 down towards 1/10000", fontsize=10
    )
    return drawn


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
    for j, colour in ((0, _BLUE), (12, _ORANGE), (24, _GREEN)):
        curves.plot(table[:, j], np.arange(n), color=colour, label=f"column {j}")
        whole.axvline(j, color=colour, linewidth=1.2)
    curves.set_ylim(n - 0.5, -0.5)
    curves.set_title("Three columns, read downwards: three sines", fontsize=10)
    curves.set_xlabel("value")
    curves.set_ylabel("position")
    curves.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncol=3)
    return drawn


@figure
def clocks_at(position: int, width: int = 16) -> Figure:
    """All clocks of one position, and its encoding as bars beneath them."""
    from matplotlib.gridspec import GridSpec

    pairs = width // 2
    angles = position * 1e4 ** (-np.arange(pairs) / pairs)
    drawn, axes = grid(1, 1, width=9.2, height=3.2)
    axes[0, 0].remove()
    spec = GridSpec(2, pairs, figure=drawn, height_ratios=(1, 1.25))
    for i, angle in enumerate(angles):
        ax = drawn.add_subplot(spec[0, i])
        _dial(ax)
        _hand(ax, angle, COLOURS[i % 6])
        ax.set_title(f"pair {i}", fontsize=8)
    bars = drawn.add_subplot(spec[1, :])
    heights = np.stack([np.sin(angles), np.cos(angles)], axis=1).ravel()
    bars.bar(
        range(width),
        heights,
        color=[COLOURS[j // 2 % 6] for j in range(width)],
        hatch=["" if j % 2 == 0 else "///" for j in range(width)],
        edgecolor="white",
    )
    bars.axhline(0, color=_GREY, linewidth=0.8)
    bars.set_ylim(-1.1, 1.1)
    bars.set_xlim(-0.6, width - 0.4)
    bars.set_xticks(range(width))
    bars.set_xlabel("column (plain: sine, striped: cosine)")
    drawn.suptitle(f"Position {position}: {pairs} hands, read off as {width} numbers", fontsize=10)
    return drawn


@figure
def sum_of_word_and_place(X: np.ndarray, words: Sequence[str]) -> Figure:
    """Tokens, tokens times √d, positions, and the sum, all on one scale of colours."""
    n, width = X.shape
    column = np.arange(width)
    angles = np.outer(np.arange(n), 1e4 ** (-(column - column % 2) / width))
    places = np.where(column % 2, np.cos(angles), np.sin(angles))
    grown = np.sqrt(width) * X
    drawn, axes = grid(1, 4, width=2.75, height=2.5)
    parts = (
        (X, "X: too faint"),
        (grown, f"√{width} · X"),
        (places, "+  P"),
        (grown + places, "=  words in their places"),
    )
    for ax, (part, title) in zip(axes[0], parts):
        names = words if ax is axes[0, 0] or ax is axes[0, 3] else range(n)
        heatmap(
            part, rows=names, title=title, ax=ax, signed=True, limits=(-2.5, 2.5), numbers=False, column_label="entry"
        )
    drawn.colorbar(axes[0, 3].images[0], ax=axes, shrink=0.9)
    return drawn


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
    for position, colour, style, weight in ((10, _BLUE, "-", 5), (30, _ORANGE, "-", 2.5), (50, "#000000", ":", 1.5)):
        curve.plot(
            np.arange(n) - position,
            both[position],
            color=colour,
            linestyle=style,
            linewidth=weight,
            label=f"row of position {position}",
        )
    curve.set_title("Three rows, each seen from its own place:\none and the same curve", fontsize=10)
    curve.set_xlabel("distance: other position - own position")
    curve.set_ylabel("product")
    curve.legend(fontsize=8)
    return drawn


@figure
def rotating_pairs(offset: int, position: int, width: int = 8) -> Figure:
    """Each pair of a position and of the position `offset` later: the turn between them, on every dial."""
    pairs = width // 2
    rates = 1e4 ** (-np.arange(pairs) / pairs)
    drawn, axes = grid(1, pairs, width=2.35, height=3.4)
    for i, (ax, rate) in enumerate(zip(axes[0], rates)):
        _dial(ax)
        before, turn = position * rate, offset * rate
        sweep = np.linspace(before, before + turn, 400)
        # Beyond a full turn the arc winds outwards, so that every round is seen.
        radius = 0.35 + 0.08 * np.abs(sweep - before) / (2 * np.pi) if abs(turn) > 2 * np.pi else 0.45
        ax.plot(radius * np.sin(sweep), radius * np.cos(sweep), color=_VERMILION, linewidth=1.5)
        _hand(ax, before, _GREY)
        _hand(ax, before + turn, _BLUE)
        ax.set_title(f"pair {i}", fontsize=9)
        ax.set_xlabel(f"turned by {offset} · {rate:g}\n= {turn:.4g} radians", fontsize=9)
    drawn.suptitle(
        f"From position {position} (grey) to position {position + offset} (blue): each pair turns by its own angle",
        fontsize=10,
    )
    return drawn


@figure
def turned_blocks(matrix: np.ndarray, offset: int) -> Figure:
    """A shift matrix with its 2 × 2 blocks framed."""
    from matplotlib.patches import Rectangle

    width = len(matrix)
    drawn, axes = grid(1, 1, width=0.62 * width + 1.2, height=0.46 * width + 1.0)
    ax = axes[0, 0]
    names = [f"{name} {i}" for i in range(width // 2) for name in ("sin", "cos")]
    heatmap(
        matrix,
        rows=names,
        columns=names,
        title=f"Your shift_matrix({offset}, {width}): one turn for each pair",
        ax=ax,
        signed=True,
        limits=(-1, 1),
        numbers=True,
    )
    for i in range(0, width, 2):
        ax.add_patch(Rectangle((i - 0.5, i - 0.5), 2, 2, fill=False, edgecolor=_BLUE, linewidth=2))
    ax.set_xlabel("position p")
    ax.set_ylabel(f"position p + {offset}")
    return drawn
