"""`doctor --course`: each thing that would stop grading, or that others may read, is a row with a remedy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.authoring import releasing
from autograder.classroom import examination
from autograder.classroom.classroom import CONFIG


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    room = releasing.init(tmp_path_factory.mktemp("examination") / "class", ["u0_start_here"])
    with room.gradebook() as gradebook:
        gradebook.update_or_create_student("ada")
    return room.root


@pytest.fixture
def root(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "class"))


def absent(root):
    return {row.name: f"{row.seen} {row.remedy}" for row in examination.examine(root) if not row.present}


def append(root, line):
    with open(root / CONFIG, "a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


FAULTS = {
    "configuration": (lambda root: append(root, "this is no python"), CONFIG),
    "folders": (lambda root: shutil.rmtree(root / "release"), "not there: release"),
    "class folder's rights": (lambda root: root.chmod(0o755), "755: others may read it chmod 700"),
    "secret": (lambda root: (root / ".attention" / "secret").unlink(), "restore it from a backup"),
    "gradebook": (lambda root: (root / "gradebook.db").write_bytes(b"no database" * 99), "from a backup"),
    "gradebook's rights": (lambda root: (root / "gradebook.db").chmod(0o644), "644: others may read it chmod 600"),
    "exchange": (lambda root: append(root, "c.Exchange.root = '/nowhere'"), "/nowhere is not there"),
}


def test_a_new_class_is_whole(root):
    assert absent(root) == {}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_a_row_with_a_remedy_and_nothing_is_made(root, name):
    spoil, told = FAULTS[name]
    spoil(root)
    before = sorted(root.rglob("*"))
    found = absent(root)
    assert list(found) == [name] and told in found[name] and sorted(root.rglob("*")) == before


def test_the_gradebook_that_is_not_there_is_named_and_not_made(root):
    (root / "gradebook.db").unlink()
    assert "is not there" in absent(root)["gradebook"] and not (root / "gradebook.db").exists()


def test_the_command_shows_the_class_too(root):
    (root / ".attention" / "secret").write_text("no secret")
    command = [str(Path(sys.executable).parent / "autograder"), "doctor", "--course", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1 and "The class in" in done.stdout and "damaged" in done.stdout
