"""Reads a unit as it was released, and its submissions into tasks: who is graded, and who is kept as before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nbgrader.api import Gradebook, Notebook

from autograder.classroom import environments
from autograder.classroom.classroom import Classroom
from autograder.classroom.secret import class_secret
from autograder.marking import fitness
from autograder.marking.files import MAX_FILES, shown, storable_name
from autograder.marking.imports import code_of, imported
from autograder.marking.intake import Ungradable, read_submitted
from autograder.marking.outcomes import read_outcome
from autograder.marking.repair import Roles
from autograder.marking.submission import Kit, Released, Sheet, Task
from autograder.sandbox.limits import Limits
from autograder.sandbox.outside.environments import library_folders
from helpers import sources
from helpers.folder.recovery import read_prose

from .places import Places
from .records import Known
from .results import Tell

# So many files that were left out are named.
MAX_NOTES = 10


def notebook_names(gradebook: Gradebook, unit: str) -> list[str]:
    """Return the names of the notebooks of a unit or a plain assignment."""
    return [notebook.name for notebook in gradebook.find_assignment(unit).notebooks]


def read_kit(classroom: Classroom, places: Places, gradebook: Gradebook, unsafe: bool) -> Kit:
    """Return what grading needs to know of a unit, apart from who handed it in."""
    unit = places.unit
    excluded = set(classroom.config.Autograde.get("exclude_overwriting", {}).get(unit, ()))
    source = places.source()
    beside = places.beside(source)
    files = {name: (source / name).read_bytes() for name in beside if name not in excluded}
    environment = environments.named(classroom.root, classroom.config).get(unit, "")
    return Kit(
        unit,
        classroom.config,
        class_secret(classroom.root),
        tuple(_sheet(places, gradebook.find_notebook(name, unit)) for name in places.notebooks),
        files,
        unsafe,
        fitness.version(),
        environment,
        _installed(environment),
        imported(code_of(source, places.notebooks), beside),
    )


def _installed(environment: str) -> str:
    """A fingerprint of what is installed in a named environment, by the names and releases of its packages, and of the
    code in it that judges.
    """
    if not environment:
        return ""
    folders = library_folders(environment)
    names = sorted(path.name for folder in folders for path in folder.glob("*.dist-info"))
    packages = [path for path in sources.beside().values() if path.parent in folders]
    return hashlib.sha256(json.dumps([names, fitness.code_of(*packages)]).encode()).hexdigest()


def _sheet(places: Places, notebook: Notebook) -> Sheet:
    cells = tuple(
        Released(cell.name, cell.cell_type, cell.source or "", bool(cell.locked), cell.checksum)
        for cell in notebook.source_cells
    )
    kernelspec = json.loads(notebook.kernelspec) if notebook.kernelspec else None
    prose = read_prose(places.source() / f"{notebook.name}.ipynb")
    return Sheet(notebook.name, cells, Roles.of(notebook), kernelspec, prose)


@dataclass
class Reader:
    """Reads one submission after the other.

    Attributes:
        known: what is graded already, by student.
        pages: whether feedback pages are wanted.
        kept: who is found unchanged since, as reading goes on.
    """

    classroom: Classroom
    places: Places
    kit: Kit
    known: Mapping[str, Known]
    tell: Tell
    pages: bool = False
    kept: list[str] = field(default_factory=list)

    def tasks(self, students: Sequence[str]) -> Iterator[Task]:
        """Yield the submissions to grade; put the others into `kept`."""
        for student in students:
            task = self._task(student)
            before = self.known.get(student)
            if (
                before is not None
                and before.fingerprint == task.fingerprint
                and self.places.is_graded(student)
                and read_outcome(self.classroom.root, self.kit.unit, student)
            ):
                self.kept.append(student)
                self.tell("kept", student=student, unit=self.kit.unit)
                continue
            yield task

    def _task(self, student: str) -> Task:
        """Read a submission: what is no regular file of reasonable size stays outside, and is named."""
        folder = self.places.submitted(student)
        chosen: list[str] = []
        notebooks: dict[str, bytes] = {}
        problems: dict[str, str] = {}
        most = self.classroom.config.SandboxedExecute.get("notebook_bytes", Limits.notebook_bytes.default_value)
        for notebook in self.kit.notebooks:
            try:
                notebooks[notebook], told = read_submitted(folder, notebook, most)
                chosen += told
            except Ungradable as none:
                problems[notebook] = str(none)
        left = self.classroom.config.SandboxedExecute.get("beside_bytes", Limits.beside_bytes.default_value)
        files: dict[str, bytes] = {}
        notes: list[str] = []
        for name, size in self.places.beside(folder).items():
            reason = "too many files" if len(files) >= MAX_FILES else storable_name(name)
            if not reason and size > left:
                reason = "the files beside the notebook are too large together"
            if not reason:
                try:
                    with open(folder / name, "rb") as file:
                        # Not more than what was looked at, should it grow.
                        files[name] = file.read(size)
                    left -= size
                except OSError as error:
                    reason = error.strerror or "it cannot be read"
            if reason and len(notes) < MAX_NOTES:
                notes.append(f"the file {shown(name)} was left out: {reason}")
        digest = hashlib.sha256(self.kit.fingerprint.encode())
        # As ever where there is one notebook: what is graded stays graded.
        parts = [notebooks.get(name) or problems.get(name, "").encode() for name in self.kit.notebooks]
        for name, content in (*(("", part) for part in parts), *files.items()):
            digest.update(
                f"{len(name.encode(errors='replace'))} {len(content)} ".encode()
                + name.encode(errors="replace")
                + content
            )
        return Task(student, notebooks, files, problems, digest.hexdigest(), (*chosen, *notes), self.pages)
