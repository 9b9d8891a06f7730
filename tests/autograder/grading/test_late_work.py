"""The class's rules for late work in its gradebook: free days over several assignments, and what a student is told."""

import shutil

import pytest

from autograder.authoring import releasing
from autograder.classroom import assignments, extending
from autograder.classroom.classroom import CONFIG, Classroom
from autograder.classroom.times import read_time
from autograder.grading.entries import Entry, Part
from autograder.grading.records import Records
from autograder.marking.scoring import Score
from tests.autograder.grading import plain

DUE = {"hw1": "2026-10-01 12:00:00 UTC", "hw2": "2026-11-01 12:00:00 UTC"}
RULES = "c.LateRules.share_per_day = 0.1\nc.LateRules.free_days = 2\n"


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A class with two assignments and rules for late work."""
    made = plain.make(tmp_path_factory.mktemp("late") / "class")
    shutil.copytree(made.root / "source" / "hw1", made.root / "source" / "hw2")
    releasing.release(made, "hw2")
    with open(made.root / CONFIG, "a", encoding="utf-8") as file:
        file.write(RULES)
    with made.gradebook() as book:
        for name, due in DUE.items():
            book.update_or_create_assignment(name, duedate=due)
    return Classroom.open(made.root)


def marks(room, name):
    with room.gradebook() as book:
        return {student: known.mark for student, known in Records(book, name, room.config).known().items()}


def test_free_days_are_spent_over_the_term_and_told(room):
    assert assignments.by_due(room, ["hw2", "hw1"]) == ["hw1", "hw2"]
    # Three points of the first notebook and two of the second, a day and a half late, then two days.
    parts = {"part1": Part([Score("check", 3.0)], {}), "part2": Part([Score("check", 2.0)], {})}
    for name, time in (("hw1", "2026-10-02 20:00:00"), ("hw2", "2026-11-03 12:00:00")):
        with room.gradebook() as book:
            Records(book, name, room.config).write([Entry("ada", "f", parts, read_time(time))])
    first, second = marks(room, "hw1")["ada"], marks(room, "hw2")["ada"]
    assert (first.score, first.late_told) == (5.0, "2 free late days spent, 0 left")
    assert (second.score, second.late_told) == (pytest.approx(4.0), "20 % taken off")
    with room.gradebook() as book:
        grades = Records(book, "hw2", room.config).grades()["ada"]
    assert {name: one.late_told for name, one in grades.items()} == dict.fromkeys(("part1", "part2"), "20 % taken off")

    # More time for the first gives its days back to the second.
    extending.extend(room, "hw1", "ada", hours=48)
    with room.gradebook() as book:
        records = Records(book, "hw2", room.config)
        assert records.known()["ada"].late_changed
        records.penalise_again(["ada"])
    again = marks(room, "hw2")["ada"]
    assert (again.score, again.late_told) == (5.0, "2 free late days spent, 0 left")
