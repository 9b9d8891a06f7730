"""The steps of a hint: the recognised mistake's first, then the exercise's own, last its formula and shapes; never
the solution."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field

from helpers.exercise import Exercise
from helpers.verdict import Verdict

from . import cards


def steps(exercise: Exercise, diagnosis_hint: str = "") -> list[str]:
    """Return all steps for an exercise, weakest first.

    Args:
        exercise: what is to be answered.
        diagnosis_hint: the hint of the mistake that the last check recognised, or "".
    """
    pointer = formula_and_shapes(exercise)
    return list(dict.fromkeys(filter(None, [diagnosis_hint, *exercise.hints, pointer])))


def formula_and_shapes(exercise: Exercise) -> str:
    """Return the first sentence of the reference's description and what it returns.

    "" where there are no arguments: the description of a constant is its value.
    """
    if not inspect.signature(exercise.reference).parameters:
        return ""
    sections = (inspect.getdoc(exercise.reference) or "").split("\n\n")
    summary = " ".join(sections[0].split())
    told = f"What it computes, in one line: {summary}"
    for heading, begin in (("Returns:", "It returns "), ("Attributes:", "Its parts: ")):
        body = next((section for section in sections if section.startswith(heading)), "")
        if body:
            told += f" {begin}{' '.join(body[len(heading) :].split())}"
    return told


@dataclass
class Trail:
    """What a learner has been told about one exercise.

    Attributes:
        status: of the last check, or "".
        mistake: hint of the mistake that the last check recognised, or "".
        told: steps shown so far, in order.
    """

    status: str = ""
    mistake: str = ""
    told: list[str] = field(default_factory=list)


class Trails:
    """What a learner has been told since the kernel started."""

    def __init__(self) -> None:
        self._trails: dict[str, Trail] = {}
        self.last = ""

    def of(self, exercise: str) -> Trail:
        return self._trails.setdefault(exercise, Trail())

    def checked(self, verdict: Verdict, shown: str) -> None:
        """Note a verdict and the hint that its card showed."""
        trail = self.of(verdict.exercise)
        trail.status = verdict.status
        trail.mistake = verdict.diagnosis.hint if verdict.diagnosis is not None else ""
        if shown and shown not in trail.told:
            trail.told.append(shown)
        if not verdict.passed:
            self.last = verdict.exercise
        elif self.last == verdict.exercise:
            self.last = ""

    def next(self, exercise: Exercise) -> tuple[list[str], int]:
        """Tell one step more; return the steps of this exercise told so far, and how many there are in all."""
        trail = self.of(exercise.name)
        every = steps(exercise, trail.mistake)
        # The hint of an earlier mistake says nothing about the present one.
        told = [step for step in every if step in trail.told]
        fresh = next((step for step in every if step not in told), None)
        if fresh is not None:
            trail.told.append(fresh)
            told.append(fresh)
        return told, len(every)

    def left(self, exercise: Exercise) -> int:
        """Return how many steps have not been told yet."""
        trail = self.of(exercise.name)
        return sum(step not in trail.told for step in steps(exercise, trail.mistake))


def told(exercise: str, shown: list[str], total: int) -> tuple[str, str]:
    """Return the steps told so far as text and as HTML."""
    title = f"{exercise}: hint {len(shown)} of {total}"
    last = ""
    if len(shown) == total:
        last = (
            "That was the last step. Still stuck? Ask the person who runs your class, or a fellow learner: say what you"
            " expected and what came back."
        )
    text = "\n".join(
        [
            f"? {title}",
            *(f"  {number}. {step}" for number, step in enumerate(shown, 1)),
            *([f"  {last}"] if last else []),
        ]
    )
    items = "".join(f'<li style="margin:.15em 0">{cards.prose(step)}</li>' for step in shown)
    parts = [
        f'<ol style="margin:.3em 0;padding-left:1.6em">{items}</ol>',
        *([cards.line(last, faint=True)] if last else []),
    ]
    return text, cards.card(cards.OPEN, "?", title, "", parts)
