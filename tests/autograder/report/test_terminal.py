"""The table of results on a terminal of 80 columns: one line a submission, reasons once, totals last."""

import io

from rich.console import Console

from autograder import report
from autograder.grading import Result
from autograder.marking.outcomes import Outcome

UNIT = "u1_dot_products"
LONG = "the locked cell task1 had been changed; " * 4 + "end"


def shown(results, width=80):
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(report.table(results))
    return console.file.getvalue().splitlines()


def result(student, unit=UNIT, score=15.0, by_hand=1, late=0.0, **outcome):
    return Result(student, unit, score, 20.0, by_hand, late, Outcome(student, unit, **outcome))


CLASS = [
    result("ada"),
    result("ben", notes=[LONG], late=172800.0),
    result("cora", notes=[LONG]),
    result("dan", score=0.0, by_hand=0, ungradable="the submitted file is empty"),
    result("karl-friedrich-hieronymus-of-muenchhausen", by_hand=0),
]


def test_one_unit_is_the_title_and_no_row_is_wrapped():
    lines = shown(CLASS)
    assert lines[0].strip() == f"{UNIT}: 5 submissions" and "unit" not in lines[1]
    assert lines[1].split() == ["student", "points", "of", "by", "hand", "state"]
    rows = lines[3:8]
    assert [row.split()[1] for row in rows] == ["15", "15", "15", "0", "15"]
    assert rows[4].split()[0] == "karl-friedri…uenchhausen" and len(rows[4].split()[0]) == 24
    assert max(map(len, lines)) <= 80


def test_several_units_have_a_column_as_they_are_typed():
    lines = shown([result(f"a-rather-long-identifier-{i}", f"u{i}_unit_of_a_long_name", notes=["x"]) for i in (1, 2)])
    assert lines[0].strip() == "2 submissions" and lines[1].split()[:2] == ["student", "unit"]
    rows = [line for line in lines if line.rstrip().endswith("graded with a note")]
    assert [row.split()[1] for row in rows] == ["u1", "u2"] and max(map(len, lines)) <= 80
    assert lines[-2].startswith("u1: graded 1,") and lines[-1].startswith("u2: graded 1,")


def test_each_reason_stands_below_once_with_its_students():
    text = "\n".join(shown(CLASS))
    joined = " ".join(text.split())
    assert joined.count(LONG) == 1 and f"{LONG}: ben, cora" in joined
    assert "the submitted file is empty: dan" in joined and "late by 2.0 days: ben" in joined
    assert joined.index("empty: dan") > joined.index("not gradable")


def test_a_reason_of_a_whole_class_takes_few_lines():
    lines = shown([result(f"s{i:04d}", notes=["y" * 5000]) for i in range(300)])
    assert len(lines) < 300 + 20 and "and 280 more" in "\n".join(lines)


def test_totals_come_last_and_the_mean_leaves_out_what_is_not_gradable():
    assert shown(CLASS)[-1] == "graded 4, to grade by hand 3, not gradable 1, mean 15.0 of 20"


def test_two_ids_that_would_be_shortened_to_the_same_are_shown_whole():
    ids = [f"{'a' * 20}{middle}{'z' * 20}" for middle in "xy"]
    cells = [line.split()[0] for line in shown([result(one) for one in ids], width=100)[3:5]]
    assert cells == ids
