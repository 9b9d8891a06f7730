"""The page on assignments of one's own, typed word by word in a class of nbgrader's that nobody had prepared."""

import csv
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder import course
from autograder.authoring import sample
from autograder.classroom.classroom import Classroom
from tests.autograder.grading import plain

from .guide import missing

PAGE = (course.ROOT / "docs/own_assignments.md").read_text(encoding="utf-8")
_FENCE = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)
OWN = "c = get_config()\nc.CourseDirectory.course_id = 'physics'\n"


RULES = (
    "c.LateRules.share_per_day = 0.1\n"
    'c.TermTotal.weights = {"u*": 40, "hw*": 40, "project": 20}\n'
    'c.TermTotal.drop_lowest = {"hw*": 1}\n'
)
PARTS = {
    "hw1": {"part1": plain.part1, "part2": plain.part2},
    "hw2": {"part1": plain.part1},
    "project": {"part2": plain.part2},
}
HANDED_IN = {
    "hw1": {"ada": plain.RIGHT, "ben": plain.HALF, "cora": {}},
    "hw2": {"ada": plain.HALF, "ben": plain.RIGHT, "cora": plain.RIGHT},
    "u1_dot_products": {"ada": ["similarity_matrix"], "ben": [], "cora": []},
    "u2_softmax_scaling": {"ada": [], "ben": ["softmax"], "cora": []},
}


def prepare(root):
    """A class as nbgrader's quickstart leaves it, with three assignments, and what the instructor has downloaded."""
    root.mkdir()
    (root / "nbgrader_config.py").write_text(OWN, encoding="utf-8")
    for name, notebooks in PARTS.items():
        folder = root / "source" / name
        folder.mkdir(parents=True)
        for part, made in notebooks.items():
            nbformat.write(made(), folder / f"{part}.ipynb")
        # What part1 leaves of it is what part2 reads.
        (folder / "data.csv").write_text(plain.DATA if "part1" in notebooks else "10\n20\n", encoding="utf-8")
        (folder / "tools.py").write_text(plain.TOOLS, encoding="utf-8")
    downloads = root.parent / "Downloads"
    downloads.mkdir()
    (downloads / "roster.csv").write_text("id,first_name\nada,Ada\nben,Ben\ncora,Cora\n", encoding="utf-8")
    (downloads / "groups.csv").write_text("group,id\nred,ada\nred,ben\nblue,cora\n", encoding="utf-8")


def hand_in(root):
    """What came back: the project as a download, everything else in the class folder already, ada's hw2 a day late."""
    room = Classroom.open(root)
    for name, everyone in HANDED_IN.items():
        for student, answers in everyone.items():
            if name in PARTS:
                plain.submit(room, student, answers, tuple(PARTS[name]), name)
            else:
                own = {one: solution(name, one) for one in answers}
                plain.submit(room, student, {name: own}, (name,), name)
    late = root / "submitted" / "ada" / "hw2" / "timestamp.txt"
    late.write_text("2026-10-02 11:00 UTC\n", encoding="utf-8")
    with zipfile.ZipFile(root.parent / "Downloads" / "project.zip", "w") as archive:
        for folder, answers in {"ada": plain.RIGHT, "cora": {}}.items():
            done = plain.submit(room, folder, answers, ("part2",), "project")
            for path in done.iterdir():
                archive.write(path, f"{folder}/{path.name}")
            shutil.rmtree(done)


def solution(unit, exercise):
    """The course's own answer to an exercise."""
    tree = sample.answered(unit)
    return next(c.source for c in tree.cells if c.metadata.get("nbgrader", {}).get("grade_id") == exercise)


def scores(root):
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        return {
            name: {one.student.id: one.score for one in book.find_assignment(name).submissions}
            for name in (*PARTS, *(unit for unit in HANDED_IN if unit not in PARTS))
        }


def test_every_command_does_what_the_page_says(tmp_path):
    home, root = tmp_path, tmp_path / "physics"
    prepare(root)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "NBGRADER_"))}
    environment |= {"HOME": str(home), "COLUMNS": "100"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    here, said = home, ""
    for kind, text in _FENCE.findall(PAGE):
        if kind == "text":
            assert not missing(text.splitlines(), said), said
            continue
        said = ""
        for line in text.splitlines():
            if line.startswith("cd "):
                here = Path(line[3:].replace("~", str(home)))
                continue
            done = subprocess.run(line, shell=True, cwd=here, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            said += done.stdout
            if line.startswith("autograder init"):
                hand_in(root)
    assert (root / "nbgrader_config.py").read_text(encoding="utf-8") == OWN + RULES
    assert scores(root) == {
        "hw1": {"ada": 8, "ben": 2, "cora": 0},
        "hw2": {"ada": 2, "ben": 6, "cora": 6},
        "project": {"ada": 2, "ben": 2, "cora": 0},
        "u1_dot_products": {"ada": 2, "ben": 0, "cora": 0},
        "u2_softmax_scaling": {"ada": 0, "ben": 3, "cora": 0},
    }
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        assert book.find_submission("hw2", "ada").late_submission_penalty == pytest.approx(0.2)
    # Of ada's hw1 8 / 23 and hw2 1.8 / 6 the lower is left out; 0.4 * 5 + 0.4 * 34.78 + 0.2 * 11.76 = 18.27.
    with (root / "totals.csv").open(encoding="utf-8", newline="") as file:
        totals = {row["student_id"]: (row["total_percent"], row["dropped"]) for row in csv.DictReader(file)}
    assert totals == {"ada": ("18.27", "hw2"), "ben": ("45.35", "hw1"), "cora": ("40", "hw1")}
    page = (root / "report" / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("hw1", "hw2", "project"))
