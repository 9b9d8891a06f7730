"""Calls the learner's function or class on cases and returns plain answers. It has no idea what is right.

Steps for each case: build the arguments, call with the forbidden shortcuts watched, turn the result into
plain arrays, note what else can be seen (inputs changed, memory shared, warnings, prints, gradients).
After the last case it looks again at the first results, for one that a later call has overwritten.

An answer is a dict that `helpers.running.wire` can carry:

    status     "returned", "raised" or "unanswered"
    value      the result as plain arrays, numbers, lists, tuples, dicts; None when it is opaque
    opaque     name of a result type that cannot be passed on, else ""
    type       name of the type that was returned
    changed    places of the arguments that the call changed, e.g. ["1"]
    shares     True when the result shares memory with an argument
    survived   False when a later call changed this result
    gradients  {"argument 0" or parameter name: array or None}, or {} when not asked for
    after      {place: state} of helper objects after the call
    warnings   texts of the warnings that the call gave
    printed    number of characters printed
    memory     the most entries of new tensors held at one time; 0 when not asked for
    shortcut   name of the forbidden function that was called, else ""
    error      for "raised": type, bases (names), message, line (source text), number (line number), where
"""

from __future__ import annotations

import contextlib
import inspect
import io
import itertools
import linecache
import sys
import warnings as python_warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from helpers.exercise import Built, Case, Tensor

from . import shortcuts

MAX_TEXT = 600
# Far more than any model of the course needs; a larger file is not even opened.
MAX_WEIGHTS_MB = 20
_UNREADABLE = object()


class NotRunnable(Exception):
    """The case could not be put to the learner's object; the message says why, for the learner."""


def run(target: Any, cases: Iterable[Case], forbidden: Iterable[str] = ()) -> list[dict]:
    """Call `target` on every case in order and return one answer for each."""
    forbidden = tuple(forbidden)
    answers, kept = [], []
    bench = _Bench(target)
    for case in cases:
        answer, result = _run_case(target, case, forbidden, bench)
        answers.append(answer)
        kept.append(result)
    for answer, result in zip(answers, kept):
        if result is not _UNREADABLE:
            answer["survived"] = _same(_plain(result), answer["value"])
    return answers


def _run_case(target: Any, case: Case, forbidden: tuple[str, ...], bench: _Bench) -> tuple[dict, Any]:
    answer: dict[str, Any] = {
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
    printed = _Counter()
    watch = shortcuts.Watch(forbidden)
    built: dict[str, Any] = {}
    try:
        args = _build(tuple(case.args), "", built, bench)
        kwargs = _build(dict(case.kwargs), "", built, bench)
        before = {place: _snapshot(item) for place, item in built.items()}
        outline = _outline((args, kwargs))
        module = None
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            python_warnings.catch_warnings(record=True) as caught,
            watch,
        ):
            python_warnings.simplefilter("always")
            function = target
            if case.init is not None:
                module = _instantiate(target, case.init)
                function = module
            if case.method is not None:
                function = getattr(function, case.method)
            with _meter(case) as peak:
                for _ in range(case.times):
                    result = _call(function, case, args, kwargs)
        answer["memory"] = peak.elements if peak is not None else 0
        answer["warnings"] = [str(w.message)[:MAX_TEXT] for w in caught[:5]]
        answer["type"] = type(result).__name__
        answer["shares"] = _shares_memory(result, built.values())
        try:
            answer["value"] = _plain(result)
        except NotRunnable:
            answer["opaque"] = _opaque(result)
        answer["changed"] = [
            place for place, old in before.items() if old is not None and not _same(_snapshot(built[place]), old)
        ]
        if _outline((args, kwargs)) != outline:
            answer["changed"].append("arguments")
        answer["after"] = {place: item.observe() for place, item in built.items() if hasattr(item, "observe")}
        if case.gradients:
            answer["gradients"] = _gradients(result, built, module)
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


def _call(function: Any, case: Case, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not case.chunks:
        return function(*args, **kwargs)
    from .chunks import read

    return read(function, case.chunks, *args, **kwargs)


def _meter(case: Case) -> Any:
    """What the call is entered with: a measure of its memory where the case asks for one."""
    if case.memory is None:
        return contextlib.nullcontext()
    from .memory import Peak

    return Peak()


def _instantiate(target: Any, init: Any) -> Any:
    if not inspect.isclass(target) and not callable(target):
        raise NotRunnable("this exercise asks for a class")
    with _seeded(init.seed):
        module = target(*init.args, **dict(init.kwargs))
    if init.weights is not None:
        load_weights(module, dict(init.weights))
    elif init.weights_file is not None:
        load_file(module, init.weights_file, init.prefix)
    if hasattr(module, "train"):
        module.train(init.training)
    return module


@contextlib.contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Let torch draw from a seed, and go on afterwards as if nothing had been drawn."""
    if seed is None:
        yield
        return
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def load_file(module: Any, name: str, prefix: str) -> None:
    """Load the learner's trained weights into a module.

    Raises:
        NotRunnable: they cannot be had or are of another model; the message is for the learner.
    """
    state = read_weights(name, prefix)
    own = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    found = {key: value.shape for key, value in state.items()}
    if own != found:
        different = sorted(key for key in own.keys() | found.keys() if own.get(key) != found.get(key))
        told = [
            f"{key} is {found.get(key, 'not there')} in the file and {own.get(key, 'not there')} in your class"
            for key in different[:3]
        ]
        raise NotRunnable(
            f"{name} has weights of another model than your {type(module).__name__}, run the training cells again:"
            f" {'; '.join(told)}"
        )
    load_weights(module, state)


def read_weights(name: str, prefix: str = "") -> dict[str, np.ndarray]:
    """Return the arrays of a `.safetensors` file in the working directory whose names begin with `prefix`.

    Raises:
        NotRunnable: the file is missing, too large, cannot be read, or holds what is no number; the message is for the
            learner.
    """
    path = Path(name)
    if not path.is_file():
        raise NotRunnable(
            f"there is no {name} beside the notebook: run the training cells, which save it, and hand it in too"
        )
    size = path.stat().st_size
    if size > MAX_WEIGHTS_MB * 2**20:
        raise NotRunnable(
            f"{name} has {size / 2**20:.0f} MB; at most {MAX_WEIGHTS_MB} are read, and the models of this unit need"
            " less than 2"
        )
    from safetensors import SafetensorError
    from safetensors.numpy import load_file as read

    try:
        arrays = read(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise NotRunnable(
            f"{name} is damaged or of another format and cannot be read ({type(error).__name__}): run the training"
            " cells again"
        ) from None
    chosen = {key[len(prefix) :]: value for key, value in arrays.items() if key.startswith(prefix)}
    if not chosen:
        raise NotRunnable(f"{name} has no weights whose names begin with {prefix!r}: run the training cells again")
    broken = sorted(key for key, value in chosen.items() if value.dtype.kind == "f" and not np.isfinite(value).all())
    if broken:
        raise NotRunnable(
            f"{name} has NaN or infinity in {prefix}{broken[0]}: the training went astray, run its cells again"
        )
    return chosen


def load_weights(module: Any, weights: dict[str, np.ndarray]) -> None:
    """Copy arrays into a module's parameters by name; raise `NotRunnable` naming what does not fit."""
    own = module.state_dict()
    missing, unexpected = sorted(set(own) - set(weights)), sorted(set(weights) - set(own))
    wrong = [
        f"{k} is {tuple(own[k].shape)}, expected {tuple(weights[k].shape)}"
        for k in own
        if k in weights and own[k].shape != weights[k].shape
    ]
    if missing or unexpected or wrong:
        parts = []
        if unexpected:
            parts.append("it has no " + ", ".join(unexpected[:6]))
        if missing:
            parts.append("it should not have " + ", ".join(missing[:6]))
        parts += wrong[:4]
        raise NotRunnable(f"the parameters of your {type(module).__name__} differ: " + "; ".join(parts))
    import torch

    module.load_state_dict({k: torch.from_numpy(np.array(v)).to(own[k].dtype) for k, v in weights.items()})


class _Bench:
    """What the cases of one run share: the learner's own names, and objects of the learner's classes, which are slow
    to load."""

    def __init__(self, target: Any) -> None:
        # A decorator's wrapper has the names of the decorator's module; the function below it has the notebook's.
        self._names = getattr(inspect.unwrap(target), "__globals__", {})
        self._made: dict[str, Any] = {}

    def build(self, item: Built, built: dict[str, Any]) -> Any:
        if item.name != "notebook_class":
            from . import objects

            return objects.build(item.name, dict(item.options), built)
        key = repr(sorted(item.options.items()))
        if key not in self._made:
            try:
                self._made[key] = self._of_notebook(**item.options)
            except NotRunnable as error:
                self._made[key] = error
        if isinstance(self._made[key], NotRunnable):
            raise NotRunnable(str(self._made[key]))
        self._made[key].train(False)
        return self._made[key]

    def _of_notebook(self, name: str, weights_file: str, prefix: str, args: Any = (), kwargs: Any = None) -> Any:
        target = self._names.get(name, getattr(sys.modules.get("__main__"), name, None))
        if target is None:
            raise NotRunnable(f"there is no {name} in the notebook: this exercise needs yours")
        try:
            module = target(*args, **(kwargs or {}))
        except NotImplementedError:
            raise NotRunnable(f"this exercise needs your {name}, which is not answered yet") from None
        if not hasattr(module, "state_dict"):
            raise NotRunnable(f"your {name} is no nn.Module, so it cannot be given weights")
        load_file(module, weights_file, prefix)
        return module


def _build(item: Any, place: str, built: dict[str, Any], bench: _Bench) -> Any:
    """Turn a case's argument into what the learner's code receives, and list the objects by their place."""

    def inner(part: Any, name: Any) -> Any:
        return _build(part, f"{place}.{name}" if place else str(name), built, bench)

    if isinstance(item, np.ndarray):
        item = built[place] = item.copy()
    elif isinstance(item, Tensor):
        import torch

        item = built[place] = torch.from_numpy(np.array(item.array)).requires_grad_(item.gradient)
    elif isinstance(item, Built):
        item = built[place] = bench.build(item, built)
    elif isinstance(item, dict):
        item = {name: inner(part, name) for name, part in item.items()}
    elif isinstance(item, (list, tuple)):
        item = type(item)(inner(part, index) for index, part in enumerate(item))
    return item


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _to_array(tensor: Any) -> np.ndarray:
    tensor = tensor.detach().cpu()
    if str(tensor.dtype) == "torch.bfloat16":
        tensor = tensor.float()
    return np.array(tensor.resolve_conj().resolve_neg().numpy())


def _snapshot(item: Any) -> np.ndarray | None:
    if isinstance(item, np.ndarray):
        return item.copy()
    return _to_array(item) if _is_tensor(item) else None


def _outline(item: Any) -> Any:
    """The lists and dicts among the arguments with their keys and plain entries, to see whether the call changed
    them."""
    if isinstance(item, dict):
        return {name: _outline(part) for name, part in item.items()}
    if isinstance(item, (list, tuple)):
        return [_outline(part) for part in item]
    return item if isinstance(item, (bool, int, float, str)) else None


def _plain(value: Any, depth: int = 0) -> Any:
    """Return the result as values that the wire carries; raise `NotRunnable` when there is no such form."""
    if depth > 20:
        raise NotRunnable("nested too deeply")
    if _is_tensor(value):
        return _to_array(value)
    if isinstance(value, np.ma.MaskedArray):
        raise NotRunnable("masked array")
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufc" or value.dtype.itemsize > 16 or value.dtype.str[1:] == "f16":
            raise NotRunnable("dtype")
        return np.array(value)
    if isinstance(value, np.generic):
        return _plain(np.asarray(value), depth)
    if value is None or isinstance(value, (bool, int, float, str)):
        return (
            type(value)(value) if type(value) in (bool, int, float, str) else value if value is None else _base(value)
        )
    if isinstance(value, dict):
        if len(value) > 10_000 or any(type(key) is not str for key in value):
            raise NotRunnable("dict")
        return {key: _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) > 100_000:
            raise NotRunnable("too long")
        kind = tuple if isinstance(value, tuple) else list
        return kind(_plain(item, depth + 1) for item in value)
    raise NotRunnable(type(value).__name__)


def _opaque(result: Any) -> str:
    """What a result that cannot be passed on is called; for an array its dtype is what is wrong with it."""
    plain = isinstance(result, np.ndarray) and not isinstance(result, np.ma.MaskedArray)
    return f"NumPy array of dtype {result.dtype}"[:100] if plain else type(result).__name__


def _base(value: Any) -> Any:
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise NotRunnable(type(value).__name__)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(itertools.chain.from_iterable(_leaves(v) for v in value.values()))
    if isinstance(value, (list, tuple)):
        return list(itertools.chain.from_iterable(_leaves(v) for v in value))
    return [value]


def _storage(item: Any) -> np.ndarray | None:
    if isinstance(item, np.ndarray):
        return item
    if _is_tensor(item) and item.device.type == "cpu" and str(item.dtype) != "torch.bfloat16" and not item.is_sparse:
        return item.detach().resolve_conj().resolve_neg().numpy()
    return None


def _shares_memory(result: Any, inputs: Iterable[Any]) -> bool:
    outputs = [s for s in map(_storage, _leaves(result)) if s is not None and s.size]
    sources = [s for s in map(_storage, inputs) if s is not None and s.size]
    return any(np.may_share_memory(a, b) for a in outputs for b in sources)


def _same(a: Any, b: Any) -> bool:
    """Exact equality of two plain values; NaN equals NaN."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    return a == b or (a != a and b != b)


def _gradients(result: Any, built: dict[str, Any], module: Any) -> dict[str, np.ndarray | None]:
    """Gradients of sum(output * w) for fixed weights w that depend on the output's place and size only."""
    import torch

    total = None
    for index, leaf in enumerate(_leaves(result)):
        if _is_tensor(leaf) and leaf.is_floating_point():
            weights = torch.cos(torch.arange(leaf.numel(), dtype=torch.float64) * 1.7 + index).to(leaf.dtype)
            part = (leaf * weights.reshape(leaf.shape)).sum()
            total = part if total is None else total + part
    sources = {f"argument {place}": item for place, item in built.items() if _is_tensor(item) and item.requires_grad}
    if module is not None and hasattr(module, "named_parameters"):
        sources.update({name: item for name, item in module.named_parameters() if item.requires_grad})
    if total is None or not total.requires_grad:
        return dict.fromkeys(sources)
    total.backward()
    return {name: None if item.grad is None else _to_array(item.grad) for name, item in sources.items()}


def describe_error(error: BaseException) -> dict[str, Any]:
    """Return an error as plain text: its type, message, and the last line of the learner's own code."""
    here = str(Path(__file__).parent.parent)
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno, trace.tb_frame.f_code.co_name))
        trace = trace.tb_next
    own = [
        frame
        for frame in frames
        if not frame[0].startswith(here) and "site-packages" not in frame[0] and "/lib/python" not in frame[0]
    ]
    name, number, where = (own or [("", 0, "")])[-1]
    try:
        message = str(error)
    except Exception:
        message = ""
    return {
        "type": type(error).__name__[:100],
        "bases": [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"],
        "message": message[:MAX_TEXT],
        "line": linecache.getline(name, number).strip()[:200] if name else "",
        "number": number,
        "where": where[:100],
        "own": isinstance(error, (NotRunnable, shortcuts.ForbiddenShortcut)),
    }


class _Counter(io.TextIOBase):
    """A text stream that counts what is printed and keeps nothing."""

    def __init__(self) -> None:
        self.count = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.count += len(text)
        return len(text)
