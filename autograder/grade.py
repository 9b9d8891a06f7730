"""Grades what is submitted in a class: one submission after the other, each to exactly one end.

The work itself is nbgrader's Autograde with our preprocessors, so points are the same as with `nbgrader
autograde`. Around it: one grader at a time, every error turned into an outcome, feedback written.
"""

from __future__ import annotations

import contextlib
import copy
import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config

from .build import Errors
from .classroom import Classroom, told_by_database
from .course import CourseError
from .sandbox import Sandbox, SandboxError
from .secret import FOLDER
from .verdicts import Outcome, outcome_path, read_outcome, write_outcome


@dataclass(frozen=True)
class Result:
    """One line of the table: a submission, its points, and how it ended."""

    student: str
    unit: str
    score: float
    max_score: float
    to_grade_by_hand: int
    late_seconds: float
    outcome: Outcome


@contextlib.contextmanager
def only_grader(root: Path) -> Iterator[None]:
    """Hold the class's lock; refuse by name when another grader has it.

    Raises:
        CourseError: somebody else is grading this class.
    """
    path = root / FOLDER / "grading.lock"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another program"
            raise CourseError(f"{root} is being graded by {holder}: wait for it to end") from None
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        yield


def grade(classroom: Classroom, units: list[str], unsafe: bool = False, feedback: bool = True, done: Callable[[Result], None] = lambda result: None) -> list[Result]:
    """Grade every submission of the units and return a result for each.

    Args:
        classroom: the class.
        units: names of units.
        unsafe: go on where the sandbox cannot be had, and mark the grades.
        feedback: also write nbgrader's feedback pages.
        done: called with each result as it comes.

    Raises:
        CourseError: the class cannot be graded at all: another grader, no gradebook, no sandbox, a full disk.
    """
    with only_grader(classroom.root):
        released = _released(classroom)
        missing = [unit for unit in units if unit not in released and classroom.submitted(unit)]
        if missing:
            raise CourseError(f"{', '.join(missing)} is not released in this class: run `autograder init {classroom.root}`")
        if not unsafe:
            _need_sandbox()
        results = []
        try:
            for unit in units:
                for student in classroom.submitted(unit):
                    result = grade_one(classroom, unit, student, unsafe, feedback)
                    results.append(result)
                    done(result)
        finally:
            Sandbox.close_all()
        return results


def _need_sandbox() -> None:
    try:
        Sandbox.of(None)
    except SandboxError as error:
        raise CourseError(f"{error}. With --unsafe, grading goes on without it and marks the grades") from error


def _released(classroom: Classroom) -> set[str]:
    try:
        with classroom.gradebook() as gradebook:
            return {assignment.name for assignment in gradebook.assignments if assignment.notebooks}
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error


def grade_one(classroom: Classroom, unit: str, student: str, unsafe: bool = False, feedback: bool = True) -> Result:
    """Grade one submission and return its result; whatever happens, it ends with an outcome."""
    outcome_path(classroom.root, unit, student).unlink(missing_ok=True)
    submitted = classroom.root / classroom.directory(logging.getLogger("attention")).submitted_directory / student / unit
    config = copy.deepcopy(classroom.config)
    config.SandboxedExecute.unsafe = unsafe
    errors = Errors()
    problem = ""
    if not os.path.lexists(submitted / f"{unit}.ipynb"):
        others = [path.name for path in sorted(submitted.glob("*.ipynb"))]
        found = f" (there is {', '.join(others)})" if others else ""
        problem = f"there is no {unit}.ipynb in the submission{found}: submit the notebook under its own name"
    else:
        try:
            _convert(Autograde, classroom, config, unit, student, errors)
        except (SQLAlchemyError, OSError) as error:
            problem = told_by_database(error, classroom.db_url) if isinstance(error, SQLAlchemyError) else f"{type(error).__name__}: {error}"
        except Exception as error:
            problem = errors.messages[0].strip().splitlines()[-1] if errors.messages else f"{type(error).__name__}: {error}"
    if "No space left" in problem or "disk is full" in problem:
        # No fault of the student's, and no ground for 0 points: stop here, what is graded is kept.
        raise CourseError(f"no space is left in {classroom.root}: free some and run the same command again; nothing is lost")
    outcome = read_outcome(classroom.root, unit, student)
    if outcome is None:
        outcome = Outcome(student, unit, ungradable=problem or "grading did not come to its end; run the same command again")
        outcome.unsafe = unsafe
        with contextlib.suppress(SQLAlchemyError, MissingEntry):
            _zero(classroom, unit, student)
        with contextlib.suppress(OSError):
            write_outcome(classroom.root, outcome)
    elif feedback:
        try:
            _convert(GenerateFeedback, classroom, config, unit, student, Errors())
        except Exception as error:
            outcome.notes.append(f"the feedback page could not be written ({type(error).__name__})")
    return _result(classroom, unit, student, outcome)


def _convert(converter: type, classroom: Classroom, config: Config, unit: str, student: str, errors: Errors) -> None:
    log = logging.Logger("attention-grade")
    log.addHandler(errors)
    config = copy.deepcopy(config)
    config.CourseDirectory.assignment_id = unit
    # nbgrader takes the id as a file pattern.
    config.CourseDirectory.student_id = "".join(f"[{c}]" if c in "*?[" else c for c in student)
    converter(coursedir=CourseDirectory(config=config, log=log), config=config, log=log, force=True).start()


def _zero(classroom: Classroom, unit: str, student: str) -> None:
    """Give a submission that could not be graded 0 points, instead of none."""
    with classroom.gradebook() as gradebook:
        gradebook.update_or_create_student(student)
        submission = gradebook.update_or_create_submission(unit, student)
        for notebook in submission.notebooks:
            for one in notebook.grades:
                one.auto_score, one.needs_manual_grade = 0, False
        gradebook.db.commit()


def _result(classroom: Classroom, unit: str, student: str, outcome: Outcome) -> Result:
    try:
        with Gradebook(classroom.db_url) as gradebook:
            submission = gradebook.find_submission(unit, student)
            by_hand = sum(1 for notebook in submission.notebooks for one in notebook.grades if one.needs_manual_grade)
            return Result(student, unit, submission.score, submission.max_score, by_hand, submission.total_seconds_late, outcome)
    except (SQLAlchemyError, MissingEntry):
        return Result(student, unit, 0.0, 0.0, 0, 0.0, outcome)
