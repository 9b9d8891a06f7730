"""What the last check of each exercise said, kept over restarts of the kernel, and the card that shows it for a unit.

One small file for each exercise, in Jupyter's data folder of this user, below a name made from the notebook's folder:
two copies of the course do not mix, nothing lies beside the notebook or is handed in with it, and kernels side by side
never write into each other's sentence, since each file is replaced as a whole. Beside it lies what happened when: a
line for each check and each wrong version that was caught; lines are only ever added. It is a memory aid and nothing
else: no grader reads it.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import platform
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from types import CodeType
from typing import Any

from helpers import contents, language
from helpers.contents import Task, Unit
from helpers.judging import catalog
from helpers.verdict import FAILED, PASSED, UNANSWERED

from . import cards

CHANGED, NEW, WRITTEN = "changed since its check", "not checked yet", "a person reads it"
_MARK = {PASSED: "✓", FAILED: "✗", UNANSWERED: "○", CHANGED: "○", NEW: "○", WRITTEN: "✎"}
_WORDS = {PASSED: language.word("passes"), FAILED: "not right yet", UNANSWERED: "not answered yet"}


def notebook(names: Mapping[str, Any]) -> Path | None:
    """Return the notebook that this kernel belongs to, where JupyterLab or VS Code tell it."""
    for path in (os.environ.get("JPY_SESSION_NAME"), names.get("__vsc_ipynb_file__")):
        if isinstance(path, str) and path.endswith(".ipynb") and os.path.isabs(path):
            return Path(path)
    return None


def now() -> datetime:
    """Return the time, in the learner's own zone."""
    return datetime.now().astimezone()


@dataclass(frozen=True)
class Event:
    """Something that happened to an exercise.

    Attributes:
        when: the time.
        what: "check", "caught", or what a review tries.
        status: what came out of it, "" where nothing can.
        name: the mistake that was recognised or caught, or "".
    """

    when: datetime
    what: str
    status: str = ""
    name: str = ""


class Diary:
    """The last result of each exercise and what happened when, for the notebooks of one folder.

    Args:
        folder: the notebook's folder.
        root: where diaries are kept; Jupyter's data folder of this user if None.
        clock: tells the time.
    """

    def __init__(self, folder: Path, root: Path | None = None, clock: Callable[[], datetime] = now) -> None:
        if root is None:
            from jupyter_core.paths import jupyter_data_dir

            root = Path(jupyter_data_dir()) / "attention"
        self._folder = root / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:20]
        self.unsaved: dict[str, dict[str, Any]] = {}
        self._clock = clock
        self._untold: dict[str, list[Event]] = {}

    def note(self, exercise: str, what: str, status: str = "", name: str = "") -> None:
        """Add that something happened now; where the disk does not take it, it is known until the kernel ends."""
        event = Event(self._clock(), what, status, name)
        line = {"when": event.when.isoformat(timespec="seconds"), "what": what, "status": status, "name": name}
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # One write to the end of the file: kernels side by side add whole lines. The first end of line closes what
            # a computer that lost its power left unfinished.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            file = os.open(self._folder / f"{exercise}.log", flags, mode=0o600)
            try:
                os.write(file, f"\n{json.dumps(line)}\n".encode())
            finally:
                os.close(file)
        except OSError:
            self._untold.setdefault(exercise, []).append(event)

    def events(self, exercise: str) -> list[Event]:
        """Return what happened to an exercise, in the order of time."""
        try:
            lines = (self._folder / f"{exercise}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        found = [event for line in lines if (event := _event(line)) is not None]
        return sorted([*found, *self._untold.get(exercise, ())], key=lambda event: event.when)

    def caught(self, exercise: str) -> set[str]:
        """Return the names of the mistakes whose wrong versions were caught."""
        return {event.name for event in self.events(exercise) if event.what == "caught"}

    def write(self, exercise: str, status: str, answer: Any) -> None:
        """Keep the status of a verdict, or `CHANGED` where an older version was checked; where the disk does not take
        it, until the kernel ends."""
        entry = {"status": status, "python": platform.python_version(), "code": fingerprint(answer)}
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self._folder, prefix=".draft-")
            try:
                with open(handle, "w", encoding="utf-8") as file:
                    json.dump(entry, file)
                os.replace(draft, self._folder / f"{exercise}.json")
            except OSError:
                os.unlink(draft)
                raise
        except OSError:
            self.unsaved[exercise] = entry
        else:
            self.unsaved.pop(exercise, None)

    def read(self, exercise: str, answer: Any = None) -> str:
        """Return where an exercise stands: the status of its last verdict, "changed since its check" or "not checked
        yet".

        Args:
            exercise: its name.
            answer: the answer that the notebook has now, or None when it has none.
        """
        entry = self.unsaved.get(exercise)
        if entry is None:
            try:
                entry = json.loads((self._folder / f"{exercise}.json").read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError):
                return NEW
        if not isinstance(entry, dict) or entry.get("status") not in [*_WORDS, CHANGED]:
            return NEW
        code = fingerprint(answer)
        if code and entry.get("code") and entry.get("python") == platform.python_version() and entry["code"] != code:
            return CHANGED
        return str(entry["status"])


def _event(line: str) -> Event | None:
    """The event of a line of the file, or None of a line that is none."""
    try:
        told = json.loads(line)
        when = datetime.fromisoformat(told["when"])
        event = Event(when, *(str(told[part]) for part in ("what", "status", "name")))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return event if when.tzinfo is not None else None


def fingerprint(answer: Any) -> str:
    """Return a digest of what a function or class does, whatever its comments and its place; "" where it cannot be
    seen."""
    codes = []
    for item in vars(answer).values() if inspect.isclass(answer) else [answer]:
        code = getattr(inspect.unwrap(item) if callable(item) else item, "__code__", None)
        if isinstance(code, CodeType):
            codes.append(_plain(code))
    return hashlib.sha256(repr(codes).encode()).hexdigest() if codes else ""


def _plain(constant: Any) -> Any:
    if isinstance(constant, CodeType):
        return [
            constant.co_name,
            constant.co_code.hex(),
            constant.co_names,
            constant.co_varnames,
            [_plain(part) for part in constant.co_consts],
        ]
    if isinstance(constant, frozenset):
        # Its order differs from process to process.
        return sorted(map(repr, constant))
    return repr(constant)


def as_card(unit: Unit, diary: Diary, names: Mapping[str, Any]) -> tuple[str, str]:
    """Return the card of a unit as text and as HTML.

    Args:
        unit: its contents.
        diary: what the checks said.
        names: the notebook's variables, to see which answers have changed.
    """
    rows = [(task, WRITTEN if task.written else diary.read(task.name, names.get(task.name))) for task in unit.tasks]
    checks = [(task, state) for task, state in rows if not task.written]
    reached = sum(task.points for task, state in checks if state == PASSED)
    passing = sum(state == PASSED for _, state in checks)
    by_person = sum(task.points for task in unit.tasks if task.written)
    aside = f"{reached:g} of {_points(sum(task.points for task, _ in checks))}"
    exercises = "exercise" if passing == len(checks) == 1 else "exercises"
    counted = f"{passing} of {len(checks)} {exercises} {'passes' if passing == 1 else 'pass'}"
    lines = []
    if by_person:
        lines.append(f"{_points(by_person)} more for what you write in words: a person reads that.")
    if passing == len(checks):
        lines.append(
            "Every check passes. Answer what is asked in words too, if you have not. Then save, press Validate, and "
            "hand the unit in."
            if by_person
            else "Every check passes. Then save, press Validate, and hand the unit in."
        )
    else:
        lines.append("This list is for you alone. What counts is the notebook that you hand in.")
    if caught := _caught(checks, diary):
        lines.append(caught)
    if diary.unsaved:
        lines.append("This list could not be saved on this computer, so it begins anew with the next kernel.")
    title = f"{unit.title}: {counted}"
    mark, tone = ("✓", cards.GOOD) if passing == len(checks) else ("○", cards.OPEN)
    width = max(len(_name(task)) for task, _ in rows)
    text = [f"{mark} {title} ({aside})"]
    text += [
        f"  {_MARK[state]} {_name(task):{width}}  {language.told(_WORDS.get(state, state)):{len(CHANGED)}}"
        f"  {language.told(_points(task.points))}"
        for task, state in rows
    ]
    body = "".join(_row(task, state) for task, state in rows)
    table = f'<table style="border-collapse:collapse;margin:.3em 0;font-size:1em;width:auto">{body}</table>'
    return "\n".join([*text, *(f"  {line}" for line in lines)]), cards.card(
        tone, mark, title, aside, [table, *(cards.line(cards.prose(line), faint=True) for line in lines)]
    )


def _caught(checks: list[tuple[Task, str]], diary: Diary) -> str:
    """How many of the wrong versions of each exercise were caught, or ""."""
    told = []
    for task, _ in checks:
        known = catalog.find(task.name) if (caught := diary.caught(task.name)) else None
        if known is not None:
            names = {mistake.name for mistake in known.mistakes}
            told.append(f"`{task.name}` {len(names & caught)} of {len(names)}")
    return f"Wrong versions that you caught: {', '.join(told)}." if told else ""


def _name(task: Task) -> str:
    return f"question: {task.name}" if task.written else task.name


def _points(points: float) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"


def _row(task: Task, state: str) -> str:
    style = "padding:.1em 1.2em .1em 0;text-align:left;border:none;background:transparent"
    name = escape(_name(task)) if task.written else f"<code>{escape(task.name)}</code>"
    return (
        f'<tr style="background:transparent"><td style="{style}">{_MARK[state]}&nbsp;{name}</td>'
        f'<td style="{style};opacity:.85">{_WORDS.get(state, state)}</td>'
        f'<td style="{style};text-align:right">{_points(task.points)}</td></tr>'
    )


def unit_here(path: Path | None, last: str) -> Unit | None:
    """Return the unit that is being worked on: that of the notebook, else that of the exercise checked last; None
    when neither tells."""
    for name in (path.stem, path.parent.name) if path is not None else (Path.cwd().name,):
        if contents.find_unit(name) is not None:
            return contents.find_unit(name)
    return contents.unit_of(last)
