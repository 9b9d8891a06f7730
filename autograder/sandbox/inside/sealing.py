"""How a kernel is closed in: namespaces, capabilities, Landlock, resource limits."""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import struct
import sys
from pathlib import Path

from .constants import NOBODY, POOL, SCRATCH, Limits
from .files import copy_files
from .libc import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    MS_BIND,
    MS_MOVE,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    PR_CAPBSET_DROP,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    check,
    libc,
    mount,
    set_capabilities,
)


def become(user: int) -> None:
    """In the keeper: become a user that no other run is.

    Raises:
        OSError: this process may not.
    """
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def seal_namespaces(run: str, limits: Limits, own: bool) -> None:
    """In the keeper: own namespaces, and a scratch of limited size holding the submission's files.

    Args:
        run: its name.
        limits: what it may take.
        own: whether it has a user of its own, which inside is nobody, as for all.
    """
    uid, gid = os.getuid(), os.getgid()
    shown = (NOBODY, NOBODY) if own else (uid, gid)
    # Only a dumpable process owns its files in /proc, which the maps are written to.
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{shown[0]} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{shown[1]} {gid} 1")
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount /")
    size = f"size={limits['scratch_bytes']},nr_inodes=10000,mode=700"
    for target in (SCRATCH, "/dev/shm", "/var/tmp"):
        mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, size)
    # The new /tmp is made elsewhere and moved into place, so that a Python environment below /tmp can come along.
    for prefix in {sys.base_prefix, sys.prefix}:
        if prefix.startswith("/tmp/"):
            os.makedirs("/var" + prefix)
            mount(prefix, "/var" + prefix, "", MS_BIND | MS_REC)
    mount("/var/tmp", "/tmp", "", MS_MOVE)
    os.environ["HOME"] = SCRATCH
    _raise_loopback()
    copy_files(POOL / run / "files", Path(SCRATCH), limits["scratch_bytes"])


def _raise_loopback() -> None:
    """Let processes of one notebook speak with each other over 127.0.0.1; its network namespace has nothing else."""
    set_flags, up, running = 0x8914, 0x1, 0x40
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sH14x", b"lo", up | running))


def hide_pool() -> None:
    """Put the folder with every run's files and sockets out of sight."""
    mount("tmpfs", str(POOL), "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, "size=4k")


def own_proc() -> bool:
    """In process 1 of the new namespace: a /proc of its own processes, and of no others; return whether that goes.

    In a container whose own /proc is partly covered it does not; then the one that is there stays.
    """
    try:
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY)
    except OSError:
        return False
    return True


def drop_capabilities() -> None:
    """Give up every capability for good: no mount can be undone, no namespace of the keeper's entered."""
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    set_capabilities()


def restrict_with_landlock(sockets: Path) -> int:
    """Allow reading everywhere and writing in the scratch and, while it is in sight, in the folder for sockets only;
    return Landlock's level, 0 where it is not there.
    """
    create, add, restrict = 444, 445, 446
    level: int = libc.syscall(create, None, 0, 1)
    if level <= 0:
        return 0
    execute, read_file, read_dir = 1, 4, 8
    handled = (1 << 13) - 1
    handled |= (1 << 13) if level >= 2 else 0
    handled |= (1 << 14) if level >= 3 else 0
    scopes = 3 if level >= 6 else 0
    # TCP is left alone: the network namespace has none but the notebook's own loopback.
    attributes = struct.pack("QQQ", handled, 0, scopes)[: 24 if level >= 6 else (16 if level >= 4 else 8)]
    rules = libc.syscall(create, attributes, len(attributes), 0)
    if rules < 0:
        return 0
    for path, allowed in (
        ("/", execute | read_file | read_dir),
        (SCRATCH, handled),
        ("/tmp", handled),
        ("/dev", handled & ~execute),
        (str(sockets), handled),
    ):
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        libc.syscall(add, rules, 1, struct.pack("=Qi", allowed, folder), 0)
        os.close(folder)
    check(libc.syscall(restrict, rules, 0), "landlock")
    os.close(rules)
    return level


def set_limits(limits: Limits) -> None:
    """Set what the kernel and each process that it starts may take."""
    for name, value in (
        ("RLIMIT_CPU", limits["cpu_seconds"]),
        ("RLIMIT_DATA", limits["memory_bytes"]),
        ("RLIMIT_FSIZE", limits["file_bytes"]),
        ("RLIMIT_NOFILE", limits["open_files"]),
        ("RLIMIT_NPROC", limits["processes"]),
        ("RLIMIT_CORE", 0),
    ):
        resource.setrlimit(getattr(resource, name), (value, value))
