"""Faults of ours, found while a submission was graded: they give nobody a 0, and in the end they stop the run.

A submission that cannot be graded through no fault of its own gets no points, neither 0 nor others. The rest of the
class is graded first; when one after the other fails, it is no matter of a single one and the run ends at once.
"""

from __future__ import annotations

import contextlib
import errno
import platform
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import helpers
from autograder.classroom.layout import FOLDER
from autograder.course import CourseError
from autograder.sandbox.texts import storable

from .results import Result

# So many submissions one after the other, and it is the machine or the grader.
IN_A_ROW = 3
FULL = (errno.ENOSPC, errno.EDQUOT)
_PACKAGES = (
    "ipykernel", "ipython", "jupyter_client", "nbclient", "nbconvert", "nbformat", "nbgrader", "numpy", "pyzmq",
    "sqlalchemy", "torch", "tornado", "traitlets",
)  # fmt: skip


class Unfinished(CourseError):
    """Some submissions could not be graded through no fault of theirs; all others are.

    Attributes:
        results: of the others.
    """

    def __init__(self, message: str, results: Sequence[Result] = ()) -> None:
        super().__init__(message)
        self.results = list(results)


@dataclass
class Faults:
    """What failed in one run.

    Attributes:
        root: the class folder.
        found: student, unit and what went wrong.
    """

    root: Path
    found: list[tuple[str, str, str]] = field(default_factory=list)
    _row: int = 0

    @property
    def path(self) -> Path:
        """The file to send us."""
        return self.root / FOLDER / "faults.txt"

    def graded(self) -> None:
        """Another submission was graded: what failed before was not the machine."""
        self._row = 0

    def add(self, student: str, unit: str, reason: str, error: BaseException) -> None:
        """Note that a submission could not be graded.

        Raises:
            Unfinished: it is not the only one, and none could be graded since.
        """
        if not self.found:
            self._begin()
        self.found.append((student, unit, storable(reason)))
        self._keep(f"\n{student} {unit}: {reason}\n{''.join(traceback.format_exception(error))}")
        self._row += 1
        if self._row >= IN_A_ROW:
            raise Unfinished(
                f"{self._row} submissions one after the other could not be graded ({self._told(self._row)}); this is "
                f"no fault of theirs, and they have no points. What is graded stays. Send us {self.path}"
            )

    def end(self, results: Sequence[Result]) -> None:
        """At the end of the run: raise `Unfinished` if anything failed."""
        if self.found:
            names = list(dict.fromkeys(student for student, _, _ in self.found))
            skip = " ".join(f"--skip {name!r}" if " " in name else f"--skip {name}" for name in names)
            raise Unfinished(
                f"not graded, through no fault of the submission and so without points: {self._told(len(self.found))}. "
                f"All else is graded. The same command tries again; with {skip} it goes on without. "
                f"Send us {self.path}",
                results,
            )

    def _told(self, last: int) -> str:
        return "; ".join(f"{student} {unit}: {reason}" for student, unit, reason in self.found[-last:])

    def _begin(self) -> None:
        lines = [f"attention-course {helpers.__version__}, Python {platform.python_version()}, {platform.platform()}"]
        for name in _PACKAGES:
            with contextlib.suppress(metadata.PackageNotFoundError):
                lines.append(f"{name} {metadata.version(name)}")
        self._keep("\n".join(lines) + "\n", "w")

    def _keep(self, text: str, mode: str = "a") -> None:
        # A disk that is full may not hide what failed.
        with contextlib.suppress(OSError), open(self.path, mode, encoding="utf-8") as file:
            file.write(storable(text))
