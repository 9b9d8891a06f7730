"""Cases and answers to a `Verdict`. Pure: it knows nothing of notebooks, processes or points.

Steps: examine every answer against the reference's; if something failed, say what is wrong, in this order:

1. the code never ran or never answered (`unrun`), gives another output each time, keeps something from the call before
   or ignores its input (`questions`);
2. a piece it builds on is broken (`earlier`);
3. a known mistake of the exercise (`known`), or one of every exercise (`general`); the results stand in another order;
   the reference, called with an argument left out or with two exchanged, gives the learner's answers (`arguments`); a
   known mistake, made with one value of an option only;
4. a pattern of cases: right where something holds, wrong elsewhere (`patterns`);
5. a variant of the reference gives the learner's answers (`variants`), rewritten at one place; two known mistakes at
   once do (`pairs`);
6. how the numbers relate (`relations`), and where they are wrong (`places`).

Only what none of these explains is compared with variants that are rewritten at two places: of so many some are alike
by chance, and a simple relation is the truer word. Last comes what is true and says less: a known mistake that explains
most failures, what an exception says (`raised`), and the form of a result (`forms`).

A name is given only when it is true of the code; else what is certain is said, and nothing more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from helpers.running.runner import Answer
from helpers.running.settled import settled
from helpers.verdict import FAILED, PASSED, UNANSWERED, Diagnosis, Finding, Property, Verdict

from . import arguments, earlier, forms, general, known, pairs, patterns, questions, raised, relations, unrun, variants
from .papers import VISIBLE_SEED, Paper, paper
from .questions import More
from .records import checked

__all__ = ["VISIBLE_SEED", "More", "Paper", "examined", "judge", "paper", "refused"]


def examined(work: Paper, answers: Sequence[object]) -> tuple[list[Answer], list[Finding | None]]:
    """Return the answers as they may be used, and what is wrong with each; both empty when some are missing."""
    mine = [checked(answer) for answer in answers]
    return (mine, work.findings(mine)) if len(mine) == len(work.cases) else ([], [])


def refused(work: Paper, reason: str, hidden: bool = False) -> Verdict:
    """Return the verdict on answers that could not be read, for a reason."""
    return Verdict(work.exercise.name, FAILED, hidden, finding=Finding("values", "unreadable", reason))


@settled()
def judge(work: Paper, answers: Sequence[object], hidden: bool = False, more: More | None = None) -> Verdict:
    """Return the verdict on a learner's answers to the cases of a paper.

    Args:
        work: the cases, from `paper`.
        answers: one record of `helpers.running.runner` for each case, possibly from a hostile process.
        hidden: the cases are hidden ones; the verdict then names properties and holds no data.
        more: what was asked after the answers had failed; it changes the words and never whether an answer passes.
    """
    exercise, more = work.exercise, more or More()
    mine, found = examined(work, answers)
    if len(mine) != len(work.cases):
        finding = Finding("values", "answers", "the check did not come to its end")
        return Verdict(exercise.name, FAILED, hidden, finding=finding)
    if mine and unrun.is_untouched(exercise.name, mine[0], more.facts):
        return Verdict(exercise.name, UNANSWERED, hidden, _properties(work, []), hints=exercise.hints)
    properties = _properties(work, found)
    first = next((i for i, finding in enumerate(found) if finding is not None), None)
    if first is None:
        return Verdict(exercise.name, PASSED, hidden, properties)
    shown, diagnosis = _say(work, mine, found, first, more)
    return Verdict(exercise.name, FAILED, hidden, properties, shown, diagnosis, exercise.hints)


def _say(
    work: Paper, answers: list[Answer], found: list[Finding | None], first: int, more: More
) -> tuple[Finding, Diagnosis | None]:
    """Return the first failure as it is shown, and the name of what is wrong, or None."""
    shown = found[first]
    assert shown is not None
    answer = answers[first]
    told = unrun.diagnose(work.exercise.name, answer, more.facts)
    if told is not None and told[0].kind == "raised":
        # A missing name may be a mistake that the exercise knows.
        mistake = known.recognise(work, answers, found)
        if mistake is not None:
            return shown, mistake
    if told is not None:
        return dataclasses.replace(told[0], property=shown.property, note=shown.note), told[1]
    # Where a sentence judges, many mistakes get the same one: a constant has to be known as one before all others.
    in_words = shown.kind in ("compared", "relation")
    diagnosis = (
        earlier.diagnose(answer, more)
        or questions.is_random(work, found, more.answers)
        or questions.is_kept(work, found, more.answers)
        or (questions.is_constant(work, found, more.answers) if in_words else None)
        or known.recognise(work, answers, found)
        or questions.is_constant(work, found, more.answers)
        or forms.in_another_order(work, answers, found)
        or general.by_kind(shown, more.facts)
        or arguments.diagnose(work, answers, found)
        or known.recognise_where(work, answers, found)
        or patterns.diagnose(work, answers, found)
        or variants.diagnose(work, answers, found, 1, more.trials)
        or pairs.diagnose(work, answers, found)
        or relations.diagnose(work, answers, found)
        or variants.diagnose(work, answers, found, 2, more.trials)
        or known.recognise(work, answers, found, in_part=True)
        or relations.diagnose(work, answers, found, loose=True)
        or earlier.suspect(more)
        or raised.diagnose(work.exercise.name, answer)
        or forms.diagnose(work, answers, found)
    )
    return shown, diagnosis


def _properties(work: Paper, found: Sequence[Finding | None]) -> tuple[Property, ...]:
    names = dict.fromkeys(case.property for case in work.cases)
    failed = {case.property for case, finding in zip(work.cases, found) if finding is not None} if found else set(names)
    return tuple(Property(name, name not in failed) for name in names)
