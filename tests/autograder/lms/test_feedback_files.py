"""Feedback on its way back: what a page shows and never shows, zips for Moodle and Canvas, nbgrader's exchange."""

import logging
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import nbformat
import pytest
from nbgrader.converters import GenerateFeedback
from nbgrader.utils import notebook_hash
from typer.testing import CliRunner

from autograder import cli
from autograder.authoring import releasing, sample
from autograder.classroom import classroom
from autograder.classroom.classroom import CONFIG
from autograder.course import CourseError
from autograder.grading import coordinator
from autograder.lms import collecting, feedback_files, recognition
from helpers.judging import catalog

UNIT = "u1_dot_products"
NOTEBOOK = f"{UNIT}.ipynb"
PEOPLE = {"xq": ("Xanthippe", "Quillfeather"), "bw": ("Barnaby", "Wexcombe"), "zo": ("Zuleika", "Ogletree")}
ANSWERS = {
    "xq": {
        "attention_scores": "def attention_scores(Q, K):\n    return Q @ K",
        "similarity_matrix": "def similarity_matrix(X):\n    return X @ X.T + 1",
    },
    "bw": dict.fromkeys(catalog.unit_exercises(UNIT), "solution"),
    "zo": {"similarity_matrix": "solution"},
}
COMMENT = "Two of three: say what *happens* to the diagonal, too."
SECRET = "0f" * 64
LABELS = {
    "xq": "Xanthippe Quillfeather_7001_assignsubmission_file",
    "bw": "Barnaby Wexcombe_7002_assignsubmission_file",
}


def notebook(student):
    text = sample.answered(UNIT, ANSWERS[student])
    for cell in text.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "why_two_projections":
            cell.source += "\n\nBecause asking and being found differ."
    return nbformat.writes(text)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """Two students came from Moodle and one through the exchange; all are graded, one answer by a person."""
    folder = tmp_path_factory.mktemp("feedback")
    (folder / "exchange").mkdir()
    (folder / "exchange").chmod(0o777)
    room = releasing.init(folder / "class", [UNIT])
    with open(room.root / CONFIG, "a", encoding="utf-8") as file:
        file.write(f"\nc.Exchange.root = {str(folder / 'exchange')!r}\n")
    room = classroom.Classroom.open(room.root)
    with room.gradebook() as gradebook:
        for student, (first, last) in PEOPLE.items():
            gradebook.update_or_create_student(student, first_name=first, last_name=last)
    download = folder / "all.zip"
    with zipfile.ZipFile(download, "w") as archive:
        for student, label in LABELS.items():
            archive.writestr(f"{label}/{NOTEBOOK}", notebook(student))
    assert collecting.collect(room, UNIT, download).students == ("bw", "xq")
    # What `nbgrader submit` and `nbgrader collect` leave.
    through = room.root / "submitted" / "zo" / UNIT
    through.mkdir(parents=True)
    for name, text in {
        NOTEBOOK: notebook("zo"),
        "timestamp.txt": "2026-10-01 09:00:00 UTC",
        "submission_secret.txt": SECRET,
    }.items():
        (through / name).write_text(text, encoding="utf-8")
    coordinator.grade(room, [UNIT])
    with room.gradebook() as gradebook:
        gradebook.find_grade("why_two_projections", UNIT, UNIT, "xq").manual_score = 2
        gradebook.find_comment("why_two_projections", UNIT, UNIT, "xq").manual_comment = COMMENT
        gradebook.db.commit()
    log = logging.Logger("quiet")
    GenerateFeedback(coursedir=room.directory(log, UNIT), config=room.config, log=log, force=True).start()
    return room


def page(room, student):
    return (room.root / "feedback" / student / UNIT / f"{UNIT}.html").read_text(encoding="utf-8")


def test_a_page_shows_verdicts_named_mistakes_hints_pictures_points_and_the_graders_comment(room):
    text = page(room, "xq")
    assert "forgot the transpose: Q @ K" in text and "<b>Hint.</b>" in text and "put K on its side" in text
    assert re.search(r"aria-label=\"[^\"]*(yours|difference)", text), "no picture of yours, expected and difference"
    assert "say what <em>happens</em> to the diagonal, too" in text and "2 of 3 points" in text
    assert "every property holds" in page(room, "bw")


@pytest.mark.parametrize("student", PEOPLE)
def test_a_page_shows_nothing_that_is_not_its_students(room, student):
    text = page(room, student)
    others = [part for other, names in PEOPLE.items() if other != student for part in names]
    assert not [name for name in [*others, *PEOPLE] if re.search(rf"\\b{name}\\b", text)]
    for secret in (
        "hidden=True",
        "HIDDEN TESTS",
        "BEGIN SOLUTION",
        "Marking guide",
        "Model answer",
        str(room.root),
        SECRET,
    ):
        assert secret not in text, secret


def test_moodle_gets_each_page_under_the_name_of_its_own_download(room, tmp_path):
    written = feedback_files.zip_feedback(room, UNIT, "moodle", tmp_path / "feedback.zip")
    assert written.students == ("bw", "xq") and written.without == ()
    with zipfile.ZipFile(written.path) as archive:
        assert archive.namelist() == sorted(f"{label}/{UNIT}.html" for label in LABELS.values())
        for student, label in LABELS.items():
            assert archive.read(f"{label}/{UNIT}.html").decode() == page(room, student)
    first = written.path.read_bytes()
    assert feedback_files.zip_feedback(room, UNIT, "moodle", tmp_path / "feedback.zip").path.read_bytes() == first


def test_the_pages_of_one_student_alone(room, tmp_path):
    file = tmp_path / "one.zip"
    done = CliRunner().invoke(
        cli.app,
        ["feedback", UNIT, "--course", str(room.root), "--zip", "moodle", "--file", str(file), "--student", "xq"],
    )
    assert done.exit_code == 0 and "feedback of 1 in" in done.output
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == [f"{LABELS['xq']}/{UNIT}.html"]
    wrong = CliRunner().invoke(
        cli.app, ["feedback", UNIT, "--course", str(room.root), "--zip", "moodle", "--student", "xp"]
    )
    assert wrong.exit_code != 0 and "by the student 'xp'" in str(wrong.exception)


def canvas_reads(name):
    """The first two pieces of digits are user and attachment: so Canvas finds where an uploaded file belongs."""
    return [piece for piece in name.split("_") if piece.isdigit()][:2]


def test_canvas_gets_names_in_which_it_finds_user_and_attachment(tmp_path):
    for label in ("quillfeatherxanthippe_LATE_101_555_u1_dot_products-1.ipynb", "o_neil_101_555_u1_dot_products"):
        handed = recognition.whose(PurePosixPath(label))
        name = feedback_files._name(handed, Path(f"{UNIT}.html"))
        assert canvas_reads(name) == ["101", "555"] and name.endswith(f"_{UNIT}.html")


def test_older_moodle_names_keep_the_end_that_older_moodle_looks_for():
    for label, folder in (
        ("Ada L_1_assignsubmission_file_", "Ada L_1_assignsubmission_file_"),
        ("Ada L_1_assignsubmission_file_x.ipynb", "Ada L_1_assignsubmission_file_"),
    ):
        handed = recognition.whose(PurePosixPath(label))
        assert feedback_files._name(handed, Path("p.html")) == f"{folder}/p.html"


def test_what_cannot_be_packed_is_said(room, tmp_path):
    with pytest.raises(CourseError, match="not collected from Canvas"):
        feedback_files.zip_feedback(room, UNIT, "canvas", tmp_path / "x.zip")
    moved = room.root / "feedback" / "bw"
    moved.rename(room.root / "bw")
    try:
        written = feedback_files.zip_feedback(room, UNIT, "moodle", tmp_path / "x.zip")
        assert written.students == ("xq",) and written.without[0].startswith("bw: no feedback page")
    finally:
        (room.root / "bw").rename(moved)


def test_release_feedback_reaches_who_came_through_the_exchange_and_passes_over_the_others(room):
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONWARNINGS": "ignore",
    }
    call = [sys.executable, "-m", "nbgrader", "release_feedback", UNIT]
    done = subprocess.run(call, cwd=room.root, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (
        "xq did not submit through the exchange" in done.stderr
        and "bw did not submit through the exchange" in done.stderr
    )
    pages = list((room.root.parent / "exchange" / "attention" / "feedback").glob("*.html"))
    assert [path.stem for path in pages] == [notebook_hash(secret=SECRET, notebook_id=UNIT)]
    assert pages[0].read_text(encoding="utf-8") == page(room, "zo")
