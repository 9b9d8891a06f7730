"""One small case of a check as something to work by hand: what goes in, with numbers, and what should come out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.exercise import Built, Case, Exercise, Tensor
from helpers.judging import parts
from helpers.judging.judge import Paper

from . import heatmaps

# More numbers than these nobody works through by hand.
MOST_NUMBERS = 12
# Marks for code and quotation, which a block has no use for.
_UNSET = re.compile("[`“”]")


@dataclass(frozen=True)
class Example:
    """A case to work by hand.

    Attributes:
        note: what the call looks like, in words.
        lines: what goes in and what should come out.
        numbers: whether all numbers that go in are shown, so that it can be worked by hand.
    """

    note: str
    lines: tuple[str, ...]
    numbers: bool


def smallest_failing(paper: Paper, answers: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the number of the smallest of the cases that fail in the way that the card tells, or None."""
    found = paper.findings([dict(answer) for answer in answers])
    first = next((finding for finding in found if finding is not None), None)
    if first is None:
        return None
    return _smallest(paper, [i for i, one in enumerate(found) if one is not None and one.property == first.property])


def smallest(paper: Paper) -> int:
    """Return the number of the smallest of the cases that an exercise begins with."""
    begin = paper.cases[0].property
    return _smallest(paper, [i for i, case in enumerate(paper.cases) if case.property == begin]) or 0


def of_case(paper: Paper, number: int) -> Example:
    """Return a case as lines of text."""
    exercise, case = paper.exercise, paper.cases[number]
    lines = [*_made(exercise, case), *_given(exercise, case)] or [f"{exercise.name}() takes nothing"]
    numbers = not (case.init is not None and case.init.weights) and all(
        map(_shown, (*case.args, *case.kwargs.values()))
    )
    return Example(case.note, (*lines, *_wanted(exercise, case, paper.expected[number]["value"])), numbers)


def given(exercise: Exercise, case: Case) -> tuple[str, ...]:
    """Return what goes into a case as lines of text, without what should come out."""
    return (*_made(exercise, case), *_given(exercise, case))


def has_one_answer(exercise: Exercise) -> bool:
    """Whether an exercise takes no arguments and asks for numbers, so that what is expected is the answer itself."""
    reference = exercise.reference
    return (
        not inspect.isclass(reference)
        and not inspect.signature(reference).parameters
        and str(inspect.signature(reference).return_annotation) != "str"
    )


def _smallest(paper: Paper, numbers: Sequence[int]) -> int | None:
    # What needs the learner's trained weights has no numbers to show.
    known = [number for number in numbers if not paper.cases[number].from_file]
    return min(known, key=lambda number: size(paper.cases[number]), default=None)


def size(case: Case) -> int:
    """Return how many numbers go into a case."""
    return sum(map(_size, (*case.args, *case.kwargs.values())))


def _size(value: Any) -> int:
    if isinstance(value, (list, tuple)):
        return sum(map(_size, value))
    if isinstance(value, Mapping):
        return sum(map(_size, value.values()))
    array = value.array if isinstance(value, Tensor) else value
    return int(array.size) if isinstance(array, np.ndarray) else 1


def _shown(value: Any) -> bool:
    """Whether a reader sees every number of a value."""
    if isinstance(value, (Built, Mapping)):
        return False
    if isinstance(value, (list, tuple)):
        return all(_size(part) == 1 for part in value) and len(value) <= MOST_NUMBERS
    array = value.array if isinstance(value, Tensor) else value
    return not isinstance(array, np.ndarray) or (array.size <= MOST_NUMBERS and array.ndim <= 2)


def _made(exercise: Exercise, case: Case) -> Iterator[str]:
    """How a class's object is made."""
    if case.init is None:
        return
    told = [*_named(exercise.reference, case.init.args), *case.init.kwargs.items()]
    weights = ", with weights that the check sets" if case.init.weights else ""
    yield f"made by {exercise.name}({', '.join(f'{name}={value!r}' for name, value in told)}){weights}"


def _given(exercise: Exercise, case: Case) -> Iterator[str]:
    target = exercise.reference
    if inspect.isclass(target):
        method = case.method or ("forward" if hasattr(target, "forward") else "__call__")
        if case.method is not None:
            yield f"called: .{case.method}()"
        target = getattr(target, method)
        # `self` is no argument of the call.
        named = _named(target, (None, *case.args))[1:] if method in vars(exercise.reference) else []
        named = named or [(f"argument {number}", value) for number, value in enumerate(case.args, 1)]
    else:
        named = _named(target, case.args)
    for name, value in (*named, *case.kwargs.items()):
        yield from _value(name, value, numbers=True)


def _wanted(exercise: Exercise, case: Case, expected: Any) -> Iterator[str]:
    if case.raises is not None:
        yield f"should raise: {case.raises}"
    elif isinstance(expected, str):
        yield f"should return: a text of {len(expected)} letters"
    elif expected is not None:
        # What has no single right value is judged by more than its numbers.
        numbers = not has_one_answer(exercise) and case.property not in exercise.compare
        yield from _results(expected, parts.names(exercise.reference, expected), numbers)


def _results(expected: Any, names: parts.Names, numbers: bool) -> Iterator[str]:
    """What should come out, each of several results under its name."""
    if not isinstance(expected, tuple):
        yield from _value("should return", expected, numbers)
        return
    for number, part in enumerate(expected):
        name = names[number] if names else f"result {number + 1}"
        if isinstance(part, tuple):
            yield from _results(part, name if isinstance(name, tuple) else (), numbers)
        else:
            yield from _value(f"should return {_UNSET.sub('', str(name))}", part, numbers)


def _named(target: Any, args: Sequence[Any]) -> list[tuple[str, Any]]:
    """Arguments with the names that a function or class gives them."""
    return list(zip(inspect.signature(target).parameters, args))


def _value(name: str, value: Any, numbers: bool) -> Iterator[str]:
    if isinstance(value, Tensor):
        value = value.array
    if isinstance(value, np.ndarray) and value.ndim:
        yield f"{name}: {heatmaps.shape_in_words(value.shape)}"
        if numbers and value.size <= MOST_NUMBERS and value.ndim <= 2:
            for row in np.atleast_2d(value):
                yield "   " + " ".join(f"{_entry(entry):>8}" for entry in row)
    else:
        yield f"{name}: {_word(value, numbers)}"


def _word(value: Any, numbers: bool) -> str:
    if isinstance(value, Built):
        return "an object that the check makes"
    if isinstance(value, Mapping):
        return f"a dict of {len(value)} arrays"
    if isinstance(value, (list, tuple)) and any(_size(part) > 1 for part in value):
        return f"{len(value)} arrays"
    if isinstance(value, np.ndarray):
        value = value.item()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(str, value[:MOST_NUMBERS]))}]" if numbers else f"a list of {len(value)}"
    if value is None or isinstance(value, (bool, str)):
        return str(value)
    return _entry(value) if numbers else "a number"


def _entry(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    return str(value) if isinstance(value, (int, np.integer)) else f"{value:.3g}"
