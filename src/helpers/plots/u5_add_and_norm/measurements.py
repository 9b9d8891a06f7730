"""What was measured by depth and while training: signal, gradients, loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure, grid
from ..phrases import counted
from ..wording import number
from .shapes import BLUE, GREEN, ORANGE, PINK

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def roads(measured: Mapping[str, Mapping[str, Sequence[float]]], title: str = "") -> Figure:
    """Signal, difference between tokens and gradients by depth, one line for each way of stacking.

    Args:
        measured: name of the way → {"signal", "apart", "gradient": one number for each depth from 0; "W_q": one for
            each layer}; "apart" is a share of the signal.
        title: what is shown.
    """
    panels = (
        ("signal", "Going up: how large is the signal?", "size of an entry", (1e-9, 1e9)),
        ("apart", "Going up: do the tokens stay different?", "how much of the size differs", (1e-9, 1e2)),
        ("gradient", "Coming down: how large is the gradient?", "size of an entry", (1e-9, 1e9)),
        ("W_q", "Coming down: does W_q of a layer learn?", "size of an entry of its gradient", (1e-9, 1e9)),
    )
    drawn, axes = grid(2, 2, width=4.6, height=3.0)
    drawn.suptitle(title, fontsize=11)
    for ax, (key, heading, label, limits) in zip(axes.flat, panels):
        for (name, values), colour, style in zip(measured.items(), (PINK, ORANGE, GREEN, BLUE), (":", "--", "-.", "-")):
            # What is below the panel, or exactly zero, runs along its lower edge and out of sight.
            shown = np.maximum(values[key], limits[0] / 100)
            ax.plot(
                range(len(shown)),
                shown,
                style,
                color=colour,
                linewidth=3 if style == ":" else 2.2,
                label=name,
            )
        ax.set_yscale("log")
        ax.set_ylim(*limits)
        ax.set_title(heading, fontsize=10)
        ax.set_xlabel("layer" if key == "W_q" else "layers below (0: the input)")
        ax.set_ylabel(label, fontsize=9)
        ax.grid(alpha=0.3)
    drawn.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=10
    )
    ways = "; ".join(
        f"{name}, signal {number(of['signal'][-1])}, apart {number(of['apart'][-1])}, "
        f"gradient {number(of['gradient'][0])}, W_q {number(np.median(of['W_q']))}"
        for name, of in measured.items()
    )
    layers = max((len(of["W_q"]) for of in measured.values()), default=0)
    about = f"{title}. " if title else ""
    return describe(
        drawn,
        f"{about}Four panels over the depth of {counted(layers, 'layer')}, on logarithmic axes, one line for each way "
        "of stacking. The signal and how much of it differs between tokens after the last layer, the gradient at the "
        f"input, and the median over the layers of W_q's gradient: {ways}.",
    )


@figure
def training_curves(curves: Mapping[str, Sequence[float]], title: str, chance: float) -> Figure:
    """Loss by step, one line each; `chance` is the loss of a model that has learned nothing."""
    drawn, axes = grid(1, 1, width=6.4, height=3.3)
    ax = axes[0, 0]
    # Blue is what has the free road: pre-norm, the second of two, and the complete layer, the first of more.
    looks = [(BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PINK, ":")]
    if len(curves) == 2:
        looks = looks[1::-1]
    for (name, losses), (colour, style) in zip(curves.items(), looks):
        ax.plot(losses, style, color=colour, linewidth=2, label=name)
    ax.axhline(chance, color="#888888", linewidth=1, linestyle=":")
    ax.text(len(losses) * 0.995, chance + 0.04, "guessing", ha="right", va="bottom", fontsize=8, color="#555555")
    ax.set_ylim(bottom=0)
    ax.set_xlabel("training step")
    ax.set_ylabel("loss (cross entropy)")
    ax.set_title(title, fontsize=10)
    ax.legend(frameon=False, fontsize=9, loc="center right", bbox_to_anchor=(1.0, 0.55))
    ax.grid(alpha=0.3)
    told = "; ".join(f"{name} {_fall(losses, chance)}" for name, losses in curves.items())
    return describe(drawn, f"{title}. Loss by training step; a dotted line at {chance:.2f} is guessing. {told}.")


def _fall(losses: Sequence[float], chance: float) -> str:
    """From where to where a loss goes, and when it is first half of what guessing has."""
    half = next((step for step, loss in enumerate(losses) if loss < chance / 2), None)
    below = "never below half of guessing" if half is None else f"below half of guessing from step {half} on"
    return f"from {losses[0]:.2f} to {losses[-1]:.2f} in {counted(len(losses), 'step')}, {below}"
