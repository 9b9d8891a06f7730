"""What a learner's code saw in a hidden check reaches no page of the learner's: no error, value, comment or file."""

import nbformat
import pytest

from autograder.authoring import releasing, sample
from autograder.grading import coordinator
from helpers.judging import catalog, judge

UNIT = sample.UNIT
VISIBLE = len(judge.paper(catalog.unit_exercises(UNIT)["similarity_matrix"], judge.VISIBLE_SEED).cases)
REMEMBER = """
SEEN = []
def similarity_matrix(X):
    SEEN.append(X.copy())
    open("seen.html", "w").write(f"SAW {len(SEEN)}.")
    return X @ np.swapaxes(X, -1, -2)
"""
# One way out for each kind of text that a verdict can quote.
RAISE = """
def cosine_similarity(X):
    return {}[f"SAW {len(SEEN)}."]
"""
NAME = """
def cosine_similarity(X):
    raise type(f"SAW{len(SEEN)}x", (Exception,), {})("")
"""
RETURN = """
def cosine_similarity(X):
    return np.full((len(X), len(X)), 90000.0 + len(SEEN))
"""
END = "import os\nos._exit(0)"


def spy(teller, ending=""):
    notebook = sample.answered(UNIT)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name == "similarity_matrix":
            cell.source = REMEMBER
        elif name == "cosine_similarity":
            cell.source = teller
        elif name == "attention_scores" and ending:
            cell.source = ending
    return notebook


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    room = releasing.init(tmp_path_factory.mktemp("spies") / "class", [UNIT])
    notebooks = {
        "raises": spy(RAISE),
        "names": spy(NAME),
        "returns": spy(RETURN),
        "ends": spy(RAISE, END),
        "honest": sample.answered(UNIT),
    }
    for student, notebook in notebooks.items():
        folder = room.root / "submitted" / student / UNIT
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{UNIT}.ipynb")
    results = coordinator.grade(room, [UNIT], jobs=1)
    return room, {result.student: result for result in results}


@pytest.mark.parametrize(
    ("student", "told"),
    [
        ("raises", f"SAW {VISIBLE}."),
        ("names", f"SAW{VISIBLE}x"),
        ("returns", f"{90000 + VISIBLE}"),
        ("ends", f"SAW {VISIBLE}."),
    ],
)
def test_a_later_check_tells_only_what_the_visible_cases_showed(graded, student, told):
    room, results = graded
    page = (room.root / "feedback" / student / UNIT / f"{UNIT}.html").read_text(encoding="utf-8")
    notebook = (room.root / "autograded" / student / UNIT / f"{UNIT}.ipynb").read_text(encoding="utf-8")
    assert told in notebook and (student == "returns" or told in page)
    for count in range(VISIBLE + 1, VISIBLE + 40):
        for text in (page, notebook):
            assert told.replace(str(VISIBLE), str(count)) not in text
    with room.gradebook() as gradebook:
        comments = [c.comment for n in gradebook.find_submission(UNIT, student).notebooks for c in n.comments]
    shown = [text for text in comments if text and "SAW" in text]
    assert len(shown) == (student in ("raises", "ends")) and all(told in text for text in shown)


def test_a_file_that_a_notebook_wrote_is_no_page_of_feedback(graded):
    room, _ = graded
    assert (room.root / "autograded" / "raises" / UNIT / "seen.html").is_file()
    assert [path.name for path in (room.root / "feedback" / "raises" / UNIT).glob("*.htm*")] == [f"{UNIT}.html"]


def test_the_points_are_those_of_both_checks(graded):
    _, results = graded
    assert results["honest"].score == 17
    assert results["raises"].score == results["returns"].score == results["names"].score < 17


def test_a_notebook_that_ends_itself_keeps_what_was_judged_before(graded):
    _, results = graded
    outcome = results["ends"].outcome
    assert "ended before its last cell" in outcome.stopped
    assert outcome.final["similarity_matrix"].passed and outcome.final["project"].passed
    assert not outcome.final["attention_scores"].passed
