"""A class of several languages: the same answers have the same points, and each page speaks its notebook's language."""

import re

import nbformat
import pytest

from autograder.authoring import releasing, sample
from autograder.authoring.building import notebook_path
from autograder.grading import coordinator
from autograder.marking.outcomes import read_outcome
from tests.grading import classes

LANGUAGES = ("en", "ru", "zh")
ANSWERS = {
    "right": None,
    "untouched": {},
    "wrong": {
        "similarity_matrix": "def similarity_matrix(X):\n    return np.swapaxes(X, -1, -2) @ X",
        "attention_scores": "def attention_scores(Q, K):\n    return Q @ K",
        "why_two_projections": "Because a question is no answer.",
    },
}
NAMED = {
    "en": "forgot the transpose: Q @ K",
    "ru": "забыто транспонирование: Q @ K",
    "zh": "忘了转置：Q @ K",
}


def answered(language, answers):
    """A unit's notebook in a language, with the answers of an English one in it."""
    told = nbformat.read(notebook_path(sample.UNIT, language), as_version=4)
    english = {cell.id: cell.source for cell in sample.answered(sample.UNIT, answers).cells}
    blank = {cell.id: cell.source for cell in sample.released(sample.UNIT).cells}
    for cell in told.cells:
        if english[cell.id] != blank[cell.id]:
            cell.source = english[cell.id]
    return nbformat.writes(told)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A Chinese class; two students in three brought a notebook of another language."""
    room = releasing.init(tmp_path_factory.mktemp("mixed") / "class", [sample.UNIT], language="zh")
    for kind, answers in ANSWERS.items():
        for language in LANGUAGES:
            classes.submit(room.root, f"{kind}_{language}", answered(language, answers), sample.UNIT)
    assert {result.outcome.state for result in coordinator.grade(room, [sample.UNIT])} == {"graded"}
    return room


def test_equal_answers_have_equal_points_and_notes_in_every_language(room):
    book = classes.gradebook(room.db_url, sample.UNIT)
    for kind in ANSWERS:
        points = [book[f"{kind}_{language}"] for language in LANGUAGES]
        assert [one["grades"] for one in points] == [points[0]["grades"]] * len(LANGUAGES), kind
        outcomes = [read_outcome(room.root, sample.UNIT, f"{kind}_{language}") for language in LANGUAGES]
        assert [one.notes for one in outcomes] == [outcomes[0].notes] * len(LANGUAGES), kind
        assert [one.verdicts for one in outcomes] == [outcomes[0].verdicts] * len(LANGUAGES), kind
    right = [auto for _, auto, _, _ in book["right_en"]["grades"]]
    assert sum(filter(None, right)) > 10


def test_a_page_speaks_the_language_of_its_notebook(room):
    for language in LANGUAGES:
        page = (room.root / "feedback" / f"wrong_{language}" / sample.UNIT / f"{sample.UNIT}.html").read_text("utf-8")
        assert re.search(r'<html lang="([\w-]+)"', page)[1] == language
        assert [one for one in LANGUAGES if NAMED[one] in page] == [language]
