"""Hands tasks out to workers, a few ahead of them, and tries again where a worker was lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.course import CourseError
from autograder.marking import submission
from autograder.marking.fitness import Unfit
from autograder.marking.submission import Done, Kit, Task
from autograder.sandbox.outside.errors import SandboxError

from .faults import FULL, Faults
from .pools import Dask, Inline, Local, Pool, WorkerLost
from .results import Ready, Tell, Try
from .writing import Writer

# How often a submission is tried that fails through a fault of ours or of the machine.
ATTEMPTS = 3


@dataclass
class Workers:
    """The pool of a run, made when there is work for it."""

    folder: Path
    unsafe: bool
    jobs: int | None
    scheduler: str | None
    tell: Tell
    pool: Pool | None = None

    def get(self, waiting: int) -> Pool:
        """Return the pool, for about so many submissions."""
        if self.pool is None:
            if self.scheduler is not None:
                self.pool = Dask(self.scheduler, self.unsafe)
            else:
                self.pool = self.local(waiting)
            self.tell("workers", where=self.pool.where)
        return self.pool

    def local(self, waiting: int) -> Pool:
        """Return a new pool on this machine for so many submissions."""
        size = Local.suitable(self.jobs, waiting)
        return Local(size, self.folder, self.tell) if size > 1 else Inline(self.tell, self.folder)

    def close(self) -> None:
        """End the pool when its work is done."""
        if self.pool is not None:
            self.pool.close()

    def kill(self) -> None:
        """End the pool at once."""
        if self.pool is not None:
            self.pool.kill()


class Distribution:
    """Grades the tasks of one unit.

    Args:
        kit: the unit.
        workers: who executes.
        writer: who writes the results down.
        faults: takes what fails.
        tell: called with what happens.
    """

    def __init__(self, kit: Kit, workers: Workers, writer: Writer, faults: Faults, tell: Tell) -> None:
        self.kit, self.workers, self.writer, self.faults, self.tell = kit, workers, writer, faults, tell
        self._again: list[Try] = []
        self._alone: list[Try] = []

    def run(self, todo: Iterator[Task], count: int) -> None:
        """Hand tasks out, a few ahead of the workers, and have results written down as they come.

        Args:
            todo: the tasks, read one by one.
            count: how many there are at most.

        Raises:
            CourseError: no sandbox, no worker that can grade, or one submission after the other fails.
        """
        running: dict[Future[Done], Try] = {}
        pool = shared = None
        try:
            while True:
                while pool is None or len(running) < 2 * pool.size:
                    one = self._next(todo, idle=not running)
                    if one is None:
                        break
                    if pool is None or shared is None:
                        pool = self.workers.get(count)
                        try:
                            shared = pool.share(self.kit)
                        except SandboxError as error:
                            raise CourseError(str(error)) from error
                    task = replace(one.task, handover=pool.handover)
                    running[pool.submit(submission.grade_task, shared, task)] = one
                    if pool.size == 1:
                        break
                if not running:
                    break
                for future in wait(running, timeout=0.5, return_when=FIRST_COMPLETED).done:
                    done = self._finished(future, running.pop(future))
                    if done is not None:
                        self.writer.add(done)
                self.writer.write_if_due()
        finally:
            # What is finished is written down also when the rest is given up.
            self.writer.write()

    def _next(self, todo: Iterator[Task], idle: bool) -> Try | None:
        if self._again:
            return self._again.pop()
        task = next(todo, None)
        if task is not None:
            return Try(task)
        # A submission that seems to end its workers runs by itself, so that no other is blamed.
        return self._alone.pop() if idle and self._alone else None

    def _finished(self, future: Future[Done], one: Try) -> Ready | None:
        try:
            ready = Ready(future.result(), one.task)
            self.faults.graded()
            return ready
        except Unfit as error:
            if self.workers.pool is None or not self.workers.pool.without(error):
                raise CourseError(f"no worker can grade: {error}") from error
            self.tell("told", text=str(error))
            self._again.append(one)
            return None
        except Exception as error:
            if isinstance(error, OSError) and error.errno in FULL:
                raise
            fault = error
        one.attempts += 1
        if one.attempts < ATTEMPTS:
            if self.workers.pool is not None and not isinstance(fault, WorkerLost):
                # Whatever a submission before may have left in this one is gone with it.
                self.workers.pool.renew()
            (self._alone if one.attempts > 1 else self._again).append(one)
        else:
            self.faults.add(one.task.student, self.kit.unit, _reason(fault), fault)
        return None


def _reason(fault: Exception) -> str:
    if isinstance(fault, WorkerLost):
        return "the grading process ended each time it came to this notebook"
    if isinstance(fault, SandboxError):
        return f"the sandbox failed: {fault}"
    return f"the grader failed ({type(fault).__name__}: {fault})"
