"""Places what was recognised: which file becomes which student's submission, and when it was handed in."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import dateutil.tz
from nbgrader.api import Assignment, Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import FileNameCollectorPlugin
from nbgrader.utils import find_all_notebooks
from traitlets import Bool, Unicode

from autograder.course import CourseError
from autograder.marking.choice import Candidate, choose
from helpers.data import WEIGHTS
from helpers.folder.packing import BESIDE
from helpers.judging import catalog

from . import group_work
from .archives import LEFT_OUT, REFUSED, read_refused
from .recognition import Handed, Roster, read_roster, whose

# What browsers and Canvas append to the name of a second copy: " (1)" and "-1".
_COPY = re.compile(r"(?: ?\(\d+\)|-\d+|-Copy\d+)+$")
# The collector's own: a learner's file of the name would say when it was handed in, or is pack's list of contents.
_RESERVED = ("timestamp.txt", "contents.txt", "submission_secret.txt")


@dataclass
class Collected:
    """What of a download goes to whom.

    Attributes:
        files: extracted file → (student, name that it gets).
        labels: student → the part of the path by which the system knows the submission.
        late: students whose submission the system marks as late.
        times: student → when it was handed in, where the worksheet says so.
        left: a line for each file or person that was left out, with the reason.
        notes: a line for each choice that was made, and for what lies beside a notebook and is not taken.
        others: units of notebooks that belong to another unit.
    """

    files: dict[Path, tuple[str, str]] = field(default_factory=dict)
    labels: dict[str, Handed] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    times: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def students(self) -> tuple[str, ...]:
        """Who gets a submission, sorted."""
        return tuple(sorted({student for student, _ in self.files.values()}))

    def drop(self, student: str, reason: str) -> None:
        """Leave a student's files out after all."""
        self.files = {path: told for path, told in self.files.items() if told[0] != student}
        self.late.discard(student)
        self.left.append(f"{student}: {reason}")


def plan(extracted: Path, roster: Roster, released: list[str], any_unit: bool = False) -> Collected:
    """Return what goes to whom of an extracted download.

    Args:
        extracted: the folder that `SafeExtractor` wrote.
        roster: the class.
        released: names of the notebooks that were handed out.
        any_unit: take notebooks of another unit for those of this one, as the instructor insists.
    """
    result = Collected()
    unit = released[0].removesuffix(".ipynb") if len(released) == 1 else ""
    people: dict[tuple[str, str], list[tuple[Handed, Path]]] = defaultdict(list)
    for path in sorted(path for path in extracted.rglob("*") if path.is_file() and path.name != REFUSED):
        handed = whose(PurePosixPath(path.relative_to(extracted).as_posix()))
        if handed is None:
            result.left.append(
                f"{path.relative_to(extracted)}: follows no naming of Moodle, Canvas or Blackboard, and is in no "
                "student's folder"
            )
        elif handed.kind == "file":
            people[handed.person].append((handed, path))
    claims: dict[str, list[list[tuple[Handed, Path]]]] = defaultdict(list)
    # Moodle puts the group's name and a dash before the student's, for everybody or for nobody.
    in_teams = all("-" in files[0][0].name for (system, _), files in people.items() if system == "moodle")
    for _, files in sorted(people.items()):
        student, reason = roster.find(files[0][0], in_teams)
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
        if unit in catalog.units():
            _choose(student, found[0], unit, any_unit, result)
        else:
            _choose_by_name(student, found[0], released, result)
        if time := roster.time(result.labels.get(student, found[0][0][0])):
            result.times[student] = time
    result.left += read_refused(extracted)
    return result


def _choose(student: str, files: list[tuple[Handed, Path]], unit: str, any_unit: bool, result: Collected) -> None:
    """Take the notebook of the unit, whatever it is called, and what lies beside it."""
    # The label is that of the newest file: feedback for an older attempt would be refused.
    result.labels[student] = max((handed for handed, _ in files), key=lambda handed: handed.order)
    notebooks = [one for one in files if _suffix(one[0].file) == ".ipynb"]
    choice = choose(
        unit,
        [Candidate(handed.file, path.read_bytes(), handed.order, handed.depth) for handed, path in notebooks],
        any_unit,
    )
    result.others += choice.others
    if choice.index is None:
        names = ", ".join(sorted({handed.file for handed, _ in files}))
        if choice.others:
            result.left.append(f"{student}: handed in {' and '.join(sorted(set(choice.others)))}, not {unit} ({names})")
        elif notebooks:
            # Under its own name, for grading to say what is wrong with it.
            for handed, path in notebooks:
                result.files[path] = student, _lower(handed.file)
            result.notes.append(f"{student}: no notebook can be recognised as {unit} ({names})")
        else:
            result.left.append(f"{student}: handed in no notebook ({names})")
        return
    chosen, place = notebooks[choice.index]
    if choice.why:
        result.notes.append(f"{student}: {choice.why}")
    result.files[place] = student, f"{unit}.ipynb"
    result.labels[student] = chosen
    if chosen.late:
        result.late.add(student)
    left = []
    for name, path in sorted(_beside(place, files).items()):
        if Path(name).suffix.lower() in BESIDE or name == WEIGHTS:
            result.files[path] = student, name
        elif name not in _RESERVED:
            left.append(name.removesuffix(LEFT_OUT))
    if left:
        result.notes.append(f"{student}: left out, beside the notebook: {', '.join(left)}")


def _beside(notebook: Path, files: list[tuple[Handed, Path]]) -> dict[str, Path]:
    """The files that are no notebooks, by the name that they get: as they lie below the notebook's folder, else their
    own; of one name the newest.
    """
    found: dict[str, tuple[tuple[int, int], Path]] = {}
    for handed, path in files:
        if _suffix(handed.file) == ".ipynb":
            continue
        stem, ext = os.path.splitext(handed.file)
        inside = handed.depth and path.is_relative_to(notebook.parent)
        name = path.relative_to(notebook.parent).as_posix() if inside else f"{_COPY.sub('', stem)}{ext}"
        rank = handed.order, -handed.depth
        if Path(name).name not in _RESERVED and (name not in found or rank > found[name][0]):
            found[name] = rank, path
    return {name: path for name, (_, path) in found.items()}


def _suffix(file: str) -> str:
    return os.path.splitext(file)[1].lower()


def _lower(file: str) -> str:
    stem, ext = os.path.splitext(file)
    return stem + ext.lower()


def _choose_by_name(student: str, files: list[tuple[Handed, Path]], released: list[str], result: Collected) -> None:
    """In an assignment that is none of the course's units: of each name, take the newest file; of equally new ones the
    one that lies least deep.
    """
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
    # Beside it may lie data and modules, under names of which we cannot tell that they are copies'.
    taken = ext.lower() in BESIDE and file not in _RESERVED
    return file if taken else stem + ext.lower() if ext.lower() == ".ipynb" else None


class LmsCollector(FileNameCollectorPlugin):  # type: ignore[misc]  # nbgrader has no types
    """Tells `nbgrader zip_collect` whose each extracted file is."""

    worksheet = Unicode(
        "", help="Moodle's grading worksheet (a CSV file), to know participants by e-mail address or ID number."
    ).tag(config=True)

    timezone = Unicode(
        "", help="Time zone of the worksheet's times, as Europe/Berlin; that of this machine if empty."
    ).tag(config=True)

    groups = Unicode(
        "",
        help="A CSV file with the columns group and id: what one of a group hands in counts for each of its members.",
    ).tag(config=True)

    any_unit = Bool(False, help="Take notebooks of another unit for those of this one.").tag(config=True)

    _plan: Collected | None = None

    @property
    def collected(self) -> Collected:
        """The plan for the whole download, made when first asked for."""
        if self._plan is None:
            app = self.parent
            extracted = Path(app._format_collect_path(app.extracted_directory))
            roster = read_roster(app.coursedir.db_url, self.worksheet, self.groups)
            self._plan = plan(extracted, roster, released(app.coursedir), self.any_unit)
            group_work.share(self._plan, roster.groups, extracted)
            self.stamps = self._timestamps(self._plan)
            for line in (*self._plan.left, *self._plan.notes):
                self.log.warning(line)
        return self._plan

    def _timestamps(self, found: Collected) -> dict[str, str]:
        """When each was handed in, where that is known: from the worksheet, or from the mark "late"."""
        stamps = {}
        overdue = _overdue(self.parent.coursedir) if found.late else None
        moodle = [student for student in found.students if found.labels[student].system == "moodle"]
        if self.worksheet and moodle and not any(student in found.times for student in moodle):
            raise CourseError(
                f"no times found in {self.worksheet}: late submissions would count as on time. "
                "Is it the worksheet of this assignment? Nothing was changed; without --worksheet it is collected "
                "without times"
            )
        for student in found.labels:
            if student in found.times:
                stamps[student] = _utc(found.times[student], self.timezone)
            elif self.worksheet and student in moodle:
                found.left.append(f"{student}: the worksheet has no time; collected, and counted as on time")
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
        stamp = self.stamps.get(student)
        return {"student_id": student, "file_id": name} | ({"timestamp": stamp} if stamp else {})


def _utc(text: str, zone: str) -> str:
    """A worksheet's time as nbgrader writes times."""
    where = dateutil.tz.gettz(zone) if zone else dateutil.tz.tzlocal()
    if where is None:
        raise CourseError(f"LmsCollector.timezone is {zone!r}, which is no time zone; one looks like Europe/Berlin")
    time = datetime.fromisoformat(text)
    return _stamp(time if time.tzinfo else time.replace(tzinfo=where))


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
