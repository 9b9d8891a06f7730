"""Starts a unit's warm process and tries one kernel of it, before any submission is given to it.

What the quick start skips of ipykernel's is private to it. So where a kernel of the quick start does not run three
small cells, ipykernel's own start is tried; where that fails too, no submission is to blame and none is graded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any

from .connection import Sandbox
from .inside.constants import TRIED
from .kernels import Conversation, KernelGone, SandboxKernelManager
from .limits import Limits
from .outside.errors import SandboxError
from .outside.warm_process import WarmProcess

CELL_SECONDS = 30
WAITS = "import asyncio\nawait asyncio.sleep(0)\nprint('ready')"
FAILS = "raise ValueError('seen')"
# What every notebook of the course begins with. Were a module of ours missing in there, each would get 0 for it.
IMPORTS = "from helpers import check, hint, progress, speak"


class CourseBroken(SandboxError):
    """A kernel runs, and `helpers` cannot be imported in it."""


def start(unit: str | None, sealed: bool = True) -> WarmProcess:
    """Return a warm process of which a kernel has run; its `note` says so if it is not the quick one.

    Raises:
        SandboxError: no kernel runs here, or there is no sandbox.
    """
    problems = []
    for quick in (True, False):
        warm = WarmProcess.of(unit, sealed, quick)
        try:
            _try(warm, sealed)
        except CourseBroken:
            warm.close()
            raise
        except (SandboxError, KernelGone, TimeoutError) as error:
            problems.append(str(error) or "a cell did not end")
            warm.close()
        except BaseException:
            warm.close()
            raise
        else:
            if not quick:
                warm.note = (
                    f"ipykernel {_version()} does not fit the quick start of kernels, which was tried with {TRIED} "
                    f"({problems[0]}); ipykernel's own start is used, about a second slower for each notebook"
                )
            return warm
    raise SandboxError(
        f"no kernel runs here with ipykernel {_version()} (it was tried with {TRIED}): {problems[-1]}. "
        "Nothing is graded and nobody gets 0: install a release that was tried, `pip install 'ipykernel>=7.2,<7.5'`, "
        "and see `autograder doctor`"
    )


def _version() -> str:
    return metadata.version("ipykernel")


def _try(warm: WarmProcess, sealed: bool) -> None:
    """Run three things that every notebook does in a kernel: to wait, to write and to fail."""
    with contextlib.closing(Sandbox(warm.folder, sealed)) as sandbox, _asking(sandbox) as ask:
        for cell, kind, part, expected in (
            (WAITS, "stream", "text", "ready\n"),
            (FAILS, "error", "evalue", "seen"),
        ):
            seen = ask(cell, kind, part)
            if seen != [expected]:
                raise SandboxError(f"a kernel ran {cell!r} and told {seen} instead of {[expected]}")
        told = ask(IMPORTS, "error", "evalue")
        if told:
            raise CourseBroken(
                f"the course's own package cannot be imported where notebooks are graded: {told[0]}. Nothing is graded "
                "and nobody gets 0: install the course again, `pip install -e '.[grading]'` in its folder"
            )


def look(sandbox: Sandbox, cell: str) -> str:
    """Return what a cell writes in a new kernel.

    Raises:
        SandboxError: it does not come to its end, or there is no kernel.
    """
    try:
        with _asking(sandbox) as ask:
            return "".join(ask(cell, "stream", "text"))
    except (KernelGone, TimeoutError) as error:
        raise SandboxError(str(error) or "a cell did not end") from error


@contextlib.contextmanager
def _asking(sandbox: Sandbox) -> Iterator[Callable[[str, str, str], list[Any]]]:
    """Start a kernel; what it gives runs a cell and returns a part of each message of a kind."""
    run, judge = sandbox.new_run()
    judge.close()
    try:
        manager = SandboxKernelManager(sandbox=sandbox, run=run, limits=Limits().limits(), kernel_name="python3")
        manager.start_kernel()
        conversation = Conversation(manager)
    except BaseException:
        sandbox.forget(run)
        raise

    def ask(cell: str, kind: str, part: str) -> list[Any]:
        told: list[dict[str, Any]] = []
        reply = conversation.run_cell(cell, CELL_SECONDS, 5, told.append, lambda: sandbox.tell(run, "interrupt"))
        return [message["content"].get(part) for message in told if message["msg_type"] == kind] if reply else []

    try:
        yield ask
    finally:
        conversation.close()
        sandbox.tell(run, "kill")
        run.ended.wait(10)
        sandbox.forget(run)
