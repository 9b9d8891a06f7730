"""Where submissions are executed: in this process, in local worker processes, or on a Dask cluster.

All three are `concurrent.futures` executors to the coordinator; what differs is what the death of a worker looks like.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from autograder.course import CourseError
from autograder.marking import fitness
from autograder.marking.fitness import Unfit
from autograder.marking.submission import Kit
from autograder.sandbox import probe
from autograder.sandbox.connection import Key, Sandbox, Start
from autograder.sandbox.early import ctrl_c_waits
from autograder.sandbox.outside.environments import Lacking
from autograder.sandbox.outside.warm_process import WarmProcess
from helpers import sources
from helpers.judging import catalog

from .results import Tell

# A worker that gets fewer submissions than this costs more than it saves.
WORTH_A_WORKER = 4

P = ParamSpec("P")
T = TypeVar("T")


class WorkerLost(Exception):
    """A worker ended while it was at this submission."""


class Pool(Protocol):
    """What executes: how many at once, and what it calls itself."""

    @property
    def size(self) -> int: ...

    @property
    def where(self) -> str: ...

    @property
    def handover(self) -> Path | None:
        """A folder that its workers and the coordinator both see, or None."""

    def submit(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Future[T]:
        """Have a function called with these arguments somewhere."""

    def share(self, value: Kit) -> Kit:
        """Make a unit's kit known to the workers, and return what to give to each call."""

    def renew(self) -> None:
        """Have what is submitted from now on executed by fresh workers, where they are ours to make."""

    def without(self, error: Unfit) -> bool:
        """Give the worker that the error names no more work; return whether another is left."""

    def close(self) -> None:
        """End it when its work is done."""

    def kill(self) -> None:
        """End it at once."""


class Inline:
    """Executes in this process, one submission after the other: the quickest for a few."""

    size = 1
    where = "in this process"

    def __init__(self, tell: Tell, folder: Path) -> None:
        self._tell = tell
        self.handover = folder

    def submit(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(function(*arguments, **named))
        except Exception as error:
            future.set_exception(error)
        return future

    def share(self, value: Kit) -> Kit:
        """Start the unit's warm process and try it."""
        unit, sealed, environment = _warm_key(value)
        note = Sandbox.of(unit, sealed, _start(value), environment).note
        if note:
            self._tell("told", text=note)
        return value

    def renew(self) -> None:
        """Have the next submission executed in a new kernel of a new warm process."""
        Sandbox.close_all()

    def without(self, error: Unfit) -> bool:
        """Whether others can grade when a worker cannot: the processes of one machine are all alike."""
        return False

    def close(self) -> None:
        Sandbox.close_all()

    def kill(self) -> None:
        self.close()


def _warm_key(kit: Kit) -> Key:
    """What its warm process is known by: the unit, if it has checked exercises, is told from a plain assignment."""
    return kit.unit if kit.unit in catalog.units() else None, not kit.unsafe, kit.environment


def _start(kit: Kit) -> Start:
    """Return what starts and tries a kit's warm process, and names the kit in what it says."""

    def start(unit: str | None, sealed: bool, environment: str) -> WarmProcess:
        try:
            warm = probe.start(unit, sealed, environment, kit.imports)
        except Lacking as lacking:
            raise Lacking(f"{kit.unit}: {lacking}. Nothing of it is graded and nobody gets 0") from lacking
        warm.note = warm.note and f"{kit.unit}: {warm.note}"
        return warm

    return start


def _begin(parent: int, folder: str) -> None:
    """In a new worker process: leave Ctrl-C to the coordinator, and end when it ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    tempfile.tempdir = folder
    WarmProcess.disown()
    # What is there now stays: collections need not look at it.
    gc.freeze()


def _pool(size: int, folder: str, method: str) -> ProcessPoolExecutor:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return ProcessPoolExecutor(
        size, mp_context=multiprocessing.get_context(method), initializer=_begin, initargs=(os.getpid(), folder)
    )


def _with_warm_processes(folders: dict[Key, Path], beside: list[Path], call: Callable[[], T]) -> T:
    Sandbox.offer(folders)
    return _with_units(beside, call)


def _with_units(beside: list[Path], call: Callable[[], T]) -> T:
    """In a worker: call a function, with the units that the coordinator has found in other environments."""
    sources.look_in(beside)
    return call()


class Local:
    """Worker processes on this machine, which share one warm process.

    When one is killed, the others end too and new ones are made.
    """

    _early: tuple[int, ProcessPoolExecutor] | None = None

    def __init__(self, size: int, folder: Path, tell: Tell) -> None:
        self._tell = tell
        early, Local._early = Local._early, None
        self.size = early[0] if early else size
        self.where = f"{self.size} worker{'s' if self.size > 1 else ''} on this machine"
        self._folder = self.handover = folder
        self._warm: dict[Key, WarmProcess] = {}
        self._pool = early[1] if early else self._new()

    @classmethod
    @contextlib.contextmanager
    def forked_early(cls, jobs: int | None, waiting: int) -> Iterator[None]:
        """Fork workers that have everything imported, while this process has neither threads nor an open gradebook.

        Args:
            jobs: how many; as many as cores, and as are worth it, if None.
            waiting: about how many submissions there are.
        """
        size = cls.suitable(jobs, waiting)
        if size > 1:
            with ctrl_c_waits():
                cls._early = size, _pool(size, tempfile.gettempdir(), "fork")
                # All are forked with the first call.
                cls._early[1].submit(os.getpid)
        try:
            yield
        finally:
            if cls._early is not None:
                cls._early[1].shutdown()
                cls._early = None

    @staticmethod
    def suitable(jobs: int | None, waiting: int) -> int:
        """Return how many workers to use: a few submissions are graded sooner without any."""
        return jobs or max(1, min(os.cpu_count() or 1, waiting // WORTH_A_WORKER))

    def _new(self) -> ProcessPoolExecutor:
        # This process may have threads by now, so the workers are not forked from it and import everything anew.
        return _pool(self.size, str(self._folder), "spawn")

    def submit(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Future[T]:
        call = partial(function, *arguments, **named)
        folders = {key: warm.folder for key, warm in self._warm.items()}
        try:
            future = self._pool.submit(_with_warm_processes, folders, sources.folders_beside(), call)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._new()
            future = self._pool.submit(_with_warm_processes, folders, sources.folders_beside(), call)
        return _translated(future)

    def share(self, value: Kit) -> Kit:
        """Start the unit's warm process for all workers; those of units before have done their work."""
        self._close_warm()
        key = _warm_key(value)
        warm = self._warm[key] = _start(value)(*key)
        if warm.note:
            self._tell("told", text=warm.note)
        return value

    def renew(self) -> None:
        """Have the next submissions executed by new worker processes."""
        self._pool.shutdown(wait=False, cancel_futures=False)
        self._pool = self._new()

    def without(self, error: Unfit) -> bool:
        """Whether others can grade when a worker cannot: the processes of one machine are all alike."""
        return False

    def close(self) -> None:
        self._pool.shutdown()
        self._close_warm()

    def kill(self) -> None:
        """End the workers at once, with everything in their sandboxes."""
        for process in list((self._pool._processes or {}).values()):
            with contextlib.suppress(OSError):
                process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._close_warm()

    def _close_warm(self) -> None:
        while self._warm:
            self._warm.popitem()[1].close()


def _translated(future: Future[T]) -> Future[T]:
    """The same future, which tells of a lost worker in our words."""
    mine: Future[T] = Future()

    def copy(done: Future[T]) -> None:
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

    handover = None

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
            # Tried first: a client that fails to start delays the end of the process. In a thread, since a notebook has
            # a running event loop.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(lambda: asyncio.run(_reach(address))).result()
            self._client = distributed.Client(address, timeout=5, set_as_default=False)
        except (OSError, ValueError) as error:
            raise CourseError(f"no Dask scheduler answers at {address}: {error}") from error
        except TypeError as error:
            # Dask's way to say that there are no certificates.
            raise CourseError(
                f"{address} is encrypted and Dask's settings name no certificates: see docs/clusters.md"
            ) from error
        self._address = address
        self._killed = distributed.scheduler.KilledWorker
        self._unfit: set[str] = set()
        found = self._client.run(fitness.fitness, fitness.version(), unsafe, on_error="return")
        problems = [f"{worker}: {told}" for worker, told in sorted(found.items()) if told]
        if problems or not found:
            self._client.close()
            raise CourseError("the Dask cluster cannot grade: " + ("; ".join(problems) or f"{address} has no worker"))

    @property
    def size(self) -> int:
        return max(1, sum(self._workers().values()))

    @property
    def where(self) -> str:
        return f"{len(self._workers())} Dask workers"

    def _workers(self) -> dict[str, int]:
        """The workers there are now, and their threads."""
        try:
            threads: dict[str, int] = self._client.nthreads()
            return threads
        except OSError as error:
            raise CourseError(
                f"the Dask scheduler at {self._address} is gone; what is graded is kept, "
                "and the same command goes on with the rest"
            ) from error

    def submit(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Future[T]:
        chosen = [worker for worker in self._workers() if worker not in self._unfit] if self._unfit else None
        call = partial(_with_units, sources.folders_beside(), partial(function, *arguments, **named))
        remote = self._client.submit(_named, call, pure=False, workers=chosen)
        mine: Future[T] = Future()

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
        return bool(set(self._workers()) - self._unfit)

    def share(self, value: Kit) -> Kit:
        """A kit is small and travels with each submission: what is sent ahead is lost when its holders die."""
        return value

    def renew(self) -> None:
        """Nothing: a cluster's workers are not ours, and the next try may go to another of them."""

    def close(self) -> None:
        self._client.close()

    def kill(self) -> None:
        self.close()


async def _reach(address: str) -> None:
    from distributed import Security
    from distributed.comm.core import connect

    comm = await connect(address, timeout=5, **Security().get_connection_args("client"))
    await comm.close()


def _named(call: Callable[[], T]) -> T:
    """On a Dask worker: call the function; an error says which worker it is."""
    from distributed import get_worker

    try:
        return call()
    except Unfit as error:
        raise Unfit(str(error), get_worker().address) from None
