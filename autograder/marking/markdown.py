"""Markdown as safe HTML, in bounded time: nbconvert's renderer takes time that grows with the square of some texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from urllib.parse import unquote

from nbconvert.filters import markdown2html

from .markup import as_typed, clean_html

# The longest cell of the course has 2,000 characters, with 70 signs that may begin a formula.
MOST_MARKDOWN = 20_000
MOST_OPENERS = 400
_ATTACHED = re.compile(r"\(attachment:([^)\s>]*)")
_OPENER = re.compile(r"\$|\\[\[(]|\\begin\{")


def render(source: str, renderer: Callable[[str], str] = markdown2html, attached: Container[str] = ()) -> str:
    """Return what a text shows as HTML that runs nothing.

    What is too long to be rendered, or what the renderer fails at, is shown as typed.

    Args:
        source: the text.
        renderer: makes HTML of it.
        attached: names of the pictures that are attached to the cell.
    """
    if too_costly(source):
        return as_typed(source)
    try:
        # The renderer raises at a picture that is not there.
        rendered = renderer(_ATTACHED.sub(lambda told: _attached(told, attached), source))
    except Exception:
        # The renderer raises whatever its own code happens to raise at an odd text.
        return as_typed(source)
    return clean_html(rendered)


def _attached(told: re.Match[str], there: Container[str]) -> str:
    return told[0] if unquote(told[1]) in there else f"(#attachment-{told[1]}"


def too_costly(source: str) -> bool:
    """Whether a text is so long, or has so many beginnings of formulas, that rendering it could take seconds."""
    return len(source) > MOST_MARKDOWN or len(_OPENER.findall(source)) > MOST_OPENERS
