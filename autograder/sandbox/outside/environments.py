"""Python environments that kernels run in: this process's own, and those that a class names for its assignments.

An environment is a folder made by `python -m venv`, conda, virtualenv or uv. Of another than this one its own Python is
asked what it is; nothing of it runs in this process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from .errors import SandboxError

# `os.pidfd_open`, without which no kernel can be watched, came with the first; the course's own library needs the
# second.
OLDEST, OLDEST_OF_UNITS = (3, 9), (3, 11)
# What a notebook of a unit imports with `from helpers import check`, beside what a kernel is.
FOR_UNITS = ("numpy",)
ASK_SECONDS = 30
# Read by any Python, however old.
ASK = """
import json, sys
told = {"prefix": sys.prefix, "base": getattr(sys, "base_prefix", sys.prefix), "version": list(sys.version_info[:3]),
        "path": [entry for entry in sys.path if entry], "libraries": [], "lacks": [], "ipykernel": "", "library": ""}
try:
    with open("/proc/self/maps") as maps:
        loaded = [line.split(None, 5)[5].strip() for line in maps if "/libpython" in line]
    told["library"] = loaded[0] if loaded else ""
    import sysconfig
    from importlib.util import find_spec
    from importlib.metadata import version
    told["libraries"] = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    told["lacks"] = [name for name in sys.argv[1:] if find_spec(name) is None]
    told["ipykernel"] = version("ipykernel")
except Exception:
    pass
print(json.dumps(told))
"""


class Lacking(SandboxError):
    """A named environment lacks something; the message is one line that says what, where, and what to do."""


@dataclass(frozen=True)
class Environment:
    """A Python environment as it describes itself.

    Attributes:
        prefix: its folder.
        base: the folder of the Python that it was made with; the same for conda's.
        executable: its Python.
        version: of its Python.
        path: where it imports from.
        libraries: where its packages are installed.
        ipykernel: the release of it, or "".
    """

    prefix: str
    base: str
    executable: str
    version: tuple[int, ...]
    path: tuple[str, ...]
    libraries: tuple[str, ...]
    ipykernel: str = ""

    def __str__(self) -> str:
        return f"Python {'.'.join(map(str, self.version))} in {self.prefix}"


_asked: dict[tuple[str, bool], Environment] = {}


def own() -> Environment:
    """Return the environment of this process."""
    libraries = tuple(map(sysconfig.get_path, ("purelib", "platlib")))
    path = tuple(str(Path(entry).absolute()) for entry in sys.path)
    return Environment(sys.prefix, sys.base_prefix, sys.executable, sys.version_info[:3], path, libraries)


def located(text: str, root: Path) -> str:
    """Return the folder of an environment as a class names it, or "" if it is this process's own.

    Args:
        text: the folder, or its Python; from a path that begins with ~, or lies in the class folder.
        root: the class folder.
    """
    path = Path(root, Path(text).expanduser())
    if path.parent.name == "bin" and (path.is_file() or path.is_symlink()):
        path = path.parent.parent
    try:
        same = path.samefile(sys.prefix)
    except OSError:
        same = False
    return "" if same else str(path)


def library_folders(prefix: str) -> list[Path]:
    """Return the folders that an environment's packages are installed in, without asking it."""
    return sorted(Path(prefix).glob("lib/python3*/site-packages"))


def of(prefix: str, unit: bool = False) -> Environment:
    """Return the environment in a folder; "" is this process's own.

    Args:
        prefix: the folder.
        unit: whether it is for a unit with checked exercises, which needs more.

    Raises:
        Lacking: there is none, or it lacks what a kernel needs.
    """
    if not prefix:
        return own()
    if (prefix, unit) not in _asked:
        # Only what is whole is kept: what lacks something may be mended.
        _asked[prefix, unit] = _ask(prefix, unit)
    return _asked[prefix, unit]


def _ask(prefix: str, unit: bool) -> Environment:
    python = Path(prefix, "bin", "python")
    if not python.is_file():
        raise Lacking(
            f"{prefix} is no Python environment ({python} is not there): make one with `python -m venv {prefix}`, "
            "or name another in c.SandboxedExecute.environments"
        )
    call = [str(python), "-E", "-s", "-B", "-c", ASK, "ipykernel", *(FOR_UNITS if unit else ())]
    try:
        done = subprocess.run(
            call, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ASK_SECONDS, check=False
        )
        told = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise Lacking(f"{python} does not say what it is ({type(error).__name__}): does it start?") from error
    found = Environment(
        told["prefix"],
        told["base"],
        str(Path(told["prefix"], "bin", "python")),
        tuple(told["version"]),
        tuple(told["path"]),
        tuple(told["libraries"]),
        told["ipykernel"],
    )
    _need_library(found, told["library"])
    oldest = OLDEST_OF_UNITS if unit else OLDEST
    if found.version < oldest:
        need = ".".join(map(str, oldest))
        raise Lacking(f"{found} is too old: {'a unit' if unit else 'grading'} needs Python {need} or newer")
    if told["lacks"]:
        names = " ".join(told["lacks"])
        raise Lacking(f"{found} lacks {', '.join(told['lacks'])}: `{python} -m pip install {names}`")
    return found


def _need_library(python: Environment, library: str) -> None:
    """Refuse a Python that loads itself from a place that the sandbox does not show, as one whose folder was moved or
    copied: in there it would find the system's instead, and none of its packages.
    """
    shown = [os.path.realpath(place) for place in (python.prefix, python.base, "/usr", "/lib", "/lib64", "/lib32")]
    if library and not any(Path(library).is_relative_to(place) for place in shown):
        raise Lacking(
            f"{python} loads {library}, which lies outside of it, where the sandbox shows nothing: was the folder "
            "moved or copied? Make it anew in its place"
        )
