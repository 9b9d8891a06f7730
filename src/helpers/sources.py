"""Where units come from: packages that an entry point names, this course's own among them.

A package that brings units has the layout of this one:

    <package>/exercises/<unit>/<exercise>.py     defines `EXERCISE`
    <package>/reference/<unit>.py                what answers are compared with
    <package>/plots/<unit>.py                    figures, if the unit has some
    <package>/solutions/<unit>/<unit>.py         the notebook's source; the course's own are in its clone
    <package>/contents.json                      titles and points, made by `autograder build`

and says in its `pyproject.toml` that it does, under any name:

    [project.entry-points."attention.units"]
    units = "<package>"

It is installed in this Python environment, or in another that a class names for its unit: `look_in` finds it there.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import metadata
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import ParamSpec, TypeVar, cast

GROUP = "attention.units"
OWN = "helpers"
# The names of this course's units have numbers, which give their order; those of others have none.
NUMBERED = re.compile(r"u(\d+)_\w+")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


P = ParamSpec("P")
T = TypeVar("T")
_forgotten: list[Callable[[], None]] = []


class DoubledUnit(LookupError):
    """Two packages bring a unit of one name; the message says which."""


def cached(function: Callable[P, T]) -> Callable[P, T]:
    """Cache a function of which packages there are, until more are found."""
    kept = functools.cache(function)
    _forgotten.append(kept.cache_clear)
    return cast("Callable[P, T]", kept)


class _Beside(MetaPathFinder):
    """Finds packages that lie in other environments, by their names, and nothing else that is installed there.

    What is installed here too is taken from here: this one is asked last.
    """

    def __init__(self) -> None:
        self.folders: dict[str, Path] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        folder = self.folders.get(fullname)
        return None if folder is None else PathFinder.find_spec(fullname, [str(folder)])


_beside = _Beside()


def look_in(folders: Iterable[Path]) -> None:
    """Find packages that bring units in these folders of installed packages too, which are of other environments."""
    found = {}
    for folder in folders:
        for one in metadata.distributions(path=[str(folder)]):
            for point in one.entry_points:
                if point.group == GROUP:
                    found[point.value.partition(":")[0]] = folder
    new = {name: folder for name, folder in found.items() if name != OWN and name not in _beside.folders}
    if new:
        _beside.folders |= new
        if _beside not in sys.meta_path:
            sys.meta_path.append(_beside)
        for forget in _forgotten:
            forget()


def look_here_alone() -> None:
    """Forget the folders of other environments, and the units that are known from there."""
    if _beside.folders:
        _beside.folders.clear()
        for forget in _forgotten:
            forget()


def packages() -> dict[str, Path]:
    """Return the packages that bring units, with their folders: the course's own first, then the others by name, then
    those that `look_in` has found.

    A package that is named and not there brings none.
    """
    return installed() | beside()


@cached
def beside() -> dict[str, Path]:
    """Return the packages that bring units and lie in other environments alone."""
    return {name: folder for name, folder in _folders(sorted(_beside.folders)) if name not in installed()}


def folders_beside() -> list[Path]:
    """Return the folders of other environments in which packages that bring units were found."""
    return sorted({folder.parent for folder in beside().values()})


@functools.cache
def installed() -> dict[str, Path]:
    """Return the packages that bring units and are installed in this environment; the course's own first."""
    # The course's own is there also where it runs from a copy that nobody installed.
    named = {point.value.partition(":")[0] for point in metadata.entry_points(group=GROUP)} - {OWN}
    return dict(_folders([OWN, *sorted(named)]))


def _folders(names: Iterable[str]) -> Iterator[tuple[str, Path]]:
    for name in names:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            continue
        if spec is not None and spec.origin is not None and spec.submodule_search_locations:
            yield name, Path(spec.origin).parent


@cached
def homes() -> dict[str, str]:
    """Return the package of each unit that has exercises: the course's units in their order, then others by name.

    Raises:
        DoubledUnit: two packages bring a unit of one name.
    """
    found: dict[str, str] = {}
    for package, folder in packages().items():
        pattern = NUMBERED if package == OWN else _NAME
        room = folder / "exercises"
        for path in room.iterdir() if room.is_dir() else ():
            if not (pattern.fullmatch(path.name) and path.is_dir()):
                continue
            if path.name in found:
                raise DoubledUnit(
                    f"{package} and {found[path.name]} both bring a unit {path.name}: uninstall one of them"
                )
            found[path.name] = package
    return dict(sorted(found.items(), key=lambda unit: (unit[1] != OWN, order(unit[0]), unit[0])))


def order(unit: str) -> int:
    """Return the 4 of "u4_multi_head", 0 where there is no number."""
    match = NUMBERED.fullmatch(unit)
    return int(match[1]) if match else 0
