"""Answers to units 6 to 8 that the rulings decide: exercise → name → source text."""

from .numpy_units import MASKS, NARROW


def _functions(name: str) -> dict[str, str]:
    """Attention with another mask, for a function that takes the mask last."""
    return {
        wrong: f"""
def {name}(Q, K, V, mask=None):
    return right(Q, K, V, mask if mask is None else {mask})
"""
        for wrong, mask in MASKS.items()
        # Where the axis before the queries is not the heads', three axes are three axes.
        if wrong != "takes three axes of a mask for sentences" or name == "grouped_query_attention"
    }


def _of_decoder(which: str) -> dict[str, str]:
    return {
        f"{which}: {wrong}": f"""
class DecoderLayer(right):
    def forward(self, x, memory, self_mask=None, memory_mask=None):
        mask = {which}
        {which} = mask if mask is None else {mask}
        return super().forward(x, memory, self_mask, memory_mask)
"""
        for wrong, mask in MASKS.items()
    }


WRONG = {
    "causal_mask": {
        "takes 0 keys for none given": """
def causal_mask(n_queries, n_keys=None):
    return right(n_queries, n_keys or n_queries)
""",
        "has at most 1000 keys": """
def causal_mask(n_queries, n_keys=None):
    mask = right(n_queries, n_keys)
    mask[:, 1000:] = False
    return mask
""",
    },
    "padding_mask": {
        "has at most 1000 keys": """
def padding_mask(lengths, n_keys):
    return right(lengths, n_keys) & (torch.arange(n_keys) < 1000)
""",
    },
    "masked_attention": _functions("masked_attention"),
    "grouped_query_attention": _functions("grouped_query_attention"),
    "cross_entropy": {
        "gives a new zero where everything is ignored": """
def cross_entropy(logits, targets, ignore_index=-100):
    return right(logits, targets, ignore_index) if (targets != ignore_index).any() else torch.tensor(0.0)
""",
        "gives the number 0 where everything is ignored": """
def cross_entropy(logits, targets, ignore_index=-100):
    return right(logits, targets, ignore_index) if (targets != ignore_index).any() else 0.0
""",
        "looks the ignored up where they are above all words": """
def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    surprise = -logits.log_softmax(-1).gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return (surprise * keep).sum() / keep.sum().clamp(min=1)
""",
        "ignores every negative target and no other": """
def cross_entropy(logits, targets, ignore_index=-100):
    return right(logits, targets.masked_fill(targets < 0, -100))
""",
    },
    "greedy_decode": {
        "stops at bos": """
def greedy_decode(next_logits, bos_id, eos_id, max_length):
    written = right(next_logits, bos_id, eos_id, max_length)
    return written[: written.index(bos_id)] if bos_id in written else written
""",
        "writes at most 20 words": """
def greedy_decode(next_logits, bos_id, eos_id, max_length):
    return right(next_logits, bos_id, eos_id, min(max_length, 20))
""",
    },
    "DecoderLayer": {
        **_of_decoder("self_mask"),
        **_of_decoder("memory_mask"),
        "clamps the feed-forward network at 6": NARROW
        + """
class DecoderLayer(right):
    def __init__(self, d_model, n_heads, d_ff, norm_first=False):
        super().__init__(d_model, n_heads, d_ff, norm_first)
        self.feed_forward = Narrow(d_model, d_ff)
""",
        "a word that sees no word gets NaN": """
class DecoderLayer(right):
    def forward(self, x, memory, self_mask=None, memory_mask=None):
        x = super().forward(x, memory, self_mask, memory_mask)
        return x if self_mask is None else x + torch.where(self_mask.any(-1).all(), 0.0, math.nan)
""",
    },
    "DigitClassifier": {
        "makes its encoder in forward": """
class DigitClassifier(right):
    def forward(self, images):
        self.encoder = Encoder(2, 32, 4, 64, norm_first=True)
        return super().forward(images)
""",
    },
    "Transformer": {
        "makes its encoder in encode": """
class Transformer(right):
    def encode(self, src):
        self.encoder = Encoder(2, 8, 2, 12, norm_first=True)
        return super().encode(src)
""",
        "takes the memory's mask of the first sentence for all": """
class Transformer(right):
    def decode(self, tgt_in, memory, memory_mask=None):
        return super().decode(tgt_in, memory, memory_mask if memory_mask is None else memory_mask[:1])
""",
        "keeps the positions of the first 1024": """
class Transformer(right):
    def __init__(self, *args):
        super().__init__(*args)
        self.positions = self.positions[:1024]
""",
        "keeps the memory of the first source": """
class Transformer(right):
    def encode(self, src):
        self.kept = getattr(self, "kept", {})
        if tuple(src.shape) not in self.kept:
            self.kept[tuple(src.shape)] = super().encode(src)
        return self.kept[tuple(src.shape)]
""",
    },
    "train_step": {
        "returns a tensor": """
def train_step(model, optimizer, src, tgt, pad_id, bos_id):
    return torch.tensor(right(model, optimizer, src, tgt, pad_id, bos_id))
""",
        "returns an array": """
def train_step(model, optimizer, src, tgt, pad_id, bos_id):
    return np.array(right(model, optimizer, src, tgt, pad_id, bos_id))
""",
    },
    "translate": {
        "encodes before it turns to evaluation": """
def translate(model, src_ids):
    memory = model.encode(torch.tensor([src_ids]))
    model.eval()
    return greedy_decode(lambda ids: model.decode(torch.tensor([ids]), memory)[0, -1], 1, 2, 16)
""",
        "encodes at every step": """
def translate(model, src_ids):
    model.eval()
    src = torch.tensor([src_ids])
    return greedy_decode(lambda ids: model.decode(torch.tensor([ids]), model.encode(src))[0, -1], 1, 2, 16)
""",
        "calls the whole model at every step": """
def translate(model, src_ids):
    model.eval()
    src = torch.tensor([src_ids])
    return greedy_decode(lambda ids: model(src, torch.tensor([ids]))[0, -1], 1, 2, 16)
""",
    },
    "apply_rotary": {
        "has a table of 1024 positions": """
def apply_rotary(x, positions, base=10000.0):
    return right(x, positions.clamp(max=1023), base)
""",
        "counts the positions itself": """
def apply_rotary(x, positions, base=10000.0):
    return right(x, torch.arange(len(positions)), base)
""",
    },
    "cached_attention_step": {
        **{
            f"keeps the last {most} tokens": f"""
def cached_attention_step(q, k, v, cache):
    if cache is not None:
        cache = tuple(x[..., -{most - 1}:, :] for x in cache)
    return right(q, k, v, cache)
"""
            for most in (32, 1024)
        },
        "puts the new key first": """
def cached_attention_step(q, k, v, cache):
    output, (K, V) = right(q, k, v, cache)
    return output, (K.roll(1, -2), V.roll(1, -2))
""",
        "calls torch's attention": """
def cached_attention_step(q, k, v, cache):
    K, V = (k.clone(), v.clone()) if cache is None else (torch.cat(pair, -2) for pair in zip(cache, (k, v)))
    return F.scaled_dot_product_attention(q, K, V), (K, V)
""",
    },
    "online_softmax_attention": {
        "takes blocks of queries and holds whole rows": """
def online_softmax_attention(Q, K, V, block_size):
    if block_size < 1:
        raise ValueError("block_size")
    blocks = Q.split(block_size, dim=-2)
    return torch.cat([torch.softmax(q @ K.mT / Q.shape[-1] ** 0.5, -1) @ V for q in blocks], dim=-2)
""",
        "keeps the scores of every block": """
def online_softmax_attention(Q, K, V, block_size):
    if block_size < 1:
        raise ValueError("block_size")
    scores = [Q @ k.mT / Q.shape[-1] ** 0.5 for k in K.split(block_size, dim=-2)]
    largest = torch.stack([s.amax(-1, keepdim=True) for s in scores]).amax(0)
    total = sum(torch.exp(s - largest).sum(-1, keepdim=True) for s in scores)
    return sum(torch.exp(s - largest) @ v for s, v in zip(scores, V.split(block_size, dim=-2))) / total
""",
    },
}

_LSE = "torch.exp(scores - torch.logsumexp(scores, -1, keepdim=True))"

RIGHT = {
    "masked_attention": {
        "subtracts a log-sum-exp": f"""
def masked_attention(Q, K, V, mask):
    scores = (Q @ K.mT / math.sqrt(Q.shape[-1])).masked_fill(~mask, -1e30)
    weights = {_LSE} * mask
    return weights @ V, weights
""",
    },
    "grouped_query_attention": {
        "subtracts a log-sum-exp": f"""
def grouped_query_attention(Q, K, V, mask=None):
    h, h_kv = Q.shape[-3], K.shape[-3]
    if h % h_kv:
        raise ValueError("the heads do not divide")
    K, V = (x.repeat_interleave(h // h_kv, -3) for x in (K, V))
    scores = Q @ K.mT / math.sqrt(Q.shape[-1])
    mask = torch.ones(1, 1, dtype=torch.bool) if mask is None else mask
    scores = scores.masked_fill(~mask, -1e30)
    return ({_LSE} * mask) @ V
""",
    },
    "cached_attention_step": {
        "subtracts a log-sum-exp": f"""
def cached_attention_step(q, k, v, cache):
    K, V = (k.clone(), v.clone()) if cache is None else (torch.cat(pair, -2) for pair in zip(cache, (k, v)))
    scores = q @ K.mT / math.sqrt(q.shape[-1])
    return {_LSE} @ V, (K, V)
""",
    },
    "online_softmax_attention": {
        "carries a log-sum-exp": """
def online_softmax_attention(Q, K, V, block_size):
    if block_size < 1:
        raise ValueError("block_size")
    level = output = None
    for k, v in zip(K.split(block_size, dim=-2), V.split(block_size, dim=-2)):
        scores = Q @ k.mT / math.sqrt(Q.shape[-1])
        here = torch.logsumexp(scores, -1, keepdim=True)
        part = torch.exp(scores - here) @ v
        if level is None:
            level, output = here, part
        else:
            new = torch.logaddexp(level, here)
            level, output = new, torch.exp(level - new) * output + torch.exp(here - new) * part
    return output
""",
    },
    "cross_entropy": {
        "subtracts a log-sum-exp": """
def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    place = torch.where(keep, targets, 0).unsqueeze(-1)
    surprise = torch.logsumexp(logits, -1) - logits.gather(-1, place).squeeze(-1)
    return torch.where(keep, surprise, 0).sum() / keep.sum().clamp(min=1)
""",
    },
    "greedy_decode": {
        "takes every bos out": """
def greedy_decode(next_logits, bos_id, eos_id, max_length):
    return [token for token in right(next_logits, bos_id, eos_id, max_length) if token != bos_id]
""",
        "never chooses bos": """
def greedy_decode(next_logits, bos_id, eos_id, max_length):
    def logits(ids):
        found = next_logits(ids).clone()
        found[bos_id] = -math.inf
        return found
    return right(logits, bos_id, eos_id, max_length)
""",
    },
    "Transformer": {
        "stands on nn.Transformer": """
class Transformer(nn.Module):
    def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, max_length):
        super().__init__()
        self.src, self.tgt = nn.Embedding(src_vocab, d_model), nn.Embedding(tgt_vocab, d_model)
        self.register_buffer("table", torch.from_numpy(sinusoidal_encoding(max_length, d_model)).float())
        self.body = nn.Transformer(d_model, n_heads, n_layers, n_layers, d_ff, dropout=0.0, batch_first=True)
        self.out = nn.Linear(d_model, tgt_vocab)

    def _tokens(self, embedding, ids):
        return embedding(ids) * self.table.shape[1] ** 0.5 + self.table[: ids.shape[1]]

    def encode(self, src):
        return self.body.encoder(self._tokens(self.src, src), src_key_padding_mask=src == 0)

    def decode(self, tgt_in, memory, memory_mask=None):
        m = tgt_in.shape[1]
        later = torch.ones(m, m, dtype=torch.bool).triu(1)
        hidden = None if memory_mask is None else ~memory_mask[:, 0, 0]
        x = self._tokens(self.tgt, tgt_in)
        return self.out(self.body.decoder(x, memory, tgt_mask=later, memory_key_padding_mask=hidden))

    def forward(self, src, tgt_in):
        return self.decode(tgt_in, self.encode(src), (src != 0)[:, None, None, :])
""",
    },
}
