"""A plain nbgrader assignment beside the units: several notebooks, data and a module beside them, in every command."""

import copy
import logging
import shutil
import zipfile

import pytest
from nbgrader.converters import Autograde
from typer.testing import CliRunner

from autograder import cli
from autograder.authoring import releasing
from autograder.classroom.classroom import Classroom
from tests.autograder.grading import plain


def said(*arguments, code=0):
    done = CliRunner().invoke(cli.app, [*map(str, arguments)], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class whose assignment was graded by a command that names nothing, and what it said."""
    room = plain.make(tmp_path_factory.mktemp("plain") / "class")
    plain.submit(room, "ada", plain.RIGHT)
    plain.submit(room, "ben", plain.HALF)
    plain.submit(room, "cora", {})
    plain.submit(room, "dan", plain.RIGHT, ["part1"])
    return room, said("grade", "--course", room.root, "--enroll")


def test_grade_without_a_name_grades_it(graded):
    room, text = graded
    assert plain.points(room) == {
        "ada": {
            "part1/check": 3, "part1/partial": 3, "part2/check": 2, "part2/by_hand": None, "part2/essay": None,
            "part2/task": None,
        },
        "ben": {
            "part1/check": 0, "part1/partial": 2, "part2/check": 0, "part2/by_hand": 0, "part2/essay": None,
            "part2/task": None,
        },
        "cora": {
            "part1/check": 0, "part1/partial": 0, "part2/check": 0, "part2/by_hand": 0, "part2/essay": 0,
            "part2/task": None,
        },
        "dan": {
            "part1/check": 3, "part1/partial": 3, "part2/check": 0, "part2/by_hand": 0, "part2/essay": 0,
            "part2/task": 0,
        },
    }  # fmt: skip
    assert "hw1: 4 submissions" in text and "part2: there is no notebook of part2 in the submission" in text


def test_every_notebook_has_its_feedback_page(graded):
    room, _ = graded
    pages = room.root / "feedback" / "ada" / "hw1"
    assert "part1: 6 of 6 points" in (pages / "part1.html").read_text(encoding="utf-8")
    assert "part2: 2 of 17 points" in (pages / "part2.html").read_text(encoding="utf-8")
    assert "assert total([7])" not in (pages / "part1.html").read_text(encoding="utf-8")
    assert said("grade", "--course", room.root, "--json").count('"kept"') == 4


def test_every_command_takes_it(graded, tmp_path):
    room, _ = graded
    text = said("status", "--course", room.root)
    assert " hw1 " in text and "written answers to grade by hand, in formgrader:\n    ada" in text
    said("export", "hw1", "--to", "json", "--file", tmp_path / "grades.json", "--course", room.root)
    assert '"points": 8' in (tmp_path / "grades.json").read_text(encoding="utf-8")
    said("report", "--lookalikes", "--course", room.root)
    page = (room.root / "report" / "report.html").read_text(encoding="utf-8")
    assert "part1/check" in page and "part2/check" in page and "so code written to fool them can get" in page
    with room.gradebook() as book:
        book.update_or_create_assignment("hw1", duedate="2026-10-01 12:00 UTC")
    assert "ada, hw1: now due 2026-10-02 12:00" in said("extend", "hw1", "ada", "--hours", 24, "--course", room.root)
    with pytest.raises(cli.CourseError, match=r"Did you mean hw1\? The units are .* own assignments are hw1$"):
        cli.app(["status", "hw", "--course", str(room.root)], standalone_mode=False)


def test_a_download_of_it_is_collected_with_what_lies_beside(graded, tmp_path):
    room = Classroom.open(shutil.copytree(graded[0].root, tmp_path / "class"))
    label = tmp_path / "download" / "Ada_1_assignsubmission_file"
    label.mkdir(parents=True)
    for path in (room.root / "submitted" / "ada" / "hw1").iterdir():
        shutil.copy(path, label)
    (label / "own.py").write_text("x = 1\n", encoding="utf-8")
    with room.gradebook() as book:
        book.update_or_create_student("ada", first_name="Ada")
    assert "collected: 1" in said("collect", "hw1", tmp_path / "download", "--course", room.root)
    kept = {path.name for path in (room.root / "submitted" / "ada" / "hw1").iterdir()}
    assert kept == {"part1.ipynb", "part2.ipynb", "data.csv", "tools.py", "own.py"}
    said("grade", "hw1", "--course", room.root, "--no-feedback")
    assert plain.points(room) == plain.points(graded[0])
    text = said("feedback", "hw1", "--zip", "moodle", "--file", tmp_path / "back.zip", "--course", room.root)
    with zipfile.ZipFile(tmp_path / "back.zip") as archive:
        assert archive.namelist() == [f"{label.name}/part1.html", f"{label.name}/part2.html"], text


def test_stock_nbgrader_gives_the_same_points(graded, tmp_path):
    room = Classroom.open(shutil.copytree(graded[0].root, tmp_path / "class"))
    text = "from autograder.plugin import release_config\nc = get_config()\nc.merge(release_config())\n"
    (room.root / "nbgrader_config.py").write_text(text, encoding="utf-8")
    (room.root / "gradebook.db").unlink()
    stock = Classroom.open(room.root)
    releasing.release(stock, "hw1")
    log = logging.Logger("stock")
    config = copy.deepcopy(stock.config)
    config.CourseDirectory.assignment_id = "hw1"
    config.ExecutePreprocessor.timeout = 60
    Autograde(coursedir=stock.directory(log, "hw1"), config=config, log=log, force=True).start()
    assert plain.points(stock) == plain.points(graded[0])
