"""What is handed out of a paper, and what comes back: nothing in it tells which kind of case is which.

The cases go out in an order drawn from the paper's seed. A call that has to raise an error may differ from all others
in more than its arguments: a class that must not be made has no weights, for instance. Such a case has a control beside
it, which differs from it in the arguments alone, and makes sense; an answer that raises there too has only guessed.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from helpers.exercise import Case
from helpers.running import wire

from .papers import Paper
from .records import checked

# What the answers to a paper may weigh at least, and beyond what the reference's weigh: float64 in place of float32, a
# batch too many, a whole table in place of a row are wrong answers that are told as such.
LEAST_BYTES, FACTOR = 8 * 2**20, 8
MB = 2**20


@functools.lru_cache(maxsize=512)
def controls(work: Paper) -> dict[int, Case]:
    """Return the controls of a paper by the places of the cases that they belong to."""
    sensible = [case for case in work.cases if case.raises is None]
    seen = {_outside(case) for case in sensible}
    found = {}
    for place, case in enumerate(work.cases):
        if case.raises is not None and case.init is not None and _outside(case) not in seen:
            model = next((one for one in sensible if one.init is not None and not one.from_file), None)
            if model is not None and model.init is not None:
                init = dataclasses.replace(case.init, args=model.init.args, kwargs=model.init.kwargs)
                # Where another method is called, only the object is made differently, and the call is as it was.
                call = case if case.method != model.method else model
                found[place] = dataclasses.replace(
                    case, args=call.args, kwargs=call.kwargs, chunks=call.chunks, init=init, raises=None
                )
    return found


def _outside(case: Case) -> tuple[object, ...]:
    """What the runner is told of a case besides the arguments: whatever is given, not its numbers."""
    init = case.init
    return (
        case.method,
        case.gradients,
        case.memory is None,
        case.times,
        bool(case.chunks),
        init
        and (
            init.weights is None,
            init.weights_file,
            init.prefix,
            bool(init.renamed),
            init.training,
            init.seed is None,
        ),
        init and bool(init.earlier),
    )


@functools.lru_cache(maxsize=512)
def handed_out(work: Paper) -> tuple[Case, ...]:
    """Return the cases and their controls in the order in which they are put to an answer."""
    every = [*work.cases, *controls(work).values()]
    return tuple(every[place] for place in work.order(len(every)))


def taken(work: Paper, answers: object) -> list[Any]:
    """Return the answers to a paper's cases in its own order, from those to `handed_out`; [] when some are missing.

    The answer to a control is put into that of its case, as "control".
    """
    count = len(handed_out(work))
    if not isinstance(answers, list) or len(answers) != count:
        return []
    sorted_: list[Any] = [None] * count
    for place, answer in zip(work.order(count), answers):
        sorted_[place] = answer
    mine = sorted_[: len(work.cases)]
    for place, control in zip(controls(work), sorted_[len(work.cases) :]):
        mine[place] = checked(mine[place]) | {"control": checked(control)}
    return mine


@functools.lru_cache(maxsize=512)
def most_bytes(work: Paper) -> int:
    """Return how large the message with the answers to a paper may be."""
    return max(LEAST_BYTES, FACTOR * _expected_bytes(work))


def too_large(work: Paper, size: int) -> str:
    """Say that the answers weigh too much."""
    expected = _expected_bytes(work)
    return (
        f"your answer sent back {size / MB:,.1f} MB where {max(expected / MB, 0.1):,.1f} MB were expected, and at most"
        f" {most_bytes(work) / MB:,.0f} MB are read: does it return more than was asked?"
    )


@functools.lru_cache(maxsize=512)
def _expected_bytes(work: Paper) -> int:
    return len(wire.encode(work.expected))
