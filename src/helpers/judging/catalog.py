"""Finds units and exercises by the files that are there: nothing is registered anywhere else."""

from __future__ import annotations

import functools
import importlib
import re
from pathlib import Path

from helpers import exercises
from helpers.exercise import Exercise

_UNIT = re.compile(r"u\d+_\w+")


class UnknownName(LookupError):
    """There is no unit or exercise of that name; the message lists what there is."""


@functools.cache
def units() -> tuple[str, ...]:
    """Return the names of all units that have exercises, in the order of the course."""
    here = Path(exercises.__file__).parent
    names = [path.stem for path in here.glob("u*.py") if _UNIT.fullmatch(path.stem)]
    return tuple(sorted(names, key=lambda name: int(name[1:].split("_")[0])))


@functools.cache
def unit_exercises(unit: str) -> dict[str, Exercise]:
    """Return the exercises of a unit by name.

    Raises:
        UnknownName: there is no such unit.
    """
    if unit not in units():
        raise UnknownName(f"there is no unit {unit!r}; the units are {', '.join(units())}")
    module = importlib.import_module(f"{exercises.__name__}.{unit}")
    return {exercise.name: exercise for exercise in module.EXERCISES}


def find(name: str) -> Exercise | None:
    """Return the exercise of that name, or None. Units are loaded in order, and only as far as needed."""
    for unit in units():
        exercise = unit_exercises(unit).get(name)
        if exercise is not None:
            return exercise
    return None
