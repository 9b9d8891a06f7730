r"""Formulas as MathML, which a browser sets by itself: no script, and nothing fetched from another host.

A learner's LaTeX is not trusted. latex2mathml parses it into elements, and those are written down anew here: known
elements, known attributes with values within bounds, all text escaped. What it cannot read, or takes too long to, is
shown as it was typed.
"""

from __future__ import annotations

import functools
import html
import re
from xml.etree.ElementTree import Element

from latex2mathml import commands
from latex2mathml.converter import convert_to_element

from .formula_spacing import FUNCTION_SPACE, ends_a_term, is_function, needs_no_space, operator
from .markup import as_typed

# The longest formula of the course has 240 characters and an eighth of the depth.
MOST_LATEX = 1000
_DEPTH = 60
MOST_ELEMENTS = 2000
# A definition can make more of a few characters than any memory holds.
_DEFINES = re.compile(r"\\(?:(?:re)?new|provide)(?:command|environment)|\\[egx]?def\b|\\let\b|\\Declare")
_REFERENCE = re.compile(r"&(lt|gt|amp);")
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([^{}]*)\}(?:\[[tbc]\])?")
# Those that latex2mathml does not know, or that it numbers from 1 in each formula; "" is none.
_SAME_AS = {
    **dict.fromkeys(("align", "aligned", "eqnarray", "eqnarray*", "split"), "align*"),
    **dict.fromkeys(("gather", "gather*", "gathered", "multline", "multline*"), "matrix"),
    **dict.fromkeys(("displaymath", "equation", "equation*", "math"), ""),
    "dcases": "cases",
}
_ENVIRONMENTS = frozenset(name.removeprefix("\\") for name in commands.MATRICES)
_COLUMN = re.compile(r"(?<!\\)&")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
# A sign that is written with a backslash in LaTeX's text, which latex2mathml leaves there.
_SIGN = re.compile(r"\\([_&%$#{} ])")

_TAGS = frozenset(
    (
        "math menclose mfrac mi mn mo mover mphantom mroot mrow mspace msqrt mstyle msub msubsup msup mtable mtd mtext"
        " mtr munder munderover"
    ).split()
)
# What a browser treats like one that it knows, without what would move it about.
_AS_ROW = frozenset(("mpadded", "merror", "semantics"))
_FLAG = re.compile(r"true|false")
# Not more than a few letters on, and none back over what stands before.
_LENGTH = re.compile(r"0|(?:-0?\.[0-3]\d*|[0-4]?(?:\.\d+)?)(?:em|ex)")
_ATTRIBUTES = {
    **dict.fromkeys(
        "accent accentunder displaystyle fence largeop movablelimits separator stretchy symmetric".split(), _FLAG
    ),
    **dict.fromkeys("linethickness lspace maxsize minsize rspace width".split(), _LENGTH),
    "columnalign": re.compile(r"left|right|center"),
    "form": re.compile(r"prefix|infix|postfix"),
    "mathcolor": re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]{1,20}"),
    "mathvariant": re.compile(r"[a-z-]{1,30}"),
    "notation": re.compile(r"box|roundedbox|circle"),
    "scriptlevel": re.compile(r"[+-]?[0-3]"),
}
# How many parts each has; a browser marks another number as an error.
_PARTS = {"mfrac": 2, "mover": 2, "mroot": 2, "msub": 2, "msubsup": 3, "msup": 2, "munder": 2, "munderover": 3}
_NAMED_LENGTHS = {"negativethinmathspace": "-.167em"}

# What browsers leave to the page: bold and other faces of whole words, frames, the sides of a table's cells.
CSS = """\
math { font-size: 1.08em }
math[display=block] { margin: .6em 0; overflow-x: auto; overflow-y: hidden }
math [mathvariant=bold] { font-weight: bold }
math [mathvariant=monospace] { font-family: monospace }
math [mathvariant=sans-serif] { font-family: sans-serif }
math mtd[columnalign=left] { text-align: left }
math mtd[columnalign=right] { text-align: right }
math menclose[notation] { border: 1px solid; padding: .25em }
"""


# A formula in a text that is no markdown, as objects that show themselves as LaTeX write it.
_IN_TEXT = re.compile(r"\$\$(?P<block>[^$]+)\$\$|\$(?P<inline>[^$]+)\$")
MOST_TEXT = 20_000


def in_text(text: str) -> str:
    """Return a plain text as HTML with its formulas, `$...$` and `$$...$$`, set; one that is too long, as typed."""
    if len(text) > MOST_TEXT:
        return as_typed(text)
    parts, end = [], 0
    for found in _IN_TEXT.finditer(text):
        block = found["block"] is not None
        parts += [html.escape(text[end : found.start()]), formula(found["block"] or found["inline"], found[0], block)]
        end = found.end()
    return "".join(parts) + html.escape(text[end:])


@functools.lru_cache(maxsize=4096)
def formula(latex: str, typed: str, block: bool = False) -> str:
    r"""Return a formula as HTML that shows it and runs nothing: MathML, or the text as it was typed.

    Args:
        latex: what stands between the signs that begin and end it.
        typed: all of it as it was typed.
        block: whether it stands by itself.
    """
    return mathml(latex, block) or f'<span class="as-typed">{html.escape(typed)}</span>'


def mathml(latex: str, block: bool = False) -> str | None:
    """Return a formula as MathML, or None when it is no LaTeX that can be read."""
    # In cleaned markdown a sign that could begin a tag is a reference.
    source = _REFERENCE.sub(lambda told: html.unescape(told[0]), latex).strip()
    if not source or len(source) > MOST_LATEX or _DEFINES.search(source) or not _closed(source):
        return None
    try:
        source = _ENVIRONMENT.sub(_environment, source).replace(r"\operatorname*", r"\operatorname")
        if _COLUMN.search(source) and "{" not in source:
            return None
        tree = convert_to_element(source, display="block" if block else "inline")
        out: list[str] = []
        _write(tree, out, 0)
    except Exception:
        # The parser raises errors of its own, and whatever its code happens to raise at an odd text.
        return None
    return f'<math display="{"block" if block else "inline"}">{"".join(out)}</math>'


def _environment(told: re.Match[str]) -> str:
    """The beginning or end of an environment under a name that latex2mathml knows."""
    begins, name = told[1] == "begin", told[2].strip()
    name = _SAME_AS.get(name, name)
    if not name:
        return "{" if begins else "}"
    if name not in _ENVIRONMENTS:
        raise ValueError(f"unknown: {name}")
    return rf"\{told[1]}{{{name}}}" + ("" if name == told[2] else " ")


def _closed(source: str) -> bool:
    """Whether each brace that is opened is closed."""
    opened = 0
    for brace in _BRACE.findall(source):
        opened += {"{": 1, "}": -1}.get(brace, 0)
        if opened < 0:
            return False
    return opened == 0


def _write(element: Element, out: list[str], depth: int) -> None:
    """Write what is in an element.

    Raises:
        ValueError: a command that nobody knows, a part that is missing, or more than a formula can hold.
    """
    if depth > _DEPTH or len(out) > MOST_ELEMENTS:
        raise ValueError("too large")
    if len(element) != _PARTS.get(element.tag, len(element)):
        raise ValueError(f"a part is missing: {element.tag}")
    if element.text:
        text = html.unescape(element.text)
        if element.tag == "mtext":
            text = _SIGN.sub(r"\1", text)
        if "\\" in text and text != "\\":
            raise ValueError(f"unknown: {text}")
        out.append(html.escape(text))
    before: Element | None = None
    for child, after in zip(element, [*element[1:], None]):
        tag = "mrow" if child.tag in _AS_ROW else child.tag
        if tag not in _TAGS:
            raise ValueError(f"unknown: {tag}")
        row = element.tag not in _PARTS
        if row and is_function(child) and before is not None and ends_a_term(before):
            out.append(FUNCTION_SPACE)
        out.append(f"<{tag}{_attributes(child, before if row else None)}>")
        _write(child, out, depth + 1)
        out.append(f"</{tag}>")
        if row and is_function(child) and after is not None and not is_function(after) and not needs_no_space(after):
            out.append(FUNCTION_SPACE)
        before = child


def _attributes(element: Element, before: Element | None) -> str:
    if element.tag in _AS_ROW:
        return ""
    kept = {name: _NAMED_LENGTHS.get(value, value) for name, value in element.attrib.items()}
    if element.tag == "mo":
        kept = operator(html.unescape(element.text or ""), before) | kept
    return "".join(
        f' {name}="{value}"'
        for name, value in kept.items()
        if name in _ATTRIBUTES and _ATTRIBUTES[name].fullmatch(value)
    )
