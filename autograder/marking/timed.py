"""nbgrader's own ways to convert notebooks, by its commands and formgrader's buttons, with the clock that
`autograder grade` has: what is done outside the sandbox to one submission takes its time and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbconvert.exporters.exporter import Exporter
from nbformat import NotebookNode

from .clock import SECONDS, TooLong, limited

# What a step has that keeps time itself, or writes the gradebook and is not to be torn out of it.
UNTIMED = "untimed"


class SlowPage(Exception):
    """A feedback page took too long to make."""


class _Timed:
    """A step with the clock on."""

    def __init__(self, step: Callable[..., Any]) -> None:
        self._step = step

    def __call__(self, notebook: NotebookNode, resources: Any) -> Any:
        with limited():
            return self._step(notebook, resources)


class TimedSteps(Exporter):
    """An exporter each of whose steps has its time.

    Raises:
        TooLong: a step took longer.
    """

    def _preprocess(self, nb: NotebookNode, resources: Any) -> Any:
        steps = self._preprocessors
        self._preprocessors = [step if getattr(step, UNTIMED, False) else _Timed(step) for step in steps]
        try:
            return super()._preprocess(nb, resources)  # type: ignore[no-untyped-call]
        finally:
            self._preprocessors = steps


class TimedPage(Exporter):
    """An exporter that makes each page in its time.

    Raises:
        SlowPage: it took longer; nbgrader says so of this page and makes the others.
    """

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        try:
            with limited():
                return super().from_filename(filename, resources=resources, **kw)
        except TooLong:
            raise SlowPage(f"it took more than {SECONDS:.0f} seconds to make the page of {filename}") from None
