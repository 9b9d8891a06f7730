"""Points and titles at the desk are those of the notebooks."""

import nbformat
import pytest

from autograder import course
from autograder.authoring import building
from helpers import contents
from helpers.judging import catalog


def test_the_file_is_the_one_that_the_sources_of_the_course_make():
    fresh = course.CONTENTS.read_text(encoding="utf-8") == building.contents_text()
    assert fresh, "src/helpers/contents.json is older than the solutions: run `make build`"


@pytest.mark.parametrize("unit", course.units())
def test_points_are_those_of_the_released_notebook(unit):
    notebook = nbformat.read(course.NOTEBOOKS / unit / f"{unit}.ipynb", as_version=4)
    marks = [cell.metadata.nbgrader for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert [(task.name, task.points) for task in contents.units()[unit].tasks] == [
        (m.grade_id.removeprefix("test_"), m.points) for m in marks
    ]
    assert {task.name for task in contents.units()[unit].tasks if not task.written} == set(catalog.unit_exercises(unit))


def test_names_find_their_unit_and_points():
    assert contents.find_unit("u2") == contents.find_unit("u2_softmax_scaling") == contents.unit_of("softmax")
    assert contents.points("hello_attention") == 1
    assert contents.find_unit("u99") is contents.unit_of("nothing") is contents.points("why_two_projections") is None


@pytest.mark.parametrize("unit", course.units())
def test_the_last_cell_shows_the_progress_of_its_own_unit(unit):
    last, wanted = (
        building.source_notebook(unit).cells[-1],
        f'from helpers import progress\n\nprogress("{unit.partition("_")[0]}")',
    )
    assert last.source == wanted, f"the last cell of solutions/{unit} must be, word by word:\n{wanted}"
    assert last.cell_type == "code" and "nbgrader" not in last.metadata, (
        f"the last cell of solutions/{unit} must be a code cell without marks"
    )
