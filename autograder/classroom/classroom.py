"""A class folder: its configuration, its gradebook, and what is submitted in it."""

from __future__ import annotations

import copy
import logging
import unicodedata
import warnings
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.course import CourseError
from helpers.language import ENGLISH

from . import environments
from .layout import FOLDER

CONFIG = "nbgrader_config.py"
# Of a student's id: as long as the gradebook's columns.
MAX_ID = 128

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
        # Before anything asks which units there are.
        for prefix in environments.named(root, config).values():
            environments.look_in(prefix)
        return cls(root, config)

    def directory(self, log: logging.Logger, unit: str = "", student: str = "*") -> CourseDirectory:
        config = copy.deepcopy(self.config)
        config.CourseDirectory.assignment_id = unit
        config.CourseDirectory.student_id = student
        return CourseDirectory(config=config, log=log)

    @property
    def language(self) -> str:
        """What the class reads, as its configuration says: "en", "zh", ..."""
        return str(self.config.get("Attention", {}).get("language", ENGLISH))

    @property
    def db_url(self) -> str:
        url: str = self.directory(logging.getLogger("attention")).db_url
        return url

    def gradebook(self) -> Gradebook:
        """Open the gradebook.

        Raises:
            CourseError: the database is not there, or cannot be opened, as when another program holds it.
        """
        path = gradebook_file(self)
        if path is not None and not (path.is_file() and path.stat().st_size):
            if not is_class(self.root):
                # As the course's own folder, which has nbgrader's configuration for its authors.
                raise CourseError(
                    f"{self.root} is no class (there is no gradebook, and nothing was graded here): go to the class "
                    "folder, or name it with --course DIR; `autograder init DIR` makes one"
                )
            # nbgrader would make an empty one, and what was in it would be missed much later.
            raise CourseError(
                f"the gradebook {path} is {'empty' if path.is_file() else 'not there'}: put it back from a backup, or "
                f"make a new one with `autograder init {self.root}` and grade again; points given by hand are in no "
                "other place"
            )
        try:
            return Gradebook(self.db_url, self.directory(logging.getLogger("attention")).course_id)
        except FileNotFoundError as error:
            # Of a server's: to make its tables nbgrader calls the program alembic.
            place = self.db_url.split("@")[-1]
            raise CourseError(
                f"the gradebook {place} has no tables yet: `autograder init {self.root}` makes them"
            ) from error
        except SQLAlchemyError as error:
            raise CourseError(told_by_database(error, self.db_url)) from error

    def submitted(self, unit: str) -> list[str]:
        """Return the ids of the students who submitted a unit, sorted. No folder's name that cannot be an id is one."""
        return [name for name in self._handed_in(unit) if not wrong_id(name)]

    def misnamed(self, unit: str) -> dict[str, str]:
        """Return the folders with a submission of a unit whose names cannot be a student's id, as they can be shown,
        each with the reason.
        """
        return {ascii(name)[1:-1][:80]: wrong_id(name) for name in self._handed_in(unit) if wrong_id(name)}

    def _handed_in(self, unit: str) -> list[str]:
        folder = self.root / self.directory(logging.getLogger("attention")).submitted_directory
        if not folder.is_dir():
            return []
        return sorted(
            path.name for path in folder.iterdir() if not path.name.startswith(".") and (path / unit).is_dir()
        )


def wrong_id(name: str) -> str:
    """Return why a name cannot be a student's id, or ""."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "it is no UTF-8 text"
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in name):
        return "it holds a line break or another control character"
    return f"it is longer than {MAX_ID} characters" if len(name) > MAX_ID else ""


def is_class(folder: Path) -> bool:
    """Whether a folder is a class: it has a configuration, and a gradebook or a secret."""
    return (folder / CONFIG).is_file() and ((folder / FOLDER).is_dir() or (folder / "gradebook.db").is_file())


def gradebook_file(classroom: Classroom) -> Path | None:
    """Return the file of a gradebook in SQLite, or None for another database."""
    url = classroom.db_url
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def protect(classroom: Classroom) -> None:
    """Take the rights of others from a new class's folder and gradebook, unless graders share it as a group."""
    if classroom.directory(logging.getLogger("attention")).groupshared:
        return
    classroom.root.chmod(0o700)
    path = gradebook_file(classroom)
    if path is not None and path.is_file():
        path.chmod(0o600)


def told_by_database(error: SQLAlchemyError, url: str) -> str:
    """Return one line on a database error: what, where, and what to do."""
    text = str(getattr(error, "orig", error))
    place = url.split("@")[-1]
    if "locked" in text:
        return (
            f"the gradebook {place} is locked by another program: "
            "close formgrader or the other grader and try again; nothing is lost"
        )
    if "disk is full" in text or "No space" in text:
        return f"no space is left for the gradebook {place}: free some and run the same command again; nothing is lost"
    return f"the gradebook {place} cannot be used: {text.splitlines()[0] if text else type(error).__name__}"
