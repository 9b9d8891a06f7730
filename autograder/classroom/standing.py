"""Tells from the files alone that a run would find nothing to do, without opening anything.

When a run has done all there is to do, what it said is kept with a digest of the class: of every file its size, its
times and its place on the disk, of the course's own code likewise, and what was asked for. While none of that has
changed, the same command says the same again. All else goes the long way: a gradebook that is no file in the class
folder, a configuration that does more than set plain values, a run during which somebody else changed something.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import stat
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course import ROOT
from autograder.sandbox.outside.environments import library_folders, located
from helpers import sources

from .layout import FOLDER, KEPT

CONFIG, GRADEBOOK = "nbgrader_config.py", "gradebook.db"
FILE = Path(FOLDER, "standing.json")
# What a run writes. Nobody else's change to it can be told from the run's own, and none changes what is graded.
_WRITTEN = ("autograded", "feedback", "report", str(Path(FOLDER, "outcomes")))
_LEFT_OUT = (str(KEPT), str(FILE), str(Path(FOLDER, "grading.lock")), str(Path(FOLDER, "faults.txt")))
# Modules whose functions a configuration may call: they read nothing but the course's own code.
_KNOWN = ("autograder.plugin", "autograder.build")
_FOLDERS = {"source", "release", "submitted", "autograded", "feedback"}

Look = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Said:
    """What a run said: lines it told, the text of its table, how many submissions there were, its exit code."""

    told: list[str]
    text: str
    total: int
    code: int


class Standing:
    """A class as a run finds it.

    Args:
        root: the class folder.
        asked: the run's own options, ready for JSON.
    """

    def __init__(self, root: Path, asked: Mapping[str, Any]) -> None:
        self.root = root.absolute()
        self._asked = json.dumps(asked, sort_keys=True)
        self._certain = is_plain(self.root / CONFIG)
        self._gradebook = _of_gradebook(self.root)
        self._before = self._look()
        kept = self._read() if self._certain else None
        self.said = kept[2] if kept is not None and kept[0] == self._digest(self._before) else None
        # Whether something may have to be executed: what was handed in, or what it is graded by, has changed.
        self.may_grade = kept is None or kept[1] != self._digest(_given(self._before))

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Around each writing of ours into the gradebook: notice whether somebody else has written since the last."""
        self._certain = self._certain and self._gradebook == _of_gradebook(self.root)
        yield
        self._gradebook = _of_gradebook(self.root)

    def keep(self, said: Said) -> None:
        """Keep what the run said, if it can be said again as long as nothing changes."""
        after = self._look()
        same = _given(after) == _given(self._before) and self._gradebook == _of_gradebook(self.root)
        with contextlib.suppress(OSError):
            if not self._certain or not same:
                (self.root / FILE).unlink(missing_ok=True)
                return
            draft = (self.root / FILE).with_suffix(".new")
            content = {"all": self._digest(after), "given": self._digest(_given(after)), "said": vars(said)}
            draft.write_text(json.dumps(content), encoding="utf-8")
            os.replace(draft, self.root / FILE)

    def _read(self) -> tuple[str, str, Said] | None:
        try:
            content = json.loads((self.root / FILE).read_text(encoding="utf-8"))
            return content["all"], content["given"], Said(**content["said"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _digest(self, look: Look) -> str:
        return hashlib.sha256(f"{self._asked}\n{sorted(look.items())}".encode(errors="surrogateescape")).hexdigest()

    def _look(self) -> Look:
        """Every file of the class and of the course, by its path."""
        if not self._certain:
            return {}
        try:
            found = dict(_files(str(self.root), ""))
            for package in (ROOT / "autograder", *sources.installed().values()):
                found |= _files(str(package), f"{package}/")
            for environment in environments_in(self.root / CONFIG):
                # A package that brings a unit is looked at by its folders alone.
                folders = library_folders(str(environment))
                here = [environment / "bin" / "python", *folders, *(one for at in folders for one in at.iterdir())]
                found |= {str(path): (path.stat().st_mtime_ns,) for path in here}
            for place in (sys.executable, sysconfig.get_path("purelib")):
                found[place] = (os.stat(place).st_mtime_ns,)
        except OSError:
            # Somebody is at work there, or this is no class; the long way says what is wrong.
            self._certain = False
            return {}
        return found


def _given(look: Look) -> Look:
    """What is graded and what it is graded by, without what a run writes."""
    return {path: seen for path, seen in look.items() if not path.startswith((*_WRITTEN, GRADEBOOK))}


def _of_gradebook(root: Path) -> list[tuple[int, ...]]:
    # It may not be opened beside SQLite: closing it would let go of SQLite's own locks.
    paths = (root / GRADEBOOK, root / f"{GRADEBOOK}-wal")
    return [_seen(path.stat()) for path in paths if path.is_file()]


def _files(folder: str, prefix: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = prefix + entry.name
            if path in _LEFT_OUT or entry.name == "__pycache__":
                continue
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                # Its times change with what is in it, which is looked at itself.
                yield path, (status.st_mode,)
                yield from _files(entry.path, f"{path}/")
            else:
                yield path, _seen(status)


def _seen(status: os.stat_result) -> tuple[int, ...]:
    return status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def is_plain(config: Path) -> bool:
    """Whether a class's configuration reads nothing but itself: it sets plain values and calls the course's own two
    functions, and leaves nbgrader's folders where they are.
    """
    try:
        tree = ast.parse(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return False
    return all(map(_is_plain, tree.body))


def environments_in(config: Path) -> list[Path]:
    """Return the folders of the Python environments that a plain configuration names."""
    found: list[Path] = []
    for node in ast.parse(config.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "c.SandboxedExecute.environments":
            named = ast.literal_eval(node.value)
            texts = named.values() if isinstance(named, dict) else ()
            found += [Path(located(text, config.parent)) for text in texts if isinstance(text, str)]
    return [path for path in found if path != Path()]


def _is_plain(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module in _KNOWN
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or ast.unparse(node.value) in (
            "c.merge(release_config())",
            "configure(c)",
            "configure(get_config())",
        )
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return False
    target = ast.unparse(node.targets[0])
    if target == "c":
        return ast.unparse(node.value) == "get_config()"
    try:
        value = ast.literal_eval(node.value)
    except ValueError:
        return False
    section, name = target.removeprefix("c.").rpartition(".")[::2]
    if section != "CourseDirectory" or name in ("course_id", "groupshared"):
        return target.count(".") == 2 and target.startswith("c.")
    return name.removesuffix("_directory") in _FOLDERS and value == name.removesuffix("_directory")
