"""The known mistakes: the one whose answers are the learner's."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.exercise import Mistake
from helpers.running.runner import Answer
from helpers.verdict import Diagnosis, Finding

from . import conditions
from .agreement import agree
from .papers import Paper

# What may be wrong besides with what was computed: a case that fails by these may have another reason.
_CONDUCT = (
    "changed",
    "shares",
    "overwritten",
    "memory",
    "warning",
    "numpy",
    "torch",
    "no gradient",
    "unused",
    "unanswered",
)

# The property that fails when an answer draws random numbers in training mode.
RANDOM_IN_TRAINING = "no dropout"


def recognise(
    work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None], in_part: bool = False
) -> Diagnosis | None:
    """Return the one known mistake that the answers show, or None.

    A mistake is recognised when it explains the first failure, fails nowhere that the learner passes, and is wrong in
    the learner's way wherever both fail: one disagreement is a no. Of several, the one that explains most cases; a draw
    is no diagnosis.

    Args:
        work: the cases.
        answers: the learner's.
        found: what is wrong with each.
        in_part: whether it is enough to explain three in four of the failures, or all those with one value of an
            option and half of all; and two or more. Else all have to be.
    """
    first = next(i for i, finding in enumerate(found) if finding is not None)
    shown = found[first]
    assert shown is not None
    # Most are out after this one case, so the others are not even run.
    candidates = [m for m in work.exercise.mistakes if _shows(work, answers, m, first, shown)]
    chance = _left_to_chance(work, shown)
    failures = sum(
        finding is not None and finding.kind not in _CONDUCT and case.raises is None and not case.from_file
        for i, (case, finding) in enumerate(zip(work.cases, found))
        if i not in chance
    )
    explained: dict[str, int] = {}
    for mistake in candidates:
        count, values = _explains(work, answers, found, mistake, chance)
        if count and (values >= failures or (in_part and values >= max(2, failures / 2))):
            if values < 0.75 * failures and not _told_apart(work, found, mistake):
                continue
            explained[mistake.name] = count
    best = max(explained.values(), default=0)
    names = [name for name, count in explained.items() if count == best]
    if len(names) != 1:
        return None
    mistake = next(m for m in work.exercise.mistakes if m.name == names[0])
    return Diagnosis(mistake.name, mistake.hint)


def recognise_where(work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None]) -> Diagnosis | None:
    """Return the known mistake that was made under one condition only, and the condition.

    It gives the learner's answers in every failing case, real numbers that no other mistake gives; where the learner is
    right and it is not, an option of the call tells these cases from the failing ones.
    """
    rows = [i for i, case in enumerate(work.cases) if case.raises is None and not case.from_file]
    failing = [i for i in rows if found[i] is not None]
    kinds = {f.kind for i in failing if (f := found[i]) is not None}
    if not failing or kinds & {*_CONDUCT, "compared", "relation", "raised"}:
        return None
    told: list[Diagnosis] = []
    for mistake in work.exercise.mistakes:
        # Most are out after the first case, so the others are not run.
        if not all(agree(work.exercise, answers[i], found[i], *work.mistaken_at(mistake, i)) for i in failing):
            continue
        spared = [i for i in rows if found[i] is None and work.mistaken_at(mistake, i)[1] is not None]
        where = conditions.telling(work, failing, spared) if spared else ""
        if where:
            told.append(Diagnosis(f"{mistake.name}, {where}", mistake.hint))
    return told[0] if len(told) == 1 else None


def _shows(work: Paper, answers: Sequence[Answer], mistake: Mistake, first: int, shown: Finding) -> bool:
    """Whether a mistake is wrong in the first failing case as the learner is."""
    if shown.kind == "overwritten":
        # Only a later call shows it.
        return True
    if shown.kind == "relation":
        relations = (one for one in work.exercise.relations if one.property == shown.property)
        told = (work.mistaken_together(mistake, relation) for relation in relations)
        return any(finding is not None and finding.message == shown.message for finding in told)
    return agree(work.exercise, answers[first], shown, *work.mistaken_at(mistake, first))


def _told_apart(work: Paper, found: Sequence[Finding | None], mistake: Mistake) -> bool:
    """Whether an option tells the failures that a mistake explains from the others."""
    failing = [i for i, finding in enumerate(found) if finding is not None and work.cases[i].raises is None]
    failing = [i for i in failing if not work.cases[i].from_file]
    own = [i for i in failing if work.mistaken_at(mistake, i)[1] is not None]
    rest = [i for i in failing if i not in own]
    return bool(own and rest and conditions.telling(work, own, rest))


def _left_to_chance(work: Paper, shown: Finding) -> set[int]:
    """The cases whose numbers are drawn: those in training mode, where an answer is another at each call there."""
    if shown.kind != "relation" or shown.property != RANDOM_IN_TRAINING:
        return set()
    return {i for i, case in enumerate(work.cases) if case.init is not None and case.init.training}


def _explains(
    work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None], mistake: Mistake, chance: set[int]
) -> tuple[int, int]:
    """How many failures a mistake explains, and how many of these by what was computed; 0, 0 when one case
    contradicts it. Of the cases left to chance only whether they fail counts."""
    count = values = 0
    slow = work.cases[0].init is not None
    if slow:
        # Modules take long to make: the first contradiction ends it, and the others are not run at all.
        for i, mine in enumerate(found):
            if mine is None and work.mistaken_at(mistake, i)[1] is not None:
                return 0, 0
    wrong, wrong_found = work.mistaken(mistake)
    for i, (mine, other) in enumerate(zip(found, wrong_found)):
        if other is None:
            continue
        bad_arguments = work.cases[i].raises is not None
        if i in chance and mine is not None:
            count += 1
        elif agree(work.exercise, answers[i], mine, wrong[i], other):
            count += 1
            values += not bad_arguments and other.kind not in _CONDUCT
        elif mine is None or not bad_arguments:
            # How an answer refuses bad arguments is a matter of its own: it may be missing in either or in both.
            return 0, 0
    return count, values
