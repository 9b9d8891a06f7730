"""Formgrader's warning that the exchange is missing: only in a class that has set one up."""

from types import SimpleNamespace

import pytest
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from autograder.marking import pages


@pytest.mark.parametrize("set_up", [False, True])
@pytest.mark.parametrize("missing", [False, True])
def test_the_warning_is_for_who_wants_an_exchange(monkeypatch, set_up, missing):
    shown = {}
    monkeypatch.setattr(handlers.ManageAssignmentsHandler, "render", None, raising=False)
    monkeypatch.setattr(handlers.BaseHandler, "render", lambda self, name, **values: shown.update(values))
    pages.configure(Config())
    config = Config({"Exchange": {"root": "/srv/exchange"}} if set_up else {})
    page = SimpleNamespace(settings={"nbgrader_formgrader": SimpleNamespace(config=config)})
    handlers.ManageAssignmentsHandler.render(page, "manage_assignments.tpl", exchange_missing=missing, exchange="x")
    assert shown == {"exchange_missing": missing and set_up, "exchange": "x"}
