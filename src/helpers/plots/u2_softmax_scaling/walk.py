"""One word walked through the whole formula, with its numbers at every step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure, grid, heatmap
from ..wording import named, number, numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def one_word(
    tokens: Sequence[str], asking: int, Q: np.ndarray, K: np.ndarray, V: np.ndarray, features: Sequence[str]
) -> Figure:
    """Scores, scaled scores, weights and weighted values of one word, one column for each step.

    Args:
        tokens: n words.
        asking: the place of the word that asks.
        Q, K: (n, d_k).
        V: (n, d_v).
        features: names of the d_v columns.
    """
    n, d_k = K.shape
    word = tokens[asking]
    scores = K @ Q[asking]  # (n,)
    scaled = scores / np.sqrt(d_k)
    raised = np.exp(scaled - scaled.max())
    weights = raised / raised.sum()
    parts = weights[:, None] * V  # (n, d_v)
    output = parts.sum(axis=0)
    drawn, axes = grid(
        2, 4, width=2.2, height=2.3, gridspec_kw={"height_ratios": [n, 1], "width_ratios": [1, 1, 1, len(features)]}
    )
    steps = (
        (scores[:, None], f"1. scores:\nq of “{word}” · k"),
        (scaled[:, None], f"2. scaled:\nover √{d_k}"),
        (weights[:, None], "3. softmax:\nweights"),
        (parts, "4. each value\ntimes its weight"),
    )
    top = float(np.abs(parts).max(initial=0)) or 1.0
    for ax, (numbers_of_step, title) in zip(axes[0], steps):
        last = ax is axes[0, -1]
        limits = (0.0, 1.0) if numbers_of_step is steps[2][0] else (-top, top) if last and (V < 0).any() else None
        heatmap(numbers_of_step, tokens, None, title, ax, limits=limits)
        ax.set_xticks([])
        if ax is not axes[0, 0]:
            ax.set_yticks([])
    for ax in axes[1, :-1]:
        ax.axis("off")
    sum_told = axes[1, 2].text(1, 0.5, f"5. added up: the new “{word}”  →", ha="right", va="center", fontsize=11)
    sum_told.set_in_layout(False)  # it may reach over the empty places beside it
    heatmap(output[None], [""], features, "", axes[1, -1], slant=False)
    axes[1, -1].set_yticks([])
    drawn.suptitle(f"“{word}” walks through the whole formula, from the left to the right", fontsize=12)
    alt = (
        f"The word {word} in five steps. Scores: {named(tokens, scores)}. Over the root of {d_k}: {numbers(scaled)}. "
        f"Weights: {numbers(weights)}. Each value times its weight, for {', '.join(features)}: "
        f"{'; '.join(f'{token} {numbers(part)}' for token, part in zip(tokens, parts))}. Added up: "
        f"{', '.join(f'{name} {number(entry)}' for name, entry in zip(features, output))}."
    )
    return describe(drawn, alt)
