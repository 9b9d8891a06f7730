"""The kernel that a notebook names in its metadata, and what it means where every notebook runs in Python's.

Stock nbgrader starts whatever kernel a notebook names. Here it is the kernel of the class's Python environment, always:
another language is refused in one line, and a Python kernel of another name is told of.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager, NoSuchKernel

USUAL = ("python", "python2", "python3", NATIVE_KERNEL_NAME)
SETTING = "c.SandboxedExecute.environments"


def refused(spec: Mapping[str, Any] | None) -> str:
    """Return why a notebook that names this kernel cannot be run, as the end of a sentence; "" if it can.

    Args:
        spec: what the notebook's metadata says of its kernel.
    """
    name, language = _named(spec)
    if not name or name in USUAL:
        return ""
    found = _installed(name)
    language = language or (found.language if found else "")
    if language and language.lower() not in USUAL:
        return f"its kernel {name} is for {language}; the sandbox runs Python notebooks only"
    if not language and not str((spec or {}).get("display_name", "")).startswith("Python"):
        return (
            f"its kernel {name} is not installed here, and nothing in it says that it is Python's: choose a kernel for "
            "it in JupyterLab and release it again"
        )
    return ""


def told(spec: Mapping[str, Any] | None, assignment: str) -> str:
    """Return what an instructor should know of a Python kernel of another name, as the end of a sentence, or "".

    Args:
        spec: what the notebook's metadata says of its kernel.
        assignment: the assignment, for which the class names no environment.
    """
    name, _ = _named(spec)
    if not name or name in USUAL:
        return ""
    found = _installed(name)
    if found is None:
        return f"its kernel {name} is not installed here; it is run by the Python in {sys.prefix}"
    python = Path(found.argv[0]) if found.argv else Path()
    if not python.is_absolute() or python.parent.parent == Path(sys.prefix):
        return ""
    return (
        f"its kernel {name} is {python}; it is run by the Python in {sys.prefix}, unless the class says "
        f"{SETTING} = {{{assignment!r}: {str(python.parent.parent)!r}}}"
    )


def _named(spec: Mapping[str, Any] | None) -> tuple[str, str]:
    own = spec or {}
    return str(own.get("name") or ""), str(own.get("language") or "")


def _installed(name: str) -> Any:
    try:
        return KernelSpecManager().get_kernel_spec(name)
    except (NoSuchKernel, OSError, ValueError):
        return None
