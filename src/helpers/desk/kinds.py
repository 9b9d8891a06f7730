"""What to do about a failure that has nothing to do with the exercise's mathematics: an error, a wrong type, arguments
that were not refused, parameters of other names."""

from __future__ import annotations

import re

from helpers.verdict import Finding

_RAISED = re.compile(r"your code raised (\w+)(?:: (.*))?", re.DOTALL)

# The first that fits holds: the error's name, a piece of its text, what to do.
_ERRORS: tuple[tuple[str, str, str], ...] = (
    (
        "NameError|UnboundLocalError",
        "",
        "Python knows no such name in that line. Is it spelt as where it was made, and made on every way that leads"
        " there? A name from another cell needs that cell to have run.",
    ),
    (
        "AttributeError",
        "'NoneType'",
        "Something that the line uses is None. A function without `return` gives None, and so do `print(...)` and"
        " `list.append(...)`.",
    ),
    (
        "AttributeError",
        "'numpy.ndarray'",
        "A NumPy array has no such method; torch tensors may have one. Print `type(x)` in the line before: what did you"
        " expect it to be?",
    ),
    (
        "AttributeError",
        "'Tensor'",
        "A torch tensor has no such method; NumPy arrays may have one. Print `type(x)` in the line before: what did you"
        " expect it to be?",
    ),
    (
        "AttributeError",
        "before Module.__init__",
        "The first line of `__init__` has to be `super().__init__()`: before it, nothing can be stored in a module.",
    ),
    (
        "AttributeError",
        "has no attribute",
        "The object has no part of that name. Is it spelt as in `__init__`, and stored as `self.name = ...` there?",
    ),
    (
        "TypeError",
        "positional argument|keyword argument|required",
        "A call and a definition do not fit: count the arguments in the call, and those after `def`. Inside a class the"
        " first one is `self`.",
    ),
    (
        "TypeError",
        "'NoneType'",
        "Something that the line uses is None. May that argument be None? Then ask `if x is None` first. Or does a"
        " function of yours lack its `return`?",
    ),
    (
        "TypeError",
        "not callable",
        "Something that is no function stands before round brackets. Square brackets take an entry, and a product needs"
        " its `*`.",
    ),
    (
        "TypeError",
        "",
        "An operation met a type that it cannot work with. Print `type(...)` of each name in that line: which one is"
        " not what you think?",
    ),
    (
        "ValueError|RuntimeError",
        "shape|dimension|last axis|broadcast|size of tensor|must match|cannot be multiplied|axes",
        "Two shapes do not fit. Print the shape of each array in that line, and write beside each axis what it counts:"
        " tokens, features, heads. Which axis is in the wrong place?",
    ),
    (
        "ValueError|RuntimeError",
        "ambiguous",
        "`if` wants one True or False and got a whole array. Say `.any()` or `.all()`, or choose entry by entry with"
        " `where`.",
    ),
    (
        "ValueError",
        "unpack",
        "The names left of `=` are more or fewer than the results on the right. Print what stands on the right: how"
        " many parts has it? `x.shape` has one for each axis.",
    ),
    (
        "RuntimeError",
        "dtype|expected scalar type|same type",
        "Tensors of two types meet in that line. Print `x.dtype` of each; `.float()` or `.to(other.dtype)` turns one"
        " over.",
    ),
    (
        "IndexError|AxisError",
        "",
        "An index or axis is larger than the array. Indices run from 0 to the length minus 1. Print the shape in the"
        " line before; axes counted from the end (-1, -2) fit with any number of them.",
    ),
    ("KeyError", "", "There is no such key. Print the keys that there are, and compare the spelling."),
    ("ZeroDivisionError", "", "A divisor is 0. When can that be? Choose another divisor there before you divide."),
    (
        "RecursionError",
        "",
        "The function calls itself without an end. Is there a way through it that makes no further call, and is that"
        " way ever taken?",
    ),
    (
        "ModuleNotFoundError|ImportError",
        "",
        "That library is not there. The first cell of the notebook imports all that the exercise needs.",
    ),
    (
        "AssertionError",
        "",
        "An `assert` of yours does not hold for these arguments. Print what it compares: is the demand right, or what"
        " comes before it?",
    ),
)
_ANY_ERROR = (
    "Put the arguments of the call into a cell of your own, and run the lines of your answer on them one by one: which"
    " is the first that does not give what you expect?"
)
_PARAMETERS = (
    "Parameters are found by the names that `__init__` stores them under, `self.name = nn.Linear(...)`. Compare them,"
    " letter by letter, with those that the exercise asks for. Layers in a plain list are not found; in `nn.ModuleList`"
    " they are."
)
_KINDS = {
    "no error": "Look at the arguments before you compute: `if ...: raise ValueError(...)` with the two shapes in the"
    " message. The exercise's description says which arguments do not fit.",
    "type": "Print `type(...)` of your result and of what you made it from: the exercise's description says what comes"
    " back, under “Returns”.",
    "results": "Look at the `return` line: one result is `return a`, two are `return a, b`, in the order of the"
    " description.",
    "keys": "Print the names that your result has, and compare them letter by letter with those in the description.",
    "dtype": "Print `x.dtype` of your result. A comparison such as `i <= j` gives True and False; `.astype(...)`"
    " (torch: `.to(...)`) turns one type into another.",
    "unanswered": "A line of your code still raises NotImplementedError. Take it out when the code around it does its"
    " work, or finish the function that it stands in.",
    "answers": "The check was cut off. Does your code end the program, or wait for something? Run it by itself in a"
    " cell of your own.",
}


def own_hint(finding: Finding) -> str:
    """Return the hint that belongs to a failure of this kind, or "" where the exercise's own hints are to the point."""
    if finding.kind == "raised":
        return _error_hint(finding.message)
    return _KINDS.get(finding.kind, "")


def _error_hint(message: str) -> str:
    told = _RAISED.match(message)
    if told is None:
        # The check's own words, which say what to do; names of parameters are worth a word more.
        return _PARAMETERS if "the parameters of your" in message else _ANY_ERROR
    kind, text = told[1], told[2] or ""
    for kinds, piece, hint in _ERRORS:
        if re.fullmatch(kinds, kind) and re.search(piece, text):
            return hint
    return _ANY_ERROR
