"""What a class set for its learners when it released a notebook: read from the notebook's own metadata."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from helpers.folder.cells import KEY


def has_puzzle(notebook: Path | None) -> bool:
    """Whether the last hint of an exercise may be a puzzle of the reference's lines.

    Yes, unless the class said `c.Attention.parsons = False`, which the release carries in its metadata.

    Args:
        notebook: the file that is worked in, or None where the editor does not tell.
    """
    if notebook is None:
        return True
    try:
        settings = _settings(notebook, notebook.stat().st_mtime_ns)
    except (OSError, ValueError, RecursionError):
        return True
    return not (isinstance(settings, dict) and settings.get("parsons") is False)


@functools.lru_cache(maxsize=8)
def _settings(notebook: Path, saved: int) -> Any:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    metadata = content.get("metadata") if isinstance(content, dict) else None
    return metadata.get(KEY) if isinstance(metadata, dict) else None
