"""The array cut into heads and put together again, number by number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure
from .shapes import LIGHT, arrow, canvas, cells

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_FOUR = ("the", "cat", "sat", "down")


def _places() -> np.ndarray:
    """Token t, column c holds 10 t + c: every number tells where it came from."""
    return 10 * np.arange(4)[:, None] + np.arange(6)


def _row(values: np.ndarray) -> str:
    """Numbers as the cells write them."""
    return " ".join(f"{value:02.0f}" for value in values)


def _by_token(values: np.ndarray) -> Callable[[int, int], str]:
    """The colour of each cell: one for each token that a number belongs to."""
    return lambda i, j: LIGHT[int(values[i, j]) // 10]


@figure
def split_picture() -> Figure:
    """X (4, 6) cut in two heads: the array before, between and after."""
    X = _places()
    drawn, ax = canvas(24.5, 12, 0.39, "Two heads: first cut the width, then give each head its slice of all tokens")
    cells(ax, 1.6, 3.5, X, lambda i, j: LIGHT[j // 3], _FOUR, "X   (n, d) = (4, 6)")
    arrow(ax, (7.9, 5.5), (9.3, 5.5), "cut")
    cells(ax, 9.7, 3.5, X, lambda i, j: LIGHT[j // 3], (), "(n, h, d/h) = (4, 2, 3)", gap_after=3)
    arrow(ax, (16.4, 5.5), (18.3, 5.5), "exchange\nn and h")
    cells(ax, 20.4, 1, X[:, :3], lambda i, j: LIGHT[0], _FOUR, "head 0   (4, 3)")
    cells(ax, 20.4, 6.5, X[:, 3:], lambda i, j: LIGHT[1], _FOUR, "head 1   (4, 3)")
    ax.text(18.9, 11.6, "together (h, n, d/h) = (2, 4, 3)", fontsize=9.5, va="bottom")
    alt = (
        "An array of 4 tokens and 6 columns. Token t holds 10 t + c in column c. Columns 0 to 2 are blue, 3 to 5 "
        "orange. First a gap opens between the colours, shape (4, 2, 3); then the blue half becomes head 0 and the "
        f"orange half head 1, each (4, 3) with all four tokens. Row {_FOUR[2]} of head 1: {_row(X[2, 3:])}."
    )
    return describe(drawn, alt)


@figure
def bare_reshape() -> Figure:
    """The same array split rightly and by a bare reshape, coloured by the token a number belongs to."""
    X = _places()
    wrong = X.reshape(2, 4, 3)
    drawn, ax = canvas(22, 12.2, 0.45, "One colour is one token. A bare reshape puts other tokens' numbers into a row")
    cells(ax, 1.6, 4, X, _by_token(X), _FOUR, "X   (4, 6)")
    for x, halves, title in (
        (11, (X[:, :3], X[:, 3:]), "right: a row is one token"),
        (18, tuple(wrong), "X.reshape(2, 4, 3): rows are mixed up"),
    ):
        ax.text(x - 1.5, 0.55, title, fontsize=10, weight="bold")
        for head, values in enumerate(halves):
            cells(ax, x, 1.9 + 5.4 * head, values, _by_token(values), _FOUR, f"head {head}")
    alt = (
        "The array coloured by token. Split rightly, each row of each head has the colour of its own token: row "
        f"{_FOUR[1]} of head 0 is {_row(X[1, :3])}. After the bare reshape row {_FOUR[1]} of head 0 is "
        f"{_row(wrong[0, 1])}, the second half of {_FOUR[0]}, and head 0 has nothing of {_FOUR[2]} and {_FOUR[3]} at "
        "all."
    )
    return describe(drawn, alt)


@figure
def merge_picture() -> Figure:
    """Two heads merged rightly and by a bare reshape, coloured by token."""
    X = _places()
    heads = np.stack([X[:, :3], X[:, 3:]])
    drawn, ax = canvas(
        26.5, 11, 0.37, "Merging walks back: exchange first, then join. Joined at once, every row is two tokens"
    )
    for head in range(2):
        cells(ax, 1.6, 1.4 + 5 * head, heads[head], _by_token(heads[head]), _FOUR, f"head {head}")
    arrow(ax, (4.9, 5.8), (7, 4.2))
    ax.text(6.2, 6.2, "exchange h and n", fontsize=9, ha="left", va="center")
    cells(ax, 7.7, 1.4, X, _by_token(X), (), "(n, h, d/h) = (4, 2, 3)", gap_after=3)
    arrow(ax, (14.4, 3.4), (17.2, 3.4), "join the last two")
    cells(ax, 19.3, 1.4, X, _by_token(X), _FOUR, "right   (4, 6)")
    wrong = heads.reshape(4, 6)
    arrow(ax, (4.9, 7.6), (17.2, 8.6))
    ax.text(12, 7.9, "H.reshape(4, 6)", fontsize=9.5, family="monospace", ha="center", va="bottom")
    cells(ax, 19.3, 6.6, wrong, _by_token(wrong), _FOUR, "wrong   (4, 6): every row is mixed")
    alt = (
        "Two heads of 4 tokens and 3 columns, coloured by token. Exchanging heads and tokens and then joining the "
        f"last two axes gives back the array, each row in one colour; row {_FOUR[0]}: {_row(X[0])}. A reshape at once "
        f"gives rows of two colours; the first row: {_row(wrong[0])}."
    )
    return describe(drawn, alt)
