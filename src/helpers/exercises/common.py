"""What the cases of several units are made of: arrays, tensors, masks, weights, calls that must be refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from helpers.exercise import Case, Init, Tensor

Answer = Callable[..., Any]  # a function or class as a learner would write it, right or wrong
Step = Callable[..., Any]  # a part of an answer, for a mistake to replace
Weights = dict[str, np.ndarray]  # the weights of a module, as for `load_state_dict`

PROJECTIONS = ("W_q", "W_k", "W_v", "W_o")

READY_MADE_ATTENTION = (
    "torch.nn.functional.scaled_dot_product_attention",
    "torch.nn.functional.multi_head_attention_forward",
)


# --- arrays and tensors ----------------------------------------------------------------------------------


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return standard normal numbers."""
    return rng.normal(size=shape)


def f4(array: Any) -> np.ndarray:
    """Return the array in single precision, torch's own."""
    return np.asarray(array, dtype=np.float32)


def tensor(array: Any, gradient: bool = False) -> Tensor:
    """Return the array as a tensor in single precision."""
    return Tensor(f4(array), gradient)


def normal_tensor(rng: np.random.Generator, *shape: int, gradient: bool = False) -> Tensor:
    """Return standard normal numbers as a tensor."""
    return tensor(normal(rng, *shape), gradient)


def id_tensor(ids: Any) -> Tensor:
    """Return ids, lengths or positions as a tensor of whole numbers."""
    return Tensor(np.asarray(ids, dtype=np.int64))


def queries_keys_values(
    rng: np.random.Generator, n_q: int, n_k: int, d_k: int, d_v: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Q (n_q, d_k), K (n_k, d_k), V (n_k, d_v)."""
    return normal(rng, n_q, d_k), normal(rng, n_k, d_k), normal(rng, n_k, d_v)


def attention_tensors(
    rng: np.random.Generator, n_q: int, n_k: int, d_k: int, d_v: int, lead: tuple[int, ...] = (), gradient: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the tensors Q (*lead, n_q, d_k), K (*lead, n_k, d_k), V (*lead, n_k, d_v)."""
    return (
        normal_tensor(rng, *lead, n_q, d_k, gradient=gradient),
        normal_tensor(rng, *lead, n_k, d_k, gradient=gradient),
        normal_tensor(rng, *lead, n_k, d_v, gradient=gradient),
    )


# --- masks, True = may attend ----------------------------------------------------------------------------


def causal(n: int) -> Tensor:
    """Return the mask (n, n) in which every token sees itself and those before it."""
    return Tensor(np.tri(n, dtype=bool))


def within(lengths: Sequence[int] | np.ndarray, n: int) -> np.ndarray:
    """Return an array (sentences, n) that is True at the words of each sentence and False behind its end."""
    return np.arange(n) < np.asarray(lengths)[:, None]


def padding(lengths: Sequence[int] | np.ndarray, n: int) -> Tensor:
    """Return the mask (sentences, 1, 1, n) in which the words of a sentence may be seen and its padding may not."""
    return Tensor(within(lengths, n)[:, None, None, :])


def random_mask(rng: np.random.Generator, *shape: int, one_step: bool = False) -> Tensor:
    """Return a random mask in which every query sees at least one key and misses at least one.

    A key that is surely seen is drawn for each query, and the missed one stands some steps behind it: as many for every
    query with `one_step`.
    """
    mask = rng.random(shape) < 0.5
    seen = rng.integers(shape[-1], size=shape[:-1])
    missed = (seen + rng.integers(1, shape[-1], size=None if one_step else shape[:-1])) % shape[-1]
    np.put_along_axis(mask, seen[..., None], True, axis=-1)
    np.put_along_axis(mask, missed[..., None], False, axis=-1)
    return Tensor(mask)


# --- weights ---------------------------------------------------------------------------------------------


def linear_weights(
    rng: np.random.Generator, name: str, d_in: int, d_out: int, gain: float = 1.0, bias: float = 0.5
) -> Weights:
    """Return the weights of an `nn.Linear` that gives outputs of spread `gain` for inputs of spread 1."""
    return {
        f"{name}.weight": f4(normal(rng, d_out, d_in) * gain / math.sqrt(d_in)),
        f"{name}.bias": f4(normal(rng, d_out) * bias),
    }


def projection_weights(
    rng: np.random.Generator, name: str, d: int, gains: Sequence[float], bias: float = 0.5
) -> Weights:
    """Return the weights of a `MultiHeadAttention`, with a gain for each of `PROJECTIONS`."""
    weights: Weights = {}
    for projection, gain in zip(PROJECTIONS, gains, strict=True):
        weights |= linear_weights(rng, f"{name}.{projection}", d, d, gain, bias)
    return weights


def feed_forward_weights(
    rng: np.random.Generator,
    d: int,
    d_ff: int,
    prefix: str = "",
    gains: tuple[float, float] = (1.0, 1.0),
    bias: float = 0.5,
) -> Weights:
    """Return the weights of a `FeedForward`: `linear_1` from d to d_ff, `linear_2` back."""
    return linear_weights(rng, f"{prefix}linear_1", d, d_ff, gains[0], bias) | linear_weights(
        rng, f"{prefix}linear_2", d_ff, d, gains[1], bias
    )


# --- cases -----------------------------------------------------------------------------------------------


def bad_arguments(*args: Any, note: str, init: Init | None = None, method: str | None = None) -> Case:
    """Return a call that must end in a ValueError."""
    return Case("bad arguments", args, init=init, method=method, raises="ValueError", note=note)


def object_cases(init: Init, args: tuple[Any, ...], other: tuple[Any, ...], longer: tuple[Any, ...]) -> list[Case]:
    """Return calls of one object after others, which must not show in the result, and a call of `forward` by its name.

    Args:
        init: how the object is made.
        args: arguments of the call that counts.
        other: others of the same shapes.
        longer: others of other shapes.
    """
    again = "called again"
    return [
        Case(
            again,
            args,
            init=replace(init, earlier=(other,)),
            note="the second call of one object, with other numbers of the same shapes",
        ),
        Case(
            again,
            args,
            init=replace(init, earlier=(longer,), training=True),
            note="in training mode, the second call of one object; the first was with other shapes",
        ),
        Case("forward", args, init=init, method="forward", note="`forward` called by its name"),
    ]
