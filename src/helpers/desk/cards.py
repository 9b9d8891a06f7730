"""The frame that everything shown at the desk has: a coloured edge, a title, and what stands below it.

No script, no outside resource. Text takes the colour of the page, so that it can be read on light and on dark; colour
is never the only sign of anything.
"""

from __future__ import annotations

import re
import sys
from html import escape

from helpers import language

# For edges: each stands out by at least 3 to 1 from white and from black. Marks and text take the page's colour.
GOOD, BAD, OPEN = "#2a7f62", "#b3541e", "#6b7280"
_CODE = re.compile(r"`([^`\n]+)`")


def prose(text: str) -> str:
    """Return a learner's sentence as HTML, in the language that is spoken, with `code` set as code."""
    return _CODE.sub(
        r'<code style="background:rgba(128,128,128,.15);padding:0 .25em;border-radius:3px">\1</code>',
        escape(language.told(text)),
    )


def card(tone: str, mark: str, title: str, aside: str, parts: list[str]) -> str:
    """Return a card as HTML, in the language that is spoken.

    Args:
        tone: colour of the edge.
        mark: one character before the title.
        title: plain text.
        aside: plain text at the end of the title's line, or "".
        parts: HTML of what stands below.
    """
    beside = f'<span style="font-weight:400;opacity:.8;white-space:nowrap">{escape(aside)}</span>' if aside else ""
    row = "font-weight:600;display:flex;flex-wrap:wrap;gap:0 1em;justify-content:space-between"
    heading = f'<div style="{row}"><span>{mark} {escape(title)}</span>{beside}</div>'
    style = f"border-left:4px solid {tone};padding:.35em .8em;margin:.2em 0;line-height:1.45;max-width:60em"
    return language.told_html(f'<div role="status" style="{style}">{heading}{"".join(parts)}</div>')


def line(html: str, faint: bool = False) -> str:
    """Return one paragraph of a card."""
    return f'<div style="margin:.25em 0{";opacity:.8" if faint else ""}">{html}</div>'


def show(text: str, html: str) -> None:
    """Show HTML where a notebook's page can, and plain text where there is only a terminal."""
    text = language.told_lines(text)
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and hasattr(shell, "kernel"):
        from IPython.display import display

        display({"text/html": html, "text/plain": text}, raw=True)
    else:
        print(text)
