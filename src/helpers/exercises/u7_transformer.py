"""Unit 7: cases, mistakes and hints of the whole machine.

What a learner's model computes depends on weights and a design of its own, so `DigitClassifier` and `Transformer` are judged by what
must hold for every right design: what may change an output, and what may not. How well the trained models do is measured on held-out
data with the weights that the notebook saved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers import data
from helpers.exercise import Built, Case, Exercise, Init, Mistake, Relation, Tensor
from helpers.reference import u7_transformer as reference
from helpers.reference.u3_positional_encoding import sinusoidal_encoding
from helpers.reference.u5_add_and_norm import Encoder
from helpers.reference.u6_masked_decoder import cross_entropy, shift_right

DIGITS_ASKED, TRANSLATIONS_ASKED = 0.96, 0.98
PER_LANGUAGE = 67
# Two ways to the same number in float32, as with and without padding, differ by about 1e-6.
SAME, OTHER = 1e-4, 3e-5


def _scale(value: np.ndarray) -> float:
    return float(np.abs(value).max(initial=0)) or 1.0


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.abs(a - b).max(initial=0) <= SAME * _scale(b))


def _differ(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.abs(a - b).max(initial=0) > OTHER * _scale(b))


def _numbers_of_shape(value: Any, shape: tuple[int, ...]) -> str | None:
    """What keeps a value from being finite real numbers of this shape."""
    if isinstance(value, tuple):
        return f"the model returns {len(value)} results; expected one array of shape {shape}, without the attention weights"
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        kind = (
            f"an array of {value.dtype}"
            if isinstance(value, np.ndarray)
            else "nothing"
            if value is None
            else f"a {type(value).__name__}"
        )
        return f"the result is {kind}; expected real numbers of shape {shape}"
    if value.shape != shape:
        return f"the result has shape {value.shape}; expected {shape}"
    if not np.isfinite(value).all():
        return "the result has NaN or infinity in it"
    return None


def _not_probabilities(value: np.ndarray) -> str | None:
    if value.min() >= 0 and np.abs(value.sum(axis=-1) - 1).max() < SAME:
        return "the result holds probabilities; the logits are asked, as cross entropy does the softmax itself"
    return None


# --- DigitClassifier -------------------------------------------------------------------------------------


def _digit_cases(rng):
    digits = data.digits()
    init = Init(seed=int(rng.integers(2**31)))
    chosen = rng.choice(len(digits.train_images), size=9, replace=False)
    images = digits.train_images[chosen]
    order = rng.permutation(len(digits.test_labels))
    return [
        Case("shape", (Tensor(images[:5]),), init=init, note="5 images"),
        Case("shape", (Tensor(images[:1]),), init=init, note="a batch of one image"),
        Case(
            "every part is used", (Tensor(images[:3]),), init=init, gradients=True, note="gradients of all parameters"
        ),
        Case(
            "place in the batch",
            (Tensor(np.stack([images[5], images[6], images[5]])),),
            init=init,
            note="one image twice in a batch",
        ),
        Case(
            "order of the rows",
            (Tensor(np.stack([images[7], images[7][::-1]])),),
            init=init,
            note="an image, and the same upside down",
        ),
        Case("each image alone", (Tensor(images[6:]),), init=init, label="together", note="three images together"),
        Case(
            "each image alone", (Tensor(images[6:7]),), init=init, label="alone", note="the first of three images alone"
        ),
        Case(
            "accuracy",
            (Tensor(digits.test_images[order]),),
            init=Init(weights_file=data.WEIGHTS, prefix="digits."),
            truth=digits.test_labels[order],
            note="the held-out images, with your trained weights",
        ),
    ]


def _ten_logits(case, value, expected):
    return _numbers_of_shape(value, (len(case.args[0].array), 10))


def _place_in_batch(case, value, expected):
    problem = _ten_logits(case, value, expected)
    if problem is None and not _alike(value[0], value[2]):
        problem = "the same image gets other logits at another place of the batch"
    return problem


def _order_of_rows(case, value, expected):
    problem = _ten_logits(case, value, expected)
    if problem is None and not _differ(value[0], value[1]):
        problem = "an image upside down gets the same logits: nothing tells the model where a row stands"
    return problem


def _digits_right(case, value, expected):
    problem = _ten_logits(case, value, expected)
    if problem is not None:
        return problem
    right = int((value.argmax(axis=-1) == case.truth).sum())
    if right >= DIGITS_ASKED * len(case.truth):
        return None
    told = (
        f"with the weights in {data.WEIGHTS}, your model reads {right} of {len(case.truth)} held-out images right ({right / len(case.truth):.1%}); "
        f"{DIGITS_ASKED:.0%} are asked"
    )
    return f"{told}. {problem}" if (problem := _not_probabilities(value)) else told


def _each_alone(values: Mapping[str, Any]) -> str | None:
    if _alike(values["together"][:1], values["alone"]):
        return None
    return "the logits of an image change with the other images of the batch"


class _Reader(nn.Module):
    """A small right classifier, for wrong ones to change a step of."""

    heads, width = 2, 8

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(8, self.width)
        self.positions = torch.from_numpy(sinusoidal_encoding(8, self.width)).float()
        self.encoder = Encoder(1, self.width, self.heads, 16)
        self.classify = nn.Linear(self.width, 10)

    def tokens(self, images):
        return self.embed(images / 16) + self.positions

    def forward(self, images):
        return self.classify(self.encoder(self.tokens(images)).mean(dim=1))


def _reader(forward: Callable | None = None, tokens: Callable | None = None) -> type[nn.Module]:
    """A classifier with another `forward` or another way to make tokens."""
    changed = {name: function for name, function in (("forward", forward), ("tokens", tokens)) if function is not None}
    return type("DigitClassifier", (_Reader,), changed)


DIGIT_CLASSIFIER = Exercise(
    name="DigitClassifier",
    reference=reference.DigitClassifier,
    cases=_digit_cases,
    compare={
        "shape": _ten_logits,
        "every part is used": _ten_logits,
        "each image alone": _ten_logits,
        "place in the batch": _place_in_batch,
        "order of the rows": _order_of_rows,
        "accuracy": _digits_right,
    },
    relations=(Relation("each image alone", _each_alone),),
    mistakes=(
        Mistake(
            "gave an answer for every row of the image",
            "The encoder hands back eight tokens. Make one vector of them, by the mean over the token axis for example, before the last layer.",
            _reader(lambda self, images: self.classify(self.encoder(self.tokens(images)))),
        ),
        Mistake(
            "took the mean over the images, not over the rows",
            "After the encoder the axes are (image, row, feature): the rows are axis 1.",
            _reader(lambda self, images: self.classify(self.encoder(self.tokens(images)).mean(dim=0))),
        ),
        Mistake(
            "took the mean over rows and images together",
            "Each image keeps its own answer: only the row axis goes.",
            _reader(lambda self, images: self.classify(self.encoder(self.tokens(images)).mean(dim=(0, 1)))),
        ),
        Mistake(
            "squeezed the batch axis away",
            "`.squeeze()` removes every axis of length 1, also that of a batch with one image in it. Name the axis.",
            _reader(lambda self, images: _Reader.forward(self, images).squeeze()),
        ),
        Mistake(
            "returned the digit itself, not the ten logits",
            "Cross entropy needs a number for each of the ten digits; argmax comes after the model, and has no gradient.",
            _reader(lambda self, images: _Reader.forward(self, images).argmax(dim=-1)),
        ),
        Mistake(
            "returned something beside the logits",
            "Attention layers return a pair. Here the logits alone are asked.",
            _reader(lambda self, images: (_Reader.forward(self, images), self.tokens(images))),
        ),
        Mistake(
            "let images attend to one another",
            "Attention works on the last axis but one. There the rows must stand, (image, row, feature), not the images.",
            _reader(lambda self, images: self.classify(self.encoder(self.tokens(images).transpose(0, 1)).mean(dim=0))),
        ),
        Mistake(
            "added positions along the batch, not along the rows",
            "All images share the eight position vectors: P is (8, d_model) and meets the last two axes of (b, 8, d_model).",
            _reader(tokens=lambda self, images: self.embed(images / 16) + _sines(len(images), self.width)[:, None]),
        ),
        Mistake(
            "no positions",
            "Attention and the mean over the rows both forget the order. Add a position vector to each row.",
            _reader(tokens=lambda self, images: self.embed(images / 16) + 0 * self.positions),
        ),
    ),
    hints=(
        "Linear layer and positions, encoder, mean over the tokens, linear layer. After every change to it, train again from the cell that makes `digits_run`.",
        "The shapes on the way: (b, 8, 8), (b, 8, d_model), once more (b, 8, d_model), then (b, d_model), then (b, 10).",
    ),
)


def _sines(n: int, width: int) -> torch.Tensor:
    return torch.from_numpy(sinusoidal_encoding(n, width)).float()


# --- Transformer -----------------------------------------------------------------------------------------

_SRC, _TGT, _D, _HEADS, _LAYERS, _FF, _LONGEST = 17, 11, 8, 2, 2, 12, 9


def _source(rng, batch: int, n: int) -> np.ndarray:
    """Source ids without padding, all different in a sentence."""
    return np.stack([rng.choice(np.arange(3, _SRC), size=n, replace=False) for _ in range(batch)])


def _target(rng, batch: int, m: int) -> np.ndarray:
    """Target ids behind bos, all different in a sentence."""
    words = np.stack([rng.choice(np.arange(3, _TGT), size=m - 1, replace=False) for _ in range(batch)])
    return np.concatenate([np.full((batch, 1), data.BOS), words], axis=1)


def _with(ids: np.ndarray, place: int, new: int) -> np.ndarray:
    """The ids, with another one at a place."""
    ids = ids.copy()
    ids[..., place] = new
    return ids


def _transformer_cases(rng):
    seed = int(rng.integers(2**31))

    def init(n_layers=_LAYERS, d_ff=_FF, n_heads=_HEADS):
        return Init((_SRC, _TGT, _D, n_heads, n_layers, d_ff, _LONGEST), seed=seed)

    def case(property, src, tgt, note, label="", **more):
        return Case(property, (Tensor(src), Tensor(tgt)), init=more.pop("init", init()), label=label, note=note, **more)

    src, tgt = _source(rng, 2, 5), _target(rng, 2, 4)
    one, other = _source(rng, 1, 5), _target(rng, 1, 5)
    spare_word = next(word for word in range(3, _SRC) if word not in one)
    spare_digit = next(word for word in range(3, _TGT) if word not in other)
    swapped = other[:, [0, 2, 1, 3, 4]]
    # As many sentences as they are long: a mask without the axes of heads and queries would still fit.
    lengths = [4, 2, 3, 1]
    short = _source(rng, 4, 4)
    padded = np.where(np.arange(4) < np.array(lengths)[:, None], short, data.PAD)
    four = _target(rng, 4, 3)
    memory = rng.normal(size=(1, 5, _D)).astype("f4")
    hidden = np.array([True, True, True, False, False])
    disturbed = np.where(hidden[:, None], memory, rng.normal(size=memory.shape)).astype("f4")
    both_masks = np.broadcast_to(hidden, (2, 1, 1, 5)).copy()
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
        case(
            "bad arguments", src, tgt, "3 heads do not divide a width of 8", init=init(n_heads=3), raises="ValueError"
        ),
        case("bad arguments", src, tgt, "no heads", init=init(n_heads=0), raises="ValueError"),
    ]


def _logits(case, value, expected):
    if case.method == "encode":
        return _numbers_of_shape(value, (*case.args[0].array.shape, _D))
    tgt = case.args[0 if case.method == "decode" else 1].array
    return _numbers_of_shape(value, (*tgt.shape, _TGT))


def _judged(test: Callable[[np.ndarray], str | None]) -> Callable:
    """A comparison that looks at the shape first."""
    return lambda case, value, expected: _logits(case, value, expected) or test(value)


def _looks_ahead(value):
    if not _alike(value[0, :2], value[1, :2]):
        return "a target token changes the logits of places before it: there the model can read what it is to predict"
    if not _differ(value[0, 2], value[1, 2]):
        return (
            "a target token makes no difference to the logits at its own place, which are to predict the token after it"
        )
    return None


def _reads_source(value):
    return None if _differ(value[0, 0], value[1, 0]) else "another word in the source makes no difference to the logits"


def _both_ways(value):
    back, ahead = _differ(value[0, -1], value[2, -1]), _differ(value[0, 0], value[1, 0])
    if not back and not ahead:
        return "the memory of a word does not depend on the other words: they do not see each other"
    if not ahead:
        return "the memory of a word does not depend on the words after it: the encoder may look ahead"
    return None if back else "the memory of a word does not depend on the words before it"


def _source_order(value):
    return (
        None
        if _differ(value[0], value[1])
        else "the source backwards gives the same logits: nothing tells the model where a word stands"
    )


def _target_order(value):
    if _differ(value[0, -1], value[1, -1]):
        return None
    return "two target tokens that change places leave the last logits as they are: nothing tells the model where a token stands"


def _same_twice(value):
    return None if _alike(value[0], value[3]) else "the same sentence gets other logits at another place of the batch"


def _masked_memory(value):
    return None if _alike(value[0], value[1]) else "memory that `memory_mask` hides changes the logits"


def _encoder_padding(values: Mapping[str, Any]) -> str | None:
    if _alike(values["together"][1:2, :2], values["alone"]):
        return None
    return "the memory of a short sentence changes when it is padded: its words see the padding"


def _source_padding(values: Mapping[str, Any]) -> str | None:
    if _alike(values["together"][1:2], values["second"]) and _alike(values["together"][2:3], values["third"]):
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
            f"with d_model = {_D} and d_ff = {9 * _D}, one more layer adds {two - one:,} numbers; an encoder layer and a decoder layer "
            f"together have at least 12 d_model² + 4 d_model d_ff = {least:,}"
        )
    seen: dict[str, list[np.ndarray]] = {}
    for name, array in values["3"].items():
        if isinstance(array, np.ndarray) and array.dtype.kind == "f" and array.ndim >= 2 and np.ptp(array) > 0:
            seen.setdefault(re.sub(r"\d+", "#", name), []).append(array)
    for arrays in seen.values():
        if any(a.shape == b.shape and np.array_equal(a, b) for i, a in enumerate(arrays) for b in arrays[:i]):
            return "two layers start with exactly the same weights"
    return None


class _Machine(reference.Transformer):
    """The reference, for wrong ones to change a step of."""

    def memory_mask(self, src):
        return self.source_mask(src)

    def forward(self, src, tgt_in):
        return self.decode(tgt_in, self.encode(src), self.memory_mask(src))


def _machine(**changed: Any) -> type[nn.Module]:
    """A Transformer with other methods; `__init__` makes the parts first and then changes them."""
    after = changed.pop("after", None)
    made = type("Transformer", (_Machine,), changed)
    if after is not None:

        def __init__(self, *sizes, **named):
            _Machine.__init__(self, *sizes, **named)
            after(self, *sizes, **named)

        made.__init__ = __init__
    return made


def _sees_all(tgt_in):
    return torch.ones(tgt_in.shape[-1], tgt_in.shape[-1], dtype=torch.bool)


def _embed_without(src: bool, tgt: bool) -> Callable:
    def embed(self, table, ids):
        x = table.embedding_dim**0.5 * table(ids)
        wanted = src if table is self.src_embed else tgt
        return x + self.positions[: ids.shape[-1]] if wanted else x

    return embed


def _embed_along_batch(self, table, ids):
    return table.embedding_dim**0.5 * table(ids) + self.positions[: ids.shape[0], None]


def _embed_backwards(self, table, ids):
    positions = self.positions[:-1]
    return table.embedding_dim**0.5 * table(ids) + positions[: ids.shape[-1]]


def _blind_decode(self, tgt_in, memory, memory_mask=None):
    return reference.Transformer.decode(self, tgt_in, 0 * memory, memory_mask)


def _decode_with(masks: Callable, shift: Callable | None = None) -> Callable:
    """A decode that hands its layers other masks, or reads other ids."""

    def decode(self, tgt_in, memory, memory_mask=None):
        x = self._embed(self.tgt_embed, tgt_in if shift is None else shift(tgt_in))
        for layer in self.decoder:
            x = layer(x, memory, *masks(self.target_mask(tgt_in), memory_mask))
        return self.project(self.norm(x))

    return decode


_masks_swapped = _decode_with(lambda causal, padding: (padding, causal))
_causal_memory = _decode_with(lambda causal, padding: (causal, causal))
_shifted_inside = _decode_with(lambda causal, padding: (causal, padding), lambda tgt_in: shift_right(tgt_in, data.BOS))


def _same_layers(self, *sizes, **named):
    self.decoder = nn.ModuleList([self.decoder[0]] * len(self.decoder))


def _one_encoder_layer(self, *sizes, **named):
    self.encoder.layers = self.encoder.layers[:1]


def _one_decoder_layer(self, *sizes, **named):
    self.decoder = self.decoder[:1]


def _one_layer(self, *sizes, **named):
    _one_encoder_layer(self)
    _one_decoder_layer(self)


def _narrow(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, max_length):
    made = reference.Transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_model, max_length)
    self.encoder, self.decoder = made.encoder, made.decoder


def _without_projection(self, *sizes, **named):
    self.project = nn.Identity()


def _project_to_source(self, src_vocab, tgt_vocab, d_model, *sizes, **named):
    self.project = nn.Linear(d_model, src_vocab)


def _with_softmax(self, *sizes, **named):
    self.project = nn.Sequential(self.project, nn.Softmax(dim=-1))


def _causal_encode(self, src):
    return self.encoder(self._embed(self.src_embed, src), self.source_mask(src) & self.target_mask(src))


TRANSFORMER = Exercise(
    name="Transformer",
    reference=reference.Transformer,
    cases=_transformer_cases,
    compare={
        "shape": lambda case, value, expected: (
            _logits(case, value, expected) or (_not_probabilities(value) if case.method != "encode" else None)
        ),
        "longest sequences": _logits,
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
    ),
    mistakes=(
        Mistake(
            "the decoder looks ahead",
            "Every target token may see itself and what stands before it: `causal_mask` from unit 6, in the decoder's self-attention.",
            _machine(target_mask=staticmethod(_sees_all)),
        ),
        Mistake(
            "the encoder sees the padding",
            "Words must not attend to `PAD`: give the encoder the mask `src != PAD`, with axes for heads and queries.",
            _machine(encode=lambda self, src: self.encoder(self._embed(self.src_embed, src))),
        ),
        Mistake(
            "cross attention sees the padding",
            "The memory has rows for `PAD` too. `forward` hands `decode` the same mask that the encoder used.",
            _machine(memory_mask=lambda self, src: None),
        ),
        Mistake(
            "memory_mask is not used in decode",
            "`decode` gets it as its third argument; every decoder layer wants it for cross attention.",
            _machine(
                decode=lambda self, tgt_in, memory, memory_mask=None: reference.Transformer.decode(self, tgt_in, memory)
            ),
        ),
        Mistake(
            "the padding mask is upside down",
            "True means may attend, here as everywhere in the course: True where there is a word.",
            _machine(source_mask=staticmethod(lambda src: (src == data.PAD)[:, None, None, :])),
        ),
        Mistake(
            "the padding mask lacks the axes of heads and queries",
            "`src != PAD` is (b, n) and has to broadcast to (b, h, n_q, n_k): put two axes of length 1 between, `[:, None, None, :]`.",
            _machine(source_mask=staticmethod(lambda src: src != data.PAD)),
        ),
        Mistake(
            "the padding mask stands on the axis of the queries",
            "Padding must not be looked at, so it is forbidden as a key, and keys are the last axis.",
            _machine(source_mask=staticmethod(lambda src: (src != data.PAD)[:, None, :, None])),
        ),
        Mistake(
            "the two masks of the decoder layer have changed places",
            "A `DecoderLayer` takes x, memory, self_mask, memory_mask: the causal mask is for the target, the padding mask for the memory.",
            _machine(decode=_masks_swapped),
        ),
        Mistake(
            "the causal mask hides the memory",
            "The memory is complete before the first digit is written: cross attention may look at all of its words.",
            _machine(decode=_causal_memory),
        ),
        Mistake(
            "shifted the target inside the model",
            "`tgt_in` comes shifted: `train_step` does that. The logits at place i follow the token at place i.",
            _machine(decode=_shifted_inside),
        ),
        Mistake(
            "no positions on either side",
            "Attention sees a set. Add position vectors to the embeddings of the source and of the target.",
            _machine(_embed=_embed_without(False, False)),
        ),
        Mistake(
            "no positions in the source",
            "The target knows its order, the source does not: “two hundred three” and “three hundred two” look alike.",
            _machine(_embed=_embed_without(False, True)),
        ),
        Mistake(
            "no positions in the target",
            "The source knows its order, the target does not: the decoder has to know which digit it is at.",
            _machine(_embed=_embed_without(True, False)),
        ),
        Mistake(
            "added positions along the batch, not along the tokens",
            "P[:n] is (n, d_model) and meets the last two axes of (b, n, d_model), so that all sentences share it.",
            _machine(_embed=_embed_along_batch),
        ),
        Mistake(
            "no room for the longest sequence",
            "A sequence of max_length tokens has the positions 0 to max_length - 1: max_length rows.",
            _machine(_embed=_embed_backwards),
        ),
        Mistake(
            "the decoder never looks at the memory",
            "Cross attention takes its keys and values from the memory that `encode` returns.",
            _machine(decode=_blind_decode),
        ),
        Mistake(
            "the encoder is masked like a decoder",
            "The source is there as a whole; its words may see each other in both directions. Only padding is hidden.",
            _machine(encode=_causal_encode),
        ),
        Mistake(
            "encode skips the encoder",
            "The memory is what the encoder makes of embeddings and positions, not these themselves.",
            _machine(encode=lambda self, src: self._embed(self.src_embed, src)),
        ),
        Mistake(
            "returned probabilities, not logits",
            "Leave the softmax out: cross entropy does it, and twice is once too often.",
            _machine(after=_with_softmax),
        ),
        Mistake(
            "no last linear layer",
            "The decoder's tokens are d_model wide. One linear layer makes a logit for each entry of the target vocabulary of them.",
            _machine(after=_without_projection),
        ),
        Mistake(
            "as many logits as the source has words",
            "The model writes in the target's vocabulary: tgt_vocab logits.",
            _machine(after=_project_to_source),
        ),
        Mistake(
            "layers share their start values",
            "`[layer] * n` is one layer n times, and a deep copy starts as its twin. Make each layer anew in the list.",
            _machine(after=_same_layers),
        ),
        Mistake(
            "the encoder's n_layers layers are not all among the parameters",
            "Give the encoder n_layers, and if you keep layers in a list, let it be an `nn.ModuleList`: torch does not look into a plain one.",
            _machine(after=_one_encoder_layer),
        ),
        Mistake(
            "the decoder's n_layers layers are not all among the parameters",
            "The decoder has n_layers layers too, in an `nn.ModuleList`: torch does not look into a plain list.",
            _machine(after=_one_decoder_layer),
        ),
        Mistake(
            "n_layers is not used",
            "Encoder and decoder have n_layers layers each, in an `nn.ModuleList`, so that their parameters are found.",
            _machine(after=_one_layer),
        ),
        Mistake(
            "d_ff is not used",
            "d_ff is the width inside the feed-forward net of every layer, on both sides.",
            _machine(after=_narrow),
        ),
    ),
    hints=(
        "Draw it first: which ids go where, and which mask goes to which attention? There are three attentions and two masks.",
        "encode: embedding times √d_model plus positions, then the encoder with the padding mask. decode: the same for the target, then every decoder layer "
        "with the causal mask and the memory, then the linear layer.",
    ),
)


# --- train_step ------------------------------------------------------------------------------------------


def _learner_of(rng, src_vocab: int, tgt_vocab: int, training: bool = True) -> tuple[Built, Built]:
    """A small model and its optimizer. Its gradients stay below length 1, so that clipping them there changes nothing."""
    d = 4
    weights = {
        "S": rng.normal(size=(src_vocab, d)),
        "T": rng.normal(size=(tgt_vocab, d)),
        "W": rng.normal(size=(tgt_vocab, d)),
        "c": rng.normal(size=tgt_vocab),
    }
    options = {"weights": weights, "keep": np.array([1.5, 0.0, 1.5, 0.5]), "sharpness": 0.3, "training": training}
    return Built("bag_of_words_model", options), Built("sgd", {"model": "0", "rate": 1.0, "momentum": 0.5})


def _sentences(
    rng, batch: int, n: int, vocab: int, pad_id: int, bos_id: int, lengths: list[int] | None = None
) -> np.ndarray:
    free = [word for word in range(vocab) if word not in (pad_id, bos_id)]
    ids = rng.choice(free, size=(batch, n))
    if lengths is not None:
        ids = np.where(np.arange(n) < np.array(lengths)[:, None], ids, pad_id)
    return ids


def _train_step_cases(rng):
    def case(property, batch, n, m, note, lengths=None, pad_id=data.PAD, bos_id=data.BOS, training=True, times=1):
        src = _sentences(rng, batch, n, 9, pad_id, bos_id)
        tgt = _sentences(rng, batch, m, 8, pad_id, bos_id, lengths)
        return Case(
            property,
            (*_learner_of(rng, 9, 8, training), Tensor(src), Tensor(tgt), pad_id, bos_id),
            times=times,
            note=note,
        )

    return [
        case("one step", 2, 3, 4, "2 sentences of 4 target tokens, no padding"),
        case("one step", 3, 5, 2, "3 sentences of 2 target tokens, no padding"),
        case("padding", 3, 4, 5, "targets of 5, 2 and 1 tokens", [5, 2, 1]),
        case("other ids", 3, 4, 4, "pad_id = 5, bos_id = 7", [4, 1, 3], pad_id=5, bos_id=7),
        case("training mode", 2, 3, 4, "the model comes in evaluation mode", [4, 3], training=False),
        case("several steps", 3, 4, 4, "three steps on the same batch", [4, 2, 3], times=3),
    ]


def _step(
    loss: Callable | None = None,
    update: Callable | None = None,
    shift: Callable | None = None,
    after: Callable | None = None,
    train: bool = True,
):
    """A train_step with one part of its own."""

    def train_step(model, optimizer, src, tgt, pad_id, bos_id):
        if train:
            model.train()
        tgt_in = (shift or shift_right)(tgt, bos_id)
        logits = model(src, tgt_in)
        value = (loss or cross_entropy)(logits, tgt, pad_id)
        (update or _update)(optimizer, value)
        if after is not None:
            value = after(model, src, tgt_in, tgt, pad_id)
        return value.item()

    return train_step


def _update(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _accumulate(optimizer, loss):
    loss.backward()
    optimizer.step()


def _step_first(optimizer, loss):
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()


def _per_sentence(logits, tgt, pad_id):
    return torch.stack([cross_entropy(l, t, pad_id) for l, t in zip(logits, tgt)]).mean()


def _padded_with(pad_id: int) -> Callable:
    def train_step(model, optimizer, src, tgt, given, bos_id):
        return reference.train_step(model, optimizer, src, tgt, pad_id, bos_id)

    return train_step


def _begun_with(bos: int | str) -> Callable:
    def train_step(model, optimizer, src, tgt, pad_id, bos_id):
        return reference.train_step(model, optimizer, src, tgt, pad_id, pad_id if bos == "pad" else bos)

    return train_step


TRAIN_STEP = Exercise(
    name="train_step",
    reference=reference.train_step,
    cases=_train_step_cases,
    mistakes=(
        Mistake(
            "no shift: the decoder reads the very token that it has to predict",
            "Teacher forcing gives the decoder the right tokens up to the one before: bos first, the last target not at all.",
            _step(shift=lambda tgt, bos_id: tgt),
        ),
        Mistake(
            "shifted twice",
            "The targets have no bos of their own. Once they are shifted for the input, the logits and the unshifted targets stand side by side.",
            _step(loss=lambda logits, tgt, pad_id: cross_entropy(logits[:, :-1], tgt[:, 1:], pad_id)),
        ),
        Mistake(
            "the first token is never predicted",
            "`tgt[:, :-1]` as input and `tgt[:, 1:]` as targets is right where tgt begins with bos. Here it does not: put bos in front.",
            _step(
                shift=lambda tgt, bos_id: tgt,
                loss=lambda logits, tgt, pad_id: cross_entropy(logits[:, :-1], tgt[:, 1:], pad_id),
            ),
        ),
        Mistake(
            "rolled the last token to the front, where bos belongs",
            "`torch.roll` goes round in a circle. What comes first is bos_id.",
            _step(shift=lambda tgt, bos_id: torch.roll(tgt, 1, dims=1)),
        ),
        Mistake(
            "padding counted in the loss",
            "Most of a batch may be padding, and predicting that is no achievement: `ignore_index=pad_id`.",
            _step(loss=lambda logits, tgt, pad_id: cross_entropy(logits, tgt)),
        ),
        Mistake(
            "padding left out of the sum, but counted in the mean",
            "Divide by the number of tokens that are kept, not by the size of the batch.",
            _step(loss=lambda logits, tgt, pad_id: cross_entropy(logits, tgt, pad_id) * (tgt != pad_id).float().mean()),
        ),
        Mistake(
            "a mean for each sentence, then the mean of these",
            "Every token that is no padding weighs the same, whatever sentence it is in: one mean over all of them.",
            _step(loss=_per_sentence),
        ),
        Mistake(
            "the sum, not the mean",
            "A sum grows with the batch, and the size of the steps with it.",
            _step(loss=lambda logits, tgt, pad_id: cross_entropy(logits, tgt, pad_id) * (tgt != pad_id).sum()),
        ),
        Mistake(
            "softmax before cross entropy",
            "Cross entropy takes logits and does the softmax itself.",
            _step(loss=lambda logits, tgt, pad_id: cross_entropy(torch.softmax(logits, dim=-1), tgt, pad_id)),
        ),
        Mistake(
            "gradients of earlier steps were not cleared",
            "`backward` adds to what is there. `optimizer.zero_grad()` clears it, once a step.",
            _step(update=_accumulate),
        ),
        Mistake(
            "the parameters do not change",
            "Three lines in this order: clear the old gradients, `loss.backward()`, `optimizer.step()`.",
            _step(update=lambda optimizer, loss: optimizer.zero_grad()),
        ),
        Mistake(
            "stepped before the gradients were there",
            "`loss.backward()` fills in the gradients that `optimizer.step()` uses, so it comes first.",
            _step(update=_step_first),
        ),
        Mistake(
            "left the model in evaluation mode",
            "`translate` may have been called in between: begin with `model.train()`.",
            _step(train=False),
        ),
        Mistake("pad_id is not used", "Padding has the id that the caller says, not always 0.", _padded_with(data.PAD)),
        Mistake(
            "bos_id is not used",
            "The sentence begins with the id that the caller says, not always with 1.",
            _begun_with(data.BOS),
        ),
        Mistake("began with padding, not with bos", "What the decoder reads first is bos_id.", _begun_with("pad")),
        Mistake(
            "returned the loss after the step",
            "Keep the loss that the gradients came from; a second forward pass costs as much as the first.",
            _step(after=lambda model, src, tgt_in, tgt, pad_id: cross_entropy(model(src, tgt_in), tgt, pad_id)),
        ),
    ),
    hints=(
        "Six steps: training mode, shift the targets, logits, loss, clear and compute the gradients, step. The loss goes back as a plain number.",
        "`shift_right` and `cross_entropy` from unit 6 do the two that are special here.",
    ),
)


# --- translate -------------------------------------------------------------------------------------------

_VOCAB = len(data.target_vocabulary())
_WORDS = len(data.source_vocabulary())
_NEVER, _ALWAYS = -30.0, 30.0


def _parrot(rng, lengths: list[int | None], training: bool = False) -> tuple[Built, list[list[int]]]:
    """A model that answers its i-th sentence with `lengths[i]` ids and then eos, or never ends."""
    sentences: list[list[int]] = []
    while len(sentences) < len(lengths):
        ids = rng.integers(3, _WORDS, size=2 + len(sentences)).tolist()
        sentences.append(ids)
    steps = data.MAX_LENGTH
    logits = 3 * rng.normal(size=(len(lengths), steps, _VOCAB, _VOCAB))
    logits[..., :3] = _NEVER
    for number, length in enumerate(lengths):
        if length is not None:
            logits[number, length, :, data.EOS] = _ALWAYS
    options = {
        "sentences": sentences,
        "logits": logits.astype("f4"),
        "bos_id": data.BOS,
        "longest": data.MAX_LENGTH,
        "training": training,
    }
    return Built("parrot", options), sentences


def _translate_cases(rng):
    model, sentences = _parrot(rng, [3, 5, 1, 0])
    endless, (tireless,) = _parrot(rng, [None])
    learning, (known,) = _parrot(rng, [4], training=True)
    options = {
        "name": "Transformer",
        "kwargs": dict(data.TRANSLATOR),
        "weights_file": data.WEIGHTS,
        "prefix": "translator.",
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
                (Built("notebook_class", options), data.source_ids(number, language)),
                label=f"{language} {number}",
                note=f"{number} in {language}",
            )
            for number, language in numbers
        ),
    ]


def _comes_to_an_end(case, value, expected):
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


def _list_of_ids(case, value, expected):
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
        f"with the weights in {data.WEIGHTS}, {total} of {len(values)} held-out numbers come out exactly right ({total / len(values):.1%}; {each}); "
        f"{TRANSLATIONS_ASKED:.0%} are asked{example}"
    )


def _writer(
    begin: int = data.BOS,
    stop: bool = True,
    pick: Callable | None = None,
    feed: Callable | None = None,
    mode: bool | None = False,
    give: Callable | None = None,
    most: int = data.MAX_LENGTH,
):
    """A translate with one part of its own: what it begins with, feeds, picks and gives back."""

    def translate(model, src_ids):
        if mode is not None:
            model.train(mode)
        src = torch.tensor([src_ids])
        ids = [begin]
        with torch.no_grad():
            while len(ids) <= most:
                given = ids if feed is None else feed(ids)
                logits = model.decode(torch.tensor([given]), model.encode(src))
                token = int((pick or _most_probable)(logits))
                ids.append(token)
                if stop and token == data.EOS:
                    break
        ids = give(ids) if give is not None else [token for token in ids[1:] if token != data.EOS]
        return ids

    return translate


def _most_probable(logits):
    return logits[0, -1].argmax()


def _endless(model, src_ids):
    ids = [data.BOS]
    while True:
        token = int(_most_probable(model(torch.tensor([src_ids]), torch.tensor([ids]))))
        if token == data.EOS:
            return ids[1:]
        ids.append(token)


TRANSLATE = Exercise(
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
            "returned digits, not their ids",
            "The digits' ids are asked; `data.digits_of` makes a number of them afterwards.",
            _writer(give=lambda ids: [token - 3 for token in ids[1:] if token != data.EOS]),
        ),
        Mistake(
            "returned the number, not the ids of its digits",
            "A list of ids is asked; `data.digits_of` makes a number of them afterwards.",
            _writer(give=lambda ids: int("".join(str(token - 3) for token in ids[1:] if token != data.EOS) or 0)),
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
            "The decoder has no memory of its own from one call to the next: it needs bos and all ids so far, each time.",
            _writer(feed=lambda ids: ids[-1:]),
        ),
        Mistake(
            "asked for the first token again and again",
            "Append each new id to the decoder's input, and read the logits at its last place: those predict the next token.",
            _writer(feed=lambda ids: ids[:1]),
        ),
        Mistake(
            "read the logits of every place, not of the last one",
            "`decode` predicts a token after each of its m places. The one that is still to be written comes after the last.",
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
        "Encode once, as a batch of one; then `greedy_decode` asks for logits. After a change to Transformer, train again from the cell that makes `translator_run`.",
        "`decode` reads a batch of one, (1, m), and answers (1, m, tgt_vocab): the place that predicts the next token is the last one.",
    ),
)


EXERCISES = (DIGIT_CLASSIFIER, TRANSFORMER, TRAIN_STEP, TRANSLATE)
