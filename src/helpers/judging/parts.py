"""What the several results of an exercise are called, from the “Returns” of its reference: "the weights of each head",
"K of the new cache"."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

# A name for each result, and for a result that is itself several a tuple of names; () where they have none.
Names = tuple[Any, ...]
_SHAPE = re.compile(r"\([^()]*\)")
_SPLIT = re.compile(r",|\band\b")


def names(reference: Callable[..., Any], expected: Any) -> Names:
    """Return the names of the results of a reference, in the form of `expected`.

    Args:
        reference: a function, or a class whose `forward` is described.
        expected: what it returned.
    """
    if not isinstance(expected, tuple):
        return ()
    told = iter(_told(reference))
    found = _named(expected, told)
    return found if all(map(bool, _leaves(found))) else ()


def _named(expected: tuple[Any, ...], told: Iterator[tuple[str, str]], inner: bool = False) -> Names:
    group = ""
    found: list[Any] = []
    for part in expected:
        if isinstance(part, tuple):
            found.append(_named(part, told, inner=True))
            continue
        begun, name = next(told, ("", ""))
        group = begun or group
        found.append(f"{name} of {group}" if inner and group and name else name and _shown(name))
    return tuple(found)


def _leaves(found: Names) -> Iterator[str]:
    for name in found:
        yield from _leaves(name) if isinstance(name, tuple) else (name,)


def _shown(name: str) -> str:
    """A name of one word is one of the exercise's own; more words are a description."""
    return f"“{name.removeprefix('the ')}”" if " " in name else f"`{name}`"


@functools.cache
def _told(reference: Callable[..., Any]) -> tuple[tuple[str, str], ...]:
    """What is returned, piece by piece: what a group of pieces is called where one begins, and the piece's name."""
    described = getattr(reference, "forward", reference) if inspect.isclass(reference) else reference
    sections = (inspect.getdoc(described) or "").split("\n\n")
    body = next((part[len("Returns:") :] for part in sections if part.startswith("Returns:")), "")
    plain = body
    while _SHAPE.search(plain):
        plain = _SHAPE.sub("", plain)
    sentence = re.split(r"\.\s", " ".join(plain.split()) + " ")[0].rstrip(".")
    pieces = []
    for piece in filter(None, (one.strip() for one in _SPLIT.split(sentence))):
        group, colon, name = piece.rpartition(": ")
        # "without, with_positions: the largest differences": what follows is about all of them.
        if colon and not group.startswith(("the ", "a ")):
            group, name = "", group
        pieces.append((group.strip(), name.strip()))
    return tuple(pieces)
