"""The Python environments that a class names for its assignments and units, in `nbgrader_config.py`:

c.SandboxedExecute.environments = {"hw1": "~/envs/physics"}
"""

from __future__ import annotations

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


def look_in(prefix: str) -> None:
    """Find the units that packages in an environment bring, from now on; "" is the grader's own, where they are found
    anyway.
    """
    if prefix:
        sources.look_in(library_folders(prefix))
