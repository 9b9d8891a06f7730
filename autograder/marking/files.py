"""The files beside a notebook: which of those that were handed in or written can lie in the class folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

# What stands for a file's content: its bytes, or where they lie.
Content = TypeVar("Content")

# Far more than a notebook's folder needs, and short enough for any place that the class folder may have.
MAX_DEPTH, MAX_NAME, MAX_PATH, MAX_FILES = 16, 200, 1000, 1000


def storable_name(name: str) -> str:
    """Return why a file of this path inside a folder cannot be kept anywhere, or ""."""
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return "its name is no text"
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        return "its name holds a control character"
    parts = PurePosixPath(name).parts
    if len(encoded) > MAX_PATH or len(parts) > MAX_DEPTH or any(len(part.encode()) > MAX_NAME for part in parts):
        return "its path is too long"
    return ""


def fitting(files: Mapping[str, Content], fixed: Iterable[str]) -> tuple[dict[str, Content], list[str]]:
    """Return the files that can lie beside fixed ones, and a note for each of the others.

    Args:
        files: by their path in the folder.
        fixed: paths that are taken, as the notebook's own. A file that would make a folder of one of them, or be where
            one of them needs a folder, cannot lie there.
    """
    taken = set(fixed)
    folders = {str(parent) for name in taken for parent in PurePosixPath(name).parents}
    kept: dict[str, Content] = {}
    notes = []
    for name, data in files.items():
        above = {str(parent) for parent in PurePosixPath(name).parents}
        reason = storable_name(name)
        if not reason and (name in folders or above & taken):
            reason = "another file has the name of its folder"
        if reason:
            notes.append(f"the file {shown(name)} was left out: {reason}")
        elif name not in taken:
            kept[name] = data
            taken.add(name)
            folders |= above
    return kept, notes


def shown(name: str) -> str:
    """Return a path as it can be shown in one line."""
    text = name.encode("utf-8", "replace").decode().encode("unicode_escape").decode()
    return text if len(text) <= 60 else f"{text[:40]}…{text[-15:]}"


def regular_files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield path and status of the regular files below a folder, sorted, down to the depth that is ever kept."""
    pending = [(folder, "")]
    while pending:
        here, prefix = pending.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError:
            continue
        below = []
        for entry in entries:
            name = prefix + entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(status.st_mode) and name.count("/") < MAX_DEPTH:
                below.append((Path(entry.path), f"{name}/"))
            elif stat.S_ISREG(status.st_mode):
                yield name, status
        pending += reversed(below)
