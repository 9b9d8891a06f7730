"""What the judge asks once an answer has failed, before it says what is wrong: it changes no verdict, only the words.

Two questions are put as further cases, so the runner needs to know nothing of them. Does the same input give the same
output? If not, something draws random numbers or remembers the call before, and no pattern of numbers means anything.
Does the input matter at all? If not, what looks like a wrong formula is a constant.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.exercise import Case, Init, Tensor
from helpers.running.runner import Answer
from helpers.verdict import Diagnosis, Finding

from . import traits
from .agreement import alike
from .comparison import examine
from .papers import Paper

# How many variants of the reference are tried on one wrong answer, at one place and again at two: more than there are
# of most. A number and no time, so that an answer is told the same on every machine.
TRIALS = 1_500
_ASKED = ("values", "compared", "relation", "shape", "dtype")
_RANDOM = Diagnosis(
    "the same input gives another output each time",
    "Something draws random numbers while it computes: dropout that is on, a layer that is made in `forward` and so"
    " starts anew, a generator. Or something is kept from the call before, or read from memory that nothing was written"
    " to: `torch.empty`, `np.empty`.",
)
_UNSEEDED = Diagnosis(
    "the same seed gives another output each time",
    "Whatever is drawn has to come from one generator, made from `seed` inside the function:"
    " `np.random.default_rng(seed)`.",
)
_CONSTANT = Diagnosis(
    "the output does not depend on the input",
    "Another input gave exactly the same output. Follow the argument through the code: where does it stop being used?",
)
_KEPT = Diagnosis(
    "keeps something from one call to the next",
    "The same call is right when it is the first one of a new object. What is stored, in `self` or outside of the"
    " function, that each call should make anew?",
)
_ZERO = Diagnosis(
    "gives 0 whatever the input is",
    "Another input gave 0 as well. Is an argument not used, or are two things compared that are always equal? Say for"
    " each side in words what it is.",
)
# Numbers that rounding leaves of a difference of two equal ones.
_NOTHING = 1e-12


@dataclass(frozen=True)
class More:
    """What is known of a failed answer besides its answers to the cases.

    Attributes:
        facts: what `helpers.running.reading` says, checked.
        answers: the answers to `further`, in its order.
        broken: pieces of the learner's own that the answer builds on and with whose references it passes.
        failed: exercises of the same notebook that are known not to be right.
        trials: how many variants of the reference are tried at most.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    broken: tuple[str, ...] = ()
    failed: frozenset[str] = frozenset()
    trials: int = TRIALS


def further(work: Paper, found: Sequence[Finding | None]) -> list[Case]:
    """Return the cases to put next: the first that failed twice, once with another input, and, where calls went before
    the one that counted, without these; [] where it is no use."""
    return [case for _, case in _plan(work, found)]


def _plan(work: Paper, found: Sequence[Finding | None]) -> list[tuple[str, Case]]:
    """What each further case is for, and the case."""
    first = next((i for i, finding in enumerate(found) if finding is not None), None)
    if first is None:
        return []
    finding, case = found[first], work.cases[first]
    if finding is None or case.raises is not None or case.memory is not None:
        return []
    alone = _alone(case)
    once = [] if alone is None or finding.kind not in (*_ASKED, "raised") else [("once", alone)]
    if finding.kind not in _ASKED:
        return once
    case = dataclasses.replace(case, gradients=False, times=1)
    if isinstance(case.init, Init) and case.init.weights is None:
        case = dataclasses.replace(case, init=dataclasses.replace(case.init, seed=case.init.seed or 0))
    other = _with_another_input(case)
    return [("same", case), ("again", case), *([] if other is None else [("other", other)]), *once]


def _alone(case: Case) -> Case | None:
    """The case without the calls that go before the one that counts; None where there are none."""
    before = case.times > 1 or len(case.chunks) == 1 or (case.init is not None and bool(case.init.earlier))
    if not before or len(case.chunks) > 1:
        return None
    init = case.init if case.init is None else dataclasses.replace(case.init, earlier=())
    return dataclasses.replace(case, times=1, chunks=(), init=init)


def is_kept(work: Paper, found: Sequence[Finding | None], answers: Sequence[Answer]) -> Diagnosis | None:
    """Return that something is kept from one call to the next, where the call by itself is right."""
    told = _told(work, found, answers)
    first = next((i for i, finding in enumerate(found) if finding is not None), 0)
    if "once" not in told or told["once"]["status"] != "returned":
        return None
    once = told["once"]
    if work.cases[first].chunks:
        if not isinstance(once["value"], (tuple, list)) or not once["value"]:
            return None
        # Of what is read in pieces only the first result counts; the cache beside it is for the next piece.
        once = {**once, "value": once["value"][0], "type": work.expected[first]["type"]}
    right = examine(work.exercise, work.cases[first], once, work.expected[first]) is None
    return _KEPT if right else None


def is_random(work: Paper, found: Sequence[Finding | None], answers: Sequence[Answer]) -> Diagnosis | None:
    """Return that the same input gave two outputs, where the answers to `further` show it."""
    same, again = _values(_told(work, found, answers), "same", "again")
    if same is None or again is None:
        return None
    if alike(same[0], again[0], work.exercise.tolerance):
        return None
    return _UNSEEDED if "seed" in inspect.signature(work.exercise.reference).parameters else _RANDOM


def is_constant(work: Paper, found: Sequence[Finding | None], answers: Sequence[Answer]) -> Diagnosis | None:
    """Return that another input gave exactly the same output, where the answers to `further` show it.

    Only real numbers count: the largest of several stays where it is when they change a little.
    """
    same, other = _values(_told(work, found, answers), "same", "other")
    # One case may leave nothing of its input, as a window that nobody is in; then others do.
    never_right = all(
        finding is not None or case.raises is not None or case.property in work.exercise.compare
        for case, finding in zip(work.cases, found)
    )
    if same is None or other is None or not never_right or not _is_real(same[0]):
        return None
    if _is_same(same[0], other[0]) and _matters(work, [case for role, case in _plan(work, found) if role != "once"]):
        return _ZERO if _is_zero(same[0]) else _constant(work, dict(_plan(work, found))["same"])
    return None


def _constant(work: Paper, case: Case) -> Diagnosis:
    """That the output does not depend on what was changed: the input, or by its name one array of several."""
    arrays = [
        name
        for name, value in traits.values_of_case(case, work.exercise.reference).items()
        if isinstance(value, (np.ndarray, Tensor))
    ]
    if len(arrays) < 2:
        return _CONSTANT
    return dataclasses.replace(_CONSTANT, name=f"`{arrays[0]}` makes no difference to the output")


def _told(work: Paper, found: Sequence[Finding | None], answers: Sequence[Answer]) -> dict[str, Answer]:
    """The answers to `further` by what they are for; {} where not all were given."""
    plan = _plan(work, found)
    return {role: answer for (role, _), answer in zip(plan, answers)} if len(plan) == len(answers) else {}


def _values(told: dict[str, Answer], *roles: str) -> list[tuple[Any] | None]:
    """The results that were given for two further cases; None for each that was not."""
    usable = [role in told and told[role]["status"] == "returned" and not told[role]["opaque"] for role in roles]
    return [(told[role]["value"],) if fine else None for role, fine in zip(roles, usable)]


def _is_real(value: object) -> bool:
    """Whether there are real numbers in a result."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    return any(isinstance(part, float) or (isinstance(part, np.ndarray) and part.dtype.kind == "f") for part in parts)


def _is_same(a: object, b: object) -> bool:
    return a is not None and not _is_all_nan(a) and alike(a, b, 0.0)


def _is_zero(value: object) -> bool:
    parts = value if isinstance(value, (list, tuple)) else [value]
    return all(isinstance(part, (int, float, np.ndarray)) and bool((np.abs(part) < _NOTHING).all()) for part in parts)


def _is_all_nan(value: object) -> bool:
    """Whether no entry is a number: that hides whatever the input did."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    return any(isinstance(part, np.ndarray) and part.dtype.kind in "fc" and np.isnan(part).all() for part in parts)


def _matters(work: Paper, asked: Sequence[Case]) -> bool:
    """Whether the reference's output depends on what was changed."""
    from helpers.running import runner

    if any(case.from_file for case in asked):
        return False
    one, other = runner.run(work.exercise.reference, asked[1:])
    both = one["status"] == other["status"] == "returned"
    return both and not alike(one["value"], other["value"], work.exercise.tolerance)


def _with_another_input(case: Case) -> Case | None:
    """The case with its first array turned by one place along its last axis, and for real numbers changed in size."""
    args = list(case.args)
    for index, item in enumerate(args):
        array = item.array if isinstance(item, Tensor) else item
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf" or array.size < 2:
            continue
        other = np.roll(array, 1, axis=-1)
        if other.dtype.kind == "f":
            other = other * np.linspace(0.5, 1.5, other.size, dtype=other.dtype).reshape(other.shape)
        args[index] = dataclasses.replace(item, array=other) if isinstance(item, Tensor) else other
        return dataclasses.replace(case, args=tuple(args))
    return None
