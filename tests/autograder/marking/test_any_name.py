"""nbgrader's own ways of grading take the notebook that `autograder grade` takes, whatever it is called."""

import logging
import subprocess
import sys

import nbformat
import pytest
from nbgrader.apps.api import NbGraderAPI

from autograder.authoring import releasing, sample
from autograder.marking.outcomes import read_outcome
from tests.grading.classes import gradebook

UNIT = "u0_start_here"
LOG = logging.getLogger(__name__)
ANSWERED, BLANK = sample.answered(UNIT), sample.answered(UNIT, {})


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return releasing.init(tmp_path_factory.mktemp("names") / "class", [UNIT])


@pytest.mark.parametrize(
    ("student", "files", "told"),
    [
        ("copied", {f"Copy of {UNIT}.ipynb": ANSWERED}, f"Copy of {UNIT}.ipynb is taken as {UNIT}.ipynb"),
        (
            "twice",
            {f"{UNIT}.ipynb": BLANK, "homework.ipynb": ANSWERED},
            f"of 2 notebooks (homework.ipynb, {UNIT}.ipynb) homework.ipynb counts: it is answered, no other is",
        ),
        ("capitals", {"HOMEWORK.IPYNB": ANSWERED}, f"HOMEWORK.IPYNB is taken as {UNIT}.ipynb"),
        ("own", {f"{UNIT}.ipynb": ANSWERED}, None),
    ],
)
def test_formgraders_button_finds_the_answered_notebook(room, student, files, told):
    folder = room.root / "submitted" / student / UNIT
    folder.mkdir(parents=True)
    for name, notebook in files.items():
        nbformat.write(notebook, folder / name)
    api = NbGraderAPI(room.directory(LOG), config=room.config)
    done = api.autograde(UNIT, student)
    assert done["success"], done
    assert sum(auto for _, auto, _, _ in gradebook(room.db_url, UNIT)[student]["grades"] if auto) == 1
    assert read_outcome(room.root, UNIT, student).notes == ([told] if told else [])
    assert {path.name for path in folder.iterdir()} == set(files)


def test_nbgraders_command_takes_a_class_of_capitals(room):
    folder = room.root / "submitted" / "loud" / UNIT
    folder.mkdir(parents=True)
    nbformat.write(ANSWERED, folder / f"{UNIT}.IPYNB")
    for students in ("loud", "*"):
        call = [sys.executable, "-m", "nbgrader", "autograde", UNIT, "--student", students, "--create", "--force"]
        done = subprocess.run(call, cwd=room.root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert sum(auto for _, auto, _, _ in gradebook(room.db_url, UNIT)["loud"]["grades"] if auto) == 1
    assert [path.name for path in folder.iterdir()] == [f"{UNIT}.IPYNB"]


def test_a_submission_without_a_notebook_of_the_unit_is_not_gradable_and_says_why(room):
    folder = room.root / "submitted" / "other" / UNIT
    folder.mkdir(parents=True)
    nbformat.write(sample.answered("u1_dot_products"), folder / "homework.ipynb")
    assert NbGraderAPI(room.directory(LOG), config=room.config).autograde(UNIT, "other")["success"]
    assert "the notebook is u1_dot_products's" in read_outcome(room.root, UNIT, "other").reason
