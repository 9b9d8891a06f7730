"""What `helpers.language` reads: one JSON file a language, made from its catalogs."""

from __future__ import annotations

import json
from pathlib import Path

from babel import Locale

from autograder import course
from helpers.judging import catalog

from . import catalogs

FOLDER = course.ROOT / "src" / "helpers" / "languages"
# Languages whose letters and marks are as wide as high, without spaces between words.
_WIDE = ("zh", "ja")
# A language's forms of a counted word, in the order in which translators write them.
_FORMS = ("zero", "one", "two", "few", "many", "other")


def path_of(language: str) -> Path:
    """Return where a language's compiled texts lie."""
    return FOLDER / f"{language}.json"


def compiled(language: str) -> str:
    """Return the text of a language's file: texts by their English, texts with gaps, what units say otherwise,
    exercises' names, and how words are counted.

    A notebook's own texts are not in it: they stand in the translated notebook. What several parts have is said as the
    shared ones say it, else as the first unit does; a unit that says it otherwise has that in a part of its own, and so
    has the instructors' report.
    """
    shared: dict[str, dict[str, str]] = {"texts": {}, "templates": {}}
    units: dict[str, dict[str, dict[str, str]]] = {}
    names = [part.name for part in catalogs.parts() if not part.name.startswith("notebooks/")]
    for name in sorted(names, key=lambda name: name.startswith("exercises/u")):
        done = catalogs.translations(language, name)
        for text in catalogs.english(name):
            if text.text in done:
                kind = "templates" if text.template else "texts"
                if name == "report" or shared[kind].setdefault(text.text, done[text.text]) != done[text.text]:
                    unit = units.setdefault(name.removeprefix("exercises/"), {})
                    unit.setdefault(kind, {})[text.text] = done[text.text]
    forms, fraction = counting(language)
    wide = Locale.parse(language).language in _WIDE
    data = {"plural": forms, "fraction": fraction, "wide": wide, "names": exercises(), **shared, "units": units}
    return json.dumps(data, indent=0, ensure_ascii=False) + "\n"


def exercises() -> list[str]:
    """Return the names of the course's exercises, which are code though some are words."""
    return sorted(name for unit in course.units() for name in catalog.exercise_names(unit))


def counting(language: str) -> tuple[str, int]:
    """Return which form of a word goes with 0, 1, ... 199, as digits, and which with a fraction."""
    rule = Locale.parse(language).plural_form
    names = [rule(number) for number in range(200)]
    order = [form for form in _FORMS if form in names]
    part = rule(0.5)
    return "".join(str(order.index(name)) for name in names), order.index(part) if part in order else min(
        1, len(order) - 1
    )


def is_current(language: str) -> bool:
    """Whether a language's file is what its catalogs say."""
    path = path_of(language)
    return path.is_file() and path.read_text(encoding="utf-8") == compiled(language)


def write(language: str) -> bool:
    """Write a language's file; return whether it changed."""
    if is_current(language):
        return False
    path, text = path_of(language), compiled(language)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True
