"""`rms_norm`: its cases, mistakes and hints."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake
from helpers.reference import u8_modern_attention as reference

from ..common import Answer, Step, f4, normal, normal_tensor, tensor


def _rms_cases(rng: np.random.Generator) -> list[Case]:
    off_centre = tensor(normal(rng, 3, 5) + 2)
    with_zero = f4(normal(rng, 3, 4))
    with_zero[1] = 0
    return [
        Case("values", (normal_tensor(rng, 3, 5), normal_tensor(rng, 5)), note="3 tokens of width 5"),
        Case("values", (off_centre, normal_tensor(rng, 5)), note="3 tokens whose mean is far from 0"),
        Case("values", (normal_tensor(rng, 4, 4), normal_tensor(rng, 4)), note="4 tokens of width 4: a square x"),
        Case("values", (normal_tensor(rng, 6), normal_tensor(rng, 6)), note="a single token, one axis"),
        Case("eps", (normal_tensor(rng, 3, 5), normal_tensor(rng, 5), 0.5), note="eps = 0.5"),
        Case("eps", (normal_tensor(rng, 3, 5), normal_tensor(rng, 5)), {"eps": 0.02}, note="eps = 0.02, by name"),
        Case(
            "eps",
            (tensor(1e-3 * normal(rng, 3, 5)), normal_tensor(rng, 5)),
            note="tokens a thousandth long, eps left at its default of 1e-6",
        ),
        Case("eps", (tensor(with_zero), normal_tensor(rng, 4)), note="one of 3 tokens is all zeros"),
        Case("batch axes", (normal_tensor(rng, 2, 3, 5), normal_tensor(rng, 5)), note="2 sentences at once"),
        Case("batch axes", (normal_tensor(rng, 2, 3, 4, 6), normal_tensor(rng, 6)), note="2 × 3 sentences at once"),
        Case(
            "gradients",
            (normal_tensor(rng, 2, 3, 5, gradient=True), normal_tensor(rng, 5, gradient=True)),
            gradients=True,
            note="gradients of x and weight",
        ),
        Case(
            "axes of length one",
            (normal_tensor(rng, 1, 1, 1), normal_tensor(rng, 1)),
            note="one sentence of one token of width 1",
        ),
    ]


def _mean_square(x: Any, dim: Any = -1) -> Any:
    return x.square().mean(dim=dim, keepdim=True)


def _rms(divide: Step) -> Answer:
    """A wrong RMS norm from a rule for the token; the weight and the default eps are as asked."""
    return lambda x, weight, eps=1e-6: weight * divide(x, eps)


def _centred(x: Any) -> Any:
    return x - x.mean(dim=-1, keepdim=True)


_LENGTH_HINT = "The length is the root of the **sum** of the squares; in the root mean square they are averaged."


EXERCISE = Exercise(
    name="rms_norm",
    reference=reference.rms_norm,
    cases=_rms_cases,
    mistakes=(
        Mistake(
            "subtracted the mean: that is layer norm",
            "RMS norm leaves the mean where it is and divides by the size alone; that is all that was taken out.",
            _rms(lambda x, eps: _centred(x) / (_mean_square(_centred(x)) + eps).sqrt()),
        ),
        Mistake(
            "divided by the standard deviation",
            "The standard deviation measures from the mean; the root mean square measures from zero.",
            _rms(lambda x, eps: x / (_mean_square(_centred(x)) + eps).sqrt()),
        ),
        Mistake(
            "subtracted the mean, then divided by the root mean square",
            "No mean is subtracted anywhere, above the line or below it.",
            _rms(lambda x, eps: _centred(x) / (_mean_square(x) + eps).sqrt()),
        ),
        Mistake(
            "added eps outside the root",
            "Where is the bracket? eps joins the mean of the squares before the root is taken.",
            _rms(lambda x, eps: x / (_mean_square(x).sqrt() + eps)),
        ),
        Mistake(
            "forgot the root",
            "The mean of squares has the squared unit of x. Its root has the unit of x.",
            _rms(lambda x, eps: x / (_mean_square(x) + eps)),
        ),
        Mistake(
            "summed the squares instead of averaging them",
            "The M in RMS: divide the sum by the width, so that wide tokens are not made smaller.",
            _rms(lambda x, eps: x / (x.square().sum(-1, keepdim=True) + eps).sqrt()),
        ),
        Mistake(
            "divided by the length, not by the root mean square",
            _LENGTH_HINT,
            _rms(lambda x, eps: x / (x.norm(dim=-1, keepdim=True) + eps)),
        ),
        Mistake(
            "brought every token to length 1, as `normalize` does",
            _LENGTH_HINT,
            _rms(lambda x, eps: torch.nn.functional.normalize(x, dim=-1, eps=eps)),
        ),
        Mistake(
            "divided the sum of squares by d - 1",
            "A plain mean: divide by d. Nothing was estimated from the data, so there is nothing to correct.",
            _rms(lambda x, eps: x / (x.square().sum(-1, keepdim=True) / (x.shape[-1] - 1) + eps).sqrt()),
        ),
        Mistake(
            "divided by torch.std",
            "`std` measures from the mean and divides by d - 1; the root mean square does neither, and eps stands"
            " inside its root.",
            _rms(lambda x, eps: x / (x.std(-1, keepdim=True) + eps)),
        ),
        Mistake(
            "divided the length by d, not by √d",
            "The length is √(sum of squares). The mean is taken before the root, so d comes out of it as √d.",
            _rms(lambda x, eps: x / (x.norm(dim=-1, keepdim=True) / x.shape[-1] + eps)),
        ),
        Mistake(
            "averaged over the tokens, not over the features",
            "Each token is normalised by itself: the mean runs over the last axis.",
            _rms(lambda x, eps: x / (_mean_square(x, -2 if x.ndim > 1 else -1) + eps).sqrt()),
        ),
        Mistake(
            "lost the axis that the mean was taken over",
            "Without that axis torch lines the means up with the features, not with the tokens. `keepdim=True` keeps"
            " it, with length 1.",
            _rms(lambda x, eps: x / (x.square().mean(dim=-1) + eps).sqrt()),
        ),
        Mistake(
            "one mean for the whole tensor",
            "`.mean()` without an axis is a single number. Each token needs its own: `dim=-1, keepdim=True`.",
            _rms(lambda x, eps: x / (x.square().mean() + eps).sqrt()),
        ),
        Mistake(
            "one mean for all tokens of a sentence",
            "Each token is normalised by itself: the mean runs over the last axis alone.",
            _rms(lambda x, eps: x / (_mean_square(x, (-2, -1)) + eps).sqrt()),
        ),
        Mistake(
            "squared the mean instead of averaging the squares",
            "Read the name from the back to the front: the squares come first, then their mean.",
            _rms(lambda x, eps: x / (x.mean(-1, keepdim=True).square() + eps).sqrt()),
        ),
        Mistake(
            "averaged absolute values instead of squares",
            "Root, mean, square: read the name from the back to the front.",
            _rms(lambda x, eps: x / (x.abs().mean(-1, keepdim=True) + eps)),
        ),
        Mistake(
            "multiplied by the root mean square",
            "The token has to come out with root mean square 1: divide.",
            _rms(lambda x, eps: x * (_mean_square(x) + eps).sqrt()),
        ),
        Mistake(
            "added eps to the result",
            "Where do the brackets close? eps joins the mean of the squares, below the line and under the root.",
            lambda x, weight, eps=1e-6: weight * x / _mean_square(x).sqrt() + eps,
        ),
        Mistake(
            "divided by the weight",
            "The weight stands above the line: each feature is multiplied by its own factor.",
            lambda x, weight, eps=1e-6: x / (weight * (_mean_square(x) + eps).sqrt()),
        ),
        Mistake(
            "took the dot product with the weight",
            "`@` adds the features up. Each of them has a factor of its own and stays: `*`.",
            lambda x, weight, eps=1e-6: (x / (_mean_square(x) + eps).sqrt()) @ weight,
        ),
        Mistake(
            "left the weight out",
            "Each feature gets its own factor at the end: `weight`.",
            lambda x, weight, eps=1e-6: x / (_mean_square(x) + eps).sqrt(),
        ),
        Mistake(
            "multiplied by 1 + weight",
            "Some models store the weight minus 1. Here it is stored as it is.",
            lambda x, weight, eps=1e-6: (1 + weight) * x / (_mean_square(x) + eps).sqrt(),
        ),
        Mistake(
            "multiplied by the weight before taking the mean square",
            "The size is that of x; the weight comes after it.",
            lambda x, weight, eps=1e-6: weight * x / (_mean_square(weight * x) + eps).sqrt(),
        ),
        Mistake(
            "left eps out",
            "A token of zeros would be divided by zero.",
            _rms(lambda x, eps: x / _mean_square(x).sqrt()),
        ),
        Mistake(
            "the argument eps changes nothing",
            "You have a fixed number where `eps` should stand.",
            lambda x, weight, eps=1e-6: weight * x / (_mean_square(x) + 1e-6).sqrt(),
        ),
        Mistake(
            "used 1e-5 as the default of eps",
            "1e-5 was layer norm's. Look at the signature again.",
            lambda x, weight, eps=1e-5: weight * x / (_mean_square(x) + eps).sqrt(),
        ),
        Mistake(
            "used eps as the smallest divisor instead of adding it",
            "eps is added to the mean square of every token, not only of small ones.",
            _rms(lambda x, eps: x / _mean_square(x).clamp(min=eps).sqrt()),
        ),
    ),
    forbidden=("torch.nn.functional.rms_norm", "torch._fused_rms_norm"),
    hints=(
        "Three steps, in the name from back to front: square, mean, root. Then divide x by the result.",
        "Keep the axis when you average (`keepdim=True`), so that (..., 1) divides (..., d).",
    ),
)
