"""Writes results into the class folder and the gradebook, in batches: notebooks and outcomes first, then points."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable

from autograder.classroom.classroom import Classroom
from autograder.classroom.times import UnreadableTime
from autograder.marking.outcomes import Outcome, write_outcome
from autograder.marking.submission import Kit

from .places import Places
from .records import Entry, Mark, Records, parsed
from .results import Ready

# So many results, or results of so many seconds, go into the gradebook together.
BATCH, BATCH_SECONDS = 25, 1.0


class Writer:
    """Writes the results of one unit.

    Args:
        classroom: the class.
        places: the unit's folders.
        kit: the unit.
        records: its part of the gradebook.
        written: called with student, mark and outcome when they are written down.
    """

    def __init__(
        self,
        classroom: Classroom,
        places: Places,
        kit: Kit,
        records: Records,
        written: Callable[[str, Mark, Outcome], None],
    ) -> None:
        self.classroom, self.places, self.kit, self.records, self.written = classroom, places, kit, records, written
        self._ready: list[Ready] = []
        self._last = time.monotonic()

    def add(self, one: Ready) -> None:
        """Take a result, to be written with others."""
        self._ready.append(one)

    def write_if_due(self) -> None:
        """Write the batch when it is full or old."""
        if len(self._ready) >= BATCH or (self._ready and time.monotonic() - self._last > BATCH_SECONDS):
            self.write()

    def write(self) -> None:
        """Write the batch: notebooks and outcomes first, then points and what was graded in one transaction."""
        if not self._ready:
            return
        entries: list[Entry] = []
        outcomes: dict[str, Outcome] = {}
        for one in self._ready:
            outcome = Outcome.from_dict(one.done.outcome)
            timestamp = None
            try:
                timestamp = parsed(one.task.files.get("timestamp.txt", b"").decode(errors="replace"))
            except UnreadableTime as error:
                outcome.notes.append(f"timestamp.txt: {error}; taken as handed in on time")
            if one.lasting:
                self._keep_files(one)
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
        self.records.write(entries)
        marks = self.records.marks(outcomes)
        for student, outcome in outcomes.items():
            mark = marks.get(student, Mark(0.0, self.records.max_score, 0, 0.0))
            if student not in marks:
                outcome.ungradable = f"{student} is not in the gradebook, and the class's settings let nobody be added"
            self.written(student, mark, outcome)
        self._ready.clear()
        self._last = time.monotonic()

    def _keep_files(self, one: Ready) -> None:
        """Write autograded/<student>/<unit>/.

        The old folder or the new one is there at every instant but one between two renames.
        """
        unit = self.kit.unit
        target = self.places.graded(one.done.student).parent
        draft, old = target.with_name(f".{unit}.new"), target.with_name(f".{unit}.old")
        for leftover in (draft, old):
            shutil.rmtree(leftover, ignore_errors=True)
        permissions = self._permissions()
        content = (
            dict(one.task.files) | dict(self.kit.files) | one.done.files | {f"{unit}.ipynb": one.done.notebook.encode()}
        )
        for name, data in content.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            path.chmod(permissions)
        if self.places.directory.groupshared:
            for folder in (target.parent, draft, *(path for path in draft.rglob("*") if path.is_dir())):
                folder.chmod(0o2770)
        if target.exists():
            target.rename(old)
        draft.rename(target)
        shutil.rmtree(old, ignore_errors=True)

    def _permissions(self) -> int:
        default = 664 if self.places.directory.groupshared else 444
        return int(str(self.classroom.config.Autograde.get("permissions", default)), 8)
