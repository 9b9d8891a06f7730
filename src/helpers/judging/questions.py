"""What the judge asks once an answer has failed, before it says what is wrong: it changes no verdict, only the words.

Two questions are put as further cases, so the runner needs to know nothing of them. Does the same input give the same
output? If not, something draws random numbers or remembers the call before, and no pattern of numbers means anything.
Does the input matter at all? If not, what looks like a wrong formula is a constant.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.exercise import Case, Init, Tensor
from helpers.running.runner import Answer
from helpers.verdict import Diagnosis, Finding

from .agreement import alike
from .papers import Paper

# How many variants of the reference are tried on one wrong answer, at one place and again at two: more than there are
# of most. A number and no time, so that an answer is told the same on every machine.
TRIALS = 1_500
_ASKED = ("values", "compared", "relation", "shape", "dtype")
_RANDOM = Diagnosis(
    "the same input gives another output each time",
    "Something draws random numbers while it computes: dropout that is on, a layer that is made in `forward` and so"
    " starts anew, a generator; or something is kept from the call before.",
)
_CONSTANT = Diagnosis(
    "the output does not depend on the input",
    "Another input gave exactly the same output. Follow the argument through the code: where does it stop being used?",
)
_ZERO = Diagnosis(
    "gives 0 whatever the input is",
    "Another input gave 0 as well. Either an argument is not used, or a thing is compared with itself: say for each"
    " side in words what it is.",
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
    """Return the cases to put next: the first that failed twice, and once with another input; [] where it is no use."""
    first = next((i for i, finding in enumerate(found) if finding is not None), None)
    if first is None:
        return []
    finding, case = found[first], work.cases[first]
    if finding is None or finding.kind not in _ASKED or case.raises is not None or case.memory is not None:
        return []
    case = dataclasses.replace(case, gradients=False, times=1)
    if isinstance(case.init, Init) and case.init.weights is None:
        case = dataclasses.replace(case, init=dataclasses.replace(case.init, seed=case.init.seed or 0))
    other = _with_another_input(case)
    return [case, case] if other is None else [case, case, other]


def is_random(work: Paper, found: Sequence[Finding | None], answers: Sequence[Answer]) -> Diagnosis | None:
    """Return that the same input gave two outputs, where the answers to `further` show it."""
    two = _told(work, found, answers, 2)
    return _RANDOM if two and not alike(two[0], two[1], work.exercise.tolerance) else None


def is_constant(work: Paper, found: Sequence[Finding | None], answers: Sequence[Answer]) -> Diagnosis | None:
    """Return that another input gave exactly the same output, where the answers to `further` show it.

    Only real numbers count: the largest of several stays where it is when they change a little.
    """
    three = _told(work, found, answers, 3)
    # One case may leave nothing of its input, as a window that nobody is in; then others do.
    never_right = all(
        finding is not None or case.raises is not None or case.property in work.exercise.compare
        for case, finding in zip(work.cases, found)
    )
    if not three or not never_right or not _is_real(three[0]):
        return None
    if _is_same(three[0], three[2]) and _matters(work, further(work, found)):
        return _ZERO if _is_zero(three[0]) else _CONSTANT
    return None


def _told(work: Paper, found: Sequence[Finding | None], answers: Sequence[Answer], number: int) -> list[Any]:
    """The first results of `further`; [] where it was not asked, or not all were given."""
    asked = further(work, found)
    if len(asked) != len(answers) or len(answers) < number:
        return []
    given = answers[:number]
    usable = all(answer["status"] == "returned" and not answer["opaque"] for answer in given)
    return [answer["value"] for answer in given] if usable else []


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
