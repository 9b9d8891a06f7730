"""Totals over a term: groups, weights, the lowest left out, what is not handed in, and rules that make no sense."""

import csv
import io
import json
from datetime import datetime, timedelta

import pytest
from traitlets.config import Config

from autograder.classroom import extending
from autograder.course import CourseError
from autograder.lms import exporting, term_totals
from autograder.lms.scores import Row, Score
from autograder.lms.term_totals import Rules

from .test_export import room  # noqa: F401  (a fixture)

NOW = datetime(2026, 11, 1)
PAST, COMING = NOW - timedelta(days=1), NOW + timedelta(days=1)


def rules(weights, drop=None):
    config = Config()
    config.TermTotal.weights = weights
    config.TermTotal.drop_lowest = drop or {}
    return Rules.of(config)


def total(shares, weights, drop=None, due=None):
    """The total of a student with these points of 10 each; None is not handed in."""
    scores = tuple(
        Score(name, points if points is not None else 0.0, points or 0.0, 0.0, 10.0, points is not None, "", False)
        for name, points in shares.items()
    )
    return rules(weights, drop).total(Row("ada", "", "", "", "", scores), due or {}, NOW)


@pytest.mark.parametrize(
    ("shares", "weights", "drop", "due", "expected", "dropped"),
    [
        # By hand: (0.8 + 0.4) / 2 = 0.6 of the units, 1.0 of the homework: 0.6 · 0.6 + 0.4 · 1.0.
        ({"u1": 8, "u2": 4, "hw1": 10}, {"u*": 60, "hw*": 40}, {}, {}, 0.76, ()),
        ({"u1": 8, "u2": 4, "hw1": 10}, {"u*": 60, "hw*": 40}, {"u*": 1}, {}, 0.6 * 0.8 + 0.4, ("u2",)),
        # Weights in any unit, and the only one of a group is never left out.
        ({"u1": 8, "hw1": 5}, {"u*": 3, "hw*": 2}, {"hw*": 2}, {}, 0.6 * 0.8 + 0.4 * 0.5, ()),
        # Not handed in: nothing before the due date, 0 after it or without one.
        ({"u1": 8, "u2": None}, {"u*": 1}, {}, {"u2": COMING}, 0.8, ()),
        ({"u1": 8, "u2": None}, {"u*": 1}, {}, {"u2": PAST}, 0.4, ()),
        ({"u1": 8, "u2": None}, {"u*": 1}, {}, {}, 0.4, ()),
        ({"u1": 8, "u2": None}, {"u*": 1}, {"u*": 1}, {}, 0.8, ("u2",)),
        # A group without anything that counts yet leaves its weight to the others.
        ({"u1": 8, "hw1": None}, {"u*": 60, "hw*": 40}, {}, {"hw1": COMING}, 0.8, ()),
        # Extra points count, and an assignment of no group does not.
        ({"u1": 12, "quiz": 0}, {"u*": 1}, {}, {}, 1.2, ()),
        # The first pattern that fits takes it.
        ({"u1": 10, "u2": 0}, {"u1": 1, "u*": 1}, {}, {}, 0.5, ()),
        ({"u1": None}, {"u*": 1}, {}, {"u1": COMING}, None, ()),
    ],
)
def test_totals_worked_out_by_hand(shares, weights, drop, due, expected, dropped):
    found = total(shares, weights, drop, due)
    assert found.share == (None if expected is None else pytest.approx(expected)) and found.dropped == dropped


@pytest.mark.parametrize(
    ("weights", "drop", "told"),
    [
        ({"u*": 0}, {}, r"the weight of 'u\*' is 0; it wants a number above 0"),
        ({"u*": "60"}, {}, r"the weight of 'u\*' is '60'"),
        ({"u*": True}, {}, r"the weight of 'u\*' is True"),
        ({"u*": float("nan")}, {}, r"the weight of 'u\*' is nan"),
        ({"u*": 1}, {"hw*": 1}, r"drop_lowest: 'hw\*' has no weight; groups with weights: 'u\*'"),
    ],
)
def test_rules_that_make_no_sense_are_said(weights, drop, told):
    with pytest.raises(CourseError, match=told):
        rules(weights, drop)


def test_groups_that_are_empty_and_assignments_of_none_are_told():
    assert rules({"u*": 1, "lab*": 1}).remarks(["u1", "quiz"]) == [
        "c.TermTotal.weights: 'lab*' fits no assignment that was handed in",
        "quiz fits no group of c.TermTotal.weights and counts for no total",
    ]


def test_a_group_whose_assignments_all_fit_one_before_it_is_told_and_so_is_what_to_do():
    assert rules({"*": 60, "project": 40}).remarks(["u1", "project"]) == [
        "c.TermTotal.weights: 'project' counts for nothing: project fits '*' too, which stands before it; put the "
        "narrower first",
    ]
    assert rules({"project": 40, "*": 60}).remarks(["u1", "project"]) == []
    assert total({"u1": 5, "project": 10}, {"project": 40, "*": 60}).share == pytest.approx(0.4 + 0.6 * 0.5)


@pytest.fixture
def weighted(room, monkeypatch):  # noqa: F811
    monkeypatch.setitem(room.config, "TermTotal", Config({"weights": {"u1*": 50, "u2*": 50}, "drop_lowest": {}}))
    return room


def test_the_export_has_a_line_for_each_student(weighted, tmp_path):
    done = exporting.export(weighted, "totals", tmp_path / "totals.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "totals.csv").read_text(encoding="utf-8"))))
    by_id = {row["student_id"]: row for row in rows}
    # ada: 17 of 20 and 20.5 of 22; bela: 11 1/3 less 2 of 20, and nothing.
    assert float(by_id["ada"]["total_percent"]) == pytest.approx(100 * (17 / 20 + 20.5 / 22) / 2, abs=0.01)
    assert float(by_id["bela"]["total_percent"]) == pytest.approx(100 * (28 / 3 / 20) / 2, abs=0.01)
    assert by_id["bela"]["u2* percent"] == "0" and done.students == 3


def test_the_json_export_of_one_unit_has_the_total_of_all(weighted, tmp_path):
    exporting.export(weighted, "json", tmp_path / "grades.json", units=["u1_dot_products"])
    people = {one["id"]: one for one in json.loads((tmp_path / "grades.json").read_text(encoding="utf-8"))}
    assert people["ada"]["total"]["percent"] == pytest.approx(100 * (17 / 20 + 20.5 / 22) / 2, abs=0.01)
    assert list(people["ada"]["units"]) == ["u1_dot_products"]


def test_who_has_an_extension_that_is_not_over_has_no_0_yet(weighted, monkeypatch):
    with weighted.gradebook() as gradebook:
        due = gradebook.find_assignment("u2_softmax_scaling").duedate
        gradebook.update_or_create_assignment("u2_softmax_scaling", duedate=datetime(2026, 10, 1, 12))
    monkeypatch.setattr(term_totals, "now", lambda: NOW)
    try:
        extending.extend(weighted, "u2_softmax_scaling", "bela", hours=24 * 60)
        with weighted.gradebook() as gradebook:
            found = exporting.term_total(gradebook, weighted.config)
            assert found["bela"].share == pytest.approx(28 / 3 / 20)
            monkeypatch.setattr(term_totals, "now", lambda: NOW + timedelta(days=60))
            assert exporting.term_total(gradebook, weighted.config)["bela"].share == pytest.approx(28 / 3 / 40)
    finally:
        extending.extend(weighted, "u2_softmax_scaling", "bela", hours=0)
        with weighted.gradebook() as gradebook:
            gradebook.update_or_create_assignment("u2_softmax_scaling", duedate=due)


def test_without_weights_there_is_no_total(room, tmp_path):  # noqa: F811
    with pytest.raises(CourseError, match=r"set c\.TermTotal\.weights"):
        exporting.export(room, "totals", tmp_path / "totals.csv")
    exporting.export(room, "json", tmp_path / "grades.json")
    assert "total" not in json.loads((tmp_path / "grades.json").read_text(encoding="utf-8"))[0]
    assert term_totals.plain(total({"u1": 8}, {"u*": 1}))["percent"] == 80.0
