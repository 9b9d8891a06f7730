"""For learners: pack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .shared import console


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
