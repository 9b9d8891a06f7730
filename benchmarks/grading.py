"""A class graded by stock nbgrader, otter-grader, ours with one and two workers, and the floor, side by side in one
run.

All grade the same notebooks: a unit's right answers. The floor is a process that has imported everything and, for each
notebook, forks and executes the cells, checks included: no kernel, no sandbox, no gradebook, no file. otter-grader gets
an environment of its own (build/otter, made the first time) and is run in process, as its `otter run` does, with one
small test for each exercise. Ours runs with sandbox and judge on and writes gradebook, notebooks and outcomes; none
writes feedback.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from rich.console import Console
from rich.table import Table

from autograder.authoring import releasing, sample
from autograder.classroom import classroom

ROOT = Path(__file__).resolve().parent.parent
STOCK = "c = get_config()\nc.CourseDirectory.course_id = 'stock'\n"
# As on an ordinary machine: compiled modules are kept.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
    "PYTHONWARNINGS": "ignore",
    "OMP_NUM_THREADS": "1",
}


def make_class(root: Path, unit: str, count: int, config: str | None = None) -> classroom.Classroom:
    """Make a class of `count` students who all hand in the right answers."""
    releasing.init(root, [unit])
    if config is not None:
        (root / classroom.CONFIG).write_text(config, encoding="utf-8")
    text = nbformat.writes(sample.answered(unit))
    for number in range(count):
        folder = root / "submitted" / f"s{number:04d}" / unit
        folder.mkdir(parents=True)
        (folder / f"{unit}.ipynb").write_text(text, encoding="utf-8")
    return classroom.Classroom.open(root)


def stock(folder: Path, unit: str, count: int) -> float:
    """Seconds of `nbgrader autograde`."""
    make_class(folder, unit, count, STOCK)
    environment = ENVIRONMENT | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return _timed([sys.executable, "-m", "nbgrader", "autograde", unit], folder, environment)


def ours(jobs: int) -> Callable[[Path, str, int], float]:
    """Seconds of `autograder grade` with so many workers."""

    def run(folder: Path, unit: str, count: int) -> float:
        make_class(folder, unit, count)
        call = [
            sys.executable,
            "-c",
            "from autograder.cli import main; main()",
            "grade",
            unit,
            "--course",
            str(folder),
            "--jobs",
            str(jobs),
            "--no-feedback",
        ]
        return _timed(call, folder, ENVIRONMENT)

    return run


FLOOR = """
import os, sys, time
import nbformat, numpy, torch, matplotlib.pyplot, helpers.desk.commands, helpers.plots
from helpers.judging import catalog
torch.set_num_threads(1)
unit, count = sys.argv[1], int(sys.argv[2])
catalog.unit_exercises(unit)
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


def floor(folder: Path, unit: str, count: int) -> float:
    """Seconds of forking and executing the cells, one notebook after the other on one core."""
    folder.mkdir()
    notebook = folder / "solved.ipynb"
    nbformat.write(sample.answered(unit), notebook)
    environment = ENVIRONMENT | {"NBGRADER_EXECUTION": "autograde", "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", FLOOR, unit, str(count), str(notebook)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    return float(done.stdout.split()[-1])


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


def otter(folder: Path, unit: str, count: int) -> float:
    """Seconds of otter-grader, run in process, one notebook after the other."""
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
    return result["seconds"]


def _timed(call: list[str], folder: Path, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return seconds


def check_grades(root: Path, unit: str, count: int) -> None:
    """Make sure that a run did its work: everyone has the same points, and more than none."""
    room = classroom.Classroom.open(root)
    with room.gradebook() as gradebook:
        scores = {one.score for one in gradebook.find_assignment(unit).submissions}
        assert len(gradebook.find_assignment(unit).submissions) == count and len(scores) == 1 and scores.pop() > 0


CONTESTANTS = {
    "stock nbgrader": stock,
    "otter-grader": otter,
    "ours, 1 worker": ours(1),
    "ours, 2 workers": ours(2),
    "floor, 1 core": floor,
}


def plot(path: Path, sizes: list[int], seconds: dict[str, dict[int, float]]) -> None:
    """Draw submissions a second against the size of the class."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for (name, found), style in zip(seconds.items(), ("o-", "s-", "^-", "D-", "x--")):
        axes.plot(list(found), [size / found[size] for size in found], style, label=name)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="submissions in the class",
        ylabel="submissions graded a second",
        title="The same class, the same machine, one run",
    )
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", default="u2_softmax_scaling")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 50, 200])
    parser.add_argument("--without", nargs="*", default=[], choices=list(CONTESTANTS), help="leave these out")
    parser.add_argument(
        "--slow-most",
        type=int,
        default=10**9,
        help="largest class for stock nbgrader and otter-grader; their rate at a larger one is taken from it, marked ~",
    )
    parser.add_argument("--plot", type=Path, help="write the plot here")
    chosen = parser.parse_args()
    console = Console(width=140)
    seconds: dict[str, dict[int, float]] = {name: {} for name in CONTESTANTS if name not in chosen.without}
    with tempfile.TemporaryDirectory(prefix="grading-") as folder:
        for size in chosen.sizes:
            for name in seconds:
                if name in ("stock nbgrader", "otter-grader") and size > chosen.slow_most:
                    continue
                place = Path(folder) / f"{size}-{name.replace(' ', '-').replace(',', '')}"
                seconds[name][size] = CONTESTANTS[name](place, chosen.unit, size)
                if name.startswith(("stock", "ours")):
                    check_grades(place, chosen.unit, size)
                Console(stderr=True).print(f"{name}, {size} submissions: {seconds[name][size]:.1f} s")
                shutil.rmtree(place)
    for size in chosen.sizes:
        table = Table(
            "grader",
            "seconds",
            "a second",
            "times stock's rate",
            "of the floor, a core",
            title=f"{size} submissions of {chosen.unit}, {os.cpu_count()} cores",
        )
        rates = {}
        for name, found in seconds.items():
            best = size if size in found else max(found)
            rates[name] = (best / found[best], "" if best == size else "~")
        for name, (rate, mark) in rates.items():
            to_stock = (
                f"{mark or rates['stock nbgrader'][1]}{rate / rates['stock nbgrader'][0]:.1f}"
                if "stock nbgrader" in rates
                else ""
            )
            cores = 2 if "2 workers" in name else 1
            to_floor = f"{mark}1/{rates['floor, 1 core'][0] / (rate / cores):.1f}" if "floor, 1 core" in rates else ""
            table.add_row(name, f"{mark}{size / rate:.1f}", f"{mark}{rate:.2f}", to_stock, to_floor)
        console.print(table)
    if chosen.plot:
        plot(chosen.plot, chosen.sizes, seconds)


if __name__ == "__main__":
    main()
