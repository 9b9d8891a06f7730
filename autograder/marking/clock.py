"""A time limit on what a worker does to one submission outside the sandbox, which has limits of its own.

Reading, repairing, cleaning and writing take time that grows with the size of a submission, and sizes are limited.
Should a notebook be found for which this is not so, it costs that notebook its grade and no more.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 60.0
# One call into a library that is not Python cannot be interrupted. A worker that hangs in one ends after so much more
# time, and the coordinator goes on without it.
GRACE = 60.0

TOO_LONG = (
    f"the submitted notebook took more than {SECONDS:.0f} seconds to read and to clean: clear its outputs, take out"
    " what is not an answer, and submit again"
)


class TooLong(BaseException):
    """The time is up. No `Exception`: what suppresses those may not suppress this."""


@contextmanager
def limited(seconds: float = SECONDS, grace: float = GRACE) -> Iterator[None]:
    """Raise `TooLong` in the body when it takes more than so many seconds; any thread may use it.

    Args:
        seconds: how long the body may take.
        grace: how long after that a worker process may go on before it is ended; a coordinator's own is not ended.
    """
    thread = threading.get_ident()
    lock, over = threading.Lock(), threading.Event()

    def watch() -> None:
        if over.wait(seconds):
            return
        with lock:
            # While this is held the body cannot end, so the exception never comes later, to somebody else.
            if not over.is_set():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TooLong))
        if not over.wait(grace) and multiprocessing.parent_process() is not None:
            os._exit(1)

    watcher = threading.Thread(target=watch, daemon=True, name="clock")
    watcher.start()
    late = False
    try:
        yield
    finally:
        while not over.is_set():
            # The exception may come to these very lines.
            try:
                with lock:
                    over.set()
            except TooLong:
                late = True
    if late:
        raise TooLong
