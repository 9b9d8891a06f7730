"""Whether a machine may grade: it has the coordinator's version of the course, and a sandbox."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import autograder
from autograder.sandbox.outside.bubblewrap import need
from autograder.sandbox.outside.errors import SandboxError
from helpers import sources


class Unfit(Exception):
    """A worker may not grade: it has another version of the course, or no sandbox.

    Attributes:
        worker: the address of a cluster's worker, or "".
    """

    def __init__(self, reason: str, worker: str = "") -> None:
        super().__init__(reason, worker)
        self.worker = worker

    def __str__(self) -> str:
        return f"{self.worker}: {self.args[0]}" if self.worker else self.args[0]


@functools.cache
def version() -> str:
    """Return a fingerprint of the course's code: grades of two machines agree when theirs do."""
    return code_of(*sources.installed().values(), Path(autograder.__file__).parent)


def code_of(*packages: Path) -> str:
    """Return a fingerprint of the code in some folders."""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted(package.rglob("*.py")):
            digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def fitness(expected: str, unsafe: bool) -> str:
    """Return why this machine may not grade, or ""."""
    if version() != expected:
        return (
            f"it has another version of the course ({version()}, the coordinator has {expected}): "
            "install the same one there"
        )
    if not unsafe:
        try:
            need()
        except SandboxError as error:
            return str(error)
    return ""
