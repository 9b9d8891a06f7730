"""What a class sets for its learners goes along with the notebooks that it hands out."""

import nbformat
import pytest

from autograder.authoring import releasing
from helpers.desk import release

UNIT = "u0_start_here"


@pytest.mark.parametrize(("line", "wanted"), [("", True), ("c.Attention.parsons = False\n", False)])
def test_a_release_carries_whether_the_last_hint_is_a_puzzle(tmp_path, line, wanted):
    root = tmp_path / "class"
    releasing.init(root, [])
    with open(root / "nbgrader_config.py", "a", encoding="utf-8") as config:
        config.write(line)
    releasing.init(root, [UNIT])
    released = root / "release" / UNIT / f"{UNIT}.ipynb"
    notebook = nbformat.read(released, as_version=4)
    assert notebook.metadata.get(release.KEY) == (None if wanted else {"parsons": False})
    assert release.has_puzzle(released) is wanted
    # Jupyter writes the metadata back with the learner's work.
    notebook.cells.append(nbformat.v4.new_code_cell("hint()"))
    nbformat.write(notebook, released)
    assert release.has_puzzle(released) is wanted


def test_a_notebook_that_nobody_knows_has_the_puzzle(tmp_path):
    assert release.has_puzzle(None) and release.has_puzzle(tmp_path / "none.ipynb")
