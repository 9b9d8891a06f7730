"""The command line: parses and delegates."""

from __future__ import annotations

import errno

from autograder.course import CourseError
from helpers.cli.commands import pack
from helpers.cli.frame import program, stop
from helpers.folder.errors import FolderError

from . import author, classes, grading, lms
from .extras import missing_extra

_HELP = (
    "Grades the notebooks of the course Attention: collects what a class handed in, runs it in a sandbox, and writes "
    "points, feedback and a report.\n\n"
    "A class is a folder, made by `autograder init`. `autograder COMMAND --help` tells more of a command, and "
    "docs/instructors.md leads through a term."
)
app = program("autograder", _HELP)
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
    "For authors": (author.build, author.preview, author.translations, author.site, author.new_unit, author.sample),
}.items():
    for _command in _commands:
        app.command(rich_help_panel=_group)(_command)


def main() -> None:
    """Run a command; an error for people ends with one line and exit code 2."""
    try:
        app()
    except (CourseError, FolderError) as error:
        stop("autograder", error)
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        if missing is None:
            raise
        stop("autograder", missing)
    except OSError as error:
        told = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
        if error.errno == errno.ENOSPC:
            told += "; free some space and run the same command again, nothing is lost"
        stop("autograder", told)
