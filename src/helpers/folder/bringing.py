"""A learner's folder made from the course's notebooks, and made anew from a later version of them, with every answer.

For each unit: the notebook of the learner and the course's are made one (`helpers.folder.merging`); if that changes
the file, the file as it was is put beside it first. Each file is written whole or not at all, and what was handed out
is noted last, so that an update that was interrupted is finished by the next one. An update of what is up to date
writes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from . import merging, place
from .errors import FolderError


@dataclass(frozen=True)
class Brought:
    """What was done for one unit.

    Attributes:
        unit: its name.
        path: the learner's notebook.
        state: "new", "as it was", "updated", or why it was left alone.
        before: the notebook as it was, where it was replaced.
        answers: how many answers it has.
        kept: names of answers at its end, whose cells the course no longer has.
        came: names of answers that were found in the course's own folder, or in another unit.
    """

    unit: str
    path: Path
    state: str
    before: Path | None = None
    answers: int = 0
    kept: tuple[str, ...] = ()
    came: tuple[str, ...] = ()


NEW, SAME, UPDATED = "new", "as it was", "updated"


def bring(folder: Path, release: Path, today: Callable[[], date] = date.today) -> list[Brought]:
    """Bring a learner's folder up to date, or make it.

    Args:
        folder: the learner's.
        release: the course's notebooks, `<unit>/<unit>.ipynb`. Answers that somebody wrote in them come along.
        today: tells the date.

    Raises:
        FolderError: the folder is not a learner's, or a file cannot be written.
    """
    folder = folder.absolute()
    if place.is_class(folder) or folder == release or release in folder.parents:
        raise FolderError(f"{folder} is a folder of the course or of a class: name another one")
    told = place.record(folder)
    mine: dict[str, NotebookNode] = {}
    wrong: dict[str, str] = {}
    new = {unit: merging.read(release / unit / f"{unit}.ipynb") for unit in place.units(release)}
    old: dict[str, NotebookNode] = {}
    for unit in _units(folder, new):
        try:
            if place.handed_out(folder, unit).is_file():
                old[unit] = merging.read(place.handed_out(folder, unit))
            if (folder / unit / f"{unit}.ipynb").is_file():
                known = [one for one in (old.get(unit), new.get(unit)) if one is not None]
                mine[unit] = merging.found_again(merging.read(folder / unit / f"{unit}.ipynb"), known)
        except FolderError as error:
            wrong[unit] = str(error)
    chosen = merging.choose(mine, {unit: notebook for unit, notebook in new.items() if unit not in wrong})
    brought = []
    for unit, notebook in new.items():
        path = folder / unit / f"{unit}.ipynb"
        if unit in wrong:
            brought.append(Brought(unit, path, wrong[unit]))
            continue
        merged = merging.merge(mine.get(unit), notebook, old.get(unit), chosen)
        before = _replace(path, merged.notebook, mine.get(unit) is not None, today)
        state = NEW if unit not in mine else UPDATED if before else SAME
        written = merging.answers_written(merged.notebook)
        came = sorted(written - merging.answers_written(mine.get(unit)))
        brought.append(Brought(unit, path, state, before, len(written), tuple(merged.kept), tuple(came)))
    given = dict(told.given)
    for unit in new:
        if unit not in wrong:
            given |= _pictures(folder, release, unit, told.given, today)
    for unit in new:
        if unit not in wrong:
            source = release / unit / f"{unit}.ipynb"
            place.write(place.handed_out(folder, unit), source.read_bytes())
    place.remember(folder, place.Record(str(release), given))
    return brought


def _units(folder: Path, new: dict[str, NotebookNode]) -> list[str]:
    """The units of the course, and those of the folder that the course no longer has."""
    kept = folder / place.MARK / "release"
    return list(dict.fromkeys([*new, *(path.stem for path in sorted(kept.glob("*.ipynb")))]))


def _replace(path: Path, notebook: NotebookNode, is_there: bool, today: Callable[[], date]) -> Path | None:
    """Write a notebook; return where the one before was put, if it was another."""
    text = nbformat.writes(notebook) + "\n"
    if not is_there:
        place.write(path, text.encode())
        return None
    before = path.read_bytes()
    if _same(before, text):
        return None
    kept = beside(path, before, today)
    place.write(path, text.encode())
    return kept


def _same(before: bytes, text: str) -> bool:
    """Whether a file says the same as a text, whichever program wrote it."""
    try:
        written: str = nbformat.writes(nbformat.reads(before.decode("utf-8-sig"), as_version=4))
    except Exception:
        return False
    return f"{written}\n" == text


def beside(path: Path, data: bytes, today: Callable[[], date]) -> Path:
    """Put a file as it was beside itself, under the date, and return where; nothing else is written over."""
    number = 1
    while True:
        more = f", {number}" if number > 1 else ""
        kept = path.with_name(f"{path.stem} (before {today().isoformat()}{more}){path.suffix}")
        if not kept.exists() or kept.read_bytes() == data:
            place.write(kept, data)
            return kept
        number += 1


def _pictures(
    folder: Path, release: Path, unit: str, given: dict[str, str], today: Callable[[], date]
) -> dict[str, str]:
    """Bring the other files of a unit; return their digests. What the learner changed is kept beside them."""
    found = {}
    for source in sorted((release / unit).rglob("*")):
        name = source.relative_to(release)
        if not _goes_along(source, release / unit):
            continue
        data = source.read_bytes()
        target = folder / name
        if target.is_file():
            there = target.read_bytes()
            if there != data and hashlib.sha256(there).hexdigest() != given.get(name.as_posix()):
                beside(target, there, today)
        place.write(target, data)
        found[name.as_posix()] = hashlib.sha256(data).hexdigest()
    return found


def _goes_along(source: Path, unit: Path) -> bool:
    """Whether a file beside a notebook was handed out with it: a picture in `images/`, and none of somebody's work."""
    return source.is_file() and not source.is_symlink() and source.relative_to(unit).parts[0] == "images"


def told(folder: Path, brought: list[Brought]) -> str:
    """Return what the learner reads afterwards."""
    lines = [f"{folder}"]
    for one in brought:
        lines.append(f"  {one.unit}  {one.state}" + (f", {_count(one.answers, 'answer')}" if one.answers else ""))
        if one.came:
            lines.append(f"    taken along: {', '.join(one.came)}")
        if one.kept:
            lines.append(f"    the course no longer has {', '.join(one.kept)}: kept at the end of the notebook")
        if one.before is not None:
            lines.append(f"    as it was before: {one.before.name}")
    if all(one.state == SAME for one in brought):
        lines.append("All of it is up to date; nothing was changed.")
    elif any(one.before is not None for one in brought):
        lines.append("A notebook that is open in JupyterLab: choose File, Reload Notebook from Disk.")
    return "\n".join(lines)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
