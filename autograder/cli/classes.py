"""For a class and its people: make it, give time, forget a student, examine the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder import course

from .shared import Course, Units, console, progress


def init(
    folder: Annotated[Path, typer.Argument(help="The class folder to make.")],
    units: Units = None,
    language: Annotated[
        str | None, typer.Option(help="What the class reads, as zh; a class keeps it for further units.")
    ] = None,
) -> None:
    """Make a class folder with nbgrader's layout, its gradebook and its secret."""
    from autograder.authoring import releasing
    from autograder.classroom.classroom import CONFIG, Classroom

    if (folder / CONFIG).is_file():
        # It may name an environment that has units of its own.
        Classroom.open(folder)
    names = course.chosen(units)
    with progress() as bar:
        task = bar.add_task("releasing", total=len(names))
        releasing.init(folder, names, done=lambda unit: bar.advance(task), language=language)
    console.print(
        f"{folder.absolute()}: {len(names)} {'unit' if len(names) == 1 else 'units'} released; "
        "put submissions in submitted/<student>/<unit>/",
        soft_wrap=True,
    )


def adopt(
    folder: Annotated[Path, typer.Argument(help="The class folder, with its nbgrader_config.py.")],
    undo: Annotated[bool, typer.Option("--undo", help="Take it back: the configuration is as before.")] = False,
) -> None:
    """Have a class of nbgrader's graded in the sandbox: two lines at the end of its configuration."""
    from autograder.classroom import adopting

    done = adopting.give_back(folder) if undo else adopting.adopt(folder)
    if undo:
        said = "is as it was before" if done.changed else "has nothing of ours that `autograder adopt` wrote"
    else:
        said = "has our settings now; --undo gives its own back" if done.changed else "has our settings already"
    lines = [f"{done.path} {said}", *(f"note: {line}" for line in done.told)]
    if done.replaced:
        lines.append(f"note: in place of the class's own: {', '.join(done.replaced)}")
    console.print(*lines, sep="\n", markup=False, highlight=False, soft_wrap=True)


def roster(
    file: Annotated[Path, typer.Argument(help="A CSV file with a column id, from a spreadsheet or a system.")],
    course_folder: Course = Path("."),
) -> None:
    """Take the students of a table into the class, and correct those who are there; removes nobody."""
    from autograder.classroom import rosters
    from autograder.classroom.classroom import Classroom

    done = rosters.take_in(Classroom.open(course_folder), file)
    console.print(
        f"students: {len(done.added)} new, {len(done.changed)} changed, {len(done.same)} as before",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    if done.ignored:
        console.print(f"columns not used: {', '.join(done.ignored)}", markup=False, highlight=False, soft_wrap=True)


def status(units: Units = None, course_folder: Course = Path(".")) -> None:
    """Say who handed in what, what is graded, waits, or could not be graded."""
    from autograder.classroom import assignments
    from autograder.classroom.classroom import Classroom
    from autograder.report import status as standing

    classroom = Classroom.open(course_folder)
    chosen = list(assignments.chosen(classroom, units)) if units else []
    console.print(standing.shown(standing.standings(classroom, chosen)))


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
    from autograder.classroom import assignments, extending
    from autograder.classroom.classroom import Classroom

    classroom = Classroom.open(course_folder)
    name = assignments.chosen(classroom, [unit])[0]
    done = extending.extend(classroom, name, student, until, hours)
    held = "now due" if done.extended else "due like everybody else's"
    again = f"; `autograder grade {unit}` sets the late penalty anew" if done.handed_in else ""
    console.print(
        f"{done.student}, {done.unit}: {held} {done.due:%Y-%m-%d %H:%M} UTC{again}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


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


def doctor(
    course_folder: Annotated[
        Path | None, typer.Option("--course", help="Look at this class folder too; at the one you are in by itself.")
    ] = None,
) -> None:
    """Say what this machine can give to keep grading safe, and whether a class folder is whole."""
    from autograder.sandbox import doctor as examiner

    findings = examiner.examine()
    console.print(examiner.table(findings))
    if course_folder is None and Path("nbgrader_config.py").is_file() and Path("gradebook.db").is_file():
        course_folder = Path(".")
    if course_folder is not None:
        from autograder.classroom import examination

        found = examination.examine(course_folder)
        console.print(examiner.table(found, f"The class in {course_folder.absolute()}"))
        findings += found
    if any(finding.needed and not finding.present for finding in findings):
        raise typer.Exit(1)
