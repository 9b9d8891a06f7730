"""Shortens the start of grading: the warm process starts at once, and imports are made quick.

Nothing heavy is imported here: the command line calls this before it imports what grading needs.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from .outside.warm_process import WarmProcess
from .run_folder import run_folder


@contextlib.contextmanager
def begun(course: Path, sealed: bool, execute: bool = True) -> Iterator[None]:
    """Start the warm process if there is something to grade, and end it if nothing took it.

    Args:
        course: the class folder.
        sealed: whether the warm process is to be in a sandbox.
        execute: whether anything may have to be executed; else it is started when it is needed after all.
    """
    # Before NumPy is imported: the workers are what runs side by side, and a process is forked best with one thread.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with run_folder():
        try:
            # Where the class keeps its submissions elsewhere, it is started later.
            if execute and next((course / "submitted").glob("*/*"), None) is not None:
                WarmProcess.start_early(sealed)
            yield
        finally:
            WarmProcess.close_early()


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Import without looking for garbage, of which there is none, and never look at what was imported.

    Ctrl-C waits for the second it takes.
    """
    # Torn out of the middle of an import, some extension modules crash when the program ends.
    with ctrl_c_waits():
        gc.disable()
        try:
            yield
        finally:
            gc.freeze()
            gc.enable()


@contextlib.contextmanager
def ctrl_c_waits() -> Iterator[None]:
    """Have Ctrl-C take effect afterwards. Processes started meanwhile have it blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
