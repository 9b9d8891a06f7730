"""One file to hand in: a zip with the notebook and what belongs to it, and a word on what is unanswered.

Made on a learner's machine, whatever its system: the notebook is read as a file and nothing of it is run; neither
nbgrader nor the sandbox is needed. The same files give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from helpers.data import WEIGHTS
from helpers.judging import catalog

from .cells import KEY, MB, MOST_NOTEBOOK, TEST, TEXT_STUB, left_open, name_of, text_of, unit_of
from .errors import FolderError

CONTENTS = "contents.txt"
# What `autograder.classroom` calls it, which a learner's machine need not have.
CONFIG = "nbgrader_config.py"
# What a learner may have made for the notebook to read or show.
BESIDE = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".npy", ".csv", ".json", ".txt", ".py")
MOST_BESIDE = 5 * MB
MOST_TOGETHER = 20 * MB
MOST_FILES = 50
# So many that are left out are named.
MOST_NAMED = 5
# The earliest date that a zip can hold: two packs of one notebook are the same file.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Packed:
    """What `pack` wrote.

    Attributes:
        path: the zip.
        unit: whose answers are in it.
        files: names and sizes of what is in it.
        answers: how many answers the unit asks for, as far as the notebook shows.
        unanswered: a line for each that is still open.
        notes: what the learner should know before handing it in.
        saved: when the notebook was last saved, in seconds since 1970.
        due: when the unit is due, where the release says it.
    """

    path: Path
    unit: str
    files: tuple[tuple[str, int], ...]
    answers: int
    unanswered: tuple[str, ...]
    notes: tuple[str, ...]
    saved: float
    due: datetime | None = None


def find(target: str | None, here: Path) -> Path:
    """Return the notebook that is meant.

    Args:
        target: a unit ("u1", "u1_dot_products"), a notebook or a folder; None means what is here.
        here: the folder that the learner is in.

    Raises:
        FolderError: there is none, or more than one.
    """
    if target is None:
        return _only(_inside(here), f"in {here}", "attention pack u1")
    path = here / target
    if path.is_file():
        return path
    if path.is_dir():
        return _only(_inside(path), f"in {path}", f"attention pack {Path(target, 'u1_dot_products.ipynb')}")
    names = [unit for unit in catalog.units() if target in (unit, unit.split("_")[0])]
    if not names:
        raise FolderError(f"{target!r} is no file, no folder and no unit; the units are {', '.join(catalog.units())}")
    unit = names[0]
    places = [
        here / f"{unit}.ipynb",
        here / unit / f"{unit}.ipynb",
        here / "notebooks" / unit / f"{unit}.ipynb",
    ]
    if (here / CONFIG).is_file() and (here / "release").is_dir():
        raise FolderError(
            f"{here} is a class folder, which holds no work of yours to hand in: go to the folder with your notebook, "
            f"or name the file: attention pack FOLDER/{unit}.ipynb"
        )
    for place in places:
        if place.is_file():
            return place
    raise FolderError(
        f"{unit}.ipynb is not here ({here}): go to the folder that holds it, or name the file: "
        f"attention pack FOLDER/{unit}.ipynb"
    )


def _inside(folder: Path) -> list[Path]:
    """The notebooks that a folder stands for: its own, or those of the unit folders in it."""
    own = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    named = [path for path in own if path.stem in catalog.units()]
    if own:
        return named or own
    return [
        path
        for unit in catalog.units()
        for base in (folder, folder / "notebooks")
        if (path := base / unit / f"{unit}.ipynb").is_file()
    ]


def _only(found: Sequence[Path], where: str, example: str) -> Path:
    if not found:
        raise FolderError(f"there is no notebook {where}: go to the folder that holds it, or name it: {example}")
    if len(found) > 1:
        raise FolderError(
            f"there are {len(found)} notebooks {where} ({', '.join(path.name for path in found)}): name one: "
            f"attention pack {found[0].name}"
        )
    return found[0]


def pack(notebook: Path, to: Path | None = None) -> Packed:
    """Write the zip to hand in for a notebook.

    Args:
        notebook: the learner's notebook.
        to: the zip, or the folder that it goes to; None puts `<unit>.zip` beside the notebook.

    Raises:
        FolderError: the file is no notebook of this course, or is too large to be read by the grader, or nothing can be
            written.
    """
    try:
        data, saved = notebook.read_bytes(), notebook.stat().st_mtime
    except OSError as error:
        raise FolderError(f"{notebook} cannot be read: {error.strerror}") from error
    tree = _tree(notebook, data)
    cells = _cells(notebook, tree)
    unit = _unit(notebook, cells)
    notes = []
    if notebook.stem != unit:
        notes.append(f"{notebook.name} is handed in as {unit}.ipynb, the name that the grader looks for")
    unanswered, answers = _open_answers(cells)
    files = [(f"{unit}.ipynb", data)]
    if any(WEIGHTS in text_of(cell) for cell in cells if not cell["metadata"].get("nbgrader", {}).get("solution")):
        files += _weights(notebook.with_name(WEIGHTS), notes)
    files += _beside(notebook, cells, notes)
    files.append((CONTENTS, _contents(unit, files, unanswered, answers)))
    path = to if to is not None and not to.is_dir() else (to or notebook.parent) / f"{unit}.zip"
    _write(path, files)
    return Packed(
        path,
        unit,
        tuple((name, len(content)) for name, content in files),
        answers,
        tuple(unanswered),
        tuple(notes),
        saved,
        _due(tree),
    )


def _tree(notebook: Path, data: bytes) -> dict[str, Any]:
    most = MOST_NOTEBOOK
    if len(data) > most:
        raise FolderError(
            f"{notebook} has {len(data) / MB:.0f} MB and the grader reads at most {most / MB:.0f}: "
            "in JupyterLab choose Edit, Clear Outputs of All Cells, save, and pack again"
        )
    try:
        tree: dict[str, Any] = json.loads(data.decode("utf-8-sig"))
        tree["cells"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FolderError(
            f"{notebook} is not a whole notebook: open it in JupyterLab, save it (Ctrl+S) and pack again; "
            "nothing was packed"
        ) from None
    return tree


def _due(tree: dict[str, Any]) -> datetime | None:
    """When a unit is due, as the class wrote it into its release."""
    try:
        due = datetime.fromisoformat(tree["metadata"][KEY]["duedate"])
    except (KeyError, TypeError, ValueError):
        return None
    return due if due.tzinfo is not None else None


def _cells(notebook: Path, tree: dict[str, Any]) -> list[dict[str, Any]]:
    cells: Any = tree["cells"]
    if not isinstance(cells, list) or not all(
        isinstance(cell, dict) and isinstance(cell.get("metadata"), dict) for cell in cells
    ):
        raise FolderError(
            f"{notebook} has no readable cells: open it in JupyterLab, save it (Ctrl+S) and pack again; "
            "nothing was packed"
        )
    return cells


def _unit(notebook: Path, cells: list[dict[str, Any]]) -> str:
    """The unit whose checks are in the notebook, whatever the file is called."""
    unit = unit_of(cells, notebook.stem)
    if unit is None:
        raise FolderError(f"{notebook} is no notebook of this course: it has none of the course's answer cells")
    return unit


def _open_answers(cells: list[dict[str, Any]]) -> tuple[list[str], int]:
    """A line for each answer that is still open, and how many answers there are to give."""
    found, expected, lines = set(), [], []
    for cell in cells:
        name = name_of(cell)
        marks = cell["metadata"].get("nbgrader", {})
        if name and marks.get("solution") and name not in found:
            found.add(name)
            text = text_of(cell)
            if cell.get("cell_type") == "code":
                if not text.strip() or left_open(text):
                    lines.append(
                        f"{name}: still raises NotImplementedError"
                        if text.strip()
                        else f"{name}: the answer cell is empty"
                    )
            elif not text.strip() or TEXT_STUB in text:
                lines.append(
                    f"{name}: still says “{TEXT_STUB.strip('*')}”" if text.strip() else f"{name}: the answer is empty"
                )
        elif name.startswith(TEST) and marks.get("grade"):
            expected.append(name.removeprefix(TEST))
    lost = [name for name in expected if name not in found]
    return lines + [f"{name}: the answer cell is gone; copy it from a fresh notebook" for name in lost], len(
        found
    ) + len(lost)


def _weights(path: Path, notes: list[str]) -> list[tuple[str, bytes]]:
    """The trained weights beside the notebook, if they are there and a file of their own."""
    if path.is_symlink() or not path.is_file():
        notes.append(
            f"{WEIGHTS} is not beside the notebook: run the notebook to the cell that saves it, then pack again"
        )
        return []
    data = path.read_bytes()
    if len(data) > MOST_NOTEBOOK:
        notes.append(f"{WEIGHTS} has {len(data) / MB:.0f} MB; the check reads at most {MOST_NOTEBOOK / MB:.0f}")
    return [(WEIGHTS, data)]


def _beside(notebook: Path, cells: list[dict[str, Any]], notes: list[str]) -> list[tuple[str, bytes]]:
    """The small files beside the notebook, those first that it names; what is left out is told."""
    text = "\n".join(map(text_of, cells))
    found = [
        path
        for path in notebook.parent.iterdir()
        if not path.name.startswith((".", "~"))
        and path.name not in (WEIGHTS, CONTENTS)
        and path.suffix.lower() not in (".ipynb", ".zip")
        and path.is_file()
    ]
    files: list[tuple[str, bytes]] = []
    left = []
    room = MOST_TOGETHER
    for path in sorted(found, key=lambda path: (not _named(path, text), path.name)):
        size = path.stat().st_size
        if path.suffix.lower() not in BESIDE or path.is_symlink():
            left.append((path, f"no file of a kind that is taken: {' '.join(BESIDE)}"))
        elif size > min(MOST_BESIDE, room) or len(files) == MOST_FILES:
            most = f"{MOST_FILES} files of {MOST_BESIDE / MB:.0f} MB each and {MOST_TOGETHER / MB:.0f} together"
            left.append((path, f"at most {most} are taken"))
        else:
            room -= size
            files.append((path.name, path.read_bytes()))
    for words, some in (
        ("left out, though the notebook names them", [one for one in left if _named(one[0], text)]),
        ("left out", [one for one in left if not _named(one[0], text)]),
    ):
        if some:
            more = f" and {len(some) - MOST_NAMED} more" if len(some) > MOST_NAMED else ""
            told = (f"{path.name} ({reason})" for path, reason in some[:MOST_NAMED])
            notes.append(f"{words}: {', '.join(told)}{more}")
    return sorted(files)


def _named(path: Path, text: str) -> bool:
    """Whether the notebook reads or shows a file, or imports it."""
    module = path.suffix == ".py" and re.search(rf"^\s*(?:import|from)\s+{re.escape(path.stem)}\b", text, re.M)
    return path.name in text or bool(module)


def _contents(unit: str, files: list[tuple[str, bytes]], unanswered: list[str], answers: int) -> bytes:
    lines = [f"{unit}, packed to hand in", ""]
    lines += [f"{name}  {len(data):,} bytes  sha256 {hashlib.sha256(data).hexdigest()}" for name, data in files]
    lines += ["", f"{answers - len(unanswered)} of {answers} answers are there."]
    lines += [f"open: {line}" for line in unanswered]
    return ("\n".join(lines) + "\n").encode()


def _write(path: Path, files: list[tuple[str, bytes]]) -> None:
    """Write the zip whole or not at all."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            # The field says on which system the zip was made; the bytes are to be the same everywhere.
            entry.create_system, entry.external_attr, entry.compress_type = 3, 0o100644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(whole.getvalue())
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise FolderError(f"{path} cannot be written: {error.strerror}") from error


def told(packed: Packed) -> str:
    """Return what the learner reads after packing."""
    lines = [f"{packed.path}", *(f"  {name}  {_size(size)}" for name, size in packed.files)]
    lines.append(
        f"last saved: {time.strftime('%Y-%m-%d %H:%M', time.localtime(packed.saved))}. "
        "Changed it since? Save it (Ctrl+S) and pack again."
    )
    if packed.due is not None:
        lines.append(f"due: {packed.due.astimezone():%A %Y-%m-%d %H:%M}, by this computer's clock")
    lines += [f"note: {note}" for note in packed.notes]
    if packed.unanswered:
        lines.append(f"{len(packed.unanswered)} of {packed.answers} answers are still open:")
        lines += [f"  {line}" for line in packed.unanswered]
    else:
        lines.append(f"all {packed.answers} answers are there." if packed.answers > 1 else "the answer is there.")
    lines.append(f"Hand in {packed.path.name}, this one file.")
    return "\n".join(lines)


def _size(size: int) -> str:
    return f"{size / MB:.1f} MB" if size >= MB else f"{max(1, round(size / 1024))} KB"
