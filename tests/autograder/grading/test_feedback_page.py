"""Feedback pages: verdicts and hints for the learner, no hidden data, and nothing of the learner's that would run in a
browser.
"""

import nbformat
import pytest

from autograder.authoring import releasing, sample
from autograder.grading import coordinator

SPY = """
SEEN = []
def similarity_matrix(X):
    SEEN.append(X.copy())
    return X @ np.swapaxes(X, -1, -2)
"""
TELL = "print('SPIED', len(SEEN), [x.sum() for x in SEEN])"
ATTACK = '<script>alert("markdown")</script><img src=x onerror=alert(1)>'
SHOW = "from IPython.display import HTML, display\ndisplay(HTML('<script>alert(\"output\")</script>'))"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    room = releasing.init(tmp_path_factory.mktemp("feedback") / "class", [sample.UNIT])
    notebook = sample.answered(
        sample.UNIT, {"similarity_matrix": SPY, "attention_scores": "def attention_scores(Q, K):\n    return Q @ K"}
    )
    notebook.cells.append(nbformat.v4.new_code_cell(TELL, id="tell"))
    notebook.cells.append(nbformat.v4.new_code_cell(SHOW, id="show"))
    notebook.cells.append(nbformat.v4.new_markdown_cell(ATTACK, id="attack"))
    folder = room.root / "submitted" / "ann" / sample.UNIT
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{sample.UNIT}.ipynb")
    result = coordinator.grade(room, [sample.UNIT])[0]
    assert result.score == 2 and result.outcome.state == "graded"
    return (room.root / "feedback" / "ann" / sample.UNIT / f"{sample.UNIT}.html").read_text(encoding="utf-8")


def test_shows_the_named_mistake_and_its_hint(page):
    assert "forgot the transpose: Q @ K" in page and "put K on its side" in page


def test_shows_no_hidden_test_and_no_hidden_case(page):
    assert "hidden=True" not in page and "BEGIN HIDDEN" not in page
    assert "SPIED 1" not in page


def test_nothing_of_the_learners_runs_in_the_readers_browser(page):
    assert (
        '<script>alert("markdown")' not in page
        and "<script>alert(&quot;output" not in page
        and '<script>alert("output")' not in page
    )
    assert "<img src=x onerror" not in page and '<img src="x" onerror' not in page
