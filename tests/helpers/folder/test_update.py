"""A learner's folder over new versions of the course: whatever was written is still there."""

import json
import os
import random
from datetime import date

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder import course
from helpers.folder import bringing, merging, place
from helpers.folder.errors import FolderError

DAY = date(2026, 10, 5)
STUB = "raise NotImplementedError  # your answer goes here"
WORDS = "*Your answer goes here.*"


def marks(name, solution, grade=False):
    return {
        "grade_id": name,
        "solution": solution,
        "grade": grade or not solution,
        "locked": not solution,
        "schema_version": 3,
    }


def answer_cell(name, text="one line"):
    source = f'def {name}(x):\n    """It computes {text}."""\n    {STUB}'
    return new_code_cell(source, id=name, metadata={"nbgrader": marks(name, True)})


def check_cell(name):
    return new_code_cell(f"check({name})", id=f"test_{name}", metadata={"nbgrader": marks(f"test_{name}", False)})


def question_cell(name, text="Why is it so?"):
    return new_markdown_cell(
        f"**Question.** {text}\n\n{WORDS}", id=name, metadata={"nbgrader": marks(name, True, True)}
    )


def unit(chance, exercises, questions, texts):
    """A release: exercises, questions and text in some order, with the ids that a build gives."""
    blocks = [[answer_cell(name, f"{chance.random():.3f}"), check_cell(name)] for name in exercises]
    blocks += [[question_cell(name, f"Why {chance.random():.3f}?")] for name in questions]
    blocks += [
        [new_markdown_cell(text) if chance.random() < 0.7 else new_code_cell(f"print({text!r})")] for text in texts
    ]
    chance.shuffle(blocks)
    cells = [cell for block in blocks for cell in block]
    for number, cell in enumerate(cells):
        if "nbgrader" not in cell.metadata:
            cell["id"] = f"cell-{number:03d}"
    return new_notebook(cells=cells)


def lay(folder, units):
    for name, notebook in units.items():
        path = folder / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)


def read(path):
    return nbformat.read(path, as_version=4)


def work(chance, notebook, written):
    """Answer some exercises, change text, add cells, move and double cells, as learners do."""
    for cell in list(notebook.cells):
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        piece = f"piece_{len(written)}_{chance.random():.9f}"
        if merging.is_answer(cell) and chance.random() < 0.6:
            if cell.cell_type == "code":
                cell.source = cell.source.replace(STUB, f"return {piece!r}")
            else:
                cell.source = cell.source.replace(WORDS, f"Because of {piece}.")
            written.append((name, piece))
        elif not name and chance.random() < 0.2:
            cell.source += f"\n{piece}"
            written.append(("", piece))
        if chance.random() < 0.15:
            own = (
                new_code_cell(f"{piece} = 1 + 1") if chance.random() < 0.5 else new_markdown_cell(f"Note: {piece} mine")
            )
            notebook.cells.insert(chance.randrange(len(notebook.cells) + 1), own)
            written.append(("", f"{piece} = 1" if own.cell_type == "code" else f"{piece} mine"))
    if chance.random() < 0.3:
        notebook.cells.append(notebook.cells.pop(chance.randrange(len(notebook.cells))))
    if chance.random() < 0.2:
        # Another editor drops the marks of a cell of code.
        cell = chance.choice([cell for cell in notebook.cells if cell.cell_type == "code"])
        cell.metadata.pop("nbgrader", None)


NAMES = [f"exercise_{number}" for number in range(8)]
ASKED = [f"why_{number}" for number in range(3)]
TEXTS = [f"Text {number} of the course." for number in range(10)]


def releases(chance):
    """An old version of two units and a new one: cells moved, renamed, removed, added, and moved to the other unit."""
    exercises, questions = chance.sample(NAMES, 6), chance.sample(ASKED, 2)
    old = {
        "u1_one": unit(chance, exercises[:3], questions[:1], chance.sample(TEXTS, 5)),
        "u2_two": unit(chance, exercises[3:], questions[1:], chance.sample(TEXTS, 5)),
    }
    later = [name for name in exercises if chance.random() < 0.8]
    later += [name for name in NAMES if name not in exercises and chance.random() < 0.5]
    chance.shuffle(later)
    asked = [name for name in ASKED if chance.random() < 0.7]
    chance.shuffle(asked)
    cut, split = chance.randrange(len(later) + 1), chance.randrange(len(asked) + 1)
    new = {
        "u1_one": unit(chance, later[:cut], asked[:split], chance.sample(TEXTS, 6)),
        "u2_two": unit(chance, later[cut:], asked[split:], chance.sample(TEXTS, 6)),
    }
    return old, new


@pytest.mark.parametrize("seed", range(200))
def test_no_answer_is_lost_between_any_two_versions(tmp_path, seed):
    chance = random.Random(seed)
    old, new = releases(chance)
    folder, written = tmp_path / "mine", []
    lay(tmp_path / "old", old)
    lay(tmp_path / "new", new)
    bringing.bring(folder, tmp_path / "old", lambda: DAY)
    for name in old:
        path = folder / name / f"{name}.ipynb"
        notebook = read(path)
        work(chance, notebook, written)
        nbformat.write(notebook, path)
    bringing.bring(folder, tmp_path / "new", lambda: DAY)
    now = {name: read(folder / name / f"{name}.ipynb") for name in new}
    everything = "\n".join(cell.source for notebook in now.values() for cell in notebook.cells)
    lost = [(name, piece) for name, piece in written if piece not in everything]
    assert lost == []
    places = {
        cell.metadata["nbgrader"]["grade_id"]: cell for n in now.values() for cell in n.cells if merging.is_answer(cell)
    }
    assert set(places) == {name for notebook in new.values() for name in merging.wanted(notebook)}
    for name, piece in written:
        if name in places:
            assert piece in places[name].source, f"{name} is not in its own cell"
        elif name:
            assert f"### `{name}`" in everything, f"{name} is kept and not named"
    for name, notebook in new.items():
        nbformat.validate(now[name])
        handed_out = [cell.id for cell in notebook.cells if "nbgrader" in cell.metadata]
        assert [cell.id for cell in now[name].cells if "nbgrader" in cell.metadata] == handed_out
    before = state(folder)
    assert {one.state for one in bringing.bring(folder, tmp_path / "new", lambda: DAY)} == {bringing.SAME}
    assert state(folder) == before, "a second update changes nothing"


def state(folder):
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def started(tmp_path):
    """A learner's folder with answers, made from an old version; the new one changes text and moves an exercise."""
    chance = random.Random(0)
    old = {
        "u1_one": unit(chance, ["first", "second"], ["why"], TEXTS[:3]),
        "u2_two": unit(chance, ["third"], [], TEXTS[3:5]),
    }
    new = {
        "u1_one": unit(chance, ["second"], ["why"], TEXTS[:2]),
        "u2_two": unit(chance, ["third", "fourth"], [], TEXTS[6:]),
    }
    lay(tmp_path / "old", old)
    lay(tmp_path / "new", new)
    bringing.bring(tmp_path / "mine", tmp_path / "old", lambda: DAY)
    path = tmp_path / "mine" / "u1_one" / "u1_one.ipynb"
    notebook = read(path)
    for cell in notebook.cells:
        cell.source = cell.source.replace(STUB, "return 1").replace(WORDS, "Because.")
    nbformat.write(notebook, path)
    return tmp_path


def test_the_old_file_stands_beside_the_new_and_what_is_gone_is_named(started):
    path = started / "mine" / "u1_one" / "u1_one.ipynb"
    before = path.read_bytes()
    brought = bringing.bring(started / "mine", started / "new", lambda: DAY)
    assert [one.state for one in brought] == [bringing.UPDATED, bringing.UPDATED]
    assert (path.parent / "u1_one (before 2026-10-05).ipynb").read_bytes() == before
    text = bringing.told(started / "mine", brought)
    assert "the course no longer has first" in text and "(before 2026-10-05)" in text and "Reload" in text
    # The exercise comes back in a later version, and so does its answer.
    lay(started / "newer", {"u2_two": new_notebook(cells=[answer_cell("first")])})
    bringing.bring(started / "mine", started / "newer", lambda: DAY)
    assert "return 1" in read(started / "mine" / "u2_two" / "u2_two.ipynb").cells[0].source


@pytest.mark.parametrize("stop", range(1, 9))
def test_an_update_that_is_interrupted_anywhere_loses_nothing_and_is_finished_by_the_next(started, monkeypatch, stop):
    calls = iter(range(1, 1000))
    replace = os.replace

    def interrupted(*args):
        if next(calls) == stop:
            raise KeyboardInterrupt
        return replace(*args)

    monkeypatch.setattr(os, "replace", interrupted)
    try:
        bringing.bring(started / "mine", started / "new", lambda: DAY)
    except KeyboardInterrupt:
        everything = "".join(path.read_text() for path in (started / "mine").rglob("*.ipynb"))
        assert everything.count("return 1") >= 2 and "Because." in everything
    monkeypatch.undo()
    bringing.bring(started / "mine", started / "new", lambda: DAY)
    texts = "".join(cell.source for cell in read(started / "mine" / "u1_one" / "u1_one.ipynb").cells)
    assert texts.count("return 1") == 2 and texts.count("Because.") == 1
    assert not list((started / "mine").rglob("*.ipynb.*"))


def test_answers_in_the_courses_own_folder_are_taken_along(started):
    """A learner who worked where the course was downloaded to."""
    work_there = started / "old" / "u2_two" / "u2_two.ipynb"
    notebook = read(work_there)
    notebook.cells[0].source += "\n# a remark"
    for cell in notebook.cells:
        cell.source = cell.source.replace(STUB, "return 3")
    nbformat.write(notebook, work_there)
    brought = bringing.bring(started / "another", started / "old", lambda: DAY)
    assert brought[1].came == ("third",) and "taken along: third" in bringing.told(started / "another", brought)
    bringing.bring(started / "another", started / "new", lambda: DAY)
    assert "return 3" in "".join(cell.source for cell in read(started / "another" / "u2_two" / "u2_two.ipynb").cells)
    # And one who has a folder of their own already.
    brought = bringing.bring(started / "mine", started / "old", lambda: DAY)
    assert brought[1].came == ("third",)


def test_a_broken_notebook_is_left_as_it_is(started):
    path = started / "mine" / "u1_one" / "u1_one.ipynb"
    path.write_text('{"cells": [', encoding="utf-8")
    brought = bringing.bring(started / "mine", started / "new", lambda: DAY)
    assert "left as it is" in brought[0].state and path.read_text(encoding="utf-8") == '{"cells": ['
    assert brought[1].state == bringing.UPDATED


def test_text_around_a_written_answer_is_the_new_one(started):
    path = started / "mine" / "u1_one" / "u1_one.ipynb"
    old = next(cell.source for cell in read(path).cells if cell.id == "why")
    bringing.bring(started / "mine", started / "new", lambda: DAY)
    new = next(cell.source for cell in read(path).cells if cell.id == "why")
    assert new != old and new.endswith("\n\nBecause.") and new.startswith("**Question.** Why 0.")


def test_outputs_stay_where_the_cell_is_as_it_was(started):
    path = started / "mine" / "u1_one" / "u1_one.ipynb"
    notebook = read(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text=f"shown by {cell.id}")]
    nbformat.write(notebook, path)
    bringing.bring(started / "mine", started / "new", lambda: DAY)
    shown = {cell.id: json.dumps(cell.outputs) for cell in read(path).cells if cell.cell_type == "code"}
    assert "shown by test_second" in shown["test_second"] and "shown by second" in shown["second"]


def test_the_course_and_a_class_are_no_learners_folder(tmp_path):
    for name in ("nbgrader_config.py", "gradebook.db"):
        (tmp_path / name).touch()
    for folder in (tmp_path, course.NOTEBOOKS, course.NOTEBOOKS / "u1_dot_products"):
        with pytest.raises(FolderError, match="name another one"):
            bringing.bring(folder, course.NOTEBOOKS)


def test_pictures_come_along_and_a_changed_one_is_kept(tmp_path):
    lay(tmp_path / "old", {"u1_one": new_notebook(cells=[answer_cell("first")])})
    picture = tmp_path / "old" / "u1_one" / "images" / "a.png"
    picture.parent.mkdir()
    picture.write_bytes(b"one")
    (tmp_path / "old" / "u1_one" / "diary.txt").write_text("somebody's")
    mine = tmp_path / "mine" / "u1_one"
    bringing.bring(tmp_path / "mine", tmp_path / "old", lambda: DAY)
    assert (mine / "images" / "a.png").read_bytes() == b"one" and not (mine / "diary.txt").exists()
    picture.write_bytes(b"two")
    bringing.bring(tmp_path / "mine", tmp_path / "old", lambda: DAY)
    assert [path.name for path in (mine / "images").iterdir()] == ["a.png"], "nobody had changed it"
    (mine / "images" / "a.png").write_bytes(b"mine")
    bringing.bring(tmp_path / "mine", tmp_path / "old", lambda: DAY)
    assert (mine / "images" / "a (before 2026-10-05).png").read_bytes() == b"mine"


def test_the_folder_is_never_inside_of_the_courses(tmp_path):
    lay(tmp_path / "course" / "notebooks", {"u1_one": new_notebook(cells=[answer_cell("first")])})
    release = place.course(None, tmp_path / "course", None)
    assert release == tmp_path / "course" / "notebooks"
    for here in (tmp_path / "course", release, release / "u1_one"):
        assert place.own(here, release) == tmp_path / place.NAME
    assert place.own(tmp_path / "elsewhere", release) == tmp_path / "elsewhere" / place.NAME
    bringing.bring(tmp_path / place.NAME, release)
    assert place.own(tmp_path / place.NAME / "u1_one", release) == place.find(tmp_path) == tmp_path / place.NAME
    assert place.record(tmp_path / place.NAME).course == str(release)
    with pytest.raises(FolderError, match="attention start"):
        place.need(tmp_path / "course")
    with pytest.raises(FolderError, match="no notebooks of the course"):
        place.course(tmp_path / "elsewhere", tmp_path)
