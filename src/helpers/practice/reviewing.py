"""Reviews: which exercise is due, a notebook with three tasks on it, and what came out of the ones before.

What is due is worked out from the diaries of the units each time, and nothing else is kept: when an exercise was first
solved, and for each review when it was made and what the first answer to each of its tasks was. A review counts as
known if no more than one of these was wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers import contents
from helpers.desk import diary
from helpers.desk.diary import Diary, Event
from helpers.exercise import Exercise
from helpers.folder import place
from helpers.judging import catalog
from helpers.verdict import FAILED, PASSED

from . import schedule, tasks
from .schedule import Due, Review

FOLDER = "review"
MADE, CHECK, SPOT, NUMBER = "review", "check", "spot", "number"
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


@dataclass(frozen=True)
class Made:
    """What came of asking for a review: the notebook, or None where there is none to make, and what is said."""

    path: Path | None
    text: str


class Reviews:
    """The reviews of one learner.

    Args:
        folder: the learner's folder, with a folder for each unit in it.
        root: where diaries are kept; Jupyter's data folder of this user if None.
        clock: tells the time.
    """

    def __init__(self, folder: Path, root: Path | None = None, clock: Callable[[], datetime] = diary.now) -> None:
        self._folder, self._root, self._clock = folder, root, clock
        self._own = Diary(folder / FOLDER, root, clock)

    def events(self, exercise: str) -> list[Event]:
        """What happened to an exercise in its own unit."""
        unit = contents.unit_of(exercise)
        return [] if unit is None else Diary(self._folder / unit.name, self._root, self._clock).events(exercise)

    def solved(self, exercise: str) -> date | None:
        """The day on which its check first passed."""
        passed = (event for event in self.events(exercise) if event.what == CHECK and event.status == PASSED)
        return next((event.when.date() for event in passed), None)

    def mistakes(self, exercise: str) -> list[str]:
        """The mistakes that checks named, the most recent last."""
        both = [*self.events(exercise), *self._own.events(exercise)]
        return [event.name for event in sorted(both, key=lambda one: one.when) if event.what == CHECK and event.name]

    def done(self, exercise: str) -> list[Review]:
        """The reviews of an exercise that were done."""
        found: list[Review] = []
        first: dict[str, Event] = {}
        for event in [*self._own.events(exercise), None]:
            if event is None or event.what == MADE:
                if CHECK in first:
                    wrong = sum(one.status != PASSED for one in first.values())
                    found.append(Review(first[CHECK].when.date(), known=wrong <= 1))
                first = {}
            elif event.status in (PASSED, FAILED):
                first.setdefault(event.what, event)
        return found

    def due(self) -> dict[str, Due]:
        """When each exercise that was solved is asked next, in the order of the course."""
        days = {name: self.solved(name) for name in contents.exercises()}
        return {name: schedule.due(day, self.done(name)) for name, day in days.items() if day is not None}

    def most_due(self) -> str | None:
        """The exercise that is most overdue, of several the one with more mistakes; None before any day has come."""
        today = self._clock().date()
        late = {name: due.late(today) for name, due in self.due().items() if due.day <= today}
        return max(late, key=lambda name: (late[name], len(self.mistakes(name))), default=None)

    def make(self, exercise: str | None = None) -> Made:
        """Write the notebook of a review.

        Args:
            exercise: what is reviewed; the one most due if None.
        """
        name = exercise or self.most_due()
        if name is None:
            return Made(None, self._nothing())
        found = catalog.find(name)
        if found is None:
            return Made(None, f"{name} is the name of no exercise.")
        today = self._clock().date()
        path = self._folder / FOLDER / f"{today.isoformat()}.ipynb"
        count = 1
        while path.exists():
            if self._waits(name, path):
                return Made(path, f"The review of {name} that was made today still waits: {path}")
            count += 1
            path = path.with_name(f"{today.isoformat()}-{count}.ipynb")
        many = sum(event.what == MADE for event in self._own.events(name))
        code = tasks.key(many + today.toordinal(), found, self.mistakes(name))
        notebook = _notebook(found, code, self.solved(name))
        place.write(path, (nbformat.writes(notebook) + "\n").encode())
        self._own.note(name, MADE, name=path.name)
        return Made(path, f"Three small tasks on {name}: {path}")

    def _waits(self, name: str, path: Path) -> bool:
        """Whether a notebook is a review of this exercise that nobody has answered yet."""
        made = [event for event in self._own.events(name) if event.what == MADE]
        after = [event for event in self._own.events(name) if made and event.when >= made[-1].when]
        return bool(made) and made[-1].name == path.name and not any(event.status == PASSED for event in after)

    def _nothing(self) -> str:
        days = Counter({name: -due.day.toordinal() for name, due in self.due().items()})
        if not days:
            return "Nothing was solved yet: a review comes three days after an exercise first passes its check."
        ((name, day),) = days.most_common(1)
        return (
            f"Nothing is due. The next is {name}, from {date.fromordinal(-day):%A %d %B} on; to do one now, name it:"
            f' review("{name}").'
        )


def review(folder: Path, exercise: str | None = None) -> Made:
    """Write a notebook of review into a learner's folder."""
    return Reviews(folder).make(exercise)


def home(notebook: Path | None) -> Path:
    """Return the learner's folder that a notebook is in: the one that has the folders of units in it."""
    here = notebook.parent if notebook is not None else Path.cwd()
    found = place.find(here)
    if found is not None:
        return found
    return here.parent if contents.find_unit(here.name) is not None or here.name == FOLDER else here


def _notebook(exercise: Exercise, code: int, solved: date | None) -> NotebookNode:
    name = exercise.name
    since = f"You solved it on {solved:%A %d %B}. " if solved is not None else ""
    spotted, worked = tasks.spot(exercise, code), tasks.number(exercise, code)
    cells = [
        new_markdown_cell(
            f"# Review · `{name}`\n\n{since}Three small tasks, without looking back. Nothing here counts for points."
        ),
        new_code_cell(tasks.imports(exercise)),
        new_markdown_cell("## 1 · Write it again"),
        new_code_cell(tasks.signature(exercise).rstrip()),
        new_code_cell(f"check({name})"),
    ]
    if spotted is not None:
        choices = "\n".join(f"{number}. {choice}" for number, choice in enumerate(spotted.choices, 1))
        shown = _block([*spotted.given, "", "A:", *spotted.a.splitlines(), "", "B:", *spotted.b.splitlines()])
        cells += [
            new_markdown_cell(
                f"## 2 · Which is right?\n\n{shown}\n\nOne of the two is the right result. What did the other"
                f" do?\n\n{choices}"
            ),
            new_code_cell(f'spot("{name}", {code}, right="A or B?", did=0)'),
        ]
    heading = "3" if spotted is not None else "2"
    cells += [
        new_markdown_cell(f"## {heading} · By hand\n\n{_block(worked.given)}\n\n{worked.asked} Two digits will do."),
        new_code_cell(f'by_hand("{name}", {code}, answer=None)'),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"review-{number}"
    metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    notebook: NotebookNode = new_notebook(cells=cells, metadata=metadata)
    return notebook


def _block(lines: list[str] | tuple[str, ...]) -> str:
    return "\n".join(["```", *lines, "```"])
