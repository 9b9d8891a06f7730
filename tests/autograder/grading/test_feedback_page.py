"""Feedback pages: verdicts and hints for the learner, no hidden data, and nothing of the learner's that would run in a
browser.
"""

import html
import logging
import re

import nbformat
import pytest
from nbgrader.converters import GenerateFeedback

from autograder.authoring import releasing, sample
from autograder.classroom.classroom import CONFIG, Classroom
from autograder.grading import coordinator, feedback
from tests import environments
from tests.autograder.grading import plain

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
def room(tmp_path_factory):
    room = releasing.init(tmp_path_factory.mktemp("feedback") / "class", [sample.UNIT])
    notebook = sample.answered(
        sample.UNIT, {"similarity_matrix": SPY, "attention_scores": "def attention_scores(Q, K):\n    return Q @ K"}
    )
    notebook.cells.append(nbformat.v4.new_code_cell(TELL, id="tell"))
    notebook.cells.append(nbformat.v4.new_code_cell(SHOW, id="show"))
    notebook.cells.append(nbformat.v4.new_markdown_cell(ATTACK, id="attack"))
    for student in ("ann", "ben"):
        folder = room.root / "submitted" / student / sample.UNIT
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{sample.UNIT}.ipynb")
    for name in ("plot.csv", "own.html"):
        (room.root / "submitted" / "ann" / sample.UNIT / name).write_text("1", encoding="utf-8")
    result = coordinator.grade(room, [sample.UNIT])[0]
    assert result.score == 2 and result.outcome.state == "graded"
    return room


def pages(room):
    """The pages, and all that lies beside them, by path."""
    folder = room.root / "feedback"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def page(room):
    return pages(room)[f"ann/{sample.UNIT}/{sample.UNIT}.html"].decode()


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


def test_begins_with_its_exercises_and_their_points(page):
    rows = re.findall(r"<tr>\s*<td><a href=\"#(.*?)\">(.*?)</a></td>\s*<td[^>]*>(.*?)</td>\s*<td[^>]*>(.*?)</td>", page)
    assert [row[1] for row in rows] == [
        "similarity_matrix",
        "cosine_similarity",
        "project",
        "scores_for_query",
        "attention_scores",
        "attention_scores_columns",
        "why two projections",
    ]
    assert rows[0][2:] == ("2", "2") and rows[4][2:] == ("0", "4") and "2 of 20 points</h1>" in page
    for anchor, *_ in rows:
        assert f'name="{anchor}"' in page or f'id="{anchor}"' in page
    assert rows[6][2:] == ("0", "3") or rows[6][2] == "not graded yet"
    assert "Test cell" not in page and 'href="#comment-attention_scores">with a comment' in page


def test_says_nothing_where_there_is_no_comment(page):
    assert "No response" not in page and page.count("<b>Comment:</b>") == page.count("with a comment</a>") == 1


def test_asks_for_no_script_and_allows_none(page):
    assert "<script" not in page and "script-src 'none'" in page and "mathjax" not in page.lower()
    assert page.count("<math ") > 20 and 'class="as-typed"' not in page


def test_nbgraders_own_command_gives_the_same_page(room):
    before = pages(room)
    log = logging.Logger("quiet")
    GenerateFeedback(coursedir=room.directory(log, sample.UNIT), config=room.config, log=log, force=True).start()
    assert pages(room) == before and f"ann/{sample.UNIT}/plot.csv" in before
    assert not [name for name in before if name.endswith("own.html")]


def test_after_grading_by_hand_only_the_page_that_changed_is_written(room, monkeypatch):
    before, written = pages(room), []
    original = feedback.write_pages
    monkeypatch.setattr(feedback, "write_pages", lambda *about: written.append(about[2]) or original(*about))
    coordinator.grade(room, [sample.UNIT])
    assert written == []
    with room.gradebook() as gradebook:
        gradebook.find_grade("why_two_projections", sample.UNIT, sample.UNIT, "ben").manual_score = 2
        gradebook.find_comment("why_two_projections", sample.UNIT, sample.UNIT, "ben").manual_comment = "So $q \\ne k$."
        gradebook.db.commit()
    coordinator.grade(room, [sample.UNIT])
    after = pages(room)
    assert written == ["ben"] and {name for name in after if after[name] != before[name]} == {
        f"ben/{sample.UNIT}/{sample.UNIT}.html"
    }
    page = after[f"ben/{sample.UNIT}/{sample.UNIT}.html"].decode()
    assert "4 of 20 points</h1>" in page and "<b>Comment:</b> <p>So <math" in page
    log = logging.Logger("quiet")
    GenerateFeedback(coursedir=room.directory(log, sample.UNIT), config=room.config, log=log, force=True).start()
    assert pages(room) == after


LATE = """
c.LateRules.share_per_day = 0.1
c.LateRules.free_days = 1
"""


def test_nbgraders_own_command_says_of_late_work_what_ours_says(tmp_path):
    room = plain.make(tmp_path / "class")
    with open(room.root / CONFIG, "a", encoding="utf-8") as file:
        file.write(LATE)
    room = Classroom.open(room.root)
    with room.gradebook() as book:
        book.update_or_create_assignment(plain.NAME, duedate="2026-10-01 12:00 UTC")
    for student, time in (("ada", "2026-10-02 12:00 UTC"), ("ben", "2026-10-03 12:00 UTC"), ("cora", "2026-10-01")):
        (plain.submit(room, student, plain.RIGHT) / "timestamp.txt").write_text(time, encoding="utf-8")
    coordinator.grade(room, [plain.NAME])
    before = pages(room)
    for student, told in (("ada", "1 free late day spent, 0 left"), ("ben", "0 left, 10 % taken off")):
        page = before[f"{student}/{plain.NAME}/part1.html"].decode()
        assert f"Handed in late: {told}" in page or f", {told}" in page
    assert "Handed in late" not in before[f"cora/{plain.NAME}/part1.html"].decode()
    environments.nbgrader("generate_feedback", plain.NAME, "--force", folder=room.root)
    assert {name for name, data in pages(room).items() if before[name] != data} == set()


TESTS = """square_root = 3
assert square(2) == 4
### BEGIN HIDDEN TESTS
probe = 12345
assert square(probe) == probe**2, "square(12345) is 152399025"
### END HIDDEN TESTS"""


def foreign(kind, name, source, **marks):
    made = nbformat.v4.new_code_cell(source, id=name.replace("_", "-"))
    made.metadata["nbgrader"] = {
        "schema_version": 3, "grade_id": name, "grade": False, "solution": False, "locked": False, "task": False,
        "cell_type": kind,
    } | marks  # fmt: skip
    return made


@pytest.mark.parametrize("answer", ["x + 2", "undefined", "2 * x if x == 2 else 1 / 0"])
def test_no_traceback_of_any_assignment_shows_a_hidden_test(tmp_path, answer):
    room = releasing.init(tmp_path / "class", [])
    cells = [
        foreign(
            "code", "square", "### BEGIN SOLUTION\ndef square(x):\n    return x * x\n### END SOLUTION", solution=True
        ),
        foreign("code", "test_square", TESTS, grade=True, locked=True, points=2),
    ]
    source = room.root / "source" / "homework" / "homework.ipynb"
    source.parent.mkdir()
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), source)
    releasing.release(room, "homework")
    notebook = nbformat.read(room.root / "release" / "homework" / "homework.ipynb", as_version=4)
    notebook.cells[0].source = f"def square(x):\n    return {answer}"
    folder = room.root / "submitted" / "ann" / "homework"
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / "homework.ipynb")
    assert coordinator.grade(room, ["homework"])[0].score == 0
    text = html.unescape((room.root / "feedback" / "ann" / "homework" / "homework.html").read_text(encoding="utf-8"))
    text = re.sub(r"<[^>]*>", "", text)
    assert not [told for told in ("HIDDEN", "12345", "152399025", "probe") if told in text]
    assert ("NameError" if answer == "undefined" else "a hidden test failed") in text
    assert "square_root = 3" in text
