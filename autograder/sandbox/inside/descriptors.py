"""What is written past Python's streams, to the descriptors 1 and 2: by `os.write`, by C code, by child processes.

ipykernel reads it in a thread, and what comes of a cell's last lines is a matter of timing. Here it goes to a file and
is shown when the cell has ended, so that it counts to the cell that wrote it, always.
"""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from typing import Any

# Of one cell; more than is kept of any.
MOST_BYTES = 3 * 2**20


class Descriptors:
    """The two descriptors, each beside the stream that shows what is written to it."""

    def __init__(self) -> None:
        # Kept here as well: a notebook may put something else in their place.
        self._kept: list[tuple[Any, int]] = []
        self._shown: list[int] = [0, 0]
        for number, stream in ((1, sys.stdout), (2, sys.stderr)):
            with tempfile.TemporaryFile(buffering=0) as file:
                descriptor = os.dup(file.fileno())
                fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND)
                os.dup2(descriptor, number)
            self._kept.append((stream, descriptor))

    def show(self) -> None:
        """Have the streams show what was written since the last time."""
        for place, (stream, descriptor) in enumerate(self._kept):
            size = os.fstat(descriptor).st_size
            if size > self._shown[place]:
                data = os.pread(descriptor, min(size - self._shown[place], MOST_BYTES), self._shown[place])
                self._shown[place] = size
                stream.write(data.decode(errors="replace"))
