"""What one learner hands in ends no class: each submission has one end, in one run and in the next."""

import os
import subprocess

import nbformat
import pytest

from autograder.authoring import releasing, sample
from autograder.classroom import classroom
from autograder.classroom.times import UnreadableTime, read_time
from autograder.grading import coordinator
from tests.grading.classes import UNIT, gradebook, submit

RIGHT = "def hello_attention():\n    return 'Attention'"
DEEP = """
import os
open("kept.txt", "w").write("1")
for count in (8, 20):
    os.makedirs("/".join(["d" * 180] * count), exist_ok=True)
    open("/".join(["d" * 180] * count + ["long.txt"]), "w").write("1")
for _ in range(1200):
    os.mkdir("a")
    os.chdir("a")
open("deep.txt", "w").write("1")
"""
UNDER_ITS_NAME = f"""
import os
os.makedirs("{UNIT}.ipynb")
open("{UNIT}.ipynb/inside.txt", "w").write("1")
open("kept.txt", "w").write("1")
"""
CALLED = {"ValueError('\\ud800')": "surrogate", "ValueError('\\x00')": "zero"}


def notebook(text, *more):
    made = sample.answered(UNIT, {"hello_attention": text} if text else {"hello_attention": "solution"})
    made.cells += [nbformat.v4.new_code_cell(source, id=f"more-{n}") for n, source in enumerate(more)]
    return nbformat.writes(made)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    root = tmp_path_factory.mktemp("enders") / "class"
    releasing.init(root, [UNIT], duedate=sample.DUE)
    for raised, name in CALLED.items():
        submit(root, name, notebook(f"def hello_attention():\n    raise {raised}"))
    submit(root, "folder", notebook(None, UNDER_ITS_NAME))
    submit(root, "paths", notebook(None, DEEP))
    submit(root, "nines", notebook(None), timestamp="9" * 20)
    submit(root, "much", notebook(None), timestamp="2026-10-01 " * 600_000)
    submit(root, "late", notebook(None), timestamp="9999-12-31 23:59:59 -1400")
    submit(root, "neighbour", notebook(None), timestamp="2026-09-01 12:00 UTC")
    submit(root, "buried", notebook(None))
    here = os.open(root / "submitted" / "buried" / UNIT, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("b", dir_fd=here)
        below = os.open("b", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    for name in (b"jos\xe9", b"two\nlines"):
        submit(root, "plain", notebook(None))
        os.rename(root / "submitted" / "plain", os.fsencode(root / "submitted") + b"/" + name)
    room = classroom.Classroom.open(root)
    first = coordinator.grade(room, [UNIT], jobs=2)
    yield room, first, coordinator.grade(room, [UNIT], jobs=1)
    # Deeper than Python's own removal goes.
    subprocess.run(["rm", "-rf", root / "submitted" / "buried"], check=True)


def by_student(results):
    return {result.student: result for result in results}


def test_everyone_has_one_end_and_the_second_run_says_the_same(graded):
    room, first, second = graded
    ends = {result.student: (result.score, result.outcome.state) for result in first}
    assert len(first) == len(ends) == 11
    assert ends == {
        "buried": (1, "graded"),
        "folder": (1, "graded with a note"),
        "jos\\udce9": (0, "not gradable"),
        "late": (1, "graded with a note"),
        "much": (1, "graded with a note"),
        "neighbour": (1, "graded"),
        "nines": (1, "graded with a note"),
        "paths": (1, "graded with a note"),
        "surrogate": (0, "graded"),
        "two\\nlines": (0, "not gradable"),
        "zero": (0, "graded"),
    }
    assert {result.student: (result.score, result.outcome.state) for result in second} == ends


def test_what_could_not_be_kept_is_named(graded):
    told = {name: result.outcome.reason for name, result in by_student(graded[1]).items()}
    assert (
        "the file u0_start_here.ipynb/inside.txt was left out: another file has the name of its folder"
        in (told["folder"])
    )
    assert "was left out: its path is too long" in told["paths"]
    for name, says in {"nines": "is no time", "much": "holds no time", "late": "time"}.items():
        assert told[name].startswith("timestamp.txt: ") and told[name].endswith("; taken as handed in on time")
        assert says in told[name] and len(told[name]) < 200
    assert "it is no UTF-8 text: rename it" in told["jos\\udce9"]
    assert "it holds a line break or another control character: rename it" in told["two\\nlines"]


def test_the_other_files_are_kept_and_texts_are_storable(graded):
    room, first, _ = graded
    folder = room.root / "autograded" / "folder" / UNIT
    assert (folder / f"{UNIT}.ipynb").is_file() and (folder / "kept.txt").read_text(encoding="utf-8") == "1"
    rows = gradebook(room.db_url)
    assert (room.root / "autograded" / "paths" / UNIT / "kept.txt").is_file()
    assert set(rows) == {name for name in by_student(first) if "\\" not in name}
    for name in ("surrogate", "zero"):
        comment = next(text for cell, text, _ in rows[name]["comments"] if cell == "hello_attention")
        assert "refuses arguments" in comment and comment.encode() and "\0" not in comment
        assert (room.root / "feedback" / name / UNIT / f"{UNIT}.html").is_file()


@pytest.mark.parametrize("text", ["9" * 20, "2026-10-01 " * 600_000, "0001-01-01 00:00 +1400", "soon"])
def test_what_is_no_time_is_one_kind_of_error_and_quick(text):
    with pytest.raises(UnreadableTime):
        read_time(text)


def test_a_time_is_read():
    assert read_time(" 2026-10-01 12:00:00 UTC\n").isoformat() == "2026-10-01T12:00:00"
