"""`translate`: its cases, mistakes and hints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from helpers import data
from helpers.exercise import Built, Case, Exercise, Mistake, Relation, in_parts
from helpers.reference import u7_transformer as reference
from helpers.reference.u6_masked_decoder import greedy_decode

from ..common import Answer, Step
from .common import TRANSLATIONS_ASKED

PER_LANGUAGE = 67

_VOCAB = len(data.target_vocabulary())
_WORDS = len(data.source_vocabulary())
_NEVER, _SURELY, _ALWAYS = -30.0, 20.0, 30.0
_ZERO = data.target_ids(0)[0]


def _parrot(
    rng: np.random.Generator, lengths: list[int | None], training: bool = False
) -> tuple[Built, list[list[int]]]:
    """A model that answers its i-th sentence with `lengths[i]` ids and then eos, or never ends."""
    sentences = [rng.integers(3, _WORDS, size=2 + number).tolist() for number in range(len(lengths))]
    steps = data.MAX_LENGTH
    logits = 3 * rng.normal(size=(len(lengths), steps, _VOCAB, _VOCAB))
    logits[..., :3] = _NEVER
    for number, length in enumerate(lengths):
        if length is not None:
            logits[number, length, :, data.EOS] = _ALWAYS
        if length is not None and length > 2:
            # The digit 0 has the lowest id that is no mark: one in the middle shows who takes it for one.
            logits[number, 1, :, _ZERO] = _SURELY
    options = {
        "sentences": sentences,
        "logits": logits.astype("f4"),
        "bos_id": data.BOS,
        "longest": data.MAX_LENGTH,
        "training": training,
    }
    return Built("parrot", options), sentences


def _translate_cases(rng: np.random.Generator) -> list[Case]:
    model, sentences = _parrot(rng, [3, 5, 1, 0])
    endless, (tireless,) = _parrot(rng, [None])
    learning, (known,) = _parrot(rng, [4], training=True)
    new_ids = _new_ids(rng)
    options = {
        "name": "Transformer",
        "kwargs": dict(data.TRANSLATOR),
        "weights_file": data.WEIGHTS,
        "prefix": "translator.",
        "renamed": {"src_vocab": new_ids},
    }
    _, held = data.numbers()
    drawn = rng.choice(held, size=PER_LANGUAGE * len(data.LANGUAGES), replace=False)
    numbers = [(int(number), data.LANGUAGES[place % len(data.LANGUAGES)]) for place, number in enumerate(drawn)]
    return [
        Case("values", (model, sentences[0]), note="a made-up model that says three digits and then eos"),
        Case("values", (model, sentences[1]), note="five digits, then eos"),
        Case("values", (model, sentences[2]), note="one digit, then eos"),
        Case("nothing to say", (model, sentences[3]), note="the model says eos at once"),
        Case("an end in any case", (endless, tireless), note="a made-up model that never says eos"),
        Case("evaluation mode", (learning, known), note="the model comes in training mode"),
        *(
            Case(
                "accuracy",
                (Built("notebook_class", options), [new_ids[word] for word in data.source_ids(number, language)]),
                label=f"{language} {number}",
                note=f"{number} in {language}",
            )
            for number, language in numbers
        ),
    ]


def _new_ids(rng: np.random.Generator) -> list[int]:
    """Another id for each word, so that a table of the numbers or a reader of number words, which anyone can write, is
    of no use in place of a model that was trained.

    Ids that may be a digit's stay, for models that have one embedding for both sides.
    """
    first = _VOCAB
    return [*range(first), *(int(place) for place in first + rng.permutation(_WORDS - first))]


def _comes_to_an_end(case: Case, value: Any, expected: Any) -> str | None:
    if not isinstance(value, list) or not all(
        isinstance(item, (int, np.ndarray)) and np.size(item) == 1 for item in value
    ):
        return "the result should be a list of whole numbers"
    ids = [int(item) for item in value]
    if len(ids) > data.MAX_LENGTH:
        return f"the result has {len(ids)} ids; at most {data.MAX_LENGTH} are asked"
    if len(ids) < 5:
        return f"the model had more to say than {len(ids)} ids: five digits have to have room"
    return None if ids == expected[: len(ids)] else "these are not the model's most probable ids"


def _list_of_ids(case: Case, value: Any, expected: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(item, (int, np.ndarray)) and np.size(item) == 1 for item in value):
        return None
    return "the result should be a list of whole numbers"


def _translations_right(values: Mapping[str, Any]) -> str | None:
    right = dict.fromkeys(data.LANGUAGES, 0)
    example = ""
    for label, value in values.items():
        language, digits = label.split()
        written = data.digits_of(value)
        right[language] += written == digits
        if written != digits and not example:
            example = f"; for “{data.number_words(int(digits), language)}”, {digits}, it writes {written or 'nothing'}"
    total = sum(right.values())
    if total >= TRANSLATIONS_ASKED * len(values):
        return None
    each = ", ".join(
        f"{language} {count} of {sum(label.startswith(language) for label in values)}"
        for language, count in right.items()
    )
    return (
        f"with the weights in {data.WEIGHTS}, {total} of {len(values)} held-out numbers come out exactly right"
        f" ({total / len(values):.1%}; {each}); {TRANSLATIONS_ASKED:.0%} are asked{example}. (The words have other ids"
        " here, and your embedding has its rows in the order that goes with them: all is as it was for a model that"
        " learned them.)"
    )


def _most_probable(logits: Any) -> Any:
    return logits[0, -1].argmax()


def _without_marks(ids: list[int]) -> list[int]:
    """The ids without bos and eos."""
    return [token for token in ids[1:] if token != data.EOS]


@in_parts
def _writer(
    begin: int = data.BOS,
    stop: bool = True,
    pick: Step = _most_probable,
    feed: Step = lambda ids: ids,
    mode: bool | None = False,
    give: Step = _without_marks,
    most: int = data.MAX_LENGTH,
) -> Answer:
    """A translate with one part of its own: what it begins with, feeds, picks and gives back."""

    def translate(model: Any, src_ids: Any) -> Any:
        if mode is not None:
            model.train(mode)
        src = torch.tensor([src_ids])
        ids = [begin]
        with torch.no_grad():
            memory = model.encode(src)
            while len(ids) <= most:
                logits = model.decode(torch.tensor([feed(ids)]), memory)
                token = int(pick(logits))
                ids.append(token)
                if stop and token == data.EOS:
                    break
        return give(ids)

    return translate


def _endless(model: Any, src_ids: Any) -> Any:
    ids = [data.BOS]
    memory = model.encode(torch.tensor([src_ids]))
    while True:
        token = int(_most_probable(model.decode(torch.tensor([ids]), memory)))
        if token == data.EOS:
            return ids[1:]
        ids.append(token)


def _one_pass(model: Any, src_ids: Any) -> Any:
    model.eval()
    with torch.no_grad():
        read = torch.full((1, data.MAX_LENGTH), data.BOS)
        ids = model.decode(read, model.encode(torch.tensor([src_ids])))[0].argmax(dim=-1).tolist()
    return ids[: ids.index(data.EOS)] if data.EOS in ids else ids


def _encodes_again(first: bool) -> Answer:
    """A translate that encodes for every digit, and perhaps once before."""

    def translate(model: Any, src_ids: Any) -> Any:
        model.eval()
        src = torch.tensor([src_ids])
        with torch.no_grad():
            if first:
                model.encode(src)
            return greedy_decode(
                lambda ids: model.decode(torch.tensor([ids]), model.encode(src))[0, -1],
                data.BOS,
                data.EOS,
                data.MAX_LENGTH,
            )

    return translate


def _as_long_as_the_source(model: Any, src_ids: Any) -> Any:
    return _writer(most=len(src_ids))(model, src_ids)


EXERCISE = Exercise(
    name="translate",
    reference=reference.translate,
    cases=_translate_cases,
    compare={"an end in any case": _comes_to_an_end, "accuracy": _list_of_ids},
    relations=(Relation("accuracy", _translations_right),),
    mistakes=(
        Mistake(
            "left eos in the answer",
            "eos says that the sentence is over; it is no part of it.",
            _writer(give=lambda ids: ids[1:]),
        ),
        Mistake(
            "left bos in the answer",
            "bos was put in front for the model to begin with; take it off again.",
            _writer(give=lambda ids: [token for token in ids if token != data.EOS]),
        ),
        Mistake(
            "left bos and eos in the answer",
            "Both are for the model. The answer is what stands between them.",
            _writer(give=lambda ids: ids),
        ),
        Mistake(
            "does not stop at eos",
            "As soon as the most probable token is eos, the sentence is over, whatever the model would say after it.",
            _writer(stop=False),
        ),
        Mistake(
            "does not stop at eos, and leaves it in",
            "As soon as the most probable token is eos, the sentence is over, whatever the model would say after it.",
            _writer(stop=False, give=lambda ids: ids[1:]),
        ),
        Mistake(
            "does not stop at eos, and leaves bos and eos in",
            "As soon as the most probable token is eos, the sentence is over, whatever the model would say after it."
            " Only the digits' ids are asked.",
            _writer(stop=False, give=lambda ids: ids),
        ),
        Mistake(
            "returned digits, not their ids",
            "The digits' ids are asked; `data.digits_of` makes a number of them afterwards.",
            _writer(give=lambda ids: [token - 3 for token in _without_marks(ids)]),
        ),
        Mistake(
            "returned the number, not the ids of its digits",
            "A list of ids is asked; `data.digits_of` makes a number of them afterwards.",
            _writer(give=lambda ids: int("".join(str(token - 3) for token in _without_marks(ids)) or 0)),
        ),
        Mistake(
            "dropped the digit 0, whose id is 3",
            "Only `PAD`, `BOS` and `EOS`, 0 to 2, are no digits.",
            _writer(give=lambda ids: [token for token in ids[1:] if token > _ZERO]),
        ),
        Mistake(
            "encoded the sentence again for every digit",
            "The source stays as it is while you write: call `encode` once, before the loop, and `decode` in it."
            " `model(...)` does both.",
            _encodes_again(first=False),
        ),
        Mistake(
            "encoded the sentence once, and again for every digit",
            "The source stays as it is while you write, so what `encode` gave before the loop serves for every digit:"
            " `decode` alone in the loop. `model(...)` does both.",
            _encodes_again(first=True),
        ),
        Mistake(
            "writes at most as many ids as the source has words",
            "*Seven thousand* has two words and four digits. `MAX_LENGTH` is the limit.",
            _as_long_as_the_source,
        ),
        Mistake(
            "asked for all places at once, with nothing but bos before them",
            "A token depends on those that were written before it, so they are written one after the other, each with"
            " a call of `decode`.",
            _one_pass,
        ),
        Mistake(
            "began with eos, not with bos",
            "The model learned to begin from bos.",
            _writer(begin=data.EOS),
        ),
        Mistake(
            "began with padding, not with bos",
            "The model learned to begin from bos.",
            _writer(begin=data.PAD),
        ),
        Mistake(
            "left the model in training mode",
            "Dropout throws dice as long as the model is in training mode: `model.eval()` first.",
            _writer(mode=None),
        ),
        Mistake(
            "gave the model the last token only",
            "The decoder has no memory of its own from one call to the next: it needs bos and all ids so far, each"
            " time.",
            _writer(feed=lambda ids: ids[-1:]),
        ),
        Mistake(
            "asked for the first token again and again",
            "Append each new id to the decoder's input, and read the logits at its last place: those predict the next"
            " token.",
            _writer(feed=lambda ids: ids[:1]),
        ),
        Mistake(
            "read the logits of every place, not of the last one",
            "`decode` predicts a token after each of its m places. The one that is still to be written comes after the"
            " last.",
            _writer(pick=lambda logits: logits[0].argmax()),
        ),
        Mistake(
            "took the least probable token",
            "The largest logit is the most probable token: argmax.",
            _writer(pick=lambda logits: logits[0, -1].argmin()),
        ),
        Mistake(
            "stops before a number of five digits is written",
            "Leave room for five digits; `MAX_LENGTH` is the limit.",
            _writer(most=4),
        ),
        Mistake(
            "has no limit: without eos it goes on until the positions end",
            "An untrained model may never say eos. Stop at `MAX_LENGTH` ids.",
            _endless,
        ),
    ),
    hints=(
        (
            "Encode once, as a batch of one; then `greedy_decode` asks for logits. After a change to Transformer, train"
            " again from the cell that makes `translator_run`."
        ),
        (
            "`decode` reads a batch of one, (1, m), and answers (1, m, tgt_vocab): the place that predicts the next"
            " token is the last one."
        ),
    ),
)
