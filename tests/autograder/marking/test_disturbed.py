"""A kernel that somebody outside kills is no fault of the learner's: the notebook is tried again, and nothing of the
first try stays.
"""

import os
import signal

import nbformat
import pytest

from autograder.authoring import releasing, sample
from autograder.grading import coordinator
from autograder.sandbox.kernels import Conversation

UNIT = "u0_start_here"


@pytest.fixture
def room(tmp_path):
    made = releasing.init(tmp_path / "class", [UNIT])
    folder = made.root / "submitted" / "ann" / UNIT
    folder.mkdir(parents=True)
    nbformat.write(sample.answered(UNIT), folder / f"{UNIT}.ipynb")
    return made


def killing(monkeypatch, times):
    """Kill the kernel from outside before the test cell of so many tries."""
    left = [times]
    original = Conversation.run_cell

    def run_cell(self, source, *arguments):
        if source.startswith("check(hello_attention)") and left[0]:
            left[0] -= 1
            os.kill(next(int(pid) for pid in os.listdir("/proc") if pid.isdigit() and _is_kernel(pid)), signal.SIGKILL)
        return original(self, source, *arguments)

    monkeypatch.setattr(Conversation, "run_cell", run_cell)


def _is_kernel(pid):
    """Whether this is the kernel of the one notebook being graded below this process: the innermost of the sandbox's
    processes.
    """
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            inside = "\0-m\0inside\0" in file.read()
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
        return inside and not children and _below_us(int(pid))
    except OSError:
        return False


def _below_us(pid):
    while pid > 1:
        if pid == os.getpid():
            return True
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            pid = int(file.read().rpartition(")")[2].split()[1])
    return False


def test_killed_once_it_is_graded_as_if_nothing_had_happened(room, monkeypatch):
    killing(monkeypatch, 1)
    result = coordinator.grade(room, [UNIT], feedback=False, jobs=1)[0]
    assert (result.score, result.outcome.state, result.outcome.reason) == (1, "graded", "")


def test_killed_every_time_it_ends_with_the_reason(room, monkeypatch):
    killing(monkeypatch, 99)
    result = coordinator.grade(room, [UNIT], feedback=False, jobs=1)[0]
    assert (result.score, result.outcome.state) == (
        0,
        "graded with a note",
    ) and "killed from outside" in result.outcome.reason
