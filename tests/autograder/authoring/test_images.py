"""Pictures beside a source come with the unit, wherever it is released; nothing else does."""

import re
import shutil

from autograder import course
from autograder.authoring import building, releasing

U0 = "u0_start_here"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def test_the_pictures_in_git_are_those_of_the_sources():
    for unit in course.units():
        assert contents(course.NOTEBOOKS / unit / "images") == contents(course.SOLUTIONS / unit / "images"), unit


def test_every_picture_that_a_text_shows_is_there_and_says_what_it_shows():
    for unit in course.units():
        text = "\n".join(cell.source for cell in building.source_notebook(unit).cells if cell.cell_type == "markdown")
        shown = re.findall(r"!\[(.*?)\]\((.*?)\)", text)
        assert {target.removeprefix("images/") for _, target in shown} == set(
            contents(course.SOLUTIONS / unit / "images")
        ), unit
        assert all(len(alt) > 20 for alt, _ in shown), unit


def test_a_class_and_a_learner_get_the_pictures_and_nothing_else_from_beside_the_source(tmp_path, monkeypatch):
    shutil.copytree(course.SOLUTIONS / U0, tmp_path / "solutions" / U0)
    (tmp_path / "solutions" / U0 / "model_answers.md").write_text("attend", encoding="utf-8")
    monkeypatch.setattr(course, "SOLUTIONS", tmp_path / "solutions")
    pictures = contents(course.SOLUTIONS / U0 / "images")
    stale = tmp_path / "notebooks" / U0 / "images"
    stale.mkdir(parents=True)
    (stale / "old.png").write_bytes(b"of an earlier build")

    building.build([U0], tmp_path / "notebooks")
    releasing.init(tmp_path / "class", [U0])

    for folder in (tmp_path / "notebooks" / U0, tmp_path / "class" / "release" / U0):
        assert contents(folder / "images") == pictures and pictures
        assert sorted(path.name for path in folder.iterdir()) == ["images", f"{U0}.ipynb"]
