"""The records an exercise is made of: `Exercise`, `Case`, `Mistake`, and what may stand in a case."""

from __future__ import annotations

import builtins
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

import numpy as np

DEFAULT_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Tensor:
    """An array that reaches the learner's code as a `torch.Tensor`.

    `gradient=True` makes it a leaf that requires a gradient; the runner then reports that gradient.
    """

    array: np.ndarray
    gradient: bool = False


@dataclass(frozen=True)
class Built:
    """A named object of `helpers.running.objects`, built in the learner's process from plain options.

    "notebook_class" is an object of a class that the learner wrote: options "name", "args" or "kwargs", "weights_file",
    "prefix", "renamed".
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Init:
    """How a class exercise is instantiated before it is called.

    Attributes:
        args, kwargs: arguments of the constructor.
        weights: arrays for `load_state_dict(strict=True)`; None leaves the learner's own start values.
        weights_file: name of a `.safetensors` file beside the notebook to load instead.
        prefix: only entries of that file that begin with this prefix are loaded, without it.
        renamed: by the name of an argument in `kwargs` that counts tokens, the new id of each token; the weights of the
            file are put into the order that goes with them, see `helpers.running.renaming`.
        training: whether the module is in training mode while it is called.
        seed: of torch's random numbers while the object is made, so that several cases get the same start values; None
            leaves them alone.
        earlier: arguments of calls that are made before the one that counts, on the same object and in the same mode;
            what it kept of them must not show.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] | None = None
    weights_file: str | None = None
    prefix: str = ""
    renamed: Mapping[str, Sequence[int]] = field(default_factory=dict)
    training: bool = False
    seed: int | None = None
    earlier: tuple[tuple[Any, ...], ...] = ()

    @property
    def from_file(self) -> bool:
        """Whether the weights are the learner's own, which the judge does not have."""
        return self.weights is None and self.weights_file is not None


@dataclass(frozen=True)
class Case:
    """One call of the learner's function or object, and the property that the call probes.

    Attributes:
        property: "values", "batch axes", "large scores", "gradients", "bad arguments", ...
        args, kwargs: arrays, numbers, strings, None, `Tensor`, `Built`, and lists, tuples, dicts of them.
        init: for a class, how to make the object.
        method: for a class, the method to call; None calls the object itself.
        gradients: also report the gradients of a fixed weighted sum of the outputs.
        raises: name of the built-in error that the call must raise, e.g. "ValueError".
        quiet: a warning during the call counts as a failure.
        memory: the most entries of new tensors that the call may hold at one time; None measures nothing.
        times: how often the call is made, with the same arguments; the last result counts.
        chunks: lengths of the pieces that the first argument is cut into along its last axis. The object is called for
            each piece with the other arguments, and from the second piece on also with the cache that the call before
            returned beside its result; the results, joined along the last axis but one, count. The last piece is read
            twice from the same cache, as a caller may, and the second result counts. Empty makes a plain call.
        truth: what a compare hook has to know and nobody else; it stays with the judge.
        label: a name for `Relation`s to refer to.
        note: what the call looks like, in words for the learner: "3 queries, 5 keys".
        traits: further traits (words of `helpers.judging.traits`) that the case was made to probe.
    """

    property: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    init: Init | None = None
    method: str | None = None
    gradients: bool = False
    raises: str | None = None
    quiet: bool = False
    memory: int | None = None
    times: int = 1
    chunks: tuple[int, ...] = ()
    truth: Any = None
    label: str = ""
    note: str = ""
    traits: tuple[str, ...] = ()

    # One of the fields is called property, too.
    @builtins.property
    def from_file(self) -> bool:
        """Whether the case needs weights that the learner trained, so that only a compare hook or a relation can
        judge it."""
        of_notebook = any(
            isinstance(item, Built) and item.name == "notebook_class" for item in (*self.args, *self.kwargs.values())
        )
        return of_notebook or (self.init is not None and self.init.from_file)


@dataclass(frozen=True)
class Mistake:
    """A wrong idea that learners really have.

    Attributes:
        name: what was done, as one says it to the learner: "divided by d_k, not by √d_k".
        hint: one sentence that leads on without giving the answer away.
        wrong: an implementation that has exactly this mistake.
    """

    name: str
    hint: str
    wrong: Callable[..., Any]


Arguments = ParamSpec("Arguments")
Wrong = TypeVar("Wrong", bound=Callable[..., Any])


def in_parts(factory: Callable[Arguments, Wrong]) -> Callable[Arguments, Wrong]:
    """Decorate a function that makes wrong answers by replacing parts of a right one, each an argument with a default.

    Where two mistakes replace different parts, the judge makes both at once, and can name both.
    """
    signature = inspect.signature(factory)

    @functools.wraps(factory)
    def make(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Wrong:
        wrong = factory(*args, **kwargs)
        setattr(wrong, PARTS, (factory, dict(signature.bind(*args, **kwargs).arguments)))
        return wrong

    return make


# The attribute in which `in_parts` notes what was replaced.
PARTS = "_attention_parts"


@dataclass(frozen=True)
class Relation:
    """A demand on several answers at once, for results that no single expected value can judge.

    Attributes:
        property: the property that fails when the relation does not hold.
        test: receives the values returned for the labelled cases, `{label: value}`; returns None,
            or a sentence that says what does not hold.
    """

    property: str
    test: Callable[[Mapping[str, Any]], str | None]


@dataclass(frozen=True, eq=False)
class Exercise:
    """Everything the course knows about one exercise.

    Attributes:
        name: the function or class the learner writes; also the grade_id of the answer cell.
        reference: the implementation that answers are compared with.
        cases: draws the cases from a `numpy.random.Generator`; equal generators, equal cases.
        mistakes: known wrong ideas, each with a name and a hint.
        forbidden: library functions that would do the exercise; see `helpers.running.shortcuts`.
        tolerance: relative tolerance of values.
        may_share_memory: whether the result may be a view of an input.
        compare: per property, `compare(case, value, expected)` returning None or a sentence that says
            what is wrong; replaces the comparison by value.
        relations: demands on several answers at once.
        hints: general steps towards the answer, weakest first, for when no mistake is recognised.
    """

    name: str
    reference: Callable[..., Any]
    cases: Callable[[np.random.Generator], Sequence[Case]]
    mistakes: tuple[Mistake, ...] = ()
    forbidden: tuple[str, ...] = ()
    tolerance: float = DEFAULT_TOLERANCE
    may_share_memory: bool = False
    compare: Mapping[str, Callable[[Case, Any, Any], str | None]] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()
    hints: tuple[str, ...] = ()
