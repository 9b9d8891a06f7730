"""Units 7 and 9 from training to points: the solution trains its models, hands in the weights, and gets every point;
without or with bad ones it does not.
"""

import nbformat
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from autograder.authoring import releasing, sample
from autograder.authoring.preview import preview
from autograder.grading import coordinator

WEIGHTS = "weights.safetensors"
# Of each unit: the exercises that need no weights and their points, those that do, and the points of all.
UNITS = {
    "u7_transformer": ({"Transformer", "train_step"}, 7, {"DigitClassifier", "translate"}, 15),
    "u9_language_model": (
        {"GatedFeedForward", "DecoderBlock", "next_probabilities", "generate", "sliding_window_mask"},
        14,
        {"LanguageModel"},
        18,
    ),
}


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


@pytest.fixture(scope="module", params=UNITS)
def unit(request):
    return request.param


@pytest.fixture(scope="module")
def graded(tmp_path_factory, unit):
    folder = tmp_path_factory.mktemp("capstone")
    result = preview(unit, folder / "desk", timeout=600)
    assert not result["failed"], result["failed"]
    room = releasing.init(folder / "class", [unit])
    for student, damage in {"trained": lambda path: None, **BAD}.items():
        handed_in = room.root / "submitted" / student / unit
        handed_in.mkdir(parents=True)
        nbformat.write(sample.answered(unit), handed_in / f"{unit}.ipynb")
        (handed_in / WEIGHTS).write_bytes((folder / "desk" / WEIGHTS).read_bytes())
        damage(handed_in / WEIGHTS)
    return {one.student: one for one in coordinator.grade(room, [unit], feedback=False)}


def test_trained_models_get_every_point_that_a_check_can_give(graded, unit):
    assert graded["trained"].score == UNITS[unit][3] and graded["trained"].outcome.state == "graded"


@pytest.mark.parametrize("student", BAD)
def test_bad_weights_cost_the_points_that_need_them_and_no_others(graded, unit, student):
    of_code, points, of_weights, _ = UNITS[unit]
    result = graded[student]
    passed = {name for name, verdict in result.outcome.final.items() if verdict.passed}
    assert passed == of_code and result.score == points
    for name in of_weights:
        assert len(result.outcome.final[name].finding.message) > 20, result.outcome.final[name]
