"""What late work costs by a class's settings."""

import pytest
from traitlets import TraitError
from traitlets.config import Config

from autograder.marking.late_rules import DAY, HOUR, LateRules


def rules(method="none", **settings):
    return LateRules(config=Config(LateRules=settings, LateSubmissionPlugin={"penalty_method": method}))


def cost(made, seconds, score=10.0):
    return made.late_submission_penalty("ada", score, seconds)


def test_without_a_setting_it_is_nbgraders_own():
    assert cost(rules(), 5 * DAY) is None
    assert cost(rules("zero"), 1) == 10


@pytest.mark.parametrize(("seconds", "points"), [(1, 1), (DAY, 1), (DAY + 1, 2), (9.5 * DAY, 10), (99 * DAY, 10)])
def test_each_begun_day_costs_its_share_and_never_more_than_all(seconds, points):
    assert cost(rules(share_per_day=0.1), seconds) == pytest.approx(points)


def test_hours_and_days_add_up():
    assert cost(rules(share_per_hour=0.01), 2.5 * HOUR) == pytest.approx(0.3)
    assert cost(rules(share_per_hour=0.01, share_per_day=0.1), 2.5 * HOUR) == pytest.approx(1.3)


@pytest.mark.parametrize("method", ["none", "zero"])
def test_within_the_grace_work_is_on_time_and_beyond_it_late_by_all_of_it(method):
    made = rules(method, share_per_hour=0.1, grace_minutes=60)
    assert cost(made, HOUR) is None
    assert cost(made, HOUR + 1) == pytest.approx(10 if method == "zero" else 2)


def test_free_days_are_spent_in_the_order_of_due_dates_and_by_begun_days():
    made = rules(share_per_day=0.1, free_days=3)
    assert made.judge(1.5 * DAY, []) == made.judge(1.5 * DAY, [0.0]) and made.judge(1.5 * DAY, []).spent == 2
    found = made.judge(2 * DAY, [1.5 * DAY])
    assert (found.spent, found.left) == (1, 0) and found.share == pytest.approx(0.1)
    assert made.judge(DAY, [DAY, 9 * DAY]).share == pytest.approx(0.1)
    assert cost(rules("zero", free_days=1), DAY) is None and cost(rules("zero", free_days=1), DAY + 1) == 10


def test_it_is_told_in_words():
    made = rules(share_per_day=0.1, free_days=1, grace_minutes=5)
    assert made.told("ada", 60) == "within the grace"
    assert made.told("ada", DAY) == "1 free late day spent, 0 left"
    assert made.told("ada", 2.5 * DAY) == "1 free late day spent, 0 left, 20 % taken off"
    assert rules().told("ada", DAY) == ""


@pytest.mark.parametrize("wrong", [{"share_per_day": 10}, {"share_per_hour": -1}, {"free_days": -1}])
def test_what_is_no_share_is_refused(wrong):
    with pytest.raises(TraitError):
        rules(**wrong)
