"""A kernel is tried before a class is graded: the quick start, then ipykernel's own, then one line and no points."""

import shutil

import pytest

from autograder.course import CourseError
from autograder.grading import coordinator
from autograder.sandbox import probe
from autograder.sandbox.outside import bubblewrap, library, warm_process
from autograder.sandbox.outside.errors import SandboxError
from tests.grading.classes import UNIT, gradebook, make

# A method that is private to ipykernel and that only the quick start calls, as if a release had renamed it.
QUICK_ALONE = """
from ipykernel import iostream
iostream.IOPubThread.__init__ = lambda self, socket, pipe=False, _own=iostream.IOPubThread.__init__, **named: (
    _own(self, socket, pipe, **named) if pipe else 1 / 0
)
"""
# One without which ipykernel itself does not start.
BOTH = """
from ipykernel.kernelapp import IPKernelApp
del IPKernelApp._bind_socket
"""


@pytest.fixture
def taken_away(tmp_path, monkeypatch):
    """Return a function that starts sandboxes in which some lines are run before all else."""

    def take(lines):
        inside = tmp_path / "changed" / bubblewrap.INSIDE.name
        shutil.copytree(bubblewrap.INSIDE, inside, ignore=shutil.ignore_patterns("__pycache__"))
        with open(inside / "preparation.py", "a", encoding="utf-8") as file:
            file.write(lines)
        monkeypatch.setattr(bubblewrap, "INSIDE", inside)
        monkeypatch.setattr(warm_process, "INSIDE", inside)

    return take


def test_the_quick_start_needs_no_word():
    warm = probe.start(UNIT)
    try:
        assert warm.note == ""
    finally:
        warm.close()


def test_without_a_private_method_a_class_is_graded_by_ipykernels_own_start_and_it_is_said(taken_away, tmp_path):
    room = make(tmp_path / "class", 3)
    taken_away(QUICK_ALONE)
    told = []
    results = coordinator.grade(
        room, [UNIT], feedback=False, jobs=1, tell=lambda kind, **about: told.append(about.get("text", ""))
    )
    assert [result.score for result in results] == [1, 0, 0]
    assert {result.outcome.state for result in results} == {"graded"}
    note = [text for text in told if "ipykernel's own start is used" in text]
    assert len(note) == 1 and "tried with 7.2 to 7.4" in note[0] and "ZeroDivisionError" in note[0]


def test_worker_processes_use_the_start_that_works(taken_away, tmp_path):
    room = make(tmp_path / "class", 3)
    taken_away(QUICK_ALONE)
    assert [result.score for result in coordinator.grade(room, [UNIT], feedback=False, jobs=2)] == [1, 0, 0]


def test_where_no_kernel_starts_one_line_says_so_before_any_points(taken_away, tmp_path):
    room = make(tmp_path / "class", 3)
    taken_away(BOTH)
    with pytest.raises(CourseError) as ended:
        coordinator.grade(room, [UNIT], feedback=False, jobs=1)
    line = str(ended.value)
    assert "no kernel runs here with ipykernel" in line and "nobody gets 0" in line and "\n" not in line
    assert gradebook(room.db_url) == {} and not any((room.root / "autograded").rglob("*"))


def test_a_module_of_ours_that_is_missing_where_notebooks_run_is_nobodys_zero(monkeypatch, tmp_path):
    room = make(tmp_path / "class", 3)
    parts = tuple(part for part in library.OPEN_PARTS if part != "language.py")
    monkeypatch.setattr(library, "OPEN_PARTS", parts)
    with pytest.raises(CourseError) as ended:
        coordinator.grade(room, [UNIT], feedback=False, jobs=1)
    line = str(ended.value)
    assert "the course's own package cannot be imported where notebooks are graded: cannot import name" in line
    assert "nobody gets 0" in line and "\n" not in line
    assert gradebook(room.db_url) == {} and not any((room.root / "autograded").rglob("*"))


def test_a_sandbox_that_cannot_be_had_is_not_tried_twice(monkeypatch):
    tries = []

    def of(unit, sealed, quick, environment):
        tries.append(quick)
        raise SandboxError("bubblewrap is not installed")

    monkeypatch.setattr(warm_process.WarmProcess, "of", of)
    with pytest.raises(SandboxError, match="bubblewrap is not installed"):
        probe.start(UNIT)
    assert tries == [True]
