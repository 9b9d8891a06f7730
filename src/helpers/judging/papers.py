"""A `Paper`: the cases of one exercise drawn from one seed, with what the judge works out once for them."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake, Relation
from helpers.running import runner
from helpers.running.runner import Answer
from helpers.running.settled import settled
from helpers.verdict import Finding

from . import traits
from .comparison import examine
from .records import UNKNOWN

VISIBLE_SEED = 0


@dataclass(frozen=True)
class Paper:
    """The cases of one exercise drawn from one seed, with everything the judge works out once for them."""

    exercise: Exercise
    seed: int

    @functools.cached_property
    @settled()
    def cases(self) -> tuple[Case, ...]:
        own = zlib.crc32(self.exercise.name.encode())
        return tuple(self.exercise.cases(np.random.default_rng([own, self.seed])))

    @functools.cached_property
    def expected(self) -> list[Answer]:
        """The reference's answers; a case that should raise has none."""
        return self._run(self.exercise.reference)

    @functools.cached_property
    def traits(self) -> list[frozenset[str]]:
        """What each case has that others have not."""
        return [traits.of_case(*row, self.exercise.reference) for row in zip(self.cases, self.expected)]

    @functools.cached_property
    def axes(self) -> list[int]:
        """How many axes the first array of each case has."""
        return [traits.axes_of_case(case, self.exercise.reference) for case in self.cases]

    @functools.cached_property
    def sizes(self) -> list[dict[tuple[str, int], int]]:
        """The lengths of each case's arrays by the array's name and the axis, counted from the end."""
        return [traits.sizes_of_case(case, self.exercise.reference) for case in self.cases]

    def mistaken(self, mistake: Mistake) -> tuple[list[Answer], list[Finding | None]]:
        """A mistake's answers and what is wrong with each."""
        if mistake.name not in self._mistaken:
            rows = [self._mistaken_at.get((mistake.name, i)) for i in range(len(self.cases))]
            whole = all(row is not None for row in rows)
            answers = [row[0] for row in rows if row is not None] if whole else self._run(mistake.wrong)
            found = [None if case.from_file else finding for case, finding in zip(self.cases, self.findings(answers))]
            self._mistaken[mistake.name] = answers, found
        return self._mistaken[mistake.name]

    def mistaken_at(self, mistake: Mistake, index: int) -> tuple[Answer, Finding | None]:
        """A mistake's answer to one case and what is wrong with it, without the time that all the other cases take."""
        if mistake.name in self._mistaken:
            answers, found = self._mistaken[mistake.name]
            return answers[index], found[index]
        place = mistake.name, index
        if place not in self._mistaken_at:
            self._mistaken_at[place] = self.answer_at(mistake.wrong, index)
        return self._mistaken_at[place]

    def mistaken_together(self, mistake: Mistake, relation: Relation) -> Finding | None:
        """What is wrong with a mistake's answers to the cases of a relation, without the time of all the others."""
        labels = self.labels(relation)
        rows = {label: self.mistaken_at(mistake, i) for label, i in labels.items()}
        alone = next((finding for _, finding in rows.values() if finding is not None), None)
        if alone is not None or any(self.cases[i].from_file for i in labels.values()):
            return alone
        problem = relation.test({label: answer["value"] for label, (answer, _) in rows.items()})
        return None if problem is None else Finding(relation.property, "relation", problem)

    def labels(self, relation: Relation) -> dict[str, int]:
        """The cases that a relation is about, by their labels."""
        return {case.label: i for i, case in enumerate(self.cases) if case.property == relation.property and case.label}

    def answer_at(self, target: Callable[..., Any], index: int) -> tuple[Answer, Finding | None]:
        """The answer of one of our own implementations to one case, and what is wrong with it."""
        if self.cases[index].from_file:
            return dict(UNKNOWN), None
        (answer,) = runner.run(target, self.cases[index : index + 1])
        return answer, examine(self.exercise, self.cases[index], answer, self.expected[index])

    @functools.cached_property
    def _mistaken(self) -> dict[str, tuple[list[Answer], list[Finding | None]]]:
        return {}

    @functools.cached_property
    def _mistaken_at(self) -> dict[tuple[str, int], tuple[Answer, Finding | None]]:
        return {}

    def order(self, count: int) -> list[int]:
        """The order in which so many cases are put: drawn, so that it tells nothing of them."""
        own = zlib.crc32(self.exercise.name.encode())
        return [int(place) for place in np.random.default_rng([own, self.seed, 1]).permutation(count)]

    def _run(self, target: Callable[..., Any]) -> list[Answer]:
        """Run one of our own implementations, in the order of a learner's: what it keeps between calls shows alike.

        What only a learner's trained weights can answer is left open.
        """
        order = [place for place in self.order(len(self.cases)) if not self.cases[place].from_file]
        answers = dict(zip(order, runner.run(target, [self.cases[place] for place in order])))
        return [answers[place] if place in answers else dict(UNKNOWN) for place in range(len(self.cases))]

    def findings(self, answers: Sequence[Answer]) -> list[Finding | None]:
        """What is wrong with each answer, relations between answers included."""
        found = [examine(self.exercise, *row) for row in zip(self.cases, answers, self.expected)]
        for relation in self.exercise.relations:
            labels = self.labels(relation)
            if any(found[i] is not None for i in labels.values()):
                continue
            problem = relation.test({label: answers[i]["value"] for label, i in labels.items()})
            if problem is not None:
                found[min(labels.values())] = Finding(relation.property, "relation", problem)
        return found


@functools.lru_cache(maxsize=512)
def paper(exercise: Exercise, seed: int = VISIBLE_SEED) -> Paper:
    """Return the paper of an exercise for a seed; the same one again for the same arguments."""
    return Paper(exercise, seed)
