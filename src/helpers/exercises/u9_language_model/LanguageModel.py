"""`LanguageModel`: its cases and hints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from helpers import text
from helpers.data import WEIGHTS
from helpers.exercise import Case, Exercise, Init, Tensor
from helpers.reference import u9_language_model as reference

from ._language_model_mistakes import MISTAKES
from .common import block_weights, nearly

_VOCAB, _D, _LAYERS, _H, _KV, _FF = 11, 16, 2, 4, 2, 10

# Of each kind, how many pieces of the text are sent; only the second half of a piece counts, where there is something
# to go by.
_HELD_OUT, _LOOKED_AHEAD, _LEARNED = 32, 8, 16
_BEFORE = text.CONTEXT // 2
# A right model does worse on what it has not read; one that does so much better has read it.
_SUSPICIOUS = 0.4


def _weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    weights = {
        "embedding.weight": rng.normal(size=(_VOCAB, _D)),
        "norm.weight": 1 + 0.4 * rng.normal(size=_D),
        "head.weight": 2 * rng.normal(size=(_VOCAB, _D)) / np.sqrt(_D),
    }
    for i in range(_LAYERS):
        weights |= block_weights(rng, _D, _H, _KV, _FF, f"layers.{i}.")
    return {name: array.astype("f4") for name, array in weights.items()}


def _cases(rng: np.random.Generator) -> list[Case]:
    weights = _weights(rng)
    sizes = (_VOCAB, _D, _LAYERS, _H, _KV, _FF)

    def ids(batch: int, n: int) -> tuple[Tensor]:
        return (Tensor(rng.integers(0, _VOCAB, size=(batch, n))),)

    def case(
        property: str, given: Any, chunks: tuple[int, ...], note: str, training: bool = False, **more: Any
    ) -> Case:
        init = more.pop("init", Init(sizes, weights=weights, training=training))
        return Case(property, given, init=init, chunks=chunks, note=note, **more)

    two, one = ids(2, 6), ids(1, 6)
    seed = int(rng.integers(2**31))
    return [
        case("values", two, (6,), "2 texts of 6 tokens, at once"),
        case("values", one, (6,), "one text of 6 tokens, in training mode", training=True),
        case("values", ids(1, 1), (1,), "a text of one token"),
        case("in pieces", two, (4, 2), "2 texts, in pieces of 4 and 2 tokens"),
        case("in pieces", two, (2, 3, 1), "2 texts, in pieces of 2, 3 and 1 tokens"),
        case("in pieces", one, (1, 5), "one text, in pieces of 1 and 5 tokens"),
        case("token by token", two, (1,) * 6, "2 texts, token by token"),
        case("second call", two, (6,), "called twice", times=2),
        case("gradients", ids(2, 5), (5,), "gradients of all weights", gradients=True),
        case("gradients", ids(2, 5), (3, 2), "gradients through the cache", gradients=True),
        case("any length", ids(1, 1030), (1027, 2, 1), "a text of 1,030 tokens, in pieces of 1,027, 2 and 1"),
        Case("start values", init=Init(sizes, seed=seed), method="state_dict", note="the layers of a new model"),
        case(
            "bad arguments",
            one,
            (6,),
            "5 heads in a width of 16",
            raises="ValueError",
            init=Init((11, 16, 1, 5, 5, 10)),
        ),
        case("bad arguments", one, (6,), "4 heads share 3", raises="ValueError", init=Init((11, 16, 1, 4, 3, 10))),
        _measured(rng),
    ]


def _measured(rng: np.random.Generator) -> Case:
    """Pieces of the text for the learner's own weights: held out, the same with another end, and learned from."""
    learned, held = text.ids()

    def pieces(source: np.ndarray, count: int) -> np.ndarray:
        # One from each part of the text, so that every draw is about as difficult.
        edges = np.linspace(0, len(source) - text.CONTEXT - 1, count + 1).astype(int)
        starts = rng.integers(edges[:-1], edges[1:])
        return source[starts[:, None] + np.arange(text.CONTEXT + 1)]

    drawn = np.concatenate([pieces(held, _HELD_OUT), pieces(learned, _LEARNED)])
    ends = rng.integers(_BEFORE, text.CONTEXT - 1, size=_LOOKED_AHEAD)
    other = drawn[:_LOOKED_AHEAD, :-1].copy()
    for row, end in zip(other, ends):
        row[end:] = rng.integers(0, len(text.CHARACTERS), size=text.CONTEXT - end)
    # Every Python ships the text, so a table of it needs no training; under other ids it is no table of anything.
    new_ids = rng.permutation(len(text.CHARACTERS))
    return Case(
        "held-out text",
        (Tensor(new_ids[np.concatenate([drawn[:, :-1], other])]),),
        init=Init(
            kwargs=dict(text.LANGUAGE_MODEL),
            weights_file=WEIGHTS,
            prefix="language_model.",
            renamed={"vocab": [int(place) for place in new_ids]},
        ),
        chunks=(text.CONTEXT,),
        truth={"targets": new_ids[drawn[:, 1:]], "ends": ends},
        note="held-out text, with your trained weights",
    )


def _few_bits(case: Any, value: Any, expected: Any) -> str | None:
    rows, vocab = len(case.args[0].array), len(text.CHARACTERS)
    shape = (rows, text.CONTEXT, vocab)
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.shape != shape:
        found = f"of shape {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
        return f"the logits should be real numbers of shape {shape}, and are {found}"
    if not np.isfinite(value).all():
        return "the logits have NaN or infinity in them"
    targets, ends = case.truth["targets"], case.truth["ends"]
    count = len(targets)
    for row, end in enumerate(ends):
        gap = np.abs(value[row, :end] - value[count + row, :end]).max()
        if gap > 1e-3 * np.abs(value[row]).max():
            return (
                "with your trained weights, the logits of a place change with what comes after it: the model looks"
                " ahead, so its bits say nothing"
            )
    logits = value[:count, _BEFORE:].astype(float)
    logits -= logits.max(axis=-1, keepdims=True)
    of_right = np.take_along_axis(logits, targets[:, _BEFORE:, None], axis=-1)[..., 0]
    log_probabilities = of_right - np.log(np.exp(logits).sum(axis=-1))
    held, learned = (
        text.bits_per_character(part) for part in (log_probabilities[:_HELD_OUT], log_probabilities[_HELD_OUT:])
    )
    bound = text.zlib_bits()
    if held >= bound:
        return (
            f"with the weights in {WEIGHTS}, your model needs {held:.2f} bits for a character of the held-out text;"
            f" zlib needs {bound:.2f}, and fewer are asked. (The characters have other ids here, and the rows of"
            " `embedding` and `head` the order that goes with them: for a model that learned them all is as it was.)"
        )
    if held < learned - _SUSPICIOUS:
        return (
            f"your model needs {held:.2f} bits for a character of the held-out text and {learned:.2f} for one of the"
            " text to learn from; it cannot know the first one better unless it has read it. Train on"
            " `text.windows` alone"
        )
    return None


def _different_layers(case: Any, value: Any, expected: Any) -> str | None:
    if not isinstance(value, Mapping) or set(value) != set(expected):
        missing = sorted(set(expected) - set(value or ()))
        return f"the state of the model has other names than expected; missing: {', '.join(missing[:4]) or 'none'}"
    alike = [name for name in value if name.startswith("layers.0.") and name.endswith("W_q.weight")]
    first, second = (np.asarray(value[name.replace("layers.0.", f"layers.{i}.")]) for name in alike for i in (0, 1))
    return "the layers start from the same values" if np.array_equal(first, second) else None


EXERCISE = Exercise(
    name="LanguageModel",
    reference=reference.LanguageModel,
    cases=_cases,
    compare={"any length": nearly, "start values": _different_layers, "held-out text": _few_bits},
    mistakes=MISTAKES,
    hints=(
        "Embedding, the blocks one after the other, norm, head. How many tokens the cache has is the shape of its"
        " keys.",
        (
            "With t tokens in the cache and n new ones: positions arange(t, t + n), mask causal_mask(n, t + n). After a"
            " change to a class, train again from the cell that makes `run`."
        ),
    ),
)
