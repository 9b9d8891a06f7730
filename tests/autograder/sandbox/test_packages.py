"""Packages that lie outside of the Python environment, as where a `.pth` file names their folder."""

import sys

import pytest

from autograder.sandbox.outside import bubblewrap, packages


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """A folder on Python's path with a package in it; without what pip writes of installed ones."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "far_away.py").write_text("x = 1\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "shared")])
    packages.elsewhere.cache_clear()
    yield tmp_path / "shared"
    packages.elsewhere.cache_clear()


def test_a_folder_of_installed_packages_is_shown(outside, tmp_path):
    (outside / "far_away-1.0.dist-info").mkdir()
    assert outside in packages.elsewhere()
    call = bubblewrap.command(tmp_path, tmp_path)
    assert call[call.index(str(outside)) - 1] in ("--ro-bind", "--dir") and call.count(str(outside)) == 2


def test_any_other_folder_is_not_and_what_is_missing_is_named_with_its_folder(outside):
    assert outside not in packages.elsewhere()
    told = packages.explained("ModuleNotFoundError: No module named 'far_away'")
    assert f"it lies in {outside}, which the sandbox does not show; install it into {sys.prefix}" in told
    assert packages.explained("ModuleNotFoundError: No module named 'nowhere_at_all'").endswith(
        f"; install it into {sys.prefix}"
    )
    assert packages.explained("MemoryError") == "MemoryError"


def test_the_courses_own_clone_is_no_folder_of_packages(outside):
    (outside / "far_away-1.0.dist-info").mkdir()
    (outside / "solutions").mkdir()
    assert outside not in packages.elsewhere()
