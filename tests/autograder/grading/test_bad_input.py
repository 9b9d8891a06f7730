"""Bad input to the commands: one clear line, an exit code that says it, nothing lost."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder import cli, course
from autograder.authoring import releasing, sample
from autograder.classroom import classroom, layout
from autograder.course import CourseError
from autograder.grading import coordinator

AUTOGRADER = str(Path(sys.executable).parent / "autograder")


def run(*arguments):
    return subprocess.run([AUTOGRADER, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def said(capsys, monkeypatch):
    """Return a function that runs a command in this process: in one of its own the imports take three seconds."""

    def say(*arguments):
        monkeypatch.setattr(sys, "argv", ["autograder", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(sys.argv, ended.value.code or 0, out, err)

    return say


def one_line(done):
    assert done.returncode == 2 and done.stdout == ""
    line = done.stderr.strip()
    assert line.startswith("autograder: ") and "\n" not in line and "Traceback" not in line
    return line


@pytest.fixture
def room(tmp_path):
    room = releasing.init(tmp_path / "class", [sample.UNIT])
    folder = room.root / "submitted" / "ann" / sample.UNIT
    folder.mkdir(parents=True)
    nbformat.write(sample.answered(), folder / f"{sample.UNIT}.ipynb")
    with room.gradebook() as gradebook:
        gradebook.update_or_create_student("ann")
    return room


def test_a_class_folder_that_is_not_there(tmp_path, said):
    assert "is not there" in one_line(said("grade", "--course", tmp_path / "none"))


def test_a_folder_that_is_no_class(tmp_path, said):
    assert "not a class folder" in one_line(said("grade", "--course", tmp_path))


def test_an_unknown_unit(room, said):
    assert "there is no unit 'u99'" in one_line(said("grade", "u99", "--course", room.root))


def test_a_configuration_that_fails(room, said):
    (room.root / classroom.CONFIG).write_text("this is no python", encoding="utf-8")
    assert "cannot be read" in one_line(said("grade", "--course", room.root))


def test_nothing_to_grade_is_said_and_is_no_error(room, said):
    releasing.init(room.root, ["u0_start_here"])
    done = said("grade", "u0", "--course", room.root)
    assert done.returncode == 0 and "nothing to grade" in done.stdout


def test_a_class_inside_the_course(tmp_path, said):
    assert "folder of its own" in one_line(said("init", course.ROOT))


@pytest.mark.parametrize("handed_in", [True, False])
def test_a_unit_that_was_not_released(room, handed_in, said):
    if handed_in:
        (room.root / "submitted" / "ann" / "u0_start_here").mkdir(parents=True)
    line = one_line(said("grade", "u0", "--course", room.root))
    assert "u0_start_here is not released" in line and f"autograder init {room.root} u0`" in line


def test_a_second_grader_is_refused_by_name(room):
    with layout.only_grader(room.root):
        assert f"being graded by process {os.getpid()}" in one_line(run("grade", "--course", room.root))


def test_a_locked_gradebook(room):
    holder = sqlite3.connect(room.root / "gradebook.db", isolation_level=None)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        done = run("grade", "--course", room.root)
    finally:
        holder.close()
    assert done.returncode in (2, 3) and "locked" in done.stdout + done.stderr and "Traceback" not in done.stderr
    assert coordinator.grade(room, [sample.UNIT])[0].score == 17


def test_a_notebook_of_another_name_is_graded_with_a_note(room):
    folder = room.root / "submitted" / "ann" / sample.UNIT
    (folder / f"{sample.UNIT}.ipynb").rename(folder / "my work.IPYNB")
    result = coordinator.grade(room, [sample.UNIT])[0]
    assert result.score == 17 and "my work.IPYNB is taken as u1_dot_products.ipynb" in result.outcome.notes


def test_of_several_notebooks_the_answered_one_is_graded_with_a_note(room):
    folder = room.root / "submitted" / "ann" / sample.UNIT
    (folder / f"{sample.UNIT}.ipynb").rename(folder / "Copy of u1_dot_products.ipynb")
    nbformat.write(sample.released(), folder / f"{sample.UNIT}.ipynb")
    result = coordinator.grade(room, [sample.UNIT])[0]
    assert result.score == 17 and "it is answered, no other is" in result.outcome.reason


def test_another_units_notebook_is_no_submission_of_this_one(room):
    folder = room.root / "submitted" / "ann" / sample.UNIT
    (folder / f"{sample.UNIT}.ipynb").unlink()
    nbformat.write(sample.answered("u0_start_here"), folder / "homework.ipynb")
    result = coordinator.grade(room, [sample.UNIT])[0]
    assert result.outcome.state == "not gradable" and "the notebook is u0_start_here's" in result.outcome.reason


def test_a_notebook_without_kernel_spec_and_test_cell_is_graded(room):
    path = room.root / "submitted" / "ann" / sample.UNIT / f"{sample.UNIT}.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.metadata = {}
    notebook.cells = [cell for cell in notebook.cells if cell.id != "test_project"]
    nbformat.write(notebook, path)
    result = coordinator.grade(room, [sample.UNIT])[0]
    assert result.score == 17 and "test_project was missing" in result.outcome.reason


def test_without_the_sandbox_grading_refuses_and_unsafe_marks_the_grades(room, monkeypatch):
    monkeypatch.setattr("autograder.sandbox.outside.bubblewrap.find_bubblewrap", lambda: None)
    with pytest.raises(CourseError, match=r"bubblewrap is not installed.*--unsafe"):
        coordinator.grade(room, [sample.UNIT])
    result = coordinator.grade(room, [sample.UNIT], unsafe=True)[0]
    assert result.score == 17 and "graded without the sandbox" in result.outcome.reason


def test_a_folder_for_temporary_files_with_too_long_a_path_is_named_before_anything_is_graded(
    room, tmp_path, monkeypatch
):
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with pytest.raises(CourseError, match="set TMPDIR to a folder with a shorter path"):
        coordinator.grade(room, [sample.UNIT])
    assert not list(long.iterdir())


def test_the_secret_is_the_instructors_alone_and_stays(room):
    path = room.root / ".attention" / "secret"
    first = path.read_bytes()
    releasing.init(room.root, [sample.UNIT])
    assert path.read_bytes() == first and path.stat().st_mode & 0o077 == 0


def test_a_full_disk_stops_grading_and_gives_nobody_a_zero(room, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("autograder.grading.writing.Writer._keep_files", full)
        with pytest.raises(CourseError, match="no space is left"):
            coordinator.grade(room, [sample.UNIT])
    assert coordinator.grade(room, [sample.UNIT])[0].score == 17


def test_the_size_of_a_notebook_is_limited_by_the_classes_own_setting(room):
    with open(room.root / classroom.CONFIG, "a", encoding="utf-8") as file:
        file.write("\nc.SandboxedExecute.notebook_bytes = 1000\n")
    result = coordinator.grade(classroom.Classroom.open(room.root), [sample.UNIT])[0]
    assert result.outcome.state == "not gradable" and "MB" in result.outcome.reason
