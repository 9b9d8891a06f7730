"""Reads Moodle's grading worksheet in whatever language the Moodle speaks: columns are known by what stands in them.

The first column is "Participant 123" in any language, and an e-mail address is one anywhere. The first column of times
is the time of handing in: Moodle writes the time of grading after it. Months have the names that Babel knows; where two
languages would read another time out of the same words, none is guessed.
"""

from __future__ import annotations

import csv
import datetime
import functools
import io
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import babel

from autograder.course import CourseError

LANGUAGES = (
    "en de fr es it pt nl sv da nb nn fi is et lv lt pl cs sk sl hr sr sr_Latn bs mk bg ru uk be ro hu el tr az ca gl "
    "eu ga cy sq hy ka id ms vi sw af eo"
).split()
_CJK = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]")
_HALF = ("午後", "下午", "오후")
_CLOCK = re.compile(r"(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?(?!\d)")
_NUMBERS = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})([./-])\s*(\d{1,2})\5\s*(\d{4})")
_NOTHING = ("", "-", "–", "—")
_LINKS = frozenset("de del den d dne at à às kl klo o a u în в о ja la na".split())


@functools.cache
def _words(language: str) -> tuple[dict[str, int], frozenset[str], dict[str, str]]:
    """Months by name, days of the week, and halves of the day of a language, in small letters."""
    locale = babel.Locale.parse(language)
    months, days, halves = {}, set(), {}
    for form in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, name in locale.months[form][width].items():
                months.update(dict.fromkeys(_split(name), number))
            for name in locale.days[form][width].values():
                days.update(_split(name))
        for width in ("wide", "abbreviated"):
            for half, name in locale.day_periods.get(form, {}).get(width, {}).items():
                if half in ("am", "pm"):
                    halves.update(dict.fromkeys(_split(name), half))
    return months, frozenset(days), {"am": "am", "pm": "pm"} | halves


def _split(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", text).casefold())


def read_time(text: str, language: str, day_first: bool = True) -> datetime.datetime | None:
    """Return the time that a text says in a language, without a zone, or None when it says none in that language."""
    text = unicodedata.normalize("NFKC", text).strip()
    clocks = list(_CLOCK.finditer(text.replace("h ", ":00 ") if text.endswith("h") else text))
    if not clocks:
        return None
    # A date with points looks like a clock: the clock is what stands last.
    clock = clocks[-1]
    rest = f"{text[: clock.start()]} {text[clock.end() :]}"
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    date: tuple[int, int, int] | None = None
    months, days, halves = _words(language)
    if found := _CJK.search(rest):
        date = int(found[1]), int(found[2]), int(found[3])
        if any(word in rest for word in _HALF) and hour < 12:
            hour += 12
        words: list[str] = []
    elif found := _NUMBERS.search(rest):
        if found[1]:
            date = int(found[1]), int(found[2]), int(found[3])
        else:
            first, then = int(found[4]), int(found[6])
            day, month = (first, then) if day_first or found[5] == "." else (then, first)
            date = int(found[7]), month, day
        words = _split(rest)
    else:
        words = _split(rest)
        named = [word for word in words if word in months]
        years, small = re.findall(r"(?<!\d)\d{4}(?!\d)", rest), re.findall(r"(?<!\d)\d{1,2}(?!\d)", rest)
        if len(named) != 1 or len(years) != 1 or len(small) != 1:
            return None
        date = int(years[0]), months[named[0]], int(small[0])
        words.remove(named[0])
    half = [halves[word] for word in words if word in halves and word not in _LINKS]
    if "pm" in half and hour < 12:
        hour += 12
    elif "am" in half and hour == 12:
        hour = 0
    if any(word not in days and word not in halves and word not in _LINKS for word in words):
        return None
    try:
        return datetime.datetime(*date, hour, minute, second)
    except ValueError:
        return None


def read_times(cells: Sequence[str]) -> list[datetime.datetime | None] | None:
    """Return the times of a column, None for an empty cell; or None when it is no column of times.

    Raises:
        CourseError: the words mean one time in one language and another in another.
    """
    said = [cell.strip() for cell in cells]
    if not any(cell not in _NOTHING for cell in said) or not all(
        cell in _NOTHING or re.search(r"\d{4}", cell) for cell in said
    ):
        return None
    readings: dict[tuple[datetime.datetime | None, ...], str] = {}
    for language in LANGUAGES:
        for day_first in (True, False):
            read = tuple(None if cell in _NOTHING else read_time(cell, language, day_first) for cell in said)
            if all((time is None) == (cell in _NOTHING) for time, cell in zip(read, said)):
                readings.setdefault(read, language)
    if len(readings) > 1:
        example = next(cell for cell in said if cell not in _NOTHING)
        raise CourseError(
            f"the worksheet's times can be read in more than one way ({example!r}): download it with the Moodle set to "
            "English, or write the times as 2026-10-01 11:58"
        )
    return list(next(iter(readings))) if readings else None


def read_worksheet(path: Path) -> dict[str, dict[str, str]]:
    """Return participant number → name, e-mail address, ID number and time of submission from a grading worksheet.

    The ID number is that of a column with its English heading; times are as "2026-10-01 11:58:00", "" for none.

    Raises:
        CourseError: the file cannot be read, or is no grading worksheet.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read as a text file in UTF-8: {error}") from error
    first = text.split("\n", 1)[0]
    rows = list(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count)))
    people = [(match[1], row) for row in rows[1:] if row and (match := re.fullmatch(r"\D+(\d+)", row[0].strip()))]
    if not people:
        raise CourseError(f"{path} is no grading worksheet of Moodle: its first column has no participant numbers")
    times = _handed_in([row for _, row in people])
    titles = [title.strip().casefold() for title in rows[0]]
    found = {}
    for (number, row), time in zip(people, times):
        email = next((cell for cell in row[1:] if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", cell.strip())), "")
        found[number] = {
            "name": row[1].strip() if len(row) > 1 else "",
            "email": email.strip(),
            "id": dict(zip(titles, row)).get("id number", "").strip(),
            "time": f"{time:%Y-%m-%d %H:%M:%S}" if time is not None else "",
        }
    return found


def _handed_in(rows: list[list[str]]) -> list[datetime.datetime | None]:
    """When each handed in: the first column of times."""
    for place in range(2, max(map(len, rows))):
        times = read_times([row[place] if place < len(row) else "" for row in rows])
        if times is not None:
            return times
    return [None] * len(rows)
