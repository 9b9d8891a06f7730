"""Softmax and what its weights do: shares of a whole, mixtures of values, toys that find their friends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import COLOURS, describe, figure, grid, heatmap
from ..wording import joined, named, number, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


BLUE, ORANGE, GREEN, PINK = COLOURS[:4]
GREY = "#777777"


def _bars(ax: Axes, names: Sequence[str], values: np.ndarray, colour: str, title: str, label: str = "{:.2f}") -> None:
    ax.bar(range(len(values)), values, color=colour, width=0.65)
    ax.set_xticks(range(len(values)), names)
    top = max(float(np.max(values)), 0.0)
    for place, value in enumerate(values):
        ax.text(place, value + 0.02 * top, label.format(value), ha="center", va="bottom", fontsize=9)
    ax.set_ylim(min(float(np.min(values)) * 1.2, 0), top * 1.18)
    ax.spines[["top", "right"]].set_visible(False)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set_title(title, fontsize=10)


@figure
def softmax_steps(names: Sequence[str], scores: Sequence[float]) -> Figure:
    """Scores, their exponentials, and these divided by their sum."""
    given = np.asarray(scores, dtype=float)
    raised = np.exp(given)
    drawn, axes = grid(1, 3, width=2.9, height=2.7)
    _bars(axes[0, 0], names, given, GREY, "Scores: any numbers", "{:g}")
    _bars(axes[0, 1], names, raised, ORANGE, "exp: all positive, a step of 1\nis a factor of e = 2.72")
    _bars(
        axes[0, 2],
        names,
        raised / raised.sum(),
        BLUE,
        f"divided by their sum, {raised.sum():.2f}:\nweights that sum to 1",
    )
    for ax, what in zip(axes[0], ("score", "exp(score)", "weight")):
        ax.set_ylabel(what)
    total = raised.sum()
    alt = (
        f"Three bar charts with a bar for each of {joined(names)}. Scores: {numbers(scores)}. Their exponentials: "
        f"{numbers(raised, 3)}. These divided by their sum, {number(total, 4)}, are the weights: "
        f"{numbers(raised / total)}."
    )
    return describe(drawn, alt)


@figure
def mixture(
    words: Sequence[str],
    weights: Sequence[float],
    V: np.ndarray,
    features: Sequence[str],
    renewed: str,
    of: str = "word",
) -> Figure:
    """The weights of some words or things, their values, and the mixture as a stack of what each of them gives.

    Args:
        words: n names.
        weights: a weight for each.
        V: the values, (n, d_v).
        features: names of the d_v columns.
        renewed: what the mixture becomes.
        of: what the names are names of.
    """
    shares, V = np.asarray(weights, dtype=float), np.asarray(V, dtype=float)
    given = shares[:, None] * V  # (words, features)
    drawn, axes = grid(1, 3, width=3.2, height=3.0)
    left, middle, right = axes[0]
    rows = np.arange(len(words))
    colours = COLOURS[: len(words)]
    left.barh(rows, shares, color=colours, height=0.65)
    for row, weight in zip(rows, shares):
        left.text(weight + 0.01, row, f"{round(weight, 3):g}", va="center", fontsize=9)
    left.set_yticks(rows, words)
    left.set_ylim(len(words) - 0.5, -0.5)
    left.set_xlim(0, shares.max() * 1.2)
    left.set_xlabel("weight")
    takes = f"How much the {renewed}\ntakes of each {of} ..."
    total = f"In the {renewed}:\nall parts on top of each other"
    if of == "word":
        takes = f"How much “{renewed}”\ntakes of each word ..."
        total = f"The new “{renewed}”:\nall parts on top of each other"
    left.set_title(takes, fontsize=10)
    heatmap(
        V,
        rows=words,
        columns=features,
        title=f"... and what each {of}\nhas to give: its value",
        ax=middle,
        column_label="features" if of == "word" else "",
    )
    bottom = np.zeros(len(features))
    for word, colour, part in zip(words, colours, given):
        right.bar(range(len(features)), part, bottom=bottom, color=colour, width=0.6, label=word)
        bottom += part
    for place, height in enumerate(bottom):
        text = f"{height:.2g}" if height < 1 else f"{height:.1f}"
        right.text(place, height + 0.02, text, ha="center", va="bottom", fontsize=9)
    right.set_xticks(range(len(features)), features)
    right.tick_params(axis="x", rotation=45)
    right.set_ylim(0, bottom.max() * 1.6)
    right.legend(fontsize=8, frameon=False, ncols=2, loc="upper left")
    right.set_title(total, fontsize=10)
    left.spines[["top", "right"]].set_visible(False)
    right.spines[["top", "right"]].set_visible(False)
    values = "; ".join(f"{word} {numbers(row)}" for word, row in zip(words, V))
    parts = "; ".join(
        f"{feature} {number(total)} from {joined([w for w, part in zip(words, column) if part]) or 'none'}"
        for feature, total, column in zip(features, bottom, given.T)
    )
    alt = (
        f"Left, the weights: {named(words, weights)}. Middle, their values, with the features {joined(features)}: "
        f"{values}. Right, the new {renewed} as stacked bars: {parts}."
    )
    return describe(drawn, alt)
