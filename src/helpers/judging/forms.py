"""What the form of a result says by itself: its type, the number of results, its axes and their lengths.

Facts that hold in every failing case, and no guess at the code.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from helpers.running.runner import Answer
from helpers.tolerance import close
from helpers.verdict import Diagnosis, Finding

from . import parts
from .comparison import examine, nearly_the_same
from .papers import Paper

_RETURN_HINT = "Look at the `return` line: one result is `return a`, two are `return a, b`, in the order of the text."
_TYPE_HINT = "Print `type(...)` of the result, and compare it with what the exercise says under “Returns”."
_AXES_HINT = "Write the shape behind each line: after which one is it not what you expect?"
_ORDINAL = {-1: "last", -2: "last but one"}


def diagnose(work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None]) -> Diagnosis | None:
    """Return what the form of the results says, where all failing cases say the same."""
    rows = [i for i, finding in enumerate(found) if finding is not None and work.cases[i].raises is None]
    rows = [i for i in rows if answers[i]["status"] == "returned" and not work.cases[i].from_file]
    if not rows:
        return None
    kinds = {f.kind for i in rows if (f := found[i]) is not None}
    if kinds == {"gradients"}:
        return Diagnosis(
            "the values are right, and the gradient is not",
            "Something on the way counts as a constant for it: `.detach()`, `.data`, `.item()`, `torch.no_grad()`, or a"
            " number worked out with NumPy.",
        )
    told = {_of_type(answers[i], work.expected[i]) for i in rows}
    if told != {None}:
        # Cases whose form is right are wrong by their numbers, which were made on the same way.
        first = _of_type(answers[rows[0]], work.expected[rows[0]])
        return first if len(told - {None}) == 1 else None
    return _of_axes(work, answers, rows) or _of_parts(work, answers, rows)


def in_another_order(work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None]) -> Diagnosis | None:
    """Return that several results are right and stand in another order, the same one in every failing case."""
    rows = [i for i, finding in enumerate(found) if finding is not None and work.cases[i].raises is None]
    rows = [i for i in rows if not work.cases[i].from_file and not work.cases[i].gradients]
    count = {len(want) for i in rows if isinstance(want := work.expected[i]["value"], tuple)}
    got = [answers[i]["value"] for i in rows if answers[i]["status"] == "returned"]
    if len(count) != 1 or len(got) != len(rows):
        return None
    (asked,) = count
    if not all(isinstance(value, (tuple, list)) and len(value) == asked for value in got):
        return None

    def right(i: int, order: Sequence[int]) -> bool:
        turned = {**answers[i], "value": tuple(answers[i]["value"][place] for place in order)}
        return examine(work.exercise, work.cases[i], turned, work.expected[i]) is None

    for order in list(itertools.permutations(range(asked)))[1:]:
        if all(right(i, order) for i in rows):
            return Diagnosis("the results are right, and stand in the wrong order", _RETURN_HINT)
    return None


def _of_type(answer: Answer, expected: Answer) -> Diagnosis | None:
    """Another type than the one that is asked, or another number of results."""
    if answer["opaque"]:
        plain = answer["opaque"].startswith("NumPy array")
        other = f"a {answer['opaque']}" if plain else f"an object of type `{answer['opaque']}`"
        called = {"function": "a function", "generator": "a generator", "type": "a class"}.get(answer["opaque"], other)
        return Diagnosis(f"returns {called}", _TYPE_HINT)
    got, want = answer["value"], expected["value"]
    if isinstance(want, tuple):
        if not isinstance(got, (tuple, list)):
            return Diagnosis(f"returns {_kind(got, answer)} where {len(want)} results are asked", _RETURN_HINT)
        if len(got) != len(want):
            return Diagnosis(f"returns {len(got)} results where {len(want)} are asked", _RETURN_HINT)
        return None
    if isinstance(got, tuple) and not isinstance(want, list):
        return Diagnosis(f"returns {len(got)} results where one is asked", _RETURN_HINT)
    if isinstance(got, str) and isinstance(want, str):
        near = nearly_the_same(got, want)
        return (
            Diagnosis(f"the right string but for {near}", "Compare it letter by letter: `repr(...)` shows all.")
            if near
            else None
        )
    mine, asked = _kind(got, answer), _kind(want, expected)
    if mine != asked and not (_is_number(got) and _is_number(want) and answer["type"] != "Tensor"):
        return Diagnosis(f"returns {mine} where {asked} is asked", _TYPE_HINT)
    if isinstance(want, int) and not isinstance(want, bool) and _is_number(got):
        if np.asarray(got).dtype.kind == "f":
            return Diagnosis(
                "returns a number with a point where a whole number is asked",
                "`/` always gives a number with a point; `//` divides and stays whole.",
            )
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) or (isinstance(value, np.ndarray) and value.ndim == 0)


def _kind(value: Any, record: Answer) -> str:
    """What a result is called."""
    if isinstance(value, np.ndarray):
        if value.ndim:
            return "an array"
        return "a tensor" if record["type"] == "Tensor" else "a number"
    for kind, name in ((bool, "True or False"), ((int, float), "a number"), (str, "a string"), (dict, "a dict")):
        if isinstance(value, kind):
            return name
    return "a list" if isinstance(value, list) else "a tuple" if isinstance(value, tuple) else "nothing"


def _of_axes(work: Paper, answers: Sequence[Answer], rows: Sequence[int]) -> Diagnosis | None:
    """An axis too many, one too few, or one that is as long as another argument's."""
    pairs = [_first_other_shape(work, answers[i], i) for i in rows]
    told = [pair for pair in pairs if pair is not None]
    if not told or pairs[0] is None or len({place for place, _, _ in told}) != 1:
        return None
    place = told[0][0]
    more = {len(got) - len(want) for _, got, want in told}
    if len(more) != 1:
        return None
    (difference,) = more
    _, got, want = told[0]
    if difference:
        number = "an axis" if abs(difference) == 1 else f"{abs(difference)} axes"
        what = f"has {number} too many" if difference > 0 else f"lacks {number}"
        return Diagnosis(f"{place} {what}: {got} where {want} is asked", _AXES_HINT)
    return _of_lengths(work, place, [(i, pair) for i, pair in zip(rows, pairs) if pair is not None])


def _of_parts(work: Paper, answers: Sequence[Answer], rows: Sequence[int]) -> Diagnosis | None:
    """Which of several results is wrong, where it is the same one in every case and another one is right."""
    wrong: list[frozenset[str]] = []
    right: list[frozenset[str]] = []
    for i in rows:
        want = work.expected[i]["value"]
        named = list(_parts(answers[i]["value"], want, parts.names(work.exercise.reference, want), ""))
        fine = {name: w.shape == g.shape and bool(close(g, w, work.exercise.tolerance).all()) for name, g, w in named}
        wrong.append(frozenset(name for name in fine if not fine[name]))
        right.append(frozenset(name for name in fine if fine[name]))
    always = frozenset.intersection(*right)
    if len(set(wrong)) != 1 or len(wrong[0]) != 1 or not always:
        return None
    (name,) = wrong[0]
    others = " and ".join(sorted(always)) if len(always) <= 2 else "all else"
    verb = "is" if len(always) == 1 or len(always) > 2 else "are"
    return Diagnosis(
        f"{others} {verb} right, {name} is not",
        f"In which line is what is returned as {name} made, and is it still the same when it is returned? Print it at"
        " both places.",
    )


Shape = tuple[int, ...]


def _first_other_shape(work: Paper, answer: Answer, index: int) -> tuple[str, Shape, Shape] | None:
    """The first result whose shape is not the one that is asked: its name, its shape, and the right one."""
    want = work.expected[index]["value"]
    for name, g, w in _parts(answer["value"], want, parts.names(work.exercise.reference, want), "the result"):
        if g.shape != w.shape:
            return name, g.shape, w.shape
    return None


def _parts(got: Any, want: Any, names: parts.Names, name: str) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The arrays of a result beside the right ones, each with its name."""
    if isinstance(got, np.ndarray) and isinstance(want, np.ndarray):
        yield name, got, want
    elif isinstance(got, dict) and isinstance(want, dict):
        for key in want:
            yield from _parts(got.get(key), want[key], (), f"`{key}`")
    elif isinstance(got, (tuple, list)) and isinstance(want, (tuple, list)) and len(got) == len(want):
        for number, (g, w) in enumerate(zip(got, want)):
            own = names[number] if names else ""
            called = own if own and isinstance(own, str) else f"result {number + 1} of {len(want)}"
            yield from _parts(g, w, own if isinstance(own, tuple) else (), called)


def _of_lengths(work: Paper, place: str, pairs: Sequence[tuple[int, tuple[str, Shape, Shape]]]) -> Diagnosis | None:
    """One axis whose length is, in every case, that of another axis of the arguments than it should be."""
    wrong = [[a for a in range(-len(got), 0) if got[a] != want[a]] for _, (_, got, want) in pairs]
    axes = set.intersection(*map(set, wrong)) if wrong else set()
    if len(axes) != 1:
        return None
    (axis,) = axes
    mine, right = (
        sorted(
            name
            for name in work.sizes[pairs[0][0]]
            if all(work.sizes[i].get(name) == (got, want)[which][axis] for i, (_, got, want) in pairs)
        )
        for which in (0, 1)
    )
    # Several arguments may have that length, if it is the same axis of each; the same in all cases may be anything.
    varies = len({got[axis] for _, (_, got, _) in pairs}) > 1
    if len({own for _, own in mine}) != 1 or not right or not (varies or len(mine) == len(right) == 1):
        return None
    told = f"the {_ORDINAL[axis]} axis" if axis in _ORDINAL else f"axis {axis}"
    return Diagnosis(
        f"{told} of {place} is as long as {_length(*mine[0])}, and should be as long as {_length(*right[0])}",
        "Which of the two does that axis count? Look for the loop, the size or the sum that uses the other one.",
    )


def _length(name: str, axis: int) -> str:
    return f"`{name}.shape[{axis}]`" if axis else f"`{name}`"
