"""`greedy_decode`: its cases, mistakes and hints."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from helpers.exercise import Built, Case, Exercise, Mistake, in_parts
from helpers.reference import u6_masked_decoder as reference

from ..common import Answer, Step

_VOCAB, _BOS, _EOS = 9, 3, 5
_ONLY_EOS = "only eos ends it"


def _model(
    rng: np.random.Generator,
    steps: int,
    stop_at: int | None = None,
    tie_at: tuple[int, ...] = (),
    eos_in_tie: bool = False,
) -> Built:
    """A table that says eos at step `stop_at` and has equal best logits at the steps of `tie_at`; it never says bos.

    At every step the best token is another one than before, for each last id, so that wrong input shows.
    """
    logits = rng.normal(size=(steps, _VOCAB, _VOCAB)) * 1.5
    words = [i for i in range(_VOCAB) if i not in (_BOS, _EOS)]
    for step in range(steps):
        logits[step, np.arange(_VOCAB), _choose(rng, words)] = 6.0
    logits[:, :, [_BOS, _EOS]] = -9.0
    for step in tie_at:
        pair = [_EOS, 7] if eos_in_tie else sorted(rng.choice(words, size=2, replace=False))
        logits[step, :, pair] = 8.0
    if stop_at is not None:
        logits[stop_at, :, _EOS] = 9.0
    return Built("table_language_model", {"logits": logits.astype("f4"), "bos_id": _BOS})


def _choose(rng: np.random.Generator, words: list[int]) -> list[int]:
    """For each last id a next word, never the same word again."""
    return [rng.choice([word for word in words if word != last]) for last in range(_VOCAB)]


def _bos_said(rng: np.random.Generator) -> Case:
    """A model that says bos as its third word, which ends nothing."""
    model = _model(rng, 7, stop_at=5)
    model.options["logits"][2, :, _BOS] = 9.0
    never = model.options["logits"].copy()
    never[:, :, _BOS] = -np.inf
    ids = [_BOS]
    while (token := int(never[len(ids) - 1, ids[-1]].argmax())) != _EOS:
        ids.append(token)
    return _case(_ONLY_EOS, model, 7, truth=ids[1:], note="the model says bos as its third word")


def _case(prop: str, model: Built, max_length: int, **more: Any) -> Case:
    # Nobody needs to ask that often, whatever the style; a loop without an end gets one.
    patient = replace(model, options={**model.options, "most": 10 * (max_length + 1)})
    return Case(prop, (patient, _BOS, _EOS, max_length), **more)


def _goes_on(case: Case, value: Any, expected: Any) -> str | None:
    """Whether bos is written, left out afterwards or never chosen, the sentence goes on."""
    if not isinstance(value, list) or not all(np.size(item) == 1 for item in value):
        return "the result should be a list of whole numbers"
    ids = [int(item) for item in value]
    if ids in (expected, [token for token in expected if token != _BOS], case.truth):
        return None
    if ids == expected[:2]:
        return "the sentence ends where the model says bos; only eos and `max_length` end it"
    return f"yours is {ids}, and should be {expected}"


def _greedy_cases(rng: np.random.Generator) -> list[Case]:
    def case(prop: str, note: str, max_length: int, **options: Any) -> Case:
        return _case(prop, _model(rng, 7, **options), max_length, note=note)

    return [
        case("values", "eos after 4 words, at most 6", 6, stop_at=4),
        case("values", "eos after 2 words, at most 6", 6, stop_at=2),
        case("eos at once", "the first word is eos", 6, stop_at=0),
        case("longest sentence", "no eos, at most 5 words", 5),
        case("longest sentence", "no eos, at most 1 word", 1),
        case("longest sentence", "eos would come right after the 3 words allowed", 3, stop_at=3),
        case("longest sentence", "eos is the last of 4 words allowed", 4, stop_at=3),
        case("nothing asked", "max_length is 0", 0, stop_at=3),
        case("ties", "two words equally probable at each of the first 3 steps", 5, tie_at=(0, 1, 2), stop_at=4),
        case("ties", "eos and a higher id equally probable after 2 words", 5, tie_at=(2,), eos_in_tie=True),
        case("longest sentence", "no eos, at most 40 words", 40),
        _bos_said(rng),
    ]


@in_parts
def _greedy(
    best: Step = lambda logits: int(torch.argmax(logits)),
    ids: Step = lambda bos, written: [bos, *written],
    stop: bool = True,
    clean: Step = lambda written, bos, eos: written,
    limit: Step = lambda n: n,
) -> Answer:
    """Greedy decoding with one part replaced."""

    def wrong(next_logits: Any, bos_id: Any, eos_id: Any, max_length: Any) -> Any:
        written: list[int] = []
        while len(written) < limit(max_length):
            token = best(next_logits(ids(bos_id, written)))
            if stop and token == eos_id:
                break
            written.append(token)
        return clean(written, bos_id, eos_id)

    return wrong


def _eos_left_in(next_logits: Any, bos_id: Any, eos_id: Any, max_length: Any) -> Any:
    written: list[int] = []
    while len(written) < max_length:
        written.append(int(torch.argmax(next_logits([bos_id, *written]))))
        if written[-1] == eos_id:
            break
    return written


def _one_at_least(next_logits: Any, bos_id: Any, eos_id: Any, max_length: Any) -> Any:
    written: list[int] = []
    while True:
        token = int(torch.argmax(next_logits([bos_id, *written])))
        if token == eos_id:
            return written
        written.append(token)
        if len(written) >= max_length:
            return written


def _never_ends(next_logits: Any, bos_id: Any, eos_id: Any, max_length: Any) -> Any:
    return reference.greedy_decode(next_logits, bos_id, eos_id, 10**9)


def _forgets_to_append(next_logits: Any, bos_id: Any, eos_id: Any, max_length: Any) -> Any:
    written: list[int] = []
    while len(written) < max_length:
        if int(torch.argmax(next_logits([bos_id, *written]))) == eos_id:
            break
    return written


def _last_of_equals(logits: Any) -> Any:
    return len(logits) - 1 - int(torch.argmax(logits.flip(0)))


EXERCISE = Exercise(
    name="greedy_decode",
    reference=reference.greedy_decode,
    cases=_greedy_cases,
    compare={_ONLY_EOS: _goes_on},
    mistakes=(
        Mistake(
            "does not stop at eos",
            "When the model says `eos_id` the sentence is over: leave the loop.",
            _greedy(stop=False),
        ),
        Mistake(
            "writes on after eos and only takes it out",
            "What comes after eos is no part of the sentence: leave the loop there.",
            _greedy(stop=False, clean=lambda written, bos, eos: [token for token in written if token != eos]),
        ),
        Mistake("left eos in", "eos says that the sentence is over; it is not one of its words.", _eos_left_in),
        Mistake(
            "left bos in",
            "bos is only there for the model to begin with; it was not written. Return the ids after it.",
            _greedy(clean=lambda written, bos, eos: [bos, *written]),
        ),
        Mistake(
            "left both bos and eos in",
            "Neither is a word of the sentence: return what stands between them.",
            lambda next_logits, bos_id, eos_id, max_length: [
                bos_id,
                *_eos_left_in(next_logits, bos_id, eos_id, max_length),
            ],
        ),
        Mistake(
            "one word too few where no end is written",
            "`max_length` is how many ids you may write: bos is none of them, and the last one need not be eos.",
            _greedy(limit=lambda n: n - 1),
        ),
        Mistake(
            "writes on past max_length: where no eos comes, for ever",
            "A model that never says eos has to be stopped too: count the ids written, and stop at `max_length` of"
            " them.",
            _never_ends,
        ),
        Mistake(
            "writes on past max_length, except where it is 0",
            "What does your loop count? Print it in every round: does it grow?",
            lambda next_logits, bos_id, eos_id, max_length: (
                _never_ends(next_logits, bos_id, eos_id, max_length) if max_length else []
            ),
        ),
        Mistake(
            "asks for ever, each time with the same ids",
            "The model gives the same answer to the same ids. What should have changed since it was asked last?",
            _forgets_to_append,
        ),
        Mistake(
            "one word too many where no end is written",
            "`max_length` ids at most: look at the length before you ask for the next one. Is bos counted as one?",
            _greedy(limit=lambda n: n + 1),
        ),
        Mistake(
            "one word too many, but none when max_length is 0",
            "`max_length` ids at most: look at the length before you ask for the next one.",
            _greedy(limit=lambda n: n + 1 if n else 0),
        ),
        Mistake(
            "writes a word even when max_length is 0",
            "Look at the length before the first word, not only after it.",
            _one_at_least,
        ),
        Mistake(
            "of equally probable words took the highest id",
            "Ties go to the lowest id: with `>` instead of `>=` the first one stays, as with `argmax`.",
            _greedy(best=_last_of_equals),
        ),
        Mistake(
            "took the largest logit itself, not its place",
            "`max` gives the largest number, `argmax` the place where it stands; the place is the id.",
            _greedy(best=lambda logits: logits.max().item()),
        ),
        Mistake(
            "took the largest logit for the id, not its place",
            "`max` gives the largest number, `argmax` the place where it stands; the place is the id.",
            _greedy(best=lambda logits: int(logits.max())),
        ),
        Mistake(
            "took the least probable word",
            "The most probable next word is at the largest logit.",
            _greedy(best=lambda logits: int(torch.argmin(logits))),
        ),
        Mistake(
            "asks with bos alone each time",
            "The model has to see what has been written so far: hand it bos and all ids after it.",
            _greedy(ids=lambda bos, written: [bos]),
        ),
        Mistake(
            "asks without bos in front as soon as a word is written",
            "The model has to see the whole sentence so far, from bos on.",
            _greedy(ids=lambda bos, written: [written[-1] if written else bos]),
        ),
        Mistake(
            "asks without bos in front",
            "The model was trained on sentences that begin with bos, so it has to begin there now: `[bos_id, ...]`.",
            _greedy(ids=lambda bos, written: list(written)),
        ),
        Mistake(
            "puts tensors into the list of ids",
            "`argmax` gives a tensor with one number in it; `int(...)` or `.item()` takes the number out.",
            _greedy(best=lambda logits: torch.argmax(logits)),
        ),
    ),
    hints=(
        (
            "Start with `ids = [bos_id]`. Ask for the logits, take the largest, look whether it is eos, append it; and"
            " again."
        ),
        "Two ways to stop: eos, or `max_length` ids written. Return what was written, without bos and eos.",
    ),
)
