"""Recognises who handed in what: Moodle's, Canvas's and Blackboard's naming, and the students of a class.

Whose a file is:

- **Canvas** puts its number of the user into the file name: the student with this `lms_user_id`, else with this id.
  Without either, the name in the file name, if exactly one student of the class is called so.
- **Moodle** puts the full name into the folder name, and a number that is another in each assignment and so tells
  nothing. The student is the only one of that name; or, from Moodle's grading worksheet, the one with the e-mail
  address or ID number that belongs to the number.
- **Blackboard** puts the user name before "attempt" and the time: the student with this id, this `lms_user_id`, or this
  name before the @ of the e-mail address. Names of assignments and of users may hold the mark that stands between them,
  so each way to part them is tried, and one alone may fit.

Nothing is guessed: a file that fits nobody, or two students, is left out and told.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from nbgrader.api import Gradebook, Student

from . import group_work
from .worksheets import read_worksheet

_COMPACT = "%Y%m%d%H%M%S"
_MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<number>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<rest>.*))?", re.DOTALL)
_CANVAS = re.compile(r"(?P<name>\w+?)(?P<late>_LATE)?_(?P<number>\d+)_(?P<file>\d+)_(?P<rest>.+)", re.DOTALL)
# What `trees` writes in the place of a student's folder: the id, and the time in UTC where it is known.
_MARKED = re.compile(r"(?P<id>.+)_as_(?P<system>folder|gradescope)(?:_(?P<time>\d{14}))?", re.DOTALL)
# The first "attempt" is the system's own; what follows its time is the learner's name for the file. Without one it is
# the system's note on the submission.
_BLACKBOARD = re.compile(
    r"(?P<who>.+?)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<rest>.+)|(?P<note>\.txt))", re.DOTALL
)


@dataclass(frozen=True)
class Handed:
    """What a name in a download tells.

    Attributes:
        system: "moodle", "canvas", "blackboard", or "gradescope" and "folder" (`trees`).
        name: the person's name as the system writes it; Blackboard's after the assignment's name and "_".
        number: the system's number of the person (Canvas) or of the participation in this assignment (Moodle); else
            what tells one person of the download from another.
        order: grows with the time of uploading, where the system says it; else 0.
        late: the system marked it as late.
        label: the part of the path that carries all this, as feedback must be named.
        file: the file's own name.
        depth: how many folders the learner put it into.
        kind: "file", or what else the system keeps, as "onlinetext".
        time: when it was handed in, as "2026-10-03 14:22:33", with a zone where that is known, where the name says it;
            else "".
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
    time: str = ""

    @property
    def person(self) -> tuple[str, str]:
        return self.system, self.number


def whose(path: PurePosixPath) -> Handed | None:
    """Return what a path in a download tells, or None when it follows no system's naming."""
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
        if match := _BLACKBOARD.fullmatch(part):
            file = below[-1] if below else match["rest"] or part
            digits = match["time"].split("-")
            time = f"{'-'.join(digits[:3])} {':'.join(digits[3:])}"
            kind = "note" if match["note"] else "file"
            who, order = match["who"], int("".join(digits))
            return Handed("blackboard", who, who, order, False, part, file, len(below), kind, time)
        if below and (match := _MARKED.fullmatch(part)):
            order, time = int(match["time"] or 0), ""
            if match["time"]:
                time = datetime.strptime(match["time"], _COMPACT).replace(tzinfo=UTC).isoformat(" ")
            who, depth = match["id"], len(below) - 1
            return Handed(match["system"], who, who, order, False, part, below[-1], depth, time=time)
    return None


def marked(system: str, student: str, time: datetime | None = None) -> str:
    """Return the name of a folder that is known to be a student's.

    Args:
        system: "folder" or "gradescope".
        student: the id.
        time: when it was handed in.
    """
    return f"{student}_as_{system}" + (f"_{time.astimezone(UTC):{_COMPACT}}" if time is not None else "")


def _plain(name: str) -> str:
    """A name without case, accents, spaces and marks: what two systems write alike."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


@dataclass
class Roster:
    """The students of a class as the gradebook has them, and how the system's names lead to them."""

    students: list[Student]
    worksheet: dict[str, dict[str, str]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by: dict[str, dict[str, set[str]]] = {
            kind: defaultdict(set) for kind in ("lms", "id", "email", "user", "name")
        }
        for student in self.students:
            first, last = student.first_name or "", student.last_name or ""
            self._by["id"][student.id].add(student.id)
            self._by["lms"][student.lms_user_id or ""].add(student.id)
            self._by["email"][(student.email or "").casefold()].add(student.id)
            self._by["user"][(student.email or "").partition("@")[0].casefold()].add(student.id)
            # Moodle writes first and last name in the order of its settings, Canvas the last one first.
            for name in (first + last, last + first, student.id):
                self._by["name"][_plain(name)].add(student.id)
        for kind in self._by.values():
            kind.pop("", None)

    @property
    def ids(self) -> set[str]:
        return {student.id for student in self.students}

    def owners(self, folder: str) -> tuple[str, ...]:
        """Return whose a folder of this name is: a student's by the id, a group's, or that of ids joined by "+"."""
        ids, parts = self.ids, folder.split("+")
        if folder in self.groups:
            return self.groups[folder]
        return tuple(dict.fromkeys(parts)) if all(part in ids for part in parts) else ()

    def find(self, handed: Handed, in_teams: bool = False) -> tuple[str | None, str]:
        """Return the id of the student and "", or None and why there is none.

        Args:
            handed: what the name in the download tells.
            in_teams: whether Moodle's names have the name of a group and a dash before them.
        """
        if handed.system == "canvas":
            tries = [("lms", handed.number), ("id", handed.number), ("name", _plain(handed.name))]
            remedy = (
                f"write a CSV file with the columns id,lms_user_id and this student's id and {handed.number}, "
                "and run `nbgrader db student import FILE`"
            )
            who = f"Canvas user {handed.number} ({handed.name})"
        elif handed.system == "blackboard":
            return self._by_user_name(handed.name)
        elif handed.system in ("folder", "gradescope"):
            known = handed.number in self._by["id"]
            return (handed.number, "") if known else (None, f"{handed.number} is no student of this class")
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
                *(
                    ("name", _plain(name.split("-", place)[place]))
                    for place in range(1, name.count("-") + 1)
                    if in_teams
                ),
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

    def by_any(self, number: str, email: str, name: str) -> tuple[str | None, str]:
        """Return the student with a number, an e-mail address or, where these say nothing, a name; else why none."""
        tries = (("id", number), ("lms", number), ("email", email.casefold()), ("id", email), ("name", _plain(name)))
        who = " ".join(filter(None, (name, number, email))) or "somebody without a name"
        for kind, key in tries:
            found = self._by[kind].get(key, set()) if key else set()
            if len(found) == 1:
                return next(iter(found)), ""
            if found:
                return None, f"{who} fits {len(found)} students ({', '.join(sorted(found))})"
        return None, f"{who} is no student of this class"

    def _by_user_name(self, text: str) -> tuple[str | None, str]:
        """The student whose user name ends a text, after the name of an assignment."""
        parts = text.split("_")
        ends = ["_".join(parts[start:]) for start in range(1, len(parts))]
        found = {
            student
            for end in ends
            for kind, key in (("id", end), ("lms", end), ("user", end.casefold()))
            for student in self._by[kind].get(key, set())
        }
        remedy = "a student's id, lms_user_id, or e-mail address before the @ has to be the user name"
        if len(found) > 1:
            return None, f"Blackboard's {text} fits {len(found)} students ({', '.join(sorted(found))}); {remedy}"
        return (
            (next(iter(found)), "") if found else (None, f"Blackboard's {text} is no student of this class; {remedy}")
        )

    def time(self, handed: Handed) -> str:
        """Return when it was handed in, as the name or else the worksheet says, or ""."""
        written = self.worksheet.get(handed.number, {}).get("time", "") if handed.system == "moodle" else ""
        return handed.time or written


def read_roster(db_url: str, worksheet: str = "", groups: str = "") -> Roster:
    """Return the students of a gradebook, with Moodle's grading worksheet and a table of groups if these are named."""
    with Gradebook(db_url) as gradebook:
        students = list(gradebook.students)
        gradebook.db.expunge_all()
    roster = Roster(students, read_worksheet(Path(worksheet)) if worksheet else {})
    if groups:
        roster.groups = group_work.read(Path(groups), roster.ids)
    return roster
