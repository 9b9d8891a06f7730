"""The hostile corpus against stock nbgrader and against ours: attack, stock nbgrader, ours, as a table.

Stock nbgrader runs hostile code with its own rights, so all of it, gradebook included, runs inside one bubblewrap
sandbox with limits, each attack in a class of its own together with one honest submission that comes after it. It
holds when the attacker gets no more than is due and the honest one keeps its points. `--kind` limits the corpus.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograder.authoring import releasing, sample
from autograder.classroom import classroom
from autograder.grading import coordinator
from autograder.sandbox.outside.bubblewrap import find_bubblewrap

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.attacks.corpus import ATTACKS, FULL, NAME, Attack  # noqa: E402

STOCK_CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'stock'\nc.Execute.timeout = 3\n"
OURS_CONFIG = (
    "\nc.SandboxedExecute.timeout = 3\nc.SandboxedExecute.notebook_seconds = 12\n"
    "c.SandboxedExecute.memory_bytes = 1200 * 2**20\n"
)
SECONDS = 90


def submit(root: Path, attack: Attack) -> None:
    for name, files in (("attacker", attack.files), ("honest", {NAME: nbformat.writes(sample.answered()).encode()})):
        folder = root / "submitted" / name / sample.UNIT
        folder.mkdir(parents=True)
        for file, content in files.items():
            content(folder / file) if callable(content) else (folder / file).write_bytes(content)


def verdict(attack: Attack, scores: dict[str, float | None] | None, ended: str) -> str:
    """One cell of the table: held, or what went wrong."""
    if scores is None:
        return f"BROKEN: {ended}"
    due = attack.points[1] if isinstance(attack.points, tuple) else attack.points
    if scores.get("honest") != FULL:
        return f"BROKEN: the honest one has {scores.get('honest')}"
    got = scores.get("attacker")
    if got is None:
        return "BROKEN: the attacker silently has no grade"
    return f"FORGED: {got:g} points" if got > due else f"held ({got:g})"


READ = """
import json, sys
from nbgrader.api import Gradebook
with Gradebook(sys.argv[1]) as gradebook:
    submissions = gradebook.find_assignment(sys.argv[2]).submissions
    silent = {s.student.id for s in submissions for n in s.notebooks for g in n.grades
              if g.auto_score is None and not g.needs_manual_grade}
    print(json.dumps({s.student.id: None if s.student.id in silent else s.score for s in submissions}))
"""


def stock(attack: Attack, template: Path) -> str:
    """Grade with stock nbgrader, all of it inside one sandbox."""
    with tempfile.TemporaryDirectory(prefix="stock-") as folder:
        root = Path(folder) / "class"
        shutil.copytree(template, root, symlinks=True)
        submit(root, attack)
        binaries = Path(sys.executable).parent
        limits = "ulimit -v 12000000 -u 400 -f 200000; "
        call = [
            find_bubblewrap(), "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/", "/", "--proc",
            "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm",
            "--tmpfs", "/tmp", "--bind", str(root), "/tmp/class", "--chdir", "/tmp/class", "--setenv", "HOME", "/tmp",
            "--setenv", "PATH", f"{binaries}:/usr/bin:/bin",
            "--", "/bin/sh", "-c", f"{limits} exec {binaries}/nbgrader autograde {sample.UNIT}",
        ]  # fmt: skip
        ended = ""
        try:
            subprocess.run(call, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            ended = f"no end within {SECONDS} s"
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", READ, f"sqlite:///{root}/gradebook.db", sample.UNIT],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            return verdict(attack, None, "the gradebook cannot be read")
        scores = json.loads(done.stdout)
        if ended and scores.get("honest") != FULL:
            return verdict(attack, None, ended)
        return verdict(attack, scores, ended)


def ours(attack: Attack, template: Path) -> str:
    """Grade with `autograder grade`."""
    with tempfile.TemporaryDirectory(prefix="ours-") as folder:
        root = Path(folder) / "class"
        shutil.copytree(template, root, symlinks=True)
        submit(root, attack)
        results = coordinator.grade(classroom.Classroom.open(root), [sample.UNIT], feedback=False)
        return verdict(attack, {result.student: result.score for result in results}, "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", help="only attacks of this kind")
    parser.add_argument("--json", type=Path, help="also write the table here")
    chosen = parser.parse_args()
    attacks = [attack for attack in ATTACKS if chosen.kind in (None, attack.kind)]
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        templates = {}
        for name, config in (("stock", STOCK_CONFIG), ("ours", None)):
            root = templates[name] = Path(folder) / name
            releasing.init(root, [sample.UNIT])
            path = root / classroom.CONFIG
            path.write_text(config or path.read_text(encoding="utf-8") + OURS_CONFIG, encoding="utf-8")
        rows = [
            (attack, stock(attack, templates["stock"]), ours(attack, templates["ours"]))
            for attack in track(attacks, console=Console(stderr=True))
        ]
    table = Table("kind", "attack", "stock nbgrader", "ours")
    for attack, theirs, own in rows:
        table.add_row(attack.kind, attack.name, theirs, own)
    console = Console(width=160)
    console.print(table)
    for name, column in (("stock nbgrader", 1), ("ours", 2)):
        console.print(f"{name}: {sum(row[column].startswith('held') for row in rows)} of {len(rows)} held")
    if chosen.json:
        chosen.json.write_text(
            json.dumps([{"kind": a.kind, "attack": a.name, "stock": s, "ours": o} for a, s, o in rows], indent=1),
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
