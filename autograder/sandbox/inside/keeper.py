"""The process beside one kernel: it prepares, has it watched, and brings back the files that the notebook wrote."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from .constants import EXIT_SETUP, LEFT_OUT, MOST_NAMED, POOL, SCRATCH, Request
from .files import copy_files, statuses
from .kernel import run_kernel
from .libc import PR_SET_PDEATHSIG, libc
from .sealing import become, hide_pool, seal_namespaces
from .watching import Watch

if TYPE_CHECKING:
    from .kernel import Application


def keep(request: Request, judge: int, bound: int, groups: list[int], app: Application) -> int:
    """In the keeper: prepare, start and watch one kernel; return the exit code that says how it ended.

    Args:
        request: what was asked for.
        judge: the judge's socket, for the kernel.
        bound: where to tell that the kernel's sockets are bound.
        groups: the files of the run's control groups, as `outside.control_groups.Group` has them; none where there are
            no groups.
        app: what becomes the kernel.
    """
    run, limits, sealed = request["run"], request["limits"], request["sealed"]
    if request["user"]:
        become(request["user"])
    # Cleared when a process becomes another user.
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # Both are reached by name no more once the kernel is closed in.
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    files = os.open(POOL / run / "files", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if sealed:
        seal_namespaces(run, limits, own=request["user"] != 0)
        before = statuses(Path(SCRATCH))
    ours, kernels = socket.socketpair()
    kernel = os.fork()
    if kernel == 0:
        code = EXIT_SETUP
        errors = _own_streams()
        try:
            for descriptor in (files, proc, *groups):
                os.close(descriptor)
            ours.close()
            os.setsid()
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            run_kernel(run, limits, judge, bound, sealed, app, kernels, errors)
            code = 0
        except BaseException:
            with contextlib.suppress(OSError):
                os.write(errors, traceback.format_exc().encode(errors="replace"))
        finally:
            os._exit(code)
    for descriptor in (judge, bound):
        os.close(descriptor)
    kernels.close()
    events, places = (groups[0], groups[1:]) if groups else (None, [])
    with ours:
        # Meanwhile the kernel gets ready: the machine takes milliseconds to move a process.
        for place in places:
            with contextlib.suppress(ProcessLookupError):
                os.write(place, str(kernel).encode())
        # The kernel has bound its sockets and may mount nothing itself any more; no answer, when it has ended.
        if ours.recv(1) and sealed:
            hide_pool()
        with contextlib.suppress(OSError):
            ours.send(b"1")
    code = Watch(kernel, limits, events, request["shared"], proc, sealed).until_ended()
    if sealed:
        os.fchdir(files)
        left_out = copy_files(Path(SCRATCH), Path("."), limits["kept_bytes"], before)
        if left_out:
            Path("..", LEFT_OUT).write_text(json.dumps(left_out[:MOST_NAMED]))
    return code


def _own_streams() -> int:
    """Give the kernel standard streams of its own, and return where its errors go until it is ready.

    The warm process's are one open file for all kernels, whose place in it each could set and read.
    """
    errors = os.dup(2)
    for stream in range(3):
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(null, stream)
        os.close(null)
    return errors
