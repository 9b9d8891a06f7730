"""The part of `helpers` that a notebook of a unit may read while it is graded, laid out for its sandbox."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import helpers
from helpers import sources

# The parts of `helpers` that have no idea what is right.
OPEN_PARTS = (
    "__init__.py", "data.py", "exercise.py", "language.py", "memory.py", "desk/__init__.py", "desk/commands.py",
    "practice/__init__.py", "practice/commands.py", "running",
    "training/__init__.py", "training/run.py",
    "training/threads.py", "training/storage.py", "text.py", "plots",
)  # fmt: skip


def lay_out(unit: str | None, folder: Path) -> Path:
    """Lay out the `helpers` that a notebook of this unit may read, and return the folder to import from.

    Args:
        unit: the unit being graded; None for a notebook that is of no unit, which may read no reference.
        folder: where to put it.
    """
    source = Path(helpers.__file__).parent
    chosen = [
        path
        for name in OPEN_PARTS
        for path in ([source / name] if name.endswith(".py") else (source / name).rglob("*.py"))
        if path.is_file()
    ]
    chosen += [source / "reference" / "__init__.py"]
    chosen += [
        path for path in (source / "reference").glob("u*.py") if unit is not None and number(path.stem) < number(unit)
    ]
    package = sources.homes().get(unit or "", sources.OWN)
    if package != sources.OWN:
        # Of a package that brings the unit its figures alone, as of the course.
        other = sources.packages()[package]
        chosen += [other / "__init__.py", *(other / "plots").rglob("*.py")]
    for path in chosen:
        top = source if path.is_relative_to(source) else sources.packages()[package]
        place = folder / "lib" / top.name / path.relative_to(top)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
        compiled = Path(importlib.util.cache_from_source(str(path)))
        if compiled.is_file():
            # With the source's own time it is good for the copy, which then need not be compiled for every class.
            copy = Path(importlib.util.cache_from_source(str(place)))
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(compiled, copy)
    for path in (folder / "lib", *(folder / "lib").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder / "lib"


def modules(lib: Path) -> tuple[str, ...]:
    """Return the names of all modules of a laid-out library, for the warm process to import: a fork then compiles
    nothing.
    """
    found = [path.relative_to(lib).with_suffix("") for path in sorted(lib.rglob("*.py"))]
    return tuple(".".join(path.parent.parts if path.name == "__init__" else path.parts) for path in found)


def number(unit: str) -> int:
    """Return the number of a unit, 0 of what is named like none."""
    digits = unit[1:].split("_")[0]
    return int(digits) if digits.isdigit() else 0
