"""Makes HTML that a learner wrote safe to show, in time that grows with its length and no faster.

1. `_balanced` reads the text once and writes it anew: known tags only, closed in their order, nested to a limit. What
   an HTML parser does with the rest (a hundred thousand open elements, formatting that is opened again in every
   paragraph) takes time and memory that grow with the square of the length, so none of it reaches one.
2. nh3, a maintained sanitiser, parses the result as a browser would and keeps what the lists below allow.
"""

from __future__ import annotations

import html
import re

import nh3
from pygments.token import STANDARD_TYPES

# Longer texts are not shown as HTML at all.
MOST_HTML = 1_000_000
_DEPTH = 60

_VOID = frozenset(("br", "col", "hr", "img", "wbr"))
TAGS = _VOID | frozenset(
    (
        "a abbr b blockquote caption center cite code colgroup dd del details dfn div dl dt em figcaption figure font"
        " h1 h2 h3 h4 h5 h6 i ins kbd li mark ol p pre q s samp section small span strong sub summary sup table"
        " tbody td tfoot th thead tr tt u ul var"
    ).split()
)
# Their content is no text of the page: it goes with them.
_RAW = frozenset(
    (
        "applet audio canvas embed frame frameset head iframe math noembed noframes noscript object option plaintext"
        " script select style svg template textarea title video xmp"
    ).split()
)
# A second one of these ends the first, as people write them.
_ENDS_ITSELF = frozenset(("dd", "dt", "li", "p", "td", "th", "tr"))
_EVERYWHERE = {"align", "aria-label", "class", "dir", "id", "lang", "role", "style", "title"}
_ATTRIBUTES = {
    "*": _EVERYWHERE,
    "a": {"href", "name"},
    "font": {"color"},
    "img": {"alt", "height", "src", "width"},
    "ol": {"start", "type"},
    "li": {"value"},
    "details": {"open"},
    "table": {"border"},
    "col": {"span"},
    "colgroup": {"span"},
    "td": {"colspan", "rowspan", "valign"},
    "th": {"colspan", "rowspan", "scope", "valign"},
}
_NAMES = frozenset().union(*_ATTRIBUTES.values())
_BOXES = {"alert", *(f"alert-{tone}" for tone in ("info", "success", "warning", "danger", "block"))}
_CLASSES = {
    "div": {"highlight"} | _BOXES,
    "span": {name for name in STANDARD_TYPES.values() if name},
    "table": {"dataframe"},
    "a": {"anchor-link"},
    "p": _BOXES,
}
# No property that takes a thing out of its place: what a learner wrote covers no button of the page.
_STYLES = frozenset(
    (
        "align-items background background-color border border-bottom border-collapse border-color border-left"
        " border-radius border-right border-spacing border-style border-top border-width color display flex flex-wrap"
        " font-family font-size font-style font-variant-numeric font-weight gap height justify-content letter-spacing"
        " line-height list-style-type margin margin-bottom margin-left margin-right margin-top max-height max-width"
        " min-width opacity overflow overflow-x overflow-y padding padding-bottom padding-left padding-right"
        " padding-top text-align text-decoration vertical-align white-space width word-break"
    ).split()
)
_VALUE = re.compile(r"[\w\s#%.,()'\"+/!-]{1,300}")
_NEGATIVE = re.compile(r"-\s*[\d.]")

_TAG = re.compile(r"(/?)([a-zA-Z][a-zA-Z0-9]*)(?=[\s/>])([^>]*)>")
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)\s*(?:=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


def clean_html(text: str) -> str:
    """Return HTML that shows what a learner wrote and runs nothing.

    Links lead to http, https and mailto only; pictures stand in the text itself or beside the page or come by http(s);
    ids are put into a space of their own, so that none is taken for one of the page's.
    A text of more than `MOST_HTML` characters is shown as it was typed, cut.
    """
    if len(text) > MOST_HTML:
        return as_typed(text)
    return _CLEANER.clean(_balanced(storable(text)))


def storable(text: str) -> str:
    """Return a text without lone surrogates, which JSON can hold and no file, database or parser takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def as_typed(text: str, most: int = 10_000) -> str:
    """Return a text as HTML that shows it letter for letter, cut at `most` characters."""
    cut = f"\n… ({len(text) - most:,} more characters)" if len(text) > most else ""
    return f'<pre style="white-space:pre-wrap">{html.escape(text[:most])}{cut}</pre>'


def defused(source: str) -> str:
    """Return markdown in which a tag that could do harm is text, for pages that are made without our filters."""
    head, *rest = source.split("<")
    if not rest:
        return source
    parts = [head]
    for piece in rest:
        tag = _TAG.match(piece)
        if tag is None:
            # `a < b` is no markup; a tag that goes on behind the next `<` is more than anybody needs.
            harmless = not re.match(r"[a-zA-Z/!?]", piece)
        else:
            harmless = tag[2].lower() in TAGS and _plain_attributes(tag[2].lower(), tag[3])
        parts.append(("<" if harmless else "&lt;") + piece)
    return "".join(parts)


def _plain_attributes(tag: str, text: str) -> bool:
    left = _ATTRIBUTE.sub("", text).strip(" \t\r\n/")
    return not left and all(
        name in _NAMES and (value is None or _as_given(tag, name, value)) for name, value in _pairs(text)
    )


def _as_given(tag: str, name: str, value: str) -> bool:
    if name == "style":
        return _style(value).count(":") == len([part for part in value.split(";") if part.strip()])
    return _filtered(tag, name, value) is not None


def _pairs(text: str) -> list[tuple[str, str | None]]:
    """Names and values of the attributes in a tag, values without quotes and references."""
    found = []
    for match in _ATTRIBUTE.finditer(text):
        name, value = match[1].lower(), match[2]
        if value is not None:
            value = html.unescape(value[1:-1] if value[0] in "\"'" else value)
        found.append((name, value))
    return found


def _balanced(text: str) -> str:
    """Rewrite HTML in one pass: known tags, each closed, at most `_DEPTH` in each other; the rest is text or gone."""
    head, *rest = text.split("<")
    out, opened = [head.replace(">", "&gt;")], list[str]()
    # What is skipped up to its end: "-->" of a comment, or the end tag of an element whose content is no text.
    skipped = ""
    for piece in rest:
        if skipped == "-->":
            _, ended, after = piece.partition("-->")
            if ended:
                skipped = ""
                out.append(after.replace(">", "&gt;"))
            continue
        tag = _TAG.match(piece)
        if skipped:
            if tag is not None and tag[1] and tag[2].lower() == skipped:
                skipped = ""
                out.append(piece[tag.end() :].replace(">", "&gt;"))
            continue
        if tag is None:
            if piece.startswith("!--"):
                _, ended, after = piece[3:].partition("-->")
                skipped = "" if ended else "-->"
                out.append(after.replace(">", "&gt;"))
            elif piece[:1] in ("!", "?"):
                out.append(piece.partition(">")[2].replace(">", "&gt;"))
            else:
                out.append("&lt;" + piece.replace(">", "&gt;"))
            continue
        name, after = tag[2].lower(), piece[tag.end() :].replace(">", "&gt;")
        if tag[1]:
            if name in opened:
                while True:
                    last = opened.pop()
                    out.append(f"</{last}>")
                    if last == name:
                        break
        elif name in _RAW:
            skipped = "" if tag[3].endswith("/") and name in ("svg", "math") else name
        elif name in _VOID:
            out.append(f"<{name}{_written(tag[3])}>")
        elif name in TAGS:
            if opened and opened[-1] == name and name in _ENDS_ITSELF:
                out.append(f"</{opened.pop()}>")
            if len(opened) < _DEPTH:
                opened.append(name)
                out.append(f"<{name}{_written(tag[3])}>")
        out.append(after)
    out += [f"</{name}>" for name in reversed(opened)]
    return "".join(out)


def _written(text: str) -> str:
    kept = {name: value for name, value in reversed(_pairs(text)) if name in _NAMES}
    return "".join(f' {name}="{html.escape(value or "")}"' for name, value in kept.items())


def _filtered(tag: str, name: str, value: str) -> str | None:
    """The value that an attribute may have, or None when it may not be there."""
    if name == "style":
        return _style(value) or None
    if name == "id" or (tag == "a" and name == "name"):
        return f"text-{value}"
    if name == "href" and value.startswith("#"):
        return f"#text-{value[1:]}"
    if name in ("href", "src"):
        # Browsers leave out what is invisible in an address, also within its scheme.
        address = re.sub(r"[\x00-\x20\x7f-\xa0]", "", value)
        scheme = _SCHEME.match(address)
        if scheme is None:
            return None if "\\" in address or address.startswith("//") else value
        if scheme[0].lower() == "data:":
            return value if tag == "img" and _PICTURE.fullmatch(value) else None
        return value if scheme[0].lower() in ("http:", "https:", "mailto:") else None
    if name in ("width", "height", "border", "colspan", "rowspan", "span", "start", "value"):
        return value if re.fullmatch(r"\d{1,4}(px|%)?", value.strip()) else None
    return value


def _style(text: str) -> str:
    kept = []
    for declaration in text[:2000].split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if name in _STYLES and _VALUE.fullmatch(value) and "url" not in value.lower():
            if not (name.startswith("margin") and _NEGATIVE.search(value)):
                kept.append(f"{name}:{value}")
    return ";".join(kept)


_CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags=set(_RAW),
    attributes={tag: names - {"class"} for tag, names in _ATTRIBUTES.items()},
    attribute_filter=_filtered,
    allowed_classes=_CLASSES,
    url_schemes={"http", "https", "mailto", "data"},
    filter_style_properties=set(_STYLES),
    strip_comments=True,
)
