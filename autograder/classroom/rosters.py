"""Reads a roster as spreadsheets and systems write it, and puts its students into the gradebook.

The encoding is UTF-8, UTF-16 or Windows's own; columns are parted by comma, semicolon or tab; their titles are known in
several languages, in capitals or not. What cannot be read is named with its line and column, and then nothing is
taken in.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from sqlalchemy.exc import SQLAlchemyError

from autograder.course import CourseError

from .classroom import MAX_ID, Classroom, told_by_database

_TITLES = {
    "id": "id student_id studentid username user login benutzername anmeldename kennung matrikelnummer matrikel "
    "nutzername nomdutilisateur identifiant usuario nombredeusuario nomeutente gebruikersnaam",
    "first_name": "first_name firstname givenname vorname prénom nombre nome voornaam förnamn fornavn etunimi imię "
    "jméno",
    "last_name": "last_name lastname surname familyname nachname familienname name nom nomdefamille apellido apellidos "
    "cognome achternaam efternamn etternavn sukunimi nazwisko příjmení",
    "email": "email emailaddress mail emailadresse emailadres adressedecourriel courriel correo correoelectrónico "
    "direccióndecorreo indirizzoemail epost",
    "lms_user_id": "lms_user_id lmsuserid canvasid canvasuserid",
}
# Of no use to the gradebook: a table of groups has it (`collect --groups`).
GROUP = {
    "group": "group groupname team gruppe gruppenname groupe équipe grupo equipo gruppo groep grupp ryhmä grupa",
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# What a spreadsheet makes of a long number.
_ROUNDED = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """A student as a roster has them: the line of the file, and field → text for the fields that are filled in."""

    line: int
    fields: dict[str, str]


@dataclass(frozen=True)
class Taken:
    """What `take_in` did: students that are new, that were changed, that were the same, and columns not understood."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    same: tuple[str, ...]
    ignored: tuple[str, ...]


def check_id(name: str) -> str:
    """Return why a text cannot be a student's id, which is also a folder's name, or ""."""
    if len(name) > MAX_ID:
        return f"an id has at most {MAX_ID} characters, and this one {len(name)}"
    if not name or name.startswith(".") or name != name.strip():
        return "an id has at least one character, and no dot or space at its ends"
    if bad := sorted({letter for letter in name if letter in '/\\:*?"<>|' or not letter.isprintable()}):
        return f"an id cannot hold {' '.join(map(ascii, bad))}: it is a folder's name"
    return ""


def read(path: Path, further: Mapping[str, str] = MappingProxyType({})) -> tuple[list[Row], tuple[str, ...]]:
    """Return the students of a roster and the titles of the columns that were not understood.

    Args:
        path: the file.
        further: fields besides those of a roster, with the titles that their columns may have.

    Raises:
        CourseError: the file is no roster; the message names lines and columns.
    """
    try:
        text = _decoded(path, path.read_bytes())
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    skipped = 0
    # Excel's own line that says what parts the columns.
    if lines and re.fullmatch(r"sep=.", lines[0].strip()):
        lines, skipped = lines[1:], 1
    while lines and not lines[0].strip(" ,;\t"):
        lines, skipped = lines[1:], skipped + 1
    if not lines:
        raise CourseError(f"{path} is empty: it needs a line of titles and a line for each student")
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=max(",;\t", key=lines[0].count))
    titles = [title.strip() for title in next(reader)]
    known = {**_TITLES, **further}
    fields = [_field(title, known) for title in titles]
    for field in known:
        places = [place for place, one in enumerate(fields) if one == field]
        if len(places) > 1:
            raise CourseError(
                f"{path}: the columns {' and '.join(titles[place] for place in places)} both say {field}: keep one"
            )
    if "id" not in fields:
        raise CourseError(
            f"{path}, line {skipped + 1}: no column is called id (found: {', '.join(filter(None, titles))}); "
            "it says how the student's folder is called"
        )
    rows, problems, seen = [], [], dict[str, int]()
    for cells in reader:
        line = skipped + reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(fields) :]):
            problems.append(f"line {line}: {len(cells)} columns, and {len(fields)} titles")
            continue
        told = {name: cell.strip() for name, cell in zip(fields, cells) if name and cell.strip()}
        title = {name: titles[place] for place, name in enumerate(fields) if name}
        own = unicodedata.normalize("NFC", told.get("id", ""))
        if problem := check_id(own):
            problems.append(f"line {line}, column {title['id']}: {own[:60]!r}: {problem}")
        elif own in seen:
            problems.append(f"line {line}, column {title['id']}: {own} stands in line {seen[own]} already")
        for name, cell in told.items():
            if name in ("id", "lms_user_id") and _ROUNDED.fullmatch(cell):
                problems.append(
                    f"line {line}, column {title[name]}: {cell} was rounded by the spreadsheet: format it as text"
                )
            if name == "email" and not _EMAIL.fullmatch(cell):
                problems.append(f"line {line}, column {title[name]}: {cell!r} is no e-mail address")
        seen.setdefault(own, line)
        rows.append(Row(line, told | {"id": own}))
    if problems:
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise CourseError(f"{path}: nobody was taken in: {'; '.join(problems[:5])}{more}")
    if not rows:
        raise CourseError(f"{path} has titles, and no student below them")
    return rows, tuple(title for title, field in zip(titles, fields) if title and not field)


def _decoded(path: Path, data: bytes) -> str:
    if data.startswith(b"PK\3\4") or data.startswith(b"\xd0\xcf\x11\xe0"):
        raise CourseError(f"{path} is a spreadsheet: save it as CSV UTF-8, and give that file")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\0" in data[:200]:
        encodings = ["utf-16-be" if data[:1] == b"\0" else "utf-16-le"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise CourseError(f"{path} is no text that can be read: save it as CSV UTF-8")


def _plain(title: str) -> str:
    letters = unicodedata.normalize("NFKD", title.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def _field(title: str, known: Mapping[str, str]) -> str:
    """The field that a title means, or ""."""
    return next((field for field, words in known.items() if _plain(title) in map(_plain, words.split())), "")


def take_in(classroom: Classroom, path: Path) -> Taken:
    """Put the students of a roster into the gradebook; who is there gets what the roster has filled in.

    Raises:
        CourseError: the roster cannot be read whole, or the gradebook not be written; nobody is taken in.
    """
    rows, ignored = read(path)
    added, changed, same = [], [], []
    try:
        with classroom.gradebook() as gradebook:
            known = {student.id: student for student in gradebook.students}
            for row in rows:
                told = dict(row.fields)
                name = told.pop("id")
                student = known.get(name)
                if student is None:
                    added.append(name)
                elif any(getattr(student, field) != value for field, value in told.items()):
                    changed.append(name)
                else:
                    same.append(name)
                    continue
                gradebook.update_or_create_student(name, **told)
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error
    return Taken(tuple(added), tuple(changed), tuple(same), ignored)
