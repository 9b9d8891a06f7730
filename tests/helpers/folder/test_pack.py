"""`autograder pack`: one file to hand in, the same every time, that says what is open and takes nothing else along."""

import json
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograder import course
from autograder.authoring import sample
from helpers.data import WEIGHTS
from helpers.folder import packing
from helpers.folder.errors import FolderError

from . import learners_machine

UNIT = "u1_dot_products"
TRAINED = "u7_transformer"


def laid(folder, unit=UNIT, notebook=None, name=None):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name or unit}.ipynb"
    nbformat.write(notebook or nbformat.read(course.NOTEBOOKS / unit / f"{unit}.ipynb", 4), path)
    return path


def names(path):
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_holds_the_notebook_as_it_was_saved_and_a_list_of_contents(tmp_path):
    notebook = laid(tmp_path, notebook=sample.answered(UNIT))
    packed = packing.pack(notebook)
    assert packed.path == tmp_path / f"{UNIT}.zip" and names(packed.path) == [f"{UNIT}.ipynb", "contents.txt"]
    with zipfile.ZipFile(packed.path) as archive:
        assert archive.read(f"{UNIT}.ipynb") == notebook.read_bytes()
        assert "7 of 7 answers are there" in archive.read("contents.txt").decode()
    assert packed.unanswered == () and "all 7 answers are there" in packing.told(packed)


def test_says_what_is_still_open(tmp_path):
    answers = dict.fromkeys(
        ("project", "cosine_similarity", "attention_scores", "attention_scores_columns", "scores_for_query"), "solution"
    )
    answers["similarity_matrix"] = (
        "# raise NotImplementedError is what stood here\ndef similarity_matrix(X):\n    return X @ X.T"
    )
    notebook = sample.answered(UNIT, answers)
    notebook.cells = [cell for cell in notebook.cells if cell.id != "project"]
    packed = packing.pack(laid(tmp_path, notebook=notebook))
    assert [line.split(":")[0] for line in packed.unanswered] == ["why_two_projections", "project"]
    assert "your answer goes here" in packed.unanswered[0].lower() and "is gone" in packed.unanswered[1]
    assert packed.answers == 7 and "2 of 7 answers are still open" in packing.told(packed)


def test_an_unfinished_answer_with_magics_or_a_syntax_error_counts_as_open(tmp_path):
    packed = packing.pack(
        laid(
            tmp_path,
            notebook=sample.answered(
                UNIT, {"project": "%time\ndef project(X:\n    raise NotImplementedError  # later"}
            ),
        )
    )
    assert "project: still raises NotImplementedError" in packed.unanswered


def test_is_the_same_file_every_time_wherever_it_lies(tmp_path):
    first = packing.pack(laid(tmp_path / "a")).path.read_bytes()
    again = laid(tmp_path / "b")
    (again.parent / "other.mp4").write_text("x")
    assert packing.pack(again).path.read_bytes() == first


def test_takes_weights_only_where_the_notebook_speaks_of_them_and_nothing_else(tmp_path):
    for unit in (UNIT, TRAINED):
        laid(tmp_path / unit, unit)
        for name in (WEIGHTS, "diary.pdf", ".secret", ".ipynb_checkpoints"):
            (tmp_path / unit / name).write_bytes(b"mine")
    assert names(packing.pack(tmp_path / UNIT / f"{UNIT}.ipynb").path) == [f"{UNIT}.ipynb", "contents.txt"]
    assert names(packing.pack(tmp_path / TRAINED / f"{TRAINED}.ipynb").path) == [
        f"{TRAINED}.ipynb",
        WEIGHTS,
        "contents.txt",
    ]


def test_takes_small_files_beside_the_notebook_and_says_what_it_leaves_out(tmp_path):
    notebook = sample.released()
    code = "from mine import table\nopen('data.csv'); open('film.mp4'); open('huge.npy'); open('secret.txt')"
    notebook.cells.append(nbformat.v4.new_code_cell(code))
    path = laid(tmp_path, notebook=notebook)
    for name in ("mine.py", "data.csv", "heads.PNG", "film.mp4", "notes.txt", ".hidden.csv", "essay.pdf"):
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / "huge.npy").write_bytes(b"0" * 6_000_000)
    (tmp_path / "secret.txt").symlink_to("/etc/hostname")
    packed = packing.pack(path)
    taken = ["data.csv", "heads.PNG", "mine.py", "notes.txt"]
    assert names(packed.path) == [f"{UNIT}.ipynb", *taken, "contents.txt"]
    named, unnamed = packed.notes
    assert named.startswith("left out, though the notebook names them: ")
    assert all(name in named for name in ("film.mp4 (no file of a kind", "huge.npy (at most", "secret.txt (no file"))
    assert unnamed.startswith("left out: essay.pdf (no file of a kind that is taken: .png ")


def test_where_not_all_files_find_room_those_that_the_notebook_names_do(tmp_path):
    notebook = sample.released()
    notebook.cells.append(nbformat.v4.new_markdown_cell("![heads](zz.png)"))
    path = laid(tmp_path, notebook=notebook)
    for name in ("a.png", "b.png", "c.png", "d.png", "zz.png"):
        (tmp_path / name).write_bytes(bytes(5_000_000))
    packed = packing.pack(path)
    assert names(packed.path) == [f"{UNIT}.ipynb", "a.png", "b.png", "c.png", "zz.png", "contents.txt"]
    assert [note.split(" (")[0] for note in packed.notes] == ["left out: d.png"]


def test_in_a_class_folder_nothing_is_packed(tmp_path):
    (tmp_path / "nbgrader_config.py").touch()
    (tmp_path / "release").mkdir()
    before = sorted(course.NOTEBOOKS.rglob("*.zip"))
    with pytest.raises(FolderError, match="is a class folder"):
        packing.find("u1", tmp_path)
    with pytest.raises(FolderError, match="is not here"):
        packing.find("u1", tmp_path / "release")
    assert sorted(course.NOTEBOOKS.rglob("*.zip")) == before


def test_follows_no_link_to_the_weights(tmp_path):
    notebook = laid(tmp_path / "u", TRAINED)
    (tmp_path / "private").write_bytes(b"private")
    (notebook.parent / WEIGHTS).symlink_to(tmp_path / "private")
    packed = packing.pack(notebook)
    assert WEIGHTS not in names(packed.path) and any("not beside the notebook" in note for note in packed.notes)


def test_a_copy_under_another_name_is_packed_under_the_right_one(tmp_path):
    packed = packing.pack(laid(tmp_path, name="u2_softmax_scaling (1)"))
    assert packed.unit == UNIT and names(packed.path)[0] == f"{UNIT}.ipynb" and "is handed in as" in packed.notes[0]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a whole notebook"),
        (b'{"cells": [', "not a whole notebook"),
        (b'{"cells": 3}', "no readable cells"),
        (b'{"cells": []}', "no notebook of this course"),
    ],
)
def test_what_is_no_notebook_is_not_packed(tmp_path, content, told):
    path = tmp_path / f"{UNIT}.ipynb"
    path.write_bytes(content)
    with pytest.raises(FolderError, match=told):
        packing.pack(path)
    assert not list(tmp_path.glob("*.zip"))


def test_a_notebook_that_no_grader_would_read_is_not_packed(tmp_path):
    path = laid(tmp_path)
    tree = json.loads(path.read_text(encoding="utf-8"))
    tree["metadata"]["big"] = "x" * (21 * 2**20)
    path.write_text(json.dumps(tree), encoding="utf-8")
    with pytest.raises(FolderError, match="Clear Outputs"):
        packing.pack(path)


def test_finds_what_is_meant(tmp_path):
    one, other = laid(tmp_path / "notebooks" / UNIT), laid(tmp_path / "notebooks" / TRAINED, TRAINED)
    assert (
        packing.find("u1", tmp_path)
        == one
        == packing.find(None, one.parent)
        == packing.find(f"notebooks/{UNIT}", tmp_path)
    )
    assert packing.find(TRAINED, other.parent.parent) == other
    with pytest.raises(FolderError, match="2 notebooks"):
        packing.find(None, tmp_path)
    with pytest.raises(FolderError, match="no file, no folder and no unit"):
        packing.find("u99", tmp_path)
    (one.parent / "scratch.ipynb").write_text("{}")
    assert packing.find(None, one.parent) == one


def test_the_command_needs_nothing_that_only_grading_has(tmp_path):
    """A learner has neither Linux nor the grading extra; the command must not load what those bring."""
    notebook = laid(tmp_path)
    done = learners_machine.run("autograder.cli", "autograder", "pack", notebook, cwd=tmp_path)
    assert done.returncode == 0 and "still open" in done.stdout and done.stderr == "", done.stderr
    assert Path(tmp_path / f"{UNIT}.zip").is_file()
