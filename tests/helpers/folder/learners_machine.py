"""Runs a command as on a learner's machine, which has nothing that only grading brings."""

import subprocess
import sys

MISSING = "fcntl resource jupytext nbgrader nbclient jupyter_client bubblewrap torch".split()


def run(program, *words, cwd, also_missing=()):
    """Run a command line where some modules are not installed.

    Args:
        program: the package that has `main`, as "helpers.cli".
        words: the command with its name in front.
        cwd: where.
        also_missing: further modules that are not there.
    """
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({[*MISSING, *also_missing]})); from {program} import main; "
        f"sys.argv = {list(map(str, words))!r}; main()"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=cwd)
