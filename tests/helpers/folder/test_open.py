"""`attention open`: JupyterLab on one unit of the learner's folder, in the language that is asked for."""

import os
import shutil
import subprocess
import sys

import pytest

from autograder import course
from helpers.folder import opening, place
from helpers.folder.errors import FolderError

U0, U2 = "u0_start_here", "u2_softmax_scaling"


@pytest.fixture
def somewhere(tmp_path, monkeypatch):
    """A course with two units, one of them in Russian too, and a learner who has nothing yet."""
    for unit in (U0, U2):
        shutil.copytree(course.NOTEBOOKS / unit, tmp_path / "course" / "notebooks" / unit)
    shutil.copytree(course.NOTEBOOKS / U2, tmp_path / "course" / "notebooks" / "ru" / U2)
    shutil.copyfile(course.ROOT / "jupyter_lab_config.py", tmp_path / "course" / "jupyter_lab_config.py")
    monkeypatch.delenv("ATTENTION_FOLDER", raising=False)
    return tmp_path / "course"


def opened(where, *words):
    """What JupyterLab says until it says where it is; then it is stopped."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "NBGRADER"))}
    line = [sys.executable, "-c", "from helpers.cli import main; main()", "open", *words, "--no-browser"]
    # The server ends with the program that it was started by, as in a terminal that is closed.
    with subprocess.Popen(
        line, cwd=where, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as started:  # fmt: skip
        said = []
        for text in started.stdout:
            said.append(text)
            if "http" in text and "/lab/tree/" in text:
                break
        os.killpg(started.pid, 15)
    return "".join(said)


def test_it_makes_the_folder_and_opens_the_unit_there(somewhere):
    said = opened(somewhere, "u2")
    assert f"/lab/tree/{U2}/{U2}.ipynb" in said
    assert place.units(somewhere.parent / place.NAME) == [U0, U2]


def test_another_language_is_opened_by_its_name(somewhere):
    said = opened(somewhere, "u2", "--language", "ru")
    assert f"/lab/tree/{U2}/{U2}.ipynb" in said
    assert place.record(somewhere.parent / place.NAME).course == str(somewhere / "notebooks" / "ru")


def test_a_unit_or_a_language_that_is_not_there_is_told(somewhere):
    notebooks = somewhere / "notebooks"
    with pytest.raises(FolderError, match="there is no unit 'u7'.*there are u0_start_here, u2_softmax_scaling"):
        opening.unit_of(notebooks, "u7")
    with pytest.raises(FolderError, match="the course is not in 'fr'; it is in en, ru"):
        place.in_language(notebooks, "fr")
    assert place.in_language(notebooks / "ru", "en") == notebooks
