"""Text with the terminal's colours as HTML, in bounded time."""

from __future__ import annotations

from nbconvert.filters import ansi2html as nbconvert_ansi2html
from nbconvert.filters import strip_ansi

# nbconvert's way to colour a text takes time that grows with the square of the number of colours.
MOST_COLOURS = 2000


def ansi2html(text: str) -> str:
    """Return text with the terminal's colours as HTML, without them where they are too many or malformed."""
    if text.count("\x1b") <= MOST_COLOURS:
        try:
            return str(nbconvert_ansi2html(text))
        except (IndexError, ValueError, TypeError):
            # `\x1b[38m` names a colour and does not say which.
            pass
    return str(nbconvert_ansi2html(strip_ansi(text).replace("\x1b", "")))
