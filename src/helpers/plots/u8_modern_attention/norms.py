"""Layer norm and RMS norm: what they keep, and how long they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure, grid
from ..phrases import counted
from .shapes import BLUE, GREY, PALE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def norm_clouds() -> Figure:
    """Tokens of width 2, far from the origin, before and after layer norm and RMS norm."""
    rng = np.random.default_rng(4)
    tokens = rng.normal(size=(60, 2)) * [1.1, 0.9] + [1.6, 0.6]
    centred = tokens - tokens.mean(axis=1, keepdims=True)
    layer = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True))
    root = tokens / np.sqrt((tokens**2).mean(axis=1, keepdims=True))
    drawn, axes = grid(1, 3, width=3.4, height=3.5)
    hue = np.arctan2(tokens[:, 1], tokens[:, 0])
    titles = ("60 tokens of width 2", "Layer norm: only two places left", "RMS norm: length goes, direction stays")
    for ax, points, title in zip(axes[0], (tokens, layer, root), titles):
        ax.axhline(0, color=PALE, linewidth=0.8)
        ax.axvline(0, color=PALE, linewidth=0.8)
        ax.scatter(points[:, 0], points[:, 1], c=hue, cmap="cividis", s=22, zorder=3, clip_on=False)
        ax.set_xlim(-2.2, 4.4) if points is tokens else ax.set_xlim(-1.9, 1.9)
        ax.set_ylim(-2.6, 4.0) if points is tokens else ax.set_ylim(-1.9, 1.9)
        ax.set_aspect("equal")
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("feature 0")
    axes[0, 0].set_ylabel("feature 1")
    return describe(
        drawn,
        "Sixty tokens as points in the plane, off the origin. After layer norm they fall on two points, (1, -1) and "
        "(-1, 1). After RMS norm they lie on a circle around the origin, each still in its old direction.",
    )


@figure
def norm_times(milliseconds: Mapping[str, float]) -> Figure:
    """One bar for each norm."""
    drawn, axes = grid(1, 1, width=6.2, height=1.9)
    ax = axes[0, 0]
    for row, value in enumerate(milliseconds.values()):
        ax.barh(row, value, color=(GREY, BLUE)[row % 2], height=0.6)
        ax.text(value, row, f" {value:.1f} ms", va="center", fontsize=9)
    ax.set_yticks(range(len(milliseconds)), list(milliseconds))
    ax.invert_yaxis()
    ax.set_xlim(0, max(milliseconds.values()) * 1.2)
    ax.set_xlabel("milliseconds for 2,048 tokens of width 1,024")
    quickest = min(milliseconds, key=milliseconds.__getitem__)
    ax.set_title(f"On this machine, just now, {quickest} is quicker", fontsize=10)
    told = ", ".join(f"{name} {value:.1f}" for name, value in milliseconds.items())
    return describe(
        drawn, f"{counted(len(milliseconds), 'bar')}, milliseconds for 2,048 tokens of width 1,024: {told}."
    )
