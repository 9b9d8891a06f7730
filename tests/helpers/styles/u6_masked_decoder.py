"""Right answers to unit 6 in other styles than the reference's, and further wrong ones.

RIGHT: exercise → functions that must pass. WRONG: exercise → {name the verdict must give: function};
an empty name means that the answer must fail and no mistake may be named.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers.reference.u4_multi_head import MultiHeadAttention
from helpers.reference.u5_add_and_norm import FeedForward, LayerNorm
from helpers.reference.u6_masked_decoder import DecoderLayer as Reference
from helpers.reference.u6_masked_decoder import greedy_decode, masked_attention, padding_mask

# --- causal_mask


def _causal_positions(n_queries, n_keys=None):
    if n_keys is None:
        n_keys = n_queries
    if n_queries > n_keys:
        raise ValueError("more queries than keys")
    i = torch.arange(n_keys - n_queries, n_keys)[:, None]
    return torch.arange(n_keys)[None, :] <= i


def _causal_crop(n_queries, n_keys=None):
    n_keys = n_queries if n_keys is None else n_keys
    if n_queries > n_keys:
        raise ValueError
    return torch.tril(torch.ones(n_keys, n_keys)).bool()[n_keys - n_queries :]


def _causal_loops(n_queries, n_keys=None):
    n_keys = n_queries if n_keys is None else n_keys
    if n_keys < n_queries:
        raise ValueError(f"{n_queries} > {n_keys}")
    mask = torch.zeros((n_queries, n_keys), dtype=torch.bool)
    for i in range(n_queries):
        mask[i, : n_keys - n_queries + i + 1] = True
    return mask


def _causal_not_triu(n_queries, n_keys=None):
    n_keys = n_queries if n_keys is None else n_keys
    assert_fits = n_keys - n_queries
    if assert_fits < 0:
        raise ValueError
    return ~torch.triu(torch.ones(n_queries, n_keys, dtype=torch.bool), diagonal=assert_fits + 1)


def _causal_from_numpy(n_queries, n_keys=None):
    n_keys = n_queries if n_keys is None else n_keys
    if n_keys < n_queries:
        raise ValueError
    return torch.from_numpy(np.tri(n_queries, n_keys, n_keys - n_queries, dtype=bool))


def _causal_numpy(n_queries, n_keys=None):
    return _causal_from_numpy(n_queries, n_keys).numpy()


_buffer = torch.zeros(4000, dtype=torch.bool)


def _causal_shared(n_queries, n_keys=None):
    mask = _causal_positions(n_queries, n_keys)
    return torch.logical_and(mask, mask, out=_buffer[: mask.numel()].view(mask.shape))


# --- padding_mask


def _padding_loops(lengths, n_keys):
    mask = torch.zeros(len(lengths), 1, 1, n_keys, dtype=torch.bool)
    for b, length in enumerate(lengths.tolist()):
        if not 0 <= length <= n_keys:
            raise ValueError(f"length {length}")
        mask[b, :, :, :length] = True
    return mask


def _padding_view(lengths, n_keys):
    if lengths.min() < 0 or lengths.max() > n_keys:
        raise ValueError("lengths")
    return (torch.arange(n_keys).unsqueeze(0) < lengths.unsqueeze(1)).view(-1, 1, 1, n_keys)


def _padding_stack(lengths, n_keys):
    if torch.any(lengths > n_keys) or torch.any(lengths < 0):
        raise ValueError("lengths")
    rows = [torch.tensor([True] * int(n) + [False] * (n_keys - int(n))) for n in lengths]
    return torch.stack(rows)[:, None, None, :]


def _padding_not(lengths, n_keys):
    if (lengths > n_keys).any() or (lengths < 0).any():
        raise ValueError("lengths")
    is_padding = torch.arange(n_keys).expand(len(lengths), n_keys) >= lengths.reshape(-1, 1)
    return torch.logical_not(is_padding).reshape(len(lengths), 1, 1, n_keys)


def _padding_counts_down(lengths, n_keys):
    if (lengths > n_keys).any() or (lengths < 0).any():
        raise ValueError("lengths")
    lengths -= 1
    return torch.arange(n_keys) <= lengths[:, None, None, None]


# --- masked_attention


def _masked_inf(Q, K, V, mask):
    scores = (Q @ K.mT) / Q.size(-1) ** 0.5
    scores = scores.masked_fill(mask == 0, float("-inf"))
    weights = torch.nan_to_num(torch.softmax(scores, dim=-1))
    return weights @ V, weights


def _masked_1e9(Q, K, V, mask):
    scores = torch.matmul(Q, K.transpose(-1, -2)) / np.sqrt(K.shape[-1])
    weights = F.softmax(torch.where(mask, scores, -1e9), dim=-1) * mask.any(dim=-1, keepdim=True)
    return torch.matmul(weights, V), weights


def _masked_scaled_queries(Q, K, V, mask):
    scores = torch.einsum("...qd,...kd->...qk", Q * Q.shape[-1] ** -0.5, K)
    scores = scores + torch.zeros_like(scores).masked_fill(~mask, torch.finfo(scores.dtype).min / 2)
    weights = torch.softmax(scores, -1).masked_fill(~mask, 0)
    return torch.einsum("...qk,...kd->...qd", weights, V), weights


def _masked_by_hand(Q, K, V, mask):
    d_k = Q.shape[-1]
    scores = (Q / d_k**0.25) @ (K / d_k**0.25).transpose(-2, -1)
    scores.masked_fill_(~mask, -torch.inf)
    top = scores.amax(-1, keepdim=True)
    top = torch.where(torch.isinf(top), torch.zeros_like(top), top)
    e = torch.exp(scores - top)
    total = e.sum(-1, keepdim=True)
    weights = e / torch.where(total == 0, torch.ones_like(total), total)
    return [weights @ V, weights]


def _masked_rows(Q, K, V, mask):
    """Row by row and only over the visible keys."""
    batch = torch.broadcast_shapes(Q.shape[:-2], K.shape[:-2], mask.shape[:-2])
    n_q, n_k = Q.shape[-2], K.shape[-2]
    Q, K, V = (X.expand(*batch, *X.shape[-2:]) for X in (Q, K, V))
    mask = mask.expand(*batch, n_q, n_k)
    weights = torch.zeros(*batch, n_q, n_k)
    for index in np.ndindex(*batch, n_q):
        visible = mask[index].nonzero().flatten()
        if len(visible):
            scores = K[index[:-1]][visible] @ Q[index] / math.sqrt(Q.shape[-1])
            weights[index] = weights[index].index_put((visible,), scores.softmax(0))
    return weights @ V, weights


def _masked_double(Q, K, V, mask):
    output, weights = masked_attention(Q.double(), K.double(), V.double(), mask)
    return output.float(), weights.float()


def _sdpa(Q, K, V, mask):
    output = F.scaled_dot_product_attention(Q, K, V, attn_mask=mask)
    return output, masked_attention(Q, K, V, mask)[1]


def _masked_detached(Q, K, V, mask):
    output, weights = masked_attention(Q, K, V, mask)
    return output.detach(), weights.detach()


def _masked_in_place(Q, K, V, mask):
    mask ^= True
    return masked_attention(Q, K, V, ~mask)


def _masked_half(Q, K, V, mask):
    output, weights = masked_attention(Q.half(), K.half(), V.half(), mask)
    return output.float(), weights.float()


def _masked_empty_anywhere(Q, K, V, mask):
    """Zeroes everything as soon as one row is empty."""
    output, weights = masked_attention(Q, K, V, mask)
    whole = mask.any(-1).all()
    return output * whole, weights * whole


# --- shift_right


def _shift_assign(targets, bos_id):
    result = torch.empty_like(targets)
    result[..., 0] = bos_id
    result[..., 1:] = targets[..., :-1]
    return result


def _shift_rolled(targets, bos_id):
    result = torch.roll(targets, shifts=1, dims=-1)
    result[..., 0] = bos_id
    return result


def _shift_pad(targets, bos_id):
    return F.pad(targets[..., :-1], (1, 0), value=bos_id)


def _shift_lists(targets, bos_id):
    if targets.ndim == 1:
        return torch.tensor([bos_id] + targets.tolist()[:-1])
    return torch.stack([_shift_lists(row, bos_id) for row in targets])


def _shift_full(targets, bos_id):
    return torch.cat((torch.full((*targets.shape[:-1], 1), bos_id, dtype=targets.dtype), targets[..., :-1]), dim=-1)


def _shift_in_place(targets, bos_id):
    targets[..., 1:] = targets[..., :-1].clone()
    targets[..., 0] = bos_id
    return targets.clone()


# --- cross_entropy


def _loss_flat(logits, targets, ignore_index=-100):
    log_p = torch.log_softmax(logits.reshape(-1, logits.shape[-1]), dim=-1)
    targets = targets.reshape(-1)
    keep = targets != ignore_index
    if not keep.any():
        return logits.sum() * 0
    return -log_p[keep, targets[keep]].mean()


def _loss_logsumexp(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    right = logits.gather(-1, torch.where(keep, targets, 0)[..., None])[..., 0]
    surprise = (torch.logsumexp(logits, -1) - right) * keep
    return surprise.sum() / max(int(keep.sum()), 1)


def _loss_one_hot(logits, targets, ignore_index=-100):
    kept = targets != ignore_index
    keep, one_hot = kept.float(), F.one_hot(targets.where(kept, 0), logits.shape[-1])
    surprise = -(one_hot * F.log_softmax(logits, dim=-1)).sum(-1)
    return (surprise * keep).sum() / torch.clamp(keep.sum(), min=1.0)


def _loss_loops(logits, targets, ignore_index=-100):
    kept = []
    for row, target in zip(logits.flatten(0, -2), targets.flatten().tolist()):
        if target != ignore_index:
            kept.append(row.sub(row.max()).exp().sum().log() + row.max() - row[target])
    return sum(kept) / len(kept) if kept else 0.0 * logits.sum()


def _loss_distribution(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    if keep.sum() == 0:
        return 0.0 * logits.sum()
    return -torch.distributions.Categorical(logits=logits[keep]).log_prob(targets[keep]).mean()


def _loss_by_hand(logits, targets, ignore_index=-100):
    shifted = logits - logits.max(dim=-1, keepdim=True).values
    log_p = shifted - shifted.exp().sum(-1, keepdim=True).log()
    keep = targets != ignore_index
    picked = torch.take_along_dim(log_p, targets.where(keep, 0).unsqueeze(-1), dim=-1).squeeze(-1)
    return -torch.where(keep, picked, 0.0).sum() / (keep.sum() + (keep.sum() == 0))


def _loss_ready_made(logits, targets, ignore_index=-100):
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=ignore_index)


def _loss_nll(logits, targets, ignore_index=-100):
    return nn.NLLLoss(ignore_index=ignore_index)(torch.log_softmax(logits.flatten(0, -2), -1), targets.flatten())


def _loss_item(logits, targets, ignore_index=-100):
    return torch.tensor(_loss_by_hand(logits, targets, ignore_index).item())


def _loss_clamped(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    p = torch.softmax(logits, -1).clamp(min=1e-12).gather(-1, targets.where(keep, 0)[..., None])[..., 0]
    return -(p.log() * keep).sum() / keep.sum().clamp(min=1)


def _loss_index(logits, targets, ignore_index=-100):
    """As most people write it first, without a thought of what is ignored."""
    log_p = torch.log_softmax(logits, -1).flatten(0, -2)
    return -log_p[torch.arange(targets.numel()), targets.flatten()].mean()


def _loss_each(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    return -torch.log_softmax(logits, -1).gather(-1, targets.masked_fill(~keep, 0)[..., None])[..., 0] * keep


# --- DecoderLayer


class _Plain(nn.Module):
    """As most people write it, with branches and torch's norm."""

    def __init__(self, d_model, n_heads, d_ff, norm_first=False):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm_1 = nn.LayerNorm(d_model)
        self.norm_2 = nn.LayerNorm(d_model)
        self.norm_3 = nn.LayerNorm(d_model)
        self.norm_first = norm_first

    def forward(self, x, memory, self_mask=None, memory_mask=None):
        if self.norm_first:
            normed = self.norm_1(x)
            x = x + self.self_attention(normed, normed, normed, self_mask)[0]
            x = x + self.cross_attention(self.norm_2(x), memory, memory, memory_mask)[0]
            return x + self.feed_forward(self.norm_3(x))
        attended, _ = self.self_attention(x, x, x, mask=self_mask)
        x = self.norm_1(x + attended)
        attended, _ = self.cross_attention(query=x, key=memory, value=memory, mask=memory_mask)
        x = self.norm_2(x + attended)
        return self.norm_3(x + self.feed_forward(x))


class _OwnNorm(_Plain):
    """With the course's layer norm, and a dropout that drops nothing."""

    def __init__(self, d_model, n_heads, d_ff, norm_first=False):
        super().__init__(d_model, n_heads, d_ff, norm_first)
        self.norm_1, self.norm_2, self.norm_3 = (LayerNorm(d_model) for _ in range(3))
        self.dropout = nn.Dropout(0.0)

    def forward(self, x, memory, self_mask=None, memory_mask=None):
        return self.dropout(super().forward(x, memory, self_mask, memory_mask))


class _OwnAttention(nn.Module):
    """Multi-head attention written with a loop over the heads and -∞."""

    def __init__(self, d_model, n_heads):
        super().__init__()
        if n_heads < 1 or d_model % n_heads:
            raise ValueError("heads")
        self.n_heads = n_heads
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(self, query, key, value, mask=None):
        heads = []
        for h, (Q, K, V) in enumerate(
            zip(*(W(x).chunk(self.n_heads, -1) for W, x in ((self.W_q, query), (self.W_k, key), (self.W_v, value))))
        ):
            scores = Q @ K.mT / Q.shape[-1] ** 0.5
            if mask is not None:
                own = mask if mask.ndim < 3 else mask[..., min(h, mask.shape[-3] - 1), :, :]
                scores = scores.masked_fill(~own, -math.inf)
            heads.append(torch.nan_to_num(scores.softmax(-1)) @ V)
        return self.W_o(torch.cat(heads, -1)), None


class _OwnFeedForward(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)

    def forward(self, x):
        return self.linear_2(torch.relu(self.linear_1(x)))


class _Own(_Plain):
    def __init__(self, d_model, n_heads, d_ff, norm_first=False):
        super().__init__(d_model, n_heads, d_ff, norm_first)
        self.self_attention, self.cross_attention = _OwnAttention(d_model, n_heads), _OwnAttention(d_model, n_heads)
        self.feed_forward = _OwnFeedForward(d_model, d_ff)


class _Sublayers(_Plain):
    def _sublayer(self, x, norm, function):
        if self.norm_first:
            return x + function(norm(x))
        return norm(x + function(x))

    def forward(self, x, memory, self_mask=None, memory_mask=None):
        x = self._sublayer(x, self.norm_1, lambda q: self.self_attention(q, q, q, self_mask)[0])
        x = self._sublayer(x, self.norm_2, lambda q: self.cross_attention(q, memory, memory, memory_mask)[0])
        return self._sublayer(x, self.norm_3, self.feed_forward)


class _InPlaceSums(_Plain):
    """In-place sums on its own copies."""

    def forward(self, x, memory, self_mask=None, memory_mask=None):
        x = x.clone()
        first = self.norm_first
        y = self.norm_1(x) if first else x
        x = x + self.self_attention(y, y, y, self_mask)[0]
        x = x if first else self.norm_1(x)
        y = self.norm_2(x) if first else x
        x = x.add(self.cross_attention(y, memory, memory, memory_mask)[0])
        x = x if first else self.norm_2(x)
        x = x + self.feed_forward(self.norm_3(x) if first else x)
        return x if first else self.norm_3(x)


class _Dropout(Reference):
    def forward(self, *args, **kwargs):
        return nn.functional.dropout(super().forward(*args, **kwargs), 0.1, self.training)


class _DetachedMemory(Reference):
    def forward(self, x, memory, self_mask=None, memory_mask=None):
        return super().forward(x, memory.detach(), self_mask, memory_mask)


class _NeedsMasks(Reference):
    def forward(self, x, memory, self_mask=None, memory_mask=None):
        return super().forward(x, memory, self_mask.bool(), memory_mask.bool())


class _InPlace(Reference):
    def forward(self, x, memory, self_mask=None, memory_mask=None):
        result = super().forward(x, memory, self_mask, memory_mask)
        with torch.no_grad():
            memory += 1
        return result


class _NoBias(Reference):
    def __init__(self, d_model, n_heads, d_ff, norm_first=False):
        super().__init__(d_model, n_heads, d_ff, norm_first)
        self.cross_attention = MultiHeadAttention(d_model, n_heads, bias=False)


class _OtherNames(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, norm_first=False):
        super().__init__()
        self.attention_1 = MultiHeadAttention(d_model, n_heads)


class _NormAtTheEnd(Reference):
    def forward(self, x, memory, self_mask=None, memory_mask=None):
        x = super().forward(x, memory, self_mask, memory_mask)
        return self.norm_3(x) if self.norm_first else x


# --- greedy_decode


def _greedy_for(next_logits, bos_id, eos_id, max_length):
    ids = [bos_id]
    for _ in range(max_length):
        token = next_logits(ids).argmax().item()
        if token == eos_id:
            break
        ids.append(token)
    return ids[1:]


def _greedy_numpy(next_logits, bos_id, eos_id, max_length):
    out = []
    while len(out) < max_length and (token := int(np.argmax(np.asarray(next_logits([bos_id] + out))))) != eos_id:
        out.append(token)
    return out


def _greedy_max(next_logits, bos_id, eos_id, max_length):
    ids = [bos_id]
    while len(ids) <= max_length:
        logits = next_logits(ids)
        best = max(range(len(logits)), key=lambda i: logits[i])
        if best == eos_id:
            return ids[1:]
        ids = ids + [best]
    return ids[1:]


def _greedy_recursive(next_logits, bos_id, eos_id, max_length):
    def more(ids):
        if len(ids) > max_length:
            return ids
        token = int(torch.softmax(next_logits(ids), dim=-1).max(dim=-1).indices)
        return ids if token == eos_id else more([*ids, token])

    return more([bos_id])[1:]


def _greedy_cut(next_logits, bos_id, eos_id, max_length):
    """Writes on to the end and cuts at the first eos: wasteful, and right."""
    ids = [bos_id]
    while len(ids) - 1 < max_length:
        ids.append(int(torch.max(next_logits(ids), dim=0).indices))
    written = ids[1:]
    return written[: written.index(eos_id)] if eos_id in written else written


def _greedy_sampled(next_logits, bos_id, eos_id, max_length):
    return greedy_decode(lambda ids: next_logits(ids) + torch.randn(9) * 20, bos_id, eos_id, max_length)


def _greedy_tensor(next_logits, bos_id, eos_id, max_length):
    return torch.tensor(greedy_decode(next_logits, bos_id, eos_id, max_length), dtype=torch.long)


def _greedy_passes_tensor(next_logits, bos_id, eos_id, max_length):
    return greedy_decode(lambda ids: next_logits(torch.tensor(ids)), bos_id, eos_id, max_length)


def _greedy_prints_steps(next_logits, bos_id, eos_id, max_length):
    return greedy_decode(next_logits, bos_id, eos_id, min(max_length, 2))


def _greedy_largest_logit(next_logits, bos_id, eos_id, max_length):
    """Takes the logit itself for an id."""
    ids = [bos_id]
    for _ in range(max_length):
        token = int(next_logits(ids).max())
        if token == eos_id:
            break
        ids.append(token)
    return ids[1:]


RIGHT = {
    "causal_mask": [_causal_positions, _causal_crop, _causal_loops, _causal_not_triu, _causal_from_numpy],
    "padding_mask": [_padding_loops, _padding_view, _padding_stack, _padding_not],
    "masked_attention": [
        _masked_inf,
        _masked_1e9,
        _masked_scaled_queries,
        _masked_by_hand,
        _masked_rows,
        _masked_double,
    ],
    "shift_right": [_shift_assign, _shift_rolled, _shift_pad, _shift_lists, _shift_full],
    "cross_entropy": [_loss_flat, _loss_logsumexp, _loss_one_hot, _loss_loops, _loss_distribution, _loss_by_hand],
    "DecoderLayer": [_Plain, _OwnNorm, _Own, _Sublayers, _InPlaceSums],
    "greedy_decode": [_greedy_for, _greedy_numpy, _greedy_max, _greedy_recursive, _greedy_cut],
}

WRONG = {
    "causal_mask": {
        "reuses one array for every call": _causal_shared,
        "returns a NumPy array, not a tensor": _causal_numpy,
        "returns nothing": lambda n_queries, n_keys=None: None,
        "returns a list, not an array": lambda n_queries, n_keys=None: _causal_loops(n_queries, n_keys).tolist(),
    },
    "padding_mask": {
        "changes its input in place": _padding_counts_down,
        "returns a NumPy array, not a tensor": lambda lengths, n_keys: padding_mask(lengths, n_keys).numpy(),
    },
    "masked_attention": {
        "calls a ready-made function": _sdpa,
        "cuts the gradient": _masked_detached,
        "changes its input in place": _masked_in_place,
        "": _masked_half,
        " #2": _masked_empty_anywhere,
        " #3": lambda Q, K, V, mask: masked_attention(Q, K, V, mask)[0],
    },
    "shift_right": {
        "changes its input in place": _shift_in_place,
        "": lambda targets, bos_id: torch.cat([torch.full_like(targets[:, :1], bos_id), targets[:, :-1]], 1),
        "returns a list, not an array": lambda targets, bos_id: _shift_lists(targets, bos_id).tolist(),
    },
    "cross_entropy": {
        "calls a ready-made function": _loss_ready_made,
        "calls a ready-made function #2": _loss_nll,
        "cuts the gradient": _loss_item,
        "kept the probabilities above a small number, added or as a floor: no surprise can be large any more": (
            _loss_clamped
        ),
        "": _loss_each,
        # The error names the index; where there is no target of -100 it goes on, and counts what is to be ignored.
        " #2": _loss_index,
    },
    "DecoderLayer": {
        "": _Dropout,
        " #2": _NeedsMasks,
        " #3": _NoBias,
        " #4": _OtherNames,
        "pre-norm: normalised once more at the end": _NormAtTheEnd,
        "cuts the gradient": _DetachedMemory,
        "changes its input in place": _InPlace,
    },
    "greedy_decode": {
        "": _greedy_sampled,
        " #2": _greedy_tensor,
        " #3": _greedy_passes_tensor,
        " #4": _greedy_prints_steps,
        "took the largest logit for the id, not its place": _greedy_largest_logit,
    },
}
