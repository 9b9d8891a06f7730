"""What a notebook writes is kept beside it up to a size, named beyond it, and never held by the coordinator."""

import nbformat
import pytest

from autograder.authoring import releasing, sample
from autograder.classroom.classroom import CONFIG, Classroom
from autograder.grading import coordinator, writing
from autograder.marking.files import regular_files

UNIT = sample.UNIT
SETTINGS = "\nc.SandboxedExecute.kept_bytes = 2 * 2**20\nc.SandboxedExecute.beside_bytes = 2**20\n"
# First in the alphabet is what still fits.
WRITE = """
import os
os.makedirs("deep/er")
for name, size in (("a.bin", 1_000_000), ("deep/er/b.txt", 3), ("large.bin", 30_000_000), ("handed.txt", 5)):
    with open(name, "wb") as file:
        file.write(b"w" * size)
os.symlink("/etc/passwd", "link")
"""


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    root = tmp_path_factory.mktemp("written") / "class"
    room = releasing.init(root, [UNIT])
    with open(root / CONFIG, "a", encoding="utf-8") as file:
        file.write(SETTINGS)
    for student in ("ada", "ben"):
        folder = room.root / "submitted" / student / UNIT
        folder.mkdir(parents=True)
        notebook = sample.answered(UNIT)
        notebook.cells.append(nbformat.v4.new_code_cell(WRITE, id="write"))
        nbformat.write(notebook, folder / f"{UNIT}.ipynb")
        (folder / "handed.txt").write_text("mine")
    (folder / "much.bin").write_bytes(bytes(2**20))
    return Classroom.open(root)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_notebook_writes_passes_through_no_memory_of_the_coordinators(room, monkeypatch, jobs):
    taken = []
    real = writing.Writer.add

    def add(self, one):
        taken.append((dict(one.done.files), [name for name, _ in regular_files(one.done.folder)]))
        real(self, one)

    monkeypatch.setattr(writing.Writer, "add", add)
    results = coordinator.grade(room, [UNIT], feedback=False, jobs=jobs, regrade=True)
    assert taken == [({}, ["a.bin", "deep/er/b.txt"])] * 2
    for result in results:
        assert result.score == 17
        graded = room.root / "autograded" / result.student / UNIT
        found = {name: status.st_size for name, status in regular_files(graded) if not name.endswith(".ipynb")}
        assert found == {"a.bin": 1_000_000, "deep/er/b.txt": 3, "handed.txt": 4}
        assert (graded / "handed.txt").read_text() == "mine"
        told = " ".join(result.outcome.notes)
        assert "at most 2 MB are kept; left out: large.bin" in told
        assert ("much.bin was left out: the files beside the notebook are too large together" in told) == (
            result.student == "ben"
        )


def test_results_with_much_beside_them_are_written_before_others_join_them(room, monkeypatch):
    monkeypatch.setattr(writing, "HELD_BYTES", 3)
    held = []
    real = writing.Writer.write

    def write(self):
        held.append(len(self._ready))
        real(self)

    monkeypatch.setattr(writing.Writer, "write", write)
    monkeypatch.setattr(writing, "BATCH_SECONDS", 1000)
    coordinator.grade(room, [UNIT], feedback=False, jobs=1, regrade=True)
    assert held == [1, 1, 0]
