"""Closes Python functions for a while, by whatever name and from whatever thread they are called.

The code of a function is exchanged, not its name in a module: an alias made before leads to the same code.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from types import CodeType, FunctionType
from typing import Any

_NAME = "the shortcut's name"
# What to call for each name that is closed just now.
_closed: dict[str, Callable[[str], None]] = {}


def _refused(*args: Any, **kwargs: Any) -> None:
    # Looked up anew: this code runs with the names of the module that the closed function stands in.
    from helpers.running.refusing import refuse as say

    say("the shortcut's name")


def refuse(name: str) -> None:
    """Say that a closed function was called; where it is not closed any more, in a late thread, nothing is said."""
    say = _closed.get(name)
    if say is not None:
        say(name)


class Closed:
    """Context manager that closes Python functions of loaded modules.

    Args:
        names: as "scipy.special.softmax"; what is not loaded, or no Python function, is left alone.
        refuse: called with the name when one is called; raises.
    """

    def __init__(self, names: Iterable[str], refuse: Callable[[str], None]) -> None:
        self._names, self._refuse = tuple(names), refuse
        self._codes: list[tuple[FunctionType, CodeType]] = []

    def __enter__(self) -> Closed:
        for name in self._names:
            function = _find(name, sys.modules)
            if function is not None and not function.__code__.co_freevars:
                _closed[name] = self._refuse
                self._codes.append((function, function.__code__))
                function.__code__ = _named(name)
        return self

    def __exit__(self, *error: Any) -> None:
        for function, code in reversed(self._codes):
            function.__code__ = code
        self._codes.clear()
        for name in self._names:
            _closed.pop(name, None)


def _named(name: str) -> CodeType:
    code = _refused.__code__
    return code.replace(co_consts=tuple(name if const == _NAME else const for const in code.co_consts), co_name=name)


def _find(name: str, loaded: Mapping[str, Any]) -> FunctionType | None:
    """The Python function of that name below its decorators, or None."""
    module, _, own = name.rpartition(".")
    function = getattr(loaded.get(module), own, None)
    function = inspect.unwrap(function) if callable(function) else None
    return function if isinstance(function, FunctionType) else None
