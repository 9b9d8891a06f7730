"""Writes feedback pages into the class folder, with what lies beside the graded notebook, as nbgrader does."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from autograder.classroom.classroom import Classroom

from .places import Places


def write_pages(classroom: Classroom, places: Places, student: str, pages: Mapping[str, str]) -> None:
    """Write feedback/<student>/<unit>/ anew, with a page for each notebook, given by name.

    Pages come last, so that a folder without one is one that is not finished. No other page is in it: every one in it
    goes to the learner, and the graded notebook may have written some after it had seen hidden cases.

    Raises:
        OSError: it cannot be written.
    """
    folder, graded = places.pages(student), places.graded(student)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in places.beside(graded):
        if not name.lower().endswith((".html", ".htm")):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(graded / name, path)
            written.append(path)
    for name, text in pages.items():
        path = folder / f"{name}.html"
        path.write_bytes(text.encode("utf-8", "replace"))
        written.append(path)
    shared = bool(places.directory.groupshared)
    permissions = int(str(classroom.config.GenerateFeedback.get("permissions", 664 if shared else 644)), 8)
    for path in written:
        path.chmod(permissions)
    if shared:
        _share(folder)


def _share(folder: Path) -> None:
    for one in (folder.parent.parent, folder.parent, folder, *(path for path in folder.rglob("*") if path.is_dir())):
        mode = one.stat().st_mode
        if mode & 0o2770 != 0o2770:
            one.chmod((mode | 0o2770) & 0o2777)
