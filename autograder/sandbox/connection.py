"""Runs notebooks' kernels in a warm process: our own, or one that several worker processes share."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import shutil
import socket
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .inside.constants import NOBODY, WARM_PROCESS_GONE
from .outside import packages
from .outside.control_groups import Group, Tree
from .outside.errors import SandboxError
from .outside.users import own_user
from .outside.warm_process import DOOR, WarmProcess

START_SECONDS = 60
# What a warm process is known by: the unit, whether it is sealed, and its Python environment's folder, "" for ours.
Key = tuple[str | None, bool, str]
# Starts a warm process by its key.
Start = Callable[[str | None, bool, str], WarmProcess]


def start_warm(unit: str | None, sealed: bool, environment: str) -> WarmProcess:
    """Return a new warm process, untried."""
    return WarmProcess.of(unit, sealed, environment=environment)


@dataclass
class Run:
    """One notebook's folder and the state of its kernel."""

    name: str
    folder: Path
    judge: socket.socket
    ended: threading.Event = field(default_factory=threading.Event)
    code: int | None = None
    started: bool = False
    groups: Group | None = None

    @property
    def files(self) -> Path:
        return self.folder / "files"


class Sandbox:
    """A connection to the warm process of one unit. Get one with `Sandbox.of`, which keeps it for the next notebook.

    Args:
        folder: the warm process's.
        sealed: whether it is in a sandbox.
        own: the warm process, if it is to end with this connection.
        environment: the folder of the warm process's Python environment, "" for ours.

    Raises:
        SandboxError: the warm process did not start, or is gone.
    """

    _kept: dict[Key, Sandbox] = {}
    _offered: dict[Key, Path] = {}
    _lock = threading.Lock()

    def __init__(self, folder: Path, sealed: bool, own: WarmProcess | None = None, environment: str = "") -> None:
        self.folder, self.sealed, self._own, self._environment = folder, sealed, own, environment
        self.pool = folder / "pool"
        self.alive = True
        self.runs: dict[str, Run] = {}
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(START_SECONDS)
        try:
            self.control.connect(str(folder / DOOR))
            ready = self.control.recv(65536)
        except OSError:
            ready = b""
        except BaseException:
            self.close()
            raise
        if not ready:
            told = self._tail()
            self.close()
            raise SandboxError(
                f"the sandbox did not start: {told or 'no message'}; "
                "`autograder doctor` says what this machine can give"
            )
        self.control.settimeout(None)
        self.groups = Tree.load(folder)
        threading.Thread(target=self._listen, daemon=True, name="sandbox-listener").start()

    @classmethod
    def of(cls, unit: str | None, sealed: bool = True, start: Start = start_warm, environment: str = "") -> Sandbox:
        """Return a sandbox for the unit: the one of the notebook before if it still lives, else one that is offered,
        else our own.

        Args:
            unit: the unit; None for a notebook that is of no unit.
            sealed: whether it is to be in a sandbox.
            start: starts a warm process where one of our own is needed.
            environment: the folder of the Python environment that kernels run in, "" for this process's.
        """
        with cls._lock:
            for key in [key for key, kept in cls._kept.items() if not kept.alive]:
                cls._kept.pop(key).close()
            key = unit, sealed, environment
            if key not in cls._kept:
                cls._kept[key] = cls._join(key) or cls.start_own(*key, start)
            return cls._kept[key]

    @classmethod
    def start_own(
        cls, unit: str | None, sealed: bool = True, environment: str = "", start: Start = start_warm
    ) -> Sandbox:
        """Return a sandbox with a warm process of its own."""
        warm = start(unit, sealed, environment)
        return cls(warm.folder, sealed, warm, environment)

    @property
    def note(self) -> str:
        """What an instructor should know of its warm process, or ""."""
        return self._own.note if self._own is not None else ""

    @classmethod
    def offer(cls, folders: Mapping[Key, Path]) -> None:
        """Tell where warm processes are that others have started."""
        cls._offered = dict(folders)

    @classmethod
    def _join(cls, key: Key) -> Sandbox | None:
        if key in cls._offered:
            # One that was killed is not worth an error: we start our own.
            with contextlib.suppress(SandboxError):
                return cls(cls._offered[key], key[1], environment=key[2])
        return None

    @classmethod
    def close_all(cls) -> None:
        with cls._lock:
            for sandbox in cls._kept.values():
                sandbox.close()
            cls._kept.clear()

    def new_run(self) -> tuple[Run, socket.socket]:
        """Return a run with an empty folder, and the judge's end of its private socket."""
        name = uuid.uuid4().hex[:12]
        folder = self.pool / name
        (folder / "files").mkdir(parents=True)
        ours, theirs = socket.socketpair()
        run = self.runs[name] = Run(name, folder, theirs)
        return run, ours

    def start(self, run: Run, limits: dict[str, Any]) -> None:
        """Fork the kernel of a run whose folder is filled, and wait until it has bound its sockets.

        Raises:
            SandboxError: the warm process is gone, or the kernel did not start.
        """
        user = 0
        if os.getuid() == 0 and self.sealed:
            user = own_user(run.name)
            run.folder.chmod(0o700)
            for path in (run.folder, *run.folder.rglob("*")):
                os.lchown(path, user or NOBODY, user or NOBODY)
        self._make_groups(run, limits)
        groups = run.groups.descriptors if run.groups else []
        request = {
            "do": "start",
            "run": run.name,
            "limits": limits,
            "sealed": self.sealed,
            "user": user,
            "shared": bool(groups) and self.groups is not None and self.groups.shares,
        }
        bound, told = os.pipe()
        try:
            socket.send_fds(self.control, [json.dumps(request).encode()], [run.judge.fileno(), told, *groups])
        except OSError as error:
            os.close(bound)
            raise SandboxError(f"the sandbox is gone: {self._tail() or error}") from error
        finally:
            os.close(told)
            if run.groups:
                run.groups.close()
        run.started = True
        run.judge.close()
        with os.fdopen(bound, "rb", buffering=0) as pipe:
            # Closed without a word when the kernel has ended before it was ready.
            if not select.select([pipe], [], [], START_SECONDS)[0] or not pipe.read(1):
                raise SandboxError(f"the kernel did not start: {self._tail() or f'exit code {run.code}'}")

    def _make_groups(self, run: Run, limits: dict[str, Any]) -> None:
        if self.sealed and self.groups is not None and limits["control_groups"]:
            try:
                run.groups = self.groups.group(run.name, limits)
            except OSError as error:
                raise SandboxError(f"no control group can be made for a notebook ({error})") from error

    def tell(self, run: Run, what: str) -> None:
        """Interrupt ("interrupt") or end ("kill") the kernel of a run; nothing happens when it is over."""
        if not run.ended.is_set():
            with contextlib.suppress(OSError):
                self.control.send(json.dumps({"do": what, "run": run.name}).encode())

    def forget(self, run: Run) -> None:
        """Remove a run's folder once its kernel has ended."""
        self.runs.pop(run.name, None)
        with contextlib.suppress(OSError):
            run.judge.close()
        if run.groups is not None:
            run.groups.remove()
        shutil.rmtree(run.folder, ignore_errors=True)

    def close(self) -> None:
        """End our kernels, and the warm process if it is our own."""
        self.alive = False
        # A thread that waits for messages is not woken by closing alone.
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)
        self.control.close()
        if self._own is not None:
            self._own.close()

    def _listen(self) -> None:
        while True:
            try:
                data = self.control.recv(65536)
            except OSError:
                data = b""
            if not data:
                break
            message = json.loads(data)
            run = self.runs.get(message.get("ended", ""))
            if run is not None:
                run.code = message["code"]
                run.ended.set()
        self.alive = False
        for run in list(self.runs.values()):
            run.code = WARM_PROCESS_GONE if run.code is None else run.code
            run.ended.set()

    def _tail(self) -> str:
        try:
            lines = (self.folder / "errors.txt").read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return packages.explained(lines[-1][:300], self._environment) if lines else ""


atexit.register(Sandbox.close_all)
