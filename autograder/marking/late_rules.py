"""What late work costs: so much of its points for each day or hour, minutes of grace, days that a student may spend.

A plugin of nbgrader's, which `plugin.configure` puts in the place of its own; without a setting it does what that does.

    c.LateRules.share_per_day = 0.1
    c.LateRules.grace_minutes = 15
    c.LateRules.free_days = 3

In this order: within the grace, work is on time. Beyond it, all of the delay counts, in begun days or hours. Free days
are spent on it first, on the assignments in the order of their due dates, so that the same submissions cost the same in
whatever order they are graded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from nbgrader.api import Assignment, Gradebook, SubmittedAssignment
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Float, Integer
from traitlets.config import Config

DAY, HOUR, MINUTE = 86400.0, 3600.0, 60.0


@dataclass(frozen=True)
class Judged:
    """What the rules say of one delay.

    Attributes:
        share: how much of the points it costs, 0 to 1.
        spent: free days that go into it.
        left: free days that remain for what is due later.
    """

    share: float
    spent: int
    left: int


class LateRules(LateSubmissionPlugin):  # type: ignore[misc]  # nbgrader has no types
    """The class's rules for late work."""

    share_per_day = Float(
        0.0, min=0.0, max=1.0, help="Share of the points that each begun day costs: 0.1 is a tenth."
    ).tag(config=True)
    share_per_hour = Float(0.0, min=0.0, max=1.0, help="Share of the points that each begun hour costs.").tag(
        config=True
    )
    grace_minutes = Integer(
        0, min=0, help="This late still counts as on time; what comes later is late by the whole time."
    ).tag(config=True)
    free_days = Integer(0, min=0, help="Days of delay that each student may spend in the term without a cost.").tag(
        config=True
    )

    @property
    def are_set(self) -> bool:
        """Whether there is any rule; else nothing is to be said of a delay but its length."""
        return bool(self.share_per_day or self.share_per_hour or self.grace_minutes or self.free_days)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Return the points that a notebook's delay costs, None where nothing is taken off."""
        found = self.judge(total_seconds_late, self._earlier(student_id))
        if self.penalty_method == "zero" and total_seconds_late > self.grace_minutes * MINUTE:
            return None if found.spent and not self._rest(total_seconds_late, found.spent) else score
        return found.share * score or None

    def judge(self, seconds: float, earlier: list[float]) -> Judged:
        """Return what a delay costs.

        Args:
            seconds: the delay.
            earlier: delays of the same student's work that was due before, in the order of the due dates.
        """
        left = self.free_days
        for delay in earlier:
            left -= self._spent(delay, left)
        spent = self._spent(seconds, left)
        rest = self._rest(seconds, spent)
        share = self.share_per_day * math.ceil(rest / DAY) + self.share_per_hour * math.ceil(rest / HOUR)
        return Judged(min(1.0, share), spent, left - spent)

    def told(self, student: str, seconds: float) -> str:
        """Return the delay and what it costs in words, "" where nothing is to be said but the delay."""
        found = self.judge(seconds, self._earlier(student))
        parts = []
        if self.grace_minutes and seconds <= self.grace_minutes * MINUTE:
            parts.append("within the grace")
        if found.spent:
            parts.append(f"{_days(found.spent)} spent, {found.left} left")
        if found.share:
            parts.append(f"{100 * found.share:g} % taken off")
        return ", ".join(parts)

    def _spent(self, seconds: float, left: int) -> int:
        late = seconds > self.grace_minutes * MINUTE
        return min(left, math.ceil(seconds / DAY)) if late else 0

    def _rest(self, seconds: float, spent: int) -> float:
        late = seconds > self.grace_minutes * MINUTE
        return max(0.0, seconds - spent * DAY) if late else 0.0

    def _earlier(self, student: str) -> list[float]:
        """Delays of the student's work that was due before what is being graded."""
        gradebook: Any = getattr(self.parent, "gradebook", None)
        if not self.free_days or gradebook is None:
            return []
        here: Assignment = gradebook.find_assignment(self.parent.assignment_id)
        if here.duedate is None:
            return []
        others = (
            gradebook.db.query(SubmittedAssignment)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .filter(SubmittedAssignment.student_id == student, Assignment.duedate.is_not(None))
        )
        order = here.duedate, here.name
        before = [one for one in others if (one.assignment.duedate, one.assignment.name) < order]
        before.sort(key=lambda one: (one.assignment.duedate, one.assignment.name))
        return [one.total_seconds_late for one in before]


def penalties(config: Config, gradebook: Gradebook, assignment: str) -> AssignLatePenalties | None:
    """Return nbgrader's step that sets late penalties, ready for one assignment; None in a class that has it off."""
    step = AssignLatePenalties(config=config)
    # As nbgrader's own has them, for plugins that ask.
    step.gradebook, step.assignment_id = gradebook, assignment
    step.init_plugin()
    return step if step.enabled else None


def rules(step: AssignLatePenalties | None) -> LateRules | None:
    """Return the class's rules for late work, where it has set some; a plugin of its own says nothing in words."""
    own = step.plugin_inst if step is not None else None
    return own if isinstance(own, LateRules) and own.are_set else None


def _days(count: int) -> str:
    return f"{count} free late day{'s' if count > 1 else ''}"
