"""The command line: parses and delegates."""

from __future__ import annotations

import errno
import sys
from typing import Annotated

import typer
from rich.console import Console

from autograder.course import CourseError
from helpers.cli.commands import pack
from helpers.folder.errors import FolderError

from . import author, classes, grading, lms
from .extras import missing_extra

_HELP = (
    "Grades the notebooks of the course Attention: collects what a class handed in, runs it in a sandbox, and writes "
    "points, feedback and a report.\n\n"
    "A class is a folder, made by `autograder init`. `autograder COMMAND --help` tells more of a command, and "
    "docs/instructors.md leads through a term."
)
app = typer.Typer(help=_HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for _group, _commands in {
    "For learners": (pack,),
    "A class": (
        classes.init,
        classes.adopt,
        classes.roster,
        classes.status,
        classes.extend,
        classes.forget,
        classes.doctor,
    ),
    "Grading": (grading.grade, grading.report),
    "Moodle and Canvas": (lms.collect, lms.feedback, lms.export),
    "For authors": (author.build, author.preview, author.new_unit, author.sample),
}.items():
    for _command in _commands:
        app.command(rich_help_panel=_group)(_command)


def _tell_version(asked: bool) -> None:
    if asked:
        import helpers

        typer.echo(f"autograder {helpers.__version__}")
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
    except (CourseError, FolderError) as error:
        Console(stderr=True).print(f"autograder: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        if missing is None:
            raise
        Console(stderr=True).print(f"autograder: {missing}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except OSError as error:
        told = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
        if error.errno == errno.ENOSPC:
            told += "; free some space and run the same command again, nothing is lost"
        Console(stderr=True).print(f"autograder: {told}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
