"""What a learner has been told of each exercise, step by step, and the card that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from helpers.verdict import Verdict

from . import cards
from .ladder import EXAMPLE, ONE_CASE, PUZZLE, Rung, Tried


@dataclass
class Trail:
    """What a learner has been told about one exercise or question.

    Attributes:
        status: of the last check, or "".
        own: the hint of what the last check said, or "".
        tried: the last check, if it failed and was no hidden one.
        told: keys of the steps shown so far.
    """

    status: str = ""
    own: str = ""
    tried: Tried | None = None
    told: set[str] = field(default_factory=set)


class Trails:
    """What a learner has been told since the kernel started."""

    def __init__(self) -> None:
        self._trails: dict[str, Trail] = {}
        self.last = ""

    def of(self, name: str) -> Trail:
        return self._trails.setdefault(name, Trail())

    def checked(self, verdict: Verdict, shown: str, own: str = "", tried: Tried | None = None) -> None:
        """Note a verdict.

        Args:
            verdict: what the judge found.
            shown: the hint that its card showed, or "".
            own: the hint that belongs to this failure and no other, or "".
            tried: the cases and the answers.
        """
        trail = self.of(verdict.exercise)
        trail.status, trail.own = verdict.status, own
        failed = verdict.finding is not None and not verdict.hidden
        trail.tried = tried if failed else None
        # The example is that of the last check; an earlier one may be another.
        trail.told.discard(EXAMPLE)
        if shown:
            trail.told.add(shown)
        if not verdict.passed:
            self.last = verdict.exercise
        elif self.last == verdict.exercise:
            self.last = ""

    def next(self, name: str, every: Sequence[Rung]) -> list[Rung]:
        """Tell one step more; return those of `every` told so far, in order."""
        told = self.of(name).told
        fresh = next((rung for rung in every if rung.key not in told), None)
        if fresh is not None:
            told.add(fresh.key)
        # The hint of an earlier mistake says nothing about the present one, and is in `every` no more.
        return [rung for rung in every if rung.key in told]

    def left(self, name: str, keys: Sequence[str]) -> int:
        """Return how many of the steps have not been told yet."""
        return sum(key not in self.of(name).told for key in keys)


def told(name: str, shown: Sequence[Rung], total: int) -> tuple[str, str]:
    """Return the steps told so far as text and as HTML."""
    title = f"{name}: hint {len(shown)} of {total}"
    end = _end(shown) if len(shown) == total else []
    text = [f"? {title}"]
    for number, rung in enumerate(shown, 1):
        text += [f"  {number}. {rung.text}", *(f"       {line}" for line in rung.block)]
    text += [f"  {line}" for line in end]
    items = "".join(_item(rung) for rung in shown)
    last = [cards.line(cards.prose(line), faint=True) for line in end]
    parts = [f'<ol style="margin:.3em 0;padding-left:1.6em">{items}</ol>', *last]
    return "\n".join(text), cards.card(cards.OPEN, "?", title, "", parts)


def _item(rung: Rung) -> str:
    # A long line of code is scrolled, not broken: where a line begins is what a puzzle is about.
    wrap = "white-space:pre;overflow-x:auto" if rung.key == PUZZLE else "white-space:pre-wrap"
    style = f"margin:.25em 0;{wrap};background:transparent;font-size:.95em;line-height:1.4"
    block = f'<pre style="{style}">{escape(chr(10).join(rung.block))}</pre>' if rung.block else ""
    return f'<li style="margin:.25em 0">{cards.prose(rung.text)}{block}</li>'


def _end(shown: Sequence[Rung]) -> list[str]:
    """What to do when there is no further step."""
    keys = [rung.key for rung in shown]
    if EXAMPLE not in keys:
        return ["That was the last step. Write it down as you would say it, then make each sentence shorter."]
    number = keys.index(EXAMPLE) + 1
    if shown[number - 1].text.startswith(ONE_CASE):
        return ["That was the last step. Close this card, and write the answer anew without looking."]
    first = (
        f"That was the last step. Two things to do now. First, put an example like that of step {number} into a cell of"
        " your own, run your lines on it one by one, and print each result with its shape: the first that is not what"
        " you worked out is the line to change."
    )
    if PUZZLE in keys:
        second = (
            "Then put the lines of the puzzle in order on paper, and say of each what it does. Close this card, and"
            " write the answer anew without looking."
        )
    else:
        second = (
            "Then read the text above the exercise once more. Write a comment for each thing that the formula does, in"
            " order, and one line of code below each comment."
        )
    return [first, second]
