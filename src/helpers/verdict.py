"""The judge's plain records: `Verdict` and its parts. Rendering is in `helpers.desk.feedback`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

PASSED, FAILED, UNANSWERED = "passed", "failed", "not answered"


@dataclass(frozen=True)
class Property:
    """One property of an exercise, and whether every case that probes it passed."""

    name: str
    passed: bool


@dataclass(frozen=True)
class Finding:
    """What is certain about the first case that failed.

    Attributes:
        property: the property that the case probes.
        kind: a short machine name: "values", "shape", "raised", "changed", ...
        message: one or two sentences for the learner.
        detail: more, which shows data of the case; never shown for a hidden check.
        yours, expected: the arrays to draw, when both have one shape; never shown for a hidden check.
        note: what the call looked like.
    """

    property: str
    kind: str
    message: str
    detail: str = ""
    yours: np.ndarray | None = field(default=None, compare=False)
    expected: np.ndarray | None = field(default=None, compare=False)
    note: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """A recognised mistake: its name and the hint that goes with it."""

    name: str
    hint: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check.

    Attributes:
        exercise: name of the exercise.
        status: "passed", "failed" or "not answered".
        hidden: whether the cases were the hidden ones.
        properties: every property tried, in the order of the cases.
        finding: the first thing that is certainly wrong, or None.
        diagnosis: the mistake that explains it, or None.
        hints: further steps, weakest first.
    """

    exercise: str
    status: str
    hidden: bool = False
    properties: tuple[Property, ...] = ()
    finding: Finding | None = None
    diagnosis: Diagnosis | None = None
    hints: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.status == PASSED

    @property
    def share(self) -> float:
        """Share of the points: an exercise counts when every property holds, and not before."""
        return 1.0 if self.passed else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready data, without the arrays and the data of the cases."""
        data = asdict(self)
        if data["finding"]:
            for name in ("yours", "expected", "detail"):
                del data["finding"][name]
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Verdict:
        """Return the verdict that `to_dict` wrote."""
        return cls(
            exercise=data["exercise"],
            status=data["status"],
            hidden=data["hidden"],
            properties=tuple(Property(**item) for item in data["properties"]),
            finding=Finding(**data["finding"]) if data["finding"] else None,
            diagnosis=Diagnosis(**data["diagnosis"]) if data["diagnosis"] else None,
            hints=tuple(data["hints"]),
        )
