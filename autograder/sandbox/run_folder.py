"""One folder for everything temporary of a grading run, which the next run removes when this one is killed."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "attention-run-"
_current: list[Path] = []


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """Make the folder and use it for temporary files; inside another run's, give that one."""
    if _current:
        yield _current[0]
        return
    for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), open(old / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    before = tempfile.tempdir
    with open(folder / "lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tempfile.tempdir = str(folder)
        _current.append(folder)
        try:
            yield folder
        finally:
            _current.clear()
            tempfile.tempdir = before
            shutil.rmtree(folder, ignore_errors=True)
