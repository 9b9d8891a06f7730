"""What the keeper looks at while a kernel runs, and how it ends one that takes too much.

Where the run has control groups of its own, the machine's kernel counts and limits memory, processes and the share of
the processors, and the keeper looks only whether it had to. Where it has none, the keeper counts ten times a second.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import time

from .constants import EXIT_CPU, EXIT_MEMORY, EXIT_PROCESSES, EXIT_TIME, SCRATCH, Limits
from .memory import Counted

SECONDS = 0.1
# So many that run at one time are nobody's burden.
FEW = 4
# A step of niceness is a share a quarter smaller, and 19 is the last.
STEP, NICEST = 1.25, 19


class Watch:
    """Watches one kernel and what it starts.

    Args:
        kernel: its process.
        limits: what it may take.
        events: where control groups count memory, the open file that says what came of it; else None.
        shared: whether control groups share out the processors.
        proc: the keeper's own /proc: the kernel covers it.
        sealed: whether it has namespaces of its own; what lies in the machine's memory files is others' too.
    """

    def __init__(self, kernel: int, limits: Limits, events: int | None, shared: bool, proc: int, sealed: bool) -> None:
        self._kernel, self._limits = kernel, limits
        self._events, self._shared, self._proc = events, shared, proc
        self._memory = Counted(proc, (SCRATCH, "/tmp", "/dev/shm") if sealed else None)
        self._nice = self._sessions_nice = 0
        self._told: dict[int, int] = {}

    def until_ended(self) -> int:
        """Wait for the kernel, kill it when it takes too much, and return an exit code that says how it ended."""
        descriptor = os.pidfd_open(self._kernel)
        ends = time.monotonic() + self._limits["notebook_seconds"] + 10
        reason, pause = 0, SECONDS
        while not select.select([descriptor], [], [], pause)[0]:
            began = time.process_time()
            reason = self._too_much() or (EXIT_TIME if time.monotonic() > ends else 0)
            if reason:
                os.kill(self._kernel, signal.SIGKILL)
                break
            # To count many processes takes a while; it shall take a tenth of a processor at most.
            pause = max(SECONDS, 10 * (time.process_time() - began))
        _, status, used = os.wait4(self._kernel, 0)
        os.close(descriptor)
        if not reason and self._memory_ran_out():
            reason = EXIT_MEMORY
        if not reason and os.WIFSIGNALED(status) and used.ru_utime + used.ru_stime > self._limits["cpu_seconds"] - 2:
            reason = EXIT_CPU
        if reason:
            return reason
        code = os.waitstatus_to_exitcode(status)
        return min(code, 79) if code >= 0 else 100 - code

    def _too_much(self) -> int:
        """The exit code for what the notebook takes too much of, or 0."""
        if self._memory_ran_out():
            return EXIT_MEMORY
        if self._events is not None and self._shared:
            return 0
        pids = self.descendants()
        if self._events is None:
            if self._memory.more_than(self._limits["memory_bytes"], pids):
                return EXIT_MEMORY
            if len(pids) > self._limits["processes"]:
                return EXIT_PROCESSES
        if not self._shared:
            self._crowd(pids)
        return 0

    def _memory_ran_out(self) -> bool:
        """Whether a process was ended for memory: told by `memory.events`, in version 1 by `memory.oom_control`."""
        if self._events is None:
            return False
        told = dict(line.split() for line in os.pread(self._events, 4096, 0).decode().splitlines())
        return int(told.get("oom_kill", 0)) > 0

    def descendants(self) -> list[int]:
        """Return the kernel and every process below it: in its process namespace an orphan becomes the kernel's
        child.
        """
        found = [self._kernel]
        for pid in found:
            for thread in self._threads(pid):
                with contextlib.suppress(OSError):
                    found += map(int, read(self._proc, f"{pid}/task/{thread}/children").split())
        return found

    def _threads(self, pid: int) -> list[int]:
        try:
            folder = os.open(f"{pid}/task", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._proc)
        except OSError:
            return []
        try:
            return [int(name) for name in os.listdir(folder)]
        except OSError:
            return []
        finally:
            os.close(folder)

    def _crowd(self, pids: list[int]) -> None:
        """Make all of them together weigh about as much as one process when more than a few run at one time."""
        threads = [thread for pid in pids for thread in self._threads(pid)]
        if len(threads) <= FEW:
            return
        running: dict[int, int] = {}
        for thread in threads:
            with contextlib.suppress(OSError, IndexError, ValueError):
                # The name, which may hold anything, stands in brackets before state, parent, group and session.
                state, _, _, leader, *_ = read(self._proc, f"{thread}/stat").rpartition(b")")[2].split()
                running[thread] = int(leader) if state == b"R" else 0
        sessions = set(running.values()) - {0}
        self._nice = max(self._nice, niceness(sum(map(bool, running.values()))))
        self._sessions_nice = max(self._sessions_nice, niceness(len(sessions)))
        if self._nice:
            for thread in threads:
                with contextlib.suppress(OSError):
                    if os.getpriority(os.PRIO_PROCESS, thread) < self._nice:
                        os.setpriority(os.PRIO_PROCESS, thread, self._nice)
        # Where Linux shares the processors out by sessions, each has a niceness of its own, by its first process. It
        # takes ten of these orders a second.
        for session in sessions if self._sessions_nice else ():
            if self._told.get(session, 0) < self._sessions_nice:
                with contextlib.suppress(OSError):
                    place = os.open(f"{session}/autogroup", os.O_WRONLY | os.O_CLOEXEC, dir_fd=self._proc)
                    try:
                        os.write(place, str(self._sessions_nice).encode())
                        self._told[session] = self._sessions_nice
                    finally:
                        os.close(place)


def niceness(running: int) -> int:
    """Return how nice so many have to be to weigh no more than one that is not."""
    return min(NICEST, math.ceil(math.log(running, STEP))) if running > FEW else 0


def read(proc: int, path: str) -> bytes:
    """Return what a file of /proc says.

    Raises:
        OSError: it cannot be read, as when its process has ended.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
    try:
        return os.read(descriptor, 65536)
    finally:
        os.close(descriptor)
