"""Who may look at whom, and what a mask does to scores and weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from helpers import language

from ..core import COLOURS, describe, figure, grid, heatmap
from ..phrases import counted, first_of
from ..wording import joined, number, numbers
from .shapes import BLUE, GREY, HIDDEN, ORANGE, PINK, draw_box, set_canvas, softmax

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def views(words: Sequence[str]) -> Figure:
    """The sentence once for each of its words: what that word sees in an encoder, and in a decoder."""
    drawn, axes = grid(1, 2, width=4.6, height=0.46 * len(words) + 0.9)
    for ax, title, seen in (
        (axes[0, 0], "In the encoder each word sees the whole sentence", lambda i, j: True),
        (axes[0, 1], "In the decoder it sees itself and what came before", lambda i, j: j <= i),
    ):
        set_canvas(ax, len(words) + 1.3, len(words) + 0.2)
        ax.set_title(title, fontsize=10)
        for i, word in enumerate(words):
            y = len(words) - i - 0.4
            ax.text(1.05, y, word, ha="right", va="center", fontsize=9, fontweight="bold")
            ax.text(1.15, y, "sees", ha="left", va="center", fontsize=7, color=GREY)
            for j, other in enumerate(words):
                x = j + 2.05
                if seen(i, j):
                    draw_box(ax, x, y, other, BLUE, 0.9, 0.7, 8, bold=i == j)
                else:
                    draw_box(ax, x, y, "?", "#BBBBBB", 0.9, 0.7, 8)
        ax.set_xlim(-0.1, len(words) + 1.6)
    seeing = [f"'{word}' sees '{' '.join(words[: i + 1])}'" for i, word in enumerate(words)]
    return describe(
        drawn,
        f"'{' '.join(words)}', written once for each of its {len(words)} words. In the encoder every word sees them "
        f"all. In the decoder, where question marks hide the rest, {first_of(seeing, 6)}.",
    )


def _draw_masks(
    panels: Sequence[tuple[Any, Sequence[str], Sequence[str], str]],
    frame_rows: int = 0,
    signs: Sequence[str] = (),
    row_label: str = "who looks (query)",
) -> Figure:
    """What `masks` draws, as a figure of its own for those that draw several masks."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Rectangle

    shapes = [np.asarray(panel[0]).shape for panel in panels]
    widths = [max(0.36 * columns + 1.5, 2.1) for _, columns in shapes]
    drawn, axes = grid(
        1,
        len(panels),
        width=sum(widths) / len(widths) + 0.25,
        height=0.34 * max(rows for rows, _ in shapes) + 1.5,
        gridspec_kw={"width_ratios": widths},
    )
    for k, (ax, (mask, rows, columns, title)) in enumerate(zip(axes[0], panels)):
        mask = np.asarray(mask).astype(bool)
        ax.imshow(mask, cmap=ListedColormap([HIDDEN, BLUE]), vmin=0, vmax=1, aspect="equal")
        for i, j in np.argwhere(mask):
            ax.plot(j, i, "o", color="white", markersize=3.5)
        ax.set_xticks(np.arange(mask.shape[1] + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(mask.shape[0] + 1) - 0.5, minor=True)
        ax.grid(which="minor", color="white", linewidth=1.5)
        ax.tick_params(which="minor", length=0)
        ax.set_yticks(range(mask.shape[0]), rows, fontsize=8)
        ax.set_xticks(range(mask.shape[1]), columns, fontsize=8, rotation=45, ha="right", rotation_mode="anchor")
        ax.set_title(title, fontsize=9.5)
        ax.set_xlabel("may look at (key)", fontsize=8)
        if k == 0:
            ax.set_ylabel(row_label, fontsize=8)
        if k == 0 and frame_rows:
            start = mask.shape[0] - frame_rows - 0.5
            ax.add_patch(
                Rectangle(
                    (-0.5, start),
                    mask.shape[1],
                    frame_rows,
                    fill=False,
                    edgecolor=COLOURS[5],
                    linewidth=2.6,
                    clip_on=False,
                    zorder=5,
                )
            )
        if k < len(signs):
            ax.text(1.04, 0.5, signs[k], transform=ax.transAxes, ha="left", va="center", fontsize=11, fontweight="bold")
    told = [_mask_told(*panel) for panel in panels]
    if frame_rows:
        told.append(
            f"The last {counted(frame_rows, 'row')} of the first mask {'is' if frame_rows == 1 else 'are'} framed."
        )
    if signs:
        told.append("Between the panels: " + ", ".join(signs) + ".")
    return describe(drawn, f"{counted(len(panels), 'mask')}, side by side. {' '.join(told)}")


def _mask_told(mask: Any, rows: Sequence[str], columns: Sequence[str], title: str) -> str:
    """Who may look at whom in one mask; rows that follow each other and see the same are told together."""
    mask = np.asarray(mask).astype(bool)
    groups: list[tuple[list[str], str]] = []
    for i, row in enumerate(mask):
        seen = _places_told(np.flatnonzero(row), columns)
        if groups and groups[-1][1] == seen:
            groups[-1][0].append(rows[i])
        else:
            groups.append(([rows[i]], seen))
    told = [f"{joined(names)} {'see' if len(names) > 1 else 'sees'} {seen}" for names, seen in groups]
    return f"{title}, {mask.shape[0]} by {mask.shape[1]}: {first_of(told, joint='; ')}."


def _places_told(places: np.ndarray[Any, Any], columns: Sequence[str]) -> str:
    """The names of columns; three and more beside each other as "we to burger"."""
    if len(places) == 0:
        return "nothing"
    if len(places) == len(columns):
        return "all"
    told: list[str] = []
    for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1):
        told += [columns[j] for j in run] if len(run) < 3 else [f"{columns[run[0]]} to {columns[run[-1]]}"]
    return joined(told)


@figure
def masks(
    panels: Sequence[tuple[Any, Sequence[str], Sequence[str], str]],
    frame_rows: int = 0,
    signs: Sequence[str] = (),
    row_label: str = "who looks (query)",
) -> Figure:
    """Boolean masks side by side: blue with a dot is True, may attend; pale is False.

    Args:
        panels: for each mask (rows, columns), the names of the rows and of the columns, and a title.
        frame_rows: frame this many rows at the end of the first mask.
        signs: what stands between the panels, as "and", "=".
        row_label: what the rows are.
    """
    return _draw_masks(panels, frame_rows, signs, row_label)


@figure
def last_words(words: Sequence[str], last: int) -> Figure:
    """The causal mask of a whole sentence, and of its last words alone."""
    before = np.arange(len(words))
    whole = before <= before[:, None]
    panels = [
        (whole, words, words, "the whole sentence asks"),
        (whole[-last:], words[-last:], words, f"only the last {last} words ask"),
    ]
    return _draw_masks(panels, frame_rows=last)


@figure
def both_masks(words: Sequence[str], length: int) -> Figure:
    """Causal mask and padding mask of one padded sentence, and what is left when both have to allow."""
    place = np.arange(len(words))
    causal, real = place <= place[:, None], np.tile(place < length, (len(words), 1))
    panels = [
        (causal, words, words, "causal: not ahead"),
        (real, words, words, "padding: only real words"),
        (causal & real, words, words, language.word("both")),
    ]
    return _draw_masks(panels, signs=("and", "="))


@figure
def one_row(words: Sequence[str], scores: ArrayLike, seen: ArrayLike, asking: str) -> Figure:
    """The scores of one query, the same with the hidden ones at -∞, and the weights that the softmax makes of them."""
    scores, seen = np.asarray(scores, dtype=float), np.asarray(seen)
    weights = np.where(seen, np.exp(scores), 0)
    weights /= weights.sum()
    plain = softmax(scores)
    drawn, axes = grid(1, 4, width=2.55, height=2.7)
    colours = [BLUE if s else "#B8B8B8" for s in seen]
    low, high = min(scores.min(), 0) - 1.6, max(scores.max(), 0) + 0.9
    for ax, title, values, limits in (
        (axes[0, 0], "1  scores", scores, (low, high)),
        (axes[0, 1], "2  hidden scores to −∞", np.where(seen, scores, np.nan), (low, high)),
        (axes[0, 2], "3  softmax: these sum to 1", weights, (0, 1.12)),
        (axes[0, 3], "without the mask", plain, (0, 1.12)),
    ):
        ax.bar(range(len(words)), np.nan_to_num(values), color=colours)
        for j, value in enumerate(values):
            if np.isnan(value):
                ax.plot(j, low, "v", color="#8A8A8A", markersize=9, clip_on=False)
                ax.plot([j, j], [0, low], color="#8A8A8A", linewidth=1.4, linestyle=":")
                ax.text(j, 0.1, "−∞", ha="center", va="bottom", fontsize=9)
            else:
                ax.text(
                    j,
                    max(value, 0) + 0.02 * (limits[1] - limits[0]),
                    f"{value:.2f}".replace("-", "−"),
                    ha="center",
                    va="bottom",
                    fontsize=8,
                )
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set(ylim=limits)
        ax.set_title(title, fontsize=9.5)
        ax.set_xticks(range(len(words)), words, fontsize=8, rotation=45, ha="right", rotation_mode="anchor")
        ax.tick_params(axis="y", labelsize=7)
    axes[0, 0].set_ylabel(f"“{asking}” asks", fontsize=9)
    drawn.suptitle(f"“{asking}” must not see the grey words: their scores become −∞ before the softmax", fontsize=10.5)
    hidden = [word for word, s in zip(words, seen) if not s]
    return describe(
        drawn,
        f"Four bar charts for the query '{asking}' and the keys {joined(words)}. Its scores {numbers(scores)}. The "
        f"same with {joined(hidden) or 'no word'} at minus infinity. The softmax of those: {numbers(weights)}. And the "
        f"softmax without the mask: {numbers(plain)}, where the hidden words would take {number(plain[~seen].sum())}.",
    )


@figure
def leaking_fills() -> Figure:
    """How much weight a hidden word gets, by the number that was filled in for its score."""
    drawn, axes = grid(1, 1, width=6.6, height=3.1)
    ax = axes[0, 0]
    visible = np.logspace(0, 6, 400)
    for fill, label, colour, style in (
        (-20, "fill −20", ORANGE, "-"),
        (-1e4, "fill −10 000", PINK, "--"),
        (-1e9, "fill −10⁹, or −∞", BLUE, "-"),
    ):
        with np.errstate(over="ignore"):
            ax.plot(
                visible,
                1 / (1 + np.exp(np.clip(-visible - fill, -700, 700))),
                color=colour,
                linewidth=2.4,
                linestyle=style,
                label=label,
            )
    ax.set_xscale("log")
    ax.set_xticks([10.0**k for k in range(7)], ["−1", "−10", "−100", "−1000", "−10 000", "−100 000", "−10⁶"])
    ax.set(xlabel="score of the visible word", ylabel="weight of the hidden word", ylim=(-0.05, 1.1))
    ax.set_title("One visible word, one hidden: the hidden one wins where its fill is the higher score", fontsize=10)
    ax.legend(fontsize=8, loc="center right")
    return describe(
        drawn,
        "The weight of a hidden word beside one visible word, as the visible word's score falls from -1 to minus one "
        "million. With a fill of -20 the hidden word takes over at -20, with -10,000 at -10,000; with minus a billion "
        "it stays at 0.",
    )


@figure
def leaks(words: Sequence[str], seed: int = 3) -> Figure:
    """How much each word's output moves when another word is changed: without a mask, masked late, masked in time."""
    rng = np.random.default_rng(seed)
    n, d = len(words), 8
    X = rng.normal(size=(n, d))
    W_q, W_k, W_v = rng.normal(size=(3, d, d)) / np.sqrt(d) * 1.3
    fresh = rng.normal(size=(n, d))  # what each word is changed to
    triangle = np.tri(n)

    def attend(X: np.ndarray, kind: str) -> np.ndarray:
        scores = (X @ W_q) @ (X @ W_k).T / np.sqrt(d)
        if kind == "right":
            scores = np.where(triangle == 1, scores, -np.inf)
        weights = softmax(scores)
        attended: np.ndarray = (weights * triangle if kind == "late" else weights) @ (X @ W_v)
        return attended

    drawn, axes = grid(1, 3, width=3.3, height=3.2)
    told = []
    for ax, kind, title in zip(
        axes[0],
        ("absent", "late", "right"),
        (
            "no mask:\nthe future shines through",
            "mask after the softmax:\nit still does",
            "mask before the softmax:\nnothing above the diagonal",
        ),
    ):
        moved = np.zeros((n, n))
        for j in range(n):
            changed = X.copy()
            changed[j] = fresh[j]
            moved[:, j] = np.linalg.norm(attend(changed, kind) - attend(X, kind), axis=-1)
        ahead = np.triu(moved, 1)
        told.append(f"{' '.join(title.split(':')[0].split())}, {number(ahead.max())} at most")
        heatmap(moved, rows=words, columns=words, title=title, ax=ax, signed=False, numbers=False, limits=(0, 2))
        for (i, j), value in np.ndenumerate(moved):
            ax.text(
                j,
                i,
                f"{value:.2f}" if value else "0",
                ha="center",
                va="center",
                fontsize=8,
                color="black" if value > 1.1 else "white",
            )
        ax.plot(
            [-0.5, *np.repeat(np.arange(n - 1) + 0.5, 2), n - 0.5],
            np.repeat(np.arange(n) - 0.5, 2),
            color=COLOURS[5],
            linewidth=2,
        )
        ax.set_xlabel("word that is changed")
    axes[0, 0].set_ylabel("output that moves")
    drawn.colorbar(axes[0, 0].images[0], ax=axes, label="how far it moves", extend="max")
    return describe(
        drawn,
        f"Three grids, changed word by moved output, for '{' '.join(words)}'. How far the outputs above the diagonal "
        f"move, where the changed word comes later: {', '.join(told)}.",
    )
