"""The three tasks of a review, made from an exercise's own records and a number: the same number, the same tasks.

1. Write it again: the bare signature.
2. Which is right? An input with the right result and that of one mistake, and what the other did, among three.
3. By hand: a number of a result with small figures; where the arithmetic is too much for paper, how many numbers there
   are.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers import contents
from helpers.desk import examples
from helpers.exercise import Built, Case, Exercise, Mistake, Tensor
from helpers.judging import judge
from helpers.judging.judge import Paper
from helpers.running import runner

# Seeds of the visible and hidden cases are small.
_SEEDS = 1_000_000
_MISTAKES = 1000
_CHOICES = 3
_SMALL = 12
# Cases and pairs of a mistake and a case that are looked at for one to show.
_LOOKS, _TRIES = 6, 24
# What is worked on paper is rounded.
NEAR = 0.01


@dataclass(frozen=True)
class Spot:
    """Two results, one of them right.

    Attributes:
        given: what goes in, as lines.
        a, b: the results.
        right: "A" or "B".
        choices: what the other may have done.
        did: the number of what it did, from 1.
        mistake: the mistake.
    """

    given: tuple[str, ...]
    a: str
    b: str
    right: str
    choices: tuple[str, ...]
    did: int
    mistake: Mistake


@dataclass(frozen=True)
class Number:
    """A number to work out by hand.

    Attributes:
        given: what goes in, as lines.
        asked: the question.
        value: the answer.
    """

    given: tuple[str, ...]
    asked: str
    value: float


def key(seed: int, exercise: Exercise, names: Sequence[str]) -> int:
    """Return the number that a review is made from.

    Args:
        seed: another one, other figures.
        exercise: what is reviewed.
        names: mistakes of the learner's own, the most recent last; the mistake to spot is that one, if it is known.
    """
    known = [mistake.name for mistake in exercise.mistakes]
    own = [known.index(name) for name in names if name in known]
    if not known:
        return seed * _MISTAKES
    number = own[-1] if own else int(np.random.default_rng(seed).integers(len(known)))
    return seed * _MISTAKES + number


def _paper(exercise: Exercise, number: int) -> Paper:
    return judge.paper(exercise, _SEEDS + number // _MISTAKES)


def spot(exercise: Exercise, number: int) -> Spot | None:
    """Return the second task, or None for an exercise whose mistakes cannot be shown beside what is right."""
    paper, chance = _paper(exercise, number), np.random.default_rng(number)
    begin = number % _MISTAKES
    places = [place for place in _by_size(paper) if paper.cases[place].property not in exercise.compare]
    others = (*exercise.mistakes[begin + 1 :], *exercise.mistakes[:begin])
    pairs = [(mistake, place) for mistake in exercise.mistakes[begin : begin + 1] for place in places]
    pairs += [(mistake, place) for mistake in others for place in places[:_LOOKS]][:_TRIES]
    # Weights are too many to show: there a result has to look wrong, not only be another one.
    for only_seen in (True, False) if inspect.isclass(exercise.reference) else (False,):
        for mistake, place in pairs:
            found = _shown(paper, mistake, place)
            if found is not None and (not only_seen or _looks_wrong(*found)):
                right, wrong = found
                choices = [mistake.name, *_others(paper, mistake, place, chance)]
                chance.shuffle(choices)
                is_a = bool(chance.integers(2))
                a, b = (right, wrong) if is_a else (wrong, right)
                given = examples.given(exercise, paper.cases[place]) or (f"{exercise.name}() takes nothing",)
                did = choices.index(mistake.name) + 1
                return Spot(given, a, b, "A" if is_a else "B", tuple(choices), did, mistake)
    return None


def _looks_wrong(right: str, wrong: str) -> bool:
    """Whether the form of two results differs, or what kind of numbers they hold."""
    return any(right.count(mark) != wrong.count(mark) for mark in ("[", "stops", "nan", "inf"))


def _by_size(paper: Paper) -> list[int]:
    """The cases by how much there is to read."""
    known = [number for number, case in enumerate(paper.cases) if not case.from_file and case.raises is None]
    # One number alone shows little.
    return sorted(known, key=lambda i: (examples.size(paper.cases[i]) < 3, examples.size(paper.cases[i])))


def _shown(paper: Paper, mistake: Mistake, place: int) -> tuple[str, str] | None:
    """The right result and that of a mistake as text, or None where they do not differ in a way that can be seen."""
    answer, finding = paper.mistaken_at(mistake, place)
    if finding is None:
        return None
    if finding.yours is not None and finding.expected is not None:
        right, wrong = _text(finding.expected), _text(finding.yours)
    elif answer["status"] != "returned" and not answer["error"]["own"]:
        right, wrong = _text(_first(paper.expected[place]["value"])), f"stops with {answer['error']['type']}"
    else:
        return None
    return (right, wrong) if right != wrong else None


def _first(value: Any) -> Any:
    """The first array or number of a result."""
    while isinstance(value, (tuple, list)) and value and not all(isinstance(part, int) for part in value):
        value = value[0]
    return next(iter(value.values())) if isinstance(value, dict) and value else value


def _text(value: Any) -> str:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        return str(value)
    if array.size <= _SMALL:
        return np.array2string(array, precision=3, suppress_small=True, separator=" ")
    few = np.array2string(array.ravel()[:4], precision=3, suppress_small=True, separator=" ").strip("[]")
    return f"shape {array.shape}, beginning with {few}"


def _others(paper: Paper, mistake: Mistake, place: int, chance: np.random.Generator) -> list[str]:
    """Other mistakes that would have given another result on this input."""
    shown = _shown(paper, mistake, place)
    found = []
    for number in chance.permutation(len(paper.exercise.mistakes)):
        other = paper.exercise.mistakes[number]
        if other is not mistake and _shown(paper, other, place) != shown:
            found.append(other.name)
        if len(found) == _CHOICES - 1:
            break
    return found


def number(exercise: Exercise, code: int) -> Number:
    """Return the third task."""
    paper, chance = _paper(exercise, code), np.random.default_rng(code)
    for place in _by_size(paper):
        case = paper.cases[place]
        if _is_for_paper(case) and case.property not in exercise.compare:
            rounded = dataclasses.replace(
                case, args=_rounded(case.args), kwargs={name: _rounded(part) for name, part in case.kwargs.items()}
            )
            (answer,) = runner.run(exercise.reference, [rounded])
            value = np.asarray(_first(answer["value"])) if answer["status"] == "returned" else np.asarray("")
            if value.dtype.kind in "iuf" and value.size and np.isfinite(value).all() and np.abs(value).max() < 1000:
                index = tuple(int(chance.integers(length)) for length in value.shape)
                of = "the first result" if isinstance(answer["value"], (tuple, list, dict)) else "the result"
                at = f"entry {list(index)} of {of}" if index else of
                return Number(examples.given(exercise, rounded), f"What is {at}?", float(value[index]))
    return _count(exercise, paper)


def _is_for_paper(case: Case) -> bool:
    arguments = [*case.args, *case.kwargs.values()]
    return (
        case.init is None
        and bool(arguments)
        and examples.size(case) <= _SMALL
        and not any(isinstance(one, (Built, dict)) for one in arguments)
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_rounded, value))
    if isinstance(value, Tensor):
        return dataclasses.replace(value, array=_rounded(value.array))
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.round(value, 1)
    return value


def _count(exercise: Exercise, paper: Paper) -> Number:
    """How many numbers there are, in the parameters of an object or in a result."""
    for place in _by_size(paper):
        case = paper.cases[place]
        if case.init is not None:
            module = exercise.reference(*case.init.args, **dict(case.init.kwargs))
            named = zip(inspect.signature(exercise.reference).parameters, case.init.args)
            made = ", ".join(f"{name}={part!r}" for name, part in [*named, *case.init.kwargs.items()])
            many = sum(parameter.numel() for parameter in module.parameters())
            if many:
                return Number((f"{exercise.name}({made})",), "How many numbers are in its parameters?", many)
    place = _by_size(paper)[0]
    value = paper.expected[place]["value"]
    given = examples.given(exercise, paper.cases[place]) or (f"{exercise.name}() takes nothing",)
    if isinstance(value, str):
        return Number(given, "How many letters does the result have?", len(value))
    first = _first(value)
    several = isinstance(value, tuple)
    many = len(first) if isinstance(first, list) else int(np.asarray(first).size)
    return Number(given, f"How many numbers are in the {'first ' if several else ''}result?", many)


def signature(exercise: Exercise) -> str:
    """Return the first task: the bare signature, with what raises in the place of an answer."""
    reference = exercise.reference
    if not inspect.isclass(reference):
        return f"def {exercise.name}{_bare(reference)}:\n    raise NotImplementedError\n"
    lines = [f"class {exercise.name}(nn.Module):"]
    for name, method in vars(reference).items():
        if inspect.isfunction(method) and (name == "__init__" or not name.startswith("_")):
            body = "        super().__init__()\n" if name == "__init__" else ""
            lines.append(f"    def {name}{_bare(method)}:\n{body}        raise NotImplementedError\n")
    return "\n".join(lines)


def _bare(function: Any) -> str:
    told = inspect.signature(function)
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in told.parameters.values()]
    return str(told.replace(parameters=plain, return_annotation=inspect.Signature.empty))


def imports(exercise: Exercise) -> str:
    """Return the imports that an answer needs: libraries, and earlier pieces of the course that the reference uses."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(exercise.reference))).body
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {exercise.name}
    module = inspect.getmodule(exercise.reference)
    lines = ["import numpy as np"]
    if module is not None and hasattr(module, "torch"):
        lines += ["import torch", "import torch.nn.functional as F", "from torch import nn"]
    return "\n".join([*lines, "", *_pieces(used)])


def _pieces(used: set[str]) -> Iterator[str]:
    yield "from helpers import check"
    yield "from helpers.practice import by_hand, spot"
    for unit in contents.units().values():
        names = [task.name for task in unit.tasks if task.name in used and not task.written]
        if names:
            yield f"from helpers.reference.{unit.name} import {', '.join(names)}"
