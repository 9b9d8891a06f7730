"""Collects from nbgrader's exchange only what each learner handed in themselves.

In the exchange everyone can make a folder, under any name and with anything in it. nbgrader's own `collect` warns when
the folder named after one learner belongs to another, and takes it; and it follows links with the grader's
rights, so that a link to the gradebook comes back in the learner's feedback. Here:

- a folder counts as a learner's when its owner on the machine has that name;
- only regular files that belong to the same owner are copied, opened in a way that no link is followed;
- what is too large or too deep is left out and told, and the next learner is collected.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from logging import Logger
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import ignore_patterns

DEPTH = 20
KB = 1000


class CollectOwned(ExchangeCollect):  # type: ignore[misc]  # nbgrader has no types
    """nbgrader's `collect`, for a machine on which learners have accounts; `check_owner = False` takes any owner."""

    src_records: list[dict[str, Any]]

    def init_src(self) -> None:
        super().init_src()
        self.src_records = [record for record in self.src_records if self._owned(record)]

    def _sort_by_timestamp(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Sort what carries one learner's name; what others made comes in only when there is nothing else, to be
        dropped.
        """
        owned = []
        for record in records:
            if self._owned(record):
                owned.append(record)
            else:
                self.log.error(
                    "%s does not belong to %s and is not collected: somebody else made it",
                    self._path(record),
                    record["username"],
                )
        newest: list[dict[str, Any]] = super()._sort_by_timestamp(owned or records)
        return newest

    def _path(self, record: dict[str, Any]) -> Path:
        return Path(self.inbound_path, record["filename"])

    def _owned(self, record: dict[str, Any]) -> bool:
        try:
            status = self._path(record).lstat()
        except FileNotFoundError:
            # Withdrawn by its learner since the folder was listed.
            return False
        return stat.S_ISDIR(status.st_mode) and (not self.check_owner or _name(status.st_uid) == record["username"])

    def do_copy(self, src: str, dest: str, log: Logger | None = None) -> None:
        """Copy a submission's regular files that belong to whoever owns the submission."""
        owner = os.lstat(src).st_uid
        ignored = ignore_patterns(self.coursedir.ignore, self.coursedir.include, self.coursedir.max_file_size, self.log)
        left = KB * self.coursedir.max_dir_size
        os.mkdir(dest)
        for folder, folders, names, descriptor in os.fwalk(src, follow_symlinks=False):
            inside = Path(folder).relative_to(src)
            passed = set(ignored(folder, [*folders, *names]))
            folders[:] = sorted(set(folders) - passed)
            if len(inside.parts) == DEPTH and folders:
                self.log.error("%s: folders deeper than %d are not collected", folder, DEPTH)
                folders.clear()
            for name in folders:
                Path(dest, inside, name).mkdir()
            for name in sorted(set(names) - passed):
                left -= self._copy(descriptor, folder, name, Path(dest, inside, name), owner, left)

    def _copy(self, descriptor: int, folder: str, name: str, place: Path, owner: int, left: int) -> int:
        """Copy one file; return how many bytes it has, 0 if it was left out."""
        try:
            # Not blocking: opening a named pipe would wait for its writer for ever.
            opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
        except OSError as error:
            self.log.error(
                "%s/%s is not collected: %s",
                folder,
                name,
                "it is a link" if error.errno == errno.ELOOP else error.strerror,
            )
            return 0
        with open(opened, "rb") as file:
            status = os.fstat(opened)
            if not stat.S_ISREG(status.st_mode) or (self.check_owner and status.st_uid != owner):
                self.log.error("%s/%s is not collected: it is no file of the learner's own", folder, name)
                return 0
            if status.st_size > left:
                self.log.error(
                    "%s/%s is not collected: the submission is larger than %d KB",
                    folder,
                    name,
                    self.coursedir.max_dir_size,
                )
                return 0
            # No more than was there when it was looked at: the learner may still be writing.
            place.write_bytes(file.read(status.st_size))
        return status.st_size


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""
