"""One thread for small tensors."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch, if it is imported, compute in one thread.

    Tensors as small as the course's keep a second thread waiting, and on a busy machine everyone waits for it. It also
    makes the same seed give the same curve whatever the number of cores.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
