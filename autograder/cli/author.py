"""For authors: build, preview, and the sample class."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder import course
from autograder.course import CourseError

from .shared import Units, console, progress


def build(
    units: Units = None,
    check: Annotated[bool, typer.Option(help="Write nothing; exit 1 if a notebook is stale.")] = False,
) -> None:
    """Make the released notebooks from the solutions."""
    from autograder.authoring import building

    names = course.chosen(units)
    if check:
        stale = [
            unit
            for unit in names
            if not (path := course.home(unit).notebooks / unit / f"{unit}.ipynb").is_file()
            or path.read_text(encoding="utf-8") != building.released_text(unit)
        ]
        if stale:
            raise CourseError(f"stale: {', '.join(stale)}; run `make build`")
        return
    with progress() as bar:
        task = bar.add_task("building", total=len(names))
        building.build(names, done=lambda unit: bar.advance(task))
    building.clean(course.NOTEBOOKS)
    places = ", ".join(dict.fromkeys(str(course.home(unit).notebooks) for unit in names))
    console.print(f"{len(names)} notebooks in {places}", soft_wrap=True)


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


def new_unit(
    name: Annotated[str, typer.Argument(help="The unit's name, as moving_averages.")],
    folder: Annotated[Path, typer.Argument(help="Where its package goes: a new folder.")],
) -> None:
    """Make a package with a unit of your own: one checked exercise, its tests, a page of instructions."""
    from autograder.authoring import new_unit as skeleton

    written = skeleton.make(name, folder)
    console.print(
        f"{folder.absolute()}: {len(written)} files; read README.md, then `pip install -e {folder}` and "
        f"`autograder build {name}`",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def sample(folder: Annotated[Path, typer.Argument(help="Where the sample class goes.")]) -> None:
    """Make a class folder with the sample class's submissions in it."""
    from autograder.authoring import releasing
    from autograder.authoring import sample as sampler

    sampler.need_free(folder)
    room = releasing.init(folder, [sampler.UNIT], duedate=sampler.DUE)
    everyone = sampler.write(folder)
    with room.gradebook() as gradebook:
        for student in everyone:
            gradebook.update_or_create_student(student.name)
    console.print(f"{folder.absolute()}: {len(everyone)} submissions of {sampler.UNIT}", soft_wrap=True)
