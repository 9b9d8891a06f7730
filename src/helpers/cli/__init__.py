"""The command line for learners, `attention`: parses and delegates."""

from __future__ import annotations

from helpers.folder.errors import FolderError

from . import commands
from .frame import program, stop

_HELP = (
    "For learners of the course Attention: a folder of your own for your answers, kept over new versions of the "
    "course, and packed to hand in. docs/learners.md tells more."
)
app = program("attention", _HELP)
app.command("open")(commands.open_unit)
for _command in (commands.start, commands.update, commands.reset, commands.review, commands.pack):
    app.command()(_command)


def main() -> None:
    """Run a command; an error for people ends with one line and exit code 2."""
    try:
        app()
    except (FolderError, OSError) as error:
        stop("attention", error)
