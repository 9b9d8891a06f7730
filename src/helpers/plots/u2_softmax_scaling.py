"""Figures of unit 2: softmax, mixtures, growing scores, saturation, scales, typed sentences, windows, other scores."""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .core import COLOURS, SEQUENTIAL, figure, fonts, grid, heatmap, writable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PINK = COLOURS[:4]
GREY = "#777777"

LONG_SENTENCE = ("the", "burger", "that", "we", "bought", "at", "the", "old", "station", "was", "good")
# Scores by hand: what each word of LONG_SENTENCE looks for, {query: {key: score}}; every other pair has 0.
_WANTED = {
    0: {1: 2}, 1: {0: 1, 2: 1.5, 10: 2}, 2: {1: 2.5}, 3: {4: 2}, 4: {1: 2.5, 3: 2}, 5: {4: 1.5, 8: 2}, 6: {8: 2},
    7: {8: 2}, 8: {7: 1.5, 5: 1.5, 4: 1.5}, 9: {1: 3.2, 10: 1.5}, 10: {9: 2, 1: 2.5},
}  # fmt: skip


def _long_scores() -> np.ndarray:
    scores = np.zeros((len(LONG_SENTENCE), len(LONG_SENTENCE)))
    for query, wanted in _WANTED.items():
        for key, score in wanted.items():
            scores[query, key] = score
    return scores


def _bars(ax: Axes, names: Sequence[str], values: np.ndarray, colour: str, title: str, label: str = "{:.2f}") -> None:
    ax.bar(range(len(values)), values, color=colour, width=0.65)
    ax.set_xticks(range(len(values)), names)
    top = max(float(np.max(values)), 0.0)
    for place, value in enumerate(values):
        ax.text(place, value + 0.02 * top, label.format(value), ha="center", va="bottom", fontsize=9)
    ax.set_ylim(min(float(np.min(values)) * 1.2, 0), top * 1.18)
    ax.spines[["top", "right"]].set_visible(False)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set_title(title, fontsize=10)


@figure
def softmax_steps(names: Sequence[str], scores: Sequence[float]) -> Figure:
    """Scores, their exponentials, and these divided by their sum."""
    scores = np.asarray(scores, dtype=float)
    raised = np.exp(scores)
    drawn, axes = grid(1, 3, width=2.9, height=2.7)
    _bars(axes[0, 0], names, scores, GREY, "Scores: any numbers", "{:g}")
    _bars(axes[0, 1], names, raised, ORANGE, "exp: all positive, a step of 1\nis a factor of e = 2.72")
    _bars(
        axes[0, 2],
        names,
        raised / raised.sum(),
        BLUE,
        f"divided by their sum, {raised.sum():.2f}:\nweights that sum to 1",
    )
    for ax, what in zip(axes[0], ("score", "exp(score)", "weight")):
        ax.set_ylabel(what)
    return drawn


@figure
def mixture(
    words: Sequence[str], weights: Sequence[float], V: np.ndarray, features: Sequence[str], renewed: str
) -> Figure:
    """The weights of the words, their values, and the mixture as a stack of what each word gives."""
    weights, V = np.asarray(weights, dtype=float), np.asarray(V, dtype=float)
    drawn, axes = grid(1, 3, width=3.2, height=3.0)
    left, middle, right = axes[0]
    rows = np.arange(len(words))
    colours = COLOURS[: len(words)]
    left.barh(rows, weights, color=colours, height=0.65)
    for row, weight in zip(rows, weights):
        left.text(weight + 0.01, row, f"{weight:g}", va="center", fontsize=9)
    left.set_yticks(rows, words)
    left.set_ylim(len(words) - 0.5, -0.5)
    left.set_xlim(0, weights.max() * 1.2)
    left.set_xlabel("weight")
    left.set_title(f"How much “{renewed}”\ntakes of each word ...", fontsize=10)
    heatmap(
        V,
        rows=words,
        columns=features,
        title="... and what each word\nhas to give: its value",
        ax=middle,
        column_label="features",
    )
    bottom = np.zeros(len(features))
    for word, colour, part in zip(words, colours, weights[:, None] * V):
        right.bar(range(len(features)), part, bottom=bottom, color=colour, width=0.6, label=word)
        bottom += part
    for place, total in enumerate(bottom):
        right.text(place, total + 0.02, f"{total:.1f}", ha="center", va="bottom", fontsize=9)
    right.set_xticks(range(len(features)), features)
    right.tick_params(axis="x", rotation=45)
    right.set_ylim(0, bottom.max() * 1.6)
    right.legend(fontsize=8, frameon=False, ncols=2, loc="upper left")
    right.set_title(f"The new “{renewed}”:\nall parts on top of each other", fontsize=10)
    left.spines[["top", "right"]].set_visible(False)
    right.spines[["top", "right"]].set_visible(False)
    return drawn


@figure
def reach() -> Figure:
    """From one word to all others in one step; and how many steps other ways of reading need."""
    from matplotlib.patches import FancyArrowPatch

    asking = 9
    scores = _long_scores()[asking]
    weights = np.exp(scores) / np.exp(scores).sum()
    drawn, axes = grid(2, 1, width=8.6, height=2.7, height_ratios=[1.15, 1])
    ax, below = axes[:, 0]
    n = len(LONG_SENTENCE)
    for place, weight in enumerate(weights):
        if place != asking:
            bend = 0.5 if place < asking else -0.5
            look = {"arrowstyle": "-", "color": BLUE, "linewidth": 0.8 + 12 * weight, "alpha": 0.75}
            ax.add_patch(FancyArrowPatch((place, 0.12), (asking, 0.12), connectionstyle=f"arc3,rad={-bend}", **look))
        ax.text(place, -0.42, f"{weight:.2f}", ha="center", va="center", fontsize=9, color=BLUE)
    for place, word in enumerate(LONG_SENTENCE):
        ax.text(
            place,
            -0.08,
            word,
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold" if place == asking else "normal",
        )
    ax.set_xlim(-0.7, n - 0.3)
    ax.set_ylim(-0.6, 2.5)
    ax.axis("off")
    ax.set_title(
        f"“was” gives {weights[1]:.2f} of its attention to “burger”, eight words back, as directly as to its neighbour",
        fontsize=10,
    )
    distance = np.arange(1, 41)
    below.plot(distance, distance, color=ORANGE, label="word by word (recurrent network)")
    below.plot(
        distance,
        np.ceil(distance / 2),
        color=PINK,
        linestyle="--",
        label="two neighbours to each side in a layer (convolution)",
    )
    below.plot(distance, np.ones_like(distance), color=BLUE, linewidth=2.5, label="attention")
    below.set_xlabel("distance between the two words")
    below.set_ylabel("steps on the way")
    below.set_ylim(0, 42)
    below.set_xlim(0, 41)
    below.legend(frameon=False, fontsize=9)
    below.spines[["top", "right"]].set_visible(False)
    below.set_title("With attention, every word is one step away, however far", fontsize=10)
    return drawn


_TOYS = (
    ("bear", "cuddly", (0.5, 4.1)), ("rabbit", "cuddly", (4.9, 4.2)), ("train", "wheels", (5.9, 2.3)),
    ("car", "wheels", (0.3, 2.0)), ("ball", "round", (4.7, 0.3)), ("top", "round", (1.1, 0.3)),
)  # fmt: skip
_KINDS = {"cuddly": (BLUE, "o"), "wheels": (ORANGE, "s"), "round": (GREEN, "D")}


def _room(ax: Axes, places: np.ndarray, title: str) -> None:
    for (_, kind, _), place in zip(_TOYS, places):
        colour, marker = _KINDS[kind]
        ax.plot(*place, marker=marker, markersize=15, color=colour, markeredgecolor="black", zorder=3)
    ax.set_xlim(-0.4, 6.4)
    ax.set_ylim(-0.2, 5.1)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_aspect("equal")
    ax.set_title(title, fontsize=10)


def _name_toys(ax: Axes, places: np.ndarray, offsets: Sequence[tuple[float, float]]) -> None:
    for (name, _, _), (x, y), (dx, dy) in zip(_TOYS, places, offsets):
        ax.text(x + dx, y + dy, name, ha="center", va="center", fontsize=10, zorder=4)


@figure
def toys() -> Figure:
    """Toys in a room look for their friends: weights as arrows, then every toy at the mixture of the places."""
    places = np.array([place for _, _, place in _TOYS])
    kinds = np.array([list(_KINDS).index(kind) for _, kind, _ in _TOYS])
    # A friend scores 2.2, the toy itself a little more, all others 0.
    scores = 2.2 * (kinds[:, None] == kinds[None, :]) + 0.4 * np.eye(len(_TOYS))
    weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)  # (6, 6)
    after = weights @ places
    names = [name for name, _, _ in _TOYS]
    drawn, axes = grid(1, 3, width=3.7, height=3.4, width_ratios=[1, 1, 1])
    left, middle, right = axes[0]
    _room(left, places, "Every toy looks around the room;\nfriends catch its eye (wide lines)")
    for i, start in enumerate(places):
        for j, end in enumerate(places):
            if i < j:
                left.plot(
                    *np.array([start, end]).T,
                    color="#555555",
                    linewidth=0.4 + 9 * weights[i, j] ** 1.5,
                    alpha=0.55,
                    zorder=1,
                )
    _name_toys(left, places, [(0, 0.48)] * len(_TOYS))
    title = "How much each toy (row)\nlooks at each toy (column)"
    heatmap(
        weights,
        rows=names,
        columns=names,
        title=title,
        ax=middle,
        row_label="who looks (query)",
        column_label="at whom (key)",
    )
    _room(right, after, "It goes to the mixture of all places:\nfriends have found each other")
    for start, end in zip(places, after):
        right.annotate(
            "",
            xy=tuple(end),
            xytext=tuple(start),
            arrowprops={"arrowstyle": "-", "color": "#aaaaaa", "linestyle": ":"},
            zorder=0,
        )
        right.plot(*start, marker=".", color="#aaaaaa", zorder=0)
    _name_toys(right, after, [(-0.75, 0), (0.85, 0), (0.75, 0), (-0.6, 0), (0.65, 0), (-0.6, 0)])
    return drawn


@figure
def variance_growth(widths: Sequence[int], measured: Sequence[float] | None = None) -> Figure:
    """Variance of q·k against the width, and how far the products of two widths lie.

    Args:
        widths: values of d_k.
        measured: a variance for each; measured here if None.
    """
    rng = np.random.default_rng(2)

    def products(d: int) -> np.ndarray:
        return np.einsum("nd,nd->n", rng.normal(size=(5000, d)), rng.normal(size=(5000, d)))

    told = "measured by your score_variance" if measured is not None else "measured on 5000 pairs"
    if measured is None:
        measured = [np.mean(products(d) ** 2) for d in widths]
    drawn, axes = grid(1, 2, width=4.3, height=3.2)
    left, right = axes[0]
    left.plot(widths, widths, color=GREY, label="variance = d")
    left.plot(widths, measured, "o", color=BLUE, label=told)
    left.set(xscale="log", yscale="log", xlabel="width d of q and k", ylabel="variance of q · k")
    left.set_xticks(widths, [str(w) for w in widths], fontsize=8)
    left.minorticks_off()
    left.legend(frameon=False, fontsize=9)
    left.set_title("The variance of q · k grows as d does", fontsize=10)
    bins = np.linspace(-48, 48, 49)
    for d, colour in ((200, ORANGE), (100, BLUE)):
        right.hist(
            products(d),
            bins=bins,
            histtype="stepfilled",
            color=colour,
            alpha=0.55,
            label=f"d = {d}: typical size √{d} = {np.sqrt(d):.3g}",
        )
    right.set_ylim(0, 620)
    right.set_xlabel("q · k")
    right.set_ylabel("pairs out of 5000")
    right.legend(frameon=False, fontsize=8, loc="upper left")
    right.set_title("Products of 200 dimensions outweigh those of 100", fontsize=10)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    return drawn


def _random_scores(d_k: int, n_q: int, n_k: int, seed: int) -> np.ndarray:
    """Unscaled scores of random queries and keys; a wider pair begins with the narrower one's entries."""
    rng = np.random.default_rng(seed)
    Q, K = rng.normal(size=(2048, n_q)), rng.normal(size=(2048, n_k))
    return Q[:d_k].T @ K[:d_k]


@figure
def saturation(widths: Sequence[int] = (1, 4, 16, 64, 256)) -> Figure:
    """One query against six keys, unscaled, for growing widths: the weights, and the Jacobian below them."""
    drawn, axes = grid(2, len(widths), width=1.95, height=2.1)
    for column, d_k in enumerate(widths):
        scores = _random_scores(d_k, 1, 6, seed=531)[0]
        weights = np.exp(scores) / np.exp(scores).sum()
        jacobian = np.diag(weights) - np.outer(weights, weights)
        top, below = axes[:, column]
        top.bar(range(6), weights, color=BLUE, width=0.7)
        top.set_ylim(0, 1.05)
        top.set_xticks(range(6), [])
        top.set_title(f"d = {d_k}\nlargest weight {weights.max():.2f}", fontsize=10)
        top.spines[["top", "right"]].set_visible(False)
        heatmap(
            jacobian,
            title=f"largest slope {jacobian.max():.3f}",
            ax=below,
            limits=(-0.25, 0.25),
            signed=True,
            numbers=False,
        )
        below.set_xticks([])
        below.set_yticks([])
        if column:
            top.set_yticks([])
    axes[0, 0].set_ylabel("weights\nof 6 keys")
    axes[1, 0].set_ylabel("Jacobian:\n∂ weight / ∂ score")
    drawn.suptitle(
        "Unscaled scores: as d grows one key takes everything, and no score can change anything any more", fontsize=11
    )
    return drawn


SCALES = (("no scale", lambda d: 1.0), ("divided by √d_k", lambda d: d**0.5), ("divided by d_k", lambda d: float(d)))


@figure
def three_scales(d_k: int = 64) -> Figure:
    """The same queries and keys without a scale, over √d_k and over d_k: weights above, Jacobian of one row below."""
    raw = _random_scores(d_k, 6, 6, seed=36)
    drawn, axes = grid(2, 3, width=3.1, height=2.75)
    for column, (name, scale) in enumerate(SCALES):
        scores = raw / scale(d_k)
        raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = raised / raised.sum(axis=-1, keepdims=True)
        p = weights[0]
        jacobian = np.diag(p) - np.outer(p, p)
        largest = weights.max(axis=-1).mean()
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
    axes[0, 0].set_ylabel("6 queries × 6 keys:\nweights")
    axes[1, 0].set_ylabel("Jacobian of\nthe first query")
    drawn.suptitle(f"The same queries and keys at d_k = {d_k}, with three scales", fontsize=12)
    return drawn


TEMPERATURES = (0.5, 1, 2, 4, 8, 16, 32)


@functools.cache
def _largest_on_average(d_k: int) -> tuple[float, ...]:
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
    average = _largest_on_average(d_k)
    now, first = average[TEMPERATURES.index(temperature)], _largest_on_average(1)[TEMPERATURES.index(1)]
    drawn, axes = grid(1, 2, width=4.4, height=3.1)
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
    right.axhline(first, color=ORANGE, linestyle="--")
    right.text(TEMPERATURES[0], first - 0.015, "d_k = 1, temperature 1", va="top", fontsize=8, color="#8a5a00")
    right.axhline(1 / 8, color=GREY, linestyle=":")
    right.text(TEMPERATURES[0], 1 / 8 - 0.015, "1/8: all keys alike", fontsize=8, color="#555555", va="top")
    right.plot(TEMPERATURES, average, color=BLUE)
    right.plot([temperature], [now], "o", color=BLUE, markersize=10)
    right.set_xscale("log", base=2)
    right.set_xticks(TEMPERATURES, [f"{t:g}" for t in TEMPERATURES])
    right.minorticks_off()
    right.set_ylim(0, 1.05)
    right.set_xlabel("temperature")
    right.set_ylabel("largest of 8 weights")
    right.set_title(f"300 queries: {now:.2f} on average\n(dashed: {first:.2f})", fontsize=10)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    return drawn


@figure
def scales_by_width() -> Figure:
    """Averages over many queries: the largest weight and the largest slope against the width, for each scale."""
    widths = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    drawn, axes = grid(1, 2, width=4.4, height=3.2)
    for (name, scale), colour, marker in zip(SCALES, (ORANGE, BLUE, GREEN), "osD"):
        largest, slope = [], []
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
    drawn.suptitle("Only √d_k behaves the same at every width", fontsize=11)
    return drawn


@figure
def attention(tokens: Sequence[str], weights: np.ndarray, output: np.ndarray, features: Sequence[str]) -> Figure:
    """The weights of a sentence with their row sums, and the outputs beside them."""
    drawn, axes = grid(1, 2, width=4.2, height=3.6)
    names = [f"{token}  (sum {total:.2f})" for token, total in zip(tokens, weights.sum(axis=-1))]
    heatmap(
        weights,
        rows=names,
        columns=tokens,
        title="Weights: every query (row) shares out 1",
        ax=axes[0, 0],
        limits=(0, 1),
        row_label="queries",
        column_label="keys",
    )
    heatmap(
        output,
        rows=tokens,
        columns=features,
        title="Output: each word renewed\nas a mixture of the values",
        ax=axes[0, 1],
        column_label="features",
    )
    return drawn


MOST_WORDS = 12


def typed(sentence: str) -> list[str]:
    """Return the first words of a sentence, in small letters and without punctuation, as many as a figure has room for."""
    return re.findall(r"\w+(?:['’]\w+)*", sentence.lower())[:MOST_WORDS]


def spelled(words: Sequence[str], d_model: int = 64) -> np.ndarray:
    """Vectors made of nothing but spelling: every piece of three letters has a random direction, always the same, and a word is their sum.

    "cat" has the pieces "<ca", "cat" and "at>". All rows are equally long: a word's scaled score with itself is 2.5.

    Returns:
        (n, d_model).
    """
    X = np.zeros((len(words), d_model))
    for row, word in zip(X, words):
        framed = f"<{word}>"
        for start in range(len(framed) - 2):
            row += np.random.default_rng(zlib.crc32(framed[start : start + 3].encode())).normal(size=d_model)
    length = np.sqrt((X * X).sum(axis=-1, keepdims=True))
    return X * np.sqrt(2.5 * np.sqrt(d_model)) / np.where(length == 0, 1, length)


@figure
def reading(words: Sequence[str], weights: np.ndarray) -> Figure | str:
    """The weights of a typed sentence as a map and as lines, or a sentence that says why there is nothing to draw."""
    n = len(words)
    if not n:
        return "There is no word to read. Type a few into the box and press Enter."
    weights = np.asarray(weights, dtype=float)
    if weights.shape != (n, n):
        return f"For {n} words the weights should have the shape ({n}, {n}); yours have {weights.shape}."
    names = [writable(word) for word in words]
    drawn, axes = grid(1, 2, width=4.8, height=4.4)
    left, right = axes[0]
    heatmap(
        weights,
        names,
        names,
        f"weights of {n} word{'s' * (n > 1)}",
        left,
        row_label="queries",
        column_label="keys",
        limits=(0, 1),
        numbers=n <= 8,
        signed=False,
    )
    for (i, j), weight in np.ndenumerate(weights):
        if weight > 0.05:
            right.plot([0, 1], [i, j], color=BLUE, linewidth=6 * weight, alpha=0.75, solid_capstyle="round")
    for row, name in enumerate(names):
        right.text(-0.06, row, name, ha="right", va="center", fontsize=10, fontfamily=fonts())
        right.text(1.06, row, name, ha="left", va="center", fontsize=10, fontfamily=fonts())
    for label in (*left.get_xticklabels(), *left.get_yticklabels()):
        label.set_fontfamily(fonts())
    right.set_xlim(-0.6, 1.6)
    right.set_ylim(n - 0.4, -0.6)
    right.axis("off")
    right.set_title("who looks (left) at whom (right); thick is much", fontsize=10)
    different = np.array([[word != other for other in words] for word in words])
    told = "There is nothing but this word to look at"
    if different.any():
        i, j = np.unravel_index(np.where(different, weights, -np.inf).argmax(), weights.shape)
        told = f"The strongest look at a different word: “{names[i]}” gives “{names[j]}” {weights[i, j]:.2f}"
    drawn.suptitle(
        told + (f"; no more than {n} words are read" if n == MOST_WORDS else ""), fontsize=11, fontfamily=fonts()
    )
    return drawn


@figure
def windows() -> Figure:
    """Which keys each query sees: windows of several widths, and more queries than keys."""
    drawn, axes = grid(1, 4, width=2.5, height=2.8)
    last = "3 keys,\nthe last two queries see none"
    cases = (
        (6, 6, 0, "\nitself alone"),
        (6, 6, 1, "\none neighbour to each side"),
        (6, 6, 3, "\nthree to each side"),
        (6, 3, 1, last),
    )
    for ax, (n_q, n_k, window, told) in zip(axes[0], cases):
        seen = np.array([[abs(i - j) <= window for j in range(n_k)] for i in range(n_q)])
        ax.imshow(seen, cmap=SEQUENTIAL, vmin=-0.4, vmax=1.2, aspect="auto")
        for (i, j), near in np.ndenumerate(seen):
            ax.text(
                j,
                i,
                abs(i - j),
                ha="center",
                va="center",
                fontsize=9,
                color="black" if near else "#dddddd",
                fontweight="bold" if near else "normal",
            )
        ax.set_xticks(range(n_k))
        ax.set_yticks(range(n_q))
        ax.set_xlabel("key j")
        ax.set_title(f"window = {window}: {told}", fontsize=10)
    axes[0, 0].set_ylabel("query i")
    drawn.suptitle("The distance |i − j| of every pair; bright where it is within the window", fontsize=11)
    return drawn


@figure
def near_and_far() -> Figure:
    """The long sentence with a window and without: a neighbourhood cannot reach what lies far."""
    from matplotlib.patches import Rectangle

    scores = _long_scores()
    n = len(LONG_SENTENCE)
    distance = np.abs(np.arange(n)[:, None] - np.arange(n)[None, :])
    drawn, axes = grid(1, 2, width=4.6, height=4.2)
    for ax, window in zip(axes[0], (1, n)):
        raised = np.exp(scores) * (distance <= window)
        weights = raised / raised.sum(axis=-1, keepdims=True)
        told = f"“was” gives “burger” {weights[9, 1]:.2f}"
        title = (
            f"window = 1: only neighbours have weight;\n{told}"
            if window == 1
            else f"no window: the far context has weight too;\n{told}"
        )
        heatmap(
            weights,
            rows=LONG_SENTENCE,
            columns=LONG_SENTENCE,
            title=title,
            ax=ax,
            limits=(0, 1),
            numbers=False,
            row_label="queries",
            column_label="keys",
        )
        ax.add_patch(Rectangle((0.5, 8.5), 1, 1, fill=False, edgecolor="#D55E00", linewidth=2.4, zorder=5))
    return drawn


@figure
def other_scores() -> Figure:
    """Four scores of the queries of a plane against one key, as maps."""
    side = np.linspace(-3, 3, 61)
    x, y = np.meshgrid(side, side)
    q = np.stack([x, y], axis=-1)  # (61, 61, 2)
    k = np.array([1.6, 0.8])
    W_q, W_k, v = np.array([[1.2, -0.6], [0.5, 1.1]]), np.array([[0.9, 0.3], [-0.4, -0.8]]), np.array([1.0, 0.8])
    length = np.sqrt((q * q).sum(-1)) * np.sqrt(k @ k)
    maps = (
        ("dot product, scaled:\nlouder along the key", q @ k / np.sqrt(2)),
        ("cosine: the direction\nalone counts", q @ k / np.where(length == 0, 1, length)),
        ("minus squared distance:\nbest at the key itself", -((q - k) ** 2).sum(-1)),
        ("additive: a small network,\nwith a limit on both sides", np.tanh(q @ W_q + k @ W_k) @ v),
    )
    drawn, axes = grid(1, 4, width=2.6, height=3.3)
    for ax, (title, score) in zip(axes[0], maps):
        ax.contourf(x, y, score, levels=14, cmap=SEQUENTIAL)
        lines = ax.contour(x, y, score, levels=6, colors="white", linewidths=0.6)
        ax.clabel(lines, fontsize=7, fmt="%.3g")
        ax.annotate(
            "",
            xy=tuple(k),
            xytext=(0, 0),
            arrowprops={"arrowstyle": "-|>", "color": "#D55E00", "linewidth": 2.2, "shrinkA": 0, "shrinkB": 0},
        )
        ax.text(k[0] + 0.2, k[1] + 0.25, "k", color="#D55E00", fontsize=12, fontweight="bold")
        ax.set_title(title, fontsize=10)
        ax.set_aspect("equal")
        ax.set_xticks([-2, 0, 2])
        ax.set_yticks([-2, 0, 2])
        ax.set_xlabel("q, first entry", fontsize=9)
    axes[0, 0].set_ylabel("q, second entry", fontsize=9)
    drawn.suptitle("Score of every query of the plane against one key k: bright is high", fontsize=11)
    return drawn
