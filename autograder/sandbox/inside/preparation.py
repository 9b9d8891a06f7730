"""What the warm process does once, before it forks: give up root and import what notebooks import."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from .constants import NOBODY, Told
from .libc import (
    CAP_KILL,
    CAP_SETGID,
    CAP_SETUID,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    PR_SET_KEEPCAPS,
    libc,
    mount,
    set_capabilities,
)

if TYPE_CHECKING:
    from .kernel import Application


def give_up_root() -> None:
    """Become nobody, so that the limit on processes counts: the kernel exempts root from it.

    What stays is to make each keeper a user of its own, and to signal to it.
    """
    if os.getuid() == 0 and os.environ.get("ATTENTION_DROP") == "1":
        # Of root's /proc bubblewrap covers a part, and where one is covered nobody below may have one of their own.
        with contextlib.suppress(OSError):
            mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        os.setgroups([])
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        set_capabilities(CAP_KILL, CAP_SETGID, CAP_SETUID)


def warm_up() -> Application:
    """Import what notebooks import and return the kernel application.

    No thread is started: a fork copies only the one that forks.
    """
    # Nothing that is imported is ever garbage, and looking for some is a fifth of the time.
    gc.disable()
    quick = os.environ.get("ATTENTION_START") != "plain"
    with without("debugpy") if quick else contextlib.nullcontext():
        # ipykernel's debugger, which no kernel here has, takes a tenth of all imports.
        import_all(json.loads(os.environ.get("ATTENTION_PRELOAD", "[]")))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if not quick:
        from .plain import PlainApplication

        return PlainApplication()
    # Not before the collector is off: these are ipykernel and IPython.
    from .application import make_application
    from .shell import make_shell

    return make_application(make_shell())


def prepare(owner: socket.socket, app: Application) -> bool:
    """Import the library's modules when the owner has laid it out and names them; return False if the owner is gone."""
    received = owner.recv(2**20)
    if not received:
        return False
    told: Told = json.loads(received)
    importlib.invalidate_caches()
    import_all(told["modules"])
    if told["pictures"]:
        app.connect_pyplot()
    app.practise()
    # A collection in a fork would write to, and so copy, every page that the two still share.
    gc.freeze()
    gc.enable()
    return True


@contextlib.contextmanager
def without(name: str) -> Iterator[None]:
    """Let a module seem not to be installed."""
    # None is how the import system notes that; only a type checker minds.
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    modules.setdefault(name, None)
    try:
        yield
    finally:
        if modules[name] is None:
            del modules[name]


def import_all(names: list[str]) -> None:
    """Import modules, apart from those that are not installed, or do not fit this Python."""
    for name in names:
        # What fails here fails in the cell that imports it, where it is said.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
