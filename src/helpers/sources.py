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
"""

from __future__ import annotations

import functools
import importlib.util
import re
from importlib import metadata
from pathlib import Path

GROUP = "attention.units"
OWN = "helpers"
# The names of this course's units have numbers, which give their order; those of others have none.
NUMBERED = re.compile(r"u(\d+)_\w+")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class DoubledUnit(LookupError):
    """Two packages bring a unit of one name; the message says which."""


@functools.cache
def packages() -> dict[str, Path]:
    """Return the packages that bring units, with their folders: the course's own first, then the others by name.

    A package that is named and not there brings none.
    """
    # The course's own is there also where it runs from a copy that nobody installed.
    named = {point.value.partition(":")[0] for point in metadata.entry_points(group=GROUP)} - {OWN}
    found = {}
    for name in (OWN, *sorted(named)):
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            continue
        if spec is not None and spec.origin is not None and spec.submodule_search_locations:
            found[name] = Path(spec.origin).parent
    return found


@functools.cache
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
