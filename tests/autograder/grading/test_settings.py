"""A wrong or misspelt setting of the class is told before anything is graded, with its file and the right name."""

import pytest

from autograder.authoring import releasing
from autograder.classroom import classroom
from autograder.course import CourseError
from autograder.grading import coordinator
from autograder.grading.settings import check_settings

UNIT = "u0_start_here"


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return releasing.init(tmp_path_factory.mktemp("settings") / "class", [UNIT])


def with_line(room, tmp_path, line):
    text = (room.root / classroom.CONFIG).read_text(encoding="utf-8")
    (tmp_path / classroom.CONFIG).write_text(f"{text}\n{line}\n", encoding="utf-8")
    return classroom.Classroom.open(tmp_path)


@pytest.mark.parametrize(
    "line, told",
    [
        (
            'c.SandboxedExecute.notebook_seconds = "abc"',
            "c.SandboxedExecute.notebook_seconds = 'abc' is wrong: it wants a whole number above 0",
        ),
        ("c.SandboxedExecute.notebook_seconds = -1", "notebook_seconds = -1 is wrong: it wants a whole number above 0"),
        ("c.SandboxedExecute.notebook_secs = 30", "notebook_secs is no setting; did you mean notebook_seconds?"),
        ("c.SandboxedExecute.nothing_of_ours = 30", "nothing_of_ours is no setting"),
        ("c.SandboxdExecute.notebook_seconds = 30", "no c.SandboxdExecute; did you mean c.SandboxedExecute?"),
        ("c.Autograde.create_studnet = True", "create_studnet is no setting; did you mean create_student?"),
        ("c.CourseDirectory.db_url = 3", "c.CourseDirectory.db_url = 3 is wrong"),
        ('c.SandboxedExecute.landlock = "no"', "c.SandboxedExecute.landlock = 'no' is wrong: it wants a boolean"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_right(room, tmp_path, line, told):
    with pytest.raises(CourseError) as error:
        check_settings(with_line(room, tmp_path, line))
    assert str(error.value).startswith(str(tmp_path / classroom.CONFIG)) and told in str(error.value)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "c.SandboxedExecute.notebook_seconds = 30",
        "c.SandboxedExecute.timeout = None",
        "c.Execute.timeout = 30",
        'c.Exchange.root = "/srv/exchange"',
        'c.ServerApp.ip = "localhost"\nc.JupyterHub.port = 8000',
        'c.LateSubmissionPlugin.penalty_method = "zero"',
        "c.NbGraderApp.log_level = 30",
    ],
)
def test_a_right_setting_and_another_programs_pass(room, tmp_path, line):
    check_settings(with_line(room, tmp_path, line))


def test_grading_does_not_begin_with_a_wrong_setting(room, tmp_path):
    (tmp_path / "submitted" / "ann" / UNIT).mkdir(parents=True)
    wrong = with_line(room, tmp_path, 'c.SandboxedExecute.notebook_seconds = "abc"')
    with pytest.raises(CourseError, match="notebook_seconds"):
        coordinator.grade(wrong, [UNIT])
    assert not (tmp_path / "autograded").exists() and not (tmp_path / "gradebook.db").exists()
