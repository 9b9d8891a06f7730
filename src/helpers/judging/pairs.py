"""Two known mistakes at once: where they replace different parts of a right answer, both are made, and compared."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from helpers.exercise import PARTS, Mistake
from helpers.running.runner import Answer
from helpers.verdict import Diagnosis, Finding

from .agreement import agree
from .papers import Paper

# How many pairs are made at most: each runs one case, and a learner waits. Modules take longer to make and to run.
MOST, MOST_MODULES = 200, 120
# What a mistake does to the form of a result, it does together with another as well.
_FORMS = ("raised", "shape", "results", "tuple", "list", "type", "keys", "nothing")


def diagnose(work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None]) -> Diagnosis | None:
    """Return the two known mistakes that together give the learner's answers in every case, or None.

    Where several pairs agree alike, a mistake that is in all of them is named, and else none.
    """
    rows = [i for i, case in enumerate(work.cases) if not case.from_file]
    failing = [i for i in rows if found[i] is not None and work.cases[i].raises is None]
    if not failing:
        return None
    first, passing = failing[0], [i for i in rows if found[i] is None]
    # Two of the cases that the learner has right are enough to leave most mistakes out.
    able = [m for m in work.exercise.mistakes if _may_be_one_of_two(work, m, passing[:2], first, found[first])]
    wrong = {m.name for m in able if work.mistaken_at(m, first)[1] is not None}
    alone = {m.name for m in able if agree(work.exercise, answers[first], found[first], *work.mistaken_at(m, first))}

    def worth_a_try(a: Mistake, b: Mistake) -> bool:
        """Where one of two is right, the answer is the other's."""
        return a.name in wrong and b.name in wrong or (a if a.name in wrong else b).name in alone

    told: list[tuple[Mistake, Mistake]] = []
    pairs = (
        (a, b, both)
        # What stands further up in an exercise's list is more likely, so pairs of that come first.
        for place, b in enumerate(able)
        for a in able[:place]
        if worth_a_try(a, b) and (both := together(a.wrong, b.wrong))
    )
    # Most are out after the first case.
    order = (first, *(i for i in rows if i != first))
    most = MOST if work.cases[first].init is None else MOST_MODULES
    for a, b, both in itertools.islice(pairs, most):
        if all(_is_alike(work, both, i, answers[i], found[i]) for i in order):
            told.append((a, b))
    if len(told) == 1:
        ((a, b),) = told
        return Diagnosis(f"{a.name}; and {b.name}", a.hint if a.hint == b.hint else f"{a.hint} {b.hint}")
    # Of several that agree alike, what all of them have in common is certain.
    common = [m for m in able if told and all(m in pair for pair in told)]
    return Diagnosis(common[0].name, common[0].hint) if len(common) == 1 else None


def together(a: Callable[..., Any], b: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return an answer with both mistakes, or None where they replace the same part or are not made of parts."""
    mine, other = getattr(a, PARTS, None), getattr(b, PARTS, None)
    if mine is not None and other is not None:
        (factory, replaced), (another, replaced_there) = mine, other
        if factory is not another or replaced.keys() & replaced_there.keys():
            return None
        return factory(**replaced, **replaced_there)  # type: ignore[no-any-return]
    if isinstance(a, type) and isinstance(b, type) and mine is other is None:
        return _mixed(a, b)
    return None


def _mixed(a: type, b: type) -> type | None:
    """A class with the methods that two subclasses of one class have made anew, where these are not the same."""
    base = a.__mro__[1]
    if base is not b.__mro__[1] or _own(a) & _own(b) or not _own(a) or not _own(b):
        return None
    return type(a.__name__, (a, b), {})


def _own(answer: type) -> set[str]:
    """The names that a class makes anew."""
    return {name for name in vars(answer) if name == "__init__" or not name.startswith("__")}


def _may_be_one_of_two(
    work: Paper, mistake: Mistake, passing: Sequence[int], first: int, shown: Finding | None
) -> bool:
    """Whether a mistake is right in some cases that the learner has right, and in the first failing one gives no other
    form of a result than the learner's answer."""
    if not (hasattr(mistake.wrong, PARTS) or isinstance(mistake.wrong, type)) or shown is None:
        return False
    finding = work.mistaken_at(mistake, first)[1]
    if finding is not None and finding.kind in _FORMS and finding.kind != shown.kind:
        return False
    return all(work.mistaken_at(mistake, i)[1] is None for i in passing)


def _is_alike(work: Paper, target: Callable[..., Any], index: int, mine: Answer, finding: Finding | None) -> bool:
    other, wrong = work.answer_at(target, index)
    if finding is None:
        return wrong is None
    if work.cases[index].raises is not None or finding.kind == "relation":
        # How an answer refuses bad arguments is a matter of its own, and a relation is one of several answers.
        return True
    return wrong is not None and agree(work.exercise, mine, finding, other, wrong)
