"""The fixture of tests that call what learners call."""

import pytest

from helpers.desk import commands


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """A desk that remembers nothing, in a folder of no unit, and a home of its own."""
    monkeypatch.setattr(commands, "_session", commands._Session())
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "home"))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
