"""Downloads that are a folder for each student: by their ids, as a tree of one's own, or as Gradescope exports them.

Gradescope's folders are numbered, and `submission_metadata.yml` beside them says whose each is and when it came; one of
several submitters is each one's. A folder is marked with its student before anything in it is looked at, so what lies
in it is that student's, whatever its names say.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from .recognition import Roster, marked, whose

METADATA = "submission_metadata.yml"
MOST_METADATA = 16 * 1024 * 1024


class UnreadableMetadata(Exception):
    """Gradescope's file does not say whose the folders are; the message says what is wrong with it."""


@dataclass(frozen=True)
class Tree:
    """Whose each folder of a download is.

    Attributes:
        depth: how many folders lie around the students'.
        names: folder → the marked names that it gets, one for each of its students.
        left: a line for each folder of nobody's.
    """

    depth: int
    names: Mapping[str, tuple[str, ...]]
    left: tuple[str, ...] = ()

    def placed(self, path: PurePosixPath) -> list[PurePosixPath]:
        """Return where a file goes: once for each student whose it is, nowhere out of a folder of nobody's.

        Its names would be read as a system's, and whoever filled that folder chose them.
        """
        parts = path.parts
        if len(parts) <= self.depth + 1:
            return [path]
        tops = self.names.get(parts[self.depth], ())
        return [PurePosixPath(*parts[: self.depth], top, *parts[self.depth + 1 :]) for top in tops]


def tree(paths: Iterable[PurePosixPath], roster: Roster, read: Callable[[PurePosixPath], bytes | None]) -> Tree | None:
    """Return whose each folder is, or None of a download that is no folder for each student.

    Args:
        paths: all files of the download.
        roster: the class.
        read: returns the bytes of a file, or None if it is too large.

    Raises:
        UnreadableMetadata: Gradescope's file cannot be read.
    """
    paths = list(paths)
    wrapped = len({path.parts[0] for path in paths}) == 1 and all(len(path.parts) > 1 for path in paths)
    around = paths[0].parts[0]
    depth = int(wrapped and not roster.owners(around) and whose(PurePosixPath(around)) is None)
    if any(whose(PurePosixPath(path.parts[depth])) is not None for path in paths):
        return None
    tops = {path.parts[depth] for path in paths if len(path.parts) > depth + 1}
    told = next((path for path in paths if path.parts[depth:] == (METADATA,)), None)
    if told is not None:
        return _gradescope(read(told), roster, depth, tops)
    names = {top: tuple(marked("folder", student) for student in roster.owners(top)) for top in sorted(tops)}
    strangers = sorted(top for top in tops if not names[top])
    if len(strangers) < len(tops):
        return Tree(depth, names, tuple(f"{top}: is no student of this class" for top in strangers))
    # What would lie around the students' folders is one itself where a notebook lies in it. So is a folder with names
    # in it that a system gives: further up they would have been the system's.
    lone = depth and any(len(path.parts) == 2 and path.suffix.lower() == ".ipynb" for path in paths)
    inside = any(whose(path) is not None for path in paths)
    return Tree(0, {}, (f"{around}: is no student of this class",)) if lone or (depth and inside) else None


def _gradescope(data: bytes | None, roster: Roster, depth: int, tops: set[str]) -> Tree:
    if data is None or len(data) > MOST_METADATA:
        raise UnreadableMetadata(f"{METADATA} is too large")
    try:
        # The parser in C, where it is there: a class's list is megabytes, with all that its tests said.
        told = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except Exception as error:
        # PyYAML has errors of its own, and a file of any depth ends Python's own patience.
        raise UnreadableMetadata(f"{METADATA} is no YAML ({type(error).__name__})") from None
    if not isinstance(told, dict):
        raise UnreadableMetadata(f"{METADATA} has no list of submissions")
    names: dict[str, tuple[str, ...]] = {}
    left: list[str] = []
    for folder, about in told.items():
        about = about if isinstance(about, dict) else {}
        time = _time(_field(about, "created_at"))
        people = _field(about, "submitters")
        found = []
        for person in people if isinstance(people, list) else []:
            student, why = roster.by_any(*(str(_field(person, part) or "") for part in ("sid", "email", "name")))
            if student is None:
                left.append(f"{folder}: {why}")
            else:
                found.append(marked("gradescope", student, time))
        if found:
            names[str(folder)] = tuple(dict.fromkeys(found))
    left += [f"{folder}: stands not in {METADATA}" for folder in sorted(tops - {str(folder) for folder in told})]
    return Tree(depth, names, tuple(left))


def _field(about: Any, name: str) -> Any:
    """A field of Gradescope's file, whose names begin with a colon."""
    return about.get(f":{name}", about.get(name)) if isinstance(about, dict) else None


def _time(value: Any) -> datetime.datetime | None:
    """When it came, in UTC, or None where the file does not say."""
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime.datetime):
        return None
    # YAML's times with a zone are read as UTC's.
    return value.astimezone(datetime.UTC) if value.tzinfo else value.replace(tzinfo=datetime.UTC)
