"""Finds units and exercises by the files that are there, in every package that brings units (`helpers.sources`).

A unit is a folder `exercises/uN_x/`, an exercise the file in it that has its name and defines `EXERCISE`.
"""

from __future__ import annotations

import importlib

from helpers import contents, sources
from helpers.exercise import Exercise


class UnknownName(LookupError):
    """There is no unit or exercise of that name; the message lists what there is."""


@sources.cached
def units() -> tuple[str, ...]:
    """Return the names of all units that have exercises, in the order of the course, then those of other packages."""
    return tuple(_names())


@sources.cached
def unit_exercises(unit: str) -> dict[str, Exercise]:
    """Return the exercises of a unit by name, in the order of its notebook.

    Raises:
        UnknownName: there is no such unit.
    """
    if unit not in units():
        raise UnknownName(f"there is no unit {unit!r}; the units are {', '.join(units())}")
    order = {name: place for place, name in enumerate(contents.exercises())}
    return {name: _load(unit, name) for name in sorted(_names()[unit], key=lambda name: order.get(name, len(order)))}


def exercise_names(unit: str) -> frozenset[str]:
    """Return the names of a unit's exercises; none is loaded, and an unknown unit has none."""
    return frozenset(_names().get(unit, ()))


def find(name: str) -> Exercise | None:
    """Return the exercise of that name, or None. No other is loaded."""
    unit = next((unit for unit, names in _names().items() if name in names), None)
    return None if unit is None else _load(unit, name)


@sources.cached
def _names() -> dict[str, tuple[str, ...]]:
    """The names of each unit's exercises."""
    found = {}
    for unit, package in sources.homes().items():
        stems = sorted(path.stem for path in (sources.packages()[package] / "exercises" / unit).glob("*.py"))
        found[unit] = tuple(stem for stem in stems if stem != "common" and not stem.startswith("_"))
    return found


@sources.cached
def _load(unit: str, name: str) -> Exercise:
    exercise = importlib.import_module(f"{sources.homes()[unit]}.exercises.{unit}.{name}").EXERCISE
    assert isinstance(exercise, Exercise) and exercise.name == name, f"{unit}/{name}.py defines another exercise"
    return exercise
