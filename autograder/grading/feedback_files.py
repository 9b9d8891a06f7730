"""Writes a feedback page into the class folder, with what lies beside the graded notebook, as nbgrader does."""

from __future__ import annotations

import shutil
from pathlib import Path

from autograder.classroom.classroom import Classroom

from .places import Places


def write_page(classroom: Classroom, places: Places, student: str, text: str) -> None:
    """Write feedback/<student>/<unit>/ anew.

    The page comes last, so that a folder without one is one that is not finished. No other page is in it: every one in
    it goes to the learner, and the graded notebook may have written some after it had seen hidden cases.

    Raises:
        OSError: it cannot be written.
    """
    page = places.page(student)
    graded = places.graded(student).parent
    shutil.rmtree(page.parent, ignore_errors=True)
    page.parent.mkdir(parents=True, exist_ok=True)
    written = [page]
    for name in places.beside(graded):
        if not name.lower().endswith((".html", ".htm")):
            path = page.parent / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(graded / name, path)
            written.append(path)
    page.write_bytes(text.encode("utf-8", "replace"))
    shared = bool(places.directory.groupshared)
    permissions = int(str(classroom.config.GenerateFeedback.get("permissions", 664 if shared else 644)), 8)
    for path in written:
        path.chmod(permissions)
    if shared:
        _share(page.parent)


def _share(folder: Path) -> None:
    for one in (folder.parent.parent, folder.parent, folder, *(path for path in folder.rglob("*") if path.is_dir())):
        mode = one.stat().st_mode
        if mode & 0o2770 != 0o2770:
            one.chmod((mode | 0o2770) & 0o2777)
