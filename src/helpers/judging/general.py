"""What is wrong in every exercise alike, by the kind of a finding, and the hint of an error by its kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from helpers.running.runner import Answer
from helpers.verdict import Diagnosis, Finding

# Wrong in every exercise alike, and certain from what was seen, so no exercise has to list them.
_BY_KIND = {
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
    "no error": Diagnosis(
        "accepts arguments that make no sense",
        "Look at the arguments before you compute: `if ...: raise ValueError(...)`, with what must not be behind `if`.",
    ),
    "nothing": Diagnosis("returns nothing", "A function without `return` gives None, however right its last line is."),
    "list": Diagnosis(
        "returns a list, not an array",
        "`np.array(rows)` (torch: `torch.stack(rows)`) makes one array of a list of rows.",
    ),
    "tuple": Diagnosis(
        "returns a tuple, not an array",
        "A comma behind `return` makes a tuple: is there one too many? One array of several rows is made by"
        " `np.array(rows)` (torch: `torch.stack(rows)`).",
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


def by_kind(finding: Finding, facts: Mapping[str, Any]) -> Diagnosis | None:
    """Return what the kind of a finding says by itself, or None.

    Args:
        finding: what is certain.
        facts: what `helpers.running.reading` says of the answer, or {}.
    """
    if finding.kind == "nothing" and facts and facts["source"] and facts["returns"]:
        return Diagnosis(
            "returns None",
            "There is a `return`, and what stands behind it is None: a method that changes its object in place, as"
            " `list.sort()`, returns nothing.",
        )
    return _BY_KIND.get(finding.kind)


# The hint of an error by its text, most telling first.
_BY_TEXT = (
    (
        r"missing \d+ required (positional|keyword-only) argument",
        "Compare the line above with the `def` of what it calls: one argument is not handed over.",
    ),
    (
        r"takes .*positional arguments? but|got an unexpected keyword argument|got multiple values for argument",
        "Compare the arguments in the `def` line with those that the exercise names: their number, names and order.",
    ),
    (
        r"matmul: |mat1 and mat2|not aligned|shapes cannot be multiplied|must match the size of tensor|batch2 tensor",
        "Print the two shapes just before that line. In `A @ B` the last axis of A and the last but one of B are summed"
        " over: they have to be equal.",
    ),
    (
        r"could not be broadcast|must be broadcastable|shape mismatch|not broadcastable",
        "Print both shapes before that line. From the last axis backwards each two lengths have to be equal, or one of"
        " them 1; `keepdims=True` keeps an axis of length 1.",
    ),
    (
        r"cannot reshape array|is invalid for input of size",
        "The new shape must hold as many numbers as the old one. Print the old shape before that line.",
    ),
    (
        r"view size is not compatible",
        "After a transpose the numbers no longer lie in order: use `reshape` there, or `.contiguous()` before `view`.",
    ),
    (
        r"axis .* is out of bounds|Dimension out of range|too many indices",
        "The array has fewer axes there than the line wants. Print its shape; axes counted from the end (-1, -2) are"
        " there for any number of batch axes.",
    ),
    (
        r"not enough values to unpack|too many values to unpack",
        "The number of names on the left and of values on the right differ; batch axes make a shape longer.",
    ),
    (
        r"index .* is out of bounds|index out of range|out of bounds for dimension",
        "An index counts from 0, so the last one is the length minus 1. Print the index and the length.",
    ),
    (
        r"cannot assign module before Module.__init__|cannot assign parameters? before",
        "Begin `__init__` with `super().__init__()`: without it a module cannot keep its parts.",
    ),
    (
        r"Can't call numpy\(\) on Tensor that requires grad",
        "Stay with torch operations: NumPy cannot follow gradients.",
    ),
    (
        r"'numpy.ndarray' object has no attribute|'numpy.\w+' object has no attribute",
        "This is a NumPy array, and the method is torch's or a list's: look for NumPy's own name of it.",
    ),
    (
        r"'Tensor' object has no attribute",
        "This is a torch tensor, and the method is NumPy's or a list's: look for torch's own name of it.",
    ),
    (
        r"'NoneType' object",
        "Something is None there: an argument that may be left out, or a function without `return`.",
    ),
    (
        r"'\w+' object is not (subscriptable|iterable|callable)",
        "Print the type of the object in that line: it is another than the line expects.",
    ),
)
_BY_TYPE = {
    "RecursionError": "The function calls itself without an end: call the piece that you mean by its own name.",
    "ZeroDivisionError": "The divisor is 0 there. Print it, and look where it comes from.",
    "UnboundLocalError": "The name gets its value only in a branch that was not run, or further down.",
    "KeyError": "There is no such key. Print the keys that there are.",
    "AttributeError": "Is the name spelt as in `__init__`, and is it set before this line?",
    "AssertionError": "An `assert` of yours does not hold for these arguments: is what it demands asked?",
    "MemoryError": "The arrays there are far too large: print their shapes on a small input.",
}


def advice(finding: Finding, answer: Answer) -> str:
    """Return the hint that belongs to a finding which no name explains, or "" where the exercise's own hints do."""
    error = answer["error"]
    if finding.kind == "raised" and error.get("own"):
        return "Compare `__init__` with the names and shapes that the exercise lists." if _parameters(error) else ""
    if finding.kind == "raised":
        told = next((hint for pattern, hint in _BY_TEXT if re.search(pattern, error["message"])), "")
        return told or _BY_TYPE.get(
            error["type"], "Print the shapes and types just before that line, and try the call on a small input."
        )
    if finding.kind in ("type", "results", "keys"):
        return (
            "Compare the `return` line with what the description says comes back: how many results, and of which type."
        )
    if finding.kind == "dtype":
        return (
            "Look for the line that makes the result's numbers of another kind: a comparison gives booleans, `astype`"
            " what it is told."
        )
    return ""


def _parameters(error: Mapping[str, Any]) -> bool:
    return str(error["message"]).startswith("the parameters of your")
