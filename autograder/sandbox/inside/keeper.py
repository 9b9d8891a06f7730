"""The process beside one kernel: it prepares, watches, and brings back the files that the notebook wrote."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from .constants import EXIT_CPU, EXIT_MEMORY, EXIT_PROCESSES, EXIT_SETUP, EXIT_TIME, POOL, SCRATCH, Limits, Request
from .files import copy_files, statuses
from .kernel import run_kernel
from .libc import PR_SET_PDEATHSIG, libc
from .sealing import hide_pool, seal_namespaces

if TYPE_CHECKING:
    from .kernel import Application


def keep(request: Request, judge: int, bound: int, app: Application) -> int:
    """In the keeper: prepare, start and watch one kernel; return the exit code that says how it ended."""
    run, limits, sealed = request["run"], request["limits"], request["sealed"]
    files = os.open(POOL / run / "files", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if sealed:
        seal_namespaces(run, limits)
        before = statuses(Path(SCRATCH))
    ours, kernels = socket.socketpair()
    kernel = os.fork()
    if kernel == 0:
        code = EXIT_SETUP
        try:
            os.close(files)
            ours.close()
            os.setsid()
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            run_kernel(run, limits, judge, bound, sealed, app, kernels)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(judge)
    os.close(bound)
    kernels.close()
    with ours:
        # The kernel has bound its sockets and may mount nothing itself any more; no answer, when it has ended.
        if ours.recv(1) and sealed:
            hide_pool()
        with contextlib.suppress(OSError):
            ours.send(b"1")
    code = watch(kernel, limits)
    if sealed:
        os.fchdir(files)
        copy_files(Path(SCRATCH), Path("."), limits["scratch_bytes"], before)
    return code


def watch(kernel: int, limits: Limits) -> int:
    """In the keeper: wait for the kernel, kill it when it takes too much, and return an exit code."""
    descriptor = os.pidfd_open(kernel)
    ends = time.monotonic() + limits["notebook_seconds"] + 10
    page = os.sysconf("SC_PAGE_SIZE")
    reason = 0
    while not select.select([descriptor], [], [], 0.1)[0]:
        memory = count = 0
        for pid in descendants(kernel):
            count += 1
            try:
                fields = Path(f"/proc/{pid}/statm").read_text().split()
                memory += (int(fields[1]) - int(fields[2])) * page if count > 1 else int(fields[1]) * page
            except (OSError, ValueError, IndexError):
                continue
        if memory > limits["memory_bytes"]:
            reason = EXIT_MEMORY
        elif count > limits["processes"]:
            reason = EXIT_PROCESSES
        elif time.monotonic() > ends:
            reason = EXIT_TIME
        if reason:
            os.kill(kernel, signal.SIGKILL)
            break
    _, status, used = os.wait4(kernel, 0)
    os.close(descriptor)
    if not reason and os.WIFSIGNALED(status) and used.ru_utime + used.ru_stime > limits["cpu_seconds"] - 2:
        reason = EXIT_CPU
    if reason:
        return reason
    return (
        min(os.waitstatus_to_exitcode(status), 79)
        if os.waitstatus_to_exitcode(status) >= 0
        else 100 - os.waitstatus_to_exitcode(status)
    )


def descendants(kernel: int) -> list[int]:
    """Return the kernel and every process below it: in its process namespace an orphan becomes the kernel's child."""
    found = [kernel]
    for pid in found:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
        except OSError:
            continue
    return found
