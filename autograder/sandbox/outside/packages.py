"""Packages that are installed outside of the Python environment: in folders that a `.pth` file or PYTHONPATH names."""

from __future__ import annotations

import functools
import importlib.util
import re
import sys
from pathlib import Path

_MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")


@functools.cache
def elsewhere() -> tuple[Path, ...]:
    """Return the folders of installed packages that this Python uses outside of its environment.

    A folder without packages that pip knows is left out: it may be anything, as this course's own clone.
    """
    shown = [Path(prefix) for prefix in (sys.prefix, sys.base_prefix, "/usr")]
    found = []
    for entry in sys.path:
        folder = Path(entry).absolute()
        if folder.is_dir() and not any(folder.is_relative_to(prefix) for prefix in shown):
            installed = next(folder.glob("*.dist-info"), None) is not None
            if installed and not (folder / "solutions").is_dir():
                found.append(folder)
    return tuple(dict.fromkeys(found))


def explained(line: str) -> str:
    """Return the last line of what a warm process wrote; of a module that is missing there, also where it lies."""
    missing = _MISSING.match(line)
    if missing is None:
        return line
    try:
        found = importlib.util.find_spec(missing[1].partition(".")[0])
    except (ImportError, ValueError):
        found = None
    if found is None or not found.origin:
        return f"{line}; install it into {sys.prefix}"
    place = Path(found.origin).parent
    place = place.parent if found.submodule_search_locations else place
    return f"{line}: it lies in {place}, which the sandbox does not show; install it into {sys.prefix}"
