"""Pictures among a learner's outputs: read, looked at, and written anew, so that what is called a picture is one."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from autograder.sandbox.limits import MB

# As bytes of the pictures: of one, and of all together that a notebook's text cells hold.
MOST_BYTES = 6_000_000
MOST_ATTACHED = 8 * MB
MOST_PIXELS = 50_000_000
_SPACES = re.compile(r"\s+")


def reencoded(kind: str, text: Any, most: int = MOST_BYTES) -> str | None:
    """Return a picture's base64 text made anew from its bytes, or None when it is not what it is called, or too large.

    Args:
        kind: "image/png", "image/jpeg" or "image/gif"; of any other kind nothing is a picture.
        text: base64, as a kernel sends it or a file has it, in one piece or in lines.
        most: so many bytes it may have, where fewer are allowed than for any picture.
    """
    if isinstance(text, list) and all(isinstance(part, str) for part in text):
        text = "".join(text)
    most = min(most, MOST_BYTES)
    if kind not in _SIZES or not isinstance(text, str) or len(text) > most * 4 // 3 + 1000:
        return None
    try:
        data = base64.b64decode(_SPACES.sub("", text), validate=True)
    except (binascii.Error, ValueError):
        return None
    size = _SIZES[kind](data)
    if size is None or len(data) > most or not (0 < size[0] * size[1] <= MOST_PIXELS):
        return None
    return base64.b64encode(data).decode("ascii")


def _png(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") or len(data) < 33:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _gif(data: bytes) -> tuple[int, int] | None:
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 13:
        return None
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """The size stands in the first frame header; the segments before it say how long they are."""
    at = 2
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + max(length, 2)
    return None


_SIZES = {"image/png": _png, "image/jpeg": _jpeg, "image/gif": _gif}


def as_image(kind: str, text: str) -> str | None:
    """Return HTML that shows a GIF or a drawing in SVG, for which nbconvert has no safe way; None for what is none.

    A browser runs no script of an SVG that stands in an `<img>`, and loads nothing for it.
    """
    if kind == "image/svg+xml":
        if len(text) > MOST_BYTES or "<svg" not in text:
            return None
        encoded: str | None = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    else:
        encoded = reencoded(kind, text)
    if encoded is None:
        return None
    return f'<img alt="a picture that the notebook drew" src="data:{kind};base64,{encoded}">'


def with_drawings(text: str) -> str:
    """Return HTML in which each drawing in SVG stands in an `<img>`: of a drawing in the page itself, cleaning leaves
    nothing.
    """
    parts, at = [], 0
    while (begin := text.find("<svg", at)) >= 0 and (end := text.find("</svg>", begin)) >= 0:
        drawing = text[begin : end + len("</svg>")]
        if "xmlns=" not in drawing.partition(">")[0]:
            drawing = drawing.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
        parts += [text[at:begin], as_image("image/svg+xml", drawing) or ""]
        at = end + len("</svg>")
    return "".join([*parts, text[at:]])
