"""A language that nobody speaks: English with accents, a third longer. What is not in it was never extracted, and what
overflows in it will overflow in a language of longer words."""

from __future__ import annotations

import functools
import json
import re
from contextlib import contextmanager
from pathlib import Path

from autograder.authoring.translating import catalogs, compiling
from helpers import language

NAME = "qq"
_ACCENTS = str.maketrans("aceinosuyzACEINOSUYZ", "àčéîñöšüÿžÀČÉÎÑÖŠÜŸŽ")
# What a translation keeps: formulas, code, tags, links, gaps.
_KEPT = re.compile(
    r"\$\$.+?\$\$|\$[^$\n]+\$|`[^`]+`|</?[a-zA-Z][^<>]*>|\]\([^)]*\)|&\w+;|\{\{|\}\}|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\b[A-Z]\w*(?:Error|Warning)\b",
    re.DOTALL,
)


def accented(text: str, longer: bool = True) -> str:
    """Return a text in the language, with all that a translation keeps.

    Args:
        text: English.
        longer: whether it becomes longer; words that a cell looks up in a sentence of its own must not.
    """
    pieces = _KEPT.split(text)
    kept = _KEPT.findall(text)
    told = [piece.translate(_ACCENTS) for piece in pieces]
    letters = sum(letter.isalpha() for piece in pieces for letter in piece)
    whole = told[0] + "".join(one + piece for one, piece in zip(kept, told[1:]))
    spaces = len(whole) - len(whole.rstrip())
    more = "·" * max(1, letters // 3) if longer else ""
    return whole.rstrip() + more + whole[len(whole) - spaces :]


@functools.cache
def compiled(longer: bool = True) -> str:
    """Return the language's file, as `autograder build` makes them."""
    texts, templates = {}, {}
    for part in catalogs.parts():
        if not part.name.startswith("notebooks/"):
            for text in catalogs.english(part.name):
                (templates if text.template else texts)[text.text] = accented(text.text, longer)
    grammar = {"plural": "1" * 200, "fraction": 1, "wide": False, "names": compiling.exercises()}
    return json.dumps(grammar | {"texts": texts, "templates": templates})


@contextmanager
def spoken(folder: Path, longer: bool = True):
    """Speak it for a while; its file lies in the folder."""
    (folder / f"{NAME}.json").write_text(compiled(longer), encoding="utf-8")
    before, language._notebook = language.FOLDER, (NAME, "")
    language.FOLDER = folder
    language._catalog.cache_clear()
    try:
        with language.speaking(NAME):
            yield
    finally:
        language.FOLDER, language._notebook = before, (language.ENGLISH, "")
        language._catalog.cache_clear()


def left(text: str) -> list[str]:
    """Return the runs of words in a text that are still English: two words or more next to each other."""
    bare = _KEPT.sub(" ", text)
    return [
        run
        for run in re.findall(r"[^\W\d_]{2,}(?:[ ,:.;]+[^\W\d_]{2,})+", bare)
        if not re.search(r"[àčéîñöšüÿžÀČÉÎÑÖŠÜŸŽ]", run)
    ]
