"""What a feedback page shows of a graded notebook and of the gradebook, and that it cannot be led astray by either."""

import copy
import pickle
import re

import nbformat
import pytest

from autograder.marking.feedback_grades import Grades, Points
from autograder.marking.feedback_page import draft, draft_of, number
from autograder.marking.shortening import MOST_SOURCES

from .hostile import MARKUP, dangers

KINDS = {"grade": False, "solution": False, "task": False, "locked": False, "schema_version": 3}


def graded(name: str, source: str, kind: str = "code", **marks) -> nbformat.NotebookNode:
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    cell = make(source, id=name.replace("_", "-"))
    cell.metadata["nbgrader"] = nbformat.from_dict(KINDS | {"grade_id": name, "cell_type": kind} | marks)
    return cell


def notebook(*more: nbformat.NotebookNode) -> nbformat.NotebookNode:
    cells = [
        nbformat.v4.new_markdown_cell("# Squares\n\nThe square of $x$.", id="text"),
        graded("square", "def square(x):\n    return x", solution=True),
        graded("test_square", "assert square(3) == 9", grade=True, points=2),
        graded("why", "Because.", "markdown", grade=True, solution=True, points=3),
        graded("draw", "Draw it.", "markdown", task=True, points=1),
        *more,
    ]
    return nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})


GRADES = Grades(
    {"test_square": Points(0.5, 2), "why": Points(0, 3, waits=True), "draw": Points(1, 1)},
    {"square": "No: `x` *times* `x`.", "draw": "A fine one: $x^2$."},
)


def page(nb: nbformat.NotebookNode, grades: Grades = GRADES, **named) -> str:
    return draft(copy.deepcopy(nb), "homework", "squares", **named).page(grades)


def test_the_index_has_each_exercise_with_points_and_leads_to_it():
    made = page(notebook())
    rows = re.findall(
        r'<tr><td><a href="#(.*?)">(.*?)</a></td><td class="points">(.*?)</td><td class="points">(.*?)</td>', made
    )
    assert rows == [
        ("test_square", "square", "0.5", "2"),
        ("why", "why", "not graded yet", "3"),
        ("draw", "draw", "1", "1"),
    ]
    assert "squares: 1.5 of 6 points</h1>" in made
    for anchor in re.findall(r'href="#(.*?)"', made):
        assert made.count(f'id="{anchor}"') == 1
    assert made.count("with a comment</a>") == made.count("<b>Comment:</b>") == 2


def test_points_and_comments_stand_with_their_cells():
    made = page(notebook())
    answer, check, why, draw = re.findall(r'<section class="graded".*?</section>', made, re.DOTALL)
    assert "<b>Your answer</b>" in answer and "points" not in answer and "<em>times</em>" in answer
    assert "Check of <code>square</code>" in check and "0.5 of 2 points" in check
    assert "not graded yet, 3 points" in why and "Comment" not in why
    assert "<b>Your task</b>" in draw and "1 of 1 points" in draw and "<msup>" in draw


def test_a_late_penalty_is_taken_off_and_said():
    made = page(notebook(), Grades(GRADES.points, {}, late_penalty=0.25))
    assert "squares: 1.25 of 6 points</h1>" in made
    assert '<td>Handed in late</td><td class="points">-0.25</td>' in made
    assert "Handed in late" not in page(notebook())


@pytest.mark.parametrize(("value", "told"), [(2.0, "2"), (0.0, "0"), (1.005, "1"), (2 / 3, "0.67"), (100.0, "100")])
def test_points_are_written_as_people_write_them(value, told):
    assert number(value) == told


def test_the_same_page_comes_from_the_notebook_in_memory_and_from_its_file():
    nb = notebook(nbformat.v4.new_raw_cell("raw <b>", id="raw"))
    nb.cells[2].outputs = [
        nbformat.v4.new_output("stream", text="one\ntwo\n"),
        nbformat.v4.new_output("error", ename="E", evalue="e", traceback=["\x1b[31mE\x1b[0m", "e\n"]),
        nbformat.v4.new_output("display_data", {"text/html": "<b>bold</b>\n", "text/plain": "bold"}),
    ]
    text = nbformat.writes(nb)
    sent = pickle.loads(pickle.dumps(draft(nb, "homework", "squares", ["A fine one: $x^2$."])))
    assert sent.page(GRADES) == draft_of(text, "homework", "squares").page(GRADES)


def test_comments_made_ahead_are_those_made_later():
    assert page(notebook(), comments=list(GRADES.comments.values())) == page(notebook())


@pytest.mark.parametrize("hostile", MARKUP)
def test_nothing_of_a_learners_runs_in_a_page(hostile):
    told = nbformat.v4.new_output("error", ename=hostile, evalue=hostile, traceback=[hostile])
    code = nbformat.v4.new_code_cell(hostile, id="code", outputs=[told, nbformat.v4.new_output("stream", text=hostile)])
    more = [nbformat.v4.new_markdown_cell(hostile, id="m"), nbformat.v4.new_raw_cell(hostile, id="r"), code]
    made = page(notebook(*more), Grades(GRADES.points, {"square": hostile, "draw": hostile}))
    assert not dangers(made[made.index("<main") :])


def test_an_output_that_was_not_made_anew_is_now():
    data = {"application/javascript": "ran()", "text/html": "<b onclick=ran()>x</b>", "text/plain": "y"}
    cell = nbformat.v4.new_code_cell("x", id="x", outputs=[nbformat.v4.new_output("display_data", data)])
    made = page(notebook(cell))
    assert "ran()" not in made and "<b>x</b>" in made


def test_a_picture_keeps_its_size_and_nothing_else():
    output = nbformat.v4.new_output("display_data", {"image/png": 'AA"A'})
    output.metadata["image/png"] = {"width": 30, "height": "1 onerror=ran()"}
    made = page(notebook(nbformat.v4.new_code_cell("x", id="x", outputs=[output])))
    assert '<img alt="a picture" src="data:image/png;base64,AA&quot;A" width="30">' in made


def test_a_page_is_cut_to_what_can_be_read():
    long = [nbformat.v4.new_markdown_cell("m " * 9000, id=f"m{i}") for i in range(60)]
    assert len(page(notebook(*long))) < MOST_SOURCES + 100_000


def test_no_hidden_test_is_shown():
    tests = (
        "assert square(3) == 9\n### BEGIN HIDDEN TESTS\nassert square(12345) == 152399025\n### END HIDDEN TESTS\nx = 1"
    )
    made = page(notebook(graded("test_more", tests, grade=True, points=1)))
    assert "HIDDEN" not in made and "12345" not in made and ">9<" in made and ">1<" in made
    open_end = page(notebook(graded("test_more", "### BEGIN HIDDEN TESTS\nprobe = 12345", grade=True, points=1)))
    assert "HIDDEN" not in open_end and "12345" not in open_end


def test_a_cell_that_the_gradebook_does_not_know_has_no_points():
    made = page(notebook(graded("test_other", "x", grade=True, points=1)))
    assert "Check of <code>other</code></b><span> <a" in made
