"""Why a notebook was not run to its end, in words for its learner."""

from __future__ import annotations

import signal

from autograder.sandbox.connection import Run
from autograder.sandbox.inside import constants
from autograder.sandbox.limits import MB, Limits

_ENDED = {
    constants.EXIT_MEMORY: "the notebook used more than {memory} MB of memory and was stopped",
    constants.EXIT_PROCESSES: "the notebook started more than {processes} processes and was stopped",
    constants.EXIT_CPU: "the notebook used more than {cpu} seconds of CPU time and was stopped",
    constants.EXIT_TIME: "the notebook ran for more than {seconds} seconds and was stopped",
}
# No code inside can end its kernel so: process 1 of a process namespace is safe from signals of its own.
KILLED = (constants.KILLED_FROM_OUTSIDE, constants.WARM_PROCESS_GONE, -signal.SIGKILL)


class Disturbed(Exception):
    """The notebook's kernel was killed from outside the sandbox."""


class Stuck(Exception):
    """A cell did not stop when its time was up.

    Attributes:
        place: which of the notebook's cells.
    """

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


class OutOfTime(Exception):
    """The notebook has used up its time; the message says how much that is."""


def reason(run: Run, limits: Limits, error: Exception) -> str:
    """Return why a run ended before its notebook did.

    Args:
        run: the run, whose kernel may just be ending.
        limits: what it was allowed.
        error: what its user saw of it.
    """
    run.ended.wait(0.5)
    if run.code in _ENDED:
        return _ENDED[run.code].format(
            memory=limits.memory_bytes // MB,
            processes=limits.processes,
            seconds=limits.notebook_seconds,
            cpu=limits.cpu_seconds,
        )
    if isinstance(error, OutOfTime):
        return str(error)
    if isinstance(error, (Stuck, TimeoutError)):
        return "a cell did not stop when its time was up, or wrote more than can be received; the notebook was stopped"
    if run.code in KILLED:
        return "the notebook's kernel was killed from outside, as by the system when memory runs out"
    if run.ended.is_set():
        return "the notebook's kernel ended before its last cell (a crash, an exit or a kill in one of its cells)"
    return f"the notebook could not be run to its end ({type(error).__name__})"
