"""nbgrader's own tests of autograding, run with our configuration switched on."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests import gradebooks

# Both submit cells that the assignment does not have and expect the whole submission to be refused, with no
# grade at all. Here every submission ends graded or with a reason (trust rule 4): such cells lose their marks.
CONTRADICT = ("test_handle_failure", "test_handle_failure_single_notebook")


def test_nbgraders_own_autograde_tests_pass(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(
        "from autograder.marking.plugin import configure\nconfigure(get_config())\n", encoding="utf-8"
    )
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(tmp_path), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(Path(gradebooks.__file__).parents[1]),
    }  # fmt: skip
    environment.pop("PYTEST_ADDOPTS", None)
    call = [
        sys.executable,
        "-m",
        "pytest",
        "--pyargs",
        "nbgrader.tests.apps.test_nbgrader_autograde",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        gradebooks.__name__,
        "-W",
        "ignore",
        "--tb=line",
    ]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=840, check=False)
    failed = re.findall(r"^FAILED \S*::(\w+)", done.stdout, re.M)
    assert sorted(failed) == sorted(CONTRADICT), done.stdout[-3000:] + done.stderr[-1000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed and int(passed[1]) >= 38, done.stdout[-500:]
