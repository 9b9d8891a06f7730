"""Cases and answers to a `Verdict`. Pure: it knows nothing of notebooks, processes or points.

Steps: examine every answer against the reference's; if something failed, put each known mistake to the
same cases and see whether the learner's answers are that mistake's; say what is certain otherwise.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Mistake
from helpers.running import runner
from helpers.running.runner import Answer
from helpers.running.settled import settled
from helpers.tolerance import GRADIENT_TOLERANCE, close, gradient_close, largest_gradient
from helpers.verdict import FAILED, PASSED, UNANSWERED, Diagnosis, Finding, Property, Verdict

from .comparison import examine

VISIBLE_SEED = 0


@dataclass(frozen=True)
class Paper:
    """The cases of one exercise drawn from one seed, with everything the judge works out once for them."""

    exercise: Exercise
    seed: int

    @functools.cached_property
    @settled()
    def cases(self) -> tuple[Case, ...]:
        own = zlib.crc32(self.exercise.name.encode())
        return tuple(self.exercise.cases(np.random.default_rng([own, self.seed])))

    @functools.cached_property
    def expected(self) -> list[Answer]:
        """The reference's answers; a case that should raise has none."""
        return self._run(self.exercise.reference)

    def mistaken(self, mistake: Mistake) -> tuple[list[Answer], list[Finding | None]]:
        """A mistake's answers and what is wrong with each."""
        if mistake.name not in self._mistaken:
            answers = self._run(mistake.wrong)
            found = [None if case.from_file else finding for case, finding in zip(self.cases, self.findings(answers))]
            self._mistaken[mistake.name] = answers, found
        return self._mistaken[mistake.name]

    def mistaken_at(self, mistake: Mistake, index: int) -> tuple[Answer, Finding | None]:
        """A mistake's answer to one case and what is wrong with it, without the time that all the other cases take."""
        if mistake.name in self._mistaken:
            answers, found = self._mistaken[mistake.name]
            return answers[index], found[index]
        place = mistake.name, index
        if place not in self._mistaken_at and self.cases[index].from_file:
            self._mistaken_at[place] = dict(_UNKNOWN), None
        elif place not in self._mistaken_at:
            (answer,) = runner.run(mistake.wrong, self.cases[index : index + 1])
            self._mistaken_at[place] = answer, examine(self.exercise, self.cases[index], answer, self.expected[index])
        return self._mistaken_at[place]

    @functools.cached_property
    def _mistaken(self) -> dict[str, tuple[list[Answer], list[Finding | None]]]:
        return {}

    @functools.cached_property
    def _mistaken_at(self) -> dict[tuple[str, int], tuple[Answer, Finding | None]]:
        return {}

    def _run(self, target: Callable[..., Any]) -> list[Answer]:
        """Run one of our own implementations. What only a learner's trained weights can answer is left open."""
        answers = iter(runner.run(target, [case for case in self.cases if not case.from_file]))
        return [dict(_UNKNOWN) if case.from_file else next(answers) for case in self.cases]

    def findings(self, answers: Sequence[Answer]) -> list[Finding | None]:
        """What is wrong with each answer, relations between answers included."""
        found = [examine(self.exercise, *row) for row in zip(self.cases, answers, self.expected)]
        for relation in self.exercise.relations:
            labels = {
                case.label: i for i, case in enumerate(self.cases) if case.property == relation.property and case.label
            }
            if any(found[i] is not None for i in labels.values()):
                continue
            problem = relation.test({label: answers[i]["value"] for label, i in labels.items()})
            if problem is not None:
                found[min(labels.values())] = Finding(relation.property, "relation", problem)
        return found


@functools.lru_cache(maxsize=512)
def paper(exercise: Exercise, seed: int = VISIBLE_SEED) -> Paper:
    """Return the paper of an exercise for a seed; the same one again for the same arguments."""
    return Paper(exercise, seed)


@settled()
def judge(work: Paper, answers: Sequence[object], hidden: bool = False) -> Verdict:
    """Return the verdict on a learner's answers to the cases of a paper.

    Args:
        work: the cases, from `paper`.
        answers: one record of `helpers.running.runner` for each case, possibly from a hostile process.
        hidden: the cases are hidden ones; the verdict then names properties and holds no data.
    """
    exercise = work.exercise
    checked = [_checked(answer) for answer in answers]
    if len(checked) != len(work.cases):
        finding = Finding("values", "answers", "the check did not come to its end")
        return Verdict(exercise.name, FAILED, hidden, finding=finding)
    if checked and checked[0]["status"] == "unanswered":
        return Verdict(exercise.name, UNANSWERED, hidden, _properties(work, [None] * 0), hints=exercise.hints)
    found = work.findings(checked)
    properties = _properties(work, found)
    first = next((f for f in found if f is not None), None)
    if first is None:
        return Verdict(exercise.name, PASSED, hidden, properties)
    diagnosis = diagnose(work, checked, found) or _general(first) or _by_property(properties)
    return Verdict(exercise.name, FAILED, hidden, properties, first, diagnosis, exercise.hints)


def diagnose(work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None]) -> Diagnosis | None:
    """Return the one known mistake that the answers show, or None.

    A mistake is recognised when it fails nowhere that the learner passes, explains the first failure, and on some case
    its answer is the learner's and no other mistake's. Of several, the one that explains most cases; a draw is no
    diagnosis. Where every case is shared (a lost sign equals a wrong turn wherever the sign counts), the one that gives
    all of the learner's wrong answers.
    """
    first = next(i for i, finding in enumerate(found) if finding is not None)
    agreements: dict[str, set[int]] = {}
    alone: dict[int, list[str]] = {}
    candidates: Sequence[Mistake] = work.exercise.mistakes
    shown = found[first]
    assert shown is not None
    # What the learner is shown is the first failure, so a mistake that only a later one shows is not its name; most are
    # out after this one case. One mistake can raise in many wordings, though, and some failures take several cases to
    # see.
    if shown.kind not in ("relation", "overwritten"):
        candidates = [
            m for m in candidates if _may_explain(work.exercise, answers[first], shown, *work.mistaken_at(m, first))
        ]
    for mistake in candidates:
        wrong, wrong_found = work.mistaken(mistake)
        agree = {i for i in range(len(found)) if _agree(work.exercise, answers[i], found[i], wrong[i], wrong_found[i])}
        for i in agree:
            alone.setdefault(i, []).append(mistake.name)
        contradicted = any(w is not None and f is None for w, f in zip(wrong_found, found))
        if agree and not contradicted:
            agreements[mistake.name] = agree
    certain = {name: agree for name, agree in agreements.items() if any(alone[i] == [name] for i in agree)}
    if not certain:
        failures = sum(f is not None and not case.from_file for case, f in zip(work.cases, found))
        certain = {name: agree for name, agree in agreements.items() if len(agree) == failures}
    if not certain:
        return None
    best = max(len(agree) for agree in certain.values())
    names = [name for name, agree in certain.items() if len(agree) == best]
    if len(names) != 1:
        return None
    mistake = next(m for m in work.exercise.mistakes if m.name == names[0])
    return Diagnosis(mistake.name, mistake.hint)


def _may_explain(
    exercise: Exercise, mine: Answer, my_finding: Finding, other: Answer, other_finding: Finding | None
) -> bool:
    """Whether a mistake fails in the learner's way, or raises as the learner's code does, in whatever words."""
    both_raise = other_finding is not None and my_finding.kind == other_finding.kind == "raised"
    return both_raise or _agree(exercise, mine, my_finding, other, other_finding)


def _agree(
    exercise: Exercise, mine: Answer, my_finding: Finding | None, other: Answer, other_finding: Finding | None
) -> bool:
    """Whether two wrong answers are wrong in the same way."""
    if my_finding is None or other_finding is None or my_finding.kind != other_finding.kind:
        return False
    if my_finding.kind in ("raised", "wrong error"):
        return all(mine["error"][part] == other["error"][part] for part in ("type", "message"))
    if my_finding.kind in ("gradients", "no gradient"):
        return _alike_gradients(mine["gradients"], other["gradients"])
    if my_finding.kind == "after":
        return _alike(mine["after"], other["after"], GRADIENT_TOLERANCE)
    if my_finding.kind in ("compared", "relation", "warning"):
        return my_finding.message == other_finding.message
    if my_finding.kind in ("values", "shape", "list", "results", "type", "keys", "dtype", "nothing"):
        return mine["opaque"] == other["opaque"] and _alike(mine["value"], other["value"], exercise.tolerance)
    return True


def _alike(a: object, b: object, tolerance: float) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_alike(a[k], b[k], tolerance) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(_alike(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(a, (np.ndarray, float, int)) and isinstance(b, (np.ndarray, float, int)):
        x, y = np.asarray(a), np.asarray(b)
        return (
            x.shape == y.shape and (x.dtype.kind == "b") == (y.dtype.kind == "b") and bool(close(x, y, tolerance).all())
        )
    return type(a) is type(b) and a == b


def _alike_gradients(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    if a.keys() != b.keys() or any((a[k] is None) != (b[k] is None) for k in a):
        return False
    largest = largest_gradient(b)
    return all(
        a[k] is None or (a[k].shape == b[k].shape and bool(gradient_close(a[k], b[k], largest).all())) for k in a
    )


def _properties(work: Paper, found: Sequence[Finding | None]) -> tuple[Property, ...]:
    names = dict.fromkeys(case.property for case in work.cases)
    failed = {case.property for case, finding in zip(work.cases, found) if finding is not None} if found else set(names)
    return tuple(Property(name, name not in failed) for name in names)


# Wrong in every exercise alike, and certain from what was seen, so no exercise has to list them.
_GENERAL = {
    "changed": Diagnosis(
        "changes its input in place", "Work on a new array: `x = x + 1` makes one, `x += 1` and `x[...] = 1` do not."
    ),
    "shares": Diagnosis(
        "returns a view of its input",
        "A slice, a transpose or a reshape looks at the same numbers; `.copy()` (torch: `.clone()`) makes its own.",
    ),
    "overwritten": Diagnosis(
        "reuses one array for every call",
        "Make the result array inside the function, not outside it or in a default argument.",
    ),
    "wrong error": Diagnosis(
        "raises another error than the one asked",
        "Look at the arguments first and `raise ValueError(...)`; `assert` raises another error.",
    ),
    "nothing": Diagnosis("returns nothing", "A function without `return` gives None, however right its last line is."),
    "list": Diagnosis(
        "returns a list, not an array",
        "`np.array(rows)` (torch: `torch.stack(rows)`) makes one array of a list of rows.",
    ),
    "numpy": Diagnosis(
        "returns a NumPy array, not a tensor",
        "What comes next calls torch methods on the result: make it with torch, or turn it over with"
        " `torch.from_numpy(...)`.",
    ),
    "shortcut": Diagnosis(
        "calls a ready-made function", "The library does it in one line; the exercise is to write those lines yourself."
    ),
    "memory": Diagnosis(
        "holds too much at one time",
        "Look for the largest array you make, and for lists that keep one array of every round.",
    ),
    "no gradient": Diagnosis(
        "cuts the gradient",
        "Stay with torch operations from input to output: `.detach()`, `.item()`, `.data` and NumPy end the graph.",
    ),
    "unused": Diagnosis(
        "has a part that learns nothing",
        "Is it used in `forward`? And does `.detach()`, `.item()` or NumPy stand between it and the result?",
    ),
    "warning": Diagnosis(
        "gives a warning",
        "Avoid the bad operation itself, as by choosing a safe divisor before dividing, and do not just hide the"
        " message.",
    ),
}


def _general(finding: Finding) -> Diagnosis | None:
    return _GENERAL.get(finding.kind)


_BATCH = Diagnosis(
    "does not work for every number of batch axes",
    "Count axes from the end (`x.shape[-1]`, `axis=-1`, swap -1 with -2); then it does not matter how many come first,"
    " or whether any do.",
)


def _by_property(properties: Sequence[Property]) -> Diagnosis | None:
    """What the pattern of failed properties says by itself."""
    passed = {p.name for p in properties if p.passed}
    # The first failure is the one on the card; what fails after it is told when this one is mended.
    return _BATCH if "values" in passed and next(p.name for p in properties if not p.passed) == "batch axes" else None


_TEMPLATE = {
    "status": str,
    "opaque": str,
    "type": str,
    "changed": list,
    "shares": bool,
    "survived": bool,
    "gradients": dict,
    "after": dict,
    "warnings": list,
    "printed": int,
    "memory": int,
    "shortcut": str,
    "error": dict,
}
_ERROR = {"type": str, "bases": list, "message": str, "line": str, "number": int, "where": str, "own": bool}
_BROKEN: Answer = {
    "status": "raised",
    "value": None,
    "opaque": "",
    "type": "",
    "changed": [],
    "shares": False,
    "survived": True,
    "gradients": {},
    "after": {},
    "warnings": [],
    "printed": 0,
    "memory": 0,
    "shortcut": "",
    "error": {
        "type": "RuntimeError",
        "bases": ["RuntimeError"],
        "message": "the answer could not be read",
        "line": "",
        "number": 0,
        "where": "",
        "own": True,
    },
}

_UNKNOWN: Answer = {**_BROKEN, "status": "returned", "error": {}}


def _checked(answer: object) -> Answer:
    """Return the answer if it has the form that the runner writes, else one that fails."""
    if (
        not isinstance(answer, dict)
        or "value" not in answer
        or not all(map(isinstance, map(answer.get, _TEMPLATE), _TEMPLATE.values()))
    ):
        return dict(_BROKEN)
    if answer["status"] not in ("returned", "raised", "unanswered"):
        return dict(_BROKEN)
    if answer["status"] != "returned" and any(not isinstance(answer["error"].get(k), t) for k, t in _ERROR.items()):
        return dict(_BROKEN)
    if not all(value is None or isinstance(value, np.ndarray) for value in answer["gradients"].values()):
        return dict(_BROKEN)
    if not all(isinstance(text, str) for text in answer["warnings"] + answer["changed"]):
        return dict(_BROKEN)
    return answer
