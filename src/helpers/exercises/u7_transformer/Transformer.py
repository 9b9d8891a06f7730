"""`Transformer`: its cases and hints."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from helpers import data
from helpers.exercise import Case, Exercise, Init, Relation, Tensor
from helpers.reference import u7_transformer as reference

from ..common import within
from ._transformer_mistakes import MISTAKES
from .common import alike, differ, not_probabilities, numbers_of_shape, same_after_others

_SRC, _TGT, _D, _HEADS, _LAYERS, _FF, _LONGEST = 17, 11, 8, 2, 2, 12, 9


def _source(rng: np.random.Generator, batch: int, n: int) -> np.ndarray:
    """Source ids without padding, all different in a sentence."""
    return np.stack([rng.choice(np.arange(3, _SRC), size=n, replace=False) for _ in range(batch)])


def _target(rng: np.random.Generator, batch: int, m: int) -> np.ndarray:
    """Target ids behind bos, all different in a sentence."""
    words = np.stack([rng.choice(np.arange(3, _TGT), size=m - 1, replace=False) for _ in range(batch)])
    return np.concatenate([np.full((batch, 1), data.BOS), words], axis=1)


def _with(ids: np.ndarray, place: int, new: int) -> np.ndarray:
    """The ids, with another one at a place."""
    ids = ids.copy()
    ids[..., place] = new
    return ids


def _both(rng: np.random.Generator, batch: int, n: int, m: int) -> tuple[Tensor, Tensor]:
    """Sources of n words and targets of m tokens, to call a model with."""
    return Tensor(_source(rng, batch, n)), Tensor(_target(rng, batch, m))


def _words(rng: np.random.Generator, vocabulary: int, batch: int, n: int) -> np.ndarray:
    """Ids without padding, however many, behind bos."""
    ids = rng.integers(3, vocabulary, size=(batch, n))
    ids[:, 0] = data.BOS
    return ids


def _transformer_cases(rng: np.random.Generator) -> list[Case]:
    seed = int(rng.integers(2**31))

    def init(n_layers: int = _LAYERS, d_ff: int = _FF) -> Init:
        return Init((_SRC, _TGT, _D, _HEADS, n_layers, d_ff, _LONGEST), seed=seed)

    def case(property: str, src: np.ndarray, tgt: np.ndarray, note: str, label: str = "", **more: Any) -> Case:
        return Case(property, (Tensor(src), Tensor(tgt)), init=more.pop("init", init()), label=label, note=note, **more)

    src, tgt = _source(rng, 2, 5), _target(rng, 2, 4)
    one, other = _source(rng, 1, 5), _target(rng, 1, 5)
    spare_word = next(word for word in range(3, _SRC) if word not in one)
    spare_digit = next(word for word in range(3, _TGT) if word not in other)
    swapped = other[:, [0, 2, 1, 3, 4]]
    # As many sentences as they are long: a mask without the axes of heads and queries would still fit.
    lengths = [4, 2, 3, 1]
    short = _source(rng, 4, 4)
    padded = np.where(within(lengths, 4), short, data.PAD)
    four = _target(rng, 4, 3)
    memory = rng.normal(size=(1, 5, _D)).astype("f4")
    hidden = np.array([True, True, True, False, False])
    disturbed = np.where(hidden[:, None], memory, rng.normal(size=memory.shape)).astype("f4")
    both_masks = np.broadcast_to(hidden, (2, 1, 1, 5)).copy()
    each = np.concatenate([both_masks, np.ones((1, 1, 1, 5), dtype=bool)])
    return [
        case("shape", src, tgt, "2 sentences of 5 words, 4 target tokens each"),
        case("shape", src[:1, :1], tgt[:1, :1], "one word, one target token"),
        Case("shape", (Tensor(src),), init=init(), method="encode", note="encode: 2 sentences of 5 words"),
        Case(
            "shape",
            (Tensor(tgt[:, :3]), Tensor(np.repeat(memory, 2, axis=0))),
            init=init(),
            method="decode",
            note="decode: 3 target tokens, a memory of 5",
        ),
        case(
            "longest sequences",
            _source(rng, 1, _LONGEST),
            _target(rng, 1, _LONGEST - 1)[:, [0, *range(_LONGEST - 1)]],
            f"max_length = {_LONGEST} on both sides",
        ),
        case("every part is used", src, tgt, "gradients of all parameters", gradients=True),
        case(
            "no looking ahead",
            np.repeat(one, 2, axis=0),
            np.concatenate([other, _with(other, 2, spare_digit)]),
            "two targets that differ in their third token",
        ),
        # Before the cases in which an upside-down padding mask hides every word: there the source just seems unused.
        Case(
            "padding in the encoder",
            (Tensor(padded),),
            init=init(),
            method="encode",
            label="together",
            note=f"encode: sentences of {lengths} words, padded",
        ),
        Case(
            "padding in the encoder",
            (Tensor(short[1:2, :2]),),
            init=init(),
            method="encode",
            label="alone",
            note="encode: the second without padding",
        ),
        case(
            "reads the source",
            np.concatenate([one, _with(one, 1, spare_word)]),
            np.repeat(other, 2, axis=0),
            "two sources that differ in one word",
        ),
        Case(
            "the encoder looks both ways",
            (Tensor(np.concatenate([one, _with(one, 4, spare_word), _with(one, 0, spare_word)])),),
            init=init(),
            method="encode",
            note="encode: sources that differ in the last, and in the first word",
        ),
        case(
            "order of the source",
            np.concatenate([one, one[:, ::-1]]),
            np.repeat(other, 2, axis=0),
            "a source, and its words backwards",
            init=init(1),
        ),
        case(
            "order of the target",
            np.repeat(one, 2, axis=0),
            np.concatenate([other, swapped]),
            "a target, and two of its tokens swapped",
            init=init(1),
        ),
        case(
            "place in the batch",
            np.concatenate([one, src, one]),
            np.concatenate([other[:, :4], tgt, other[:, :4]]),
            "one sentence twice in a batch",
        ),
        case("padding of the source", padded, four, f"sentences of {lengths} words, padded", "together"),
        case("padding of the source", short[1:2, :2], four[1:2], "the second of them without padding", "second"),
        case("padding of the source", short[2:3, :3], four[2:3], "the third of them without padding", "third"),
        Case(
            "mask of the memory",
            (Tensor(np.repeat(other, 2, axis=0)), Tensor(np.concatenate([memory, disturbed])), Tensor(both_masks)),
            init=init(),
            method="decode",
            note="decode: two memories that differ where the mask hides them",
        ),
        Case("layers", init=init(1, 9 * _D), method="state_dict", label="1", note="parameters with one layer"),
        Case("layers", init=init(2, 9 * _D), method="state_dict", label="2", note="parameters with two layers"),
        Case("layers", init=init(3, 9 * _D), method="state_dict", label="3", note="parameters with three layers"),
        case("called again", src, tgt, "two sentences", "first"),
        case(
            "called again",
            src,
            tgt,
            "the same two, after others and longer ones",
            "later",
            init=replace(init(), earlier=(_both(rng, 1, 7, 6), _both(rng, 2, 5, 4))),
        ),
        case("forward", src, tgt, "`forward` called by its name", method="forward"),
        Case(
            "mask of the memory",
            (Tensor(np.repeat(other, 3, axis=0)), Tensor(np.concatenate([memory, disturbed, memory])), Tensor(each)),
            init=init(),
            method="decode",
            note="decode: the same two, and a third whose mask hides nothing",
        ),
        case(
            "longest sequences",
            _words(rng, _SRC, 1, 1050),
            _words(rng, _TGT, 1, 3),
            "max_length = 1100, a source of 1050 words",
            init=Init((_SRC, _TGT, _D, _HEADS, 1, _FF, 1100), seed=seed),
        ),
        case(
            "two vocabularies",
            rng.integers(3, _TGT - 4, size=(1, 4)),
            np.array([[data.BOS, _TGT - 1, 3]]),
            f"src_vocab = {_TGT - 4}, tgt_vocab = {_TGT}",
            init=Init((_TGT - 4, _TGT, _D, _HEADS, 1, _FF, _LONGEST), seed=seed),
        ),
    ]


def _logits(case: Case, value: Any, expected: Any) -> str | None:
    # Of the right version's shape: with `catch`, the numbers of words are the learner's own.
    return numbers_of_shape(value, expected.shape)


def _judged(test: Callable[[np.ndarray], str | None]) -> Callable[[Case, Any, Any], str | None]:
    """A comparison that looks at the shape first."""
    return lambda case, value, expected: _logits(case, value, expected) or test(value)


def _looks_ahead(value: np.ndarray) -> str | None:
    if not alike(value[0, :2], value[1, :2]):
        return "two targets differ in a token, and so do the logits before it; these must not know what comes"
    if not differ(value[0, 2], value[1, 2]):
        return (
            "a target token makes no difference to the logits at its own place, which are to predict the token after it"
        )
    return None


def _reads_source(value: np.ndarray) -> str | None:
    return None if differ(value[0, 0], value[1, 0]) else "another word in the source makes no difference to the logits"


def _both_ways(value: np.ndarray) -> str | None:
    back, ahead = differ(value[0, -1], value[2, -1]), differ(value[0, 0], value[1, 0])
    if not back and not ahead:
        return "the memory of a word does not depend on the other words: they do not see each other"
    if not ahead:
        return "the memory of a word does not depend on the words after it: the encoder may look ahead"
    return None if back else "the memory of a word does not depend on the words before it"


def _source_order(value: np.ndarray) -> str | None:
    return (
        None
        if differ(value[0], value[1])
        else "the source backwards gives the same logits: nothing tells the model where a word stands"
    )


def _target_order(value: np.ndarray) -> str | None:
    if differ(value[0, -1], value[1, -1]):
        return None
    return (
        "two target tokens that change places leave the last logits as they are: nothing tells the model where a token"
        " stands"
    )


def _same_twice(value: np.ndarray) -> str | None:
    return None if alike(value[0], value[3]) else "the same sentence gets other logits at another place of the batch"


def _masked_memory(value: np.ndarray) -> str | None:
    if not alike(value[0], value[1]):
        return "memory that `memory_mask` hides changes the logits"
    if len(value) == 3 and alike(value[0], value[2]):
        return "what the mask of one sentence hides is hidden from another, too, whose mask does not"
    return None


def _encoder_padding(values: Mapping[str, Any]) -> str | None:
    if alike(values["together"][1:2, :2], values["alone"]):
        return None
    return "the memory of a short sentence changes when it is padded: its words see the padding"


def _source_padding(values: Mapping[str, Any]) -> str | None:
    if alike(values["together"][1:2], values["second"]) and alike(values["together"][2:3], values["third"]):
        return None
    return "the logits of a short sentence change when it is padded"


def _count_layers(values: Mapping[str, Any]) -> str | None:
    one, two, three = (sum(np.size(array) for array in values[label].values()) for label in "123")
    least = 12 * _D**2 + 4 * _D * (9 * _D)
    if two - one != three - two:
        return (
            f"one, two, three layers hold {one:,}, {two:,}, {three:,} numbers: not the same number more with each layer"
        )
    if two - one < least:
        return (
            f"with d_model = {_D} and d_ff = {9 * _D}, one more layer adds {two - one:,} numbers; an encoder layer and"
            f" a decoder layer together have at least 12 d_model² + 4 d_model d_ff = {least:,}"
        )
    seen: dict[str, list[np.ndarray]] = {}
    for name, array in values["3"].items():
        if isinstance(array, np.ndarray) and array.dtype.kind == "f" and array.ndim >= 2 and np.ptp(array) > 0:
            seen.setdefault(re.sub(r"\d+", "#", name), []).append(array)
    for arrays in seen.values():
        if any(a.shape == b.shape and np.array_equal(a, b) for i, a in enumerate(arrays) for b in arrays[:i]):
            return "two layers start with exactly the same weights"
    return None


EXERCISE = Exercise(
    name="Transformer",
    reference=reference.Transformer,
    cases=_transformer_cases,
    compare={
        "shape": lambda case, value, expected: (
            _logits(case, value, expected) or (not_probabilities(value) if case.method != "encode" else None)
        ),
        "longest sequences": _logits,
        "two vocabularies": _logits,
        "called again": _logits,
        "forward": _logits,
        "every part is used": _logits,
        "no looking ahead": _judged(_looks_ahead),
        "reads the source": _judged(_reads_source),
        "the encoder looks both ways": _judged(_both_ways),
        "order of the source": _judged(_source_order),
        "order of the target": _judged(_target_order),
        "place in the batch": _judged(_same_twice),
        "padding in the encoder": _logits,
        "padding of the source": _logits,
        "mask of the memory": _judged(_masked_memory),
        "layers": lambda case, value, expected: (
            None if isinstance(value, dict) else "the parameters cannot be read: is it an nn.Module?"
        ),
    },
    relations=(
        Relation("padding in the encoder", _encoder_padding),
        Relation("padding of the source", _source_padding),
        Relation("layers", _count_layers),
        Relation("called again", same_after_others),
    ),
    mistakes=MISTAKES,
    hints=(
        (
            "Draw it first: which ids go where, and which mask goes to which attention? There are three attentions and"
            " two masks."
        ),
        (
            "encode: embedding times √d_model plus positions, then the encoder with the padding mask. decode: the same"
            " for the target, then every decoder layer with the causal mask and the memory, then the linear layer."
        ),
    ),
)
