"""Watches the learner's call for library functions that would do the whole exercise.

A shortcut is named as people write it: "torch.softmax", "scipy.special.softmax". Python functions are closed
(`refusing`); calls through torch are seen by a `TorchFunctionMode`, under any alias. Either way the call raises
`ForbiddenShortcut`, and the runner notes it even if the code swallows the error. What torch runs by other ways
(`operators`) is noted after the call. The watch is a teaching aid, not a wall: the answer has to be right all the same.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import Any

from .operators import Operators
from .refusing import Closed


class ForbiddenShortcut(RuntimeError):
    """The learner's code called a library function that the exercise asks to write."""


class Watch:
    """Context manager that refuses the named functions while it is entered.

    Args:
        names: of the functions.
        thorough: also look at every operator that torch runs, which takes as long as the operators themselves.

    Attributes:
        seen: the name of the first forbidden function that was called, or "".
    """

    def __init__(self, names: tuple[str, ...], thorough: bool = True) -> None:
        self.names = names
        self.seen = ""
        # By its own name alone: torch has one function in several places.
        self._torch = {name.rpartition(".")[2]: name for name in names if name.partition(".")[0] == "torch"}
        self._thorough = thorough
        self._operators: Operators | None = None
        self._stack = contextlib.ExitStack()

    def refuse(self, name: str) -> None:
        self.seen = self.seen or name
        raise ForbiddenShortcut(
            f"this exercise asks you to write {name.rpartition('.')[2]} yourself, so {name} is not available here"
        )

    def of_torch(self, name: str) -> str | None:
        """Return the shortcut that a function or an operator of torch is, in place or not, or None."""
        return self._torch.get(name) or self._torch.get(name.strip("_"))

    def __enter__(self) -> Watch:
        if self.names:
            self._stack.enter_context(Closed(self.names, self.refuse))
        if self._torch and "torch" in sys.modules:
            if self._thorough:
                self._operators = self._stack.enter_context(Operators())
            self._stack.enter_context(_torch_mode(self))
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()
        if self._operators is not None:
            called = filter(None, map(self.of_torch, sorted(self._operators.names)))
            self.seen = self.seen or next(called, "")


def _torch_mode(watch: Watch) -> Any:
    mode = _kind_of_mode()()
    mode.watch = watch
    return mode


@functools.cache
def _kind_of_mode() -> Any:
    """The mode's class: one for all calls, or whatever `torch.compile` has made of an answer is made anew for each."""
    from torch.overrides import TorchFunctionMode

    class Refuse(TorchFunctionMode):
        watch: Watch

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            forbidden = self.watch.of_torch(getattr(func, "__name__", ""))
            if forbidden:
                self.watch.refuse(forbidden)
            return func(*args, **(kwargs or {}))

    return Refuse
