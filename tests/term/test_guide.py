"""The instructor's guide, typed word by word: every command of docs/instructors.md on a class of five, and what it says
one sees.

Between the commands the test does what people do: students hand in, the instructor grades written answers (through the
server that formgrader's page talks to; its buttons are pressed in tests/browser), and someone mends the course.
"""

import csv
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograder.authoring import sample
from autograder.course import ROOT
from tests.browser.lab import TOKEN, server

from .. import forks
from . import guide

UNIT = "u1_dot_products"
NOTEBOOK = f"{UNIT}.ipynb"
EXERCISES = (
    "similarity_matrix",
    "cosine_similarity",
    "project",
    "scores_for_query",
    "attention_scores",
    "attention_scores_columns",
)
RIGHT = dict.fromkeys(EXERCISES, "solution")
FORGOT = {
    "similarity_matrix": "def similarity_matrix(X):\n    return X @ X",
    "attention_scores": "def attention_scores(Q, K):\n    return Q @ K",
}
WORK = {
    "ada": RIGHT,
    "ben": RIGHT | FORGOT,
    "cora": dict.fromkeys(EXERCISES[:3], "solution"),
    "dan": RIGHT,
    "eva": RIGHT,
}
WRITTEN = {
    "ada": "the scores would be symmetric.",
    "ben": "they would look at themselves.",
    "eva": "one asks, the other is found.",
}
BY_HAND = {"ada": 2, "ben": 3, "eva": 1}
COMMENT = "Right, and now an example of your own."
LABELS = {"ada": "Ada Lovelace_7001", "ben": "Ben Bartók_7002", "cora": "Cora Diaz_7003", "dan": "Dan Evans_7004"}
SHEET = "Identifier,Full name,ID number,Email address,Status,Last modified (submission)\n" + "".join(
    f"Participant {label.split('_')[1]},{label.split('_')[0]},,{student}@example.org,Submitted for grading,"
    '"Wednesday, 30 September 2026, 6:05 PM"\n'
    for student, label in LABELS.items()
)
# As the course is before someone mends it: a check that expects twice the right number.
REFERENCE = "reference=reference.scores_for_query,"
TWICE = "reference=lambda q, K: 2 * reference.scores_for_query(q, K),"
# Which steps end with 3, as the guide says: something could not be graded.
ENDS_WITH_3 = {("Grade", 0)}


def notebook(student):
    text = sample.answered(UNIT, WORK[student])
    for cell in text.cells:
        if cell.id == "why_two_projections" and student in WRITTEN:
            cell.source += f"\n\nBecause {WRITTEN[student]}"
    return nbformat.writes(text)


def moodle_zip(path, works):
    with zipfile.ZipFile(path, "w") as archive:
        for student, text in works.items():
            archive.writestr(f"{LABELS[student]}_assignsubmission_file/{NOTEBOOK}", text)


class Term:
    """The instructor's home folder, and what happens in it."""

    def __init__(self, home):
        self.home = home
        self.room = home / "attention_class"
        self.downloads = home / "Downloads"
        self.downloads.mkdir(parents=True)
        self.here = home
        self.clone = home / "attention"
        for name in ("autograder", "src", "solutions"):
            shutil.copytree(ROOT / name, self.clone / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        for name in ("nbgrader_config.py", "jupytext.toml"):
            shutil.copyfile(ROOT / name, self.clone / name)
        self.checks = self.clone / "src" / "helpers" / "exercises" / UNIT / "scores_for_query.py"
        self.mended = self.checks.read_text(encoding="utf-8")
        assert self.mended.count(REFERENCE) == 1
        self.checks.write_text(self.mended.replace(REFERENCE, TWICE), encoding="utf-8")

    def type(self, commands):
        """Type commands one after the other, each where the one before left off; return exit code and everything that
        appears.
        """
        told = []
        for line in commands.splitlines():
            words = [os.path.expanduser(word) for word in shlex.split(line)]
            if words[0] in forks.MAINS:
                code, output = self.run(str(self.here), words)
            else:
                state = self.home / "where"
                call = ["bash", "-c", f"trap 'pwd > {state}' EXIT; {line}"]
                done = subprocess.run(
                    call, cwd=self.here, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
                )
                code, output, self.here = done.returncode, done.stdout, Path(state.read_text().strip())
            told.append(output)
            if code:
                break
        return code, "".join(told)

    def grades(self):
        text = (self.here / "report" / "grades.csv").read_text(encoding="utf-8-sig")
        rows = [
            {name: re.sub(r"\.0$", "", cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))
        ]
        return {row["student"]: row for row in rows if row["unit"] == UNIT}


@pytest.fixture
def term(tmp_path, monkeypatch):
    """The guide's machine: a home folder, the course's programs on the path, and a clone that is not mended yet."""
    term = Term(tmp_path / "home")
    settings = {
        "HOME": term.home,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{term.clone}{os.pathsep}{term.clone / 'src'}",
        "PYTHONWARNINGS": "ignore",
        "COLUMNS": "160",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    with forks.started() as term.run:
        yield term


# --- what people do between the commands -----------------------------------------------------------------


def make_roster(term, section):
    (term.downloads / "roster.csv").write_text(section.files[0], encoding="utf-8")


def hand_in(term, section):
    works = {student: notebook(student) for student in LABELS}
    moodle_zip(term.downloads / "unit1.zip", works | {"dan": works["dan"][:900]})
    (term.downloads / "worksheet.csv").write_text(SHEET, encoding="utf-8")
    (term.downloads / "homework.ipynb").write_text(notebook("eva"), encoding="utf-8")


def hand_in_again(term, section):
    moodle_zip(term.downloads / "unit1.zip", {student: notebook(student) for student in LABELS})


def grade_by_hand(term, section):
    """Give points and a comment as formgrader's page does when a field is left."""
    with server(term.room, term.home / "lab") as address:

        def ask(path, **values):
            body = json.dumps(values).encode() if values else None
            headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
            request = urllib.request.Request(
                f"{address}/formgrader/{path}", body, headers, method="PUT" if values else "GET"
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read().decode()

        for one in json.loads(ask(f"api/submissions/{UNIT}")):
            if one["student"] in BY_HAND:
                (copy,) = [
                    copy
                    for copy in json.loads(ask(f"api/submitted_notebooks/{UNIT}/{UNIT}"))
                    if copy["student"] == one["student"]
                ]
                page = ask(f"submissions/{copy['id']}/")
                assert "Model answer" in page and "Marking guide" in page and WRITTEN[one["student"]] in page
                (grade,) = [
                    grade
                    for grade in json.loads(ask(f"api/grades?submission_id={copy['id']}"))
                    if grade["needs_manual_grade"]
                ]
                ask(f"api/grade/{grade['id']}", manual_score=BY_HAND[one["student"]])
                comments = {
                    comment["name"]: comment for comment in json.loads(ask(f"api/comments?submission_id={copy['id']}"))
                }
                ask(f"api/comment/{comments['why_two_projections']['id']}", manual_comment=COMMENT)


def mend_the_course(term, section):
    term.checks.write_text(term.mended, encoding="utf-8")


BEFORE = {
    "The students": make_roster,
    "Collect": hand_in,
    "Someone hands in again": hand_in_again,
    "Grade the written answers": grade_by_hand,
    "A check was wrong": mend_the_course,
}


# --- what else one sees ----------------------------------------------------------------------------------


def units_are_released(term, section):
    assert (term.room / ".attention" / "secret").is_file() and term.room.stat().st_mode & 0o077 == 0
    named = re.findall(r"^\| `([\w.]+)/?`", guide.GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {"source", "release", "gradebook.db", ".attention"} <= set(named)
    assert all((term.room / name).exists() for name in named)


def what_students_get_has_no_solution(term, section):
    with zipfile.ZipFile(term.home / f"{UNIT}.zip") as archive:
        assert f"{UNIT}/{NOTEBOOK}" in archive.namelist()
        assert not [name for name in archive.namelist() if b"BEGIN SOLUTION" in archive.read(name)]


def collected(term, section):
    assert {path.name for path in (term.room / "submitted").iterdir()} == set(WORK)
    assert (term.room / "submitted" / "ada" / UNIT / "timestamp.txt").read_text().startswith("2026-09-30 16:05:00")


def the_report_shows_the_wrong_check(term, section):
    with open(term.room / "report" / "exercises.csv", encoding="utf-8-sig") as file:
        full = {
            row["exercise"]: float(row["full points"])
            for row in csv.DictReader(file)
            if row["unit"] == UNIT and row["full points"]
        }
    assert [name for name in EXERCISES if full[name] == 0] == ["scores_for_query"]


def pages_show_comment_hint_and_nothing_hidden(term, section):
    page = (term.room / "feedback" / "ben" / UNIT / f"{UNIT}.html").read_text(encoding="utf-8")
    assert COMMENT in page and "forgot the transpose: Q @ K" in page and "put K on its side" in page
    assert not [text for text in ("hidden=True", "Model answer", "Marking guide", "Lovelace") if text in page]
    with zipfile.ZipFile(term.room / f"feedback_{UNIT}_moodle.zip") as archive:
        assert archive.namelist() == [f"{LABELS[student]}_assignsubmission_file/{UNIT}.html" for student in LABELS]


def points_are_those_of_the_guide(term, section):
    assert (term.room / "moodle.csv").read_text(encoding="utf-8").replace("\r\n", "\n") == section.files[0]
    with open(term.room / "canvas.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    points = {row["student"]: row["points"] for row in guide.sections()["A check was wrong"].steps[-1].rows}
    assert {row["SIS Login ID"]: row[UNIT] for row in rows[1:]} == points and rows[0][UNIT] == "20"


def the_report_names_the_mistake(term, section):
    page = (term.room / "report" / "report.html").read_text(encoding="utf-8")
    assert "forgot the transpose: Q @ K" in page
    with open(term.room / "report" / "mistakes.csv", encoding="utf-8-sig") as file:
        found = {(row["exercise"], row["mistake"]): row["students"] for row in csv.DictReader(file)}
    assert found["attention_scores", "forgot the transpose: Q @ K"] == "1" and not [
        name for name, _ in found if name == "scores_for_query"
    ]


def nothing_names_her(term, section):
    files = [path for path in term.room.rglob("*") if path.is_file()]
    assert {"gradebook.db", "grades.csv", "report.html"} <= {path.name for path in files}
    for path in files:
        data = path.read_bytes()
        assert not [name for name in (b"Cora", b"Diaz", b"cora@") if name in data], path
        assert "cora" not in path.relative_to(term.room).parts


def only_the_archive_is_left(term, section):
    assert not term.room.exists() and (term.home / "attention_2026.tar.gz").is_file()


AFTER = {
    "Before the term": units_are_released,
    "Hand a unit out": what_students_get_has_no_solution,
    "Collect": collected,
    "Grade": the_report_shows_the_wrong_check,
    "Give feedback": pages_show_comment_hint_and_nothing_hidden,
    "Send the points away": points_are_those_of_the_guide,
    "Read the report": the_report_names_the_mistake,
    "Delete a student": nothing_names_her,
    "The last day": only_the_archive_is_left,
}


def test_a_term_word_by_word(term):
    sections = guide.sections()
    assert set(BEFORE) | set(AFTER) | {title for title, _ in ENDS_WITH_3} <= set(sections)
    for title, section in sections.items():
        BEFORE.get(title, lambda *_: None)(term, section)
        for place, step in enumerate(section.steps):
            code, output = term.type(step.commands)
            told = f"{title}:\n{step.commands}\n{output}"
            assert code == (3 if (title, place) in ENDS_WITH_3 else 0), told
            assert not guide.missing(step.seen, output), told
            for row in step.rows:
                found = term.grades()[row["student"]]
                assert {name: found[name] for name in row} == row, told
        AFTER.get(title, lambda *_: None)(term, section)


def test_every_link_of_the_guide_leads_somewhere():
    text = guide.GUIDE.read_text(encoding="utf-8")
    titles = {
        re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert {link.removeprefix("#") for link in links if link.startswith("#")} >= {
        title for title in titles if re.match(r"\d", title)
    }
    for link in links:
        if link.startswith("#"):
            assert link.removeprefix("#") in titles, link
        elif not link.startswith("https://"):
            assert (guide.GUIDE.parent / link.split("#")[0]).exists(), link
