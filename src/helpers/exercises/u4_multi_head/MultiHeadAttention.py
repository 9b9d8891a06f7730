"""`MultiHeadAttention`: its cases and hints."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Init, Tensor
from helpers.reference import u4_multi_head as reference

from ._multi_head_attention_mistakes import MISTAKES
from .common import LAYERS, normal


def _weights(rng: np.random.Generator, d: Any, bias: Any = True, **fixed: Any) -> Any:
    """A full set of weights with scores of unit variance and biases that matter; `fixed` replaces some."""
    made = {f"{name}.weight": normal(rng, d, d) / math.sqrt(d) for name in LAYERS}
    if bias:
        made |= {f"{name}.bias": 0.5 * normal(rng, d) for name in LAYERS}
    return {name: np.asarray(fixed.get(name.replace(".", "_"), value), dtype="f4") for name, value in made.items()}


def _tensor(rng: np.random.Generator, *shape: Any, gradient: Any = False) -> Any:
    return Tensor(normal(rng, *shape).astype("f4"), gradient=gradient)


def _some(rng: np.random.Generator, *shape: Any) -> Any:
    """A random mask in which every row sees something and not everything."""
    while True:
        mask = rng.random(shape) < 0.6
        if mask.any(-1).all() and not mask.all(-1).any():
            return mask


def _leaky(rng: np.random.Generator, d_k: Any = 3, n_k: Any = 6, n_heads: Any = 2, gap: Any = 0.05) -> Any:
    """Queries, keys and a mask in which all that may be seen scores low: about -19, -3000 and -100000.

    W_q and W_k are the identity in this case, so the tokens are the queries and keys of all heads side by side.
    """
    targets = (-19.0, -3000.0, -1e5)
    query, keys = np.zeros((n_heads, len(targets), d_k)), normal(rng, n_heads, n_k, d_k)
    mask = np.zeros((n_heads, len(targets), n_k), dtype=bool)
    for head in range(n_heads):
        for row, target in enumerate(targets):
            while True:
                direction = normal(rng, d_k)
                raw = keys[head] @ direction / math.sqrt(d_k)
                lowest, second, third = np.argsort(raw)[:3]
                # Two keys may be seen; they are told apart in single precision too, and are really below the rest.
                if (
                    raw[second] < -0.1
                    and raw[second] - raw[lowest] > -gap * raw[second]
                    and raw[third] - raw[second] > 0.1
                ):
                    break
            query[head, row] = direction * target / raw[second]
            mask[head, row, [lowest, second]] = True
    return (
        Tensor(reference.merge_heads(query).astype("f4")),
        Tensor(reference.merge_heads(keys).astype("f4")),
        Tensor(mask),
    )


def _module_cases(rng: np.random.Generator) -> list[Case]:
    def init(d: Any, n_heads: Any, bias: Any = True, **fixed: Any) -> Any:
        return Init((d, n_heads), {} if bias else {"bias": False}, weights=_weights(rng, d, bias, **fixed))

    def triple(n_q: Any, n_k: Any, d: Any, *batch: Any, gradient: Any = False) -> Any:
        return tuple(_tensor(rng, *batch, n, d, gradient=gradient) for n in (n_q, n_k, n_k))

    empty = np.ones((2, 1, 3, 4), dtype=bool)
    empty[0, 0, 1] = empty[1, 0, 0, 2] = False
    lengths = np.arange(4) < np.array([0, 3])[:, None, None, None]
    square = _some(rng, 4, 4)
    while (square == square.T).all() or not (square.any(0).all() and square.any(1).all()):
        square = _some(rng, 4, 4)
    low_query, low_key, low_mask = _leaky(rng)
    identity = {"W_q_weight": np.eye(6), "W_k_weight": np.eye(6), "W_q_bias": np.zeros(6), "W_k_bias": np.zeros(6)}
    return [
        Case(
            "values",
            triple(5, 5, 6, 2, gradient=True),
            init=init(6, 2),
            gradients=True,
            note="2 sentences of 5 tokens, width 6, 2 heads",
        ),
        Case(
            "values",
            triple(3, 3, 9, 3),
            init=init(9, 3),
            note="3 sentences of 3 tokens, 3 heads of width 3: everything square",
        ),
        Case(
            "unequal lengths",
            triple(3, 5, 8, 2),
            init=init(8, 2),
            note="3 queries, 5 keys, 2 sentences, width 8, 2 heads",
        ),
        Case("batch axes", triple(4, 3, 6), init=init(6, 3), note="one sentence without a batch axis"),
        Case("batch axes", triple(3, 4, 4, 2, 3), init=init(4, 2), note="2 × 3 sentences at once"),
        Case(
            "without bias",
            triple(3, 4, 6, 2),
            init=init(6, 2, bias=False),
            note="bias=False: four matrices and nothing else",
        ),
        Case(
            "masks",
            (*triple(4, 4, 6, 2), Tensor(square)),
            init=init(6, 3),
            note="a mask (4, 4) for 2 sentences and 3 heads",
        ),
        Case(
            "masks",
            triple(3, 5, 8, 2),
            {"mask": Tensor(np.arange(5) < np.array([3, 4])[:, None, None, None])},
            init=init(8, 2),
            note="a padding mask (2, 1, 1, 5): 3 and 4 of 5 keys are words",
        ),
        Case(
            "masks",
            (*triple(2, 4, 6, 3), Tensor(_some(rng, 3, 2, 2, 4))),
            init=init(6, 2),
            note="a mask of its own for every head: (3, 2, 2, 4)",
        ),
        Case(
            "large scores",
            (low_query, low_key, _tensor(rng, 6, 6), low_mask),
            init=init(6, 2, **identity),
            note="all keys that may be seen score very low",
        ),
        Case(
            "empty rows",
            (*triple(3, 4, 6, 2, gradient=True), Tensor(empty)),
            init=init(6, 2, bias=False),
            gradients=True,
            note="query 1 of the first sentence may see nothing",
        ),
        Case(
            "empty rows",
            (*triple(2, 4, 4, 2), Tensor(lengths)),
            init=init(4, 2, bias=False),
            note="the first sentence has no word at all",
        ),
        Case("bad arguments", triple(2, 2, 6), init=Init((6, 4)), raises="ValueError", note="width 6 in 4 heads"),
        Case("bad arguments", triple(2, 2, 6), init=Init((6, 0)), raises="ValueError", note="no head at all"),
        Case("bad arguments", triple(2, 2, 6), init=Init((6, -2)), raises="ValueError", note="-2 heads"),
    ]


EXERCISE = Exercise(
    name="MultiHeadAttention",
    reference=reference.MultiHeadAttention,
    cases=_module_cases,
    forbidden=(
        "torch.nn.functional.scaled_dot_product_attention",
        "torch.nn.functional.multi_head_attention_forward",
        "torch._native_multi_head_attention",
    ),
    mistakes=MISTAKES,
    hints=(
        (
            "The lines of `multi_head_attention` again, with `self.W_q(query)` for `X @ W_q` and `transpose` for"
            " `swapaxes`."
        ),
        "Try it without a mask first, then with one, then with a row that may see nothing.",
    ),
)
