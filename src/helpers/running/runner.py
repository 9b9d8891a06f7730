"""Calls the learner's function or class on cases and returns plain answers. It has no idea what is right.

Steps for each case: build the arguments, call with the forbidden shortcuts watched, turn the result into
plain arrays, note what else can be seen (inputs changed, memory shared, warnings, prints, gradients).
After the last case it looks again at the first results, for one that a later call has overwritten.

An answer is a dict that `helpers.running.wire` can carry:

    status     "returned", "raised" or "unanswered"
    value      the result as plain arrays, numbers, lists, tuples, dicts; None when it is opaque
    opaque     name of a result type that cannot be passed on, else ""
    type       name of the type that was returned; "tuple of Tensor" for results that are all tensors
    changed    places of the arguments that the call changed, e.g. ["1"]
    shares     True when the result shares memory with an argument
    survived   False when a later call changed this result
    gradients  {"argument 0" or parameter name: array or None}, or {} when not asked for
    after      {place: state} of helper objects after the call
    warnings   texts of the warnings that the call gave
    printed    number of characters printed
    memory     the most entries of new tensors held at one time; 0 when not asked for
    shortcut   name of the forbidden function that was called, else ""
    error      for "raised" and "unanswered": what `helpers.running.errors.describe_error` returns
"""

from __future__ import annotations

import builtins
import contextlib
import io
import warnings as python_warnings
from collections.abc import Iterable, Iterator
from typing import Any

from helpers.exercise import Case

from . import chunks, shortcuts
from .bench import Bench, build, instantiate
from .errors import MAX_TEXT, NotRunnable, describe_error
from .settled import settled
from .values import gradients, kind, opaque, outline, plain, same, shares_memory, snapshot

_UNREADABLE = object()
# All operators of every so manieth call are looked at; a shortcut is in most of them.
THOROUGH = 4
Answer = dict[str, Any]


@settled()
def run(target: Any, cases: Iterable[Case], forbidden: Iterable[str] = ()) -> list[Answer]:
    """Call `target` on every case in order and return one answer for each."""
    forbidden = tuple(forbidden)
    answers, kept = [], []
    bench = Bench(target)
    for index, case in enumerate(cases):
        watch = shortcuts.Watch(forbidden, thorough=index % THOROUGH == 0)
        answer, result = _run_case(target, case, watch, bench)
        answers.append(answer)
        kept.append(result)
    for answer, result in zip(answers, kept):
        if result is not _UNREADABLE:
            answer["survived"] = same(plain(result), answer["value"])
    return answers


def blank() -> Answer:
    """Return the answer of a call that returned nothing and showed nothing: all fields, each of its type."""
    return {
        "status": "returned",
        "value": None,
        "opaque": "",
        "type": "",
        "changed": [],
        "shares": False,
        "survived": True,
        "gradients": {},
        "after": {},
        "warnings": [],
        "printed": 0,
        "memory": 0,
        "shortcut": "",
        "error": {},
    }


def _run_case(target: Any, case: Case, watch: shortcuts.Watch, bench: Bench) -> tuple[Answer, Any]:
    answer = blank()
    printed = _Counter()
    built: dict[str, Any] = {}
    try:
        args = build(tuple(case.args), "", built, bench)
        kwargs = build(dict(case.kwargs), "", built, bench)
        before = {place: snapshot(item) for place, item in built.items()}
        before_call = outline((args, kwargs))
        module = None
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            python_warnings.catch_warnings(record=True) as caught,
            watch,
            _nobody_to_ask(),
        ):
            python_warnings.simplefilter("always")
            function = target
            if case.init is not None:
                module = instantiate(target, case.init)
                function = module
            if case.method is not None:
                function = getattr(function, case.method)
            for earlier in case.init.earlier if case.init is not None else ():
                function(*build(tuple(earlier), "", {}, bench))
            with _meter(case) as peak:
                for _ in range(case.times):
                    result = _call(function, case, args, kwargs)
        answer["memory"] = peak.elements if peak is not None else 0
        answer["warnings"] = [str(w.message)[:MAX_TEXT] for w in caught[:5]]
        answer["type"] = kind(result)
        answer["shares"] = shares_memory(result, built.values())
        try:
            answer["value"] = plain(result)
        except NotRunnable:
            answer["opaque"] = opaque(result)
        answer["changed"] = [
            place for place, old in before.items() if old is not None and not same(snapshot(built[place]), old)
        ]
        if outline((args, kwargs)) != before_call:
            answer["changed"].append("arguments")
        answer["after"] = {place: item.observe() for place, item in built.items() if hasattr(item, "observe")}
        if case.gradients:
            answer["gradients"] = gradients(result, built, module)
    except NotImplementedError as error:
        answer["status"] = "unanswered"
        answer["error"] = describe_error(error)
        result = _UNREADABLE
    except Exception as error:
        answer["status"] = "raised"
        answer["error"] = describe_error(error)
        result = _UNREADABLE
    answer["printed"] = printed.count
    answer["shortcut"] = watch.seen
    if answer["opaque"] or answer["status"] != "returned":
        result = _UNREADABLE
    return answer, result


def brief(answer: Answer) -> Answer:
    """Return an answer without what it says as usual; `blank() | brief(answer)` is the answer again."""
    usual = blank()
    return {
        name: value for name, value in answer.items() if type(value) is not type(usual[name]) or value != usual[name]
    }


@contextlib.contextmanager
def _nobody_to_ask() -> Iterator[None]:
    """Stop `input()`, which would wait for a person: nobody sits before a notebook while it is graded."""

    def ask(*prompt: object) -> str:
        raise NotRunnable(
            "your code calls `input()`, which waits for somebody to type; what it needs comes in its arguments"
        )

    before = builtins.input
    builtins.input = ask
    try:
        yield
    finally:
        builtins.input = before


def _call(function: Any, case: Case, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return chunks.read(function, case.chunks, *args, **kwargs) if case.chunks else function(*args, **kwargs)


def _meter(case: Case) -> Any:
    """What the call is entered with: a measure of its memory where the case asks for one."""
    if case.memory is None:
        return contextlib.nullcontext()
    from .memory import Peak

    return Peak()


class _Counter(io.TextIOBase):
    """A text stream that counts what is printed and keeps nothing."""

    def __init__(self) -> None:
        self.count = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.count += len(text)
        return len(text)
