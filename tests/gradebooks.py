"""Makes new gradebooks quick. Also a plugin of pytest, for the tests of nbgrader's own that we run."""

import functools

import pytest


@pytest.fixture(scope="session", autouse=True)
def alembic_is_asked_once():
    """For every new gradebook nbgrader starts the program alembic, and asks it for a number that is always the same."""
    from nbgrader import api

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(api, "get_alembic_version", functools.cache(api.get_alembic_version))
        yield
