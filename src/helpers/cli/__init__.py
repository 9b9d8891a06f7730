"""The command line for learners, `attention`: parses and delegates."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from helpers.folder.errors import FolderError

from . import commands

_HELP = (
    "For learners of the course Attention: a folder of your own for your answers, kept over new versions of the "
    "course, and packed to hand in. docs/learners.md tells more."
)
app = typer.Typer(help=_HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for _command in (commands.start, commands.update, commands.reset, commands.review, commands.pack):
    app.command()(_command)


def _tell_version(asked: bool) -> None:
    if asked:
        import helpers

        typer.echo(f"attention {helpers.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say the version and stop.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run a command; an error for people ends with one line and exit code 2."""
    try:
        app()
    except (FolderError, OSError) as error:
        Console(stderr=True).print(f"attention: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
