"""The sample class gets exactly its points, by our command and by plain nbgrader alike."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.authoring import releasing, sample
from autograder.classroom import classroom
from autograder.classroom.classroom import CONFIG
from autograder.grading import coordinator

STUDENTS = sample.students()


def points(root):
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        return {one.student.id: one.score for one in gradebook.find_assignment(sample.UNIT).submissions}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    root = tmp_path_factory.mktemp("sample") / "class"
    releasing.init(root, [sample.UNIT], duedate=sample.DUE)
    with open(root / CONFIG, "a", encoding="utf-8") as file:
        file.write("\nc.SandboxedExecute.timeout = 3\n")
    sample.write(root)
    results = coordinator.grade(classroom.Classroom.open(root), [sample.UNIT])
    return root, {result.student: result for result in results}


@pytest.mark.parametrize("student", STUDENTS, ids=[student.name for student in STUDENTS])
def test_gets_exactly_its_points_and_ends_as_it_must(graded, student):
    _, results = graded
    assert (results[student.name].score, results[student.name].outcome.state) == (student.points, student.state)


def test_the_late_one_is_late(graded):
    assert {name for name, result in graded[1].items() if result.late_seconds > 0} == {"hana"}


def test_mistakes_are_named(graded):
    final = {name: result.outcome.final for name, result in graded[1].items()}
    assert final["dana"]["similarity_matrix"].diagnosis.name == "forgot the transpose: X @ X"
    assert final["emil"]["attention_scores"].diagnosis.name == "scaled the scores by √d_k"
    assert final["joao"]["cosine_similarity"].diagnosis.name == "changes its input in place"


def test_feedback_shows_verdicts_and_no_hidden_test(graded):
    root, _ = graded
    page = (root / "feedback" / "dana" / sample.UNIT / f"{sample.UNIT}.html").read_text(encoding="utf-8")
    assert "forgot the transpose" in page
    assert "hidden=True" not in page and "HIDDEN TESTS" not in page


def test_plain_nbgrader_gives_the_same_points(graded, tmp_path):
    root, _ = graded
    expected = points(root)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONWARNINGS": "ignore",
    }
    call = [sys.executable, "-m", "nbgrader", "autograde", sample.UNIT, "--force"]
    done = subprocess.run(call, cwd=root, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert points(root) == expected


def test_a_regrade_reproduces_every_point(graded):
    root, first = graded
    again = coordinator.grade_one(classroom.Classroom.open(root), sample.UNIT, "emil", feedback=False)
    assert again.outcome.final == first["emil"].outcome.final


def test_no_hint_of_the_answers_in_the_autograded_notebook_of_an_unanswered_one(graded):
    root, _ = graded
    notebook = nbformat.read(root / "autograded" / "chen" / sample.UNIT / f"{sample.UNIT}.ipynb", 4)
    assert "BEGIN SOLUTION" not in nbformat.writes(notebook)
