"""From the decoder's output to the next word: teacher forcing, logits, surprise, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..core import COLOURS, describe, figure, grid, heatmap
from ..phrases import counted, first_of
from ..wording import named, numbers
from .shapes import BLUE, GREEN, GREY, ORANGE, draw_arrow, draw_box, set_canvas, softmax

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def teacher_forcing(inputs: Sequence[str], targets: Sequence[str]) -> Figure:
    """Input and target of the decoder place by place, and the shift that makes one of the other."""
    n = len(targets)
    drawn, axes = grid(1, 1, width=1.35 * n + 2.2, height=2.9)
    ax = axes[0, 0]
    set_canvas(ax, n + 1.5, 3.1)
    for y, label in ((2.55, "target: to be predicted"), (1.55, "the decoder"), (0.55, "input: read")):
        ax.text(1.35, y, label, ha="right", va="center", fontsize=9)
    for j in range(n):
        x = j + 2
        draw_box(ax, x, 2.55, targets[j], GREEN, 0.84, 0.46, 9)
        draw_box(ax, x, 0.55, inputs[j], ORANGE if j == 0 else GREEN, 0.84, 0.46, 9, bold=j == 0)
        draw_arrow(ax, (x, 0.8), (x, 2.3), GREY, 1.4)
        if j < n - 1:
            ax.plot([x + 0.18, x + 0.82], [2.3, 0.8], color=GREEN, linewidth=1.2, linestyle=":")
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((1.5, 1.3), n, 0.5, facecolor="white", edgecolor=BLUE, linewidth=1.3, zorder=3))
    ax.text(
        1.5 + n / 2,
        1.55,
        "place i may look at inputs 0 ... i",
        ha="center",
        va="center",
        fontsize=9,
        color=BLUE,
        zorder=4,
    )
    ax.set_xlim(-0.3, n + 1.6)
    ax.set_title(
        "Each target is also what the next place reads (dotted), so all places are trained at once", fontsize=10
    )
    return describe(
        drawn,
        f"The {n} places of the decoder with their inputs below, '{' '.join(inputs)}', and their targets above, "
        f"'{' '.join(targets)}'. Dotted lines lead from each target to the input of the next place.",
    )


@figure
def final_layer(x: np.ndarray, W: np.ndarray, words: Sequence[str]) -> Figure:
    """One decoder output, the final linear layer, the logits and the probabilities of the vocabulary."""
    logits = x @ W
    top = float(max(np.abs(x).max(), np.abs(W).max()))
    drawn, axes = grid(
        3, 2, width=3.6, height=1.5, gridspec_kw={"height_ratios": [len(x), 1.1, 1.1], "width_ratios": [0.2, 1]}
    )
    heatmap(
        x[:, None],
        title="x, written\nas a column",
        ax=axes[0, 0],
        columns=[""],
        row_label="feature",
        signed=True,
        limits=(-top, top),
    )
    heatmap(
        W,
        columns=[""] * len(words),
        title="W of the final linear layer: one column for each word",
        ax=axes[0, 1],
        signed=True,
        limits=(-top, top),
    )
    heatmap(
        logits[None],
        columns=[""] * len(words),
        rows=[""],
        title="logits = x W: one score for each word",
        ax=axes[1, 1],
        signed=True,
    )
    heatmap(
        softmax(logits)[None],
        columns=words,
        rows=[""],
        title="softmax: one probability for each word",
        ax=axes[2, 1],
        limits=(0, 1),
        signed=False,
    )
    for ax in (axes[1, 0], axes[2, 0]):
        ax.axis("off")
    for ax in axes.flat:
        ax.tick_params(length=0)
    return describe(
        drawn,
        f"A decoder output of {counted(len(x), 'number')}, {numbers(x)}, the final linear layer as a {W.shape[0]} by "
        f"{W.shape[1]} table with a column for each word, below it the logits, {named(words, logits)}, and below those "
        f"the softmax probabilities, {named(words, softmax(logits))}.",
    )


@figure
def surprise(words: Sequence[str], logits: ArrayLike, right: int) -> Figure:
    """Logits, probabilities, and the surprise at the right word on the curve -log p."""
    logits = np.asarray(logits, dtype=float)
    p = softmax(logits)
    drawn, axes = grid(1, 3, width=3.1, height=2.9)
    colours = [GREEN if j == right else "#9FB8CC" for j in range(len(words))]
    for ax, values, title in ((axes[0, 0], logits, "1  logits"), (axes[0, 1], p, "2  softmax: probabilities")):
        ax.bar(range(len(words)), values, color=colours)
        span = values.max() - min(values.min(), 0)
        for j, value in enumerate(values):
            ax.text(
                j, max(value, 0) + 0.02 * span, f"{value:.2f}".replace("-", "−"), ha="center", va="bottom", fontsize=8
            )
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set_ylim(top=values.max() + 0.15 * span)
        ax.set_title(title, fontsize=10)
        ax.set_xticks(range(len(words)), words, fontsize=8, rotation=45, ha="right", rotation_mode="anchor")
    ax = axes[0, 2]
    line = np.linspace(0.01, 1, 200)
    ax.plot(line, -np.log(line), color=BLUE, linewidth=2)
    ax.plot(p[right], -np.log(p[right]), "o", color=GREEN, markersize=9)
    ax.annotate(
        f"{words[right]}: p = {p[right]:.2f}\n−log p = {-np.log(p[right]):.2f}",
        (p[right], -np.log(p[right])),
        (0.36, 2.3),
        fontsize=9,
        arrowprops={"arrowstyle": "-", "color": GREY},
    )
    ax.set(xlabel="probability of the right word", ylabel="surprise −log p", ylim=(0, 4.7))
    ax.set_title("3  the less probable, the more surprising", fontsize=10)
    return describe(
        drawn,
        f"Bar charts of the logits, {named(words, logits)}, and of the probabilities, {named(words, p)}, with the "
        f"right word '{words[right]}' in green. Beside them the curve of the surprise, minus log p: it is 0 at p = 1 "
        f"and grows without limit towards p = 0; '{words[right]}' lies at {-np.log(p[right]):.2f}.",
    )


@figure
def steps(
    prefixes: Sequence[Sequence[str]], probabilities: Sequence[np.ndarray], words: Sequence[str], title: str
) -> Figure:
    """The distribution of the next word at each step, with the word that is taken in another colour.

    Args:
        prefixes: for each step the words that the model has read.
        probabilities: for each step the probability of every word (vocab,).
        words: the vocabulary.
        title: what to see.
    """
    columns = max(len(prefixes), 1)
    drawn, axes = grid(1, columns, width=max(1.95, 5.0 / columns), height=3.0, sharey=True, sharex=True)
    for number, (ax, prefix, p) in enumerate(zip(axes[0], prefixes, probabilities)):
        best = int(np.argmax(p))
        ax.barh(range(len(words)), p, color=[COLOURS[5] if j == best else "#9FB8CC" for j in range(len(words))])
        for j, value in enumerate(p):
            ax.text(
                value + 0.02, j, f"{value:.2f}", va="center", fontsize=7.5, fontweight="bold" if j == best else "normal"
            )
        ax.set_yticks(range(len(words)), words, fontsize=9)
        ax.set(xlim=(0, 1.22), xticks=[0, 0.5, 1])
        half = len(prefix) if len(prefix) <= 3 else (len(prefix) + 1) // 2
        read = " ".join(prefix[:half]) + "\n" * (half < len(prefix)) + " ".join(prefix[half:])
        ax.set_title(f"step {number}, reads:\n{read}" + ("" if "\n" in read else "\n"), fontsize=8.5)
        ax.set_xlabel(f"takes “{words[best]}”", fontsize=9, color=COLOURS[5], fontweight="bold")
    axes[0, 0].invert_yaxis()
    axes[0, 0].set_ylabel("next word")
    drawn.suptitle(title, fontsize=10.5)
    told = [
        f"after '{' '.join(prefix[-6:])}' {words[int(np.argmax(p))]} {np.max(p):.2f}"
        for prefix, p in zip(prefixes, probabilities)
    ]
    return describe(
        drawn,
        f"{title}. {counted(len(told), 'bar chart')} of the probabilities of the next word. "
        f"The most probable one, which is taken: {first_of(told) or 'none yet'}.",
    )
