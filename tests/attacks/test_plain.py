"""Hostile submissions of a plain assignment, graded together with honest neighbours between them: what an assert says
in the learner's own process can be fooled there, and nothing else.
"""

import os

import nbformat
import pytest

from autograder.authoring import releasing
from autograder.classroom.classroom import CONFIG, Classroom
from autograder.grading import coordinator
from autograder.marking.outcomes import read_outcome
from tests.autograder.grading import plain
from tests.autograder.marking.hostile import dangers

from .plain_attacks import ASSIGNMENT, EDITS, HIDDEN, OWN, RIGHT, attacks, sources
from .test_attacks import LIMITS, SEARCH

THOROUGH = bool(os.environ.get("ATTENTION_THOROUGH"))
HONEST = {
    "attacked": {"q1": RIGHT, "q2": "def second(n):\n    return n + 1"},
    "other": {"q1": f"def other(n):\n    return n * n\n{SEARCH.replace('hasattr(np, ', 'hasattr(os, ')}"},
}
FULL = {"attacked/mine": 2, "attacked/second": 3, "other/check": 6, "other/part": 2}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class, its attacks by student, and everybody's points in the gradebook."""
    room = releasing.init(tmp_path_factory.mktemp("plain_hostile") / "class", [])
    folder = room.root / "source" / ASSIGNMENT
    folder.mkdir()
    for name, made in sources().items():
        nbformat.write(made, folder / f"{name}.ipynb")
    releasing.release(room, ASSIGNMENT)
    with open(room.root / CONFIG, "a", encoding="utf-8") as file:
        file.write(LIMITS)
    room = Classroom.open(room.root)
    released = {name: nbformat.read(room.root / "release" / ASSIGNMENT / f"{name}.ipynb", 4) for name in sources()}
    made = {}
    for number, attack in enumerate(attacks(released, THOROUGH)):
        made[f"s{number:03d}_attack"] = attack
        place = room.root / "submitted" / f"s{number:03d}_attack" / ASSIGNMENT
        place.mkdir(parents=True)
        for file, content in attack.files.items():
            content(place / file) if callable(content) else (place / file).write_bytes(content)
        if number % 4 == 0:
            plain.submit(room, f"s{number:03d}_honest", HONEST, tuple(sources()), ASSIGNMENT)
    before = (room.root / "gradebook.db").stat().st_ino
    coordinator.grade(room, [ASSIGNMENT])
    assert (room.root / "gradebook.db").stat().st_ino == before
    return room, made, plain.points(room, ASSIGNMENT)


def test_every_way_of_the_corpus_is_tried(graded):
    _, made, points = graded
    assert len(made) >= 80 and len({one.name for one in made.values()}) == len(made)
    assert set(made) <= set(points) and len(points) >= len(made) * 5 // 4


def test_nobody_has_more_than_the_points_of_their_own_asserts(graded):
    _, made, points = graded
    for student, attack in made.items():
        got = points[student]
        other = {name: value for name, value in got.items() if name.startswith("other/")}
        if attack.name != "the notebooks exchanged":
            assert other == {"other/check": 0, "other/part": 0}, (attack.name, got)
        for name, most in OWN.items():
            assert 0 <= got[f"attacked/{name}"] <= most, (attack.name, got)
        # A person's, or nothing at all where nothing was answered; never points by themselves.
        assert not got["attacked/by_hand"] and not got["attacked/essay"], (attack.name, got)
        if not attack.own:
            assert got["attacked/second"] == 0, (attack.name, got)


def test_a_changed_notebook_keeps_what_is_right_in_it_and_gains_nothing(graded):
    _, made, points = graded
    edited = {edit.__name__.replace("_", " ") for edit in EDITS} - {"the notebooks exchanged"}
    for student, attack in made.items():
        if attack.name in edited:
            assert points[student]["attacked/mine"] == 2, (attack.name, points[student])


def test_the_gradebook_has_no_cell_and_no_maximum_but_its_own(graded):
    room, _, points = graded
    assert {frozenset(got) for got in points.values()} == {frozenset((*FULL, "attacked/by_hand", "attacked/essay"))}
    with room.gradebook() as book:
        assert {one.max_score for one in book.find_assignment(ASSIGNMENT).submissions} == {22}


def test_honest_neighbours_keep_every_point_and_find_nothing_left_behind(graded):
    room, _, points = graded
    honest = {student: got for student, got in points.items() if student.endswith("honest")}
    for student, got in honest.items():
        assert {name: got[name] for name in FULL} == FULL, (student, got)
        assert read_outcome(room.root, ASSIGNMENT, student).state == "graded"


def test_no_hidden_test_of_the_other_notebook_is_learnt_and_nothing_runs_in_a_browser(graded):
    room, made, _ = graded
    for student, attack in made.items():
        folder = room.root / "autograded" / student / ASSIGNMENT
        for one in nbformat.read(folder / "attacked.ipynb", 4).cells:
            for output in one.get("outputs", ()):
                text = str(output.get("text", "")) + str(output.get("evalue", "")) + str(output.get("data", ""))
                assert "ESCAPED" not in text and HIDDEN not in text, (attack.name, text[:300])
                assert not dangers(output.get("data", {}).get("text/html", "")), attack.name
        for page in (room.root / "feedback" / student / ASSIGNMENT).glob("*.html"):
            assert HIDDEN not in page.read_text(encoding="utf-8"), attack.name


def test_every_submission_has_exactly_one_outcome(graded):
    room, made, points = graded
    for student in points:
        outcome = read_outcome(room.root, ASSIGNMENT, student)
        assert outcome is not None and outcome.state in ("graded", "graded with a note", "not gradable")
        assert all(value is not None for name, value in points[student].items() if name in FULL)
