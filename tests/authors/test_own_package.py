"""The authors' guide on a unit in a package of one's own, followed word by word outside of the course's clone."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import course
from autograder.authoring import new_unit
from autograder.course import CourseError

GUIDE = (course.ROOT / "docs/authors.md").read_text(encoding="utf-8")
_, _, SECTION = GUIDE.partition("\n## A unit in a package of your own\n")
_BLOCK = re.compile(r"(?:^\*\*`([^`]+)`\*\*\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UNIT = "moving_averages"
# What a learner of it could look for while it is graded.
THIEF = f"""
import importlib
for name in ("{UNIT}_unit.reference.{UNIT}", "{UNIT}_unit.exercises.{UNIT}.moving_average", "{UNIT}_unit.plots.{UNIT}"):
    try:
        print(importlib.import_module(name).__name__)
    except ImportError as error:
        print(error)
moving_average = None
"""


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The folder where the guide was followed, and what each of its commands printed."""
    root = tmp_path_factory.mktemp("own")
    installed = root / "installed"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "NBGRADER_"))}
    environment |= {
        "PYTHONPATH": str(installed),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "120",
    }
    printed = {}

    def run(line):
        words = shlex.split(line.replace("~", str(root)))
        if words[0] == "pip":
            # Into a folder of its own, with what is here already, and from no index.
            words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
                     "--no-index", "--target", str(installed), words[-1]]  # fmt: skip
        done = subprocess.run(words, cwd=root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        printed[line] = done.stdout

    for name, language, text in _BLOCK.findall(SECTION):
        if name:
            thief = text.replace('"wrong": {', '"thief": {"moving_average": THIEF}, "wrong": {')
            (root / name).write_text(f"THIEF = {THIEF!r}\n{thief}", encoding="utf-8")
        elif language == "sh":
            for line in text.splitlines():
                run(line)
    return root, printed


def test_the_guide_leads_to_a_unit_that_is_graded_like_the_courses_own(followed):
    root, printed = followed
    assert "2 passed" in printed["pytest ~/averages/tests"]
    (table,) = (told for line, told in printed.items() if line.startswith("autograder grade"))
    rows = {cells[0]: cells[1:] for cells in map(str.split, table.splitlines()) if cells}
    assert rows["right"][:4] == ["6", "10", "1", "graded"] and rows["wrong"][:2] == ["0", "10"]
    page = (root / "averages_class" / "feedback" / "wrong" / UNIT / f"{UNIT}.html").read_text(encoding="utf-8")
    assert "took the sum, not the mean" in page and "A mean of three equal values is that value" in page


def test_a_notebook_of_it_sees_its_figures_and_neither_reference_nor_exercise(followed):
    root, _ = followed
    text = (root / "averages_class" / "autograded" / "thief" / UNIT / f"{UNIT}.ipynb").read_text(encoding="utf-8")
    assert f"No module named '{UNIT}_unit.reference'" in text and f"No module named '{UNIT}_unit.exercises'" in text
    assert f"{UNIT}_unit.plots.{UNIT}\\n" in text


@pytest.mark.parametrize("name", ["Moving", "moving-averages", "u12_moving", "class", "", "x", "ä_b"])
def test_what_is_no_name_for_a_unit_is_refused(tmp_path, name):
    with pytest.raises(CourseError, match="is no name for a unit of your own"):
        new_unit.make(name, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path):
    (tmp_path / "kept.txt").touch()
    with pytest.raises(CourseError, match="holds something already; nothing was written"):
        new_unit.make(UNIT, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
