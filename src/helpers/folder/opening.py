"""Opens one unit of the learner's folder in JupyterLab."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from . import place
from .errors import FolderError

_CONFIG = "jupyter_lab_config.py"


def unit_of(folder: Path, name: str) -> str:
    """Return the unit of a folder that a name means: u2, or u2_softmax_scaling.

    Raises:
        FolderError: there is none; the message lists those that there are.
    """
    there = place.units(folder)
    found = next((unit for unit in there if name in (unit, unit.partition("_")[0])), None)
    if found is None:
        raise FolderError(f"there is no unit {name!r} in {folder}; there are {', '.join(there) or 'none'}")
    return found


def command(own: Path, release: Path, unit: str, browser: bool = True) -> tuple[list[str], dict[str, str]]:
    """Return the command that opens a unit, and what it needs in its environment beside what is there.

    Args:
        own: the learner's folder.
        release: the course's notebooks; beside them lie the settings that JupyterLab gets.
        unit: whose notebook is opened.
        browser: whether a browser is to show it.
    """
    line = [sys.executable, "-m", "jupyterlab"]
    # A language's notebooks lie one folder deeper.
    settings = next((folder / _CONFIG for folder in release.parents if (folder / _CONFIG).is_file()), None)
    if settings is None:
        line += [f"--ServerApp.root_dir={own}"]
    else:
        line += [f"--config={settings}"]
    line += [f"--LabApp.default_url=/lab/tree/{unit}/{unit}.ipynb"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # In a container everybody is root, and the server refuses that unless told.
        line += ["--allow-root"]
    if not browser:
        line += ["--no-browser"]
    return line, {"ATTENTION_FOLDER": str(own)}
