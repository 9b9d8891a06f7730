"""The wrong versions of an exercise that a learner is to catch: its known mistakes, numbered, a handful at a time."""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Collection
from dataclasses import dataclass

from helpers.exercise import Exercise, Mistake
from helpers.judging import judge

HANDFUL = 5
# Cases of the check that are looked at to see how well a mistake hides.
_LOOKS = 6


@dataclass(frozen=True)
class Version:
    """A wrong version.

    Attributes:
        number: what the learner knows it by.
        mistake: what it does.
    """

    number: int
    mistake: Mistake


@functools.cache
def of(exercise: Exercise) -> tuple[tuple[Version, ...], ...]:
    """Return all wrong versions of an exercise in handfuls, numbered from 1.

    An exercise begins its check with plain cases. Each handful has versions in it that pass these, which take a thought
    to catch, and some that do not.
    """
    hidden_best = sorted(exercise.mistakes, key=lambda mistake: -_passed(exercise, mistake))
    many = max(1, math.ceil(len(hidden_best) / HANDFUL))
    # One or two left over are no handful of their own.
    many -= many > 1 and len(hidden_best) % HANDFUL in (1, 2)
    # Their order within a handful tells nothing.
    groups = [sorted(hidden_best[start::many], key=_shuffled) for start in range(many)]
    numbers = iter(range(1, len(hidden_best) + 1))
    return tuple(tuple(Version(next(numbers), mistake) for mistake in group) for group in groups if group)


def _shuffled(mistake: Mistake) -> int:
    return zlib.crc32(mistake.name.encode())


def _passed(exercise: Exercise, mistake: Mistake) -> int:
    """How many of the first cases of the check a mistake passes."""
    paper = judge.paper(exercise)
    looked = [number for number, case in enumerate(paper.cases) if not case.from_file][:_LOOKS]
    return sum(paper.mistaken_at(mistake, number)[1] is None for number in looked)


def handful(exercise: Exercise, caught: Collection[str]) -> tuple[Version, ...]:
    """Return the versions to catch now: the first handful that has one still free, or the last.

    Args:
        exercise: what they are versions of.
        caught: names of the mistakes that were caught before.
    """
    every = of(exercise)
    free = (group for group in every if any(version.mistake.name not in caught for version in group))
    return next(free, every[-1] if every else ())
