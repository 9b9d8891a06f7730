"""The page and the tables of a whole class: any name as text, nothing from outside, every empty case."""

import csv
import datetime
import io
import json
from collections import Counter
from types import SimpleNamespace

import pytest
from nbgrader.api import Assignment, Student
from rich.console import Console
from sqlalchemy import insert, update
from traitlets.config import Config
from typer.testing import CliRunner

from autograder import cli, report
from autograder.authoring.releasing import init
from autograder.marking.outcomes import Outcome, outcome_path, write_outcome
from autograder.report import tables

from .pages import POINTS, RIGHT, UNIT, Reader, rows, written
from .synthetic import Work, counted, draw, fill


def test_counts_mistakes_and_sorts_them_by_lost_points(room):
    works = draw(UNIT, [f"s{i:02d}" for i in range(40)], seed=3)
    fill(room, UNIT, works)
    page = written(room)
    found = rows(room, "mistakes")
    assert Counter({(row["exercise"], row["mistake"]): int(row["students"]) for row in found}) == counted(works)
    assert all(float(row["lost points"]) == int(row["students"]) * POINTS[row["exercise"]] for row in found)
    order = [(float(row["lost points"]), int(row["students"])) for row in found]
    assert order == sorted(order, reverse=True)
    assert found[0]["hint"] and found[0]["mistake"] in page.text
    exercises = {row["exercise"]: row for row in rows(room, "exercises")}
    assert list(exercises) == [*POINTS, "why_two_projections"]
    for name in POINTS:
        ends = Counter(work.ends[name] for work in works)
        assert (
            float(exercises[name]["full points"]) == ends[""] / 40
            and int(exercises[name]["not answered"]) == ends[None]
        )
    assert [row["student"] for row in rows(room, "grades")] == [work.student for work in works]
    assert rows(room, "by_hand") == [{"unit": UNIT, "question": "why_two_projections", "waiting": "40", "graded": "0"}]


def test_the_page_needs_nothing_else_and_says_what_each_figure_shows(room):
    fill(room, UNIT, draw(UNIT, ["a", "b", "c"], seed=0))
    page = written(room)
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "link", "iframe", "object", "embed", "base", "form"})
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "style")
    ]
    assert all(address.startswith(("data:image/svg+xml;base64,", "#")) for address in addresses)
    pictures = [attributes for tag, attributes in page.elements if tag == "img"]
    assert (
        len(pictures) == 2
        and pictures[0]["alt"].startswith("Histogram of 3 scores. Median")
        and "similarity_matrix:" in pictures[1]["alt"]
    )


NAMES = [
    "<script>alert(1)",
    '"quo\'ted" & <b>',
    "\u202eevil\u202d",
    "=1+1",
    "+cmd|' '!A0",
    "@SUM(A1)",
    "-2+3",
    "عمر",
    "name; with, commas",
    "{{ 7*7 }}",
    "x" * 120,
]


def test_any_name_is_text(room):
    works = [Work(name, RIGHT | {"project": None}, first="<i>=", last="\tO'Hara") for name in NAMES]
    fill(room, UNIT, works)
    with room.gradebook() as gradebook:
        gradebook.db.execute(insert(Student.__table__), [{"id": f"absent {name}"[:128]} for name in NAMES])
        gradebook.db.commit()
    page = written(room, look_alikes=True)
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "i"}) and not any(
        name.startswith("on") for _, attributes in page.elements for name in attributes
    )
    for name in NAMES:
        assert f"absent {name}"[:128] in page.text
    listed = {row["student"] for row in rows(room, "grades")}
    assert listed == {"'" + name if name[0] in "=+-@" else name for name in NAMES}
    for path in (room.root / "report").glob("*.csv"):
        with open(path, encoding="utf-8-sig", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        # A number may begin with a minus; a formula may not begin at all.
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "-2+"))], path.name


def test_a_terminal_obeys_no_name():
    result = SimpleNamespace(
        student="\x1b[2Jann\u202e",
        unit=UNIT,
        score=1.0,
        max_score=2.0,
        to_grade_by_hand=0,
        late_seconds=7200.0,
        late_told="",
        outcome=Outcome("ann", UNIT),
    )
    console = Console(width=160, record=True, file=open("/dev/null", "w"))
    with console.file:
        console.print(report.table([result]))
    shown = console.export_text()
    assert "\x1b" not in shown and "ann" in shown and "late by 2.0 hours" in shown


def test_notes_and_what_could_not_be_graded(room):
    students = ["ann", "bob", "cem", "dan", "eve", "fay"]
    due = datetime.datetime(2026, 10, 1, 12)
    fill(
        room,
        UNIT,
        [Work(name, RIGHT, timestamp=due + datetime.timedelta(days=2 * (name == "ann"))) for name in students],
    )
    with room.gradebook() as gradebook:
        gradebook.db.execute(update(Assignment).values(duedate=due))
        gradebook.db.commit()
    write_outcome(room.root, Outcome("bob", UNIT, ungradable="the submitted file is empty"))
    write_outcome(
        room.root, Outcome("cem", UNIT, notes=["the cell project was there twice; the first one counts"], unsafe=True)
    )
    write_outcome(
        room.root,
        Outcome("dan", UNIT, stopped="the notebook ran for more than 180 seconds and was stopped", seconds=181.5),
    )
    outcome_path(room.root, UNIT, "eve").write_bytes(b'{"student": "ev')
    outcome_path(room.root, UNIT, "fay").unlink()
    (room.root / "submitted" / "gil" / UNIT).mkdir(parents=True)
    page = written(room)
    assert rows(room, "not_gradable") == [{"student": "bob", "unit": UNIT, "why": "the submitted file is empty"}]
    told = [(row["student"], row["note"]) for row in rows(room, "notes")]
    assert [student for student, _ in told] == ["ann", "cem", "cem", "dan", "eve", "fay"]
    assert (
        dict(told)["ann"] == "late by 2.0 days"
        and "without the sandbox" in dict(told)["cem"]
        and "more than 180 seconds" in dict(told)["dan"]
    )
    assert "damaged" in dict(told)["eve"] and "without a kept outcome" in dict(told)["fay"]
    assert rows(room, "missing") == [{"student": "gil", "unit": UNIT, "what": "handed in, not graded yet"}]
    assert "1 more handed in, not graded yet" in page.text
    assert [row["student"] for row in rows(room, "help")] == ["bob"]
    assert {row["student"]: row["seconds"] for row in rows(room, "grades")}["dan"] == "181.5"
    # One submission in six cannot be graded, and is in no statistic.
    assert {row["students"] for row in rows(room, "exercises")} == {"5", "0"}


def test_a_fresh_outcome_counts_instead_of_the_kept_one(room):
    fill(room, UNIT, [Work("ann", RIGHT)])
    written(
        room, results=[SimpleNamespace(outcome=Outcome("ann", UNIT, notes=["the feedback page could not be written"]))]
    )
    assert rows(room, "notes") == [{"student": "ann", "unit": UNIT, "note": "the feedback page could not be written"}]


def test_nothing_released_nothing_handed_in_one_student(room, tmp_path):
    assert "No unit is released" in written(init(tmp_path / "bare", [])).text
    assert "Nothing is graded yet" in written(room).text
    (room.root / "submitted" / "ann" / UNIT).mkdir(parents=True)
    assert "1 submission waits" in written(room).text
    fill(room, UNIT, [Work("ann", RIGHT | {"project": None})])
    assert "graded1" in written(room, look_alikes=True).text.replace("\n", "")
    assert {row["discrimination"] for row in rows(room, "exercises")} == {""}
    assert rows(room, "lookalikes") == []


def test_command_writes_look_alikes_only_when_asked(room, tmp_path):
    code = (
        "def project(X, W_q, W_k, W_v):\n"
        + "".join(f"    step_{i} = X[{i}:] * {i} @ W_q\n" for i in range(9))
        + "    return step_1"
    )
    others = [Work(name, RIGHT, {"project": f"def project(X, *W):\n    return {name}"}) for name in "cdefgh"]
    fill(
        room,
        UNIT,
        [Work("ann", RIGHT, {"project": code}), Work("bob", RIGHT, {"project": code.replace("step_", "s")}), *others],
    )
    call = ["report", "--course", str(room.root), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(cli.app, [*call, "--lookalikes"])
    assert done.exit_code == 0, done.output
    pairs = (tmp_path / "out/lookalikes.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(pairs) == 2 and ",ann,bob," in pairs[1] and "project (100 %)" in pairs[1]
    page = tmp_path / "out/report.html"
    assert "a place to look, not a verdict" in page.read_text(encoding="utf-8").casefold()
    assert CliRunner().invoke(cli.app, call).exit_code == 0
    assert "Look-alike" not in page.read_text(encoding="utf-8") and not (tmp_path / "out/lookalikes.csv").exists()


def test_reports_of_one_class_are_equal_but_for_the_time(room):
    fill(room, UNIT, draw(UNIT, ["a", "b", "c"], seed=5))
    first, second = (json.dumps(Reader(report.write(room).read_text(encoding="utf-8")).elements) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", ["=1", "＝1", "＠x", "－2", "＋2", "\u00a0=1", " \t=1", "\r=1", "@x"])
def test_no_text_of_a_csv_file_is_a_formula_in_any_spreadsheet(name):
    table = tables.Table((("student", "text"), ("points", "number")), [(name, -1.5)])
    student, points = next(csv.reader(io.StringIO(table.csv().split("\n", 1)[1])))
    assert student == f"'{name}" and points == "-1.5"


def test_totals_over_the_term_stand_in_a_class_with_weights_and_go_with_them(room, monkeypatch):
    fill(room, UNIT, draw(UNIT, ["a", "b", "c"], seed=0))
    with monkeypatch.context() as patched:
        patched.setitem(room.config, "TermTotal", Config({"weights": {"u*": 1}, "drop_lowest": {"u*": 1}}))
        page = written(room)
        found = rows(room, "totals")
        points = {row["student"]: float(row["points"]) / float(row["of"]) for row in rows(room, "grades")}
        assert {row["student"]: float(row["total"]) for row in found} == pytest.approx(points, abs=1e-5)
        assert "Totals over the term" in page.text and ("section", {"id": "totals"}) in page.elements
    assert "Totals over the term" not in written(room).text
    assert not (room.root / "report" / "totals.csv").exists()
