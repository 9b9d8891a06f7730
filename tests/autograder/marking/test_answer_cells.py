"""One answer's cell that does not run, or does not stop, costs that exercise alone and says why."""

import nbformat
import pytest

from autograder.authoring import releasing, sample
from autograder.classroom import classroom
from autograder.grading import coordinator

# Nothing that Python does between two of its steps can be interrupted: what hangs in a call of C, say, in a compiler.
HANGS = """
import signal
def {name}(*arguments, **named):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pass
"""
LIMITS = "\nc.SandboxedExecute.timeout = 4\nc.SandboxedExecute.iopub_timeout = 2\n"


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    room = releasing.init(tmp_path_factory.mktemp("answers") / "class", [sample.UNIT])
    with open(room.root / classroom.CONFIG, "a", encoding="utf-8") as file:
        file.write(LIMITS)
    for student, source in {
        "right": None,
        "syntax": "def project(vectors, direction)\n    return vectors",
        "imports": "import numpy as np\nimport einops_of_nobody\ndef project(vectors, direction):\n    return vectors",
        "hangs": HANGS.format(name="project"),
    }.items():
        notebook = sample.answered()
        for cell in notebook.cells:
            if source is not None and cell.metadata.get("nbgrader", {}).get("grade_id") == "project":
                cell.source = source
        folder = room.root / "submitted" / student / sample.UNIT
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{sample.UNIT}.ipynb")
    results = coordinator.grade(classroom.Classroom.open(room.root), [sample.UNIT], jobs=1)
    return room, {result.student: result for result in results}


@pytest.fixture(scope="module")
def called_by_others(tmp_path_factory):
    """Unit 4, whose later answers call `split_heads`, with one that never comes back; and the right answers."""
    unit = "u4_multi_head"
    room = releasing.init(tmp_path_factory.mktemp("called") / "class", [unit])
    with open(room.root / classroom.CONFIG, "a", encoding="utf-8") as file:
        file.write(LIMITS)
    for student in ("right", "hangs"):
        notebook = sample.answered(unit)
        for cell in notebook.cells:
            if student == "hangs" and cell.metadata.get("nbgrader", {}).get("grade_id") == "split_heads":
                cell.source = HANGS.format(name="split_heads")
        folder = room.root / "submitted" / student / unit
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{unit}.ipynb")
    results = coordinator.grade(classroom.Classroom.open(room.root), [unit], feedback=False, jobs=1)
    return {result.student: result for result in results}


def test_a_piece_that_never_comes_back_costs_what_calls_it_and_nothing_else(called_by_others):
    right, hangs = called_by_others["right"].outcome, called_by_others["hangs"].outcome
    assert all(verdict.passed for verdict in right.final.values())
    kept = {name for name, verdict in hangs.final.items() if verdict.passed}
    assert {"merge_heads", "count_parameters", "convert_torch_weights"} <= kept and "split_heads" not in kept
    assert hangs.stopped == "" and hangs.state == "graded with a note"


def lost(graded, student):
    """The points that one answer costs, and what the verdict on it says."""
    results = graded[1]
    verdict = results[student].outcome.final["project"]
    return results["right"].score - results[student].score, verdict.finding.message


@pytest.mark.parametrize(
    "student, told",
    [
        ("syntax", "the cell of your answer did not run: SyntaxError: expected ':', in line 1"),
        (
            "imports",
            "the cell of your answer did not run: ModuleNotFoundError: No module named 'einops_of_nobody', "
            "in line 2: import einops_of_nobody",
        ),
    ],
)
def test_the_error_of_the_answers_own_cell_is_said_on_the_page_too(graded, student, told):
    points, message = lost(graded, student)
    assert points > 0 and message == told
    page = graded[0].root / "feedback" / student / sample.UNIT / f"{sample.UNIT}.html"
    assert "the cell of your answer did not run" in page.read_text(encoding="utf-8")


def test_a_check_that_cannot_be_interrupted_costs_its_exercise_alone(graded):
    result = graded[1]["hangs"]
    points, message = lost(graded, "hangs")
    assert points == lost(graded, "syntax")[0] and "could not be interrupted" in message
    assert result.outcome.state == "graded with a note" and result.outcome.stopped == ""
    assert "the cell test_project could not be interrupted when its time was up" in result.outcome.reason
