"""A plain nbgrader assignment to measure with: no unit, no check, asserts and nothing else.

Ten small exercises of linear algebra, each with a visible and a hidden test, a figure, and a question for a person.
Every third student has each second exercise wrong, so everybody's points are known.
"""

from __future__ import annotations

from nbformat import NotebookNode, v4

NAME = "lab1"
POINTS = 2
# So many have half of their answers wrong, as in a mixed class.
WRONG_EACH = 3
# The call of each exercise, its right body, a wrong one, and two tests of it.
EXERCISES = (
    ("norm(x)", "np.sqrt(np.sum(x**2))", "np.sum(x)", "norm(np.array([3.0, 4.0])) == 5", "norm(np.zeros(3)) == 0"),
    ("dot(x, y)", "np.sum(x * y)", "np.sum(x + y)", "np.isclose(dot(A[0], A[1]), A[0] @ A[1])", "dot(A[2], A[2]) >= 0"),
    ("outer(x, y)", "x[:, None] * y", "x * y", "outer(A[0], A[1]).shape == (3, 3)", "outer(A[0], A[0]).any()"),
    ("trace(m)", "np.sum(np.diag(m))", "np.sum(m)", "trace(np.eye(4) + 1) == 8", "trace(A) == np.trace(A)"),
    ("power(m, n)", "np.linalg.matrix_power(m, n)", "m**n", "np.allclose(power(A, 2), A @ A)",
     "np.allclose(power(A, 0), np.eye(3))"),
    ("project(x, y)", "(x @ y) / (y @ y) * y", "x @ y", "np.allclose(project(A[0], A[0]), A[0])",
     "project(A[0], A[1]).shape == (3,)"),
    ("rank(m)", "np.linalg.matrix_rank(m)", "len(m) + 1", "rank(np.eye(3)) == 3", "rank(np.ones((3, 3))) == 1"),
    ("solve(m, b)", "np.linalg.solve(m, b)", "m @ b", "np.allclose(A @ solve(A, A[0]), A[0])",
     "np.allclose(solve(2 * np.eye(3), A[1]), A[1] / 2)"),
    ("angle(x, y)", "np.arccos((x @ y) / np.sqrt((x @ x) * (y @ y)))", "x @ y",
     "np.isclose(angle(np.array([1.0, 0]), np.array([0, 1.0])), np.pi / 2)", "angle(A[0], 2 * A[0]) < 1e-6"),
    ("power_iteration(m)", "np.abs(np.linalg.eigvalsh(m)).max()", "m.max() + 1",
     "np.isclose(power_iteration(A + A.T), np.abs(np.linalg.eigvalsh(A + A.T)).max())",
     "np.isclose(power_iteration(np.diag([1.0, -7, 2])), 7)"),
)  # fmt: skip
SETUP = "import matplotlib.pyplot as plt\nimport numpy as np\n\nA = np.random.default_rng(1).normal(size=(3, 3))"
FIGURE = "plt.imshow(A)\nplt.colorbar()"


def source() -> NotebookNode:
    """Return the notebook as its instructor writes it."""
    cells = [_cell("code", SETUP, "setup", locked=True)]
    for call, right, _, seen, hidden in EXERCISES:
        name = call.partition("(")[0]
        body = f"def {call}:\n    ### BEGIN SOLUTION\n    return {right}\n    ### END SOLUTION"
        test = f"assert {seen}\n### BEGIN HIDDEN TESTS\nassert {hidden}\n### END HIDDEN TESTS"
        cells += [
            v4.new_markdown_cell(f"Write `{call}`.", id=f"text-{name}"),
            _cell("code", body, name, solution=True),
            _cell("code", test, f"test_{name}", points=POINTS, locked=True, grade=True),
        ]
    cells += [
        v4.new_code_cell(FIGURE, id="figure"),
        _cell("markdown", "Why is the largest one found?", "why", points=5, grade=True, solution=True),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook: NotebookNode = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return notebook


def handed_in(released: NotebookNode, number: int) -> NotebookNode:
    """Fill the answers of a student into a copy of the released notebook, and return it."""
    for place, (call, right, wrong, _, _) in enumerate(EXERCISES):
        cell = next(cell for cell in released.cells if cell.id == call.partition("(")[0].replace("_", "-"))
        cell.source = f"def {call}:\n    return {wrong if _is_wrong(number, place) else right}"
    return released


def points(number: int) -> int:
    """Return the points that a student is due without a person's."""
    return sum(POINTS for place in range(len(EXERCISES)) if not _is_wrong(number, place))


def _is_wrong(number: int, place: int) -> bool:
    return number % WRONG_EACH == 1 and place % 2 == 0


def _cell(kind: str, text: str, name: str, **marks: object) -> NotebookNode:
    made = v4.new_code_cell(text) if kind == "code" else v4.new_markdown_cell(text)
    made.id = name.replace("_", "-")
    made.metadata["nbgrader"] = {
        "schema_version": 3, "grade_id": name, "cell_type": kind, "grade": False, "solution": False, "locked": False,
        "task": False,
    } | marks  # fmt: skip
    cell: NotebookNode = made
    return cell
