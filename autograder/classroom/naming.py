"""Names of students: as a terminal shows them, and those that somebody asked for."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable

from autograder.course import CourseError


def shortened(names: Iterable[str], longest: int) -> dict[str, str]:
    """Return name → name in at most `longest` signs, its middle left out; two names never become the same."""
    short = {name: in_middle(printable(name), longest) for name in names}
    seen = Counter(short.values())
    return {name: text if seen[text] == 1 else printable(name) for name, text in short.items()}


def in_middle(text: str, longest: int) -> str:
    """Return a text with its middle left out, where it is longer than `longest`."""
    if len(text) <= longest:
        return text
    end = (longest - 1) // 2
    return f"{text[: longest - 1 - end]}…{text[len(text) - end :]}"


def printable(text: str) -> str:
    """A text without what a terminal would obey: a student's id may be any name of a folder."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def chosen_students(asked: Iterable[str] | None, every: Iterable[str], what: str) -> list[str] | None:
    """Return the students asked for, or None for all.

    Args:
        asked: ids, or nothing.
        every: the ids that there are.
        what: what there is none of for an id that is not among them, as "submission of u1".

    Raises:
        CourseError: an id is not among them; the message has the nearest one.
    """
    if not asked:
        return None
    known = sorted(set(every))
    for student in asked:
        if student not in known:
            near = difflib.get_close_matches(student.lower(), {one.lower(): one for one in known}, n=1)
            meant = f". Did you mean {next(one for one in known if one.lower() == near[0])!r}?" if near else ""
            raise CourseError(f"there is no {what} by the student {student!r}{meant}")
    return list(dict.fromkeys(asked))
