"""A unit's source notebook in another language: prose, comments, docstrings and shown strings; code stays code."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable

from nbformat import NotebookNode

from autograder.course import CourseError
from helpers.folder.cells import KEY
from helpers.language import ENGLISH

from . import catalogs, code, prose

_SETUP = re.compile(r"^from helpers import ", re.MULTILINE)


def translated(notebook: NotebookNode, unit: str, language: str) -> NotebookNode:
    """Return a unit's source notebook in a language, in which it also speaks to its learner.

    Args:
        notebook: in English, with solutions and hidden tests.
        unit: its name.
        language: as "zh"; "en" returns the notebook as it is.

    Raises:
        CourseError: the course has no such language.
    """
    if language == ENGLISH:
        return notebook
    if language not in catalogs.languages():
        known = ", ".join([ENGLISH, *catalogs.languages()])
        raise CourseError(f"there is no language {language!r}; the course is written in {known}")
    known_texts = catalogs.translations(language, f"notebooks/{unit}")

    def told(text: str) -> str:
        return known_texts.get(text, text)

    return mapped(notebook, told, language, told, unit)


def mapped(
    notebook: NotebookNode,
    translate: Callable[[str], str],
    language: str,
    known: Callable[[str], str] = lambda word: word,
    unit: str = "",
) -> NotebookNode:
    """Return a notebook of a unit with each of its texts translated, and told in its metadata and its setup cell which
    language it speaks; `known` translates single words in formulas."""
    other = copy.deepcopy(notebook)
    other.metadata[KEY] = {"language": language}
    spoken = False
    for cell in other.cells:
        marks = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "markdown":
            cell.source = prose.translated(cell.source, translate, known)
        elif cell.cell_type == "code":
            cell.source = code.translated(cell.source, translate, strings=not marks)
            if not spoken and _SETUP.search(cell.source):
                spoken_as = f'"{language}", "{unit}"' if unit else f'"{language}"'
                cell.source = f"{cell.source.rstrip()}\nfrom helpers import speak\n\nspeak({spoken_as})"
                spoken = True
    return other
