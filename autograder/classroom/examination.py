"""Examines a class folder: what is there, who may read it, and what would stop grading before it begins."""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path

from autograder.course import CourseError
from autograder.sandbox import probe
from autograder.sandbox.doctor import Examined
from autograder.sandbox.outside.environments import of
from autograder.sandbox.outside.errors import SandboxError
from helpers.judging import catalog

from . import environments
from .classroom import CONFIG, Classroom, gradebook_file
from .layout import FOLDER
from .secret import class_secret


def examine(root: Path) -> list[Examined]:
    """Look at a class folder and return what was found; nothing is changed or made."""
    try:
        classroom = Classroom.open(root)
    except CourseError as error:
        return [
            Examined("configuration", False, str(error), f"mend {CONFIG}, or make a class with `autograder init DIR`")
        ]
    found = Examined("configuration", True, str(classroom.root / CONFIG), "")
    return [
        found,
        *_layout(classroom),
        _secret(classroom),
        *_gradebook(classroom),
        _exchange(classroom),
        *_environments(classroom),
    ]


def _layout(classroom: Classroom) -> list[Examined]:
    folders = classroom.directory(logging.getLogger("attention"))
    kinds = [folders.source_directory, folders.release_directory, folders.submitted_directory]
    missing = [kind for kind in kinds if not (classroom.root / kind).is_dir()]
    layout = Examined(
        "folders",
        not missing,
        f"not there: {', '.join(missing)}" if missing else ", ".join(kinds),
        f"autograder init {classroom.root} makes them",
    )
    return [layout, _private("class folder's rights", classroom.root, "chmod 700", bool(folders.groupshared))]


def _private(name: str, path: Path, remedy: str, shared: bool = False) -> Examined:
    mode = path.stat().st_mode & 0o777
    others = mode & (0o007 if shared else 0o077)
    return Examined(name, not others, f"{mode:o}" + (": others may read it" if others else ""), f"{remedy} {path}")


def _secret(classroom: Classroom) -> Examined:
    path = classroom.root / FOLDER / "secret"
    if not path.is_file():
        return Examined(
            "secret", False, "not there", "restore it from a backup; else `autograder grade` draws a new one"
        )
    try:
        class_secret(classroom.root)
    except CourseError as error:
        return Examined("secret", False, "damaged", str(error))
    return _private("secret", path, "chmod 600")


def _gradebook(classroom: Classroom) -> list[Examined]:
    path = gradebook_file(classroom)
    if path is None:
        place = classroom.db_url.split("@")[-1]
        return [Examined("gradebook", True, f"{place}: its server keeps it", "")]
    if not path.is_file():
        remedy = "restore it from a backup, or release a unit: autograder init"
        return [Examined("gradebook", False, f"{path} is not there", f"{remedy} {classroom.root} u1")]
    try:
        # Read only: a look makes no journal beside a gradebook that somebody else is writing.
        with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5) as database:
            (whole,) = database.execute("pragma quick_check").fetchone()
            (students,) = database.execute("select count(*) from student").fetchone()
            (units,) = database.execute("select count(*) from assignment").fetchone()
        database.close()
    except sqlite3.Error as error:
        return [Examined("gradebook", False, str(error), f"restore {path} from a backup")]
    rows = [Examined("gradebook", whole == "ok", whole if whole != "ok" else "whole", f"restore {path} from a backup")]
    rows.append(
        Examined(
            "students and units",
            bool(students and units),
            f"{students} students, {units} units released",
            "`autograder roster FILE` takes students in, `autograder init` releases units",
            needed=False,
        )
    )
    shared = bool(classroom.directory(logging.getLogger("attention")).groupshared)
    return [*rows, _private("gradebook's rights", path, "chmod 600", shared)]


def _exchange(classroom: Classroom) -> Examined:
    root = classroom.config.Exchange.get("root", "")
    if not root:
        return Examined("exchange", True, "none: handed in through a system, or by hand", "", needed=False)
    there = Path(root).is_dir() and os.access(root, os.W_OK | os.X_OK)
    return Examined(
        "exchange",
        there,
        f"{root}" + ("" if there else " is not there, or may not be written"),
        f"make it writable for everybody: chmod 777 {root}; or take c.Exchange.root out of {CONFIG}",
        needed=False,
    )


def _environments(classroom: Classroom) -> list[Examined]:
    """The Python environments that the class names, each tried with a kernel of its own."""
    rows = []
    for name, prefix in environments.named(classroom.root, classroom.config).items():
        try:
            environment = of(prefix, name in catalog.units())
            warm = probe.start(name if name in catalog.units() else None, environment=prefix)
        except SandboxError as error:
            rows.append(
                Examined(f"environment of {name}", False, str(error), "make it whole; nothing is graded till then")
            )
            continue
        seen = f"{environment}, ipykernel {environment.ipykernel}" if prefix else f"{environment}: the grader's own"
        rows.append(Examined(f"environment of {name}", True, f"{seen}. {warm.note}".rstrip(" ."), ""))
        warm.close()
    return rows
