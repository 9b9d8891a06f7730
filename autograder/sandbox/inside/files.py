"""Copies what a notebook handed in or wrote, trusting none of it."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

# Python walks folders by recursion, which ends at a thousand.
MAX_DEPTH = 30


def copy_files(source: Path, target: Path, most: int, new_only: bool = False) -> list[str]:
    """Copy regular files, and nothing that is a link or a device, up to a total size; return the paths of those that
    would be more than that, or too many.
    """
    total = count = 0
    left_out = []
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if not os.path.islink(os.path.join(folder, name)))
        if len(Path(folder).relative_to(source).parts) >= MAX_DEPTH:
            folders.clear()
        for name in sorted(names):
            path = Path(folder, name)
            place = target / path.relative_to(source)
            try:
                status = path.lstat()
                count += 1
                if not stat.S_ISREG(status.st_mode) or (new_only and place.exists()):
                    continue
                if total + status.st_size > most or count > 1000:
                    left_out.append(str(path.relative_to(source)))
                    continue
                total += status.st_size
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place, follow_symlinks=False)
            except OSError:
                continue
    return left_out
