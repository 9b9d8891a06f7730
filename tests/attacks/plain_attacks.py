"""Hostile submissions of a plain nbgrader assignment: the corpus's code in its first answer, and attacks of its own.

The assignment has two notebooks. Whoever answers only `attacked` has at most its own asserts' points, by whatever
means; never a point of `other`, which is handed in as it was released, nor of a cell that a person grades.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from tests.autograder.grading.plain import cell, notebook

from .corpus import DENY, NAME
from .page_attacks import ATTACKS

ASSIGNMENT = "lab1"
# A sentence of the other notebook's hidden test, which nobody but its own kernel may read.
HIDDEN = "assert other(41) == 1681"
# The points of the attacked notebook's own asserts.
OWN = {"mine": 2, "second": 3}
RIGHT = "def similarity_matrix(X):\n    return X @ X.T"
# Of those that only take the machine's time and room, so many come in every run.
DENIALS = (
    "an endless loop", "a flood of prints", "all the memory at once", "a fork bomb", "exit", "a crash in native code",
    "killing itself and everyone", "all descriptors closed", "stopping itself",
)  # fmt: skip


@dataclass(frozen=True)
class PlainAttack:
    """One hostile submission.

    Attributes:
        name: what it tries.
        files: what is handed in, by name.
        own: whether its own asserts may give it points that are not due.
    """

    name: str
    files: dict[str, bytes | Callable]
    own: bool = True


def sources() -> dict[str, NotebookNode]:
    """The assignment as its instructor wrote it."""
    attacked = notebook(
        cell("code", "import numpy as np", "setup", locked=True),
        cell("code", f"### BEGIN SOLUTION\n{RIGHT}\n### END SOLUTION", "q1", solution=True),
        cell("code", "X = np.arange(6.0).reshape(3, 2)\nassert np.allclose(similarity_matrix(X), X @ X.T)", "mine", 2,
             locked=True),
        cell("code", "def second(n):\n    ### BEGIN SOLUTION\n    return n + 1\n    ### END SOLUTION", "q2",
             solution=True),
        cell("code", "assert second(3) == 4\n### BEGIN HIDDEN TESTS\nassert second(-1) == 0\n### END HIDDEN TESTS",
             "second", 3, locked=True),
        cell("code", "### BEGIN SOLUTION\ndrawn = True\n### END SOLUTION", "by_hand", 4, solution=True),
        cell("markdown", "### BEGIN SOLUTION\nBecause.\n### END SOLUTION", "essay", 5, solution=True),
    )  # fmt: skip
    other = notebook(
        cell("code", "def other(n):\n    ### BEGIN SOLUTION\n    return n * n\n    ### END SOLUTION", "q1",
             solution=True),
        cell("code", f"assert other(3) == 9\n### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS", "check", 6,
             locked=True),
        cell("code", "sum(other(n) == n * n for n in (2, 5))", "part", 2, locked=True),
    )  # fmt: skip
    return {"attacked": attacked, "other": other}


def attacks(released: dict[str, NotebookNode], thorough: bool) -> list[PlainAttack]:
    """Return all hostile submissions.

    Args:
        released: the notebooks as learners get them.
        thorough: with every denial of service of the corpus.
    """
    found = [
        PlainAttack(attack.name, _with(released, attack.cell))
        for attack in ATTACKS
        if attack.cell and (attack.kind != DENY or thorough or attack.name in DENIALS)
    ]
    found += [
        PlainAttack(f"{attack.name}, for a plain notebook", _files(released) | {"attacked.ipynb": data}, own=False)
        for attack in ATTACKS
        if len(attack.files) == 1 and not _is_notebook(data := attack.files[NAME])
    ]
    found += [PlainAttack(name, _with(released, text)) for name, text in CODE.items()]
    for edit in EDITS:
        notebooks = {name: nbformat.from_dict(json.loads(nbformat.writes(one))) for name, one in released.items()}
        _cell(notebooks["attacked"], "q1").source = RIGHT
        edit(notebooks)
        texts = {f"{name}.ipynb": json.dumps(one).encode() for name, one in notebooks.items()}
        found.append(PlainAttack(edit.__name__.replace("_", " "), texts, own=False))
    return found


CODE = {
    "the other notebook answered from this one": """
import json
tree = json.load(open('other.ipynb'))
for one in tree['cells']:
    if 'def other' in ''.join(one['source']): one['source'] = 'def other(n): return n * n'
json.dump(tree, open('other.ipynb', 'w'))
""",
    "every notebook here emptied of its tests": """
import glob, json
for path in glob.glob('**/*.ipynb', recursive=True):
    tree = json.load(open(path))
    for one in tree['cells']: one['source'] = ''
    json.dump(tree, open(path, 'w'))
""",
    "modules that the next notebook would import first": """
for name in ('sitecustomize', 'usercustomize', 'IPython', 'ipykernel', 'builtins', 'operator', 'numpy', 'ast'):
    open(name + '.py', 'w').write('raise SystemExit')
""",
    "a startup file for the next kernel": """
import os
for base in ('~/.ipython', '/tmp/ipython', os.environ.get('IPYTHONDIR', '.')):
    place = os.path.join(os.path.expanduser(base), 'profile_default', 'startup')
    try:
        os.makedirs(place, exist_ok=True)
        open(place + '/00.py', 'w').write('other = lambda n: n * n')
    except OSError: pass
""",
    "hidden tests looked for in every file": """
import os
for folder, _, names in os.walk('/'):
    if folder.startswith(('/proc', '/sys', '/usr', '/lib')): continue
    for name in names:
        if name.endswith(('.ipynb', '.db', '.json', '.py')) and 'site-packages' not in folder:
            try: text = open(os.path.join(folder, name), errors='replace').read(10**6)
            except OSError: continue
            if 'other(41)' in text: print('ESCAPED', folder, name)
""",
    "points written as a table of the gradebook": """
import sqlite3
for name in ('gradebook.db', '../gradebook.db', '../../../gradebook.db'):
    try:
        book = sqlite3.connect(name)
        book.execute('create table if not exists grade (id text, auto_score real)')
        book.execute("insert into grade values ('x', 100)")
        book.commit()
    except sqlite3.Error: pass
""",
    "more points than a cell has": "similarity_matrix = lambda X: get_ipython().displayhook(1000) or X @ X.T",
    "a number under a cell for a person": """
shell = get_ipython()
shell.events.register('post_run_cell', lambda *_: shell.displayhook(4))
""",
    "the result of every cell is full points": """
shell = get_ipython()
shell.input_transformers_post.append(lambda lines: ['1000\\n'])
""",
    "asserts that are optimised away": """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Drop())
""",
    "an assert that never fails": "import builtins\nbuiltins.AssertionError = type('Quiet', (Exception,), {})",
}  # fmt: skip


def points_raised(notebooks):
    for one in notebooks["attacked"].cells:
        if "points" in one.metadata.get("nbgrader", {}):
            one.metadata.nbgrader["points"] = 1000


def points_that_are_no_numbers(notebooks):
    for name, value in (("mine", "many"), ("second", -1e308)):
        _cell(notebooks["attacked"], name).metadata.nbgrader["points"] = value


def tests_emptied(notebooks):
    for one in (*notebooks["attacked"].cells, *notebooks["other"].cells):
        if one.metadata.get("nbgrader", {}).get("locked"):
            one.source = ""


def tests_deleted(notebooks):
    for made in notebooks.values():
        made.cells = [one for one in made.cells if not one.metadata.get("nbgrader", {}).get("locked")]


def tests_declared_to_be_answers(notebooks):
    for made in notebooks.values():
        for one in made.cells:
            if one.metadata.get("nbgrader", {}).get("locked"):
                one.metadata.nbgrader |= {"solution": True, "locked": False}
                one.source = "pass"


def tests_turned_into_text(notebooks):
    for made in notebooks.values():
        for one in made.cells:
            if one.metadata.get("nbgrader", {}).get("grade"):
                one.cell_type = "markdown"
                one.pop("outputs", None), one.pop("execution_count", None)


def tests_tagged_to_be_skipped_or_to_fail(notebooks):
    for made in notebooks.values():
        for one in made.cells:
            # An answer so tagged is skipped, as in stock nbgrader, to its author's loss.
            if one.metadata.get("nbgrader", {}).get("grade"):
                one.metadata["tags"] = ["skip-execution", "raises-exception", "remove-cell"]


def ids_of_tests_swapped(notebooks):
    first, last = (_cell(notebooks["attacked"], name) for name in ("mine", "second"))
    first.metadata.nbgrader["grade_id"], last.metadata.nbgrader["grade_id"] = "second", "mine"


def a_test_of_the_other_notebook_brought_here(notebooks):
    made = nbformat.from_dict(json.loads(json.dumps(_cell(notebooks["other"], "check"))))
    made.source, made.id = "pass", "brought"
    notebooks["attacked"].cells.append(made)


def marks_invented_for_new_cells(notebooks):
    for number in range(3):
        made = cell("code", "1000", f"bonus{number}", 1000, locked=True)
        notebooks["attacked"].cells.insert(0, made)


def a_person_asked_for_nothing(notebooks):
    for name in ("by_hand", "essay"):
        one = _cell(notebooks["attacked"], name)
        one.metadata.nbgrader |= {"solution": False, "locked": True}
        one.source = "1000"


def outputs_and_scores_forged(notebooks):
    for made in notebooks.values():
        made.metadata["nbgrader"] = {"score": 1000, "max_score": 1}
        for one in made.cells:
            if one.cell_type == "code":
                one.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "1000"})]


def the_notebooks_exchanged(notebooks):
    notebooks["other"], notebooks["attacked"] = notebooks["attacked"], notebooks["other"]


def another_language_named(notebooks):
    for made in notebooks.values():
        made.metadata["kernelspec"] = {"name": "bash", "display_name": "Bash", "language": "bash"}


EDITS = (
    points_raised, points_that_are_no_numbers, tests_emptied, tests_deleted, tests_declared_to_be_answers,
    tests_turned_into_text, tests_tagged_to_be_skipped_or_to_fail, ids_of_tests_swapped,
    a_test_of_the_other_notebook_brought_here, marks_invented_for_new_cells, a_person_asked_for_nothing,
    outputs_and_scores_forged, the_notebooks_exchanged, another_language_named,
)  # fmt: skip


def _is_notebook(data: bytes | Callable) -> bool:
    try:
        return isinstance(data, bytes) and len(json.loads(data)["cells"]) < 2000
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _files(notebooks: dict[str, NotebookNode]) -> dict[str, bytes | Callable]:
    return {f"{name}.ipynb": nbformat.writes(one).encode() for name, one in notebooks.items()}


def _with(released: dict[str, NotebookNode], text: str) -> dict[str, bytes | Callable]:
    made = nbformat.from_dict(json.loads(nbformat.writes(released["attacked"])))
    _cell(made, "q1").source = text.strip()
    return _files(released | {"attacked": made})


def _cell(made: NotebookNode, name: str) -> NotebookNode:
    return next(one for one in made.cells if one.metadata.get("nbgrader", {}).get("grade_id") == name)
