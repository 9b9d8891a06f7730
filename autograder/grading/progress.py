"""Shows how grading goes on: a live line on a terminal, plain lines elsewhere, or JSON events for other programs.

What `autograder.grading.coordinator` tells, by kind:

    start     total                    how many submissions there are
    workers   where                    what executes them
    kept      student, unit            unchanged since it was graded
    graded    result                   one is graded and written down
    told      text                     something to know that stops nothing
    feedback  done, total              feedback pages written
    end       graded, total
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from autograder.classroom.naming import in_middle, printable

from .results import Result

SLOWEST = 3
# Three of them with their units and seconds stay within 80 columns.
_LONGEST_NAME = 11
LINE_SECONDS = 10.0


class Events:
    """JSON events on standard output, one a line."""

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def __call__(self, kind: str, **about: Any) -> None:
        result = about.pop("result", None)
        if result is not None:
            about |= {
                "student": result.student, "unit": result.unit, "points": result.score, "of": result.max_score,
                "by_hand": result.to_grade_by_hand,
                "state": result.outcome.state, "reason": result.outcome.reason, "seconds": round(result.outcome.seconds,
                3),
            }  # fmt: skip
        sys.stdout.write(json.dumps({"event": kind, **about}, ensure_ascii=False) + "\n")
        sys.stdout.flush()


class Lines:
    """Done, to do, rate, time left, and on a line of their own the slowest notebooks; failures as they happen.

    Args:
        console: where to write.
        clock: gives seconds.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._live = console.is_terminal
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}", markup=False),
            console=console,
            expand=True,
        )
        self._grading: TaskID | None = None
        self._pages: TaskID | None = None
        self._total = self._done = self._kept = 0
        self._began = self._said = clock()
        self._slowest: list[tuple[float, str]] = []
        self._live_lines = Live(get_renderable=self._drawn, console=console, transient=True)

    def __enter__(self) -> Lines:
        if self._live:
            self._live_lines.start()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._live:
            self._live_lines.stop()

    def __call__(self, kind: str, **about: Any) -> None:
        getattr(self, f"_on_{kind}")(**about)

    def _drawn(self) -> Group:
        slow = self.slowest()
        return Group(self._bar, *([Text(f"slowest: {slow}", no_wrap=True, overflow="ellipsis")] if slow else []))

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _show(self, task: TaskID | None, done: int, **told: Any) -> None:
        if task is not None:
            self._bar.update(task, completed=done, **told)

    def _on_start(self, total: int) -> None:
        self._total = total
        self._grading = self._bar.add_task("grading", total=total, told="")

    def _on_workers(self, where: str) -> None:
        self._began = self._said = self._clock()
        if not self._live:
            self._say(f"grading {self._total} submissions: {where}")

    def _on_kept(self, student: str, unit: str) -> None:
        self._kept += 1
        self._show(self._grading, self._done + self._kept)

    def _on_graded(self, result: Result) -> None:
        self._done += 1
        self._slowest = sorted([*self._slowest, (result.outcome.seconds, _name(result))], reverse=True)[:SLOWEST]
        if result.outcome.ungradable or result.outcome.stopped:
            self._say(f"{printable(result.student)} {result.unit}: {result.outcome.state}: {result.outcome.reason}")
        self._show(self._grading, self._done + self._kept, told=self.summary())
        if not self._live and self._clock() - self._said >= LINE_SECONDS:
            self._said = self._clock()
            self._say(f"{self._done + self._kept} of {self._total} done, {self.summary()}; slowest: {self.slowest()}")

    def summary(self) -> str:
        """Rate and time left."""
        rate = self._done / max(self._clock() - self._began, 1e-6)
        left = (self._total - self._done - self._kept) / rate if rate else 0.0
        return f"{rate:.1f} a second, {_duration(left)} left"

    def slowest(self) -> str:
        """The slowest submissions so far and their seconds, or nothing."""
        return ", ".join(f"{name} {seconds:.1f} s" for seconds, name in self._slowest)

    def _on_told(self, text: str) -> None:
        self._say(text)

    def _on_feedback(self, done: int, total: int) -> None:
        if self._pages is None or self._bar.tasks[-1].total != total:
            self._pages = self._bar.add_task("feedback", total=total, told="")
        self._show(self._pages, done)
        if not self._live and (done == total or self._clock() - self._said >= LINE_SECONDS):
            self._said = self._clock()
            self._say(f"{done} of {total} feedback pages written")

    def _on_end(self, graded: int, total: int) -> None:
        if graded < total:
            self._say(
                f"{graded} graded, {total - graded} unchanged since they were graded (--regrade grades them again)"
            )


def _name(result: Result) -> str:
    return f"{in_middle(printable(result.student), _LONGEST_NAME)} {result.unit.split('_')[0][:4]}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
