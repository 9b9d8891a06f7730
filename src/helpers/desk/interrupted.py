"""A check that was stopped with ■ or Ctrl-C while it ran an answer: which line it was in, and what that may mean."""

from __future__ import annotations

import linecache
import traceback
from pathlib import Path

from helpers import language
from helpers.language import typed


class Interrupted(KeyboardInterrupt):
    """Shown as its sentence, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def told(name: str, stopped: KeyboardInterrupt) -> Interrupted:
    """Return what ends the cell: a sentence on where an answer stood when it was stopped.

    Args:
        name: of the exercise.
        stopped: what Python raised.
    """
    # A cell's file is in a folder of its kernel's; the kernel's own modules, as those behind `print`, are not.
    frames = [
        frame
        for frame in traceback.extract_tb(stopped.__traceback__)
        if Path(frame.filename).parent.name.startswith("ipykernel_")
    ]
    own = [frame for frame in frames if linecache.getline(frame.filename, frame.lineno or 0).strip()]
    if not own:
        return Interrupted(language.told(f"{name}: the check was stopped before it could say anything."))
    place = own[-1]
    line = linecache.getline(place.filename, place.lineno or 0).strip()
    return Interrupted(
        language.told(
            f"{name}: the check was stopped while your code was in line {place.lineno} of its cell, `{typed(line)}`."
            " Does a loop around that line come to an end? Print what its condition looks at, a few rounds long."
        )
    )
