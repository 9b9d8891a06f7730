"""Traits of a case, worked out once for all exercises from its arguments: what the case has that others have not.

A trait is a word; `WORDS` says what is right and what is wrong where it tells the failing cases from the others.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.exercise import Case, Tensor
from helpers.running.runner import Answer


@dataclass(frozen=True)
class Words:
    """How a trait is told.

    Attributes:
        present, absent: "right with {present}, wrong with {absent}", and the other way round.
        hint: where to look.
        either: whether an answer may also be wrong for want of it.
    """

    present: str
    absent: str
    hint: str
    either: bool = False


WORDS: Mapping[str, Words] = {
    "n_q ≠ n_k": Words(
        "more or fewer queries than keys",
        "as many queries as keys",
        "Somewhere the number of queries stands for the number of keys, or the reverse. Which axis counts what?",
    ),
    "d_v ≠ d_k": Words(
        "values of another width than the keys",
        "values as wide as the keys",
        "Somewhere the width of the values stands for that of the keys, or the other way round.",
    ),
    "not square": Words(
        "arrays that are not square",
        "square arrays",
        "Two axes are mixed up somewhere: a square array hides it. Write the shape behind each line.",
    ),
    "batch": Words(
        "batch axes in front",
        "a single sequence",
        "Count axes from the end (`x.shape[-1]`, `axis=-1`, swap -1 with -2); then it does not matter how many come"
        " first, or whether any do.",
        True,
    ),
    "axis of one": Words(
        "an axis of length 1",
        "longer axes only",
        "An axis of length 1 is an axis like any other: `squeeze`, or an index that drops an axis, loses it.",
    ),
    "integers": Words(
        "whole numbers in",
        "real numbers in",
        "An array of whole numbers cuts off what stands behind the point: `dtype=float` where a new array is made.",
    ),
    "large": Words(
        "large numbers",
        "small numbers",
        "Large numbers overflow in `exp`, or lie beyond a bound of your own: which line cannot take 10,000?",
    ),
    "negative result": Words(
        "negative results",
        "results that are all positive",
        "Something takes the sign away, or cuts off at zero: `abs`, `maximum`, a square, a ReLU.",
    ),
    "-inf": Words(
        "-inf among the numbers",
        "finite numbers only",
        "`-inf - (-inf)` and `0 * -inf` are NaN: which line meets a row of nothing but -inf?",
    ),
    "empty row": Words(
        "a row that may see nothing",
        "rows that all see something",
        "A query that may see nothing has weights of 0, and with them an output of 0. Follow that row alone through"
        " your lines.",
    ),
    "mask": Words("a mask", "no mask", "What does the mask change, and is it used where the scores are made?", True),
    "broadcast mask": Words(
        "a mask that has fewer axes than the scores, or axes of length 1",
        "a mask of the scores' own shape",
        "A mask broadcasts: it holds for every head or query that it has no axis for. Indexing with it does not.",
    ),
    "many heads": Words(
        "several heads", "one head", "Each head has features of its own: follow one head through the shapes."
    ),
    "training": Words(
        "the module in training mode",
        "the module in evaluation mode",
        "Something works in one mode only, as dropout does; this exercise has none.",
        True,
    ),
    "several calls": Words(
        "several calls of one object",
        "the first call",
        "Something is kept from the call before. Make it anew in each call.",
    ),
    "negative number": Words(
        "a negative number in",
        "numbers from 0 up",
        "A negative number counts as much as a positive one: a place in a list, `abs` or a square makes another of it.",
    ),
    "smaller last block": Words(
        "a last block that is smaller",
        "blocks that are all full",
        "How many blocks are there if the last one is not full? `range(0, n, size)` begins one for the rest, too.",
    ),
    "long": Words(
        "long sequences",
        "short sequences",
        "Is there a length written into the code? Read it from the argument.",
    ),
}


def of_case(case: Case, expected: Answer, target: Callable[..., Any]) -> frozenset[str]:
    """Return the traits of a case.

    Args:
        case: the call.
        expected: the reference's answer to it.
        target: the reference, whose arguments give the names.
    """
    values = _arguments(case, target)
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    found = set(case.traits) | set(_PROPERTIES.get(case.property, ()))
    found |= {trait for trait, holds in _TESTS.items() if holds(arrays)}
    if case.init is not None and case.init.training:
        found.add("training")
    if case.times > 1 or (case.init is not None and case.init.earlier):
        found.add("several calls")
    found |= {trait for trait, holds in _OF_NUMBERS.items() if holds(values)}
    if _heads(case, target) > 1:
        found.add("many heads")
    value = expected["value"]
    first = value[0] if isinstance(value, tuple) and value else value
    if isinstance(first, np.ndarray) and first.dtype.kind == "f" and (first < 0).any():
        found.add("negative result")
    return frozenset(found)


# What a property probes is said by its name already.
_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "batch axes": ("batch",),
    "large scores": ("large",),
    "integers": ("integers",),
}


def axes_of_case(case: Case, target: Callable[..., Any]) -> int:
    """Return how many axes the first array of a case has; 0 when there is none."""
    arrays = [value for value in _arguments(case, target).values() if isinstance(value, np.ndarray)]
    return arrays[0].ndim if arrays else 0


def sizes_of_case(case: Case, target: Callable[..., Any]) -> dict[tuple[str, int], int]:
    """Return the lengths of a case's arrays by the array's name and the axis, counted from the end; a whole number has
    the axis 0."""
    values = _arguments(case, target)
    arrays = {n: value for n, value in values.items() if isinstance(value, np.ndarray)}
    sizes = {(n, axis): array.shape[axis] for n, array in arrays.items() for axis in range(-1, -array.ndim - 1, -1)}
    if case.init is not None:
        values = {**_options(case, target), **values}
    return sizes | {(n, 0): value for n, value in values.items() if type(value) is int}


def values_of_case(case: Case, target: Callable[..., Any]) -> dict[str, Any]:
    """Return the arguments of a case's call and of the making of its object, those that are left out as well."""
    values: dict[str, Any] = {}
    if case.init is not None:
        values |= _with_defaults(target, case.init.args, case.init.kwargs)
        target = getattr(target, case.method or "forward", target)
    first = () if case.init is None else (None,)
    return values | _with_defaults(target, (*first, *case.args), case.kwargs)


def _with_defaults(target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    try:
        bound = inspect.signature(target).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return {}
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if name != "self"}


def is_explicit(case: Case, trait: str) -> bool:
    """Whether a case was made to probe a trait, so that it alone says something."""
    return trait in case.traits or trait in _PROPERTIES.get(case.property, ())


def _arguments(case: Case, target: Callable[..., Any]) -> dict[str, Any]:
    """The arguments of the call by their names."""
    function: Any = target
    if inspect.isclass(target):
        function = getattr(target, case.method or "forward", None)
    args = case.args if not inspect.isclass(target) else (None, *case.args)
    try:
        bound = inspect.signature(function).bind(*args, **case.kwargs).arguments
    except (TypeError, ValueError):
        bound = {str(index): value for index, value in enumerate(case.args)}
    return {name: value.array if isinstance(value, Tensor) else value for name, value in bound.items()}


def _options(case: Case, target: Callable[..., Any]) -> dict[str, Any]:
    """The arguments that an object is made with, or those of a function's call, by their names."""
    try:
        if case.init is not None:
            return dict(inspect.signature(target).bind(*case.init.args, **case.init.kwargs).arguments)
        return dict(inspect.signature(target).bind(*case.args, **case.kwargs).arguments)
    except (TypeError, ValueError):
        return {}


def _heads(case: Case, target: Callable[..., Any]) -> int:
    heads = _options(case, target).get("n_heads", 0)
    return heads if isinstance(heads, int) else 0


Arrays = Mapping[str, np.ndarray]


def _size(arrays: Arrays, names: tuple[str, ...], axis: int) -> int | None:
    array = next((arrays[name] for name in names if name in arrays), None)
    return array.shape[axis] if array is not None and array.ndim >= -axis else None


def _differ(one: tuple[tuple[str, ...], int], other: tuple[tuple[str, ...], int]) -> Callable[[Arrays], bool]:
    def holds(arrays: Arrays) -> bool:
        a, b = _size(arrays, *one), _size(arrays, *other)
        return a is not None and b is not None and a != b

    return holds


def _main(arrays: Arrays) -> np.ndarray | None:
    return next(iter(arrays.values()), None)


def _not_square(arrays: Arrays) -> bool:
    main = _main(arrays)
    if _size(arrays, _Q, -2) is not None and _size(arrays, _K, -2) is not None:
        # Queries and keys have traits of their own that say which two lengths.
        return False
    return main is not None and main.ndim >= 2 and main.shape[-1] != main.shape[-2]


def _any(test: Callable[[np.ndarray], Any]) -> Callable[[Arrays], bool]:
    return lambda arrays: any(bool(test(array)) for array in arrays.values())


def _mask(arrays: Arrays) -> np.ndarray | None:
    return next((array for name, array in arrays.items() if "mask" in name and array.dtype.kind == "b"), None)


def _broadcasts(arrays: Arrays) -> bool:
    mask, main = _mask(arrays), _main(arrays)
    if mask is None or main is None or main is mask:
        return False
    n_q, n_k = _size(arrays, _Q, -2), _size(arrays, _K, -2)
    return mask.shape != (*main.shape[:-2], n_q, n_k)


def _has_empty_row(arrays: Arrays) -> bool:
    mask = _mask(arrays)
    return mask is not None and mask.ndim > 0 and not mask.any(axis=-1).all()


_Q, _K, _V = ("Q", "q", "query"), ("K", "k", "key"), ("V", "v", "value")
_TESTS: Mapping[str, Callable[[Arrays], bool]] = {
    "n_q ≠ n_k": _differ((_Q, -2), (_K, -2)),
    "d_v ≠ d_k": _differ((_V, -1), (_K, -1)),
    "not square": _not_square,
    "batch": lambda arrays: any(a.ndim > 2 for name, a in arrays.items() if "mask" not in name),
    "axis of one": _any(lambda a: 1 in a.shape[-2:] and a.dtype.kind != "b"),
    "integers": _any(lambda a: a.dtype.kind in "iu"),
    "large": _any(lambda a: a.dtype.kind == "f" and bool((np.abs(a[np.isfinite(a)]) > 500).any())),
    "-inf": _any(lambda a: a.dtype.kind == "f" and bool(np.isneginf(a).any())),
    "empty row": _has_empty_row,
    "broadcast mask": _broadcasts,
    "mask": lambda arrays: _mask(arrays) is not None,
}


Values = Mapping[str, Any]


def _other_counts(values: Values) -> bool:
    queries, keys = values.get("n_queries"), values.get("n_keys")
    return isinstance(queries, int) and isinstance(keys, int) and queries != keys


def _has_small_block(values: Values) -> bool:
    size, keys = values.get("block_size"), next((values[name] for name in _K if name in values), None)
    return isinstance(size, int) and size > 0 and isinstance(keys, np.ndarray) and bool(keys.shape[-2] % size)


def _is_long(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(_is_long, value))
    array = value.array if isinstance(value, Tensor) else value
    return isinstance(array, np.ndarray) and array.ndim >= 1 and max(array.shape, default=0) > 256


_OF_NUMBERS: Mapping[str, Callable[[Values], bool]] = {
    "n_q ≠ n_k": _other_counts,
    "negative number": lambda values: any(type(value) is int and value < 0 for value in values.values()),
    "smaller last block": _has_small_block,
    "long": lambda values: any(map(_is_long, values.values())),
}
