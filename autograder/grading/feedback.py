"""Feedback pages: of what was just graded, and of what is missing or shows an older state of the gradebook."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait

from autograder.classroom.classroom import Classroom
from autograder.marking.clock import TooLong, limited
from autograder.marking.feedback_grades import Grades
from autograder.marking.feedback_page import Draft, draft_of

from .distribution import ATTEMPTS, Workers
from .faults import FULL
from .feedback_files import write_pages
from .places import Places
from .pools import Inline, WorkerLost
from .records import Records
from .results import Tell

# So many pages are noted in the gradebook together.
BATCH = 25
# New worker processes are worth their start for so many pages each.
WORTH_A_WORKER = 100


class Feedback:
    """The feedback pages of one unit.

    Args:
        classroom: the class.
        places: the unit's folders.
        records: its part of the gradebook.
        workers: who renders.
        tell: called with what happens.
    """

    def __init__(self, classroom: Classroom, places: Places, records: Records, workers: Workers, tell: Tell) -> None:
        self.classroom, self.places, self.records = classroom, places, records
        self.workers, self.tell = workers, tell
        self._written: set[str] = set()

    def fill(self, drafts: Mapping[str, Mapping[str, Draft]]) -> dict[str, Exception]:
        """Write the pages of these students, given by their notebooks, with the points that the gradebook has now.

        Returns:
            By student, why a page could not be written. It is missing then, and `write` tries once more.

        Raises:
            OSError: the disk is full.
        """
        if not drafts:
            return {}
        grades, shown, failed = self.records.grades(drafts), dict[str, str](), dict[str, Exception]()
        for student, own in drafts.items():
            try:
                pages = {name: draft.page(grades[student][name]) for name, draft in own.items()}
                write_pages(self.classroom, self.places, student, pages)
                shown[student] = _fingerprint(grades[student])
            except Exception as error:
                if isinstance(error, OSError) and error.errno in FULL:
                    raise
                failed[student] = error
        self.records.feedback_written(shown)
        self._written |= shown.keys()
        return failed

    def write(self, students: Iterable[str]) -> None:
        """Write the pages of these students that are missing or stale; those just written are neither."""
        stale = self._stale([student for student in students if student not in self._written])
        total = len(self._written) + len(stale)
        if total:
            self.tell("feedback", total=total, done=len(self._written))
        if stale:
            self._write(stale, total)

    def _write(self, stale: list[str], total: int) -> None:
        pool = self.workers.pool or self.workers.local(len(stale) // WORTH_A_WORKER)
        tries = dict.fromkeys(stale, 0)
        todo, running, made = (
            list(reversed(stale)),
            dict[Future[dict[str, Draft]], str](),
            dict[str, dict[str, Draft]](),
        )
        failed = 0
        try:
            while todo or running:
                while todo and len(running) < 2 * pool.size:
                    student = todo.pop()
                    try:
                        folder = self.places.graded(student)
                        names = self.places.notebooks
                        texts = {name: (folder / f"{name}.ipynb").read_text(encoding="utf-8") for name in names}
                    except (OSError, ValueError) as error:
                        failed += self._failed(student, error)
                        continue
                    running[pool.submit(redraft, texts, self.places.unit)] = student
                    if isinstance(pool, Inline):
                        break
                for future in wait(running, timeout=0.5, return_when=FIRST_COMPLETED).done if running else ():
                    student = running.pop(future)
                    try:
                        made[student] = future.result()
                    except WorkerLost as error:
                        tries[student] += 1
                        if tries[student] < ATTEMPTS:
                            todo.append(student)
                        else:
                            failed += self._failed(student, error)
                    except Exception as error:
                        failed += self._failed(student, error)
                if len(made) >= BATCH or not (todo or running):
                    failed += sum(self._failed(student, error) for student, error in self.fill(made).items())
                    made.clear()
                    self.tell("feedback", total=total, done=len(self._written) + failed)
        finally:
            if pool is not self.workers.pool:
                pool.kill()

    def _failed(self, student: str, error: Exception) -> int:
        self.tell("told", text=f"{student}: the feedback page could not be written ({type(error).__name__})")
        return 1

    def _stale(self, students: Sequence[str]) -> list[str]:
        if not students:
            return []
        shown, grades = self.records.shown(), self.records.grades()
        return [
            student
            for student in students
            if student in shown
            and student in grades
            and (shown[student] != _fingerprint(grades[student]) or not self.places.has_page(student))
            and self.places.is_graded(student)
        ]


def _fingerprint(grades: Mapping[str, Grades]) -> str:
    """Changes whenever a page of a submission would show something else."""
    each = [one.fingerprint for _, one in sorted(grades.items())]
    return each[0] if len(each) == 1 else hashlib.sha256("".join(each).encode()).hexdigest()


def redraft(texts: Mapping[str, str], unit: str) -> dict[str, Draft]:
    """Return the pages of graded notebooks' texts but for what the gradebook says, by name, each in bounded time.

    Raises:
        ValueError: it takes too long.
    """
    try:
        drafts = {}
        for name, text in texts.items():
            with limited():
                drafts[name] = draft_of(text, unit, name)
        return drafts
    except TooLong:
        raise ValueError("it takes too long") from None
