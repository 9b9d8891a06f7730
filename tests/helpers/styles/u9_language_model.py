"""Right answers to unit 9 in other styles than the reference's, and further wrong ones.

RIGHT: exercise → answers that must pass. WRONG: exercise → {name the verdict must give: answer};
an empty name means that the answer must fail and no mistake may be named.
"""

import contextlib
import functools
import math
import os
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from helpers import data, text
from helpers.exercises.u9_language_model.generate import _writer
from helpers.exercises.u9_language_model.next_probabilities import _sampler
from helpers.reference import u9_language_model as reference
from helpers.reference.u6_masked_decoder import causal_mask

# --- what stands beside the notebook while an answer is judged --------------------------------------------


@contextlib.contextmanager
def surroundings(exercise, answer):
    """Run in a folder with the trained weights that the answer needs."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        if exercise == "LanguageModel" and answer in (reference.LanguageModel, *RIGHT["LanguageModel"], Untrained):
            weights = (
                _trained() if answer is not Untrained else reference.LanguageModel(**text.LANGUAGE_MODEL).state_dict()
            )
            save_file(
                {f"language_model.{name}": value.contiguous() for name, value in weights.items()},
                Path(folder) / data.WEIGHTS,
            )
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


@functools.cache
def _trained():
    """Weights after a short training, enough to pass. They fit every right style: all have the same names."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = reference.LanguageModel(**text.LANGUAGE_MODEL)
        optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.98))
        rng, steps = np.random.default_rng(0), 280
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = 6e-3 * min(1, (step + 1) / 28, 2 * (1 - step / steps))
            inputs, targets = map(torch.from_numpy, text.windows(rng, 16))
            loss = F.cross_entropy(model(inputs)[0].flatten(0, 1), targets.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.state_dict()


class Untrained(reference.LanguageModel):
    """A right class, with a file of start values."""


# --- GatedFeedForward ------------------------------------------------------------------------------------


class _Linears(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.gate = nn.Linear(d_model, d_ff, bias=False)
        self.up = nn.Linear(d_model, d_ff, bias=False)
        self.down = nn.Linear(d_ff, d_model, bias=False)


class ByModule(_Linears):
    def __init__(self, d_model, d_ff):
        super().__init__(d_model, d_ff)
        self.act = nn.SiLU()

    def forward(self, x):
        return self.down(self.act(self.gate(x)).mul(self.up(x)))


class ByHand(_Linears):
    def forward(self, x):
        g = self.gate(x)
        return self.down(g / (1 + torch.exp(-g)) * self.up(x))


class ByMatrices(_Linears):
    def forward(self, x):
        g = torch.einsum("...d,fd->...f", x, self.gate.weight)
        u = torch.einsum("...d,fd->...f", x, self.up.weight)
        return (g * torch.sigmoid(g) * u) @ self.down.weight.T


class InDouble(_Linears):
    def forward(self, x):
        y = x.double()
        g = F.linear(y, self.gate.weight.double())
        return F.linear(F.silu(g) * F.linear(y, self.up.weight.double()), self.down.weight.double())


class Dropped(_Linears):
    """Throws dice in training mode."""

    def forward(self, x):
        return self.down(F.dropout(F.silu(self.gate(x)) * self.up(x), 0.5, self.training))


class GateOnItself(_Linears):
    def forward(self, x):
        g = F.silu(self.gate(x))
        return self.down(g * g)


# --- sliding_window_mask ---------------------------------------------------------------------------------


def _asked(n_queries, n_keys, window):
    if window < 1:
        raise ValueError("window")
    if n_queries > n_keys:
        raise ValueError("queries")


def _by_positions(n_queries, n_keys, window):
    _asked(n_queries, n_keys, window)
    i = torch.arange(n_queries)[:, None] + (n_keys - n_queries)
    j = torch.arange(n_keys)[None, :]
    return (j <= i) & (i - j < window)


def _by_triangles(n_queries, n_keys, window):
    if window <= 0:
        raise ValueError("window")
    causal = causal_mask(n_queries, n_keys)
    return causal & ~torch.tril(torch.ones_like(causal), n_keys - n_queries - window)


def _by_loops(n_queries, n_keys, window):
    _asked(n_queries, n_keys, window)
    mask = torch.zeros(n_queries, n_keys, dtype=torch.bool)
    for row in range(n_queries):
        here = n_keys - n_queries + row
        mask[row, max(0, here - window + 1) : here + 1] = True
    return mask


def _from_the_square(n_queries, n_keys, window):
    _asked(n_queries, n_keys, window)
    apart = torch.arange(n_keys).unsqueeze(1) - torch.arange(n_keys).unsqueeze(0)
    return torch.logical_and(apart >= 0, apart <= window - 1)[n_keys - n_queries :].clone()


# --- DecoderBlock ----------------------------------------------------------------------------------------


class Norm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))

    def forward(self, x):
        return self.weight * x / torch.sqrt(torch.mean(x**2, dim=-1, keepdim=True) + 1e-6)


def _checked(d_model, n_heads, n_kv_heads):
    if n_heads < 1 or n_kv_heads < 1 or d_model % n_heads != 0 or n_heads % n_kv_heads != 0:
        raise ValueError(f"{d_model} {n_heads} {n_kv_heads}")


def _complex(x, positions):
    d = x.shape[-1]
    angles = torch.outer(positions.float(), 1.0 / (10000.0 ** (torch.arange(0, d, 2).float() / d)))
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], d // 2, 2))
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


class _Layers(nn.Module):
    def __init__(self, d_model, n_heads, n_kv_heads):
        super().__init__()
        _checked(d_model, n_heads, n_kv_heads)
        self.h, self.kv, self.d = n_heads, n_kv_heads, d_model // n_heads
        self.W_q = nn.Linear(d_model, d_model, bias=False)
        self.W_k = nn.Linear(d_model, n_kv_heads * self.d, bias=False)
        self.W_v = nn.Linear(d_model, n_kv_heads * self.d, bias=False)
        self.W_o = nn.Linear(d_model, d_model, bias=False)


class ComplexAndExpand(_Layers):
    """Rotary by complex numbers, heads shared by `expand`, masked_fill with -inf."""

    def forward(self, x, positions, mask=None, cache=None):
        *lead, n, _ = x.shape
        q = _complex(self.W_q(x).view(*lead, n, self.h, self.d).transpose(-2, -3), positions)
        k = _complex(self.W_k(x).view(*lead, n, self.kv, self.d).transpose(-2, -3), positions)
        v = self.W_v(x).view(*lead, n, self.kv, self.d).transpose(-2, -3)
        if cache is not None:
            k, v = torch.cat((cache[0], k), dim=-2), torch.cat((cache[1], v), dim=-2)

        def shared(y):
            return y.unsqueeze(-3).expand(*lead, self.kv, self.h // self.kv, *y.shape[-2:]).flatten(-4, -3)

        scores = q @ shared(k).transpose(-1, -2) / math.sqrt(self.d)
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        out = scores.softmax(-1) @ shared(v)
        return self.W_o(out.transpose(-2, -3).reshape(*lead, n, self.h * self.d)), (k, v)


class TorchsOwn(_Layers):
    """torch's attention, told to share heads by repeat_interleave; rotation by a partner vector."""

    def turn(self, x, positions):
        theta = 10000.0 ** (-torch.arange(0, self.d, 2) / self.d)
        angles = (positions[:, None] * theta).repeat_interleave(2, dim=-1)
        partner = torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).reshape(x.shape)
        return x * angles.cos() + partner * angles.sin()

    def forward(self, x, positions, mask=None, cache=None):
        heads = [layer(x).unflatten(-1, (-1, self.d)).transpose(-3, -2) for layer in (self.W_q, self.W_k, self.W_v)]
        q, k, v = self.turn(heads[0], positions), self.turn(heads[1], positions), heads[2]
        if cache:
            k, v = torch.cat([cache[0], k], -2), torch.cat([cache[1], v], -2)
        wide = (y.repeat_interleave(self.h // self.kv, dim=-3) for y in (k, v))
        out = F.scaled_dot_product_attention(q, *wide, attn_mask=mask)
        return self.W_o(out.transpose(-3, -2).flatten(-2)), (k, v)


class GroupAxis(_Layers):
    """An axis for the groups in the scores, torch.where with a very negative number, float64."""

    def forward(self, x, positions, mask=None, cache=None):
        from helpers.reference.u8_modern_attention import apply_rotary

        y = x.double()
        *lead, n, _ = x.shape
        q = F.linear(y, self.W_q.weight.double()).reshape(*lead, n, self.h, self.d).movedim(-3, -2)
        k = F.linear(y, self.W_k.weight.double()).reshape(*lead, n, self.kv, self.d).movedim(-3, -2)
        v = F.linear(y, self.W_v.weight.double()).reshape(*lead, n, self.kv, self.d).movedim(-3, -2)
        q, k = apply_rotary(q, positions), apply_rotary(k, positions)
        if cache is not None:
            k = torch.cat([cache[0].double(), k], dim=-2)
            v = torch.cat([cache[1].double(), v], dim=-2)
        grouped = q.reshape(*lead, self.kv, self.h // self.kv, n, self.d)
        scores = torch.einsum("...gqd,...kd->...gqk", grouped, k) / self.d**0.5
        if mask is not None:
            full = mask.expand(*lead, self.h, n, k.shape[-2]).reshape(scores.shape)
            scores = torch.where(full, scores, torch.finfo(scores.dtype).min)
        out = torch.einsum("...gqk,...kd->...gqd", scores.softmax(-1), v).reshape(*lead, self.h, n, self.d)
        merged = out.movedim(-3, -2).reshape(*lead, n, -1)
        return F.linear(merged, self.W_o.weight.double()).to(x.dtype), (k, v)


class HeadByHead(_Layers):
    """A loop over the heads."""

    def forward(self, x, positions, mask=None, cache=None):
        from helpers.reference.u8_modern_attention import apply_rotary

        n = x.shape[-2]
        K, V, outputs = [], [], []
        for j in range(self.kv):
            part = slice(j * self.d, (j + 1) * self.d)
            k, v = apply_rotary(self.W_k(x)[..., part], positions), self.W_v(x)[..., part]
            if cache is not None:
                k, v = torch.cat([cache[0][..., j, :, :], k], -2), torch.cat([cache[1][..., j, :, :], v], -2)
            K.append(k)
            V.append(v)
        if mask is not None:
            mask = torch.broadcast_to(mask, (*x.shape[:-2], self.h, n, K[0].shape[-2]))
        for i in range(self.h):
            j = i // (self.h // self.kv)
            q = apply_rotary(self.W_q(x)[..., i * self.d : (i + 1) * self.d], positions)
            scores = q @ K[j].mT / self.d**0.5
            if mask is not None:
                scores = scores + torch.where(mask[..., i, :, :], 0.0, -1e9)
            outputs.append(torch.softmax(scores, -1) @ V[j])
        return self.W_o(torch.cat(outputs, -1)), (torch.stack(K, -3), torch.stack(V, -3))


def _block_of(attention, norm=Norm, feed=ByHand, name="DecoderBlock"):
    """A block of its own, with this attention."""

    class Block(nn.Module):
        def __init__(self, d_model, n_heads, n_kv_heads, d_ff):
            super().__init__()
            self.norm_1, self.norm_2 = norm(d_model), norm(d_model)
            self.attention = attention(d_model, n_heads, n_kv_heads)
            self.feed_forward = feed(d_model, d_ff)

        def forward(self, x, positions, mask=None, cache=None):
            y, cache = self.attention(self.norm_1(x), positions, mask, cache)
            x = x + y
            return x + self.feed_forward(self.norm_2(x)), cache

    Block.__name__ = name
    return Block


class AllInOne(nn.Module):
    """Holds its layers in a bare container and does everything in its own forward."""

    def __init__(self, d_model, n_heads, n_kv_heads, d_ff):
        super().__init__()
        self.norm_1, self.norm_2 = Norm(d_model), Norm(d_model)
        self.attention = _Layers(d_model, n_heads, n_kv_heads)
        self.feed_forward = ByModule(d_model, d_ff)

    def forward(self, x, positions, mask=None, cache=None):
        from helpers.reference.u8_modern_attention import apply_rotary, grouped_query_attention

        a, y = self.attention, self.norm_1(x)

        def heads(z, count):
            return z.reshape(*z.shape[:-1], count, a.d).transpose(-2, -3)

        q = apply_rotary(heads(a.W_q(y), a.h), positions)
        k = apply_rotary(heads(a.W_k(y), a.kv), positions)
        v = heads(a.W_v(y), a.kv)
        if cache is not None:
            past_k, past_v = cache
            k, v = torch.cat([past_k, k], dim=-2), torch.cat([past_v, v], dim=-2)
        out = grouped_query_attention(q, k, v, mask)
        x = x + a.W_o(out.transpose(-2, -3).flatten(start_dim=-2))
        return x + self.feed_forward(self.norm_2(x)), (k, v)


class DroppedBlock(reference.DecoderBlock):
    def forward(self, x, positions, mask=None, cache=None):
        x, cache = super().forward(x, positions, mask, cache)
        return F.dropout(x, 0.3, self.training), cache


class ShortTable(reference.DecoderBlock):
    """Has looked up angles for 1,024 positions and no more."""

    def forward(self, x, positions, mask=None, cache=None):
        return super().forward(x, torch.arange(1024)[positions], mask, cache)


# --- LanguageModel ---------------------------------------------------------------------------------------


def _model_of(block, norm=Norm):
    """A model of its own around these blocks."""

    class Model(nn.Module):
        def __init__(self, vocab, d_model, n_layers, n_heads, n_kv_heads, d_ff):
            super().__init__()
            self.embedding = nn.Embedding(vocab, d_model)
            self.layers = nn.ModuleList([block(d_model, n_heads, n_kv_heads, d_ff) for _ in range(n_layers)])
            self.norm = norm(d_model)
            self.head = nn.Linear(d_model, vocab, bias=False)

        def forward(self, ids, cache=None):
            t = cache[0][0].shape[-2] if cache else 0
            n = ids.shape[-1]
            positions = torch.arange(t, t + n)
            mask = torch.arange(t + n)[None, :] <= positions[:, None]
            x, new = self.embedding(ids), []
            for layer, old in zip(self.layers, cache or [None] * len(self.layers)):
                x, pair = layer(x, positions, mask, old)
                new.append(pair)
            return self.head(self.norm(x)), tuple(new)

    return Model


class CountsInTheCache(_model_of(_block_of(ComplexAndExpand))):
    """Its cache is a dict with a counter and the pairs of the layers by number."""

    def forward(self, ids, cache=None):
        cache = {"seen": 0} if cache is None else cache
        seen, n = cache["seen"], ids.size(-1)
        positions = seen + torch.arange(n)
        x, new = self.embedding(ids), {"seen": seen + n}
        for i, layer in enumerate(self.layers):
            x, new[i] = layer(x, positions, causal_mask(n, seen + n), cache.get(i))
        return self.head(self.norm(x)), new


class Memory:
    """A cache of one's own."""

    def __init__(self, pairs, length):
        self.pairs, self.length = pairs, length


class OwnCache(_model_of(_block_of(TorchsOwn))):
    def forward(self, ids, cache=None):
        t, n = (0, ids.shape[1]) if cache is None else (cache.length, ids.shape[1])
        x, pairs = self.embedding.weight[ids], []
        for i, layer in enumerate(self.layers):
            x, pair = layer(
                x, torch.arange(t, t + n), causal_mask(n, t + n), cache.pairs[i] if cache is not None else None
            )
            pairs += [pair]
        return self.norm(x) @ self.head.weight.T, Memory(pairs, t + n)


class NoMaskForOne(reference.LanguageModel):
    """A single new token may see everything, so it needs no mask."""

    def forward(self, ids, cache=None):
        t, n = 0 if cache is None else cache[0][1].size(2), ids.size(1)
        mask = None if n == 1 else causal_mask(n, t + n)
        x, new = self.embedding(ids), []
        for i, layer in enumerate(self.layers):
            x, pair = layer(x, torch.arange(n) + t, mask, None if cache is None else cache[i])
            new.append(pair)
        return self.head(self.norm(x)), new


class DroppedModel(reference.LanguageModel):
    def forward(self, ids, cache=None):
        logits, cache = super().forward(ids, cache)
        return F.dropout(logits, 0.3, self.training), cache


# --- next_probabilities ----------------------------------------------------------------------------------


def _good(temperature, top_k, top_p):
    if temperature < 0 or (top_k is not None and top_k <= 0) or (top_p is not None and (top_p <= 0 or top_p > 1)):
        raise ValueError("bad values")


def _with_infinities(logits, temperature=1.0, top_k=None, top_p=None):
    """As published code does it: what goes gets the logit -inf."""
    _good(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.float().argmax(dim=-1), logits.shape[-1]).float()
    logits = logits / temperature
    if top_k is not None:
        kth = torch.topk(logits, min(top_k, logits.size(-1))).values[..., -1, None]
        logits = logits.masked_fill(logits < kth, -math.inf)
    if top_p is not None:
        ordered, places = torch.sort(logits, descending=True)
        total = ordered.softmax(dim=-1).cumsum(dim=-1)
        remove = total > top_p
        remove[..., 1:] = remove[..., :-1].clone()
        remove[..., 0] = False
        logits = logits.masked_fill(remove.scatter(-1, places, remove), -math.inf)
    return logits.softmax(dim=-1)


def _by_ranks(logits, temperature=1.0, top_k=None, top_p=None):
    """Ranks and sums looked up for each token in its own place."""
    _good(temperature, top_k, top_p)
    x = logits.double()
    if temperature == 0:
        first = x.max(dim=-1, keepdim=True).values == x
        ids = torch.arange(x.shape[-1]).expand_as(x)
        place = torch.where(first, ids, x.shape[-1]).min(dim=-1, keepdim=True).values
        return (ids == place).double()
    p = torch.softmax(x / temperature, -1)
    ranks = (-p).argsort(dim=-1, stable=True).argsort(dim=-1)
    if top_k is not None:
        p = p * (ranks < top_k)
        p = p / p.sum(-1, keepdim=True)
    if top_p is not None:
        better = ranks[..., None, :] < ranks[..., :, None]
        before = (better * p[..., None, :]).sum(-1)
        p = torch.where(before < top_p, p, 0.0)
        p = p / p.sum(-1, keepdim=True)
    return p


def _row_by_row(logits, temperature=1.0, top_k=None, top_p=None):
    """A loop over the rows, with Python's own sorting."""
    _good(temperature, top_k, top_p)
    rows = []
    for row in logits.reshape(-1, logits.shape[-1]).float():
        if temperature == 0:
            best = max(range(len(row)), key=lambda i, row=row: float(row[i]))
            rows.append(torch.eye(len(row))[best])
            continue
        p = torch.softmax(row / temperature, 0)
        order = sorted(range(len(p)), key=lambda i, p=p: -float(p[i]))
        order = order if top_k is None else order[:top_k]
        total, share, kept = sum(float(p[i]) for i in order), 0.0, []
        for i in order:
            if top_p is not None and share >= top_p:
                break
            kept.append(i)
            share += float(p[i]) / total
        mask = torch.zeros(len(p))
        mask[kept] = 1.0
        rows.append(p * mask / (p * mask).sum())
    return torch.stack(rows).reshape(logits.shape)


def _by_topk(logits, temperature=1.0, top_k=None, top_p=None):
    _good(temperature, top_k, top_p)
    logits = logits.to(torch.float64)
    if temperature == 0:
        top_k, top_p, temperature = 1, None, 1.0
    k = logits.shape[-1] if top_k is None else min(top_k, logits.shape[-1])
    values, places = torch.sort(logits / temperature, dim=-1, descending=True, stable=True)
    p = F.softmax(values[..., :k], dim=-1)
    if top_p is not None:
        p = p * (F.pad(p.cumsum(-1), (1, 0))[..., :-1] < top_p)
        p = p / p.sum(-1, keepdim=True)
    return torch.zeros_like(logits).scatter(-1, places[..., :k], p)


# --- generate --------------------------------------------------------------------------------------------


@torch.no_grad()
def _in_a_for_loop(model, ids, n_new, choose):
    model.eval()
    written = []
    x, cache = torch.tensor(ids)[None], None
    for _ in range(n_new):
        logits, cache = model(x, cache)
        token = int(choose(logits[0, -1].softmax(0)))
        written.append(token)
        x = torch.tensor([[token]])
    return written


def _one_pass_too_many(model, ids, n_new, choose):
    """Reads the last token too, whose answer nobody wants; let go."""
    with torch.inference_mode():
        model.train(False)
        logits, cache = model(torch.as_tensor(ids).unsqueeze(0))
        out = []
        while len(out) < n_new:
            probabilities = torch.softmax(logits[:, -1].squeeze(0), dim=-1)
            out.append(choose(probabilities))
            logits, cache = model(torch.tensor([[out[-1]]]), cache=cache)
        return out


def _recursive(model, ids, n_new, choose, cache=None):
    if n_new == 0:
        return []
    model.eval()
    with torch.no_grad():
        logits, cache = model(torch.LongTensor([ids]), cache)
    new = int(choose(torch.exp(torch.log_softmax(logits[0][-1], dim=-1))))
    return [new, *_recursive(model, [new], n_new - 1, choose, cache)]


def _with_device(model, ids, n_new, choose):
    where = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            cache, waiting, answer = None, list(ids), []
            for _ in range(n_new):
                logits, cache = model(torch.tensor([waiting], device=where), cache)
                waiting = [int(choose(reference.next_probabilities(logits[0, -1, :], temperature=1.0)))]
                answer += waiting
            return answer
    finally:
        model.train(was_training)


RIGHT = {
    "GatedFeedForward": [ByModule, ByHand, ByMatrices, InDouble],
    "sliding_window_mask": [_by_positions, _by_triangles, _by_loops, _from_the_square],
    "DecoderBlock": [
        _block_of(ComplexAndExpand),
        _block_of(TorchsOwn, feed=ByMatrices),
        _block_of(GroupAxis),
        _block_of(HeadByHead, feed=ByModule),
        AllInOne,
    ],
    "LanguageModel": [
        _model_of(_block_of(ComplexAndExpand)),
        _model_of(AllInOne),
        CountsInTheCache,
        OwnCache,
        NoMaskForOne,
    ],
    "next_probabilities": [_with_infinities, _by_ranks, _row_by_row, _by_topk],
    "generate": [_in_a_for_loop, _one_pass_too_many, _recursive, _with_device],
}


def _half(x):
    return x.half().float()


WRONG = {
    "GatedFeedForward": {"": Dropped, " #gate twice": GateOnItself},
    "sliding_window_mask": {
        "": lambda n_queries, n_keys, window: causal_mask(n_queries, n_keys) & (torch.arange(n_keys) > 0)
    },
    "DecoderBlock": {"": DroppedBlock, " #short table": ShortTable},
    "LanguageModel": {"": DroppedModel, " #untrained": Untrained},
    "next_probabilities": {
        "": _sampler(finish=lambda p: p / p.amax(-1, keepdim=True)),
        " #float16": lambda *args, **named: _half(reference.next_probabilities(*args, **named)),
    },
    "generate": {"": _writer(give=lambda ids, new: new[::-1])},
}
