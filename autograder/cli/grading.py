"""Grade, and report on what is graded."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.course import CourseError

from .shared import Course, Students, Units, console


def grade(
    units: Units = None,
    course_folder: Course = Path("."),
    student: Students = None,
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
    skip: Annotated[
        list[str] | None, typer.Option("--skip", help="Leave this student out for now; may be given more than once.")
    ] = None,
    enroll: Annotated[
        bool, typer.Option("--enroll", help="Put students who handed in and are not on the roster on it.")
    ] = False,
    events: Annotated[
        bool, typer.Option("--json", help="Write what happens as JSON events, one a line, instead of a table.")
    ] = False,
) -> None:
    """Grade what is new or changed in submitted/<student>/<unit>/ and print the points."""
    if sys.platform != "linux":
        raise CourseError(
            "grading needs Linux, whose sandbox keeps it fair (on Windows: WSL 2, elsewhere a virtual machine); "
            "learning does not"
        )
    from autograder.sandbox import early

    with contextlib.ExitStack() as stack:
        if scheduler is None:
            stack.enter_context(early.begun(course_folder, sealed=not unsafe))
        with early.importing():
            from autograder import report
            from autograder.classroom.classroom import Classroom
            from autograder.classroom.naming import chosen_students
            from autograder.grading import admission, coordinator, progress
            from autograder.grading.pools import Local

        classroom = Classroom.open(course_folder)
        admitted = admission.admit(classroom, units, enroll)
        names = list(admitted.units)
        handed_in = [one for unit in names for one in classroom.submitted(unit)]
        wanted = chosen_students(student, handed_in, f"submission of {', '.join(units or ['any unit'])}")
        if wanted is not None:
            admitted = admitted.only(wanted, handed_in)
        if scheduler is None:
            stack.enter_context(Local.forked_early(jobs, admitted.waiting))
        if not admitted.waiting:
            if not events:
                console.print(
                    f"nothing to grade: no submissions of {', '.join(units or ['any unit'])} "
                    f"in {classroom.root / 'submitted'}",
                    *admitted.told,
                    sep="\n",
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )
            if admitted.told:
                raise typer.Exit(3)
            return
        unfinished = None
        with progress.Events() if events else progress.Lines(Console(stderr=True)) as tell:
            for line in admitted.told:
                tell("told", text=line)
            try:
                results = coordinator.grade(
                    classroom,
                    names,
                    unsafe,
                    feedback,
                    tell,
                    jobs,
                    scheduler,
                    regrade,
                    admitted.students,
                    skip or (),
                )
            except coordinator.Unfinished as error:
                results, unfinished = error.results, error
            except coordinator.Stopped as stopped:
                tell("told", text=str(stopped))
                raise typer.Exit(130) from None
    page = report.write(classroom, results)
    if not events:
        console.print(report.table(results))
        console.print(f"report: {page}", soft_wrap=True)
    if unfinished is not None:
        raise unfinished
    if admitted.told or any(result.outcome.ungradable for result in results):
        raise typer.Exit(3)


def report(
    course_folder: Course = Path("."),
    student: Students = None,
    lookalikes: Annotated[
        bool, typer.Option("--lookalikes", help="Also look for pairs of submissions that look alike.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder for report.html and the CSV files; report/ in the class folder if not named; of "
            "chosen students, report/chosen/.",
        ),
    ] = None,
) -> None:
    """Write the report on a graded class: one page and CSV files."""
    from autograder import report as reporter
    from autograder.classroom.classroom import Classroom

    page = reporter.write(Classroom.open(course_folder), folder=out, look_alikes=lookalikes, students=student)
    console.print(f"report: {page}", soft_wrap=True)
