"""The steps of help towards an answer, each a little more than the one before.

1. what the verdict itself says to look at, if the last check failed,
2. the exercise's own hints,
3. the smallest case that fails, with numbers,
4. the formula and the shapes,
5. a puzzle: the lines of the reference with two wrong ones, out of order. A class can leave this one out.

None before the last has a line of the reference in it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.exercise import Exercise
from helpers.judging import judge
from helpers.judging.judge import Paper


@dataclass(frozen=True)
class Rung:
    """One step of help.

    Attributes:
        key: what it is; two rungs with one key are the same step.
        text: sentences, with `code`.
        block: lines to be set as they are, or none.
    """

    key: str
    text: str
    block: tuple[str, ...] = ()

    @property
    def words(self) -> int:
        """How many words there are to read; a puzzle's lines are no words."""
        return len(self.text.split()) + (0 if self.key == PUZZLE else sum(len(line.split()) for line in self.block))


EXAMPLE, FORMULA, PUZZLE = "example", "formula", "puzzle"
# What is said where a function takes nothing.
ONE_CASE = "There is one case only, and this is its form:"


@dataclass(frozen=True)
class Tried:
    """The last check of an exercise: its cases and what the answer gave."""

    paper: Paper
    answers: Sequence[Mapping[str, Any]]


def rungs(exercise: Exercise, own: str = "", tried: Tried | None = None, parsons: bool = True) -> list[Rung]:
    """Return all steps for an exercise, weakest first.

    Args:
        exercise: what is to be answered.
        own: the hint of what the last check said, or "".
        tried: the last check, if it failed.
        parsons: whether the puzzle is among them.
    """
    made = {EXAMPLE: lambda: _example(exercise, tried), PUZZLE: lambda: _puzzle(exercise)}
    made[FORMULA] = lambda: Rung(FORMULA, formula_and_shapes(exercise))
    return [made[key]() if key in made else Rung(key, key) for key in keys(exercise, own, parsons)]


def keys(exercise: Exercise, own: str = "", parsons: bool = True) -> list[str]:
    """Return the keys of what `rungs` returns, without the time that working out the example takes."""
    texts = list(dict.fromkeys(filter(None, [own, *exercise.hints])))
    formula = [FORMULA] if formula_and_shapes(exercise) else []
    return [*texts, EXAMPLE, *formula, *([PUZZLE] if parsons else [])]


def formula_and_shapes(exercise: Exercise) -> str:
    """Return the first sentence of the reference's description and what it returns.

    "" for a function without arguments: the description of a constant is its value.
    """
    reference = exercise.reference
    if not inspect.isclass(reference) and not inspect.signature(reference).parameters:
        return ""
    sections = (inspect.getdoc(reference) or "").split("\n\n")
    told = f"What it computes, in one line: {' '.join(sections[0].split())}"
    call = getattr(reference, "forward", None)
    if inspect.isclass(reference) and call is not None:
        sections = [*sections, *(part for part in _sections(call) if part.startswith("Returns:"))]
    for heading, begin in (("Attributes:", "Its parts: "), ("Returns:", "It returns ")):
        body = next((section for section in sections if section.startswith(heading)), "")
        if body:
            told += f" {begin}{' '.join(body[len(heading) :].split())}"
    return told


def _sections(function: Any) -> list[str]:
    return (inspect.getdoc(function) or "").split("\n\n")


def _example(exercise: Exercise, tried: Tried | None) -> Rung:
    from . import examples

    paper = tried.paper if tried is not None else judge.paper(exercise)
    number = examples.smallest_failing(paper, tried.answers) if tried is not None else None
    which = "a case that your answer fails"
    if number is None:
        number, which = examples.smallest(paper), "a case of the check"
    shown = examples.of_case(paper, number)
    if not paper.cases[number].args and paper.cases[number].init is None:
        return Rung(EXAMPLE, ONE_CASE, shown.lines)
    if shown.numbers:
        text = f"Work {which} by hand ({shown.note}), line by line of your code."
    else:
        text = f"Follow the shapes of {which} through your code ({shown.note}), and write one beside each line."
    return Rung(EXAMPLE, text, shown.lines)


def _puzzle(exercise: Exercise) -> Rung:
    from . import parsons

    made = parsons.puzzle(exercise)
    whole = "one right answer, but for its `__init__`," if made.without else "one right answer"
    begin = "class" if inspect.isclass(exercise.reference) else "def"
    text = (
        f"These are the lines of {whole} below its `{begin}` line, out of order. {len(made.wrong)} lines are wrong"
        f" and too many: the answer has {len(made.right)} of the {len(made.mixed)}. Which, and in which order?"
        f" {' '.join(made.notes)}"
    )
    width = len(str(len(made.mixed)))
    return Rung(PUZZLE, text.strip(), tuple(f"{number:>{width}}  {line}" for number, line in enumerate(made.mixed, 1)))
