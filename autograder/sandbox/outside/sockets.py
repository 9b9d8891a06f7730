"""Names for sockets in the folder for temporary files, whose path may be too long for one."""

from __future__ import annotations

import socket
from pathlib import Path

from .errors import SandboxError


def bind(one: socket.socket, path: Path) -> None:
    """Give a socket its path.

    Raises:
        SandboxError: the folder cannot hold a socket.
    """
    try:
        one.bind(str(path))
    except OSError as error:
        raise SandboxError(
            f"no socket can be made in {path.parent} ({error}): set TMPDIR to a folder with a shorter path"
        ) from error
