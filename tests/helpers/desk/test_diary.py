"""What the desk remembers of a learner's checks: over restarts, side by side, and where nothing can be written."""

import json
import os

import pytest

from helpers import contents
from helpers.desk import diary
from helpers.desk.diary import CHANGED, NEW, Diary

UNIT = contents.find_unit("u2")


def softmax(x, axis=-1):
    return x in {"a", "b"}


def other(x, axis=-1):
    return x in {"a", "c"}


@pytest.fixture
def book(tmp_path):
    return Diary(tmp_path / "u2", tmp_path / "state")


def again(tmp_path):
    """The diary of a new kernel."""
    return Diary(tmp_path / "u2", tmp_path / "state")


def test_a_result_survives_a_restart_and_stays_with_its_folder(book, tmp_path):
    assert book.read("softmax") == NEW
    book.write("softmax", "passed", softmax)
    assert again(tmp_path).read("softmax") == "passed"
    assert Diary(tmp_path / "copy" / "u2", tmp_path / "state").read("softmax") == NEW
    book.write("softmax", "failed", softmax)
    assert again(tmp_path).read("softmax", softmax) == "failed"


def test_only_the_learner_can_read_it_and_no_draft_stays(book, tmp_path):
    book.write("softmax", "passed", softmax)
    (folder,) = (tmp_path / "state").iterdir()
    (file,) = folder.iterdir()
    assert folder.stat().st_mode & 0o077 == file.stat().st_mode & 0o077 == 0
    assert not (tmp_path / "u2").exists(), "nothing lies beside the notebook"


def test_an_answer_changed_since_its_check_is_told(book):
    book.write("softmax", "passed", softmax)
    assert book.read("softmax", other) == CHANGED
    assert book.read("softmax", None) == book.read("softmax", len) == "passed", "nothing certain, nothing said"


def test_a_fingerprint_is_that_of_the_work_done():
    class One:
        def forward(self, x):
            return x + 1

    class Two:
        def forward(self, x):
            return x + 2

    assert diary.fingerprint(softmax) == diary.fingerprint(softmax) != diary.fingerprint(other)
    assert diary.fingerprint(One) and diary.fingerprint(One) != diary.fingerprint(Two)
    assert diary.fingerprint(None) == diary.fingerprint(3) == ""


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"status": 3}', '{"status": "<b>"}', '{"status": []}', '"\\ud800"', "[" * 5000]
)
def test_a_damaged_file_counts_as_none(book, tmp_path, text):
    book.write("softmax", "passed", softmax)
    (file,) = (tmp_path / "state").rglob("softmax.json")
    file.write_text(text, encoding="utf-8")
    assert again(tmp_path).read("softmax", softmax) == NEW


def test_where_nothing_can_be_written_the_kernel_remembers_and_says_so(tmp_path):
    (tmp_path / "state").write_text("a file where the folder should be")
    book = Diary(tmp_path / "u2", tmp_path / "state")
    book.write("softmax", "passed", softmax)
    assert book.read("softmax") == "passed"
    assert "could not be saved" in diary.as_card(UNIT, book, {})[0]


def test_a_disk_that_fills_up_leaves_the_old_result_whole(book, tmp_path, monkeypatch):
    book.write("softmax", "failed", softmax)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *names: (_ for _ in ()).throw(OSError("full")))
        book.write("softmax", "passed", softmax)
    assert again(tmp_path).read("softmax") == "failed" and book.read("softmax") == "passed"
    assert len(list((tmp_path / "state").rglob("*.*"))) == 1
    book.write("softmax", "passed", softmax)
    assert not book.unsaved and json.loads(next((tmp_path / "state").rglob("*.json")).read_text())["status"] == "passed"


def test_the_card_counts_points_of_what_passes(book):
    book.write("softmax", "passed", softmax)
    book.write("weighted_sum", "failed", softmax)
    book.write("scale_scores", "not answered", softmax)
    text, html = diary.as_card(UNIT, book, {"softmax": softmax})
    checks = [task for task in UNIT.tasks if not task.written]
    whole = f"{contents.points('softmax'):g} of {sum(task.points for task in checks):g} points"
    for shown in (text, html):
        assert f"1 of {len(checks)} exercises passes" in shown and whole in shown and UNIT.title in shown
        assert all(words in shown for words in ("not right yet", "not answered yet", "not checked yet"))
        assert shown.count("a person reads it") == sum(task.written for task in UNIT.tasks)
    assert "changed since its check" in diary.as_card(UNIT, book, {"softmax": other})[0]


def test_an_older_version_that_passed_is_kept_as_changed(book):
    book.write("softmax", diary.CHANGED, softmax)
    assert book.read("softmax", softmax) == diary.CHANGED
    assert "○ softmax" in diary.as_card(UNIT, book, {"softmax": softmax})[0]


@pytest.mark.parametrize(
    ("status", "told"), [("failed", "0 of 1 exercises pass"), ("passed", "1 of 1 exercise passes")]
)
def test_one_exercise_is_counted_as_one(book, status, told):
    book.write("hello_attention", status, None)
    text, html = diary.as_card(contents.find_unit("u0"), book, {})
    assert f"{told} " in text + " " and told in html and "exercisess" not in text


def test_the_card_of_a_whole_unit_says_what_to_do_next(book):
    for task in UNIT.tasks:
        if not task.written:
            book.write(task.name, "passed", None)
    text, _ = diary.as_card(UNIT, book, {})
    assert text.startswith("✓") and "Every check passes" in text


def test_the_unit_is_that_of_the_notebook_else_of_the_last_check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "u2_softmax_scaling" / "copy.ipynb"))
    assert diary.unit_here(diary.notebook({}), "hello_attention") == UNIT
    monkeypatch.setenv("JPY_SESSION_NAME", "console-1")
    assert diary.notebook({}) is None and diary.unit_here(None, "softmax") == UNIT and diary.unit_here(None, "") is None
    assert (
        diary.notebook({"__vsc_ipynb_file__": str(tmp_path / "u2_softmax_scaling.ipynb")})
        == tmp_path / "u2_softmax_scaling.ipynb"
    )
