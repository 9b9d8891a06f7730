"""The part of `helpers` that a sandboxed notebook sees: complete in itself, and without anything that tells what is
right.
"""

import os
import subprocess
import sys

import pytest

from autograder import course
from autograder.sandbox.outside.library import lay_out, modules


@pytest.mark.parametrize("unit", ["u1_dot_products", "u7_transformer"])
def test_every_module_of_it_can_be_imported_without_the_others(unit, tmp_path):
    lib = lay_out(unit, tmp_path)
    code = (
        f"import importlib, helpers\nassert helpers.__file__.startswith({str(lib)!r}), helpers.__file__\n"
        f"for name in {modules(lib)!r}:\n    importlib.import_module(name)"
    )
    environment = os.environ | {"PYTHONPATH": str(lib), "MPLBACKEND": "agg", "MPLCONFIGDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", [None, *course.units()])
def test_it_has_earlier_references_only_and_no_judge(unit, tmp_path):
    names = modules(lay_out(unit, tmp_path))
    references = [name for name in names if name.startswith("helpers.reference.u")]
    number = course.number(unit) if unit else 0
    assert [course.number(name.rpartition(".")[2]) for name in references] == list(range(number))
    assert not [name for name in names if any(part in name for part in ("judging", "exercises", "ablation", "verdict"))]
    files = {path.stem.partition(".")[0] for path in (tmp_path / "lib").rglob("*.pyc")}
    assert files <= {name.rpartition(".")[2] for name in names} | {"__init__"}
