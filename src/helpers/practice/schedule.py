"""When something that was solved is asked again: after three days, a week, three weeks; sooner after a miss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

STEPS = (1, 3, 7, 21)
_FIRST = 1


@dataclass(frozen=True)
class Review:
    """A review that was done: when, and whether what was asked was known."""

    day: date
    known: bool


@dataclass(frozen=True)
class Due:
    """When an exercise is asked next.

    Attributes:
        day: from this day on.
        interval: days since it was solved or asked last.
    """

    day: date
    interval: int

    def late(self, today: date) -> float:
        """How late it is, in intervals; negative before the day."""
        return (today - self.day).days / self.interval


def due(solved: date, reviews: Sequence[Review]) -> Due:
    """Return when an exercise is asked next.

    Args:
        solved: the day on which its check first passed.
        reviews: those since then, in order.
    """
    step, last = _FIRST, solved
    for one in reviews:
        step = min(step + 1, len(STEPS) - 1) if one.known else max(step - 1, 0)
        last = one.day
    return Due(last + timedelta(days=STEPS[step]), STEPS[step])
