"""The report's figures as SVG with a text that says what is in them.

Patterns and labels carry the meaning, colour only helps.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from helpers.language import told
from helpers.plots.core import fonts

from .statistics import (
    ENDS,
    NAMED,
    NOT_ANSWERED,
    NOT_REACHED,
    NOT_RUN,
    RIGHT,
    TIME_OUT,
    UNKNOWN,
    UNNAMED,
    Exercise,
    Spread,
)

BINS = 10
# Okabe and Ito's colours, which colour-blind readers tell apart, each with a pattern of its own.
_LOOK = {
    RIGHT: ("#009E73", ""),
    NAMED: ("#E69F00", "//"),
    UNNAMED: ("#D55E00", "xx"),
    NOT_RUN: ("#CC79A7", "\\\\"),
    TIME_OUT: ("#56B4E9", "++"),
    NOT_REACHED: ("#0072B2", "--"),
    NOT_ANSWERED: ("#FFFFFF", ".."),
    UNKNOWN: ("#BBBBBB", ""),
}
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "report",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.5,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
}


@dataclass(frozen=True)
class Drawn:
    """A figure as a data address, and its words."""

    address: str
    words: str


def _drawn(figure: Figure, words: str) -> Drawn:
    text = io.BytesIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return Drawn("data:image/svg+xml;base64," + base64.b64encode(text.getvalue()).decode(), words)


def counts(scores: Sequence[float], most: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how many scores lie in each of `BINS` equal parts of 0 to `most`, and the parts' edges; more than `most`
    counts as the last part.
    """
    edges = np.linspace(0, most or 1, BINS + 1)
    return np.histogram(np.minimum(scores, edges[-1]), bins=edges)[0], edges


def histogram(scores: Sequence[float], most: float, found: Spread) -> Drawn:
    """Draw the scores of one unit."""
    heights, edges = counts(scores, most)
    # There is one where there is a score.
    assert found.median is not None
    with matplotlib.rc_context(_STYLE | {"font.family": fonts()}):
        figure = Figure(figsize=(5.2, 2.5), layout="constrained")
        axes = figure.subplots()
        axes.bar(edges[:-1], heights, width=np.diff(edges), align="edge", color="#0072B2", edgecolor="white")
        axes.axvline(found.median, color="black", linestyle="--", linewidth=1.2)
        axes.annotate(
            told(f"median {found.median:.3g}"),
            (found.median, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, 2),
            textcoords="offset points",
            annotation_clip=False,
        )
        axes.set(
            xlim=(0, edges[-1]),
            xlabel=told(f"points, of {most:g}"),
            ylabel=told("students"),
            ylim=(0, max(heights.max(), 1) * 1.12),
        )
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        parts = "; ".join(
            f"{low:g} to {high:g}: {count}" for low, high, count in zip(edges, edges[1:], heights) if count
        )
        return _drawn(
            figure,
            f"Histogram of {len(scores)} scores. Median {found.median:.3g} of {most:g} points. Students by points: "
            f"{parts}.",
        )


def ends(lines: Sequence[Exercise], students: int) -> Drawn:
    """Draw how the checks of a unit's exercises ended, one bar an exercise."""
    judged = [line for line in lines if line.cell.judged]
    used = [end for end in ENDS if any(line.ends[end] for line in judged)]
    with matplotlib.rc_context(_STYLE | {"font.family": fonts()}):
        figure = Figure(figsize=(7.4, 0.9 + 0.3 * len(judged)), layout="constrained")
        axes = figure.subplots()
        left = np.zeros(len(judged))
        for end in used:
            colour, pattern = _LOOK[end]
            widths = np.array([line.ends[end] for line in judged]) * 100 / students
            axes.barh(
                range(len(judged)),
                widths,
                left=left,
                color=colour,
                hatch=pattern,
                edgecolor="#333333",
                linewidth=0.5,
                label=told(end),
            )
            for row, width in enumerate(widths):
                if width >= 6:
                    place = left[row] + width / 2
                    plain = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
                    axes.text(place, row, f"{width:.0f}", ha="center", va="center", fontsize=8, bbox=plain)
            left += widths
        axes.set_yticks(range(len(judged)), [line.cell.exercise for line in judged])
        axes.invert_yaxis()
        axes.set(xlim=(0, 100), xlabel=told("% of gradable submissions"))
        figure.legend(loc="outside upper center", ncols=min(len(used), 5), frameon=False, handlelength=2.2)
        bars = "; ".join(
            f"{line.cell.exercise}: " + ", ".join(f"{end} {line.ends[end]}" for end in used if line.ends[end])
            for line in judged
        )
        return _drawn(figure, f"Bars: how the check of each exercise ended, of {students} submissions. {bars}.")
