"""One learner's answer as an example for the class, without what could tell whose it is."""

from __future__ import annotations

import ast
import builtins
import hashlib
import keyword
import re
from collections.abc import Iterable
from typing import Any

from autograder.classroom.answers import Answers, parse

from .graded_class import Person
from .statistics import MistakeLine

MOST_LINES, MOST_WIDTH, LOOKED_AT = 14, 110, 5
# A name of fewer letters is no name to look for: it would be in every word.
SHORTEST = 3
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_EINSUM = re.compile(r"[a-zA-Z. ]+(,[a-zA-Z. ]+)*->[a-zA-Z. ]*")
_CUT = "… (cut)"


class Anonymous:
    """Strips an answer of comments, texts, and names of students.

    Args:
        people: the class.
        answers: gives the course's own text, whose words and strings may stay.
    """

    def __init__(self, people: Iterable[Person], answers: Answers) -> None:
        self._answers = answers
        words = {
            word.casefold()
            for one in people
            for text in (one.id, one.first, one.last, one.email.split("@")[0])
            for word in [text, *_WORDS.findall(text)]
        }
        self._words = {word for word in words if len(word) >= SHORTEST}
        self._long = [word for word in self._words if len(word) >= 5]
        self._told: dict[str, bool] = {}
        self._course: dict[str, tuple[frozenset[str], str]] = {}

    def example(self, line: MistakeLine) -> str:
        """Return the shortest answer with this mistake among a few, or "" where none can be shown.

        Who is looked at follows from a digest, not from the alphabet.
        """
        students = sorted(line.students, key=lambda one: hashlib.sha256(one.id.encode()).digest())[:LOOKED_AT]
        codes = [self.strip(self._answers.of(line.unit, one.id).get(line.exercise, ""), line.unit) for one in students]
        return min(filter(None, codes), key=len, default="")

    def strip(self, code: str, unit: str) -> str:
        """Return an answer without comments, docstrings and texts of its own; identifiers that hold a student's name
        are replaced.

        What is no valid Python cannot be stripped safely: "".
        """
        tree = parse(code)
        if tree is None:
            return ""
        words, text = self._of_course(unit)
        renamed: dict[str, str] = {}
        try:
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant):
                    node.value = self._constant(node.value, text)
                if isinstance(node, (ast.Global, ast.Nonlocal)):
                    node.names = [self._replaced(name, words, renamed) for name in node.names]
                for field in ("id", "arg", "name", "asname", "attr"):
                    name = getattr(node, field, None)
                    if isinstance(name, str):
                        setattr(node, field, self._replaced(name, words, renamed))
            return _cut(ast.unparse(tree))
        except (RecursionError, ValueError):
            return ""

    def _replaced(self, name: str, words: frozenset[str], renamed: dict[str, str]) -> str:
        return name if name in words or not self._tells(name) else renamed.setdefault(name, f"name_{len(renamed) + 1}")

    def _of_course(self, unit: str) -> tuple[frozenset[str], str]:
        """Words that may stay, and the course's text."""
        if unit not in self._course:
            text = self._answers.course_text(unit)
            self._course[unit] = frozenset([*re.findall(r"\w+", text), *dir(builtins), *keyword.kwlist]), text
        return self._course[unit]

    def _constant(self, value: Any, text: str) -> Any:
        if isinstance(value, str):
            course = f'"{value}"' in text or f"'{value}'" in text
            return value if course or (_EINSUM.fullmatch(value) and not self._tells(value)) else "…"
        if isinstance(value, bytes):
            return b"..."
        return 0 if type(value) is int and value > 9999 and str(value) in self._words else value

    def _tells(self, name: str) -> bool:
        """Whether an identifier tells a student's name or id: a part of it begins with one, or a long one stands
        anywhere in it.
        """
        if name not in self._told:
            folded = name.casefold()
            parts = [folded, *_WORDS.findall(folded)]
            self._told[name] = any(
                part[:end] in self._words for part in parts for end in range(SHORTEST, len(part) + 1)
            ) or any(word in folded for word in self._long)
        return self._told[name]


def _cut(code: str) -> str:
    lines = [line if len(line) <= MOST_WIDTH else line[: MOST_WIDTH - 1] + "…" for line in code.splitlines()]
    return "\n".join(lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], _CUT])
