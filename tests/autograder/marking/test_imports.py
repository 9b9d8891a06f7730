"""Which modules of an assignment's notebooks have to be there before it is graded."""

import pytest

from autograder.marking.imports import imported


@pytest.mark.parametrize(
    "cell, names",
    [
        ("import numpy as np, scipy.stats\nfrom pandas.api import types", {"numpy", "scipy", "pandas"}),
        ("%matplotlib inline\nimport matplotlib.pyplot as plt\n!ls", {"matplotlib"}),
        ("try:\n    import lightning\nexcept ImportError:\n    lightning = None", set()),
        ("def later():\n    import late", set()),
        ("if False:\n    import never", set()),
        ("text = '''\nimport this_is_text\n'''", set()),
        ("from . import sibling\nfrom .beside import x", set()),
        ("import half of it(", set()),
        ("%%bash\nimport shell", set()),
        ("?help\nimport json", {"json"}),
        ("", set()),
    ],
)
def test_only_what_a_cell_imports_whatever_happens(cell, names):
    assert set(imported([cell], [])) == names


def test_modules_beside_the_notebooks_or_written_by_a_cell_are_the_assignments_own():
    cells = ["import tools, pack.inner, written, away", "%%writefile written.py\nx = 1"]
    assert imported(cells, ["tools.py", "pack/inner.py", "data.csv"]) == ("away",)


@pytest.mark.parametrize("cell", ["import sys\nsys.path.append('lib')", "%cd lib", "import importlib"])
def test_where_the_path_is_changed_nobody_can_tell(cell):
    assert imported(["import anything", cell], []) == ()
