"""Executes a unit's solution for its page, once for each state of the course: what was executed is kept."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from traitlets.config import Config

from autograder import course
from autograder.authoring.building import copy_images, source_notebook
from autograder.course import CourseError

# Trains a small model on two cores, beside another notebook.
SECONDS = 1800
_STRIPS = "from helpers.plots import interactive\n\ninteractive.as_strips()"


def executed(unit: str, language: str, folder: Path) -> NotebookNode:
    """Return a unit's source notebook with the outputs of its solution; pictures with controls are strips.

    Args:
        unit: its name.
        language: what its learner reads.
        folder: where executed notebooks are kept for the next time.

    Raises:
        CourseError: a cell raised an error, wrote to stderr, or a card says that an answer is wrong; the message names
            it.
    """
    notebook = source_notebook(unit, language)
    room = folder / language / unit
    key = hashlib.sha256((nbformat.writes(notebook) + _helpers()).encode()).hexdigest()
    kept = room / f"{key[:16]}.ipynb"
    if kept.is_file():
        again: NotebookNode = nbformat.read(kept, as_version=4)
        return again
    room.mkdir(parents=True, exist_ok=True)
    for old in room.glob("*.ipynb"):
        old.unlink()
    copy_images(unit, room)
    notebook.cells.insert(0, new_code_cell(_STRIPS))
    # A kernel that takes no part in a class; the progress of whoever builds the site is not touched.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("NBGRADER", "ATTENTION", "PYTEST"))
    }
    with tempfile.TemporaryDirectory(prefix="attention-") as sockets:
        client = NotebookClient(
            notebook,
            timeout=SECONDS,
            kernel_name="python3",
            allow_errors=True,
            resources={"metadata": {"path": str(room)}},
            # Over TCP a kernel warns that others could listen. A socket's path must be short.
            config=Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}}),
        )
        client.execute(env=environment | {"OMP_NUM_THREADS": "1", "JUPYTER_DATA_DIR": str(room / "data")})
    notebook.cells.pop(0)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                raise CourseError(f"{unit} ({language}), cell {cell.id}: {output.ename}: {output.evalue}")
            if output.output_type == "stream" and output.name == "stderr":
                raise CourseError(f"{unit} ({language}), cell {cell.id} writes to stderr: {output.text}")
            shown = output.get("data", {}).get("text/html", "")
            if 'role="status"' in shown and ">✗" in shown:
                raise CourseError(
                    f"{unit} ({language}), cell {cell.id}: a card says that the solution is wrong: {shown}"
                )
    partial = kept.with_suffix(".partial")
    nbformat.write(notebook, partial)
    partial.replace(kept)
    return notebook


@cache
def _helpers() -> str:
    """What the outputs of every notebook depend on beside its text."""
    digest = hashlib.sha256()
    for path in sorted((course.ROOT / "src" / "helpers").rglob("*")):
        if path.suffix in (".py", ".json"):
            digest.update(path.read_bytes())
    return digest.hexdigest()
