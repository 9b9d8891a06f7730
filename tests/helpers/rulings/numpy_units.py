"""Answers to units 1 to 5 that the rulings decide: exercise → name → source text."""

# Each exchanges the mask for another one before the right answer sees it.
MASKS = {
    "takes the mask of the first head for all": "mask[..., :1, :, :] if mask.ndim > 2 else mask",
    "takes the mask of the first sentence for all": "mask[:1] if mask.ndim > 3 else mask",
    "takes the mask of the first query for all": "mask[..., :1, :]",
    "takes the mask of the first key for all": "mask[..., :1]",
    "takes three axes of a mask for sentences": "mask.unsqueeze(1) if mask.ndim == 3 else mask",
    "hides what is hidden from any head": "mask.all(-3, keepdim=True) if mask.ndim > 2 else mask",
}


def _with_masks(name: str, arguments: str) -> dict[str, str]:
    return {
        wrong: f"""
class {name}(right):
    def forward(self, {arguments}, mask=None):
        return super().forward({arguments}, mask if mask is None else {mask})
"""
        for wrong, mask in MASKS.items()
    }


NARROW = """
class Narrow(FeedForward):
    def forward(self, x):
        return self.linear_2(self.linear_1(x).clamp(0, 6))
"""

WRONG = {
    "scores_for_query": {
        "stretches a width of 1": "def scores_for_query(q, K): return (np.asarray(K, float) * q).sum(-1)",
        "stretches a width of 1, by einsum": "def scores_for_query(q, K): return np.einsum('d,nd->n', q, K)",
        "works in whole numbers where q is whole": """
def scores_for_query(q, K):
    result = np.zeros(len(K), dtype=q.dtype)
    for j in range(len(K)):
        result[j] = right(q, K[j : j + 1])[0]
    return result
""",
    },
    "attention_scores": {
        "stretches a width of 1": """
def attention_scores(Q, K):
    return (np.asarray(Q, float)[..., :, None, :] * K[..., None, :, :]).sum(-1)
""",
        "drops the axis of a single query": "def attention_scores(Q, K): return np.squeeze(right(Q, K))",
    },
    "attention_scores_columns": {
        "stretches a height of 1": """
def attention_scores_columns(Q, K):
    return (np.asarray(K, float)[:, :, None] * Q[:, None, :]).sum(0)
""",
    },
    "cosine_similarity": {
        "calls torch's, whose name another library shares": """
def cosine_similarity(X):
    X = torch.tensor(np.asarray(X, float))
    return F.cosine_similarity(X[..., :, None, :], X[..., None, :, :], dim=-1).numpy()
""",
    },
    "softmax": {
        "calls SciPy's, whose name torch shares": """
def softmax(x, axis=-1):
    with np.errstate(all="ignore"):
        return np.nan_to_num(scipy.special.softmax(np.asarray(x, float), axis=axis))
""",
        "calls SciPy's log_softmax": """
def softmax(x, axis=-1):
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.exp(scipy.special.log_softmax(np.asarray(x, float), axis=axis)))
""",
        "calls torch's": """
def softmax(x, axis=-1):
    return torch.nan_to_num(torch.softmax(torch.tensor(np.asarray(x, float)), axis)).numpy()
""",
    },
    "score_variance": {
        "draws entries of +1 and -1": """
def score_variance(d_k, n_pairs, seed):
    q, k = np.random.default_rng(seed).choice([-1.0, 1.0], size=(2, n_pairs, d_k))
    return float(np.var((q * k).sum(-1)))
""",
        "draws one pair too few": """
def score_variance(d_k, n_pairs, seed):
    q, k = np.random.default_rng(seed).normal(size=(2, n_pairs - 1, d_k))
    return float(np.var((q * k).sum(-1)))
""",
    },
    "additive_scores": {
        "leaves out what v has no number for": """
def additive_scores(Q, K, W_q, W_k, v):
    a, b = np.asarray(Q) @ W_q, np.asarray(K) @ W_k
    return sum(v[h] * np.tanh(np.add.outer(a[:, h], b[:, h])) for h in range(len(v)))
""",
        "cuts to the common hidden width": """
def additive_scores(Q, K, W_q, W_k, v):
    h = min(W_q.shape[1], W_k.shape[1], len(v))
    return right(Q, K, W_q[:, :h], W_k[:, :h], v[:h])
""",
        "checks v against the queries alone": """
def additive_scores(Q, K, W_q, W_k, v):
    if W_q.shape[1] != len(v):
        raise ValueError("v does not fit")
    return right(Q, K, W_q, W_k[:, : len(v)], v)
""",
    },
    "encoding_by_hand": {
        "returns a torch tensor": "def encoding_by_hand(): return torch.from_numpy(right())",
    },
    "sinusoidal_encoding": {
        "has 1000 positions": """
def sinusoidal_encoding(n_positions, d_model):
    table = right(1000, d_model)
    return table[np.minimum(np.arange(n_positions), 999)].copy()
""",
        "begins again after 512 positions": """
def sinusoidal_encoding(n_positions, d_model):
    return right(512, d_model)[np.arange(n_positions) % 512]
""",
    },
    "frequencies": {
        "has at most 256 pairs": "def frequencies(d_model): return right(min(d_model, 512))",
    },
    "add_positions": {
        "has at most 1000 positions": """
def add_positions(X, P):
    right(X, P)
    return right(X, P[np.minimum(np.arange(len(P)), 999)])
""",
    },
    "shift_matrix": {
        "fits it to 100 positions": """
def shift_matrix(offset, d_model):
    n, k = 100, abs(offset)
    table = sinusoidal_encoding(n + k, d_model)
    here, there = (table[:n], table[k:]) if offset >= 0 else (table[k:], table[:n])
    return np.linalg.lstsq(here, there, rcond=None)[0].T
""",
        "fits it to 1000 positions": """
def shift_matrix(offset, d_model):
    n, k = 1000, abs(offset)
    table = sinusoidal_encoding(n + k, d_model)
    here, there = (table[:n], table[k:]) if offset >= 0 else (table[k:], table[:n])
    return np.linalg.lstsq(here, there, rcond=None)[0].T
""",
        "goes at most 1000 steps": "def shift_matrix(offset, d_model): return right(min(offset, 1000), d_model)",
    },
    "count_parameters": {
        "gives a whole float": """
def count_parameters(d_model, n_heads, bias):
    return float(right(d_model, n_heads, bias))
""",
        "divides with /": """
def count_parameters(d_model, n_heads, bias):
    return 4 * n_heads * (d_model * d_model / n_heads) + 4 * d_model * bias
""",
    },
    "MultiHeadAttention": {
        **_with_masks("MultiHeadAttention", "query, key, value"),
        "keeps the first mask": """
class MultiHeadAttention(right):
    def forward(self, query, key, value, mask=None):
        self.kept = getattr(self, "kept", mask)
        fits = mask is not None and self.kept.shape == mask.shape
        return super().forward(query, key, value, self.kept if fits else mask)
""",
        "keeps the first keys": """
class MultiHeadAttention(right):
    def forward(self, query, key, value, mask=None):
        self.kept = getattr(self, "kept", {})
        key = self.kept.setdefault(tuple(key.shape), key)
        return super().forward(query, key, value, mask)
""",
        "drops weights in training mode": """
class MultiHeadAttention(right):
    def forward(self, query, key, value, mask=None):
        output, weights = super().forward(query, key, value, mask)
        return F.dropout(output, 0.1, self.training), weights
""",
    },
    "LayerNorm": {
        "keeps a mean of the tokens seen in training mode": """
class LayerNorm(right):
    def forward(self, x):
        self.seen = x.detach().mean(0) if self.training else getattr(self, "seen", 0.0)
        return super().forward(x - self.seen)
""",
        "takes the mean of the first tokens for all": """
class LayerNorm(right):
    def forward(self, x):
        self.width = getattr(self, "width", x.std().detach())
        return super().forward(x) * x.std() / self.width
""",
    },
    "FeedForward": {
        "clamps at 6": """
class FeedForward(right):
    def forward(self, x):
        return self.linear_2(self.linear_1(x).clamp(0, 6))
""",
    },
    "EncoderLayer": {
        **_with_masks("EncoderLayer", "x"),
        "clamps the feed-forward network at 6": NARROW
        + """
class EncoderLayer(right):
    def __init__(self, d_model, n_heads, d_ff, norm_first=False):
        super().__init__(d_model, n_heads, d_ff, norm_first)
        self.feed_forward = Narrow(d_model, d_ff)
""",
        "forgets the mask in training mode": """
class EncoderLayer(right):
    def forward(self, x, mask=None):
        return super().forward(x, None if self.training else mask)
""",
    },
    "Encoder": {
        **_with_masks("Encoder", "x"),
        "keeps the first mask": """
class Encoder(right):
    def forward(self, x, mask=None):
        self.kept = getattr(self, "kept", mask)
        fits = mask is not None and self.kept.shape == mask.shape
        return super().forward(x, self.kept if fits else mask)
""",
    },
}

RIGHT = {
    "scores_for_query": {
        "by einsum, after a look at the widths": """
def scores_for_query(q, K):
    if len(q) != K.shape[1]:
        raise ValueError("one width is needed")
    return np.einsum("d,nd->n", q, K)
""",
    },
    "softmax": {
        "subtracts a log-sum-exp": """
def softmax(x, axis=-1):
    x = np.asarray(x, float)
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.exp(x - np.logaddexp.reduce(x, axis=axis, keepdims=True)))
""",
    },
    "count_parameters": {
        "gives an integer of NumPy's": """
def count_parameters(d_model, n_heads, bias):
    return np.int64(4 * d_model * d_model + 4 * d_model * bias)
""",
    },
    "MultiHeadAttention": {
        "subtracts a log-sum-exp": """
class MultiHeadAttention(right):
    def forward(self, query, key, value, mask=None):
        q, k, v = (
            layer(x).unflatten(-1, (self.n_heads, -1)).transpose(-2, -3)
            for layer, x in ((self.W_q, query), (self.W_k, key), (self.W_v, value))
        )
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -1e30)
        weights = torch.exp(scores - torch.logsumexp(scores, -1, keepdim=True))
        if mask is not None:
            weights = weights * mask
        return self.W_o((weights @ v).transpose(-2, -3).flatten(-2)), weights
""",
    },
}
