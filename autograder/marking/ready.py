"""Looks, before nbgrader's own command grades anything, whether the assignment's notebooks can be run here at all.

`autograder grade` looks by itself, for all assignments at once (`autograder.grading.readiness`). nbgrader would find
out submission by submission, each with a traceback.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters.base import NbGraderException

from autograder.classroom import environments
from autograder.sandbox.outside.environments import Lacking, of
from helpers.judging import catalog

from . import named_kernels


def need(converter: Any) -> None:
    """Stop nbgrader's command with one line in its log if the environment or a kernel is not there.

    Args:
        converter: nbgrader's, which knows the class and the assignment.

    Raises:
        NbGraderException: something is not there; the line says what.
    """
    folders, config = converter.coursedir, converter.config
    assignment = folders.assignment_id
    problems = []
    prefix = environments.named(Path(folders.root), config).get(assignment, "")
    try:
        # A unit's package may be there alone.
        environments.look_in(prefix)
        of(prefix, assignment in catalog.units())
    except Lacking as lacking:
        problems.append(str(lacking))
    problems += _kernels(folders.db_url, folders.course_id, assignment)
    if problems:
        line = f"{assignment}: {'; '.join(problems)}. Nothing is graded and nobody gets 0"
        converter.log.error(line)
        raise NbGraderException(line)


def _kernels(url: str, course: str, assignment: str) -> list[str]:
    """Why notebooks of an assignment cannot be run, for the kernels that they name; nothing is made for it."""
    file = url.removeprefix("sqlite:///")
    if file != url and not Path(file).is_file():
        return []
    try:
        with Gradebook(url, course) as gradebook:
            texts = [notebook.kernelspec for notebook in gradebook.find_assignment(assignment).notebooks]
    except MissingEntry:
        return []
    return sorted({reason for text in texts if text and (reason := named_kernels.refused(json.loads(text)))})
