"""A plain assignment, in which nothing calls `check`: what never ran has no points, and the reason is said.

Graded in each of the three ways: `autograder grade`, `nbgrader autograde`, and the button of formgrader.
"""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.apps import NbGraderAPI

from autograder.authoring import releasing
from autograder.classroom import classroom
from autograder.grading import coordinator
from autograder.marking.outcomes import read_outcome

SOLUTION = "def square(x):\n    return x * x"
HIDE = "### BEGIN SOLUTION\n{}\n### END SOLUTION"
# Full, partial and no credit by nbgrader's rule: 2 + 1.5 + 0 points for the solution.
TESTS = {
    "test_right": "assert square(3) == 9",
    "test_part": "1.5 if square(2) == 4 else 0",
    "test_wrong": "assert False",
}
SETTINGS = """
c.SandboxedExecute.timeout = 2
c.SandboxedExecute.notebook_seconds = 12
c.SandboxedExecute.output_bytes = 20_000
"""
# What the answer is, the points that it gets, and what the reason says.
ANSWERS = {
    "honest": (SOLUTION, 3.5, ""),
    "wrong": ("def square(x):\n    return 1", 0, ""),
    "ends": ("import os\nos._exit(0)", 0, "test_right, test_part, test_wrong"),
    "crashes": ("import ctypes\nctypes.string_at(0)", 0, "test_right, test_part, test_wrong"),
    "ends_in_a_test": ("import os\ndef square(x):\n    os._exit(0)", 0, "test_right, test_part, test_wrong"),
    "ends_after_one": (
        "import os\ndef square(x):\n    return 9 if x == 3 else os._exit(0)",
        2,
        "test_part, test_wrong",
    ),
    "shows_points_first": (
        "import os\ndef square(x):\n    get_ipython().displayhook(2)\n    os._exit(0)",
        0,
        "test_right, test_part, test_wrong",
    ),
    "never_ends": (
        "def square(x):\n    try:\n        while True: pass\n    except KeyboardInterrupt: return 9",
        0,
        "test_right, test_part",
    ),
    "cannot_be_interrupted": (
        "import time\nfor _ in range(8):\n    try: time.sleep(60)\n    except KeyboardInterrupt: pass",
        0,
        "the cell square could not be interrupted",
    ),
    "uses_up_the_time": (
        "import time\ndef square(x):\n    time.sleep(60)\ntry: time.sleep(60)\nexcept KeyboardInterrupt: pass",
        0,
        "test_right, test_part",
    ),
    "floods": (
        "def square(x):\n    try: print('x' * 30_000)\n    except KeyboardInterrupt: pass\n    return x * x",
        0,
        "test_right, test_part",
    ),
    "hides_errors": ("get_ipython().showtraceback = lambda *a, **k: None", 0, ""),
    "says_aborted": (
        "kernel = get_ipython().kernel\nreal = kernel.session.send\n"
        "def send(stream, kind, content=None, *a, **k):\n"
        "    if kind == 'execute_reply': content = {'status': 'aborted'}\n"
        "    return real(stream, kind, content, *a, **k)\nkernel.session.send = send",
        0,
        "test_right, test_part, test_wrong",
    ),
    "raises_behind_a_number": ("def square(x):\n    get_ipython().displayhook(2)\n    raise ValueError", 0, ""),
    "asks_for_more": ("def square(x):\n    get_ipython().displayhook(1000)\n    return x * x", 4, ""),
}


def cell(source, name, **marks):
    made = nbformat.v4.new_code_cell(source, id=name.replace("_", "-"))
    made.metadata["nbgrader"] = {
        "schema_version": 3, "grade_id": name, "grade": False, "solution": False, "locked": False, "task": False,
    } | marks  # fmt: skip
    return made


def assignment(room, name, notebooks):
    folder = room.root / "source" / name
    folder.mkdir()
    for notebook in notebooks:
        cells = [cell(HIDE.format(SOLUTION), "square", solution=True)]
        cells += [cell(text, test, grade=True, locked=True, points=2) for test, text in TESTS.items()]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / f"{notebook}.ipynb")
    releasing.release(room, name)


def hand_in(room, student, name, answers):
    folder = room.root / "submitted" / student / name
    folder.mkdir(parents=True)
    for notebook, answer in answers.items():
        made = nbformat.read(room.root / "release" / name / f"{notebook}.ipynb", as_version=4)
        made.cells[0].source = answer
        nbformat.write(made, folder / f"{notebook}.ipynb")


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    made = releasing.init(tmp_path_factory.mktemp("plain") / "class", [])
    with open(made.root / classroom.CONFIG, "a", encoding="utf-8") as file:
        file.write(SETTINGS)
    made = classroom.Classroom.open(made.root)
    assignment(made, "homework", ["homework"])
    assignment(made, "two", ["first", "second"])
    return made


@pytest.fixture(scope="module")
def graded(room):
    for student, (answer, _, _) in ANSWERS.items():
        hand_in(room, student, "homework", {"homework": answer})
    return {one.student: one for one in coordinator.grade(room, ["homework"], feedback=False)}


@pytest.mark.parametrize("student", ANSWERS)
def test_what_never_ran_has_no_points_and_a_reason(room, graded, student):
    _, points, told = ANSWERS[student]
    result = graded[student]
    assert (result.score, result.max_score) == (points, 6), result
    assert result.outcome.state == ("graded with a note" if told else "graded")
    assert told in result.outcome.reason
    page = nbformat.read(room.root / "autograded" / student / "homework" / "homework.ipynb", as_version=4)
    marked = [one for one in page.cells if "not run to its end" in str(one.get("outputs"))]
    names = {one.metadata.nbgrader["grade_id"] for one in marked}
    # On a busy machine a notebook's time may be over before its last test, which is not run then either.
    assert names >= set(told.split(", ")) & set(TESTS) and (told or not names)


def by_command(room, name, student):
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", name, "--student", student, "--create"],
        cwd=room.root,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def by_formgrader(room, name, student):
    api = NbGraderAPI(config=room.config)
    api.coursedir.root = str(room.root)
    told = api.autograde(name, student)
    assert told["success"], told["log"][-2000:]


@pytest.mark.parametrize("way", [by_command, by_formgrader])
def test_several_notebooks_of_one_assignment_each_by_itself(room, way):
    """One ends its kernel, the other is honest: each has its own points, and the reason names the notebook."""
    student = way.__name__.replace("_", "-")
    hand_in(room, student, "two", {"first": ANSWERS["ends"][0], "second": SOLUTION})
    for _ in range(1 if way is by_command else 2):
        way(room, "two", student)
        with room.gradebook() as gradebook:
            found = {one.name: one.score for one in gradebook.find_submission("two", student).notebooks}
        outcome = read_outcome(room.root, "two", student)
        assert found == {"first": 0, "second": 3.5}
        assert outcome.state == "graded with a note" and outcome.stopped.startswith(
            "first: the notebook's kernel ended"
        )
        assert outcome.notes == ["first: 0 points for what was not run to its end: test_right, test_part, test_wrong"]
