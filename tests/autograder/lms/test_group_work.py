"""What one member of a group hands in counts for each of its members, through every door."""

import pytest

from autograder.course import CourseError
from autograder.lms import keeping

from .downloads import NOTEBOOK, UNIT, collect, submitted

TABLE = "group,id\nred,ada\nred,bela\nblue,chen\nblue,dana\n"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def held(room, student):
    return submitted(room).get(f"{student}/{UNIT}/{NOTEBOOK}")


def test_canvas_names_one_of_a_group(room, table):
    report = collect(
        room,
        {
            f"redteam_101_900_{NOTEBOOK}": b"{1}",
            f"blueteam_LATE_103_901_{NOTEBOOK}": b"{2}",
            "blueteam_LATE_103_902_data.csv": b"1,2",
        },
        groups=table,
    )
    assert report.students == ("ada", "bela", "chen", "dana")
    assert [held(room, student) for student in report.students] == [b"{1}", b"{1}", b"{2}", b"{2}"]
    assert submitted(room)[f"dana/{UNIT}/data.csv"] == b"1,2"
    assert report.late == ("chen", "dana")
    assert "red: what ada handed in counts for bela too" in report.notes


def test_of_several_members_the_newest_counts(room, table):
    report = collect(
        room, {f"lovelaceada_101_900_{NOTEBOOK}": b"{1}", f"bartokbela_102_905_{NOTEBOOK}": b"{2}"}, groups=table
    )
    assert [held(room, student) for student in ("ada", "bela")] == [b"{2}", b"{2}"]
    assert report.notes == ("red: what bela handed in counts for ada too",)
    assert "dana" not in report.students


def test_where_no_time_is_told_each_keeps_their_own(room, table):
    collect(room, {f"ada/{NOTEBOOK}": b"{1}", f"bela/{NOTEBOOK}": b"{2}", f"dana/{NOTEBOOK}": b"{3}"}, groups=table)
    assert [held(room, one) for one in ("ada", "bela", "chen", "dana")] == [b"{1}", b"{2}", b"{3}", b"{3}"]


@pytest.mark.parametrize("folder", ["red", "ada+bela"])
def test_a_folder_of_a_group_is_each_members(room, table, folder):
    report = collect(room, {f"{folder}/{NOTEBOOK}": b"{1}", f"chen/{NOTEBOOK}": b"{2}"}, groups=table)
    assert report.students == ("ada", "bela", "chen", "dana")
    assert held(room, "ada") == held(room, "bela") == b"{1}"


def test_ids_joined_by_a_plus_need_no_table(room):
    report = collect(room, {f"ada+bela/{NOTEBOOK}": b"{1}", f"chen+nobody/{NOTEBOOK}": b"{2}"})
    assert report.students == ("ada", "bela")
    assert any("chen+nobody: is no student of this class" in line for line in report.left)


def test_moodle_puts_the_groups_name_before_the_students(room):
    files = {
        f"Group A-Ada Lovelace_7001_assignsubmission_file_/{NOTEBOOK}": b"{1}",
        f"Group A-Béla Bartók_7002_assignsubmission_file_/{NOTEBOOK}": b"{1}",
    }
    assert collect(room, files).students == ("ada", "bela")
    # Where only some names have a dash, it is part of a name.
    files[f"Chen Li_7003_assignsubmission_file_/{NOTEBOOK}"] = b"{1}"
    report = collect(room, files)
    assert report.students == () and len(report.left) == 3


def test_undo_takes_it_back_from_all_of_them(room, table):
    collect(room, {f"redteam_101_900_{NOTEBOOK}": b"{1}"}, groups=table)
    assert set(keeping.undo(room).removed) == {"ada", "bela"}
    assert not submitted(room)


def test_a_dry_run_writes_nothing(room, table):
    report = collect(room, {f"redteam_101_900_{NOTEBOOK}": b"{1}"}, groups=table, dry_run=True)
    assert report.students == ("ada", "bela") and not submitted(room)


@pytest.mark.parametrize(
    "text, told",
    [
        ("group;id\nred;ada\nred;nobody\n", "line 3: nobody is no student of this class"),
        ("group,id\nred,ada\nblue,ada\n", "ada stands in line 2 already"),
        ("team,student\nred,ada\n", "no column is called id"),
        ("id,name\nada,Lovelace\n", "nobody has a group"),
    ],
)
def test_a_table_that_cannot_be_is_told_and_nothing_collected(room, tmp_path, text, told):
    path = tmp_path / "groups.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=told):
        collect(room, {f"redteam_101_900_{NOTEBOOK}": b"{1}"}, groups=path)
    assert not submitted(room)


def test_a_table_as_excel_saves_it(room, tmp_path):
    path = tmp_path / "groups.csv"
    path.write_bytes("\ufeffGruppe;Kennung\r\nrot;ada\r\nrot;bela\r\n;chen\r\n".encode("utf-16"))
    assert collect(room, {f"redteam_101_900_{NOTEBOOK}": b"{1}"}, groups=path).students == ("ada", "bela")


def test_a_lone_folder_of_a_stranger_is_a_strangers(room):
    report = collect(room, {f"stranger/{NOTEBOOK}": b"{1}"})
    assert report.students == () and report.left == ("stranger: is no student of this class",)


@pytest.mark.parametrize("inner", ["bela_as_folder", "Bartok Bela_7002_assignsubmission_file_"])
def test_a_strangers_folder_names_nobody_inside_of_it(room, inner):
    report = collect(room, {f"stranger/work/{inner}/{NOTEBOOK}": b"{1}"})
    assert report.students == () and report.left == ("stranger: is no student of this class",)
