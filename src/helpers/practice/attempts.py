"""One attempt to catch wrong versions: the right version and the wrong ones on the learner's input, side by side.

An input is what a call is given, or a test: a function that is given a version, tries it in any way, and returns what
is to be compared. A version is caught when what comes back is not what the right version gives.

Random start values are no difference: all versions of a class are given the same weights, drawn once. In a test a class
keeps its own start values if the right version's result does not depend on them, and gets the right version's if it
does. Where an exercise leaves the parameters to the learner, a version with others of its own has to fail what the
exercise asks first of a result.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import inspect
import io
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Init, Tensor
from helpers.judging import comparison
from helpers.running import runner
from helpers.running.errors import NotRunnable, describe_error
from helpers.running.runner import Answer
from helpers.running.settled import settled
from helpers.running.values import plain
from helpers.running.weights import load_weights
from helpers.verdict import Finding

from .versions import Version

# Times what the right version holds while it works: there are several ways of writing it.
ROOM = 2
_PLAIN = "values"


@dataclass(frozen=True)
class Outcome:
    """What an input did.

    Attributes:
        refused: why the input says nothing, or "".
        right: what the right version gave, as a record of the runner.
        caught: what was different, by the number of the version.
    """

    refused: str = ""
    right: Answer = field(default_factory=dict)
    caught: dict[int, Finding] = field(default_factory=dict)


@settled()
def attempt(exercise: Exercise, versions: Sequence[Version], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Outcome:
    """Put an input to the right version and to wrong ones.

    Args:
        exercise: what they are versions of.
        versions: the wrong ones.
        args, kwargs: what a function is called with; for a class what it is made with, then what the object is called
            with; or a test alone.
    """
    if is_test(args, kwargs):
        return _tested(exercise, versions, args[0])
    try:
        case = _case(exercise, args, kwargs)
    except _Unfit as error:
        return Outcome(str(error))
    right = _answer(exercise.reference, case)
    if right["status"] != "returned":
        told = _told(right["error"])
        demanded = {case.raises for case in exercise_cases(exercise)} & set(right["error"]["bases"])
        if not demanded:
            return Outcome(f"The right version is not defined there, it stops with {told}")
        outcome = _compared(exercise, versions, dataclasses.replace(case, raises=min(map(str, demanded))), right)
        if outcome.caught:
            return outcome
        return Outcome(f"The right version refuses these arguments, and so does each of the others. It says {told}")
    if right["opaque"]:
        return Outcome(f"What comes back, a {right['opaque']}, cannot be compared")
    if _has_nan(right["value"]):
        return Outcome("The right version is not defined there: it gives NaN itself")
    return _compared(exercise, versions, case, right)


def is_test(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether an input is a test: one function alone."""
    return len(args) == 1 and not kwargs and callable(args[0]) and not hasattr(args[0], "state_dict")


def exercise_cases(exercise: Exercise) -> tuple[Case, ...]:
    """Return the cases of an exercise's visible check."""
    from helpers.judging import judge

    return judge.paper(exercise).cases


class _Unfit(ValueError):
    """The input cannot be put; the message says why, for the learner."""


def _case(exercise: Exercise, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Case:
    """What is asked with the learner's input: that everything is as the right version has it."""
    cases = exercise_cases(exercise)
    init = None
    if _is_class(exercise):
        if len(args) < 2 and not (args and kwargs):
            raise _Unfit(
                f"{exercise.name} is a class: say what it is made with, in brackets, and then what it is called with"
            )
        made, args = args[0], args[1:]
        init = _init(exercise, made)
    return Case(
        _PLAIN,
        tuple(map(_carried, args)),
        {name: _carried(value) for name, value in kwargs.items()},
        init=init,
        gradients=any(case.gradients for case in cases),
        quiet=any(case.quiet for case in cases),
        memory=_room(exercise, cases, args, kwargs),
    )


def _is_class(exercise: Exercise) -> bool:
    return inspect.isclass(exercise.reference)


def _names_parameters(exercise: Exercise) -> bool:
    """Whether an exercise says what the parameters are called, so that other names are wrong."""
    return any(case.init is not None and case.init.weights is not None for case in exercise_cases(exercise))


def _init(exercise: Exercise, made: Any) -> Init:
    named = dict(made) if isinstance(made, dict) else {}
    placed = () if isinstance(made, dict) else tuple(made) if isinstance(made, (tuple, list)) else (made,)
    seed = zlib.crc32(exercise.name.encode())
    init = Init(placed, named, seed=seed)
    try:
        return dataclasses.replace(init, weights=_weights(exercise.reference, init))
    except Exception:
        # Whatever it was, the right version says it again when it is run.
        return init


def _weights(reference: Any, init: Init) -> dict[str, np.ndarray]:
    """The same weights for all, none of them 0 or 1 as some are at the start, for those hide what is done with them."""
    from helpers.running.bench import instantiate

    module = instantiate(reference, init)
    chance = np.random.default_rng(init.seed)
    weights = {name: value.detach().numpy().copy() for name, value in module.state_dict().items()}
    for name, value in module.named_parameters():
        weights[name] = weights[name] + 0.5 * chance.normal(size=tuple(value.shape)).astype(weights[name].dtype)
    return weights


def _room(exercise: Exercise, cases: Sequence[Case], args: Sequence[Any], kwargs: dict[str, Any]) -> int | None:
    """How much a call may hold, where an exercise asks to hold little."""
    if all(case.memory is None for case in cases):
        return None
    measured = Case(_PLAIN, tuple(map(_carried, args)), {n: _carried(v) for n, v in kwargs.items()}, memory=0)
    return int(ROOM * _answer(exercise.reference, measured)["memory"])


def _carried(value: Any) -> Any:
    """An argument as a case has it; an object of the learner's own stays what it is."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_carried, value))
    if isinstance(value, dict):
        return {name: _carried(part) for name, part in value.items()}
    if hasattr(value, "detach") and not hasattr(value, "state_dict"):
        try:
            return Tensor(value.detach().cpu().numpy().copy(), gradient=bool(value.requires_grad))
        except TypeError as error:
            raise _Unfit(f"A tensor of type {value.dtype} cannot be compared") from error
    return value


def _answer(version: Callable[..., Any], case: Case) -> Answer:
    """What a version gives, with the state afterwards of the learner's own objects among the arguments."""
    args, kwargs = copy.deepcopy((case.args, dict(case.kwargs)))
    (answer,) = runner.run(version, [dataclasses.replace(case, args=args, kwargs=kwargs)])
    answer["value"] = _comparable(answer["value"])
    for place, item in [*((str(number), item) for number, item in enumerate(args)), *kwargs.items()]:
        if hasattr(item, "observe"):
            answer["after"][place] = plain(item.observe())
        elif hasattr(item, "state_dict") and hasattr(item, "parameters"):
            answer["after"][place] = {name: plain(value) for name, value in item.state_dict().items()}
    return answer


def _compared(exercise: Exercise, versions: Sequence[Version], case: Case, right: Answer) -> Outcome:
    caught = {}
    for version in versions:
        asked, expected = case, right
        if not _fits(exercise, version, case):
            assert case.init is not None
            own = dataclasses.replace(case.init, weights=None)
            asked = dataclasses.replace(case, property=exercise_cases(exercise)[0].property, init=own)
            expected = _answer(exercise.reference, asked)
        answer = _answer(version.mistake.wrong, asked)
        finding = comparison.examine(exercise, asked, answer, expected)
        if finding is not None:
            caught[version.number] = finding
    return Outcome(right=right, caught=caught)


def _fits(exercise: Exercise, version: Version, case: Case) -> bool:
    """Whether a version can be given the right one's weights, or must be able to."""
    if case.init is None or case.init.weights is None or _names_parameters(exercise):
        return True
    from helpers.running.bench import instantiate

    try:
        instantiate(version.mistake.wrong, case.init)
    except NotRunnable:
        return False
    except Exception:
        # That it cannot be made is seen again when it is run.
        return True
    return True


def _told(error: dict[str, Any]) -> str:
    """An error in one line."""
    message = str(error["message"]).strip().partition("\n")[0]
    return f"{error['type']}: {message}" if message else str(error["type"])


def _has_nan(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(_has_nan, value))
    if isinstance(value, dict):
        return any(map(_has_nan, value.values()))
    array = np.asarray(value) if isinstance(value, (np.ndarray, float)) else None
    return array is not None and array.dtype.kind in "fc" and bool(np.isnan(array).any())


def _tested(exercise: Exercise, versions: Sequence[Version], test: Callable[..., Any]) -> Outcome:
    """Run a learner's test on each version."""
    seed = zlib.crc32(exercise.name.encode())
    with _restored(test) as restore:

        def run(version: Callable[..., Any], number: int, like: Callable[..., Any] | None = None) -> Answer:
            restore()
            return _result(test, _Maker(version, number, like) if _is_class(exercise) else version)

        right = run(exercise.reference, seed)
        if right["status"] != "returned":
            return Outcome(f"Your test stops with the right version already: {_told(right['error'])}")
        if right["value"] is None:
            what = f"a {right['opaque']}" if right["opaque"] else "nothing"
            return Outcome(f"Your test returns {what}. Let it `return` what is to be compared: numbers, arrays, True")
        if _has_nan(right["value"]):
            return Outcome("The right version is not defined there: your test gives NaN with it")
        same = _different(exercise, run(exercise.reference, seed + 1), right) is None
        like = None if same else exercise.reference
        caught, unlike = {}, 0
        for version in versions:
            answer = run(version.mistake.wrong, seed, like)
            if answer["error"].get("own") and not _names_parameters(exercise):
                unlike += 1
                continue
            finding = _different(exercise, answer, right)
            if finding is not None:
                caught[version.number] = finding
    if unlike == len(versions):
        return Outcome(
            "What your test returns is another each time, since the start values are random. Let it compare two results"
            " of one object, and return whether they are equal"
        )
    return Outcome(right=right, caught=caught)


class _Maker:
    """Makes objects of one version of a class for a test, always with the same start values.

    Args:
        version: the class.
        seed: of the start values.
        like: another version, whose start values the objects get; None leaves each its own.
    """

    def __init__(self, version: Callable[..., Any], seed: int, like: Callable[..., Any] | None) -> None:
        self._version, self._seed, self._like = version, seed, like

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from helpers.running.bench import instantiate

        self._seed += 1
        init = Init(args, kwargs, seed=self._seed, training=True)
        module = instantiate(self._version, init)
        if self._like is not None:
            state = instantiate(self._like, init).state_dict()
            load_weights(module, {name: value.detach().numpy() for name, value in state.items()})
        return module


def _result(test: Callable[..., Any], version: Any) -> Answer:
    """What a test returns, or how it stopped, in the form of the runner's records."""
    answer: Answer = {"status": "returned", "value": None, "opaque": "", "error": {}}
    silent = io.StringIO()
    try:
        with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = test(version)
        try:
            answer["value"] = _comparable(plain(result))
        except NotRunnable:
            answer["opaque"] = type(result).__name__
    except Exception as error:
        answer["status"], answer["error"] = "raised", describe_error(error)
    return answer


def _comparable(value: Any) -> Any:
    """A result in the form that is compared entry by entry: a list that holds more than whole numbers is a tuple, and
    None in it is a word like others."""
    if isinstance(value, (list, tuple)):
        whole = isinstance(value, list) and all(isinstance(part, int) for part in value)
        return value if whole else tuple("None" if part is None else _comparable(part) for part in value)
    return value


def _different(exercise: Exercise, answer: Answer, right: Answer) -> Finding | None:
    if answer["status"] != "returned":
        return Finding(
            _PLAIN, "raised", answer["error"]["message"] if answer["error"]["own"] else _told(answer["error"])
        )
    return comparison.compare(answer["value"], right["value"], exercise.tolerance)


@contextlib.contextmanager
def _restored(test: Callable[..., Any]) -> Iterator[Callable[[], None]]:
    """Yield a function that puts the arrays which a test reaches back as they were: a wrong version may change them."""
    try:
        reached = inspect.getclosurevars(test)
        found = list(_arrays([*reached.nonlocals.values(), *reached.globals.values()]))
    except (TypeError, ValueError):
        found = []
    before = [(item, copy.deepcopy(item.detach() if hasattr(item, "detach") else item)) for item in found]

    def restore() -> None:
        for item, was in before:
            if isinstance(item, np.ndarray):
                item[...] = was
            else:
                item.detach().copy_(was)

    try:
        yield restore
    finally:
        restore()


def _arrays(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _arrays(value)
        elif isinstance(value, dict):
            yield from _arrays(list(value.values()))
        elif (isinstance(value, np.ndarray) and value.flags.writeable) or (
            hasattr(value, "detach") and hasattr(value, "copy_")
        ):
            yield value
