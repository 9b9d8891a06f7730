"""Which language a learner's notebook speaks: the notebook decides, so a class may mix."""

from __future__ import annotations

import re

from nbformat import NotebookNode

from helpers.folder.cells import KEY
from helpers.language import ENGLISH, known

# What a notebook's setup cell calls, and all that it has for it.
_SPEAK = re.compile(r"""^speak\(["'](\w+)["'][),]""", re.MULTILINE)
_SPEAKS = re.compile(r"""\n*^from helpers import speak\n+speak\([\w"', ]*\)""", re.MULTILINE)


def language_of(nb: NotebookNode) -> str:
    """Return the language of a notebook: what its metadata says, else its setup cell; English where neither names one
    that the course has."""
    noted = nb.metadata.get(KEY)
    language = noted.get("language") if isinstance(noted, dict) else None
    if language is None:
        spoken = (_SPEAK.search(cell.source) for cell in nb.cells if cell.cell_type == "code")
        language = next((one[1] for one in spoken if one is not None), ENGLISH)
    return language if isinstance(language, str) and language in known() else ENGLISH


def keep_language(nb: NotebookNode, language: str) -> None:
    """Note in a notebook's metadata which language it spoke, if its setup cell is another's by now."""
    if language_of(nb) != language:
        nb.metadata[KEY] = {"language": language}


def without_language(source: str) -> str:
    """Return a setup cell's source as it stands in every language."""
    return _SPEAKS.sub("", source)
