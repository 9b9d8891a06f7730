"""In a plain assignment a kernel does what JupyterLab's does, as far as it can cost points or is looked at later."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config import Config

from autograder.marking.fitness import version
from autograder.marking.repair import Roles
from autograder.marking.submission import Kit, Released, Sheet, Task, grade_task
from autograder.plugin import configure
from autograder.sandbox.connection import Sandbox

PYPLOT = "import matplotlib.pyplot as plt\n"
# Cells that show something, in their order.
SHOWN = {
    "figure": PYPLOT + "plt.plot([1, 2]);",
    "drawing": "from IPython.display import HTML, SVG, display\n"
    'display(SVG(\'<svg xmlns="http://www.w3.org/2000/svg"><circle r="5"/></svg>\'))',
    "drawing in a page": 'HTML(\'<div><svg width="9"><circle r="5"/></svg></div>\')',
    "widget": "import ipywidgets\ndisplay(ipywidgets.IntSlider())",
}
# Cells that give a point each: name → code, and whether stock nbgrader gives it.
CHECKS = {
    "closed": ("assert plt.get_fignums() == []\nplt.plot([3, 4])\nassert len(plt.gca().lines) == 1", True),
    "many": ("for _ in range(19):\n    plt.figure(figsize=(0.1, 0.1))", True),
    "more": ("plt.figure(figsize=(0.1, 0.1))\nplt.figure(figsize=(0.1, 0.1));", True),
    "interact": ("@ipywidgets.interact(n=(0, 4))\ndef show(n):\n    plt.plot([n])\n    plt.show()\n    print(n)", True),
    "interact_fails": ("@ipywidgets.interact(n=(0, 4))\ndef fail(n):\n    raise ValueError('inside')", True),
    "fails_after": ("raise ValueError('outside')", False),
    "written_low": ("import os\nwritten = os.write(2, b'low')", False),
    "written_before": ("os.write(2, b'low')\n1", False),
    "nothing_written": ("'as ever';", True),
    "by_a_child": ("import subprocess, sys\ndone = subprocess.run([sys.executable, '-c', 'raise SystemExit(1 / 0)'])",
                   False),
    "own_proc": ("reads_itself = 'import os; open(f\"/proc/{os.getpid()}/stat\")'\n"
                 "done = subprocess.run([sys.executable, '-c', reads_itself], check=True)", True),
    "loopback": ("import socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
                 "with socket.create_connection(server.getsockname()) as made:\n    made.sendall(b'x')", True),
    "no_way_out": ("assert socket.create_connection(('192.0.2.1', 80), timeout=1)", False),
    "tagged": ("assert False", False),
}  # fmt: skip
BOX = '<div class="alert alert-info" data-own="1"><tt>Mind</tt><style>p { color: red }</style></div>'


def tagged(cell):
    cell.metadata["tags"] = ["skip-execution"]
    return cell


@pytest.fixture(scope="module")
def done():
    """A graded notebook of a plain assignment, and its points by cell."""
    cells = [new_markdown_cell(BOX, id="box"), tagged(new_code_cell("raise SystemExit", id="skipped"))]
    cells += [new_code_cell(code, id=name.replace(" ", "-")) for name, code in SHOWN.items()]
    released = [Released("box", "markdown", BOX, True, "")]
    cells[0].metadata["nbgrader"] = {"grade_id": "box"}
    for name, (code, _) in CHECKS.items():
        cells.append(new_code_cell(code, id=name))
        cells[-1].metadata["nbgrader"] = {"grade_id": name}
        released.append(Released(name, "code", code, True, ""))
    tagged(cells[-1])
    config = Config()
    configure(config)
    roles = Roles(dict.fromkeys(CHECKS, 1.0), {}, frozenset())
    kit = Kit("hw", config, b"", (Sheet("hw", tuple(released), roles, None),), {}, False, version())
    handed_in = nbformat.writes(new_notebook(cells=cells)).encode()
    try:
        found = grade_task(kit, Task("ada", {"hw": handed_in})).notebooks["hw"]
    finally:
        Sandbox.close_all()
    assert not found.outcome.reason
    return nbformat.reads(found.text, as_version=4), {score.name: score.points for score in found.scores}


def outputs(done, name):
    (cell,) = (cell for cell in done[0].cells if cell.id == name.replace(" ", "-"))
    return cell.outputs


@pytest.mark.parametrize("name", CHECKS)
def test_a_cell_has_the_points_that_stock_nbgrader_gives(done, name):
    assert done[1][name] == float(CHECKS[name][1]), outputs(done, name)


def test_pictures_drawings_and_widgets_are_shown(done):
    assert [list(one.data) for one in outputs(done, "figure") if "data" in one] == [["image/png", "text/plain"]]
    for name in ("drawing", "drawing in a page"):
        (one,) = outputs(done, name)
        assert 'src="data:image/svg+xml;base64,' in one.data["text/html"]
    (one,) = outputs(done, "widget")
    assert one.data["text/plain"].startswith("IntSlider(")


def test_what_a_widget_takes_is_shown_and_counts_for_nothing(done):
    assert any("ValueError: inside" in one.get("text", "") for one in outputs(done, "interact_fails"))
    assert {one.output_type for one in outputs(done, "interact_fails")} == {"stream", "display_data"}


def test_a_cell_tagged_to_be_skipped_is_not_run(done):
    assert outputs(done, "skipped") == []


def test_the_instructors_own_locked_text_stays_as_it_was(done):
    assert done[0].cells[0].source == BOX
