"""More time for one student: before and after the work is there, by every way of grading; and deleting a student."""

import shutil
import sqlite3

import pytest
from nbgrader.api import Gradebook

from autograder.authoring import releasing
from autograder.classroom import classroom, extending, forgetting, times
from autograder.course import CourseError
from autograder.grading.entries import Entry, Part
from autograder.grading.records import Records
from autograder.marking.outcomes import Outcome, outcome_path, write_outcome
from autograder.marking.scoring import Score

UNIT = "u1_dot_products"
DUE, LATE = "2026-10-01 12:00:00 UTC", "2026-10-02 12:00:00"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    room = releasing.init(tmp_path_factory.mktemp("extending") / "class", [UNIT], duedate=DUE)
    with room.gradebook() as gradebook:
        for student in ("ada", "ben"):
            gradebook.update_or_create_student(student, first_name=student.title())
    return room


@pytest.fixture
def room(made, tmp_path):
    """A class of one's own, with two students who have handed in nothing."""
    return classroom.Classroom.open(shutil.copytree(made.root, tmp_path / "class"))


def graded(room, student, points=2.0):
    """Write down two points for work that came a day late, as the coordinator does; return the penalty's record."""
    room.config.LateSubmissionPlugin.penalty_method = "zero"
    with room.gradebook() as gradebook:
        records = Records(gradebook, UNIT, room.config)
        time = times.read_time(LATE)
        records.write([Entry(student, "f", {UNIT: Part([Score("test_project", points)], {})}, time)])
        return records.known()[student]


def penalty(room, student):
    with room.gradebook() as gradebook:
        (notebook,) = gradebook.find_submission(UNIT, student).notebooks
        return notebook.late_submission_penalty


def test_an_extension_given_before_the_work_came_holds(room):
    assert not extending.extend(room, UNIT, "ada", until="2026-10-03 14:00 Europe/Berlin").handed_in
    for student in ("ada", "ben"):
        graded(room, student)
    assert penalty(room, "ada") is None and penalty(room, "ben") == 2


def test_nbgraders_own_way_of_making_a_submission_finds_it_too(room):
    extending.extend(room, UNIT, "ada", hours=48)
    with Gradebook(room.db_url) as gradebook:
        gradebook.update_or_create_submission(UNIT, "ada", timestamp=LATE)
        assert gradebook.find_submission(UNIT, "ada").total_seconds_late == 0


def test_penalties_follow_an_extension_its_end_and_points_by_hand(room):
    graded(room, "ada")

    def again():
        with room.gradebook() as gradebook:
            records = Records(gradebook, UNIT, room.config)
            changed = records.known()["ada"].late_changed
            records.penalise_again(["ada"] if changed else [])
        return changed, penalty(room, "ada")

    assert again() == (False, 2)
    assert extending.extend(room, UNIT, "ada", hours=24).handed_in
    assert again() == (True, None) and again() == (False, None)
    assert not extending.extend(room, UNIT, "ada", hours=0).extended
    assert again() == (True, 2)
    with room.gradebook() as gradebook:
        gradebook.find_grade("why_two_projections", UNIT, UNIT, "ada").manual_score = 3
        gradebook.db.commit()
    assert again() == (True, 5) and again() == (False, 5)


@pytest.mark.parametrize(
    ("told", "until"),
    [
        ("2026-10-08 14:00 Europe/Berlin", "2026-10-08 12:00"),
        ("2026-10-08 14:00 +0200", "2026-10-08 12:00"),
        ("2026-10-08T12:00Z", "2026-10-08 12:00"),
        ("2026-10-08 12:00", "2026-10-08 12:00"),
        ("8 October 2026 2:00 PM", "2026-10-08 14:00"),
    ],
)
def test_times_are_read_with_their_zone(told, until):
    assert f"{times.read_time(told):%Y-%m-%d %H:%M}" == until


@pytest.mark.parametrize(
    ("student", "options", "told"),
    [
        ("zoe", {"hours": 1}, "zoe is no student"),
        ("ada", {}, "--until DATE or --hours"),
        ("ada", {"until": "soon"}, "soon is no time"),
        ("ada", {"until": "2026-10-08 12:00 XYZ"}, "is no time"),
        ("ada", {"hours": float("nan")}, "nan is no time"),
        ("ada", {"until": "2026-09-01 12:00 UTC"}, "before the class's own due date, 2026-10-01 12:00"),
    ],
)
def test_what_makes_no_sense_is_said_and_changes_nothing(room, student, options, told):
    with pytest.raises(CourseError, match=told):
        extending.extend(room, UNIT, student, **options)
    graded(room, "ada")
    assert penalty(room, "ada") == 2


def test_a_unit_without_due_date_has_none_to_extend(room):
    with room.gradebook() as gradebook:
        gradebook.update_or_create_assignment(UNIT, duedate=None)
    with pytest.raises(CourseError, match="no due date"):
        extending.extend(room, UNIT, "ada", hours=1)


def test_a_student_is_deleted_whole_and_no_other(room):
    for student in ("ada", "ben"):
        extending.extend(room, UNIT, student, hours=1)
        graded(room, student)
        write_outcome(room.root, Outcome(student, UNIT))
        (room.root / "submitted" / student / UNIT).mkdir(parents=True)
    (room.root / "canvas.csv").write_text("Ada")
    done = forgetting.forget(room, "ada")
    assert [path.name for path in done.folders] == ["ada"] and [path.name for path in done.look_at] == ["canvas.csv"]
    assert not (room.root / "submitted" / "ada").exists() and not outcome_path(room.root, UNIT, "ada").exists()
    data = (room.root / "gradebook.db").read_bytes()
    assert b"Ada" not in data and b"Ben" in data
    with sqlite3.connect(room.root / "gradebook.db") as database:
        for table in ("attention_graded", "attention_extensions", "submitted_assignment"):
            column = "student_id" if table.startswith("sub") else "student"
            assert database.execute(f"select {column} from {table}").fetchall() == [("ben",)]
    database.close()
    assert (room.root / "submitted" / "ben").is_dir() and outcome_path(room.root, UNIT, "ben").is_file()


@pytest.mark.parametrize("name", ["", "..", ".attention", "ben/u1_dot_products", "zoe"])
def test_only_students_can_be_deleted(room, name):
    with pytest.raises(CourseError, match="no student"):
        forgetting.forget(room, name)
