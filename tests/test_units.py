"""Every unit, from its source to its points: what is released, how it runs unanswered, what solutions get."""

import functools
import json
import re

import nbformat
import pytest
from nbclient import NotebookClient

from autograder import course
from autograder.authoring import building, releasing, sample
from autograder.grading import coordinator
from helpers.judging import catalog

UNITS = course.units()
every_unit = pytest.mark.parametrize("unit", UNITS)
PARTS = (
    "solutions/{0}/{0}.py",
    "src/helpers/reference/{0}.py",
    "src/helpers/exercises/{0}/__init__.py",
    "tests/helpers/reference/test_{0}.py",
    "tests/helpers/styles/{0}.py",
)
CHECK = "check({0})\n### BEGIN HIDDEN TESTS\ncheck({0}, hidden=True)\n### END HIDDEN TESTS"

NEED_WEIGHTS = {"u7_transformer": {"DigitClassifier", "translate"}, "u9_language_model": {"LanguageModel"}}


def cells_of_checks(unit):
    return {
        cell.metadata.nbgrader["grade_id"][5:]: cell
        for cell in marked(sample.released(unit), "grade")
        if cell.cell_type == "code"
    }


def marked(notebook, kind):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get(kind)]


def test_no_unit_of_the_course_lacks_a_part():
    places = [path.relative_to(course.ROOT) for part in PARTS for path in course.ROOT.glob(part.format("u[0-9]*_*"))]
    units = {re.search(r"u[0-9]+_[^/.]*", str(place))[0] for place in places}
    missing = [
        part.format(unit) for unit in sorted(units) for part in PARTS if not (course.ROOT / part.format(unit)).is_file()
    ]
    assert not missing, f"missing: {', '.join(missing)}"


def test_grade_ids_are_unique_in_the_course():
    places = {}
    for unit in UNITS:
        for cell in building.source_notebook(unit).cells:
            if "nbgrader" in cell.metadata:
                places.setdefault(cell.metadata.nbgrader["grade_id"], []).append(unit)
    doubled = [f"{name!r} in {' and '.join(units)}" for name, units in places.items() if len(units) > 1]
    assert not doubled, f"two cells have one grade_id: {', '.join(doubled)}"


@every_unit
def test_the_notebook_in_git_is_the_one_that_the_source_makes(unit):
    path = course.NOTEBOOKS / unit / f"{unit}.ipynb"
    assert path.is_file(), f"notebooks/{unit} is not made yet: run `make build`"
    # Not compared by pytest, which would spell the difference of two whole notebooks.
    fresh = path.read_text(encoding="utf-8") == building.released_text(unit)
    assert fresh, f"notebooks/{unit} is older than solutions/{unit}: run `make build`"


@every_unit
def test_points_and_cells_are_those_of_the_curriculum(unit):
    source = building.source_notebook(unit)
    graded = {cell.metadata.nbgrader["grade_id"]: cell for cell in marked(source, "grade")}
    points, wanted = (
        sum(cell.metadata.nbgrader["points"] for cell in graded.values()),
        1 if unit == "u0_start_here" else 20,
    )
    assert points == wanted, f"the points in solutions/{unit} add up to {points}, not to {wanted}"
    tests = {name[5:]: cell for name, cell in graded.items() if name.startswith("test_")}
    exercises = set(catalog.unit_exercises(unit))
    assert set(tests) <= exercises, (
        f"checked in solutions/{unit}, but with no file in src/helpers/exercises/{unit}/: "
        f"{', '.join(set(tests) - exercises)}"
    )
    assert exercises <= set(tests), (
        f"in src/helpers/exercises/{unit}/, but with no cell test_... in solutions/{unit}: "
        f"{', '.join(exercises - set(tests))}"
    )
    answers = {cell.metadata.nbgrader["grade_id"]: cell for cell in marked(source, "solution")}
    for name, cell in tests.items():
        assert name in answers, f"solutions/{unit} has a cell test_{name}, but no answer cell with grade_id {name!r}"
        assert cell.source == CHECK.format(name), (
            f"the cell test_{name} in solutions/{unit} must be, word by word:\n{CHECK.format(name)}"
        )
    for name, cell in answers.items():
        assert "### BEGIN SOLUTION" in cell.source, (
            f"the answer cell {name} in solutions/{unit} has no ### BEGIN SOLUTION"
        )
    for name in set(answers) - set(tests):
        question = graded.get(name)
        assert question is not None, f"the answer cell {name} in solutions/{unit} has neither a check nor points"
        assert question.cell_type == "markdown" and "Marking guide" in question.source, (
            f"the question {name} in solutions/{unit} has no *Marking guide.*"
        )


@every_unit
def test_the_release_holds_no_solution_hidden_test_or_marking_guide(unit):
    text = building.released_text(unit)
    for mark in ("BEGIN SOLUTION", "HIDDEN", "hidden=True", "Model answer", "Marking guide", "MARK SCHEME"):
        assert mark not in text, f"what learners get of {unit} shows {mark!r}"
    for cell in marked(sample.released(unit), "solution"):
        assert cell.cell_type != "code" or "raise NotImplementedError" in cell.source, (
            f"{cell.id}: nothing is left to answer in {unit}"
        )


@every_unit
def test_released_notebook_runs_unanswered_without_a_crash(unit, tmp_path, monkeypatch):
    """Drawing and training are left out here as in grading; the desk's own way is seen by `autograder preview`."""
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    notebook = sample.released(unit)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                assert name.startswith("test_") and "not answered yet" in output.evalue, (
                    f"{name or cell.source[:200]}: {output.evalue}"
                )
            assert not (output.output_type == "stream" and output.name == "stderr"), f"{cell.id}: {output.text}"


@pytest.mark.parametrize("wrong", ["return None", "return 0"])
@every_unit
def test_run_all_never_stops_at_a_wrong_answer(unit, wrong, tmp_path, monkeypatch):
    """What is wrong is a sentence in the cell that shows the answer, never a traceback. Only checks may raise."""
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    notebook = sample.released(unit)
    for cell in marked(notebook, "solution"):
        cell.source = cell.source.replace("raise NotImplementedError", wrong)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                assert name.startswith("test_"), f"{cell.id} stops Run All: {output.evalue}\n{cell.source[:300]}"


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """Grades a unit, once, answered with the solutions by one student and not at all by another."""

    @functools.cache
    def graded(unit):
        root = tmp_path_factory.mktemp("solved") / "class"
        room = releasing.init(root, [unit])
        for student, notebook in (("solved", sample.answered(unit)), ("empty", sample.released(unit))):
            folder = root / "submitted" / student / unit
            folder.mkdir(parents=True)
            nbformat.write(notebook, folder / f"{unit}.ipynb")
        return {result.student: result for result in coordinator.grade(room, [unit], feedback=False)}

    return graded


@every_unit
def test_solutions_get_every_point_that_a_check_can_give(solved, unit):
    result = solved(unit)["solved"]
    by_hand = sum(
        c.metadata.nbgrader["points"] for c in marked(sample.released(unit), "grade") if c.cell_type == "markdown"
    )
    failed = {name: v.finding.message for name, v in result.outcome.final.items() if not v.passed}
    # Trained weights are the learner's to hand in; tests/test_capstone.py does.
    untrained = {name for name, message in failed.items() if "weights.safetensors" in message}
    assert set(failed) == untrained == NEED_WEIGHTS.get(unit, set()), (
        f"the solution in solutions/{unit} is not right: {failed}"
    )
    lost = sum(cell.metadata.nbgrader["points"] for name, cell in cells_of_checks(unit).items() if name in failed)
    assert result.score == result.max_score - by_hand - lost
    assert result.outcome.state == "graded", result.outcome.reason


@every_unit
def test_an_unanswered_notebook_gets_nothing_and_says_so(solved, unit):
    result = solved(unit)["empty"]
    assert (result.score, result.outcome.state) == (0, "graded")
    answerable = {name: v for name, v in result.outcome.final.items() if name not in NEED_WEIGHTS.get(unit, set())}
    assert {verdict.status for verdict in answerable.values()} <= {"not answered"}


@every_unit
def test_sources_speak_only_of_the_course(unit):
    text = (course.SOLUTIONS / unit / f"{unit}.py").read_text(encoding="utf-8") + json.dumps(sample.released(unit))
    assert not re.search(r"/work/|/root/|/home/|TODO|FIXME|pypi\.org", text)
