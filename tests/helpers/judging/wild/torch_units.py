"""Wrong answers to units 5 to 8."""

from . import Wild

FALSE_ONCE = [
    Wild(
        "Encoder",
        """
        class EncoderLayer(nn.Module):
            def __init__(self, d_model, n_heads, d_ff, norm_first=False):
                super().__init__()
                self.self_attention = MultiHeadAttention(d_model, n_heads)
                self.feed_forward = FeedForward(d_model, d_ff)
                self.norm_1 = nn.LayerNorm(d_model)
                self.norm_2 = nn.LayerNorm(d_model)

            def forward(self, x, mask=None):
                x = self.norm_1(x + self.self_attention(x, x, x, mask)[0])
                return self.norm_2(x + self.feed_forward(x))

        class Encoder(nn.Module):
            def __init__(self, n_layers, d_model, n_heads, d_ff, norm_first=False):
                super().__init__()
                self.layers = nn.ModuleList([EncoderLayer(d_model, n_heads, d_ff, norm_first) for _ in range(n_layers)])
                self.norm = nn.LayerNorm(d_model) if norm_first else None

            def forward(self, x, mask=None):
                for layer in self.layers:
                    x = layer(x, mask)
                return x if self.norm is None else self.norm(x)
        """,
        "your code calls `EncoderLayer`",
        ("norm_first is not handed",),
        reference=("MultiHeadAttention", "FeedForward"),
    ),
    Wild(
        "add_and_norm",
        """
        def layer_norm(x, gamma, beta, eps=1e-5):
            x = np.asarray(x, dtype=float)
            mean = x.mean(axis=-1, keepdims=True)
            return gamma * (x - mean) / np.sqrt(x.var(axis=-1, keepdims=True, ddof=1) + eps) + beta

        def add_and_norm(x, sublayer_output, gamma, beta, eps=1e-5):
            x, sublayer_output = np.asarray(x), np.asarray(sublayer_output)
            if x.shape != sublayer_output.shape:
                raise ValueError("shapes")
            return layer_norm(x + sublayer_output, gamma, beta, eps)
        """,
        "your code calls `layer_norm`",
    ),
    Wild(
        "masked_attention",
        """
        def masked_attention(Q, K, V, mask):
            scores = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])
            limited = torch.full_like(scores, float("-inf"))
            limited[mask] = scores[mask]
            weights = torch.softmax(limited, dim=-1)
            weights = torch.nan_to_num(weights)
            return weights @ V, weights
        """,
        None,
        ("number of batch axes",),
    ),
    Wild(
        "greedy_decode",
        """
        def greedy_decode(next_logits, bos_id, eos_id, max_length):
            ids = [bos_id]
            while len(ids) - 1 < max_length:
                token = int(torch.argmax(next_logits(ids)))
                ids.append(token)
                if token == eos_id:
                    break
            return ids[1:-1]
        """,
        None,
        ("counted bos as a word",),
    ),
    Wild(
        "greedy_decode",
        """
        def greedy_decode(next_logits, bos_id, eos_id, max_length):
            ids = [bos_id]
            out = []
            while len(out) < max_length:
                token = int(torch.argmax(next_logits(ids)))
                if token == eos_id:
                    break
                out.append(token)
                ids = list(out)
            return out
        """,
        None,
        ("last id alone",),
    ),
    Wild(
        "apply_rotary",
        """
        def apply_rotary(x, positions, base=10000.0):
            d = x.shape[-1]
            if d % 2:
                raise ValueError("odd")
            positions = positions - positions[0]
            speeds = base ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
            angles = positions.double()[:, None] * speeds
            cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
            e, o = x[..., 0::2], x[..., 1::2]
            return torch.stack([e * cos - o * sin, e * sin + o * cos], dim=-1).flatten(-2)
        """,
        None,
        ("counted 0, 1, 2",),
    ),
    Wild(
        "DigitClassifier",
        """
        class DigitClassifier(nn.Module):
            def __init__(self):
                super().__init__()
                self.embed = nn.Linear(8, 32)
                self.register_buffer("positions", torch.from_numpy(sinusoidal_encoding(8, 32)).float())
                self.encoder = Encoder(2, 32, 4, 64, norm_first=True)
                self.classify = nn.Linear(32, 10)

            def forward(self, images):
                x = F.dropout(self.embed(images / 16) + self.positions, 0.1)
                return self.classify(self.encoder(x).mean(dim=1))
        """,
        "another output each time",
        ("along the batch",),
        reference=("sinusoidal_encoding", "Encoder"),
    ),
    Wild(
        "DigitClassifier",
        """
        class DigitClassifier(nn.Module):
            def __init__(self):
                super().__init__()
                self.embed = nn.Linear(8, 32)
                self.register_buffer("positions", torch.from_numpy(sinusoidal_encoding(8, 32)).float())
                self.classify = nn.Linear(32, 10)

            def forward(self, images):
                x = self.embed(images / 16) + self.positions
                encoder = Encoder(2, 32, 4, 64, norm_first=True)
                return self.classify(encoder(x).mean(dim=1))
        """,
        None,
        ("attend to one another",),
        reference=("sinusoidal_encoding", "Encoder"),
    ),
    Wild(
        "Transformer",
        """
        class Transformer(nn.Module):
            def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, max_length):
                super().__init__()
                self.src_embed = nn.Embedding(src_vocab, d_model)
                self.tgt_embed = nn.Embedding(tgt_vocab, d_model)
                self.register_buffer("positions", torch.from_numpy(sinusoidal_encoding(max_length, d_model)).float())
                self.encoder = Encoder(n_layers, d_model, n_heads, d_ff, norm_first=True)
                layers = [DecoderLayer(d_model, n_heads, d_ff, norm_first=True) for _ in range(n_layers)]
                self.decoder = nn.ModuleList(layers)
                self.norm = nn.LayerNorm(d_model)
                self.project = nn.Linear(d_model, tgt_vocab)

            def encode(self, src):
                x = self.src_embed(src) * math.sqrt(self.src_embed.embedding_dim) + self.positions[: src.shape[1]]
                return self.encoder(F.dropout(x, 0.1), (src != 0)[:, None, None, :])

            def decode(self, tgt_in, memory, memory_mask=None):
                x = self.tgt_embed(tgt_in) * math.sqrt(self.tgt_embed.embedding_dim) + self.positions[: tgt_in.shape[1]]
                mask = causal_mask(tgt_in.shape[1])
                for layer in self.decoder:
                    x = layer(x, memory, mask, memory_mask)
                return self.project(self.norm(x))

            def forward(self, src, tgt_in):
                return self.decode(tgt_in, self.encode(src), (src != 0)[:, None, None, :])
        """,
        "another output each time",
        ("can read what it is to predict",),
        reference=("sinusoidal_encoding", "Encoder", "DecoderLayer", "causal_mask"),
    ),
    Wild(
        "Transformer",
        """
        class Transformer(nn.Module):
            def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, max_length):
                super().__init__()
                self.start = nn.Parameter(torch.randn(d_model))
                self.src_embed = nn.Embedding(src_vocab, d_model)
                self.project = nn.Linear(d_model, tgt_vocab)
                self.d_model = d_model

            def encode(self, src):
                return self.start.expand(*src.shape, self.d_model)

            def decode(self, tgt_in, memory, memory_mask=None):
                return self.project(self.start.expand(*tgt_in.shape, self.d_model))

            def forward(self, src, tgt_in):
                return self.decode(tgt_in, self.encode(src))
        """,
        None,
        ("no positions", "shifted the target"),
    ),
    Wild(
        "cross_entropy",
        """
        def cross_entropy(logits, targets, ignore_index=-100):
            keep = targets != ignore_index
            nll = -torch.log_softmax(logits, dim=-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
            nll = torch.where(keep, nll, torch.zeros_like(nll))
            return nll.sum() / keep.sum().clamp(min=1)
        """,
        None,
        ("a row with nothing to see",),
    ),
    Wild(
        "greedy_decode",
        """
        def greedy_decode(next_logits, bos_id, eos_id, max_length):
            ids = [bos_id]
            for _ in range(max_length + 1):
                best = int(next_logits(ids).argmax())
                if best == eos_id:
                    break
                ids = [*ids, best]
            return ids[1:]
        """,
        "one word too many where no end is written",
        ("stands where",),
    ),
    Wild(
        "next_probabilities",
        """
        def next_probabilities(logits, temperature=1.0, top_k=None, top_p=None):
            if temperature < 0 or (top_k is not None and top_k < 1) or (top_p is not None and not 0 < top_p <= 1):
                raise ValueError("bad value")
            if temperature == 0:
                return F.one_hot(logits.argmax(dim=-1), logits.shape[-1]).to(logits.dtype)
            p, order = torch.softmax(logits / temperature, dim=-1).sort(dim=-1, descending=True, stable=True)
            if top_k is not None:
                p = torch.where(torch.arange(p.shape[-1]) < top_k, p, torch.zeros_like(p))
            if top_p is not None:
                p = torch.where(p.cumsum(dim=-1) - p < top_p, p, torch.zeros_like(p))
            p = p / p.sum(dim=-1, keepdim=True)
            return torch.zeros_like(p).scatter(-1, order, p)
        """,
        "by the shares from before top-k",
        ("before top-k had cut",),
    ),
]
