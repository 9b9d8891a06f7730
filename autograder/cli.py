"""The command line: parses and delegates."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from . import course
from .course import CourseError

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()

Course = Annotated[Path, typer.Option("--course", help="The class folder.")]
Units = Annotated[list[str] | None, typer.Argument(help="Units, as u1 or u1_dot_products; all if none is named.")]


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True)


@app.command()
def build(units: Units = None, check: Annotated[bool, typer.Option(help="Write nothing; exit 1 if a notebook is stale.")] = False) -> None:
    """Make the released notebooks from the solutions."""
    from . import build as builder

    names = course.chosen(units)
    if check:
        stale = [u for u in names if not (p := course.NOTEBOOKS / u / f"{u}.ipynb").is_file() or p.read_text(encoding="utf-8") != builder.released_text(u)]
        if stale:
            raise CourseError(f"stale: {', '.join(stale)}; run `make build`")
        return
    with _progress() as progress:
        task = progress.add_task("building", total=len(names))
        builder.build(names, done=lambda unit: progress.advance(task))
    builder.clean(course.NOTEBOOKS)
    console.print(f"{len(names)} notebooks in {course.NOTEBOOKS}", soft_wrap=True)


@app.command()
def preview(units: Units = None, folder: Annotated[Path, typer.Option(help="Where executed notebooks and figures go.")] = Path("build/preview")) -> None:
    """Execute source notebooks and lay their figures out to look at."""
    from .preview import preview as execute

    failed = False
    for unit in course.chosen(units):
        result = execute(unit, folder.absolute() / unit)
        console.print(f"{unit}: {result['seconds']} s, {len(result['figures'])} figures in {folder / unit}", soft_wrap=True)
        for line in result["failed"]:
            failed = True
            console.print(f"  {line}", markup=False, soft_wrap=True)
    if failed:
        raise typer.Exit(1)


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="The class folder to make.")], units: Units = None) -> None:
    """Make a class folder with nbgrader's layout, its gradebook and its secret."""
    from . import classroom

    names = course.chosen(units)
    with _progress() as progress:
        task = progress.add_task("releasing", total=len(names))
        classroom.init(folder, names, done=lambda unit: progress.advance(task))
    console.print(f"{folder.absolute()}: {len(names)} units released; put submissions in submitted/<student>/<unit>/", soft_wrap=True)


@app.command()
def grade(
    units: Units = None,
    course_folder: Course = Path("."),
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Grade without the sandbox where it cannot be had; the grades are marked.")] = False,
    feedback: Annotated[bool, typer.Option(help="Write feedback pages.")] = True,
) -> None:
    """Grade what is in submitted/<student>/<unit>/ and print the points."""
    from . import grade as grader
    from . import report
    from .classroom import Classroom

    classroom = Classroom.open(course_folder)
    names = list(course.chosen(units))
    total = sum(len(classroom.submitted(unit)) for unit in names)
    if not total:
        console.print(f"nothing to grade: no submissions of {', '.join(units or ['any unit'])} in {classroom.root / 'submitted'}", soft_wrap=True)
        return
    with _progress() as progress:
        task = progress.add_task("grading", total=total)
        results = grader.grade(classroom, names, unsafe, feedback, done=lambda result: progress.advance(task))
    console.print(report.table(results))
    page = report.write(classroom, results)
    console.print(f"report: {page}", soft_wrap=True)
    if any(result.outcome.ungradable for result in results):
        raise typer.Exit(3)


@app.command()
def sample(folder: Annotated[Path, typer.Argument(help="Where the sample class goes.")]) -> None:
    """Make a class folder with the sample class's submissions in it."""
    from . import classroom
    from . import sample as sampler

    classroom.init(folder, [sampler.UNIT], duedate=sampler.DUE)
    everyone = sampler.write(folder)
    console.print(f"{folder.absolute()}: {len(everyone)} submissions of {sampler.UNIT}", soft_wrap=True)


@app.command()
def doctor() -> None:
    """Say what this machine can give to keep grading safe."""
    from . import doctor as examiner

    findings = examiner.examine()
    console.print(examiner.table(findings))
    if any(finding.needed and not finding.present for finding in findings):
        raise typer.Exit(1)


def main() -> None:
    """Run a command; an error for people ends with one line and exit code 2."""
    try:
        app()
    except CourseError as error:
        Console(stderr=True).print(f"autograder: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except OSError as error:
        told = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
        if error.errno == errno.ENOSPC:
            told += "; free some space and run the same command again, nothing is lost"
        Console(stderr=True).print(f"autograder: {told}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
