"""Where the course's own files are, and what its units are called."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers import sources

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


@dataclass(frozen=True)
class Home:
    """Where a unit's files are.

    Attributes:
        solutions: the folder that holds `<unit>/<unit>.py`.
        notebooks: where its released notebook goes.
        contents: the file with its title and points.
    """

    solutions: Path
    notebooks: Path
    contents: Path


_OWN = Home(SOLUTIONS, NOTEBOOKS, CONTENTS)


def home(unit: str) -> Home:
    """Return where a unit's files are: in this clone, or in the package that brings the unit."""
    if unit not in plugged():
        return _OWN
    folder = sources.packages()[sources.homes()[unit]]
    return Home(folder / "solutions", folder / "notebooks", folder / "contents.json")


def plugged() -> tuple[str, ...]:
    """Return the names of the units that other packages bring, sorted."""
    return tuple(unit for unit, package in sources.homes().items() if package != sources.OWN)


def number(unit: str) -> int:
    """Return the 4 of "u4_multi_head"."""
    match = _UNIT.fullmatch(unit)
    if match is None:
        raise CourseError(f"{unit!r} is not the name of a unit; a name looks like u1_dot_products")
    return int(match[1])


def chosen(names: list[str] | None, own: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the units asked for, or all of this course; `u1` is enough for `u1_dot_products`.

    A unit that another package brings is asked for by its whole name.

    Args:
        names: what is asked for.
        own: a class's own assignments, each by its whole name; they come after the units.

    Raises:
        CourseError: there is no such unit, and no such assignment.
    """
    every, others = units(), plugged()
    if not names:
        return tuple(dict.fromkeys((*every, *own)))
    found = []
    for name in names:
        whole = name in (*own, *others)
        matches = [name] if whole else [unit for unit in every if name in (unit, unit.split("_")[0])]
        if not matches:
            beside = f"; of other packages {', '.join(others)}" if others else ""
            beside += f"; the class's own assignments are {', '.join(own)}" if own else ""
            told = f"The units are {', '.join(every)}{beside}"
            raise CourseError(f"there is no unit {name!r}{_meant(name, every, (*others, *own))} {told}")
        found += matches
    order = tuple(dict.fromkeys((*every, *others, *own)))
    return tuple(sorted(set(found), key=order.index))


def _meant(name: str, every: tuple[str, ...], own: Sequence[str]) -> str:
    """The nearest unit as a question: by what is typed of it, its short name, or its words after the number."""
    spelt = {form: unit for unit in every for form in (unit.split("_", 1)[1], unit.split("_")[0], unit)}
    spelt |= {one.lower(): one for one in own}
    near = difflib.get_close_matches(name.lower().replace("-", "_").replace(" ", "_"), spelt, n=1)
    return f". Did you mean {spelt[near[0]]}?" if near else "."
