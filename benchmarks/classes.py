"""Classes to measure with: everybody right, a third wrong and some slow, everybody wrong, or a plain assignment.

Wrong answers are those of `tests/helpers/judging/measured`, which no list of mistakes was written for; who gives which
is drawn from a seed, so that every contestant grades the same class.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.authoring import releasing, sample
from autograder.classroom import classroom

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import plain  # noqa: E402
from tests.helpers.judging import measured  # noqa: E402

PLAIN = "plain"
KINDS = ("right", "mixed", "wrong", PLAIN)
# Of a mixed class, one in three has half of its answers wrong, and one in ten computes for a second.
WRONG_EACH, SLOW_EACH = 3, 10
SLOW = "import time\n\nbegan = time.process_time()\nwhile time.process_time() - began < 1.0:\n    pass"


def assigned(unit: str, kind: str) -> str:
    """Return the name of what a class of a kind hands in: the unit, or the plain assignment."""
    return plain.NAME if kind == PLAIN else unit


def make_class(
    root: Path, unit: str, count: int, kind: str = "right", config: str | None = None
) -> classroom.Classroom:
    """Make a class of `count` students who are on its roster and have handed the unit in.

    Args:
        root: its folder.
        unit: the unit, which a class of the kind "plain" has not.
        count: how many students.
        kind: one of `KINDS`.
        config: text of its `nbgrader_config.py`; ours if None.
    """
    room = releasing.init(root, [] if kind == PLAIN else [unit])
    name = assigned(unit, kind)
    if kind == PLAIN:
        (root / "source" / name).mkdir(parents=True)
        nbformat.write(plain.source(), root / "source" / name / f"{name}.ipynb")
        releasing.release(room, name)
    if config is not None:
        (root / classroom.CONFIG).write_text(config, encoding="utf-8")
    for number in range(count):
        folder = root / "submitted" / f"s{number:04d}" / name
        folder.mkdir(parents=True)
        if kind == PLAIN:
            handed_in = plain.handed_in(nbformat.read(root / "release" / name / f"{name}.ipynb", 4), number)
        else:
            handed_in = _handed_in(unit, number, kind)
        nbformat.write(handed_in, folder / f"{name}.ipynb")
    room = classroom.Classroom.open(root)
    with room.gradebook() as gradebook:
        for student in room.submitted(name):
            gradebook.update_or_create_student(student)
    return room


def _handed_in(unit: str, number: int, kind: str) -> NotebookNode:
    notebook = sample.answered(unit)
    generator = random.Random(f"{unit} {number}")
    wrong = kind == "wrong" or (kind == "mixed" and number % WRONG_EACH == 1)
    if wrong:
        table: dict[str, list[str]] = {}
        for answer in measured.load(measured.FOLDER / f"{unit}.toml"):
            table.setdefault(answer.exercise, []).append(answer.source.strip())
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if name in table:
                chosen = generator.choice(table[name])
                if kind == "wrong" or generator.random() < 0.5:
                    cell.source = chosen
    if kind == "mixed" and number % SLOW_EACH == 5:
        notebook.cells.append(nbformat.v4.new_code_cell(SLOW, id="slow"))
    return notebook
