"""Arguments that are not used, or stand in each other's place: called so, the reference gives the learner's answers."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from helpers.exercise import Case, Tensor
from helpers.running import runner
from helpers.running.runner import Answer
from helpers.verdict import Diagnosis, Finding

from .agreement import agree
from .comparison import examine
from .papers import Paper

_TELLING = ("values", "shape", "results", "keys", "gradients", "after")
_IN_WORDS = ("compared", "relation")
_MAX_SWAPPED = 6


def diagnose(work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None]) -> Diagnosis | None:
    """Return the one other call of the reference that gives the learner's answers in every case, or None.

    Cases that the other call leaves as they are have to be right; in all others it has to be wrong as the learner is.
    """
    rows = [i for i, case in enumerate(work.cases) if case.raises is None and not case.from_file]
    failing = [i for i in rows if found[i] is not None]
    kinds = {f.kind for i in failing if (f := found[i]) is not None}
    if not kinds & set(_TELLING) or kinds - {*_TELLING, *_IN_WORDS}:
        return None
    fitting = [told for change, told in _changes(work) if _fits(work, answers, found, rows, change)]
    return fitting[0] if len(fitting) == 1 else None


@dataclasses.dataclass(frozen=True)
class _Change:
    """Other values for some parameters of a call, or of the making of an object.

    Attributes:
        making: whether they are parameters of the constructor.
        default: the parameter that gets its default, or is left to None; "" for an exchange.
        pair: the parameters that change places.
        turned: the parameter of True and False whose entries are turned around.
    """

    making: bool
    default: str = ""
    pair: tuple[str, str] = ("", "")
    turned: str = ""

    def of(self, case: Case, target: Any) -> Case | None:
        """The changed case; None where it makes no difference."""
        if self.making and case.init is None:
            return None
        function = target if self.making or case.init is None else getattr(target, case.method or "forward", None)
        plain = () if self.making or case.init is None else (None,)
        source: Any = case.init if self.making else case
        try:
            signature = inspect.signature(function)  # type: ignore[arg-type]
            bound = signature.bind(*plain, *source.args, **source.kwargs)
        except (TypeError, ValueError):
            return None
        values = bound.arguments
        if self.default:
            if self.default not in values or _alike(values[self.default], signature.parameters[self.default].default):
                return None
            values[self.default] = signature.parameters[self.default].default
        elif self.turned:
            mask = values.get(self.turned)
            array = mask.array if isinstance(mask, Tensor) else mask
            if not isinstance(array, np.ndarray) or array.dtype.kind != "b":
                return None
            values[self.turned] = dataclasses.replace(mask, array=~array) if isinstance(mask, Tensor) else ~array
        else:
            a, b = self.pair
            if a not in values or b not in values or _alike(values[a], values[b]):
                return None
            values[a], values[b] = values[b], values[a]
        args, kwargs = bound.args[len(plain) :], bound.kwargs
        if self.making:
            assert case.init is not None
            return dataclasses.replace(case, init=dataclasses.replace(case.init, args=args, kwargs=kwargs))
        return dataclasses.replace(case, args=args, kwargs=kwargs)


def _alike(a: object, b: object) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return _alike(a.array, b.array)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)
    return type(a) is type(b) and bool(a == b)


def _changes(work: Paper) -> Iterator[tuple[_Change, Diagnosis]]:
    target = work.exercise.reference
    functions: list[tuple[bool, Any]] = [(False, target)]
    if inspect.isclass(target):
        functions = [(True, target), (False, getattr(target, "forward", None))]
    for making, function in functions:
        try:
            parameters = inspect.signature(function).parameters if function is not None else {}
        except (TypeError, ValueError):
            continue
        for name, parameter in parameters.items():
            if parameter.default is not parameter.empty:
                yield (
                    _Change(making, default=name),
                    Diagnosis(
                        f"`{name}` makes no difference: it goes on as with {_shown(parameter.default)}",
                        f"Follow `{name}` through the code: where is it used, and is another value written there?",
                    ),
                )
            if "mask" in name:
                yield (
                    _Change(making, turned=name),
                    Diagnosis(
                        f"`{name}` is read the other way round", "True means: may attend. What is hidden is `~mask`."
                    ),
                )
        # A seed in the place of a length would fill the memory.
        names = [name for name in parameters if name not in ("self", "seed")][:_MAX_SWAPPED]
        for a, b in itertools.combinations(names, 2):
            yield (
                _Change(making, pair=(a, b)),
                Diagnosis(
                    f"`{a}` and `{b}` have changed places",
                    f"Say in words what `{a}` is for and what `{b}` is for, and look at each line with one of them.",
                ),
            )


def _shown(value: object) -> str:
    return f"`{value}`"


def _fits(
    work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None], rows: Sequence[int], change: _Change
) -> bool:
    explained = 0
    table = _table(work)
    for i in sorted(rows, key=lambda i: found[i] is None):
        if (change, i) not in table:
            table[change, i] = _answer(work, change, i)
        row, mine = table[change, i], found[i]
        if row is None or row[1] is None:
            if mine is not None:
                return False
        elif mine is None or not agree(work.exercise, answers[i], mine, *row):
            return False
        else:
            explained += 1
    return explained > 0


_Row = tuple[Answer, Finding | None]


def _answer(work: Paper, change: _Change, index: int) -> _Row | None:
    """The reference's answer to the changed call and what is wrong with it; None where nothing is changed."""
    case = change.of(work.cases[index], work.exercise.reference)
    if case is None:
        return None
    (answer,) = runner.run(work.exercise.reference, [case])
    return answer, examine(work.exercise, work.cases[index], answer, work.expected[index])


@functools.lru_cache(maxsize=128)
def _table(work: Paper) -> dict[tuple[_Change, int], _Row | None]:
    """What the reference answers to changed calls, kept with the paper."""
    return {}
