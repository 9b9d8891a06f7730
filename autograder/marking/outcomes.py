"""What became of one submission: its verdicts, and the file in the class folder that keeps them."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.classroom.layout import outcome_path
from autograder.sandbox.texts import storable_within
from helpers.verdict import Verdict


@dataclass
class Outcome:
    """The end of grading one submission: graded, graded with notes, or not gradable with a reason.

    Attributes:
        student, unit: whose submission of what.
        ungradable: why there is nothing to grade, or "".
        stopped: why execution ended before the last cell, or "".
        notes: what was repaired or dropped.
        unsafe: graded without the sandbox.
        seconds: how long executing and judging took.
        verdicts: exercise → {hidden: verdict}, as the judge recorded them.
        final: exercise → the one verdict that counts.
    """

    student: str
    unit: str
    ungradable: str = ""
    stopped: str = ""
    notes: list[str] = field(default_factory=list)
    unsafe: bool = False
    seconds: float = 0.0
    verdicts: dict[str, dict[bool, Verdict]] = field(default_factory=dict)
    final: dict[str, Verdict] = field(default_factory=dict)

    def verdict(self, exercise: str) -> Verdict | None:
        """Return the verdict that counts: the visible check's if it fails, else the hidden one's; None without both."""
        found = self.verdicts.get(exercise, {})
        visible, hidden = found.get(False), found.get(True)
        if visible is not None and not visible.passed:
            return visible
        return hidden if visible is not None else None

    @property
    def state(self) -> str:
        if self.ungradable:
            return "not gradable"
        return "graded with a note" if self.stopped or self.notes or self.unsafe else "graded"

    @property
    def reasons(self) -> list[str]:
        """Why it is not simply graded: each reason by itself."""
        told = [self.ungradable or self.stopped, *self.notes]
        if self.unsafe:
            told.append("graded without the sandbox")
        return list(filter(None, told))

    @property
    def reason(self) -> str:
        return "; ".join(self.reasons)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, whose texts any file and any database take."""
        return storable_within(self._plain())

    def _plain(self) -> dict[str, Any]:
        return {
            "student": self.student,
            "unit": self.unit,
            "state": self.state,
            "reason": self.reason,
            "ungradable": self.ungradable,
            "stopped": self.stopped,
            "notes": self.notes,
            "unsafe": self.unsafe,
            "seconds": round(self.seconds, 3),
            "verdicts": {name: verdict.to_dict() for name, verdict in self.final.items()},
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Outcome:
        """Return the outcome that `to_dict` wrote."""
        outcome = cls(
            data["student"],
            data["unit"],
            data["ungradable"],
            data["stopped"],
            list(data["notes"]),
            data["unsafe"],
            data.get("seconds", 0.0),
        )
        outcome.final = {name: Verdict.from_dict(verdict) for name, verdict in data["verdicts"].items()}
        return outcome


def joined(parts: Mapping[str, Outcome]) -> Outcome:
    """Return the outcome of a submission of several notebooks from those of its notebooks, by name."""
    first = next(iter(parts.values()))
    whole = Outcome(first.student, first.unit, unsafe=any(part.unsafe for part in parts.values()))
    refused = {name: part.ungradable for name, part in parts.items() if part.ungradable}
    for name, part in parts.items():
        told = [part.ungradable if len(refused) < len(parts) else "", *part.notes]
        whole.notes += [f"{name}: {note}" for note in told if note]
        whole.seconds += part.seconds
        whole.final |= part.final
    whole.stopped = "; ".join(f"{name}: {part.stopped}" for name, part in parts.items() if part.stopped)
    if len(refused) == len(parts):
        whole.ungradable = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
    return whole


def write_part(root: Path, notebook: str, outcome: Outcome, notebooks: Collection[str]) -> None:
    """Keep the outcome of one notebook of a submission, with those of its others as they are kept already.

    Args:
        root: the class folder.
        notebook: whose outcome it is.
        outcome: how it ended.
        notebooks: the names of all notebooks of the assignment.
    """
    if set(notebooks) <= {notebook}:
        write_outcome(root, outcome)
        return
    kept = _read(root, outcome.unit, outcome.student).get("notebooks")
    parts = dict(kept) if isinstance(kept, dict) else {}
    parts = {name: part for name, part in parts.items() if name in notebooks} | {notebook: outcome.to_dict()}
    whole = joined({name: Outcome.from_dict(part) for name, part in sorted(parts.items())})
    _write(root, whole, whole.to_dict() | {"notebooks": parts})


def write_outcome(root: Path, outcome: Outcome, data: dict[str, Any] | None = None) -> None:
    """Keep an outcome: the old one or the new one is there at every instant.

    Args:
        root: the class folder.
        outcome: how a submission ended.
        data: what its `to_dict` gave, where that is known.
    """
    _write(root, outcome, outcome.to_dict() if data is None else data)


def _write(root: Path, outcome: Outcome, data: dict[str, Any]) -> None:
    path = outcome_path(root, outcome.unit, outcome.student)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    # Without indentation and in one piece: so it is Python's quick encoder that writes it.
    text = json.dumps(data, ensure_ascii=False)
    with open(draft, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def read_outcome(root: Path, unit: str, student: str) -> Outcome | None:
    """Return the kept outcome of a submission, or None when there is none to read."""
    try:
        return Outcome.from_dict(_read(root, unit, student))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _read(root: Path, unit: str, student: str) -> dict[str, Any]:
    """What is kept of a submission, {} where nothing can be read."""
    try:
        data = json.loads(outcome_path(root, unit, student).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
