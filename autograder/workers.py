"""Where submissions are executed: in this process, in local worker processes, or on a Dask cluster.

All three are `concurrent.futures` executors to the coordinator; what differs is what the death of a worker looks like.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from . import work
from .course import CourseError
from .sandbox import Sandbox
from .work import Unfit

_PREFIX = "attention-run-"


class WorkerLost(Exception):
    """A worker ended while it was at this submission."""


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """A folder for everything temporary of one run; what a killed run left behind is removed first."""
    for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), open(old / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    before = tempfile.tempdir
    with open(folder / "lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tempfile.tempdir = str(folder)
        try:
            yield folder
        finally:
            tempfile.tempdir = before
            shutil.rmtree(folder, ignore_errors=True)


class Inline:
    """Executes in this process, one submission after the other: the quickest for a few."""

    size = 1
    where = "in this process"

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future:
        future: Future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def share(self, value: Any) -> Any:
        return value

    def without(self, error: Unfit) -> bool:
        """Whether others can grade when a worker cannot: the processes of one machine are all alike."""
        return False

    def close(self) -> None:
        Sandbox.close_all()

    kill = close


def _begin(parent: int, folder: str) -> None:
    """In a new worker process: leave Ctrl-C to the coordinator, and end when it ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    tempfile.tempdir = folder


class Local:
    """Worker processes on this machine. When one is killed, the others end too and new ones are made."""

    def __init__(self, size: int, folder: Path) -> None:
        self.size = size
        self.where = f"{size} worker{'s' if size > 1 else ''} on this machine"
        self._folder = folder
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        # One thread each: the workers themselves are what runs side by side.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.size, mp_context=context, initializer=_begin, initargs=(os.getpid(), str(self._folder)))

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future:
        try:
            future = self._pool.submit(function, *arguments)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._new()
            future = self._pool.submit(function, *arguments)
        return _translated(future)

    def share(self, value: Any) -> Any:
        return value

    without = Inline.without

    def close(self) -> None:
        self._pool.shutdown()

    def kill(self) -> None:
        """End the workers at once, with everything in their sandboxes."""
        for process in list((self._pool._processes or {}).values()):
            with contextlib.suppress(OSError):
                process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _translated(future: Future) -> Future:
    """The same future, which tells of a lost worker in our words."""
    mine: Future = Future()

    def copy(done: Future) -> None:
        if done.cancelled():
            mine.cancel()
            return
        error = done.exception()
        if isinstance(error, BrokenProcessPool):
            error = WorkerLost()
        if error is not None:
            mine.set_exception(error)
        else:
            mine.set_result(done.result())

    future.add_done_callback(copy)
    return mine


class Dask:
    """The workers of a running Dask cluster, which may come and go.

    Raises:
        CourseError: the scheduler cannot be reached, has no worker, or has one that may not grade.
    """

    def __init__(self, address: str, unsafe: bool) -> None:
        try:
            import distributed
        except ImportError:
            raise CourseError("--scheduler needs Dask: `pip install 'attention-course[cluster]'`") from None
        if address.startswith("gateway"):
            # Its import teaches Dask these addresses.
            with contextlib.suppress(ImportError):
                import dask_gateway  # noqa: F401
        try:
            self._client = distributed.Client(address, timeout=5, set_as_default=False)
        except (OSError, ValueError) as error:
            raise CourseError(f"no Dask scheduler answers at {address}: {error}") from error
        self._killed = distributed.scheduler.KilledWorker
        self._unfit: set[str] = set()
        found = self._client.run(work.fitness, work.version(), unsafe, on_error="return")
        problems = [f"{worker}: {told}" for worker, told in sorted(found.items()) if told]
        if problems or not found:
            self._client.close()
            raise CourseError("the Dask cluster cannot grade: " + ("; ".join(problems) or f"{address} has no worker"))

    @property
    def size(self) -> int:
        return max(1, sum(self._client.nthreads().values()))

    @property
    def where(self) -> str:
        return f"{len(self._client.nthreads())} Dask workers"

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future:
        chosen = [worker for worker in self._client.nthreads() if worker not in self._unfit] if self._unfit else None
        remote = self._client.submit(_named, function, *arguments, pure=False, workers=chosen)
        mine: Future = Future()

        def copy(done: Any) -> None:
            try:
                mine.set_result(done.result())
            except self._killed:
                mine.set_exception(WorkerLost())
            except Exception as error:
                mine.set_exception(error)

        remote.add_done_callback(copy)
        return mine

    def without(self, error: Unfit) -> bool:
        """Give the worker that the error names no more work; return whether another is left."""
        self._unfit.add(error.worker)
        return bool(set(self._client.nthreads()) - self._unfit)

    def share(self, value: Any) -> Any:
        """Send a value to every worker once."""
        return self._client.scatter(value, broadcast=True, hash=False)

    def close(self) -> None:
        self._client.close()

    kill = close


def _named(function: Callable[..., Any], *arguments: Any) -> Any:
    """On a Dask worker: call the function; an error says which worker it is."""
    from distributed import get_worker

    try:
        return function(*arguments)
    except Unfit as error:
        raise Unfit(str(error), get_worker().address) from None
