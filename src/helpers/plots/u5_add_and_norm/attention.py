"""Which tokens a layer moves, and where its heads look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import COLOURS, describe, figure, grid, heatmap
from ..phrases import counted, looks

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def who_moves(tokens: Sequence[str]) -> Figure:
    """Which output tokens move when one input token is changed: in attention, and in a feed-forward network."""
    rng = np.random.default_rng(2)
    n, d = len(tokens), 8
    x = rng.normal(size=(n, d))
    W_q, W_k, W_v, W_1, W_2 = (rng.normal(size=(d, d)) / np.sqrt(d) for _ in range(5))

    def attention(x: np.ndarray) -> np.ndarray:
        scores = x @ W_q @ (x @ W_k).T / np.sqrt(d)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        attended: np.ndarray = weights / weights.sum(axis=-1, keepdims=True) @ x @ W_v
        return attended

    def network(x: np.ndarray) -> np.ndarray:
        passed: np.ndarray = np.maximum(x @ W_1, 0) @ W_2
        return passed

    drawn, axes = grid(1, 2, width=4.3, height=3.5)
    others = rng.normal(size=(n, d))
    layers = (
        (attention, "attention: every token hears of it"),
        (network, "feed forward: each token for itself"),
    )
    distances = [np.array([_moved(layer, x, i, others[i]) for i in range(n)]) for layer, _ in layers]
    top = max(float(moved.max(initial=0)) for moved in distances)
    told = []
    for ax, (_, title), moved in zip(axes[0], layers, distances):
        heatmap(
            moved,
            tokens,
            tokens,
            title,
            ax,
            row_label="input token that was changed",
            column_label="output token: how far it moved",
            limits=(0, top),
        )
        own = np.eye(n, dtype=bool)
        told.append(
            f"{title}. The token itself moves by {_range(moved[own])}, the other tokens by {_range(moved[~own])}."
        )
    return describe(
        drawn,
        f"Two grids, input token changed by output token moved, for '{' '.join(tokens)}'. {' '.join(told)}",
    )


def _moved(layer: Callable[[np.ndarray], np.ndarray], x: np.ndarray, i: int, token: np.ndarray) -> np.ndarray:
    """How far each output token moves when input token i becomes another."""
    other = x.copy()
    other[i] = token
    distance: np.ndarray = np.linalg.norm(layer(other) - layer(x), axis=-1)
    return distance


def _range(moved: np.ndarray[Any, Any]) -> str:
    """From the least to the largest of some distances, which may be none."""
    if not moved.size or moved.max() < 1e-9:
        return "0"
    return f"{moved.min():.2g} to {moved.max():.2g}"


@figure
def layer_maps(
    maps: Sequence[np.ndarray],
    rows: Sequence[str],
    columns: Sequence[str],
    titles: Sequence[str],
    outlined: Sequence[Sequence[int]],
) -> Figure:
    """Attention maps, layer by layer; the cell that should be found in each row has a frame.

    Args:
        maps: one (n, n) array for each layer.
        rows, columns: names of queries and keys.
        titles: what to see in each map.
        outlined: for each map the column to frame in each row.
    """
    from matplotlib.patches import Rectangle

    drawn, axes = grid(1, len(maps), width=4.2, height=3.8)
    told = []
    for ax, weights, title, places in zip(axes[0], maps, titles, outlined):
        heatmap(
            weights,
            rows,
            columns,
            title,
            ax,
            row_label="queries",
            column_label="keys",
            limits=(0, 1),
            numbers=False,
            slant=False,
        )
        right = sum(int(weights[row].argmax()) == column for row, column in enumerate(places))
        told.append(f"{title}: {looks(weights, rows, columns, most=6)}; {right} of {len(places)} in the frame.")
        for row, column in enumerate(places):
            ax.add_patch(
                Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, fill=False, edgecolor=COLOURS[5], linewidth=1.8)
            )
    drawn.colorbar(axes[0, 0].images[0], ax=axes, label="attention weight")
    return describe(
        drawn,
        f"{counted(len(maps), 'attention map')}, a row for each query, a column for each key, one cell of each row "
        f"framed. {' '.join(told)}",
    )
