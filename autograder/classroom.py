"""A class folder: making one, reading its configuration, and what is submitted in it."""

from __future__ import annotations

import copy
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from traitlets.config import Config, PyFileConfigLoader

from . import build, course
from .course import CourseError
from .secret import class_secret

CONFIG = "nbgrader_config.py"

# nbgrader 0.9 builds its records in an order that newer SQLAlchemy remarks on; the records are right.
warnings.filterwarnings("ignore", category=SAWarning, module=r"nbgrader\.")


@dataclass(frozen=True)
class Classroom:
    """A class folder and its configuration."""

    root: Path
    config: Config

    @classmethod
    def open(cls, root: Path) -> Classroom:
        """Return the class in a folder.

        Raises:
            CourseError: there is no such folder, or it is no class folder, or its configuration fails.
        """
        root = root.absolute()
        if not root.is_dir():
            raise CourseError(f"{root} is not there: make a class folder with `autograder init {root}`")
        if not (root / CONFIG).is_file():
            raise CourseError(f"{root} is not a class folder (it has no {CONFIG}): make one with `autograder init DIR`")
        try:
            config = PyFileConfigLoader(CONFIG, path=str(root)).load_config()
        except Exception as error:
            # The file is Python and may raise anything.
            raise CourseError(f"{root / CONFIG} cannot be read: {type(error).__name__}: {error}") from error
        config.CourseDirectory.root = str(root)
        return cls(root, config)

    def directory(self, log: logging.Logger, unit: str = "", student: str = "*") -> CourseDirectory:
        config = copy.deepcopy(self.config)
        config.CourseDirectory.assignment_id = unit
        config.CourseDirectory.student_id = student
        return CourseDirectory(config=config, log=log)

    @property
    def db_url(self) -> str:
        return self.directory(logging.getLogger("attention")).db_url

    def gradebook(self) -> Gradebook:
        """Open the gradebook.

        Raises:
            CourseError: the database cannot be opened, as when another program holds it.
        """
        try:
            return Gradebook(self.db_url, self.directory(logging.getLogger("attention")).course_id)
        except SQLAlchemyError as error:
            raise CourseError(told_by_database(error, self.db_url)) from error

    def submitted(self, unit: str) -> list[str]:
        """Return the ids of the students who submitted a unit, sorted."""
        folder = self.root / self.directory(logging.getLogger("attention")).submitted_directory
        if not folder.is_dir():
            return []
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith(".") and (path / unit).is_dir())


def told_by_database(error: SQLAlchemyError, url: str) -> str:
    """Return one line on a database error: what, where, and what to do."""
    text = str(getattr(error, "orig", error))
    place = url.split("@")[-1]
    if "locked" in text:
        return f"the gradebook {place} is locked by another program: close formgrader or the other grader and try again; nothing is lost"
    if "disk is full" in text or "No space" in text:
        return f"no space is left for the gradebook {place}: free some and run the same command again; nothing is lost"
    return f"the gradebook {place} cannot be used: {text.splitlines()[0] if text else type(error).__name__}"


def init(root: Path, units: Iterable[str], done: Callable[[str], None] = lambda unit: None, duedate: str | None = None) -> Classroom:
    """Make a class folder with nbgrader's layout, or bring an existing one up to date.

    Writes the configuration (an existing one is kept), the source notebooks, the class's secret, and with
    nbgrader's generate_assignment the gradebook and the release of each unit.

    Args:
        root: the folder.
        units: names of units.
        done: called with the name of each unit when it is released.
        duedate: when the units are due, as "2026-10-01 12:00:00 UTC"; None leaves it to nbgrader's own settings.

    Raises:
        CourseError: the folder is inside the course's repository, or cannot be written.
    """
    root = root.absolute()
    if root == course.ROOT or course.ROOT / "solutions" in root.parents:
        raise CourseError(f"{root} is part of the course itself: student data belongs in a folder of its own")
    try:
        for name in ("source", "release", "submitted", "autograded", "feedback"):
            (root / name).mkdir(parents=True, exist_ok=True)
        if not (root / CONFIG).exists():
            shutil.copyfile(course.ROOT / CONFIG, root / CONFIG)
        class_secret(root)
    except OSError as error:
        raise CourseError(f"{error.filename or root} cannot be written: {error.strerror}") from error
    classroom = Classroom.open(root)
    for unit in units:
        build.write_source(unit, root / "source")
        release(classroom, unit)
        if duedate is not None:
            with classroom.gradebook() as gradebook:
                gradebook.update_or_create_assignment(unit, duedate=duedate)
        done(unit)
    return classroom


def release(classroom: Classroom, unit: str) -> None:
    """Run nbgrader's generate_assignment for a unit: release and gradebook."""
    errors = build.Errors()
    log = logging.Logger("attention-release")
    log.addHandler(errors)
    config = copy.deepcopy(classroom.config)
    config.CourseDirectory.assignment_id = unit
    # Creating a gradebook, nbgrader calls the program alembic, which lies beside this Python.
    bin_folder = str(Path(sys.executable).parent)
    if bin_folder not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = bin_folder + os.pathsep + os.environ.get("PATH", "")
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config, log=log), config=config, log=log, force=True)
    try:
        converter.start()
    except NbGraderException as error:
        raise CourseError(f"{unit} cannot be released: {errors.messages[0].splitlines()[-1] if errors.messages else error}") from error
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error
