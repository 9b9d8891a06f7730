"""A figure in the language that is spoken: every text in it, and the font that its letters need."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from helpers import language

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Figures whose letters no font of this machine has; it is said once.
_warned = False


def translate(drawn: Figure) -> None:
    """Put every text of a figure into the language that is spoken.

    Where no font of this machine has that language's letters, the figure stays English, and one line says what to
    install.
    """
    if language.spoken() == language.ENGLISH:
        return
    from matplotlib.text import Text

    from .core import fonts

    if not _writable():
        return
    family = fonts()
    for axes in drawn.axes:
        for axis in (axes.xaxis, axes.yaxis):
            _ticks(axis)
    for text in drawn.findobj(Text):
        assert isinstance(text, Text)
        told = _told(text.get_text())
        if told != text.get_text():
            text.set_text(told)
        if not told.isascii():
            # Beside a formula matplotlib takes the first font alone.
            text.set_fontfamily(family[::-1] if "$" in told else family)


def _ticks(axis: Axis) -> None:
    """Names at ticks are made anew from their formatter whenever a figure is drawn."""
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    formatter = axis.get_major_formatter()
    if isinstance(formatter, FixedFormatter | FuncFormatter):
        # In the language of now: a figure that is shown again later may be shown in another.
        axis.set_major_formatter(FuncFormatter(lambda x, place: _told(str(formatter(x, place)))))


def _told(text: str) -> str:
    """A text in the language that is spoken, broken into lines where the English is."""
    told = language.told(text)
    lines = text.count("\n") + 1
    if told == text or lines == 1 or "\n" in told:
        return told
    widest = max(len(line) for line in text.split("\n"))
    return "\n".join(broken(told, widest))


# No line of Chinese begins with the first of these, none ends with the second, and the last end one best.
_CLOSING, _OPENING, _RESTS = "，。；：、）”’？！,.;:)?!…", "（“‘(", "，。；：、？！ "


def broken(text: str, columns: int) -> list[str]:
    """Return a text in lines of at most so many columns, about equally long.

    A Chinese character takes two columns, and a line may end after it; words of letters stay whole.
    """
    if language.columns_of(text) == len(text):
        return textwrap.wrap(text, columns, break_long_words=False)
    pieces = re.findall(r"[^\W\d_\u2e80-\uffef]+|[\d.]+|.", text)
    units: list[str] = []
    for piece in pieces:
        if units and (piece[0] in _CLOSING or units[-1][-1] in _OPENING):
            units[-1] += piece
        else:
            units.append(piece)
    # A line a little longer is better than one more.
    most = columns + columns // 4
    total = language.columns_of(text)
    target = total / max(1, -(-total // most))
    # The cheapest way to set what comes after each place; a line that is too long is the last resort.
    best: list[tuple[float, list[str]]] = [(0.0, [])]
    for at in range(len(units) - 1, -1, -1):
        ways: list[tuple[float, list[str]]] = []
        for end in range(at + 1, len(units) + 1):
            line = "".join(units[at:end]).strip()
            size = language.columns_of(line)
            if size > most and ways:
                break
            cost, rest = best[len(units) - end]
            torn = 0 if end == len(units) or line[-1:] in _RESTS or units[end] == " " else (target / 4) ** 2
            ways.append((cost + (size - target) ** 2 + torn + 1000 * (size > most), [line, *rest]))
        best.append(min(ways, key=lambda way: way[0]))
    return [line for line in best[-1][1] if line]


def _writable() -> bool:
    """Whether a font of this machine has the letters of the language."""
    from .core import chinese_font

    if language.spoken() not in ("zh", "ja") or chinese_font() is not None:
        return True
    global _warned
    if not _warned:
        _warned = True
        print(
            language.told(
                "Figures stay English: no font here has Chinese characters. `pip install zhplot` brings one; then"
                " restart the kernel."
            )
        )
    return False
