"""What a class sets for its learners in `nbgrader_config.py`, written into each release."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool

from helpers.desk.release import KEY


class Attention(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    """Puts the class's settings into the metadata of a released notebook, where the learner's `hint()` reads them."""

    parsons = Bool(
        True,
        help="Whether the last hint of an exercise is a puzzle of the reference's lines, out of order.",
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        # Without a word from the class there is nothing to carry, and a release is the same as ever.
        if not self.parsons:
            nb.metadata[KEY] = {"parsons": False}
        return nb, resources
