"""The whole layer: its flow chart, its masks, and its weights as torch packs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core import COLOURS, describe, figure, grid, heatmap
from ..wording import joined, numbers
from .shapes import LIGHT, arrow, box, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def flow_chart(d_model: int = 512, n_heads: int = 8) -> Figure:
    """Multi-head attention from the three inputs up to the output, with the shape on every arrow."""
    d_k = d_model // n_heads
    drawn, ax = canvas(
        22, 23.5, 0.36, f"Multi-head attention, read from the bottom up (d_model = {d_model}, h = {n_heads})"
    )
    columns = {"query": 4.0, "key": 10.0, "value": 16.0}
    n = {"query": "n_q", "key": "n_k", "value": "n_k"}
    for (name, x), letter in zip(columns.items(), "qkv"):
        ax.text(x, 22.9, name, ha="center", va="center", fontsize=11, weight="bold")
        arrow(ax, (x, 22.4), (x, 20.6))
        ax.text(x + 0.3, 21.5, f"({n[name]}, {d_model})", va="center", fontsize=9)
        box(ax, x, 19.8, 4.4, 1.4, f"Linear W_{letter}", LIGHT[0])
        arrow(ax, (x, 19.0), (x, 17.5))
        box(ax, x, 16.7, 4.4, 1.4, "split into heads", LIGHT[1], sheets=3)
        arrow(ax, (x, 15.3), (x, 13.4))
        ax.text(x + 0.3, 14.4, f"({n_heads}, {n[name]}, {d_k})", va="center", fontsize=9)
    box(
        ax,
        10,
        11.6,
        16.4,
        3.2,
        f"in every head:\nweights = softmax(Q Kᵀ / √{d_k}), with the mask\nweights · V",
        LIGHT[2],
        sheets=3,
        size=11,
    )
    ax.text(20.2, 12.5, "mask", ha="center", va="center", fontsize=9, weight="bold")
    ax.text(20.2, 13.3, "(…, n_q, n_k)", ha="center", va="center", fontsize=9)
    arrow(ax, (20.2, 12.1), (18.75, 11.3))
    arrow(ax, (10, 9.3), (10, 7.7))
    ax.text(10.3, 8.5, f"({n_heads}, n_q, {d_k})", va="center", fontsize=9)
    box(ax, 10, 6.9, 7.0, 1.4, "merge: side by side", LIGHT[1])
    arrow(ax, (10, 6.1), (10, 4.7))
    ax.text(10.3, 5.4, f"(n_q, {d_model})", va="center", fontsize=9)
    box(ax, 10, 3.9, 7.0, 1.4, "Linear W_o", LIGHT[0])
    arrow(ax, (10, 3.1), (10, 1.5))
    ax.text(10.3, 2.3, f"(n_q, {d_model})", va="center", fontsize=9)
    ax.text(10, 0.9, "output", ha="center", va="center", fontsize=11, weight="bold")
    arrow(ax, (17.2, 9.4), (17.2, 7.7))
    ax.text(17.2, 6.9, f"weights\n({n_heads}, n_q, n_k)", ha="center", va="center", fontsize=10, weight="bold")
    alt = (
        f"Flow chart from bottom to top. Query (n_q, {d_model}), key and value (n_k, {d_model}) go through the linear "
        f"layers W_q, W_k, W_v and are split into heads ({n_heads}, n, {d_k}). In every head: softmax of Q K "
        f"transposed over the root of {d_k}, with the mask, times V. The results ({n_heads}, n_q, {d_k}) are merged to "
        f"(n_q, {d_model}) and go through the linear layer W_o to the output. The weights ({n_heads}, n_q, n_k) are "
        "the second result. The mask (…, n_q, n_k) comes in from the side."
    )
    return describe(drawn, alt)


@figure
def masks() -> Figure:
    """Three masks and the weights they leave: looking back only, padding, and a row that may see nothing."""
    words = ("we", "eat", "rice", "<pad>")
    scores = np.array([[1.0, 0.4, -0.3, 0.8], [0.2, 1.2, 0.9, 0.6], [-0.5, 0.8, 1.1, 0.3], [0.4, 0.1, 0.2, 0.9]])
    padding = np.tile([True, True, True, False], (4, 1))
    nothing = padding.copy()
    nothing[3] = False
    cases = (
        (np.tri(4, dtype=bool), "itself and what came before"),
        (padding, "no one sees the padding"),
        (nothing, "the last row sees nothing"),
    )
    drawn, axes = grid(2, 3, width=3.4, height=2.7)
    told = []
    for column, (mask, title) in enumerate(cases):
        heatmap(
            mask.astype(float),
            words,
            words,
            f"mask: {title}",
            axes[0, column],
            row_label="queries" if column == 0 else "",
            numbers=False,
            limits=(0, 1),
        )
        for (i, j), allowed in np.ndenumerate(mask):
            axes[0, column].text(
                j,
                i,
                "True" if allowed else "False",
                ha="center",
                va="center",
                fontsize=8,
                color="black" if allowed else "white",
            )
        e = np.exp(scores) * mask
        total = e.sum(axis=-1, keepdims=True)
        weights = e / np.where(total == 0, 1, total)
        seen = (joined([w for w, allowed in zip(words, row) if allowed]) for row in mask)
        told.append(
            f"{title.capitalize()}: "
            + "; ".join(f"{word} sees {keys or 'nothing'}" for word, keys in zip(words, seen))
            + f". The rows of its weights sum to {numbers(weights.sum(axis=-1))}."
        )
        heatmap(
            weights,
            words,
            words,
            "weights: rows sum to 1" + (", or to 0" if column == 2 else ""),
            axes[1, column],
            row_label="queries" if column == 0 else "",
            column_label="keys",
            limits=(0, 1),
        )
    alt = f"Three masks for “{' '.join(words)}” above the weights they leave. {' '.join(told)}"
    return describe(drawn, alt)


@figure
def stacked_weights() -> Figure:
    """`in_proj_weight` of torch's layer: three matrices below each other."""
    import torch
    from matplotlib.patches import Rectangle

    torch.manual_seed(4)
    state = torch.nn.MultiheadAttention(6, 2).state_dict()
    stack = state["in_proj_weight"].numpy()
    drawn, axes = grid(1, 2, width=3.0, height=5.0)
    limits = (-1.0, 1.0)
    heatmap(
        stack,
        None,
        None,
        "in_proj_weight (18, 6):\nthree matrices below each other",
        axes[0, 0],
        signed=True,
        numbers=False,
        limits=limits,
    )
    axes[0, 0].set_yticks([0, 5, 6, 11, 12, 17])
    for part, letter in enumerate("qkv"):
        axes[0, 0].add_patch(
            Rectangle((-0.45, 6 * part - 0.45), 5.9, 5.9, fill=False, edgecolor=COLOURS[part], linewidth=3)
        )
        axes[0, 0].text(
            6.0, 6 * part + 2.5, f"W_{letter}", va="center", fontsize=13, color=COLOURS[part], weight="bold"
        )
    heatmap(
        state["out_proj.weight"].numpy(),
        None,
        None,
        "out_proj.weight (6, 6):\nW_o, as it is",
        axes[0, 1],
        signed=True,
        numbers=False,
        limits=limits,
    )
    drawn.colorbar(axes[0, 1].images[0], ax=axes[0], shrink=0.6, label="weight")
    # The same number of rows, most of them empty, so that a cell is as large as on the left.
    axes[0, 1].set_ylim(17.5, -0.5)
    axes[0, 1].set_yticks(range(6))
    axes[0, 1].spines[:].set_visible(False)
    axes[0, 1].tick_params(axis="x", labeltop=True, labelbottom=False, top=False, bottom=False)
    for ax in axes[0]:
        ax.set_aspect("equal")
    width = stack.shape[1]
    parts = "; ".join(
        f"rows {width * i} to {width * i + width - 1} are framed and called W_{c}" for i, c in enumerate("qkv")
    )
    alt = (
        f"Left, in_proj_weight with {len(stack)} rows and {width} columns; {parts}. Right, out_proj.weight, {width} by "
        f"{width}, which is W_o as it is."
    )
    return describe(drawn, alt)
