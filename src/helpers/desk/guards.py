"""Frequent traps that are no mistake in the answer itself, each told in a plain sentence, and only where it is certain.

- The kernel still holds an older version than the cell: the cell was changed and not run, stopped with an error, or
  defines another name now.
- The answer prints while it is checked.
- NaN, whole numbers where real ones are asked, arrays of objects or text.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import json
import linecache
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.verdict import UNANSWERED, Finding, Verdict

# About a hundred lines: more than anybody prints on purpose to look at one array.
FLOOD = 4000


@dataclass
class Run:
    """One execution of a cell.

    Attributes:
        source: its text.
        code: the same as Python, line magics translated.
        cell: id of the cell, or None where the editor does not tell.
        when: time since the epoch.
        failed: whether it ended with an error; None while it runs.
    """

    source: str
    code: str
    cell: str | None
    when: float
    failed: bool | None = None

    def defines(self) -> set[str]:
        """Return the names that the cell's own level defines as functions or classes or assigns; empty when it is
        not Python."""
        try:
            tree = ast.parse(self.code)
        except (SyntaxError, ValueError):
            return set()
        names: set[str] = set()
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
            else:
                names |= {
                    part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
                }
                names |= {part.name for part in ast.walk(node) if isinstance(part, (ast.FunctionDef, ast.ClassDef))}
                names |= {(part.asname or part.name) for part in ast.walk(node) if isinstance(part, ast.alias)}
        return names

    def mentions(self, name: str) -> bool:
        """Whether a line of the cell begins to define the name, be the cell valid Python or not."""
        return re.search(rf"^(?:def|class)\s+{re.escape(name)}\b", self.code, re.M) is not None


class Log:
    """The cells that were run since `helpers` was imported."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def before(self, source: str, code: str, cell: str | None) -> None:
        self.runs.append(Run(source, code, cell, time.time()))

    def after(self, failed: bool) -> None:
        if self.runs and self.runs[-1].failed is None:
            self.runs[-1].failed = failed

    def of(self, answer: Any) -> int | None:
        """Return which run made a function or class, or None when that cannot be told."""
        text = _cell_text(answer)
        if not text:
            return None
        return next(
            (
                i
                for i in range(len(self.runs) - 1, -1, -1)
                if self.runs[i].code.strip() == text and not self.runs[i].failed
            ),
            None,
        )


def _cell_text(answer: Any) -> str:
    """The whole text of the cell that an answer was made in."""
    items = [answer, *vars(answer).values()] if inspect.isclass(answer) else [answer]
    for item in items:
        code = getattr(inspect.unwrap(item) if callable(item) else item, "__code__", None)
        if code is not None:
            return "".join(linecache.getlines(code.co_filename)).strip()
    return ""


def stale(name: str, answer: Any, log: Log, notebook: Path | None = None) -> str:
    """Say that the kernel holds an older version of an answer than the notebook, where that is certain; else "".

    Args:
        name: the exercise's name.
        answer: what was checked.
        log: the cells run so far.
        notebook: the file, to see whether a newer text was saved and not run.
    """
    index = log.of(answer)
    if index is None:
        return ""
    made = log.runs[index]
    for run in reversed(log.runs[index + 1 :]):
        if run.mentions(name) and run.failed:
            return (
                f"You checked a version of `{name}` that is no longer in the cell: the newer one stopped with an error"
                " before it took effect. Mend that error, run the cell, and check again."
            )
        if (
            made.cell is not None
            and run.cell == made.cell
            and run.code != made.code
            and not run.failed
            and name not in run.defines()
        ):
            other = sorted(run.defines() - made.defines())
            now = f"; it now defines `{other[0]}`" if len(other) == 1 else ""
            return (
                f"You checked a version of `{name}` that is no longer in the cell: since then you ran that cell without"
                f" a `{name}`{now}. The name has to stay `{name}`; after a restart this version is gone."
            )
    saved = _saved_since(notebook, made)
    if saved is not None and saved.strip() != made.source.strip():
        return (
            f"You checked a version of `{name}` that is no longer in the cell: the cell was changed and saved after it"
            " last ran. Run it, then check again."
        )
    return ""


def _saved_since(notebook: Path | None, run: Run) -> str | None:
    """The text of a cell in the notebook's file, if that was written after the cell ran last."""
    if notebook is None or run.cell is None:
        return None
    try:
        if notebook.stat().st_mtime <= run.when:
            return None
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        sources = [cell["source"] for cell in cells if cell.get("id") == run.cell]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if len(sources) != 1:
        return None
    return sources[0] if isinstance(sources[0], str) else "".join(sources[0])


def renamed(name: str, exercises: Sequence[str]) -> str:
    """Return the exercise that a name which is none was probably meant for, or ""."""
    close = difflib.get_close_matches(name, exercises, n=1, cutoff=0.6)
    folded = {_folded(one): one for one in exercises}
    return folded.get(_folded(name)) or (close[0] if close else "")


def _folded(name: str) -> str:
    return name.replace("_", "").lower().rstrip("0123456789")


def missing(name: str, log: Log, names: Mapping[str, Any]) -> str:
    """Say what is known about an answer that a check cell asks for and that is not there."""
    for run in reversed(log.runs[:-1]):
        if run.mentions(name) and run.failed:
            return (
                f"There is no `{name}`: its cell stopped with an error before it took effect. Mend that error and run"
                " the cell again."
            )
        own = sorted(one for one in run.defines() if callable(names.get(one)) and renamed(one, [name]))
        if own:
            return (
                f"There is no `{name}`, and a cell that you ran defines `{own[0]}`. If that is your answer: it has to"
                f" be called `{name}`."
            )
    return (
        f"There is no `{name}` yet: run its answer cell first, then this one. After a restart every cell has to run"
        " again, from the top."
    )


def about_run(name: str, answers: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is to be said of how the answer ran: it printed."""
    count = sum(answer["printed"] for answer in answers)
    if not count:
        return []
    if count >= FLOOD:
        advice = "A print in a loop takes time in every check: take it out when you have seen enough."
    else:
        advice = "To read them, call the function yourself in a cell of your own."
    return [f"`{name}` printed {count:,} characters while it was checked; they are not shown. {advice}"]


def about_result(finding: Finding | None, answers: Sequence[Mapping[str, Any]], named: bool = False) -> list[str]:
    """What is to be said of the kind of numbers in a wrong result; of a `named` mistake not where NaN comes from, of
    which its hint says more.
    """
    if finding is None:
        return []
    told = []
    yours, expected = finding.yours, finding.expected
    if (
        not named
        and yours is not None
        and expected is not None
        and yours.dtype.kind in "fc"
        and np.isnan(yours).any()
        and not np.isnan(expected).any()
    ):
        library = "torch" if any(answer["type"] == "Tensor" for answer in answers) else "np"
        told.append(
            "NaN comes from 0/0, from ∞ - ∞, or from the root or logarithm of a negative number. "
            f"`{library}.isnan(x).any()` after each line tells which line makes the first one."
        )
    if (
        yours is not None
        and expected is not None
        and finding.kind == "values"
        and yours.dtype.kind in "iu"
        and expected.dtype.kind == "f"
    ):
        if (expected[np.isfinite(expected)] % 1 != 0).any():
            told.append(
                f"Your result holds whole numbers ({yours.dtype}), so everything after the decimal point is lost. "
                "An array made from whole numbers, or like one (`zeros_like`), stays whole: ask for `dtype=float`."
            )
    if finding.kind == "type" and "dtype object" in finding.message:
        told.append(
            "An array of objects comes from rows of unequal length, or from None or a list as an entry. Print the rows"
            " before you join them."
        )
    if finding.kind == "type" and re.search(r"dtype <U", finding.message):
        told.append("Numbers in quotation marks are text. Without the marks they are numbers.")
    return told


def notes(verdict: Verdict, answers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what a check's card adds on how the answer ran and what kind of numbers it gave."""
    if verdict.status == UNANSWERED:
        return []
    finding, named = None if verdict.hidden else verdict.finding, verdict.diagnosis is not None
    return about_result(finding, answers, named) + about_run(verdict.exercise, answers)
