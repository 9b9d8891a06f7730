"""Wrong answers that no list of mistakes was written for, one table a unit, and how they are read, written and tried.

An answer is a learner's cell as text, with one sentence of what is really wrong with it. Whether the name that a check
gives is true of it was judged by a person, beside the text that was judged: another text asks for a new judgement.
The tables may not be used to write mistakes from; they measure (`benchmarks/naming.py`).
"""

from __future__ import annotations

import importlib
import linecache
import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers import contents, data

FOLDER = Path(__file__).parent
# What a judgement may be: the name is true, the name is false, or nothing but the certain was said.
TRUE, FALSE, CERTAIN = "true", "false", "certain"


@dataclass(frozen=True)
class Answer:
    """One wrong answer.

    Attributes:
        exercise: the name of the exercise.
        truth: what is really wrong, in one sentence.
        source: the text of the cell.
        judged: `TRUE`, `FALSE`, `CERTAIN`, or "" where nobody has judged yet.
        said: the text that `judged` is about.
    """

    exercise: str
    truth: str
    source: str
    judged: str = ""
    said: str = ""


def load(path: Path) -> list[Answer]:
    """Return the answers of one table."""
    return [Answer(**row) for row in tomllib.loads(path.read_text(encoding="utf-8"))["answer"]]


def store(path: Path, answers: Sequence[Answer]) -> None:
    """Write a table, so that `load` reads the same answers again.

    Raises:
        ValueError: a source holds three single quotes, which end a text in the table.
    """
    rows = []
    for answer in answers:
        if "'''" in answer.source:
            raise ValueError(f"an answer to {answer.exercise} holds three single quotes; write it with double ones")
        row = [f"{field} = {_quoted(getattr(answer, field))}" for field in ("exercise", "truth")]
        row.append(f"source = '''\n{answer.source}'''")
        row += [f"{field} = {_quoted(getattr(answer, field))}" for field in ("judged", "said") if answer.judged]
        rows.append("[[answer]]\n" + "\n".join(row) + "\n")
    path.write_text("\n".join(rows), encoding="utf-8")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def run(answer: Answer, number: int = 0) -> Any:
    """Run an answer's cell as a learner's notebook would, and return the function or class that it defines.

    Before it stand the libraries and the references of everything that comes earlier in the course.
    """
    file = f"<{answer.exercise} {number}>"
    # The source of a notebook's cell can be looked up, so that of this one can be, too.
    linecache.cache[file] = (len(answer.source), None, answer.source.splitlines(keepends=True), file)
    names = _before(answer.exercise)
    exec(compile(answer.source, file, "exec"), names)
    return names[answer.exercise]


def _before(exercise: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__", "np": np, "torch": torch, "nn": nn, "F": F, "math": math}
    names |= {name: getattr(data, name) for name in ("PAD", "BOS", "EOS", "MAX_LENGTH")}
    for unit in contents.units().values():
        reference = importlib.import_module(f"helpers.reference.{unit.name}")
        for task in unit.tasks:
            if task.name == exercise:
                # Unit 9's notebook gives this one.
                return names | ({"RMSNorm": reference.RMSNorm} if hasattr(reference, "RMSNorm") else {})
            if not task.written:
                names[task.name] = getattr(reference, task.name)
    raise ValueError(f"{exercise} is no exercise of the course")
