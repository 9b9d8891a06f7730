"""Queries and keys of a sentence: how they are made, one that asks, all that ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers import language

from ..core import describe, figure, grid, heatmap
from ..wording import joined, matrix_told, named, numbers
from .shapes import KEY, QUERY, TOKEN, VALUE, arrow, blank, box, frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def flow(tokens: Sequence[str], ids: Sequence[int]) -> Figure:
    """From words to ids to vectors to queries, keys and values: the same three matrices for every token."""
    drawn, axes = grid(1, 1, width=9.0, height=4.7)
    ax = axes[0, 0]
    step = 1.95
    blank(ax, 1.75 + step * len(tokens), 5.6)
    levels = {"words": 0.4, "ids": 1.3, "embedding": 2.45, "projections": 4.8}
    for name, y in levels.items():
        ax.text(0.1, y, name, va="center", fontsize=10, color="#555555", style="italic")
    for place, (token, number) in enumerate(zip(tokens, ids)):
        x = 2.45 + step * place
        box(ax, x, levels["words"], token, TOKEN, width=1.3)
        box(ax, x, levels["ids"], str(number), TOKEN, width=0.6)
        box(ax, x, levels["embedding"], f"$x_{place}$", TOKEN, width=0.8)
        arrow(ax, (x, 0.68), (x, 1.02))
        arrow(ax, (x, 1.58), (x, 2.17))
        for offset, letter, colour in ((-0.58, "q", QUERY), (0, "k", KEY), (0.58, "v", VALUE)):
            arrow(ax, (x + 0.4 * offset, 2.73), (x + offset, 4.5), colour, width=1.5)
            box(ax, x + offset, levels["projections"], f"${letter}_{place}$", colour, width=0.5)
            if place == 0:
                ax.text(
                    x + 0.76 * offset - 0.04,
                    3.62,
                    f"$W_{letter}$",
                    ha="center",
                    va="center",
                    fontsize=10,
                    backgroundcolor="white",
                    zorder=4,
                )
    ax.text(0.1, 3.62, "times", va="center", fontsize=10, color="#555555", style="italic")
    ax.set_title("Every token gets a query, a key and a value, by the same three matrices", fontsize=12)
    alt = (
        f"For each of the {len(tokens)} words, from the bottom up: the word, its id, its embedding x, and three arrows "
        f"labelled W_q, W_k and W_v to its query, key and value. The words with their ids: {named(tokens, ids)}."
    )
    return describe(drawn, alt)


@figure
def one_asks(tokens: Sequence[str], asking: int, Q: np.ndarray, K: np.ndarray) -> Figure:
    """One token's query meets the keys of all tokens, its own too."""
    scores = [float(Q[asking] @ key) for key in K]
    drawn, axes = grid(1, 1, width=9.0, height=3.9)
    ax = axes[0, 0]
    step = 1.9
    blank(ax, step * len(tokens), 4.6)
    centre = step * (asking + 0.5)
    box(ax, centre, 3.9, f"query of “{tokens[asking]}”", QUERY, width=2.3, height=0.6, size=11)
    top = max(scores)
    for place, (token, score) in enumerate(zip(tokens, scores)):
        x = step * (place + 0.5)
        box(ax, x, 1.35, f"$k_{place}$", KEY, width=0.7)
        ax.text(
            x, 0.8, token, ha="center", va="center", fontsize=11, fontweight="bold" if place == asking else "normal"
        )
        arrow(
            ax,
            (centre + 0.3 * (place - asking), 3.57),
            (x, 1.63),
            QUERY if score > 0 else "#aaaaaa",
            width=0.9 + 2.6 * max(score, 0) / max(top, 1),
        )
        where = 0.42
        ax.text(
            x + where * (centre + 0.3 * (place - asking) - x),
            1.63 + where * 1.94,
            f"{score:g}".replace("-", "−"),
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold" if score == top else "normal",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            zorder=4,
        )
    ax.text(
        step * len(tokens) / 2,
        0.2,
        f"scores α = q · k: whoever is to be renewed asks, here “{tokens[asking]}”; "
        f"all answer, also “{tokens[asking]}” itself",
        ha="center",
        fontsize=10,
    )
    ax.set_title(f"“{tokens[asking]}” asks, and every key answers", fontsize=12)
    names = [f"{token} itself" if place == asking else token for place, token in enumerate(tokens)]
    alt = (
        f"The query of {tokens[asking]} sends an arrow to the key of each word; the higher the score, the wider the "
        f"arrow. Scores: {named(names, scores)}."
    )
    return describe(drawn, alt)


@figure
def all_pairs(
    tokens: Sequence[str], Q: np.ndarray, K: np.ndarray, entries: Sequence[str], asking: int, answering: int
) -> Figure:
    """Queries, keys on their side, and the matrix of all scores, with one row, one column and their cell framed."""
    n, d = Q.shape
    drawn, axes = grid(1, 3, width=3.1, height=3.5, width_ratios=[d + 1.2, n, n])
    left = heatmap(Q, rows=tokens, columns=entries, title="queries Q", ax=axes[0, 0], signed=True, row_label="who asks")
    middle = heatmap(
        K.T, rows=entries, columns=tokens, title="times keys on their side, Kᵀ", ax=axes[0, 1], signed=True
    )
    right = heatmap(
        Q @ K.T,
        rows=tokens,
        columns=tokens,
        title="= every query against every key",
        ax=axes[0, 2],
        signed=True,
        column_label="who answers",
    )
    frame(left, asking, 0, 1, d)
    frame(middle, 0, answering, d, 1)
    frame(right, asking, answering, 1, 1)
    sum_told = " + ".join(f"{a:g}·{b:g}" for a, b in zip(Q[asking], K[answering]))
    meeting = f"row “{tokens[asking]}” meets column “{tokens[answering]}”"
    told = f"{meeting}: {sum_told} = {Q[asking] @ K[answering]:g}"
    drawn.suptitle(f"{n} queries and {n} keys: {n} × {n} scores from one product;  {told}", fontsize=11)
    alt = (
        f"The {n} queries, {n} by {d} with the columns {joined(entries)}, times the keys on their side, {d} by {n}, "
        f"give {n} by {n} scores. Framed: {told}. All scores, a row for each query. "
        f"{matrix_told(Q @ K.T, tokens, tokens, most=25)}"
    )
    return describe(drawn, alt)


@figure
def design(tokens: Sequence[str], S: np.ndarray) -> Figure:
    """The scores of a designed pair of projections, and whether *sleep* finds *cat* and *cat* does not seek *sleep*."""
    S = np.asarray(S, dtype=float)
    sleep, cat = tokens.index(language.told("sleep")), tokens.index(language.told("cat"))
    others = np.delete(S[sleep], cat)
    wishes = {
        "“sleep” finds “cat” before all others": bool(S[sleep, cat] > others.max()),
        "“cat” does not look for “sleep”": bool(S[cat, sleep] <= 0),
    }
    told = [f"{'✓' if holds else '✗'} {wish}" for wish, holds in wishes.items()]
    drawn, axes = grid(1, 1, width=5.0, height=3.4)
    ax = heatmap(S, tokens, tokens, ax=axes[0, 0], signed=True, row_label="who asks", column_label="who answers")
    # Each wish stands above in the colour of the frame around its score.
    for height, wish, (asks, answers), colour in zip(
        (1.13, 1.03), told, ((sleep, cat), (cat, sleep)), ("#b84d00", "#555555"), strict=True
    ):
        ax.text(0.5, height, wish, ha="center", va="bottom", fontsize=10, color=colour, transform=ax.transAxes)
        frame(ax, asks, answers, 1, 1, colour)
    return describe(
        drawn, f"Scores of the designed projections. {'; '.join(told)}. {matrix_told(S, tokens, tokens, most=25)}"
    )


@figure
def scores(tokens: Sequence[str], S: np.ndarray) -> Figure:
    """The scores of a sentence with itself."""
    drawn, axes = grid(1, 1, width=4.6, height=3.6)
    heatmap(
        S,
        rows=tokens,
        columns=tokens,
        title="Scores from your own project and attention_scores",
        ax=axes[0, 0],
        signed=True,
        row_label="who asks",
        column_label="who answers",
    )
    alt = f"Scores computed by the functions of this notebook. {matrix_told(S, tokens, tokens, most=25)}"
    return describe(drawn, alt)


@figure
def one_or_two_projections(tokens: Sequence[str], Q: np.ndarray, K: np.ndarray) -> Figure:
    """Scores when the queries serve as keys too, beside those with keys of their own."""
    drawn, axes = grid(1, 2, width=4.0, height=3.6)
    heatmap(
        Q @ Q.T,
        rows=tokens,
        columns=tokens,
        title="One projection for both: Q Qᵀ",
        ax=axes[0, 0],
        signed=True,
        row_label="who asks",
        column_label="who answers",
    )
    heatmap(
        Q @ K.T,
        rows=tokens,
        columns=tokens,
        title="Two projections: Q Kᵀ",
        ax=axes[0, 1],
        signed=True,
        row_label="who asks",
        column_label="who answers",
    )
    # The reader is asked to compare the two: here is every number, and no word on what they have in common.
    order = f"Two tables of scores, each row in the order {', '.join(tokens)}."
    one, two = ("; ".join(f"{t} asks {numbers(row)}" for t, row in zip(tokens, S)) for S in (Q @ Q.T, Q @ K.T))
    return describe(drawn, f"{order} Left, the queries serve as keys too: {one}. Right, keys of their own: {two}.")
