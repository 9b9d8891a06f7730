"""A figure in the language that is spoken: every text in it, and the font that its letters need."""

from __future__ import annotations

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


def broken(text: str, columns: int) -> list[str]:
    """Return a text in lines of so many columns; a Chinese character takes two, and a line may end after it."""
    if not any("\u2e80" <= letter <= "\uffef" for letter in text):
        return textwrap.wrap(text, columns, break_long_words=False)
    lines, line, taken = [], "", 0
    for letter in text:
        size = 2 if "\u2e80" <= letter <= "\uffef" else 1
        # No line begins with a mark that closes something.
        if (
            line
            and taken + size > columns
            and letter not in "，。；：、）”？！,.;:)?!"
            and (size == 2 or line[-1] == " ")
        ):
            lines.append(line.rstrip())
            line, taken = "", 0
        if line or letter != " ":
            line, taken = line + letter, taken + size
    return [*lines, line] if line else lines


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
