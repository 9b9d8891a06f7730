"""A submission that takes too long outside the sandbox costs itself its grade, and nobody else anything."""

import multiprocessing
import threading
import time

import nbformat
import pytest

from autograder.authoring import releasing, sample
from autograder.grading import coordinator
from autograder.marking import clock, submission
from autograder.marking.clock import TooLong, limited

UNIT = sample.UNIT


def forever():
    while True:
        time.sleep(0.01)


def hang(begun):
    with limited(0.05, grace=0.1):
        begun.set()
        try:
            forever()
        except TooLong:
            # As a library does that cannot be interrupted.
            time.sleep(600)


def test_a_body_that_is_quick_is_left_alone():
    for _ in range(200):
        with limited(5):
            pass


def test_a_body_that_is_slow_ends_and_no_except_exception_holds_it_up():
    with pytest.raises(TooLong):
        with limited(0.05):
            while True:
                try:
                    forever()
                except Exception:
                    continue


def test_in_a_thread_it_is_that_thread_that_ends():
    ended = []

    def body():
        try:
            with limited(0.05):
                forever()
        except TooLong:
            ended.append(threading.current_thread().name)

    thread = threading.Thread(target=body, name="worker")
    thread.start()
    thread.join(30)
    assert ended == ["worker"]


def test_the_time_that_is_up_as_the_body_ends_is_no_later_ones_exception():
    for pause in range(60):
        try:
            with limited(0.002):
                time.sleep(pause / 15_000)
        except TooLong:
            pass
        sum(range(2000))


def test_a_worker_that_cannot_be_interrupted_ends():
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    process = context.Process(target=hang, args=(begun,))
    process.start()
    process.join(30)
    assert begun.is_set() and process.exitcode == 1


@pytest.mark.parametrize("step", ["clean", "_repair", "_scored"])
def test_the_slow_submission_is_not_gradable_and_says_why_and_its_neighbour_has_its_points(tmp_path, monkeypatch, step):
    room = releasing.init(tmp_path / "class", [UNIT])
    for student in ("slow", "neighbour"):
        folder = room.root / "submitted" / student / UNIT
        folder.mkdir(parents=True)
        notebook = sample.answered(UNIT)
        if student == "slow":
            notebook.cells.append(nbformat.v4.new_markdown_cell("slow", id="slow"))
        nbformat.write(notebook, folder / f"{UNIT}.ipynb")
    real = getattr(submission, step)

    def slow(*arguments, **named):
        shown = arguments[0] if step != "clean" else None
        marked = b"slow" in arguments[0] if shown is None else any(cell.id == "slow" for cell in shown.cells)
        if marked:
            forever()
        return real(*arguments, **named)

    monkeypatch.setattr(submission, step, slow)
    monkeypatch.setattr(submission, "limited", lambda: limited(3.0))
    results = {result.student: result for result in coordinator.grade(room, [UNIT], jobs=1)}
    assert results["neighbour"].score == 17 and results["neighbour"].outcome.state == "graded"
    assert results["slow"].score == 0 and results["slow"].outcome.state == "not gradable"
    assert f"more than {clock.SECONDS:.0f} seconds" in results["slow"].outcome.reason
