"""What several commands share: the console, a bar, and arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

console = Console()

Course = Annotated[Path, typer.Option("--course", help="The class folder.")]
Units = Annotated[list[str] | None, typer.Argument(help="Units, as u1, or your own assignments; all if none is named.")]

Students = Annotated[
    list[str] | None, typer.Option("--student", help="Only this student; give it several times for several.")
]


def progress() -> Progress:
    """Return a bar on the error stream that leaves nothing behind."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
