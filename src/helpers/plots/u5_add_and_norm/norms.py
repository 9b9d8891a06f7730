"""Layer norm step by step, beside batch norm, and after a sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..core import COLOURS, describe, figure, grid, heatmap
from ..wording import number, numbers
from .shapes import NEGATIVE, POSITIVE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def _bars(ax: Axes, values: np.ndarray, low: float, high: float) -> None:
    """One bar for each feature, with its number."""
    ax.bar(range(len(values)), values, color=[POSITIVE if v >= 0 else NEGATIVE for v in values], width=0.7)
    ax.axhline(0, color="#444444", linewidth=0.8)
    ax.set_ylim(low, high)
    for i, v in enumerate(values):
        ax.text(
            i,
            v + (0.018 if v >= 0 else -0.018) * (high - low),
            f"{v:.3g}" if abs(v) > 1e-12 else "0",
            ha="center",
            va="bottom" if v >= 0 else "top",
            fontsize=9,
        )
    ax.set_xticks(range(len(values)))
    ax.set_xlabel("feature")


@figure
def norm_steps(x: ArrayLike, gamma: ArrayLike, beta: ArrayLike) -> Figure:
    """Layer norm of one token as four rows of bars."""
    x, gamma, beta = (np.asarray(a, dtype=float) for a in (x, gamma, beta))
    centred = x - x.mean()
    unit = centred / np.sqrt((centred**2).mean())
    steps = (
        (x, f"1  the token\nmean {x.mean():g}"),
        (centred, f"2  minus its mean\nspread {np.sqrt((centred**2).mean()):g}"),
        (unit, "3  divided by its spread\nmean 0, variance 1"),
        (gamma * unit + beta, "4  times γ, plus β\nwhat the model prefers"),
    )
    drawn, axes = grid(1, 4, width=2.3, height=2.7)
    for ax, (values, title), limit in zip(axes[0], steps, (13.5, 13.5, 4.4, 4.4)):
        _bars(ax, values, -limit * 0.72, limit * 1.08)
        ax.set_title(title, fontsize=9.5)
    return describe(
        drawn,
        f"Four bar charts of the token ({numbers(x)}): as it is; minus its mean {number(x.mean())}, which gives "
        f"{numbers(centred)}; divided by its spread {number(np.sqrt((centred**2).mean()))}, which gives "
        f"{numbers(unit)}; times gamma ({numbers(gamma)}) plus beta ({numbers(beta)}), which gives "
        f"{numbers(gamma * unit + beta)}.",
    )


@figure
def norm_forgets(scale: float, shift: float) -> Figure:
    """One token times a scale plus a shift, before and after its norm. For `plots.explore`."""
    token = np.array([1.5, -1.0, 2.0, 0.0, 1.0])
    moved = scale * token + shift
    centred = moved - moved.mean()
    unit = centred / np.sqrt((centred**2).mean() + 1e-5)
    drawn, axes = grid(1, 2, width=3.6, height=2.6)
    panels = (
        (moved, f"the token, times {scale:g}, plus {shift:g}", (-10, 13)),
        (unit, "after layer norm (γ = 1, β = 0)", (-2.6, 2.6)),
    )
    for ax, (values, title, limits) in zip(axes[0], panels):
        _bars(ax, values, *limits)
        ax.set_title(title, fontsize=10)
    return describe(
        drawn,
        f"Two bar charts of five features. Left, the token, times {scale:g}, plus {shift:g}: {numbers(moved)}. "
        f"Right, the same after layer norm: {numbers(unit.round(2) + 0.0)}.",
    )


@figure
def averaged_together() -> Figure:
    """Two sentences of three tokens with four features: which numbers share a mean in layer norm and in batch norm."""
    values = np.array([[[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8]], [[9, 7, 9, 3], [2, 3, 8, 4], [6, 2, 6, 4]]])
    names = (("the", "cat", "sat"), ("we", "eat", "out"))
    drawn, axes = grid(2, 2, width=3.5, height=1.9)
    for column, title in enumerate(("layer norm: one token, all its features", "batch norm: one feature, all tokens")):
        for row in range(2):
            ax = axes[row, column]
            for i in range(3):
                for j in range(4):
                    group = 3 * row + i if column == 0 else j
                    ax.fill_between([j - 0.5, j + 0.5], i - 0.5, i + 0.5, color=COLOURS[group], alpha=0.55, linewidth=0)
                    ax.text(j, i, values[row, i, j], ha="center", va="center", fontsize=10)
            if column == 0:
                ax.hlines(np.arange(-0.5, 3), -0.5, 3.5, color="white", linewidth=4)
            else:
                ax.vlines(np.arange(-0.5, 4), -0.5, 2.5, color="white", linewidth=4)
            ax.set_xlim(-0.5, 3.5)
            ax.set_ylim(2.5, -0.5)
            ax.set_yticks(range(3), names[row])
            ax.set_xticks(range(4), [f"feature {j}" for j in range(4)] if row else [""] * 4, fontsize=8)
            ax.tick_params(length=0)
            for spine in ax.spines.values():
                spine.set_visible(False)
            if row == 0:
                ax.set_title(title, fontsize=10)
            if column == 0:
                ax.set_ylabel(f"sentence {row}")
    return describe(
        drawn,
        "One array twice: two sentences of three tokens with four features. On the left, layer norm, each row has a "
        "colour of its own: every token is averaged over its features. On the right, batch norm, each column has one "
        "colour in both sentences: every feature is averaged over all tokens of both.",
    )


@figure
def sum_then_norm(tokens: Sequence[str]) -> Figure:
    """x, the sublayer's output, their sum and its norm, side by side on one sentence."""
    rng = np.random.default_rng(5)
    # One decimal is all that a cell shows, so that who adds two cells finds the third.
    x = (rng.normal(size=(len(tokens), 4)) * 2 + rng.normal(size=(len(tokens), 1))).round(1)
    s = rng.normal(size=(len(tokens), 4)).round(1)
    total = (x + s).round(1)
    centred = total - total.mean(-1, keepdims=True)
    unit = centred / np.sqrt((centred**2).mean(-1, keepdims=True))
    drawn, axes = grid(1, 4, width=2.35, height=2.7)
    titles = ("x, on the residual road", "sublayer(x)", "the sum", "its norm (γ = 1, β = 0)")
    for ax, matrix, title in zip(axes[0], (x, s, total, unit), titles):
        heatmap(
            matrix.round(1) + 0.0,
            rows=tokens if ax is axes[0, 0] else [""] * len(tokens),
            title=title,
            ax=ax,
            signed=True,
            column_label="feature",
            limits=(-5, 5),
        )
    rows = [("x", x), ("the sublayer", s), ("their sum", total), ("its norm", unit)]
    first = "; ".join(f"{name} {numbers(matrix[0].round(1) + 0.0)}" for name, matrix in rows)
    return describe(
        drawn,
        f"Four arrays with a row for each word of '{' '.join(tokens)}': x on the residual road, the output of a "
        "sublayer, their sum, and the norm of the sum, whose rows all have mean 0 and variance 1. "
        f"The row of '{tokens[0]}': {first}.",
    )
