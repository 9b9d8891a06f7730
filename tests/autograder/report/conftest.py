"""A class with one unit released and nothing handed in."""

import shutil

import pytest

from autograder.authoring.releasing import init
from autograder.classroom.classroom import Classroom

from .pages import UNIT


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    return init(tmp_path_factory.mktemp("report") / "class", [UNIT]).root


@pytest.fixture
def room(released, tmp_path):
    """A class with one unit released and nothing handed in."""
    shutil.copytree(released, tmp_path / "class")
    return Classroom.open(tmp_path / "class")
