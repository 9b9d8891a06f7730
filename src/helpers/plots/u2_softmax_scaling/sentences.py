"""Weights of a sentence, of the course's or of a typed one."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure, fonts, grid, heatmap, writable
from ..wording import distinct, joined, matrix_told
from .shares import BLUE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def attention(tokens: Sequence[str], weights: np.ndarray, output: np.ndarray, features: Sequence[str]) -> Figure:
    """The weights of a sentence with their row sums, and the outputs beside them."""
    drawn, axes = grid(1, 2, width=4.2, height=3.6)
    totals = [f"{total:.2f}" for total in weights.sum(axis=-1)]
    sums = sorted(set(totals))
    names = [f"{token}  (sum {total})" for token, total in zip(tokens, totals)]
    heatmap(
        weights,
        rows=names,
        columns=tokens,
        title="Weights: every query (row) shares out 1",
        ax=axes[0, 0],
        limits=(0, 1),
        row_label="queries",
        column_label="keys",
    )
    heatmap(
        output,
        rows=tokens,
        columns=features,
        title="Output: each word renewed\nas a mixture of the values",
        ax=axes[0, 1],
        column_label="features",
    )
    # The reader is asked for an output first: the text has the weights it comes from, and says where its numbers are.
    alt = (
        f"Left, the weights, a row for each query. {matrix_told(weights, tokens, tokens, most=25)} Each row sums to "
        f"{joined(sums) if len(sums) > 1 else sums[0]}. Right, the outputs: a row for each of {joined(tokens)}, a "
        f"column for each of {joined(features)}; every row is the mixture of the values by these weights. The cell "
        "`print(output.round(2))` reads the numbers out."
    )
    return describe(drawn, alt)


MOST_WORDS = 12


def typed(sentence: str) -> list[str]:
    """Return the first words of a sentence, as many as a figure has room for, in small letters, without punctuation."""
    return re.findall(r"\w+(?:['’]\w+)*", sentence.lower())[:MOST_WORDS]


def spelled(words: Sequence[str], d_model: int = 64) -> np.ndarray:
    """Vectors made of nothing but spelling: a word is the sum of its pieces.

    Every piece of three letters has a random direction, always the same: "cat" has the pieces "<ca", "cat" and "at>".
    All rows are equally long: a word's scaled score with itself is 2.5.

    Returns:
        (n, d_model).
    """
    X = np.zeros((len(words), d_model))
    for row, word in zip(X, words):
        framed = f"<{word}>"
        for start in range(len(framed) - 2):
            row += np.random.default_rng(zlib.crc32(framed[start : start + 3].encode())).normal(size=d_model)
    length = np.sqrt((X * X).sum(axis=-1, keepdims=True))
    vectors: np.ndarray = X * np.sqrt(2.5 * np.sqrt(d_model)) / np.where(length == 0, 1, length)
    return vectors


@figure
def reading(words: Sequence[str], weights: np.ndarray) -> Figure | str:
    """The weights of a typed sentence as a map and as lines, or a sentence that says why there is nothing to draw."""
    n = len(words)
    if not n:
        return "There is no word to read. Type a few into the box and press Enter."
    weights = np.asarray(weights, dtype=float)
    if weights.shape != (n, n):
        return f"For {n} words the weights should have the shape ({n}, {n}); yours have {weights.shape}."
    names = [writable(word) for word in words]
    drawn, axes = grid(1, 2, width=4.8, height=4.4)
    left, right = axes[0]
    heatmap(
        weights,
        names,
        names,
        f"weights of {n} word{'s' * (n > 1)}",
        left,
        row_label="queries",
        column_label="keys",
        limits=(0, 1),
        numbers=n <= 8,
        signed=False,
    )
    drawn.colorbar(left.images[0], ax=left, shrink=0.8, label="weight")
    for (i, j), weight in np.ndenumerate(weights):
        if weight > 0.05:
            right.plot([0, 1], [i, j], color=BLUE, linewidth=6 * weight, alpha=0.75, solid_capstyle="round")
    for row, name in enumerate(names):
        right.text(-0.06, row, name, ha="right", va="center", fontsize=10, fontfamily=fonts())
        right.text(1.06, row, name, ha="left", va="center", fontsize=10, fontfamily=fonts())
    for label in (*left.get_xticklabels(), *left.get_yticklabels()):
        label.set_fontfamily(fonts())
    right.set_xlim(-0.6, 1.6)
    right.set_ylim(n - 0.4, -0.6)
    right.axis("off")
    right.set_title("who looks (left) at whom (right); thick is much", fontsize=10)
    different = np.array([[word != other for other in words] for word in words])
    told = "There is nothing but this word to look at"
    if different.any():
        i, j = np.unravel_index(np.where(different, weights, -np.inf).argmax(), weights.shape)
        told = f"The strongest look at a different word: “{names[i]}” gives “{names[j]}” {weights[i, j]:.2f}"
    drawn.suptitle(
        told + (f"; no more than {n} words are read" if n == MOST_WORDS else ""), fontsize=11, fontfamily=fonts()
    )
    once = distinct(names)
    alt = f"The weights of {n} words, left as a map, right as lines from each word to those it looks at. {told}."
    return describe(drawn, f"{alt} {matrix_told(weights, once, once)}")
