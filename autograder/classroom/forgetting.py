"""Takes everything about one student out of a class folder, and says where else to look."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from nbgrader.api import Gradebook, MissingEntry
from sqlalchemy.exc import SQLAlchemyError

from autograder.course import CourseError

from .classroom import CONFIG, Classroom, told_by_database
from .layout import FOLDER, KEPT, only_grader, outcome_path
from .tables import EXTENSIONS, GRADED


@dataclass(frozen=True)
class Forgotten:
    """What is gone: the student's folders, and what in the class folder was made of the whole class and may still name
    the student.
    """

    student: str
    folders: tuple[Path, ...]
    look_at: tuple[Path, ...]


def forget(classroom: Classroom, student: str) -> Forgotten:
    """Remove a student's points, submissions, graded notebooks, feedback and outcomes. Nothing brings them back.

    Args:
        classroom: the class.
        student: the student's id.

    Raises:
        CourseError: there is no such student, or somebody is grading.
    """
    if not student or Path(student).name != student or student.startswith("."):
        raise CourseError(f"{student!r} is no student's id")
    directory = classroom.directory(logging.getLogger("attention"))
    kinds = (directory.submitted_directory, directory.autograded_directory, directory.feedback_directory)
    folders = tuple(
        path for path in (classroom.root / kind / student for kind in kinds) if path.is_dir() or path.is_symlink()
    )
    with only_grader(classroom.root):
        try:
            with classroom.gradebook() as gradebook:
                units = [assignment.name for assignment in gradebook.assignments]
                if not _remove(gradebook, student) and not folders:
                    raise CourseError(f"{student} is no student of this class; `nbgrader db student list` shows who is")
        except SQLAlchemyError as error:
            raise CourseError(told_by_database(error, classroom.db_url)) from error
        for folder in folders:
            folder.unlink() if folder.is_symlink() else shutil.rmtree(folder)
        for unit in units:
            outcome_path(classroom.root, unit, student).unlink(missing_ok=True)
        _forget_kept(classroom.root, student)
    own = {*kinds, directory.source_directory, directory.release_directory, CONFIG, FOLDER, "gradebook.db"}
    return Forgotten(student, folders, tuple(sorted(path for path in classroom.root.iterdir() if path.name not in own)))


def _forget_kept(root: Path, student: str) -> None:
    """Delete what collecting has kept of a student, and the downloads that it kept, which name everybody."""
    for place in sorted((root / KEPT).glob("*")):
        kinds = (f"submitted/{student}", f"brought/{student}", "downloaded", "download brought")
        for path in (place / kind for kind in kinds):
            if path.is_dir():
                shutil.rmtree(path)
        record = place / "record.json"
        if record.is_file():
            told = json.loads(record.read_text(encoding="utf-8"))
            told["students"] = [one for one in told["students"] if one != student]
            record.write_text(json.dumps(told), encoding="utf-8")


def _remove(gradebook: Gradebook, student: str) -> bool:
    """Remove the rows of a student; whether there was one."""
    tables = sa.inspect(gradebook.engine)
    for table in (GRADED, EXTENSIONS):
        if tables.has_table(table.name):
            gradebook.db.execute(sa.delete(table).where(table.c.student == student))
    try:
        gradebook.remove_student(student)
    except MissingEntry:
        gradebook.db.commit()
        return False
    if gradebook.engine.dialect.name == "sqlite":
        # SQLite leaves deleted rows readable in the file until it is written anew.
        with gradebook.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")
    return True
