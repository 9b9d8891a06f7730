"""Unit 7 from training to points: the solution trains its models, hands in the weights, and gets every point; without
or with bad ones it does not.
"""

import nbformat
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from autograder.authoring import releasing, sample
from autograder.authoring.preview import preview
from autograder.grading import coordinator

UNIT = "u7_transformer"
WEIGHTS = "weights.safetensors"
OF_CODE, OF_WEIGHTS = {"Transformer", "train_step"}, {"DigitClassifier", "translate"}


def untrained(path):
    arrays = load_file(path)
    rng = np.random.default_rng(0)
    save_file({name: (rng.normal(size=array.shape) * 0.1).astype(array.dtype) for name, array in arrays.items()}, path)


def with_nan(path):
    save_file({name: np.full_like(array, np.nan) for name, array in load_file(path).items()}, path)


def of_another_shape(path):
    save_file({name: np.repeat(array, 2, axis=0) for name, array in load_file(path).items()}, path)


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-100])


def gigantic(path):
    path.write_bytes(path.read_bytes() + bytes(21 * 2**20))


def pickled(path):
    path.write_bytes(b"\x80\x04cos\nsystem\n(S'touch PWNED'\ntR.")


BAD = {
    "untrained": untrained,
    "nan": with_nan,
    "shape": of_another_shape,
    "cut": cut_off,
    "gigantic": gigantic,
    "pickled": pickled,
    "missing": lambda path: path.unlink(),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("capstone")
    result = preview(UNIT, folder / "desk", timeout=600)
    assert not result["failed"], result["failed"]
    room = releasing.init(folder / "class", [UNIT])
    for student, damage in {"trained": lambda path: None, **BAD}.items():
        handed_in = room.root / "submitted" / student / UNIT
        handed_in.mkdir(parents=True)
        nbformat.write(sample.answered(UNIT), handed_in / f"{UNIT}.ipynb")
        (handed_in / WEIGHTS).write_bytes((folder / "desk" / WEIGHTS).read_bytes())
        damage(handed_in / WEIGHTS)
    return {one.student: one for one in coordinator.grade(room, [UNIT], feedback=False)}


def test_trained_models_get_every_point_that_a_check_can_give(graded):
    assert graded["trained"].score == 15 and graded["trained"].outcome.state == "graded"


@pytest.mark.parametrize("student", BAD)
def test_bad_weights_cost_the_points_that_need_them_and_no_others(graded, student):
    result = graded[student]
    passed = {name for name, verdict in result.outcome.final.items() if verdict.passed}
    assert passed == OF_CODE and result.score == 7
    for name in OF_WEIGHTS:
        assert len(result.outcome.final[name].finding.message) > 20, result.outcome.final[name]
