"""Notebooks that begin with a cell that installs the course, for Colab, which has a machine and not the course."""

from __future__ import annotations

import nbformat
from nbformat.v4 import new_code_cell

from autograder.authoring.building import notebook_path

from . import words
from .place import Repository


def place(unit: str, language: str) -> str:
    """Return where in the site a unit's notebook lies."""
    return f"colab/{language}/{unit}.ipynb"


def notebook(unit: str, language: str, repository: Repository) -> str:
    """Return the text of a unit's released notebook with a first cell that installs the course."""
    released = nbformat.read(notebook_path(unit, language), as_version=4)
    install = f"# {words.colab_setup()}\n%pip install --quiet git+{repository.address}"
    released.cells.insert(0, new_code_cell(install, id="colab-setup"))
    text: str = nbformat.writes(released)
    return text + "\n"
