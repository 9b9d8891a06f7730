"""The known mistakes of `DecoderLayer`."""

from __future__ import annotations

from helpers.exercise import Mistake
from helpers.reference import u6_masked_decoder as reference

from ._decoder_layer_versions import (
    AsksAsBefore,
    CrossFirst,
    CrossFirstInOrder,
    Layer,
    NormAtTheEnd,
    OldResidual,
    OneAttention,
    OnlyQueriesNormalised,
    OtherEps,
    Reversed,
    SideBySide,
    WithoutBiases,
    WithWeights,
    across,
    across_with,
    across_with_plain,
    add_without,
    always,
    doubled,
    layer,
    norm_of_sublayer,
    residual_from_normalised,
    residual_from_normalised_at,
    self_with,
)

MISTAKES = (
    Mistake(
        "keys and values of the cross attention come from the decoder",
        "Looking across means asking the encoder: the decoder asks, the memory answers. Which two of the three are"
        " the memory's?",
        across(lambda y, memory: (y, y, y)),
    ),
    Mistake(
        "the queries of the cross attention come from the encoder",
        "Whoever is to be renewed supplies the query, and that is the decoder's word.",
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
        "keys and values of the cross attention come from the decoder, as they are before the norm",
        "Looking across means asking the encoder: the decoder asks, the memory answers. Which two of the three are"
        " the memory's?",
        across_with_plain(lambda x, y, memory: (y, x, x)),
    ),
    Mistake(
        "the values of the cross attention come from the decoder, as they are before the norm",
        "Keys and values belong together, two views of the same words: both come from the memory.",
        across_with_plain(lambda x, y, memory: (y, memory, x)),
    ),
    Mistake(
        "the keys of the cross attention come from the decoder, as they are before the norm",
        "Keys and values belong together, two views of the same words: both come from the memory.",
        across_with_plain(lambda x, y, memory: (y, x, memory)),
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
        "looks across, with norm_1, before it looks at itself, with norm_2",
        "The order is: own words with norm_1, the encoder's words with norm_2, then the feed-forward net.",
        CrossFirstInOrder,
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
        "pre-norm: the queries of the cross attention are not normalised",
        "With `norm_first` each sublayer reads a normalised x; norm_2 belongs to the cross attention.",
        across_with_plain(lambda x, y, memory: (x, memory, memory)),
    ),
    Mistake(
        "pre-norm: the cross attention asks with norm_1 of the layer's input, as the self-attention did",
        "x has changed since: the cross attention asks with norm_2 of what the self-attention has left.",
        AsksAsBefore,
    ),
    *(
        Mistake(
            name,
            "The road past the sublayer stays untouched: x + sublayer(norm(x)), with the old x in front.",
            residual_from_normalised_at(i),
        )
        for i, name in (
            (1, "pre-norm: the residual around the self-attention starts from the normalised x"),
            (2, "pre-norm: the residual around the cross attention starts from the normalised x"),
            (3, "pre-norm: the residual around the feed-forward net starts from the normalised x"),
        )
    ),
    Mistake(
        "pre-norm: normalised once more at the end",
        "The last norm of unit 5 belongs to the whole stack, once; a layer has three, one for each sublayer.",
        NormAtTheEnd,
    ),
    Mistake(
        "the attentions have no biases",
        "`MultiHeadAttention(d_model, n_heads)` has biases when nothing else is said.",
        WithoutBiases,
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
