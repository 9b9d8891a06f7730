"""Counts the memory of a notebook where no control group does.

What several processes share counts once: each process's proportional share (PSS), and with it what lies in memory
without being in any process's view: files in the scratch folder, /tmp and /dev/shm, System V segments, and files that
are memory alone (`memfd_create`), which are found by who has them open.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct

from .libc import libc

_SHM_INFO = 14


class Counted:
    """Counts for one notebook.

    Args:
        proc: an open /proc in which the notebook's processes are seen.
        folders: the notebook's file systems in memory; None where it has no namespaces of its own, so that neither
            these nor System V's segments are the notebook's alone.
    """

    def __init__(self, proc: int, folders: tuple[str, ...] | None) -> None:
        self._proc, self._folders = proc, folders
        self._page = os.sysconf("SC_PAGE_SIZE")
        one = os.memfd_create("one")
        self._device = os.fstat(one).st_dev
        os.close(one)

    def more_than(self, most: int, pids: list[int]) -> bool:
        """Whether these processes and their namespaces hold more than so many bytes."""
        unseen = self._memory_files(pids)
        if self._folders is not None:
            unseen += self._in_folders(self._folders) + segments()
        # What is shared counts for each at first, which is quick; looked at closely only where that is too much.
        if unseen + sum(map(self._resident, pids)) <= most:
            return False
        return unseen + sum(map(self._share, pids)) > most

    def _resident(self, pid: int) -> int:
        try:
            return int(self._read(f"{pid}/statm").split()[1]) * self._page
        except (OSError, IndexError):
            return 0

    def _share(self, pid: int) -> int:
        """A process's proportional share of memory, and of swap; all that it uses, where it may not be looked at."""
        try:
            lines = [line.split() for line in self._read(f"{pid}/smaps_rollup").splitlines()]
        except OSError:
            return self._resident(pid)
        found = {line[0]: line[1] for line in lines if len(line) > 1}
        return sum(1024 * int(found.get(name, 0)) for name in (b"Pss:", b"SwapPss:"))

    def _in_folders(self, folders: tuple[str, ...]) -> int:
        total = 0
        for folder in folders:
            with contextlib.suppress(OSError):
                found = os.statvfs(folder)
                total += (found.f_blocks - found.f_bfree) * found.f_frsize
        return total

    def _memory_files(self, pids: list[int]) -> int:
        sizes: dict[int, int] = {}
        for pid in pids:
            with contextlib.suppress(OSError):
                folder = os.open(f"{pid}/fd", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._proc)
                try:
                    for name in os.listdir(folder):
                        with contextlib.suppress(OSError):
                            found = os.stat(name, dir_fd=folder)
                            if found.st_dev == self._device and stat.S_ISREG(found.st_mode):
                                sizes[found.st_ino] = found.st_blocks * 512
                finally:
                    os.close(folder)
        return sum(sizes.values())

    def _read(self, path: str) -> bytes:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        try:
            return os.read(descriptor, 65536)
        finally:
            os.close(descriptor)


def segments() -> int:
    """Return the bytes of all System V shared memory of this process's namespace."""
    # struct shm_info: used_ids, shm_tot, shm_rss, shm_swp, two counters that are no longer kept.
    told = ctypes.create_string_buffer(struct.calcsize("iLLLLL"))
    if libc.shmctl(0, _SHM_INFO, told) < 0:
        return 0
    _, _, resident, swapped, _, _ = struct.unpack("iLLLLL", told.raw)
    return int(resident + swapped) * os.sysconf("SC_PAGE_SIZE")
