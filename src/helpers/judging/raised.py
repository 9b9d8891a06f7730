"""What an exception says by itself: the operation that failed, in words, and nothing about why it stands there.

Each name repeats what Python, NumPy or torch said, so it is true whatever the exercise is.
"""

from __future__ import annotations

import re

from helpers.running.runner import Answer
from helpers.verdict import Diagnosis

from .errors import Error
from .messages import FORMS


def diagnose(name: str, answer: Answer) -> Diagnosis | None:
    """Return what the exception of an answer says, or None where its text is of no known form.

    Args:
        name: of the exercise.
        answer: to the first case that failed.
    """
    if answer["status"] != "raised":
        return None
    error = answer["error"]
    if error["own"]:
        return _of_parameters(error["message"])
    # A condition and what it does may stand on one line.
    if re.match(r"(?:(?:el)?if\b.*:\s*|else:\s*)?(?:raise|assert)\b", error["line"]):
        return _own_refusal(name, error)
    for kinds, pattern, tell in FORMS:
        found = re.search(pattern, error["message"])
        if found is not None and re.fullmatch(kinds, error["type"]):
            return tell(found, error)
    if error["operation"] == "raise" and error["type"] == "ValueError":
        return Diagnosis(
            "hands a function arguments that it refuses",
            "The message says what it does not take. Print what stands in the brackets of that line, with its shape.",
        )
    return None


def _own_refusal(name: str, error: Error) -> Diagnosis | None:
    mine = error["within"] and error["within"][-1].partition(".")[0] == name
    if not mine:
        return None
    return Diagnosis(
        "refuses arguments that are in order",
        "Your own line ends the call here, and these arguments make sense. Put this case's numbers into its condition:"
        " which part of it is too strict?",
    )


def _of_parameters(message: str) -> Diagnosis | None:
    if "the parameters of your" not in message:
        return None
    if "it has no" not in message and "it should not have" not in message:
        return Diagnosis(
            "a parameter has another shape than the exercise's",
            "The names are right. Which number of `__init__` gives that length: was it given to the right layer?",
        )
    return Diagnosis(
        "the parameters are not those that the exercise names",
        "Parameters are found under the names that `__init__` stores them by, `self.name = nn.Linear(...)`; in a plain"
        " list they are not found. Compare names and shapes with those of the exercise.",
    )
