"""A class whose making is shared by the tests of collecting."""

import pytest

from autograder.authoring import releasing
from autograder.lms import collecting

from .downloads import PEOPLE, UNIT


@pytest.fixture(scope="module")
def collecting_class(tmp_path_factory):
    """A class whose making is shared; every test empties what it collects."""
    room = releasing.init(tmp_path_factory.mktemp("collect") / "class", [UNIT], duedate="2026-10-01 12:00:00 UTC")
    with room.gradebook() as gradebook:
        for student, about in PEOPLE.items():
            gradebook.update_or_create_student(student, **about)
    return room


@pytest.fixture
def room(collecting_class):
    for name in ("submitted", "downloaded", ".attention/kept"):
        collecting.rmtree(str(collecting_class.root / name)) if (collecting_class.root / name).exists() else None
    (collecting_class.root / "submitted").mkdir()
    return collecting_class
