"""Compares one answer with the expected one and says the first thing that is certainly wrong: a `Finding`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise
from helpers.language import typed
from helpers.running.runner import Answer
from helpers.tolerance import GRADIENT_TOLERANCE, close, gradient_close, largest_gradient
from helpers.verdict import Finding

from . import parts

_KINDS = {
    "b": "booleans (True or False)",
    "i": "whole numbers",
    "u": "whole numbers",
    "f": "real numbers",
    "c": "complex numbers",
}


# NumPy's words for two matrices that do not fit, "gufunc signature" and all, say little to a learner.
_MATMUL = re.compile(
    r"matmul: Input operand 1 has a mismatch in its core dimension 0, .* \(size (\d+) is different from (\d+)\)"
)


def examine(exercise: Exercise, case: Case, answer: Answer, expected: Answer) -> Finding | None:
    """Return what is certainly wrong with an answer, or None when the case passes."""

    def finding(kind: str, message: str, detail: str = "", **more: Any) -> Finding:
        return Finding(case.property, kind, message, detail, note=case.note, **more)

    if answer["shortcut"]:
        name = answer["shortcut"]
        return finding(
            "shortcut", f"this exercise asks you to write {name.rpartition('.')[2]} yourself: your code calls {name}"
        )
    if answer["status"] == "unanswered":
        return finding(
            "unanswered", "part of the answer still raises NotImplementedError", detail=answer["error"].get("line", "")
        )
    if case.raises is not None:
        return _examine_error(case, answer, finding)
    if answer["status"] == "raised":
        return finding("raised", *_tell_error(answer["error"]))
    if answer["opaque"] and expected["value"] is not None:
        return finding(
            "type", f"the result is a {answer['opaque']}; this exercise returns {_describe(expected['value'])}"
        )
    if _is_complex(answer["value"]) and not _is_complex(expected["value"]):
        return finding("dtype", f"the result holds {_KINDS['c']}; {_KINDS['f']} are asked")
    compare = exercise.compare.get(case.property)
    if compare is not None:
        told = compare(case, answer["value"], expected["value"])
        if told is not None:
            return finding("compared", told)
    else:
        names = parts.names(exercise.reference, expected["value"])
        problem = _examine_value(answer["value"], expected["value"], exercise.tolerance, "the result", names)
        if problem is not None:
            kind, message, more = problem
            return finding(kind, message, **more)
    return _examine_conduct(exercise, case, answer, expected, finding)


def compare(got: Any, want: Any, tolerance: float) -> Finding | None:
    """Return what is different between two plain results, or None when they are equal to a tolerance."""
    problem = _examine_value(got, want, tolerance, "the result")
    if problem is None:
        return None
    kind, message, more = problem
    return Finding("values", kind, message, **more)


def _examine_error(case: Case, answer: Answer, finding: Callable[..., Finding]) -> Finding | None:
    if answer["status"] == "returned":
        returned = "the error: write `raise`, not `return`" if answer["type"] in ("type", case.raises) else "a result"
        return finding(
            "no error",
            f"these arguments make no sense, and the function should say so with a {case.raises}; it returned"
            f" {returned}",
        )
    if case.raises in answer["error"]["bases"]:
        control = answer.get("control")
        if control is None or control["status"] == "returned":
            return None
        return finding("raised", f"where the arguments make sense as well, {_raised(control['error'])}")
    return finding("wrong error", f"these arguments should raise a {case.raises}; {_raised(answer['error'])}")


def _raised(error: dict[str, Any]) -> str:
    if not error["message"]:
        return f"your code raised {error['type']}"
    return f"your code raised {error['type']}: {typed(error['message'])}"


def _tell_error(error: dict[str, Any]) -> tuple[str, str]:
    line = f"in {typed(error['where'])}, line {error['number']}: {typed(error['line'])}" if error["line"] else ""
    if error["own"]:
        return error["message"], line
    sizes = _MATMUL.match(error["message"])
    if sizes is not None:
        return (
            (
                f"your code raised {error['type']}: in `A @ B` the last axis of A has {sizes[2]} entries and B has"
                f" {sizes[1]} rows; they must be equal"
            ),
            line,
        )
    return _raised(error), line


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}" if value.ndim else "a number"
    if isinstance(value, tuple):
        if len(value) == 1:
            return f"a tuple with one entry ({_describe(value[0])})"
        return f"{len(value)} results ({', '.join(_describe(v) for v in value)})"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return f"a dict with {len(value)} entries"
    return {bool: "True or False", int: "a whole number", float: "a number", str: "a string"}.get(
        type(value), "nothing"
    )


def _is_complex(value: Any) -> bool:
    """Whether complex numbers are anywhere in a value; all comparisons would take one for its real part."""
    if isinstance(value, (list, tuple, dict)):
        return any(map(_is_complex, value.values() if isinstance(value, dict) else value))
    return isinstance(value, np.ndarray) and value.dtype.kind == "c"


Problem = tuple[str, str, dict[str, Any]]


def _examine_value(got: Any, want: Any, tolerance: float, what: str, names: parts.Names = ()) -> Problem | None:
    if got is None and want is not None:
        return "nothing", f"{what} is None; expected {_describe(want)}", {}
    if isinstance(want, tuple):
        return _examine_sequence(got, want, tolerance, names)
    if isinstance(want, dict):
        return _examine_dict(got, want, tolerance, what)
    if isinstance(want, list):
        if not isinstance(got, list):
            return "type", f"{what} should be {_describe(want)}, and is {_describe(got)}", {}
        if want and isinstance(want[0], np.ndarray):
            return _examine_sequence(got, tuple(want), tolerance)
        if not all(_is_number(item) for item in got):
            return "type", f"{what} should be a list of whole numbers", {}
        if [_as_int(item) for item in got] != want:
            return "values", f"{what} is not the right list", {"detail": f"yours {got}, expected {want}"}
        return None
    if isinstance(want, str):
        if not isinstance(got, str):  # an array would be compared entry by entry
            return "type", f"{what} is {_describe(got)}; expected a string", {}
        if got != want:
            near = nearly_the_same(got, want)
            if near:
                return "values", f"{what} is the right string but for {near}", {"detail": f"yours {typed(repr(got))}"}
            detail = f"yours {typed(repr(got))}, expected {typed(repr(want))}"
            return "values", f"{what} is not the right string", {"detail": detail}
        return None
    if isinstance(got, (list, tuple)) and isinstance(want, np.ndarray):
        return (
            type(got).__name__,
            f"{what} is a {type(got).__name__}; this exercise returns one array of shape {want.shape}",
            {},
        )
    if isinstance(got, (dict, str)):
        return "type", f"{what} is {_describe(got)}; expected {_describe(want)}", {}
    return _examine_array(np.asarray(got), np.asarray(want), tolerance, what)


def nearly_the_same(got: str, want: str) -> str:
    """What keeps two strings apart, where it is not the word itself."""
    if got.strip() == want:
        return "the blank space around it"
    if got.strip().lower() == want.lower():
        return "small and capital letters"
    bare = re.sub(r"\W", "", got).lower()
    return "the signs around it" if bare and bare == re.sub(r"\W", "", want).lower() else ""


def _is_number(item: Any) -> bool:
    return isinstance(item, (int, float)) or (isinstance(item, np.ndarray) and item.ndim == 0)


def _as_int(item: Any) -> Any:
    value = item.item() if isinstance(item, np.ndarray) else item
    return int(value) if isinstance(value, (int, float)) and value == int(value) else value


def _examine_sequence(got: Any, want: tuple[Any, ...], tolerance: float, names: parts.Names = ()) -> Problem | None:
    if not isinstance(got, (tuple, list)) or len(got) != len(want):
        have = f"{len(got)} results" if isinstance(got, (tuple, list)) else _describe(got)
        return "results", f"this exercise returns {len(want)} results, and yours returned {have}", {}
    for index, (g, w) in enumerate(zip(got, want)):
        name = names[index] if names else f"result {index + 1} of {len(want)}"
        what, inner = (name, ()) if isinstance(name, str) else (f"result {index + 1} of {len(want)}", name)
        problem = _examine_value(g, w, tolerance, what, inner)
        if problem is not None:
            return problem
    return None


def _examine_dict(got: Any, want: dict[str, Any], tolerance: float, what: str) -> Problem | None:
    if not isinstance(got, dict):
        return "type", f"{what} should be a dict, and is {_describe(got)}", {}
    missing, extra = [k for k in want if k not in got], [k for k in got if k not in want]
    if missing or extra:
        lacking, surplus = ", ".join(missing[:8]), ", ".join(extra[:8])
        if missing and extra:
            # One text, since what is typed may hold anything.
            text = f"missing: {typed(lacking)}; too many: {typed(surplus)}"
        else:
            text = f"missing: {typed(lacking)}" if missing else f"too many: {typed(surplus)}"
        return "keys", f"{what} has other names than expected ({text})", {}
    for key, value in want.items():
        problem = _examine_value(got[key], value, tolerance, key)
        if problem is not None:
            return problem
    return None


def _examine_array(got: np.ndarray, want: np.ndarray, tolerance: float, what: str) -> Problem | None:
    if got.dtype.kind not in "biufc":
        return "type", f"{what} is not numeric", {}
    if got.shape != want.shape:
        return "shape", _tell_shape(got, want, tolerance, what), {"yours": got, "expected": want}
    if want.dtype.kind == "b" and got.dtype.kind != "b":
        return "dtype", f"{what} should hold {_KINDS['b']}, and holds {_KINDS[got.dtype.kind]} ({got.dtype})", {}
    if want.dtype.kind in "iu" and got.dtype.kind not in "iu" and want.ndim:
        return "dtype", f"{what} should hold {_KINDS['i']}, and holds {_KINDS[got.dtype.kind]} ({got.dtype})", {}
    if want.dtype.kind == "b":
        right = got == want
    else:
        right = close(got, want, tolerance)
    if right.all():
        return None
    return (
        "values",
        _tell_values(got, want, right, tolerance, what),
        {"yours": got, "expected": want, "detail": _first_wrong(got, want, right)},
    )


def _tell_shape(got: np.ndarray, want: np.ndarray, tolerance: float, what: str) -> str:
    text = f"{what} has shape {got.shape}, expected {want.shape}"
    if got.ndim >= 2 and want.ndim == got.ndim and np.swapaxes(got, -1, -2).shape == want.shape:
        if close(np.swapaxes(got, -1, -2), want, tolerance).all():
            return text + ": it is the transpose of the right result"
    if got.size == want.size and got.ndim and close(got.ravel(), want.ravel(), tolerance).all():
        return text + ": the numbers are right, in another shape"
    return text


def _tell_values(got: np.ndarray, want: np.ndarray, right: np.ndarray, tolerance: float, what: str) -> str:
    wrong = int(right.size - right.sum())
    count = f"{wrong} of {right.size} entries {'is' if wrong == 1 else 'are'} wrong"
    if got.dtype.kind in "fc" and np.isnan(got).any() and not np.isnan(want).any():
        missing = int(np.isnan(got).sum())
        entries = f"{missing} of {got.size} entries {'is no number' if missing == 1 else 'are no numbers'}"
        return f"{what} has NaN in it: {entries}" if got.size > 1 else f"{what} is NaN, which is no number"
    if want.dtype.kind == "f" and want.size > 1:
        if (
            want.ndim >= 2
            and want.shape[-1] == want.shape[-2]
            and close(np.swapaxes(got, -1, -2), want, tolerance).all()
        ):
            return f"{what} is the transpose of the right result"
        factor = _constant_factor(got, want, tolerance)
        if factor is not None:
            return f"{what}: every entry is {factor:.{4 if abs(factor - 1) > 1e-3 else 8}g} times what it should be"
    if right.size == 1:
        return f"{what} is the wrong number"
    return f"{what} has the right shape, but {count}"


def _constant_factor(got: np.ndarray, want: np.ndarray, tolerance: float) -> float | None:
    flat_got, flat_want = got.ravel().astype(float), want.ravel().astype(float)
    top = int(np.argmax(np.abs(flat_want)))
    if not np.isfinite(flat_got).all() or flat_want[top] == 0 or not np.isfinite(flat_want).all():
        return None
    factor = flat_got[top] / flat_want[top]
    if factor == 0 or f"{factor:.4g}" == "1" or not close(flat_got, factor * flat_want, tolerance).all():
        return None
    return float(factor)


def _first_wrong(got: np.ndarray, want: np.ndarray, right: np.ndarray) -> str:
    if want.ndim == 0:
        return f"yours {got.item()!r}, expected {want.item()!r}"
    place = tuple(int(i) for i in np.argwhere(~right)[0])
    return (
        f"first wrong entry at [{', '.join(map(str, place))}]: yours {_number(got[place])}, expected"
        f" {_number(want[place])}"
    )


def _number(value: Any) -> str:
    return str(bool(value)) if np.asarray(value).dtype.kind == "b" else f"{value:.6g}"


def _examine_conduct(
    exercise: Exercise, case: Case, answer: Answer, expected: Answer, finding: Callable[..., Finding]
) -> Finding | None:
    """What else can be wrong when the values are right."""
    want, got = (record["type"].rpartition(" of ")[2] for record in (expected, answer))
    if want == "Tensor" and got == "ndarray":
        return finding(
            "numpy", "the numbers are right, in a NumPy array; this exercise works with torch tensors and returns one"
        )
    if want == "ndarray" and got == "Tensor":
        return finding(
            "torch", "the numbers are right, in a torch tensor; this exercise works with NumPy arrays and returns one"
        )
    if answer["changed"]:
        return finding(
            "changed", "the function changes its input in place: what the caller gave is different afterwards"
        )
    if answer["shares"] and not exercise.may_share_memory:
        return finding(
            "shares", "the result shares memory with an input: changing one later would change the other; return a copy"
        )
    if not answer["survived"]:
        return finding("overwritten", "a later call changed an earlier result: each call needs an array of its own")
    if case.memory is not None and answer["memory"] > case.memory:
        held = f"the call holds {answer['memory']:,} new numbers at one time; this exercise allows {case.memory:,}"
        return finding("memory", f"the result is right, but the work takes too much memory: {held}")
    if case.quiet and answer["warnings"]:
        return finding("warning", f"the values are right, but the call gives a warning: {typed(answer['warnings'][0])}")
    for place, state in expected["after"].items():
        problem = _examine_value(
            answer["after"].get(place), state, max(exercise.tolerance, GRADIENT_TOLERANCE), "the object afterwards"
        )
        if problem is not None:
            kind, message, more = problem
            return finding("after", message, **more)
    if case.property in exercise.compare:
        # Where the learner chooses the parameters, their names and gradients are the learner's own, and only have to be
        # there.
        unused = [name for name, got in answer["gradients"].items() if got is None]
        if unused:
            kind = "no gradient" if len(unused) == len(answer["gradients"]) else "unused"
            return finding(
                kind,
                f"no gradient reaches {typed(', '.join(unused[:3]))}: either nothing uses it, or something on the way"
                " leaves the graph",
            )
        return None
    largest = largest_gradient(expected["gradients"])
    for name, want in expected["gradients"].items():
        got = answer["gradients"].get(name)
        if want is None:
            continue
        if got is None:
            return finding(
                "no gradient",
                f"no gradient reaches {typed(name)}: something on the way leaves the graph (.detach(), .item(), .data,"
                " NumPy, no_grad)",
            )
        if not np.isfinite(got).all():
            return finding("gradients", f"the gradient of {typed(name)} is not finite")
        if got.shape != want.shape or not gradient_close(got, want, largest).all():
            return finding("gradients", f"the result is right, but the gradient of {typed(name)} is wrong")
    return None
