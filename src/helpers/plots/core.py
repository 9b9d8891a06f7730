"""What all figures share: colours, fonts, a heatmap with token names, alt text."""

from __future__ import annotations

import base64
import functools
import io
import logging
import os
from collections.abc import Callable, Sequence
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


# Fonts with Chinese characters, as they are called on the usual systems.
_CHINESE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Noto Sans CJK JP", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Hiragino Sans GB", "Heiti SC",
    "STHeiti", "Songti SC", "Microsoft YaHei", "SimHei", "SimSun", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Arial Unicode MS",
)  # fmt: skip


def drawing() -> bool:
    """Whether figures are wanted: not while nbgrader validates or grades."""
    return not os.environ.get("NBGRADER_EXECUTION")


def figure(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for functions that draw: they return None and do nothing while nothing is to be drawn."""

    @functools.wraps(function)
    def drawn(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs) if drawing() else None

    return drawn


def grid(
    rows: int = 1, columns: int = 1, width: float = 3.4, height: float = 3.0, **options: Any
) -> tuple[Figure, np.ndarray]:
    """Return a figure that no display shows by itself, and its axes as a (rows, columns) array."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(width * columns, height * rows), layout="constrained", dpi=110)
    FigureCanvasAgg(drawn)
    return drawn, drawn.subplots(rows, columns, squeeze=False, **options)


@functools.cache
def chinese_font() -> str | None:
    """Return an installed font that has Chinese characters, or None."""
    from matplotlib.font_manager import fontManager

    # Some of them come in another weight than the usual one, about which matplotlib would complain in the notebook.
    logging.getLogger("matplotlib.font_manager").addFilter(lambda record: "font weight" not in str(record.msg))
    # matplotlib remembers its list of fonts; one may have gone since.
    installed = {font.name for font in fontManager.ttflist if os.path.exists(font.fname)}
    return next((name for name in _CHINESE_FONTS if name in installed), None)


def fonts() -> list[str]:
    """Return the fonts of a text that may hold Chinese: each character takes the first that has it."""
    return ["DejaVu Sans", *filter(None, [chinese_font()])]


@functools.cache
def _characters() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset().union(*(get_font(findfont(name)).get_charmap() for name in fonts()))


def writable(text: str, longest: int = 12) -> str:
    """Return a typed word as a figure can write it: characters that no font has become □, and a long word is cut short."""
    shown = "".join(letter if ord(letter) in _characters() else "□" for letter in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


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
    # With its size told beforehand, a picture that replaces another moves nothing on the page.
    width, height = size_of(drawn)
    size = f'width="{width}" height="{height}" style="max-width:100%;height:auto" decoding="sync"'
    return f'<img alt="{escape(alt, quote=True)}" {size} src="data:image/png;base64,{data}">'


def size_of(drawn: Figure) -> tuple[int, int]:
    """Return the width and height of a figure's picture in pixels."""
    width, height = drawn.get_size_inches() * drawn.dpi
    return int(width), int(height)


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
            ax.text(
                j, i, f"{value:.2g}", ha="center", va="center", fontsize=8, color="black" if light > 0.5 else "white"
            )
    return ax
