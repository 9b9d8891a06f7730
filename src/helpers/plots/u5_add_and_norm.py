"""Figures of unit 5: residual roads, layer norm, the two orders of the norm, attention maps layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .core import COLOURS, figure, grid, heatmap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREEN, _PINK = COLOURS[:4]
_SOFT = {"attention": "#cfe3f3", "feed forward": "#d5eee3", "norm": "#fbe3bd", "plain": "#eeeeee"}


def _canvas(ax: Axes, width: float, height: float, title: str) -> None:
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.set_axis_off()
    ax.set_title(title, fontsize=10)


def _box(ax: Axes, x: float, y: float, text: str, kind: str, width: float = 2.2, height: float = 0.6) -> None:
    """A rounded box with its centre at (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0.02,rounding_size=0.12",
            facecolor=_SOFT[kind],
            edgecolor="#444444",
            linewidth=1,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=9)


def _line(
    ax: Axes, points: Sequence[tuple[float, float]], colour: str = "#444444", width: float = 1.3, arrow: bool = True
) -> None:
    """A road through the points, with an arrow head at its end."""
    xs, ys = zip(*points)
    ax.plot(xs, ys, color=colour, linewidth=width, solid_capstyle="round", zorder=0.5)
    if arrow:
        style = {"arrowstyle": "-|>", "color": colour, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", xy=points[-1], xytext=points[-2], arrowprops=style, zorder=0.6)


def _plus(ax: Axes, x: float, y: float) -> None:
    from matplotlib.patches import Circle

    ax.add_patch(Circle((x, y), 0.2, facecolor="white", edgecolor=_BLUE, linewidth=1.6, zorder=3))
    ax.text(x, y - 0.01, "+", ha="center", va="center", fontsize=12, color=_BLUE, zorder=4)


@figure
def encoder_map() -> Figure:
    """What the unit builds: from `layer_norm` to the encoder, and the one shape that everything keeps."""
    drawn, axes = grid(1, 1, width=8.6, height=3.3)
    ax = axes[0, 0]
    _canvas(ax, 17.2, 6.2, "What you will build: every arrow carries one shape, so layers can be piled up")
    from matplotlib.patches import FancyBboxPatch

    for shift in (0.36, 0.18, 0.0):
        ax.add_patch(
            FancyBboxPatch(
                (2.6 + shift, 0.9 + shift),
                11.4,
                4.1,
                boxstyle="round,pad=0.02,rounding_size=0.2",
                facecolor="white",
                edgecolor="#666666",
                linewidth=1,
                zorder=0.1,
            )
        )
    ax.text(2.85, 4.68, "EncoderLayer", fontsize=10, va="center", weight="bold")
    ax.text(14.5, 5.62, "× N = Encoder", fontsize=10, ha="left", va="center", weight="bold")
    centres = (4.2, 7.0, 10.0, 12.8)
    names = (
        ("self-attention\n(unit 4)", "attention"),
        ("add & norm", "norm"),
        ("FeedForward", "feed forward"),
        ("add & norm", "norm"),
    )
    for x, (text, kind) in zip(centres, names):
        _box(ax, x, 2.6, text, kind, width=2.1, height=1.0)
    ax.text(0.75, 2.6, "tokens", fontsize=10, ha="center", va="center")
    ax.text(16.4, 2.6, "tokens\nthat know\neach other", fontsize=10, ha="center", va="center")
    stops = (1.5, *(c for x in centres for c in (x - 1.05, x + 1.05)), 15.5)
    for a, b in zip(stops[::2], stops[1::2]):
        _line(ax, [(a, 2.6), (b, 2.6)])
    for fork, meet in ((2.95, 7.0), (8.5, 12.8)):
        _line(ax, [(fork, 2.6), (fork, 3.9), (meet, 3.9), (meet, 3.12)], _BLUE, 2.2)
    ax.text(5.0, 4.15, "residual road: x itself", fontsize=9, color=_BLUE, ha="center")
    for x in (2.05, 5.6, 8.5, 11.4, 14.85):
        ax.plot([x, x], [2.45, 1.75], color="#999999", linewidth=0.8)
        ax.text(x, 1.55, "(n, d)", fontsize=8, ha="center", va="center", color="#444444")
    return drawn


@figure
def roads(measured: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Signal, difference between tokens and gradients by depth, one line for each way of stacking.

    Args:
        measured: name of the way → {"signal", "apart", "gradient": one number for each depth from 0; "W_q": one for each layer}.
    """
    panels = (
        ("signal", "Going up: how large is the signal?", "size of an entry", (1e-9, 1e3)),
        ("apart", "Going up: do the tokens stay different?", "distance from the mean token", (1e-9, 1e3)),
        ("gradient", "Coming down: how large is the gradient?", "size of an entry", (1e-9, 1e3)),
        ("W_q", "Coming down: does W_q of a layer learn?", "size of an entry of its gradient", (1e-9, 1e3)),
    )
    drawn, axes = grid(2, 2, width=4.6, height=3.0)
    for ax, (key, title, label, limits) in zip(axes.flat, panels):
        first = 1 if key == "W_q" else 0
        for (name, values), colour, style in zip(
            measured.items(), (_PINK, _ORANGE, _GREEN, _BLUE), (":", "--", "-.", "-")
        ):
            # What is below the panel, or exactly zero, runs along its lower edge and out of sight.
            shown = np.maximum(values[key], limits[0] / 100)
            ax.plot(
                range(first, first + len(shown)),
                shown,
                style,
                color=colour,
                linewidth=3 if style == ":" else 2.2,
                label=name,
            )
        ax.set_yscale("log")
        ax.set_ylim(*limits)
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("layer (the input is 0)")
        ax.set_ylabel(label, fontsize=9)
        ax.grid(alpha=0.3)
    drawn.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=10
    )
    return drawn


@figure
def norm_steps(x: Sequence[float], gamma: Sequence[float], beta: Sequence[float]) -> Figure:
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
        ax.bar(range(len(values)), values, color=[_BLUE if v >= 0 else _ORANGE for v in values], width=0.7)
        ax.axhline(0, color="#444444", linewidth=0.8)
        ax.set_ylim(-limit * 0.72, limit * 1.08)
        for i, v in enumerate(values):
            ax.text(
                i,
                v + (0.03 if v >= 0 else -0.03) * limit,
                f"{v:g}" if abs(v) > 1e-12 else "0",
                ha="center",
                va="bottom" if v >= 0 else "top",
                fontsize=9,
            )
        ax.set_title(title, fontsize=9.5)
        ax.set_xticks(range(len(values)))
        ax.set_xlabel("feature")
    return drawn


@figure
def norm_forgets(scale: float, shift: float) -> Figure:
    """One token times a scale plus a shift, before and after its norm. For `plots.explore`."""
    token = np.array([0.5, -1.0, 2.0, 0.0, 1.0])
    moved = scale * token + shift
    centred = moved - moved.mean()
    unit = centred / np.sqrt((centred**2).mean() + 1e-5)
    drawn, axes = grid(1, 2, width=3.6, height=2.6)
    panels = (
        (moved, f"the token, times {scale:g}, plus {shift:g}", (-9, 12)),
        (unit, "after layer norm (γ = 1, β = 0)", (-2.4, 2.4)),
    )
    for ax, (values, title, limits) in zip(axes[0], panels):
        ax.bar(range(5), values, color=[_BLUE if v >= 0 else _ORANGE for v in values], width=0.7)
        ax.axhline(0, color="#444444", linewidth=0.8)
        ax.set_ylim(*limits)
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("feature")
    return drawn


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
                ax.set_ylabel(f"sentence {row + 1}")
    return drawn


@figure
def sum_then_norm(tokens: Sequence[str]) -> Figure:
    """x, the sublayer's output, their sum and its norm, side by side on one sentence."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(len(tokens), 4)) * 2 + rng.normal(size=(len(tokens), 1))
    s = rng.normal(size=(len(tokens), 4))
    total = x + s
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
    return drawn


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
        return weights / weights.sum(axis=-1, keepdims=True) @ x @ W_v

    def network(x: np.ndarray) -> np.ndarray:
        return np.maximum(x @ W_1, 0) @ W_2

    drawn, axes = grid(1, 2, width=4.3, height=3.5)
    for ax, layer, title in (
        (axes[0, 0], attention, "attention: every token hears of it"),
        (axes[0, 1], network, "feed forward: each token for itself"),
    ):
        moved = np.zeros((n, n))
        for i in range(n):
            other = x.copy()
            other[i] = rng.normal(size=d)
            moved[i] = np.linalg.norm(layer(other) - layer(x), axis=-1)
        heatmap(
            moved,
            tokens,
            tokens,
            title,
            ax,
            row_label="input token that was changed",
            column_label="output token: how far it moved",
        )
    return drawn


def _sublayers(ax: Axes, centre: float, norm_first: bool) -> None:
    """One encoder layer from bottom to top; the road that x itself takes is blue, the way through a sublayer grey."""
    road = centre - 1.75
    bottom = 0.55
    for index, (text, kind) in enumerate((("self-attention", "attention"), ("feed forward", "feed forward"))):
        y = bottom + index * 4.3
        fork, meet = y + 0.45, y + (3.5 if norm_first else 2.7)
        _line(ax, [(centre, fork), (centre, meet - 0.2)])
        _line(ax, [(centre, y), (centre, fork), (road, fork), (road, meet), (centre - 0.2, meet)], _BLUE, 2.6)
        _line(ax, [(centre, meet + 0.2), (centre, y + 4.3)], _BLUE, 2.6, arrow=index == 1)
        sub = y + (2.65 if norm_first else 1.75)
        _box(ax, centre, sub, text, kind)
        _box(ax, centre, y + (1.25 if norm_first else 3.55), f"norm_{index + 1}", "norm")
        if index == 0:
            foot = sub - 0.65
            for dx, name in ((-0.7, "Q"), (0.0, "K"), (0.7, "V")):
                _line(
                    ax,
                    [(centre, foot), (centre + dx, foot), (centre + dx, sub - 0.3)]
                    if dx
                    else [(centre, foot), (centre, sub - 0.3)],
                )
                ax.text(centre + dx + 0.1, sub - 0.48, name, fontsize=9, va="center")
        _plus(ax, centre, meet)


@figure
def norm_orders() -> Figure:
    """Post-norm beside pre-norm, one encoder layer each, read from bottom to top."""
    drawn, axes = grid(1, 2, width=3.7, height=6.0)
    titles = (
        "post-norm (the paper):\nthe road runs through every norm",
        "pre-norm (most models today):\nthe road is free from bottom to top",
    )
    formulas = (
        "x = norm_1(x + attention(x))\nx = norm_2(x + feed_forward(x))",
        "x = x + attention(norm_1(x))\nx = x + feed_forward(norm_2(x))",
    )
    for ax, title, formula, norm_first in zip(axes[0], titles, formulas, (False, True)):
        _canvas(ax, 6.4, 11.0, title)
        ax.set_aspect("equal")
        _sublayers(ax, 3.4, norm_first)
        ax.text(3.4, 0.3, "x, from the layer below", ha="center", va="center", fontsize=9)
        ax.text(3.4, 9.4, "x, to the layer above", ha="center", va="center", fontsize=9)
        ax.text(3.2, 10.4, formula, ha="center", va="center", fontsize=9, family="monospace")
    return drawn


@figure
def training_curves(curves: Mapping[str, Sequence[float]], title: str, chance: float) -> Figure:
    """Loss by step, one line each; `chance` is the loss of a model that has learned nothing."""
    drawn, axes = grid(1, 1, width=6.4, height=3.3)
    ax = axes[0, 0]
    for (name, losses), colour, style in zip(curves.items(), (_ORANGE, _BLUE, _GREEN), ("--", "-", "-.")):
        ax.plot(losses, style, color=colour, linewidth=2, label=name)
    ax.axhline(chance, color="#888888", linewidth=1, linestyle=":")
    ax.text(len(losses) * 0.995, chance + 0.04, "guessing", ha="right", va="bottom", fontsize=8, color="#555555")
    ax.set_ylim(bottom=0)
    ax.set_xlabel("training step")
    ax.set_ylabel("loss (cross entropy)")
    ax.set_title(title, fontsize=10)
    ax.legend(frameon=False, fontsize=9, loc="center right", bbox_to_anchor=(1.0, 0.55))
    ax.grid(alpha=0.3)
    return drawn


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
    for ax, weights, title, places in zip(axes[0], maps, titles, outlined):
        heatmap(
            weights, rows, columns, title, ax, row_label="queries", column_label="keys", limits=(0, 1), numbers=False
        )
        ax.tick_params(axis="x", rotation=0)
        for row, column in enumerate(places):
            ax.add_patch(
                Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, fill=False, edgecolor=COLOURS[5], linewidth=1.8)
            )
    return drawn
