"""Where the course's own files are, and what its units are called."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOLUTIONS = ROOT / "solutions"
NOTEBOOKS = ROOT / "notebooks"
CONTENTS = ROOT / "src" / "helpers" / "contents.json"
# What stands in a released notebook where the answer goes.
ANSWER_STUB = "raise NotImplementedError  # your answer goes here"
_UNIT = re.compile(r"u(\d+)_\w+")


class CourseError(Exception):
    """Something an author or instructor has to put right; the message says what, where and how."""


def units() -> tuple[str, ...]:
    """Return the names of the units in the order of the course.

    Raises:
        CourseError: the solutions are not there, as in an installation without a clone.
    """
    if not SOLUTIONS.is_dir():
        raise CourseError(f"{SOLUTIONS} is not there: run from a clone of the course, installed with `pip install -e`")
    names = [
        path.name for path in SOLUTIONS.iterdir() if _UNIT.fullmatch(path.name) and (path / f"{path.name}.py").is_file()
    ]
    return tuple(sorted(names, key=number))


def number(unit: str) -> int:
    """Return the 4 of "u4_multi_head"."""
    match = _UNIT.fullmatch(unit)
    if match is None:
        raise CourseError(f"{unit!r} is not the name of a unit; a name looks like u1_dot_products")
    return int(match[1])


def chosen(names: list[str] | None) -> tuple[str, ...]:
    """Return the units asked for, or all; `u1` is enough for `u1_dot_products`.

    Raises:
        CourseError: there is no such unit.
    """
    every = units()
    if not names:
        return every
    found = []
    for name in names:
        matches = [unit for unit in every if unit == name or unit.split("_")[0] == name]
        if not matches:
            raise CourseError(f"there is no unit {name!r}{_meant(name, every)} The units are {', '.join(every)}")
        found += matches
    return tuple(sorted(set(found), key=number))


def _meant(name: str, every: tuple[str, ...]) -> str:
    """The nearest unit as a question: by what is typed of it, its short name, or its words after the number."""
    spelt = {form: unit for unit in every for form in (unit.split("_", 1)[1], unit.split("_")[0], unit)}
    near = difflib.get_close_matches(name.lower().replace("-", "_").replace(" ", "_"), spelt, n=1)
    return f". Did you mean {spelt[near[0]]}?" if near else "."
