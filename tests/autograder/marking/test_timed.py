"""nbgrader's own commands have the clock too: what is slow costs itself its grade or page, and nobody else anything."""

import contextlib
import logging

import nbformat
import pytest
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import NbGraderException

from autograder.authoring import releasing, sample
from autograder.marking import clock, feedback_page, intake, repair, sanitising, timed
from autograder.marking.clock import TooLong
from autograder.marking.outcomes import read_outcome

UNIT = sample.UNIT
SLOW = {
    "slow_to_read": (intake, "clean", lambda arguments: b"slow_to_read" in arguments[0]),
    "slow_to_repair": (repair.RepairCells, "preprocess", lambda arguments: marked(arguments[1], "slow_to_repair")),
    "slow_to_clean": (
        sanitising.SanitizeLearner,
        "preprocess",
        lambda arguments: marked(arguments[1], "slow_to_clean"),
    ),
    "slow_to_show": (feedback_page, "draft", lambda arguments: marked(arguments[0], "slow_to_show")),
}


def marked(notebook, name):
    return any(name in cell.source for cell in notebook.cells)


def slow_for(real, applies, running):
    """The function, which for what applies takes until the clock ends it, if there is one."""

    def slow(*arguments, **named):
        if applies(arguments):
            assert running, "no clock runs"
            raise TooLong
        return real(*arguments, **named)

    return slow


def log():
    quiet = logging.Logger("quiet")
    quiet.addHandler(logging.NullHandler())
    return quiet


def test_the_slow_ones_are_not_gradable_or_have_no_page_and_the_neighbour_has_both(tmp_path, monkeypatch):
    room = releasing.init(tmp_path / "class", [UNIT])
    for student in (*SLOW, "neighbour"):
        notebook = sample.answered(UNIT)
        notebook.cells.append(nbformat.v4.new_markdown_cell(student, id="mark"))
        folder = room.root / "submitted" / student / UNIT
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{UNIT}.ipynb")
    running = []

    @contextlib.contextmanager
    def limited():
        running.append(True)
        try:
            yield
        finally:
            running.pop()

    for owner, name, applies in SLOW.values():
        monkeypatch.setattr(owner, name, slow_for(getattr(owner, name), applies, running))
    for module in (intake, timed):
        monkeypatch.setattr(module, "limited", limited)
    directory = room.directory(log(), UNIT)
    Autograde(coursedir=directory, config=room.config, log=log()).start()
    with room.gradebook() as gradebook:
        scores = {one.student.id: one.score for one in gradebook.assignment_submissions(UNIT)}
    ungraded = ["slow_to_read", "slow_to_repair", "slow_to_clean"]
    assert scores == dict.fromkeys(ungraded, 0) | {"slow_to_show": 17, "neighbour": 17}
    for student in scores:
        reason = read_outcome(room.root, UNIT, student).reason
        assert (f"more than {clock.SECONDS:.0f} seconds" in reason) == (student in ungraded), reason
    with pytest.raises(NbGraderException):
        GenerateFeedback(coursedir=directory, config=room.config, log=log()).start()
    written = sorted(path.parts[-3] for path in (room.root / "feedback").rglob("*.html"))
    assert written == sorted({*scores} - {"slow_to_show"})
