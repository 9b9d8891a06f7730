"""`train_step`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from helpers import data
from helpers.exercise import DEFAULT_TOLERANCE, Built, Case, Exercise, Mistake, Tensor, in_parts
from helpers.reference import u7_transformer as reference
from helpers.reference.u6_masked_decoder import cross_entropy, shift_right
from helpers.tolerance import close

from ..common import Answer, Step, within

_NUMBER = "a plain number"


def _learner_of(rng: np.random.Generator, src_vocab: int, tgt_vocab: int, training: bool = True) -> tuple[Built, Built]:
    """A small model and its optimizer.

    Its gradients stay below length 1, so that clipping them there changes nothing.
    """
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
    rng: np.random.Generator, batch: int, n: int, vocab: int, pad_id: int, bos_id: int, lengths: list[int] | None = None
) -> np.ndarray:
    free = [word for word in range(vocab) if word not in (pad_id, bos_id)]
    ids = rng.choice(free, size=(batch, n))
    if lengths is not None:
        ids = np.where(within(lengths, n), ids, pad_id)
    return ids


def _is_float(case: Case, value: Any, expected: Any) -> str | None:
    if not isinstance(value, float):
        return "the loss goes back as a plain float, without its graph: `.item()` or `float(...)` make one of a tensor"
    if not close(np.asarray(value), np.asarray(expected), DEFAULT_TOLERANCE).all():
        return f"the loss is {value:.6g}, and should be {expected:.6g}"
    return None


def _train_step_cases(rng: np.random.Generator) -> list[Case]:
    def case(
        property: str,
        batch: int,
        n: int,
        m: int,
        note: str,
        lengths: list[int] | None = None,
        pad_id: int = data.PAD,
        bos_id: int = data.BOS,
        training: bool = True,
        times: int = 1,
    ) -> Case:
        src = _sentences(rng, batch, n, 9, pad_id, bos_id)
        tgt = _sentences(rng, batch, m, 8, pad_id, bos_id, lengths)
        return Case(
            property,
            (*_learner_of(rng, 9, 8, training), Tensor(src), Tensor(tgt), pad_id, bos_id),
            times=times,
            note=f"{note}; the parameters of the model are S, T, W and c",
        )

    return [
        case("one step", 2, 3, 4, "2 sentences of 4 target tokens, no padding"),
        case("one step", 3, 5, 2, "3 sentences of 2 target tokens, no padding"),
        case("padding", 3, 4, 5, "targets of 5, 2 and 1 tokens", [5, 2, 1]),
        case("other ids", 3, 4, 4, "pad_id = 5, bos_id = 7", [4, 1, 3], pad_id=5, bos_id=7),
        case("training mode", 2, 3, 4, "the model comes in evaluation mode", [4, 3], training=False),
        case("several steps", 3, 4, 4, "three steps on the same batch", [4, 2, 3], times=3),
        case(_NUMBER, 2, 3, 4, "the loss is a float of Python's", [4, 2]),
    ]


def _update(optimizer: Any, loss: Any) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@in_parts
def _step(
    loss: Step = cross_entropy,
    update: Step = _update,
    shift: Step = shift_right,
    after: Step | None = None,
    mode: bool | None = True,
) -> Answer:
    """A train_step with one part of its own."""

    def train_step(model: Any, optimizer: Any, src: Any, tgt: Any, pad_id: Any, bos_id: Any) -> Any:
        if mode is not None:
            model.train(mode)
        tgt_in = shift(tgt, bos_id)
        logits = model(src, tgt_in)
        value = loss(logits, tgt, pad_id)
        update(optimizer, value)
        if after is not None:
            value = after(model, src, tgt_in, tgt, pad_id)
        return value.item()

    return train_step


def _accumulate(optimizer: Any, loss: Any) -> None:
    loss.backward()
    optimizer.step()


def _step_first(optimizer: Any, loss: Any) -> None:
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()


def _per_sentence(logits: Any, tgt: Any, pad_id: Any) -> Any:
    return torch.stack([cross_entropy(l, t, pad_id) for l, t in zip(logits, tgt)]).mean()


def _against_its_input(model: Any, optimizer: Any, src: Any, tgt: Any, pad_id: Any, bos_id: Any) -> Any:
    shifted = shift_right(tgt, bos_id)
    return _step(loss=lambda logits, tgt, pad_id: cross_entropy(logits, shifted, pad_id))(
        model, optimizer, src, tgt, pad_id, bos_id
    )


def _padded_with(pad_id: int) -> Answer:
    return lambda model, optimizer, src, tgt, given, bos_id: reference.train_step(
        model, optimizer, src, tgt, pad_id, bos_id
    )


def _begun_with(bos: Step) -> Answer:
    """A train_step that begins with `bos(pad_id)`."""
    return lambda model, optimizer, src, tgt, pad_id, given: reference.train_step(
        model, optimizer, src, tgt, pad_id, bos(pad_id)
    )


EXERCISE = Exercise(
    name="train_step",
    reference=reference.train_step,
    cases=_train_step_cases,
    compare={_NUMBER: _is_float},
    mistakes=(
        Mistake(
            "no shift: the decoder reads the very token that it has to predict",
            "Teacher forcing gives the decoder the right tokens up to the one before: bos first, the last target not at"
            " all.",
            _step(shift=lambda tgt, bos_id: tgt),
        ),
        Mistake(
            "shifted twice",
            "The targets have no bos of their own. Once they are shifted for the input, the logits and the unshifted"
            " targets stand side by side.",
            _step(loss=lambda logits, tgt, pad_id: cross_entropy(logits[:, :-1], tgt[:, 1:], pad_id)),
        ),
        Mistake(
            "the first token is never predicted",
            "`tgt[:, :-1]` as input and `tgt[:, 1:]` as targets is right where tgt begins with bos. Here it does not:"
            " put bos in front.",
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
            "the loss compares the logits with what the decoder has read",
            "The shifted target goes into the model. What the logits have to say is the target itself.",
            _against_its_input,
        ),
        Mistake(
            "torch's cross_entropy got the vocabulary on the last axis",
            "`F.cross_entropy` wants it on axis 1, (b, tgt_vocab, m). `cross_entropy` of unit 6 takes the logits as the"
            " model gives them.",
            _step(loss=lambda logits, tgt, pad_id: F.cross_entropy(logits, tgt, ignore_index=pad_id)),
        ),
        Mistake(
            "torch's cross_entropy got the logits with another shape, not with their axes exchanged",
            "`reshape` keeps the order of the numbers, so places and words get mixed. `logits.transpose(1, 2)`"
            " exchanges the axes.",
            _step(
                loss=lambda logits, tgt, pad_id: F.cross_entropy(
                    logits.reshape(logits.shape[0], logits.shape[2], logits.shape[1]), tgt, ignore_index=pad_id
                )
            ),
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
            _step(mode=None),
        ),
        Mistake(
            "put the model into evaluation mode",
            "That is for writing. While it learns, dropout and the like are on: `model.train()`.",
            _step(mode=False),
        ),
        Mistake(
            "pad_id and bos_id are not used",
            "Padding and the beginning have the ids that the caller says, not always `PAD` and `BOS`.",
            lambda model, optimizer, src, tgt, pad_id, bos_id: reference.train_step(
                model, optimizer, src, tgt, data.PAD, data.BOS
            ),
        ),
        Mistake("pad_id is not used", "Padding has the id that the caller says, not always 0.", _padded_with(data.PAD)),
        Mistake(
            "bos_id is not used",
            "The sentence begins with the id that the caller says, not always with 1.",
            _begun_with(lambda pad_id: data.BOS),
        ),
        Mistake(
            "began with padding, not with bos",
            "What the decoder reads first is bos_id.",
            _begun_with(lambda pad_id: pad_id),
        ),
        Mistake(
            "returned the loss after the step",
            "Keep the loss that the gradients came from; a second forward pass costs as much as the first.",
            _step(after=lambda model, src, tgt_in, tgt, pad_id: cross_entropy(model(src, tgt_in), tgt, pad_id)),
        ),
    ),
    hints=(
        (
            "As in `digit_step`: training mode, loss, clear the gradients, compute them, step, and the loss as a plain"
            " number. Only the loss is another: shift the targets, logits, mean over what is no padding."
        ),
        "`shift_right` and `cross_entropy` from unit 6 do the two that are special here.",
    ),
)
