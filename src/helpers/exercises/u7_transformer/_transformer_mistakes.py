"""The known mistakes of `Transformer`, each with a version that makes it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from helpers import data
from helpers.exercise import Mistake
from helpers.reference import u7_transformer as reference
from helpers.reference.u6_masked_decoder import shift_right

from ..common import Step


class Machine(reference.Transformer):
    """The reference, for wrong ones to change a step of."""

    def memory_mask(self, src: Any) -> Any:
        return self.source_mask(src)

    def forward(self, src: Any, tgt_in: Any) -> Any:
        return self.decode(tgt_in, self.encode(src), self.memory_mask(src))


def machine(after: Step | None = None, **changed: Any) -> type[nn.Module]:
    """A Transformer with other methods; `after(self, *sizes)` may change the parts that were made."""
    if after is not None:

        def __init__(self: Any, *sizes: Any, **named: Any) -> None:
            Machine.__init__(self, *sizes, **named)
            after(self, *sizes, **named)

        changed["__init__"] = __init__
    return type("Transformer", (Machine,), changed)


def sees_all(tgt_in: Any) -> Any:
    return torch.ones(tgt_in.shape[-1], tgt_in.shape[-1], dtype=torch.bool)


def embed_without(src: bool, tgt: bool) -> Step:
    """An embedding that adds positions only where that is true."""

    def embed(self: Any, table: Any, ids: Any) -> Any:
        x = table.embedding_dim**0.5 * table(ids)
        wanted = src if table is self.src_embed else tgt
        return x + self.positions[: ids.shape[-1]] if wanted else x

    return embed


def embed_along_batch(self: Any, table: Any, ids: Any) -> Any:
    return table.embedding_dim**0.5 * table(ids) + self.positions[: ids.shape[0], None]


def embed_backwards(self: Any, table: Any, ids: Any) -> Any:
    positions = self.positions[:-1]
    return table.embedding_dim**0.5 * table(ids) + positions[: ids.shape[-1]]


def embed_whole(self: Any, table: Any, ids: Any) -> Any:
    return table.embedding_dim**0.5 * table(ids) + self.positions


def blind_decode(self: Any, tgt_in: Any, memory: Any, memory_mask: Any = None) -> Any:
    return reference.Transformer.decode(self, tgt_in, 0 * memory, memory_mask)


def _decode_with(masks: Step, shift: Step = lambda tgt_in: tgt_in) -> Step:
    """A decode that hands its layers other masks, or reads other ids."""

    def decode(self: Any, tgt_in: Any, memory: Any, memory_mask: Any = None) -> Any:
        x = self._embed(self.tgt_embed, shift(tgt_in))
        for layer in self.decoder:
            x = layer(x, memory, *masks(self.target_mask(tgt_in), memory_mask))
        return self.project(self.norm(x))

    return decode


masks_swapped = _decode_with(lambda causal, padding: (padding, causal))

causal_memory = _decode_with(lambda causal, padding: (causal, causal))

shifted_inside = _decode_with(lambda causal, padding: (causal, padding), lambda tgt_in: shift_right(tgt_in, data.BOS))


def same_layers(self: Any, *sizes: Any, **named: Any) -> None:
    self.decoder = nn.ModuleList([self.decoder[0]] * len(self.decoder))


def one_encoder_layer(self: Any, *sizes: Any, **named: Any) -> None:
    self.encoder.layers = self.encoder.layers[:1]


def one_decoder_layer(self: Any, *sizes: Any, **named: Any) -> None:
    self.decoder = self.decoder[:1]


def one_layer(self: Any, *sizes: Any, **named: Any) -> None:
    one_encoder_layer(self)
    one_decoder_layer(self)


def narrow(
    self: Any, src_vocab: int, tgt_vocab: int, d_model: int, n_heads: int, n_layers: int, d_ff: int, max_length: int
) -> None:
    made = reference.Transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_model, max_length)
    self.encoder, self.decoder = made.encoder, made.decoder


def without_projection(self: Any, *sizes: Any, **named: Any) -> None:
    self.project = nn.Identity()


def project_to_source(self: Any, src_vocab: int, tgt_vocab: int, d_model: int, *sizes: Any, **named: Any) -> None:
    self.project = nn.Linear(d_model, src_vocab)


def with_softmax(self: Any, *sizes: Any, **named: Any) -> None:
    self.project = nn.Sequential(self.project, nn.Softmax(dim=-1))


def one_table(self: Any, *sizes: Any, **named: Any) -> None:
    self.tgt_embed = self.src_embed


def causal_encode(self: Any, src: Any) -> Any:
    return self.encoder(self._embed(self.src_embed, src), self.source_mask(src) & self.target_mask(src))


MISTAKES = (
    Mistake(
        "the decoder looks ahead",
        "Every target token may see itself and what stands before it: `causal_mask` from unit 6, in the decoder's"
        " self-attention.",
        machine(target_mask=staticmethod(sees_all)),
    ),
    Mistake(
        "the causal mask is turned round: a token sees what comes after it",
        "A row of a mask is a query. Row i of the causal mask is True from column 0 to column i.",
        machine(target_mask=staticmethod(lambda tgt_in: reference.Transformer.target_mask(tgt_in).T)),
    ),
    Mistake(
        "the encoder sees the padding",
        "Words must not attend to `PAD`: give the encoder the mask `src != PAD`, with axes for heads and queries.",
        machine(encode=lambda self, src: self.encoder(self._embed(self.src_embed, src))),
    ),
    Mistake(
        "the logits see the padding of the source",
        "The memory has rows for `PAD` too, and whatever reads it has to leave them out: `forward` hands `decode` the"
        " same mask that the encoder used.",
        machine(memory_mask=lambda self, src: None),
    ),
    Mistake(
        "decode reads what memory_mask hides",
        "`decode` gets it as its third argument; every decoder layer wants it for cross attention.",
        machine(
            decode=lambda self, tgt_in, memory, memory_mask=None: reference.Transformer.decode(self, tgt_in, memory)
        ),
    ),
    Mistake(
        "the padding mask is upside down",
        "True means may attend, here as everywhere in the course: True where there is a word.",
        machine(source_mask=staticmethod(lambda src: (src == data.PAD)[:, None, None, :])),
    ),
    Mistake(
        "the encoder's padding mask is upside down",
        "True means may attend, here as everywhere in the course: True where there is a word.",
        machine(
            encode=lambda self, src: self.encoder(
                self._embed(self.src_embed, src), ~reference.Transformer.source_mask(src)
            )
        ),
    ),
    Mistake(
        "the padding mask lacks the axes of heads and queries",
        "`src != PAD` is (b, n) and has to broadcast to (b, h, n_q, n_k): put two axes of length 1 between, `[:,"
        " None, None, :]`.",
        machine(source_mask=staticmethod(lambda src: src != data.PAD)),
    ),
    Mistake(
        "the padding mask stands on the axis of the queries",
        "Padding must not be looked at, so it is forbidden as a key, and keys are the last axis.",
        machine(source_mask=staticmethod(lambda src: (src != data.PAD)[:, None, :, None])),
    ),
    Mistake(
        "the two masks of the decoder layer have changed places",
        "A `DecoderLayer` takes x, memory, self_mask, memory_mask: the causal mask is for the target, the padding"
        " mask for the memory.",
        machine(decode=masks_swapped),
    ),
    Mistake(
        "the causal mask hides the memory",
        "The memory is complete before the first digit is written: cross attention may look at all of its words.",
        machine(decode=causal_memory),
    ),
    Mistake(
        "shifted the target inside the model",
        "`tgt_in` comes shifted: `train_step` does that. The logits at place i follow the token at place i.",
        machine(decode=shifted_inside),
    ),
    Mistake(
        "no positions on either side",
        "Attention sees a set. Add position vectors to the embeddings of the source and of the target.",
        machine(_embed=embed_without(False, False)),
    ),
    Mistake(
        "no positions in the source",
        "The target knows its order, the source does not: “two hundred three” and “three hundred two” look alike.",
        machine(_embed=embed_without(False, True)),
    ),
    Mistake(
        "no positions in the target",
        "The source knows its order, the target does not: the decoder has to know which digit it is at.",
        machine(_embed=embed_without(True, False)),
    ),
    Mistake(
        "added positions along the batch, not along the tokens",
        "P[:n] is (n, d_model) and meets the last two axes of (b, n, d_model), so that all sentences share it.",
        machine(_embed=embed_along_batch),
    ),
    Mistake(
        "added the whole table of positions, not the first n rows",
        "The table has max_length rows; a sequence of n tokens takes the first n of them.",
        machine(_embed=embed_whole),
    ),
    Mistake(
        "no room for the longest sequence",
        "A sequence of max_length tokens has the positions 0 to max_length - 1: max_length rows.",
        machine(_embed=embed_backwards),
    ),
    Mistake(
        "the decoder never looks at the memory",
        "Cross attention takes its keys and values from the memory that `encode` returns.",
        machine(decode=blind_decode),
    ),
    Mistake(
        "the encoder is masked like a decoder",
        "The source is there as a whole; its words may see each other in both directions. Only padding is hidden.",
        machine(encode=causal_encode),
    ),
    Mistake(
        "in encode the words do not see one another",
        "The memory is what the encoder makes of embeddings and positions, not these themselves.",
        machine(encode=lambda self, src: self._embed(self.src_embed, src)),
    ),
    Mistake(
        "returned probabilities, not logits",
        "Leave the softmax out: cross entropy does it, and twice is once too often.",
        machine(after=with_softmax),
    ),
    Mistake(
        "no last linear layer",
        "The decoder's tokens are d_model wide. One linear layer makes a logit for each entry of the target"
        " vocabulary of them.",
        machine(after=without_projection),
    ),
    Mistake(
        "as many logits as the source has words",
        "The model writes in the target's vocabulary: tgt_vocab logits.",
        machine(after=project_to_source),
    ),
    Mistake(
        "the target's table has src_vocab rows",
        "The ids of a target lie below tgt_vocab, which may be larger than src_vocab: a table of its own, with"
        " tgt_vocab rows.",
        machine(after=one_table),
    ),
    Mistake(
        "layers share their start values",
        "`[layer] * n` is one layer n times, and a deep copy starts as its twin. Make each layer anew in the list.",
        machine(after=same_layers),
    ),
    Mistake(
        "the encoder's n_layers layers are not all among the parameters",
        "Give the encoder n_layers, and if you keep layers in a list, let it be an `nn.ModuleList`: torch does not"
        " look into a plain one.",
        machine(after=one_encoder_layer),
    ),
    Mistake(
        "the decoder's n_layers layers are not all among the parameters",
        "The decoder has n_layers layers too, in an `nn.ModuleList`: torch does not look into a plain list.",
        machine(after=one_decoder_layer),
    ),
    Mistake(
        "n_layers is not used",
        "Encoder and decoder have n_layers layers each, in an `nn.ModuleList`, so that their parameters are found.",
        machine(after=one_layer),
    ),
    Mistake(
        "d_ff is not used",
        "d_ff is the width inside the feed-forward net of every layer, on both sides.",
        machine(after=narrow),
    ),
)
