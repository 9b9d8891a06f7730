"""Code and outputs of a graded notebook's cells as HTML; outputs have been made anew when it was graded."""

from __future__ import annotations

import functools
import html

from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

from .sanitising import rebuilt
from .terminal_text import ansi2html

# What is left of an output when it has been made anew.
_KINDS = ("text/html", "image/png", "image/jpeg", "text/plain")


@functools.lru_cache(maxsize=1024)
def code(source: str, lexer: str) -> str:
    """Return code with its words coloured.

    Args:
        source: the code.
        lexer: what pygments calls the language.
    """
    return str(highlight(source, _lexer(lexer), HtmlFormatter()))


@functools.lru_cache(maxsize=16)
def _lexer(name: str) -> Lexer:
    try:
        return get_lexer_by_name(name)
    except ClassNotFound:
        return TextLexer()


def output(one: NotebookNode) -> str:
    """Return an output as HTML."""
    if one.output_type == "stream":
        return _div(_terminal(one.text), "output stderr" if one.name == "stderr" else "output")
    if one.output_type == "error":
        return _div(_terminal("\n".join(one.traceback)), "output error")
    if one.output_type not in ("display_data", "execute_result") or not one.data.keys() <= set(_KINDS):
        return output(rebuilt(one))
    kind = next((kind for kind in _KINDS if kind in one.data), None)
    if kind is None:
        return ""
    text = one.data[kind]
    if kind == "text/html":
        return _div(text)
    if kind == "text/plain":
        return _div(_terminal(text))
    sizes = one.get("metadata", {}).get(kind, {})
    known = {name: sizes[name] for name in ("width", "height") if isinstance(sizes.get(name), int)}
    size = "".join(f' {name}="{value:d}"' for name, value in known.items())
    return _div(f'<img alt="a picture" src="data:{kind};base64,{html.escape(text)}"{size}>')


def _terminal(text: str) -> str:
    return f'<pre class="terminal">{ansi2html(text)}</pre>' if "\x1b" in text else f"<pre>{html.escape(text)}</pre>"


def _div(content: str, kind: str = "output") -> str:
    return f'<div class="{kind}">{content}</div>\n'
