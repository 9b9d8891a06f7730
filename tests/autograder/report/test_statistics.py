"""The report's numbers against numbers known by hand."""

import numpy as np
import pytest

from autograder.marking.outcomes import Outcome
from autograder.report import figures, statistics
from autograder.report.graded_class import Cell, GradedClass, Person, Submission, Unit, in_order
from helpers.verdict import FAILED, PASSED, UNANSWERED, Diagnosis, Finding, Verdict


def test_difficulty_is_the_share_with_full_points():
    assert statistics.difficulty([2, 2, 0, 1.5], 2) == 0.5
    assert statistics.difficulty([], 2) is None


def test_item_rest_correlation():
    # Item 0 0 1 1; the rest adds up to 0 2 2 4: covariance 2, variances 1 and 8, so r = 2 / √8.
    points = np.array([[0, 0, 0], [0, 1, 1], [1, 1, 1], [1, 2, 2]])
    assert statistics.item_rest(points, 0) == pytest.approx(2 / np.sqrt(8))


@pytest.mark.parametrize(
    "points",
    [[[0, 1], [1, 0]], [[1, 0], [1, 1], [1, 2]], [[0, 1], [1, 1], [2, 1]], [[0], [1], [2]]],
    ids=["two students", "all the same", "rest the same", "alone"],
)
def test_item_rest_is_undefined_where_it_says_nothing(points):
    assert statistics.item_rest(np.array(points, float), 0) is None


def test_spread():
    assert statistics.spread([0, 10, 20, 20]) == statistics.Spread(4, 12.5, 7.5, 15, 20)
    assert statistics.spread([]) == statistics.Spread(0, None, None, None, None)


def test_histogram_counts_every_score_once():
    heights, edges = figures.counts([0, 1.9, 2, 19, 20, 21], 20)
    assert list(heights) == [2, 1, 0, 0, 0, 0, 0, 0, 0, 3] and list(edges) == list(range(0, 21, 2))


def failed(kind, message, **more):
    return Verdict("foo", FAILED, finding=Finding("values", kind, message), **more)


@pytest.mark.parametrize(
    "end, verdict, stopped",
    [
        ("right", Verdict("foo", PASSED, True), ""),
        ("not answered", Verdict("foo", UNANSWERED), ""),
        ("named mistake", failed("values", "wrong", diagnosis=Diagnosis("scaled", "do not")), ""),
        ("other mistake", failed("values", "wrong"), ""),
        (
            "did not run",
            failed("not judged", "the check did not come to its end: NameError: name 'foo' is not defined"),
            "",
        ),
        ("time out", failed("not judged", "the check did not come to its end: KeyboardInterrupt: "), ""),
        (
            "time out",
            failed("not judged", "the notebook ran for more than 180 seconds and was stopped"),
            "the notebook ran for more than 180 seconds and was stopped",
        ),
        (
            "not reached",
            failed("not judged", "the notebook's kernel ended before its last cell"),
            "the notebook's kernel ended before its last cell",
        ),
    ],
)
def test_how_a_check_ended(end, verdict, stopped):
    assert statistics.how_it_ended(Outcome("ann", "u", stopped=stopped), verdict) == end


def submission(name, *points, waiting=(), ungradable=""):
    return Submission(Person(name), "u", dict(zip("ab", points)), set(waiting), outcome=Outcome(name, "u", ungradable))


def test_who_needs_help_and_in_which_order():
    cells = [Cell("a", "test_a", 6, True), Cell("b", "b", 4, False)]
    handed_in = [
        submission("half", 5, 0),
        submission("less", 4, 0),
        submission("waits", 3, 0, waiting="b"),
        submission("least", 1, 0),
        submission("broken", 0, 0, ungradable="cut off"),
    ]
    absent = Person("absent")
    graded = GradedClass(
        "c", [absent, *(one.student for one in handed_in)], [Unit("u", cells, handed_in, [], [absent])]
    )
    needs = statistics.needing_help(graded)
    assert [need.student.id for need in needs] == ["broken", "absent", "least", "less"]
    assert needs[2].reasons == ["u: 1 of 10 points"] and needs[2].share == 0.1


def test_a_unit_that_hardly_anyone_handed_in_is_no_reason():
    absent = [Person(name) for name in "xyz"]
    one = submission("ann", 1)
    unit = Unit("u", [Cell("a", "test_a", 1, True)], [one], [], absent)
    assert statistics.needing_help(GradedClass("c", [one.student, *absent], [unit])) == []


def test_what_waits_for_a_person_counts_on_neither_side():
    cells = [Cell("a", "test_a", 1, True), Cell("b", "b", 4, False)]
    unit = Unit("u", cells, [submission("x", 1, 4), submission("y", 0, 0, waiting="b"), submission("z", 0, 2)], [], [])
    judged, by_hand = statistics.exercises(unit)
    assert (judged.students, judged.full, judged.discrimination) == (3, pytest.approx(1 / 3), None)
    assert (by_hand.students, by_hand.full, by_hand.mean, by_hand.waiting) == (2, 0.5, 0.75, 1)


def test_numbers_in_names_are_counted():
    assert in_order(["u10_b", "u2_a", "Ä", "u2_a1"]) == ["u2_a", "u2_a1", "u10_b", "Ä"]
