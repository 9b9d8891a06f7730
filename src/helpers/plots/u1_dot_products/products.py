"""One matrix product: against two loops, and with tokens as rows or as columns."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import describe, figure, grid
from ..wording import number
from .shapes import BLUE, KEY, ORANGE, PINK, QUERY, TOKEN, blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# A matrix to draw: its shape, its name, what is written below, which axis the tokens are, its colour.
_Matrix = tuple[tuple[int, int], str, str, str, str]


def _seconds(call: Callable[[], Any], budget: float = 0.1) -> float:
    """The shortest of 3 to 25 runs: what is left when nothing else disturbs. Quick calls get more runs."""
    best, spent, runs = float("inf"), 0.0, 0
    while runs < 3 or (spent < budget and runs < 25):
        start = time.perf_counter()
        call()
        last = time.perf_counter() - start
        best, spent, runs = min(best, last), spent + last, runs + 1
    return best


def _two_loops(Q: np.ndarray, K: np.ndarray) -> list[list[float]]:
    return [[q @ k for k in K] for q in Q]


@figure
def loops_against_product(
    yours: Callable[[np.ndarray, np.ndarray], np.ndarray],
    sizes: Sequence[int] = (8, 16, 32, 64, 128, 256),
    d_k: int = 64,
) -> Figure:
    """Time of two Python loops, of one matrix product and of the learner's function, measured here and now."""
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=(n, d_k)), rng.normal(size=(n, d_k))) for n in sizes]
    drawn, axes = grid(1, 1, width=6.8, height=3.8)
    ax = axes[0, 0]
    # One core for all: fair to the loops, and steady where other programs keep the second one busy.
    with threadpool_limits(1):
        np.matmul(pairs[0][0], pairs[0][1].T)  # the first call also loads the library
        loops = [_seconds(functools.partial(_two_loops, Q, K)) for Q, K in pairs]
        product = [_seconds(functools.partial(np.matmul, Q, K.T)) for Q, K in pairs]
        ax.loglog(sizes, loops, "o-", color=ORANGE, label="two loops, one pair at a time")
        ax.loglog(sizes, product, "s-", color=BLUE, label="one matrix product")
        own: list[float] = []
        try:
            own = [_seconds(functools.partial(yours, Q, K)) for Q, K in pairs]
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
        f"The same numbers, sooner: at n = {sizes[-1]} the product is {loops[-1] / product[-1]:.0f} times as fast",
        fontsize=11,
    )
    measured = {"two loops": loops, "one matrix product": product} | ({"your attention_scores": own} if own else {})
    told = ", ".join(f"{name} {number(seconds[-1] * 1000)}" for name, seconds in measured.items())
    alt = (
        f"Seconds against the number of tokens from {sizes[0]} to {sizes[-1]}, both axes logarithmic, a line for each "
        f"way. Milliseconds at {sizes[-1]} tokens: {told}."
    )
    return describe(drawn, alt)


def _striped(
    ax: Axes, x: float, middle: float, shape: tuple[int, int], name: str, told: str, tokens: str, colour: str
) -> float:
    """A matrix as a grid of cells, one token along its token axis dark; returns where the next thing may begin."""
    from matplotlib.patches import Rectangle

    cell = 0.3
    rows, columns = shape
    top = middle + rows * cell / 2
    for i in range(rows):
        for j in range(columns):
            shade = {"rows": i, "columns": j, "both": i + j, "": 0}[tokens]
            strength = "59" if tokens and shade == 1 else "1f"
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
    drawn, axes = grid(2, 2, width=4.7, height=2.3, width_ratios=[4.8, 5.7])
    n_q, n_k, d_model, d_k = 3, 5, 4, 2
    width, narrow, query, key = "$d_{model}$", "$d_k$", "$n_q$", "$n_k$"
    x = ((n_q, d_model), "X", f"{query} × {width}", "rows", TOKEN)
    q = ((n_q, d_k), "Q", f"{query} × {narrow}", "rows", QUERY)
    w = ((d_model, d_k), "$W_q$", f"{width} × {narrow}", "", QUERY)
    k = ((d_k, n_k), "$K^T$", f"{narrow} × {key}", "", KEY)
    s = ((n_q, n_k), "$Q K^T$", f"{query} × {key}: a row for each query", "rows", BLUE)
    x_columns, q_columns = (
        ((d_model, n_q), "X", f"{width} × {query}", "columns", TOKEN),
        ((d_k, n_q), "Q", f"{narrow} × {query}", "columns", QUERY),
    )
    w_columns = ((d_k, d_model), "$W_q^T$", f"{narrow} × {width}", "", QUERY)
    k_columns = ((n_k, d_k), "$K^T$", f"{key} × {narrow}", "", KEY)
    s_columns = ((n_k, n_q), "$K^T Q$", f"{key} × {query}: a column for each query", "columns", BLUE)
    lines: list[tuple[str, list[_Matrix | str], list[_Matrix | str]]] = [
        ("Tokens as rows (this course)", [x, "·", w, "=", q], [q, "·", k, "=", s]),
        (
            "Tokens as columns (many texts)",
            [w_columns, "·", x_columns, "=", q_columns],
            [k_columns, "·", q_columns, "=", s_columns],
        ),
    ]
    for row, (title, *sides) in zip(axes, lines):
        for ax, parts in zip(row, sides):
            blank(ax, 4.8 if ax is row[0] else 5.7, 2.4)
            ax.set_aspect("equal")
            left = 0.15
            for part in parts:
                if isinstance(part, str):
                    ax.text(left + 0.02, 1.2, part, ha="center", va="center", fontsize=14)
                    left += 0.35
                else:
                    left = _striped(ax, left, 1.2, *part)
        row[0].set_title(title, fontsize=11, loc="left", fontweight="bold")
    told = f"dark: one token, and the scores of its query; the {n_k} keys are of another sentence"
    axes[0, 1].set_title(told, fontsize=8.5, loc="right", color="#555555")
    alt = (
        f"Above, tokens as rows: X, n_q × d_model, times W_q is Q, and Q times K transposed, {n_q} × {n_k} here, has a "
        "row for each query. Below, tokens as columns: W_q transposed times X, d_model × n_q, is Q, and K transposed "
        f"times Q, {n_k} × {n_q}, has a column for each query. Dark is one token, and the scores of its query; the "
        f"{n_k} keys are of another sentence."
    )
    return describe(drawn, alt)
