"""Errors of the learner's code as plain text, and the one that says why a case could not be put."""

from __future__ import annotations

import linecache
from pathlib import Path
from types import TracebackType
from typing import Any

from . import operations, shortcuts

MAX_TEXT = 600
MAX_FRAMES = 20
_HELPERS = str(Path(__file__).parent.parent)
_RUNNING = str(Path(__file__).parent)


class NotRunnable(Exception):
    """The case could not be put to the learner's object; the message says why, for the learner."""


def describe_error(error: BaseException) -> dict[str, Any]:
    """Return an error as plain text.

    type, bases: its name and those of its built-in bases. message: its text. line, number, where: the last line of the
    learner's own code that it went through, its number and function. within: the functions of the learner's own code
    that it went through, outermost first. operation: what failed and the shapes it failed on, see
    `helpers.running.operations`. own: whether the runner raised it.
    """
    traces = _traces(error)
    own = [trace for trace in traces if not _of_library(trace, _HELPERS)]
    number, name, where = 0, "", ""
    if own:
        code = own[-1].tb_frame.f_code
        name, number, where = code.co_filename, own[-1].tb_lineno, code.co_name
    tried = [trace for trace in traces if not _of_library(trace, _RUNNING)]
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
        "within": [_qualified(trace)[:100] for trace in own[:MAX_FRAMES]],
        "operation": operations.describe(tried[-1])[:MAX_TEXT] if tried else "",
        "own": isinstance(error, (NotRunnable, shortcuts.ForbiddenShortcut)),
    }


def _traces(error: BaseException) -> list[TracebackType]:
    traces = []
    trace = error.__traceback__
    while trace is not None:
        traces.append(trace)
        trace = trace.tb_next
    return traces


def _of_library(trace: TracebackType, folder: str) -> bool:
    """Whether a line stands in a library, or in our own code below a folder."""
    name = trace.tb_frame.f_code.co_filename
    if name.startswith(_HELPERS):
        return name.startswith(folder)
    return "site-packages" in name or "/lib/python" in name


def _qualified(trace: TracebackType) -> str:
    """A function's name with the class it stands in: "EncoderLayer.forward"."""
    return trace.tb_frame.f_code.co_qualname.rpartition("<locals>.")[2]
