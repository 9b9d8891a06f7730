"""The loss while a model trains, and the digits that it gets wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from helpers import language

from ..core import describe, figure, grid
from .shapes import BLUE, draw_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def running_mean(losses: ArrayLike) -> np.ndarray:
    """A mean over a twentieth of the steps so far, half of them before and half after each step.

    So it lies in the middle of what it averages, and does not lag behind. Near both ends, where half of its steps are
    missing, there is none (NaN): cut short, it would end in the ups and downs of single steps.
    """
    losses = np.asarray(losses, dtype=float)
    half = len(losses) // 40
    total = np.cumsum(np.concatenate([[0.0], losses]))
    means = np.full(len(losses), np.nan)
    means[half : len(losses) - half] = (total[2 * half + 1 :] - total[: len(losses) - 2 * half]) / (2 * half + 1)
    return means


@figure
def loss_curve(losses: Sequence[float], steps: int) -> Figure:
    """The loss so far, on the width that the whole run will have."""
    drawn, axes = grid(1, 1, width=5.6, height=2.5)
    ax = axes[0, 0]
    ax.plot(np.arange(1, len(losses) + 1), losses, color=BLUE, alpha=0.3, linewidth=0.8, label="each step")
    ax.plot(np.arange(1, len(losses) + 1), running_mean(losses), color=BLUE, linewidth=1.8, label="running mean")
    ax.set(xlim=(0, steps), xlabel=language.word("step"), ylabel="loss")
    if np.isfinite(losses).all() and min(losses, default=0) > 0:
        ax.set_yscale("log")
        if max(losses) < 10 * min(losses):
            # Within one power of ten: the numbers themselves, not 2 × 10⁰.
            ax.yaxis.set_minor_formatter(lambda value, _: f"{value:g}")
            ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.grid(alpha=0.25)
    ax.legend(fontsize=8, loc="upper right")
    ax.set_title("Training loss", fontsize=10)
    last = losses[-1] if len(losses) else np.nan
    return describe(drawn, f"The training loss against the step, after {len(losses)} of {steps} steps: {last:.4f}.")


@figure
def misread(images: np.ndarray, labels: np.ndarray, guesses: np.ndarray) -> Figure | None:
    """The first held-out digits that the model gets wrong."""
    wrong = np.flatnonzero(labels != guesses)[:10]
    if not len(wrong):
        return None
    drawn, axes = grid(1, max(len(wrong), 5), width=1.0, height=1.6)
    for ax in axes[0]:
        ax.axis("off")
    for ax, place in zip(axes[0], wrong):
        ax.axis("on")
        draw_picture(ax, images[place])
        ax.set_title(f"is a {labels[place]},\nread as {guesses[place]}", fontsize=8)
    missed = int((labels != guesses).sum())
    told = ", ".join(f"a {labels[place]} read as {guesses[place]}" for place in wrong)
    return describe(
        drawn,
        f"Held-out images that the model reads wrong, {len(wrong)} of {missed}, each with its label and what the model "
        f"takes it for: {told}.",
    )
