"""Pages that are missing or stale: rendered by whoever there is, tried again where a worker was lost, told if not."""

import errno
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from autograder.grading import feedback
from autograder.grading.feedback import Feedback
from autograder.grading.pools import WorkerLost
from autograder.marking.feedback_grades import Grades

STUDENTS = ["ann", "ben", "cleo"]


class Pool:
    """Renders at once, or fails as it was told to, by what stands in the notebook."""

    size = 2

    def __init__(self, failures):
        self.failures, self.asked = failures, []

    def submit(self, function, texts, unit):
        text = texts[unit]
        self.asked.append(text)
        future = Future()
        failing = self.failures.get(text, [])
        if failing:
            future.set_exception(failing.pop(0))
        else:
            future.set_result({unit: SimpleNamespace(page=lambda grades: f"the page of {text}")})
        return future


@pytest.fixture
def stale(tmp_path, monkeypatch):
    """A function that writes the stale pages with a pool; what it returns: pages, what was told, what was noted."""
    for student in STUDENTS:
        (tmp_path / student).mkdir()
        (tmp_path / student / "u0.ipynb").write_text(student, encoding="utf-8")
    grades = {student: {"u0": Grades()} for student in STUDENTS}

    def write(failures, unwritable=()):
        pages, told, noted = {}, [], {}

        def write_pages(classroom, places, student, texts):
            if student in unwritable:
                raise unwritable[student]
            pages[student] = texts["u0"]

        monkeypatch.setattr(feedback, "write_pages", write_pages)
        records = SimpleNamespace(
            shown=lambda: dict.fromkeys(STUDENTS, ""),
            grades=lambda students=None: grades,
            feedback_written=noted.update,
        )
        places = SimpleNamespace(
            unit="u0",
            notebooks=("u0",),
            graded=lambda student: tmp_path / student,
            is_graded=lambda student: True,
            has_page=lambda _: True,
        )
        pool = Pool(failures)

        def tell(kind, **about):
            told.append(about["text"] if kind == "told" else (about["done"], about["total"]))

        Feedback(None, places, records, SimpleNamespace(pool=pool), tell).write(STUDENTS)
        return pages, told, noted, pool.asked

    return write


def test_all_are_written_and_noted(stale):
    pages, told, noted, asked = stale({})
    assert pages == {student: f"the page of {student}" for student in STUDENTS} and asked == STUDENTS
    assert noted == dict.fromkeys(STUDENTS, Grades().fingerprint) and told == [(0, 3), (3, 3)]


def test_one_that_fails_is_told_and_costs_no_other(stale):
    pages, told, noted, _ = stale({"ben": [KeyError("x")]})
    assert pages.keys() == noted.keys() == {"ann", "cleo"}
    assert "ben: the feedback page could not be written (KeyError)" in told and told[-1] == (3, 3)


def test_a_lost_worker_is_another_try_and_not_one_without_end(stale):
    pages, told, _, asked = stale({"ann": [WorkerLost(), WorkerLost()], "ben": [WorkerLost()] * 9})
    assert pages.keys() == {"ann", "cleo"} and asked.count("ann") == asked.count("ben") == 3
    assert "ben: the feedback page could not be written (WorkerLost)" in told


def test_one_that_cannot_be_written_is_told_and_a_full_disk_ends_the_run(stale):
    pages, told, noted, _ = stale({}, {"cleo": PermissionError(errno.EACCES, "no")})
    assert pages.keys() == noted.keys() == {"ann", "ben"}
    assert "cleo: the feedback page could not be written (PermissionError)" in told
    with pytest.raises(OSError, match="full"):
        stale({}, {"ann": OSError(errno.ENOSPC, "full")})
