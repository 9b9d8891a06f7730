"""Runs commands, each in a fork of one process that has imported what they all need of other people's packages.

`started` starts this file as a script. A line of the script's input is [folder, command] as JSON, a line of its output
[exit code, what appeared]. Nothing of one command is left for the next, and of the course itself nothing is imported
before the fork, because the next command may have to see it changed.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping

PRELOADED = (
    "nbgrader.apps",
    "nbgrader.api",
    "nbgrader.converters",
    "nbconvert.exporters",
    "nbclient",
    "jupytext",
    "matplotlib.figure",
    "rich.progress",
    "typer",
)
MAINS = {"autograder": ("autograder.cli", "main"), "nbgrader": ("nbgrader.apps.nbgraderapp", "main")}


def _perform(command: list[str]) -> int:
    """Do in this process what the command would do in one of its own, and return its exit code."""
    name, *arguments = command
    try:
        if name in MAINS:
            module, main = MAINS[name]
            sys.argv = command
            getattr(importlib.import_module(module), main)()
        elif name == "python":
            sys.argv = arguments
            runpy.run_path(arguments[0], run_name="__main__")
        elif name == "pytest":
            return int(importlib.import_module("pytest").main(["-p", "no:cacheprovider", *arguments]))
        else:
            raise SystemExit(f"{name}: only {', '.join(MAINS)}, python and pytest are known here")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _run(folder: str, command: list[str]) -> tuple[int, str]:
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if not child:
            code = 70
            try:
                os.chdir(folder)
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
                code = _perform(command)
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        return code, output.read().decode(errors="replace")


@contextlib.contextmanager
def started(
    environment: Mapping[str, str] | None = None, also: tuple[str, ...] = ()
) -> Iterator[Callable[[str, list[str]], tuple[int, str]]]:
    """Start the process; yields what runs a command in a folder.

    Args:
        environment: of the process; this one's if None.
        also: more modules to import before all forks.
    """
    # -P: the folder of this file holds packages that are named like the course's.
    process = subprocess.Popen(
        [sys.executable, "-P", __file__, *also],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    def run(folder: str, command: list[str]) -> tuple[int, str]:
        print(json.dumps([str(folder), command]), file=process.stdin, flush=True)
        code, output = json.loads(process.stdout.readline())
        return code, output

    try:
        yield run
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=30)


if __name__ == "__main__":
    for name in (*PRELOADED, *sys.argv[1:]):
        importlib.import_module(name)
    # What is there by now stays; pytest, which collects several times at its end, need not look at it again and again.
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(_run(*json.loads(line))), flush=True)
