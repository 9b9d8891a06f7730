"""What a class's `nbgrader_config.py` says of releasing."""

from __future__ import annotations

from nbgrader.converters import GenerateAssignment
from traitlets.config import Config

from autograder.course import ANSWER_STUB
from helpers.folder.cells import TEXT_STUB

from .released import Attention


def release_config() -> Config:
    """The settings of generate_assignment that make a release of this course, wherever it is run."""
    config = Config()
    config.ClearSolutions.code_stub = {"python": ANSWER_STUB}
    config.ClearSolutions.text_stub = TEXT_STUB
    steps = list(GenerateAssignment.preprocessors.default())
    config.GenerateAssignment.preprocessors = [*steps, Attention]
    return config
