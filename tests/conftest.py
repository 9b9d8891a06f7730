"""Settings for all tests."""

import os

import pytest

from helpers import sources
from tests.gradebooks import alembic_is_asked_once

__all__ = ["alembic_is_asked_once"]

# The tests work on tiny tensors: a second thread only waits for the first, and parallel workers would fight for the
# cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")


# The longest first, so that no worker is left alone with one of them at the end.
LONGEST = (
    "tests/helpers/test_every_exercise.py",
    "tests/term",
    "tests/hub",
    "tests/grading",
    "tests/browser",
    "tests/authors",
    "tests/attacks",
    "tests/test_units.py",
    "tests/test_capstone.py",
    "tests/autograder/authoring",
)


def pytest_collection_modifyitems(config, items):
    """Bring the tests of a worker into this order. `--no-loadscope-reorder` keeps it."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: place(item.path.relative_to(config.rootpath).as_posix()))


def place(path):
    return next((place for place, start in enumerate(LONGEST) if path.startswith(start)), len(LONGEST))


@pytest.fixture(autouse=True, scope="module")
def units_of_other_environments_are_forgotten():
    """A class that a test opens makes the units of its environments known to the whole process: to no other file."""
    yield
    sources.look_here_alone()
