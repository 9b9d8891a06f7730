"""Python environments for tests, made without the network: what they share with this one is borrowed by a path."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from autograder.authoring import new_unit

CALL = "from autograder.cli import main; main()"


def bare(folder: Path) -> Path:
    """Make an environment with nothing in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder


def make(folder: Path, **modules: str) -> Path:
    """Make an environment that has what this one has, and modules of its own: a name and a text each."""
    bare(folder)
    (library(folder) / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    for name, text in modules.items():
        (library(folder) / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def library(folder: Path) -> Path:
    """Return the folder of an environment's packages."""
    return next(folder.glob("lib/python3*/site-packages"))


def command(*words, code: int = 0, **variables: str) -> str:
    """Run `autograder` in a process of its own and return what it said."""
    call = [sys.executable, "-W", "ignore", "-c", CALL, *map(str, words)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"COLUMNS": "100", **variables}
    done = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == code and "Traceback" not in said, said
    return said


def add_unit(folder: Path, name: str) -> Path:
    """Install the package of a unit into an environment, as pip does it, and return the package."""
    source = folder.parent / f"source_of_{name}"
    new_unit.make(name, source)
    package, site = new_unit.package(name), library(folder)
    shutil.copytree(source / package, site / package)
    about = site / f"{package}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(f"[attention.units]\nunits = {package}\n", encoding="utf-8")
    command("build", name, PYTHONPATH=str(site))
    return site / package


def nbgrader(*words, folder: Path, code: int = 0) -> str:
    """Run a command of nbgrader's in a class and return its log."""
    call = [sys.executable, "-W", "ignore", "-m", "nbgrader", *words]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr
