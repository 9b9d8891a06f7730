"""What is said of an operation that failed: of the things it met, and of their shapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from helpers.verdict import Diagnosis

_THINGS = {
    "ndarray": "an array",
    "numpy.ndarray": "an array",
    "Tensor": "a tensor",
    "Parameter": "a parameter",
    "NoneType": "None",
    "tuple": "a tuple",
    "list": "a list",
    "dict": "a dict",
    "str": "a string",
    "int": "a number",
    "float": "a number",
    "bool": "True or False",
    "numpy.float64": "a single number",
    "numpy.float32": "a single number",
    "numpy.int64": "a single number",
    "float64": "a single number",
    "function": "a function",
    "method": "a method",
    "type": "a class",
    "range": "a `range`",
    "generator": "a generator",
    "Linear": "a layer",
    "LayerNorm": "a layer",
}
SHAPES_HINT = (
    "Print the shape of each array in that line, and write beside each axis what it counts: tokens, features, heads."
    " Which axis stands in the wrong place, or is too long or too short?"
)
TAKE_APART = "A function with several results gives a tuple: take it apart, `output, weights = ...`, or use its `[0]`."
NONE_HINT = "May that argument be None? Then ask `if x is None` first. Or does a function of yours lack its `return`?"
WHOLE_HINT = "`/` always gives a number with a point, `//` a whole one: sizes and places are whole numbers."
AXES_HINT = "Print the shape in the line before, and count its axes; -1 and -2 fit whatever number comes first."


Error = Mapping[str, Any]
Tell = Callable[[re.Match[str], Error], Diagnosis | None]


def thing(kind: str) -> str:
    return _THINGS.get(kind, _THINGS.get(kind.rpartition(".")[2], f"an object of type `{kind}`"))


def plain(name: str, hint: str) -> Tell:
    """A name into which the parts of the message are put."""
    return lambda found, error: Diagnosis(name.format(*found.groups()), hint)


def not_callable(found: re.Match[str], error: Error) -> Diagnosis:
    return Diagnosis(
        f"calls {thing(found[1])} as if it were a function",
        "Round brackets behind a name call it. Square brackets take an entry, a product needs its `*`, and what is a"
        " result already is not called again.",
    )


def operands(found: re.Match[str], error: Error) -> Diagnosis:
    a, b = found[2], found[3]
    strange = next((kind for kind in (a, b) if kind in ("NoneType", "tuple", "list", "str", "function", "method")), a)
    hint = {"NoneType": NONE_HINT, "tuple": TAKE_APART}.get(
        strange, "Print `type(...)` of both sides of that line: which is not what you think?"
    )
    return Diagnosis(f"computes with {thing(strange)}: `{found[1].rstrip(':')}` has {thing(a)} and {thing(b)}", hint)


def _shapes_of(error: Error) -> str:
    """The shapes that an operation failed on: " (2, 3) and (4, 3)", or nothing where they were not seen."""
    parts = re.findall(r"\([\d, ]*\)", error["operation"])
    seen = len(parts) == 2 and "?" not in error["operation"]
    return f": {parts[0]} and {parts[1]}" if seen else ""


def product(found: re.Match[str], error: Error) -> Diagnosis:
    return Diagnosis(
        f"the shapes of a product do not fit{_shapes_of(error)}",
        "The last axis of the left factor and the last but one of the right are summed over, so they have to be as long"
        " as each other. " + SHAPES_HINT,
    )


def broadcast(found: re.Match[str], error: Error) -> Diagnosis:
    return Diagnosis(
        f"two arrays meet whose shapes do not fit{_shapes_of(error)}",
        "Axes are lined up from the last one; two lengths have to be equal, or one of them 1. " + SHAPES_HINT,
    )


def no_attribute(found: re.Match[str], error: Error) -> Diagnosis:
    owner, part = found[1], found[2]
    kind = owner.rpartition(".")[2]
    if kind == "NoneType":
        return Diagnosis(f"takes None for an object: it has no `{part}`", NONE_HINT)
    if kind in ("ndarray", "Tensor"):
        other = "a torch tensor's" if kind == "ndarray" else "a NumPy array's"
        known = part in (_OF_TENSORS if kind == "ndarray" else _OF_ARRAYS)
        what = f"`{part}` is {other}, and this is {thing(owner)}" if known else f"{thing(owner)} has no `{part}`"
        return Diagnosis(what, "Print `type(x)` in the line before, and look for what that type calls it.")
    if kind in ("tuple", "list"):
        return Diagnosis(f"takes {thing(kind)} for an array: it has no `{part}`", TAKE_APART)
    return Diagnosis(
        f"`{kind}` has no `{part}`",
        "Is it spelt as where it was made? What an object is to keep, `__init__` stores: `self.name = ...`.",
    )


_OF_TENSORS = frozenset(
    "unsqueeze view permute masked_fill softmax float long bool size dim numpy detach item contiguous expand"
    " unsqueeze_ exp sqrt pow abs log softmax masked_fill_ matmul bmm mT unfold flip norm tanh numel clone".split()
)
_OF_ARRAYS = frozenset("astype copy tolist fill dot shape ndim swapaxes_ ravel_multi_index itemsize nbytes".split())


def out_of_bounds(found: re.Match[str], error: Error) -> Diagnosis:
    return Diagnosis(
        f"an index runs past the end: {found[1]}, where the length is {found[2]}",
        "Places run from 0 to the length minus 1. Which axis does the loop count, and which one is indexed?",
    )


def unpack(found: re.Match[str], error: Error) -> Diagnosis:
    if "shape" in error["line"] or "size()" in error["line"]:
        return Diagnosis(
            "takes a shape apart into a fixed number of axes",
            "A shape has one length for each axis, and there may be more or fewer in front: take what you need from the"
            " end, as in `n, d = x.shape[-2:]`.",
        )
    return Diagnosis(
        "takes apart another number of things than there are",
        "Print what stands on the right of `=`: how many parts has it? For an array that is its first axis.",
    )


def arguments(found: re.Match[str], error: Error) -> Diagnosis:
    called = found[1] if found[1].endswith("__init__") else found[1].rpartition(".")[2]
    return Diagnosis(
        f"`{called}` is called with other arguments than it takes",
        "Count the arguments in the call, and those behind `def`. Inside a class the first one is `self`; a method of"
        " an array has the array before its point.",
    )


def two_kinds(found: re.Match[str], error: Error) -> Diagnosis:
    return Diagnosis(
        "two kinds of numbers meet in one operation",
        "Print `x.dtype` of each. What you make yourself takes the type of what comes in: `dtype=x.dtype`.",
    )
