"""What the sandbox's file system shows of the Python environment."""

import subprocess
import sys

import pytest

from autograder.sandbox.outside import bubblewrap


def seen(folder, tmp_path):
    """What is in a folder of the sandbox, without what is deeper."""
    (tmp_path / "lay" / "lib").mkdir(parents=True)
    (tmp_path / "lay" / "passwd").touch()
    (tmp_path / "lay" / "pool").mkdir()
    call = bubblewrap.command(tmp_path / "lay" / "pool", tmp_path / "lay" / "lib")
    # The programs of the real environment are not needed for a look.
    look = [*call[: call.index("--")], "--chdir", "/", "--", "/bin/sh", "-c", f"ls -A {folder}; touch {folder}/mine"]
    return subprocess.run(look, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("inside", [False, True], ids=["the environment", "an environment within one"])
def test_an_environment_made_in_the_clone_shows_none_of_the_course(tmp_path, monkeypatch, inside):
    clone = tmp_path / "clone"
    for name in ("bin", "lib/python", "solutions", "src/helpers/reference", "notebooks", "envs"):
        (clone / name).mkdir(parents=True)
    (clone / "lib64").symlink_to("lib")
    (clone / "pyvenv.cfg").touch()
    monkeypatch.setattr(sys, "prefix", str(clone))
    monkeypatch.setattr(sys, "base_prefix", str(clone))
    if inside:
        (clone / "envs" / "mine" / "lib").mkdir(parents=True)
        (clone / "envs" / "mine" / "class").mkdir(parents=True)
        monkeypatch.setattr(sys, "prefix", str(clone / "envs" / "mine"))
    found = seen(clone, tmp_path)
    assert found.stdout.split() == ["bin", *(["envs"] if inside else []), "lib", "lib64", "pyvenv.cfg"], found.stderr
    assert "Read-only file system" in found.stderr
