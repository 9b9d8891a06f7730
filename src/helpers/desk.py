"""`check`: what the learner calls. It names the exercise, runs it, has it judged and shows the verdict.

At the desk runner and judge share the learner's process, but the cases and answers go through `helpers.wire`
all the same. While a notebook is graded the judge sits elsewhere, and `check` passes the learner's object to
the runner at the other end of the judge's socket (`helpers.outpost`).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .exercise import Exercise

# A different seed from the visible one, for trying the hidden part of a source notebook. The hidden cases of
# a class come from the class's own secret.
DESK_HIDDEN_SEED = 1


class CheckFailed(AssertionError):
    """Raised instead of a printed verdict while nbgrader executes the notebook, so that the cell counts as failed."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def check(answer: Any, hidden: bool = False) -> None:
    """Check the answer to an exercise and show what came out.

    Args:
        answer: the function or class that the exercise asks for, as in `check(softmax)`.
        hidden: use other cases than the visible ones and show none of their data.

    Raises:
        CheckFailed: only while nbgrader validates or grades, when the answer is not right.
        TypeError: `answer` is not the answer to an exercise of this course.
    """
    if os.environ.get("ATTENTION_JUDGE_FD"):
        from . import outpost

        outpost.check(answer, hidden)
        return
    exercise = _exercise_of(answer, sys._getframe(1).f_globals)
    verdict = _judged(exercise, answer, hidden)
    from . import feedback

    if os.environ.get("NBGRADER_EXECUTION"):
        if not verdict.passed:
            raise CheckFailed(feedback.as_text(verdict))
        print(feedback.as_text(verdict))
    else:
        _show(feedback.as_text(verdict), feedback.as_html(verdict))


def _judged(exercise: Exercise, answer: Any, hidden: bool) -> Any:
    from . import judge, runner, wire

    paper = judge.paper(exercise, DESK_HIDDEN_SEED if hidden else judge.VISIBLE_SEED)
    cases = wire.decode(wire.encode(list(paper.cases)))
    answers = wire.decode(wire.encode(runner.run(answer, cases, exercise.forbidden)))
    return judge.judge(paper, answers, hidden)


def _exercise_of(answer: Any, names: dict[str, Any]) -> Exercise:
    """The exercise that an object answers: by its own name, or by the names it has in the notebook."""
    from . import catalog

    own = getattr(answer, "__name__", None)
    candidates = [own] if isinstance(own, str) else []
    candidates += [name for name, value in list(names.items()) if value is answer and not name.startswith("_")]
    for name in candidates:
        exercise = catalog.find(name)
        if exercise is not None:
            return exercise
    shown = own or type(answer).__name__
    raise TypeError(
        f"check() wants the function or class of an exercise, as in check(similarity_matrix); {shown!r} is the name of none. "
        "Was the function renamed, or called instead of passed?"
    )


def _show(text: str, html: str) -> None:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and hasattr(shell, "kernel"):
        from IPython.display import display

        display({"text/html": html, "text/plain": text}, raw=True)
    else:
        print(text)
