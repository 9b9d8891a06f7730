"""`DecoderBlock`: its cases and hints."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.exercise import Case, Exercise, Init, Tensor
from helpers.exercises.common import normal_tensor, object_cases
from helpers.reference import u9_language_model as reference

from ._decoder_block_mistakes import MISTAKES
from .common import block_weights, nearly

# Heads, heads of keys and values, their width and d_ff are all different, so that none can stand for another.
_D, _H, _KV, _FF = 24, 4, 2, 10
_D_K = _D // _H


def _positions(first: int, n: int) -> Tensor:
    return Tensor(np.arange(first, first + n))


def _causal(n: int, before: int = 0) -> Tensor:
    return Tensor(np.tri(n, before + n, before, dtype=bool))


def _cases(rng: np.random.Generator) -> list[Case]:
    weights = block_weights(rng, _D, _H, _KV, _FF)

    def init(kv: int = _KV, training: bool = False) -> Init:
        chosen = weights if kv == _KV else block_weights(rng, _D, _H, kv, _FF)
        return Init((_D, _H, kv, _FF), weights=chosen, training=training)

    def x(n: int, *batch: int, gradient: bool = False) -> Tensor:
        return normal_tensor(rng, *batch, n, _D, gradient=gradient)

    def cache(t: int, *batch: int, kv: int = _KV, gradient: bool = False) -> tuple[Tensor, Tensor]:
        return tuple(normal_tensor(rng, *batch, kv, t, _D_K, gradient=gradient) for _ in range(2))  # type: ignore[return-value]

    few = Tensor(rng.random((2, 1, 4, 4)) < 0.6).array | np.eye(4, dtype=bool)
    own = rng.random((2, _H, 4, 4)) < 0.6
    own |= np.eye(4, dtype=bool)
    ragged = rng.random((1, _H, 2, 5)) < 0.5
    ragged[..., -1] = True
    bad = (x(3, 2), _positions(0, 3))
    return [
        Case(
            "values", (x(5, 2), _positions(0, 5), _causal(5)), init=init(), note="2 sentences of 5 tokens, causal mask"
        ),
        Case("values", (x(4, 2), _positions(0, 4)), init=init(), note="4 tokens, mask = None"),
        Case(
            "values",
            (x(4, 1), _positions(0, 4), _causal(4)),
            init=init(training=True),
            note="one sentence of 4 tokens, in training mode",
        ),
        Case("positions", (x(3, 2), _positions(7, 3), _causal(3)), init=init(), note="positions 7, 8, 9, no cache"),
        Case(
            "positions",
            (x(4, 2), Tensor(np.array([9, 2, 2, 30])), None),
            init=init(),
            note="positions 9, 2, 2, 30 and no mask",
        ),
        Case(
            "cache",
            (x(2, 2), _positions(3, 2), _causal(2, 3), cache(3, 2)),
            init=init(),
            note="2 new tokens after a cache of 3, causal mask (2, 5)",
        ),
        Case(
            "cache",
            (x(1, 2), _positions(4, 1)),
            {"cache": cache(4, 2)},
            init=init(),
            note="one new token after a cache of 4, mask = None",
        ),
        Case(
            "cache",
            (x(3, 1), _positions(11, 3), _causal(3, 2), cache(2, 1)),
            init=init(),
            note="positions 11, 12, 13 after a cache of 2, as a window would keep",
        ),
        Case(
            "cache",
            (x(2, 1), _positions(3, 2), Tensor(ragged), cache(3, 1)),
            init=init(),
            note="a mask of its own for each head, with a cache",
        ),
        Case("masks", (x(4, 2), _positions(0, 4), Tensor(few)), init=init(), note="another mask for each sentence"),
        Case("masks", (x(4, 2), _positions(0, 4), Tensor(own)), init=init(), note="another mask for each head"),
        Case("heads", (x(4, 2), _positions(0, 4), _causal(4)), init=init(1), note="one head of keys and values"),
        Case(
            "heads", (x(4, 2), _positions(0, 4), _causal(4)), init=init(_H), note="as many heads of keys as of queries"
        ),
        Case("second call", (x(3, 2), _positions(0, 3), _causal(3)), init=init(), times=2, note="called twice"),
        *object_cases(
            init(),
            (x(3, 2), _positions(0, 3), _causal(3)),
            (x(3, 2), _positions(4, 3), _causal(3)),
            (x(5, 1), _positions(0, 5), _causal(5)),
        ),
        Case("batch axes", (x(4), _positions(0, 4), _causal(4)), init=init(), note="one sentence, no batch axis"),
        Case("batch axes", (x(1, 2), _positions(5, 1)), init=init(), note="2 sentences of one token"),
        Case("batch axes", (x(3, 2, 3), _positions(0, 3), _causal(3)), init=init(), note="2 × 3 sentences"),
        Case(
            "small inputs",
            (Tensor(x(4, 2).array * np.float32(1e-3)), _positions(0, 4), _causal(4)),
            init=init(),
            note="x so small that eps = 1e-6 counts",
        ),
        Case(
            "gradients",
            (x(3, 2, gradient=True), _positions(2, 3), _causal(3, 2), cache(2, 2, gradient=True)),
            init=init(),
            gradients=True,
            note="gradients of x, the cache and all weights",
        ),
        Case(
            "any length",
            (x(3, 1), _positions(2046, 3), _causal(3, 40), cache(40, 1)),
            init=init(),
            note="positions beyond 2,000, after a cache of 40",
        ),
        *(
            Case("bad arguments", bad, init=Init(sizes, seed=0), raises="ValueError", note=note)
            for sizes, note in (
                ((_D, 5, 5, _FF), "5 heads in a width of 24"),
                ((_D, 0, 1, _FF), "0 heads"),
                ((_D, _H, 3, _FF), "4 query heads share 3 heads of keys and values"),
                ((_D, _H, 0, _FF), "4 query heads share 0 heads of keys and values"),
            )
        ),
    ]


def _far(case: Any, value: Any, expected: Any) -> str | None:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return "two results are asked, x and the cache"
    return nearly(case, value, expected)


EXERCISE = Exercise(
    name="DecoderBlock",
    reference=reference.DecoderBlock,
    cases=_cases,
    compare={"any length": _far},
    mistakes=MISTAKES,
    hints=(
        "Two halves, each with its norm in front: x + attention(norm_1(x)), then x + feed_forward(norm_2(x)).",
        (
            "In the attention: project, cut into heads, turn q and k, join the cache, keep that pair, attend, merge,"
            " W_o. `attention_half` at the end of unit 8 is nearly it."
        ),
    ),
)
