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

# Seconds of processor time for trying variants of the reference on one wrong answer.
BUDGET = 0.2
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
        budget: seconds of processor time for trying variants of the reference.
        tries: or how many to try, however long that takes: then the same answer has the same words on every machine.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    broken: tuple[str, ...] = ()
    failed: frozenset[str] = frozenset()
    budget: float = BUDGET
    tries: int | None = None


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


def diagnose(work: Paper, found: Sequence[Finding | None], answers: Sequence[Answer]) -> Diagnosis | None:
    """Return what the answers to `further` say, or None."""
    asked = further(work, found)
    if len(asked) != len(answers) or not asked or any(answer["status"] != "returned" for answer in answers[:2]):
        return None
    one, again = answers[0], answers[1]
    if one["opaque"] or again["opaque"]:
        return None
    if not alike(one["value"], again["value"], work.exercise.tolerance):
        return _RANDOM
    if len(answers) < 3 or answers[2]["status"] != "returned" or answers[2]["opaque"]:
        return None
    # One case may leave nothing of its input, as a window that nobody is in; then others do.
    never_right = all(
        finding is not None or case.raises is not None or case.property in work.exercise.compare
        for case, finding in zip(work.cases, found)
    )
    if never_right and _is_same(one["value"], answers[2]["value"]) and _matters(work, asked):
        return _ZERO if _is_zero(one["value"]) else _CONSTANT
    return None


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
