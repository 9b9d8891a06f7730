"""Figures of unit 1: vectors and their dot products, the mall, queries and keys, all pairs at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .core import COLOURS, figure, grid, heatmap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PINK = COLOURS[:4]
QUERY, KEY, VALUE, TOKEN = BLUE, ORANGE, GREEN, "#555555"


def _blank(ax: Axes, width: float, height: float) -> None:
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.axis("off")


def _box(
    ax: Axes, x: float, y: float, text: str, colour: str, width: float = 0.8, height: float = 0.5, size: float = 10
) -> None:
    """A rounded box with its centre at (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    corner = (x - width / 2, y - height / 2)
    ax.add_patch(
        FancyBboxPatch(
            corner,
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=colour + "26",
            edgecolor=colour,
            linewidth=1.4,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=size)


def _arrow(
    ax: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str = "#555555",
    bend: float = 0.0,
    width: float = 1.2,
) -> None:
    style = {
        "arrowstyle": "-|>",
        "color": colour,
        "linewidth": width,
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 9 + 2 * width,
    }
    ax.annotate("", xy=end, xytext=start, arrowprops={**style, "connectionstyle": f"arc3,rad={bend}"})


def _frame(ax: Axes, row: float, column: float, height: float, width: float, colour: str = "#D55E00") -> None:
    """A thick frame around cells of a heatmap."""
    from matplotlib.patches import Rectangle

    ax.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5),
            width,
            height,
            fill=False,
            edgecolor=colour,
            linewidth=2.6,
            clip_on=False,
            zorder=5,
        )
    )


@figure
def embedding(vocabulary: Sequence[str], table: np.ndarray, tokens: Sequence[str], features: Sequence[str]) -> Figure:
    """The table of vectors, and the rows that a sentence takes out of it."""
    ids = [vocabulary.index(token) for token in tokens]
    drawn, axes = grid(1, 2, width=3.6, height=3.6)
    heatmap(
        table,
        rows=[f"{i}  {word}" for i, word in enumerate(vocabulary)],
        columns=features,
        title="The table: one row a word",
        ax=axes[0, 0],
    )
    heatmap(
        table[ids],
        rows=[f"{word}  (row {i})" for word, i in zip(tokens, ids)],
        columns=features,
        title="X: the rows of our sentence",
        ax=axes[0, 1],
    )
    return drawn


@figure
def vectors_in_plane() -> Figure:
    """Four pairs of equally long vectors, from aligned to opposite, with their dot products."""
    a = np.array([2, 1])
    pairs = [("aligned", (2, 1)), ("a similar way", (1, 2)), ("perpendicular", (-1, 2)), ("opposite", (-2, -1))]
    drawn, axes = grid(1, 4, width=2.5, height=3.0)
    for ax, (word, b) in zip(axes[0], pairs):
        ax.axhline(0, color="#bbbbbb", linewidth=0.8)
        ax.axvline(0, color="#bbbbbb", linewidth=0.8)
        _arrow(ax, (0, 0), tuple(a), QUERY, width=6 if word == "aligned" else 2.2)
        _arrow(ax, (0, 0), b, KEY, width=2.2)
        ax.text(
            *(np.array([2.35, 0.35]) if word == "aligned" else a * 1.22),
            "a",
            color=QUERY,
            ha="center",
            va="center",
            fontsize=12,
            fontweight="bold",
        )
        ax.text(
            *(np.array([1.6, 1.5]) if word == "aligned" else np.array(b) * 1.22),
            "b",
            color="#9a6a00",
            ha="center",
            va="center",
            fontsize=12,
            fontweight="bold",
        )
        if word == "perpendicular":
            ax.plot(*(np.array([[2, 1], [1, 3], [-1, 2]]).T * 0.16), color="#555555", linewidth=1)
        ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=range(-2, 3), yticks=range(-2, 3))
        ax.tick_params(labelsize=7)
        first, second = a * b
        ax.set_title(f"{word}: a · b = {a @ b}".replace("-", "−"), fontsize=10)
        ax.set_xlabel(
            f"b = ({b[0]}, {b[1]}):  {first} {'+' if second >= 0 else '−'} {abs(second)} = {a @ b}".replace("-", "−"),
            fontsize=9,
        )
    drawn.suptitle(
        "Same lengths, other directions: the dot product says how much two vectors point the same way", fontsize=11
    )
    return drawn


@figure
def sentence_similarity(tokens: Sequence[str], X: np.ndarray, features: Sequence[str]) -> Figure:
    """The vectors of a sentence beside the dot products of every pair of them."""
    drawn, axes = grid(1, 2, width=3.8, height=3.7)
    heatmap(
        X,
        rows=tokens,
        columns=features,
        title="Each word is\na row of numbers ...",
        ax=axes[0, 0],
        row_label="tokens",
        column_label="features",
    )
    ax = heatmap(
        X @ X.T,
        rows=tokens,
        columns=tokens,
        title="... and meets every word: high\nwhere the two share features",
        ax=axes[0, 1],
    )
    ax.set(ylabel="token i", xlabel="token j")
    return drawn


@figure
def loud_and_alike(tokens: Sequence[str], X: np.ndarray) -> Figure:
    """Dot products beside cosines, with the pair that the lengths mislead framed."""
    length = np.sqrt((X * X).sum(axis=1))
    dots = X @ X.T
    cosines = dots / np.maximum(np.outer(length, length), 1e-300)
    i, j = tokens.index("tonight"), tokens.index("burger")
    drawn, axes = grid(1, 2, width=3.9, height=3.6)
    left = heatmap(
        dots,
        rows=[f"{t}  (length {n:.2g})" for t, n in zip(tokens, length)],
        columns=tokens,
        title="Dot product: “tonight” likes “burger”\nas much as itself",
        ax=axes[0, 0],
    )
    right = heatmap(
        cosines,
        rows=tokens,
        columns=tokens,
        title="Cosine: the direction alone,\nat most 1",
        ax=axes[0, 1],
        limits=(0, 1),
    )
    for ax in (left, right):
        _frame(ax, i, i, 1, 1)
        _frame(ax, i, j, 1, 1)
    return drawn


WINDOWS = {"coats": (3, 0, -1), "hot cocoa": (2, 2, 1), "ice cream": (-2, 3, 1), "books": (0, 0, 1)}
WISHES = {
    "warm and sweet": (1, 1, 0),
    "just warm": (1, 0, 0),
    "cheap": (0, 0, 1),
    "cool and sweet": (-1, 1, 0),
    "not cheap": (0, 0, -1),
}


def mall_told(wish: str) -> str:
    """What there is to see in `mall`."""
    query = np.array(WISHES[wish])
    told = ", ".join(f"{name} {query @ np.array(key)}" for name, key in WINDOWS.items())
    return f"A shopper with the query {WISHES[wish]}, {wish}, before four shop windows with their keys. The scores: {told}."


@figure
def mall(wish: str = "warm and sweet") -> Figure:
    """A shopper with a wish (the query) passes shop windows (the keys); each window's score is their dot product."""
    from matplotlib.patches import Circle, Polygon, Rectangle

    query = np.array(WISHES[wish])
    scores = [int(query @ np.array(key)) for key in WINDOWS.values()]
    drawn, axes = grid(1, 1, width=9.2, height=4.3)
    ax = axes[0, 0]
    _blank(ax, 10.4, 4.75)
    best = max(scores)
    for place, ((name, key), score) in enumerate(zip(WINDOWS.items(), scores)):
        x = 3.1 + 2.05 * place
        strong = score == best
        ax.add_patch(
            Rectangle(
                (x - 0.9, 2.1),
                1.8,
                1.75,
                facecolor=KEY + ("40" if strong else "14"),
                edgecolor=KEY,
                linewidth=2.6 if strong else 1.2,
            )
        )
        ax.add_patch(
            Polygon(
                [(x - 1.0, 3.85), (x + 1.0, 3.85), (x + 0.85, 4.3), (x - 0.85, 4.3)], facecolor=KEY, edgecolor="none"
            )
        )
        ax.text(x, 4.07, name, ha="center", va="center", fontsize=11, fontweight="bold")
        ax.text(x, 3.3, "key", ha="center", va="center", fontsize=9, color="#555555")
        ax.text(x, 2.85, f"({', '.join(str(k).replace('-', '−') for k in key)})", ha="center", va="center", fontsize=11)
        ax.text(x, 2.35, "goods inside: value", ha="center", va="center", fontsize=7.5, color="#2a7f62")
        told = f"score {score}".replace("-", "−")
        ax.text(
            x,
            1.5,
            told,
            ha="center",
            va="center",
            fontsize=12,
            fontweight="bold" if strong else "normal",
            color="black" if score > 0 else "#777777",
        )
        if score > 0:
            _arrow(ax, (1.75, 0.75), (x - 0.25, 1.24), QUERY, bend=0.06, width=0.8 + 0.6 * score)
    ax.add_patch(Circle((1.1, 1.6), 0.24, facecolor=QUERY, edgecolor="none"))
    ax.add_patch(Polygon([(0.7, 0.2), (1.5, 0.2), (1.3, 1.28), (0.9, 1.28)], facecolor=QUERY, edgecolor="none"))
    _box(
        ax,
        1.1,
        2.75,
        f"“{wish}”\nquery\n({', '.join(str(k).replace('-', '−') for k in query)})",
        QUERY,
        width=1.95,
        height=1.15,
        size=10,
    )
    ax.plot([1.1, 1.1], [1.92, 2.13], color=QUERY, linewidth=1.4)
    ax.text(10.3, 0.3, "each vector: (warm, sweet, cheap)", fontsize=9, color="#555555", va="center", ha="right")
    winners = " and ".join(name for name, score in zip(WINDOWS, scores) if score == best)
    ax.set_title(f"The shopper's wish meets every window at once; the best fit: {winners}", fontsize=12)
    return drawn


@figure
def flow(tokens: Sequence[str], ids: Sequence[int]) -> Figure:
    """From words to ids to vectors to queries, keys and values: the same three matrices for every token."""
    drawn, axes = grid(1, 1, width=9.6, height=4.7)
    ax = axes[0, 0]
    step = 1.95
    _blank(ax, 1.75 + step * len(tokens), 5.6)
    levels = {"words": 0.4, "ids": 1.3, "embedding": 2.45, "projections": 4.8}
    for name, y in levels.items():
        ax.text(0.1, y, name, va="center", fontsize=10, color="#555555", style="italic")
    for place, (token, number) in enumerate(zip(tokens, ids)):
        x = 2.45 + step * place
        _box(ax, x, levels["words"], token, TOKEN, width=1.3)
        _box(ax, x, levels["ids"], str(number), TOKEN, width=0.6)
        _box(ax, x, levels["embedding"], f"$x_{{{place + 1}}}$", TOKEN, width=0.8)
        _arrow(ax, (x, 0.68), (x, 1.02))
        _arrow(ax, (x, 1.58), (x, 2.17))
        for offset, letter, colour in ((-0.58, "q", QUERY), (0, "k", KEY), (0.58, "v", VALUE)):
            _arrow(ax, (x + 0.4 * offset, 2.73), (x + offset, 4.5), colour, width=1.5)
            _box(ax, x + offset, levels["projections"], f"${letter}_{{{place + 1}}}$", colour, width=0.5)
            if place == 0:
                ax.text(
                    x + 0.76 * offset - 0.04,
                    3.62,
                    f"$W_{letter}$",
                    ha="center",
                    va="center",
                    fontsize=10,
                    backgroundcolor="white",
                    zorder=4,
                )
    ax.text(0.1, 3.62, "times", va="center", fontsize=10, color="#555555", style="italic")
    ax.set_title("Every token gets a query, a key and a value, by the same three matrices", fontsize=12)
    return drawn


@figure
def one_asks(tokens: Sequence[str], asking: int, Q: np.ndarray, K: np.ndarray) -> Figure:
    """One token's query meets the keys of all tokens, its own too."""
    scores = [float(Q[asking] @ key) for key in K]
    drawn, axes = grid(1, 1, width=9.0, height=3.9)
    ax = axes[0, 0]
    step = 1.9
    _blank(ax, step * len(tokens), 4.6)
    centre = step * (asking + 0.5)
    _box(ax, centre, 3.9, f"query of “{tokens[asking]}”", QUERY, width=2.3, height=0.6, size=11)
    top = max(scores)
    for place, (token, score) in enumerate(zip(tokens, scores)):
        x = step * (place + 0.5)
        _box(ax, x, 1.35, f"$k_{{{place + 1}}}$", KEY, width=0.7)
        ax.text(
            x, 0.8, token, ha="center", va="center", fontsize=11, fontweight="bold" if place == asking else "normal"
        )
        _arrow(
            ax,
            (centre + 0.3 * (place - asking), 3.57),
            (x, 1.63),
            QUERY if score > 0 else "#aaaaaa",
            width=0.9 + 2.6 * max(score, 0) / max(top, 1),
        )
        where = 0.42
        ax.text(
            x + where * (centre - x) * 0.98, 1.63 + where * 1.94, f"{score:g}".replace("-", "−"), ha="center", va="center", fontsize=11,
            fontweight="bold" if score == top else "normal", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5}, zorder=4,
        )  # fmt: skip
    ax.text(
        step * len(tokens) / 2,
        0.2,
        f"scores α = q · k: whoever is to be renewed asks, here “{tokens[asking]}”; all answer, also “{tokens[asking]}” itself",
        ha="center",
        fontsize=10,
    )
    ax.set_title(f"“{tokens[asking]}” asks, and every key answers", fontsize=12)
    return drawn


@figure
def all_pairs(
    tokens: Sequence[str], Q: np.ndarray, K: np.ndarray, entries: Sequence[str], asking: int, answering: int
) -> Figure:
    """Queries, keys on their side, and the matrix of all scores, with one row, one column and their cell framed."""
    n, d = Q.shape
    drawn, axes = grid(1, 3, width=3.6, height=3.7, width_ratios=[d + 1.2, n, n])
    left = heatmap(Q, rows=tokens, columns=entries, title="queries Q", ax=axes[0, 0], signed=True, row_label="who asks")
    middle = heatmap(
        K.T, rows=entries, columns=tokens, title="times keys on their side, Kᵀ", ax=axes[0, 1], signed=True
    )
    right = heatmap(
        Q @ K.T,
        rows=tokens,
        columns=tokens,
        title="= every query against every key",
        ax=axes[0, 2],
        signed=True,
        column_label="who answers",
    )
    _frame(left, asking, 0, 1, d)
    _frame(middle, 0, answering, d, 1)
    _frame(right, asking, answering, 1, 1)
    told = f"row “{tokens[asking]}” meets column “{tokens[answering]}”: {' + '.join(f'{a:g}·{b:g}' for a, b in zip(Q[asking], K[answering]))} = {Q[asking] @ K[answering]:g}"
    drawn.suptitle(f"{n} queries and {n} keys: {n} × {n} scores from one product;  {told}", fontsize=11)
    return drawn


def _seconds(call: Callable[[], Any], budget: float = 0.1) -> float:
    """The shortest of 3 to 25 runs: what is left when nothing else disturbs. Quick calls get more runs."""
    best, spent, runs = float("inf"), 0.0, 0
    while runs < 3 or (spent < budget and runs < 25):
        start = time.perf_counter()
        call()
        last = time.perf_counter() - start
        best, spent, runs = min(best, last), spent + last, runs + 1
    return best


@figure
def loops_against_product(
    yours: Callable[[np.ndarray, np.ndarray], np.ndarray],
    sizes: Sequence[int] = (8, 16, 32, 64, 128, 256),
    d_k: int = 64,
) -> Figure:
    """Time of two Python loops, of one matrix product and of the learner's function, measured now and on this machine."""
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=(n, d_k)), rng.normal(size=(n, d_k))) for n in sizes]
    drawn, axes = grid(1, 1, width=6.8, height=3.8)
    ax = axes[0, 0]
    # One core for all: fair to the loops, and steady where other programs keep the second one busy.
    with threadpool_limits(1):
        np.matmul(pairs[0][0], pairs[0][1].T)  # the first call also loads the library
        loops = [_seconds(lambda Q=Q, K=K: [[q @ k for k in K] for q in Q]) for Q, K in pairs]
        product = [_seconds(lambda Q=Q, K=K: np.matmul(Q, K.T)) for Q, K in pairs]
        ax.loglog(sizes, loops, "o-", color=ORANGE, label="two loops, one pair at a time")
        ax.loglog(sizes, product, "s-", color=BLUE, label="one matrix product")
        try:
            own = [_seconds(lambda Q=Q, K=K: yours(Q, K)) for Q, K in pairs]
            ax.loglog(sizes, own, "^--", color=PINK, label="your attention_scores")
        except Exception:  # not written yet, or not right yet: the two other lines are there all the same
            pass
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ax.minorticks_off()
    ax.set_xlabel("tokens n (n × n scores)")
    ax.set_ylabel("seconds, shortest run")
    ax.grid(alpha=0.3)
    ax.legend(fontsize=9)
    ax.set_title(
        f"Same numbers, another time: at n = {sizes[-1]} the product is {loops[-1] / product[-1]:.0f} times as fast",
        fontsize=11,
    )
    return drawn


def _striped(
    ax: Axes, x: float, middle: float, shape: tuple[int, int], name: str, told: str, tokens: str, colour: str
) -> float:
    """A matrix as a grid of cells whose token axis is striped; returns where the next thing may begin."""
    from matplotlib.patches import Rectangle

    cell = 0.3
    rows, columns = shape
    top = middle + rows * cell / 2
    for i in range(rows):
        for j in range(columns):
            shade = {"rows": i, "columns": j, "both": i + j, "": 0}[tokens]
            strength = "59" if tokens and shade % 2 else "1f"
            ax.add_patch(
                Rectangle(
                    (x + j * cell, top - (i + 1) * cell),
                    cell,
                    cell,
                    facecolor=colour + strength,
                    edgecolor="white",
                    linewidth=1,
                )
            )
    ax.add_patch(
        Rectangle((x, top - rows * cell), columns * cell, rows * cell, fill=False, edgecolor=colour, linewidth=1.5)
    )
    ax.text(x + columns * cell / 2, top + 0.12, name, ha="center", va="bottom", fontsize=11)
    ax.text(
        x + columns * cell / 2, top - rows * cell - 0.12, told, ha="center", va="top", fontsize=8.5, color="#555555"
    )
    return x + columns * cell + 0.35


@figure
def rows_and_columns() -> Figure:
    """The two ways to write the same computation: tokens as rows, tokens as columns."""
    drawn, axes = grid(2, 2, width=5.0, height=2.3, width_ratios=[4.8, 5.7])
    n_q, n_k, d_model, d = 3, 5, 4, 2
    width, query, key = "$d_{model}$", "$n_q$", "$n_k$"
    x, q = ((n_q, d_model), "X", f"n × {width}", "rows", TOKEN), ((n_q, d), "Q", "n × d", "rows", QUERY)
    w = ((d_model, d), "$W_q$", f"{width} × d", "", QUERY)
    k = ((d, n_k), "$K^T$", f"d × {key}", "columns", KEY)
    s = ((n_q, n_k), "$Q K^T$", f"{query} × {key}: a row for each query", "rows", BLUE)
    x_columns, q_columns = (
        ((d_model, n_q), "X", f"{width} × n", "columns", TOKEN),
        ((d, n_q), "Q", "d × n", "columns", QUERY),
    )
    w_columns = ((d, d_model), "$W^q$", f"d × {width}", "", QUERY)
    k_columns = ((n_k, d), "$K^T$", f"{key} × d", "rows", KEY)
    s_columns = ((n_k, n_q), "$K^T Q$", f"{key} × {query}: a column for each query", "columns", BLUE)
    lines = [
        ("Tokens as rows (this course)", [x, "·", w, "=", q], [q, "·", k, "=", s]),
        (
            "Tokens as columns (many texts)",
            [w_columns, "·", x_columns, "=", q_columns],
            [k_columns, "·", q_columns, "=", s_columns],
        ),
    ]
    for row, (title, *sides) in zip(axes, lines):
        for ax, parts in zip(row, sides):
            _blank(ax, 4.8 if ax is row[0] else 5.7, 2.4)
            ax.set_aspect("equal")
            x = 0.15
            for part in parts:
                if isinstance(part, str):
                    ax.text(x + 0.02, 1.2, part, ha="center", va="center", fontsize=14)
                    x += 0.35
                else:
                    x = _striped(ax, x, 1.2, *part)
        row[0].set_title(title, fontsize=11, loc="left", fontweight="bold")
    return drawn


@figure
def scores(tokens: Sequence[str], S: np.ndarray) -> Figure:
    """The scores of a sentence with itself."""
    drawn, axes = grid(1, 1, width=4.6, height=3.6)
    heatmap(
        S,
        rows=tokens,
        columns=tokens,
        title="Scores from your own project and attention_scores",
        ax=axes[0, 0],
        signed=True,
        row_label="who asks",
        column_label="who answers",
    )
    return drawn


@figure
def one_or_two_projections(tokens: Sequence[str], Q: np.ndarray, K: np.ndarray) -> Figure:
    """Scores when the queries serve as keys too, beside those with keys of their own."""
    drawn, axes = grid(1, 2, width=4.0, height=3.6)
    heatmap(
        Q @ Q.T,
        rows=tokens,
        columns=tokens,
        title="One projection for both: Q Qᵀ",
        ax=axes[0, 0],
        signed=True,
        row_label="who asks",
        column_label="who answers",
    )
    heatmap(
        Q @ K.T,
        rows=tokens,
        columns=tokens,
        title="Two projections: Q Kᵀ",
        ax=axes[0, 1],
        signed=True,
        row_label="who asks",
        column_label="who answers",
    )
    return drawn
