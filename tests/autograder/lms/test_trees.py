"""A folder for each student becomes submissions: a tree of one's own, and Gradescope's export."""

import pytest

from autograder.course import CourseError
from autograder.lms import collecting

from .downloads import NOTEBOOK, UNIT, collect, submitted, zipped

METADATA = b"""---
submission_501:
  :submitters:
  - :name: Ada Lovelace
    :sid: ''
    :email: ADA@example.org
  - :name: Bela Bartok
    :sid: '102'
    :email: other@example.org
  :created_at: 2026-10-03 12:22:33.123456000 Z
  :score: 0.0
submission_502:
  :submitters:
  - :name: Chen Li
    :sid:
    :email: li@example.org
  :created_at: 2026-10-04 14:00:00.000000000 +02:00
submission_503:
  :submitters:
  - :name: Nobody Here
    :sid: '999'
    :email: nobody@example.org
  :created_at: 2026-10-04 12:00:00.000000000 Z
"""


def write(root, files):
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


TREE = {
    f"ada/{NOTEBOOK}": b"{1}",
    f"bela/{UNIT}/{NOTEBOOK}": b"{2}",
    f"dana/work/{NOTEBOOK}": b"{3}",
    f"stranger/{NOTEBOOK}": b"{4}",
    "notes.txt": b"mine",
}


@pytest.mark.parametrize("wrapper", ["", "handed in/"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_for_each_student_by_id(room, tmp_path, wrapper, packed):
    files = {f"{wrapper}{name}": data for name, data in TREE.items()}
    if packed:
        report = collect(room, files)
    else:
        report = collecting.collect(room, UNIT, write(tmp_path / "tree", files))
    assert report.students == ("ada", "bela", "dana")
    assert any("stranger: is no student of this class" in line for line in report.left)
    found = submitted(room)
    assert [found[f"{student}/{UNIT}/{NOTEBOOK}"] for student in report.students] == [b"{1}", b"{2}", b"{3}"]
    assert not [name for name in found if "timestamp" in name]


@pytest.mark.parametrize("packed", [True, False])
def test_what_lies_in_a_students_folder_is_that_students_whatever_it_is_called(room, tmp_path, packed):
    files = {
        f"ada/Bartok Bela_7002_assignsubmission_file_/{NOTEBOOK}": b"{1}",
        f"dana/bela_as_folder/{NOTEBOOK}": b"{2}",
        "chen/work.zip": zipped({f"bela/{NOTEBOOK}": b"{3}", f"x_li_attempt_2026-10-02-09-00-01_{NOTEBOOK}": b"{4}"}),
    }
    if packed:
        report = collect(room, files)
    else:
        report = collecting.collect(room, UNIT, write(tmp_path / "tree", files))
    assert report.students == ("ada", "chen", "dana")


AS_BELA = (
    "bela_as_folder",
    "bela_as_gradescope_20261231000000",
    "Bartok Bela_7002_assignsubmission_file_",
    f"x_bela_attempt_2026-12-31-09-00-01_{NOTEBOOK}",
)


@pytest.mark.parametrize("name", AS_BELA)
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("kind", ["tree", "gradescope"])
def test_what_lies_in_a_folder_of_nobodys_is_nobodys_whatever_it_is_called(room, tmp_path, name, packed, kind):
    own, other, beside = (
        ("bela", "stranger", {})
        if kind == "tree"
        else ("submission_501", "submission_503", {"submission_metadata.yml": METADATA})
    )
    planted = f"{name}/{NOTEBOOK}" if not name.endswith(".ipynb") else name
    files = beside | {
        f"{own}/{NOTEBOOK}": b"{1}",
        f"{other}/{planted}": b"{3}",
        f"{other}/work.zip": zipped({planted: b"{4}"}),
    }
    if kind == "gradescope":
        files |= {f"submission_999/{planted}": b"{5}"}
    if packed:
        report = collect(room, files)
    else:
        report = collecting.collect(room, UNIT, write(tmp_path / "tree", files))
    assert submitted(room)[f"bela/{UNIT}/{NOTEBOOK}"] == b"{1}"
    assert any("is no student of this class" in line for line in report.left)
    assert kind == "tree" or any("submission_999: stands not in submission_metadata.yml" in one for one in report.left)


def test_gradescopes_export_says_whose_and_when_and_a_groups_is_each_members(room):
    report = collect(
        room,
        {
            "assignment_77_export/submission_metadata.yml": METADATA,
            f"assignment_77_export/submission_501/{NOTEBOOK}": b"{1}",
            f"assignment_77_export/submission_502/{NOTEBOOK}": b"{2}",
            f"assignment_77_export/submission_503/{NOTEBOOK}": b"{3}",
        },
    )
    assert report.students == ("ada", "bela", "li")
    assert any("Nobody Here 999 nobody@example.org is no student of this class" in line for line in report.left)
    found = submitted(room)
    assert found[f"ada/{UNIT}/{NOTEBOOK}"] == found[f"bela/{UNIT}/{NOTEBOOK}"] == b"{1}"
    stamps = [found[f"{student}/{UNIT}/timestamp.txt"].decode().strip() for student in report.students]
    assert stamps == ["2026-10-03 12:22:33"] * 2 + ["2026-10-04 12:00:00"]


def test_a_newer_attempt_in_gradescope_stays_when_an_older_export_is_collected(room):
    newer = METADATA.replace(b"2026-10-03", b"2026-10-05")
    collect(room, {"submission_metadata.yml": newer, f"submission_501/{NOTEBOOK}": b"{5}"})
    report = collect(room, {"submission_metadata.yml": METADATA, f"submission_501/{NOTEBOOK}": b"{1}"})
    assert report.students == () and sum("has a newer attempt" in line for line in report.left) == 2
    assert submitted(room)[f"ada/{UNIT}/{NOTEBOOK}"] == b"{5}"


@pytest.mark.parametrize("text", [b"{", b"- a list", b"x: [" * 5000])
def test_metadata_that_cannot_be_read_ends_it_and_changes_nothing(room, text):
    with pytest.raises(CourseError, match="submission_metadata.yml .*: export the submissions from Gradescope again"):
        collect(room, {"submission_metadata.yml": text, f"submission_501/{NOTEBOOK}": b"{1}"})
    assert submitted(room) == {}
