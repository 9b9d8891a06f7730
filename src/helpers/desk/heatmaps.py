"""*Yours, expected, difference* as small tables of coloured numbers, each with words that say what is to be seen.

Orange is positive, blue negative: a pair that colour-blind readers tell apart. The grounds are translucent, so numbers
stay readable in the page's own colour on light and on dark.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TypedDict

import numpy as np

from helpers.exercise import DEFAULT_TOLERANCE
from helpers.language import told
from helpers.tolerance import close

MAX_CELLS = 8
TEXT_CELLS = 6


class Drawing(TypedDict, total=False):
    """How two arrays are drawn.

    Attributes:
        tolerance: what is closer than this is no difference; that of the exercise.
        secret: whether the expected numbers are the answer itself, so that only the wrong entries are marked.
    """

    tolerance: float
    secret: bool


@dataclass(frozen=True)
class Panel:
    """One matrix to draw.

    Attributes:
        title: "yours", "expected" or "difference".
        values: the matrix, of booleans or real numbers.
        corner: indices of its first row and column in the whole array.
        marked: places in `values` to be framed: the first wrong entry, or all of them where nothing else tells which.
        shape: shape of the whole array, in words.
        part: which part of it `values` is, as "(shown: matrix [0])", or "" for the whole.
        told: what is to be seen.
        flat: whether the array has one axis only, so that rows have no number.
    """

    title: str
    values: np.ndarray
    corner: tuple[int, int]
    marked: frozenset[tuple[int, int]]
    shape: str
    part: str
    told: str
    flat: bool

    @property
    def words(self) -> str:
        """What is to be seen, for those who do not see it."""
        return f"{_joined(self.shape, self.part)}, {self.told}"


def panels(
    yours: np.ndarray | None,
    expected: np.ndarray | None,
    most: int = MAX_CELLS,
    tolerance: float = DEFAULT_TOLERANCE,
    secret: bool = False,
) -> list[Panel]:
    """Return what to draw of two arrays: a part of at most `most` rows and columns, around the first wrong entry."""
    if yours is None or expected is None or not (_drawable(yours) and _drawable(expected)):
        return []
    if yours.shape != expected.shape:
        both = (("yours", yours),) if secret else (("yours", yours), ("expected", expected))
        nowhere = np.zeros(1, dtype=bool)
        return [_panel(title, array, (0,) * array.ndim, nowhere, _range(array), most) for title, array in both]
    wrong = _wrong(yours, expected, tolerance)
    places = np.argwhere(wrong)
    first = tuple(int(i) for i in places[0]) if len(places) else (0,) * yours.ndim
    framed = np.zeros_like(wrong)
    framed[first] = len(places) > 0
    many = len(places)
    counted = (
        f"{many} of {wrong.size} {'entry' if wrong.size == 1 else 'entries'} {'differs' if many == 1 else 'differ'}"
    )
    if secret:
        return [_panel("yours", yours, first, wrong, f"{counted} from what is expected", most)]
    if yours.dtype.kind == expected.dtype.kind == "b":
        difference, gap = wrong, ""
    else:
        with np.errstate(all="ignore"):
            difference = np.where(wrong, yours.astype(float) - expected.astype(float), 0.0)
        finite = np.abs(difference[np.isfinite(difference)])
        gap = f", by at most {_number(float(finite.max()))}" if finite.size and finite.max() > 0 else ""
    told = f"{counted}{gap}"
    return [
        _panel("yours", yours, first, framed, _range(yours), most),
        _panel("expected", expected, first, framed, _range(expected), most),
        _panel("difference", difference, first, framed, told if len(places) else "no entry differs", most),
    ]


def as_html(
    yours: np.ndarray | None,
    expected: np.ndarray | None,
    tolerance: float = DEFAULT_TOLERANCE,
    secret: bool = False,
) -> str:
    """Return the pictures side by side, or "" when there is nothing to draw."""
    drawn = panels(yours, expected, MAX_CELLS, tolerance, secret)
    if not drawn:
        return ""
    legend = [
        "orange: positive, blue: negative"
        if any(p.values.dtype.kind != "b" for p in drawn)
        else "T: True, F: False, ≠: they differ"
    ]
    if drawn[0].marked:
        legend.append("framed: what is wrong" if secret else "framed: the first wrong entry")
    if len(drawn) == 3:
        legend.insert(0, _joined(drawn[0].shape, drawn[0].part))
    figures = "".join(
        _figure(panel, panel.told if len(drawn) == 3 else _joined(panel.told, panel.part)) for panel in drawn
    )
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:.6em 1.4em;margin:.4em 0;align-items:flex-start">{figures}</div>'
        f'<div style="opacity:.75;font-size:.85em">{"; ".join(map(told, legend))}</div>'
    )


def as_text(
    yours: np.ndarray | None,
    expected: np.ndarray | None,
    tolerance: float = DEFAULT_TOLERANCE,
    secret: bool = False,
) -> list[str]:
    """Return the same as lines of plain text; `>` stands before what is framed."""
    lines = []
    for panel in panels(yours, expected, TEXT_CELLS, tolerance, secret):
        lines.append(f"{panel.title}: {panel.words}")
        for i, row in enumerate(panel.values):
            cells = [
                ("> " if (i, j) in panel.marked else "") + _entry(value, panel.title) for j, value in enumerate(row)
            ]
            lines.append("  " + " ".join(f"{cell:>10}" for cell in cells))
    return lines


def shape_in_words(shape: tuple[int, ...]) -> str:
    """Return (2, 3, 4) as "2 matrices of 3 rows and 4 columns"."""
    if len(shape) == 0:
        return "a single number"
    if len(shape) == 1:
        return f"{shape[0]} {'number' if shape[0] == 1 else 'numbers'}"
    rows, columns = shape[-2:]
    matrix = f"{rows} {'row' if rows == 1 else 'rows'} and {columns} {'column' if columns == 1 else 'columns'}"
    if len(shape) == 2:
        return matrix
    many = " × ".join(map(str, shape[:-2]))
    return f"{many} {'matrix' if set(shape[:-2]) == {1} else 'matrices'} of {matrix}"


def _drawable(array: np.ndarray) -> bool:
    return bool(array.ndim and array.size and array.dtype.kind in "biuf")


def _wrong(yours: np.ndarray, expected: np.ndarray, tolerance: float) -> np.ndarray:
    if yours.dtype.kind == expected.dtype.kind == "b":
        return np.asarray(yours != expected)
    return np.asarray(~close(yours.astype(float), expected.astype(float), tolerance))


def _panel(title: str, array: np.ndarray, first: tuple[int, ...], framed: np.ndarray, told: str, most: int) -> Panel:
    stack, place = first[:-2], (first[-2:] if len(first) > 1 else (0, *first))
    matrix = np.atleast_2d(array[stack])
    corner = tuple(max(0, min(at - most // 2, size - most)) for at, size in zip(place, matrix.shape))
    part = matrix[corner[0] : corner[0] + most, corner[1] : corner[1] + most]
    shown = [f"matrix {_place(stack)}"] if stack else []
    for rows, start, size, whole in zip((True, False), corner, part.shape, matrix.shape):
        if size < whole:
            shown.append(f"{'rows' if rows else 'columns'} {start} to {start + size - 1}")
    marks = np.atleast_2d(framed[stack]) if framed.shape == array.shape else np.zeros_like(matrix, dtype=bool)
    marks = marks[corner[0] : corner[0] + most, corner[1] : corner[1] + most]
    return Panel(
        title,
        part,
        corner,
        frozenset((int(i), int(j)) for i, j in np.argwhere(marks)),
        shape_in_words(array.shape),
        f"(shown: {', '.join(shown)})" if shown else "",
        told,
        array.ndim == 1,
    )


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))


def _place(place: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, place))}]"


def _range(array: np.ndarray) -> str:
    if array.dtype.kind == "b":
        return f"{int(array.sum())} of {array.size} are True"
    finite = array[np.isfinite(array)]
    odd = array.size - finite.size
    told = (
        f"from {_number(float(finite.min()))} to {_number(float(finite.max()))}" if finite.size else "no finite number"
    )
    return told + (f", {odd} of them NaN or infinite" if odd and finite.size else "")


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else ("∞" if value > 0 else "-∞")
    return f"{value:.3g}"


def _entry(value: np.generic, title: str) -> str:
    if value.dtype.kind == "b":
        return ("≠" if value else "·") if title == "difference" else ("T" if value else "F")
    return _number(float(value))


def _figure(panel: Panel, told: str) -> str:
    numbers = panel.values.astype(float)
    finite = np.abs(numbers[np.isfinite(numbers)])
    scale = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    corner = "" if panel.flat else _index("")
    head = "<tr>" + corner + "".join(_index(panel.corner[1] + j) for j in range(numbers.shape[1])) + "</tr>"
    rows = ""
    for i, row in enumerate(numbers):
        label = "" if panel.flat else _index(panel.corner[0] + i)
        cells = (
            _cell(value, scale, _entry(panel.values[i, j], panel.title), (i, j) in panel.marked)
            for j, value in enumerate(row)
        )
        rows += f'<tr style="background:transparent">{label}{"".join(cells)}</tr>'
    caption = (
        f'<div style="font-size:.85em"><b>{panel.title}</b><br><span style="opacity:.8">{escape(told)}</span></div>'
    )
    table = f'<table style="border-collapse:collapse;font-size:11px;margin:.15em 0 0 0;width:auto">{head}{rows}</table>'
    return f'<div role="img" aria-label="{escape(panel.title)}: {escape(panel.words)}">{caption}{table}</div>'


def _index(text: object) -> str:
    style = "padding:0 5px;text-align:center;font-weight:400;opacity:.65;border:none;background:transparent"
    return f'<td style="{style}">{text}</td>'


def _cell(value: float, scale: float, text: str, marked: bool) -> str:
    if not np.isfinite(value):
        ground = "rgba(128,128,128,.45)"
    else:
        strength = min(abs(value) / scale, 1.0) * 0.6
        ground = f"rgba(230,120,20,{strength:.2f})" if value >= 0 else f"rgba(40,110,220,{strength:.2f})"
    frame = "2px solid currentColor;font-weight:700" if marked else "1px solid rgba(128,128,128,.3)"
    return (
        f'<td style="background:{ground};padding:2px'
        f' 5px;text-align:right;white-space:nowrap;border:{frame}">{text}</td>'
    )
