"""The known mistakes of `DecoderLayer`, each with a version that makes it."""

from __future__ import annotations

from typing import Any

from torch import nn

from helpers.exercise import Mistake
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


class SideBySide(Layer):
    def forward(self, x: Any, memory: Any, self_mask: Any = None, memory_mask: Any = None) -> Any:
        start = x
        x = self.add(1, x, lambda y: self.look_at_self(y, memory, self_mask, memory_mask))
        if self.norm_first:
            x = x + self.look_across(self.norm_2(start), memory, self_mask, memory_mask)
        else:
            x = self.norm_2(x + self.look_across(start, memory, self_mask, memory_mask))
        return self.add(3, x, self.feed_forward)


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


MISTAKES = (
    Mistake(
        "keys and values of the cross attention come from the decoder",
        "Looking across means asking the encoder: the decoder asks, the memory answers. Which two of the three are"
        " the memory's?",
        across(lambda y, memory: (y, y, y)),
    ),
    Mistake(
        "the queries of the cross attention come from the encoder",
        "Whoever is updated supplies the query, and that is the decoder's word.",
        across(lambda y, memory: (memory, y, y)),
    ),
    Mistake(
        "the values of the cross attention come from the decoder",
        "Keys and values belong together, two views of the same words: both come from the memory.",
        across(lambda y, memory: (y, memory, y)),
    ),
    Mistake(
        "the keys of the cross attention come from the decoder",
        "Keys and values belong together, two views of the same words: both come from the memory.",
        across(lambda y, memory: (y, y, memory)),
    ),
    Mistake(
        "the decoder's mask is used for the memory as well",
        "The source has a mask of its own, `memory_mask`: it may be read to its end, only its padding is hidden.",
        layer(look_across=across_with(lambda self_mask, memory_mask: self_mask)),
    ),
    Mistake(
        "the two masks are swapped",
        "`self_mask` is for the self-attention, `memory_mask` for the cross attention.",
        layer(look_at_self=self_with(lambda s, m: m), look_across=across_with(lambda s, m: s)),
    ),
    Mistake(
        "memory_mask is not used",
        "The padding of the source would be read as words: hand the mask on to the cross attention.",
        layer(look_across=across_with(lambda s, m: None)),
    ),
    Mistake(
        "self_mask is not used",
        "Without it the decoder sees its own future: hand the mask on to the self-attention.",
        layer(look_at_self=self_with(lambda s, m: None)),
    ),
    Mistake(
        "no residual around the self-attention",
        "Each of the three sublayers is added to its input.",
        add_without(1),
    ),
    Mistake(
        "no residual around the cross attention",
        "Each of the three sublayers is added to its input.",
        add_without(2),
    ),
    Mistake(
        "no residual around the feed-forward net",
        "Each of the three sublayers is added to its input.",
        add_without(3),
    ),
    Mistake(
        "no residual anywhere",
        "Each of the three sublayers is added to its input, as in the encoder.",
        add_without(1, 2, 3),
    ),
    Mistake(
        "pre-norm: the residual starts from the normalised x",
        "The road past the sublayer stays untouched: x + sublayer(norm(x)), with the old x in front.",
        layer(add=residual_from_normalised),
    ),
    Mistake(
        "post-norm: normalised the sublayer's output, not the sum",
        "First add, then norm: norm(x + sublayer(x)).",
        layer(add=norm_of_sublayer),
    ),
    Mistake(
        "x + x: the sublayer's output is added to itself",
        "Once `x` is overwritten by the sublayer's output, the old x is gone. Give the output a name of its own.",
        layer(add=doubled),
    ),
    Mistake(
        "norm_first is ignored: always post-norm",
        "With `norm_first=True` each norm stands before its sublayer.",
        always(False),
    ),
    Mistake(
        "always pre-norm",
        "Without `norm_first` each norm comes after the sum, as in the original Transformer.",
        always(True),
    ),
    Mistake(
        "pre- and post-norm the wrong way round",
        "`norm_first=True`: the norm stands before the sublayer. False, the default: after the sum.",
        Reversed,
    ),
    Mistake(
        "the later residuals start from the layer's input",
        "Each sublayer adds to what the one before it has left, not to the x that came in.",
        OldResidual,
    ),
    Mistake(
        "looks across before it looks at itself",
        "The order is: own words, the encoder's words, then the feed-forward net.",
        CrossFirst,
    ),
    Mistake(
        "both attentions read the layer's input",
        "The cross attention asks with what the self-attention (and its add & norm) has left, not with the x that"
        " came in.",
        SideBySide,
    ),
    Mistake(
        "the self-attention looks at the memory as well",
        "First the decoder's own words, with queries, keys and values from x. The memory comes in at the cross"
        " attention only.",
        layer(look_at_self=lambda self, y, memory, s, m: self.self_attention(y, memory, memory, s)[0]),
    ),
    Mistake(
        "the masks are turned around",
        "`MultiHeadAttention` of unit 4 takes masks in which True means “may attend”, just as they come in: hand"
        " them on as they are.",
        layer(
            look_at_self=self_with(lambda s, m: None if s is None else ~s),
            look_across=across_with(lambda s, m: None if m is None else ~m),
        ),
    ),
    Mistake(
        "the self-attention is always causal, whatever self_mask says",
        "The layer does not make masks: without `self_mask` its words see each other, both ways.",
        layer(
            look_at_self=lambda self, y, memory, s, m: self.self_attention(
                y, y, y, reference.causal_mask(y.shape[-2]) if s is None else s
            )[0]
        ),
    ),
    Mistake(
        "the cross attention is left out",
        "Without it the decoder never hears of the source: three sublayers, not two.",
        layer(add=lambda self, i, x, sublayer: x if i == 2 else Layer.add(self, i, x, sublayer)),
    ),
    Mistake(
        "the feed-forward net is left out",
        "After the two attentions each word is worked on by itself, as in the encoder.",
        layer(add=lambda self, i, x, sublayer: x if i == 3 else Layer.add(self, i, x, sublayer)),
    ),
    Mistake(
        "self_attention is used for both attentions",
        "There are two attentions with weights of their own; the second one is `self.cross_attention`.",
        layer(look_across=lambda self, y, memory, s, m: self.self_attention(y, memory, memory, m)[0]),
    ),
    Mistake(
        "one attention module under two names",
        "`self.cross_attention = self.self_attention` shares the weights. Make two modules.",
        OneAttention,
    ),
    Mistake(
        "norm_1 is used three times",
        "Each sublayer has a norm of its own.",
        layer(norm=lambda self, i: self.norm_1),
    ),
    Mistake(
        "norm_2 and norm_3 are swapped",
        "norm_2 belongs to the cross attention, norm_3 to the feed-forward net.",
        layer(norm=lambda self, i: (self.norm_1, self.norm_3, self.norm_2)[i - 1]),
    ),
    Mistake(
        "pre-norm: the memory is normalised as well",
        "norm_2 is for the decoder's words. The memory comes from the encoder as it is.",
        layer(
            look_across=lambda self, y, memory, s, m: self.cross_attention(
                y, *[self.norm_2(memory) if self.norm_first else memory] * 2, m
            )[0]
        ),
    ),
    Mistake(
        "pre-norm: only the queries of the self-attention are normalised",
        "Queries, keys and values of the self-attention are all made from norm_1(x).",
        OnlyQueriesNormalised,
    ),
    Mistake(
        "a norm with another eps than 1e-5",
        "torch's default and the paper's implementations use eps = 1e-5.",
        OtherEps,
    ),
    Mistake(
        "added the pair (output, weights)",
        "`MultiHeadAttention` returns two results. The output is the first: `output, _ = self.self_attention(...)`.",
        layer(look_at_self=lambda self, y, memory, s, m: self.self_attention(y, y, y, s)),
    ),
    Mistake("returned the weights as well", "The layer above wants x alone: return just x.", WithWeights),
)
