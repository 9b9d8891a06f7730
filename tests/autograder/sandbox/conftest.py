"""One warm process and one user of it for the tests that need no more."""

import pytest

from autograder.authoring import sample
from autograder.sandbox.connection import Sandbox
from autograder.sandbox.outside.warm_process import WarmProcess


@pytest.fixture(scope="package")
def warmed():
    process = WarmProcess.of(sample.UNIT)
    yield process
    process.close()


@pytest.fixture(scope="package")
def user(warmed):
    made = Sandbox(warmed.folder, sealed=True)
    yield made
    made.close()
