"""A plain nbgrader assignment beside the units: several notebooks, data and a module beside them, in every command."""

import pytest
from typer.testing import CliRunner

from autograder import cli
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
