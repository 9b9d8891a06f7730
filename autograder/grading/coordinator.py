"""Grades what is submitted in a class: each submission to exactly one end, in parallel, and from where it was stopped.

Executing and judging is done by workers (`autograder.marking.submission`). This is the coordinator: it reads submissions, hands
them out a few ahead, and alone writes the class folder and the gradebook, in batches:

1. for each result the graded notebook and its outcome are written and brought to the disk;
2. then the points of the whole batch go into the gradebook in one transaction, with what was graded.

So at every instant the gradebook's table says what is done, and all that it says is there. A run that was killed
is started again with the same command: what is done stays, the rest is graded.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nbgrader import utils
from nbgrader.api import Gradebook
from sqlalchemy.exc import SQLAlchemyError

from autograder.classroom.classroom import Classroom, told_by_database
from autograder.classroom.layout import only_grader
from autograder.classroom.secret import class_secret
from autograder.course import CourseError
from autograder.marking import submission
from autograder.marking.intake import Ungradable, read_bytes
from autograder.marking.outcomes import Outcome, read_outcome, write_outcome
from autograder.marking.repair import Roles
from autograder.marking.submission import Done, Kit, Released, Task, Unfit
from autograder.sandbox.limits import Limits
from autograder.sandbox.outside import bubblewrap
from autograder.sandbox.outside.errors import SandboxError
from autograder.sandbox.run_folder import run_folder

from .feedback_pages import write_pages
from .pools import Dask, Inline, Local, WorkerLost
from .records import Entry, Known, Mark, Records, parsed

# So many results, or results of so many seconds, go into the gradebook together.
BATCH, BATCH_SECONDS = 25, 1.0
# How often a submission is tried whose worker is lost.
ATTEMPTS = 3
FEEDBACK_BATCH = 10


class Stopped(Exception):
    """Grading was interrupted; the message says what is done and how to go on."""


@dataclass(frozen=True)
class Result:
    """One line of the table: a submission, its points, and how it ended."""

    student: str
    unit: str
    score: float
    max_score: float
    to_grade_by_hand: int
    late_seconds: float
    outcome: Outcome
    fresh: bool = True


Tell = Callable[..., None]


def _silent(kind: str, **about: Any) -> None:
    pass


def grade(
    classroom: Classroom,
    units: list[str],
    unsafe: bool = False,
    feedback: bool = True,
    tell: Tell = _silent,
    jobs: int | None = None,
    scheduler: str | None = None,
    regrade: bool = False,
    students: list[str] | None = None,
) -> list[Result]:
    """Grade what is new or changed among the submissions of the units and return a result for every one.

    Args:
        classroom: the class.
        units: names of units.
        unsafe: go on where the sandbox cannot be had, and mark the grades.
        feedback: also write nbgrader's feedback pages.
        tell: called with what happens as it happens: a kind, and named values (see `autograder.grading.progress`).
        jobs: worker processes; as many as cores if None, fewer for a few submissions.
        scheduler: address of a Dask scheduler whose workers execute instead.
        regrade: also grade what has not changed.
        students: only these.

    Raises:
        CourseError: the class cannot be graded at all: another grader, no gradebook, no sandbox, a full disk.
        Stopped: Ctrl-C; what was graded is kept.
    """
    with only_grader(classroom.root), run_folder() as folder:
        released = _released(classroom)
        missing = [unit for unit in units if unit not in released and classroom.submitted(unit)]
        if missing:
            raise CourseError(
                f"{', '.join(missing)} is not released in this class: run `autograder init {classroom.root}`"
            )
        if not unsafe and scheduler is None:
            _need_sandbox()
        coordinator = _Coordinator(classroom, folder, unsafe, tell, jobs, scheduler, regrade, students)
        return coordinator.run([unit for unit in units if unit in released], feedback)


def grade_one(classroom: Classroom, unit: str, student: str, unsafe: bool = False, feedback: bool = True) -> Result:
    """Grade one submission anew and return its result."""
    return grade(classroom, [unit], unsafe, feedback, regrade=True, students=[student])[0]


def _need_sandbox() -> None:
    try:
        bubblewrap.need()
    except SandboxError as error:
        raise CourseError(f"{error}. With --unsafe, grading goes on without it and marks the grades") from error


def _released(classroom: Classroom) -> set[str]:
    try:
        with classroom.gradebook() as gradebook:
            return {assignment.name for assignment in gradebook.assignments if assignment.notebooks}
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error


@dataclass
class _Try:
    """A submission that is being graded."""

    task: Task
    attempts: int = 0


@dataclass
class _Ready:
    """A result that waits to be written, with what was handed in."""

    done: Done
    task: Task
    lasting: bool = True


@dataclass
class _Coordinator:
    classroom: Classroom
    folder: Path
    unsafe: bool
    tell: Tell
    jobs: int | None
    scheduler: str | None
    regrade: bool
    students: list[str] | None
    results: list[Result] = field(default_factory=list)
    graded: int = 0

    def run(self, units: list[str], feedback: bool) -> list[Result]:
        self.log = logging.Logger("attention-grade")
        self.log.addHandler(logging.NullHandler())
        self.courses = {unit: self.classroom.directory(self.log, unit) for unit in units}
        handed_in = {
            unit: [s for s in self.classroom.submitted(unit) if self.students is None or s in self.students]
            for unit in units
        }
        total = sum(map(len, handed_in.values()))
        self.tell("start", total=total)
        self.pool: Any = None
        try:
            for unit in units:
                if handed_in[unit]:
                    with self._database():
                        self._unit(unit, handed_in[unit], feedback)
            if self.pool is not None:
                self.pool.close()
        except KeyboardInterrupt:
            if self.pool is not None:
                self.pool.kill()
            raise Stopped(
                f"stopped: {self.graded} submissions were graded and are kept; the same command goes on with the rest"
            ) from None
        except BaseException:
            if self.pool is not None:
                self.pool.kill()
            raise
        self.tell("end", graded=self.graded, total=total)
        return sorted(self.results, key=lambda result: (units.index(result.unit), result.student))

    @contextlib.contextmanager
    def _database(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise CourseError(told_by_database(error, self.classroom.db_url)) from error
        except OSError as error:
            if error.errno == errno.ENOSPC:
                # No fault of a student's, and no ground for 0 points: stop here, what is graded is kept.
                raise CourseError(
                    f"no space is left in {self.classroom.root}: free some and run the same command again; nothing is lost"
                ) from error
            raise

    def _workers(self, waiting: int) -> Any:
        """The executor, made when there is work for it."""
        if self.pool is None:
            if self.scheduler is not None:
                self.pool = Dask(self.scheduler, self.unsafe)
            else:
                self.pool = self._local(waiting)
            self.tell("workers", where=self.pool.where)
        return self.pool

    def _local(self, waiting: int) -> Any:
        """Workers on this machine for so many submissions."""
        size = Local.suitable(self.jobs, waiting)
        return Local(size, self.folder) if size > 1 else Inline()

    def _unit(self, unit: str, students: list[str], feedback: bool) -> None:
        with self.classroom.gradebook() as gradebook:
            records = Records(gradebook, unit, self.classroom.config)
            kit = self._kit(gradebook, unit)
            known = {} if self.regrade else records.known()
            kept: list[str] = []
            todo = self._todo(kit, students, known, kept)
            self._grade_all(kit, todo, records, len(students))
            again = [student for student in kept if known[student].late_changed]
            if again:
                records.penalise_again(again)
                known |= {student: replace(known[student], mark=mark) for student, mark in records.marks(again).items()}
            for student in kept:
                outcome = read_outcome(self.classroom.root, unit, student)
                assert outcome is not None
                self._result(unit, student, known[student].mark, outcome, fresh=False)
            if feedback:
                self._feedback(unit, records)

    def _kit(self, gradebook: Gradebook, unit: str) -> Kit:
        notebook = gradebook.find_notebook(unit, unit)
        cells = tuple(
            Released(cell.name, cell.cell_type, cell.source or "", bool(cell.locked), cell.checksum)
            for cell in notebook.source_cells
        )
        directory = self.courses[unit]
        source = Path(directory.format_path(directory.source_directory, ".", unit))
        excluded = set(self.classroom.config.Autograde.get("exclude_overwriting", {}).get(unit, ()))
        files = {name: path.read_bytes() for name, path in self._beside(source, unit).items() if name not in excluded}
        kernelspec = json.loads(notebook.kernelspec) if notebook.kernelspec else None
        secret = class_secret(self.classroom.root)
        return Kit(
            unit,
            self.classroom.config,
            secret,
            cells,
            Roles.of(notebook),
            kernelspec,
            files,
            self.unsafe,
            submission.version(),
        )

    def _beside(self, folder: Path, unit: str) -> dict[str, Path]:
        """The regular files of a folder that are no notebooks, by their path in it, sorted."""
        found = map(Path, utils.find_all_files(str(folder), [*self.courses[unit].ignore, "*.ipynb"]))
        return {str(path.relative_to(folder)): path for path in sorted(found) if stat.S_ISREG(path.lstat().st_mode)}

    def _todo(self, kit: Kit, students: list[str], known: dict[str, Known], kept: list[str]) -> Iterator[Task]:
        """Read one submission after the other and yield those to grade; put the others into `kept`."""
        root = self.classroom.root
        for student in students:
            task = self._task(kit, student)
            before = known.get(student)
            if (
                before is not None
                and before.fingerprint == task.fingerprint
                and self._notebook(kit.unit, student).is_file()
                and read_outcome(root, kit.unit, student)
            ):
                kept.append(student)
                self.tell("kept", student=student, unit=kit.unit)
                continue
            yield task

    def _folder(self, directory: str, unit: str, student: str) -> Path:
        return Path(self.courses[unit].format_path(directory, student, unit))

    def _notebook(self, unit: str, student: str) -> Path:
        return self._folder(self.courses[unit].autograded_directory, unit, student) / f"{unit}.ipynb"

    def _task(self, kit: Kit, student: str) -> Task:
        """Read a submission: what is no regular file of reasonable size stays outside."""
        unit = kit.unit
        folder = self._folder(self.courses[unit].submitted_directory, unit, student)
        data, problem = None, ""
        path = folder / f"{unit}.ipynb"
        try:
            if not os.path.lexists(path):
                others = [other.name for other in sorted(folder.glob("*.ipynb"))]
                found = f" (there is {', '.join(others)})" if others else ""
                raise Ungradable(
                    f"there is no {unit}.ipynb in the submission{found}: submit the notebook under its own name"
                )
            data = read_bytes(
                path, self.classroom.config.SandboxedExecute.get("notebook_bytes", Limits.notebook_bytes.default_value)
            )
        except Ungradable as reason:
            problem = str(reason)
        left = self.classroom.config.SandboxedExecute.get("scratch_bytes", Limits.scratch_bytes.default_value)
        files = {}
        for name, one in self._beside(folder, unit).items():
            left -= one.stat().st_size
            if left < 0:
                break
            with contextlib.suppress(OSError):
                files[name] = one.read_bytes()
        digest = hashlib.sha256(kit.fingerprint.encode())
        for name, content in (("", data or problem.encode()), *files.items()):
            digest.update(
                f"{len(name.encode(errors='replace'))} {len(content)} ".encode()
                + name.encode(errors="replace")
                + content
            )
        return Task(student, data, files, problem, digest.hexdigest())

    def _grade_all(self, kit: Kit, todo: Iterator[Task], records: Records, count: int) -> None:
        """Hand tasks out, a few ahead of the workers, and write results down as they come."""
        running: dict[Future, _Try] = {}
        again: list[_Try] = []
        alone: list[_Try] = []
        ready: list[_Ready] = []
        flushed = time.monotonic()
        pool = shared = None
        try:
            while True:
                while pool is None or len(running) < 2 * pool.size:
                    one = again.pop() if again else None
                    if one is None:
                        task = next(todo, None)
                        if task is None and not running and alone:
                            # A submission that seems to end its workers runs by itself, so that no other is blamed.
                            one = alone.pop()
                        elif task is None:
                            break
                        else:
                            one = _Try(task)
                    if pool is None:
                        pool = self._workers(count)
                        try:
                            shared = pool.share(kit)
                        except SandboxError as error:
                            raise CourseError(str(error)) from error
                    running[pool.submit(submission.grade_task, shared, one.task)] = one
                    if pool.size == 1:
                        break
                if not running:
                    break
                for future in wait(running, timeout=0.5, return_when=FIRST_COMPLETED).done:
                    one = running.pop(future)
                    done = self._finished(future, one, kit, again, alone)
                    if done is not None:
                        ready.append(done)
                if len(ready) >= BATCH or (ready and time.monotonic() - flushed > BATCH_SECONDS):
                    self._write(kit, ready, records)
                    flushed = time.monotonic()
        finally:
            # What is finished is written down also when the rest is given up.
            self._write(kit, ready, records)

    def _finished(self, future: Future, one: _Try, kit: Kit, again: list[_Try], alone: list[_Try]) -> _Ready | None:
        try:
            return _Ready(future.result(), one.task)
        except Unfit as error:
            if not self.pool.without(error):
                raise CourseError(f"no worker can grade: {error}") from error
            self.tell("told", text=str(error))
            again.append(one)
            return None
        except WorkerLost:
            reason = "the grading process ended each time it came to this notebook"
        except SandboxError as error:
            reason = f"the sandbox failed: {error}"
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            reason = f"{type(error).__name__}: {error}"
        except Exception as error:
            # A fault of ours, found by this submission: it has a reason and no silence, and the class goes on.
            reason = f"the grader failed ({type(error).__name__}: {error})"
        one.attempts += 1
        if one.attempts < ATTEMPTS:
            (alone if one.attempts > 1 else again).append(one)
            return None
        outcome = Outcome(one.task.student, kit.unit, ungradable=reason, unsafe=self.unsafe)
        return _Ready(Done(one.task.student, outcome.to_dict(), "", {}, [], {}), one.task, lasting=False)

    def _write(self, kit: Kit, ready: list[_Ready], records: Records) -> None:
        """Write a batch: notebooks and outcomes first, then points and what was graded in one transaction."""
        if not ready:
            return
        entries, outcomes = [], {}
        for one in ready:
            outcome = Outcome.from_dict(one.done.outcome)
            timestamp = None
            try:
                timestamp = parsed(one.task.files.get("timestamp.txt", b"").decode(errors="replace"))
            except ValueError:
                outcome.notes.append("timestamp.txt holds no time: taken as handed in on time")
            if one.lasting:
                self._keep_files(kit, one)
            write_outcome(self.classroom.root, outcome)
            outcomes[one.done.student] = outcome
            fingerprint = one.task.fingerprint if one.lasting else ""
            entries.append(
                Entry(
                    one.done.student,
                    fingerprint,
                    one.done.scores,
                    one.done.comments,
                    timestamp,
                    zero=bool(outcome.ungradable),
                )
            )
        records.write(entries)
        marks = records.marks(outcomes)
        for student, outcome in outcomes.items():
            self.graded += 1
            mark = marks.get(student, Mark(0.0, records.max_score, 0, 0.0))
            if student not in marks:
                outcome.ungradable = f"{student} is not in the gradebook, and the class's settings let nobody be added"
            self._result(kit.unit, student, mark, outcome, fresh=True)
        ready.clear()

    def _keep_files(self, kit: Kit, one: _Ready) -> None:
        """Write autograded/<student>/<unit>/: the old folder or the new one is there at every instant but one between two renames."""
        target = self._notebook(kit.unit, one.done.student).parent
        draft, old = target.with_name(f".{kit.unit}.new"), target.with_name(f".{kit.unit}.old")
        for leftover in (draft, old):
            shutil.rmtree(leftover, ignore_errors=True)
        permissions = self._permissions(kit.unit)
        content = (
            dict(one.task.files) | dict(kit.files) | one.done.files | {f"{kit.unit}.ipynb": one.done.notebook.encode()}
        )
        for name, data in content.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            path.chmod(permissions)
        if self.courses[kit.unit].groupshared:
            for folder in (target.parent, draft, *(path for path in draft.rglob("*") if path.is_dir())):
                folder.chmod(0o2770)
        if target.exists():
            target.rename(old)
        draft.rename(target)
        shutil.rmtree(old, ignore_errors=True)

    def _permissions(self, unit: str) -> int:
        default = 664 if self.courses[unit].groupshared else 444
        return int(str(self.classroom.config.Autograde.get("permissions", default)), 8)

    def _result(self, unit: str, student: str, mark: Mark, outcome: Outcome, fresh: bool) -> None:
        result = Result(student, unit, mark.score, mark.max_score, mark.by_hand, mark.late_seconds, outcome, fresh)
        self.results.append(result)
        if fresh:
            self.tell("graded", result=result)

    def _feedback(self, unit: str, records: Records) -> None:
        """Write the feedback pages that are missing or show an older state of the gradebook."""
        states = records.states()
        known = records.known()
        pages = self.courses[unit].feedback_directory
        stale = []
        for result in self.results:
            student = result.student
            if result.unit != unit or not self._notebook(unit, student).is_file():
                continue
            page = self._folder(pages, unit, student) / f"{unit}.html"
            if student in known and (known[student].feedback != states.get(student, "") or not page.is_file()):
                stale.append(student)
        if not stale:
            return
        self.tell("feedback", total=len(stale), done=0)
        local = self.pool
        if local is None or isinstance(local, Dask):
            # Pages are made from the class folder, which a cluster's workers do not have. A worker is worth its start for five times as many of them.
            local = self._local(len(stale) // 5)
        try:
            batches = [tuple(stale[i : i + FEEDBACK_BATCH]) for i in range(0, len(stale), FEEDBACK_BATCH)]
            running: dict[Future, tuple[str, ...]] = {}
            written = 0
            while batches or running:
                while batches and len(running) < 2 * local.size:
                    batch = batches.pop(0)
                    running[local.submit(write_pages, self.classroom.root, unit, batch)] = batch
                    if local.size == 1:
                        break
                for future in wait(running, timeout=0.5, return_when=FIRST_COMPLETED).done:
                    batch = running.pop(future)
                    try:
                        told = future.result()
                    except WorkerLost:
                        batches.append(batch)
                        continue
                    for student, problem in told.items():
                        if problem:
                            self.tell("told", text=f"{student}: the feedback page could not be written ({problem})")
                    records.feedback_written(
                        {student: states[student] for student, problem in told.items() if not problem}
                    )
                    written += len(batch)
                    self.tell("feedback", total=len(stale), done=written)
        finally:
            if local is not self.pool:
                local.kill()
