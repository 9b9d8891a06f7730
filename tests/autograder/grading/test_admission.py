"""Who and what is graded: nobody is invented, nothing is overwritten, and a stray folder is named and stops nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from autograder.authoring import releasing, sample
from autograder.course import CourseError
from autograder.grading import admission

UNIT = "u0_start_here"
AUTOGRADER = str(Path(sys.executable).parent / "autograder")


@pytest.fixture
def room(tmp_path):
    room = releasing.init(tmp_path / "class", [UNIT])
    with room.gradebook() as gradebook:
        gradebook.update_or_create_student("ada")
    return room


def hand_in(room, student, unit=UNIT):
    (room.root / "submitted" / student / unit).mkdir(parents=True)


def enrolled(room):
    with room.gradebook() as gradebook:
        return sorted(student.id for student in gradebook.students)


def test_who_is_not_on_the_roster_is_named_and_not_graded_until_enrolled(room):
    for student in ("ada", "Jürgen von Süd", "x" * 99 + ":"):
        hand_in(room, student)
    admitted = admission.admit(room)
    assert admitted.students == ["ada"] and admitted.waiting == 1 and enrolled(room) == ["ada"]
    assert "not on the roster, and not graded: Jürgen von Süd, xxx" in admitted.told[0] and len(admitted.told[0]) < 300
    with pytest.raises(CourseError, match="cannot hold ':': it is a folder's name; rename the folder, nobody was"):
        admission.admit(room, enroll=True)
    assert enrolled(room) == ["ada"]
    (room.root / "submitted" / ("x" * 99 + ":")).rename(room.root / "submitted" / "xaver")
    assert admission.admit(room, enroll=True).students is None
    assert enrolled(room) == ["Jürgen von Süd", "ada", "xaver"]


def test_of_named_students_only_those_are_enrolled(room):
    for student in ("ben", "cleo", "dora"):
        hand_in(room, student)
    admitted = admission.admit(room, [UNIT], enroll=True, students=["cleo"])
    assert admitted.students == ["cleo"] and admitted.waiting == 1 and admitted.told == ()
    assert enrolled(room) == ["ada", "cleo"]
    told = admission.admit(room, [UNIT], students=["cleo", "dora"])
    assert told.students == ["cleo"] and told.waiting == 1 and len(told.told) == 1 and "graded: dora." in told.told[0]
    with pytest.raises(
        CourseError, match="there is no submission of any unit by the student 'clea'. Did you mean 'cleo'"
    ):
        admission.admit(room, students=["clea"], enroll=True)
    assert enrolled(room) == ["ada", "cleo"]


def test_a_folder_that_cannot_be_a_students_is_named(room):
    hand_in(room, "ada")
    hand_in(room, "ben")
    hand_in(room, "x" * 240)
    told = admission.admit(room).told
    assert any(
        "cannot be a student's, and is not graded: it is longer than 128 characters; rename" in one for one in told
    )
    assert admission.admit(room, enroll=True).waiting == 3


def test_a_misspelt_unit_folder_is_named(room):
    hand_in(room, "ada", "u0_strat_here")
    hand_in(room, "ada", "U0_Start_Here")
    assert admission.admit(room).told == (
        "submitted/ada/U0_Start_Here is no unit of this class and is not graded: did you mean u0_start_here?",
        "submitted/ada/u0_strat_here is no unit of this class and is not graded: did you mean u0_start_here?",
    )


def test_a_stray_folder_of_an_unreleased_unit_stops_no_other_unit(room):
    hand_in(room, "ada")
    hand_in(room, "ada", "u2_softmax_scaling")
    told = f"u2_softmax_scaling is not released in this class: run `autograder init {room.root} u2`"
    for asked in (None, ["u0", "u2"]):
        admitted = admission.admit(room, asked)
        assert admitted.units == (UNIT,) and admitted.waiting == 1 and admitted.told == (told,)
    with pytest.raises(CourseError, match="u2_softmax_scaling is not released.* u2`"):
        admission.admit(room, ["u2"])


def test_a_unit_that_nobody_handed_in_is_said_to_be_not_released(room):
    with pytest.raises(CourseError, match="u3_positional_encoding is not released in this class"):
        admission.admit(room, ["u3"])


def test_the_command_grades_the_enrolled_and_ends_with_3(room):
    folder = room.root / "submitted" / "stranger" / UNIT
    folder.mkdir(parents=True)
    done = subprocess.run(
        [AUTOGRADER, "grade", "--course", str(room.root)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 3 and "not graded: stranger." in done.stdout and "Traceback" not in done.stderr
    assert enrolled(room) == ["ada"]


def test_the_sample_class_is_written_into_no_real_class(room, tmp_path):
    work = room.root / "submitted" / "ada" / sample.UNIT / f"{sample.UNIT}.ipynb"
    work.parent.mkdir(parents=True)
    work.write_text("ada's own")
    for folder in (room.root, room.root / "submitted" / ".."):
        done = subprocess.run([AUTOGRADER, "sample", str(folder)], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "would overwrite students" in done.stderr
    assert work.read_text() == "ada's own"
    (tmp_path / "loose" / "submitted" / "ada").mkdir(parents=True)
    with pytest.raises(CourseError, match="would overwrite"):
        sample.need_free(tmp_path / "loose")
    sample.need_free(tmp_path / "new")
    sample.write(tmp_path / "new")
    sample.need_free(tmp_path / "new")


def test_no_class_is_made_inside_a_class(room):
    for place in ("submitted/ada", "u2"):
        with pytest.raises(CourseError, match="lies in the class folder"):
            releasing.init(room.root / place, [UNIT])
        assert not (room.root / place / "nbgrader_config.py").exists()


def test_a_new_class_is_the_instructors_alone(room):
    assert room.root.stat().st_mode & 0o777 == 0o700
    assert (room.root / "gradebook.db").stat().st_mode & 0o777 == 0o600
    room.root.chmod(0o750)
    releasing.init(room.root, [UNIT])
    assert room.root.stat().st_mode & 0o777 == 0o750, "an instructor's own choice stays"
