"""Runs commands in a copy of the course, each in a fork of one process that has imported what they all need.

Started as a script in the copy. Each line of its input is a command as a JSON list, and each line of its output
`[exit code, what the command printed]`. The fork starts where this process stands, so nothing of one command is left for the next;
of the course itself nothing is imported here, because the next command may have to see it changed.
"""

import gc
import importlib
import json
import os
import runpy
import sys
import tempfile

PRELOADED = "torch", "nbgrader.converters", "nbgrader.api", "nbclient", "jupytext", "rich.progress", "typer", "hypothesis", "pytest"


def perform(command):
    """Do in this process what the command would do in one of its own, and return its exit code."""
    name, *arguments = command
    try:
        if name == "autograder":
            sys.argv = command
            importlib.import_module("autograder.cli").main()
        elif name == "python":
            sys.argv = arguments
            runpy.run_path(arguments[0], run_name="__main__")
        elif name == "pytest":
            return int(importlib.import_module("pytest").main(["-p", "no:cacheprovider", *arguments]))
        else:
            raise SystemExit(f"{name}: only autograder, python and pytest are known here")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def run(command):
    """Return the exit code of a command, and what it printed."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if not child:
            code = 70
            try:
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
                code = perform(command)
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        return code, output.read().decode(errors="replace")


if __name__ == "__main__":
    for module in PRELOADED:
        importlib.import_module(module)
    # What is there by now stays; pytest, which collects several times at its end, need not look at it again and again.
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
