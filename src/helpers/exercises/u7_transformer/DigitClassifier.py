"""`DigitClassifier`: its cases, mistakes and hints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers import data
from helpers.exercise import Case, Exercise, Init, Mistake, Relation, Tensor
from helpers.reference import u7_transformer as reference
from helpers.reference.u3_positional_encoding import sinusoidal_encoding
from helpers.reference.u5_add_and_norm import Encoder

from ..common import Step
from ._images import DEGREES, PIXELS, slightly_changed
from .common import (
    DIGITS_ASKED,
    NEW_DIGITS_ASKED,
    alike,
    differ,
    numbers_of_shape,
    same_after_others,
)


def _faint(image: np.ndarray, brightest: int) -> np.ndarray:
    """An image whose brightest pixel has that value."""
    return np.asarray(image * (brightest / image.max()), dtype=image.dtype)


def _digit_cases(rng: np.random.Generator) -> list[Case]:
    digits = data.digits()
    init = Init(seed=int(rng.integers(2**31)))
    chosen = rng.choice(len(digits.train_images), size=9, replace=False)
    images = digits.train_images[chosen]
    order = rng.permutation(len(digits.test_labels))
    trained = Init(weights_file=data.WEIGHTS, prefix="digits.")
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
        Case(
            "every pixel counts",
            (Tensor(np.stack([_faint(images[0], 6), _faint(images[0], 11)])),),
            init=init,
            note="two faint images, with pixels up to 6 and up to 11 of 16",
        ),
        Case("each image alone", (Tensor(images[6:]),), init=init, label="together", note="three images together"),
        Case(
            "each image alone", (Tensor(images[6:7]),), init=init, label="alone", note="the first of three images alone"
        ),
        Case(
            "accuracy",
            (Tensor(digits.test_images[order]),),
            init=trained,
            truth=digits.test_labels[order],
            note="the held-out images, with your trained weights",
        ),
        Case(
            "accuracy on new images",
            (Tensor(slightly_changed(rng, digits.test_images[order])),),
            init=trained,
            truth=digits.test_labels[order],
            note="the held-out images, slightly turned and moved",
        ),
        Case("called again", (Tensor(images[:3]),), init=init, label="first", note="three images"),
        Case(
            "called again",
            (Tensor(images[:3]),),
            init=replace(init, earlier=((Tensor(images[4:]),), (Tensor(images[3:6]),))),
            label="later",
            note="the same three, after others",
        ),
        Case("forward", (Tensor(images[:2]),), init=init, method="forward", note="`forward` called by its name"),
    ]


def _ten_logits(case: Case, value: Any, expected: Any) -> str | None:
    return numbers_of_shape(value, (len(case.args[0].array), 10))


def _place_in_batch(case: Case, value: Any, expected: Any) -> str | None:
    problem = _ten_logits(case, value, expected)
    if problem is None and not alike(value[0], value[2]):
        problem = "the same image gets other logits at another place of the batch"
    return problem


def _faint_images(case: Case, value: Any, expected: Any) -> str | None:
    told = _ten_logits(case, value, expected)
    if told is None and not differ(value[0], value[1]):
        told = "a faint image and one twice as bright get the same logits: small pixel values are lost"
    return told


def _order_of_rows(case: Case, value: Any, expected: Any) -> str | None:
    problem = _ten_logits(case, value, expected)
    if problem is None and not differ(value[0], value[1]):
        problem = "an image upside down gets the same logits: it makes no difference to them where a row stands"
    return problem


def _right(case: Case, value: Any) -> tuple[int, str]:
    """How many images are read right, and what a learner reads of it."""
    right = int((value.argmax(axis=-1) == case.truth).sum())
    return right, f"{right} of {len(case.truth)} held-out images right ({right / len(case.truth):.1%})"


def _digits_right(case: Case, value: Any, expected: Any) -> str | None:
    problem = _ten_logits(case, value, expected)
    if problem is not None:
        return problem
    right, share = _right(case, value)
    if right >= DIGITS_ASKED * len(case.truth):
        return None
    return f"with the weights in {data.WEIGHTS}, your model reads {share}; {DIGITS_ASKED:.0%} are asked"


def _new_digits_right(case: Case, value: Any, expected: Any) -> str | None:
    problem = _ten_logits(case, value, expected)
    if problem is not None:
        return problem
    right, share = _right(case, value)
    if right >= NEW_DIGITS_ASKED * len(case.truth):
        return None
    return (
        f"when the images are turned by up to {DEGREES:.0f}° and moved by up to {PIXELS} pixels, your model reads"
        f" {share}; {NEW_DIGITS_ASKED:.0%} are asked. A model that has learned digits hardly minds; one that knows"
        " these images by heart does"
    )


def _each_alone(values: Mapping[str, Any]) -> str | None:
    if alike(values["together"][:1], values["alone"]):
        return None
    return "an image gets other logits alone than among other images"


class _Reader(nn.Module):
    """A small right classifier, for wrong ones to change a step of."""

    heads, width = 2, 8

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(8, self.width)
        self.positions = _sines(8, self.width)
        self.encoder = Encoder(1, self.width, self.heads, 16)
        self.classify = nn.Linear(self.width, 10)

    def tokens(self, images: Any) -> Any:
        return self.embed(images / 16) + self.positions

    def forward(self, images: Any) -> Any:
        return self.classify(self.encoder(self.tokens(images)).mean(dim=1))


def _reader(**changed: Step) -> type[nn.Module]:
    """A classifier with another `forward` or another way to make `tokens`."""
    return type("DigitClassifier", (_Reader,), changed)


def _sines(n: int, width: int) -> torch.Tensor:
    return torch.from_numpy(sinusoidal_encoding(n, width)).float()


EXERCISE = Exercise(
    name="DigitClassifier",
    reference=reference.DigitClassifier,
    cases=_digit_cases,
    compare={
        "shape": _ten_logits,
        "every part is used": _ten_logits,
        "each image alone": _ten_logits,
        "place in the batch": _place_in_batch,
        "order of the rows": _order_of_rows,
        "every pixel counts": _faint_images,
        "accuracy": _digits_right,
        "accuracy on new images": _new_digits_right,
        "called again": _ten_logits,
        "forward": _ten_logits,
    },
    relations=(Relation("each image alone", _each_alone), Relation("called again", same_after_others)),
    mistakes=(
        Mistake(
            "loses small pixel values",
            "A pixel is a number from 0 to 16, and 5 of 16 is not nothing: `/` keeps what `//`, a round or a threshold"
            " drops.",
            _reader(forward=lambda self, images: _Reader.forward(self, images // 16 * 16)),
        ),
        Mistake(
            "gave an answer for every row of the image",
            "The encoder hands back eight tokens. Make one vector of them, by the mean over the token axis for example,"
            " before the last layer.",
            _reader(forward=lambda self, images: self.classify(self.encoder(self.tokens(images)))),
        ),
        Mistake(
            "took the mean over the images, not over the rows",
            "After the encoder the axes are (image, row, feature): the rows are axis 1.",
            _reader(forward=lambda self, images: self.classify(self.encoder(self.tokens(images)).mean(dim=0))),
        ),
        Mistake(
            "took the mean over rows and images together",
            "Each image keeps its own answer: only the row axis goes.",
            _reader(forward=lambda self, images: self.classify(self.encoder(self.tokens(images)).mean(dim=(0, 1)))),
        ),
        Mistake(
            "took the mean over everything",
            "Each image keeps an answer of its own, made of its features: only the row axis goes.",
            _reader(forward=lambda self, images: self.classify(self.encoder(self.tokens(images)).mean())),
        ),
        Mistake(
            "took the mean over the features, not over the rows",
            "After the encoder the axes are (image, row, feature). The encoder ends in a norm, after which the mean"
            " over the features is 0 to begin with, whatever the image.",
            _reader(forward=lambda self, images: self.classify(self.encoder(self.tokens(images)).mean(dim=-1))),
        ),
        Mistake(
            "squeezed the batch axis away",
            "`.squeeze()` removes every axis of length 1, also that of a batch with one image in it. Name the axis.",
            _reader(forward=lambda self, images: _Reader.forward(self, images).squeeze()),
        ),
        Mistake(
            "returned the digit itself, not the ten logits",
            "Cross entropy needs a number for each of the ten digits; argmax comes after the model, and has no"
            " gradient.",
            _reader(forward=lambda self, images: _Reader.forward(self, images).argmax(dim=-1)),
        ),
        Mistake(
            "returned something beside the logits",
            "Attention layers return a pair. Here the logits alone are asked.",
            _reader(forward=lambda self, images: (_Reader.forward(self, images), self.tokens(images))),
        ),
        Mistake(
            "an image's logits depend on the other images of the batch",
            "Each image is read by itself: attention, means and norms run over its own rows, (image, row, feature), and"
            " never over the images.",
            _reader(
                forward=lambda self, images: self.classify(
                    self.encoder(self.tokens(images).transpose(0, 1)).mean(dim=0)
                )
            ),
        ),
        Mistake(
            "added positions along the batch, not along the rows",
            "All images share the eight position vectors: P is (8, d_model) and meets the last two axes of (b, 8,"
            " d_model).",
            _reader(tokens=lambda self, images: self.embed(images / 16) + _sines(len(images), self.width)[:, None]),
        ),
        Mistake(
            "the order of the rows changes nothing",
            "Attention and the mean over the rows both forget the order. Each row needs its position vector before the"
            " rows look at one another: added later, their mean is the same for all images. Learned positions have to"
            " begin with random numbers; zeros tell no rows apart.",
            _reader(tokens=lambda self, images: self.embed(images / 16) + 0 * self.positions),
        ),
    ),
    hints=(
        (
            "Linear layer and positions, encoder, mean over the tokens, linear layer. After every change to it, train"
            " again from the cell that makes `digits_run`."
        ),
        (
            "The shapes on the way: (b, 8, 8), (b, 8, d_model), once more (b, 8, d_model), then (b, d_model), then (b,"
            " 10)."
        ),
    ),
)
