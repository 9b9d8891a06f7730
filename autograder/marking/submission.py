"""Executes and judges one submission: a pure function of its content and the unit's kit, for any executor.

It does what nbgrader's Autograde does with our preprocessors, step by step in the configured order, and leaves out
what belongs to the coordinator: reading and writing files of the class and the gradebook.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import logging
import shutil
import tempfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.converters import Autograde
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    OverwriteCells,
    OverwriteKernelspec,
)
from traitlets.config import Config
from traitlets.utils.importstring import import_item

import autograder
import helpers
from autograder.sandbox.outside.bubblewrap import need
from autograder.sandbox.outside.errors import SandboxError

from . import feedback_page, scoring
from .clock import TOO_LONG, TooLong, limited
from .feedback_page import Draft
from .files import fitting, regular_files
from .intake import NOTES, Ungradable, clean, unanswered
from .outcomes import Outcome
from .preprocessors import SandboxedExecute
from .repair import RepairCells, Roles, repair
from .saving import SaveVerdicts
from .scoring import Score

# So many files that a notebook wrote and that cannot be kept are named.
MAX_NOTES = 10


class Unfit(Exception):
    """A worker may not grade: it has another version of the course, or no sandbox.

    Attributes:
        worker: the address of a cluster's worker, or "".
    """

    def __init__(self, reason: str, worker: str = "") -> None:
        super().__init__(reason, worker)
        self.worker = worker

    def __str__(self) -> str:
        return f"{self.worker}: {self.args[0]}" if self.worker else self.args[0]


@dataclass(frozen=True)
class Released:
    """A released cell as nbgrader keeps it."""

    name: str
    cell_type: str
    source: str
    locked: bool
    checksum: str


@dataclass(frozen=True)
class Kit:
    """What all submissions of a unit share.

    Attributes:
        unit: the unit.
        config: the class's configuration.
        secret: what hidden cases are drawn from.
        released: the released cells in their order.
        roles: what each is used for.
        kernelspec: the released notebook's kernel, or None.
        files: the unit's own files beside the notebook, by path.
        unsafe: go on where the sandbox cannot be had.
        version: fingerprint of the course's code.
        prose: the course's own text cells, by which a learner's are told from them.
    """

    unit: str
    config: Config
    secret: bytes
    released: tuple[Released, ...]
    roles: Roles
    kernelspec: dict[str, Any] | None
    files: Mapping[str, bytes]
    unsafe: bool
    version: str
    prose: frozenset[str] = frozenset()

    @functools.cached_property
    def fingerprint(self) -> str:
        """Changes whenever a submission that did not change could be graded otherwise."""
        parts = dataclasses.asdict(self) | {
            "config": _settings(self.config),
            "secret": hashlib.sha256(self.secret).hexdigest(),
        }
        parts["roles"]["answers"] = sorted(parts["roles"]["answers"])
        parts["prose"] = sorted(self.prose)
        parts["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(self.files.items())}
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _settings(config: Config) -> dict[str, Any]:
    """The part of a configuration that grading depends on, as JSON can hold it.

    A section that is only looked at springs into being, empty; and what is set for exports, feedback or the place of
    the class folder changes no grade.
    """
    names = {"Autograde", "LateSubmissionPlugin"} | {
        base.__name__ for step in configured_steps(config) for base in step.__mro__
    }
    return {name: _plain(config[name]) for name in sorted(names & set(config)) if config[name]}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return getattr(value, "__qualname__", None) or str(value)


def configured_steps(config: Config) -> list[type]:
    """The configured preprocessors in nbgrader's order."""
    chosen = [*config.Autograde.get("sanitize_preprocessors", Autograde.sanitize_preprocessors.default())]
    chosen += config.Autograde.get("autograde_preprocessors", Autograde.autograde_preprocessors.default())
    return [import_item(one) if isinstance(one, str) else one for one in chosen]


@dataclass(frozen=True)
class Task:
    """One submission to grade.

    Attributes:
        student: whose.
        notebook: the submitted file's bytes, or None with the reason in `problem`.
        files: what was handed in beside it, by path.
        problem: why there is no notebook.
        fingerprint: of the submission and the kit together.
        notes: what was left out of it and why, and how the notebook was chosen.
        page: whether its feedback page is wanted.
        handover: a folder of this machine's in which to leave what the notebook wrote; None if the coordinator is on
            another machine.
    """

    student: str
    notebook: bytes | None
    files: Mapping[str, bytes] = field(default_factory=dict)
    problem: str = ""
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    page: bool = False
    handover: Path | None = None


@dataclass
class Done:
    """One submission graded: what the coordinator writes down.

    Attributes:
        student: whose.
        outcome: how it ended, as `Outcome.to_dict` has it.
        notebook: the graded notebook's text.
        files: what the notebook wrote beside itself, from a worker on another machine.
        scores: points of each graded cell.
        comments: automatic comment of each answer, or None.
        page: its feedback page but for what the gradebook says; None if it was not asked for, or cannot be made.
        folder: where on this machine the files lie instead, which the coordinator removes; "" if there is none.
    """

    student: str
    outcome: dict[str, Any]
    notebook: str
    files: dict[str, bytes]
    scores: list[Score]
    comments: dict[str, str | None]
    page: Draft | None = None
    folder: str = ""


@functools.cache
def version() -> str:
    """Return a fingerprint of the course's code: grades of two machines agree when theirs do."""
    digest = hashlib.sha256()
    for package in (Path(helpers.__file__).parent, Path(autograder.__file__).parent):
        for path in sorted(package.rglob("*.py")):
            digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def fitness(expected: str, unsafe: bool) -> str:
    """Return why this machine may not grade, or ""."""
    if version() != expected:
        return (
            f"it has another version of the course ({version()}, the coordinator has {expected}): "
            "install the same one there"
        )
    if not unsafe:
        try:
            need()
        except SandboxError as error:
            return str(error)
    return ""


def grade_task(kit: Kit, task: Task) -> Done:
    """Execute and judge one submission.

    Raises:
        Unfit: not on this machine.
        SandboxError: the sandbox failed; no fault of the submission.
    """
    problem = fitness(kit.version, kit.unsafe)
    if problem:
        raise Unfit(problem)
    try:
        if task.notebook is None:
            raise Ungradable(task.problem)
        with limited():
            notebook = clean(task.notebook, outputs=kit.config.ClearOutput.get("enabled", True) is False)
        return _graded(kit, task, notebook)
    except Ungradable as told:
        reason = str(told)
    except TooLong:
        reason = TOO_LONG
    notebook = unanswered(kit.released)
    notebook.metadata[NOTES] = nbformat.from_dict({"ungradable": reason})
    return _graded(kit, task, notebook)


def _graded(kit: Kit, task: Task, notebook: NotebookNode) -> Done:
    """Take a notebook through the configured steps.

    Raises:
        TooLong: a step outside the sandbox took more time than any notebook needs.
    """
    with tempfile.TemporaryDirectory(prefix="work-") as folder:
        files = Path(folder)
        own, notes = fitting(task.files, [*kit.files, f"{kit.unit}.ipynb"])
        given = own | dict(kit.files)
        for name, data in given.items():
            path = files / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        names: dict[str, Any] = {
            "student": task.student,
            "assignment": kit.unit,
            "notebook": kit.unit,
            "db_url": None,
            "secret": kit.secret,
        }
        resources: dict[str, Any] = {
            "nbgrader": names,
            "metadata": {"name": kit.unit, "path": str(files)},
            "unique_key": kit.unit,
        }
        scores: list[Score] = []
        comments: dict[str, str | None] = {}
        for step in _steps(kit):
            if isinstance(step, SandboxedExecute):
                # The sandbox has its own limits, and is left in order.
                notebook, resources = step(notebook, resources)
                continue
            with limited():
                if step is RepairCells:
                    _repair(notebook, kit)
                elif step is OverwriteKernelspec:
                    if kit.kernelspec:
                        notebook.metadata["kernelspec"] = nbformat.from_dict(kit.kernelspec)
                elif step is SaveVerdicts:
                    scores, comments = _scored(notebook, names.get("outcome"))
                else:
                    notebook, resources = step(notebook, resources)
        written = {name: files / name for name, _ in regular_files(files) if name not in given}
        new, left_out = fitting(written, [*given, f"{kit.unit}.ipynb"])
        left = _leave(new, task.handover) if new and task.handover is not None else ""
        content = {} if left else {name: path.read_bytes() for name, path in new.items()}
    outcome: Outcome = names.get("outcome") or Outcome(task.student, kit.unit)
    outcome.notes += [*task.notes, *notes, *left_out[:MAX_NOTES]]
    with limited():
        text = nbformat.writes(notebook) + "\n"
    made = _draft(notebook, kit.unit, comments.values()) if task.page else None
    return Done(task.student, outcome.to_dict(), text, content, scores, comments, made, left)


def _leave(files: Mapping[str, Path], handover: Path) -> str:
    """Move files into a new folder and return it: on one machine they need not travel through memory."""
    folder = Path(tempfile.mkdtemp(prefix="wrote-", dir=handover))
    for name, path in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, folder / name)
    return str(folder)


def _draft(notebook: NotebookNode, unit: str, comments: Iterable[str | None]) -> Draft | None:
    try:
        with limited():
            return feedback_page.draft(notebook, unit, unit, [text for text in comments if text])
    except (Exception, TooLong):
        # Points are points without a page; the coordinator has it made again, and says what went wrong.
        return None


_threads = threading.local()


def _steps(kit: Kit) -> list[Any]:
    """Return the configured preprocessors in nbgrader's order, made once in each thread; for those that use the
    gradebook, their class.
    """
    kept = getattr(_threads, "steps", None)
    if kept is not None and kept[0] == kit.fingerprint:
        known: list[Any] = kept[1]
        return known
    config = kit.config
    log = logging.Logger("attention-work", logging.WARNING)
    log.addHandler(logging.NullHandler())
    steps: list[Any] = []
    for kind in configured_steps(config):
        if kind in (OverwriteCells, RepairCells, DeduplicateIds, CheckCellMetadata):
            # Repairing leaves nothing for nbgrader's own three to find.
            steps += [] if RepairCells in steps else [RepairCells]
        elif kind in (OverwriteKernelspec, SaveVerdicts):
            steps.append(kind)
        elif kind not in (AssignLatePenalties, ClearOutput):
            # Late penalties are the coordinator's; outputs are left out when the notebook is read.
            steps.append(kind(config=config, log=log))
    for step in steps:
        if isinstance(step, SandboxedExecute):
            step.unsafe = kit.unsafe
    _threads.steps = kit.fingerprint, steps
    return steps


def _repair(notebook: NotebookNode, kit: Kit) -> None:
    notes = repair(notebook, kit.released, kit.roles, kit.prose)
    if notes:
        told = notebook.metadata.setdefault(NOTES, nbformat.from_dict({}))
        told["repaired"] = [*told.get("repaired", ()), *notes]


def _scored(notebook: NotebookNode, outcome: Outcome | None) -> tuple[list[Score], dict[str, str | None]]:
    scores = [scoring.score(cell, outcome) for cell in notebook.cells if utils.is_grade(cell)]
    answers = [cell for cell in notebook.cells if utils.is_solution(cell) or utils.is_task(cell)]
    return scores, {cell.metadata.nbgrader["grade_id"]: scoring.comment(cell, outcome) for cell in answers}
