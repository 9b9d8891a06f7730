"""Makes a class folder and releases units into it: configuration, sources, secret, gradebook, release."""

from __future__ import annotations

import copy
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SQLAlchemyError

from autograder import course
from autograder.classroom.classroom import CONFIG, Classroom, gradebook_file, is_class, protect, told_by_database
from autograder.classroom.secret import class_secret
from autograder.course import CourseError
from helpers.language import ENGLISH

from . import building
from .translating import catalogs

_LANGUAGE = re.compile(r"^c\.Attention\.language\s*=.*$", re.MULTILINE)


def init(
    root: Path,
    units: Iterable[str],
    done: Callable[[str], None] = lambda unit: None,
    duedate: str | None = None,
    language: str | None = None,
) -> Classroom:
    """Make a class folder with nbgrader's layout, or bring an existing one up to date.

    Writes the configuration (an existing one is kept), the source notebooks, the class's secret, and with
    nbgrader's generate_assignment the gradebook and the release of each unit.

    Args:
        root: the folder.
        units: names of units.
        done: called with the name of each unit when it is released.
        duedate: when the units are due, as "2026-10-01 12:00:00 UTC"; None leaves it to nbgrader's own settings.
        language: what the class reads, as "zh"; None is what the class's configuration says, else English.

    Raises:
        CourseError: the folder is inside the course's repository, or cannot be written.
    """
    root = root.absolute()
    if root == course.ROOT or course.ROOT / "solutions" in root.parents:
        raise CourseError(f"{root} is part of the course itself: student data belongs in a folder of its own")
    around = next((path for path in root.parents if is_class(path)), None)
    if around is not None:
        raise CourseError(
            f"{root} lies in the class folder {around}: name that to release units there, or make a class elsewhere"
        )
    if language is not None and language not in (ENGLISH, *catalogs.languages()):
        known = ", ".join((ENGLISH, *catalogs.languages()))
        raise CourseError(f"there is no language {language!r}; the course is written in {known}")
    fresh = not (root / CONFIG).exists()
    try:
        if not root.exists():
            # Everything about the students will be in it.
            root.mkdir(mode=0o700, parents=True)
        for name in ("source", "release", "submitted", "autograded", "feedback"):
            (root / name).mkdir(parents=True, exist_ok=True)
        if not (root / CONFIG).exists():
            shutil.copyfile(course.ROOT / CONFIG, root / CONFIG)
        if language is not None:
            _say_language(root / CONFIG, language)
        class_secret(root)
    except OSError as error:
        raise CourseError(f"{error.filename or root} cannot be written: {error.strerror}") from error
    classroom = Classroom.open(root)
    _make_gradebook(classroom)
    for unit in units:
        building.write_source(unit, root / "source", classroom.language)
        release(classroom, unit, duedate or _due(classroom, unit))
        if duedate is not None:
            with classroom.gradebook() as gradebook:
                gradebook.update_or_create_assignment(unit, duedate=duedate)
        done(unit)
    if fresh:
        protect(classroom)
    return classroom


def _say_language(configuration: Path, language: str) -> None:
    """Write into a class's configuration which language it reads, at its end or in the place of an earlier one."""
    text = configuration.read_text(encoding="utf-8")
    line = f'c.Attention.language = "{language}"'
    if _LANGUAGE.search(text):
        changed = _LANGUAGE.sub(line, text)
    elif language == ENGLISH:
        return
    else:
        changed = (
            f"{text.rstrip()}\n# What learners read. A notebook that somebody has already keeps its own.\n{line}\n"
        )
    if changed != text:
        configuration.write_text(changed, encoding="utf-8")


def _make_gradebook(classroom: Classroom) -> None:
    """Make the gradebook of a class that has none.

    Raises:
        CourseError: it cannot be made.
    """
    # Creating a gradebook, nbgrader calls the program alembic, which lies beside this Python.
    bin_folder = str(Path(sys.executable).parent)
    if bin_folder not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = bin_folder + os.pathsep + os.environ.get("PATH", "")
    path = gradebook_file(classroom)
    if path is None or (path.is_file() and path.stat().st_size):
        return
    try:
        Gradebook(classroom.db_url, classroom.directory(logging.getLogger("attention")).course_id).close()
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error


def _due(classroom: Classroom, unit: str) -> str:
    """When a unit that was released before is due, as its gradebook has it, or ""."""
    with classroom.gradebook() as gradebook:
        try:
            due = gradebook.find_assignment(unit).duedate
        except MissingEntry:
            return ""
    return f"{due.isoformat(sep=' ', timespec='seconds')} UTC" if due is not None else ""


def release(classroom: Classroom, unit: str, duedate: str = "") -> None:
    """Run nbgrader's generate_assignment for a unit: release and gradebook.

    Args:
        classroom: the class.
        unit: its name.
        duedate: when it is due, for the learner to read; "" says nothing.
    """
    errors = building.Errors()
    log = logging.Logger("attention-release")
    log.addHandler(errors)
    config = copy.deepcopy(classroom.config)
    config.CourseDirectory.assignment_id = unit
    if duedate:
        config.Attention.duedate = duedate
    converter = GenerateAssignment(
        coursedir=CourseDirectory(config=config, log=log), config=config, log=log, force=True
    )
    try:
        converter.start()
    except NbGraderException as error:
        raise CourseError(
            f"{unit} cannot be released: {errors.messages[0].splitlines()[-1] if errors.messages else error}"
        ) from error
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error
