"""The code never ran or never answered: each way is said as what it is, with the line.

"Not answered yet" is for the untouched stub alone. Torch raises `NotImplementedError` for reasons of its own, a stub's
line is left in written code, a method has another name or another place than it should.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from helpers import contents
from helpers.language import typed
from helpers.running.runner import Answer
from helpers.verdict import Diagnosis, Finding

_NO_FORWARD = re.compile(r'Module \[(\w+)\] is missing the required "forward" function')
_NO_NAME = re.compile(r"name '(\w+)' is not defined")
_NO_ATTRIBUTE = re.compile(r"'(\w+)' object has no attribute '(\w+)'")

Facts = Mapping[str, Any]


def is_untouched(name: str, answer: Answer, facts: Facts) -> bool:
    """Whether an answer is the stub as it was handed out.

    Without facts, whatever raises `NotImplementedError` by itself counts as one.
    """
    if answer["status"] != "unanswered" or _NO_FORWARD.search(answer["error"]["message"]):
        return False
    if not facts or not facts["source"]:
        return _piece(name, answer) == ""
    return bool(facts["open"]) and not facts["written"] and not facts["nested"] and _piece(name, answer) == ""


def diagnose(name: str, answer: Answer, facts: Facts) -> tuple[Finding, Diagnosis] | None:
    """Return why a case was never answered, and what to do; None when the answer did its work.

    Args:
        name: of the exercise.
        answer: to the first case that failed.
        facts: what `helpers.running.reading` says of the answer, or {}.
    """
    if answer["status"] == "unanswered":
        return _never_answered(name, answer, facts)
    if answer["status"] == "raised":
        return _never_ran(name, answer, facts)
    if facts and facts["printed"] and answer["value"] is None and answer["type"] == "NoneType":
        number, line = facts["printed"]
        return _said(
            "nothing",
            "the result is None: `print` shows a value and returns nothing",
            _at(number, line, name),
            "returns what `print` returns, which is nothing",
            "Return the value itself: `return` and the value, without `print`.",
        )
    return None


def _never_answered(name: str, answer: Answer, facts: Facts) -> tuple[Finding, Diagnosis] | None:
    error = answer["error"]
    where = _at(error["number"], error["line"], error["where"])
    missing = _NO_FORWARD.search(error["message"])
    if missing is not None:
        return _no_forward(name, missing[1], where, facts)
    piece = _piece(name, answer)
    if piece:
        return _said(
            "unanswered",
            f"your code calls `{piece}`, which still raises NotImplementedError",
            where,
            f"calls `{piece}`, which is not answered yet",
            f"Answer `{piece}` first, run its cell, and check this one again.",
        )
    if facts and facts["open"] and facts["written"]:
        function, number, line = next((one for one in facts["open"] if one[0] == error["where"]), facts["open"][0])
        return _said(
            "unanswered",
            f"`{function}` still has nothing but the line that raises NotImplementedError",
            _at(number, line, function),
            f"`{function}` is not written yet",
            f"Write the body of `{function}` in place of that line.",
        )
    if facts and facts["left"]:
        number, line = facts["left"][0]
        return _said(
            "unanswered",
            "the line `raise NotImplementedError` still stands in your code, so the rest is not reached",
            _at(number, line, name),
            "`raise NotImplementedError` is left in the code",
            "Your code is there, but this line stops it: delete the line and run the cell again.",
        )
    return _said(
        "unanswered",
        "the call ends with NotImplementedError" + (f": {error['message']}" if error["message"] else ""),
        where,
        "part of the answer still raises NotImplementedError",
        "Look at the line above: write what it stands for, or do not call it.",
    )


def _no_forward(name: str, owner: str, where: str, facts: Facts) -> tuple[Finding, Diagnosis]:
    if owner in ("ModuleList", "ModuleDict", "ParameterList"):
        return _said(
            "raised",
            f"a `{owner}` cannot be called: it is a list of modules without a `forward` of its own",
            where,
            f"calls a `{owner}`",
            "Call its modules one after the other in a loop: `for layer in layers: x = layer(x)`.",
        )
    if owner == name and facts and facts["source"]:
        inside = next((one for one in facts["nested"] if one[0] == "forward"), None)
        if inside is not None:
            return _said(
                "raised",
                f"`forward` is written inside `{inside[1]}` (line {inside[2]}), so the class has no `forward`",
                "",
                f"`forward` is indented into `{inside[1]}`",
                f"Move `def forward` to the left until it stands below `def {inside[1]}`, not inside it.",
            )
        methods = [*facts["written"], *(one[0] for one in facts["open"])]
        near = next((m for m in ("__call__",) if m in methods), "") or _near("forward", methods)
        if near:
            return _said(
                "raised",
                f"the class has a method `{near}`, and no `forward`",
                "",
                f"the method is called `{near}`, not `forward`",
                "A module is called through its `forward`: write the name so.",
            )
    return _said(
        "raised",
        f"`{owner}` has no method `forward`, which a module is called through",
        where,
        f"`{owner}` has no `forward`",
        "Write `def forward(self, ...)` in the class, as far to the right as `def __init__`.",
    )


def _never_ran(name: str, answer: Answer, facts: Facts) -> tuple[Finding, Diagnosis] | None:
    error = answer["error"]
    where = _at(error["number"], error["line"], error["where"])
    if error["own"] and "input()" in error["message"]:
        return _said(
            "raised",
            error["message"],
            where,
            "asks with `input()`",
            "A function takes what it needs from its arguments: they stand in the brackets after its name.",
        )
    unknown = _NO_NAME.search(error["message"]) if error["type"] == "NameError" else None
    if unknown is not None:
        return _no_name(unknown[1], where)
    lacking = _NO_ATTRIBUTE.search(error["message"]) if error["type"] == "AttributeError" else None
    if lacking is not None and lacking[1] == name and facts and facts["source"]:
        inside = next((one for one in facts["nested"] if one[0] == lacking[2]), None)
        near = _near(lacking[2], facts["written"])
        if inside is not None:
            return _said(
                "raised",
                f"`{lacking[2]}` is written inside `{inside[1]}` (line {inside[2]}), so the class does not have it",
                "",
                f"`{lacking[2]}` is indented into `{inside[1]}`",
                f"Move `def {lacking[2]}` to the left until it stands below `def {inside[1]}`, not inside it.",
            )
        if near and near != lacking[2]:
            return _said(
                "raised",
                f"the class has a method `{near}`, and no `{lacking[2]}`",
                where,
                f"the method is called `{near}`, not `{lacking[2]}`",
                "Write both in one way.",
            )
    return None


def _no_name(missing: str, where: str) -> tuple[Finding, Diagnosis]:
    unit = contents.unit_of(missing)
    if unit is not None:
        return _said(
            "raised",
            f"there is no `{missing}`: the cell that answers it was not run, or ended with an error",
            where,
            f"uses `{missing}`, which is not there",
            f"`{missing}` is an exercise of {unit.name.partition('_')[0]}: run the cell that defines it, or import it.",
        )
    return _said(
        "raised",
        f"there is no `{missing}`: nothing above this line gives that name a value",
        where,
        f"uses `{missing}`, which is not there",
        "Is it spelt as where it was made? Is the cell that defines or imports it run?",
    )


def _piece(name: str, answer: Answer) -> str:
    """The function or class of the learner's, other than the answer, in which it stopped."""
    within = answer["error"]["within"]
    inner = within[-1].partition(".")[0] if within else ""
    return inner if inner not in ("", name, "<lambda>", "<module>") and contents.unit_of(inner) is not None else ""


def _near(wanted: str, names: list[str]) -> str:
    close = difflib.get_close_matches(wanted.lower(), [name.lower() for name in names], 1, 0.75)
    return next((name for name in names if close and name.lower() == close[0]), "")


def _at(number: int, line: str, where: str) -> str:
    return f"in {typed(where)}, line {number}: {typed(line)}" if line else ""


def _said(kind: str, message: str, detail: str, name: str, hint: str) -> tuple[Finding, Diagnosis]:
    return Finding("values", kind, message, detail), Diagnosis(name, hint)
