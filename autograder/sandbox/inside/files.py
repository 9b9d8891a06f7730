"""Copies what a notebook handed in or wrote, trusting none of it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

# Size, and times of the last change of content and of anything: the last cannot be set by who writes the file.
Status = tuple[int, int, int]

# Python walks folders by recursion, which ends at a thousand.
MAX_DEPTH = 30


def statuses(folder: Path) -> dict[str, Status]:
    """Return the state of the regular files below a folder by path, to tell later which of them were written."""
    return {name: _status(status) for name, status in _regular(folder)}


def _status(status: os.stat_result) -> Status:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def copy_files(source: Path, target: Path, most: int, unchanged: Mapping[str, Status] | None = None) -> list[str]:
    """Copy regular files, and nothing that is a link or a device, up to a total size; return the paths of those that
    would be more than that, or too many.

    Args:
        source: the folder to copy from.
        target: the folder to copy to.
        most: the largest sum of sizes in bytes.
        unchanged: what `statuses` said of the source; files of which that is still true are not copied.
    """
    total = count = 0
    left_out = []
    known = unchanged or {}
    for name, status in _regular(source):
        count += 1
        if known.get(name) == _status(status):
            continue
        if total + status.st_size > most or count > 1000:
            left_out.append(name)
            continue
        total += status.st_size
        place = target / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, place, follow_symlinks=False)
        except OSError:
            continue
    return left_out


def _regular(source: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the path and status of the regular files below a folder."""
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if not os.path.islink(os.path.join(folder, name)))
        if len(Path(folder).relative_to(source).parts) >= MAX_DEPTH:
            folders.clear()
        for name in sorted(names):
            path = Path(folder, name)
            try:
                status = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                yield str(path.relative_to(source)), status
