"""What both sides of the sandbox must know: places, exit codes, and what a request says."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TypedDict

POOL = Path(os.environ.get("ATTENTION_POOL", "/pool"))
SCRATCH = "/scratch"
# Beside a run's files: which of those that the notebook wrote were too large to be brought back, and so many of them.
LEFT_OUT, MOST_NAMED = "left_out.json", 10
NOBODY = 65534
# How a keeper says that its kernel ended.
EXIT_MEMORY, EXIT_PROCESSES, EXIT_TIME, EXIT_SETUP, EXIT_CPU = 81, 82, 83, 84, 85
KILLED_FROM_OUTSIDE, WARM_PROCESS_GONE = 100 + signal.SIGKILL, -1

# The releases of ipykernel that the quick start of kernels was tried with; it rests on parts private to them.
TRIED = "7.2 to 7.4"

# Seconds, bytes and counts by name, as `autograder.sandbox.limits` gives them.
Limits = dict[str, int]


class Told(TypedDict):
    """What the owner tells the warm process of the notebooks to come: modules to import, and whether their figures are
    to be shown.
    """

    modules: list[str]
    pictures: bool


class Request(TypedDict):
    """What a user asks for: to start, interrupt or kill the kernel of a run; all but the first two come with a start.

    `user` is the number of a user for this run alone, 0 where there is none; `shared` is whether its control groups
    share out the processors.
    """

    do: str
    run: str
    limits: Limits
    sealed: bool
    user: int
    shared: bool
