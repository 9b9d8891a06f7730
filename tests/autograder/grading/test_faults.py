"""A fault of ours is nobody's zero: who cannot be graded through no fault of theirs has no points, and is named."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import DataError

from autograder.course import CourseError
from autograder.grading import coordinator, records, writing
from autograder.grading.faults import Unfinished
from autograder.marking import submission
from autograder.sandbox.outside.errors import SandboxError
from tests.grading.classes import UNIT, copied, gradebook, make

EVERYONE = ["s000", "s001", "s002", "s003", "s004"]
POINTS = {"s000": 1, "s001": 0, "s002": 0, "s003": 0, "s004": 1}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class before it is graded, and what its workers return."""
    root = tmp_path_factory.mktemp("faults")
    before = make(root / "before", len(EVERYONE))
    kept = {}
    original = submission.grade_task

    def remembered(kit, task):
        kept[task.student] = original(kit, task)
        return kept[task.student]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(submission, "grade_task", remembered)
        coordinator.grade(copied(before, root / "graded"), [UNIT], feedback=False, jobs=1)
    return before, kept


@pytest.fixture
def failing(graded, tmp_path, monkeypatch):
    """Return a class, and a function that has some students' grading fail with an error, so many times."""
    before, kept = graded
    tries = []

    def fail(students, error, times=99):
        def grade_task(kit, task):
            tries.append(task.student)
            if task.student in students and tries.count(task.student) <= times:
                raise error
            return kept[task.student]

        monkeypatch.setattr(submission, "grade_task", grade_task)
        return tries

    return copied(before, tmp_path / "class"), fail


def grade(room, **options):
    return coordinator.grade(room, [UNIT], feedback=False, jobs=1, **options)


def points(results):
    return {result.student: result.score for result in results}


def without(*students):
    return {student: score for student, score in POINTS.items() if student not in students}


@pytest.mark.parametrize(
    "error, told",
    [
        (TypeError("of ours"), "the grader failed (TypeError: of ours)"),
        (SandboxError("the kernel did not start"), "the sandbox failed: the kernel did not start"),
        (OSError(errno.EIO, "Input/output error"), "the grader failed (OSError: [Errno 5] Input/output error)"),
    ],
)
def test_who_cannot_be_graded_has_no_points_and_the_others_have_theirs(failing, error, told):
    room, fail = failing
    tries = fail(["s001"], error)
    with pytest.raises(Unfinished) as ended:
        grade(room)
    assert tries.count("s001") == 3
    line = str(ended.value)
    assert f"s001 {UNIT}: {told}" in line and "--skip s001" in line and "\n" not in line
    assert points(ended.value.results) == without("s001") and set(gradebook(room.db_url)) == set(without("s001"))
    sent = (room.root / ".attention" / "faults.txt").read_text(encoding="utf-8")
    assert "ipykernel" in sent and "Traceback" in sent and told in sent


def test_a_fault_that_passes_is_tried_again_and_leaves_no_trace(failing):
    room, fail = failing
    fail(["s001", "s004"], TypeError("of ours"), times=2)
    results = grade(room)
    assert points(results) == POINTS
    assert "TypeError" not in " ".join(result.outcome.reason for result in results)


def test_the_next_run_goes_on_without_who_is_skipped_or_tries_again(failing):
    room, fail = failing
    fail(["s001"], TypeError("of ours"))
    with pytest.raises(Unfinished):
        grade(room)
    told = []
    results = grade(room, skip=["s001"], tell=lambda kind, **about: told.append(about.get("text", "")))
    assert points(results) == without("s001") and not any(result.fresh for result in results)
    assert "s001: skipped, not graded now" in told and "s001" not in gradebook(room.db_url)
    fail([], TypeError("of ours"))
    assert points(grade(room)) == POINTS


def test_a_name_to_skip_that_nobody_has_is_an_error(failing):
    room, fail = failing
    with pytest.raises(CourseError, match="--skip s0001: nobody of that name handed in; did you mean s001"):
        grade(room, skip=["s0001"])


def test_when_one_after_the_other_fails_the_run_ends_before_any_points_are_written(failing):
    room, fail = failing
    tries = fail(EVERYONE, SandboxError("no more processes"))
    with pytest.raises(CourseError, match="3 submissions one after the other could not be graded"):
        grade(room)
    assert len(tries) <= 3 * 3 + len(EVERYONE) and gradebook(room.db_url) == {}


def test_a_full_disk_in_a_worker_ends_the_run_at_once(failing):
    room, fail = failing
    tries = fail(["s002"], OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(CourseError, match="no space is left"):
        grade(room)
    assert tries.count("s002") == 1 and "s002" not in gradebook(room.db_url)


def test_a_result_that_cannot_be_written_is_a_fault_like_any_other(failing, monkeypatch):
    room, fail = failing
    fail([], None)
    original = writing.Writer._keep_files

    def keep_files(self, one):
        if one.task.student == "s003":
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        original(self, one)

    monkeypatch.setattr(writing.Writer, "_keep_files", keep_files)
    with pytest.raises(Unfinished, match="s003 .*: its result could not be written") as ended:
        grade(room)
    assert points(ended.value.results) == without("s003") and set(gradebook(room.db_url)) == set(without("s003"))


def test_values_that_the_database_refuses_cost_nobody_elses_points(failing, monkeypatch):
    room, fail = failing
    fail([], None)
    original = records.Records._write

    def write(self, entry):
        if entry.student == "s000":
            raise DataError("INSERT", {}, ValueError("no such text"))
        original(self, entry)

    monkeypatch.setattr(records.Records, "_write", write)
    with pytest.raises(Unfinished, match="s000 .*DataError"):
        grade(room)
    assert set(gradebook(room.db_url)) == set(without("s000"))


def test_the_command_prints_what_is_graded_and_then_one_line(graded, tmp_path):
    before, _ = graded
    room = copied(before, tmp_path / "class")
    program = """
import sys
from autograder import cli
from autograder.marking import submission
original = submission.grade_task
def failing(kit, task):
    if task.student == "s001":
        raise TypeError("of ours")
    return original(kit, task)
submission.grade_task = failing
cli.main()
"""
    arguments = ["grade", "u0", "--course", str(room.root), "--enroll", "--jobs", "1", "--no-feedback"]
    call = [sys.executable, "-W", "ignore", "-c", program, *arguments]
    done = subprocess.run(call, capture_output=True, text=True, timeout=240, check=False, cwd=Path(__file__).parent)
    assert done.returncode == 2 and "s000" in done.stdout and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("autograder: not graded, through no fault of the submission")
