"""What the commands say of themselves, and of a class: help, version, nearest names, some students only, status."""

import re

import pytest
from nbgrader.api import Student
from typer.testing import CliRunner

import helpers
from autograder import cli, course
from autograder.classroom.naming import chosen_students
from autograder.course import CourseError
from autograder.grading import coordinator
from tests.grading import classes

UNIT = classes.UNIT


def said(*arguments, code=0):
    done = CliRunner().invoke(cli.app, [*map(str, arguments)], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert done.exit_code == code, done.output
    return done.output


def test_help_says_what_the_program_is_and_lists_commands_in_groups():
    text = said("--help")
    groups = ["For learners", "A class", "Grading", "Moodle and Canvas", "For authors"]
    places = [text.index(f"─ {group} ─") for group in groups]
    assert places == sorted(places) and "Commands" not in text and "parses" not in text
    assert "Grades the notebooks of the course" in text[: places[0]]
    assert re.search(r"For learners.*\bpack\b.*A class", text, re.DOTALL)
    assert max(map(len, text.splitlines())) <= 80


def test_version():
    assert said("--version").strip() == f"autograder {helpers.__version__}"


@pytest.mark.parametrize(
    "typed", ["dot_prodcts", "u1_dotproducts", "U1", "u1-dot-products", "Dot Products", "u1_dot_product"]
)
def test_a_misspelt_unit_names_the_nearest(typed):
    with pytest.raises(CourseError, match=r"Did you mean u1_dot_products\? The units are u0_start_here, "):
        course.chosen([typed])


def test_a_unit_like_no_other_names_none():
    with pytest.raises(CourseError, match=r"there is no unit 'homework'\. The units are "):
        course.chosen(["homework"])


def test_a_misspelt_student_names_the_nearest():
    assert chosen_students(["ada", "ada"], ["ada", "ben"], "submission") == ["ada"]
    assert chosen_students([], ["ada"], "submission") is None
    with pytest.raises(CourseError, match=r"no submission by the student 'Adda'\. Did you mean 'ada'\?$"):
        chosen_students(["Adda"], ["ada", "ben"], "submission")


def test_some_students_and_the_status_of_a_class(tmp_path):
    room = classes.make(tmp_path / "class", 7)
    with room.gradebook() as gradebook:
        gradebook.db.add(Student(id="absent"))
        gradebook.db.commit()
    assert re.search(r" u0 +7 +0 +7 +0 +0 +1 *\n", said("status", "--course", room.root))

    text = said(
        "grade", "u0", "--course", room.root, "--enroll", "--student", "s001", "--student", "s003", "--no-feedback"
    )
    assert "s001" in text and "s003" in text and "s000" not in text
    text = said("status", "u0", "--course", room.root)
    assert re.search(r" u0 +7 +2 +5 +0 +0 +1 *\n", text)
    assert "to grade, with `autograder grade`:\n    s000, s002, s004, s005, s006" in text
    assert "handed in nothing:\n    absent" in text

    coordinator.grade(room, [UNIT], feedback=False)
    classes.submit(room.root, "s001", "handed in again")
    text = said("status", "--course", room.root)
    assert re.search(r" u0 +7 +5 +1 +0 +1 +1 *\n", text)
    assert "not gradable, the report says why:\n    s006" in text and "`autograder grade`:\n    s001" in text

    page = room.root / "report" / "chosen" / "report.html"
    said("report", "--course", room.root, "--student", "s000")
    grades = (page.parent / "grades.csv").read_text(encoding="utf-8-sig")
    assert page.is_file() and "s000" in grades and "s001" not in grades
    assert (room.root / "report" / "report.html").is_file()


def test_a_run_with_nothing_to_do_says_the_same_and_opens_nothing(tmp_path, monkeypatch):
    room = classes.make(tmp_path / "class", 2)
    with room.gradebook() as gradebook:
        gradebook.db.add_all([Student(id="s000"), Student(id="s001")])
        gradebook.db.commit()
    grade = ("grade", "u0", "--course", room.root, "--no-feedback")
    first = said(*grade)
    with monkeypatch.context() as patched:
        patched.setattr(coordinator, "grade", None)
        patched.setattr(type(room), "open", None)
        again = said(*grade)
    assert "s001" in first and again.endswith(first[first.index(f"{UNIT}: 2 submissions") :])
    assert "0 graded, 2 unchanged since they were graded" in again

    classes.submit(room.root, "s001", "handed in again")
    text = said(*grade, code=3)
    assert "not gradable 1" in text and said(*grade, code=3).endswith(text[text.index(f"{UNIT}: 2 submissions") :])
