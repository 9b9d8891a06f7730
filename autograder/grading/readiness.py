"""Looks, before anything is graded, whether the notebooks of the chosen assignments can be run here at all: the kernels
that they name, and the Python environments that the class names for them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from autograder.classroom import environments
from autograder.classroom.classroom import Classroom
from autograder.course import CourseError
from autograder.marking import named_kernels
from autograder.sandbox.outside.environments import Lacking, of
from helpers import sources
from helpers.judging import catalog

NOBODY = "Nothing is graded and nobody gets 0"


def check(classroom: Classroom, units: Sequence[str], remote: bool) -> list[str]:
    """Return a line for each kernel that notebooks name and another runs.

    Args:
        classroom: the class.
        units: what is graded.
        remote: whether other machines execute; they say themselves what their environments lack.

    Raises:
        CourseError: a notebook is for another language, or an environment lacks what it needs. All that is found is
            said.
    """
    named = environments.named(classroom.root, classroom.config)
    problems: list[str] = []
    refused: dict[str, list[str]] = {}
    told: dict[str, list[str]] = {}
    with classroom.gradebook() as gradebook:
        for unit in units:
            problems += _judge(unit)
            environment = named.get(unit, "")
            try:
                if environment and not remote:
                    of(environment, unit in catalog.units())
            except Lacking as lacking:
                problems.append(f"{unit}: {lacking}")
            for notebook in gradebook.find_assignment(unit).notebooks:
                spec = json.loads(notebook.kernelspec) if notebook.kernelspec else None
                place = unit if notebook.name == unit else f"{unit}/{notebook.name}"
                if reason := named_kernels.refused(spec):
                    refused.setdefault(reason, []).append(place)
                elif not environment and (note := named_kernels.told(spec, unit)):
                    told.setdefault(note, []).append(place)
    problems += _lines(refused)
    if problems:
        raise CourseError(f"{'; '.join(problems)}. {NOBODY}")
    return _lines(told)


def _lines(found: Mapping[str, Sequence[str]]) -> list[str]:
    """A line for each thing that is said, with the notebooks that it is said of."""
    return [f"{', '.join(places)}: {text}" for text, places in found.items()]


def _judge(unit: str) -> list[str]:
    """What keeps a unit that only a named environment has from being judged by this process."""
    package = sources.homes().get(unit, sources.OWN)
    if package not in sources.beside():
        return []
    try:
        catalog.unit_exercises(unit)
    except ImportError as error:
        return [f"{unit} is judged outside the sandbox, where its package {package} fails ({error}): install what it "
                f"needs into {sys.prefix}"]  # fmt: skip
    return []
