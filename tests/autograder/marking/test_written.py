"""Written answers in formgrader: model answer and marking guide for the grader, over HTTP from the real server, and for
nobody else.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter

from autograder.authoring import releasing, sample
from autograder.course import SOLUTIONS, units
from autograder.grading import coordinator
from autograder.marking import written
from autograder.marking.written import HEADING

UNIT = "u1_dot_products"
MODEL = "they have been projected apart"
GUIDE = ("Model answer.", "Marking guide.", "one for the diagonal: a token")


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    room = releasing.init(tmp_path_factory.mktemp("written") / "class", [UNIT])
    folder = room.root / "submitted" / "ann" / UNIT
    folder.mkdir(parents=True)
    notebook = sample.released(UNIT)
    next(cell for cell in notebook.cells if cell.id == "why_two_projections").source += f"\n\nBecause {MODEL}."
    nbformat.write(notebook, folder / f"{UNIT}.ipynb")
    coordinator.grade(room, [UNIT])
    return room


@pytest.fixture(scope="module")
def formgrader(room, tmp_path_factory):
    """Address and token of a server as `jupyter lab` in the class folder starts it."""
    runtime = tmp_path_factory.mktemp("runtime")
    environment = os.environ | {
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(runtime),
        "PYTHONWARNINGS": "ignore",
    }
    off = dict.fromkeys(("jupyterlab", "notebook", "jupyter_lsp", "notebook_shim"), False)
    (runtime / "jupyter_server_config.json").write_text(
        json.dumps({"ServerApp": {"jpserver_extensions": off}}), encoding="utf-8"
    )
    options = ["--no-browser", "--allow-root", "--port=0", "--IdentityProvider.token=t"]
    with open(runtime / "log", "wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options], cwd=room.root, env=environment, stdout=log, stderr=log
        )
    try:
        while not (found := list(runtime.glob("jpserver-*.json"))):
            assert server.poll() is None, (runtime / "log").read_text()
            time.sleep(0.05)
        yield json.loads(found[0].read_text())["url"]
    finally:
        server.terminate()
        server.wait(20)


def get(url, path):
    with urllib.request.urlopen(
        urllib.request.Request(f"{url}{path}", headers={"Authorization": "token t"}), timeout=60
    ) as answer:
        return answer.read().decode()


def test_formgrader_shows_the_guide_under_the_answer(room, formgrader):
    with room.gradebook() as gradebook:
        (submission,) = gradebook.find_submission(UNIT, "ann").notebooks
        number = submission.id
    page = get(formgrader, f"formgrader/submissions/{number}/")
    assert all(text in page for text in (HEADING, *GUIDE))
    answer, guide, field = page.index(MODEL), page.index(HEADING), page.index('id="why_two_projections-comment"')
    assert answer < field < guide, "the guide stands under the answer and its comment field"
    # The answers to code are checked by the judge; their solutions are not on the page.
    assert "BEGIN SOLUTION" not in page and "unit @ np.swapaxes" not in page


def test_no_file_that_leaves_the_class_has_it(room):
    leaving = [
        path
        for name in ("release", "feedback", "autograded")
        for path in (room.root / name).rglob("*")
        if path.is_file()
    ]
    assert {path.suffix for path in leaving} >= {".ipynb", ".html"}
    for path in leaving:
        text = path.read_text(encoding="utf-8")
        assert HEADING not in text and not [part for part in GUIDE if part in text], path


def test_other_pages_pass_through_even_with_the_step_switched_on(room):
    notebook = room.root / "autograded" / "ann" / UNIT / f"{UNIT}.ipynb"
    for resources in (
        {},
        {"nbgrader": {"assignment": UNIT, "notebook": UNIT}},
        {"assignment_id": UNIT, "notebook_id": UNIT, "nbgrader": {}, "submission_id": "1", "notebook_path": "x"},
    ):
        page, _ = HTMLExporter(config=room.config).from_filename(str(notebook), resources=dict(resources))
        assert MODEL in page and HEADING not in page


def test_a_class_without_its_source_still_shows_the_answers(room):
    (room.root / "source").rename(room.root / "elsewhere")
    try:
        resources = {"assignment_id": UNIT, "notebook_id": UNIT, "submission_id": "1", "notebook_path": "x"}
        notebook = nbformat.read(room.root / "autograded" / "ann" / UNIT / f"{UNIT}.ipynb", 4)
        shown, _ = written.ShowMarkingGuide(config=room.config).preprocess(notebook, resources)
        assert [cell.source for cell in shown.cells] == [cell.source for cell in notebook.cells]
    finally:
        (room.root / "elsewhere").rename(room.root / "source")


@pytest.mark.parametrize(
    "unit",
    [
        unit
        for unit in units()
        if "[markdown] nbgrader" in (SOLUTIONS / unit / f"{unit}.py").read_text(encoding="utf-8")
    ],
)
def test_every_written_question_of_the_course_has_a_model_answer_and_a_marking_guide(unit, tmp_path):
    from autograder.authoring.building import write_source

    source = write_source(unit, tmp_path)
    found = written.guides(source)
    asked = [
        cell.id
        for cell in nbformat.read(source, 4).cells
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("grade")
    ]
    assert asked and sorted(found) == sorted(asked)
    for text in found.values():
        assert "Model answer" in text and "Marking guide" in text and "SOLUTION" not in text
