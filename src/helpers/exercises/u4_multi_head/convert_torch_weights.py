"""`convert_torch_weights`: its cases, mistakes and hints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from helpers.exercise import Case, Exercise, Mistake, Tensor, in_parts
from helpers.reference import u4_multi_head as reference

from ..common import PROJECTIONS, Answer, Step, normal, tensor


def _torch_state(rng: np.random.Generator, d: int, bias: bool = True) -> dict[str, Tensor]:
    state = {"in_proj_weight": normal(rng, 3 * d, d), "out_proj.weight": normal(rng, d, d)}
    if bias:
        state |= {"in_proj_bias": normal(rng, 3 * d), "out_proj.bias": normal(rng, d)}
    return {name: tensor(value) for name, value in state.items()}


def _convert_cases(rng: np.random.Generator) -> list[Case]:
    return [
        Case("values", (_torch_state(rng, 6),), note="d_model = 6, with biases"),
        Case("values", (_torch_state(rng, 9),), note="d_model = 9, with biases"),
        Case(
            "without bias",
            (_torch_state(rng, 6, bias=False),),
            note="d_model = 6, bias=False: two matrices and nothing else",
        ),
    ]


@in_parts
def _converted(
    order: tuple[int, int, int] = (0, 1, 2),
    cut: Step = lambda w: w.chunk(3),
    turn: Step = lambda w: w,
    turn_out: Step = lambda w: w,
    biases: Callable[[Mapping[str, torch.Tensor]], bool] = lambda state: "out_proj.bias" in state,
) -> Answer:
    """A conversion in which any one part can be exchanged for a wrong one."""

    def wrong(state: Any) -> Any:
        result: dict[str, torch.Tensor] = {}
        for kind in ("weight", "bias") if biases(state) else ("weight",):
            stacked = state[f"in_proj_{kind}"]
            parts = (
                cut(stacked)
                if kind == "weight" or cut(stacked[:, None])[0].shape[0] * 3 != len(stacked)
                else [p[:, 0] for p in cut(stacked[:, None])]
            )
            for layer, place in zip(PROJECTIONS, order):
                result[f"{layer}.{kind}"] = (turn(parts[place]) if kind == "weight" else parts[place]).clone()
            out = state[f"out_proj.{kind}"]
            result[f"W_o.{kind}"] = (turn_out(out) if kind == "weight" else out).clone()
        return result

    return wrong


def _whole(state: Any) -> Any:
    return {k: v.clone() for k, v in state.items()}


def _right(state: Any) -> Any:
    """The right conversion, in memory of its own."""
    return _whole(reference.convert_torch_weights(state))


def _renamed_only(state: Any) -> Any:
    return {key.replace("in_proj_", "W_q.").replace("out_proj", "W_o"): value.clone() for key, value in state.items()}


def _with_weights(state: Any, parts: Any) -> Any:
    """The right conversion, with other input weights."""
    return _right(state) | {f"{n}.weight": p.clone() for n, p in zip(PROJECTIONS, parts)}


def _cut_columns(state: Any) -> Any:
    return _with_weights(state, state["in_proj_weight"].chunk(3, dim=1))


def _columns_side_by_side(state: Any) -> Any:
    d = state["in_proj_weight"].shape[1]
    return _with_weights(state, state["in_proj_weight"].reshape(d, 3 * d).chunk(3, dim=1))


def _not_cut(state: Any) -> Any:
    result: dict[str, torch.Tensor] = {}
    for kind in ("weight", "bias") if "in_proj_bias" in state else ("weight",):
        result |= {f"{n}.{kind}": state[f"in_proj_{kind}"].clone() for n in PROJECTIONS[:3]}
        result[f"W_o.{kind}"] = state[f"out_proj.{kind}"].clone()
    return result


def _bias_of(order: tuple[int, int, int]) -> Answer:
    """The input biases from other parts of the stack."""

    def wrong(state: Any) -> Any:
        right = _right(state)
        if "in_proj_bias" in state:
            parts = state["in_proj_bias"].chunk(3)
            right |= {f"{n}.bias": parts[i].clone() for n, i in zip(PROJECTIONS, order)}
        return right

    return wrong


def _no_bias_of_w_o(state: Any) -> Any:
    return {key: value for key, value in _right(state).items() if key != "W_o.bias"}


def _popping(state: Any) -> Any:
    right = _right(state)
    state.pop("in_proj_weight")
    return right


def _zero_biases(state: Any) -> Any:
    right = _right(state)
    zeros = torch.zeros(right["W_o.weight"].shape[0])
    return right | {f"{n}.bias": right.get(f"{n}.bias", zeros) for n in PROJECTIONS}


# What learners take the three parts for, and the part that W_q, W_k and W_v then get.
_ORDERS = {
    "k, q, v": (1, 0, 2),
    "q, v, k": (0, 2, 1),
    "v, k, q": (2, 1, 0),
    "k, v, q": (2, 0, 1),
    "v, q, k": (1, 2, 0),
}


_TURN = "Both sides are Linear weights, (out, in), and both compute x Wᵀ: nothing is transposed."


EXERCISE = Exercise(
    name="convert_torch_weights",
    reference=reference.convert_torch_weights,
    cases=_convert_cases,
    may_share_memory=True,
    mistakes=(
        *(
            Mistake(
                f"took the parts as {told}",
                "From top to bottom the rows of in_proj_weight belong to query, key, value.",
                _converted(order),
            )
            for told, order in _ORDERS.items()
        ),
        Mistake(
            "used the first part for all three", "Three parts: rows 0 to d, d to 2d, 2d to 3d.", _converted((0, 0, 0))
        ),
        Mistake("transposed the three input weights", _TURN, _converted(turn=lambda w: w.T)),
        Mistake("transposed the output weight", _TURN, _converted(turn_out=lambda w: w.T)),
        Mistake("transposed all four weights", _TURN, _converted(turn=lambda w: w.T, turn_out=lambda w: w.T)),
        Mistake(
            "did not cut the stacked weights",
            "in_proj_weight has 3·d rows: the first d are W_q's, the next W_k's, the last W_v's.",
            _not_cut,
        ),
        Mistake(
            "renamed the stacked weights to W_q",
            "in_proj_weight is three matrices in one: cut its rows in three, and the bias too.",
            _renamed_only,
        ),
        Mistake(
            "cut the columns, not the rows", "The three matrices lie below each other: cut along axis 0.", _cut_columns
        ),
        Mistake(
            "reshaped the stack to (d, 3d) and cut the columns",
            "A reshape mixes the rows of the three. Cut the stack as it is, along axis 0.",
            _columns_side_by_side,
        ),
        Mistake(
            "dealt the rows out like cards",
            "Neighbouring rows belong together: the first d are W_q's.",
            _converted(cut=lambda w: [w[i::3] for i in range(3)]),
        ),
        Mistake(
            "forgot the biases",
            "in_proj_bias is cut in three like the weight, and out_proj.bias is W_o's.",
            _converted(biases=lambda state: False),
        ),
        Mistake(
            "expected biases always",
            "A layer made with bias=False has none: look whether the key is there.",
            _converted(biases=lambda state: True),
        ),
        Mistake(
            "made zeros where there are no biases",
            "Without biases exactly four keys are asked, for a module made with bias=False.",
            _zero_biases,
        ),
        *(
            Mistake(
                f"took the parts of in_proj_bias as {told}",
                "The weights are right. in_proj_bias is stacked like in_proj_weight: query, key, value.",
                _bias_of(order),
            )
            for told, order in _ORDERS.items()
        ),
        Mistake(
            "gave all three the first part of the bias",
            "in_proj_bias is stacked like in_proj_weight: cut it in three.",
            _bias_of((0, 0, 0)),
        ),
        Mistake(
            "left the bias of W_o out",
            "out_proj has a bias of its own, out_proj.bias: that is W_o's.",
            _no_bias_of_w_o,
        ),
        Mistake(
            "kept the old keys beside the new ones",
            "`load_state_dict` refuses keys it does not know: begin with an empty dict.",
            lambda state: _whole(state) | _right(state),
        ),
        Mistake(
            "kept the name out_proj",
            "The last layer is called W_o in your class.",
            lambda state: {k.replace("W_o", "out_proj"): v for k, v in _right(state).items()},
        ),
        Mistake(
            "left .weight and .bias out of the names",
            "A Linear called W_q has the keys W_q.weight and W_q.bias.",
            lambda state: {k.replace(".weight", ""): v for k, v in _right(state).items() if ".weight" in k},
        ),
        Mistake(
            "changed the state that it was given",
            "The caller still needs it. `.pop(...)` takes a key out of that dict and `state[...] = ...` puts one in:"
            " only read from it, and fill a new dict.",
            _popping,
        ),
        Mistake("returned the state as it was", "The keys have to become those of your class.", _whole),
    ),
    hints=(
        (
            "Print the shapes: `{k: v.shape for k, v in state.items()}`. Which axis of in_proj_weight is three times as"
            " long?"
        ),
        (
            "`state['in_proj_weight'].chunk(3)` gives the rows of query, key and value in this order; the bias"
            " likewise, if it is there."
        ),
    ),
)
