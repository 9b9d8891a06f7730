"""`catch` and `review`: what the learner calls for practice. Both are silent while a notebook is validated or
graded."""

from __future__ import annotations

import sys
from typing import Any

from helpers.desk import commands as desk


def catch(exercise: Any, *args: Any, **kwargs: Any) -> None:
    """Try to catch wrong versions of an exercise: show on which of them an input gives another result than on the right
    version.

    `catch("softmax")` says what is to be caught, `catch("softmax", np.array([1e4, 0.]))` tries an input, and
    `catch("LayerNorm", (4,), torch.ones(2, 4))` one for a class: what it is made with, then what it is called with.
    A function alone is a test: it is given each version, and returns what is to be compared, as in
    `catch("softmax", lambda softmax: softmax(x).sum())`.

    Args:
        exercise: its name, or the function or class that answers it.
        args, kwargs: the input, or a test.
    """
    if desk.executed():
        return
    names = sys._getframe(1).f_globals
    found = desk.asked(exercise, names)
    if found is None:
        desk.unknown("catch", exercise)
        return
    if not found.mistakes:
        desk.say("catch", f"There is no wrong version of `{found.name}` to catch.")
        return
    from helpers.desk import cards
    from helpers.training.threads import one_thread

    from . import attempts, telling, versions

    diary = desk.diary_here(names)
    before = diary.caught(found.name)
    group = versions.handful(found, before)
    outcome = None
    if args or kwargs:
        with one_thread():
            outcome = attempts.attempt(found, group, args, kwargs)
        for version in group:
            if version.number in outcome.caught and version.mistake.name not in before:
                diary.note(found.name, "caught", name=version.mistake.name)
    cards.show(*telling.as_card(found, group, before, outcome))


def review(exercise: Any = None) -> None:
    """Write a small notebook with three tasks on an exercise that was solved a while ago.

    Args:
        exercise: its name, or the function or class that answers it; the one most due if None.
    """
    if desk.executed():
        return
    names = sys._getframe(1).f_globals
    found = desk.asked(exercise, names) if exercise is not None else None
    if exercise is not None and found is None:
        desk.unknown("review", exercise)
        return
    from helpers.desk import diary

    from . import reviewing

    made = reviewing.review(reviewing.home(diary.notebook(names)), found.name if found is not None else None)
    desk.say("review", made.text)


def spot(exercise: str, number: int, right: str, did: int) -> None:
    """Answer the second task of a review: which of two results is right, and what the other one did.

    Args:
        exercise: its name.
        number: of the review.
        right: "A" or "B".
        did: the number of what the other did.
    """
    if desk.executed():
        return
    names = sys._getframe(1).f_globals
    from . import tasks

    found = desk.asked(exercise, names)
    task = tasks.spot(found, number) if found is not None else None
    if found is None or task is None:
        desk.unknown("spot", exercise)
        return
    if right not in ("A", "B") or did not in range(1, len(task.choices) + 1):
        desk.say("spot", 'Write `right="A"` or `right="B"`, and the number of what the other did, as in `did=2`.')
        return
    known = right == task.right and did == task.did
    told = f"{task.right} is right. The other: {task.mistake.name}."
    if known:
        _answered(found.name, "spot", True, names, f"Yes: {told}")
    elif right == task.right:
        _answered(found.name, "spot", False, names, f"{right} is right. The other did something else.")
    else:
        _answered(found.name, "spot", False, names, "The other one is right. Work one number of it by hand to see it.")


def by_hand(exercise: str, number: int, answer: float | None) -> None:
    """Answer the third task of a review: a number worked out by hand.

    Args:
        exercise: its name.
        number: of the review.
        answer: the number.
    """
    if desk.executed():
        return
    names = sys._getframe(1).f_globals
    from . import tasks

    found = desk.asked(exercise, names)
    if found is None:
        desk.unknown("by_hand", exercise)
        return
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        desk.say("by hand", "Write the number in the place of `None`.")
        return
    value = tasks.number(found, number).value
    known = abs(answer - value) <= tasks.NEAR * max(1.0, abs(value))
    _answered(found.name, "number", known, names, f"Yes: {value:.4g}." if known else "Not this number: try again.")


def _answered(exercise: str, what: str, known: bool, names: dict[str, Any], told: str) -> None:
    from helpers.desk import cards
    from helpers.verdict import FAILED, PASSED

    desk.diary_here(names).note(exercise, what, PASSED if known else FAILED)
    mark, tone = ("✓", cards.GOOD) if known else ("✗", cards.BAD)
    cards.show(f"{mark} {exercise}: {told}", cards.card(tone, mark, exercise, "", [cards.line(cards.prose(told))]))
