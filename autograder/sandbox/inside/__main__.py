"""Starts the warm process: `python -m inside` in the folder that holds this package."""

from __future__ import annotations

import os
import platform
import socket
import sys

from .libc import PR_SET_DUMPABLE, libc
from .preparation import give_up_root, prepare, warm_up
from .seccomp import program
from .server import Server


def hide() -> None:
    """Take this package out of what can be imported: by its names a notebook is to find its own modules alone."""
    package = __package__ or ""
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())]


def main() -> None:
    """Prepare, then serve until the owner is gone."""
    owner, door = (
        socket.socket(fileno=int(os.environ.pop(name))) for name in ("ATTENTION_OWNER_FD", "ATTENTION_DOOR_FD")
    )
    owner.set_inheritable(False)
    door.set_inheritable(False)
    give_up_root()
    # Once for all forks.
    program(platform.machine())
    app = warm_up()
    hide()
    if prepare(owner, app):
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        Server(owner, door, app).serve()


if __name__ == "__main__":
    main()
