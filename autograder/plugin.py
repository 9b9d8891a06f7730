"""What a class's `nbgrader_config.py` imports. It stays where it is, whatever moves behind it."""

from autograder.classroom.configuration import release_config
from autograder.marking.plugin import configure

__all__ = ["configure", "release_config"]
