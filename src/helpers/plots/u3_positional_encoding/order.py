"""Sentences whose order is lost, and the words in their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure, grid, heatmap
from ..wording import joined, number, numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _twins(matrix: np.ndarray, words: Sequence[str]) -> str:
    """Whether the rows of a word that comes more than once are equal, and if not, how far apart they are."""
    told = []
    for word in dict.fromkeys(words):
        rows = matrix[[place for place, other in enumerate(words) if other == word]]
        if len(rows) > 1:
            most = np.abs(rows - rows[0]).max()
            told.append(f"the rows of “{word}” " + (f"differ by up to {number(most)}" if most > 1e-9 else "are equal"))
    return joined(told) or "no word comes twice"


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
    told = []
    for matrix, names, title in zip(matrices, words, titles):
        framed = "; ".join(numbers(row) for row, name in zip(matrix, names) if name == follow)
        told.append(f"“{' '.join(names)}”, called “{title}”: {framed}; {_twins(matrix, names)}.")
    alt = (
        f"{len(matrices)} sentences, a row of colours for each word. The numbers in the framed row of {follow}, and "
        f"what holds within the sentence. {' '.join(told)}"
    )
    return describe(drawn, alt)


@figure
def sum_of_word_and_place(X: np.ndarray, words: Sequence[str]) -> Figure:
    """Tokens, tokens times √d, positions, and the sum, all on one scale of colours."""
    n, width = X.shape
    column = np.arange(width)
    angles = np.outer(np.arange(n), 1e4 ** (-(column - column % 2) / width))
    places = np.where(column % 2, np.cos(angles), np.sin(angles))
    grown = np.sqrt(width) * X
    drawn, axes = grid(1, 4, width=2.4, height=2.5)
    parts = (
        (X, "X: faint"),
        (grown, f"√{width} · X"),
        (places, "+  P"),
        (grown + places, "=  words in their places"),
    )
    for ax, (part, title) in zip(axes[0], parts):
        of_places = ax is axes[0, 2]
        heatmap(
            part,
            rows=range(n) if of_places else words,
            title=title,
            ax=ax,
            signed=True,
            limits=(-2.5, 2.5),
            numbers=False,
            row_label="position" if of_places else "",
            column_label="entry",
        )
    drawn.colorbar(axes[0, 3].images[0], ax=axes, shrink=0.9)
    sizes = [number(np.abs(part).max()) for part, _ in parts]
    alt = (
        f"Four heat maps with one scale of colours, a row for each word of “{' '.join(words)}”. Largest entry without "
        f"its sign: {sizes[0]} in the words X, {sizes[1]} in X times the root of {width}, {sizes[2]} in the positions "
        f"0 to {n - 1}, {sizes[3]} in the sum of the last two. In X {_twins(X, words)}. In the "
        f"sum {_twins(grown + places, words)}."
    )
    return describe(drawn, alt)
