"""What the numbers of a class say: exercises, mistakes, and who needs help. Pure functions on gathered records."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from autograder.marking.outcomes import Outcome
from helpers.verdict import FAILED, PASSED, UNANSWERED, Verdict

from .graded_class import Cell, GradedClass, Person, Submission, Unit

# How the check of an exercise ended, in the order in which figures show it.
RIGHT, NAMED, UNNAMED, NOT_RUN, TIME_OUT, NOT_REACHED, NOT_ANSWERED, UNKNOWN = (
    "right",
    "named mistake",
    "other mistake",
    "did not run",
    "time out",
    "not reached",
    "not answered",
    "not known",
)
ENDS = (RIGHT, NAMED, UNNAMED, NOT_RUN, TIME_OUT, NOT_REACHED, NOT_ANSWERED, UNKNOWN)
HELP_BELOW = 0.5
FEWEST = 3
_TIME_UP = re.compile(r"KeyboardInterrupt|CellTimeout|ran for more than \d+ seconds|its time was up")
_ERROR = re.compile(r"did not come to its end: (\w+)")


def difficulty(points: Sequence[float], most: float) -> float | None:
    """Return the share of students with full points: 1 is an easy exercise. None without students."""
    return float(np.mean(np.asarray(points) >= most - 1e-9)) if len(points) else None


def item_rest(points: np.ndarray, column: int) -> float | None:
    """Return the correlation of one exercise's points with the sum of the others'.

    Args:
        points: students as rows, exercises as columns.
        column: which exercise.

    Returns:
        Pearson's r, or None where it says nothing: fewer than three students, no other exercise, or no difference among
        the students on one side.
    """
    if points.shape[0] < FEWEST or points.shape[1] < 2:
        return None
    item = points[:, column]
    rest = np.delete(points, column, axis=1).sum(axis=1)
    if np.ptp(item) < 1e-9 or np.ptp(rest) < 1e-9:
        return None
    return float(np.corrcoef(item, rest)[0, 1])


def how_it_ended(outcome: Outcome, verdict: Verdict) -> str:
    """Return which of `ENDS` the check of one exercise came to."""
    if verdict.status == PASSED:
        return RIGHT
    if verdict.status == UNANSWERED:
        return NOT_ANSWERED
    if verdict.diagnosis is not None:
        return NAMED
    if verdict.finding is None or verdict.finding.kind != "not judged":
        return UNNAMED
    if _TIME_UP.search(verdict.finding.message):
        return TIME_OUT
    return NOT_REACHED if outcome.stopped else NOT_RUN


@dataclass(frozen=True)
class Exercise:
    """One line of a unit's exercises.

    Attributes:
        students: how many gradable submissions have points for it; for a written one, how many are graded.
        full: share of them with full points.
        mean: mean share of the points.
        discrimination: item-rest correlation.
        ends: how often its check came to which end; empty for a written one.
        waiting: how many wait for a person.
    """

    cell: Cell
    students: int
    full: float | None
    mean: float | None
    discrimination: float | None
    ends: Counter[str]
    waiting: int


def exercises(unit: Unit) -> list[Exercise]:
    """Return a unit's exercises in the order of the notebook, over its gradable submissions."""
    everyone = unit.gradable
    # What still waits for a person counts on neither side of a correlation.
    settled = [cell for cell in unit.cells if not any(cell.key in one.waiting for one in everyone)]
    matrix = np.array([[one.points.get(cell.key, 0.0) for cell in settled] for one in everyone]).reshape(
        len(everyone), len(settled)
    )
    lines = []
    for cell in unit.cells:
        graded = [one.points.get(cell.key, 0.0) for one in everyone if cell.key not in one.waiting]
        lines.append(
            Exercise(
                cell,
                len(graded),
                difficulty(graded, cell.points),
                float(np.mean(graded)) / cell.points if graded and cell.points else None,
                item_rest(matrix, settled.index(cell)) if cell in settled else None,
                Counter(_end(one, cell, unit.plain) for one in everyone) if cell.judged else Counter(),
                len(everyone) - len(graded),
            )
        )
    return lines


def _end(submission: Submission, cell: Cell, plain: bool) -> str:
    outcome = submission.outcome
    if plain:
        # Its points are all that is known of a cell of asserts.
        return RIGHT if submission.points.get(cell.key, 0.0) >= cell.points - 1e-9 else UNNAMED
    verdict = outcome.final.get(cell.exercise) if outcome is not None else None
    return how_it_ended(outcome, verdict) if outcome is not None and verdict is not None else UNKNOWN


@dataclass
class MistakeLine:
    """One mistake of the class in one exercise.

    Attributes:
        name: the mistake's name, or in words how the answer fails.
        named: whether it is a recognised mistake.
        hint: the sentence that goes with it.
        lost: points that the students who made it lost in the exercise, together.
        students: who made it.
    """

    unit: str
    exercise: str
    name: str
    named: bool
    hint: str
    lost: float = 0.0
    students: list[Person] = field(default_factory=list)


def mistakes(units: Iterable[Unit]) -> list[MistakeLine]:
    """Return the mistakes in the order of what to teach again: most lost points first, then most students."""
    found: dict[tuple[str, str, str], MistakeLine] = {}
    for unit in units:
        for cell in unit.cells:
            for one in unit.gradable if cell.judged and not unit.plain else ():
                end = _end(one, cell, unit.plain)
                if one.outcome is None or end not in (NAMED, UNNAMED, NOT_RUN, TIME_OUT):
                    continue
                name, hint = _told(end, one.outcome.final[cell.exercise])
                line = found.setdefault(
                    (unit.name, cell.exercise, name), MistakeLine(unit.name, cell.exercise, name, end == NAMED, hint)
                )
                line.lost += max(0.0, cell.points - one.points.get(cell.key, 0.0))
                line.students.append(one.student)
    return sorted(found.values(), key=lambda line: (-line.lost, -len(line.students)))


def _told(end: str, verdict: Verdict) -> tuple[str, str]:
    """Name and hint of a mistake.

    What a hidden check found is told by its property alone: the page may be shown to a class.
    """
    if end == NAMED and verdict.diagnosis is not None:
        return verdict.diagnosis.name, verdict.diagnosis.hint
    if end == TIME_OUT:
        return "its time was up", "a loop that does not end, or far too much work"
    if end == NOT_RUN:
        error = _ERROR.search(verdict.finding.message if verdict.finding else "")
        return f"the answer does not run: {error[1]}" if error else "the check was not reached", ""
    if verdict.finding is None or verdict.status != FAILED:
        return "not recognised", ""
    which = "hidden check" if verdict.hidden else "visible check"
    return f"not recognised; {which} fails at “{verdict.finding.property}”", verdict.hints[0] if verdict.hints else ""


@dataclass(frozen=True)
class Spread:
    """The scores of one unit: how many, and where they lie."""

    students: int
    mean: float | None
    lower: float | None
    median: float | None
    upper: float | None


def spread(scores: Sequence[float]) -> Spread:
    """Return mean, quartiles and median; None each without scores."""
    if not scores:
        return Spread(0, None, None, None, None)
    lower, median, upper = (float(q) for q in np.percentile(scores, [25, 50, 75]))
    return Spread(len(scores), float(np.mean(scores)), lower, median, upper)


@dataclass(frozen=True)
class Need:
    """A student who needs help: share of the points so far, and the reasons."""

    student: Person
    share: float | None
    reasons: list[str]


def needing_help(graded: GradedClass) -> list[Need]:
    """Return who needs help, the most reasons first, then the lowest share.

    A reason is, in any unit: less than half of the points that are graded so far; a submission that could not be
    graded; nothing handed in where at least half of the class did.
    """
    reasons: dict[str, list[str]] = defaultdict(list)
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for unit in graded.units:
        for one in unit.submissions:
            if not one.gradable:
                reasons[one.student.id].append(f"{unit.name} could not be graded")
                continue
            most = sum(cell.points for cell in unit.cells if cell.key not in one.waiting)
            got = sum(score for key, score in one.points.items() if key not in one.waiting)
            points[one.student.id].append((got, most))
            if most and got < HELP_BELOW * most:
                reasons[one.student.id].append(f"{unit.name}: {got:g} of {most:g} points")
        if 2 * len(unit.nothing) <= len(graded.students):
            for person in unit.nothing:
                reasons[person.id].append(f"{unit.name}: nothing handed in")
    people = {person.id: person for person in graded.students}
    needs = []
    for student, why in reasons.items():
        most = sum(of for _, of in points[student])
        needs.append(Need(people[student], sum(got for got, _ in points[student]) / most if most else None, why))
    return sorted(needs, key=lambda need: (-len(need.reasons), need.share if need.share is not None else -1.0))
