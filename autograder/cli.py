"""The command line: parses and delegates."""

from __future__ import annotations

import contextlib
import errno
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from autograder import course
from autograder.course import CourseError

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()

Course = Annotated[Path, typer.Option("--course", help="The class folder.")]
Units = Annotated[list[str] | None, typer.Argument(help="Units, as u1 or u1_dot_products; all if none is named.")]


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


@app.command()
def build(
    units: Units = None,
    check: Annotated[bool, typer.Option(help="Write nothing; exit 1 if a notebook is stale.")] = False,
) -> None:
    """Make the released notebooks from the solutions."""
    from autograder.authoring import building

    names = course.chosen(units)
    if check:
        stale = [
            u
            for u in names
            if not (p := course.NOTEBOOKS / u / f"{u}.ipynb").is_file()
            or p.read_text(encoding="utf-8") != building.released_text(u)
        ]
        if stale:
            raise CourseError(f"stale: {', '.join(stale)}; run `make build`")
        return
    with _progress() as progress:
        task = progress.add_task("building", total=len(names))
        building.build(names, done=lambda unit: progress.advance(task))
    building.clean(course.NOTEBOOKS)
    console.print(f"{len(names)} notebooks in {course.NOTEBOOKS}", soft_wrap=True)


@app.command()
def preview(
    units: Units = None,
    folder: Annotated[Path, typer.Option(help="Where executed notebooks and figures go.")] = Path("build/preview"),
) -> None:
    """Execute source notebooks and lay their figures out to look at."""
    from autograder.authoring.preview import preview as execute

    failed = False
    for unit in course.chosen(units):
        result = execute(unit, folder.absolute() / unit)
        console.print(
            f"{unit}: {result['seconds']} s, {len(result['figures'])} figures in {folder / unit}", soft_wrap=True
        )
        for line in result["failed"]:
            failed = True
            console.print(f"  {line}", markup=False, soft_wrap=True)
    if failed:
        raise typer.Exit(1)


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="The class folder to make.")], units: Units = None) -> None:
    """Make a class folder with nbgrader's layout, its gradebook and its secret."""
    from autograder.authoring import releasing

    names = course.chosen(units)
    with _progress() as progress:
        task = progress.add_task("releasing", total=len(names))
        releasing.init(folder, names, done=lambda unit: progress.advance(task))
    console.print(
        f"{folder.absolute()}: {len(names)} {'unit' if len(names) == 1 else 'units'} released; put submissions in submitted/<student>/<unit>/",
        soft_wrap=True,
    )


@app.command()
def grade(
    units: Units = None,
    course_folder: Course = Path("."),
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Worker processes; as many as cores if not named.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="A Dask scheduler whose workers grade instead, as tcp://host:8786.")
    ] = None,
    regrade: Annotated[bool, typer.Option("--regrade", help="Grade also what has not changed.")] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Grade without the sandbox where it cannot be had; the grades are marked.")
    ] = False,
    feedback: Annotated[bool, typer.Option(help="Write feedback pages.")] = True,
    events: Annotated[
        bool, typer.Option("--json", help="Write what happens as JSON events, one a line, instead of a table.")
    ] = False,
) -> None:
    """Grade what is new or changed in submitted/<student>/<unit>/ and print the points."""
    if sys.platform != "linux":
        raise CourseError(
            "grading needs Linux, whose sandbox keeps it fair (on Windows: WSL 2, elsewhere a virtual machine); learning does not"
        )
    from autograder.sandbox import early

    with contextlib.ExitStack() as stack:
        if scheduler is None:
            stack.enter_context(early.begun(course_folder, sealed=not unsafe))
        with early.importing():
            from autograder import report
            from autograder.classroom.classroom import Classroom
            from autograder.grading import coordinator, progress
            from autograder.grading.pools import Local

        classroom = Classroom.open(course_folder)
        names = list(course.chosen(units))
        waiting = sum(len(classroom.submitted(unit)) for unit in names)
        if scheduler is None:
            stack.enter_context(Local.forked_early(jobs, waiting))
        if not waiting:
            if not events:
                console.print(
                    f"nothing to grade: no submissions of {', '.join(units or ['any unit'])} in {classroom.root / 'submitted'}",
                    soft_wrap=True,
                )
            return
        with progress.Events() if events else progress.Lines(Console(stderr=True)) as tell:
            try:
                results = coordinator.grade(classroom, names, unsafe, feedback, tell, jobs, scheduler, regrade)
            except coordinator.Stopped as stopped:
                tell("told", text=str(stopped))
                raise typer.Exit(130) from None
    page = report.write(classroom, results)
    if not events:
        console.print(report.table(results))
        console.print(f"report: {page}", soft_wrap=True)
    if any(result.outcome.ungradable for result in results):
        raise typer.Exit(3)


@app.command()
def report(
    course_folder: Course = Path("."),
    lookalikes: Annotated[
        bool, typer.Option("--lookalikes", help="Also look for pairs of submissions that look alike.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder for report.html and the CSV files; report/ in the class folder if not named."
        ),
    ] = None,
) -> None:
    """Write the report on a graded class: one page and CSV files."""
    from autograder import report as reporter
    from autograder.classroom.classroom import Classroom

    page = reporter.write(Classroom.open(course_folder), folder=out, look_alikes=lookalikes)
    console.print(f"report: {page}", soft_wrap=True)


@app.command()
def sample(folder: Annotated[Path, typer.Argument(help="Where the sample class goes.")]) -> None:
    """Make a class folder with the sample class's submissions in it."""
    from autograder.authoring import releasing
    from autograder.authoring import sample as sampler

    releasing.init(folder, [sampler.UNIT], duedate=sampler.DUE)
    everyone = sampler.write(folder)
    console.print(f"{folder.absolute()}: {len(everyone)} submissions of {sampler.UNIT}", soft_wrap=True)


@app.command()
def pack(
    what: Annotated[
        str | None, typer.Argument(help="A unit (u1), a notebook or a folder; what is here if none is named.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="The zip, or the folder for it; beside the notebook if none is named.")
    ] = None,
) -> None:
    """Pack one unit into one file to hand in, and say what is still unanswered."""
    from autograder.lms import packing

    packed = packing.pack(packing.find(what, Path.cwd()), to)
    console.print(packing.told(packed), markup=False, highlight=False, soft_wrap=True)


@app.command()
def collect(
    unit: Annotated[str, typer.Argument(help="The unit that was handed in, as u1.")],
    download: Annotated[
        Path, typer.Argument(help="The zip of all submissions from Moodle or Canvas, or a folder of it.")
    ],
    course_folder: Course = Path("."),
    worksheet: Annotated[
        Path | None, typer.Option(help="Moodle's grading worksheet, for students whose names do not tell.")
    ] = None,
) -> None:
    """Take a download of submissions from Moodle or Canvas into the class."""
    from autograder.classroom.classroom import Classroom
    from autograder.lms import collecting

    name = course.chosen([unit])[0]
    report = collecting.collect(Classroom.open(course_folder), name, download, worksheet)
    late = f"; marked late: {', '.join(report.late)}" if report.late else ""
    console.print(
        f"submissions of {name} collected: {len(report.students)}{late}", markup=False, highlight=False, soft_wrap=True
    )
    if report.left:
        console.print(
            f"left out: {len(report.left)}", *report.left, sep="\n  ", markup=False, highlight=False, soft_wrap=True
        )
        raise typer.Exit(3)


@app.command()
def export(
    to: Annotated[str, typer.Option("--to", help="canvas, moodle, csv or json.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="Where to write; into the class folder if not named.")
    ] = None,
    course_folder: Course = Path("."),
    units: Units = None,
    decimal_comma: Annotated[
        bool, typer.Option("--decimal-comma", help="Write 1,5 instead of 1.5, and semicolons between columns.")
    ] = False,
    missing: Annotated[
        str | None, typer.Option(help="What who handed in nothing gets: zero (the default) or empty.")
    ] = None,
) -> None:
    """Write the points for Canvas, Moodle, a spreadsheet or a program."""
    from autograder.classroom.classroom import Classroom
    from autograder.lms import exporting

    chosen = list(course.chosen(units)) if units else []
    done = exporting.export(Classroom.open(course_folder), to, file, chosen, "," if decimal_comma else None, missing)
    console.print(
        f"students: {done.students}, units: {done.units}, in {done.path}", markup=False, highlight=False, soft_wrap=True
    )
    for line in done.told:
        console.print(f"note: {line}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def feedback(
    unit: Annotated[str, typer.Argument(help="The unit, as u1.")],
    system: Annotated[str, typer.Option("--zip", help="moodle or canvas: whose names the pages get.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="The zip to write; into the class folder if not named.")
    ] = None,
    course_folder: Course = Path("."),
    worksheet: Annotated[
        Path | None, typer.Option(help="Moodle's grading worksheet, if the submissions were collected with it.")
    ] = None,
) -> None:
    """Put the feedback pages into a zip that Moodle or Canvas takes back."""
    from autograder.classroom.classroom import Classroom
    from autograder.lms import feedback_files

    written = feedback_files.zip_feedback(
        Classroom.open(course_folder), course.chosen([unit])[0], system, file, worksheet
    )
    console.print(
        f"feedback of {len(written.students)} in {written.path}", markup=False, highlight=False, soft_wrap=True
    )
    if written.without:
        console.print("without a page:", *written.without, sep="\n  ", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(3)


@app.command()
def extend(
    unit: Annotated[str, typer.Argument(help="The unit, as u1.")],
    student: Annotated[str, typer.Argument(help="The student's id.")],
    until: Annotated[str | None, typer.Option("--until", help='The new due date, as "2026-10-08 12:00 UTC".')] = None,
    hours: Annotated[
        float | None, typer.Option("--hours", help="Or hours after the class's due date; 0 takes an extension back.")
    ] = None,
    course_folder: Course = Path("."),
) -> None:
    """Give one student more time for one unit."""
    from autograder.classroom import extending
    from autograder.classroom.classroom import Classroom

    done = extending.extend(Classroom.open(course_folder), course.chosen([unit])[0], student, until, hours)
    held = "now due" if done.extended else "due like everybody else's"
    again = f"; `autograder grade {unit}` sets the late penalty anew" if done.handed_in else ""
    console.print(
        f"{done.student}, {done.unit}: {held} {done.due:%Y-%m-%d %H:%M} UTC{again}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def forget(
    student: Annotated[str, typer.Argument(help="The student's id.")],
    course_folder: Course = Path("."),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete everything about one student from the class; nothing brings it back."""
    from autograder.classroom import forgetting
    from autograder.classroom.classroom import Classroom

    classroom = Classroom.open(course_folder)
    if not yes:
        typer.confirm(f"Delete all points and all work of {student} in {classroom.root}?", abort=True)
    done = forgetting.forget(classroom, student)
    console.print(
        f"{student} is deleted from the gradebook, with {len(done.folders)} folders",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    if done.look_at:
        names = [path.name for path in done.look_at]
        console.print(
            "made of the whole class, look there yourself:",
            *names,
            sep="\n  ",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


@app.command()
def doctor() -> None:
    """Say what this machine can give to keep grading safe."""
    from autograder.sandbox import doctor as examiner

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
