"""Help with a question that a person reads, from the question's own text: what it asks, and how to answer it."""

from __future__ import annotations

import re

from helpers import contents
from helpers.contents import Task

from .ladder import Rung

# A number of a part, as "(1)" or "2.", or the end of a sentence that asks or bids.
_PART = re.compile(r"\s*\(\d\)\s*|(?:^|\s)\d\.\s+")
_QUOTED = re.compile(r'"[^"]*"')
_SENTENCE = re.compile(r"(?<=[.?!:])\s+(?=[A-Z*(])")
_ASKS = re.compile(
    r"\?|^(?:Say|Compare|Argue|Use|Think|Name|Pick|Look|Explain|Give|Show|Describe|For each|Then say|What|Why|How)\b"
)


def find(name: str) -> Task | None:
    """Return a question by its name, or None."""
    for unit in contents.units().values():
        for task in unit.tasks:
            if task.written and task.name == name:
                return task
    return None


def names() -> list[str]:
    """Return the names of all questions of the course."""
    return [task.name for unit in contents.units().values() for task in unit.tasks if task.written]


def rungs(task: Task) -> list[Rung]:
    """Return the steps towards an answer in words: what is asked, what it rests on, how it is written."""
    asked = parts(task.question)
    return [
        Rung(
            "asked",
            "A good answer talks about each of these, one after the other:" if len(asked) > 1 else "What is asked:",
            tuple(f"{number}. {part}" for number, part in enumerate(asked, 1)),
        ),
        Rung(
            "ground",
            "It rests on the text above the question. Look at the formulas and figures there: which of their numbers"
            " change with what is asked about, and which do not?",
        ),
        Rung(
            "form",
            "For each point, one sentence says what happens, and one says why: a formula, a number that you saw in this"
            " unit, or an example of your own. “It does not work” or “it is better” alone is no reason: say what goes"
            " wrong, or what becomes possible.",
        ),
        Rung(
            "test",
            "Read it aloud to someone who has not done the unit, or to yourself tomorrow. Where you want to ask “why?”"
            " or “how much?”, a sentence is missing.",
        ),
    ]


def parts(question: str) -> list[str]:
    """Return what a question asks, piece by piece: its numbered parts, and its sentences that ask or bid."""
    # What somebody is quoted to ask is not asked of the learner.
    pieces = [piece.strip(" \n;,") for piece in _PART.split(_QUOTED.sub("", question))]
    found = []
    for number, piece in enumerate(filter(None, pieces)):
        for sentence in _SENTENCE.split(" ".join(piece.split())):
            # What follows a number is a part of its own, and the "Say" before the first number says nothing.
            if (_ASKS.search(sentence) and " " in sentence) or (number > 0 and sentence[:1].islower()):
                found.append(re.sub(r",? and$", "", sentence))
    return found or [" ".join(question.split())]
