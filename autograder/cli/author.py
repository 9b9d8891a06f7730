"""For authors: build, preview, the site, and the sample class."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder import course
from autograder.course import CourseError
from helpers.language import ENGLISH

from .shared import Units, console, progress


def build(
    units: Units = None,
    check: Annotated[bool, typer.Option(help="Write nothing; exit 1 if a notebook is stale.")] = False,
) -> None:
    """Make the released notebooks from the solutions, in every language of the course."""
    from autograder.authoring import building
    from autograder.authoring.translating import catalogs, compiling

    names = course.chosen(units)
    own = course.units()
    wanted = [(ENGLISH, names), *((one, [unit for unit in names if unit in own]) for one in catalogs.languages())]
    if check:
        stale = [
            f"{unit} ({language})"
            for language, group in wanted
            for unit in group
            if not (path := building.notebook_path(unit, language)).is_file()
            or path.read_text(encoding="utf-8") != building.released_text(unit, language)
        ]
        stale += [compiling.path_of(one).name for one in catalogs.languages() if not compiling.is_current(one)]
        if stale:
            raise CourseError(f"stale: {', '.join(stale)}; run `make build`")
        return
    with progress() as bar:
        task = bar.add_task("building", total=sum(len(group) for _, group in wanted))
        for language, group in wanted:
            building.build(group, done=lambda unit: bar.advance(task), language=language)
    for language in catalogs.languages():
        compiling.write(language)
    building.clean(course.NOTEBOOKS)
    places = ", ".join(dict.fromkeys(str(course.home(unit).notebooks) for unit in names))
    console.print(f"{sum(len(group) for _, group in wanted)} notebooks in {places}", soft_wrap=True)


def translations(
    language: Annotated[str | None, typer.Argument(help="A language, as zh; all if none is named.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Bring the catalogs to today's English first; a new language begins so.")
    ] = False,
) -> None:
    """Show how much of each part of the course is translated, and what is stale."""
    from rich.table import Table

    from autograder.authoring.translating import catalogs, status

    known_now = catalogs.languages(drafts=True)
    chosen = [language] if language is not None else known_now
    if language is not None and not write and language not in known_now:
        known = ", ".join(known_now) or "none yet"
        raise CourseError(f"there is no folder translations/{language}; languages: {known}; --write begins a new one")
    open_texts = 0
    for one in chosen:
        if write:
            catalogs.begin(one)
            for part in catalogs.parts():
                catalogs.update(one, part.name)
        draft = one not in catalogs.languages()
        title = f"{one}, a draft" if draft else one
        table = Table("part", "texts", "done", "changed", "missing", "broken", title=title, box=None, pad_edge=False)
        for row in status.of(one):
            open_texts += 0 if draft else row.texts - row.done + len(row.broken)
            table.add_row(
                row.part.told, str(row.texts), str(row.done), str(row.changed or ""), str(row.missing or ""),
                str(len(row.broken) or ""),
            )  # fmt: skip
        console.print(table)
        for row in status.of(one):
            for text, why in row.broken:
                console.print(f"{row.part.name}: {text[:60]!r}: {why}", markup=False, highlight=False, soft_wrap=True)
    if open_texts:
        raise typer.Exit(1)


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


def site(
    units: Units = None,
    folder: Annotated[Path, typer.Option(help="Where it is made; the site is in html/ there.")] = Path("build/site"),
    language: Annotated[
        list[str] | None, typer.Option("--language", help="A language, as zh; may be repeated. All if none is named.")
    ] = None,
    repository: Annotated[
        str | None, typer.Option(help="The address of the course's repository, if pyproject.toml does not have it.")
    ] = None,
) -> None:
    """Make the course as a site to read, which opens from the disk."""
    from autograder.site import making
    from autograder.site.place import Repository, Site

    languages = making.languages()
    unknown = sorted(set(language or ()) - set(languages))
    if unknown:
        raise CourseError(f"there is no language {unknown[0]!r}; the course is written in {', '.join(languages)}")
    address = making.repository() if repository is None else repository
    place = Site(folder.absolute(), Repository.at(address) if address else None)
    chosen = [one for one in languages if not language or one in language]
    names = [unit for unit in course.chosen(units) if unit in course.units()]
    with console.status("") as status:
        weight = making.make(place, names, chosen, tell=status.update)
    console.print(
        f"{place.built / 'index.html'}: {weight.pages} pages, {weight.total / 1e6:.1f} MB; the heaviest page has "
        f"{weight.heaviest / 1e3:.0f} kB before its pictures",
        soft_wrap=True,
        highlight=False,
    )


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
