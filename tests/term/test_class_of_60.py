"""A class of 60 with five assignments through a whole term: two units of this course, two plain nbgrader assignments,
and a unit from another package that is installed in a Python environment of its own and nowhere else.

Every command is typed: the class is made and handed in through Moodle, graded, late work is given more time, one hands
in again, a test is mended and all of it graded anew, points are given by hand, feedback goes back, and exports and
report have everybody's points. Who does what is drawn from a seed, so all points are known beforehand.
"""

import csv
import json
import zipfile
from dataclasses import dataclass, field

import nbformat
import numpy as np
import pytest

from autograder.authoring import sample
from autograder.classroom.classroom import CONFIG, Classroom
from tests import environments
from tests.autograder.grading import plain

from .wrong_answers import WRONG

STUDENTS, ABSENT, LATE, BROKEN = 60, 3, 2, 1
UNITS, PLUGGED, PLAIN, LAB = ("u0_start_here", "u1_dot_products"), "moving_averages", plain.NAME, "lab2"
NAMES = (*UNITS, PLAIN, LAB, PLUGGED)
DUE, LATE_AT = "2026-10-01 12:00:00 UTC", "Friday, 2 October 2026, 9:30 AM"
ON_TIME = "Wednesday, 30 September 2026, 6:05 PM"
SETTINGS = 'c.LateSubmissionPlugin.penalty_method = "zero"\nc.LmsCollector.timezone = "UTC"\n'
AVERAGE = "def moving_average(values, width):\n    {}\n    return np.convolve(values, np.ones(width){}, mode='valid')"
CHECKED = "if not 1 <= width <= len(values): raise ValueError"
# What a student hands in for an assignment, and the points of it that no person gives.
KINDS = {
    UNITS[0]: {"right": ({"hello_attention": "solution"}, 1), "open": ({}, 0)},
    UNITS[1]: {
        "right": (None, 17),
        "mistaken": (None, 13),
        "open": ({}, 0),
    },
    PLAIN: {"right": (plain.RIGHT, 8), "half": (plain.HALF, 2), "open": ({}, 0)},
    LAB: {
        "right": ({LAB: {"double": "def double(x):\n    return 2 * x"}}, 5),
        # As the one visible test has it; the mended test catches it.
        "learnt": ({LAB: {"double": "def double(x):\n    return 4"}}, 5),
        "open": ({}, 0),
    },
    PLUGGED: {
        "right": ({"moving_average": AVERAGE.format(CHECKED, " / width")}, 6),
        "wrong": ({"moving_average": AVERAGE.format(CHECKED, "")}, 0),
        "open": ({}, 0),
    },
}
MISTAKE = "forgot the transpose: Q @ K"
# What a person grades, and its most points.
WRITTEN = {UNITS[1]: ("why_two_projections", 3), PLAIN: ("essay", 5), PLUGGED: (f"{PLUGGED}_when_not", 4)}
NOTEBOOK = {PLAIN: "part2"}


@dataclass
class Person:
    """A student: what is handed in of each assignment, what is late, and what a person gave."""

    number: int
    kinds: dict[str, str] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    extended: set[str] = field(default_factory=set)
    by_hand: dict[str, int] = field(default_factory=dict)

    @property
    def id(self):
        return f"s{self.number:02}"

    @property
    def label(self):
        return f"Student Nr{self.number}_{8000 + self.number}_assignsubmission_file"

    def raw(self, name):
        kind = self.kinds.get(name)
        return (0 if kind in (None, "broken") else KINDS[name][kind][1]) + self.by_hand.get(name, 0)

    def points(self, name):
        return 0 if name in self.late - self.extended else self.raw(name)


def draw(seed):
    """Draw the class: of each assignment three hand in nothing, one a broken file, two are late."""
    rng = np.random.default_rng(seed)
    people = [Person(number) for number in range(STUDENTS)]
    for name in NAMES:
        special = rng.permutation(STUDENTS)
        for place, number in enumerate(special):
            person = people[number]
            if place < ABSENT:
                continue
            person.kinds[name] = "broken" if place < ABSENT + BROKEN else str(rng.choice(list(KINDS[name])))
            if ABSENT + BROKEN <= place < ABSENT + BROKEN + LATE:
                person.kinds[name] = "right"
                person.late.add(name)
    return people


def lab(hidden):
    """The second plain assignment, before and after its test was mended."""
    test = "assert double(2) == 4"
    if hidden:
        test += "\n### BEGIN HIDDEN TESTS\nassert double(5) == 10\n### END HIDDEN TESTS"
    answer = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    cells = [plain.cell("code", answer, "double", solution=True), plain.cell("code", test, "check", 5, locked=True)]
    return plain.notebook(*cells)


class Term:
    """A class folder, and what its instructor types."""

    def __init__(self, root, people):
        self.root, self.people = root, people
        self.environment = environments.make(root / "averages")
        environments.add_unit(self.environment, PLUGGED)
        self.folder = root / "class"
        self.type("init", self.folder, *UNITS)
        with open(self.folder / CONFIG, "a", encoding="utf-8") as file:
            file.write(f"{SETTINGS}c.SandboxedExecute.environments = {{{PLUGGED!r}: {str(self.environment)!r}}}\n")
        self.type("init", self.folder, PLUGGED)
        self.write(PLAIN, {"part1": plain.part1(), "part2": plain.part2()})
        for name, text in (("data.csv", plain.DATA), ("tools.py", plain.TOOLS)):
            (self.folder / "source" / PLAIN / name).write_text(text, encoding="utf-8")
        self.write(LAB, {LAB: lab(hidden=False)})
        for name in (PLAIN, LAB):
            environments.nbgrader("generate_assignment", name, folder=self.folder)
        self.room = Classroom.open(self.folder)
        with self.room.gradebook() as book:
            for name in NAMES:
                book.update_or_create_assignment(name, duedate=DUE)
        roster = "id,first_name,last_name,email\n" + "".join(
            f"{one.id},Student,Nr{one.number},{one.id}@example.org\n" for one in people
        )
        (root / "roster.csv").write_text(roster, encoding="utf-8")
        self.type("roster", root / "roster.csv", "--course", self.folder)

    def type(self, *words, code=0):
        return environments.command(*words, code=code)

    def write(self, name, notebooks):
        (self.folder / "source" / name).mkdir(exist_ok=True)
        for notebook, made in notebooks.items():
            nbformat.write(made, self.folder / "source" / name / f"{notebook}.ipynb")

    def handed_in(self, person, name):
        """The files of a submission, by their names."""
        kind = person.kinds[name]
        if kind == "broken":
            return {f"{NOTEBOOK.get(name, name)}.ipynb": b'{"cells": [{"cell_type": "co'}
        answers = KINDS[name][kind][0]
        release = self.folder / "release" / name
        if name == UNITS[1] and answers is None:
            solved = sample.answered(name)
            if kind == "mistaken":
                next(c for c in solved.cells if c.id == "attention_scores").source = WRONG["attention_scores"][MISTAKE]
            notebooks = {name: solved}
        elif name in UNITS:
            notebooks = {name: sample.answered(name, answers)}
        else:
            notebooks = {path.stem: nbformat.read(path, 4) for path in release.glob("*.ipynb")}
            for notebook, made in notebooks.items():
                filled = answers.get(notebook, {}) if name != PLUGGED else answers
                for cell in made.cells:
                    own = filled.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
                    cell.source = cell.source if own is None else own
        if kind != "open" and name in (UNITS[1], PLUGGED):
            written = WRITTEN[name][0]
            cell = next(c for c in notebooks[name].cells if c.metadata.get("nbgrader", {}).get("grade_id") == written)
            cell.source += f"\n\nBecause a word may look for something else ({person.number})."
        if name == PLUGGED:
            notebooks[name].cells.append(nbformat.v4.new_code_cell("import sys\nprint('in', sys.prefix)", id="where"))
        files = {f"{notebook}.ipynb": nbformat.writes(made).encode() for notebook, made in notebooks.items()}
        return files | {path.name: path.read_bytes() for path in release.iterdir() if path.suffix in (".csv", ".py")}

    def collect(self, name):
        """Type in what Moodle gives: the zip of all submissions, and the worksheet with their times."""
        there = [one for one in self.people if name in one.kinds]
        with zipfile.ZipFile(self.root / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for person in there:
                for file, data in self.handed_in(person, name).items():
                    archive.writestr(f"{person.label}/{file}", data)
        with open(self.root / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
            sheet = csv.writer(file)
            sheet.writerow(["Identifier", "Full name", "ID number", "Email address", "Status",
                            "Last modified (submission)"])  # fmt: skip
            for one in there:
                sheet.writerow(
                    [f"Participant {8000 + one.number}", f"Student Nr{one.number}", "", f"{one.id}@example.org",
                     "Submitted", LATE_AT if name in one.late else ON_TIME]
                )  # fmt: skip
        sheet = self.root / f"{name}.csv"
        said = self.type("collect", name, self.root / f"{name}.zip", "--worksheet", sheet, "--course", self.folder)
        assert f"submissions of {name} collected: {len(there)}" in said

    def grade(self, *words, fresh):
        """Grade, and look that nothing else was done."""
        events = self.type("grade", *words, "--json", "--course", self.folder, code=3)
        found = [json.loads(line) for line in events.splitlines() if line.startswith("{")]
        assert sum(event["event"] == "graded" for event in found) == fresh

    def points(self):
        """Everybody's points of every assignment, as the gradebook has them."""
        with self.room.gradebook() as book:
            found = {
                name: {one.student.id: one.score - one.late_submission_penalty
                       for one in book.find_assignment(name).submissions}
                for name in NAMES
            }  # fmt: skip
        return {name: {student: max(0, score) for student, score in scores.items()} for name, scores in found.items()}

    def expected(self):
        return {name: {one.id: one.points(name) for one in self.people if name in one.kinds} for name in NAMES}

    def grade_by_hand(self):
        """Give every fourth written answer points and a comment."""
        with self.room.gradebook() as book:
            for name, (cell, most) in WRITTEN.items():
                for person in self.people[::4]:
                    if person.kinds.get(name, "broken") == "broken":
                        continue
                    grade = book.find_grade(cell, NOTEBOOK.get(name, name), name, person.id)
                    if not grade.needs_manual_grade:
                        continue
                    person.by_hand[name] = person.number % (most + 1)
                    grade.manual_score, grade.needs_manual_grade = person.by_hand[name], False
                    comment = book.find_comment(cell, NOTEBOOK.get(name, name), name, person.id)
                    comment.manual_comment = f"Comment for {person.id}."
            book.db.commit()


@pytest.fixture
def term(tmp_path):
    return Term(tmp_path, draw(seed=60))


def test_a_class_of_60_with_five_assignments_through_a_term(term):
    people, folder = term.people, term.folder
    for name in NAMES:
        term.collect(name)
    count = sum(len(one.kinds) for one in people)
    assert count == (STUDENTS - ABSENT) * len(NAMES)

    # Without a name, everything; again, nothing.
    term.grade(fresh=count)
    assert term.points() == term.expected()
    term.grade(fresh=0)
    one = next(one for one in people if one.kinds.get(PLUGGED) == "right")
    text = (folder / "autograded" / one.id / PLUGGED / f"{PLUGGED}.ipynb").read_text(encoding="utf-8")
    assert f"in {term.environment}" in text

    # More time for who was ill, in a plain assignment and in the package's unit.
    for name in (PLAIN, PLUGGED):
        ill = next(one for one in people if name in one.late)
        term.type("extend", name, ill.id, "--until", "2026-10-03 12:00 UTC", "--course", folder)
        ill.extended.add(name)
    term.grade(fresh=0)
    assert term.points() == term.expected()

    # One hands in again, and then a test is mended: only they, and only that assignment, are graded anew.
    again = next(one for one in people if one.kinds.get(LAB) == "open" and LAB not in one.late)
    again.kinds[LAB] = "right"
    term.collect(LAB)
    term.grade(LAB, fresh=1)
    term.write(LAB, {LAB: lab(hidden=True)})
    environments.nbgrader("generate_assignment", LAB, "--force", folder=folder)
    KINDS[LAB]["learnt"] = KINDS[LAB]["learnt"][0], 0
    term.grade(fresh=STUDENTS - ABSENT)
    assert term.points() == term.expected()

    # Points and comments by hand; the pages that show them are made anew, and go back with Moodle's names.
    term.grade_by_hand()
    assert len({name for one in people for name in one.by_hand}) == len(WRITTEN)
    term.grade(fresh=0)
    assert term.points() == term.expected()
    for name in WRITTEN:
        back = term.root / f"{name}_back.zip"
        term.type("feedback", name, "--zip", "moodle", "--worksheet", term.root / f"{name}.csv", "--file", back,
                  "--course", folder)  # fmt: skip
        with zipfile.ZipFile(back) as archive:
            pages = {path: archive.read(path).decode() for path in archive.namelist()}
        assert {path.partition("/")[0] for path in pages} == {one.label for one in people if name in one.kinds}
        for person in people:
            own = "".join(text for path, text in pages.items() if path.startswith(f"{person.label}/"))
            assert (f"Comment for {person.id}." in own) == (name in person.by_hand)

    # Exports and report have every student of every assignment with the points that count.
    term.type("export", "--to", "json", "--file", term.root / "grades.json", "--course", folder)
    written = json.loads((term.root / "grades.json").read_text(encoding="utf-8"))
    assert len(written) == STUDENTS
    for one in written:
        person = people[int(one["id"][1:])]
        assert {name: one["units"][name]["points"] for name in NAMES} == {name: person.points(name) for name in NAMES}
    term.type("export", "--to", "exercises", "--file", term.root / "exercises.csv", "--course", folder)
    with open(term.root / "exercises.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["unit"] for row in rows} == set(NAMES)
    term.type("report", "--lookalikes", "--course", folder)
    with open(folder / "report" / "grades.csv", encoding="utf-8-sig", newline="") as file:
        reported = {(row["unit"], row["student"]): float(row["points"]) for row in csv.DictReader(file)}
    assert reported == {(name, one.id): one.points(name) for one in people for name in one.kinds}
    page = (folder / "report" / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in NAMES) and f"{STUDENTS} students" in page and MISTAKE.split(":")[0] in page
    said = term.type("status", "--course", folder)
    rows = [cells[1:4] for cells in map(str.split, said.splitlines()) if len(cells) == 7 and cells[1].isdigit()]
    handed_in = STUDENTS - ABSENT
    assert rows == [[str(handed_in), str(handed_in - BROKEN), "0"]] * len(NAMES), said
