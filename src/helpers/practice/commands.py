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
