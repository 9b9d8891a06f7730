"""Makes a package with a unit of one's own: one small checked exercise, the tests of its check, a page of instructions.

The files are those of `unit_template/`, with NAME and PACKAGE in their texts and their paths replaced.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from autograder.course import CourseError
from helpers import sources

TEMPLATE = Path(__file__).with_name("unit_template")
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")


def make(name: str, folder: Path) -> list[Path]:
    """Write the package of a unit into a folder, and return the paths of its files.

    Args:
        name: the unit's.
        folder: where; it may be there only if it is empty.

    Raises:
        CourseError: it is no name for a unit, or one that is taken; or the folder holds something.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or sources.NUMBERED.fullmatch(name):
        raise CourseError(
            f"{name!r} is no name for a unit of your own: small letters, digits and _, as moving_averages"
            " (names like u12_x are the course's)"
        )
    if name in sources.homes():
        raise CourseError(f"there is a unit {name} already, in the package {sources.homes()[name]}")
    if folder.exists() and (not folder.is_dir() or next(folder.iterdir(), None) is not None):
        raise CourseError(f"{folder.absolute()} holds something already; nothing was written: name a new folder")
    written = []
    for path in sorted(TEMPLATE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            place = folder / _filled(path.relative_to(TEMPLATE).as_posix(), name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(_filled(path.read_text(encoding="utf-8"), name), encoding="utf-8")
            written.append(place)
    return written


def package(name: str) -> str:
    """Return the name of the package of a unit: another than the unit's, so that neither hides the other."""
    return f"{name}_unit"


def _filled(text: str, name: str) -> str:
    return text.replace("PACKAGE", package(name)).replace("NAME", name)
