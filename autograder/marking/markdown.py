"""Markdown as safe HTML, formulas as MathML, in bounded time: a renderer takes time that grows with the square of some
texts.
"""

from __future__ import annotations

import functools
import hashlib
import html
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from .formulas import formula
from .markup import as_typed, clean_html

# The longest cell of the course has 2,000 characters, with 70 signs that may begin a formula.
MOST_MARKDOWN = 20_000
MOST_OPENERS = 400
_ATTACHED = re.compile(r"\(attachment:([^)\s>]*)")
_OPENER = re.compile(r"\$|\\[\[(]|\\begin\{")
_ANY_TAG = re.compile(r"<[^>]*>")
_TAG = r"<[a-z][^\s>]*(?: [^\s=>]+=\"[^\"]*\")*>"


def render(source: str, attached: Mapping[str, Any] | None = None) -> str:
    """Return what a text shows as HTML that runs nothing.

    What is too long to be rendered, or what the renderer fails at, is shown as typed.

    Args:
        source: the text.
        attached: the pictures that are attached to the cell, by name.
    """
    # Most cells of a class's notebooks are the unit's own, and the same in all of them.
    return _rendered(source, attached) if attached else _remembered(source)


def too_costly(source: str) -> bool:
    """Whether a text is so long, or has so many beginnings of formulas, that rendering it could take seconds."""
    return len(source) > MOST_MARKDOWN or len(_OPENER.findall(source)) > MOST_OPENERS


@functools.lru_cache(maxsize=1024)
def _remembered(source: str) -> str:
    return _rendered(source, {})


def _rendered(source: str, attached: Mapping[str, Any]) -> str:
    if too_costly(source):
        return as_typed(source)
    renderer = _Renderer(source, attached)
    try:
        # The renderer raises at a picture that is not there.
        text = _ATTACHED.sub(lambda told: _attached(told, attached), source)
        rendered = MarkdownWithMath(renderer=renderer).render(text)
    except Exception:
        # The renderer raises whatever its own code happens to raise at an odd text.
        return as_typed(source)
    return renderer.with_formulas(clean_html(rendered))


def _attached(told: re.Match[str], there: Mapping[str, Any]) -> str:
    return told[0] if unquote(told[1]) in there else f"(#attachment-{told[1]}"


class _Renderer(IPythonRenderer):
    """nbconvert's renderer, which leaves a mark for each formula: cleaning would take MathML out.

    A mark holds the hash of the whole text, so that no text can hold one.
    """

    def __init__(self, source: str, attached: Mapping[str, Any]) -> None:
        super().__init__(escape=False, attachments=dict(attached))
        self._mark = hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:32]
        self._formulas: list[tuple[str, str, bool]] = []

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        # The name by which a link of the notebook's leads here, as JupyterLab and nbconvert make it.
        name = html.unescape(_ANY_TAG.sub("", text)).strip().replace(" ", "-")
        return f'<h{level} id="{html.escape(name)}">{text}</h{level}>\n'

    def inline_math(self, body: str) -> str:
        return self._marked(body, f"${body}$", False)

    def block_math(self, body: str) -> str:
        return self._marked(body, f"$${body}$$", True)

    def latex_environment(self, name: str, body: str) -> str:
        typed = rf"\begin{{{name}}}{body}\end{{{name}}}"
        return self._marked(typed, typed, True)

    def _marked(self, latex: str, typed: str, block: bool) -> str:
        self._formulas.append((latex, typed, block))
        return f"{self._mark}-{len(self._formulas) - 1}-"

    def with_formulas(self, cleaned: str) -> str:
        """Return cleaned HTML with each formula in its place: MathML in text, and as typed where it is a tag's."""
        if not self._formulas:
            return cleaned
        mark = re.compile(rf"{self._mark}-(\d+)-")

        def in_tag(told: re.Match[str]) -> str:
            return html.escape(self._formulas[int(told[1])][1])

        def put(told: re.Match[str]) -> str:
            return mark.sub(in_tag, told[0]) if told[1] is None else formula(*self._formulas[int(told[1])])

        return re.sub(f"{_TAG}|{mark.pattern}", put, cleaned)
