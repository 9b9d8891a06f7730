"""A class of 300 through a whole term: made of known mistakes in known numbers, and the report has to find exactly
these.

Who does what is drawn from a seed: for each exercise right, one of the mistakes in `wrong_answers`, or not answered.
292 hand in, three of them files that are no notebooks; five are late. Points by hand go in through nbgrader's
Gradebook, as tests/term/test_guide.py shows them going in through formgrader. Feedback pages are made of every eighth
student here: they cost as much as all the grading, and a page of each kind is enough.
"""

import csv
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass, field

import nbformat
import numpy as np

from autograder import report
from autograder.authoring import releasing, sample
from autograder.classroom import extending, layout
from autograder.classroom.classroom import CONFIG, Classroom
from autograder.grading import coordinator
from autograder.lms import collecting, exporting, feedback_files
from helpers.judging import catalog

from .wrong_answers import WRONG

UNIT = "u1_dot_products"
WRITTEN, WRITTEN_POINTS = "why_two_projections", 3
POINTS = {
    "similarity_matrix": 2,
    "cosine_similarity": 3,
    "project": 3,
    "scores_for_query": 2,
    "attention_scores": 4,
    "attention_scores_columns": 3,
}
STUDENTS, ABSENT, LATE, BROKEN = 300, 8, 5, 3
DUE, LATE_AT = "2026-10-01 12:00:00 UTC", "Friday, 2 October 2026, 9:30 AM"
ON_TIME = "Wednesday, 30 September 2026, 6:05 PM"
RIGHT, OPEN = "", None
FIRST = (
    "Ada Béla Chen Dana Emil Fatima Goran Hana Ivan João Kim Lea Mehmet Nora Olu Pia Quentin Rosa Søren Tomás".split()
)
LAST = "Lovelace Bartók Li O'Neil Fox Khan Petrov Sato Costa Diaz Evans Nkosi Larsen Meyer Rossi".split()


@dataclass
class Person:
    """A student of the class: names, what becomes of each exercise, and what is handed in."""

    id: str
    first: str
    last: str
    number: int
    ends: dict[str, str | None] = field(default_factory=dict)
    hands_in: bool = True
    broken: bool = False
    late: bool = False
    extended: bool = False
    wrote: bool = True
    by_hand: int | None = None
    look_again: bool = False

    @property
    def label(self):
        return f"{self.first} {self.last}_{7000 + self.number}_assignsubmission_file"

    @property
    def judged(self):
        """Points of the checks."""
        return sum(POINTS[name] for name, end in self.ends.items() if end == RIGHT)

    @property
    def raw(self):
        return 0 if self.broken or not self.hands_in else self.judged + (self.by_hand or 0)

    @property
    def points(self):
        """What counts in the end: late work has none, without an extension."""
        return 0 if self.late and not self.extended else self.raw

    def notebook(self):
        if self.broken:
            return '{"cells": [{"cell_type": "code", "metadata": {}, "sour'
        answers = {
            name: "solution" if end == RIGHT else WRONG[name][end] for name, end in self.ends.items() if end is not OPEN
        }
        text = sample.answered(UNIT, answers)
        if self.wrote:
            next(
                cell for cell in text.cells if cell.id == WRITTEN
            ).source += f"\n\nBecause a word may look for something else than it offers ({self.number})."
        return nbformat.writes(text)


def draw(seed):
    """Draw the class: who knows more has more right, two thirds on average; a twelfth is open, the rest wrong, the
    first mistakes more often.
    """
    rng = np.random.default_rng(seed)
    people = [Person(f"s{n:03}", FIRST[n % len(FIRST)], LAST[n // len(FIRST)], n) for n in range(STUDENTS)]
    for person in people:
        skill = rng.beta(4, 2)
        for name, wrong in WRONG.items():
            weights = 0.6 ** np.arange(len(wrong))
            shares = [skill, (1 - skill) / 4, *(weights / weights.sum() * (1 - skill) * 3 / 4)]
            ends = [RIGHT, OPEN, *wrong]
            person.ends[name] = ends[rng.choice(len(ends), p=shares)]
        person.wrote = bool(rng.random() < 0.8)
    special = rng.permutation(STUDENTS)
    for place, n in enumerate(special[: ABSENT + BROKEN + LATE]):
        person = people[n]
        person.hands_in, person.broken, person.late = (
            place >= ABSENT,
            ABSENT <= place < ABSENT + BROKEN,
            place >= ABSENT + BROKEN,
        )
    return people


def moodle(folder, people):
    """Write what an instructor downloads from Moodle: the zip of all submissions, and the grading worksheet."""
    with zipfile.ZipFile(folder / "unit1.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for person in people:
            archive.writestr(f"{person.label}/{UNIT}.ipynb", person.notebook())
    with open(folder / "unit1.csv", "w", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(
            ["Identifier", "Full name", "ID number", "Email address", "Status", "Last modified (submission)"]
        )
        for person in people:
            time = LATE_AT if person.late else ON_TIME
            sheet.writerow(
                [
                    f"Participant {7000 + person.number}",
                    f"{person.first} {person.last}",
                    "",
                    f"{person.id}@example.org",
                    "Submitted",
                    time,
                ]
            )
    return folder / "unit1.zip", folder / "unit1.csv"


def rows(path, **options):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, **options))


def counted(people):
    """How many made each mistake, as the report should say: (exercise, mistake) → students."""
    return Counter(
        (name, end)
        for person in people
        if person.hands_in and not person.broken
        for name, end in person.ends.items()
        if end
    )


def ends(people, kind):
    return {
        name: sum(person.ends[name] == kind for person in people if person.hands_in and not person.broken)
        for name in POINTS
    }


def check_report(room, people):
    """The report's counts are the known ones, all of them."""
    report.write(room)
    folder = room.root / "report"
    found = {(row["exercise"], row["mistake"]): int(row["students"]) for row in rows(folder / "mistakes.csv")}
    assert found == counted(people)
    hints = {
        (name, mistake.name): mistake.hint
        for name, exercise in catalog.unit_exercises(UNIT).items()
        for mistake in exercise.mistakes
    }
    for row in rows(folder / "mistakes.csv"):
        place = row["exercise"], row["mistake"]
        assert float(row["lost points"]) == POINTS[row["exercise"]] * found[place]
        assert row["hint"] == hints.get(place, row["hint"]) and row["hint"]
    exercises = {row["exercise"]: row for row in rows(folder / "exercises.csv")}
    graded = sum(person.hands_in and not person.broken for person in people)
    assert {name: int(exercises[name]["not answered"]) for name in POINTS} == ends(people, OPEN)
    assert all(float(exercises[name]["discrimination"]) > 0 for name in POINTS)
    assert {name: round(float(exercises[name]["full points"]) * graded) for name in POINTS} == ends(people, RIGHT)
    assert {row["student"]: float(row["points"]) for row in rows(folder / "grades.csv")} == {
        one.id: one.points for one in people if one.hands_in
    }
    assert len(rows(folder / "not_gradable.csv")) == BROKEN and len(rows(folder / "missing.csv")) == ABSENT
    waiting = sum(
        one.wrote and (one.by_hand is None or one.look_again) for one in people if one.hands_in and not one.broken
    )
    assert sum(int(row["waiting"]) for row in rows(folder / "by_hand.csv")) == waiting
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"{STUDENTS} students" in page and not re.search(r'(?:src|href)="(?!#|data:)', page)


def check_exports(room, people):
    """Every export has every student with the points that count."""
    room.config.TermTotal.weights = {"u*": 1}
    points = {person.id: float(person.points) for person in people}
    for name in exporting.EXPORTS:
        assert exporting.export(room, name, room.root / f"points.{name}").students == STUDENTS
    canvas = rows(room.root / "points.canvas")
    assert canvas[0][UNIT] == "20" and {row["SIS Login ID"]: float(row[UNIT]) for row in canvas[1:]} == points
    assert {row["Email address"]: float(row[UNIT]) for row in rows(room.root / "points.moodle")} == {
        f"{name}@example.org": value for name, value in points.items()
    }
    plain = {row["student_id"]: row for row in rows(room.root / "points.csv")}
    assert {name: float(row["points"]) for name, row in plain.items()} == points
    assert {name: float(row["raw_points"]) for name, row in plain.items()} == {
        person.id: float(person.raw) for person in people
    }
    assert {name for name, row in plain.items() if row["submitted"] == "no"} == {
        person.id for person in people if not person.hands_in
    }
    written = json.loads((room.root / "points.json").read_text(encoding="utf-8"))
    assert {one["id"]: one["units"][UNIT]["points"] for one in written} == points


def test_a_class_of_300_through_a_term(tmp_path):
    people = draw(seed=300)
    handed_in = [person for person in people if person.hands_in]
    assert len(counted(people)) == sum(map(len, WRONG.values())), "every mistake is made by someone"

    # A new class: the secret is fixed so that the hidden cases are the same in every run.
    (tmp_path / "class" / layout.FOLDER).mkdir(parents=True)
    (tmp_path / "class" / layout.FOLDER / "secret").write_text("30" * 32)
    room = releasing.init(tmp_path / "class", [UNIT], duedate=DUE)
    with open(room.root / CONFIG, "a", encoding="utf-8") as file:
        file.write('c.LateSubmissionPlugin.penalty_method = "zero"\nc.LmsCollector.timezone = "UTC"\n')
    room = Classroom.open(room.root)

    # The roster.
    with open(tmp_path / "roster.csv", "w", encoding="utf-8", newline="") as file:
        roster = csv.writer(file)
        roster.writerow(["id", "first_name", "last_name", "email", "lms_user_id"])
        roster.writerows([one.id, one.first, one.last, f"{one.id}@example.org", 100 + one.number] for one in people)
    call = [sys.executable, "-W", "ignore", "-m", "nbgrader", "db", "student", "import", str(tmp_path / "roster.csv")]
    subprocess.run(call, cwd=room.root, check=True, capture_output=True)

    # Collecting from Moodle.
    collected = collecting.collect(room, UNIT, *moodle(tmp_path, handed_in))
    assert collected.students == tuple(person.id for person in handed_in) and collected.left == ()

    # Grading.
    results = coordinator.grade(room, [UNIT], feedback=False, jobs=2)
    assert {result.student: result.score for result in results} == {
        person.id: 0 if person.late else person.raw for person in handed_in
    }
    assert {result.student for result in results if result.outcome.ungradable} == {
        person.id for person in people if person.broken
    }
    check_report(room, people)

    # Every fourth written answer is graded by hand.
    with room.gradebook() as gradebook:
        for person in handed_in[::4]:
            if person.wrote and not person.broken:
                person.by_hand = person.number % (WRITTEN_POINTS + 1)
                grades = gradebook.find_grade(WRITTEN, UNIT, UNIT, person.id)
                grades.manual_score, grades.needs_manual_grade = person.by_hand, False
                gradebook.find_comment(WRITTEN, UNIT, UNIT, person.id).manual_comment = f"Comment for {person.id}."
        gradebook.db.commit()

    # More time for one, and another hands in again with one mistake mended.
    ill = next(person for person in people if person.late)
    assert extending.extend(room, UNIT, ill.id, until="2026-10-03 12:00 UTC").handed_in
    ill.extended = True
    again = next(
        person
        for person in handed_in
        if person.ends["attention_scores"] == "forgot the transpose: Q @ K" and not person.late and not person.broken
    )
    before = again.judged
    # nbgrader asks for a second look at points by hand when new work comes; they count as before.
    again.ends["attention_scores"], again.look_again = RIGHT, True
    assert collecting.collect(room, UNIT, *moodle(tmp_path, handed_in)).students == collected.students
    results = coordinator.grade(room, [UNIT], feedback=False)
    assert [result.student for result in results if result.fresh] == [again.id]
    assert next(result for result in results if result.fresh).score == before + POINTS["attention_scores"] + (
        again.by_hand or 0
    )

    # Feedback.
    some = [person for person in handed_in[::8] if not person.broken]
    coordinator.grade(room, [UNIT], students=[person.id for person in some], jobs=2)
    for person in some:
        page = (room.root / "feedback" / person.id / UNIT / f"{UNIT}.html").read_text(encoding="utf-8")
        assert not [end for end in person.ends.values() if end and end not in page]
        assert re.findall(r"Comment for (s\d+)", page) == ([person.id] if person.by_hand is not None else [])
    back = feedback_files.zip_feedback(room, UNIT, "moodle", worksheet=tmp_path / "unit1.csv")
    assert back.students == tuple(person.id for person in some) and len(back.without) == len(handed_in) - len(some)

    check_report(room, people)
    check_exports(room, people)
