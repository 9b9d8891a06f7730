"""What all figures share: colours, fonts, a heatmap with token names, alt text."""

from __future__ import annotations

import base64
import functools
import importlib.util
import io
import logging
import os
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec
from weakref import WeakKeyDictionary

import numpy as np

from helpers import language

from .wording import matrix_told

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Both maps are told apart with any kind of colour blindness and in grey.
SEQUENTIAL = "cividis"
DIVERGING = "PuOr"
# Okabe and Ito's colours, in an order that keeps neighbours apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")

# Pixels of white around a picture, which is a card on a dark page and nothing to see on a light one. The colours of a
# figure are chosen for white, and a picture in an output cannot know the page's theme, which may change under it.
CARD = 8
CARD_STYLE = (
    f"box-sizing:content-box;max-width:calc(100% - {2 * CARD}px);height:auto;"
    f"padding:{CARD}px;background:white;border-radius:{CARD}px"
)

# Fonts with Chinese characters, as they are called on the usual systems.
_CHINESE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Noto Sans CJK JP", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC",
    "Hiragino Sans GB", "Heiti SC", "STHeiti", "Songti SC", "Microsoft YaHei", "SimHei", "SimSun",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Arial Unicode MS",
)  # fmt: skip


_Arguments = ParamSpec("_Arguments")
# The alt text of each figure that is still in use. Not an attribute: matplotlib's figures have no place for one.
_ALTS: WeakKeyDictionary[Figure, str] = WeakKeyDictionary()


def drawing() -> bool:
    """Whether figures are wanted: not while nbgrader validates or grades."""
    return not os.environ.get("NBGRADER_EXECUTION")


def figure(function: Callable[_Arguments, Any]) -> Callable[_Arguments, Any]:
    """Decorator for functions that draw: they return None and do nothing while nothing is to be drawn."""

    @functools.wraps(function)
    def drawn(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Any:
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
    # The extra `zh` brings a package with one of them in it, which is no font of the system's.
    package = importlib.util.find_spec("zhplot")
    if not installed.intersection(_CHINESE_FONTS) and package is not None and package.origin is not None:
        for font in (Path(package.origin).parent / "fonts").glob("*.ttf"):
            fontManager.addfont(font)
        installed = {font.name for font in fontManager.ttflist}
    return next((name for name in _CHINESE_FONTS if name in installed), None)


def fonts() -> list[str]:
    """Return the fonts of a text that may hold Chinese: each character takes the first that has it."""
    return ["DejaVu Sans", *filter(None, [chinese_font()])]


@functools.cache
def _characters() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset().union(*(get_font(findfont(name)).get_charmap() for name in fonts()))


def writable(text: str, longest: int = 12) -> str:
    """Return a typed word as a figure can write it: letters that no font has become □, and a long word is cut short."""
    shown = "".join(letter if ord(letter) in _characters() else "□" for letter in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def describe(drawn: Figure, alt: str) -> Figure:
    """Give a figure its text for readers who do not see it, and return the figure.

    Args:
        drawn: the figure.
        alt: what there is to see, in a sentence or two, with the numbers that were drawn. Where the reader is asked
            something that the picture answers, it has the data and not the answer.

    Raises:
        ValueError: the text is empty.
    """
    if not alt.strip():
        raise ValueError("the alt text of a figure is empty; say in a sentence or two what there is to see")
    _ALTS[drawn] = alt
    return drawn


def alt_of(drawn: Figure | Axes) -> str:
    """Return the text that `describe` gave to a figure, or to the figure of an Axes.

    Raises:
        LookupError: the figure has none.
    """
    drawn = whole(drawn)
    if drawn not in _ALTS:
        raise LookupError(
            f"the figure {titles(drawn) or 'without a title'!r} has no alt text; "
            "the function that draws it should end with: return describe(drawn, alt)"
        )
    return _ALTS[drawn]


def told(drawn: Figure | Axes) -> str:
    """Return a figure's own alt text or, where a figure has none, what its titles say."""
    try:
        return alt_of(drawn)
    except LookupError:
        return f"A figure that has no description. {titles(whole(drawn))}".strip()


def titles(drawn: Figure) -> str:
    """Return what the titles of a figure and of its axes say, as sentences."""
    lines = [drawn.get_suptitle(), *(ax.get_title() for ax in drawn.axes)]
    return " ".join(" ".join(line.split()) + "." for line in lines if line)


def whole(drawn: Figure | Axes) -> Figure:
    """Return the figure of an Axes, or the figure itself."""
    from matplotlib.figure import Figure

    if isinstance(drawn, Figure):
        return drawn
    owner = drawn.get_figure(root=True)
    if owner is None:
        raise ValueError("these Axes belong to no figure any more; draw them again")
    return owner


@figure
def show(drawn: Figure | Axes | None, alt: str | None = None) -> None:
    """Show a figure in the notebook with a text for readers who do not see it.

    Args:
        drawn: the figure, or an Axes of it; None shows nothing.
        alt: what there is to see, in a sentence or two; None takes the text that the figure brings along (`describe`).
    """
    if drawn is None:
        return
    from IPython.display import display

    alt = told(drawn) if alt is None else alt
    display({"text/html": _image(whole(drawn), alt), "text/plain": f"[figure: {language.told(alt)}]"}, raw=True)


def _image(drawn: Figure, alt: str) -> str:
    from .translating import translate

    translate(drawn)
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="png", facecolor="white", metadata={"Software": None})
    data = base64.b64encode(buffer.getvalue()).decode()
    # With its size told beforehand, a picture that replaces another moves nothing on the page.
    width, height = size_of(drawn)
    size = f'width="{width}" height="{height}" style="{CARD_STYLE}" decoding="sync"'
    return f'<img alt="{escape(language.told(alt), quote=True)}" {size} src="data:image/png;base64,{data}">'


def size_of(drawn: Figure) -> tuple[int, int]:
    """Return the width and height of a figure's picture in pixels."""
    width, height = drawn.get_size_inches() * drawn.dpi
    return int(width), int(height)


@figure
def _columns(name: object) -> int:
    """How many columns a name takes in the language that is spoken."""
    return language.columns_of(language.told(str(name)))


def heatmap(
    matrix: np.ndarray,
    rows: Sequence[object] | None = None,
    columns: Sequence[object] | None = None,
    title: str = "",
    ax: Axes | None = None,
    signed: bool | None = None,
    row_label: str = "",
    column_label: str = "",
    numbers: bool | None = None,
    limits: tuple[float, float] | None = None,
    slant: bool | None = None,
) -> Axes:
    """Draw a matrix as coloured cells with names on both axes and, when it is small, its numbers.

    Args:
        matrix: (r, c).
        rows, columns: names of the rows and columns, usually tokens.
        title: what to see.
        ax: where to draw; a new figure if None, which gets its alt text here.
        signed: two-sided colours around zero; None decides by whether there is a negative entry.
        row_label, column_label: what the rows and columns are, as "queries" and "keys".
        numbers: write the numbers into the cells; None decides by size.
        limits: values of the first and last colour.
        slant: write the names of the columns aslant; None decides by their length.
    """
    matrix = np.asarray(matrix, dtype=float)
    alone = ax is None
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
    if slant or (slant is None and columns is not None and max(map(_columns, columns), default=0) > 3):
        for label in ax.get_xticklabels():
            # A name ends at its own column; one that is turned about its middle lies below its neighbour's.
            label.set(rotation=45, ha="right", rotation_mode="anchor")
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
    if alone:
        name = " ".join(title.split()).rstrip(".:") or "A table of numbers"
        describe(whole(ax), f"{name}. {matrix_told(matrix, rows, columns)}")
    return ax
