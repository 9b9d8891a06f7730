"""Every unit, from its source to its points: what is released, how it runs unanswered, what solutions get."""

import json
import re

import nbformat
import pytest
from nbclient import NotebookClient

from autograder import build, classroom, course, grade, sample
from helpers import catalog

UNITS = course.units()
every_unit = pytest.mark.parametrize("unit", UNITS)


NEED_WEIGHTS = {"DigitClassifier", "translate"}


def cells_of_checks(unit):
    return {cell.metadata.nbgrader["grade_id"][5:]: cell for cell in marked(sample.released(unit), "grade") if cell.cell_type == "code"}


def marked(notebook, kind):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get(kind)]


def test_units_of_sources_exercises_and_references_are_the_same():
    assert UNITS == catalog.units()
    assert {path.stem for path in (course.ROOT / "src/helpers/reference").glob("u*.py")} == set(UNITS)


def test_grade_ids_are_unique_in_the_course():
    ids = [cell.metadata.nbgrader["grade_id"] for unit in UNITS for cell in build.source_notebook(unit).cells if "nbgrader" in cell.metadata]
    assert len(ids) == len(set(ids))


@every_unit
def test_the_notebook_in_git_is_the_one_that_the_source_makes(unit):
    path = course.NOTEBOOKS / unit / f"{unit}.ipynb"
    assert path.read_text(encoding="utf-8") == build.released_text(unit), "run `make build`"


@every_unit
def test_points_and_cells_are_those_of_the_curriculum(unit):
    source = build.source_notebook(unit)
    graded = {cell.metadata.nbgrader["grade_id"]: cell for cell in marked(source, "grade")}
    assert sum(cell.metadata.nbgrader["points"] for cell in graded.values()) == (1 if unit == "u0_start_here" else 20)
    tests = {name[5:]: cell for name, cell in graded.items() if name.startswith("test_")}
    assert set(tests) == set(catalog.unit_exercises(unit))
    answers = {cell.metadata.nbgrader["grade_id"] for cell in marked(source, "solution")}
    for name, cell in tests.items():
        assert name in answers
        assert cell.source == f"check({name})\n### BEGIN HIDDEN TESTS\ncheck({name}, hidden=True)\n### END HIDDEN TESTS"
    for name in answers - set(tests):
        assert graded[name].cell_type == "markdown" and "Marking guide" in graded[name].source


@every_unit
def test_the_release_holds_no_solution_hidden_test_or_marking_guide(unit):
    text = build.released_text(unit)
    for mark in ("BEGIN SOLUTION", "HIDDEN", "hidden=True", "Model answer", "Marking guide", "MARK SCHEME"):
        assert mark not in text
    answers = marked(sample.released(unit), "solution")
    assert all("raise NotImplementedError" in cell.source for cell in answers if cell.cell_type == "code")


@every_unit
def test_released_notebook_runs_unanswered_without_a_crash(unit, tmp_path, monkeypatch):
    """Drawing and training are left out here as in grading; the desk's own way is seen by `autograder preview`."""
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    notebook = sample.released(unit)
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                assert name.startswith("test_") and "not answered yet" in output.evalue, f"{name or cell.source[:200]}: {output.evalue}"
            assert not (output.output_type == "stream" and output.name == "stderr"), f"{cell.id}: {output.text}"


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """All units in one class, answered with the solutions by one student and not at all by another."""
    root = tmp_path_factory.mktemp("solved") / "class"
    room = classroom.init(root, UNITS)
    for unit in UNITS:
        for student, notebook in (("solved", sample.answered(unit)), ("empty", sample.released(unit))):
            folder = root / "submitted" / student / unit
            folder.mkdir(parents=True)
            nbformat.write(notebook, folder / f"{unit}.ipynb")
    return {(result.student, result.unit): result for result in grade.grade(room, list(UNITS), feedback=False)}


@every_unit
def test_solutions_get_every_point_that_a_check_can_give(solved, unit):
    result = solved["solved", unit]
    by_hand = sum(c.metadata.nbgrader["points"] for c in marked(sample.released(unit), "grade") if c.cell_type == "markdown")
    failed = {name: v.finding.message for name, v in result.outcome.final.items() if not v.passed}
    # Trained weights are the learner's to hand in; tests/test_capstone.py does.
    untrained = {name for name in NEED_WEIGHTS if name in failed and "weights.safetensors" in failed[name]}
    assert set(failed) == untrained == (NEED_WEIGHTS if unit == "u7_transformer" else set()), failed
    lost = sum(cell.metadata.nbgrader["points"] for name, cell in cells_of_checks(unit).items() if name in failed)
    assert result.score == result.max_score - by_hand - lost
    assert result.outcome.state == "graded", result.outcome.reason


@every_unit
def test_an_unanswered_notebook_gets_nothing_and_says_so(solved, unit):
    result = solved["empty", unit]
    assert (result.score, result.outcome.state) == (0, "graded")
    assert {verdict.status for name, verdict in result.outcome.final.items() if name not in NEED_WEIGHTS} <= {"not answered"}


@every_unit
def test_sources_speak_only_of_the_course(unit):
    text = (course.SOLUTIONS / unit / f"{unit}.py").read_text(encoding="utf-8") + json.dumps(sample.released(unit))
    assert not re.search(r"/work/|/root/|/home/|TODO|FIXME|pypi\.org", text)
