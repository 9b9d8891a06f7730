"""Errors of the learner's code as plain text, and the one that says why a case could not be put."""

from __future__ import annotations

import linecache
from pathlib import Path
from typing import Any

from . import shortcuts

MAX_TEXT = 600


class NotRunnable(Exception):
    """The case could not be put to the learner's object; the message says why, for the learner."""


def describe_error(error: BaseException) -> dict[str, Any]:
    """Return an error as plain text: its type, message, and the last line of the learner's own code."""
    here = str(Path(__file__).parent.parent)
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno, trace.tb_frame.f_code.co_name))
        trace = trace.tb_next
    own = [
        frame
        for frame in frames
        if not frame[0].startswith(here) and "site-packages" not in frame[0] and "/lib/python" not in frame[0]
    ]
    name, number, where = (own or [("", 0, "")])[-1]
    try:
        message = str(error)
    except Exception:
        message = ""
    return {
        "type": type(error).__name__[:100],
        "bases": [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"],
        "message": message[:MAX_TEXT],
        "line": linecache.getline(name, number).strip()[:200] if name else "",
        "number": number,
        "where": where[:100],
        "own": isinstance(error, (NotRunnable, shortcuts.ForbiddenShortcut)),
    }
