"""Wrong versions of `DecoderLayer`: a right one in pieces, and ways to replace them."""

from __future__ import annotations

from typing import Any

from torch import nn

from helpers.reference import u6_masked_decoder as reference

from ..common import Step


class Layer(reference.DecoderLayer):
    """The right layer in small pieces, for mistakes to replace one of them."""

    def forward(self, x: Any, memory: Any, self_mask: Any = None, memory_mask: Any = None) -> Any:
        x = self.add(1, x, lambda y: self.look_at_self(y, memory, self_mask, memory_mask))
        x = self.add(2, x, lambda y: self.look_across(y, memory, self_mask, memory_mask))
        return self.add(3, x, self.feed_forward)

    def norm(self, i: int) -> Any:
        return getattr(self, f"norm_{i}")

    def add(self, i: int, x: Any, sublayer: Step) -> Any:
        return x + sublayer(self.norm(i)(x)) if self.norm_first else self.norm(i)(x + sublayer(x))

    def look_at_self(self, y: Any, memory: Any, self_mask: Any, memory_mask: Any) -> Any:
        return self.self_attention(y, y, y, self_mask)[0]

    def look_across(self, y: Any, memory: Any, self_mask: Any, memory_mask: Any) -> Any:
        return self.cross_attention(y, memory, memory, memory_mask)[0]


def layer(**pieces: Step) -> type[Layer]:
    """A layer with other pieces."""
    return type("DecoderLayer", (Layer,), pieces)


def across(query_key_value: Step) -> type[Layer]:
    """A layer whose cross attention gets another query, key and value."""

    def look_across(self: Any, y: Any, memory: Any, self_mask: Any, memory_mask: Any) -> Any:
        return self.cross_attention(*query_key_value(y, memory), memory_mask)[0]

    return layer(look_across=look_across)


def across_with_plain(query_key_value: Step) -> type[Layer]:
    """A layer whose cross attention gets another query, key and value, from x as it is before norm_2 as well."""

    class DecoderLayer(Layer):
        def forward(self, x: Any, memory: Any, self_mask: Any = None, memory_mask: Any = None) -> Any:
            x = self.add(1, x, lambda y: self.look_at_self(y, memory, self_mask, memory_mask))
            plain = x
            x = self.add(2, x, lambda y: self.cross_attention(*query_key_value(plain, y, memory), memory_mask)[0])
            return self.add(3, x, self.feed_forward)

    return DecoderLayer


def self_with(mask: Step) -> Step:
    """A look at the decoder's own words with `mask(self_mask, memory_mask)`."""
    return lambda self, y, memory, self_mask, memory_mask: self.self_attention(y, y, y, mask(self_mask, memory_mask))[0]


def across_with(mask: Step) -> Step:
    """A look at the memory with `mask(self_mask, memory_mask)`."""
    return lambda self, y, memory, self_mask, memory_mask: self.cross_attention(
        y, memory, memory, mask(self_mask, memory_mask)
    )[0]


def add_without(*numbers: int) -> type[Layer]:
    """A layer without the residual around some sublayers."""

    def add(self: Any, i: int, x: Any, sublayer: Step) -> Any:
        if i not in numbers:
            return Layer.add(self, i, x, sublayer)
        return sublayer(self.norm(i)(x)) if self.norm_first else self.norm(i)(sublayer(x))

    return layer(add=add)


def residual_from_normalised(self: Any, i: int, x: Any, sublayer: Step) -> Any:
    if not self.norm_first:
        return Layer.add(self, i, x, sublayer)
    x = self.norm(i)(x)
    return x + sublayer(x)


def residual_from_normalised_at(number: int) -> type[Layer]:
    """A layer in which one residual starts from the normalised x."""

    def add(self: Any, i: int, x: Any, sublayer: Step) -> Any:
        return (residual_from_normalised if i == number else Layer.add)(self, i, x, sublayer)

    return layer(add=add)


def doubled(self: Any, i: int, x: Any, sublayer: Step) -> Any:
    y = sublayer(self.norm(i)(x)) if self.norm_first else sublayer(x)
    return y + y if self.norm_first else self.norm(i)(y + y)


def norm_of_sublayer(self: Any, i: int, x: Any, sublayer: Step) -> Any:
    return Layer.add(self, i, x, sublayer) if self.norm_first else x + self.norm(i)(sublayer(x))


def always(norm_first: bool) -> type[Layer]:
    """A layer that does not ask `norm_first`."""

    class DecoderLayer(Layer):
        def add(self, i: int, x: Any, sublayer: Step) -> Any:
            self.norm_first = norm_first
            return Layer.add(self, i, x, sublayer)

    return DecoderLayer


class Reversed(Layer):
    def add(self, i: int, x: Any, sublayer: Step) -> Any:
        return self.norm(i)(x + sublayer(x)) if self.norm_first else x + sublayer(self.norm(i)(x))


class CrossFirst(Layer):
    def forward(self, x: Any, memory: Any, self_mask: Any = None, memory_mask: Any = None) -> Any:
        x = self.add(2, x, lambda y: self.look_across(y, memory, self_mask, memory_mask))
        x = self.add(1, x, lambda y: self.look_at_self(y, memory, self_mask, memory_mask))
        return self.add(3, x, self.feed_forward)


class CrossFirstInOrder(Layer):
    """As `CrossFirst`, with the norms in the order of their numbers."""

    def forward(self, x: Any, memory: Any, self_mask: Any = None, memory_mask: Any = None) -> Any:
        x = self.add(1, x, lambda y: self.look_across(y, memory, self_mask, memory_mask))
        x = self.add(2, x, lambda y: self.look_at_self(y, memory, self_mask, memory_mask))
        return self.add(3, x, self.feed_forward)


class SideBySide(Layer):
    def forward(self, x: Any, memory: Any, self_mask: Any = None, memory_mask: Any = None) -> Any:
        start = x
        x = self.add(1, x, lambda y: self.look_at_self(y, memory, self_mask, memory_mask))
        if self.norm_first:
            x = x + self.look_across(self.norm_2(start), memory, self_mask, memory_mask)
        else:
            x = self.norm_2(x + self.look_across(start, memory, self_mask, memory_mask))
        return self.add(3, x, self.feed_forward)


class AsksAsBefore(Layer):
    """Pre-norm, the cross attention asks with norm_1 of the layer's input, as the self-attention did."""

    def forward(self, x: Any, memory: Any, self_mask: Any = None, memory_mask: Any = None) -> Any:
        asked = self.norm_1(x)
        x = self.add(1, x, lambda y: self.look_at_self(y, memory, self_mask, memory_mask))
        x = self.add(2, x, lambda y: self.look_across(asked if self.norm_first else y, memory, self_mask, memory_mask))
        return self.add(3, x, self.feed_forward)


class NormAtTheEnd(Layer):
    def forward(self, x: Any, memory: Any, self_mask: Any = None, memory_mask: Any = None) -> Any:
        x = super().forward(x, memory, self_mask, memory_mask)
        return self.norm_3(x) if self.norm_first else x


def _made_without_biases(self: Any, *sizes: Any, **named: Any) -> None:
    Layer.__init__(self, *sizes, **named)
    for attention in (self.self_attention, self.cross_attention):
        for projection in (attention.W_q, attention.W_k, attention.W_v, attention.W_o):
            projection.register_parameter("bias", None)


WithoutBiases = layer(__init__=_made_without_biases)


class OldResidual(Layer):
    """The second and third residual take up the layer's input again."""

    def forward(self, x: Any, memory: Any, self_mask: Any = None, memory_mask: Any = None) -> Any:
        start = x
        sublayers: tuple[Step, ...] = (
            lambda y: self.look_at_self(y, memory, self_mask, memory_mask),
            lambda y: self.look_across(y, memory, self_mask, memory_mask),
            self.feed_forward,
        )
        for i, sublayer in enumerate(sublayers, start=1):
            x = start + sublayer(self.norm(i)(x)) if self.norm_first else self.norm(i)(start + sublayer(x))
        return x


class WithWeights(Layer):
    def forward(self, x: Any, memory: Any, self_mask: Any = None, memory_mask: Any = None) -> Any:
        kept: list[Any] = []

        def across(y: Any) -> Any:
            output, weights = self.cross_attention(y, memory, memory, memory_mask)
            kept.append(weights)
            return output

        x = self.add(1, x, lambda y: self.look_at_self(y, memory, self_mask, memory_mask))
        x = self.add(2, x, across)
        return self.add(3, x, self.feed_forward), kept[0]


class OnlyQueriesNormalised(Layer):
    def forward(self, x: Any, memory: Any, self_mask: Any = None, memory_mask: Any = None) -> Any:
        if not self.norm_first:
            return Layer.forward(self, x, memory, self_mask, memory_mask)
        x = x + self.self_attention(self.norm_1(x), x, x, self_mask)[0]
        x = self.add(2, x, lambda y: self.look_across(y, memory, self_mask, memory_mask))
        return self.add(3, x, self.feed_forward)


class OneAttention(Layer):
    def __init__(self, *sizes: Any, **named: Any) -> None:
        super().__init__(*sizes, **named)
        self.cross_attention = self.self_attention


class OtherEps(Layer):
    def __init__(self, d_model: int, n_heads: int, d_ff: int, norm_first: bool = False) -> None:
        super().__init__(d_model, n_heads, d_ff, norm_first)
        self.norm_1, self.norm_2, self.norm_3 = (nn.LayerNorm(d_model, eps=1e-6) for _ in range(3))
