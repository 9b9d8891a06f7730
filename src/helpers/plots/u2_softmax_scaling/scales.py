"""Scores that grow with the width: their variance, the weights and slopes they leave, and what a scale does."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import describe, figure, grid, heatmap
from ..wording import named, number, numbers
from .shares import BLUE, GREEN, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def variance_growth(widths: Sequence[int], measured: Sequence[float] | None = None) -> Figure:
    """Variance of q·k against the width, and how far the products of two widths lie.

    Args:
        widths: values of d_k.
        measured: a variance for each; measured here if None.
    """
    rng = np.random.default_rng(2)

    def products(d: int) -> np.ndarray:
        found: np.ndarray = np.einsum("nd,nd->n", rng.normal(size=(5000, d)), rng.normal(size=(5000, d)))
        return found

    told = "measured by your score_variance" if measured is not None else "measured on 5000 pairs"
    if measured is None:
        measured = [np.mean(products(d) ** 2) for d in widths]
    drawn, axes = grid(1, 2, width=4.3, height=3.2)
    left, right = axes[0]
    left.plot(widths, widths, color=GREY, label="variance = d_k")
    left.plot(widths, measured, "o", color=BLUE, label=told)
    left.set(xscale="log", yscale="log", xlabel="width d_k of q and k", ylabel="variance of q · k")
    left.set_xticks(widths, [str(w) for w in widths], fontsize=8)
    left.minorticks_off()
    left.legend(frameon=False, fontsize=9)
    left.set_title("The variance of q · k grows as d_k does", fontsize=10)
    bins = np.linspace(-48, 48, 49)
    for d, colour in ((200, ORANGE), (100, BLUE)):
        right.hist(
            products(d),
            bins=bins,
            histtype="stepfilled",
            color=colour,
            alpha=0.55,
            label=f"d_k = {d}: typical size √{d} = {np.sqrt(d):.3g}",
        )
    right.set_ylim(0, 620)
    right.set_xlabel("q · k")
    right.set_ylabel("pairs out of 5000")
    right.legend(frameon=False, fontsize=8, loc="upper left")
    right.set_title("Products of 200 dimensions outweigh those of 100", fontsize=10)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    alt = (
        f"Left, on logarithmic axes, the variance of q · k against the width, {told}, beside the line variance = d_k. "
        f"Width and variance: {named([f'{width}:' for width in widths], measured, 3)}. Right, histograms of q · k: for "
        f"d_k = 200 with the typical size {number(np.sqrt(200), 3)}, for d_k = 100 with {number(np.sqrt(100), 3)}."
    )
    return describe(drawn, alt)


def _random_scores(d_k: int, n_q: int, n_k: int, seed: int) -> np.ndarray:
    """Unscaled scores of random queries and keys; a wider pair begins with the narrower one's entries."""
    rng = np.random.default_rng(seed)
    Q, K = rng.normal(size=(2048, n_q)), rng.normal(size=(2048, n_k))
    scores: np.ndarray = Q[:d_k].T @ K[:d_k]
    return scores


@figure
def saturation(widths: Sequence[int] = (1, 4, 16, 64, 256)) -> Figure:
    """One query against six keys, unscaled, for growing widths: the weights, and the Jacobian below them."""
    drawn, axes = grid(2, len(widths), width=1.9, height=2.1)
    largest = []
    for column, d_k in enumerate(widths):
        scores = _random_scores(d_k, 1, 6, seed=531)[0]
        weights = np.exp(scores) / np.exp(scores).sum()
        jacobian = np.diag(weights) - np.outer(weights, weights)
        largest.append((weights.max(), jacobian.max()))
        top, below = axes[:, column]
        top.bar(range(6), weights, color=BLUE, width=0.7)
        top.set_ylim(0, 1.05)
        top.set_xticks(range(6), [])
        top.set_title(f"d_k = {d_k}\nlargest weight {weights.max():.2f}", fontsize=10)
        top.spines[["top", "right"]].set_visible(False)
        heatmap(
            jacobian,
            title=f"largest slope {jacobian.max():.3f}",
            ax=below,
            limits=(-0.25, 0.25),
            signed=True,
            numbers=False,
            column_label="score j",
        )
        below.set_xticks([])
        below.set_yticks([])
        if column:
            top.set_yticks([])
    drawn.colorbar(axes[1, -1].images[0], ax=axes[1, -1], label="slope")
    axes[0, 0].set_ylabel("weights\nof 6 keys")
    axes[1, 0].set_ylabel("∂ weight / ∂ score\nweight i")
    drawn.suptitle(
        "Unscaled scores: as d_k grows one key takes everything, and no score can change anything any more", fontsize=11
    )
    told = "; ".join(f"d_k = {d}: {weight:.2f}, {slope:.3f}" for d, (weight, slope) in zip(widths, largest))
    alt = (
        f"{len(widths)} columns, each with the weights of six keys above and their Jacobian below. For each width the "
        f"largest weight, then the largest slope: {told}."
    )
    return describe(drawn, alt)


SCALES: tuple[tuple[str, Callable[[int], float]], ...] = (
    ("no scale", lambda d: 1.0),
    ("divided by √d_k", lambda d: d**0.5),
    ("divided by d_k", lambda d: float(d)),
)


@figure
def three_scales(d_k: int = 64) -> Figure:
    """The same queries and keys without a scale, over √d_k and over d_k: weights above, Jacobian of one row below."""
    raw = _random_scores(d_k, 6, 6, seed=28164)  # six queries that behave as 300 do
    drawn, axes = grid(2, 3, width=3.1, height=2.75)
    summary = []
    for column, (name, scale) in enumerate(SCALES):
        scores = raw / scale(d_k)
        raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = raised / raised.sum(axis=-1, keepdims=True)
        p = weights[0]
        jacobian = np.diag(p) - np.outer(p, p)
        largest = weights.max(axis=-1).mean()
        summary.append((name, largest, jacobian.max()))
        heatmap(
            weights,
            title=f"{name}: the largest weight\nof a row is {largest:.2f} on average",
            ax=axes[0, column],
            limits=(0, 1),
            numbers=False,
        )
        for (i, j), weight in np.ndenumerate(weights):
            axes[0, column].text(
                j, i, f"{weight:.2f}", ha="center", va="center", fontsize=8, color="black" if weight > 0.55 else "white"
            )
        heatmap(
            jacobian,
            title=f"its largest slope: {jacobian.max():.3f}",
            ax=axes[1, column],
            limits=(-0.25, 0.25),
            signed=True,
            numbers=False,
        )
        for ax in axes[:, column]:
            ax.set_xticks([])
            ax.set_yticks([])
    drawn.colorbar(axes[1, -1].images[0], ax=axes[1, -1], label="slope")
    axes[0, 0].set_ylabel("6 queries × 6 keys:\nweights")
    axes[1, 0].set_ylabel("Jacobian of\nthe first query")
    drawn.suptitle(f"The same queries and keys at d_k = {d_k}, with three scales", fontsize=12)
    told = "; ".join(f"{name}: {weight:.2f}, {slope:.3f}" for name, weight, slope in summary)
    alt = (
        f"Six queries by six keys at d_k = {d_k}, three times: above their weights, below the Jacobian of the first "
        f"query. The largest weight of a row on average, then the largest slope: {told}."
    )
    return describe(drawn, alt)


TEMPERATURES = (0.5, 1, 2, 4, 8, 16, 32)


@functools.cache
def largest_on_average(d_k: int) -> tuple[float, ...]:
    """The largest of 8 weights, on average over 300 queries, at each of the temperatures."""
    scores = _random_scores(d_k, 300, 8, seed=6)
    scores = np.stack([scores / temperature for temperature in TEMPERATURES])  # (temperatures, 300, 8)
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return tuple((raised / raised.sum(axis=-1, keepdims=True)).max(axis=-1).mean(axis=-1))


@figure
def temperatures(d_k: int = 64, temperature: float = 1) -> Figure:
    """Six weights of one query at a width and a temperature, and how decided 300 queries are at each temperature."""
    raw = _random_scores(d_k, 1, 6, seed=531)[0] / temperature
    raised = np.exp(raw - raw.max())
    weights = raised / raised.sum()
    average = largest_on_average(d_k)
    now, first = average[TEMPERATURES.index(temperature)], largest_on_average(1)[TEMPERATURES.index(1)]
    drawn, axes = grid(1, 2, width=4.4, height=3.4)
    left, right = axes[0]
    left.bar(range(6), weights, color=BLUE, width=0.65)
    for place, weight in enumerate(weights):
        left.text(place, weight + 0.015, f"{weight:.2f}", ha="center", va="bottom", fontsize=9)
    left.set_ylim(0, 1.1)
    left.set_xlabel("key")
    left.set_ylabel("weight")
    left.set_title(
        f"One query, d_k = {d_k}, temperature {temperature:g}:\nits largest weight is {weights.max():.2f}", fontsize=10
    )
    right.axhline(first, color=ORANGE, linestyle="--", label="d_k = 1, temperature 1")
    right.axhline(1 / 8, color=GREY, linestyle=":", label="1/8: all keys alike")
    right.plot(TEMPERATURES, average, color=BLUE)
    right.plot([temperature], [now], "o", color=BLUE, markersize=10)
    right.set_xscale("log", base=2)
    right.set_xticks(TEMPERATURES, [f"{t:g}" for t in TEMPERATURES])
    right.minorticks_off()
    right.set_ylim(0, 1.05)
    right.set_xlabel("temperature")
    right.set_ylabel("largest of 8 weights")
    # Below the axes: wherever a label stood inside, the curve of some width would run through it.
    right.legend(frameon=False, fontsize=9, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    right.set_title(f"300 queries: {now:.2f} on average\n(dashed: {first:.2f})", fontsize=10)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    curve = named([f"{t:g}:" for t in TEMPERATURES], average)
    alt = (
        f"One query at d_k = {d_k} and temperature {temperature:g}. Left, the weights of its six keys: "
        f"{numbers(weights)}. Right, the largest of 8 weights, on average over 300 queries, at each temperature: "
        f"{curve}. The dot is at temperature {temperature:g} with {now:.2f}; the dashed line, d_k = 1 at temperature "
        f"1, at {first:.2f}."
    )
    return describe(drawn, alt)


@figure
def scales_by_width() -> Figure:
    """Averages over many queries: the largest weight and the largest slope against the width, for each scale."""
    widths = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    drawn, axes = grid(1, 2, width=4.4, height=3.2)
    weight_curves: dict[str, list[float]] = {}
    slope_curves: dict[str, list[float]] = {}
    for (name, scale), colour, marker in zip(SCALES, (ORANGE, BLUE, GREEN), "osD"):
        largest, slope = weight_curves.setdefault(name, []), slope_curves.setdefault(name, [])
        for d_k in widths:
            scores = _random_scores(d_k, 300, 8, seed=6) / scale(d_k)
            raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
            weights = raised / raised.sum(axis=-1, keepdims=True)
            largest.append(weights.max(axis=-1).mean())
            slope.append((weights * (1 - weights)).max(axis=-1).mean())
        for ax, values in zip(axes[0], (largest, slope)):
            ax.plot(widths, values, marker=marker, markersize=4, color=colour, label=name)
    for ax in axes[0]:
        ax.set_xscale("log", base=2)
        ax.set_xticks(widths[::2], [str(w) for w in widths[::2]], fontsize=8)
        ax.set_xlabel("d_k")
        ax.spines[["top", "right"]].set_visible(False)
    left, right = axes[0]
    left.set_ylim(0, 1.05)
    left.axhline(1 / 8, color=GREY, linestyle=":")
    left.text(1, 1 / 8 - 0.015, "1/8: all keys alike", fontsize=8, color="#555555", va="top")
    left.set_ylabel("largest of 8 weights")
    left.set_title("How decided is a query?", fontsize=10)
    right.set_ylim(0, 0.26)
    right.set_ylabel("largest entry of the Jacobian")
    right.set_title("How much can a score still change?", fontsize=10)
    right.legend(frameon=False, fontsize=9, loc="lower left")
    drawn.suptitle("Only √d_k behaves nearly the same at every width", fontsize=11)

    def told(curves: dict[str, list[float]]) -> str:
        return "; ".join(f"{name} {numbers(values[::5])}" for name, values in curves.items())

    alt = (
        f"Two charts against d_k from 1 to 1024, a line for each scale; here the points at {numbers(widths[::5])}. "
        f"Left, the largest of 8 weights: {told(weight_curves)}. Right, the largest entry of the Jacobian: "
        f"{told(slope_curves)}."
    )
    return describe(drawn, alt)
