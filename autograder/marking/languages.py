"""Which language a learner's notebook speaks: the notebook decides, so a class may mix."""

from __future__ import annotations

import re

from nbformat import NotebookNode

from helpers.folder.cells import KEY
from helpers.language import ENGLISH, known

# What a notebook's setup cell calls.
_SPEAK = re.compile(r"""^speak\(["'](\w+)["'][),]""", re.MULTILINE)


def language_of(nb: NotebookNode) -> str:
    """Return the language of a notebook: what its metadata says, else its setup cell; English where neither names one
    that the course has."""
    noted = nb.metadata.get(KEY)
    language = noted.get("language") if isinstance(noted, dict) else None
    if language is None:
        spoken = (_SPEAK.search(cell.source) for cell in nb.cells if cell.cell_type == "code")
        language = next((one[1] for one in spoken if one is not None), ENGLISH)
    return language if isinstance(language, str) and language in known() else ENGLISH
