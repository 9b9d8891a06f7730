"""What a learner imports: `check`, `hint`, `progress`, `catch`, `review`, and on demand the references of earlier
units, figures and data.

Importing this package loads neither torch nor matplotlib.
"""

from helpers.desk.commands import CheckFailed, begin, check, hint, progress
from helpers.language import speak
from helpers.practice.commands import catch, review

__version__ = "0.1.0"
__all__ = ["CheckFailed", "catch", "check", "hint", "progress", "review", "speak"]

begin()
