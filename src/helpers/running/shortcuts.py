"""Watches the learner's call for library functions that would do the whole exercise.

A shortcut is named as people write it: "torch.softmax", "scipy.special.softmax". Calls through torch are
seen by a `TorchFunctionMode`, under any alias; calls of other Python or C functions by a profile hook.
Either way the call raises `ForbiddenShortcut`, and the runner notes it even if the learner's code swallows
the error. The watch is a teaching aid, not a wall: the answer has to be right all the same.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any


class ForbiddenShortcut(RuntimeError):
    """The learner's code called a library function that the exercise asks to write."""


class Watch:
    """Context manager that refuses the named functions while it is entered.

    Attributes:
        seen: the name of the first forbidden function that was called, or "".
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.seen = ""
        # Several libraries have a softmax, so a function is known by its library and its own name.
        self._functions = {(name.partition(".")[0], name.rpartition(".")[2]): name for name in names}
        self._modules = {name.partition(".")[0] for name in names}
        self._mode: Any = None
        self._profile: Any = None

    def refuse(self, name: str) -> None:
        self.seen = self.seen or name
        raise ForbiddenShortcut(
            f"this exercise asks you to write {name.rpartition('.')[2]} yourself, so {name} is not available here"
        )

    def __enter__(self) -> Watch:
        if "torch" in self._modules and "torch" in sys.modules:
            self._mode = _torch_mode(self)
            self._mode.__enter__()
        if any(module != "torch" for module in self._modules):
            self._profile = sys.getprofile()
            sys.setprofile(self._on_call)
        return self

    def __exit__(self, *error: Any) -> None:
        if any(module != "torch" for module in self._modules):
            sys.setprofile(self._profile)
        if self._mode is not None:
            self._mode.__exit__(*error)

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            function, module = frame.f_code.co_name, frame.f_globals.get("__name__") or ""
        elif event == "c_call":
            function, module = getattr(argument, "__name__", ""), getattr(argument, "__module__", None) or ""
        else:
            return
        name = self._functions.get((str(module).partition(".")[0], function))
        if name is not None:
            self.refuse(name)


def _torch_mode(watch: Watch) -> Any:
    from torch.overrides import TorchFunctionMode

    class Refuse(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = getattr(func, "__name__", "")
            forbidden = watch._functions.get(("torch", name)) or watch._functions.get(("torch", name.strip("_")))
            if forbidden:
                watch.refuse(forbidden)
            return func(*args, **(kwargs or {}))

    return Refuse()
