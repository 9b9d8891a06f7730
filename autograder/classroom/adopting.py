"""Gives a class that exists our way of grading, by two lines at the end of its configuration, and takes it back."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.course import CourseError

from .classroom import CONFIG, Classroom, gradebook_file, is_class

_MARK = "  # autograder adopt"
_LINES = (f"from autograder.plugin import configure{_MARK}", f"configure(get_config()){_MARK}")


@dataclass(frozen=True)
class Adopted:
    """What `adopt` or `give_back` did.

    Attributes:
        path: the configuration.
        changed: whether it is another than before.
        replaced: settings of the class's own that ours now stand in for, as "Autograde.autograde_preprocessors".
        told: what the instructor should know.
    """

    path: Path
    changed: bool
    replaced: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


def adopt(root: Path) -> Adopted:
    """Append the two lines that have a class graded by the sandbox, and by the judge where there is one.

    Raises:
        CourseError: there is no configuration, or it cannot be read or written.
    """
    path, text = _read(root)
    before = Classroom.open(root).config
    if "autograder.plugin" in text:
        return Adopted(path, False, told=_absolute_root(path))
    ending = "" if text.endswith("\n") or not text else "\n"
    _write(path, text + ending + "\n".join(_LINES) + "\n")
    try:
        room = Classroom.open(root)
    except CourseError:
        _write(path, text)
        raise
    file = gradebook_file(room)
    if file is not None and not file.exists() and not is_class(room.root):
        # nbgrader makes it with the first assignment; the roster may come before that.
        Gradebook(room.db_url, room.directory(logging.getLogger("attention")).course_id).close()
    return Adopted(path, True, tuple(_replaced(before, room.config)), _absolute_root(path))


def give_back(root: Path) -> Adopted:
    """Take the two lines out again; the class is as it was before `adopt`.

    Raises:
        CourseError: there is no configuration, or it cannot be written.
    """
    path, text = _read(root)
    kept = [line for line in text.splitlines(keepends=True) if line.rstrip("\r\n") not in _LINES]
    changed = len(kept) < len(text.splitlines())
    if changed:
        _write(path, "".join(kept))
    return Adopted(path, changed)


def _read(root: Path) -> tuple[Path, str]:
    path = root.absolute() / CONFIG
    try:
        # As it is, also where its lines end as on Windows.
        return path, path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise CourseError(
            f"{root.absolute()} has no {CONFIG}, so it is no class of nbgrader's: name the folder with {CONFIG}, "
            "or make a class with `autograder init DIR`"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from error


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all, with the rights that it has."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        draft.chmod(path.stat().st_mode & 0o777)
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise CourseError(f"{path} cannot be written: {error.strerror}") from error


def _absolute_root(path: Path) -> tuple[str, ...]:
    """A line where the class names a folder for itself: a copy of the class would then work in the first one."""
    try:
        named = PyFileConfigLoader(path.name, path=str(path.parent)).load_config().CourseDirectory.get("root", "")
    except Exception:
        # The file is Python and may raise anything; whoever opens the class is told.
        return ()
    if not named or not os.path.isabs(str(named)):
        return ()
    here = path.parent
    if Path(str(named)) == here:
        return (f"c.CourseDirectory.root is {named}: in a copy of this class nbgrader would work here; take it out",)
    return (
        f"c.CourseDirectory.root is {named}, and this class lies in {here}: nbgrader works there, `autograder` here; "
        "take it out",
    )


def _replaced(before: Config, after: Config) -> list[str]:
    """The settings that a class had of its own and that another value now stands in for."""
    found = []
    for section in sorted(before):
        own, now = before[section], after.get(section, {})
        if isinstance(own, Config):
            found += [f"{section}.{name}" for name in sorted(own) if own[name] != now.get(name)]
    return found
