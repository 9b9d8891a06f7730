"""Brings back the files that a notebook wrote, and says which were too large."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from autograder.sandbox.connection import Run
from autograder.sandbox.inside.constants import LEFT_OUT, MOST_NAMED
from autograder.sandbox.inside.files import Status, copy_files
from autograder.sandbox.limits import MB

from .files import shown


class Brought:
    """What a notebook wrote beside itself, held in a folder aside until it is known which of its tries counts: each
    begins with what the first began with.

    Args:
        folder: an empty folder.
        most: so many bytes are kept.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.most = folder, most
        self._left_out: list[str] = []

    def take(self, run: Run, before: Mapping[str, Status]) -> None:
        """Take what was written out of a run whose kernel has ended, in place of what an earlier try wrote.

        Args:
            run: the notebook's.
            before: the files that it began with.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        self._left_out = copy_files(run.files, self.folder, self.most, before)
        with contextlib.suppress(OSError, ValueError):
            self._left_out += json.loads((run.folder / LEFT_OUT).read_text())

    def keep(self, folder: Path) -> list[str]:
        """Put it beside the notebook, as nbgrader does, for the next notebook of the assignment; a notebook that is
        there is replaced by none that was written. Return a note on what was left out, or nothing.
        """
        for notebook in folder.glob("*.ipynb"):
            (self.folder / notebook.name).unlink(missing_ok=True)
        copy_files(self.folder, folder, self.most)
        if not self._left_out:
            return []
        names = ", ".join(map(shown, self._left_out[:MOST_NAMED]))
        return [f"of the files that the notebook wrote at most {self.most / MB:g} MB are kept; left out: {names}"]
