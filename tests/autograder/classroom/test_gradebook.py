"""A gradebook that is not there is told in one line, and none is made in its place."""

import pytest

from autograder.authoring import releasing, sample
from autograder.classroom import rosters
from autograder.classroom.classroom import Classroom
from autograder.course import CourseError
from autograder.grading import admission, coordinator


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return releasing.init(tmp_path_factory.mktemp("class") / "class", [sample.UNIT])


@pytest.mark.parametrize("left", [None, b""], ids=["missing", "empty"])
def test_every_command_says_so(room, left, monkeypatch):
    path = room.root / "gradebook.db"
    kept = path.read_bytes()
    path.unlink()
    if left is not None:
        path.write_bytes(left)
    # As for whoever calls the command by its path: nbgrader's helper is not found either.
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (room.root / "roster.csv").write_text("id\nada\n")
    again = Classroom.open(room.root)
    try:
        for command in (
            lambda: coordinator.grade(again, [sample.UNIT]),
            lambda: rosters.take_in(again, room.root / "roster.csv"),
        ):
            with pytest.raises(
                CourseError, match=r"gradebook\.db is (not there|empty): put it back .*`autograder init"
            ):
                command()
        assert path.is_file() == (left is not None) and (left is None or path.stat().st_size == 0)
    finally:
        path.write_bytes(kept)
    with again.gradebook() as gradebook:
        assert [assignment.name for assignment in gradebook.assignments] == [sample.UNIT]


def test_a_server_without_tables_is_told_too(room, monkeypatch):
    def empty(*arguments):
        raise FileNotFoundError(2, "No such file or directory", "alembic")

    monkeypatch.setattr("autograder.classroom.classroom.Gradebook", empty)
    room.config.CourseDirectory.db_url = "postgresql://user:secret@host/class"
    try:
        with pytest.raises(CourseError, match="host/class has no tables yet: `autograder init") as told:
            room.gradebook()
        assert "secret" not in str(told.value)
    finally:
        del room.config.CourseDirectory["db_url"]


def test_the_courses_own_folder_is_no_class_and_gets_no_gradebook(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n", encoding="utf-8")
    with pytest.raises(CourseError, match="is no class .*--course DIR; `autograder init DIR` makes one"):
        admission.admit(Classroom.open(tmp_path), [sample.UNIT])
    assert not (tmp_path / "gradebook.db").exists()
