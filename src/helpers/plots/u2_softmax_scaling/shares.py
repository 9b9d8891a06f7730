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
    words: Sequence[str], weights: Sequence[float], V: np.ndarray, features: Sequence[str], renewed: str
) -> Figure:
    """The weights of the words, their values, and the mixture as a stack of what each word gives."""
    shares, V = np.asarray(weights, dtype=float), np.asarray(V, dtype=float)
    given = shares[:, None] * V  # (words, features)
    drawn, axes = grid(1, 3, width=3.2, height=3.0)
    left, middle, right = axes[0]
    rows = np.arange(len(words))
    colours = COLOURS[: len(words)]
    left.barh(rows, shares, color=colours, height=0.65)
    for row, weight in zip(rows, shares):
        left.text(weight + 0.01, row, f"{weight:g}", va="center", fontsize=9)
    left.set_yticks(rows, words)
    left.set_ylim(len(words) - 0.5, -0.5)
    left.set_xlim(0, shares.max() * 1.2)
    left.set_xlabel("weight")
    left.set_title(f"How much “{renewed}”\ntakes of each word ...", fontsize=10)
    heatmap(
        V,
        rows=words,
        columns=features,
        title="... and what each word\nhas to give: its value",
        ax=middle,
        column_label="features",
    )
    bottom = np.zeros(len(features))
    for word, colour, part in zip(words, colours, given):
        right.bar(range(len(features)), part, bottom=bottom, color=colour, width=0.6, label=word)
        bottom += part
    for place, total in enumerate(bottom):
        right.text(place, total + 0.02, f"{total:.1f}", ha="center", va="bottom", fontsize=9)
    right.set_xticks(range(len(features)), features)
    right.tick_params(axis="x", rotation=45)
    right.set_ylim(0, bottom.max() * 1.6)
    right.legend(fontsize=8, frameon=False, ncols=2, loc="upper left")
    right.set_title(f"The new “{renewed}”:\nall parts on top of each other", fontsize=10)
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


_TOYS = (
    ("bear", "cuddly", (0.5, 4.1)), ("rabbit", "cuddly", (4.9, 4.2)), ("train", "wheels", (5.9, 2.3)),
    ("car", "wheels", (0.3, 2.0)), ("ball", "round", (4.7, 0.3)), ("top", "round", (1.1, 0.3)),
)  # fmt: skip
_KINDS = {"cuddly": (BLUE, "o"), "wheels": (ORANGE, "s"), "round": (GREEN, "D")}


def _room(ax: Axes, places: np.ndarray, title: str) -> None:
    for (_, kind, _), place in zip(_TOYS, places):
        colour, marker = _KINDS[kind]
        ax.plot(*place, marker=marker, markersize=15, color=colour, markeredgecolor="black", zorder=3)
    ax.set_xlim(-0.4, 6.4)
    ax.set_ylim(-0.2, 5.1)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_aspect("equal")
    ax.set_title(title, fontsize=10)


def _name_toys(ax: Axes, places: np.ndarray, offsets: Sequence[tuple[float, float]]) -> None:
    for (name, _, _), (x, y), (dx, dy) in zip(_TOYS, places, offsets):
        ax.text(x + dx, y + dy, name, ha="center", va="center", fontsize=10, zorder=4)


@figure
def toys() -> Figure:
    """Toys in a room look for their friends: weights as arrows, then every toy at the mixture of the places."""
    places = np.array([place for _, _, place in _TOYS])
    kinds = np.array([list(_KINDS).index(kind) for _, kind, _ in _TOYS])
    # A friend scores 2.2, the toy itself a little more, all others 0.
    scores = 2.2 * (kinds[:, None] == kinds[None, :]) + 0.4 * np.eye(len(_TOYS))
    weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)  # (6, 6)
    after = weights @ places
    names = [name for name, _, _ in _TOYS]
    drawn, axes = grid(1, 3, width=3.7, height=3.4, width_ratios=[1, 1, 1])
    left, middle, right = axes[0]
    _room(left, places, "Every toy looks around the room;\nfriends catch its eye (wide lines)")
    for i, start in enumerate(places):
        for j, end in enumerate(places):
            if i < j:
                left.plot(
                    *np.array([start, end]).T,
                    color="#555555",
                    linewidth=0.4 + 9 * weights[i, j] ** 1.5,
                    alpha=0.55,
                    zorder=1,
                )
    _name_toys(left, places, [(0, 0.48)] * len(_TOYS))
    title = "How much each toy (row)\nlooks at each toy (column)"
    heatmap(
        weights,
        rows=names,
        columns=names,
        title=title,
        ax=middle,
        row_label="who looks (query)",
        column_label="at whom (key)",
    )
    _room(right, after, "It goes to the mixture of all places:\nfriends have found each other")
    for start, end in zip(places, after):
        right.annotate(
            "",
            xy=tuple(end),
            xytext=tuple(start),
            arrowprops={"arrowstyle": "-", "color": "#aaaaaa", "linestyle": ":"},
            zorder=0,
        )
        right.plot(*start, marker=".", color="#aaaaaa", zorder=0)
    _name_toys(right, after, [(-0.75, 0), (0.85, 0), (0.75, 0), (-0.6, 0), (0.65, 0), (-0.6, 0)])

    def apart(spots: np.ndarray) -> str:
        pairs = [(i, i + 1) for i in range(0, len(names), 2)]
        return ", ".join(f"{names[i]} and {names[j]} {np.hypot(*(spots[i] - spots[j])):.1f}" for i, j in pairs)

    alt = (
        f"Left, six toys in a room, wide lines between friends. How far friends are apart: {apart(places)}. Middle, "
        f"the weights of each: {weights[0, 0]:.2f} on itself, {weights[0, 1]:.2f} on the friend, {weights[0, 2]:.2f} "
        f"on each other toy. Right, each toy at the mixture of all places; friends are now apart: {apart(after)}."
    )
    return describe(drawn, alt)
