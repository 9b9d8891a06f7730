"""Takes a learning management system's download of submissions into a class: Moodle's and Canvas's naming, archives opened safely.

Two plugins for `nbgrader zip_collect`, which the class's configuration names, and around them `autograder collect`:

1. `SafeExtractor` opens the downloaded archives and the zips that learners packed. It writes only notebooks and trained
   weights, never follows a name out of its folder, makes no links, and stops at a limit of size.
2. `LmsCollector` says of each extracted file whose it is and what it is to be called.

Whose a file is:

- **Canvas** puts its number of the user into the file name: the student with this `lms_user_id`, else with this id. Without
  either, the name in the file name, if exactly one student of the class is called so.
- **Moodle** puts the full name into the folder name, and a number that is another in each assignment and so tells nothing.
  The student is the only one of that name; or, from Moodle's grading worksheet, the one with the e-mail address or ID
  number that belongs to the number.

Nothing is guessed: a file that fits nobody, or two students, is left out and told.
"""

from __future__ import annotations

import copy
import csv
import io
import logging
import os
import re
import shutil
import stat
import unicodedata
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import dateutil.parser
import dateutil.tz
from nbgrader.api import Assignment, Gradebook, MissingEntry, Student
from nbgrader.apps.zipcollectapp import ZipCollectApp
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from nbgrader.utils import find_all_notebooks, rmtree
from sqlalchemy.exc import SQLAlchemyError
from traitlets import Integer, Unicode

from autograder.classroom.classroom import Classroom, told_by_database
from autograder.course import CourseError
from autograder.sandbox.limits import MB
from helpers.data import WEIGHTS

WANTED = (".ipynb", ".safetensors")
REFUSED = "refused.txt"
MOST_DIRECTORY = 256 * 1024
_MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<number>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<rest>.*))?", re.DOTALL)
_CANVAS = re.compile(r"(?P<name>\w+?)(?P<late>_LATE)?_(?P<number>\d+)_(?P<file>\d+)_(?P<rest>.+)", re.DOTALL)
# What browsers and Canvas append to the name of a second copy: " (1)" and "-1".
_COPY = re.compile(r"(?: ?\(\d+\)|-\d+|-Copy\d+)+$")


# --- opening archives ------------------------------------------------------------------------------------


class Refused(Exception):
    """An archive that is not opened; the message says why."""


class SafeExtractor(ExtractorPlugin):
    """Opens archives for `nbgrader zip_collect` without trusting them."""

    file_bytes = Integer(64 * MB, help="Largest size of one file in an archive, unpacked.").tag(config=True)
    learner_bytes = Integer(128 * MB, help="Largest size of all files in one learner's zip, unpacked.").tag(config=True)
    download_bytes = Integer(8192 * MB, help="Largest size of all files of a download, unpacked.").tag(config=True)
    most_files = Integer(200, help="Files in one learner's zip.").tag(config=True)

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Write the notebooks and weights of everything in a folder to another folder; what is refused is listed in it."""
        refused: list[tuple[str, str]] = []
        self._left = self.download_bytes
        source, target = Path(archive_path), Path(extracted_path)
        for here, folders, names in os.walk(source):
            folders[:] = sorted(name for name in folders if not _hidden(name))
            for name in sorted(names):
                path = Path(here) / name
                relative = PurePosixPath(path.relative_to(source).as_posix())
                if _hidden(name) or not stat.S_ISREG(path.lstat().st_mode):
                    continue
                try:
                    with open(path, "rb") as file:
                        if name.lower().endswith(".zip"):
                            self._open_found(file, relative, target, refused)
                        else:
                            self._keep(file, relative, target)
                except (Refused, OSError) as reason:
                    self._refuse(refused, str(relative), str(reason))
        if refused:
            text = io.StringIO()
            csv.writer(text).writerows(refused)
            (target / REFUSED).write_text(text.getvalue(), encoding="utf-8", newline="")

    def _open_found(
        self, file: io.IOBase, relative: PurePosixPath, target: Path, refused: list[tuple[str, str]]
    ) -> None:
        """Open a zip that lies in the folder: a download as it came, or a learner's, from a download that was unpacked by hand."""
        if whose(relative) is not None:
            _small_directory(file)
        with _zip(file) as archive:
            if whose(relative) is not None and not any(whose(PurePosixPath(name)) for name in archive.namelist()):
                self._open_learners(archive, relative, target)
            else:
                self._open_download(archive, relative.parent, target, refused)

    def _refuse(self, refused: list[tuple[str, str]], name: str, reason: str) -> None:
        self.log.warning("%s: %s", name, reason)
        refused.append((name, reason))

    def _open_download(
        self, archive: zipfile.ZipFile, folder: PurePosixPath, target: Path, refused: list[tuple[str, str]]
    ) -> None:
        """Write what is wanted of a download, and of the learners' zips in it."""
        for entry in archive.infolist():
            try:
                path = _safe_path(entry)
                if path is None or any(_hidden(part) for part in path.parts):
                    continue
                if path.suffix.lower() == ".zip":
                    inner = io.BytesIO(self._unpacked(archive, entry))
                    _small_directory(inner)
                    with _zip(inner) as learners:
                        self._open_learners(learners, folder / path, target)
                else:
                    self._keep(
                        io.BytesIO(self._unpacked(archive, entry)) if path.suffix.lower() in WANTED else io.BytesIO(),
                        folder / path,
                        target,
                    )
            except (Refused, OSError) as reason:
                self._refuse(refused, entry.filename, str(reason))

    def _open_learners(self, archive: zipfile.ZipFile, path: PurePosixPath, target: Path) -> None:
        """Write what is wanted of one learner's zip: all of it, or nothing."""
        entries = archive.infolist()
        if len(entries) > self.most_files:
            raise Refused(f"holds {len(entries)} files; at most {self.most_files} are opened")
        paths = [_safe_path(entry) for entry in entries]
        if (size := sum(entry.file_size for entry in entries)) > self.learner_bytes:
            raise Refused(f"would unpack to {size / MB:.0f} MB; at most {self.learner_bytes / MB:.0f} are allowed")
        wanted = [
            (inside, self._unpacked(archive, entry))
            for entry, inside in zip(entries, paths)
            if inside is not None
            and inside.suffix.lower() in WANTED
            and not any(_hidden(part) for part in inside.parts)
        ]
        try:
            for inside, data in wanted:
                self._keep(io.BytesIO(data), path.with_suffix("") / inside, target)
        except OSError as error:
            shutil.rmtree(target.joinpath(*path.with_suffix("").parts), ignore_errors=True)
            raise Refused(f"holds names that cannot be written ({error.strerror})") from None
        if not wanted:
            self._keep(io.BytesIO(), path, target)

    def _unpacked(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
        """The bytes of an entry, read no further than the limit, whatever size the archive claims."""
        if entry.flag_bits & 1:
            raise Refused("is locked with a password")
        try:
            with archive.open(entry) as file:
                data = file.read(self.file_bytes + 1)
        except Exception as error:
            # zipfile, zlib, bz2 and lzma have errors of their own.
            raise Refused(f"{entry.filename} cannot be unpacked ({type(error).__name__})") from None
        if len(data) > self.file_bytes:
            raise Refused(f"{entry.filename} unpacks to more than {self.file_bytes / MB:.0f} MB")
        self._left -= len(data)
        if self._left < 0:
            raise Refused(f"the download unpacks to more than {self.download_bytes / MB:.0f} MB in all")
        return data

    def _keep(self, file: io.IOBase, path: PurePosixPath, target: Path) -> None:
        if path.suffix.lower() not in WANTED:
            # Left there as an empty file, so that the collector can say what this student handed in instead of a notebook.
            file = io.BytesIO()
        place = target.joinpath(*path.parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(place, "wb") as kept:
            shutil.copyfileobj(file, kept)


def _zip(file: io.IOBase) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except Exception:
        # A damaged table of contents makes zipfile raise whatever the damage happens to be.
        raise Refused("is not a whole zip file: ask for it, or download it, again") from None


def _small_directory(file: io.IOBase) -> None:
    """Refuse a learner's zip whose table of contents is huge: it would be read whole before a file could be counted."""
    file.seek(0, os.SEEK_END)
    size = file.tell()
    file.seek(max(0, size - 70_000))
    tail = file.read()
    file.seek(0)
    end = tail.rfind(b"PK\5\6")
    if end >= 0 and (
        int.from_bytes(tail[end + 12 : end + 16], "little") > MOST_DIRECTORY
        or tail[max(0, end - 20) : end].startswith(b"PK\6\7")
    ):
        raise Refused("lists far too many files for a submission")


def _hidden(name: str) -> bool:
    return name.startswith((".", "~", "__MACOSX"))


def _safe_path(entry: zipfile.ZipInfo) -> PurePosixPath | None:
    """The path of an entry inside its archive; None for a folder.

    Raises:
        Refused: it leads out of the archive, or is a link or a special file.
    """
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Refused(f"{entry.filename!r} is a link or a special file")
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if (
        path.is_absolute()
        or ".." in path.parts
        or any(":" in part or "\0" in part or len(part.encode()) > 255 for part in path.parts)
    ):
        raise Refused(f"{entry.filename!r} leads out of the archive, or is no name for a file")
    return None if entry.is_dir() or not path.parts else path


# --- whose a file is -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Handed:
    """What a name in a download tells.

    Attributes:
        system: "moodle" or "canvas".
        name: the person's name as the system writes it.
        number: the system's number of the person (Canvas) or of the participation in this assignment (Moodle).
        order: grows with the time of uploading, where the system says it; else 0.
        late: the system marked it as late.
        label: the part of the path that carries all this, as feedback must be named.
        file: the file's own name.
        depth: how many folders the learner put it into.
        kind: "file", or what else Moodle keeps, as "onlinetext".
    """

    system: str
    name: str
    number: str
    order: int
    late: bool
    label: str
    file: str
    depth: int
    kind: str = "file"

    @property
    def person(self) -> tuple[str, str]:
        return self.system, self.number


def whose(path: PurePosixPath) -> Handed | None:
    """Return what a path in a download tells, or None when it follows neither system's naming."""
    for place, part in enumerate(path.parts):
        below = path.parts[place + 1 :]
        if match := _MOODLE.fullmatch(part):
            file = below[-1] if below else match["rest"] or ""
            return Handed("moodle", match["name"], match["number"], 0, False, part, file, len(below), match["kind"])
        if match := _CANVAS.fullmatch(part):
            file = below[-1] if below else match["rest"]
            return Handed(
                "canvas",
                match["name"],
                match["number"],
                int(match["file"]),
                bool(match["late"]),
                part,
                file,
                len(below),
            )
    return None


def _plain(name: str) -> str:
    """A name without case, accents, spaces and marks: what two systems write alike."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


@dataclass
class Roster:
    """The students of a class as the gradebook has them, and how the system's names lead to them."""

    students: list[Student]
    worksheet: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by: dict[str, dict[str, set[str]]] = {kind: defaultdict(set) for kind in ("lms", "id", "email", "name")}
        for student in self.students:
            first, last = student.first_name or "", student.last_name or ""
            self._by["id"][student.id].add(student.id)
            self._by["lms"][student.lms_user_id or ""].add(student.id)
            self._by["email"][(student.email or "").casefold()].add(student.id)
            # Moodle writes first and last name in the order of its settings, Canvas the last one first.
            for name in (first + last, last + first, student.id):
                self._by["name"][_plain(name)].add(student.id)
        for kind in self._by.values():
            kind.pop("", None)

    def find(self, handed: Handed) -> tuple[str | None, str]:
        """Return the id of the student and "", or None and why there is none."""
        if handed.system == "canvas":
            tries = [("lms", handed.number), ("id", handed.number), ("name", _plain(handed.name))]
            remedy = f"write a CSV file with the columns id,lms_user_id and this student's id and {handed.number}, and run `nbgrader db student import FILE`"
            who = f"Canvas user {handed.number} ({handed.name})"
        else:
            row = self.worksheet.get(handed.number, {})
            email, number = row.get("email", ""), row.get("id", "")
            name = row.get("name") or handed.name
            tries = [
                ("email", email.casefold()),
                ("id", email),
                ("id", number),
                ("lms", number),
                ("name", _plain(name)),
            ]
            remedy = "give the student this name in the gradebook, or give Moodle's grading worksheet with --worksheet"
            who = f"Moodle participant {handed.number} ({handed.name})"
        for kind, key in tries:
            found = self._by[kind].get(key, set()) if key else set()
            if len(found) == 1:
                return next(iter(found)), ""
            if found:
                return None, f"{who} fits {len(found)} students ({', '.join(sorted(found))}); {remedy}"
        return None, f"{who} is no student of this class; {remedy}"

    def time(self, handed: Handed) -> str:
        """Return when the worksheet says that it was handed in, as the worksheet writes it, or ""."""
        return self.worksheet.get(handed.number, {}).get("time", "") if handed.system == "moodle" else ""


def read_worksheet(path: Path) -> dict[str, dict[str, str]]:
    """Return participant number → name, e-mail address, ID number and time of submission from a grading worksheet of Moodle.

    The first three are found in any language of the Moodle; ID number and time need its English headings.

    Raises:
        CourseError: the file cannot be read, or is no grading worksheet.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read as a text file in UTF-8: {error}") from error
    first = text.split("\n", 1)[0]
    rows = list(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count)))
    found = {}
    for row in rows[1:]:
        # The headings are in the language of the Moodle; the first column is "Participant 123" in any of them.
        number = re.fullmatch(r"\D+(\d+)", row[0].strip()) if row else None
        if number:
            header = dict(zip((title.strip().casefold() for title in rows[0]), row))
            email = next((cell for cell in row[1:] if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", cell.strip())), "")
            found[number[1]] = {
                "name": row[1].strip() if len(row) > 1 else "",
                "email": email.strip(),
                "id": header.get("id number", "").strip(),
                "time": header.get("last modified (submission)", "").strip(),
            }
    if not found:
        raise CourseError(f"{path} is no grading worksheet of Moodle: its first column has no participant numbers")
    return found


# --- the plan --------------------------------------------------------------------------------------------


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
                f"{student}: {len(found)} people of the download fit this student ({', '.join(files[0][0].label for files in found)}); none was taken"
            )
            continue
        _choose(student, found[0], released, result)
        if time := roster.time(found[0][0][0]):
            result.times[student] = time
    result.left += _refused(extracted)
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


def _refused(extracted: Path) -> list[str]:
    try:
        with open(extracted / REFUSED, encoding="utf-8", newline="") as file:
            return [f"{name}: {reason}" for name, reason in csv.reader(file)]
    except FileNotFoundError:
        return []


# --- nbgrader's side -------------------------------------------------------------------------------------


def read_roster(db_url: str, worksheet: str = "") -> Roster:
    """Return the students of a gradebook, with Moodle's grading worksheet if one is named."""
    with Gradebook(db_url) as gradebook:
        students = list(gradebook.students)
        gradebook.db.expunge_all()
    return Roster(students, read_worksheet(Path(worksheet)) if worksheet else {})


class LmsCollector(FileNameCollectorPlugin):
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
                        f"{student}: the worksheet's time {found.times[student]!r} cannot be read; handed in without a time"
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


def released(coursedir) -> list[str]:
    """Names of the notebooks of the assignment that is collected."""
    return find_all_notebooks(coursedir.format_path(coursedir.release_directory, ".", coursedir.assignment_id))


def _overdue(coursedir) -> str | None:
    """One second after the due date: all that a mark "late" tells for certain. None when the gradebook has no due date."""
    with Gradebook(coursedir.db_url) as gradebook:
        try:
            assignment: Assignment = gradebook.find_assignment(coursedir.assignment_id)
        except MissingEntry:
            return None
        return _stamp((assignment.duedate + timedelta(seconds=1)).replace(tzinfo=UTC)) if assignment.duedate else None


@dataclass(frozen=True)
class Report:
    """What `collect` did: students with a submission, those marked late, and a line for what was left out."""

    students: tuple[str, ...]
    late: tuple[str, ...]
    left: tuple[str, ...]


def collect(classroom: Classroom, unit: str, download: Path, worksheet: Path | None = None) -> Report:
    """Run `nbgrader zip_collect` on a download: what it holds becomes the submissions of its students.

    Submissions that a student of the download already has are replaced; those of other students stay.

    Args:
        classroom: the class.
        unit: the unit that was handed in.
        download: the zip from Moodle or Canvas, or a folder in which it was unpacked.
        worksheet: Moodle's grading worksheet, or None.

    Raises:
        CourseError: the download cannot be read, or holds nothing of this class.
    """
    config = copy.deepcopy(classroom.config)
    config.CourseDirectory.assignment_id = unit
    config.ZipCollectApp.extractor_plugin = SafeExtractor
    config.ZipCollectApp.collector_plugin = LmsCollector
    config.ZipCollectApp.force = True
    if worksheet is not None:
        config.LmsCollector.worksheet = str(worksheet)
    log = logging.getLogger("attention-collect")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    app = ZipCollectApp(config=config, log=log)
    app.coursedir = classroom.directory(log, unit)
    if not released(app.coursedir):
        raise CourseError(f"{unit} is not released in this class: run `autograder init {classroom.root}`")
    if not download.is_dir() and not zipfile.is_zipfile(download):
        raise CourseError(f"{download} is no folder and no whole zip file: download the submissions again")
    archive = Path(app._format_collect_path(app.archive_directory))
    _bring(download.absolute(), archive)
    try:
        app.init_plugins()
        app.extract_archive_files()
        found = app.collector_plugin_inst.collected
        app.process_extracted_files()
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error
    students = {student for student, _ in found.files.values()}
    if not students and not found.left:
        raise CourseError(f"{download} holds no submissions as Moodle or Canvas names them")
    return Report(tuple(sorted(students)), tuple(sorted(found.late)), tuple(found.left))


def _bring(download: Path, archive: Path) -> None:
    """Make a copy of the download the only thing in nbgrader's archive folder."""
    if archive in (download, *download.parents):
        return
    if archive.exists():
        rmtree(str(archive))
    if download.is_dir():
        shutil.copytree(download, archive, symlinks=True)
    else:
        archive.mkdir(parents=True)
        shutil.copyfile(download, archive / download.name)
