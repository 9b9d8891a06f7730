"""Writes results into the class folder and the gradebook, in batches: notebooks and outcomes first, then points, then
feedback pages.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

from autograder.classroom.classroom import Classroom
from autograder.classroom.times import UnreadableTime, read_time
from autograder.marking.feedback_page import Draft
from autograder.marking.files import fitting, regular_files
from autograder.marking.outcomes import Outcome, write_outcome
from autograder.marking.submission import Kit
from autograder.sandbox.limits import MB
from autograder.sandbox.texts import storable, storable_within

from .entries import Entry, Part
from .faults import FULL, Faults
from .places import Places
from .records import Mark, Records
from .results import Ready

# So many results, or results of so many seconds, go into the gradebook together.
BATCH, BATCH_SECONDS = 25, 1.0
# Or that have so much beside the notebook that it should not be held any longer.
HELD_BYTES = 64 * MB
# What a database says of values that it does not take, not of itself.
_REFUSED = (DataError, IntegrityError, ProgrammingError, ValueError, TypeError, OverflowError)


class Writer:
    """Writes the results of one unit.

    Args:
        classroom: the class.
        places: the unit's folders.
        kit: the unit.
        records: its part of the gradebook.
        faults: takes what cannot be written.
        written: called with student, mark and outcome when they are written down.
        pages: called with the pages of what is written down, by student; or None.
    """

    def __init__(
        self,
        classroom: Classroom,
        places: Places,
        kit: Kit,
        records: Records,
        faults: Faults,
        written: Callable[[str, Mark, Outcome], None],
        pages: Callable[[dict[str, dict[str, Draft]]], object] | None = None,
    ) -> None:
        self.classroom, self.places, self.kit, self.records = classroom, places, kit, records
        self.faults, self.written, self.pages = faults, written, pages
        self._ready: list[Ready] = []
        self._held = 0
        self._last = time.monotonic()

    def add(self, one: Ready) -> None:
        """Take a result, to be written with others."""
        self._ready.append(one)
        self._held += sum(map(len, (*one.task.files.values(), *one.done.files.values())))

    def write_if_due(self) -> None:
        """Write the batch when it is full or old."""
        if (
            len(self._ready) >= BATCH
            or self._held > HELD_BYTES
            or (self._ready and time.monotonic() - self._last > BATCH_SECONDS)
        ):
            self.write()

    def write(self) -> None:
        """Write the batch: notebooks and outcomes first, then points and what was graded in one transaction.

        What cannot be written for one submission's sake is a fault of ours: it has no points, the others have theirs.

        Raises:
            OSError: the disk is full.
            sqlalchemy.exc.SQLAlchemyError: the database cannot be used.
        """
        if not self._ready:
            return
        entries: list[Entry] = []
        outcomes: dict[str, Outcome] = {}
        failed: list[tuple[str, Exception]] = []
        for one in self._ready:
            try:
                entry, outcome = self._entry(one)
            except Exception as error:
                if isinstance(error, OSError) and error.errno in FULL:
                    raise
                failed.append((one.done.student, error))
                continue
            entries.append(entry)
            outcomes[entry.student] = outcome
        refused = self._recorded(entries)
        drafts = {one.done.student: pages for one in self._ready if (pages := one.done.pages) is not None}
        self._ready.clear()
        self._held = 0
        for student, _ in refused:
            del outcomes[student]
        marks = self.records.marks(outcomes) if outcomes else {}
        for student, outcome in outcomes.items():
            mark = marks.get(student, Mark(0.0, self.records.max_score, 0, 0.0))
            if student not in marks:
                outcome.ungradable = f"{student} is not in the gradebook, and the class's settings let nobody be added"
            self.written(student, mark, outcome)
        if self.pages is not None:
            self.pages({student: draft for student, draft in drafts.items() if student in marks})
        self._last = time.monotonic()
        for student, fault in failed + refused:
            reason = f"its result could not be written ({type(fault).__name__}: {fault})"
            self.faults.add(student, self.kit.unit, reason, fault)

    def _entry(self, one: Ready) -> tuple[Entry, Outcome]:
        """Write the notebook and the outcome, and return what goes into the gradebook."""
        data = storable_within(one.done.outcome)
        outcome = Outcome.from_dict(data)
        timestamp = None
        try:
            text = one.task.files.get("timestamp.txt", b"").decode(errors="replace")
            timestamp = read_time(text) if text.strip() else None
        except UnreadableTime as error:
            outcome.notes.append(f"timestamp.txt: {error}; taken as handed in on time")
            data = outcome.to_dict()
        self._keep_files(one)
        write_outcome(self.classroom.root, outcome, data)
        return Entry(
            one.done.student,
            one.task.fingerprint,
            {
                name: Part(graded.scores, storable_within(graded.comments), bool(graded.outcome.ungradable))
                for name, graded in one.done.notebooks.items()
            },
            timestamp,
        ), outcome

    def _recorded(self, entries: list[Entry]) -> list[tuple[str, Exception]]:
        """Bring the entries into the gradebook, and return whose it refuses, and why."""
        try:
            self.records.write(entries)
        except _REFUSED as error:
            if len(entries) > 1:
                # It does not say whose: each by itself.
                return [refused for entry in entries for refused in self._recorded([entry])]
            return [(entries[0].student, error)]
        return []

    def _keep_files(self, one: Ready) -> None:
        """Write autograded/<student>/<unit>/.

        The old folder or the new one is there at every instant but one between two renames.
        """
        unit = self.kit.unit
        target = self.places.graded(one.done.student)
        draft, old = target.with_name(f".{unit}.new"), target.with_name(f".{unit}.old")
        for leftover in (draft, old):
            shutil.rmtree(leftover, ignore_errors=True)
        permissions = self._permissions()
        notebooks = {f"{name}.ipynb": storable(graded.text).encode() for name, graded in one.done.notebooks.items()}
        own: dict[str, bytes | Path] = {**self.kit.files, **notebooks}
        wrote: dict[str, bytes | Path] = {**one.done.files}
        if one.done.folder:
            wrote |= {name: Path(one.done.folder, name) for name, _ in regular_files(Path(one.done.folder))}
        # What cannot lie there has been noted where it was executed.
        content = fitting({**one.task.files, **wrote}, own)[0] | own
        for name, data in content.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as file:
                if isinstance(data, Path):
                    with open(data, "rb") as source:
                        shutil.copyfileobj(source, file)
                else:
                    file.write(data)
                file.flush()
                os.fsync(file.fileno())
            path.chmod(permissions)
        if one.done.folder:
            shutil.rmtree(one.done.folder, ignore_errors=True)
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
