"""Where the learner's own folder is, where the course's notebooks are, and what the folder remembers of them.

The folder has one more in it, `.attention`: the notebooks as they were handed out, by which later what the learner
changed is told from what the course changed, and a record of where they came from.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from .errors import FolderError

NAME = "my_attention"
MARK = ".attention"
_RECORD = "course.json"
_NOTEBOOKS = "notebooks"
_UNIT = re.compile(r"u\d+_\w+")
# A notebook that the grader or a class's own settings belong to is no learner's.
_CLASS = ("nbgrader_config.py", "gradebook.db")


@dataclass(frozen=True)
class Record:
    """What a learner's folder remembers.

    Attributes:
        course: where the course's notebooks came from.
        given: digests of the pictures that came with them, by their place.
    """

    course: str = ""
    given: dict[str, str] = field(default_factory=dict)


def units(folder: Path) -> list[str]:
    """Return the units whose notebooks are in a folder, each in a folder of its own, in the order of the course."""
    found = [path.parent.name for path in folder.glob("u*/u*.ipynb") if path.stem == path.parent.name]
    return sorted(filter(_UNIT.fullmatch, found), key=lambda unit: int(unit[1:].partition("_")[0]))


def is_release(folder: Path) -> bool:
    """Whether a folder has notebooks of the course in it."""
    return bool(units(folder))


def course(named: Path | None, here: Path, record: Record | None = None) -> Path:
    """Return the folder of the course's notebooks.

    Args:
        named: the course's folder, or that of its notebooks; None looks for it.
        here: the folder that the learner is in.
        record: of the learner's folder, which knows where it came from.

    Raises:
        FolderError: it is not there.
    """
    if named is not None:
        for place in (named / _NOTEBOOKS, named):
            if is_release(place):
                return place.resolve()
        raise FolderError(f"{named} has no notebooks of the course in it")
    places = [Path(record.course)] if record is not None and record.course else []
    places += [folder / _NOTEBOOKS for folder in (here, *here.parents)]
    # A course that was installed to be worked on lies where its modules are.
    places.append(Path(__file__).resolve().parents[3] / _NOTEBOOKS)
    found = next(filter(is_release, places), None)
    if found is None:
        raise FolderError(
            "the course's notebooks are not here: go to the course's folder, or name it with --course FOLDER"
        )
    return found.resolve()


def in_language(release: Path, language: str) -> Path:
    """Return the folder of the course's notebooks in another language.

    Args:
        release: the folder of its notebooks in any language.
        language: "en", or the name of a folder among the English notebooks, as "zh".

    Raises:
        FolderError: the course is not in that language.
    """
    english = release.parent if is_release(release.parent) else release
    found = english if language == "en" else english / language
    if not is_release(found):
        others = sorted(path.name for path in english.iterdir() if path.is_dir() and is_release(path))
        raise FolderError(f"the course is not in {language!r}; it is in {', '.join(['en', *others])}")
    return found


def own(here: Path, release: Path | None = None) -> Path:
    """Return the learner's folder: the one that `here` is in, or where it is to be.

    It is never inside of the course's own folder, which a new version replaces: there it stands beside it, or at home
    where nothing can be written beside it.
    """
    around = find(here)
    if around is not None:
        return around
    if release is None or (release.parent != here and release.parent not in here.parents):
        return here / NAME
    beside = release.parent.parent / NAME
    return beside if beside.is_dir() or os.access(beside.parent, os.W_OK) else Path.home() / NAME


def find(here: Path) -> Path | None:
    """Return the learner's folder that a place is in or beside, or None."""
    for folder in (here, *here.parents):
        if (folder / MARK / _RECORD).is_file():
            return folder
    return here / NAME if (here / NAME / MARK / _RECORD).is_file() else None


def need(here: Path) -> Path:
    """Return the learner's folder that a place is in or beside.

    Raises:
        FolderError: there is none.
    """
    folder = find(here)
    if folder is None:
        raise FolderError(f"there is no folder of yours at {here}: `attention start` makes one")
    return folder


def record(folder: Path) -> Record:
    """Return what a folder remembers; nothing of one that is new."""
    try:
        told = json.loads((folder / MARK / _RECORD).read_text(encoding="utf-8"))
        given = {str(place): str(digest) for place, digest in dict(told["given"]).items()}
        return Record(str(told["course"]), given)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Record()


def remember(folder: Path, told: Record) -> None:
    """Write what a folder is to remember."""
    text = json.dumps({"course": told.course, "given": told.given}, indent=1)
    write(folder / MARK / _RECORD, text.encode())


def handed_out(folder: Path, unit: str) -> Path:
    """Return where a folder keeps a unit's notebook as it was handed out."""
    return folder / MARK / "release" / f"{unit}.ipynb"


def is_class(folder: Path) -> bool:
    """Whether a folder is a teacher's."""
    return all((folder / name).exists() for name in _CLASS)


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and not at all when it has these bytes.

    Raises:
        FolderError: it cannot be written.
    """
    draft = ""
    try:
        if path.is_file() and path.read_bytes() == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if os.name == "posix":
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(draft, 0o666 & ~mask)
        os.replace(draft, path)
    except BaseException as error:
        if draft:
            Path(draft).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise FolderError(f"{path} cannot be written: {error.strerror}") from error
        raise
