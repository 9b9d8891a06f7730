"""Blackboard's download becomes submissions: user names, attempts, times, and names that a learner gave a file."""

from pathlib import PurePosixPath

from nbgrader.api import Student

from autograder.lms import recognition

from .downloads import NOTEBOOK, UNIT, collect, submitted, zipped

FIRST, SECOND = "2026-10-02-09-00-01", "2026-10-03-14-22-33"


def handed(user, time=FIRST, file=NOTEBOOK, assignment="Unit 1 Dot products"):
    return f"{assignment}_{user}_attempt_{time}" + (f"_{file}" if file else ".txt")


def test_user_names_are_ids_numbers_or_what_stands_before_the_at(room, monkeypatch):
    monkeypatch.setitem(room.config.LmsCollector, "timezone", "Europe/Berlin")
    report = collect(
        room,
        {
            handed("ada"): b"{1}",
            handed("ada", file=""): b"Name: Ada Lovelace (ada)\nDate Submitted: ...",
            handed("102"): b"{2}",
            handed("Li"): b"{3}",
        },
    )
    assert report.students == ("ada", "bela", "li") and report.left == ()
    found = submitted(room)
    assert [found[f"{student}/{UNIT}/{NOTEBOOK}"] for student in report.students] == [b"{1}", b"{2}", b"{3}"]
    # In summer Berlin is two hours ahead of UTC.
    assert found[f"ada/{UNIT}/timestamp.txt"].decode().strip() == "2026-10-02 07:00:01"
    assert not [name for name in found if name.endswith(".txt") and "timestamp" not in name]


def test_the_newest_attempt_counts_and_an_older_download_changes_nothing(room):
    collect(room, {handed("ada", SECOND): b"{2}", handed("ada", FIRST): b"{1}"})
    assert submitted(room)[f"ada/{UNIT}/{NOTEBOOK}"] == b"{2}"
    report = collect(room, {handed("ada", FIRST): b"{1}", handed("dana"): b"{3}"})
    assert report.students == ("dana",) and any("ada: has a newer attempt" in line for line in report.left)
    assert submitted(room)[f"ada/{UNIT}/{NOTEBOOK}"] == b"{2}"


def test_names_of_assignments_and_files_may_look_like_anything(room):
    trick = f"x_bela_attempt_{SECOND}_{NOTEBOOK}"
    report = collect(
        room,
        {
            handed("ada", file=trick, assignment="Unit_1_bela"): b"{1}",
            handed("dana", file="work.zip"): zipped({handed("bela"): b"{4}", NOTEBOOK: b"{2}"}),
        },
    )
    # "bela" ends nobody's user name there, and a learner's archive is no download.
    assert "bela" not in report.students and set(report.students) == {"ada", "dana"}
    assert submitted(room)[f"ada/{UNIT}/{NOTEBOOK}"] == b"{1}"


def test_nobody_and_two_are_told_and_nothing_is_guessed(room):
    report = collect(room, {handed("nobody"): b"{2}", handed("dana"): b"{3}"})
    assert report.students == ("dana",)
    assert any("Unit 1 Dot products_nobody is no student of this class" in line for line in report.left)
    roster = recognition.Roster([Student(id="li"), Student(id="chen_li"), Student(id="jo_doe")])
    student, why = roster.find(recognition.whose(PurePosixPath(handed("chen_li"))))
    assert student is None and "fits 2 students (chen_li, li)" in why
    assert roster.find(recognition.whose(PurePosixPath(handed("jo_doe", assignment="Homework_1")))) == ("jo_doe", "")
