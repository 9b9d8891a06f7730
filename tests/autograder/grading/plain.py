"""A class with a plain nbgrader assignment of two notebooks, as one has who never heard of this course."""

import json
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.authoring import releasing
from autograder.classroom.classroom import Classroom

NAME = "hw1"
TOOLS = "def mean(values):\n    return sum(values) / len(values)\n"
DATA = "1\n2\n3\n"
PARTIAL = "def points():\n    return sum(sign(n) == right for n, right in ((2, 1), (-2, -1), (0, 0)))\npoints()"


def cell(kind, source, name="", points=None, solution=False, locked=False, task=False):
    """Return a cell with nbgrader's marks, or without any where it has no name."""
    made = {"code": new_code_cell, "markdown": new_markdown_cell}[kind](source, id=name or f"c{abs(hash(source))}"[:20])
    if name:
        made.metadata["nbgrader"] = {
            "grade_id": name, "grade": points is not None and not task, "solution": solution, "task": task,
            "locked": locked, "schema_version": 3, "cell_type": kind,
        } | ({} if points is None else {"points": points})  # fmt: skip
    return made


def notebook(*cells):
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=list(cells), metadata={"kernelspec": spec})


def part1():
    return notebook(
        cell("code", "import tools\nvalues = [int(line) for line in open('data.csv')]"),
        cell("code", "def total(values):\n    ### BEGIN SOLUTION\n    return sum(values)\n    ### END SOLUTION", "q1",
             solution=True),
        cell("code", "assert total(values) == 6\n### BEGIN HIDDEN TESTS\nassert total([7]) == 7\n### END HIDDEN TESTS",
             "check", 3, locked=True),
        cell("code", "def sign(n):\n    ### BEGIN SOLUTION\n    return (n > 0) - (n < 0)\n    ### END SOLUTION", "q2",
             solution=True),
        cell("code", PARTIAL, "partial", 3, locked=True),
        cell("code", "open('data.csv', 'w').write('10\\n20\\n')", "rewrite", locked=True),
    )  # fmt: skip


def part2():
    return notebook(
        cell("code", "values = [int(line) for line in open('data.csv')]\nimport tools"),
        cell("code", "### BEGIN SOLUTION\naverage = tools.mean(values)\n### END SOLUTION", "q1", solution=True),
        cell("code", "assert average == 15", "check", 2, locked=True),
        cell("code", "### BEGIN SOLUTION\nplotted = 1\n### END SOLUTION", "by_hand", 4, solution=True),
        cell("markdown", "### BEGIN SOLUTION\nBecause.\n### END SOLUTION", "essay", 5, solution=True),
        cell("markdown", "Draw a cat.", "task", 6, locked=True, task=True),
    )


def make(root: Path) -> Classroom:
    """Make a class without any unit and release the assignment in it."""
    room = releasing.init(root, [])
    folder = room.root / "source" / NAME
    folder.mkdir()
    for name, made in (("part1", part1()), ("part2", part2())):
        nbformat.write(made, folder / f"{name}.ipynb")
    (folder / "data.csv").write_text(DATA, encoding="utf-8")
    (folder / "tools.py").write_text(TOOLS, encoding="utf-8")
    releasing.release(room, NAME)
    return room


RIGHT = {
    "part1": {"q1": "def total(values):\n    return sum(values)", "q2": "def sign(n):\n    return (n > 0) - (n < 0)"},
    "part2": {"q1": "average = tools.mean(values)", "by_hand": "plotted = 2", "essay": "It is so."},
}
HALF = {
    "part1": {"q1": "def total(values):\n    return 6", "q2": "def sign(n):\n    return 1 if n > 0 else -1"},
    "part2": {"q1": "average = 0", "essay": "No."},
}


def submit(room: Classroom, student: str, answers, notebooks=("part1", "part2"), name: str = NAME) -> Path:
    """Hand in the released notebooks with some answers, by notebook and cell."""
    folder = room.root / "submitted" / student / name
    folder.mkdir(parents=True, exist_ok=True)
    released = room.root / "release" / name
    for one in notebooks:
        tree = json.loads((released / f"{one}.ipynb").read_text(encoding="utf-8"))
        for cell in tree["cells"]:
            own = answers.get(one, {}).get(cell["metadata"].get("nbgrader", {}).get("grade_id"))
            if own is not None:
                cell["source"] = own
        (folder / f"{one}.ipynb").write_text(json.dumps(tree), encoding="utf-8")
    for path in released.iterdir():
        if path.suffix != ".ipynb" and path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def points(room: Classroom, name: str = NAME) -> dict:
    """What the gradebook has: student → notebook/cell → automatic points, None where a person is to give them."""
    with room.gradebook() as book:
        return {
            one.student.id: {
                f"{part.name}/{grade.name}": None if grade.needs_manual_grade else grade.auto_score
                for part in one.notebooks
                for grade in part.grades
            }
            for one in book.find_assignment(name).submissions
        }
