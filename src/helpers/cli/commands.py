"""The commands: start, open, update, reset, review, pack."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console()

Course = Annotated[Path | None, typer.Option("--course", help="The course's folder, where it is not found by itself.")]
Folder = Annotated[Path | None, typer.Argument(help="Your folder; my_attention if none is named.")]


Language = Annotated[
    str | None, typer.Option("--language", help="What the notebooks are in, as zh; answers that are there are kept.")
]


def _say(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def start(folder: Folder = None, course: Course = None, language: Language = None) -> None:
    """Make a folder of your own from the course's notebooks; answers that you wrote in the course's come along."""
    from helpers.folder import bringing, place

    release = place.course(course, Path.cwd())
    if language is not None:
        release = place.in_language(release, language)
    own = folder.absolute() if folder is not None else place.own(Path.cwd(), release)
    _say(bringing.told(own, bringing.bring(own, release)))
    _say(f"Your work is in {own} from now on: open it with `jupyter lab {own}`, or with `make lab` from the course.")


def open_unit(
    unit: Annotated[str, typer.Argument(help="The unit, as u2.")] = "u0",
    course: Course = None,
    language: Language = None,
    browser: Annotated[bool, typer.Option(help="Show it in a browser.")] = True,
) -> None:
    """Open a unit in JupyterLab; makes your folder first, if there is none."""
    from helpers.folder import bringing, opening, place

    named = os.environ.get("ATTENTION_FOLDER")
    around = Path(named).absolute() if named else place.find(Path.cwd())
    release = place.course(course, Path.cwd(), place.record(around) if around is not None else None)
    own = around or place.own(Path.cwd(), release)
    before = place.record(own).course
    if language is not None:
        release = place.in_language(release, language)
    name = opening.unit_of(release, unit)
    if not before or (language is not None and Path(before) != release):
        _say(bringing.told(own, bringing.bring(own, release)))
    line, added = opening.command(own, release, name, browser)
    try:
        raise typer.Exit(subprocess.run(line, env=os.environ | added).returncode)
    except KeyboardInterrupt:
        # JupyterLab heard it too, and has said what there is to say.
        raise typer.Exit(130) from None


def update(folder: Folder = None, course: Course = None) -> None:
    """Bring new text, figures and checks of a new version of the course, and keep every answer."""
    from helpers.folder import bringing, place

    own = place.need(folder.absolute() if folder is not None else Path.cwd())
    release = place.course(course, Path.cwd(), place.record(own))
    _say(bringing.told(own, bringing.bring(own, release)))


def reset(
    unit: Annotated[str, typer.Argument(help="The unit (u2), or its notebook.")],
    exercise: Annotated[str, typer.Argument(help="The exercise or question, as softmax.")],
    course: Course = None,
) -> None:
    """Put one answer cell back as it was handed out; the answer is kept in a fold below it."""
    from helpers.folder import packing, place, resetting

    here = place.find(Path.cwd()) or Path.cwd()
    notebook = packing.find(unit, Path.cwd() if Path(unit).exists() else here)
    folder = place.find(notebook.parent.resolve())
    handed_out = place.handed_out(folder, notebook.stem) if folder is not None else None
    if handed_out is None or not handed_out.is_file():
        release = place.course(course, Path.cwd(), place.record(folder) if folder is not None else None)
        handed_out = release / notebook.stem / notebook.name
    _say(resetting.reset(notebook, exercise, handed_out))


def review(
    exercise: Annotated[str | None, typer.Argument(help="An exercise; the one most due if none is named.")] = None,
) -> None:
    """Write a small notebook with three tasks on something that you solved a while ago."""
    from helpers.folder import place
    from helpers.practice import reviewing

    _say(reviewing.review(place.need(Path.cwd()), exercise).text)


def pack(
    what: Annotated[
        str | None, typer.Argument(help="A unit (u1), a notebook or a folder; what is here if none is named.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="The zip, or the folder for it; beside the notebook if none is named.")
    ] = None,
    run: Annotated[
        bool, typer.Option(help="Run the notebook once from the top, and say what a reader will see.")
    ] = True,
) -> None:
    """Pack one unit into one file to hand in, and say what is still unanswered and when it is due."""
    from helpers.folder import packing, place, trying

    packed = packing.pack(packing.find(what, _where(what, place.find(Path.cwd()))), to)
    _say(packing.told(packed))
    if run:
        with Console(stderr=True).status("running it once from the top"):
            seen = trying.run(packed.path, packed.unit)
        _say(trying.told(seen))


def _where(what: str | None, own: Path | None) -> Path:
    """Where to look for a unit that is named: in the learner's folder, if it is not right here."""
    from helpers.folder import place

    here = Path.cwd()
    if what is None or own is None or (here / what).exists() or place.is_class(here):
        return here
    return here if any(here.glob(f"{what}*.ipynb")) else own
