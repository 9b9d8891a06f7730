"""Unit 7, the whole machine: reference implementations in torch, from the parts of units 3 to 6.

Ids are integers; `helpers.data` fixes what 0, 1 and 2 mean: `PAD` fills up short sentences, `BOS` begins what the
decoder reads, `EOS` ends what it writes. A mask is boolean and True means "may attend". Source: Vaswani et al. (2017),
"Attention Is All You Need", figure 1 and section 3. Unlike there, the norm stands before each sublayer (`norm_first`),
which trains without warming up, nothing is dropped out, and the three embeddings share no weights.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from helpers.data import BOS, EOS, MAX_LENGTH, PAD

from .u3_positional_encoding import sinusoidal_encoding
from .u5_add_and_norm import Encoder
from .u6_masked_decoder import DecoderLayer, causal_mask, cross_entropy, greedy_decode, shift_right


def _positions(n_positions: int, d_model: int) -> Tensor:
    return torch.from_numpy(sinusoidal_encoding(n_positions, d_model)).float()  # (n_positions, d_model)


class DigitClassifier(nn.Module):
    """Reads an image of a digit row by row: eight rows are eight tokens of eight pixels.

    `logits = W · mean(Encoder(W_in rows + P)) + b`: each row is a token like a word of a sentence, and one last linear
    layer reads the mean of what the encoder makes of the eight. A mean knows no order, so where a row stands is told by
    the positions alone.

    Attributes:
        embed: `nn.Linear(8, d_model)`, the embedding: pixels are numbers already, so it is no table.
        positions: (8, d_model), sines and cosines; part of the state, not trained.
        encoder: `Encoder`.
        classify: `nn.Linear(d_model, 10)`.
    """

    def __init__(self) -> None:
        super().__init__()
        d_model = 32
        self.embed = nn.Linear(8, d_model)
        self.register_buffer("positions", _positions(8, d_model))
        self.encoder = Encoder(n_layers=2, d_model=d_model, n_heads=4, d_ff=64, norm_first=True)
        self.classify = nn.Linear(d_model, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (b, 10) of the ten digits for images (b, 8, 8) with pixels from 0 to 16."""
        x = self.embed(images / 16) + self.positions  # (b, 8, 8) to (b, 8, d_model)
        return self.classify(self.encoder(x).mean(dim=1))  # (b, 10)


class Transformer(nn.Module):
    """Encoder and decoder: reads one sequence of ids, predicts another.

    Args:
        src_vocab, tgt_vocab: sizes of the two vocabularies.
        d_model, n_heads, d_ff: as in `EncoderLayer` and `DecoderLayer`.
        n_layers: layers of the encoder, and of the decoder.
        max_length: the longest sequence on either side.

    Attributes:
        src_embed, tgt_embed: `nn.Embedding`, multiplied by √d_model where they are used, so they begin with variance
            1/d_model.
        positions: (max_length, d_model), sines and cosines for both sides; part of the state, not trained.
        encoder: `Encoder`. decoder: `nn.ModuleList` of `DecoderLayer`s. norm: the norm that pre-norm layers need at the
            end.
        project: `nn.Linear(d_model, tgt_vocab)`, to the logits.

    Raises:
        ValueError: n_heads is below 1 or does not divide d_model.
    """

    positions: Tensor

    def __init__(
        self, src_vocab: int, tgt_vocab: int, d_model: int, n_heads: int, n_layers: int, d_ff: int, max_length: int
    ) -> None:
        super().__init__()
        self.src_embed = nn.Embedding(src_vocab, d_model)
        self.tgt_embed = nn.Embedding(tgt_vocab, d_model)
        for table in (self.src_embed, self.tgt_embed):
            nn.init.normal_(table.weight, std=d_model**-0.5)
        self.register_buffer("positions", _positions(max_length, d_model))
        self.encoder = Encoder(n_layers, d_model, n_heads, d_ff, norm_first=True)
        self.decoder = nn.ModuleList(DecoderLayer(d_model, n_heads, d_ff, norm_first=True) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model)
        self.project = nn.Linear(d_model, tgt_vocab)

    def encode(self, src: Tensor) -> Tensor:
        """Read the source: ids (b, n) to memory (b, n, d_model)."""
        return self.encoder(self._embed(self.src_embed, src), self.source_mask(src))

    def decode(self, tgt_in: Tensor, memory: Tensor, memory_mask: Tensor | None = None) -> Tensor:
        """Predict the token after each of the target's.

        Args:
            tgt_in: ids (b, m), beginning with `BOS`.
            memory: (b, n, d_model), from `encode`.
            memory_mask: boolean, broadcasts to (b, h, m, n), where the memory may be attended to; everywhere if None.

        Returns:
            logits, (b, m, tgt_vocab); those at place i depend on `tgt_in[:, : i + 1]` only.
        """
        x = self._embed(self.tgt_embed, tgt_in)  # (b, m, d_model)
        self_mask = self.target_mask(tgt_in)
        for layer in self.decoder:
            x = layer(x, memory, self_mask, memory_mask)
        return self.project(self.norm(x))  # (b, m, tgt_vocab)

    def forward(self, src: Tensor, tgt_in: Tensor) -> Tensor:
        """Return the logits (b, m, tgt_vocab) for source ids (b, n), padded with `PAD`, and target ids (b, m)."""
        return self.decode(tgt_in, self.encode(src), self.source_mask(src))

    @staticmethod
    def source_mask(src: Tensor) -> Tensor:
        """Where there is a word and no padding: boolean (b, 1, 1, n), for every head and every query."""
        return (src != PAD)[:, None, None, :]

    @staticmethod
    def target_mask(tgt_in: Tensor) -> Tensor:
        """What is written already and nothing after it: boolean (m, m).

        Padding needs no mask here: it only ever comes after.
        """
        return causal_mask(tgt_in.shape[-1]).to(tgt_in.device)

    def _embed(self, table: nn.Embedding, ids: Tensor) -> Tensor:
        return (
            math.sqrt(table.embedding_dim) * table(ids) + self.positions[: ids.shape[-1]]
        )  # (b, n) to (b, n, d_model)


def train_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, src: Tensor, tgt: Tensor, pad_id: int, bos_id: int
) -> float:
    """One step of learning with teacher forcing: predict every target token from the right ones before it.

    Args:
        model: called as `model(src, tgt_in)`; put into training mode.
        optimizer: of the model's parameters.
        src: source ids, (b, n).
        tgt: target ids with eos at their end and `pad_id` after it, (b, m).
        pad_id: targets that do not count.
        bos_id: what the decoder reads first.

    Returns:
        the loss before the step: the mean cross entropy of the targets that are no padding.
    """
    model.train()
    logits = model(src, shift_right(tgt, bos_id))  # (b, m, tgt_vocab)
    loss = cross_entropy(logits, tgt, ignore_index=pad_id)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def translate(model: Transformer, src_ids: list[int]) -> list[int]:
    """Write the target of one sentence, always taking the most probable next token.

    Args:
        model: a `Transformer`; put into evaluation mode.
        src_ids: ids of one sentence, without bos or padding.

    Returns:
        ids without bos and eos, at most `MAX_LENGTH`.
    """
    model.eval()
    device = next((p.device for p in model.parameters()), None)
    memory = model.encode(torch.tensor([src_ids], device=device))  # (1, n, d_model)

    def next_logits(ids: list[int]) -> Tensor:
        return model.decode(torch.tensor([ids], device=device), memory)[0, -1]  # (tgt_vocab,)

    return greedy_decode(next_logits, BOS, EOS, MAX_LENGTH)
