"""From and to a learning management system: collect, export, feedback."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.course import CourseError

from .shared import Course, Students, Units, console


def collect(
    unit: Annotated[str | None, typer.Argument(help="The unit that was handed in, as u1.")] = None,
    download: Annotated[
        Path | None,
        typer.Argument(help="The zip of all submissions from Moodle, Canvas or Blackboard, or a folder of it."),
    ] = None,
    course_folder: Course = Path("."),
    worksheet: Annotated[
        Path | None, typer.Option(help="Moodle's grading worksheet, for students whose names do not tell.")
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            help="A CSV file with the columns group and id: what one of a group hands in counts for all of its members."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, only say what would be.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Bring back what the last collecting replaced.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Collect notebooks of another unit, or attempts older than what is there.")
    ] = False,
) -> None:
    """Take a download of submissions from Moodle, Canvas or Blackboard into the class."""
    from autograder.classroom import assignments
    from autograder.classroom.classroom import Classroom
    from autograder.lms import collecting, keeping

    classroom = Classroom.open(course_folder)
    if undo:
        done = keeping.undo(classroom)
        _say(
            f"undone: submissions of {done.unit} as before: {len(done.restored)}; without one again: "
            f"{', '.join(done.removed) or 'nobody'}. Run `autograder grade {done.unit}` to set the points anew"
        )
        return
    if unit is None or download is None:
        raise CourseError("say which unit and which download: autograder collect u1 DOWNLOAD")
    name = assignments.chosen(classroom, [unit])[0]
    report = collecting.collect(classroom, name, download, worksheet, dry_run, force, groups)
    late = f"; marked late: {', '.join(report.late)}" if report.late else ""
    would = "would be " if dry_run else ""
    _say(f"submissions of {name} {would}collected: {len(report.students)}{late}")
    if report.replaced:
        back = "" if dry_run else "; `autograder collect --undo` brings the earlier ones back"
        _say(f"{would}replaced: {', '.join(report.replaced)}{back}")
    for line in report.notes:
        _say(f"note: {line}")
    if report.left:
        _say(f"left out: {len(report.left)}", *report.left)
        raise typer.Exit(3)


def _say(*lines: str) -> None:
    console.print(*lines, sep="\n  ", markup=False, highlight=False, soft_wrap=True)


def export(
    to: Annotated[
        str,
        typer.Option(
            "--to", help="canvas, moodle, csv, json, exercises (points of each exercise), or totals (over the term)."
        ),
    ],
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
    from autograder.classroom import assignments
    from autograder.classroom.classroom import Classroom
    from autograder.lms import exporting

    classroom = Classroom.open(course_folder)
    chosen = list(assignments.chosen(classroom, units)) if units else []
    done = exporting.export(classroom, to, file, chosen, "," if decimal_comma else None, missing)
    console.print(
        f"students: {done.students}, units: {done.units}, in {done.path}", markup=False, highlight=False, soft_wrap=True
    )
    for line in done.told:
        console.print(f"note: {line}", markup=False, highlight=False, soft_wrap=True)


def feedback(
    unit: Annotated[str, typer.Argument(help="The unit, as u1.")],
    system: Annotated[str, typer.Option("--zip", help="moodle or canvas: whose names the pages get.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="The zip to write; into the class folder if not named.")
    ] = None,
    course_folder: Course = Path("."),
    student: Students = None,
    worksheet: Annotated[
        Path | None, typer.Option(help="Moodle's grading worksheet, if the submissions were collected with it.")
    ] = None,
) -> None:
    """Put the feedback pages into a zip that Moodle or Canvas takes back."""
    from autograder.classroom import assignments
    from autograder.classroom.classroom import Classroom
    from autograder.lms import feedback_files

    classroom = Classroom.open(course_folder)
    written = feedback_files.zip_feedback(
        classroom, assignments.chosen(classroom, [unit])[0], system, file, worksheet, student
    )
    console.print(
        f"feedback of {len(written.students)} in {written.path}", markup=False, highlight=False, soft_wrap=True
    )
    if written.without:
        console.print("without a page:", *written.without, sep="\n  ", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(3)
