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
from autograder.sandbox import probe
from autograder.sandbox.connection import Sandbox
from autograder.sandbox.outside.environments import Lacking, of
from autograder.sandbox.outside.errors import SandboxError
from helpers.judging import catalog

from . import named_kernels
from .files import regular_files
from .imports import code_of, imported


def need(converter: Any) -> None:
    """Stop nbgrader's command with one line in its log if the environment, a module in it or a kernel is not there.

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
        if prefix:
            _need_modules(converter, assignment, prefix)
    except Lacking as lacking:
        problems.append(str(lacking))
    problems += _kernels(folders.db_url, folders.course_id, assignment)
    if problems:
        line = f"{assignment}: {'; '.join(problems)}. Nothing is graded and nobody gets 0"
        converter.log.error(line)
        raise NbGraderException(line)


def _need_modules(converter: Any, assignment: str, prefix: str) -> None:
    """Look in the warm process that then grades whether what the notebooks import is there."""
    folders = converter.coursedir
    source = Path(folders.format_path(folders.source_directory, ".", assignment))
    names = [name for name, _ in regular_files(source)] if source.is_dir() else []
    notebooks = [name.removesuffix(".ipynb") for name in names if name.endswith(".ipynb")]
    wanted = imported(code_of(source, notebooks), [name for name in names if not name.endswith(".ipynb")])
    unit = assignment if assignment in catalog.units() else None
    sealed = not converter.config.SandboxedExecute.get("unsafe", False)
    try:
        probe.need_modules(Sandbox.of(unit, sealed, probe.start, prefix), prefix, wanted)
    except SandboxError as error:
        # Where no kernel runs at all, grading says so itself.
        if isinstance(error, Lacking):
            raise


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
