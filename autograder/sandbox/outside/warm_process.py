"""Starts the sandboxed warm process that a unit's kernels are forked from.

Outside, `bubblewrap` gives the process a file system of its own: the system and the Python environment
read-only, a copy of `helpers` without judge, exercises and the references of this and later units (`library`), and one
folder for the runs. Inside, `autograder.sandbox.inside` imports what notebooks import and forks a sealed kernel for
each.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from autograder.sandbox.inside.constants import NOBODY, Told

from . import control_groups, environments, packages
from .bubblewrap import INSIDE, command, start
from .environments import Environment
from .errors import SandboxError
from .library import lay_out, modules, number
from .sockets import bind

PRELOAD = (
    "numpy", "numpy.random", "numpy.testing", "torch", "torch.nn", "torch.nn.functional", "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger", "ipykernel.zmqshell", "ipywidgets",
    "safetensors.numpy",
    "tornado.platform.asyncio", "IPython.core.logger", "IPython.extensions.storemagic", "faulthandler",
)  # fmt: skip
# What torch imports when a module is first used, SymPy among it: half a second that the units without modules do
# without.
FOR_MODULES = ("torch.fx.experimental.symbolic_shapes", "torch._subclasses.schema_check_mode")
FIRST_WITH_MODULES = 4
DOOR = "door"


def variables(lib: str, python: Environment) -> dict[str, str]:
    """Return all environment variables of the warm process: nothing of the caller's comes along."""
    return {
        "PATH": f"{Path(python.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp", "USER": "learner", "LOGNAME": "learner", "LANG": "C.UTF-8", "TMPDIR": "/tmp",
        "TERM": "xterm-color",
        "PYTHONPATH": lib, "PYTHONDONTWRITEBYTECODE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        # Memory that an array gives back is kept for the next: the kernel's clearing of fresh pages is most of a large
        # array's cost.
        "MALLOC_MMAP_THRESHOLD_": str(2**28), "MALLOC_TRIM_THRESHOLD_": str(2**28), "MALLOC_TOP_PAD_": str(2**24),
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline", "MPLCONFIGDIR": "/tmp", "IPYTHONDIR": "/tmp/ipython",
        "JUPYTER_PLATFORM_DIRS": "1",
        "NBGRADER_EXECUTION": "autograde", "ATTENTION_PRELOAD": json.dumps(PRELOAD),
        "ATTENTION_DROP": "1" if os.getuid() == 0 else "0",
    }  # fmt: skip


class WarmProcess:
    """A warm process seen from outside, by the one who starts and ends it. Whoever knows its folder can use it, through
    `Sandbox`.

    Args:
        sealed: in a sandbox, or not where the machine cannot give one.
        quick: with our quick start of kernels, or with ipykernel's own.
        python: the environment whose Python it is; this process's if None.

    Attributes:
        note: what an instructor should know of it, or "".

    Raises:
        SandboxError: bubblewrap is not there, or the folder for temporary files cannot hold a socket.
    """

    _early: dict[bool, WarmProcess] = {}

    def __init__(self, sealed: bool = True, quick: bool = True, python: Environment | None = None) -> None:
        self.note = ""
        self.groups: control_groups.Tree | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="attention-"))
        pool, lib = self.folder / "pool", self.folder / "lib"
        pool.mkdir()
        lib.mkdir()
        (self.folder / "passwd").write_text(
            f"learner:x:{os.getuid() or NOBODY}:{os.getgid() or NOBODY}:learner:/scratch:/bin/sh\n"
        )
        python = python or environments.own()
        places = ["/lib-course" if sealed else str(lib), *map(str, packages.elsewhere(python))]
        env = variables(os.pathsep.join(places), python)
        if not quick:
            env["ATTENTION_START"] = "plain"
        if not sealed:
            env |= {"ATTENTION_POOL": str(pool), "ATTENTION_DROP": "0"}
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door,
            open(self.folder / "errors.txt", "wb") as errors,
        ):
            try:
                self._scope = control_groups.scope(self._name) if sealed else []
                call = [*self._scope, *command(pool, lib, python)] if sealed else start(python)
                bind(door, self.folder / DOOR)
            except SandboxError:
                shutil.rmtree(self.folder, ignore_errors=True)
                raise
            door.listen(128)
            self._owner, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with there:
                env |= {"ATTENTION_OWNER_FD": str(there.fileno()), "ATTENTION_DOOR_FD": str(door.fileno())}
                self._process = subprocess.Popen(
                    call, env=env, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, pass_fds=(there.fileno(),
                    door.fileno()), start_new_session=True, cwd=INSIDE.parent,
                )  # fmt: skip

    @classmethod
    def start_early(cls, sealed: bool = True) -> None:
        """Start one that the first unit graded will take: its imports are most of the time it needs, and the same for
        all units.
        """
        # What stands in its way now will be told when it is needed.
        with contextlib.suppress(SandboxError, OSError):
            cls._early[sealed] = cls(sealed)

    @classmethod
    def of(cls, unit: str | None, sealed: bool = True, quick: bool = True, environment: str = "") -> WarmProcess:
        """Return a new one for a unit, which need not be ready yet.

        Args:
            unit: the unit; None for a notebook that is of no unit.
            sealed: in a sandbox.
            quick: with our quick start of kernels.
            environment: the folder of the environment whose Python it is; "" for this process's.

        Raises:
            SandboxError: the environment lacks something, or there is no sandbox.
        """
        python = environments.of(environment, unit is not None)
        warm = cls._early.pop(sealed, None) if quick and not environment else None
        warm = warm or cls(sealed, quick, python)
        if sealed:
            warm.divide()
        names = modules(lay_out(unit, warm.folder))
        if unit is not None and number(unit) >= FIRST_WITH_MODULES:
            names += FOR_MODULES
        # A process that is gone by now tells so to those who use it.
        with contextlib.suppress(OSError):
            # A unit's notebook shows its own figures, and nobody looks at those of a graded one.
            warm._owner.send(json.dumps(Told(modules=[*names], pictures=unit is None)).encode())
        return warm

    @property
    def _name(self) -> str:
        """A name that is no other warm process's."""
        return self.folder.name.removeprefix("attention-")

    def divide(self) -> None:
        """Make control groups for its runs, where this machine lets us."""
        if self._scope:
            self.groups = control_groups.in_scope(self._name, self._process.pid)
        self.groups = self.groups or control_groups.make(self._name)
        if self.groups is not None:
            self.groups.save(self.folder)

    def close(self) -> None:
        """End the warm process with everything in it and remove its folder."""
        self._owner.close()
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self.groups is not None:
            self.groups.remove()
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
