"""Right answers to unit 7 in other styles than the reference's, and further wrong ones.

RIGHT: exercise → answers that must pass. WRONG: exercise → {name the verdict must give: answer};
an empty name means that the answer must fail and no mistake may be named.
"""

import contextlib
import functools
import math
import os
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from helpers import data
from helpers.exercises.u7_transformer._transformer_mistakes import Machine, machine
from helpers.exercises.u7_transformer.DigitClassifier import _Reader, _reader
from helpers.exercises.u7_transformer.train_step import _step
from helpers.exercises.u7_transformer.translate import _writer
from helpers.reference import u7_transformer as reference
from helpers.reference.u3_positional_encoding import sinusoidal_encoding
from helpers.reference.u5_add_and_norm import Encoder
from helpers.reference.u6_masked_decoder import DecoderLayer, causal_mask, cross_entropy, greedy_decode, shift_right

BOS, EOS, PAD, MAX_LENGTH = data.BOS, data.EOS, data.PAD, data.MAX_LENGTH


# --- what stands beside the notebook while an answer is judged --------------------------------------------


@contextlib.contextmanager
def surroundings(exercise, answer):
    """Run in a folder with the trained weights that the answer needs, and with a Transformer that translates."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if exercise == "translate":
            stack.enter_context(mock.patch.object(reference, "Transformer", Transformer))
            words = torch.eye(100)[: data.TRANSLATOR["src_vocab"]].contiguous()
            save_file({"translator.words": words}, Path(folder) / data.WEIGHTS)
        elif answer in (reference.DigitClassifier, *RIGHT["DigitClassifier"], Untrained, Astray):
            save_file(
                {f"digits.{name}": value for name, value in _trained(answer).items()}, Path(folder) / data.WEIGHTS
            )
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


@functools.cache
def _trained(make):
    """Weights of a classifier after a short training."""
    steps = 0 if make is Untrained else 300
    digits = data.digits()
    images, labels = torch.tensor(digits.train_images), torch.tensor(digits.train_labels)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = make()
        optimizer = torch.optim.Adam(model.parameters())
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = 4e-3 * min(1, (step + 1) / 30, 2 * (1 - step / steps))
            chosen = torch.randint(len(labels), (64,))
            optimizer.zero_grad()
            F.cross_entropy(model(images[chosen]), labels[chosen]).backward()
            optimizer.step()
    return {
        name: value.clone().contiguous() * (math.nan if make is Astray else 1)
        for name, value in model.state_dict().items()
    }


@functools.cache
def _answers():
    """The digits' ids of every held-out number, by the ids of its words."""
    _, held = data.numbers()
    return {
        tuple(data.source_ids(number, language)): data.target_ids(number)
        for number in held
        for language in data.LANGUAGES
    }


class Transformer(nn.Module):
    """A perfect translator without any training, by which `translate` is judged here: its weights say which word an id
    is, and it knows the held-out numbers by their words."""

    def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, max_length):
        super().__init__()
        self.tgt_vocab = tgt_vocab
        self.words = nn.Parameter(torch.eye(100)[:src_vocab])

    def encode(self, src):
        return self.words[src]

    def decode(self, tgt_in, memory, memory_mask=None):
        logits = torch.zeros(*tgt_in.shape, self.tgt_vocab)
        for row, ids in enumerate(memory.argmax(dim=-1).tolist()):
            answer = _answers()[tuple(ids)]
            for place in range(tgt_in.shape[1]):
                logits[row, place, answer[min(place, len(answer) - 1)]] = 9.0
        return logits

    def forward(self, src, tgt_in):
        return self.decode(tgt_in, self.encode(src))


# --- DigitClassifier -------------------------------------------------------------------------------------


class Flattened(nn.Module):
    def __init__(self):
        super().__init__()
        self.rows = nn.Linear(8, 32)
        self.P = nn.Parameter(torch.from_numpy(sinusoidal_encoding(8, 32)).float(), requires_grad=False)
        self.encoder = Encoder(1, 32, 4, 64)
        self.out = nn.Sequential(nn.Flatten(), nn.Linear(256, 10))

    def forward(self, images):
        return self.out(self.encoder(self.rows(images) + self.P))


class WithSummaryToken(nn.Module):
    """A ninth, learned token in front, whose output is read."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 32)
        self.summary = nn.Parameter(torch.randn(1, 1, 32) * 0.1)
        self.positions = nn.Embedding(9, 32)
        self.encoder = Encoder(2, 32, 2, 64, norm_first=True)
        self.classify = nn.Linear(32, 10)

    def forward(self, images):
        x = torch.cat([self.summary.expand(len(images), -1, -1), self.embed((images - 8) / 8)], dim=1)
        return self.classify(self.encoder(x + self.positions(torch.arange(9, device=images.device)))[:, 0])


class FromTorch(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True)
        self.embed, self.encoder = nn.Linear(8, 32), nn.TransformerEncoder(layer, 2)
        self.positions = nn.Parameter(0.5 * torch.randn(8, 32))
        self.classify = nn.Linear(32, 10)

    def forward(self, images):
        return self.classify(self.encoder(self.embed(images / 16.0) + self.positions).max(dim=1).values)


class SingleHead(nn.Module):
    """Everything in one class, scaled queries, no helper of earlier units."""

    def __init__(self):
        super().__init__()
        d = 48
        self.embed = nn.Linear(8, d)
        self.positions = nn.Parameter(torch.randn(8, d))
        self.q, self.k, self.v = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)
        self.mlp = nn.Sequential(nn.Linear(d, 96), nn.GELU(), nn.Linear(96, d))
        self.norm_1, self.norm_2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.head = nn.Linear(d, 10)

    def forward(self, images):
        b, rows, _ = images.shape
        x = self.embed(images.reshape(b * rows, 8) / 16).reshape(b, rows, -1) + self.positions[None]
        y = self.norm_1(x)
        weights = torch.einsum("bid,bjd->bij", self.q(y) / math.sqrt(48), self.k(y)).softmax(-1)
        x = x + weights @ self.v(y)
        x = x + self.mlp(self.norm_2(x))
        return torch.log_softmax(self.head(x.sum(1)), dim=1)


class Untrained(reference.DigitClassifier):
    """Right code, and weights as they were at the start."""


class Astray(reference.DigitClassifier):
    """Trained until nothing is a number any more."""


# --- Transformer -----------------------------------------------------------------------------------------


class PostNorm(nn.Module):
    """As in the paper: the norm after each sum, one table for the target's embedding and the last layer."""

    def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, max_length):
        super().__init__()
        self.d_model = d_model
        self.src, self.tgt = nn.Embedding(src_vocab, d_model, padding_idx=PAD), nn.Embedding(tgt_vocab, d_model)
        self.register_buffer(
            "P", torch.tensor(sinusoidal_encoding(max_length, d_model), dtype=torch.float32), persistent=False
        )
        self.encoder = Encoder(n_layers, d_model, n_heads, d_ff)
        self.layers = nn.ModuleList([DecoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers)])
        self.out = nn.Linear(d_model, tgt_vocab)
        self.out.weight = self.tgt.weight

    def encode(self, src):
        mask = src.ne(PAD).unsqueeze(1).unsqueeze(1)
        return self.encoder(self.src(src) * self.d_model**0.5 + self.P[: src.size(1)], mask)

    def decode(self, tgt_in, memory, memory_mask=None):
        x = self.tgt(tgt_in) * self.d_model**0.5 + self.P[: tgt_in.size(1)]
        mask = causal_mask(tgt_in.size(1)).to(x.device) & (tgt_in != PAD)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, memory, mask, memory_mask)
        return self.out(x)

    def forward(self, src, tgt_in):
        return self.decode(tgt_in, self.encode(src), src.ne(PAD).unsqueeze(1).unsqueeze(1))


class TorchParts(nn.Module):
    """torch's own layers, learned positions, dropout; its masks mean the opposite."""

    def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, max_length):
        super().__init__()
        if n_heads < 1 or d_model % n_heads:
            raise ValueError("heads")
        self.src_embed, self.tgt_embed = nn.Embedding(src_vocab, d_model), nn.Embedding(tgt_vocab, d_model)
        self.src_positions, self.tgt_positions = nn.Embedding(max_length, d_model), nn.Embedding(max_length, d_model)
        self.enc = nn.ModuleList(
            nn.TransformerEncoderLayer(d_model, n_heads, d_ff, 0.1, batch_first=True) for _ in range(n_layers)
        )
        self.dec = nn.ModuleList(
            nn.TransformerDecoderLayer(d_model, n_heads, d_ff, 0.1, batch_first=True) for _ in range(n_layers)
        )
        self.out = nn.Linear(d_model, tgt_vocab, bias=False)

    def encode(self, src):
        x = self.src_embed(src) + self.src_positions(torch.arange(src.shape[1]))
        for layer in self.enc:
            x = layer(x, src_key_padding_mask=src == PAD)
        return x

    def decode(self, tgt_in, memory, memory_mask=None):
        x = self.tgt_embed(tgt_in) + self.tgt_positions(torch.arange(tgt_in.shape[1]))
        ahead = torch.ones(tgt_in.shape[1], tgt_in.shape[1]).triu(1).bool()
        hidden = None if memory_mask is None else ~memory_mask[:, 0, 0]
        for layer in self.dec:
            x = layer(x, memory, tgt_mask=ahead, memory_key_padding_mask=hidden)
        return self.out(x)

    def forward(self, src, tgt_in):
        return self.decode(tgt_in, self.encode(src), (src != PAD)[:, None, None])


class ByHand(nn.Module):
    """Without any helper: -1e9 fills, scaled queries, one matrix for q, k and v, masks kept as buffers."""

    class Attention(nn.Module):
        def __init__(self, d, h):
            super().__init__()
            self.h, self.q, self.kv, self.o = h, nn.Linear(d, d), nn.Linear(d, 2 * d), nn.Linear(d, d)

        def forward(self, x, y, allowed):
            b, n, d = x.shape
            q = self.q(x).view(b, n, self.h, -1).transpose(1, 2) * (d // self.h) ** -0.5
            k, v = (t.view(b, y.shape[1], self.h, -1).transpose(1, 2) for t in self.kv(y).chunk(2, -1))
            scores = torch.einsum("bhid,bhjd->bhij", q, k)
            if allowed is not None:
                scores = scores + (1 - allowed.float()) * -1e9
            return self.o((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, n, d))

    def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, max_length):
        super().__init__()
        if n_heads <= 0 or d_model % n_heads != 0:
            raise ValueError(f"{n_heads} heads, width {d_model}")
        mlp = lambda: nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))
        self.embed = nn.ModuleDict({"src": nn.Embedding(src_vocab, d_model), "tgt": nn.Embedding(tgt_vocab, d_model)})
        self.register_buffer("ahead", torch.ones(max_length, max_length).tril().bool()[None, None])
        self.register_buffer("P", torch.from_numpy(sinusoidal_encoding(max_length, d_model)))
        attention = lambda: self.Attention(d_model, n_heads)
        self.encoder = nn.ModuleList(
            nn.ModuleList([attention(), mlp(), nn.LayerNorm(d_model), nn.LayerNorm(d_model)]) for _ in range(n_layers)
        )
        self.decoder = nn.ModuleList(
            nn.ModuleList(
                [attention(), attention(), mlp(), nn.LayerNorm(d_model), nn.LayerNorm(d_model), nn.LayerNorm(d_model)]
            )
            for _ in range(n_layers)
        )
        self.last = nn.Linear(d_model, tgt_vocab)

    def encode(self, src):
        x = self.embed["src"](src) + self.P[: src.shape[1]].float()
        allowed = (src != 0)[:, None, None, :]
        for attend, mlp, norm_1, norm_2 in self.encoder:
            x = norm_1(x + attend(x, x, allowed))
            x = norm_2(x + mlp(x))
        return x

    def decode(self, tgt_in, memory, memory_mask=None):
        m = tgt_in.shape[1]
        x = self.embed["tgt"](tgt_in) + self.P[:m].float()
        for attend, look, mlp, norm_1, norm_2, norm_3 in self.decoder:
            x = norm_1(x + attend(x, x, self.ahead[:, :, :m, :m]))
            x = norm_2(x + look(x, memory, memory_mask))
            x = norm_3(x + mlp(x))
        return self.last(x)

    def forward(self, src, tgt_in):
        return self.decode(tgt_in, self.encode(src), (src != 0)[:, None, None, :])


class Shared(Machine):
    """One position table on each side, dropout on the embeddings, start values of its own, and the target's padding
    masked as well."""

    def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, max_length):
        super().__init__(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, max_length)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        self.learned = nn.Parameter(0.02 * torch.randn(max_length, d_model))
        self.dropout = nn.Dropout(0.1)

    def _embed(self, table, ids):
        return self.dropout(table(ids) + self.learned[: ids.shape[-1]])


def _one_table(self, table, ids):
    """Source and target with the same embedding, although there are two."""
    return math.sqrt(table.embedding_dim) * self.src_embed(ids) + self.positions[: ids.shape[-1]]


# --- train_step ------------------------------------------------------------------------------------------


def _flat(model, optimizer, src, tgt, pad_id, bos_id):
    model.train()
    optimizer.zero_grad(set_to_none=False)
    tgt_in = torch.cat([torch.full((tgt.shape[0], 1), bos_id, dtype=tgt.dtype), tgt[:, :-1]], dim=1)
    logits = model(src, tgt_in)
    loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), tgt.reshape(-1), ignore_index=pad_id)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _transposed(model, optimizer, src, tgt, pad_id, bos_id):
    model.train(True)
    tgt_in = F.pad(tgt, (1, 0), value=bos_id)[:, :-1]
    loss = nn.CrossEntropyLoss(ignore_index=pad_id)(model(src, tgt_in).transpose(1, 2), tgt)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def _spelled_out(model, optimizer, src, tgt, pad_id, bos_id):
    model.train()
    tgt_in = tgt.clone()
    tgt_in[:, 1:], tgt_in[:, 0] = tgt[:, :-1], bos_id
    log_p = model(src, tgt_in).log_softmax(-1)
    keep = (tgt != pad_id).float()
    loss = -(log_p.gather(2, tgt[..., None])[..., 0] * keep).sum() / keep.sum()
    model.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach().numpy())


def _selected(model, optimizer, src, tgt, pad_id, bos_id):
    model.train()
    keep = tgt != pad_id
    loss = F.cross_entropy(model(src, shift_right(tgt, bos_id))[keep], tgt[keep])
    for parameter in model.parameters():
        parameter.grad = None
    loss.backward()
    optimizer.step()
    return loss.tolist()


def _one_longer(model, optimizer, src, tgt, pad_id, bos_id):
    """The decoder reads the last target as well, and what it says after that is dropped."""
    model.train()
    tgt_in = torch.cat([tgt.new_full((len(tgt), 1), bos_id), tgt], dim=1)
    loss = cross_entropy(model(src, tgt_in)[:, :-1], tgt, pad_id)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _changes_targets(model, optimizer, src, tgt, pad_id, bos_id):
    value = reference.train_step(model, optimizer, src, tgt.clone(), pad_id, bos_id)
    tgt[:, 0] = bos_id
    return value


def _cleared_too_late(optimizer, loss):
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()


def _new_optimizer(model, optimizer, src, tgt, pad_id, bos_id):
    return reference.train_step(model, torch.optim.Adam(model.parameters(), lr=0.1), src, tgt, pad_id, bos_id)


def _returns_nothing(model, optimizer, src, tgt, pad_id, bos_id):
    reference.train_step(model, optimizer, src, tgt, pad_id, bos_id)


def _reads_targets_as_source(model, optimizer, src, tgt, pad_id, bos_id):
    return reference.train_step(model, optimizer, tgt, tgt, pad_id, bos_id)


# --- translate -------------------------------------------------------------------------------------------


def _grown(model, src_ids):
    model.eval()
    src, tgt = torch.tensor(src_ids).unsqueeze(0), torch.tensor([[BOS]])
    with torch.inference_mode():
        memory = model.encode(src)
        for _ in range(MAX_LENGTH):
            token = model.decode(tgt, memory)[:, -1].argmax(dim=-1, keepdim=True)
            if token.item() == EOS:
                break
            tgt = torch.cat([tgt, token], dim=1)
    return tgt[0, 1:].tolist()


def _greedy(model, src_ids):
    model.eval()
    memory = model.encode(torch.as_tensor([src_ids]))
    return greedy_decode(lambda ids: model.decode(torch.tensor([ids]), memory)[0][-1], BOS, EOS, MAX_LENGTH)


def _recursive(model, src_ids, written=(), memory=None):
    model.train(False)
    memory = model.encode(torch.tensor([src_ids])) if memory is None else memory
    logits = model.decode(torch.tensor([[BOS, *written]]), memory)[0, -1]
    token = logits.topk(1).indices[0].item()
    if token == EOS or len(written) == 8:
        return list(written)
    return _recursive(model, src_ids, (*written, token), memory)


@torch.no_grad()
def _five_digits(model, src_ids):
    """Numbers have five digits at most, so it asks no sixth time."""
    model.eval()
    memory = model.encode(torch.LongTensor(src_ids)[None])
    mask = torch.ones(1, 1, 1, len(src_ids), dtype=torch.bool)
    ids = [BOS]
    while len(ids) <= 5:
        next_id = np.argmax(model.decode(torch.tensor([ids]), memory, mask).numpy()[0, -1])
        if next_id == EOS:
            return ids[1:]
        ids.append(int(next_id))
    return ids[1:]


def _cut_afterwards(model, src_ids):
    model.eval()
    ids, memory = torch.tensor([[BOS]]), model.encode(torch.tensor([src_ids]))
    for _ in range(7):
        ids = torch.cat([ids, model.decode(ids, memory)[:, -1:].argmax(-1)], dim=1)
    ids = ids[0, 1:].tolist()
    return ids[: ids.index(EOS)] if EOS in ids else ids


def _sampled(model, src_ids):
    return _writer(pick=lambda logits: torch.multinomial(torch.softmax(logits[0, -1], -1), 1)[0])(model, src_ids)


def _as_tensor(model, src_ids):
    return torch.tensor(reference.translate(model, src_ids))


def _as_text(model, src_ids):
    return data.digits_of(reference.translate(model, src_ids))


def _words_as_batch(model, src_ids):
    model.eval()
    memory = model.encode(torch.tensor(src_ids)[:, None])
    return greedy_decode(lambda ids: model.decode(torch.tensor([ids]), memory)[0, -1], BOS, EOS, MAX_LENGTH)


def _framed_source(model, src_ids):
    return reference.translate(model, [BOS, *src_ids, EOS])


RIGHT = {
    "DigitClassifier": [Flattened, WithSummaryToken, FromTorch, SingleHead],
    "Transformer": [PostNorm, TorchParts, ByHand, Shared],
    "train_step": [_flat, _transposed, _spelled_out, _selected, _one_longer],
    "translate": [_grown, _greedy, _recursive, _five_digits, _cut_afterwards],
}

WRONG = {
    "DigitClassifier": {
        "": Untrained,
        "squeezed the batch axis away #2": _reader(
            forward=lambda self, images: torch.squeeze(_Reader.forward(self, images))
        ),
        "the order of the rows changes nothing": _reader(
            forward=lambda self, images: self.classify(
                self.encoder(self.embed(images.mean(dim=1, keepdim=True) / 16)).mean(dim=1)
            )
        ),
        "changes its input in place": _reader(
            forward=lambda self, images: _Reader.forward(self, images.div_(16).mul_(16).sub_(1))
        ),
        "has a part that learns nothing": _reader(
            forward=lambda self, images: self.classify(self.encoder(self.tokens(images)).mean(dim=1).detach())
        ),
        " #2": _reader(forward=lambda self, images: _Reader.forward(self, images) / 0),
        " #3": Astray,
    },
    "Transformer": {
        "the encoder sees the padding #2": machine(
            encode=lambda self, src: self.encoder(self._embed(self.src_embed, src)), memory_mask=lambda self, src: None
        ),
        "has a part that learns nothing": machine(
            forward=lambda self, src, tgt_in: self.decode(tgt_in, self.encode(src).detach(), self.source_mask(src))
        ),
        "has a part that learns nothing #2": machine(_embed=_one_table),
        "cuts the gradient": machine(
            forward=lambda self, src, tgt_in: self.decode(
                tgt_in.clone(), self.encode(src), self.source_mask(src)
            ).detach()
        ),
        "": machine(
            decode=lambda self, tgt_in, memory, memory_mask=None: reference.Transformer.decode(
                self, tgt_in, memory, memory_mask
            )[:, -1]
        ),
        " #2": machine(
            encode=lambda self, src: self.encoder(self._embed(self.src_embed, src), (src != PAD)[:, None, None]).mean(
                dim=1
            )
        ),
    },
    "train_step": {
        "the parameters do not change": _step(update=lambda optimizer, loss: None),
        "the parameters do not change #2": _step(update=lambda optimizer, loss: loss.backward()),
        "the parameters do not change #3": _step(update=_cleared_too_late),
        "changes its input in place": _changes_targets,
        "returns nothing": _returns_nothing,
        "": _new_optimizer,
        " #2": _reads_targets_as_source,
    },
    "translate": {
        "asked for the first token again and again": _writer(pick=lambda logits: logits[0, 0].argmax()),
        "": _sampled,
        " #2": _as_tensor,
        " #3": _as_text,
        " #4": _words_as_batch,
        " #5": _framed_source,
        "returns nothing": lambda model, src_ids: None,
    },
}
