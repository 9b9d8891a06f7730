"""A run that would find nothing to do is told by the files alone, and by no sign that could be wrong."""

import os

import pytest

from autograder.classroom.standing import FILE, Said, Standing, is_plain

CONFIG = """from autograder.plugin import configure, release_config
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "attention"
c.CourseDirectory.submitted_directory = "submitted"
c.SandboxedExecute.notebook_seconds = 300
c.merge(release_config())
configure(c)
"""
SAID = Said(["told"], "table", 1, 3)
ASKED = {"units": ["u0"]}


@pytest.fixture
def root(tmp_path):
    for name in (".attention/outcomes", "submitted/ada/u0", "submitted/ben/u0", "autograded/ada/u0", "report"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("gradebook.db", ".attention/secret", "submitted/ada/u0/u0.ipynb", "autograded/ada/u0/u0.ipynb"):
        (tmp_path / name).write_text(name)
    (tmp_path / "nbgrader_config.py").write_text(CONFIG)
    Standing(tmp_path, ASKED).keep(SAID)
    return tmp_path


def test_what_was_said_is_said_again_while_nothing_changes(root):
    assert Standing(root, ASKED).said == SAID
    (root / ".attention/grading.lock").write_text("process 1")
    again = Standing(root, ASKED)
    assert again.said == SAID and not again.may_grade
    again.keep(SAID)
    assert Standing(root, ASKED).said == SAID


def test_what_a_run_wrote_is_not_a_change(root):
    (root / "submitted/ben/u0/u0.ipynb").write_text("new")
    standing = Standing(root, ASKED)
    assert standing.said is None and standing.may_grade
    with standing.writing():
        (root / "gradebook.db").write_text("more points")
    (root / "autograded/ada/u0/u0.ipynb").write_text("graded")
    standing.keep(SAID)
    assert Standing(root, ASKED).said == SAID


@pytest.mark.parametrize(
    "path",
    ["submitted/ada/u0/u0.ipynb", "submitted/ben/u0/new.txt", ".attention/secret", "nbgrader_config.py", "gradebook.db",
     "autograded/ada/u0/u0.ipynb", "report/report.html"],
)  # fmt: skip
def test_a_change_is_seen(root, path):
    (root / path).write_text(CONFIG.replace("300", "301"))
    standing = Standing(root, ASKED)
    assert standing.said is None
    assert standing.may_grade == (not path.startswith(("gradebook", "autograded", "report")))


def test_a_file_that_is_gone_or_stands_in_for_another_is_seen(root):
    os.replace(root / "submitted/ada/u0/u0.ipynb", root / "submitted/ben/u0/u0.ipynb")
    assert Standing(root, ASKED).said is None
    os.replace(root / "submitted/ben/u0/u0.ipynb", root / "submitted/ada/u0/u0.ipynb")
    assert Standing(root, ASKED).said is None, "it has been moved since"


def test_other_options_are_another_question(root):
    assert Standing(root, {"units": ["u1"]}).said is None


def test_a_run_that_somebody_disturbed_is_not_kept(root):
    for disturb in ("gradebook.db", "submitted/ada/u0/u0.ipynb"):
        standing = Standing(root, ASKED)
        (root / disturb).write_text("by somebody else")
        with standing.writing():
            (root / "gradebook.db").write_text(f"by the run, after {disturb}")
        standing.keep(SAID)
        assert not (root / FILE).exists(), disturb


def test_damage_goes_the_long_way(root):
    (root / FILE).write_text("{")
    assert Standing(root, ASKED).said is None
    assert Standing(root / "nowhere", ASKED).said is None


@pytest.mark.parametrize(
    "line",
    ["import os", "load_subconfig('other.py')", "c.CourseDirectory.db_url = 'sqlite:////elsewhere.db'",
     "c.CourseDirectory.submitted_directory = '/elsewhere'", "c.SandboxedExecute.notebook_seconds = seconds()",
     "c.CourseDirectory.root = '/elsewhere'", "if True:\n    pass", "c = other()", "x = 1", "("],
)  # fmt: skip
def test_a_configuration_that_reads_something_else_is_not_plain(tmp_path, line):
    (tmp_path / "config.py").write_text(CONFIG)
    assert is_plain(tmp_path / "config.py")
    (tmp_path / "config.py").write_text(f"{CONFIG}{line}\n")
    assert not is_plain(tmp_path / "config.py")
