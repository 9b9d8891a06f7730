"""Pictures that a learner pasted into a text cell: kept within a limit, and words where one is missing.

A text that names a picture which is not in its cell makes nbconvert fail for the whole page, feedback and formgrader
alike: nobody could grade it.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import nbformat
from nbformat import NotebookNode

from .pictures import reencoded

_NAME = re.compile(r"[^\s()<>\[\]\"'&\\]{1,200}")
_IMAGE = re.compile(r"!\[([^\]]*)\]\(\s*<?attachment:([^)>\s]*)>?[^)]*\)")
_ANY = re.compile(r"attachment:([^)>\s\"']*)")


def keep_pictures(cell: NotebookNode, attachments: Any, left: int) -> int:
    """Give a text cell the pictures that were pasted into it, and put words for those that are not there.

    Args:
        cell: the cell.
        attachments: what the submitted file says they are.
        left: how many bytes of pictures are still allowed.

    Returns:
        How many bytes were kept.
    """
    kept, size = {}, 0
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        for kind, text in bundle.items() if isinstance(bundle, dict) and _NAME.fullmatch(name) else ():
            data = reencoded(kind, text, left - size)
            if data:
                size += len(data) * 3 // 4
                kept[name] = {kind: data}
                break
    if kept:
        cell["attachments"] = nbformat.from_dict(kept)
    if "attachment:" in cell.source:
        cell.source = _IMAGE.sub(lambda told: told[0] if unquote(told[2]) in kept else _missing(told[2]), cell.source)
        # Links, references and HTML name pictures as well; without the colon they name nothing.
        cell.source = _ANY.sub(
            lambda told: told[0] if unquote(told[1]) in kept else f"attachment {told[1]}", cell.source
        )
    return size


def _missing(name: str) -> str:
    return f"(the picture {name} is not in the notebook, or is too large to be kept)"
