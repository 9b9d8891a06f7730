"""`next_probabilities`: its cases, mistakes and hints."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake, Tensor, in_parts
from helpers.reference import u9_language_model as reference


def _logits(*rows: list[float]) -> Tensor:
    return Tensor(np.log(np.array(rows if len(rows) > 1 else rows[0])).astype("f4"))


def _shuffled(rng: np.random.Generator, shares: list[float]) -> Tensor:
    """Logits, up to a constant, of these probabilities in any order."""
    order = rng.permutation(len(shares))
    return Tensor((np.log(np.array(shares))[order] + rng.normal()).astype("f4"))


def _draw(rng: np.random.Generator, *lead: int, gradient: bool = False) -> Tensor:
    """Logits that differ by a third at least, so that no two are as good as equal: (*lead, 7)."""
    ladder = np.array([-1.1, -0.7, 0.0, 0.5, 1.2, 1.6, 2.9])
    rows = [ladder[rng.permutation(7)] for _ in range(math.prod(lead))]
    return Tensor(np.array(rows).reshape(*lead, 7).astype("f4"), gradient)


def _cases(rng: np.random.Generator) -> list[Case]:
    shares = [0.05, 0.10, 0.13, 0.17, 0.25, 0.30]
    steep = [0.001, 0.009, 0.02, 0.07, 0.9]
    endless = _draw(rng)
    endless.array[2] = -np.inf
    tied = np.array([[1.0, 3.0, 0.0, 3.0, 3.0], [2.0, -1.0, 2.0, 0.0, 1.0]], dtype="f4")
    whole = Tensor(rng.permutation(6) - 2)
    return [
        Case("values", (_draw(rng),), note="7 logits, everything else at its default"),
        Case("temperature", (_draw(rng), 0.5), note="temperature = 0.5"),
        Case("temperature", (_draw(rng),), {"temperature": 2.0}, note="temperature = 2"),
        Case("temperature zero", (_draw(rng), 0), note="temperature = 0"),
        Case("temperature zero", (Tensor(tied), 0.0), note="temperature = 0, several largest"),
        Case(
            "temperature zero",
            (_draw(rng, 2),),
            {"temperature": 0, "top_k": 3, "top_p": 0.5},
            note="temperature = 0, top_k, top_p",
        ),
        Case("top_k", (_draw(rng),), {"top_k": 3}, note="top_k = 3 of 7"),
        Case("top_k", (_draw(rng),), {"top_k": 1}, note="top_k = 1"),
        Case("top_k", (_draw(rng),), {"top_k": 20}, note="top_k = 20, more than there are"),
        Case(
            "top_p", (_shuffled(rng, shares),), {"top_p": 0.6}, note="0.30, 0.25, 0.17, ... in any order; top_p = 0.6"
        ),
        Case("top_p", (_shuffled(rng, shares),), {"top_p": 0.5}, note="the same numbers, top_p = 0.5"),
        Case("top_p", (_shuffled(rng, shares),), {"top_p": 0.97}, note="the same numbers, top_p = 0.97"),
        Case("top_p", (_shuffled(rng, shares),), {"top_p": 1.0}, note="top_p = 1 leaves everything"),
        Case("never empty", (_shuffled(rng, steep),), {"top_p": 0.4}, note="one token has 0.9; top_p = 0.4"),
        Case("never empty", (_draw(rng),), {"top_p": 1e-6}, note="top_p = 0.000001"),
        Case("order of the steps", (_draw(rng), 2.0), {"top_p": 0.7}, note="temperature = 2, then top_p = 0.7"),
        Case("order of the steps", (_draw(rng), 0.5), {"top_p": 0.85}, note="temperature = 0.5, then top_p = 0.85"),
        Case(
            "order of the steps",
            (_shuffled(rng, shares),),
            {"top_k": 3, "top_p": 0.7},
            note="top_k = 3, then top_p = 0.7",
        ),
        Case(
            "order of the steps",
            (_shuffled(rng, shares),),
            {"top_k": 4, "top_p": 0.9},
            note="top_k = 4, then top_p = 0.9",
        ),
        Case("order of the steps", (_draw(rng, 2), 1.5, 5, 0.8), note="all three: 1.5, 5, 0.8"),
        Case("axes of length one", (Tensor(rng.normal(size=(1, 1)).astype("f4")),), note="a vocabulary of one word"),
        Case("values", (_draw(rng),), note="7 other logits, everything else at its default"),
        Case("batch axes", (_draw(rng, 3),), {"top_k": 2}, note="3 rows, top_k = 2"),
        Case("batch axes", (_draw(rng, 2, 3), 0.8, None, 0.6), note="2 × 3 rows, temperature = 0.8, top_p = 0.6"),
        Case("batch axes", (_draw(rng, 1, 1), 0.7, 4, 0.9), note="1 × 1 rows, all three"),
        Case("large logits", (Tensor((50 * _draw(rng, 2).array).astype("f4") + 1e4), 0.5), note="logits around 10,000"),
        Case("impossible tokens", (endless,), {"top_p": 0.9}, note="one logit is -∞"),
        Case("whole numbers", (whole,), note="logits that are whole numbers"),
        Case("whole numbers", (whole, 0), note="logits that are whole numbers, temperature = 0"),
        Case("gradients", (_draw(rng, 2, gradient=True), 0.7), gradients=True, note="gradient of the logits"),
        *(
            Case("bad arguments", (_draw(rng),), named, raises="ValueError", note=note)
            for named, note in (
                ({"temperature": -0.5}, "temperature = -0.5"),
                ({"top_k": 0}, "top_k = 0"),
                ({"top_k": -2}, "top_k = -2"),
                ({"top_p": -0.1}, "top_p = -0.1"),
                ({"top_p": 1.5}, "top_p = 1.5"),
                ({"temperature": 0, "top_k": 0}, "temperature = 0 and top_k = 0"),
            )
        ),
    ]


def _one_hot(logits: Any) -> Any:
    return reference.next_probabilities(logits, 0)


def _soften(logits: Any, temperature: float) -> Any:
    return torch.softmax(logits.float() / temperature, dim=-1)


def _even(p: Any) -> Any:
    return p / p.sum(dim=-1, keepdim=True)


def _top_k(p: Any, k: int, keep: int = 0) -> Any:
    """The k largest; the others are 0."""
    least = p.sort(dim=-1, descending=True).values[..., min(k + keep, p.shape[-1]) - 1 : min(k + keep, p.shape[-1])]
    return torch.where(p >= least, p, torch.zeros_like(p))


def _top_p(p: Any, share: float, stays: Callable[..., Any] = lambda before, after, share: before < share) -> Any:
    """Those that stay by a rule of the sum before a token, the sum with it, and the share; the others are 0."""
    ordered, places = p.sort(dim=-1, descending=True, stable=True)
    after = ordered.cumsum(dim=-1)
    kept = torch.where(stays(after - ordered, after, share), ordered, torch.zeros_like(ordered))
    return torch.zeros_like(p).scatter(-1, places, kept)


@in_parts
def _sampler(
    soften: Callable[..., Any] = _soften,
    cut_k: Callable[..., Any] = _top_k,
    cut_p: Callable[..., Any] = _top_p,
    between: Callable[..., Any] = _even,
    finish: Callable[..., Any] = _even,
    zero: Callable[..., Any] = _one_hot,
    check: bool = True,
) -> Callable[..., Any]:
    """The right function with some of its steps replaced."""

    def wrong(logits: Any, temperature: float = 1.0, top_k: Any = None, top_p: Any = None) -> Any:
        if check:
            reference.next_probabilities(logits, temperature, top_k, top_p)
        if temperature == 0:
            return zero(logits)
        p = soften(logits, temperature)
        if top_k is not None:
            p = between(cut_k(p, top_k))
        if top_p is not None:
            p = cut_p(p, top_p)
        return p if top_k is None and top_p is None else finish(p)

    return wrong


def _temperature_last(logits: Any, temperature: float = 1.0, top_k: Any = None, top_p: Any = None) -> Any:
    reference.next_probabilities(logits, temperature, top_k, top_p)
    cut = reference.next_probabilities(logits, 1.0, top_k, top_p)
    return reference.next_probabilities(cut.log(), temperature)


def _lenient(**allowed: Any) -> Callable[..., Any]:
    """Takes bad values of some arguments as if they were these, and refuses others."""

    def wrong(logits: Any, temperature: float = 1.0, top_k: Any = None, top_p: Any = None) -> Any:
        if "temperature" in allowed and temperature < 0:
            return torch.softmax(logits / temperature, dim=-1)
        if "top_k" in allowed and top_k is not None and top_k < 1:
            top_k = allowed["top_k"]
        if "top_p" in allowed and top_p is not None and not 0 < top_p <= 1:
            top_p = allowed["top_p"]
        return reference.next_probabilities(logits, temperature, top_k, top_p)

    return wrong


def _unsorted(p: Any, share: float) -> Any:
    """Goes through the tokens in the order of the vocabulary."""
    return torch.where(p.cumsum(dim=-1) - p < share, p, torch.zeros_like(p))


def _left_sorted(p: Any, share: float) -> Any:
    return _top_p(p, share).sort(dim=-1, descending=True).values


def _moved_twice(logits: Any, temperature: float = 1.0, top_k: Any = None, top_p: Any = None) -> Any:
    right = reference.next_probabilities(logits, temperature, top_k, top_p)
    if temperature == 0:
        return right
    places = _soften(logits, temperature).sort(dim=-1, descending=True, stable=True).indices
    return right.gather(-1, places).gather(-1, places)


def _zero_logits(logits: Any, temperature: float = 1.0, top_k: Any = None, top_p: Any = None) -> Any:
    reference.next_probabilities(logits, temperature, top_k, top_p)
    right = reference.next_probabilities(logits, temperature, top_k)
    if temperature == 0:
        return right
    p = right if top_k is None else torch.softmax(logits / temperature * (right > 0), dim=-1)
    return p if top_p is None else _even(_top_p(p, top_p))


def _from_below(p: Any, share: float) -> Any:
    ordered, places = p.sort(dim=-1, stable=True)
    kept = torch.where(ordered.cumsum(dim=-1) - ordered < share, ordered, torch.zeros_like(ordered))
    return torch.zeros_like(p).scatter(-1, places, kept)


def _least_k(p: Any, k: int) -> Any:
    most = p.sort(dim=-1).values[..., min(k, p.shape[-1]) - 1 : min(k, p.shape[-1])]
    return torch.where(p <= most, p, torch.zeros_like(p))


def _threshold(p: Any, share: float) -> Any:
    """Keeps the tokens that have as much as the share by themselves, and the first."""
    return torch.where((p >= share) | (p == p.amax(-1, keepdim=True)), p, torch.zeros_like(p))


def _largest(logits: Any) -> Any:
    return (logits == logits.amax(dim=-1, keepdim=True)).float()


def _last_largest(logits: Any) -> Any:
    return _one_hot(logits.flip(-1)).flip(-1)


_REACHES = (
    "Go through the tokens from the most probable one; a token stays if those before it have not reached top_p yet."
)

EXERCISE = Exercise(
    name="next_probabilities",
    reference=reference.next_probabilities,
    cases=_cases,
    mistakes=(
        Mistake(
            "multiplied by the temperature instead of dividing",
            "A low temperature sharpens: the differences between the logits grow, so divide.",
            _sampler(soften=lambda logits, t: torch.softmax(logits.float() * t, dim=-1)),
        ),
        Mistake(
            "divided the probabilities by the temperature, not the logits",
            "After the softmax it is too late: they would all shrink or grow alike, and no longer add up to 1.",
            _sampler(soften=lambda logits, t: _soften(logits, 1.0) / t),
        ),
        Mistake(
            "no temperature above 0 changes anything",
            "`logits / temperature`, before the softmax.",
            _sampler(soften=lambda logits, t: _soften(logits, 1.0)),
        ),
        Mistake(
            "took the softmax over everything, not over the vocabulary",
            "Each row is a distribution of its own: `dim=-1`.",
            _sampler(soften=lambda logits, t: torch.softmax((logits.float() / t).flatten(), 0).reshape(logits.shape)),
        ),
        Mistake(
            "took exp without subtracting a maximum",
            "exp(10,000) overflows. `torch.softmax` takes the largest away first.",
            _sampler(soften=lambda logits, t: _even((logits.float() / t).exp())),
        ),
        Mistake(
            "divided by a temperature of zero",
            "Zero is a case of its own: all on the first of the largest logits, before anything is divided.",
            _sampler(zero=lambda logits: torch.softmax(logits.float() / 0.0, dim=-1)),
        ),
        Mistake(
            "shared out among several largest at temperature zero",
            "All on the first of them. Divide nothing; put a 1 at one place.",
            _sampler(zero=lambda logits: _even(_largest(logits))),
        ),
        Mistake(
            "gave every largest the probability 1 at temperature zero",
            "Several largest would add up to more than 1: only the first one counts.",
            _sampler(zero=_largest),
        ),
        Mistake(
            "took the last of several largest at temperature zero",
            "The first of them has the lowest id.",
            _sampler(zero=_last_largest),
        ),
        Mistake(
            "kept one token too many in top_k",
            "top_k = 3 leaves three.",
            _sampler(cut_k=lambda p, k: _top_k(p, k, 1)),
        ),
        Mistake(
            "kept the least probable in top_k",
            "The k most probable stay: sort downwards, or use `topk`.",
            _sampler(cut_k=_least_k),
        ),
        Mistake(
            "asked topk for more tokens than there are",
            "A top_k beyond the vocabulary cuts nothing: `min(top_k, logits.shape[-1])`.",
            _sampler(cut_k=lambda p, k: torch.zeros_like(p).scatter(-1, p.topk(k).indices, p.topk(k).values)),
        ),
        Mistake(
            "top_k changes nothing",
            "Only the k most probable stay.",
            _sampler(cut_k=lambda p, k: p),
        ),
        Mistake(
            "did not make the rest add up to 1 again",
            "What was cut away is missing: divide by the sum of what stays.",
            _sampler(between=lambda p: p, finish=lambda p: p),
        ),
        Mistake(
            "did not make the rest add up to 1 after top-p",
            "What was cut away is missing: divide by the sum of what stays.",
            _sampler(finish=lambda p: p),
        ),
        Mistake(
            "made the rest a distribution by another softmax",
            "They are probabilities already: divide by their sum. A softmax of probabilities gives something to"
            " everyone.",
            _sampler(finish=lambda p: torch.softmax(p, dim=-1)),
        ),
        Mistake(
            "measured top-p by the shares from before top-k",
            "Three steps, each on what the one before has left: top-k, the rest made to add up to 1, and only then the"
            " share top_p of that.",
            _sampler(between=lambda p: p),
        ),
        Mistake(
            "put the temperature after top-k and top-p",
            "The temperature comes first: which tokens reach top_p depends on it.",
            _temperature_last,
        ),
        Mistake(
            "top-p leaves one token too few, and sometimes none",
            f"The token that crosses the line stays too. {_REACHES}",
            _sampler(
                cut_p=lambda p, share: _top_p(p, share, lambda before, after, share: after <= share),
                finish=lambda p: p / p.sum(dim=-1, keepdim=True).clamp(min=1e-9),
            ),
        ),
        Mistake(
            "top-p leaves one token too few, and the rest does not add up to 1",
            f"The token that crosses the line stays too, and what stays is divided by its sum. {_REACHES}",
            _sampler(
                cut_p=lambda p, share: _top_p(p, share, lambda before, after, share: after <= share),
                finish=lambda p: p,
            ),
        ),
        Mistake(
            "top-p can be empty: nothing divided by nothing",
            f"The token that crosses the line stays too, so the first always does. {_REACHES}",
            _sampler(cut_p=lambda p, share: _top_p(p, share, lambda before, after, share: after <= share)),
        ),
        Mistake(
            "top-p leaves one token too few, except where none would be left",
            f"The token that crosses the line stays too. {_REACHES}",
            _sampler(
                cut_p=lambda p, share: _top_p(p, share, lambda b, a, s: (a <= s) | (b == 0)),
            ),
        ),
        Mistake(
            "top-p includes one token too many",
            f"Once the line is crossed, no further token stays. {_REACHES}",
            _sampler(
                cut_p=lambda p, share: _top_p(
                    p, share, lambda before, after, s: torch.cat([before[..., :1] * 0, before[..., :-1]], -1) < s
                )
            ),
        ),
        Mistake(
            "went through the tokens in the order of the vocabulary",
            "From the most probable one down: sort first, and put them back in their places afterwards.",
            _sampler(cut_p=_unsorted),
        ),
        Mistake(
            "left the result sorted",
            "Sorting was a means. `scatter`, or sorting the places, brings every number back to its token.",
            _sampler(cut_p=_left_sorted),
        ),
        Mistake(
            "brought the sorted numbers back with gather, which moves them a second time",
            "`places[i]` says where number i came from. `scatter` puts it there; `gather` takes the number from there.",
            _moved_twice,
        ),
        Mistake(
            "gave the logits that are cut away 0, not -∞",
            "A logit of 0 is no probability of 0: exp(0) is 1. Cut logits become -∞, or cut after the softmax.",
            _zero_logits,
        ),
        Mistake(
            "began top-p from the least probable",
            "From the most probable one down: `descending=True`.",
            _sampler(cut_p=_from_below),
        ),
        Mistake(
            "compared each probability with top_p by itself",
            "top_p is reached by a sum: the most probable tokens together.",
            _sampler(cut_p=_threshold),
        ),
        Mistake(
            "top_p changes nothing",
            "Of what is left, only the smallest set of most probable tokens that reaches top_p stays.",
            _sampler(cut_p=lambda p, share: p),
        ),
        Mistake(
            "accepted a negative temperature",
            "It would make the least probable the most probable: raise a ValueError.",
            _lenient(temperature=1.0),
        ),
        Mistake("accepted a top_k below 1", "At least one token has to stay: raise a ValueError.", _lenient(top_k=1)),
        Mistake(
            "accepted a top_p that is no share",
            "A share lies between 0 and 1: raise a ValueError for anything else.",
            _lenient(top_p=1.0),
        ),
        Mistake(
            "looked at top_k and top_p only when there is something to divide",
            "Look at all arguments first, then at the temperature: a bad top_k is bad at temperature 0 too.",
            lambda logits, temperature=1.0, top_k=None, top_p=None: (
                _one_hot(logits)
                if temperature == 0
                else reference.next_probabilities(logits, temperature, top_k, top_p)
            ),
        ),
    ),
    hints=(
        "Bad values first, then temperature 0. Then softmax(logits / temperature), sorted downwards, and two cuts.",
        (
            "In the sorted row, `cumsum` is the sum with each token; minus the token itself it is the sum before it."
            " `scatter` with the places that `sort` returned brings everything back."
        ),
    ),
)
