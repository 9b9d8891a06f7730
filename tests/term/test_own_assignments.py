"""The page on assignments of one's own, typed word by word in a class of nbgrader's that nobody had prepared."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from autograder import course
from autograder.classroom.classroom import Classroom
from tests.autograder.grading import plain

from .guide import missing

PAGE = (course.ROOT / "docs/own_assignments.md").read_text(encoding="utf-8")
_FENCE = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)
OWN = "c = get_config()\nc.CourseDirectory.course_id = 'physics'\n"


def prepare(root):
    """A class as nbgrader's quickstart leaves it, with an assignment of two notebooks."""
    folder = root / "source" / plain.NAME
    folder.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(OWN, encoding="utf-8")
    for name, made in (("part1", plain.part1()), ("part2", plain.part2())):
        nbformat.write(made, folder / f"{name}.ipynb")
    (folder / "data.csv").write_text(plain.DATA, encoding="utf-8")
    (folder / "tools.py").write_text(plain.TOOLS, encoding="utf-8")


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
            if line.startswith("nbgrader generate_assignment"):
                room = Classroom.open(root)
                for student, answers in {"ada": plain.RIGHT, "ben": plain.HALF, "cora": {}}.items():
                    plain.submit(room, student, answers)
    assert (root / "nbgrader_config.py").read_text(encoding="utf-8") == OWN
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        scores = {one.student.id: one.score for one in book.find_assignment(plain.NAME).submissions}
    assert scores == {"ada": 8, "ben": 2, "cora": 0}
    assert "hw1" in (root / "report" / "report.html").read_text(encoding="utf-8")
