"""Has the feedback pages written that are missing or show an older state of the gradebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path

from .distribution import Workers
from .feedback_pages import write_pages
from .places import Places
from .pools import Dask, WorkerLost
from .records import Records
from .results import Tell

FEEDBACK_BATCH = 10
# How often a page is tried whose worker ends meanwhile.
TRIES = 3


@dataclass
class Feedback:
    """The feedback pages of one unit."""

    root: Path
    places: Places
    records: Records
    workers: Workers
    tell: Tell

    def write(self, students: Iterable[str]) -> None:
        """Write the pages of these students that are missing or stale."""
        states = self.records.states()
        stale = self._stale(students, states)
        if not stale:
            return
        self.tell("feedback", total=len(stale), done=0)
        local = self.workers.pool
        if local is None or isinstance(local, Dask):
            # Pages are made from the class folder, which a cluster's workers do not have. A worker is worth its start
            # for five times as many of them.
            local = self.workers.local(len(stale) // 5)
        try:
            batches = [tuple(stale[i : i + FEEDBACK_BATCH]) for i in range(0, len(stale), FEEDBACK_BATCH)]
            running: dict[Future[dict[str, str]], tuple[str, ...]] = {}
            written = 0
            lost: Counter[str] = Counter()
            while batches or running:
                while batches and len(running) < 2 * local.size:
                    batch = batches.pop(0)
                    running[local.submit(write_pages, self.root, self.places.unit, batch)] = batch
                    if local.size == 1:
                        break
                for future in wait(running, timeout=0.5, return_when=FIRST_COMPLETED).done:
                    batch = running.pop(future)
                    try:
                        told = future.result()
                    except WorkerLost:
                        # One page may have held its worker up: each by itself, and again once at most.
                        lost.update(batch)
                        batches += [(student,) for student in batch if lost[student] < TRIES]
                        gone = [student for student in batch if lost[student] >= TRIES]
                        told = dict.fromkeys(gone, "the worker that made it ended, or it took too long")
                    for student, problem in told.items():
                        if problem:
                            self.tell("told", text=f"{student}: the feedback page could not be written ({problem})")
                    self.records.feedback_written(
                        {student: states[student] for student, problem in told.items() if not problem}
                    )
                    written += len(told)
                    self.tell("feedback", total=len(stale), done=written)
        finally:
            if local is not self.workers.pool:
                local.kill()

    def _stale(self, students: Iterable[str], states: dict[str, str]) -> list[str]:
        known = self.records.known()
        return [
            student
            for student in students
            if self.places.is_graded(student)
            and student in known
            and (known[student].feedback != states.get(student, "") or not self.places.has_page(student))
        ]
