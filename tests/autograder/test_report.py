"""The report: its numbers against numbers known by hand, any name as text, nothing from outside, every empty case."""

import csv
import datetime
import json
import shutil
from collections import Counter
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from nbgrader.api import Assignment, Student
from rich.console import Console
from sqlalchemy import insert, update
from typer.testing import CliRunner

from autograder import cli, report
from autograder.authoring.releasing import init
from autograder.classroom.answers import Answers
from autograder.classroom.classroom import Classroom
from autograder.marking.outcomes import Outcome, outcome_path, write_outcome
from autograder.report import examples, figures, statistics
from autograder.report.graded_class import Cell, GradedClass, Person, Submission, Unit, in_order
from helpers.verdict import FAILED, PASSED, UNANSWERED, Diagnosis, Finding, Verdict

from .synthetic import Work, counted, draw, fill, write_notebook

UNIT = "u1_dot_products"
POINTS = {
    "similarity_matrix": 2,
    "cosine_similarity": 3,
    "project": 3,
    "scores_for_query": 2,
    "attention_scores": 4,
    "attention_scores_columns": 3,
}
RIGHT = dict.fromkeys(POINTS, "")


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    return init(tmp_path_factory.mktemp("report") / "class", [UNIT]).root


@pytest.fixture
def room(released, tmp_path):
    """A class with one unit released and nothing handed in."""
    shutil.copytree(released, tmp_path / "class")
    return Classroom.open(tmp_path / "class")


class Reader(HTMLParser):
    """What is on a page: its elements with attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def written(room, **options):
    return Reader(report.write(room, **options).read_text(encoding="utf-8"))


def rows(room, name):
    with open(room.root / "report" / f"{name}.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# Numbers known by hand


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


# A whole class


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


# Examples

ANSWER = '''
def project(X, W_q, W_k, W_v):
    """Ann Müller wrote this."""
    # ann.mueller@example.org
    anns_weights = (W_q, W_k, W_v)  # mine, Ann
    if X is None:
        raise ValueError("call Ann: 0123 456")
    scores = np.einsum("nd,dk->nk", X, W_q)
    text = f"by {X} for Ann"
    return tuple(X @ W for W in anns_weights), X.max(), 4711081
'''


def stripped(room, code):
    return examples.Anonymous([Person("4711081", "Ann", "Müller"), Person("max", "Max")], Answers(room)).strip(
        code, UNIT
    )


def test_an_example_tells_nothing_of_whose_it_is(room):
    shown = stripped(room, ANSWER)
    assert not [word for word in ("ann", "müller", "mueller", "0123", "4711081", "#") if word in shown.casefold()]
    for kept in ("def project(X, W_q, W_k, W_v):", "'nd,dk->nk'", "X.max()", "raise ValueError('…')"):
        assert kept in shown


def test_a_long_example_is_cut_and_a_broken_one_left_out(room):
    shown = stripped(room, "\n".join(f"x{i} = {'1 + ' * 60}1" for i in range(50)))
    assert len(shown.splitlines()) == examples.MOST_LINES and max(map(len, shown.splitlines())) == examples.MOST_WIDTH
    assert stripped(room, "def project(:\n  # Ann") == "" == stripped(room, "")


def test_the_page_shows_an_example_of_each_mistake(room):
    mistake = next(iter(counted(draw(UNIT, ["x"] * 9, seed=1))))
    code = f"def {mistake[0]}(*args):\n    '''Zoe Zimmer'''\n    zoe = 1  # <script>\n    return args[0] < zoe"
    fill(room, UNIT, [Work("zoe", {mistake[0]: mistake[1]}, {mistake[0]: code}), Work("ann", {mistake[0]: mistake[1]})])
    page = written(room)
    assert (
        f"def {mistake[0]}(*args):\n    name_1 = 1\n    return args[0] < name_1" in page.text
        and "Zimmer" not in page.text
    )


def test_answers_come_from_the_graded_notebook_then_from_the_submitted_one(room):
    graded, handed_in = ({"project": code} for code in ("x = 1", "x = 2"))
    write_notebook(room.root / "submitted" / "ann" / UNIT / f"{UNIT}.ipynb", handed_in)
    assert Answers(room).of(UNIT, "ann") == handed_in
    write_notebook(room.root / "autograded" / "ann" / UNIT / f"{UNIT}.ipynb", graded)
    assert Answers(room).of(UNIT, "ann") == graded
    assert Answers(room).of(UNIT, "../autograded/ann") == {} == Answers(room).of(UNIT, "bob")
    assert set(Answers(room).solutions(UNIT)) == set(POINTS) == set(Answers(room).released(UNIT))
    assert "SOLUTION" not in "".join(Answers(room).solutions(UNIT).values())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"cells": 3}',
        '{"cells": [3, {"metadata": 1, "source": null}, {"metadata": {"nbgrader": []}, "source": [1]}]}',
        "[" * 99_999,
    ],
)
def test_a_file_that_is_no_notebook_has_no_answers(room, text):
    path = room.root / "autograded" / "ann" / UNIT / f"{UNIT}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    assert Answers(room).of(UNIT, "ann") == {}


# The command


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
