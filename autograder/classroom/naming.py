"""Names of students and units as a terminal shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def shortened(names: Iterable[str], longest: int) -> dict[str, str]:
    """Return name → name in at most `longest` signs, its middle left out; two names never become the same."""
    short = {name: in_middle(printable(name), longest) for name in names}
    seen = Counter(short.values())
    return {name: text if seen[text] == 1 else printable(name) for name, text in short.items()}


def in_middle(text: str, longest: int) -> str:
    """Return a text with its middle left out, where it is longer than `longest`."""
    if len(text) <= longest:
        return text
    end = (longest - 1) // 2
    return f"{text[: longest - 1 - end]}…{text[len(text) - end :]}"


def printable(text: str) -> str:
    """A text without what a terminal would obey: a student's id may be any name of a folder."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
