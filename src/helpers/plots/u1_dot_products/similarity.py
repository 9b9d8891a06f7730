"""Vectors of words, their dot products and their cosines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers import language

from ..core import describe, figure, grid, heatmap
from ..wording import joined, matrix_told, named, number, numbers
from .shapes import KEY, QUERY, arrow, frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def embedding(vocabulary: Sequence[str], table: np.ndarray, tokens: Sequence[str], features: Sequence[str]) -> Figure:
    """The table of vectors, and the rows that a sentence takes out of it."""
    ids = [vocabulary.index(token) for token in tokens]
    drawn, axes = grid(1, 2, width=3.6, height=3.6)
    heatmap(
        table,
        rows=[f"{i}  {word}" for i, word in enumerate(vocabulary)],
        columns=features,
        title="The table: a row for each word",
        ax=axes[0, 0],
    )
    heatmap(
        table[ids],
        rows=[f"{word}  (row {i})" for word, i in zip(tokens, ids)],
        columns=features,
        title="X: the rows of our sentence",
        ax=axes[0, 1],
    )
    taken = "; ".join(f"{token} (row {i}) {numbers(table[i])}" for token, i in zip(tokens, ids))
    alt = (
        f"Left, a table with a row for each of the words {joined(vocabulary)}, numbered from 0, and a column for each "
        f"of the features {joined(features)}. Right, X: the rows of the sentence in its order. {taken}."
    )
    return describe(drawn, alt)


@figure
def vectors_in_plane() -> Figure:
    """Four pairs of equally long vectors, from aligned to opposite, with their dot products."""
    a = np.array([2, 1])
    pairs = [("aligned", (2, 1)), ("a similar way", (1, 2)), ("perpendicular", (-1, 2)), ("opposite", (-2, -1))]
    drawn, axes = grid(1, 4, width=2.35, height=2.9)
    for ax, (word, b) in zip(axes[0], pairs):
        ax.axhline(0, color="#bbbbbb", linewidth=0.8)
        ax.axvline(0, color="#bbbbbb", linewidth=0.8)
        arrow(ax, (0, 0), tuple(a), QUERY, width=6 if word == "aligned" else 2.2)
        arrow(ax, (0, 0), b, KEY, width=2.2)
        ax.text(
            *(np.array([2.35, 0.35]) if word == "aligned" else a * 1.22),
            "a",
            color=QUERY,
            ha="center",
            va="center",
            fontsize=12,
            fontweight="bold",
        )
        ax.text(
            *(np.array([1.6, 1.5]) if word == "aligned" else np.array(b) * 1.22),
            "b",
            color="#9a6a00",
            ha="center",
            va="center",
            fontsize=12,
            fontweight="bold",
        )
        if word == "perpendicular":
            ax.plot(*(np.array([[2, 1], [1, 3], [-1, 2]]).T * 0.16), color="#555555", linewidth=1)
        ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=range(-2, 3), yticks=range(-2, 3))
        ax.tick_params(labelsize=7)
        first, second = a * b
        ax.set_title(f"{word}: a · b = {a @ b}".replace("-", "−"), fontsize=10)
        ax.set_xlabel(
            f"b = ({b[0]}, {b[1]}):  {first} {'+' if second >= 0 else '−'} {abs(second)} = {a @ b}".replace("-", "−"),
            fontsize=9,
        )
    drawn.suptitle(
        "Same lengths, other directions: the dot product says how much two vectors point the same way", fontsize=11
    )
    told = "; ".join(f"{word}, b = ({b[0]}, {b[1]}): a · b = {a @ b}" for word, b in pairs)
    alt = f"Four pairs of arrows of length {number(np.hypot(*a))} in the plane, a = (2, 1) in all of them: {told}."
    return describe(drawn, alt)


@figure
def sentence_similarity(tokens: Sequence[str], X: np.ndarray, features: Sequence[str]) -> Figure:
    """The vectors of a sentence beside the dot products of every pair of them."""
    drawn, axes = grid(1, 2, width=3.8, height=3.7)
    heatmap(
        X,
        rows=tokens,
        columns=features,
        title="Each word is\na row of numbers ...",
        ax=axes[0, 0],
        row_label="tokens",
        column_label="features",
    )
    ax = heatmap(
        X @ X.T,
        rows=tokens,
        columns=tokens,
        title="... and meets every word: high\nwhere the two share features",
        ax=axes[0, 1],
    )
    ax.set(ylabel="token i", xlabel="token j")
    vectors = "; ".join(f"{token} {numbers(row)}" for token, row in zip(tokens, X))
    alt = (
        f"Left, the vectors of the words, with the features {joined(features)}: {vectors}. Right, a table of their dot "
        f"products. {matrix_told(X @ X.T, tokens, tokens, most=25)}"
    )
    return describe(drawn, alt)


@figure
def loud_and_alike(tokens: Sequence[str], X: np.ndarray) -> Figure:
    """Dot products beside cosines, with the pair that the lengths mislead framed."""
    length = np.sqrt((X * X).sum(axis=1))
    dots = X @ X.T
    cosines = dots / np.maximum(np.outer(length, length), 1e-300)
    i, j = tokens.index(language.told("tonight")), tokens.index(language.told("burger"))
    drawn, axes = grid(1, 2, width=3.9, height=3.6)
    left = heatmap(
        dots,
        rows=[f"{t}  (length {n:.2g})" for t, n in zip(tokens, length)],
        columns=tokens,
        title="Dot product: “tonight” likes “burger”\nas much as itself",
        ax=axes[0, 0],
    )
    right = heatmap(
        cosines,
        rows=tokens,
        columns=tokens,
        title="Cosine: the direction alone,\nat most 1",
        ax=axes[0, 1],
        limits=(0, 1),
    )
    for ax in (left, right):
        frame(ax, i, i, 1, 1)
        frame(ax, i, j, 1, 1)
    still = [token for token, n in zip(tokens, length) if n == 0]
    alt = (
        f"Words of the lengths {named(tokens, length)}. Left, their dot products: tonight has {number(dots[i, i])} "
        f"with itself and {number(dots[i, j])} with burger. Right, the cosines: tonight has {number(cosines[i, i])} "
        f"with itself and {number(cosines[i, j])} with burger."
    )
    if still:
        alt += f" The row and column of {joined(still)}, of length 0, are zeros in both."
    return describe(drawn, alt)
