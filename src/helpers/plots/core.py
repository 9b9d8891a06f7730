"""What all figures share: colours, a heatmap with token names, alt text, sliders with a static picture."""

from __future__ import annotations

import base64
import functools
import io
import os
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Both maps are told apart with any kind of colour blindness and in grey.
SEQUENTIAL = "cividis"
DIVERGING = "PuOr"
# Okabe and Ito's colours, in an order that keeps neighbours apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")


def drawing() -> bool:
    """Whether figures are wanted: not while nbgrader validates or grades."""
    return not os.environ.get("NBGRADER_EXECUTION")


def figure(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for functions that draw: they return None and do nothing while nothing is to be drawn."""

    @functools.wraps(function)
    def drawn(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs) if drawing() else None

    return drawn


def grid(rows: int = 1, columns: int = 1, width: float = 3.4, height: float = 3.0, **options: Any) -> tuple[Figure, np.ndarray]:
    """Return a figure that no display shows by itself, and its axes as a (rows, columns) array."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(width * columns, height * rows), layout="constrained", dpi=110)
    FigureCanvasAgg(drawn)
    return drawn, drawn.subplots(rows, columns, squeeze=False, **options)


@figure
def show(drawn: Figure | None, alt: str) -> None:
    """Show a figure in the notebook with a text for readers who do not see it.

    Args:
        drawn: the figure; None shows nothing.
        alt: what there is to see, in a sentence or two.
    """
    if drawn is None:
        return
    from IPython.display import display

    display({"text/html": _image(drawn, alt), "text/plain": f"[figure: {alt}]"}, raw=True)


def _image(drawn: Figure, alt: str) -> str:
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="png", facecolor="white", metadata={"Software": None})
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{escape(alt, quote=True)}" style="max-width:100%" src="data:image/png;base64,{data}">'


@figure
def heatmap(
    matrix: np.ndarray,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    title: str = "",
    ax: Axes | None = None,
    signed: bool | None = None,
    row_label: str = "",
    column_label: str = "",
    numbers: bool | None = None,
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw a matrix as coloured cells with names on both axes and, when it is small, its numbers.

    Args:
        matrix: (r, c).
        rows, columns: names of the rows and columns, usually tokens.
        title: what to see.
        ax: where to draw; a new figure if None.
        signed: two-sided colours around zero; None decides by whether there is a negative entry.
        row_label, column_label: what the rows and columns are, as "queries" and "keys".
        numbers: write the numbers into the cells; None decides by size.
        limits: values of the first and last colour.
    """
    matrix = np.asarray(matrix, dtype=float)
    if ax is None:
        ax = grid(width=0.55 * matrix.shape[1] + 2.2, height=0.5 * matrix.shape[0] + 1.4)[1][0, 0]
    signed = bool((matrix < 0).any()) if signed is None else signed
    if limits is None:
        top = float(np.abs(matrix[np.isfinite(matrix)]).max(initial=0)) or 1.0
        limits = (-top, top) if signed else (0.0, top)
    picture = ax.imshow(matrix, cmap=DIVERGING if signed else SEQUENTIAL, vmin=limits[0], vmax=limits[1], aspect="auto")
    for axis, names, count in ((ax.yaxis, rows, matrix.shape[0]), (ax.xaxis, columns, matrix.shape[1])):
        if names is not None:
            axis.set_ticks(range(count), [str(name) for name in names])
        elif count <= 12:
            axis.set_ticks(range(count))
    if columns is not None and max(map(len, map(str, columns)), default=0) > 3:
        ax.tick_params(axis="x", rotation=45)
    ax.set_title(title, fontsize=10)
    ax.set_ylabel(row_label)
    ax.set_xlabel(column_label)
    if numbers or (numbers is None and matrix.size <= 64):
        for (i, j), value in np.ndenumerate(matrix):
            red, green, blue, _ = picture.cmap(picture.norm(value))
            light = 0.3 * red + 0.59 * green + 0.11 * blue
            ax.text(j, i, f"{value:.2g}", ha="center", va="center", fontsize=8, color="black" if light > 0.5 else "white")
    return ax


@figure
def explore(draw: Callable[..., Figure], alt: str, start: Mapping[str, Any] | None = None, **controls: Any) -> None:
    """Show a figure with sliders or menus, and as a static picture where there are no widgets.

    Args:
        draw: called with one value for each control, returns a figure made by `grid`.
        alt: what there is to see in the first picture.
        start: the first picture's value of a control, where that is not the first in its list.
        controls: for each argument of `draw` a list of its values.
    """
    first = {name: values[0] for name, values in controls.items()} | dict(start or {})
    still = draw(**first)
    try:
        import ipywidgets
        from IPython import get_ipython
    except ImportError:
        return show(still, alt)
    if get_ipython() is None or not hasattr(get_ipython(), "kernel"):
        return show(still, alt)
    from IPython.display import display

    picture = ipywidgets.HTML(_image(still, alt))
    sliders = {name: ipywidgets.SelectionSlider(options=values, value=first[name], description=name, continuous_update=False) for name, values in controls.items()}

    def redraw(_: Any) -> None:
        chosen = {name: slider.value for name, slider in sliders.items()}
        told = ", ".join(f"{name} = {value}" for name, value in chosen.items())
        picture.value = _image(draw(**chosen), f"{alt} Now: {told}.")

    for slider in sliders.values():
        slider.observe(redraw, "value")
    box = ipywidgets.VBox([*sliders.values(), picture])
    # The bundle's static image is what a reader without a kernel, or an exported page, shows.
    data, metadata = box._repr_mimebundle_(), {}
    bundle = {"text/html": _image(still, alt), "text/plain": f"[figure: {alt}]", **{k: v for k, v in data.items() if "widget" in k}}
    display(bundle, metadata=metadata, raw=True)
