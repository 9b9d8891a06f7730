"""Answers of learners, and the examples that a report shows of them without saying whose they are."""

import pytest

from autograder.classroom.answers import Answers
from autograder.report import examples
from autograder.report.graded_class import Person

from .pages import POINTS, UNIT, written
from .synthetic import Work, counted, draw, fill, write_notebook

ANSWER = '''
def project(X, W_q, W_k, W_v):
    """Ann Müller wrote this."""
    # ann.mueller@example.org
    anns_weights = (W_q, W_k, W_v)  # mine, Ann
    if X is None:
        raise ValueError("call Ann: 0123 456")
    scores = np.einsum("nd,dk->nk", X, W_q)
    text = f"by {X} for Ann"
    return tuple(X @ W for W in anns_weights), X.max(), 4711081
'''


def stripped(room, code):
    return examples.Anonymous([Person("4711081", "Ann", "Müller"), Person("max", "Max")], Answers(room)).strip(
        code, UNIT
    )


def test_an_example_tells_nothing_of_whose_it_is(room):
    shown = stripped(room, ANSWER)
    assert not [word for word in ("ann", "müller", "mueller", "0123", "4711081", "#") if word in shown.casefold()]
    for kept in ("def project(X, W_q, W_k, W_v):", "'nd,dk->nk'", "X.max()", "raise ValueError('…')"):
        assert kept in shown


def test_a_long_example_is_cut_and_a_broken_one_left_out(room):
    shown = stripped(room, "\n".join(f"x{i} = {'1 + ' * 60}1" for i in range(50)))
    assert len(shown.splitlines()) == examples.MOST_LINES and max(map(len, shown.splitlines())) == examples.MOST_WIDTH
    assert stripped(room, "def project(:\n  # Ann") == "" == stripped(room, "")


def test_the_page_shows_an_example_of_each_mistake(room):
    mistake = next(iter(counted(draw(UNIT, ["x"] * 9, seed=1))))
    code = f"def {mistake[0]}(*args):\n    '''Zoe Zimmer'''\n    zoe = 1  # <script>\n    return args[0] < zoe"
    fill(room, UNIT, [Work("zoe", {mistake[0]: mistake[1]}, {mistake[0]: code}), Work("ann", {mistake[0]: mistake[1]})])
    page = written(room)
    assert (
        f"def {mistake[0]}(*args):\n    name_1 = 1\n    return args[0] < name_1" in page.text
        and "Zimmer" not in page.text
    )


def test_answers_come_from_the_graded_notebook_then_from_the_submitted_one(room):
    graded, handed_in = ({"project": code} for code in ("x = 1", "x = 2"))
    write_notebook(room.root / "submitted" / "ann" / UNIT / f"{UNIT}.ipynb", handed_in)
    assert Answers(room).of(UNIT, "ann") == handed_in
    write_notebook(room.root / "autograded" / "ann" / UNIT / f"{UNIT}.ipynb", graded)
    assert Answers(room).of(UNIT, "ann") == graded
    assert Answers(room).of(UNIT, "../autograded/ann") == {} == Answers(room).of(UNIT, "bob")
    assert set(Answers(room).solutions(UNIT)) == set(POINTS) == set(Answers(room).released(UNIT))
    assert "SOLUTION" not in "".join(Answers(room).solutions(UNIT).values())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"cells": 3}',
        '{"cells": [3, {"metadata": 1, "source": null}, {"metadata": {"nbgrader": []}, "source": [1]}]}',
        "[" * 99_999,
    ],
)
def test_a_file_that_is_no_notebook_has_no_answers(room, text):
    path = room.root / "autograded" / "ann" / UNIT / f"{UNIT}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    assert Answers(room).of(UNIT, "ann") == {}
