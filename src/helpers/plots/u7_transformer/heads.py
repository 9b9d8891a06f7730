"""Attention over an image: what each head looks at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure, grid
from ..phrases import first_of
from .shapes import BLUE, draw_picture, outline

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def heads_on_digit(image: np.ndarray, weights: np.ndarray, row: int, title: str) -> Figure:
    """What each head looks at when a row of an image asks: the rows are tinted by their weights.

    Args:
        image: (8, 8).
        weights: (heads, n, n); with a ninth token in front, as a learned summary, the image's rows are the last eight.
        row: the row that asks.
        title: what is shown.
    """
    heads = len(weights)
    drawn, axes = grid(1, heads, width=2.35, height=2.7)
    for head, ax in enumerate(axes[0]):
        given = weights[head][-8:, -8:][row]
        draw_picture(ax, image)
        for key, weight in enumerate(given):
            ax.axhspan(
                key - 0.5,
                key + 0.5,
                color="#E66100",
                alpha=float(0.85 * min(1.0, weight / max(given.max(), 1e-9))),
                linewidth=0,
            )
            ax.text(7.75, key, f"{weight:.2f}", va="center", fontsize=8)
        ax.add_patch(outline(-0.5, row - 0.5, 8, 1, BLUE))
        ax.text(-0.75, row, "asks", ha="right", va="center", fontsize=8, color=BLUE)
        ax.set_title(f"head {head}", fontsize=10)
    drawn.suptitle(title, fontsize=11)
    most = first_of(
        f"head {head} at row {np.argmax(given)} with {given.max():.2f}"
        for head, given in enumerate(weights[:, -8:, -8:][:, row])
    )
    return describe(
        drawn,
        f"{title}. The image once for each head, row {row} framed in blue because it asks, all rows tinted by their "
        f"weight. It looks most: {most}.",
    )


@figure
def heads_received(image: np.ndarray, layers: Mapping[str, np.ndarray], title: str) -> Figure:
    """For each head of each layer, the image with its rows tinted by the attention that all rows together give them."""
    heads = max(len(weights) for weights in layers.values())
    drawn, axes = grid(len(layers), heads, width=1.75, height=1.95)
    for row_of_axes, (_, weights), layer in zip(axes, layers.items(), range(len(layers))):
        for head, ax in enumerate(row_of_axes):
            if head >= len(weights):
                ax.axis("off")
                continue
            received = weights[head][-8:, -8:].mean(axis=0)
            draw_picture(ax, image)
            for key, weight in enumerate(received):
                ax.axhspan(
                    key - 0.5,
                    key + 0.5,
                    color="#E66100",
                    alpha=float(0.85 * weight / max(received.max(), 1e-9)),
                    linewidth=0,
                )
                ax.text(7.7, key, f"{weight:.2f}", va="center", fontsize=7)
            ax.set_title(f"layer {layer}, head {head}", fontsize=9)
    drawn.suptitle(title, fontsize=11)
    most = [
        f"layer {layer}, head {head}: row {np.argmax(received)} with {received.max():.2f}"
        for layer, weights in enumerate(layers.values())
        for head, received in enumerate(weights[:, -8:, -8:].mean(axis=1))
    ]
    return describe(
        drawn,
        f"{title}. One panel for each head of each layer: the image with its rows tinted by the attention that they "
        f"receive. Looked at most: {first_of(most, joint='; ')}.",
    )
