"""A whole check where the answer and the judge share a process, as at the learner's desk.

While a notebook is graded the same steps run on both sides of the judge's socket (`helpers.running.outpost` and
`autograder.marking.judge_desk`), all but the exchange of pieces: there is no reference in the learner's process.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

from helpers import contents
from helpers.exercise import Case, Exercise
from helpers.running import pieces, reading, runner, wire
from helpers.running.runner import Answer
from helpers.verdict import Verdict

from . import catalog, judge, questions, records, sheets
from .papers import VISIBLE_SEED, Paper

# An answer that takes longer is not run again only to find words for what is wrong.
PATIENCE = 3.0


def check(
    exercise: Exercise,
    answer: Any,
    seed: int = VISIBLE_SEED,
    hidden: bool = False,
    trials: int = questions.TRIALS,
) -> tuple[Verdict, list[Answer]]:
    """Put the cases to an answer, and say what is wrong with it.

    Args:
        exercise: what is to be answered.
        answer: the learner's function or class.
        seed: of the cases.
        hidden: the cases are hidden ones.
        trials: how many variants of the reference are tried at most.

    Returns:
        the verdict, and the answers to the cases.
    """
    paper = judge.paper(exercise, seed)
    cases = _crossed(list(sheets.handed_out(paper)))
    started = time.monotonic()
    returned = runner.run(answer, cases, exercise.forbidden)
    taken = time.monotonic() - started
    try:
        returned = _crossed(returned, sheets.most_bytes(paper))
    except wire.TooLarge as error:
        return judge.refused(paper, sheets.too_large(paper, error.size), hidden), []
    except wire.WireError as error:
        return judge.refused(paper, f"the answers could not be read: {error}", hidden), []
    answers = sheets.taken(paper, returned)
    _, found = judge.examined(paper, answers)
    more = None
    if any(finding is not None for finding in found):
        facts = records.checked_facts(_crossed(reading.read(answer)))
        further: list[Answer] = []
        broken: tuple[str, ...] = ()
        if taken < PATIENCE:
            asked = _crossed(questions.further(paper, found))
            with contextlib.suppress(wire.WireError):
                further = _crossed(runner.run(answer, asked, exercise.forbidden), sheets.most_bytes(paper))
            broken = _broken(exercise, answer, cases, paper)
        more = judge.More(facts, tuple(records.checked(one) for one in further), broken, trials=trials)
    return judge.judge(paper, answers, hidden, more), answers


def _broken(exercise: Exercise, answer: Any, cases: list[Case], paper: Paper) -> tuple[str, ...]:
    """The learner's own pieces that are not right themselves, and with whose references the answer is."""
    own = pieces.own_pieces(answer, contents.exercises())
    own.pop(exercise.name, None)
    known = {name: found for name in own if (found := catalog.find(name)) is not None}
    if not known:
        return ()

    def passes(names: list[str]) -> bool:
        replaced = {name: known[name].reference for name in names}
        answers = pieces.run(answer, cases, replaced, exercise.forbidden)
        _, found = judge.examined(paper, sheets.taken(paper, answers))
        return bool(found) and all(finding is None for finding in found)

    if not passes(list(known)):
        return ()
    wrong = [name for name in known if not _is_right(known[name], own[name])]
    alone = next((name for name in wrong if len(wrong) > 1 and passes([name])), None)
    return (alone,) if alone is not None else tuple(wrong)


def _is_right(exercise: Exercise, answer: Any) -> bool:
    paper = judge.paper(exercise)
    if any(case.from_file for case in paper.cases):
        return True
    _, found = judge.examined(paper, runner.run(answer, paper.cases, exercise.forbidden))
    return all(finding is None for finding in found)


def _crossed(value: Any, most: int = wire.MAX_BYTES) -> Any:
    """The value as it arrives on the other side of the border that there is in grading."""
    return wire.decode(wire.encode(value, most), most)
