"""A class of nbgrader's that exists gets our way of grading by a command, and its own back by another."""

import pytest
from nbgrader.preprocessors import Execute

from autograder.classroom import adopting
from autograder.classroom.classroom import Classroom
from autograder.course import CourseError
from autograder.marking.preprocessors import SandboxedExecute

OWN = 'c = get_config()\nc.CourseDirectory.course_id = "physics"\n'


@pytest.mark.parametrize("own", [OWN, OWN.rstrip("\n"), "", OWN.replace("\n", "\r\n")])
def test_two_lines_and_back(tmp_path, own):
    path = tmp_path / "nbgrader_config.py"
    path.write_bytes(own.encode())
    done = adopting.adopt(tmp_path)
    assert done.changed and not done.told and not done.replaced and done.path == path
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(own.splitlines()) + 2
    room = Classroom.open(tmp_path)
    assert SandboxedExecute in room.config.Autograde.autograde_preprocessors
    assert room.config.CourseDirectory.get("course_id", "") == ("physics" if own else "")
    assert not adopting.adopt(tmp_path).changed
    assert adopting.give_back(tmp_path).changed and path.read_bytes().rstrip() == own.encode().rstrip()
    assert not adopting.give_back(tmp_path).changed
    assert "Autograde" not in Classroom.open(tmp_path).config


def test_what_the_class_had_of_its_own_is_named(tmp_path):
    own = f"{OWN}from nbgrader.preprocessors import Execute\nc.Autograde.autograde_preprocessors = [Execute]\n"
    (tmp_path / "nbgrader_config.py").write_text(own, encoding="utf-8")
    assert adopting.adopt(tmp_path).replaced == ("Autograde.autograde_preprocessors",)
    adopting.give_back(tmp_path)
    assert Classroom.open(tmp_path).config.Autograde.autograde_preprocessors == [Execute]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_absolute_root_is_warned_of(tmp_path, elsewhere):
    root = tmp_path / "other" if elsewhere else tmp_path
    (tmp_path / "nbgrader_config.py").write_text(f"{OWN}c.CourseDirectory.root = {str(root)!r}\n", encoding="utf-8")
    (told,) = adopting.adopt(tmp_path).told
    assert told.startswith(f"c.CourseDirectory.root is {root}") and ("lies in" in told) == elsewhere


def test_a_folder_that_is_no_class_is_left_as_it_is(tmp_path):
    with pytest.raises(CourseError, match=r"has no nbgrader_config\.py, so it is no class of nbgrader's"):
        adopting.adopt(tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("c = get_config(\n", encoding="utf-8")
    with pytest.raises(CourseError, match="cannot be read: SyntaxError"):
        adopting.adopt(tmp_path)
    assert (tmp_path / "nbgrader_config.py").read_text(encoding="utf-8") == "c = get_config(\n"
