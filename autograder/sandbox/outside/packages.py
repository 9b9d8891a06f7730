"""Packages that are installed outside of a Python environment: in folders that a `.pth` file or PYTHONPATH names."""

from __future__ import annotations

import functools
import importlib.util
import re
import sys
from pathlib import Path

from .environments import Environment, own

_MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")


@functools.cache
def elsewhere(environment: Environment | None = None) -> tuple[Path, ...]:
    """Return the folders of installed packages that a Python uses outside of its environment; this one if None.

    A folder without packages that pip knows is left out: it may be anything, as this course's own clone.
    """
    python = environment or own()
    shown = [Path(prefix) for prefix in (python.prefix, python.base, "/usr")]
    found = []
    for folder in map(Path, python.path):
        if folder.is_dir() and not any(folder.is_relative_to(prefix) for prefix in shown):
            installed = next(folder.glob("*.dist-info"), None) is not None
            if installed and not (folder / "solutions").is_dir():
                found.append(folder)
    return tuple(dict.fromkeys(found))


def explained(line: str, prefix: str = "") -> str:
    """Return the last line of what a warm process wrote; of a module that is missing there, also where it lies.

    Args:
        line: the line.
        prefix: the folder of the process's environment; this one's if "".
    """
    missing = _MISSING.match(line)
    return line if missing is None else f"{line}{where(missing[1], prefix)}"


def where(module: str, prefix: str = "") -> str:
    """Return what to do about a module that a sandbox does not have, as the end of a sentence."""
    if prefix:
        # Under which name pip knows it, nobody can tell from here.
        return f": install what brings it with `{Path(prefix, 'bin', 'python')} -m pip`"
    name = module.partition(".")[0]
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        found = None
    if found is None or not found.origin:
        return f"; install it into {sys.prefix}"
    place = Path(found.origin).parent
    place = place.parent if found.submodule_search_locations else place
    return f": it lies in {place}, which the sandbox does not show; install it into {sys.prefix}"
