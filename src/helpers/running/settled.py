"""One state of torch for everything that is judged, whatever a notebook set for itself.

`torch.set_grad_enabled(False)`, a default device or a default dtype in a notebook's first cell are the learner's own
affair: an answer has the same verdict at the desk, by the Validate button and in grading.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """Compute with gradients, on the CPU, with float32 as default; afterwards all is as it was set before.

    Also a decorator. Where torch is not imported nothing has been set.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "get_default_dtype"):
        yield
        return
    with contextlib.ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        if not torch.is_grad_enabled():
            stack.enter_context(torch.enable_grad())
        if torch.get_default_dtype() != torch.float32:
            stack.callback(torch.set_default_dtype, torch.get_default_dtype())
            torch.set_default_dtype(torch.float32)
        if not _on_cpu(torch):
            # Only then: a mode costs time in each operation.
            stack.enter_context(torch.device("cpu"))
        yield


def _on_cpu(torch: Any) -> bool:
    try:
        return bool(torch.empty(0).device.type == "cpu")
    except (RuntimeError, AssertionError):
        # A default device that this machine does not have.
        return False
