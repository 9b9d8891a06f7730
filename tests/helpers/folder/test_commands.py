"""`attention` as it is typed: start, reset, pack, and what a fresh reader sees."""

import json
import subprocess
import sys

import nbformat
import pytest
from typer.testing import CliRunner

from autograder import course
from autograder.authoring import releasing, sample
from helpers.cli import app
from helpers.folder import packing, place, trying
from helpers.folder.errors import FolderError

from . import learners_machine

U0, U1 = "u0_start_here", "u1_dot_products"


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A learner's folder, and the learner in it."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["start", "--course", str(course.ROOT)])
    assert done.exit_code == 0 and f"Your work is in {tmp_path / place.NAME}" in done.output.replace("\n", "")
    monkeypatch.chdir(tmp_path / place.NAME)
    return tmp_path / place.NAME


def typed(*words):
    done = CliRunner().invoke(app, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_it_makes_every_unit_and_a_second_update_does_nothing(mine):
    assert place.units(mine) == list(course.units())
    assert (mine / U0 / "images" / "validate.png").is_file()
    assert "All of it is up to date; nothing was changed." in typed("update")
    assert course.ROOT not in mine.parents


def answer(mine, name, body):
    path = mine / U1 / f"{U1}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.id == name)
    cell.source = cell.source.replace("raise NotImplementedError  # your answer goes here", body)
    cell.source = cell.source.replace("*Your answer goes here.*", body)
    nbformat.write(notebook, path)
    return path


def test_a_cell_is_put_back_with_the_answer_in_a_fold_below(mine):
    path = answer(mine, "similarity_matrix", 'return "```" + X')
    answer(mine, "why_two_projections", "Because.")
    stubs = {cell.id: cell.source for cell in nbformat.read(course.NOTEBOOKS / U1 / f"{U1}.ipynb", 4).cells}
    for name, piece in (("similarity_matrix", 'return "```" + X'), ("why_two_projections", "Because.")):
        assert "is in the fold below" in typed("reset", "u1", name)
        cells = nbformat.read(path, as_version=4).cells
        number = next(number for number, cell in enumerate(cells) if cell.id == name)
        assert cells[number].source == stubs[name]
        assert "<details>" in cells[number + 1].source and piece in cells[number + 1].source
        assert "nothing was changed" in typed("reset", "u1", name)
    with pytest.raises(FolderError, match="no answer 'burger'; it has similarity_matrix"):
        typed("reset", "u1", "burger")
    assert "up to date" in typed("update"), "the fold is the learner's own"


def test_pack_runs_the_notebook_once_and_says_what_a_fresh_reader_sees(mine):
    path = answer(mine, "similarity_matrix", "return helper(X)")
    answer(mine, "scores_for_query", "return K @ q")
    answer(mine, "attention_scores", "return Q @ K")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("print(gone)"))
    nbformat.write(notebook, path)
    told = typed("pack", "u1")
    assert "answers are still open" in told and (mine / U1 / f"{U1}.zip").is_file()
    assert "1 of 6 checks pass" in told and "print(gone)   NameError: name 'gone' is not defined" in told
    assert "attention_scores: forgot the transpose" in told
    assert "similarity_matrix: " in told and "still open" in told.partition("Run once")[0]
    before = (mine / U1 / f"{U1}.zip").read_bytes()
    assert "Run once" not in typed("pack", "u1", "--no-run") and (mine / U1 / f"{U1}.zip").read_bytes() == before


def test_a_notebook_that_does_not_end_is_cut_off(tmp_path):
    notebook = sample.released(U0)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("import time\nwhile True:\n    time.sleep(1)"))
    path = tmp_path / f"{U0}.ipynb"
    nbformat.write(notebook, path)
    seen = trying.run(packing.pack(path).path, U0, seconds=2)
    assert seen.cut and "did not come to its end" in trying.told(seen)


def test_the_due_date_comes_with_the_release(tmp_path):
    releasing.init(tmp_path / "class", [U0], duedate="2026-10-01 12:00:00 UTC")
    release = tmp_path / "class" / "release" / U0 / f"{U0}.ipynb"
    packed = packing.pack(release, tmp_path)
    assert packed.due.isoformat() == "2026-10-01T12:00:00+00:00" and "due: Thursday 2026-10-01" in packing.told(packed)
    releasing.init(tmp_path / "class", [U0])
    assert packing.pack(release, tmp_path).due == packed.due, "released again, it is due as before"
    tree = json.loads(release.read_text(encoding="utf-8"))
    tree["metadata"]["attention"]["duedate"] = "soon"
    release.write_text(json.dumps(tree), encoding="utf-8")
    assert packing.pack(release, tmp_path).due is None


def test_the_command_needs_neither_nbgrader_nor_what_grading_brings(tmp_path):
    command = "attention", "start", "--course", course.ROOT
    done = learners_machine.run("helpers.cli", *command, cwd=tmp_path, also_missing=["autograder"])
    assert done.returncode == 0 and "Your work is in" in done.stdout and done.stderr == "", done.stderr


def test_a_mistake_is_one_line(tmp_path):
    call = [sys.executable, "-c", "from helpers.cli import main; main()", "update"]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("attention: there is no folder of yours")
