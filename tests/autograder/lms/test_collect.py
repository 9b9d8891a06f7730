"""Downloads from Moodle and Canvas become submissions: names, copies, lateness, and archives out to do harm."""

import os
import stat
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from nbgrader.api import Gradebook

from autograder.authoring import sample
from autograder.course import CourseError
from autograder.lms import collecting, recognition
from helpers.data import WEIGHTS
from helpers.folder import packing

from .downloads import NOTEBOOK, PEOPLE, UNIT, collect, submitted, zipped


def test_moodle_folders_of_both_kinds_and_flat_names(room):
    report = collect(
        room,
        {
            f"Ada Lovelace_7001_assignsubmission_file_/{NOTEBOOK}": b"{1}",
            f"Bartok Béla_7002_assignsubmission_file/{NOTEBOOK}": b"{2}",
            f"Dana O'Neil_7003_assignsubmission_file_{NOTEBOOK}": b"{3}",
            "Ada Lovelace_7001_assignsubmission_onlinetext_/onlinetext.html": b"hello",
        },
    )
    assert report.students == ("ada", "bela", "dana") and report.left == ()
    assert submitted(room) == {
        f"ada/{UNIT}/{NOTEBOOK}": b"{1}",
        f"bela/{UNIT}/{NOTEBOOK}": b"{2}",
        f"dana/{UNIT}/{NOTEBOOK}": b"{3}",
    }


def test_two_of_one_name_are_left_out_and_told_until_the_worksheet_tells_them_apart(room):
    files = {f"Chen Li_{number}_assignsubmission_file/{NOTEBOOK}": b"%d" % number for number in (7010, 7011)}
    report = collect(room, files)
    assert (
        report.students == ()
        and len(report.left) == 2
        and "fits 2 students (chen, li)" in report.left[0]
        and "--worksheet" in report.left[0]
    )
    worksheet = Path(__file__).with_name("samples") / "moodle_worksheet.csv"
    report = collect(room, files, worksheet=worksheet)
    assert report.students == ("chen", "li") and report.left == ()
    found = submitted(room)
    assert found[f"chen/{UNIT}/{NOTEBOOK}"] == b"7010" and found[f"li/{UNIT}/{NOTEBOOK}"] == b"7011"


def test_the_worksheet_says_when_it_was_handed_in(room, monkeypatch):
    monkeypatch.setitem(room.config.LmsCollector, "timezone", "Europe/Berlin")
    collect(
        room,
        {f"Chen Li_7011_assignsubmission_file/{NOTEBOOK}": b"x"},
        worksheet=Path(__file__).with_name("samples") / "moodle_worksheet.csv",
    )
    assert submitted(room)[f"li/{UNIT}/timestamp.txt"] == b"2026-10-01 12:30:00"


def test_moodles_number_is_not_taken_for_the_number_of_a_person(room):
    """It counts participations in one assignment, and may well equal another student's own number."""
    report = collect(room, {f"Nobody Known_101_assignsubmission_file/{NOTEBOOK}": b"x"})
    assert report.students == () and "Nobody Known" in report.left[0]


def test_canvas_by_number_with_copies_lateness_and_resubmission(room):
    report = collect(
        room,
        {
            f"lovelaceada_101_555_{UNIT}-1.ipynb": b"{new}",
            f"lovelaceada_101_554_{NOTEBOOK}": b"{old}",
            f"bartókbéla_LATE_102_600_{NOTEBOOK}": b"{late}",
            "lichen_103_601_essay.pdf": b"%PDF",
            f"stranger_999_602_{NOTEBOOK}": b"{}",
            f"oneildana_777_603_{UNIT} (2).ipynb": b"{name}",
        },
    )
    assert report.students == ("ada", "bela", "dana") and report.late == ("bela",)
    found = submitted(room)
    assert found[f"ada/{UNIT}/{NOTEBOOK}"] == b"{new}" and found[f"dana/{UNIT}/{NOTEBOOK}"] == b"{name}"
    assert found[f"bela/{UNIT}/timestamp.txt"].startswith(b"2026-10-01 12:00:01")
    assert len(report.left) == 2 and any("chen: handed in no notebook (essay.pdf)" in line for line in report.left)
    assert any("Canvas user 999 (stranger)" in line and "id,lms_user_id" in line for line in report.left)


def test_two_people_who_fit_one_student_are_both_left_out(room):
    report = collect(room, {f"lovelaceada_101_1_{NOTEBOOK}": b"a", f"lovelaceada_888_2_{NOTEBOOK}": b"b"})
    assert report.students == () and "2 people" in report.left[0]


def test_what_pack_made_is_opened(room, tmp_path):
    notebook = tmp_path / NOTEBOOK
    sample.nbformat.write(sample.answered(UNIT), notebook)
    packed = packing.pack(notebook).path.read_bytes()
    with_weights = zipped(
        {
            f"my work/{NOTEBOOK}": b"{}",
            f"my work/{WEIGHTS}": b"w",
            "my work/.secret": b"s",
            "__MACOSX/._x.ipynb": b"m",
            "my work/photo.jpg": b"j",
        }
    )
    report = collect(
        room, {f"Ada Lovelace_1_assignsubmission_file/{UNIT}.zip": packed, f"bartókbéla_102_9_{UNIT}.zip": with_weights}
    )
    assert report.students == ("ada", "bela") and report.left == ()
    found = submitted(room)
    assert found[f"ada/{UNIT}/{NOTEBOOK}"] == notebook.read_bytes()
    assert {name for name in found if name.startswith("bela")} == {
        f"bela/{UNIT}/{name}" for name in (NOTEBOOK, WEIGHTS, "photo.jpg")
    }


def bomb():
    return zipped({NOTEBOOK: b"0" * (70 * 2**20)})


def forged():
    """A zip that claims its notebook is small."""
    data = bytearray(zipped({NOTEBOOK: b"0" * 100_000}))
    for mark, place in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        start = data.find(mark) + place
        data[start : start + 4] = (10).to_bytes(4, "little")
    return bytes(data)


HARM = {
    "leads out": (lambda: zipped({"../../ada/evil.ipynb": b"x"}), "leads out of the archive"),
    "leads out with backslashes": (lambda: zipped({"..\\..\\evil.ipynb": b"x"}), "leads out of the archive"),
    "is absolute": (lambda: zipped({"/tmp/evil.ipynb": b"x"}), "leads out of the archive"),
    "names a drive": (lambda: zipped({"C:evil.ipynb": b"x"}), "leads out of the archive"),
    "holds a link": (lambda: zipped({NOTEBOOK: (b"/etc/passwd", stat.S_IFLNK | 0o777)}), "link or a special file"),
    "is a bomb": (bomb, "more than 64 MB"),
    "is forged": (forged, "cannot be unpacked"),
    "holds too many files": (lambda: zipped({f"{n}.ipynb": b"" for n in range(300)}), "at most 200"),
    "lists a million files": (lambda: zipped({f"{n:0200d}.txt": b"" for n in range(1500)}), "far too many files"),
    "has a folder named as a file": (
        lambda: zipped({NOTEBOOK: b"x", f"{NOTEBOOK}/x.ipynb": b"x"}),
        "cannot be written",
    ),
    "is cut off": (lambda: zipped({NOTEBOOK: os.urandom(5000)})[:3000], "not a whole zip file"),
    "is no zip": (lambda: b"hello", "not a whole zip file"),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_zip_that_does_harm_is_refused_with_a_line_and_the_others_are_collected(room, harm):
    make, told = HARM[harm]
    report = collect(
        room,
        {
            f"Ada Lovelace_1_assignsubmission_file/{UNIT}.zip": make(),
            f"Béla Bartók_2_assignsubmission_file/{NOTEBOOK}": b"{}",
        },
    )
    assert report.students == ("bela",) and len(report.left) == 1
    assert "Ada Lovelace" in report.left[0] and told in report.left[0], report.left
    assert submitted(room) == {f"bela/{UNIT}/{NOTEBOOK}": b"{}"}
    assert not list(room.root.rglob("evil*")) and not [
        path for path in (room.root / "downloaded").rglob("*") if path.is_symlink()
    ]


def test_a_download_that_was_unpacked_by_hand(room, tmp_path):
    folder = tmp_path / "unpacked"
    for name, data in {
        f"Ada Lovelace_1_assignsubmission_file_/{NOTEBOOK}": b"{}",
        f"bartókbéla_102_9_{UNIT}.zip": zipped({NOTEBOOK: b"{b}"}),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "link.ipynb").symlink_to("/etc/passwd")
    assert collecting.collect(room, UNIT, folder).students == ("ada", "bela")


def test_collecting_again_replaces_those_of_the_download_and_keeps_the_others(room):
    collect(room, {f"lovelaceada_101_1_{NOTEBOOK}": b"1", f"bartókbéla_102_2_{NOTEBOOK}": b"2"})
    collect(room, {f"lovelaceada_101_3_{UNIT}-1.ipynb": b"3"})
    assert submitted(room) == {f"ada/{UNIT}/{NOTEBOOK}": b"3", f"bela/{UNIT}/{NOTEBOOK}": b"2"}


def test_plain_zip_collect_does_the_same(room):
    archive = room.root / "downloaded" / UNIT / "archive"
    archive.mkdir(parents=True)
    (archive / "submissions.zip").write_bytes(
        zipped({f"lovelaceada_101_1_{UNIT}.zip": zipped({NOTEBOOK: b"{}"}), f"stranger_999_2_{NOTEBOOK}": b"{}"})
    )
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONWARNINGS": "ignore",
    }
    call = [sys.executable, "-m", "nbgrader", "zip_collect", UNIT]
    done = subprocess.run(call, cwd=room.root, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "Canvas user 999 (stranger) is no student of this class" in done.stderr
    assert submitted(room) == {f"ada/{UNIT}/{NOTEBOOK}": b"{}"}


def test_what_is_no_download_is_said_in_one_line(room, tmp_path):
    (tmp_path / "no.zip").write_bytes(b"no")
    with pytest.raises(CourseError, match="no whole zip file"):
        collecting.collect(room, UNIT, tmp_path / "no.zip")
    (tmp_path / "other.csv").write_text("name,points\nada,3\n")
    with pytest.raises(CourseError, match="no grading worksheet"):
        collect(room, {f"Ada Lovelace_1_assignsubmission_file/{NOTEBOOK}": b""}, worksheet=tmp_path / "other.csv")


def test_nobody_is_made_a_student_by_collecting(room):
    collect(room, {f"stranger_999_2_{NOTEBOOK}": b"{}"})
    with Gradebook(room.db_url) as gradebook:
        assert {student.id for student in gradebook.students} == set(PEOPLE)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("Ada de la Cruz_12_assignsubmission_file_/a/b.ipynb", ("moodle", "Ada de la Cruz", "12", "b.ipynb")),
        ("o_neil_2_LATE_55_66_my_2_3_file.ipynb", ("canvas", "o_neil_2", "55", "my_2_3_file.ipynb")),
        ("anon_x7Gh2_55_file.ipynb", None),
        ("u1_dot_products.ipynb", None),
    ],
)
def test_names_are_taken_apart(path, told):
    handed = recognition.whose(PurePosixPath(path))
    assert (handed and (handed.system, handed.name, handed.number, handed.file)) == told
