"""Grade, and report on what is graded."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from autograder.course import CourseError

from .shared import Course, Students, Units, console

if TYPE_CHECKING:
    from autograder.classroom.standing import Said


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
    from autograder.classroom.standing import Said, Standing

    options = {
        "units": units, "students": student, "skip": skip, "unsafe": unsafe, "feedback": feedback,
        "screen": [console.width, console.is_terminal, console.color_system, console.encoding],
    }  # fmt: skip
    standing = Standing(course_folder, options)
    if standing.said is not None and not events and not regrade:
        _say_again(standing.said)
        return
    from autograder.sandbox import early

    told: list[str] = []
    with contextlib.ExitStack() as stack:
        execute = regrade or standing.may_grade
        if scheduler is None:
            stack.enter_context(early.begun(course_folder, sealed=not unsafe, execute=execute))
        with early.importing():
            from autograder.classroom.classroom import Classroom
            from autograder.grading import admission, coordinator, progress
            from autograder.grading.pools import Local

        classroom = Classroom.open(course_folder)
        admitted = admission.admit(classroom, units, enroll, student)
        if scheduler is None and execute:
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
        with early.importing():
            # While the warm process gets ready; no worker needs it.
            from autograder import report
        unfinished = None
        with progress.Events() if events else progress.Lines(Console(stderr=True)) as show:

            def tell(kind: str, **about: Any) -> None:
                if kind == "told":
                    told.append(about["text"])
                show(kind, **about)

            for line in admitted.told:
                tell("told", text=line)
            try:
                results = coordinator.grade(
                    classroom,
                    list(admitted.units),
                    unsafe,
                    feedback,
                    tell,
                    jobs,
                    scheduler,
                    regrade,
                    admitted.students,
                    skip or (),
                    standing,
                )
            except coordinator.Unfinished as error:
                results, unfinished = error.results, error
            except coordinator.Stopped as stopped:
                tell("told", text=str(stopped))
                raise typer.Exit(130) from None
    page = report.write(classroom, results)
    with console.capture() as said:
        console.print(report.table(results))
        console.print(f"report: {page}", soft_wrap=True)
    if not events:
        sys.stdout.write(said.get())
    if unfinished is not None:
        raise unfinished
    code = 3 if admitted.told or any(result.outcome.ungradable for result in results) else 0
    if told == list(admitted.told):
        # Whatever else was told, as that a page could not be written, the next run may do better.
        standing.keep(Said(told, said.get(), len(results), code))
    if code:
        raise typer.Exit(code)


def _say_again(said: Said) -> None:
    """Say what a run has said, of which nothing has changed since."""
    for line in [*said.told, f"0 graded, {said.total} unchanged since they were graded (--regrade grades them again)"]:
        Console(stderr=True).print(line, markup=False, highlight=False, soft_wrap=True)
    sys.stdout.write(said.text)
    if said.code:
        raise typer.Exit(said.code)


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
