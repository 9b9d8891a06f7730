"""The Python environments that a class names for its assignments and units, in `nbgrader_config.py`:

c.SandboxedExecute.environments = {"hw1": "~/envs/physics"}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from traitlets.config import Config

from autograder.sandbox.outside.environments import library_folders, located
from helpers import sources


def named(root: Path, config: Config) -> dict[str, str]:
    """Return the folders of environments by assignment; "" is the grader's own.

    Args:
        root: the class folder.
        config: its configuration.
    """
    told = config.SandboxedExecute.get("environments", {})
    if not isinstance(told, dict):
        # Told when the settings are looked at.
        return {}
    return {name: located(text, root) for name, text in told.items() if isinstance(text, str)}


def of_one(told: Mapping[str, str], assignment: str, root: Path) -> str:
    """Return the folder of the environment of one assignment, "" for the grader's own; a unit that a package in there
    brings is found from now on.

    Args:
        told: what the class names, by assignment.
        assignment: its name.
        root: the class folder.
    """
    found = located(told[assignment], root) if assignment in told else ""
    if found:
        sources.look_in(library_folders(found))
    return found
