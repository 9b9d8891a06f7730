"""`check`, `hint`, `progress`: what the learner calls. `check` names the exercise, runs it, has it judged and shows the
verdict.

At the desk runner and judge share the learner's process, but the cases and answers go through `helpers.running.wire`
all the same. While a notebook is graded the judge sits elsewhere, and `check` passes the learner's object to
the runner at the other end of the judge's socket (`helpers.running.outpost`); `hint` and `progress` are then silent.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers import language

if TYPE_CHECKING:
    from helpers.exercise import Exercise
    from helpers.verdict import Verdict

    from .diary import Diary
    from .guards import Log
    from .hints import Trails

# A different seed from the visible one, for trying the hidden part of a source notebook. The hidden cases of
# a class come from the class's own secret.
DESK_HIDDEN_SEED = 1


class CheckFailed(AssertionError):
    """Raised instead of a printed verdict while nbgrader executes the notebook, so that the cell counts as failed."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class NotAnAnswer(TypeError):
    """`check` was given something that is not the answer to an exercise; the message says what to write."""

    def __str__(self) -> str:
        return language.told(super().__str__())

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class _Session:
    """What this kernel's desk remembers: hints told, cells run, the diaries of the notebook's folders."""

    def __init__(self) -> None:
        self._trails: Trails | None = None
        self._log: Log | None = None
        self._diaries: dict[str, Diary] = {}
        self.last = ""

    @property
    def trails(self) -> Trails:
        if self._trails is None:
            from .hints import Trails

            self._trails = Trails()
        return self._trails

    @property
    def log(self) -> Log:
        if self._log is None:
            from .guards import Log

            self._log = Log()
        return self._log

    def diary(self, names: dict[str, Any]) -> Diary:
        from . import diary

        path = diary.notebook(names)
        folder = path.parent if path is not None else Path.cwd()
        return self._diaries.setdefault(str(folder), diary.Diary(folder))


_session = _Session()


def check(answer: Any, hidden: bool = False) -> None:
    """Check the answer to an exercise and show what came out.

    Args:
        answer: the function or class that the exercise asks for, as in `check(softmax)`.
        hidden: use other cases than the visible ones and show none of their data.

    Raises:
        CheckFailed: only while nbgrader validates or grades, when the answer is not right.
        NotAnAnswer: `answer` is not the answer to an exercise of this course; a `TypeError`.
    """
    names = sys._getframe(1).f_globals
    if isinstance(answer, str) and callable(names.get(answer)):
        # `check("softmax")`, as in `hint("softmax")`.
        answer = names[answer]
    if os.environ.get("ATTENTION_JUDGE_FD"):
        from helpers.running import outpost

        outpost.check(answer, hidden)
        return
    exercise = _exercise_of(answer, names)
    from helpers.judging import judge
    from helpers.training.threads import one_thread

    from . import feedback, interrupted

    with one_thread():
        try:
            verdict, answers = _judged(exercise, answer, hidden)
        except KeyboardInterrupt as stopped:
            raise interrupted.told(exercise.name, stopped) from None
        paper = judge.paper(exercise, DESK_HIDDEN_SEED if hidden else judge.VISIBLE_SEED)
    if os.environ.get("NBGRADER_EXECUTION"):
        if not verdict.passed:
            raise CheckFailed(feedback.as_text(verdict))
        print(feedback.as_text(verdict))
        return
    from helpers import contents

    from . import cards, diary, guards, ladder

    stale = guards.stale(exercise.name, answer, _session.log, diary.notebook(names))
    own = feedback.own_hint(verdict)
    _session.trails.checked(verdict, feedback.first_hint(verdict), own, ladder.Tried(paper, answers))
    _session.last = exercise.name
    if _shell() is not None and not hidden:
        state = diary.CHANGED if stale and verdict.passed else verdict.status
        _session.diary(names).write(exercise.name, state, answer)
        named = verdict.diagnosis.name if verdict.diagnosis is not None else ""
        _session.diary(names).note(exercise.name, "check", verdict.status, named)
    beside = feedback.Desk(
        stale, guards.notes(verdict, answers), "" if verdict.passed else _further(exercise, own, names)
    )
    points = contents.points(exercise.name)
    cards.show(feedback.as_text(verdict, points, beside), feedback.as_html(verdict, points, beside))


def hint(exercise: Any = None) -> None:
    """Show the next step towards the answer of an exercise, and the steps so far.

    Args:
        exercise: the function or class, or its name as in `hint("softmax")`; the last one whose check did not pass if
            None.
    """
    if executed():
        return
    names = sys._getframe(1).f_globals
    from . import cards, diary, hints, ladder, questions, release

    if exercise is None:
        if not _session.trails.last:
            told = (
                "No check has failed since this kernel started."
                if not _session.last
                else "The last check passed: there is nothing to hint at."
            )
            say("hint", told, 'Ask for one exercise by its name: `hint("softmax")`.')
            return
        found = _find([_session.trails.last])
    else:
        question = questions.find(exercise) if isinstance(exercise, str) else None
        if question is not None:
            steps = questions.rungs(question)
            cards.show(*hints.told(exercise, _session.trails.next(exercise, steps), len(steps)))
            return
        found = asked(exercise, names)
    if found is None:
        unknown("hint", exercise, questions.names())
        return
    trail = _session.trails.of(found.name)
    if trail.status == "passed":
        say(
            found.name,
            "Its check passes, so there is nothing to hint at.",
            f"To see another way of writing it, read `{_room_of(found)}`.",
        )
        return
    steps = ladder.rungs(found, trail.own, trail.tried, release.has_puzzle(diary.notebook(names)))
    cards.show(*hints.told(found.name, _session.trails.next(found.name, steps), len(steps)))


def _room_of(exercise: Exercise) -> str:
    """The package of an exercise's reference."""
    return exercise.reference.__module__.rpartition(".")[0]


def progress(unit: str | None = None) -> None:
    """Show which exercises of a unit pass their checks, and their points.

    Args:
        unit: as "u2" or "u2_softmax_scaling"; the one of this notebook if None.
    """
    if executed():
        return
    names = sys._getframe(1).f_globals
    from helpers import contents

    from . import cards, diary

    found = contents.find_unit(unit) if unit is not None else diary.unit_here(diary.notebook(names), _session.last)
    if found is None:
        known = ", ".join(f'`progress("{name.partition("_")[0]}")`' for name in contents.units())
        say(
            "progress",
            f"There is no unit `{unit}`." if unit is not None else "This notebook does not tell which unit it is.",
            f"Write one of {known}.",
        )
        return
    cards.show(*diary.as_card(found, _session.diary(names), names))


def begin() -> None:
    """Follow the cells that are run, so that a check can tell when it sees an older version than the notebook's; in
    a notebook's kernel only."""
    shell = _shell()
    if shell is None or executed() or not hasattr(shell, "kernel"):
        return
    shell.events.register("pre_run_cell", _before_cell)
    shell.events.register("post_run_cell", _after_cell)


def _before_cell(info: Any) -> None:
    if info.store_history:
        _session.log.before(info.raw_cell, _shell().transform_cell(info.raw_cell), getattr(info, "cell_id", None))


def _after_cell(result: Any) -> None:
    if not result.info.store_history:
        return
    _session.log.after(result.error_before_exec is not None or result.error_in_exec is not None)
    error = result.error_in_exec
    name = error.name if isinstance(error, NameError) else None
    if name and result.info.raw_cell.lstrip().startswith(f"check({name}"):
        from helpers import contents

        from . import guards

        if contents.unit_of(name) is not None:
            say(name, guards.missing(name, _session.log, _shell().user_ns))


def executed() -> bool:
    """Whether a machine runs the notebook, to validate or to grade it."""
    return bool(os.environ.get("ATTENTION_JUDGE_FD") or os.environ.get("NBGRADER_EXECUTION"))


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _judged(exercise: Exercise, answer: Any, hidden: bool) -> tuple[Verdict, list[dict[str, Any]]]:
    """Put the cases to an answer; return the verdict with what came back."""
    from helpers.judging import checkup, judge

    return checkup.check(exercise, answer, DESK_HIDDEN_SEED if hidden else judge.VISIBLE_SEED, hidden)


def _names_of(answer: Any, names: dict[str, Any]) -> list[str]:
    """The names that an object goes by: its own, then those it has in the notebook."""
    own = getattr(answer, "__name__", None)
    found = [own] if isinstance(own, str) else []
    return found + [name for name, value in list(names.items()) if value is answer and not name.startswith("_")]


def _find(names: list[str]) -> Exercise | None:
    """The first exercise among the names.

    Known ones come first: only to see that a name is none, every unit has to be loaded.
    """
    from helpers import contents
    from helpers.judging import catalog

    return next(filter(None, map(catalog.find, sorted(names, key=lambda name: contents.unit_of(name) is None))), None)


def asked(exercise: Any, names: dict[str, Any]) -> Exercise | None:
    """Return the exercise that is meant by its name, or by the function or class that answers it; None if there is
    none.

    Args:
        exercise: a name, a function or a class.
        names: the notebook's variables.
    """
    return _find([exercise] if isinstance(exercise, str) else _names_of(exercise, names))


def unknown(command: str, exercise: Any, more: Iterable[str] = ()) -> None:
    """Say that there is no such exercise, and which was perhaps meant.

    Args:
        command: what was called, as "hint".
        exercise: what it was given.
        more: further names that it knows.
    """
    from helpers import contents

    from . import guards

    shown = exercise if isinstance(exercise, str) else _called(exercise)
    near = guards.renamed(shown, [*contents.exercises(), *more])
    say(
        command,
        f"`{shown}` is the name of no exercise{' and of no question' if more else ''}.",
        f'Did you mean `{command}("{near}")`?' if near else f'Write it as in `{command}("softmax")`.',
    )


def diary_here(names: dict[str, Any]) -> Diary:
    """Return the diary of the notebook that has these variables."""
    return _session.diary(names)


def _called(answer: Any) -> str:
    own = getattr(answer, "__name__", None)
    return own if isinstance(own, str) else type(answer).__name__


def _exercise_of(answer: Any, names: dict[str, Any]) -> Exercise:
    """The exercise that an object answers: by its own name, or by the names it has in the notebook."""
    from helpers import contents

    from . import guards

    exercise = _find(_names_of(answer, names))
    if exercise is not None:
        return exercise
    if isinstance(answer, str):
        found = answer if contents.unit_of(answer) else guards.renamed(answer, contents.exercises())
        raise NotAnAnswer(
            f"check() wants the function or class itself, and there is none called {answer!r} here."
            + (f" Run the answer cell of {found} first, then check({found})." if found else "")
        )
    if not callable(answer):
        raise NotAnAnswer(
            f"check() was given a result (of type {type(answer).__name__}). It wants the function or class itself, so"
            " that it can call it: check(softmax), not check(softmax(x))."
        )
    shown = _called(answer)
    near = guards.renamed(shown, contents.exercises())
    if near:
        advice = f"Was it {near}? The name has to be the exercise's: write `def {near}(...)`, and check({near})."
    else:
        advice = "Was the function renamed? The name has to be the exercise's."
    raise NotAnAnswer(
        f"check() wants the function or class of an exercise, as in check(similarity_matrix); {shown!r} is the name of"
        f" none. {advice}"
    )


def _further(exercise: Exercise, own: str, names: dict[str, Any]) -> str:
    """How to come to the next hint, in this notebook."""
    from . import diary, ladder, release

    left = _session.trails.left(exercise.name, ladder.keys(exercise, own, release.has_puzzle(diary.notebook(names))))
    if not left:
        return ""
    call = "`hint()`" if names.get("hint") is hint else "`from helpers import hint`, then `hint()`,"
    return f"{call} in a cell of your own shows the next step ({left} left)."


def say(title: str, *sentences: str) -> None:
    """Show a card with a few sentences, the first of them beside the title where there is only text."""
    from . import cards

    text = "\n".join([f"○ {title}: {sentences[0]}", *(f"  {one}" for one in sentences[1:])])
    cards.show(text, cards.card(cards.OPEN, "○", title, "", [cards.line(cards.prose(one)) for one in sentences]))
