"""Killed at any write and started again, a class ends as if nothing had happened; what was done is not done again."""

import os
import shutil

import pytest
from sqlalchemy.orm import Session

from autograder.classroom.classroom import Classroom
from autograder.grading import coordinator, pools, writing
from autograder.marking import submission

from .classes import UNIT, copied, make, state

STUDENTS = 5
# Every so manyth write; ATTENTION_THOROUGH=1 tries each.
STRIDE = 1 if os.environ.get("ATTENTION_THOROUGH") else 4


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A class before grading, its state afterwards, and every result of its workers by student."""
    root = tmp_path_factory.mktemp("undisturbed")
    before = make(root / "before", STUDENTS)
    room = copied(before, root / "graded")
    kept = {}
    original = submission.grade_task

    def remembered(kit, task):
        kept[task.student] = original(kit, task)
        return kept[task.student]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(submission, "grade_task", remembered)
        coordinator.grade(room, [UNIT], jobs=1)
    assert len(kept) == STUDENTS
    return before, state(room), kept


def writes(monkeypatch, at_each):
    """Have `at_each` called before every step that writes."""
    for owner, name in (
        (os, "fsync"),
        (os, "replace"),
        (os, "rename"),
        (shutil, "rmtree"),
        (Session, "commit"),
        (Session, "flush"),
    ):
        original = getattr(owner, name)

        def step(*arguments, _original=original, _name=name, **named):
            at_each(_name)
            return _original(*arguments, **named)

        monkeypatch.setattr(owner, name, step)


def run(room, kept, asked):
    def recalled(kit, task):
        asked.append(task.student)
        return kept[task.student]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(submission, "grade_task", recalled)
        # Nothing is executed, so there is no need of a warm process.
        patched.setattr(pools.Inline, "share", lambda self, kit: kit)
        patched.setattr(writing, "BATCH", 2)
        coordinator.grade(room, [UNIT], jobs=1)


def count_of_writes(before, kept, tmp_path):
    steps = []
    with pytest.MonkeyPatch.context() as patched:
        writes(patched, steps.append)
        run(copied(before, tmp_path / "counted"), kept, [])
    return len(steps)


def test_killed_before_any_write_and_started_again(undisturbed, tmp_path):
    before, expected, kept = undisturbed
    total = count_of_writes(before, kept, tmp_path)
    assert total > 30
    for stop in range(0, total, STRIDE):
        room = copied(before, tmp_path / f"killed{stop}")
        child = os.fork()
        if child == 0:
            left = [stop]

            def die_at(name, left=left):
                if left[0] == 0:
                    os._exit(9)
                left[0] -= 1

            try:
                with pytest.MonkeyPatch.context() as patched:
                    writes(patched, die_at)
                    run(room, kept, [])
            finally:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9, stop
        done = {
            student
            for student, row in state(room)["gradebook"].items()
            if all(score is not None for _, score, *_ in row["grades"])
        }
        asked = []
        run(Classroom.open(room.root), kept, asked)
        assert state(room) == expected, f"after a kill at write {stop}"
        assert not done & set(asked), f"after a kill at write {stop}, {done & set(asked)} were graded again"
        shutil.rmtree(room.root)


def test_a_second_run_grades_nothing_and_changes_nothing(undisturbed, tmp_path):
    before, expected, kept = undisturbed
    room = copied(before, tmp_path / "twice")
    run(room, kept, [])
    asked = []
    run(Classroom.open(room.root), kept, asked)
    assert asked == [] and state(room) == expected


def test_only_a_resubmission_is_graded_again(undisturbed, tmp_path):
    before, _, kept = undisturbed
    room = copied(before, tmp_path / "resubmitted")
    run(room, kept, [])
    (room.root / "submitted" / "s002" / UNIT / "data.txt").write_text("another file", encoding="utf-8")
    asked = []
    run(room, kept, asked)
    assert asked == ["s002"]


def test_regrade_grades_everyone_again(undisturbed, tmp_path):
    before, expected, kept = undisturbed
    room = copied(before, tmp_path / "regraded")
    run(room, kept, [])
    asked = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(submission, "grade_task", lambda kit, task: asked.append(task.student) or kept[task.student])
        patched.setattr(pools.Inline, "share", lambda self, kit: kit)
        coordinator.grade(room, [UNIT], jobs=1, regrade=True)
    assert len(asked) == STUDENTS and state(room) == expected


def test_a_changed_setting_or_release_grades_the_unit_again(undisturbed, tmp_path):
    before, _, kept = undisturbed
    room = copied(before, tmp_path / "changed")
    run(room, kept, [])
    with open(room.root / "nbgrader_config.py", "a", encoding="utf-8") as file:
        file.write("\nc.SandboxedExecute.notebook_seconds = 99\n")
    asked = []
    run(Classroom.open(room.root), kept, asked)
    assert len(asked) == STUDENTS


def test_a_removed_graded_notebook_is_made_again(undisturbed, tmp_path):
    before, expected, kept = undisturbed
    room = copied(before, tmp_path / "removed")
    run(room, kept, [])
    shutil.rmtree(room.root / "autograded" / "s001")
    asked = []
    run(room, kept, asked)
    assert asked == ["s001"] and state(room) == expected
