"""Wrong answers by what they have in common, for all units: masks, norms and residuals, axes, sizes, precision."""

from . import Wild

NAMED = [
    Wild(
        "similarity_matrix",
        """
        def similarity_matrix(X):
            return X @ X.T / X.shape[-1]
        """,
    ),
    Wild(
        "similarity_matrix",
        """
        def similarity_matrix(X):
            S = X @ np.swapaxes(X, -1, -2)
            return np.round(S, 2)
        """,
        "rounded to 2 decimals",
    ),
    Wild(
        "similarity_matrix",
        """
        def similarity_matrix(X):
            S = np.zeros((len(X), len(X)), dtype=int)
            for i in range(len(X)):
                for j in range(len(X)):
                    S[i, j] = X[i] @ X[j]
            return S
        """,
    ),
    Wild(
        "similarity_matrix",
        """
        def similarity_matrix(X):
            n = X.shape[-2]
            S = np.zeros((*X.shape[:-2], n, n))
            for i in range(n - 1):
                for j in range(n):
                    S[..., i, j] = (X[..., i, :] * X[..., j, :]).sum(-1)
            return S
        """,
        "only the last row is wrong",
    ),
    Wild(
        "similarity_matrix",
        """
        def similarity_matrix(X):
            return np.einsum('...id,...jd->...ij', X, X).astype('float16').astype(float)
        """,
        "float16",
    ),
    Wild(
        "cosine_similarity",
        """
        def cosine_similarity(X):
            n = np.sqrt((X ** 2).sum(-1, keepdims=True)) + 1e-3
            return (X / n) @ np.swapaxes(X / n, -1, -2)
        """,
        "",
    ),
    Wild(
        "cosine_similarity",
        """
        def cosine_similarity(X):
            n = (X ** 2).sum(-1, keepdims=True)
            n = np.where(n == 0, 1, n)
            return (X / n) @ np.swapaxes(X / n, -1, -2)
        """,
        "divided by the squared lengths",
    ),
    Wild(
        "project",
        """
        def project(X, W_q, W_k, W_v):
            return X @ W_q, X @ W_k, X @ W_k
        """,
        "used W_k for the values as well",
    ),
    Wild(
        "project",
        """
        def project(X, W_q, W_k, W_v):
            return W_q.T @ X.T, W_k.T @ X.T, W_v.T @ X.T
        """,
    ),
    Wild(
        "scores_for_query",
        """
        def scores_for_query(q, K):
            return np.array([q @ k for k in K[:-1]])
        """,
        "the last entry is missing",
    ),
    Wild(
        "attention_scores",
        """
        def attention_scores(Q, K):
            return Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
        """,
        "scaled the scores by √d_k",
    ),
    Wild(
        "attention_scores",
        """
        def attention_scores(Q, K):
            return -(Q @ np.swapaxes(K, -1, -2))
        """,
        "the sign of the result is turned around",
    ),
    Wild(
        "attention_scores",
        """
        def attention_scores(Q, K):
            S = np.zeros((*Q.shape[:-2], Q.shape[-2], Q.shape[-2]))
            for i in range(Q.shape[-2]):
                for j in range(Q.shape[-2]):
                    S[..., i, j] = (Q[..., i, :] * K[..., j, :]).sum(-1)
            return S
        """,
    ),
    Wild(
        "attention_scores_columns",
        """
        def attention_scores_columns(Q, K):
            return Q.T @ K
        """,
        "returned (n_q, n_k): Qᵀ K",
    ),
    Wild(
        "softmax",
        """
        def softmax(x, axis=-1):
            x = np.asarray(x, float)
            e = np.exp(np.clip(x, -50, 50))
            s = e.sum(axis, keepdims=True)
            return e / s
        """,
        "clipped large scores",
    ),
    Wild(
        "softmax",
        """
        def softmax(x, axis=-1):
            x = np.asarray(x, float)
            m = x.max(axis, keepdims=True)
            m = np.where(np.isneginf(m), 0, m)
            e = 2.0 ** (x - m)
            s = e.sum(axis, keepdims=True)
            return e / np.where(s == 0, 1, s)
        """,
        "a power of 2",
    ),
    Wild(
        "softmax",
        """
        def softmax(x, axis=-1):
            x = np.asarray(x, float)
            m = x.max(axis, keepdims=True)
            m = np.where(np.isneginf(m), 0, m)
            e = np.exp(x - m)
            return e / e.mean(axis, keepdims=True)
        """,
        "`mean` stands where `sum` belongs",
    ),
    Wild(
        "weighted_sum",
        """
        def weighted_sum(weights, V):
            return np.swapaxes(V, -1, -2) @ np.swapaxes(weights, -1, -2)
        """,
        "the result is transposed",
    ),
    Wild(
        "weighted_sum",
        """
        def weighted_sum(weights, V):
            return weights @ V / weights.shape[-1]
        """,
        "divided by the number of values",
    ),
    Wild(
        "scale_scores",
        """
        def scale_scores(scores, d_k):
            return scores // np.sqrt(d_k)
        """,
        "cut the scaled scores off",
    ),
    Wild(
        "softmax_jacobian",
        """
        def softmax_jacobian(p):
            return p[..., :, None] * (np.eye(p.shape[-1]) + p[..., None, :])
        """,
        "added p pᵀ",
    ),
    Wild(
        "scaled_dot_product_attention",
        """
        def scaled_dot_product_attention(Q, K, V):
            w = softmax(Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1]))
            return w @ V, np.swapaxes(w, -1, -2)
        """,
        "`weights`: the transpose",
        reference=("softmax",),
    ),
    Wild(
        "scaled_dot_product_attention",
        """
        def scaled_dot_product_attention(Q, K, V):
            w = softmax(Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1]))
            return w @ V + V.mean(-2, keepdims=True), w
        """,
        reference=("softmax",),
    ),
    Wild(
        "scaled_dot_product_attention",
        """
        def scaled_dot_product_attention(Q, K, V):
            w = softmax(Q @ np.swapaxes(K, -1, -2), axis=-2)
            return w @ V, w
        """,
        reference=("softmax",),
    ),
    Wild(
        "local_attention",
        """
        def local_attention(Q, K, V, window):
            s = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
            i, j = np.arange(Q.shape[-2])[:, None], np.arange(K.shape[-2])
            w = softmax(np.where(np.abs(i - j) < window, s, -np.inf))
            return w @ V, w
        """,
        "left out the edge of the window",
        reference=("softmax",),
    ),
    Wild(
        "local_attention",
        """
        def local_attention(Q, K, V, window):
            s = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
            i, j = np.arange(Q.shape[-2])[:, None], np.arange(K.shape[-2])
            w = softmax(np.where(np.abs(i - j) <= window, s, -20))
            return w @ V, w
        """,
        "filled with a number like -20",
        reference=("softmax",),
    ),
    Wild(
        "additive_scores",
        """
        def additive_scores(Q, K, W_q, W_k, v):
            h = np.tanh(Q @ W_q)[:, None, :] + np.tanh(K @ W_k)[None, :, :]
            return h @ v
        """,
        "took the tanh",
    ),
    Wild(
        "frequencies",
        """
        def frequencies(d_model):
            if d_model % 2: raise ValueError('odd')
            return 10000 ** (2 * np.arange(d_model // 2) / d_model)
        """,
        "10000^(+2i/d)",
    ),
    Wild(
        "frequencies",
        """
        def frequencies(d_model):
            if d_model % 2: raise ValueError('odd')
            return 10000.0 ** -2 * np.arange(d_model // 2) / d_model
        """,
        "only -2 is the exponent",
    ),
    Wild(
        "sinusoidal_encoding",
        """
        def sinusoidal_encoding(n_positions, d_model):
            if d_model % 2: raise ValueError('odd')
            a = np.outer(np.arange(1, n_positions + 1), 10000.0 ** (-np.arange(0, d_model, 2) / d_model))
            P = np.zeros((n_positions, d_model))
            P[:, ::2], P[:, 1::2] = np.sin(a), np.cos(a)
            return P
        """,
        "from 1",
    ),
    Wild(
        "add_positions",
        """
        def add_positions(X, P):
            if X.shape[-1] != P.shape[-1] or X.shape[-2] > len(P): raise ValueError('shapes')
            return np.sqrt(X.shape[-1]) * (X + P[: X.shape[-2]])
        """,
        "scaled the positions too",
    ),
    Wild(
        "shift_matrix",
        """
        def shift_matrix(offset, d_model):
            if d_model % 2: raise ValueError('odd')
            w = 10000.0 ** (-np.arange(0, d_model, 2) / d_model)
            M = np.zeros((d_model, d_model))
            for i, a in enumerate(offset * w):
                M[2*i:2*i+2, 2*i:2*i+2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
            return M
        """,
        "turned the other way",
    ),
    Wild(
        "split_heads",
        """
        def split_heads(X, n_heads):
            if n_heads < 1 or X.shape[-1] % n_heads: raise ValueError('heads')
            return np.swapaxes(X.reshape(*X.shape[:-1], X.shape[-1] // n_heads, n_heads), -1, -3).copy()
        """,
    ),
    Wild(
        "layer_norm",
        """
        def layer_norm(x, gamma, beta, eps=1e-5):
            x = np.asarray(x, float)
            m, s = x.mean(-1, keepdims=True), x.std(-1, keepdims=True)
            return gamma * (x - m) / (s + eps) + beta
        """,
        "eps added outside",
    ),
    Wild(
        "layer_norm",
        """
        def layer_norm(x, gamma, beta, eps=1e-5):
            x = np.asarray(x, float)
            m, v = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
            return gamma * (x - m / np.sqrt(v + eps)) + beta
        """,
    ),
    Wild(
        "add_and_norm",
        """
        def add_and_norm(x, sublayer_output, gamma, beta, eps=1e-5):
            return layer_norm(x, gamma, beta, eps) + layer_norm(sublayer_output, gamma, beta, eps)
        """,
        "normalised both parts",
        reference=("layer_norm",),
    ),
    Wild(
        "add_and_norm",
        """
        def add_and_norm(x, sublayer_output, gamma, beta, eps=1e-5):
            return sublayer_output + layer_norm(x, gamma, beta, eps)
        """,
        "normalised x and then",
        reference=("layer_norm",),
    ),
    Wild(
        "FeedForward",
        """
        class FeedForward(nn.Module):
            def __init__(self, d_model, d_ff):
                super().__init__()
                self.linear_1, self.linear_2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
            def forward(self, x):
                return torch.relu(self.linear_2(self.linear_1(x)))
        """,
        "the ReLU after",
    ),
    Wild(
        "FeedForward",
        """
        class FeedForward(nn.Module):
            def __init__(self, d_model, d_ff):
                super().__init__()
                self.linear_1, self.linear_2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
            def forward(self, x):
                return x + self.linear_2(torch.relu(self.linear_1(x)))
        """,
        "residual is added here",
    ),
    Wild(
        "FeedForward",
        """
        class FeedForward(nn.Module):
            def __init__(self, d_model, d_ff):
                super().__init__()
                self.linear_1, self.linear_2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
            def forward(self, x):
                return self.linear_2(torch.tanh(self.linear_1(x)))
        """,
        "tanh instead",
    ),
    Wild(
        "LayerNorm",
        """
        class LayerNorm(nn.Module):
            def __init__(self, d_model, eps=1e-5):
                super().__init__()
                self.weight, self.bias = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model))
                self.eps = eps
            def forward(self, x):
                m, v = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
                return self.weight * ((x - m) / torch.sqrt(v + self.eps) + self.bias)
        """,
        "shifted by bias",
    ),
    Wild(
        "EncoderLayer",
        """
        class EncoderLayer(nn.Module):
            def __init__(self, d_model, n_heads, d_ff, norm_first=False):
                super().__init__()
                self.self_attention = MultiHeadAttention(d_model, n_heads)
                self.feed_forward = FeedForward(d_model, d_ff)
                self.norm_1, self.norm_2, self.norm_first = nn.LayerNorm(d_model), nn.LayerNorm(d_model), norm_first
            def forward(self, x, mask=None):
                if self.norm_first:
                    y = self.norm_1(x)
                    x = y + self.self_attention(y, y, y, mask)[0]
                    y = self.norm_2(x)
                    return y + self.feed_forward(y)
                x = self.norm_1(x + self.self_attention(x, x, x, mask)[0])
                return self.norm_2(x + self.feed_forward(x))
        """,
        "both residuals start from the normalised x",
        reference=("MultiHeadAttention", "FeedForward"),
    ),
    Wild(
        "EncoderLayer",
        """
        class EncoderLayer(nn.Module):
            def __init__(self, d_model, n_heads, d_ff, norm_first=False):
                super().__init__()
                self.self_attention = MultiHeadAttention(d_model, n_heads)
                self.feed_forward = FeedForward(d_model, d_ff)
                self.norm_1, self.norm_2, self.norm_first = nn.LayerNorm(d_model), nn.LayerNorm(d_model), norm_first
            def forward(self, x, mask=None):
                if self.norm_first:
                    x = x + self.self_attention(self.norm_1(x), x, x, mask)[0]
                    return x + self.feed_forward(self.norm_2(x))
                x = self.norm_1(x + self.self_attention(x, x, x, mask)[0])
                return self.norm_2(x + self.feed_forward(x))
        """,
        "only the query is normalised",
        reference=("MultiHeadAttention", "FeedForward"),
    ),
    Wild(
        "EncoderLayer",
        """
        class EncoderLayer(nn.Module):
            def __init__(self, d_model, n_heads, d_ff, norm_first=False):
                super().__init__()
                self.self_attention = MultiHeadAttention(d_model, n_heads)
                self.feed_forward = FeedForward(d_model, d_ff)
                self.norm_1, self.norm_2, self.norm_first = nn.LayerNorm(d_model), nn.LayerNorm(d_model), norm_first
            def forward(self, x, mask=None):
                y = x
                if self.norm_first:
                    x = x + self.self_attention(*[self.norm_1(x)] * 3, mask)[0]
                    return y + self.feed_forward(self.norm_2(x))
                x = self.norm_1(x + self.self_attention(x, x, x, mask)[0])
                return self.norm_2(y + self.feed_forward(x))
        """,
        "second residual starts",
        reference=("MultiHeadAttention", "FeedForward"),
    ),
    Wild(
        "causal_mask",
        """
        def causal_mask(n_queries, n_keys=None):
            n_keys = n_queries if n_keys is None else n_keys
            if n_queries > n_keys: raise ValueError('more queries')
            return torch.ones(n_queries, n_keys).bool().tril()
        """,
        "took the queries as the first",
    ),
    Wild(
        "masked_attention",
        """
        def masked_attention(Q, K, V, mask):
            s = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])
            w = torch.softmax(s, -1) * mask
            return w @ V, w
        """,
        "masked after the softmax",
    ),
    Wild(
        "masked_attention",
        """
        def masked_attention(Q, K, V, mask):
            s = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])
            w = torch.softmax(s.masked_fill(mask, -1e9), -1).masked_fill(mask, 0)
            return w @ V, w
        """,
        "wrong way round",
    ),
    Wild(
        "masked_attention",
        """
        def masked_attention(Q, K, V, mask):
            s = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])
            w = torch.softmax(s + mask.float(), -1)
            return w @ V, w
        """,
    ),
    Wild(
        "masked_attention",
        """
        def masked_attention(Q, K, V, mask):
            s = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])
            w = torch.softmax(s.masked_fill(~mask, -20.0), -1)
            return w @ V, w
        """,
    ),
    Wild(
        "shift_right",
        """
        def shift_right(targets, bos_id):
            out = torch.roll(targets, 1, -1)
            out[..., :1] = bos_id
            return out.float()
        """,
        "returned real numbers",
    ),
    Wild(
        "cross_entropy",
        """
        def cross_entropy(logits, targets, ignore_index=-100):
            keep = targets != ignore_index
            lp = torch.log_softmax(logits, -1)
            s = -lp.gather(-1, targets.masked_fill(~keep, 0).unsqueeze(-1)).squeeze(-1)
            return (s * keep).sum()
        """,
        "took the sum",
    ),
    Wild(
        "cross_entropy",
        """
        def cross_entropy(logits, targets, ignore_index=-100):
            keep = targets != ignore_index
            lp = torch.log_softmax(logits, -1)
            s = -lp.gather(-1, targets.masked_fill(~keep, 0).unsqueeze(-1)).squeeze(-1)
            return (s * keep).mean()
        """,
        "divided by all places",
    ),
    Wild(
        "greedy_decode",
        """
        def greedy_decode(next_logits, bos_id, eos_id, max_length):
            ids = []
            for _ in range(max_length):
                t = int(next_logits([bos_id, *ids]).argmax())
                ids.append(t)
                if t == eos_id: break
            return ids
        """,
        "left eos in",
    ),
    Wild(
        "rms_norm",
        """
        def rms_norm(x, weight, eps=1e-6):
            return weight * x / (x.pow(2).mean(-1, keepdim=True) + eps)
        """,
        "forgot the root",
    ),
    Wild(
        "rms_norm",
        """
        def rms_norm(x, weight, eps=1e-6):
            return weight * x / torch.sqrt(x.pow(2).sum(-1, keepdim=True) + eps)
        """,
        "summed the squares",
    ),
    Wild(
        "apply_rotary",
        """
        def apply_rotary(x, positions, base=10000.0):
            d = x.shape[-1]
            if d % 2 or positions.shape != x.shape[-2:-1]: raise ValueError('shapes')
            a = positions.double()[:, None] * base ** (-torch.arange(0, d, 2).double() / d)
            c, s = a.cos().to(x.dtype), a.sin().to(x.dtype)
            e, o = x[..., 0::2], x[..., 1::2]
            return torch.stack([e * c + o * s, o * c - e * s], -1).flatten(-2)
        """,
        "turned the other way",
    ),
    Wild(
        "cached_attention_step",
        """
        def cached_attention_step(q, k, v, cache):
            K = k if cache is None else torch.cat([cache[0], k], -2)
            V = v if cache is None else torch.cat([cache[1], v], -2)
            w = torch.softmax(q @ K.transpose(-2, -1), -1)
            return w @ V, (K.clone(), V.clone())
        """,
        "did not scale",
    ),
    Wild(
        "grouped_query_attention",
        """
        def grouped_query_attention(Q, K, V, mask=None):
            h, g = Q.shape[-3], K.shape[-3]
            if h % g or V.shape[-3] != g: raise ValueError('heads')
            K, V = K.repeat_interleave(h // g, -3), V.repeat_interleave(h // g, -3)
            s = Q @ K.transpose(-2, -1) / math.sqrt(V.shape[-1])
            if mask is not None: s = s.masked_fill(~mask, -1e30)
            w = torch.softmax(s, -1)
            if mask is not None: w = w.masked_fill(~mask, 0)
            return w @ V
        """,
        "divided by √d_v",
    ),
    Wild(
        "cached_attention_step",
        """
        def cached_attention_step(q, k, v, cache=None):
            K = k.clone() if cache is None else torch.cat([cache[0], k], dim=-2)
            V = v.clone() if cache is None else torch.cat([cache[1], v], dim=-2)
            weights = torch.softmax(q @ K.transpose(-1, -2) / K.shape[-1] ** 0.5, dim=-1)
            return (K, V), weights @ V
        """,
        "the results are right, and stand in the wrong order",
        ("comma",),
    ),
]
