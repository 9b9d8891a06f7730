"""Who is measured: stock nbgrader, otter-grader, ours, and the floor, below which no grader that runs the cells comes.

Each takes an empty folder, a unit, a number of submissions and a kind of class, and returns seconds by step. All grade
the same notebooks. The floor is a process that has imported everything and, for each notebook, forks and executes the
cells, checks included: no kernel, no sandbox, no gradebook, no file. otter-grader gets an environment of its own
(build/otter, made the first time) and is run in process, as its `otter run` does, with one small test for each
exercise.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from autograder.authoring import sample
from autograder.classroom import classroom
from benchmarks import plain
from benchmarks.classes import PLAIN, ROOT, assigned, make_class

STOCK = "c = get_config()\nc.CourseDirectory.course_id = 'stock'\n"
# As on an ordinary machine: compiled modules are kept.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
    "PYTHONWARNINGS": "ignore",
    "OMP_NUM_THREADS": "1",
}
# So many submissions are graded by hand before the run that writes their pages anew.
BY_HAND = 10
Steps = dict[str, float]
Contestant = Callable[[Path, str, int, str], Steps]


def stock(folder: Path, unit: str, count: int, kind: str) -> Steps:
    """`nbgrader autograde`, then `nbgrader generate_feedback`."""
    make_class(folder, unit, count, kind, STOCK)
    unit = assigned(unit, kind)
    environment = ENVIRONMENT | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    call = [sys.executable, "-m", "nbgrader"]
    grade = _timed([*call, "autograde", unit], folder, environment)
    feedback = _timed([*call, "generate_feedback", unit], folder, environment)
    _check(folder, unit, count, kind)
    return {"grade": grade, "feedback": feedback}


def ours(jobs: int) -> Contestant:
    """`autograder grade` with so many workers: the class, again with nothing to do, and after grading some by hand."""

    def run(folder: Path, unit: str, count: int, kind: str) -> Steps:
        make_class(folder, unit, count, kind)
        own, unit = unit, assigned(unit, kind)
        steps = {"grade and feedback": _grade(folder, unit, jobs)}
        _check(folder, unit, count, kind, feedback=True)
        before = scores(folder, unit)
        steps["nothing changed"] = _grade(folder, unit, jobs)
        if count >= BY_HAND:
            _grade_by_hand(folder, unit)
            steps[f"{BY_HAND} graded by hand"] = _grade(folder, unit, jobs)
        again = folder.with_name(f"{folder.name}-alone")
        make_class(again, own, count, kind)
        steps["grade"] = _grade(again, unit, jobs, "--no-feedback")
        if scores(again, unit) != before:
            raise RuntimeError("the two runs gave different points")
        return steps

    return run


def _grade(folder: Path, unit: str, jobs: int, *options: str) -> float:
    call = [sys.executable, "-c", "from autograder.cli import main; main()", "grade", unit, "--course", str(folder)]
    return _timed([*call, "--jobs", str(jobs), *options], folder, ENVIRONMENT)


def _grade_by_hand(folder: Path, unit: str) -> None:
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "attention") as gradebook:
        waiting = (one for one in gradebook.find_assignment(unit).submissions if one.needs_manual_grade)
        for submission in list(waiting)[:BY_HAND]:
            for notebook in submission.notebooks:
                for grade in (grade for grade in notebook.grades if grade.needs_manual_grade):
                    grade.manual_score, grade.needs_manual_grade = 1.0, False
                for comment in notebook.comments[:1]:
                    comment.manual_comment = "Well said."
        gradebook.db.commit()


FLOOR = """
import os, sys, time
import nbformat, numpy, torch, matplotlib.pyplot, helpers.desk.commands, helpers.plots
from helpers.judging import catalog
torch.set_num_threads(1)
count = int(sys.argv[2])
for one in catalog.units():
    catalog.unit_exercises(one)
cells = [cell.source for cell in nbformat.read(sys.argv[3], 4).cells if cell.cell_type == "code"]
started = time.perf_counter()
for _ in range(count):
    child = os.fork()
    if child == 0:
        sys.stdout = open(os.devnull, "w")
        names = {"__name__": "__main__"}
        for cell in cells:
            exec(compile(cell, "cell", "exec"), names)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print(time.perf_counter() - started)
"""


def floor(folder: Path, unit: str, count: int, kind: str) -> Steps:
    """Forking and executing the cells of right answers, one notebook after the other on one core."""
    folder.mkdir()
    notebook = folder / "solved.ipynb"
    nbformat.write(plain.handed_in(plain.source(), 0) if kind == PLAIN else sample.answered(unit), notebook)
    environment = ENVIRONMENT | {"NBGRADER_EXECUTION": "autograde", "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", FLOOR, unit, str(count), str(notebook)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    return {"grade": float(done.stdout.split()[-1])}


OTTER = """
import os, sys, time, json, contextlib, io, shutil, tempfile
from pathlib import Path
from otter.generate import main as generate
from otter.run import main as run
folder, count = Path(sys.argv[1]), int(sys.argv[2])
os.chdir(folder)
with contextlib.redirect_stdout(io.StringIO()):
    generate(tests_dir=str(folder / "tests"), output_path=str(folder / "autograder.zip"), no_environment=True)
started = time.perf_counter()
for number in range(count):
    out = folder / f"out{number}"
    out.mkdir()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        run(
            submission=str(folder / "solved.ipynb"), autograder=str(folder / "autograder.zip"),
            output_dir=str(out), no_logo=True,
        )
seconds = time.perf_counter() - started
result = json.loads((folder / "out0" / "results.json").read_text())
print(json.dumps({"seconds": seconds, "passed": sum(test.get("score", 0) or 0 for test in result["tests"])}))
"""


def otter_python() -> Path:
    """Return the Python of otter-grader's own environment, made the first time; it borrows torch and the course from
    ours.
    """
    home = ROOT / "build" / "otter"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "otter-grader"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        where = subprocess.run(
            [sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        (next((home / "lib").glob("python*")) / "site-packages" / "zz_borrowed.pth").write_text(
            f"{where}\n{ROOT / 'src'}\n", encoding="utf-8"
        )
    return python


def otter(folder: Path, unit: str, count: int, kind: str) -> Steps:
    """otter-grader on right answers, run in process, one notebook after the other."""
    (folder / "tests").mkdir(parents=True)
    notebook = sample.answered(unit)
    nbformat.write(notebook, folder / "solved.ipynb")
    answers = [
        cell.metadata["nbgrader"]["grade_id"]
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("solution") and cell.cell_type == "code"
    ]
    for name in answers:
        case = {"code": f">>> callable({name})\nTrue", "hidden": False, "locked": False}
        test = {
            "name": name,
            "points": 1,
            "suites": [{"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}],
        }
        (folder / "tests" / f"{name}.py").write_text(f"OK_FORMAT = True\n\ntest = {test!r}\n", encoding="utf-8")
    environment = ENVIRONMENT | {
        "NBGRADER_EXECUTION": "autograde",
        "PATH": f"{otter_python().parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [str(otter_python()), "-W", "ignore", "-c", OTTER, str(folder), str(count)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"otter-grader failed: {done.stderr.strip().splitlines()[-1]}")
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["passed"] >= len(answers), "otter-grader did not find the right answers right"
    return {"grade": result["seconds"]}


def _timed(call: list[str], folder: Path, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1])
    return seconds


def scores(root: Path, unit: str) -> str:
    """Return a digest of everybody's points."""
    room = classroom.Classroom.open(root)
    with room.gradebook() as gradebook:
        found = sorted((one.student.id, one.score) for one in gradebook.find_assignment(unit).submissions)
    return hashlib.sha256(repr(found).encode()).hexdigest()


def _check(root: Path, unit: str, count: int, kind: str, feedback: bool = False) -> None:
    """Make sure that a run did its work: all are graded, and of a class of right answers everybody has the same."""
    room = classroom.Classroom.open(root)
    with room.gradebook() as gradebook:
        found = [one.score for one in gradebook.find_assignment(unit).submissions]
    pages = len(list((root / "feedback").glob(f"*/{unit}/{unit}.html")))
    whole = len(found) == count and (pages == count or not feedback)
    due = sorted(map(plain.points, range(count))) if kind == PLAIN else sorted(found)
    if not whole or sorted(found) != due or (kind == "right" and (len(set(found)) != 1 or found[0] <= 0)):
        raise RuntimeError(f"{count} submissions, {len(found)} graded, {pages} pages, points {sorted(set(found))}")


CONTESTANTS: dict[str, Contestant] = {
    "stock nbgrader": stock,
    "otter-grader": otter,
    "ours, 1 worker": ours(1),
    "ours, 2 workers": ours(2),
    "fork and exec alone, 1 core": floor,
}
