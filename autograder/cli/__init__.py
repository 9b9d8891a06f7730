"""The command line: parses and delegates."""

from __future__ import annotations

import errno
import sys

import typer
from rich.console import Console

from autograder.course import CourseError

from . import author, classes, grading, learner, lms
from .extras import missing_extra

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
# In the order in which `autograder --help` lists them.
for _command in (
    author.build,
    author.preview,
    classes.init,
    classes.roster,
    grading.grade,
    grading.report,
    author.sample,
    learner.pack,
    lms.collect,
    lms.export,
    lms.feedback,
    classes.extend,
    classes.forget,
    classes.doctor,
):
    app.command()(_command)


def main() -> None:
    """Run a command; an error for people ends with one line and exit code 2."""
    try:
        app()
    except CourseError as error:
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
