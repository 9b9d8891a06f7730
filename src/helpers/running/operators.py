"""Which of torch's operators ran, by whatever way they were called.

A function of torch can be reached as `torch.softmax`, through `torch.ops.aten`, from compiled TorchScript, with torch's
function overrides switched off, or in another thread. All of these end in one place, torch's dispatcher, and its
profiler writes down what passes there.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

_PREFIX = "aten::"


class Operators:
    """Context manager that notes the operators that torch runs while it is entered, in all threads where it can.

    Attributes:
        names: their names without what stands before, as "softmax"; complete once it is left.
    """

    def __init__(self) -> None:
        self.names: frozenset[str] = frozenset()
        self._profile: Any = None

    def __enter__(self) -> Operators:
        # Kineto, which torch profiles by, else writes lines of its own to stderr each time.
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")
        import torch

        try:
            self._profile = _begun()
        except RuntimeError:
            # Somebody left another one running, and there can be one only.
            with contextlib.suppress(RuntimeError):
                torch._C._autograd._disable_profiler()
            with contextlib.suppress(RuntimeError):
                self._profile = _begun()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._profile is None:
            return
        with contextlib.suppress(RuntimeError):
            # An error where the code that was watched has ended the profile itself.
            self._profile.__exit__(None, None, None)
        results = self._profile.kineto_results
        events = results.events() if results is not None else []
        self.names = frozenset(
            event.name().removeprefix(_PREFIX) for event in events if event.name().startswith(_PREFIX)
        )


def _begun() -> Any:
    from torch._C._profiler import _ExperimentalConfig
    from torch.autograd.profiler import profile

    try:
        config = _ExperimentalConfig(profile_all_threads=True)
    except TypeError:
        # Older torch profiles the thread that asks.
        config = None
    begun = profile(experimental_config=config)
    begun.__enter__()
    return begun
