"""What stands in each unit: title, exercises and questions with their points, from each package's `contents.json`.

That file is made from the solutions by `make build`, like the notebooks, so points are written in one place only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from . import sources


@dataclass(frozen=True)
class Task:
    """An exercise that a check judges, or a question that a person reads.

    Attributes:
        name: name of the exercise, or grade_id of the question.
        points: what it is worth.
        written: whether a person reads it.
        question: what is asked, if a person reads it.
        blanks: what marks its unanswered cell in each language (`folder.recovery.fingerprint`).
    """

    name: str
    points: float
    written: bool
    question: str = ""
    blanks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unit:
    """A unit's name, its title as the notebook has it, and its tasks in the notebook's order."""

    name: str
    title: str
    tasks: tuple[Task, ...]


@sources.cached
def units() -> dict[str, Unit]:
    """Return all units by name, in the order of the course, then those of other packages."""
    data: dict[str, Any] = {}
    for folder in sources.packages().values():
        path = folder / "contents.json"
        if path.is_file():
            data |= json.loads(path.read_text(encoding="utf-8"))
    return {name: Unit(name, unit["title"], tuple(map(_task, unit["tasks"]))) for name, unit in data.items()}


def _task(data: dict[str, Any]) -> Task:
    return Task(**data | {"blanks": tuple(data.get("blanks", ()))})


def find_unit(name: str) -> Unit | None:
    """Return the unit of that name, or None; `u2` is enough for `u2_softmax_scaling`."""
    return next((unit for unit in units().values() if name in (unit.name, unit.name.partition("_")[0])), None)


def unit_of(exercise: str) -> Unit | None:
    """Return the unit that an exercise stands in, or None."""
    return next(
        (unit for unit in units().values() if any(task.name == exercise and not task.written for task in unit.tasks)),
        None,
    )


def blanks() -> frozenset[str]:
    """Return what marks the unanswered cells of all questions, in every language."""
    return frozenset(one for unit in units().values() for task in unit.tasks for one in task.blanks)


def points(exercise: str) -> float | None:
    """Return what an exercise is worth, or None when there is none of that name."""
    unit = unit_of(exercise)
    return None if unit is None else next(task.points for task in unit.tasks if task.name == exercise)


def exercises() -> list[str]:
    """Return the names of all exercises of the course."""
    return [task.name for unit in units().values() for task in unit.tasks if not task.written]
