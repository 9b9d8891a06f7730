"""What a class sets for its learners in `nbgrader_config.py`, written into each release."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import parse_utc
from traitlets import Bool, Unicode

from helpers.folder.cells import KEY


class Attention(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    """Puts the class's settings into the metadata of a released notebook, where the learner's `hint()` and
    `attention pack` read them."""

    parsons = Bool(
        True,
        help="Whether the last hint of an exercise is a puzzle of the reference's lines, out of order.",
    ).tag(config=True)
    language = Unicode("en", help="What the class reads; `autograder init --language` sets it.").tag(config=True)
    duedate = Unicode(
        "", help="When the unit is due, as 2026-10-01 12:00:00 UTC; `autograder init --due` sets it."
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        # Without a word from the class there is nothing to carry, and a release is the same as ever.
        told: dict[str, Any] = {} if self.parsons else {"parsons": False}
        if self.duedate:
            told["duedate"] = parse_utc(self.duedate).replace(tzinfo=UTC).isoformat()
        if told:
            # A notebook in another language than English has that there already.
            nb.metadata[KEY] = nb.metadata.get(KEY, {}) | told
        return nb, resources
