"""Starts a unit's warm process and tries one kernel of it, before any submission is given to it.

What the quick start skips of ipykernel's is private to it. So where a kernel of the quick start does not run three
small cells, ipykernel's own start is tried; where that fails too, no submission is to blame and none is graded.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from typing import Any

from .connection import Sandbox
from .inside.constants import TRIED
from .kernels import Conversation, KernelGone, SandboxKernelManager
from .limits import Limits
from .outside import environments, packages
from .outside.environments import Lacking
from .outside.errors import SandboxError
from .outside.warm_process import WarmProcess

CELL_SECONDS = 30
WAITS = "import asyncio\nawait asyncio.sleep(0)\nprint('ready')"
FAILS = "raise ValueError('seen')"
# What every notebook of the course begins with. Were a module of ours missing in there, each would get 0 for it.
IMPORTS = "from helpers import check, hint, progress, speak"
# The oldest Python that the quick start was tried with.
QUICK_FROM = (3, 11)
# Which of some modules are not to be had in the kernel.
LOOK = """
import importlib.util, json
missing = []
for name in {names!r}:
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        found = None
    if found is None:
        missing.append(name)
print(json.dumps(missing))
"""


class CourseBroken(SandboxError):
    """A kernel runs, and `helpers` cannot be imported in it."""


def start(unit: str | None, sealed: bool = True, environment: str = "", imports: Sequence[str] = ()) -> WarmProcess:
    """Return a warm process of which a kernel has run; its `note` says so if it is not the quick one.

    Args:
        unit: the unit; None for a notebook that is of no unit.
        sealed: in a sandbox.
        environment: the folder of the Python environment, "" for this process's.
        imports: modules that the notebooks import. What is missing is told in `note`.

    Raises:
        Lacking: a named environment is none, or lacks something that a kernel or the notebooks need.
        SandboxError: no kernel runs here, or there is no sandbox.
    """
    python = environments.of(environment, unit is not None)
    problems = []
    if python.version < QUICK_FROM:
        problems.append(f"with Python {'.'.join(map(str, QUICK_FROM))} and newer")
    for quick in (False,) if problems else (True, False):
        warm = WarmProcess.of(unit, sealed, quick, environment)
        try:
            missing = _try(warm, unit, sealed, environment, imports)
            _need(missing, environment)
        except (Lacking, CourseBroken):
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
                    f"ipykernel {_version(environment)} does not fit the quick start of kernels, which was tried with "
                    f"{TRIED} ({problems[0]}); ipykernel's own start is used, about a second slower for each notebook"
                )
            if missing:
                told = [f"{name}{packages.where(name)}" for name in missing]
                warm.note += ("; " if warm.note else "") + f"the notebooks import what is not there: {'; '.join(told)}"
            return warm
    pip = f"{python.executable} -m pip" if environment else "pip"
    raise SandboxError(
        f"no kernel runs here with ipykernel {_version(environment)}{f' of {environment}' if environment else ''} (it "
        f"was tried with {TRIED}): {problems[-1]}. Nothing is graded and nobody gets 0: install a release that was "
        f"tried, `{pip} install 'ipykernel>=7.2,<7.5'`, and see `autograder doctor`"
    )


def _need(missing: Sequence[str], environment: str) -> None:
    if missing and environment:
        raise Lacking(
            f"{environments.of(environment)} lacks {', '.join(missing)}, which the notebooks import"
            f"{packages.where(' '.join(missing), environment)}"
        )


def need_modules(sandbox: Sandbox, environment: str, imports: Sequence[str]) -> None:
    """Look whether modules are there for the kernels of a sandbox, which may have been started for other notebooks.

    Raises:
        Lacking: the named environment lacks one.
        SandboxError: no kernel runs.
    """
    if imports:
        _need(json.loads(look(sandbox, LOOK.format(names=[*imports]))), environment)


def _version(environment: str) -> str:
    return environments.of(environment).ipykernel if environment else metadata.version("ipykernel")


def _try(warm: WarmProcess, unit: str | None, sealed: bool, environment: str, imports: Sequence[str]) -> list[str]:
    """Run three things that every notebook does in a kernel, to wait, to write and to fail, and return which of the
    modules are missing.
    """
    with (
        contextlib.closing(Sandbox(warm.folder, sealed, environment=environment)) as sandbox,
        _asking(sandbox) as ask,
    ):
        for cell, kind, part, expected in (
            (WAITS, "stream", "text", "ready\n"),
            (FAILS, "error", "evalue", "seen"),
        ):
            seen = ask(cell, kind, part)
            if seen != [expected]:
                raise SandboxError(f"a kernel ran {cell!r} and told {seen} instead of {[expected]}")
        told = ask(IMPORTS, "error", "evalue") if unit is not None else []
        if told and environment:
            raise Lacking(f"the course's own package cannot be imported by {environments.of(environment)}: {told[0]}")
        if told:
            raise CourseBroken(
                f"the course's own package cannot be imported where notebooks are graded: {told[0]}. Nothing is graded "
                "and nobody gets 0: install the course again, `pip install -e '.[grading]'` in its folder"
            )
        if not imports:
            return []
        missing: list[str] = json.loads("".join(ask(LOOK.format(names=[*imports]), "stream", "text")))
        return missing


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
