"""Runs `autograder` and `nbgrader` commands, each in a fork of one process that has imported what they need of other people's packages.

Started as a script. A line of its input is [folder, command] as JSON, a line of its output [exit code, what appeared]. Of the
course itself nothing is imported before the fork, because the next command may have to see it changed.
"""

import contextlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

PRELOADED = "nbgrader.apps", "nbgrader.api", "nbconvert.exporters", "nbclient", "jupytext", "matplotlib.figure", "rich.progress", "typer"
MAINS = {"autograder": ("autograder.cli", "main"), "nbgrader": ("nbgrader.apps.nbgraderapp", "main")}


def _perform(command: list[str]) -> int:
    module, main = MAINS[command[0]]
    sys.argv = command
    try:
        getattr(importlib.import_module(module), main)()
    except SystemExit as end:
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
def warm() -> Iterator[Callable[[str, list[str]], tuple[int, str]]]:
    """Start the process, with this one's environment; yields what runs a command in a folder."""
    process = subprocess.Popen([sys.executable, "-P", __file__], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(folder: str, command: list[str]) -> tuple[int, str]:
        print(json.dumps([folder, command]), file=process.stdin, flush=True)
        code, output = json.loads(process.stdout.readline())
        return code, output

    try:
        yield run
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


if __name__ == "__main__":
    for name in PRELOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(_run(*json.loads(line))), flush=True)
