"""What Sphinx does differently for this site: formulas as MathML, docstrings in plain text, the switch of language."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

from autograder.marking.formulas import CSS, mathml

from . import fonts

# Plain text that reStructuredText would take for marks.
_MARKS = re.compile(r"(?<!`)`([^`]+)`(?!`)|(\\|\*|\|)|(?<=\w)(_)(?=\W|$)")

_LONG = 50
_TYPED = re.compile(r"^(.*):\n\n((?:[ ]{4,}.*(?:\n|\Z)|\n(?=[ ]{4}))+)", re.MULTILINE)

_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_CODE = re.compile(r'(<span class="pre">)([^<]{16,})(</span>)')
_STROKE = re.compile(r"(/|_+)(?=\w)")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the extension to Sphinx."""
    app.add_config_value("elsewhere", {}, "html")
    app.add_config_value("language_names", {}, "html")
    app.add_config_value("words", {}, "html")
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    # Before napoleon, which reads what is left here.
    app.connect("autodoc-process-docstring", _plain, priority=100)
    app.connect("html-page-context", _context)
    # Plain text in colour on a forge.
    app.add_lexer("csv", TextLexer)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def style() -> str:
    """What formulas need of a page."""
    return CSS + fonts.CSS


def _inline(translator: Any, node: nodes.math) -> None:
    written = _formula(node, block=False)
    # One that may be wider than a phone moves in its own frame.
    long = len(node.astext()) > _LONG
    translator.body.append(f'<span class="long-formula" tabindex="0">{written}</span>' if long else written)
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="formula" tabindex="0">{_formula(node, block=True)}</div>')
    raise nodes.SkipNode


def _formula(node: nodes.Element, block: bool) -> str:
    latex = node.astext()
    written = mathml(latex, block)
    if written is None:
        raise ExtensionError(f"{node.source}:{node.line}: a formula that cannot be set: {latex}")
    return written


def _plain(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Docstrings are written for the eye: their code stands between single marks, and a star is a star."""
    lines[:] = plain("\n".join(lines)).split("\n")


def plain(text: str) -> str:
    """Return a docstring as reStructuredText: what is set in below a colon and an empty line stays as it is typed."""
    parts, end = [], 0
    for typed in _TYPED.finditer(text):
        parts += [_MARKS.sub(_mark, text[end : typed.end(1)]), "::\n\n", typed[2]]
        end = typed.end()
    return "".join(parts) + _MARKS.sub(_mark, text[end:])


def _mark(found: re.Match[str]) -> str:
    if found[1]:
        # Code ends at a word's end, unless told otherwise, as in `Case`s.
        return f"``{found[1]}``\\ "
    return "\\" + (found[2] or found[3])


def _context(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Where this page is in the other languages; a page that one does not have leads to its front page."""
    up = "../" * (pagename.count("/") + 1)
    context["languages"] = [
        (code, name, f"{up}{code}/{pagename if pagename in app.config.elsewhere[code] else 'index'}.html")
        for code, name in app.config.language_names.items()
    ]
    context["words"] = app.config.words
    if "body" in context:
        context["body"] = _TABLE.sub(lambda table: _CODE.sub(_breakable, table[0]), context["body"])


def _breakable(code: re.Match[str]) -> str:
    """Code in a table: a long path may go on in the next line, so that it leaves the other columns their room."""
    return code[1] + _STROKE.sub(r"\1<wbr>", code[2]) + code[3]
