"""Wrong answers of one kind for many exercises, each made from the reference by one change.

Each of them breaks one of the rulings for every unit: axes of length one are axes, the result is not whole
numbers where one input is not, an object and a function give the same for the same input whatever was asked before, no
dropout, `forward` is what is called.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.exercise import Exercise

Answer = Callable[..., Any]

# What comes out of these is no array, or is judged by statistics.
_NO_ARRAY = {
    "hello_attention",
    "score_variance",
    "permutation_gap",
    "encoding_by_hand",
    "count_parameters",
    "convert_torch_weights",
    "greedy_decode",
    "train_step",
    "translate",
}
# Only numbers go in.
_OF_NUMBERS = {"frequencies", "sinusoidal_encoding", "shift_matrix", "causal_mask", "sliding_window_mask"}
_NUMPY_UNITS = ("u1", "u2", "u3")
_NUMPY = {"split_heads", "merge_heads", "multi_head_attention", "layer_norm", "add_and_norm"}
# Which arguments of an exercise may be whole numbers while another is not.
_MIXED = {
    "project": (0, 1, 2, 3),
    "scores_for_query": (0, 1),
    "attention_scores": (0, 1),
    "attention_scores_columns": (0, 1),
    "weighted_sum": (0, 1),
    "scaled_dot_product_attention": (0, 1, 2),
    "local_attention": (0, 1, 2),
    "additive_scores": (0, 1, 2, 3, 4),
    "add_positions": (0, 1),
    "multi_head_attention": (0, 1, 2, 3, 4),
    "layer_norm": (0, 1, 2),
    "add_and_norm": (0, 1, 2, 3),
    "softmax": (0,),
    "cosine_similarity": (0,),
    "scale_scores": (0,),
}
# Axes of the result that no arguments give the length one: a width is two or more where it is made of pairs.
_NEVER_ONE = {"shift_matrix": (0, -1, -2), "sinusoidal_encoding": (-1,), "apply_rotary": (-1,), "DecoderBlock": (-1,)}


def wrong_answers(unit: str, exercise: Exercise) -> Iterator[tuple[str, Answer]]:
    """The wrong answers of this module to one exercise, each with its name."""
    name, right = exercise.name, exercise.reference
    if name in _NO_ARRAY:
        return
    if isinstance(right, type):
        yield from _of_class(right)
        if unit == "u7_transformer":
            return
    elif name not in _OF_NUMBERS:
        yield "keeps its results by shape", _kept_by_shape(right)
    if name != "cross_entropy":
        for axis in (0, -1, -2):
            if axis not in _NEVER_ONE.get(name, ()) and not (
                axis == -2 and name in ("frequencies", "scores_for_query")
            ):
                yield f"drops axis {axis} of the result where it has length one", _changed(right, _without(axis))
    if unit.startswith(_NUMPY_UNITS) or name in _NUMPY:
        yield "returns torch tensors", _changed(right, lambda x: torch.from_numpy(np.array(x)))
    for place in _MIXED.get(name, ()):
        yield f"gives the result the type of argument {place}", _typed_as(right, place)


def _mapped(change: Answer, result: Any) -> Any:
    return tuple(_mapped(change, part) for part in result) if isinstance(result, tuple) else change(result)


def _changed(right: Any, change: Answer) -> Answer:
    """The right answer with every array of its result changed; for a class, what `forward` returns."""
    if isinstance(right, type):
        return _module(right, lambda self, forward, *args, **kwargs: _mapped(change, forward(*args, **kwargs)))

    @functools.wraps(right)
    def wrong(*args: Any, **kwargs: Any) -> Any:
        return _mapped(change, right(*args, **kwargs))

    return wrong


def _without(axis: int) -> Answer:
    def change(x: Any) -> Any:
        if x.ndim < 1 or axis < -x.ndim or x.shape[axis] != 1:
            return x
        return x.squeeze(axis) if isinstance(x, torch.Tensor) else np.squeeze(x, axis)

    return change


def _typed_as(right: Answer, place: int) -> Answer:
    def wrong(*args: Any, **kwargs: Any) -> Any:
        dtype = np.asarray(args[place]).dtype
        return _mapped(lambda x: x.astype(dtype), right(*args, **kwargs))

    return wrong


def _shapes(args: Any) -> Any:
    if isinstance(args, (tuple, list)):
        return tuple(map(_shapes, args))
    return tuple(args.shape) if hasattr(args, "shape") else args


def _kept_by_shape(right: Answer) -> Answer:
    kept: dict[Any, Any] = {}

    def wrong(*args: Any, **kwargs: Any) -> Any:
        key = _shapes((args, tuple(sorted(kwargs.items(), key=str))))
        if key not in kept:
            kept[key] = right(*args, **kwargs)
        return _mapped(lambda x: x.copy() if isinstance(x, np.ndarray) else x.clone(), kept[key])

    return wrong


def _module(right: type, forward: Answer) -> type:
    """The reference's class with another `forward(self, the right forward, *arguments)`."""

    class Wrong(right):  # type: ignore[misc]  # the class is known when the test runs
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            return forward(self, super().forward, *args, **kwargs)

    return Wrong


def _of_class(right: type) -> Iterator[tuple[str, Answer]]:
    def first(self: Any, forward: Answer, *args: Any, **kwargs: Any) -> Any:
        if not hasattr(self, "kept"):
            self.kept = forward(*args, **kwargs)
        return self.kept

    def by_shape(self: Any, forward: Answer, *args: Any, **kwargs: Any) -> Any:
        key = _shapes((args, tuple(kwargs.items())))
        self.kept = getattr(self, "kept", {})
        if key not in self.kept:
            self.kept[key] = forward(*args, **kwargs)
        return self.kept[key]

    def dropped(self: Any, forward: Answer, *args: Any, **kwargs: Any) -> Any:
        return _mapped(lambda x: nn.functional.dropout(x, 0.1, training=True), forward(*args, **kwargs))

    def dropped_in_training(self: Any, forward: Answer, *args: Any, **kwargs: Any) -> Any:
        return _mapped(lambda x: nn.functional.dropout(x, 0.1, training=self.training), forward(*args, **kwargs))

    yield "keeps its first result", _module(right, first)
    yield "keeps its results by shape", _module(right, by_shape)
    yield "leaves dropout on", _module(right, dropped)
    if right.__name__ not in ("Transformer", "DigitClassifier"):
        yield "has dropout in training mode", _module(right, dropped_in_training)
    yield "has __call__ instead of forward", type(right.__name__, (right,), _called(right))


def _called(right: Any) -> dict[str, Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return right.forward(self, *args, **kwargs)

    return {"__call__": call, "forward": nn.Module.forward}
