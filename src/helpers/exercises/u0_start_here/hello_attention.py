"""`hello_attention`: its cases, mistakes and hints."""

from __future__ import annotations

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u0_start_here as reference


def _hello_cases(rng: np.random.Generator) -> list[Case]:
    return [Case("values", note="hello_attention() is called without arguments")]


def _without_quotes() -> str:
    raise NameError("name 'attend' is not defined")


EXERCISE = Exercise(
    name="hello_attention",
    reference=reference.hello_attention,
    cases=_hello_cases,
    mistakes=(
        Mistake(
            "wrote a capital letter",
            "Python tells “Attend” from “attend”. All six letters are small ones.",
            lambda: "Attend",
        ),
        Mistake(
            "wrote it all in capitals",
            "Python tells “ATTEND” from “attend”. All six letters are small ones.",
            lambda: "ATTEND",
        ),
        Mistake(
            "wrote the noun, not the verb",
            "Look at the exercise again: the word asked for has six letters.",
            lambda: "attention",
        ),
        Mistake(
            "wrote the noun, with a capital letter",
            "Look at the exercise again: the word asked for has six letters, all small ones.",
            lambda: "Attention",
        ),
        Mistake(
            "left a blank after the word",
            "A blank is a character like any other: let the quotation mark follow the d.",
            lambda: "attend ",
        ),
        Mistake(
            "put a second pair of quotation marks into the string",
            "The quotation marks around a string are Python's and not part of it; one pair is enough.",
            lambda: '"attend"',
        ),
        Mistake(
            "forgot the quotation marks",
            "Without quotation marks Python looks for a variable of that name. With them it is a string.",
            _without_quotes,
        ),
        Mistake(
            "put the word into a list or a tuple",
            "The word itself is asked: no square brackets around it, and no comma behind it.",
            lambda: ["attend"],
        ),
    ),
    hints=(
        "The function returns one string, the word in quotation marks in the exercise. Begin with `return`.",
        "Copy the word with its quotation marks from the text, put it behind `return`, and take the `raise` line out.",
    ),
)
