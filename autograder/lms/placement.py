"""Places what was recognised: which file becomes which student's submission, and when it was handed in."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import dateutil.parser
import dateutil.tz
from nbgrader.api import Assignment, Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import FileNameCollectorPlugin
from nbgrader.utils import find_all_notebooks
from traitlets import Unicode

from autograder.course import CourseError
from helpers.data import WEIGHTS

from .archives import REFUSED, read_refused
from .recognition import Handed, Roster, read_roster, whose

# What browsers and Canvas append to the name of a second copy: " (1)" and "-1".
_COPY = re.compile(r"(?: ?\(\d+\)|-\d+|-Copy\d+)+$")


@dataclass
class Collected:
    """What of a download goes to whom.

    Attributes:
        files: extracted file → (student, name that it gets).
        labels: student → the part of the path by which the system knows the submission.
        late: students whose submission the system marks as late.
        times: student → when it was handed in, where the worksheet says so.
        left: a line for each file or person that was left out, with the reason.
    """

    files: dict[Path, tuple[str, str]] = field(default_factory=dict)
    labels: dict[str, Handed] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    times: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def plan(extracted: Path, roster: Roster, released: list[str]) -> Collected:
    """Return what goes to whom of an extracted download.

    Args:
        extracted: the folder that `SafeExtractor` wrote.
        roster: the class.
        released: names of the notebooks that were handed out.
    """
    result = Collected()
    people: dict[tuple[str, str], list[tuple[Handed, Path]]] = defaultdict(list)
    for path in sorted(path for path in extracted.rglob("*") if path.is_file() and path.name != REFUSED):
        handed = whose(PurePosixPath(path.relative_to(extracted).as_posix()))
        if handed is None:
            result.left.append(f"{path.relative_to(extracted)}: follows neither Moodle's nor Canvas's naming")
        elif handed.kind == "file":
            people[handed.person].append((handed, path))
    claims: dict[str, list[list[tuple[Handed, Path]]]] = defaultdict(list)
    for _, files in sorted(people.items()):
        student, reason = roster.find(files[0][0])
        if student is None:
            result.left.append(reason)
        else:
            claims[student].append(files)
    for student, found in claims.items():
        if len(found) > 1:
            result.left.append(
                f"{student}: {len(found)} people of the download fit this student "
                f"({', '.join(files[0][0].label for files in found)}); none was taken"
            )
            continue
        _choose(student, found[0], released, result)
        if time := roster.time(found[0][0][0]):
            result.times[student] = time
    result.left += read_refused(extracted)
    return result


def _choose(student: str, files: list[tuple[Handed, Path]], released: list[str], result: Collected) -> None:
    """Of each name, take the newest file; of equally new ones the one that lies least deep."""
    best: dict[str, tuple[tuple[int, int], Handed, Path]] = {}
    for handed, path in files:
        name = _proper(handed.file, released)
        if name is None:
            continue
        rank = handed.order, -handed.depth
        if name not in best or rank > best[name][0]:
            best[name] = rank, handed, path
    notebooks = [name for name in best if name.endswith(".ipynb")]
    # The label is that of the newest file: feedback for an older attempt would be refused.
    result.labels[student] = max((handed for handed, _ in files), key=lambda handed: handed.order)
    if not notebooks:
        result.left.append(
            f"{student}: handed in no notebook ({', '.join(sorted({handed.file for handed, _ in files}))})"
        )
        return
    for name, (_, _, path) in best.items():
        result.files[path] = student, name
    result.labels[student] = best[next((name for name in notebooks if name in released), notebooks[0])][1]
    if any(handed.late for _, handed, _ in best.values()):
        result.late.add(student)


def _proper(file: str, released: list[str]) -> str | None:
    """The name under which a file is graded, or None for what is no part of a submission."""
    stem, ext = os.path.splitext(file)
    name = _COPY.sub("", stem) + ext.lower()
    if name in (*released, WEIGHTS):
        return name
    return stem + ext.lower() if ext.lower() == ".ipynb" else None


class LmsCollector(FileNameCollectorPlugin):  # type: ignore[misc]  # nbgrader has no types
    """Tells `nbgrader zip_collect` whose each extracted file is."""

    worksheet = Unicode(
        "", help="Moodle's grading worksheet (a CSV file), to know participants by e-mail address or ID number."
    ).tag(config=True)

    timezone = Unicode(
        "", help="Time zone of the worksheet's times, as Europe/Berlin; that of this machine if empty."
    ).tag(config=True)

    _plan: Collected | None = None

    @property
    def collected(self) -> Collected:
        """The plan for the whole download, made when first asked for."""
        if self._plan is None:
            app = self.parent
            extracted = Path(app._format_collect_path(app.extracted_directory))
            self._plan = plan(extracted, read_roster(app.coursedir.db_url, self.worksheet), released(app.coursedir))
            self._stamps = self._timestamps(self._plan)
            for line in self._plan.left:
                self.log.warning(line)
        return self._plan

    def _timestamps(self, found: Collected) -> dict[str, str]:
        """When each was handed in, where that is known: from the worksheet, or from the mark "late"."""
        stamps = {}
        overdue = _overdue(self.parent.coursedir) if found.late else None
        for student in found.labels:
            if student in found.times:
                try:
                    stamps[student] = _utc(found.times[student], self.timezone)
                except ValueError:
                    found.left.append(
                        f"{student}: the worksheet's time {found.times[student]!r} cannot be read; "
                        "handed in without a time"
                    )
            elif student in found.late and overdue:
                stamps[student] = overdue
            elif student in found.late:
                found.left.append(f"{student}: marked late, and the gradebook has no due date: no time was written")
        return stamps

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        found = self.collected.files.get(Path(submitted_file))
        if found is None:
            return None
        student, name = found
        stamp = self._stamps.get(student)
        return {"student_id": student, "file_id": name} | ({"timestamp": stamp} if stamp else {})


def _utc(text: str, zone: str) -> str:
    """A worksheet's "Thursday, 1 October 2026, 11:58 AM" as nbgrader writes times."""
    told = dateutil.parser.parse(text)
    where = dateutil.tz.gettz(zone) if zone else dateutil.tz.tzlocal()
    if where is None:
        raise CourseError(f"LmsCollector.timezone is {zone!r}, which is no time zone; one looks like Europe/Berlin")
    return _stamp(told.replace(tzinfo=where))


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def released(coursedir: CourseDirectory) -> list[str]:
    """Names of the notebooks of the assignment that is collected."""
    folder = coursedir.format_path(coursedir.release_directory, ".", coursedir.assignment_id)
    names: list[str] = find_all_notebooks(folder)
    return names


def _overdue(coursedir: CourseDirectory) -> str | None:
    """One second after the due date: all that a mark "late" tells for certain.

    None when the gradebook has no due date.
    """
    with Gradebook(coursedir.db_url) as gradebook:
        try:
            assignment: Assignment = gradebook.find_assignment(coursedir.assignment_id)
        except MissingEntry:
            return None
        return _stamp((assignment.duedate + timedelta(seconds=1)).replace(tzinfo=UTC)) if assignment.duedate else None
