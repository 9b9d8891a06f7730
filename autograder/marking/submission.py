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

from autograder.sandbox.outside import environments

from . import feedback_page, scoring
from .clock import TOO_LONG, TooLong, limited
from .feedback_page import Draft
from .files import fitting, regular_files
from .fitness import Unfit, fitness
from .intake import NOTES, Ungradable, clean, unanswered
from .outcomes import Outcome, joined
from .preprocessors import SandboxedExecute
from .repair import RepairCells, Roles, repair
from .saving import SaveVerdicts
from .scoring import Score

# So many files that a notebook wrote and that cannot be kept are named.
MAX_NOTES = 10


@dataclass(frozen=True)
class Released:
    """A released cell as nbgrader keeps it."""

    name: str
    cell_type: str
    source: str
    locked: bool
    checksum: str


@dataclass(frozen=True)
class Sheet:
    """One released notebook: a unit has one of its own name, a plain assignment may have several.

    Attributes:
        name: the notebook's.
        released: the released cells in their order.
        roles: what each is used for.
        kernelspec: the released notebook's kernel, or None.
        prose: the course's own text cells, by which a learner's are told from them.
    """

    name: str
    released: tuple[Released, ...]
    roles: Roles
    kernelspec: dict[str, Any] | None
    prose: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Kit:
    """What all submissions of a unit, or of a plain assignment, share.

    Attributes:
        unit: its name.
        config: the class's configuration.
        secret: what hidden cases are drawn from.
        sheets: its notebooks, in the order in which they are run.
        files: its own files beside the notebooks, by path.
        unsafe: go on where the sandbox cannot be had.
        version: fingerprint of the course's code.
        environment: the folder of the Python environment that its notebooks run in, "" for the grader's own.
        installed: fingerprint of what is installed there, "" for the grader's own.
        imports: the modules that its notebooks import.
    """

    unit: str
    config: Config
    secret: bytes
    sheets: tuple[Sheet, ...]
    files: Mapping[str, bytes]
    unsafe: bool
    version: str
    environment: str = ""
    installed: str = ""
    imports: tuple[str, ...] = ()

    @property
    def notebooks(self) -> tuple[str, ...]:
        """The names of the notebooks."""
        return tuple(sheet.name for sheet in self.sheets)

    @property
    def notebook_files(self) -> tuple[str, ...]:
        """The names of the notebooks' files."""
        return tuple(f"{name}.ipynb" for name in self.notebooks)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Changes whenever a submission that did not change could be graded otherwise."""
        parts = dataclasses.asdict(self) | {
            "config": _settings(self.config),
            "secret": hashlib.sha256(self.secret).hexdigest(),
        }
        # It changes what is told before grading, and no grade.
        del parts["imports"]
        for sheet in parts["sheets"]:
            sheet["roles"]["answers"] = sorted(sheet["roles"]["answers"])
            sheet["prose"] = sorted(sheet["prose"])
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
    found = {name: _plain(config[name]) for name in sorted(names & set(config)) if config[name]}
    # The kit knows its own, and another assignment's changes nothing in this one.
    found.get(SandboxedExecute.__name__, {}).pop("environments", None)
    return found


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
        notebooks: the bytes of the submitted notebooks, by name.
        files: what was handed in beside them, by path.
        problems: why there is no notebook of a name.
        fingerprint: of the submission and the kit together.
        notes: what was left out of it and why, and how the notebook was chosen.
        page: whether its feedback page is wanted.
        handover: a folder of this machine's in which to leave what the notebook wrote; None if the coordinator is on
            another machine.
    """

    student: str
    notebooks: Mapping[str, bytes]
    files: Mapping[str, bytes] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    page: bool = False
    handover: Path | None = None


@dataclass
class Graded:
    """One notebook of a submission, graded.

    Attributes:
        outcome: how it ended.
        text: the graded notebook's.
        scores: points of each graded cell.
        comments: automatic comment of each answer, or None.
        page: its feedback page but for what the gradebook says, or None.
    """

    outcome: Outcome
    text: str
    scores: list[Score]
    comments: dict[str, str | None]
    page: Draft | None = None


@dataclass
class Done:
    """One submission graded: what the coordinator writes down.

    Attributes:
        student: whose.
        outcome: how it ended, as `Outcome.to_dict` has it.
        notebooks: its graded notebooks, by name.
        files: what they wrote beside themselves, from a worker on another machine.
        folder: where on this machine the files lie instead, which the coordinator removes; "" if there is none.
    """

    student: str
    outcome: dict[str, Any]
    notebooks: dict[str, Graded]
    files: dict[str, bytes]
    folder: str = ""

    @property
    def pages(self) -> dict[str, Draft] | None:
        """The feedback pages but for what the gradebook says; None if not asked for, or where one cannot be made."""
        found = {name: graded.page for name, graded in self.notebooks.items()}
        return {name: page for name, page in found.items() if page is not None} if all(found.values()) else None


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
        return _grade(kit, task)
    except environments.Lacking as lacking:
        raise Unfit(str(lacking)) from lacking


def _grade(kit: Kit, task: Task) -> Done:
    with tempfile.TemporaryDirectory(prefix="work-") as folder:
        files = Path(folder)
        own, notes = fitting(task.files, [*kit.files, *kit.notebook_files])
        # One notebook of several may read another, as it was handed in: of the graded one it would learn hidden tests.
        others = {f"{name}.ipynb": data for name, data in task.notebooks.items()} if len(kit.sheets) > 1 else {}
        given = own | dict(kit.files) | others
        for name, data in given.items():
            path = files / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        graded = {sheet.name: _sheet(kit, sheet, task, files) for sheet in kit.sheets}
        written = {name: files / name for name, _ in regular_files(files) if name not in given}
        new, left_out = fitting(written, [*given, *kit.notebook_files])
        left = _leave(new, task.handover) if new and task.handover is not None else ""
        content = {} if left else {name: path.read_bytes() for name, path in new.items()}
    outcomes = {name: one.outcome for name, one in graded.items()}
    outcome = joined(outcomes) if set(outcomes) != {kit.unit} else outcomes[kit.unit]
    outcome.notes += [*task.notes, *notes, *left_out[:MAX_NOTES]]
    return Done(task.student, outcome.to_dict(), graded, content, left)


def _sheet(kit: Kit, sheet: Sheet, task: Task, files: Path) -> Graded:
    """Grade one notebook of a submission; what is none has 0 points and the reason."""
    try:
        if sheet.name not in task.notebooks:
            raise Ungradable(task.problems[sheet.name])
        with limited():
            outputs = kit.config.ClearOutput.get("enabled", True) is False
            notebook = clean(task.notebooks[sheet.name], outputs)
        return _graded(kit, sheet, task, notebook, files)
    except Ungradable as told:
        reason = str(told)
    except TooLong:
        reason = TOO_LONG
    notebook = unanswered(sheet.released)
    notebook.metadata[NOTES] = nbformat.from_dict({"ungradable": reason})
    return _graded(kit, sheet, task, notebook, files)


def _graded(kit: Kit, sheet: Sheet, task: Task, notebook: NotebookNode, files: Path) -> Graded:
    """Take a notebook through the configured steps, in a folder with what lies beside it.

    Raises:
        TooLong: a step outside the sandbox took more time than any notebook needs.
    """
    names: dict[str, Any] = {
        "student": task.student,
        "assignment": kit.unit,
        "notebook": sheet.name,
        "db_url": None,
        "secret": kit.secret,
        "environment": kit.environment,
        "imports": kit.imports,
    }
    resources: dict[str, Any] = {
        "nbgrader": names,
        "metadata": {"name": sheet.name, "path": str(files)},
        "unique_key": sheet.name,
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
                _repair(notebook, sheet)
            elif step is OverwriteKernelspec:
                # Where the released notebook names none, none that a learner names counts.
                notebook.metadata.pop("kernelspec", None)
                if sheet.kernelspec:
                    notebook.metadata["kernelspec"] = nbformat.from_dict(sheet.kernelspec)
            elif step is SaveVerdicts:
                scores, comments = _scored(notebook, names.get("outcome"))
            else:
                notebook, resources = step(notebook, resources)
    with limited():
        text = nbformat.writes(notebook) + "\n"
    outcome = names.get("outcome") or Outcome(task.student, kit.unit)
    page = _draft(notebook, kit.unit, sheet.name, comments.values()) if task.page else None
    return Graded(outcome, text, scores, comments, page)


def _leave(files: Mapping[str, Path], handover: Path) -> str:
    """Move files into a new folder and return it: on one machine they need not travel through memory."""
    folder = Path(tempfile.mkdtemp(prefix="wrote-", dir=handover))
    for name, path in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, folder / name)
    return str(folder)


def _draft(notebook: NotebookNode, unit: str, name: str, comments: Iterable[str | None]) -> Draft | None:
    try:
        with limited():
            return feedback_page.draft(notebook, unit, name, [text for text in comments if text])
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


def _repair(notebook: NotebookNode, sheet: Sheet) -> None:
    notes = repair(notebook, sheet.released, sheet.roles, sheet.prose)
    if notes:
        told = notebook.metadata.setdefault(NOTES, nbformat.from_dict({}))
        told["repaired"] = [*told.get("repaired", ()), *notes]


def _scored(notebook: NotebookNode, outcome: Outcome | None) -> tuple[list[Score], dict[str, str | None]]:
    scores = [scoring.score(cell, outcome) for cell in notebook.cells if utils.is_grade(cell)]
    answers = [cell for cell in notebook.cells if utils.is_solution(cell) or utils.is_task(cell)]
    return scores, {cell.metadata.nbgrader["grade_id"]: scoring.comment(cell, outcome) for cell in answers}
