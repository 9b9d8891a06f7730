"""The one door that every text from a kernel or a submitted file passes before it is written anywhere.

A lone surrogate is valid JSON and no valid text, and a database may refuse the character 0: both are replaced.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

T = TypeVar("T")


def storable(text: str) -> str:
    """Return the text as any file and any database takes it: what cannot be stored is replaced by "?" or U+FFFD."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def storable_within(value: T) -> T:
    """Return plain data with every text in it made storable, names in dicts too; what is no text stays as it is."""
    return cast("T", _storable(value))


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_storable, value))
    return value
