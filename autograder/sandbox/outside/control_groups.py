"""Control groups, by which the machine's kernel counts and limits a notebook's processes together: their memory, shared
or not, their number, and their share of the processors.

A `Tree` belongs to one warm process and has one group for each run. It is made where this machine lets us:

- version 2: below the nearest group above this process that hands memory and processes on, where we may make groups, as
  root, in a container with groups of its own, or in what systemd has handed to a user;
- version 2 with systemd: a scope, into which `systemd-run` starts the warm process;
- version 1: root makes them, one below each of the controllers.

Where none of it goes, `inside.memory` counts, and `autograder doctor` says so.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "attention-"
FILE = "groups.json"
# Without the first two there is nothing to be had; a share of the processors comes on top.
NEEDED, WANTED = ("memory", "pids"), ("memory", "pids", "cpu")
SELF = Path("/proc/self")
SYSTEMD = Path("/run/systemd/system")
SCOPE_SECONDS, REMOVE_SECONDS = 5, 1


@dataclass
class Group:
    """The control groups of one run.

    Attributes:
        descriptors: open files for the keeper: what came of the limit on memory, and where to put the kernel.
    """

    folders: tuple[Path, ...]
    descriptors: list[int]

    def close(self) -> None:
        """Close the files; the group stays."""
        while self.descriptors:
            os.close(self.descriptors.pop())

    def remove(self) -> None:
        """Remove the groups, whose processes have ended."""
        self.close()
        for folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


@dataclass(frozen=True)
class Tree:
    """Where the control groups of a warm process's runs are.

    Attributes:
        version: of control groups, 1 or 2.
        folders: by controller; in version 2 the same for all.
    """

    version: int
    folders: dict[str, Path]

    @property
    def shares(self) -> bool:
        """Whether each run has its share of the processors."""
        return "cpu" in self.folders

    def group(self, name: str, limits: dict[str, Any]) -> Group:
        """Make the groups of a run.

        Raises:
            OSError: they cannot be made.
        """
        folders = tuple(dict.fromkeys(folder / name for folder in self.folders.values()))
        made = Group(folders, [])
        try:
            for folder in folders:
                folder.mkdir()
            memory, pids = (self.folders[one] / name for one in NEEDED)
            most = str(limits["memory_bytes"])
            if self.version == 2:
                for file, value in (("memory.max", most), ("memory.swap.max", "0"), ("memory.oom.group", "1")):
                    # Swap and groups that end together are not there on every kernel.
                    write(memory / file, value, file == "memory.max")
            else:
                write(memory / "memory.limit_in_bytes", most)
                write(memory / "memory.memsw.limit_in_bytes", most, needed=False)
            write(pids / "pids.max", str(limits["processes"]))
            events = memory / ("memory.events" if self.version == 2 else "memory.oom_control")
            made.descriptors.append(os.open(events, os.O_RDONLY | os.O_CLOEXEC))
            for folder in folders:
                made.descriptors.append(os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))
        except OSError:
            made.remove()
            raise
        return made

    def save(self, folder: Path) -> None:
        """Tell the users of a warm process, who know its folder."""
        told = {"version": self.version, "folders": {name: str(path) for name, path in self.folders.items()}}
        (folder / FILE).write_text(json.dumps(told))

    @classmethod
    def load(cls, folder: Path) -> Tree | None:
        """Return the tree of a warm process by its folder; None if it has none."""
        try:
            told = json.loads((folder / FILE).read_text())
        except OSError:
            return None
        return cls(told["version"], {name: Path(path) for name, path in told["folders"].items()})

    def remove(self) -> None:
        """Remove the tree with all groups in it, whose processes have ended."""
        for folder in dict.fromkeys(self.folders.values()):
            _remove(folder)


def write(path: Path, value: str, needed: bool = True) -> None:
    """Set a value of a group; what need not be there may be missing."""
    if needed or path.exists():
        path.write_text(value)


def make(name: str, proc: Path = SELF) -> Tree | None:
    """Make a tree for a warm process that was started from here, or return None where that cannot be.

    Args:
        name: of the tree, no other's.
        proc: what /proc says of this process.
    """
    try:
        mounts = _mounts(proc)
        own = _own(proc)
    except OSError:
        return None
    if "" in mounts:
        found = _below(*mounts[""], own.get("", "/"), name)
        if found is not None:
            return found
    return _separate(mounts, own, name)


def _mounts(proc: Path) -> dict[str, tuple[Path, str]]:
    """Where groups are seen, and which group is at the top there: by controller, and by "" for version 2."""
    found: dict[str, tuple[Path, str]] = {}
    for line in (proc / "mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        root, point = before.split()[3:5]
        kind, _, options = after.split()[:3]
        if kind == "cgroup2":
            found[""] = Path(point), root
        elif kind == "cgroup":
            found |= {name: (Path(point), root) for name in options.split(",") if name in WANTED}
    return found


def _own(proc: Path) -> dict[str, str]:
    """The group that this process is in, by controller, and by "" in version 2."""
    found: dict[str, str] = {}
    for line in (proc / "cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        found |= dict.fromkeys(names.split(","), path)
    return found


def _place(point: Path, root: str, own: str) -> Path:
    """The folder of this process's own group; in a container with somebody else's names, what is seen at the top."""
    inside = own if root == "/" else own[len(root) :] if own == root or own.startswith(f"{root}/") else ""
    folder = point / inside.strip("/")
    return folder if ".." not in inside and folder.is_dir() else point


def _below(point: Path, root: str, own: str, name: str) -> Tree | None:
    """A tree of version 2 below this process's group, or the nearest above it where that goes."""
    here = _place(point, root, own)
    for folder in (here, *here.parents):
        if not folder.is_relative_to(point):
            break
        base = folder / f"{PREFIX}{name}"
        try:
            handed = (folder / "cgroup.subtree_control").read_text().split()
            if not set(NEEDED) <= set(handed):
                # Refused to a group with processes of its own, and to whom it does not belong.
                (folder / "cgroup.subtree_control").write_text(" ".join(f"+{one}" for one in NEEDED))
            if "cpu" not in handed:
                with contextlib.suppress(OSError):
                    (folder / "cgroup.subtree_control").write_text("+cpu")
            _new(base)
            try:
                names = [*NEEDED]
                (base / "cgroup.subtree_control").write_text(" ".join(f"+{one}" for one in NEEDED))
                with contextlib.suppress(OSError):
                    (base / "cgroup.subtree_control").write_text("+cpu")
                    names.append("cpu")
                tree = Tree(2, dict.fromkeys(names, base))
                _try(tree)
                return tree
            except OSError:
                _remove(base)
        except OSError:
            continue
    return None


def _separate(mounts: dict[str, tuple[Path, str]], own: dict[str, str], name: str) -> Tree | None:
    """A tree of version 1: a group below each controller."""
    folders: dict[str, Path] = {}
    for one in WANTED:
        if one in mounts:
            base = _place(*mounts[one], own.get(one, "/")) / f"{PREFIX}{name}"
            with contextlib.suppress(OSError):
                # Controllers may lie in one tree.
                if base not in folders.values():
                    _new(base)
                folders[one] = base
    tree = Tree(1, folders)
    try:
        if set(NEEDED) <= set(folders):
            _try(tree)
            return tree
    except OSError:
        pass
    tree.remove()
    return None


def _try(tree: Tree) -> None:
    """Put a process into a group of the tree.

    Raises:
        OSError: it cannot be done.
    """
    group = tree.group("try", {"memory_bytes": 2**30, "processes": 8})
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            for descriptor in group.descriptors[1:]:
                os.write(descriptor, str(process.pid).encode())
        finally:
            process.kill()
            process.wait()
            group.remove()


# By their folders: whoever made one holds a lock on it, which ends with the process however it ends.
_held: dict[Path, int] = {}


def _new(base: Path) -> None:
    """Make a folder that is held by this process, and remove beside it what nobody holds any more."""
    for other in base.parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = os.open(other, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(other)
            finally:
                os.close(lock)
    base.mkdir()
    _held[base] = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(_held[base], fcntl.LOCK_SH)


def _remove(base: Path) -> None:
    """Remove a folder with the groups in it; processes that were killed a moment ago may need another."""
    ends = time.monotonic() + REMOVE_SECONDS
    while base.is_dir():
        for folder in [*(path for path in base.iterdir() if path.is_dir()), base]:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if time.monotonic() > ends:
            break
        time.sleep(0.01 if base.is_dir() else 0)
    if base in _held:
        os.close(_held.pop(base))


def scope(name: str) -> list[str]:
    """Return the call that starts a program in a scope of systemd's that is handed to us, or [] where there is none."""
    program = shutil.which("systemd-run")
    if program is None or not SYSTEMD.is_dir():
        return []
    call = [program, *(["--user"] if os.getuid() else []), "--scope", "--quiet", "--collect"]
    call += ["--property=Delegate=yes", f"--unit={PREFIX}{name}"]
    tried = [one if not one.startswith("--unit=") else f"{one}-try" for one in call]
    try:
        done = subprocess.run([*tried, "--", "true"], capture_output=True, timeout=SCOPE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [*call, "--"] if done.returncode == 0 else []


def in_scope(name: str, process: int, proc: Path = SELF) -> Tree | None:
    """Return a tree in the scope that a process was started in with `scope`, once it is there.

    Args:
        name: of the scope.
        process: what was started; its processes move to a group of their own, so that the scope can be divided.
        proc: what /proc says of this process.
    """
    ends = time.monotonic() + SCOPE_SECONDS
    unit = f"{PREFIX}{name}.scope"
    while time.monotonic() < ends:
        try:
            own = _own(proc.parent / str(process)).get("", "")
            point, root = _mounts(proc)[""]
        except (OSError, KeyError):
            return None
        if own.endswith(f"/{unit}"):
            return _divided(_place(point, root, own))
        time.sleep(0.01)
    return None


def _divided(folder: Path) -> Tree | None:
    warm = folder / "warm"
    try:
        warm.mkdir()
        # One that is forked meanwhile comes along, or is there at the second look.
        for _ in range(2):
            for pid in (folder / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    (warm / "cgroup.procs").write_text(pid)
        (folder / "cgroup.subtree_control").write_text(" ".join(f"+{one}" for one in NEEDED))
    except OSError:
        return None
    names = [*NEEDED]
    with contextlib.suppress(OSError):
        (folder / "cgroup.subtree_control").write_text("+cpu")
        names.append("cpu")
    return Tree(2, dict.fromkeys(names, folder))
