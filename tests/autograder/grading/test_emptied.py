"""A graded notebook or a feedback page that lost its content, as on a full disk, is made again by the next run."""

import nbformat
import pytest

from autograder.authoring import releasing, sample
from autograder.grading import coordinator

UNIT = sample.UNIT


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    room = releasing.init(tmp_path_factory.mktemp("emptied") / "class", [UNIT])
    folder = room.root / "submitted" / "ann" / UNIT
    folder.mkdir(parents=True)
    nbformat.write(sample.answered(UNIT), folder / f"{UNIT}.ipynb")
    assert coordinator.grade(room, [UNIT])[0].fresh
    assert not coordinator.grade(room, [UNIT])[0].fresh
    return room


@pytest.mark.parametrize("left", [0, 1, 1000])
def test_an_emptied_or_cut_graded_notebook_is_graded_again(room, left):
    path = room.root / "autograded" / "ann" / UNIT / f"{UNIT}.ipynb"
    whole = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(whole[:left])
    result = coordinator.grade(room, [UNIT])[0]
    assert result.fresh and result.score == 17 and path.read_bytes() == whole


@pytest.mark.parametrize("left", [0, 1000])
def test_an_emptied_or_cut_page_is_written_again(room, left):
    path = room.root / "feedback" / "ann" / UNIT / f"{UNIT}.html"
    whole = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(whole[:left])
    assert not coordinator.grade(room, [UNIT])[0].fresh
    assert path.read_bytes() == whole
