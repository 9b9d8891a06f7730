"""One head or eight: what they compute, what they cost, and what it buys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..core import COLOURS, describe, figure, grid
from ..wording import number
from .example import FAVOURITES, example_layer, example_weights, small_map, softmax
from .shapes import LIGHT, arrow, box, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def costs(n: int = 50, d_model: int = 512) -> Figure:
    """One head of the full width against eight: parameters, multiplications, exponentials, memory, maps."""
    drawn, axes = grid(1, 5, width=1.95, height=3.0)
    products = 4 * n * d_model**2 + 2 * n * n * d_model
    bars: tuple[tuple[str, tuple[int, int], Callable[[int], str]], ...] = (
        (
            "parameters\nthe same",
            (4 * (d_model**2 + d_model), 4 * (d_model**2 + d_model)),
            lambda v: f"{v / 1e6:.2f} million",
        ),
        (f"multiplications,\nn = {n}: the same", (products, products), lambda v: f"{v / 1e6:.1f} million"),
        (f"exponentials,\nn = {n}: 8 times", (n * n, 8 * n * n), lambda v: f"{v:,}"),
        (f"memory of the maps,\nn = {n}: 8 times", (4 * n * n, 32 * n * n), lambda v: f"{v / 1000:,.0f} kB"),
        ("pictures of\na sentence: 8 times", (1, 8), str),
    )
    for ax, (title, values, written) in zip(axes[0], bars):
        ax.bar((f"1 × {d_model}", f"8 × {d_model // 8}"), values, color=COLOURS[:2], width=0.6)
        for place, value in enumerate(values):
            ax.text(place, value, written(value), ha="center", va="bottom", fontsize=8.5)
        ax.set_title(title, fontsize=10)
        ax.set_ylim(0, 1.18 * max(values))
        ax.set_yticks([])
        ax.spines[["top", "right", "left"]].set_visible(False)
    names = ("parameters", "multiplications", "exponentials", "memory of the maps", "pictures of a sentence")
    pairs = "; ".join(
        f"{name} {written(values[0])} and {written(values[1])}" for name, (_, values, written) in zip(names, bars)
    )
    alt = f"Five bar charts of one head of {d_model} beside eight of {d_model // 8}, for {n} tokens: {pairs}."
    return describe(drawn, alt)


@figure
def one_picture_or_eight() -> Figure:
    """The one map of a full-width head, which averages all wishes, over the eight maps of narrow heads."""
    _, X, (W_q, W_k, _, _) = example_layer()
    one = softmax((X @ W_q) @ (X @ W_k).T / np.sqrt(64))
    drawn, axes = grid(3, 3, width=2.95, height=2.35)
    maps = [
        (one, "1 × 64: one map,\nall wishes in one"),
        *((w, f"head {i}:\n{name}") for i, (w, name) in enumerate(zip(example_weights(), FAVOURITES))),
    ]
    for ax, (weights, title) in zip(axes.flat, maps):
        small_map(ax, weights, title)
    for spine in axes[0, 0].spines.values():
        spine.set(color=COLOURS[5], linewidth=2.5)
    drawn.colorbar(axes[0, 0].images[0], ax=axes, shrink=0.5, label="weight")
    drawn.suptitle(
        "Same X, same W_q, same W_k: one head adds up 64 products (framed), eight heads 8 products each", fontsize=11
    )
    told = "; ".join(f"head {i}, {name}" for i, name in enumerate(FAVOURITES))
    own = [number(np.diag(weights).mean()) for weights, _ in maps]
    alt = (
        f"Framed, one map of a head of width 64: a word gives itself {own[0]} on average, and faint traces go "
        f"everywhere else. The others, eight clear maps from the same numbers. {told}. On average a word "
        f"gives itself, in order: {', '.join(own[1:])}."
    )
    return describe(drawn, alt)


@figure
def side_by_side(d: int = 512, h: int = 8) -> Figure:
    """Self-attention and multi-head attention step by step: what each computes and what it costs."""
    drawn, ax = canvas(
        28,
        17.8,
        0.345,
        "The same steps and as many multiplications; only the attention itself is done h times in narrow slices",
    )
    for x, text in (
        (4.2, "self-attention, one head"),
        (13.6, f"multi-head attention, {h} heads"),
        (23.2, "multiplications, both alike"),
    ):
        ax.text(x, 0.7, text, ha="center", va="center", fontsize=11, weight="bold")
    steps = (
        (f"X  (n, {d})", f"X  (n, {d})", ""),
        (f"Q, K, V  (n, {d})", f"Q, K, V  (n, {d})", f"3 · n · {d} · {d}"),
        (None, f"split  ({h}, n, {d // h})", "none: numbers change places"),
        (
            f"softmax(Q Kᵀ / √{d})  (n, n)",
            f"softmax(Q Kᵀ / √{d // h})  ({h}, n, n)",
            f"n · n · {d}  =  {h} · n · n · {d // h}",
        ),
        (f"weights · V  (n, {d})", f"weights · V  ({h}, n, {d // h})", f"n · n · {d}  =  {h} · n · n · {d // h}"),
        (None, f"merge  (n, {d})", "none: numbers change places"),
        (f"W_o  (n, {d})", f"W_o  (n, {d})", f"n · {d} · {d}"),
    )
    colours = ("#eeeeee", LIGHT[0], LIGHT[1], LIGHT[2], LIGHT[2], LIGHT[1], LIGHT[0])
    for row, (one, many, cost) in enumerate(steps):
        y = 2.4 + 2.35 * row
        for x, step in ((4.2, one), (13.6, many)):
            sheets = 3 if x > 5 and 2 <= row <= 4 else 1
            if row:
                # Above a step that only the other side has, the arrow comes from further up.
                from_row = row - 2 if x < 5 and steps[row - 1][0] is None else row - 1
                if step is not None:
                    arrow(ax, (x, 2.4 + 2.35 * from_row + 0.72), (x, y - 0.72 - 0.22 * (sheets - 1)))
            if step is not None:
                box(ax, x, y, 7.4, 1.3, step, colours[row], sheets, size=9.5)
        ax.text(23.2, y, cost, ha="center", va="center", fontsize=9.5)
    ways = [", then ".join(filter(None, boxes)) for boxes in list(zip(*steps))[:2]]
    bill = "; ".join(f"{step}: {cost}" for _, step, cost in steps if cost)
    alt = f"Two columns of boxes. One head: {ways[0]}. {h} heads: {ways[1]}. Multiplications, alike for both: {bill}."
    return describe(drawn, " ".join(alt.split()))
