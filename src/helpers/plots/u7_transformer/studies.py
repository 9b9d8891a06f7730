"""The ablation: what each part of a Transformer buys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers import language

from ..core import COLOURS, describe, figure, grid
from ..wording import joined
from .training import running_mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure
def ablation(results: Sequence[Any]) -> Figure | None:
    """How well each model does without one part, and how its loss fell.

    Args:
        results: records with `task`, `without`, `accuracy` and `losses`.

    Returns:
        None where no model is finished yet.
    """
    if not results:
        return None
    tasks = list(dict.fromkeys(one.task for one in results))
    parts = list(dict.fromkeys(one.without for one in results))
    colour = dict(zip(parts, ("#000000", *COLOURS[:2], COLOURS[5], COLOURS[2])))
    dashes = dict(zip(parts, ("-", "--", ":", "-.", (0, (6, 1, 1, 1, 1, 1)))))
    drawn, axes = grid(len(tasks), 2, width=4.6, height=2.9, gridspec_kw={"width_ratios": [1, 1.1]})
    for (bars, curves), task in zip(axes, tasks):
        own = [one for one in results if one.task == task]
        names = [_without(one.without) for one in own]
        bars.barh(names, [100 * one.accuracy for one in own], color=[colour[one.without] for one in own], alpha=0.85)
        for place, one in enumerate(own):
            bars.text(100 * one.accuracy + 1.5, place, f"{one.accuracy:.1%}", va="center", fontsize=9)
        bars.set(xlim=(0, 118), xticks=range(0, 101, 20), xlabel="held-out examples exactly right, %")
        bars.invert_yaxis()
        bars.set_title(f"{task}: what is left without a part", fontsize=10)
        for one in own:
            curves.plot(
                running_mean(one.losses),
                color=colour[one.without],
                linestyle=dashes[one.without],
                linewidth=1.5,
                label=_without(one.without),
            )
        curves.set(yscale="log", xlabel=language.word("step"), ylabel="training loss")
        curves.grid(alpha=0.25)
        curves.legend(fontsize=7.5)
        curves.set_title(f"{task}: how the loss falls", fontsize=10)
    told = []
    for task in tasks:
        fared = ", ".join(
            f"{_without(one.without)} {one.accuracy:.1%} ({np.mean(one.losses[-20:]):.2g})"
            for one in results
            if one.task == task
        )
        told.append(f"{task}: {fared}.")
    return describe(
        drawn,
        f"A row of two panels for each of: {joined(tasks)}. Left, bars of the share of held-out examples that are "
        "exactly right without a part; right, the training losses. The share, and in brackets the loss at the end: "
        + " ".join(told),
    )


def _without(part: str) -> str:
    return {"nothing": "complete", "all heads but one": "one head"}.get(part, f"no {part}")


@figure
def ablation_table(results: Sequence[Any]) -> None:
    """Show the ablation as a table: rows are parts, columns are tasks."""
    from IPython.display import display

    tasks = list(dict.fromkeys(one.task for one in results))
    # In the order of the figure, which is that of the task that has them all.
    parts = max(([one.without for one in results if one.task == task] for task in tasks), key=len, default=[])
    found = {(one.task, one.without): one for one in results}
    head = "".join(f"<th>{task}: held-out right</th><th>last training loss</th>" for task in tasks)
    rows = ""
    for part in parts:
        cells = ""
        for task in tasks:
            one = found.get((task, part))
            cells += (
                f"<td>{one.accuracy:.1%}</td><td>{np.mean(one.losses[-20:]):.4f}</td>"
                if one
                else "<td>has none</td><td>–</td>"
            )
        rows += f'<tr><th style="text-align:left">{_without(part)}</th>{cells}</tr>'
    told = "; ".join(f"{one.task}, {_without(one.without)}: {one.accuracy:.1%}" for one in results)
    display({"text/html": f"<table><tr><th></th>{head}</tr>{rows}</table>", "text/plain": told}, raw=True)
