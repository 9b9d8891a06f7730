"""What is wrong in every exercise alike, by the kind of a finding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
        "Test the arguments first: `if` they do not fit, `raise ValueError(...)`. Compute only after that.",
    ),
    "nothing": Diagnosis(
        "returns nothing",
        "A function without `return` gives None, however right its last line is; and so does `return print(...)`, since"
        " `print` itself gives None.",
    ),
    "list": Diagnosis(
        "returns a list, not an array",
        "`np.array(rows)` (torch: `torch.stack(rows)`) makes one array of a list of rows.",
    ),
    "tuple": Diagnosis(
        "returns a tuple, not an array",
        "A comma after `return` makes a tuple: is there one too many? One array of several rows is made by"
        " `np.array(rows)` (torch: `torch.stack(rows)`).",
    ),
    "numpy": Diagnosis(
        "returns a NumPy array, not a tensor",
        "What comes next calls torch methods on the result: make it with torch, or turn it over with"
        " `torch.from_numpy(...)`.",
    ),
    "torch": Diagnosis(
        "returns a torch tensor, not a NumPy array",
        "What comes next calls NumPy on the result: make it with NumPy, or turn it over with `.numpy()`.",
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
        "Stay with torch operations from input to output: `.detach()`, `.item()`, `.data`, NumPy and a fresh"
        " `torch.tensor(...)` end the graph.",
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
