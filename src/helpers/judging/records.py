"""Records from the learner's process, which may be hostile: `checked` lets pass what the runner writes and nothing
else."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.running.runner import Answer, blank

# The type of each field that `helpers.running.runner` writes; a value may be anything.
_TEMPLATE = {name: type(value) for name, value in blank().items() if name != "value"}
_ERROR = {
    "type": str,
    "bases": list,
    "message": str,
    "line": str,
    "number": int,
    "where": str,
    "within": list,
    "operation": str,
    "own": bool,
}
_BROKEN: Answer = blank() | {
    "status": "raised",
    "error": {
        "type": "RuntimeError",
        "bases": ["RuntimeError"],
        "message": "the answer could not be read",
        "line": "",
        "number": 0,
        "where": "",
        "within": [],
        "operation": "",
        "own": True,
    },
}

UNKNOWN: Answer = blank()
_FACTS = {
    "kind": str,
    "source": bool,
    "open": list,
    "left": list,
    "written": list,
    "nested": list,
    "returns": bool,
    "printed": list,
    "uses": list,
}


def checked(answer: object) -> Answer:
    """Return the answer if it has the form that the runner writes, in full or in brief, else one that fails."""
    if not isinstance(answer, dict):
        return dict(_BROKEN)
    answer = blank() | answer
    if not all(map(isinstance, map(answer.get, _TEMPLATE), _TEMPLATE.values())):
        return dict(_BROKEN)
    if answer["status"] not in ("returned", "raised", "unanswered"):
        return dict(_BROKEN)
    if answer["status"] != "returned":
        error = answer["error"]
        if not all(map(isinstance, map(error.get, _ERROR), _ERROR.values())):
            return dict(_BROKEN)
        if not all(isinstance(text, str) for text in error["bases"] + error["within"]):
            return dict(_BROKEN)
    if not all(value is None or isinstance(value, np.ndarray) for value in answer["gradients"].values()):
        return dict(_BROKEN)
    if not all(isinstance(text, str) for text in answer["warnings"] + answer["changed"]):
        return dict(_BROKEN)
    return answer


def checked_facts(facts: object) -> dict[str, Any]:
    """Return what `helpers.running.reading` wrote, or {} for anything else."""
    if not isinstance(facts, dict) or not all(map(isinstance, map(facts.get, _FACTS), _FACTS.values())):
        return {}
    rows = facts["open"] + facts["left"] + facts["nested"] + ([facts["printed"]] if facts["printed"] else [])
    forms = {"open": 3, "left": 2, "nested": 3}
    if any(not isinstance(row, (list, tuple)) for row in rows):
        return {}
    if any(len(row) != size for name, size in forms.items() for row in facts[name]):
        return {}
    if facts["printed"] and len(facts["printed"]) != 2:
        return {}
    if not all(isinstance(part, (str, int)) for row in rows for part in row):
        return {}
    if not all(isinstance(name, str) for name in facts["written"] + facts["uses"]):
        return {}
    return {**facts, "uses": [name[:100] for name in facts["uses"][:50]]}
