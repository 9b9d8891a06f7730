"""Positions as people think of them first: counted, as fractions, as binary digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure, grid, heatmap
from ..wording import named, number, numbers
from .clocks import BLUE, GREY, ORANGE, VERMILION

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _weights(tokens: np.ndarray) -> np.ndarray:
    scores = tokens @ tokens.T / np.sqrt(tokens.shape[1])
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights: np.ndarray = e / e.sum(axis=1, keepdims=True)
    return weights


@figure
def counting(n: int = 30, width: int = 16) -> Figure:
    """Positions 0, 1, 2, ... added to the tokens outgrow the words, and the last token takes all the attention."""
    tokens = np.random.default_rng(0).normal(size=(n, width))
    drawn, axes = grid(1, 3, width=3.2, height=3.1)
    places = np.arange(n)
    size, before, after = axes[0]
    size.plot(places, np.abs(tokens).mean(axis=1), color=BLUE, label="an entry of the word, on average")
    size.plot(places, places, color=ORANGE, label="the position added to it")
    size.set_title("The position drowns the word", fontsize=10)
    size.set_xlabel("position in the sentence")
    size.set_ylabel("size")
    size.set_ylim(-1.5, 40)
    size.legend(fontsize=8, loc="upper left")
    for ax, x, title in (
        (before, tokens, "Attention without positions"),
        (after, tokens + places[:, None], "With 0, 1, 2, ... added: all but\nthe first look at the last token"),
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
    own, last = np.diag(_weights(tokens)).mean(), _weights(tokens + places[:, None])[:, -1].mean()
    alt = (
        f"Three panels for {n} positions. Left, an entry of a word has the size {number(np.abs(tokens).mean())} on "
        f"average, while the number added to it grows from 0 to {n - 1}. Middle, without positions a query gives "
        f"itself {own:.2f} on average, a bright diagonal. Right, with 0, 1, 2 and so on added, the last column takes "
        f"{last:.2f} on average."
    )
    return describe(drawn, alt)


@figure
def fractions() -> Figure:
    """Position/n of the same four words in sentences of 4, 8 and 16 words: the same step has three sizes."""
    words = ("the", "dog", "bites", "him")
    drawn, axes = grid(1, 1, width=8.6, height=3.0)
    ax = axes[0, 0]
    for row, n in enumerate((16, 8, 4)):
        places = np.arange(n) / n
        ax.plot([0, 1], [row, row], color="#d1d5db", linewidth=1, zorder=1)
        ax.scatter(places[4:], np.full(max(n - 4, 0), row), s=22, facecolor="white", edgecolor=GREY, zorder=2)
        ax.scatter(places[:4], np.full(4, row), s=45, color=BLUE, zorder=3)
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
            arrowprops={"arrowstyle": "<->", "color": VERMILION, "shrinkA": 0, "shrinkB": 0},
        )
        ax.text(
            (places[1] + places[2]) / 2,
            row - 0.27,
            f"one step = {1 / n:.4g}",
            color=VERMILION,
            ha="center",
            va="top",
            fontsize=9,
        )
    ax.set_yticks(range(3), [f"{n} words" for n in (16, 8, 4)])
    ax.set_ylim(-0.65, 2.6)
    ax.set_xlim(-0.06, 1.03)
    ax.set_xlabel("position / n")
    ax.set_title(
        "The same four words in longer and longer sentences: “the next word” has no fixed meaning", fontsize=10
    )
    told = "; ".join(f"{n} words: {named(words, np.arange(4) / n, 4)}, one step {number(1 / n, 4)}" for n in (4, 8, 16))
    return describe(
        drawn, f"Number lines from 0 to 1, the same four words at the start of sentences of three lengths. {told}."
    )


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
        rows=range(n),
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
        rows=range(n),
        title="Cosine waves, each half as fast\nas the one before",
        ax=wave,
        signed=True,
        slant=False,
        numbers=False,
    )
    wave.set_xlabel("speed, radians per position")
    drawn.colorbar(wave.images[0], ax=wave, shrink=0.8)
    flips = (np.diff(digits, axis=0) != 0).sum(axis=0)
    alt = (
        f"Left, the binary digits of the positions 0 to {n - 1}, zeros and ones; how often each column changes: "
        f"{named(('ones', 'twos', 'fours', 'eights'), flips)} times. Right, four cosine waves as columns of colour, "
        "with the speeds 1, 1/2, 1/4 and 1/8; from one position to the next they change by at most "
        f"{numbers(np.abs(np.diff(turns, axis=0)).max(axis=0))}."
    )
    return describe(drawn, alt)
