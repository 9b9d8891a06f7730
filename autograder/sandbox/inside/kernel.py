"""The process that runs a notebook: it becomes a Jupyter kernel and closes itself in before any learner's code."""

from __future__ import annotations

import os
import socket
import sys
from typing import Protocol

from .constants import POOL, SCRATCH, Limits
from .libc import PR_SET_DUMPABLE, libc
from .sealing import drop_capabilities, own_proc, restrict_with_landlock, set_limits
from .seccomp import filter_system_calls


class Application(Protocol):
    """What serves as a kernel: the quick `application.App`, or `plain.PlainApplication`."""

    connection_file: str

    def connect_pyplot(self) -> None:
        """Before any fork: have every kernel show and close figures after each cell."""

    def practise(self) -> None:
        """Before any fork: do once what is slow only the first time."""

    def initialize(self, argv: list[str]) -> None:
        """Bind the sockets of the connection file."""

    def greet(self) -> None:
        """Let who connects know that from now on nothing is lost."""

    def start(self) -> None:
        """Serve until the kernel is ended."""


def run_kernel(
    run: str,
    limits: Limits,
    judge: int,
    bound: int,
    sealed: bool,
    app: Application,
    keeper: socket.socket,
    errors: int,
) -> None:
    """In process 1 of the new namespace: be a Jupyter kernel until it is over."""
    os.chdir(SCRATCH if sealed else POOL / run / "files")
    os.environ["ATTENTION_JUDGE_FD"] = str(judge)
    app.connection_file = str(POOL / run / "connection.json")
    if sealed:
        # Before there is a thread: what a process gives up later, its threads keep.
        alone = own_proc()
        drop_capabilities()
        closed = limits["landlock"] and restrict_with_landlock(POOL / run) > 0
        # A dumpable process can read its own /proc, and be counted. Were it seen by a neighbour of the same user,
        # without Landlock that one could write to it.
        libc.prctl(PR_SET_DUMPABLE, int(alone or closed), 0, 0, 0)
        if limits["system_calls"]:
            filter_system_calls()
    app.initialize([])
    # The sockets are bound, so the folder that holds them and every run's files can go out of sight.
    keeper.send(b"1")
    keeper.recv(1)
    keeper.close()
    os.write(bound, b"1")
    os.close(bound)
    app.greet()
    # The notebook's folder comes last: a file of the submission named numpy.py must not stand in for NumPy.
    sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())] + [""]
    if not sealed:
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    set_limits(limits)
    # Not closed: the number could be another file's when something is written to it.
    os.dup2(0, errors, inheritable=False)
    # Nothing outside may wait for this folder's file: the kernel tells through its sockets that it is there.
    app.start()
