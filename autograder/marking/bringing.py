"""Brings back the files that a notebook wrote, and says which were too large."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from autograder.sandbox.connection import Run
from autograder.sandbox.inside.constants import LEFT_OUT, MOST_NAMED
from autograder.sandbox.inside.files import copy_files
from autograder.sandbox.limits import MB

from .files import shown


def bring_back(run: Run, folder: Path, most: int) -> str:
    """Keep what the notebook wrote beside itself, as nbgrader does; nothing that was there is replaced.

    Args:
        run: the notebook's, whose kernel has ended.
        folder: where to keep it.
        most: so many bytes of it.

    Returns:
        A note on what was left out, or "".
    """
    left_out: list[str] = []
    with contextlib.suppress(OSError):
        left_out += copy_files(run.files, folder, most, new_only=True)
    with contextlib.suppress(OSError, ValueError):
        left_out += json.loads((run.folder / LEFT_OUT).read_text())
    if not left_out:
        return ""
    names = ", ".join(map(shown, left_out[:MOST_NAMED]))
    return f"of the files that the notebook wrote at most {most / MB:g} MB are kept; left out: {names}"
