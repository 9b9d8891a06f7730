"""Wrong answers as learners and language models write them, as source text, with what may and may not be said."""

from __future__ import annotations

import linecache
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PREAMBLE = """\
import math
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
"""


@dataclass(frozen=True)
class Wild:
    """One wrong answer.

    Attributes:
        exercise: its name.
        source: the answer cell, after the imports of `PREAMBLE`; earlier cells of the learner's stand in it too.
        says: what the name of the diagnosis has to hold; "" where no name may be given.
        never: what neither the name nor the hint may hold.
        line: what the finding has to show of the learner's own line.
        reference: names that are imported from `helpers.reference`.
    """

    exercise: str
    source: str
    says: str | None = None
    never: tuple[str, ...] = ()
    line: str = ""
    reference: tuple[str, ...] = ()


def answer_of(wild: Wild, number: int = 0) -> Callable[..., Any]:
    """Run the cell, as a notebook does, and return the answer."""
    from helpers.judging import catalog

    file = f"<cell {wild.exercise} {number}>"
    text = PREAMBLE + textwrap.dedent(wild.source).strip() + "\n"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names: dict[str, Any] = {"__name__": "__main__"}
    for name in wild.reference:
        found = catalog.find(name)
        assert found is not None
        names[name] = found.reference
    exec(compile(text, file, "exec"), names)
    return names[wild.exercise]


def assert_named(wild: Wild, number: int) -> None:
    """Check an answer as the desk does: it fails, and what is said holds what it has to and nothing it may not."""
    from helpers.judging import catalog, checkup

    exercise = catalog.find(wild.exercise)
    assert exercise is not None
    verdict, _ = checkup.check(exercise, answer_of(wild, number))
    assert verdict.status == "failed", f"the answer is {verdict.status}"
    assert verdict.diagnosis is not None, f"no name: {verdict.finding}"
    assert (wild.says or "") in verdict.diagnosis.name
    for words in wild.never:
        assert words not in f"{verdict.diagnosis.name}. {verdict.diagnosis.hint}"
