"""The known mistakes of `Encoder`, each with a version that makes it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from helpers.exercise import Mistake, in_parts
from helpers.reference import u5_add_and_norm as reference

from ..common import Step


def run_layers(self: Any, x: Any, mask: Any) -> Any:
    for layer in self.layers:
        x = layer(x, mask)
    return x


def finish(self: Any, x: Any) -> Any:
    return x if self.norm is None else self.norm(x)


def right_way(self: Any, x: Any, mask: Any) -> Any:
    return finish(self, run_layers(self, x, mask))


@in_parts
def encoder(forward: Step = right_way, make: Step | None = None) -> type[nn.Module]:
    """An Encoder with another forward, or other parts; `make(self, n_layers, d_model, n_heads, d_ff, norm_first)` may
    change what was made.
    """

    class Encoder(reference.Encoder):
        def __init__(self, n_layers: int, d_model: int, n_heads: int, d_ff: int, norm_first: bool = False) -> None:
            super().__init__(n_layers, d_model, n_heads, d_ff, norm_first)
            if make is not None:
                make(self, n_layers, d_model, n_heads, d_ff, norm_first)

        def forward(self, x: Any, mask: Any = None) -> Any:
            return forward(self, x, mask)

    return Encoder


def made_of(layers: Step) -> Step:
    """`make` for an Encoder whose layers are `layers(new layer, N)`."""

    def make(self: Any, n_layers: int, d_model: int, n_heads: int, d_ff: int, norm_first: bool) -> None:
        self.layers = layers(
            lambda **changed: reference.EncoderLayer(
                **({"d_model": d_model, "n_heads": n_heads, "d_ff": d_ff, "norm_first": norm_first} | changed)
            ),
            n_layers,
        )

    return make


def swapped_sizes(self: Any, n_layers: int, d_model: int, n_heads: int, d_ff: int, norm_first: bool) -> None:
    self.layers = nn.ModuleList(reference.EncoderLayer(n_heads, d_model, d_ff, norm_first) for _ in range(n_layers))


def copied(layer: Step, n: int) -> nn.ModuleList:
    first = layer()
    rest = [layer() for _ in range(n - 1)]
    for other in rest:
        other.load_state_dict(first.state_dict())
    return nn.ModuleList([first, *rest])


def drop_norm(self: Any, *sizes: Any) -> None:
    self.norm = None


def always_norm(self: Any, n_layers: int, d_model: int, *sizes: Any) -> None:
    self.norm = reference.LayerNorm(d_model)


def plain_list(self: Any, *sizes: Any) -> None:
    layers = list(self.layers)
    del self.layers
    self.layers = layers


def dropout_between(self: Any, x: Any, mask: Any) -> Any:
    for layer in self.layers:
        x = nn.functional.dropout(layer(x, mask), 0.1, self.training)
    return finish(self, x)


def all_from_input(self: Any, x: Any, mask: Any) -> Any:
    for layer in self.layers:
        y = layer(x, mask)
    return finish(self, y)


def nothing_kept(self: Any, x: Any, mask: Any) -> Any:
    for layer in self.layers:
        layer(x, mask)
    return finish(self, x.clone())


def first_masked(self: Any, x: Any, mask: Any) -> Any:
    for i, layer in enumerate(self.layers):
        x = layer(x, mask if i == 0 else None)
    return finish(self, x)


def last_masked(self: Any, x: Any, mask: Any) -> Any:
    for i, layer in enumerate(self.layers):
        x = layer(x, mask if i == len(self.layers) - 1 else None)
    return finish(self, x)


def norm_between(self: Any, x: Any, mask: Any) -> Any:
    for layer in self.layers:
        x = finish(self, layer(x, mask))
    return x


def norm_ahead(self: Any, x: Any, mask: Any) -> Any:
    return run_layers(self, finish(self, x), mask)


def backwards(self: Any, x: Any, mask: Any) -> Any:
    for layer in reversed(self.layers):
        x = layer(x, mask)
    return finish(self, x)


def all_outputs(self: Any, x: Any, mask: Any) -> Any:
    outputs = []
    for layer in self.layers:
        x = layer(x, mask)
        outputs.append(x)
    return torch.stack(outputs)


def extra_residual(self: Any, x: Any, mask: Any) -> Any:
    return finish(self, x + run_layers(self, x, mask))


def residual_around_each(self: Any, x: Any, mask: Any) -> Any:
    for layer in self.layers:
        x = x + layer(x, mask)
    return finish(self, x)


def detached_between(self: Any, x: Any, mask: Any) -> Any:
    for layer in self.layers:
        x = layer(x.detach(), mask)
    return finish(self, x)


MISTAKES = (
    Mistake(
        "one layer object used N times",
        "`[layer] * n` lists one layer n times, and so there is one set of weights. Call `EncoderLayer(...)` once"
        " for every layer.",
        encoder(make=made_of(lambda layer, n: nn.ModuleList([layer()] * n))),
    ),
    Mistake(
        "all layers start from the same weights",
        "Copies (`copy.deepcopy`) are layers of their own, but start equal. Call `EncoderLayer(...)` once for every"
        " layer, and each draws its own.",
        encoder(make=made_of(copied)),
    ),
    Mistake(
        "no final norm with pre-norm",
        "With `norm_first=True` nothing normalises what the last layer hands on: the encoder has a `norm` for that.",
        encoder(make=drop_norm),
    ),
    Mistake(
        "the final norm is made, but not used",
        "With `norm_first=True` the result goes through `self.norm` after the last layer.",
        encoder(forward=run_layers),
    ),
    Mistake(
        "a final norm with post-norm too",
        "With post-norm every layer ends in a norm already: make `norm` only when `norm_first` is true.",
        encoder(make=always_norm),
    ),
    Mistake(
        "the final norm comes before the layers",
        "It stands at the end of the road, after the last layer.",
        encoder(forward=norm_ahead),
    ),
    Mistake(
        "the final norm after every layer",
        "It comes once, after the last layer; between the layers the road stays free.",
        encoder(forward=norm_between),
    ),
    Mistake(
        "the layers are in a plain Python list",
        "A module does not look into a list: its layers would neither train nor be saved. `nn.ModuleList` makes"
        " them known.",
        encoder(make=plain_list),
    ),
    Mistake(
        "norm_first is not handed to the layers",
        "Each `EncoderLayer` has to be told whether it is pre-norm.",
        encoder(make=made_of(lambda layer, n: nn.ModuleList(layer(norm_first=False) for _ in range(n)))),
    ),
    Mistake(
        "the mask is not handed to the layers",
        "Every layer gets the mask: `layer(x, mask)`.",
        encoder(forward=lambda self, x, mask: finish(self, run_layers(self, x, None))),
    ),
    Mistake(
        "only the first layer gets the mask",
        "Padding that the first layer hides is seen by the second: every layer gets the mask.",
        encoder(forward=first_masked),
    ),
    Mistake(
        "only the last layer gets the mask",
        "What the layers below have mixed in, the last one cannot take out: every layer gets the mask.",
        encoder(forward=last_masked),
    ),
    Mistake(
        "the mask is inverted",
        "True = may attend, everywhere in this course: hand the mask on as it is.",
        encoder(forward=lambda self, x, mask: finish(self, run_layers(self, x, None if mask is None else ~mask))),
    ),
    Mistake(
        "crashes without a mask",
        "`mask=None` is the usual call: hand None on as it is.",
        encoder(forward=lambda self, x, mask: finish(self, run_layers(self, x, mask.bool()))),
    ),
    Mistake(
        "every layer reads the first input",
        "Each layer reads what the one before has written: hand `x` on from layer to layer.",
        encoder(forward=all_from_input),
    ),
    Mistake(
        "returned the input: what the layers return is not kept",
        "A layer does not change x in place. Keep its result under the name `x`.",
        encoder(forward=nothing_kept),
    ),
    Mistake(
        "one layer too few",
        "`range(n)` counts to n already: there are n layers, and each is used.",
        encoder(make=made_of(lambda layer, n: nn.ModuleList(layer() for _ in range(n - 1)))),
    ),
    Mistake(
        "one layer too many",
        "`range(n)` makes n layers.",
        encoder(make=made_of(lambda layer, n: nn.ModuleList(layer() for _ in range(n + 1)))),
    ),
    Mistake(
        "the layers run from last to first",
        "layers[0] reads the embeddings, and the last one writes the result.",
        encoder(forward=backwards),
    ),
    Mistake(
        "returned the outputs of all layers",
        "Only what the last layer writes is returned: one array of the shape of x.",
        encoder(forward=all_outputs),
    ),
    Mistake(
        "an extra residual around the whole stack",
        "The roads are inside the layers already; the encoder itself adds nothing.",
        encoder(forward=extra_residual),
    ),
    Mistake(
        "an extra residual around every layer",
        "The roads are inside the layers already: what a layer returns is the new x.",
        encoder(forward=residual_around_each),
    ),
    Mistake(
        "d_model and n_heads changed places in the call of EncoderLayer",
        "In which order does `EncoderLayer` take its arguments? Its first line says it.",
        encoder(make=swapped_sizes),
    ),
    Mistake(
        "one head, whatever n_heads says",
        "Hand n_heads on to each layer: the weights have the same shapes for any number of heads, which hides it.",
        encoder(make=made_of(lambda layer, n: nn.ModuleList(layer(n_heads=1) for _ in range(n)))),
    ),
    Mistake(
        "the gradient is cut between the layers",
        "The first layer learns through all the others: no `.detach()` on the way.",
        encoder(forward=detached_between),
    ),
    Mistake(
        "dropout between the layers",
        "The paper drops out while training; this course leaves it out, so that the same input gives the same result.",
        encoder(forward=dropout_between),
    ),
)
