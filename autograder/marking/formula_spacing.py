"""The spaces that TeX puts into a formula and a browser's own rules for MathML do not."""

from __future__ import annotations

import html
from xml.etree.ElementTree import Element

# Beside the name of a function, as in "a cos x".
FUNCTION_SPACE = '<mspace width=".167em"></mspace>'
_OPENS, _CLOSES = frozenset("([{⟨⌈⌊"), frozenset(")]}⟩⌉⌋")
# In TeX as close to what is beside them as a letter; a browser takes them for relations.
_CLOSE_BY = frozenset("|‖∥…⋯")
_SIGNS = frozenset("+-−±∓")
_ENDS_A_TERM = _CLOSES | frozenset("|‖∥…⋯!′")
_SCRIPTED = frozenset(("mover", "msub", "msubsup", "msup", "munder", "munderover"))


def operator(text: str, before: Element | None) -> dict[str, str]:
    """Return the attributes with which an operator stands as TeX would set it, where a browser would not by itself.

    Args:
        text: the operator.
        before: what stands before it in its row.
    """
    if text in _CLOSE_BY or (len(text) > 1 and _is_name(text)):
        return {"lspace": "0", "rspace": "0"}
    if text in _SIGNS and before is not None and before.tag == "mo" and not ends_a_term(before):
        return {"form": "prefix"}
    # With an index, a browser no longer sees which side of its contents a bracket stands on.
    if text in _OPENS:
        return {"form": "prefix"}
    return {"form": "postfix"} if text in _CLOSES else {}


def is_function(element: Element) -> bool:
    """Whether it is the name of a function, as cos, with or without an index."""
    if element.tag in _SCRIPTED and len(element):
        return is_function(element[0])
    text = _text(element)
    return element.tag in ("mi", "mo") and len(text) > 1 and _is_name(text)


def ends_a_term(element: Element) -> bool:
    """Whether what comes next is beside it: no operator and no space, but a closing bracket or a bar is."""
    return element.tag != "mspace" and (element.tag != "mo" or _text(element) in _ENDS_A_TERM)


def needs_no_space(element: Element) -> bool:
    """Whether it needs no space after the name of a function: a bracket, another operator, or a space."""
    if element.tag == "mrow" and len(element):
        return needs_no_space(element[0])
    return element.tag in ("mo", "mspace")


def _text(element: Element) -> str:
    return html.unescape(element.text or "")


def _is_name(text: str) -> bool:
    # As in "arg max", with a narrow space.
    letters = text.replace("\u2009", "").replace("\u2006", "")
    return letters.isascii() and letters.isalpha()
