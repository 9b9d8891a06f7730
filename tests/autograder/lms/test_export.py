"""Points on their way out: Canvas's and Moodle's grade import, plain CSV and JSON, by our command and by nbgrader's.

The expected files in `samples/` follow what the two systems document and do. Canvas: the header and the second row that
its own export writes and its import looks for ("Student", "ID", ..., "Section", then assignments as "title (number)"; "
Points Possible"), two decimals, no separator of thousands, commas or semicolons between columns. Moodle: one column to
know the user by, one for each item, "-" for no grade, numbers as the language of the site writes them.
"""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from traitlets.config import Config

from autograder.classroom.classroom import CONFIG, Classroom
from autograder.course import CourseError
from autograder.lms import exporting
from autograder.lms.spreadsheets import as_text

SAMPLES = Path(__file__).with_name("samples")
CALC = "=cmd|' /C calc'!A0"
CONFIGURATION = """
c = get_config()
c.CanvasExport.columns = {"u1_dot_products": "Dot products (4711)"}
c.MoodleExport.columns = {"u1_dot_products": "Assignment: Dot products (Real)"}
"""


def hand_in(gradebook, unit, student, points, waiting=0, penalty=0.0):
    gradebook.update_or_create_submission(
        unit, student, timestamp=datetime(2026, 10, 1, 9, 30, tzinfo=UTC).replace(tzinfo=None)
    )
    (notebook,) = gradebook.find_submission(unit, student).notebooks
    notebook.late_submission_penalty = penalty
    for grade in notebook.grades:
        if grade.cell.cell_type == "code":
            grade.auto_score = points
        grade.needs_manual_grade = bool(waiting) and grade.cell.cell_type == "markdown"
    gradebook.db.commit()


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A class of three with two units handed in, by hand: one late, one with an ungraded answer, one who submitted only
    half.
    """
    root = tmp_path_factory.mktemp("export") / "class"
    root.mkdir()
    (root / CONFIG).write_text(CONFIGURATION, encoding="utf-8")
    environment = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", environment)
        room = Classroom.open(root)
        with Gradebook(room.db_url) as gradebook:
            people = [
                ("ada", "Ada", "Lovelace", "101"),
                ("bela", "Béla", "Bartók", "102"),
                ("chen", "Chen", CALC, "103"),
            ]
            for student, first, last, number in people:
                gradebook.add_student(
                    student, first_name=first, last_name=last, email=f"{student}@example.org", lms_user_id=number
                )
            for unit, code, written in (
                ("u1_dot_products", 17, 3),
                ("u2_softmax_scaling", 20, 2),
                ("u3_nobody", 10, 1),
            ):
                gradebook.add_assignment(unit)
                gradebook.add_notebook(unit, unit)
                gradebook.add_grade_cell("test", unit, unit, max_score=code, cell_type="code")
                gradebook.add_grade_cell("why", unit, unit, max_score=written, cell_type="markdown")
            hand_in(gradebook, "u1_dot_products", "ada", 17, waiting=1)
            hand_in(gradebook, "u1_dot_products", "bela", 11 + 1 / 3, penalty=2.0)
            hand_in(gradebook, "u2_softmax_scaling", "ada", 20.5)
            hand_in(gradebook, "u2_softmax_scaling", "chen", 11)
    return room


def written(room, tmp_path, to, **options):
    done = exporting.export(room, to, tmp_path / "out", **options)
    return done, (tmp_path / "out").read_bytes().decode("utf-8")


def sample(name):
    return (SAMPLES / name).read_text(encoding="utf-8").replace("\n", "\r\n")


def test_canvas(room, tmp_path):
    done, text = written(room, tmp_path, "canvas")
    assert text == sample("canvas.csv")
    assert done.students == 3 and done.units == 2


def test_moodle_with_decimal_comma_and_empty_for_who_handed_in_nothing(room, tmp_path):
    assert written(room, tmp_path, "moodle", decimal=",", missing="empty")[1] == sample("moodle.csv")


def test_canvas_would_take_a_decimal_comma_too(room, tmp_path):
    """Its import tells the separator from the first three lines, in which it must be found equally often."""
    lines = written(room, tmp_path, "canvas", decimal=",")[1].splitlines()
    assert {line.count(";") for line in lines} == {6} and "9,33" in lines[3]


def test_the_file_is_told_to_be_unfinished_while_written_answers_wait(room, tmp_path, monkeypatch):
    monkeypatch.setitem(room.config, "TermTotal", Config({"weights": {"u*": 1}}))
    for to in exporting.EXPORTS:
        assert any(
            "u1_dot_products: 1 submission with written answers that wait for a person" in line
            for line in written(room, tmp_path, to)[0].told
        )


def test_plain_csv_has_a_line_for_each_student_and_unit(room, tmp_path):
    rows = {
        (row["student_id"], row["unit"]): row for row in csv.DictReader(io.StringIO(written(room, tmp_path, "csv")[1]))
    }
    assert len(rows) == 6
    late, never, waiting = (
        rows["bela", "u1_dot_products"],
        rows["bela", "u2_softmax_scaling"],
        rows["ada", "u1_dot_products"],
    )
    assert (late["points"], late["raw_points"], late["late_penalty"]) == ("9.33", "11.33", "2")
    assert (never["points"], never["submitted"], never["timestamp"]) == ("0", "no", "")
    assert (waiting["to_grade_by_hand"], waiting["max_points"], waiting["timestamp"]) == (
        "yes",
        "20",
        "2026-10-01 09:30:00",
    )


def test_json_keeps_numbers_and_names_as_they_are(room, tmp_path):
    students = {one["id"]: one for one in json.loads(written(room, tmp_path, "json")[1])}
    assert students["chen"]["last_name"] == CALC
    assert students["bela"]["units"]["u1_dot_products"]["points"] == pytest.approx(9 + 1 / 3)
    assert students["bela"]["units"]["u2_softmax_scaling"]["submitted"] is False


def test_points_of_each_exercise(room, tmp_path):
    students = {one["id"]: one for one in json.loads(written(room, tmp_path, "json")[1])}
    assert students["ada"]["units"]["u2_softmax_scaling"]["exercises"] == {"test": 20.5, "why": 0}
    assert students["bela"]["units"]["u2_softmax_scaling"]["exercises"] == {}
    lines = written(room, tmp_path, "exercises", units=["u1_dot_products"])[1].splitlines()
    assert lines == [
        "student_id,last_name,first_name,unit,exercise,points,max_points,to_grade_by_hand",
        "bela,Bartók,Béla,u1_dot_products,test,11.33,17,no",
        "bela,Bartók,Béla,u1_dot_products,why,0,3,no",
        "ada,Lovelace,Ada,u1_dot_products,test,17,17,no",
        "ada,Lovelace,Ada,u1_dot_products,why,0,3,yes",
    ]


def test_plain_nbgrader_export_writes_the_same(room, tmp_path):
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    call = [
        sys.executable,
        "-m",
        "nbgrader",
        "export",
        "--exporter=autograder.lms.exporting.CanvasExport",
        "--to",
        str(tmp_path / "canvas.csv"),
    ]
    done = subprocess.run(call, cwd=room.root, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0 and "wait for a person" in done.stderr, done.stderr
    assert (tmp_path / "canvas.csv").read_bytes().decode() == sample("canvas.csv")


def test_a_submission_that_was_not_graded_is_told(room, tmp_path):
    folder = room.root / "submitted" / "bela" / "u2_softmax_scaling"
    folder.mkdir(parents=True)
    told = written(room, tmp_path, "canvas")[0].told
    assert "u2_softmax_scaling: 1 submission not graded yet (bela): run `autograder grade` first" in told


def test_only_some_units(room, tmp_path):
    assert "u2" not in written(room, tmp_path, "canvas", units=["u1_dot_products"])[1]


@pytest.mark.parametrize(
    ("identifier", "expected"), [("username", ["chen", "bela", "ada"]), ("idnumber", ["103", "102", "101"])]
)
def test_moodle_knows_students_by_what_the_class_says(room, tmp_path, monkeypatch, identifier, expected):
    monkeypatch.setitem(room.config.MoodleExport, "identifier", identifier)
    rows = list(csv.reader(io.StringIO(written(room, tmp_path, "moodle")[1])))
    assert rows[0][2] == exporting.IDENTIFIERS[identifier] and [row[2] for row in rows[1:]] == expected


def test_a_student_whom_moodle_cannot_know_is_left_out_and_told(room, tmp_path):
    with Gradebook(room.db_url) as gradebook:
        gradebook.add_student("dana")
    try:
        done, text = written(room, tmp_path, "moodle")
        assert "left out, for want of an e-mail address in the gradebook: dana" in done.told and text.count("\r\n") == 4
        assert (
            "1 student without lms_user_id: Canvas looks for them by login and name"
            in written(room, tmp_path, "canvas")[0].told
        )
    finally:
        with Gradebook(room.db_url) as gradebook:
            gradebook.remove_student("dana")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1"])
def test_a_formula_stays_text(name):
    assert as_text(name) == f"'{name}"


@pytest.mark.parametrize("name", ["", "Ada", "O'Neil", "李", "a=b", "    "])
def test_names_stay_names(name):
    assert as_text(name) == name


def test_what_is_asked_for_wrongly_is_said_in_one_line(room, tmp_path):
    with pytest.raises(CourseError, match="there are canvas, moodle, csv, json, exercises"):
        written(room, tmp_path, "blackboard")
    with pytest.raises(CourseError, match="zero or empty"):
        written(room, tmp_path, "canvas", missing="none")
